package recourse

import "jiamenkou/service/identity"

// ExportParts are what recourse holds about a resident, for the copy that the
// resident may have: see identity.OnExport.
func (*Service) ExportParts() []identity.ExportPart {
	type objection struct {
		identity.ExportRow
		EntryID    string               `json:"entry_id"`
		Text       string               `json:"text"`
		Status     string               `json:"status"`
		Answer     string               `json:"answer"`
		CreatedAt  identity.ExportTime  `json:"created_at"`
		AnsweredAt *identity.ExportTime `json:"answered_at"`
	}
	type adjustment struct {
		identity.ExportRow
		Kind       string               `json:"kind"`
		Points     int64                `json:"points"`
		Status     string               `json:"status"`
		ReasonCode string               `json:"reason_code"`
		ReasonText string               `json:"reason_text"`
		CreatedAt  identity.ExportTime  `json:"created_at"`
		DecidedAt  *identity.ExportTime `json:"decided_at"`
	}
	return []identity.ExportPart{
		identity.NewExportPart[objection]("objection", "积分异议", "o.id", "o.transfer_id AS entry_id, o.text, o.status, o.answer, o.created_at, o.answered_at",
			"objection o WHERE o.resident_id = @resident"),
		identity.NewExportPart[adjustment]("adjustment", "调账", "a.id", "a.kind, a.amount AS points, a.status, a.reason_code, a.reason_text, a.created_at, a.decided_at",
			"adjustment a WHERE a.resident_id = @resident"),
	}
}
