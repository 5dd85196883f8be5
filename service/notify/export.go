package notify

import "jiamenkou/service/identity"

// ExportParts are what notify holds about a resident, for the copy that the
// resident may have: see identity.OnExport.
func (*Service) ExportParts() []identity.ExportPart {
	type message struct {
		identity.ExportRow
		Topic     string               `json:"topic"`
		Title     string               `json:"title"`
		Body      string               `json:"body"`
		CreatedAt identity.ExportTime  `json:"created_at"`
		ReadAt    *identity.ExportTime `json:"read_at"`
	}
	type quota struct {
		identity.ExportRow
		TemplateID string              `json:"template_id"`
		Remaining  int64               `json:"remaining"`
		UpdatedAt  identity.ExportTime `json:"updated_at"`
	}
	return []identity.ExportPart{
		identity.NewExportPart[message]("message", "消息", "m.id", "m.topic, m.title, m.body, m.created_at, m.read_at", "message m WHERE m.resident_id = @resident"),
		identity.NewExportPart[quota]("subscribe_quota", "允许发送的微信消息", "q.template_id", "q.template_id, q.remaining, q.updated_at",
			"subscribe_quota q WHERE q.resident_id = @resident"),
	}
}
