package reading

import (
	"context"

	"jiamenkou/model"
	"jiamenkou/service/ledger"
)

// auditPhases compare readings and sign-ins with awards, one to one. The +
// before a column keeps SQLite from preferring the index over that column,
// under which most of the table lies, to the range of ids; to MySQL it is
// nothing.
var auditPhases = []ledger.AuditPhase{
	{Table: "reading_session", Checks: []ledger.RangeCheck{
		{Name: "article read has its award", Query: `SELECT s.id AS object, '' AS account, 1 AS want, 0 AS got FROM reading_session s
			LEFT JOIN award a ON a.event_kind = '` + string(model.EventArticleRead) + `' AND a.event_id = CONCAT(s.article_id, ':', s.resident_id)
			WHERE s.id > @lo AND s.id <= @hi AND +s.status = '` + string(model.ReadingCompleted) + `'
				AND (a.id IS NULL OR a.resident_id <> s.resident_id OR a.object_id <> s.article_id OR a.occurred_at <> s.ended_at)`},
	}},
	{Table: "daily_sign_in", Checks: []ledger.RangeCheck{
		{Name: "sign-in has its award", Query: `SELECT d.id AS object, '' AS account, 1 AS want, 0 AS got FROM daily_sign_in d
			LEFT JOIN award a ON a.event_kind = '` + string(model.EventDailySignIn) + `' AND a.event_id = CONCAT(d.resident_id, ':', d.day)
			WHERE d.id > @lo AND d.id <= @hi AND (a.id IS NULL OR a.resident_id <> d.resident_id OR a.day <> d.day)`},
	}},
	{Table: "award", Checks: []ledger.RangeCheck{
		{Name: "award of an article has its reading", Query: `SELECT a.id AS object, '' AS account, 0 AS want, 1 AS got FROM award a
			LEFT JOIN reading_session s ON s.resident_id = a.resident_id AND s.completed_article_id = a.object_id
			WHERE a.id > @lo AND a.id <= @hi AND +a.event_kind = '` + string(model.EventArticleRead) + `' AND s.id IS NULL`},
		{Name: "award of a sign-in has its sign-in", Query: `SELECT a.id AS object, '' AS account, 0 AS want, 1 AS got FROM award a
			LEFT JOIN daily_sign_in d ON d.resident_id = a.resident_id AND d.day = a.object_id
			WHERE a.id > @lo AND a.id <= @hi AND +a.event_kind = '` + string(model.EventDailySignIn) + `' AND d.id IS NULL`},
	}},
}

// AuditPhases are the phases of Audit, for who shows how far it is and resumes.
func (s *Service) AuditPhases() []ledger.AuditPhase { return auditPhases }

// Audit proves, by ranges of rows, that every article read and every sign-in
// has its award, and every such award its article or sign-in; it returns what
// differs (at most 100 differences). It only reads.
func (s *Service) Audit(ctx context.Context) ([]ledger.Difference, error) {
	result, err := s.ledger.AuditRows(ctx, auditPhases, ledger.AuditOptions{})
	return result.Differences, err
}
