package assurance

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
)

// FourEyesKind is a sort of decision that takes two persons.
type FourEyesKind string

// The kinds.
const (
	Adjusting    FourEyesKind = "adjustment"    // points by hand
	ManualRecord FourEyesKind = "manual_record" // service hours added by hand (补录)
	LongDay      FourEyesKind = "long_day"      // more than 8 hours of service in a day
	Correcting   FourEyesKind = "correction"    // a service record that is wrong
	Objecting    FourEyesKind = "objection"     // a resident to an entry, answered by staff
	Disputing    FourEyesKind = "dispute"       // a merchant to a statement, settled by an operator
)

// FourEyesStatus is where such a decision stands, whatever its kind.
type FourEyesStatus string

// The statuses.
const (
	FourEyesWaiting  FourEyesStatus = "waiting"
	FourEyesApproved FourEyesStatus = "approved" // also: answered, settled
	FourEyesRejected FourEyesStatus = "rejected"
	FourEyesLapsed   FourEyesStatus = "lapsed" // nobody decided in time, or it was taken back
)

// FourEyes is one proposal and what the second person made of it.
type FourEyes struct {
	ID           string // of the proposal; ids are in the order of time
	Kind         FourEyesKind
	ObjectID     string // of the adjustment, record, objection or statement
	Title        string // of the activity, merchant …, "" if there is none
	Detail       string // the adjustment's kind, the record's or statement's day
	Amount       int64  // points of an adjustment or statement, minutes of a record
	RegionID     string
	RegionName   string
	ProposerKind authz.Kind
	ProposerID   string
	ProposerName string // staff only
	ProposedAt   clock.Instant
	ReasonCode   string // of an adjustment
	Reason       string
	Status       FourEyesStatus
	DeciderID    string
	DeciderName  string
	DecidedAt    *clock.Instant
	DecisionNote string
}

// FourEyesFilter narrows the log; zero fields do not.
type FourEyesFilter struct {
	Kind     FourEyesKind
	Status   FourEyesStatus
	RegionID string        // with everything below it
	Staff    string        // who proposed or decided: name or login name, in full
	From     clock.Instant // of the proposal, inclusive
	To       clock.Instant // exclusive
}

// fourEyesSource says where the decisions of one kind are. Every column is SQL
// over from, in which r is the region and p the staff who proposed; {join} is how
// the tables follow the one of the decisions.
type fourEyesSource struct {
	kind                                              FourEyesKind
	from                                              string
	id, object, title, detail, amount                 string
	proposer, proposerKind, at, code, reason          string
	status, decider, decidedAt, decisionNote, onlyFor string
}

const recordFrom = `service_record x {join} region r ON r.id = x.region_id
	LEFT JOIN volunteer_history h ON h.object_id = x.id AND h.from_status = 'pending_approval'`

