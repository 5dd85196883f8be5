package casework

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/queue"
	"jiamenkou/model"
	"jiamenkou/service/policy"
)

// who makes a move.
type who uint8

const (
	byReporter who = 1 << iota
	byHandler      // a grid worker or operator over the region
	byOperator     // an operator over the region
	bySystem
)

// rule is one row of the table of allowed moves.
type rule struct {
	move model.CaseMove
	from []model.CaseStatus
	to   model.CaseStatus
	by   who
}

// rules is the table of allowed moves: what is not in it is ErrMove.
// docs/states/casework.md draws it.
var rules = []rule{
	{model.MovePassContent, []model.CaseStatus{model.CaseSubmitted}, model.CaseSubmitted, byHandler | bySystem},
	{model.MoveRejectContent, []model.CaseStatus{model.CaseSubmitted}, model.CaseRejected, byHandler | bySystem},
	{model.MoveAccept, []model.CaseStatus{model.CaseSubmitted}, model.CaseAccepted, byHandler},
	{model.MoveReject, []model.CaseStatus{model.CaseSubmitted, model.CaseAccepted}, model.CaseRejected, byHandler},
	{
		model.MoveDispatch,
		[]model.CaseStatus{model.CaseAccepted, model.CaseDispatched, model.CaseHandling, model.CaseReopened},
		model.CaseDispatched, byHandler,
	},
	{model.MoveStart, []model.CaseStatus{model.CaseAccepted, model.CaseDispatched, model.CaseReopened}, model.CaseHandling, byHandler},
	{model.MoveFinish, []model.CaseStatus{model.CaseHandling}, model.CaseHandled, byHandler},
	{model.MoveConfirm, []model.CaseStatus{model.CaseHandled}, model.CaseConfirmed, byReporter},
	{model.MoveAutoConfirm, []model.CaseStatus{model.CaseHandled}, model.CaseConfirmed, bySystem},
	{model.MoveReopen, []model.CaseStatus{model.CaseHandled}, model.CaseReopened, byReporter},
	{model.MoveClose, []model.CaseStatus{model.CaseConfirmed}, model.CaseClosed, byHandler},
	{model.MoveGiveUp, []model.CaseStatus{model.CaseReopened}, model.CaseClosed, byOperator},
	{model.MoveWithdraw, []model.CaseStatus{model.CaseSubmitted}, model.CaseWithdrawn, byReporter},
}

func ruleOf(move model.CaseMove) rule {
	for _, r := range rules {
		if r.move == move {
			return r
		}
	}
	panic("casework: move without a rule: " + string(move))
}

// verifies reports whether the move makes a report a verified one. Giving up
// does: the report was true and worked on, and to agree that a problem is
// solved must not pay better than to say that it is not.
func verifies(move model.CaseMove) bool {
	return move == model.MoveConfirm || move == model.MoveAutoConfirm || move == model.MoveGiveUp
}

// permits reports whether the actor is one who makes this move on this case.
func (r rule) permits(actor authz.Actor, c *placed) bool {
	switch actor.Kind {
	case authz.KindSystem:
		return r.by&bySystem != 0
	case authz.KindResident:
		return r.by&byReporter != 0 && c.ReporterID == actor.ID
	case authz.KindStaff:
		return r.by&byHandler != 0 && actor.InRegion(c.RegionPath, handlers...) == nil ||
			r.by&byOperator != 0 && actor.InRegion(c.RegionPath, authz.RoleOperator) == nil
	default:
		return false
	}
}

// check asks the table, and the conditions that a status alone cannot say.
func (s *Service) check(r rule, c *placed) error {
	if !slices.Contains(r.from, c.Status) {
		return ErrMove
	}
	decides := r.move == model.MovePassContent || r.move == model.MoveRejectContent
	switch pending := c.ContentStatus == model.ContentPending; {
	case decides && !pending:
		return ErrContentDecided
	case r.move == model.MoveAccept && pending:
		return ErrContentPending
	case r.move == model.MoveReopen && c.Reopens >= s.cfg.MaxReopens:
		return ErrReopenLimit
	}
	return nil
}

// nextMoves lists what the actor can do with the case now.
func (s *Service) nextMoves(actor authz.Actor, c *placed) []Move {
	moves := []Move{}
	for _, r := range rules {
		if r.permits(actor, c) && s.check(r, c) == nil {
			moves = append(moves, r.move)
		}
	}
	return moves
}

