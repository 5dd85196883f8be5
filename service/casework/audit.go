package casework

import (
	"context"

	"jiamenkou/model"
	"jiamenkou/service/ledger"
)

// auditPhases compare cases with their history and with the points that they
// earned. The + before a column keeps SQLite from preferring the index over
// that column, under which most of the table lies, to the range of ids; to
// MySQL it is nothing. CROSS JOIN keeps it from beginning with the table on the
// right; to MySQL it is a plain join.
var auditPhases = []ledger.AuditPhase{
	{Table: "case_file", Rows: 1_000, Checks: []ledger.RangeCheck{
		{Name: "a case is where its last history row left it", Query: `SELECT c.id AS object, '' AS account, c.version AS want, COALESCE(h.seq, 0) AS got
			FROM case_file c LEFT JOIN case_history h ON h.case_id = c.id AND h.seq = c.version
			WHERE c.id > @lo AND c.id <= @hi AND (h.id IS NULL OR h.to_status <> c.status)`},
		{Name: "a case has one history row for each version", Query: `SELECT c.id AS object, '' AS account, c.version AS want, COALESCE(h.n, 0) AS got
			FROM case_file c LEFT JOIN (
				SELECT case_id, COUNT(*) AS n FROM case_history WHERE case_id > @lo AND case_id <= @hi GROUP BY case_id
			) h ON h.case_id = c.id
			WHERE c.id > @lo AND c.id <= @hi AND COALESCE(h.n, 0) <> c.version`},
		{Name: "each history row begins where the one before ended", Query: `SELECT h.id AS object, '' AS account, 1 AS want, 0 AS got
			FROM case_history h CROSS JOIN case_history p ON p.case_id = h.case_id AND p.seq = h.seq - 1
			WHERE h.case_id > @lo AND h.case_id <= @hi AND h.from_status <> p.to_status`},
		{Name: "a verified report has its award", Query: `SELECT c.id AS object, '' AS account, 1 AS want, 0 AS got
			FROM case_file c CROSS JOIN resident p ON p.id = c.reporter_id
			LEFT JOIN award a ON a.event_kind = '` + string(model.EventReportVerified) + `' AND a.event_id = c.id
			WHERE c.id > @lo AND c.id <= @hi AND c.earns = 1 AND p.status <> '` + string(model.ResidentDeleted) + `'
				AND (a.id IS NULL OR a.resident_id <> c.reporter_id)`},
	}},
	{Table: "award", Checks: []ledger.RangeCheck{
		{Name: "an award for a report has its verified case", Query: `SELECT a.id AS object, '' AS account, 1 AS want, 0 AS got
			FROM award a LEFT JOIN case_file c ON c.id = a.event_id
			WHERE a.id > @lo AND a.id <= @hi AND +a.event_kind = '` + string(model.EventReportVerified) + `' AND a.pays_id IS NULL
				AND (c.id IS NULL OR c.earns <> 1)`},
	}},
	{Table: "attachment", Checks: []ledger.RangeCheck{
		{Name: "a picture in use belongs to a case", Query: `SELECT a.id AS object, '' AS account, 1 AS want, 0 AS got
			FROM attachment a LEFT JOIN case_attachment ca ON ca.attachment_id = a.id
			WHERE a.id > @lo AND a.id <= @hi AND (a.attached_at IS NULL) <> (ca.attachment_id IS NULL)`},
	}},
}

// AuditPhases are the phases of Audit, for who shows how far it is and resumes.
func (s *Service) AuditPhases() []ledger.AuditPhase { return auditPhases }

// Audit compares, by ranges of rows, cases with their history and with the
// points that they earned; it returns what differs (at most 100 differences).
// It only reads.
func (s *Service) Audit(ctx context.Context) ([]ledger.Difference, error) {
	result, err := s.ledger.AuditRows(ctx, auditPhases, ledger.AuditOptions{})
	return result.Differences, err
}