// fourEyesSources is the whole list: a new kind of decision by two persons gets
// a line here.
var fourEyesSources = []fourEyesSource{
	{
		kind: Adjusting, from: "adjustment x {join} region r ON r.id = x.region_id", onlyFor: "1 = 1",
		id: "x.id", object: "x.id", title: "''", detail: "x.kind", amount: "x.amount",
		proposer: "x.proposed_by", proposerKind: "'staff'", at: "x.created_at", code: "x.reason_code", reason: "x.reason_text",
		status:  "CASE x.status WHEN 'proposed' THEN 'waiting' WHEN 'expired' THEN 'lapsed' ELSE x.status END",
		decider: "x.decided_by", decidedAt: "x.decided_at", decisionNote: "x.decision_reason",
	},
	recordSource(ManualRecord, "second_person"),
	recordSource(LongDay, "long_day"),
	{
		kind: Correcting, from: "service_correction x {join} region r ON r.id = x.region_id {join} service_record s ON s.id = x.record_id", onlyFor: "1 = 1",
		id: "x.id", object: "x.id", title: "s.activity_title", detail: "s.day", amount: "COALESCE(x.minutes, 0)",
		proposer: "COALESCE(x.proposed_by, x.resident_id)", proposerKind: "CASE WHEN x.proposed_by IS NULL THEN 'resident' ELSE 'staff' END",
		at: "x.created_at", code: "''", reason: "CASE WHEN x.reason <> '' THEN x.reason ELSE x.asked_text END",
		status:  "CASE x.state WHEN 'approved' THEN 'approved' WHEN 'withdrawn' THEN 'lapsed' WHEN 'rejected' THEN 'rejected' WHEN 'declined' THEN 'rejected' ELSE 'waiting' END",
		decider: "x.decided_by", decidedAt: "x.decided_at", decisionNote: "x.decision_reason",
	},
	{
		kind: Objecting, from: "objection x {join} region r ON r.id = x.region_id", onlyFor: "1 = 1",
		id: "x.id", object: "x.id", title: "''", detail: "''", amount: "0",
		proposer: "x.resident_id", proposerKind: "'resident'", at: "x.created_at", code: "''", reason: "x.text",
		status:  "CASE WHEN x.answered_at IS NOT NULL THEN 'approved' WHEN x.status = 'open' THEN 'waiting' ELSE 'lapsed' END",
		decider: "x.answered_by", decidedAt: "x.answered_at", decisionNote: "x.answer",
	},
	{
		kind: Disputing, onlyFor: "x.to_status = 'disputed'",
		from: `statement_history x {join} settlement_statement s ON s.id = x.statement_id {join} settlement_period d ON d.id = s.period_id
			{join} merchant m ON m.id = s.merchant_id {join} region r ON r.id = m.region_id
			LEFT JOIN statement_history h ON h.statement_id = x.statement_id AND h.from_status = 'disputed'`,
		id: "x.id", object: "x.statement_id", title: "m.name", detail: "d.day", amount: "s.points",
		proposer: "x.actor_id", proposerKind: "x.actor_kind", at: "x.created_at", code: "''", reason: "x.reason",
		status:  "CASE WHEN h.id IS NULL THEN 'waiting' ELSE 'approved' END",
		decider: "h.actor_id", decidedAt: "h.created_at", decisionNote: "h.reason",
	},
}

func recordSource(kind FourEyesKind, approval string) fourEyesSource {
	return fourEyesSource{
		kind: kind, from: recordFrom, onlyFor: "x.approval = '" + approval + "' AND x.kind <> 'correction'",
		id: "x.id", object: "x.id", title: "x.activity_title", detail: "x.day", amount: "x.minutes",
		proposer: "x.recorder_id", proposerKind: "'staff'", at: "x.created_at", code: "''", reason: "x.reason",
		status:  "CASE x.state WHEN 'pending_approval' THEN 'waiting' WHEN 'rejected' THEN 'rejected' ELSE 'approved' END",
		decider: "x.decided_by", decidedAt: "x.decided_at", decisionNote: "h.reason",
	}
}

// FourEyesOrder is how the log can be sorted: by the ids, which every source has.
var FourEyesOrder = paging.NewOrder("-proposed_at", paging.Text("proposed_at", "x.id", func(d FourEyes) string { return d.ID }))

// FourEyesLog lists what two persons decided together in the actor's regions,
// newest first unless sorted by FourEyesOrder. For auditors and operators.
func (s *Service) FourEyesLog(ctx context.Context, actor authz.Actor, f FourEyesFilter, page paging.Request) (paging.Page[FourEyes], error) {
	var none paging.Page[FourEyes]
	seek, err := FourEyesOrder.Seek(page)
	if err != nil {
		return none, err
	}
	where, args, err := s.fourEyesScope(ctx, actor, f.RegionID)
	if err != nil {
		return none, err
	}
	join := "JOIN"
	if actor.CountyWide(readers...) && f.RegionID == "" {
		join = database.InOrder(s.DB.Read(ctx))
	}
	var rows []FourEyes
	for _, source := range fourEyesSources {
		if f.Kind != "" && f.Kind != source.kind {
			continue
		}
		query, all := source.query(f, seek, where, args)
		query = strings.ReplaceAll(query, "{join}", join)
		var part []FourEyes
		if err := s.DB.Read(ctx).Raw(query, append(all, seek.Limit)...).Scan(&part).Error; err != nil {
			return none, fmt.Errorf("assurance: four eyes: %s: %w", source.kind, err)
		}
		rows = append(rows, part...)
	}
	// Each source gave its first: the first of all are among them.
	slices.SortFunc(rows, seek.Compare)
	return seek.Page(rows[:min(len(rows), seek.Limit)]), nil
}

