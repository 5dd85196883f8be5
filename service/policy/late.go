package policy

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
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
	"jiamenkou/service/identity"
	"jiamenkou/service/ledger"
)

// MaxPaid is the most awards that one call of PayExhausted takes.
const MaxPaid = 200

// States of an exhausted award, for filters.
const (
	ExhaustedDue  = "due"  // waits to be paid
	ExhaustedPaid = "paid" // answered by a later row
)

// ExhaustedFilter narrows a list of exhausted awards; zero fields do not.
type ExhaustedFilter struct {
	State      string // ExhaustedDue or ExhaustedPaid
	RegionID   string // and everything below it
	BudgetID   string // of the rule
	EventKind  model.EventKind
	ResidentID string
	From, To   clock.Day // both included
}

// ExhaustedAward is an award that its budget could not pay.
type ExhaustedAward struct {
	model.Award
	BudgetID   string
	BudgetName string
	LateID     string // the row that answers it, "" while it waits
	LateStatus model.AwardStatus
}

// ExhaustedOrder is how these awards can be sorted.
var ExhaustedOrder = paging.NewOrder("-created_at", paging.Text("created_at", "x.id", func(a ExhaustedAward) string { return a.ID }))

// Exhausted lists awards that budgets could not pay in the actor's regions,
// newest first unless sorted by ExhaustedOrder.
func (s *Service) Exhausted(ctx context.Context, actor authz.Actor, f ExhaustedFilter, page paging.Request) (paging.Page[ExhaustedAward], error) {
	seek, err := ExhaustedOrder.Seek(page)
	if err != nil {
		return paging.Page[ExhaustedAward]{}, err
	}
	q := s.scoped(ctx, actor, "award").Where(seek.Where, seek.Args...).Order(seek.By).Limit(seek.Limit).
		Joins("JOIN policy_rule p ON p.id = x.rule_id").Joins("JOIN budget b ON b.id = p.budget_id").
		Joins("LEFT JOIN award late ON late.pays_id = x.id").
		Select("x.*, p.budget_id, b.name AS budget_name, COALESCE(late.id, '') AS late_id, COALESCE(late.status, '') AS late_status").
		Where("x.status = ?", model.AwardBudgetExhausted)
	switch f.State {
	case ExhaustedDue:
		q = q.Where("x.paid_at IS NULL")
	case ExhaustedPaid:
		q = q.Where("x.paid_at IS NOT NULL")
	}
	if f.RegionID != "" {
		q = q.Where("r.path LIKE CONCAT((SELECT f.path FROM region f WHERE f.id = ?), '%')", f.RegionID)
	}
	for column, value := range map[string]string{
		"p.budget_id = ?": f.BudgetID, "x.event_kind = ?": string(f.EventKind), "x.resident_id = ?": f.ResidentID,
		"x.day >= ?": string(f.From), "x.day <= ?": string(f.To),
	} {
		if value != "" {
			q = q.Where(column, value)
		}
	}
	var rows []ExhaustedAward
	if err := q.Scan(&rows).Error; err != nil {
		return paging.Page[ExhaustedAward]{}, fmt.Errorf("policy: exhausted: %w", err)
	}
	return seek.Page(rows), nil
}

// PayInput says which awards are paid late.
type PayInput struct {
	AwardIDs       []string // 1..MaxPaid, distinct
	BudgetID       string   // "": each from the budget of its own rule
	IdempotencyKey string
}

// What became of one award of a late payment.
const (
	PayPaid      = "paid"
	PayCapped    = "capped"           // its caps were used up by others since: answered for good
	PayExhausted = "budget_exhausted" // still: it goes on waiting
	PayFrozen    = "account_frozen"   // the wallet is being checked: it goes on waiting
	PayAnswered  = "answered_before"
)

// PaidAward is what became of one award.
type PaidAward struct {
	AwardID string `json:"award_id"`
	Outcome string `json:"outcome"`
	Points  int64  `json:"points"`
	LateID  string `json:"late_id"` // the row that answers it
}

// Payment is a late payment.
type Payment struct {
	ID         string
	PaidAwards int64
	PaidPoints int64
	Items      []PaidAward // in the order of the input
	CreatedAt  clock.Instant
}

