package casework

import "jiamenkou/service/identity"

// ExportParts are what casework holds about a resident, for the copy that the
// resident may have: see identity.OnExport.
func (*Service) ExportParts() []identity.ExportPart {
	type report struct {
		identity.ExportRow
		Number    string              `json:"number"`
		Kind      string              `json:"kind"`
		Category  string              `json:"category"`
		Title     string              `json:"title"`
		Content   string              `json:"content"`
		Address   string              `json:"address"`
		Lon       *float64            `json:"lon"` // gone after a few weeks
		Lat       *float64            `json:"lat"`
		Status    string              `json:"status"`
		Rating    *int64              `json:"rating"`
		CreatedAt identity.ExportTime `json:"created_at"`
	}
	type move struct {
		identity.ExportRow
		Number    string              `json:"number"`
		ToStatus  string              `json:"to_status"`
		Reason    string              `json:"reason"` // the resident's own words
		CreatedAt identity.ExportTime `json:"created_at"`
	}
	type upload struct {
		identity.ExportRow
		ContentType string              `json:"content_type"`
		SizeBytes   int64               `json:"size_bytes"`
		SHA256      string              `json:"sha256" gorm:"column:sha256"`
		Status      string              `json:"status"`
		CreatedAt   identity.ExportTime `json:"created_at"`
	}
	return []identity.ExportPart{
		identity.NewExportPart[report]("case_file", "上报的事件", "c.id", "c.number, c.kind, c.category, c.title, c.content, c.address, c.lon, c.lat, c.status, c.rating, c.created_at",
			"case_file c WHERE c.reporter_id = @resident"),
		identity.NewExportPart[move]("case_history", "事件的经过", "h.id", "c.number, h.to_status, CASE WHEN h.actor_id = c.reporter_id THEN h.reason ELSE '' END AS reason, h.created_at",
			"case_file c JOIN case_history h ON h.case_id = c.id WHERE c.reporter_id = @resident"),
		identity.NewExportPart[upload]("attachment", "上传的照片（清单）", "a.id", "a.content_type, a.size_bytes, a.sha256, a.status, a.created_at",
			"attachment a WHERE a.owner_kind = 'resident' AND a.owner_id = @resident AND a.discarded_at IS NULL"),
	}
}