// step is one move that somebody asks for.
type step struct {
	move     model.CaseMove
	actor    authz.Actor
	caseID   string
	version  int64 // that the actor saw; 0: whichever it is
	reason   string
	note     string
	pictures []string
	staffID  string // dispatch
	rating   *int64 // confirm
	key      string // idempotency key, "" without
}

// hash identifies what was asked, for replays under the same key.
func (st *step) hash() string {
	return hashOf(st.move, st.reason, st.note, st.pictures, st.staffID, st.rating)
}

func hashOf(parts ...any) string {
	raw, err := json.Marshal(parts)
	if err != nil {
		panic(err) // strings and numbers
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// Moved is the outcome of a move; a replay returns the first one.
type Moved struct {
	CaseID  string
	Move    Move
	Status  Status
	Version int64
	At      clock.Instant
	Points  Points
}

// neededNotes are the moves that the other side must be told about in words.
var neededNotes = map[model.CaseMove]string{
	model.MoveReject: tellReporter, model.MoveRejectContent: tellReporter, model.MoveGiveUp: tellReporter,
	model.MoveFinish: tellReporter, model.MoveReopen: "请写明哪里没有解决",
}

const tellReporter = "请写一句话告诉居民"

func (st *step) validate(maxPictures int) error {
	var f fault.Fields
	model.ValidateCaseText(&f, "reason", st.reason, 0, model.CaseMaxNote, "最多 500 个字，前后不要有空格")
	model.ValidateCaseText(&f, "note", st.note, 0, model.CaseMaxNote, "最多 500 个字，前后不要有空格")
	if reason, needed := neededNotes[st.move]; needed {
		f.Add(st.note != "", "note", reason)
	}
	f.Add(st.rating == nil || (*st.rating >= 1 && *st.rating <= 5), "rating", "应为 1 到 5 分")
	checkPictures(&f, st.pictures, maxPictures)
	return f.Err(codeInvalid)
}

func checkPictures(f *fault.Fields, ids []string, most int) {
	sorted := slices.Sorted(slices.Values(ids))
	f.Add(len(ids) <= most && len(slices.Compact(sorted)) == len(ids), "attachment_ids", fmt.Sprintf("最多 %d 张图片，不能重复", most))
}

// make makes one move in one transaction.
func (s *Service) make(ctx context.Context, st step) (Moved, error) {
	st.reason, st.note = strings.TrimSpace(st.reason), strings.TrimSpace(st.note)
	if err := st.validate(s.cfg.MaxPictures); err != nil {
		return Moved{}, err
	}
	var out Moved
	err := database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		out = Moved{}
		c, err := lockCase(tx, st.caseID)
		if err != nil {
			return err
		}
		if err := visible(st.actor, &c); err != nil {
			return err
		}
		r := ruleOf(st.move)
		if !r.permits(st.actor, &c) {
			return authz.ErrForbidden
		}
		if first, err := s.replay(tx, &st, &c); first != nil || err != nil {
			if first != nil {
				out = *first
			}
			return err
		}
		if st.version != 0 && st.version != c.Version {
			return ErrChanged
		}
		if err := s.check(r, &c); err != nil {
			return err
		}
		if err := s.advanceTx(ctx, tx, []*placed{&c}, r, &st); err != nil {
			return err
		}
		points, err := s.pointsOf(tx, []placed{c})
		if err != nil {
			return err
		}
		out = Moved{CaseID: c.ID, Move: st.move, Status: c.Status, Version: c.Version, At: c.UpdatedAt, Points: points[c.ID]}
		return nil
	})
	if err != nil {
		return Moved{}, err
	}
	return out, nil
}

// replay returns the first answer to the step's key, nil if it is new. The
// case is locked, so that a parallel replay has been answered by now.
func (s *Service) replay(tx *gorm.DB, st *step, c *placed) (*Moved, error) {
	if st.key == "" {
		return nil, nil //nolint:nilnil // no key, nothing to look for
	}
	var rows []model.CaseHistory
	err := tx.Where("case_id = ? AND idempotency_key = ?", c.ID, st.key).Limit(1).Find(&rows).Error
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	h := rows[0]
	if h.InputHash != st.hash() || h.ActorID != st.actor.ID {
		return nil, ErrKeyReused
	}
	then := *c
	then.Status = h.ToStatus
	if !verifies(h.Move) {
		then.VerifiedAt, then.Earns = nil, 0
	}
	points, err := s.pointsOf(tx, []placed{then})
	if err != nil {
		return nil, err
	}
	return &Moved{CaseID: c.ID, Move: h.Move, Status: h.ToStatus, Version: h.Seq, At: h.CreatedAt, Points: points[c.ID]}, nil
}

