package casework

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
)

// PointsStatus says how a report's points stand.
type PointsStatus string

// How a report's points stand. The last three are the policies' words.
const (
	PointsNone      PointsStatus = "none"    // nothing to earn: a dispute, or a report that was not verified
	PointsPending   PointsStatus = "pending" // until the report is verified
	PointsPosted    PointsStatus = "posted"
	PointsCapped    PointsStatus = "capped"
	PointsExhausted PointsStatus = "budget_exhausted"
	PointsNoRule    PointsStatus = "no_rule"
)

// Points are what a report earns its reporter.
type Points struct {
	Status PointsStatus
	Points int64 // posted
}

// pointsOf reads how the points of the cases stand, with one statement.
func (s *Service) pointsOf(db *gorm.DB, cases []placed) (map[string]Points, error) {
	out := make(map[string]Points, len(cases))
	var earned []string
	for _, c := range cases {
		switch {
		case c.Kind != model.CaseReport:
			out[c.ID] = Points{Status: PointsNone}
		case c.Earns == 1:
			earned = append(earned, c.ID)
			out[c.ID] = Points{Status: PointsNoRule} // unless there is an award
		case c.VerifiedAt != nil:
			out[c.ID] = Points{Status: PointsNoRule}
		case over(c.Status):
			out[c.ID] = Points{Status: PointsNone}
		default:
			out[c.ID] = Points{Status: PointsPending}
		}
	}
	if len(earned) == 0 {
		return out, nil
	}
	var awards []model.Award
	err := db.Where("event_kind = ? AND event_id IN ?", model.EventReportVerified, earned).Find(&awards).Error
	if err != nil {
		return nil, fmt.Errorf("casework: awards: %w", err)
	}
	for _, a := range awards {
		p := Points{Status: PointsStatus(a.Status)}
		if a.Status == model.AwardPosted {
			p.Points = a.Points
		}
		out[a.EventID] = p
	}
	return out, nil
}

// Summary is one case in a list.
type Summary struct {
	ID            string
	Number        string
	Kind          Kind
	Category      Category
	Title         string
	Text          string
	RegionID      string
	RegionName    string
	Address       string
	ContentStatus ContentStatus
	Status        Status
	Version       int64
	AssigneeID    string
	AssigneeName  string
	DueAt         *clock.Instant
	Overdue       bool
	ConfirmBy     *clock.Instant
	Rating        int64 // 0: none
	Points        Points
	Cover         *Picture // the first picture, nil without
	CreatedAt     clock.Instant
	UpdatedAt     clock.Instant
}

// Step is one row of a case's history.
type Step struct {
	Seq       int64
	Move      Move
	From      Status // "" for the first
	To        Status
	ActorKind authz.Kind
	ActorID   string // "" for the reporter's eyes
	ActorName string // of staff; "" for the reporter's eyes
	Reason    string // "" for the reporter's eyes
	Note      string
	Pictures  []Picture
	At        clock.Instant
}

// Detail is a case with its history.
type Detail struct {
	Summary
	Lon, Lat   *float64 // dropped after Config.KeepPosition
	ReporterID string
	Reporter   string // nickname
	Reopens    int64
	Steps      []Step
	NextMoves  []Move // what this actor can do now
}

