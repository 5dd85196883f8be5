package volunteer

import (
	"context"

	"jiamenkou/model"
	"jiamenkou/service/ledger"
)

// counted are the countedStates, as SQL writes them.
const counted = "('" + string(model.RecordEffective) + "', '" + string(model.RecordPending) + "')"

// auditPhases compare the counters with what they count, and the records with
// the attendances and awards behind them. The + before a column keeps SQLite
// from preferring the index over that column, under which most of the table
// lies, to the range of ids; to MySQL it is nothing. CROSS JOIN keeps it from
// beginning with the table on the right; to MySQL it is a plain join.
var auditPhases = []ledger.AuditPhase{
	{Table: "activity_shift", Rows: 200, Checks: []ledger.RangeCheck{
		{Name: "volunteer: shift's places equal its sign-ups", Query: `SELECT c.shift_id AS object, '' AS account, COALESCE(g.n, 0) AS want, c.signed_up AS got
			FROM shift_count c LEFT JOIN (
				SELECT shift_id, COUNT(*) AS n FROM signup WHERE shift_id > @lo AND shift_id <= @hi AND active_slot = 1 GROUP BY shift_id
			) g ON g.shift_id = c.shift_id
			WHERE c.shift_id > @lo AND c.shift_id <= @hi AND c.signed_up <> COALESCE(g.n, 0)`},
		{Name: "volunteer: shift is within its capacity", Query: `SELECT shift_id AS object, '' AS account, capacity AS want, signed_up AS got
			FROM shift_count WHERE shift_id > @lo AND shift_id <= @hi AND signed_up > capacity`},
	}},
	{Table: "attendance", Checks: []ledger.RangeCheck{
		{Name: "volunteer: credited attendance has its record", Query: `SELECT a.id AS object, '' AS account, a.minutes AS want, COALESCE(r.minutes, 0) AS got
			FROM attendance a LEFT JOIN service_record r ON r.attendance_id = a.id
			WHERE a.id > @lo AND a.id <= @hi AND +a.status = '` + string(model.AttendanceConfirmed) + `' AND a.credit = '` + string(model.CreditFull) + `'
				AND (r.id IS NULL OR r.minutes <> a.minutes)`},
	}},
	{Table: "service_record", Checks: []ledger.RangeCheck{
		{Name: "volunteer: record's attendance is credited", Query: `SELECT r.id AS object, '' AS account, 1 AS want, 0 AS got
			FROM service_record r CROSS JOIN attendance a ON a.id = r.attendance_id
			WHERE r.id > @lo AND r.id <= @hi AND (a.status <> '` + string(model.AttendanceConfirmed) + `' OR a.credit <> '` + string(model.CreditFull) + `')`},
		// Who has no home region (any more) is under no policy.
		{Name: "volunteer: effective record has its award", Query: `SELECT r.id AS object, '' AS account, 1 AS want, 0 AS got
			FROM service_record r CROSS JOIN resident p ON p.id = r.resident_id
			LEFT JOIN award w ON w.event_kind = '` + string(model.EventVolunteerService) + `' AND w.event_id = r.attendance_id
			WHERE r.id > @lo AND r.id <= @hi AND +r.state = '` + string(model.RecordEffective) + `' AND r.earns_points = 1
				AND p.home_region_id IS NOT NULL AND w.id IS NULL`},
	}},
	{Table: "award", Checks: []ledger.RangeCheck{
		{Name: "volunteer: award has its effective record", Query: `SELECT w.id AS object, '' AS account, 1 AS want, 0 AS got
			FROM award w LEFT JOIN service_record r ON r.attendance_id = w.event_id AND r.state IN ('` + string(model.RecordEffective) + `', '` + string(model.RecordCorrected) + `')
				AND r.earns_points = 1 AND r.resident_id = w.resident_id AND r.minutes = w.minutes
			WHERE w.id > @lo AND w.id <= @hi AND +w.event_kind = '` + string(model.EventVolunteerService) + `' AND w.pays_id IS NULL AND r.id IS NULL`},
	}},
	{Table: "resident", Rows: 1_000, Checks: []ledger.RangeCheck{
		{Name: "volunteer: person's minutes equal the effective records", Query: `SELECT t.resident_id AS object, '' AS account, COALESCE(r.total, 0) AS want, t.effective_minutes AS got
			FROM volunteer_tally t LEFT JOIN (
				SELECT resident_id, SUM(minutes) AS total FROM service_record
				WHERE resident_id > @lo AND resident_id <= @hi AND +state = '` + string(model.RecordEffective) + `' GROUP BY resident_id
			) r ON r.resident_id = t.resident_id
			WHERE t.resident_id > @lo AND t.resident_id <= @hi AND t.effective_minutes <> COALESCE(r.total, 0)`},
		{Name: "volunteer: day's minutes equal its records", Query: `SELECT r.resident_id AS object, '' AS account, r.total AS want, COALESCE(d.minutes, 0) AS got
			FROM (
				SELECT resident_id, day, SUM(CASE WHEN state IN ` + counted + ` THEN minutes ELSE 0 END) AS total FROM service_record
				WHERE resident_id > @lo AND resident_id <= @hi GROUP BY resident_id, day
			) r LEFT JOIN service_day d ON d.resident_id = r.resident_id AND d.day = r.day
			WHERE COALESCE(d.minutes, 0) <> r.total`},
	}},
}

// AuditPhases are the phases of Audit, for who shows how far it is and resumes.
func (s *Service) AuditPhases() []ledger.AuditPhase { return auditPhases }

// Audit compares, by ranges of rows, the counters with what they count and the
// records with the attendances and awards behind them; it returns what differs
// (at most 100 differences). It only reads.
func (s *Service) Audit(ctx context.Context) ([]ledger.Difference, error) {
	result, err := s.ledger.AuditRows(ctx, auditPhases, ledger.AuditOptions{})
	return result.Differences, err
}