// advanceTx makes one move on cases that the caller has locked, in id order,
// and checked: one update, one insert of history rows, and the points last.
// It brings the structs up to date.
func (s *Service) advanceTx(ctx context.Context, tx *gorm.DB, cases []*placed, r rule, st *step) error {
	now := s.now()
	earning, err := s.earningTx(tx, cases, r.move)
	if err != nil {
		return err
	}
	history := make([]model.CaseHistory, 0, len(cases))
	ids := make([]string, 0, len(cases))
	for _, c := range cases {
		from := c.Status
		c.Status, c.Version, c.UpdatedAt = r.to, c.Version+1, now
		s.stamp(c, r.move, st, now)
		if verifies(r.move) {
			c.VerifiedAt = now.Ptr()
			if earning[c.ID] {
				c.Earns = 1
			}
		}
		h := model.CaseHistory{
			ID: s.clock.NewID(), CaseID: c.ID, Seq: c.Version, Move: r.move, FromStatus: &from, ToStatus: r.to,
			ActorKind: string(st.actor.Kind), ActorID: st.actor.ID, Reason: st.reason, Note: st.note, CreatedAt: now,
		}
		if st.key != "" {
			h.IdempotencyKey, h.InputHash = &st.key, st.hash()
		}
		history = append(history, h)
		ids = append(ids, c.ID)
	}
	if err := s.updateTx(tx, cases, ids, earning); err != nil {
		return err
	}
	if err := tx.Create(&history).Error; err != nil {
		return fmt.Errorf("casework: history: %w", err)
	}
	if err := s.assignTx(tx, cases, r.move, st, now); err != nil {
		return err
	}
	if len(st.pictures) > 0 {
		if err := s.attachTx(tx, st.actor, cases[0].ID, cases[0].Version, st.pictures, now); err != nil {
			return err
		}
	}
	if err := s.tellTx(ctx, tx, cases, history); err != nil {
		return err
	}
	return s.awardTx(ctx, tx, cases, earning, st.actor)
}

// told are the moves that the reporter hears of: what he waits for, and what
// asks something of him.
var told = []model.CaseMove{model.MoveAccept, model.MoveReject, model.MoveRejectContent, model.MoveFinish}

// tellTx leaves a job for each reporter who must hear of the move. history has
// one row for each case, in the same order.
func (s *Service) tellTx(ctx context.Context, tx *gorm.DB, cases []*placed, history []model.CaseHistory) error {
	var jobs []queue.Job
	for i, h := range history {
		if slices.Contains(told, h.Move) {
			jobs = append(jobs, queue.Job{
				Kind: JobNotify, UniqueKey: NoticeCaseMoved + ":" + h.ID,
				Payload: Notice{Topic: NoticeCaseMoved, ObjectID: h.ID, ResidentIDs: []string{cases[i].ReporterID}},
			})
		}
	}
	return queue.EnqueueTx(ctx, tx, s.clock, jobs...)
}

// stamp sets the fields that follow from a move.
func (s *Service) stamp(c *placed, move model.CaseMove, st *step, now clock.Instant) {
	c.ConfirmBy = nil
	switch move {
	case model.MovePassContent:
		c.ContentStatus = model.ContentPassed
	case model.MoveRejectContent:
		c.ContentStatus = model.ContentRejected
	case model.MoveDispatch:
		c.AssigneeID = &st.staffID
	case model.MoveStart:
		if c.AssigneeID == nil { // who begins unasked is in charge
			c.AssigneeID = &st.actor.ID
			st.staffID = st.actor.ID
		}
	case model.MoveFinish:
		c.HandledAt, c.ConfirmBy = now.Ptr(), now.Add(s.cfg.AutoConfirmAfter).Ptr()
	case model.MoveReopen:
		c.Reopens++
		c.DueAt = now.Add(s.cfg.DueIn).Ptr()
	case model.MoveConfirm:
		c.Rating = st.rating
	default: // the status alone
	}
	if c.Status == model.CaseHandled || over(c.Status) {
		c.DueAt = nil
	}
}