// summaries completes cases with what lists show, with a constant number of
// statements.
func (s *Service) summaries(ctx context.Context, cases []placed) ([]Summary, error) {
	db := s.db.Read(ctx)
	points, err := s.pointsOf(db, cases)
	if err != nil {
		return nil, err
	}
	ids, regionIDs, staffIDs := make([]string, 0, len(cases)), make([]string, 0, len(cases)), make([]string, 0, len(cases))
	for _, c := range cases {
		ids, regionIDs = append(ids, c.ID), append(regionIDs, c.RegionID)
		if c.AssigneeID != nil {
			staffIDs = append(staffIDs, *c.AssigneeID)
		}
	}
	regions, err := names(db, "region", regionIDs)
	if err != nil {
		return nil, err
	}
	staff, err := names(db, "staff", staffIDs)
	if err != nil {
		return nil, err
	}
	covers, err := s.pictures(db, ids, "ca.seq = 1 AND ca.position = 0")
	if err != nil {
		return nil, err
	}
	now := s.now()
	out := make([]Summary, 0, len(cases))
	for _, c := range cases {
		sum := Summary{
			ID: c.ID, Number: c.Number, Kind: c.Kind, Category: c.Category, Title: c.Title, Text: c.Content, RegionID: c.RegionID,
			RegionName: regions[c.RegionID], Address: c.Address, ContentStatus: c.ContentStatus, Status: c.Status, Version: c.Version,
			AssigneeID: deref(c.AssigneeID), AssigneeName: staff[deref(c.AssigneeID)], DueAt: c.DueAt,
			Overdue: c.DueAt != nil && *c.DueAt < now, ConfirmBy: c.ConfirmBy, Rating: deref(c.Rating), Points: points[c.ID],
			CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt,
		}
		if list := covers[c.ID]; len(list) > 0 {
			sum.Cover = &list[0]
		}
		out = append(out, sum)
	}
	return out, nil
}

// names reads the names of regions or staff.
func names(db *gorm.DB, table string, ids []string) (map[string]string, error) {
	out := map[string]string{}
	if len(ids) == 0 {
		return out, nil
	}
	var rows []struct{ ID, Name string }
	slices.Sort(ids)
	if err := db.Table(table).Select("id, name").Where("id IN ?", slices.Compact(ids)).Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("casework: names of %s: %w", table, err)
	}
	for _, r := range rows {
		out[r.ID] = r.Name
	}
	return out, nil
}

// pictures reads the pictures of cases, in their order.
func (s *Service) pictures(db *gorm.DB, caseIDs []string, where string, args ...any) (map[string][]Picture, error) {
	out := map[string][]Picture{}
	if len(caseIDs) == 0 {
		return out, nil
	}
	var rows []struct {
		model.Attachment
		CaseID string
		Seq    int64
	}
	err := db.Raw(`SELECT a.*, ca.case_id, ca.seq FROM case_attachment ca JOIN attachment a ON a.id = ca.attachment_id
		WHERE ca.case_id IN ? AND `+where+` ORDER BY ca.case_id, ca.seq, ca.position`, append([]any{caseIDs}, args...)...).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("casework: pictures: %w", err)
	}
	for _, r := range rows {
		out[r.CaseID] = append(out[r.CaseID], s.pictureOf(r.Attachment, r.Seq))
	}
	return out, nil
}

// BoardOrder is how cases can be sorted: by when they were reported, or by when
// staff must act, what waits for nobody last.
var BoardOrder = paging.NewOrder("-created_at",
	paging.Text("created_at", "c.id", func(c placed) string { return c.ID }),
	paging.Number("due_at", "c.due_order", func(c placed) int64 { return paging.OrLast(c.DueAt) }),
)

// list runs a query for one page of cases.
func (s *Service) list(ctx context.Context, page paging.Request, query string, args ...any) (paging.Page[Summary], error) {
	seek, err := BoardOrder.Seek(page)
	if err != nil {
		return paging.Page[Summary]{}, err
	}
	var rows []placed
	err = s.db.Read(ctx).Raw(query+` AND `+seek.Where+` ORDER BY `+seek.By+` LIMIT ?`,
		append(append(args, seek.Args...), seek.Limit)...).Scan(&rows).Error
	if err != nil {
		return paging.Page[Summary]{}, fmt.Errorf("casework: list: %w", err)
	}
	p := seek.Page(rows)
	items, err := s.summaries(ctx, p.Items)
	return paging.Page[Summary]{Items: items, Next: p.Next}, err
}

