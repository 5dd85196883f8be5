package reading

import (
	"context"

	"jiamenkou/model"
	"jiamenkou/service/ledger"
)

// Audit proves that every article read and every sign-in has its award, and
// every such award its article or sign-in. It only reads.
func (s *Service) Audit(ctx context.Context) ([]ledger.Difference, error) {
	checks := []struct {
		name, query string
		args        []any
	}{
		{
			name: "article read has its award", query: `SELECT s.id AS object, '' AS account, 1 AS want, 0 AS got FROM reading_session s
			LEFT JOIN award a ON a.event_kind = ? AND a.event_id = CONCAT(s.article_id, ':', s.resident_id)
			WHERE s.status = ? AND (a.id IS NULL OR a.resident_id <> s.resident_id OR a.object_id <> s.article_id OR a.occurred_at <> s.ended_at)`,
			args: []any{model.EventArticleRead, model.ReadingCompleted},
		},
		{
			name: "award of an article has its reading", query: `SELECT a.id AS object, '' AS account, 0 AS want, 1 AS got FROM award a
			LEFT JOIN reading_session s ON s.resident_id = a.resident_id AND s.completed_article_id = a.object_id
			WHERE a.event_kind = ? AND s.id IS NULL`,
			args: []any{model.EventArticleRead},
		},
		{
			name: "sign-in has its award", query: `SELECT d.id AS object, '' AS account, 1 AS want, 0 AS got FROM daily_sign_in d
			LEFT JOIN award a ON a.event_kind = ? AND a.event_id = CONCAT(d.resident_id, ':', d.day)
			WHERE a.id IS NULL OR a.resident_id <> d.resident_id OR a.day <> d.day`,
			args: []any{model.EventDailySignIn},
		},
		{
			name: "award of a sign-in has its sign-in", query: `SELECT a.id AS object, '' AS account, 0 AS want, 1 AS got FROM award a
			LEFT JOIN daily_sign_in d ON d.resident_id = a.resident_id AND d.day = a.object_id
			WHERE a.event_kind = ? AND d.id IS NULL`,
			args: []any{model.EventDailySignIn},
		},
	}
	var out []ledger.Difference
	for _, c := range checks {
		found, err := s.ledger.RunCheck(ctx, c.name, c.query, c.args...)
		if err != nil {
			return out, err
		}
		out = append(out, found...)
	}
	return out, nil
}