// over reports whether staff have nothing more to do by a date.
func over(status model.CaseStatus) bool {
	switch status {
	case model.CaseConfirmed, model.CaseClosed, model.CaseRejected, model.CaseWithdrawn:
		return true
	default:
		return false
	}
}

// updateTx writes the cases back with one statement. All were moved alike:
// what differs between them (who earns) is told by their ids.
func (s *Service) updateTx(tx *gorm.DB, cases []*placed, ids []string, earning map[string]bool) error {
	c := cases[0]
	earners := []string{""}
	for _, id := range ids {
		if earning[id] {
			earners = append(earners, id)
		}
	}
	set := `status = ?, version = version + 1, due_at = ?, confirm_by = ?, updated_at = ?,
		verified_at = COALESCE(verified_at, ?), earns = CASE WHEN id IN ? THEN 1 ELSE earns END`
	args := []any{c.Status, c.DueAt, c.ConfirmBy, c.UpdatedAt, c.VerifiedAt, earners}
	if len(cases) == 1 {
		set += `, content_status = ?, assignee_id = ?, handled_at = ?, reopens = ?, rating = ?`
		args = append(args, c.ContentStatus, c.AssigneeID, c.HandledAt, c.Reopens, c.Rating)
	}
	res := tx.Exec(`UPDATE case_file SET `+set+` WHERE id IN ?`, append(args, ids)...)
	if err := database.RequireRows(res, int64(len(ids))); err != nil {
		return fmt.Errorf("casework: move: %w", err)
	}
	return nil
}

// assignTx keeps case_assignment: a new person ends the one before, and the
// end of the case ends the last.
func (s *Service) assignTx(tx *gorm.DB, cases []*placed, move model.CaseMove, st *step, now clock.Instant) error {
	assigns := move == model.MoveDispatch || (move == model.MoveStart && st.staffID != "")
	if !assigns && !over(cases[0].Status) {
		return nil
	}
	ids := make([]string, 0, len(cases))
	for _, c := range cases {
		ids = append(ids, c.ID)
	}
	err := tx.Exec(`UPDATE case_assignment SET ended_at = ? WHERE case_id IN ? AND ended_at IS NULL`, now, ids).Error
	if err != nil || !assigns {
		return err
	}
	return tx.Create(&model.CaseAssignment{
		ID: s.clock.NewID(), CaseID: cases[0].ID, Seq: cases[0].Version, StaffID: st.staffID, AssignedBy: st.actor.ID, CreatedAt: now,
	}).Error
}

// earningTx says which of the cases will earn points by a move that verifies:
// reports of residents who have a home region, under whose rules they earn.
func (s *Service) earningTx(tx *gorm.DB, cases []*placed, move model.CaseMove) (map[string]bool, error) {
	if !verifies(move) {
		return nil, nil //nolint:nilnil // nobody earns by it
	}
	residents := make([]string, 0, len(cases))
	for _, c := range cases {
		residents = append(residents, c.ReporterID)
	}
	var settled []string
	err := tx.Raw(`SELECT id FROM resident WHERE id IN ? AND home_region_id IS NOT NULL`, residents).Scan(&settled).Error
	if err != nil {
		return nil, err
	}
	earning := map[string]bool{}
	for _, c := range cases {
		earning[c.ID] = c.Kind == model.CaseReport && slices.Contains(settled, c.ReporterID)
	}
	return earning, nil
}

// awardTx asks the policies for the points of what was just verified.
func (s *Service) awardTx(ctx context.Context, tx *gorm.DB, cases []*placed, earning map[string]bool, actor authz.Actor) error {
	var events []policy.Event
	for _, c := range cases {
		if !earning[c.ID] {
			continue
		}
		evidence, err := json.Marshal(struct {
			Number string `json:"case_number"`
		}{c.Number})
		if err != nil {
			return fmt.Errorf("casework: evidence: %w", err)
		}
		events = append(events, policy.Event{
			Kind: model.EventReportVerified, ID: c.ID, ResidentID: c.ReporterID, ObjectID: c.ID,
			Evidence: string(evidence), ActorID: actor.ID, OccurredAt: *c.VerifiedAt,
		})
	}
	if len(events) == 0 {
		return nil
	}
	_, err := s.policy.AwardTx(ctx, tx, events)
	return err
}