// MyCases lists the resident's own cases, newest first; statuses narrow them.
func (s *Service) MyCases(ctx context.Context, actor authz.Actor, statuses []Status, page paging.Request) (paging.Page[Summary], error) {
	if err := actor.Resident(); err != nil {
		return paging.Page[Summary]{}, err
	}
	where, args := "c.reporter_id = ?", []any{actor.ID}
	if len(statuses) > 0 {
		where, args = where+" AND c.status IN ?", append(args, statuses)
	}
	p, err := s.list(ctx, page, selectPlaced+" WHERE "+where, args...)
	for i := range p.Items {
		forReporter(&p.Items[i])
	}
	return p, err
}

// forReporter leaves out who of the staff it was: to residents the village
// answers, not a person.
func forReporter(sum *Summary) { sum.AssigneeID, sum.AssigneeName = "", "" }

// BoardFilter narrows the staff board; zero fields do not.
type BoardFilter struct {
	Statuses      []Status
	RegionID      string // with everything below it
	Category      Category
	ContentStatus ContentStatus
	Overdue       bool
	Mine          bool   // the actor is in charge
	Text          string // in the number, the text or the address
}

// maxSearch is the longest search text, in characters.
const maxSearch = 50

// Board lists the cases in the actor's regions, newest first unless sorted by
// BoardOrder.
func (s *Service) Board(ctx context.Context, actor authz.Actor, filter BoardFilter, page paging.Request) (paging.Page[Summary], error) {
	where, args, err := s.scope(ctx, actor, filter.RegionID)
	if err != nil {
		return paging.Page[Summary]{}, err
	}
	and := func(condition string, values ...any) {
		where, args = where+" AND "+condition, append(args, values...)
	}
	if len(filter.Statuses) > 0 {
		and("c.status IN ?", filter.Statuses)
	}
	if filter.Category != "" {
		and("c.category = ?", filter.Category)
	}
	if filter.ContentStatus != "" {
		and("c.content_status = ?", filter.ContentStatus)
	}
	if filter.Overdue {
		and("c.due_at < ?", s.now())
	}
	if filter.Mine {
		and("c.assignee_id = ?", actor.ID)
	}
	if text := strings.TrimSpace(filter.Text); text != "" {
		if len([]rune(text)) > maxSearch {
			return paging.Page[Summary]{}, fault.Fields{{Path: "text", Reason: "最多 50 个字"}}.Err(codeInvalid)
		}
		like := "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(text) + "%"
		and("(c.number LIKE ? ESCAPE '!' OR c.content LIKE ? ESCAPE '!' OR c.address LIKE ? ESCAPE '!')", like, like, like)
	}
	if filter.RegionID == "" && actor.CountyWide(readers...) {
		return s.list(ctx, page, selectCase+database.InOrder(s.db.Read(ctx))+atRegion+" WHERE "+where, args...)
	}
	return s.list(ctx, page, selectPlaced+" WHERE "+where, args...)
}

// scope is the condition that keeps to the actor's regions, and to regionID's
// subtree if it is given. A region out of the actor's reach holds nothing.
func (s *Service) scope(ctx context.Context, actor authz.Actor, regionID string) (string, []any, error) {
	var (
		where []string
		args  []any
	)
	for _, path := range actor.RegionPaths(readers...) {
		from, to := model.RegionPathRange(path)
		where, args = append(where, "(r.path >= ? AND r.path < ?)"), append(args, from, to)
	}
	if len(where) == 0 {
		return "", nil, authz.ErrForbidden
	}
	condition := "(" + strings.Join(where, " OR ") + ")"
	if regionID == "" {
		return condition, args, nil
	}
	var paths []string
	if err := s.db.Read(ctx).Raw(`SELECT path FROM region WHERE id = ?`, regionID).Scan(&paths).Error; err != nil {
		return "", nil, fmt.Errorf("casework: region: %w", err)
	}
	if len(paths) == 0 {
		return "1 = 0", nil, nil
	}
	from, to := model.RegionPathRange(paths[0])
	return condition + " AND r.path >= ? AND r.path < ?", append(args, from, to), nil
}

// StatusCount is how many cases of the actor's regions are in a state.
type StatusCount struct {
	Status  Status
	Cases   int64
	Overdue int64
}