// PayExhausted pays awards that budgets could not pay, in a constant number of
// statements: the points and the caps are those of the rule version of then,
// the budget is the rule's own (its limit has been raised meanwhile) or the one
// that is named. Each answered award gets a second row of award that names the
// first in pays_id, so that whoever reads award by id sees the payment; the
// first row stays budget_exhausted and is marked.
//
// The actor must be an operator over the paying budgets' regions. A replay
// with the same key returns the first answer. Errors: ErrAwardMissing (one of
// them is not to be seen or is no such award), ErrBudgetMissing,
// ErrBudgetRegion, ErrBudgetPeriod, ErrKeyConflict, ErrForbidden, field
// faults; then nothing was paid.
func (s *Service) PayExhausted(ctx context.Context, actor authz.Actor, in PayInput) (Payment, error) {
	var f fault.Fields
	f.Add(len(in.AwardIDs) >= 1 && len(in.AwardIDs) <= MaxPaid, "award_ids", "一次补发 1 到 200 条")
	f.Add(len(in.IdempotencyKey) >= 8 && len(in.IdempotencyKey) <= 64, "idempotency_key", "请求号应为 8 到 64 个字符")
	sorted := slices.Sorted(slices.Values(in.AwardIDs))
	f.Add(len(slices.Compact(slices.Clone(sorted))) == len(sorted), "award_ids", "有重复的记录")
	if err := f.Err(codeInvalid); err != nil {
		return Payment{}, err
	}
	sum := sha256.Sum256([]byte(in.BudgetID + "\n" + strings.Join(sorted, "\n")))
	p := &paying{
		awarding: awarding{Service: s, now: clock.Now(s.clock)}, actor: actor, in: in,
		row: model.AwardPayment{
			ID: s.clock.NewID(), ActorID: actor.ID, IdempotencyKey: in.IdempotencyKey, InputHash: hex.EncodeToString(sum[:]),
			CreatedAt: clock.Now(s.clock),
		},
	}
	if done, found, err := s.payment(ctx, p.row); found || err != nil {
		return done, err
	}
	err := database.InTx(ctx, s.db, func(tx *gorm.DB) error { return p.run(ctx, tx) })
	if database.IsDuplicate(err) {
		// The same key at the same moment: the second waited for the first.
		if done, found, replayErr := s.payment(ctx, p.row); found || replayErr != nil {
			return done, replayErr
		}
	}
	if err != nil {
		return Payment{}, err
	}
	return paymentOf(p.row)
}

// payment finds the first answer to a key.
func (s *Service) payment(ctx context.Context, again model.AwardPayment) (Payment, bool, error) {
	var row model.AwardPayment
	err := s.db.Read(ctx).Where("actor_id = ? AND idempotency_key = ?", again.ActorID, again.IdempotencyKey).Take(&row).Error
	switch {
	case errors.Is(err, gorm.ErrRecordNotFound):
		return Payment{}, false, nil
	case err != nil:
		return Payment{}, false, fmt.Errorf("policy: payment: %w", err)
	case row.InputHash != again.InputHash:
		return Payment{}, true, ErrKeyConflict
	}
	p, err := paymentOf(row)
	return p, true, err
}

func paymentOf(row model.AwardPayment) (Payment, error) {
	p := Payment{ID: row.ID, PaidAwards: row.PaidAwards, PaidPoints: row.PaidPoints, CreatedAt: row.CreatedAt}
	if err := json.Unmarshal([]byte(row.Result), &p.Items); err != nil {
		return p, fmt.Errorf("policy: payment %s: %w", row.ID, err)
	}
	return p, nil
}

// dueAward is an award to pay, with its rule.
type dueAward struct {
	model.Award
	RegionPath string
	rule       model.PolicyRule
	budgetID   string
	outcome    PaidAward
	late       *model.Award
}

// paying is one call of PayExhausted. It borrows from awarding how caps are
// counted.
type paying struct {
	awarding
	actor authz.Actor
	in    PayInput
	row   model.AwardPayment
	due   []*dueAward // in the order of the input
}