// fourEyesScope keeps to the actor's regions, and to the one that is asked for.
func (s *Service) fourEyesScope(ctx context.Context, actor authz.Actor, regionID string) (where string, args []any, err error) {
	paths := actor.RegionPaths(readers...)
	if len(paths) == 0 {
		return "", nil, authz.ErrForbidden
	}
	parts := make([]string, len(paths))
	for i, path := range paths {
		from, to := model.RegionPathRange(path)
		parts[i], args = "(r.path >= ? AND r.path < ?)", append(args, from, to)
	}
	where = "(" + strings.Join(parts, " OR ") + ")"
	if regionID == "" {
		return where, args, nil
	}
	var path string
	if err := s.DB.Read(ctx).Raw("SELECT path FROM region WHERE id = ?", regionID).Scan(&path).Error; err != nil {
		return "", nil, fmt.Errorf("assurance: region: %w", err)
	}
	if path == "" {
		return where + " AND 1 = 0", args, nil
	}
	from, to := model.RegionPathRange(path)
	return where + " AND r.path >= ? AND r.path < ?", append(args, from, to), nil
}

func (x fourEyesSource) query(f FourEyesFilter, seek paging.Seek[FourEyes], where string, args []any) (query string, all []any) {
	all = slices.Clone(args)
	and := func(condition string, values ...any) {
		where, all = where+" AND "+condition, append(all, values...)
	}
	if f.Status != "" {
		and(x.status+" = ?", f.Status)
	}
	if f.Staff != "" {
		and("(p.name = ? OR p.username = ? OR q.name = ? OR q.username = ?)", f.Staff, f.Staff, f.Staff, f.Staff)
	}
	// The ids let the primary key find the days.
	if f.From != 0 {
		and(x.id+" >= ? AND "+x.at+" >= ?", clock.IDAt(f.From.Add(-clock.IDSlack)), f.From)
	}
	if f.To != 0 {
		and(x.id+" < ? AND "+x.at+" < ?", clock.IDAt(f.To.Add(clock.IDSlack)), f.To)
	}
	and(seek.Where, seek.Args...)
	return `SELECT ` + x.id + ` AS id, '` + string(x.kind) + `' AS kind, ` + x.object + ` AS object_id, ` + x.title + ` AS title, ` +
		x.detail + ` AS detail, ` + x.amount + ` AS amount, r.id AS region_id, r.name AS region_name, ` +
		x.proposerKind + ` AS proposer_kind, ` + x.proposer + ` AS proposer_id, COALESCE(p.name, '') AS proposer_name, ` +
		x.at + ` AS proposed_at, ` + x.code + ` AS reason_code, ` + x.reason + ` AS reason, ` + x.status + ` AS status,
		COALESCE(` + x.decider + `, '') AS decider_id, COALESCE(q.name, '') AS decider_name, ` + x.decidedAt + ` AS decided_at,
		COALESCE(` + x.decisionNote + `, '') AS decision_note
		FROM ` + x.from + ` LEFT JOIN staff p ON p.id = ` + x.proposer + ` LEFT JOIN staff q ON q.id = ` + x.decider + `
		WHERE ` + x.onlyFor + ` AND ` + where + ` ORDER BY ` + seek.By + ` LIMIT ?`, all
}