// Counts counts the cases in the actor's regions by state, every state once.
func (s *Service) Counts(ctx context.Context, actor authz.Actor, regionID string) ([]StatusCount, error) {
	where, args, err := s.scope(ctx, actor, regionID)
	if err != nil {
		return nil, err
	}
	var rows []StatusCount
	err = s.db.Read(ctx).Raw(`SELECT c.status, COUNT(*) AS cases, SUM(CASE WHEN c.due_at < ? THEN 1 ELSE 0 END) AS overdue
		FROM case_file c JOIN region r ON r.id = c.region_id WHERE `+where+` GROUP BY c.status`, append([]any{s.now()}, args...)...).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("casework: counts: %w", err)
	}
	out := make([]StatusCount, 0, len(model.CaseStatuses()))
	for _, status := range model.CaseStatuses() {
		i := slices.IndexFunc(rows, func(r StatusCount) bool { return r.Status == status })
		if i < 0 {
			out = append(out, StatusCount{Status: status})
			continue
		}
		out = append(out, rows[i])
	}
	return out, nil
}

// Case returns a case with its history, as the actor may see it: the reporter
// sees notes but not who wrote them, and pictures of the feedback once they
// passed.
func (s *Service) Case(ctx context.Context, actor authz.Actor, caseID string) (Detail, error) {
	c, err := s.load(ctx, actor, caseID)
	if err != nil {
		return Detail{}, err
	}
	sums, err := s.summaries(ctx, []placed{c})
	if err != nil {
		return Detail{}, err
	}
	steps, err := s.steps(ctx, c.ID)
	if err != nil {
		return Detail{}, err
	}
	d := Detail{
		Summary: sums[0], Lon: c.Lon, Lat: c.Lat, ReporterID: c.ReporterID, Reopens: c.Reopens,
		Steps: steps, NextMoves: s.nextMoves(actor, &c),
	}
	if actor.Kind == authz.KindResident {
		forReporter(&d.Summary)
		for i := range d.Steps {
			d.Steps[i].forReporter()
		}
		return d, nil
	}
	err = s.db.Read(ctx).Raw(`SELECT nickname FROM resident WHERE id = ?`, c.ReporterID).Scan(&d.Reporter).Error
	if err != nil {
		return Detail{}, fmt.Errorf("casework: reporter: %w", err)
	}
	return d, nil
}

func (st *Step) forReporter() {
	st.ActorID, st.ActorName, st.Reason = "", "", ""
	if st.ActorKind == authz.KindResident {
		return
	}
	st.Pictures = slices.DeleteFunc(st.Pictures, func(p Picture) bool { return p.Status != model.ContentPassed })
}

func (s *Service) steps(ctx context.Context, caseID string) ([]Step, error) {
	db := s.db.Read(ctx)
	var rows []model.CaseHistory
	// A case has no more moves than its reopenings and dispatches: far fewer.
	if err := db.Where("case_id = ?", caseID).Order("seq").Limit(1000).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("casework: history: %w", err)
	}
	pictures, err := s.pictures(db, []string{caseID}, "1 = 1")
	if err != nil {
		return nil, err
	}
	var staffIDs []string
	for _, h := range rows {
		if h.ActorKind == string(authz.KindStaff) {
			staffIDs = append(staffIDs, h.ActorID)
		}
	}
	staff, err := names(db, "staff", staffIDs)
	if err != nil {
		return nil, err
	}
	out := make([]Step, 0, len(rows))
	for _, h := range rows {
		st := Step{
			Seq: h.Seq, Move: h.Move, From: deref(h.FromStatus), To: h.ToStatus, ActorKind: authz.Kind(h.ActorKind), ActorID: h.ActorID,
			ActorName: staff[h.ActorID], Reason: h.Reason, Note: h.Note, Pictures: []Picture{}, At: h.CreatedAt,
		}
		for _, p := range pictures[caseID] {
			if p.Seq == h.Seq {
				st.Pictures = append(st.Pictures, p)
			}
		}
		out = append(out, st)
	}
	return out, nil
}