func (p *paying) run(ctx context.Context, tx *gorm.DB) error {
	p.tx = tx.WithContext(ctx)
	p.row.Result, p.row.PaidAwards, p.row.PaidPoints = "[]", 0, 0
	// Its unique key makes a second call with the same key wait here.
	if err := p.tx.Create(&p.row).Error; err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{p.load, p.chooseBudgets, p.lockWallets, p.loadUsed, p.pay, p.write} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (p *paying) load(context.Context) error {
	var rows []*dueAward
	err := p.tx.Raw(`SELECT a.*, r.path AS region_path FROM award a JOIN region r ON r.id = a.region_id
		WHERE a.id IN ? AND a.status = ?`, p.in.AwardIDs, model.AwardBudgetExhausted).Scan(&rows).Error
	if err != nil {
		return fmt.Errorf("policy: load due awards: %w", err)
	}
	found := make(map[string]*dueAward, len(rows))
	rules := map[string]bool{}
	for _, d := range rows {
		found[d.ID] = d
		rules[*d.RuleID] = true
	}
	p.due = nil
	for _, id := range p.in.AwardIDs {
		d := found[id]
		if d == nil || p.actor.InRegion(d.RegionPath, authz.RoleOperator) != nil {
			return ErrAwardMissing
		}
		p.due = append(p.due, d)
	}
	var versions []model.PolicyRule
	if err := p.tx.Where("id IN ?", keysOf(rules)).Find(&versions).Error; err != nil {
		return fmt.Errorf("policy: load rules: %w", err)
	}
	for _, r := range versions {
		for _, d := range p.due {
			if *d.RuleID == r.ID {
				d.rule = r
			}
		}
	}
	return nil
}

// chooseBudgets decides what pays: the budget that the caller names, or the
// rule's own. It must belong to a region above the resident's home, and its
// period must include the day of the event or today.
func (p *paying) chooseBudgets(context.Context) error {
	ids := map[string]bool{}
	for _, d := range p.due {
		if d.budgetID = p.in.BudgetID; d.budgetID == "" {
			d.budgetID = d.rule.BudgetID
		}
		ids[d.budgetID] = true
	}
	var rows []struct {
		model.Budget
		RegionPath string
	}
	err := p.tx.Raw(`SELECT b.*, r.path AS region_path FROM budget b JOIN region r ON r.id = b.region_id WHERE b.id IN ?`, keysOf(ids)).
		Scan(&rows).Error
	if err != nil {
		return fmt.Errorf("policy: load budgets: %w", err)
	}
	if len(rows) != len(ids) {
		return ErrBudgetMissing
	}
	for _, b := range rows {
		if err := p.actor.InRegion(b.RegionPath, authz.RoleOperator); err != nil {
			return err
		}
		days := period{b.StartsOn, b.EndsOn}
		for _, d := range p.due {
			switch {
			case d.budgetID != b.ID:
			case !slices.Contains(pathIDs(d.RegionPath), b.RegionID):
				return ErrBudgetRegion
			case !days.covers(d.Day) && !days.covers(p.now.Day()):
				return ErrBudgetPeriod
			}
		}
	}
	return nil
}

// lockWallets takes the wallets in key order, as AwardTx does: from here on
// nobody else pays or counts for these residents. What was paid before that
// shows now.
func (p *paying) lockWallets(ctx context.Context) error {
	var residents []string
	p.events = nil
	for _, d := range p.due {
		residents = append(residents, d.ResidentID)
		p.events = append(p.events, Event{Kind: d.EventKind, ResidentID: d.ResidentID, ObjectID: d.ObjectID, OccurredAt: d.OccurredAt})
	}
	slices.Sort(residents)
	var err error
	if p.wallets, err = p.ledger.LockWalletsTx(ctx, p.tx, slices.Compact(residents)); err != nil {
		return err
	}
	var late []model.Award
	if err := p.tx.Where("pays_id IN ?", p.in.AwardIDs).Find(&late).Error; err != nil {
		return fmt.Errorf("policy: load late awards: %w", err)
	}
	for _, d := range p.due {
		for _, l := range late {
			if *l.PaysID == d.ID {
				d.outcome = PaidAward{AwardID: d.ID, Outcome: PayAnswered, LateID: l.ID}
			}
		}
	}
	return nil
}

// pay pays what the caps leave room for, in the order of the input. What cannot
// be paid takes no room from those after it: they are tried again.
func (p *paying) pay(ctx context.Context) error {
	var waiting []*dueAward
	for _, d := range p.due {
		if d.outcome.Outcome == "" {
			d.outcome = PaidAward{AwardID: d.ID}
			waiting = append(waiting, d)
		}
	}
	for again := true; again; {
		var tried, full []*dueAward
		for _, d := range waiting {
			if !p.roomFor(&d.Award, &d.rule) {
				full = append(full, d)
				continue
			}
			p.takeSlots(&d.Award)
			tried = append(tried, d)
		}
		unpaid, err := p.earnLate(ctx, tried)
		if err != nil {
			return err
		}
		waiting, again = full, unpaid > 0
	}
	for _, d := range waiting {
		d.answer(p, model.AwardCapped, PayCapped)
	}
	return nil
}

// earnLate posts due awards, which have their slots, and says how many could
// not be paid.
func (p *paying) earnLate(ctx context.Context, due []*dueAward) (unpaid int, err error) {
	earns := make([]ledger.Earn, len(due))
	for i, d := range due {
		evidence, err := lateEvidence(d.Evidence, d.ID, p.actor.ID)
		if err != nil {
			return 0, err
		}
		earns[i] = ledger.Earn{
			Event: ledger.Event{
				// The identity of the event itself: no second posting of it, on whatever path.
				SourceType: string(d.EventKind), SourceID: d.EventID, ActorID: p.actor.ID, Reason: "补发：当时积分预算已用完",
				RuleID: *d.RuleID, RuleVersion: *d.RuleVersion, Evidence: evidence, EffectiveAt: d.OccurredAt,
			},
			BudgetID: d.budgetID, ResidentID: d.ResidentID, Amount: d.Points, ExpiresOn: expiryOf(&d.rule, max(d.Day, p.now.Day())),
		}
	}
	outcomes, err := p.wallets.EarnTx(ctx, p.tx, earns)
	if err != nil {
		return 0, err
	}
	for i, d := range due {
		switch err := outcomes[i].Err; {
		case err == nil:
			d.answer(p, model.AwardPosted, PayPaid)
			d.late.JournalID = &outcomes[i].JournalID
			continue
		case isExhausted(err):
			d.outcome.Outcome = PayExhausted
		case isWithheld(err):
			d.outcome.Outcome = PayFrozen
		default:
			return 0, fmt.Errorf("policy: pay award %s: %w", d.ID, err)
		}
		p.freeSlots(&d.Award)
		unpaid++
	}
	return unpaid, nil
}

// answer drafts the second row; a posted one has the slots that were taken.
func (d *dueAward) answer(p *paying, status model.AwardStatus, outcome string) {
	late := d.Award
	late.ID, late.EventID = p.clock.NewID(), "late:"+d.ID
	late.Status, late.PaysID, late.PaidAt, late.CreatedAt = status, &d.ID, nil, p.now
	d.outcome.Outcome, d.outcome.LateID = outcome, late.ID
	if status == model.AwardPosted {
		d.outcome.Points = d.Points
		p.row.PaidAwards++
		p.row.PaidPoints += d.Points
	}
	d.late = &late
}

// lateEvidence adds to an event's evidence which award was paid late, by whom.
func lateEvidence(evidence, awardID, actorID string) (string, error) {
	fields := map[string]json.RawMessage{}
	if err := json.Unmarshal([]byte(evidence), &fields); err != nil {
		return "", fmt.Errorf("policy: evidence of award %s: %w", awardID, err)
	}
	for name, value := range map[string]string{"late_award_id": awardID, "paid_by": actorID} {
		text, err := json.Marshal(value)
		if err != nil {
			return "", fmt.Errorf("policy: evidence of award %s: %w", awardID, err)
		}
		fields[name] = text
	}
	text, err := json.Marshal(fields)
	return string(text), err
}

func (p *paying) write(context.Context) error {
	var (
		late  []*model.Award
		first []string
		items = make([]PaidAward, len(p.due))
	)
	for i, d := range p.due {
		items[i] = d.outcome
		if d.late != nil {
			late = append(late, d.late)
			first = append(first, d.ID)
		}
	}
	if len(late) > 0 {
		if err := p.tx.Create(&late).Error; err != nil {
			return fmt.Errorf("policy: write late awards: %w", err)
		}
		res := p.tx.Exec(`UPDATE award SET paid_at = ? WHERE id IN ? AND paid_at IS NULL`, p.now, first)
		if err := database.RequireRows(res, int64(len(first))); err != nil {
			return fmt.Errorf("policy: mark paid awards: %w", err)
		}
	}
	result, err := json.Marshal(items)
	if err != nil {
		return fmt.Errorf("policy: payment: %w", err)
	}
	p.row.Result = string(result)
	res := p.tx.Exec(`UPDATE award_payment SET result = ?, paid_awards = ?, paid_points = ? WHERE id = ?`,
		p.row.Result, p.row.PaidAwards, p.row.PaidPoints, p.row.ID)
	if err := database.RequireRows(res, 1); err != nil {
		return fmt.Errorf("policy: payment: %w", err)
	}
	return p.trail.RecordTx(p.tx, identity.AuditEntry{
		Actor: p.actor, Action: "award.pay_late", ObjectType: "award_payment", ObjectID: p.row.ID, RegionID: p.commonRegion(),
		Detail: paymentDetail{p.row.PaidAwards, p.row.PaidPoints, p.in.BudgetID},
	})
}

// commonRegion is the lowest region that all the awards have in common.
func (p *paying) commonRegion() string {
	common := pathIDs(p.due[0].RegionPath)
	for _, d := range p.due[1:] {
		ids := pathIDs(d.RegionPath)
		n := 0
		for n < min(len(ids), len(common)) && ids[n] == common[n] {
			n++
		}
		common = common[:n]
	}
	if len(common) == 0 {
		return ""
	}
	return common[len(common)-1]
}

type paymentDetail struct {
	Awards   int64  `json:"awards"`
	Points   int64  `json:"points"`
	BudgetID string `json:"budget_id"`
}
