package reading

import "jiamenkou/service/identity"

// ExportParts are what reading holds about a resident, for the copy that the
// resident may have: see identity.OnExport.
func (*Service) ExportParts() []identity.ExportPart {
	type session struct {
		identity.ExportRow
		Article   string               `json:"article"`
		Status    string               `json:"status"`
		Seconds   int64                `json:"seconds"`
		StartedAt identity.ExportTime  `json:"started_at"`
		EndedAt   *identity.ExportTime `json:"ended_at"`
	}
	type quiz struct {
		identity.ExportRow
		Article   string              `json:"article"`
		TryNumber int64               `json:"try_number"`
		Questions int64               `json:"questions"`
		Wrong     string              `json:"wrong"`
		Passed    bool                `json:"passed"`
		CreatedAt identity.ExportTime `json:"created_at"`
	}
	type signIn struct {
		identity.ExportRow
		Day        string `json:"day"`
		StreakDays int64  `json:"streak_days"`
	}
	return []identity.ExportPart{
		identity.NewExportPart[session]("reading_session", "阅读记录", "s.id", "a.title AS article, s.status, s.credited_seconds AS seconds, s.started_at, s.ended_at",
			"reading_session s JOIN article a ON a.id = s.article_id WHERE s.resident_id = @resident"),
		identity.NewExportPart[quiz]("quiz_attempt", "小问题的回答", "q.id", "a.title AS article, q.try_number, q.questions, q.wrong, q.passed, q.created_at",
			"quiz_attempt q JOIN article a ON a.id = q.article_id WHERE q.resident_id = @resident"),
		identity.NewExportPart[signIn]("daily_sign_in", "每日签到", "d.id", "d.day, d.streak_days", "daily_sign_in d WHERE d.resident_id = @resident"),
	}
}
