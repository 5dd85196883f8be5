package policy

import "jiamenkou/service/identity"

// ExportParts are what policy holds about a resident, for the copy that the
// resident may have: see identity.OnExport.
func (*Service) ExportParts() []identity.ExportPart {
	type row struct {
		identity.ExportRow
		EventKind  string              `json:"event_kind"`
		Day        string              `json:"day"`
		Status     string              `json:"status"`
		Points     int64               `json:"points"`
		Minutes    int64               `json:"minutes"`
		Evidence   string              `json:"evidence"`
		OccurredAt identity.ExportTime `json:"occurred_at"`
	}
	return []identity.ExportPart{identity.NewExportPart[row]("award", "获得积分的依据", "a.id",
		"a.event_kind, a.day, a.status, a.points, a.minutes, a.evidence, a.occurred_at", "award a WHERE a.resident_id = @resident")}
}
