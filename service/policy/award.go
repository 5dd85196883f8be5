package policy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"gorm.io/gorm"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/model"
	"jiamenkou/service/ledger"
)

// Event is something that a resident did and that may earn points.
type Event struct {
	Kind       model.EventKind
	ID         string // identity of the event, unique per kind: a second award of it is a replay
	ResidentID string
	ObjectID   string        // what it was done on (article, shift, case): the object cap counts by it
	Minutes    int64         // service minutes, for rules that pay by time
	Evidence   string        // JSON: what proves it, shown when the resident asks why
	ActorID    string        // who confirmed it
	OccurredAt clock.Instant // decides the day of the daily cap and the rule's version
}

// MaxEvents is the most events that one call takes.
const MaxEvents = ledger.MaxBatch

// AwardTx answers every event: it finds the rule that is active where the
// resident lives, keeps to its caps, posts the points and records why. Each
// event gets one row in award whatever the answer, and a repeated event gets
// the first answer again. The number of statements does not depend on the
// number of events, but for what is judged anew when a budget cannot pay.
//
// A resident without a home region earns under no rule (AwardNoRule).
func (s *Service) AwardTx(ctx context.Context, tx *gorm.DB, events []Event) ([]model.Award, error) {
	if len(events) == 0 {
		return nil, nil
	}
	if len(events) > MaxEvents {
		return nil, fmt.Errorf("policy: %d events in one call, at most %d", len(events), MaxEvents)
	}
	a := &awarding{Service: s, tx: tx.WithContext(ctx), now: clock.Now(s.clock), events: events}
	for _, step := range []func(context.Context) error{
		a.lockResidents, a.loadAnswered, a.loadRules, a.loadUsed, a.decide, a.post, a.write,
	} {
		if err := step(ctx); err != nil {
			return nil, fmt.Errorf("policy: award: %w", err)
		}
	}
	out := make([]model.Award, len(events))
	for i, e := range events {
		out[i] = *a.answers[eventKey(e.Kind, e.ID)]
	}
	return out, nil
}

// awarding is one call of AwardTx.
type awarding struct {
	*Service
	tx     *gorm.DB
	now    clock.Instant
	events []Event

	wallets *ledger.Wallets
	homes   map[string]home
	rules   map[string][]model.PolicyRule // event kind + region id -> newest version first
	used    slots                         // by dayKey and objectKey
	answers map[string]*model.Award       // by eventKey
	fresh   []*model.Award                // answers that are new, in the order of events
	under   map[*model.Award]*model.PolicyRule
	actors  map[*model.Award]string
	periods map[string]period // by budget
}

// slots are the numbers that paid events have taken of a cap, by key: a cap of
// n leaves room while fewer than n are taken.
type slots map[string]map[int64]bool

func (s slots) note(key string, n int64) {
	if s[key] == nil {
		s[key] = map[int64]bool{}
	}
	s[key][n] = true
}

func (s slots) taken(key string) int64 { return int64(len(s[key])) }

// take takes the lowest number that is free.
func (s slots) take(key string) *int64 {
	n := int64(1)
	for s[key][n] {
		n++
	}
	s.note(key, n)
	return &n
}

// period is the days that a budget pays for.
type period struct{ startsOn, endsOn clock.Day }

func (p period) covers(day clock.Day) bool { return p.startsOn <= day && day <= p.endsOn }

type home struct {
	ResidentID string
	RegionID   string
	Path       string
}

func eventKey(kind model.EventKind, id string) string { return string(kind) + "\x1f" + id }

func dayKey(resident string, kind model.EventKind, day clock.Day) string {
	return strings.Join([]string{"d", resident, string(kind), string(day)}, "\x1f")
}

func objectKey(resident string, kind model.EventKind, object string) string {
	return strings.Join([]string{"o", resident, string(kind), object}, "\x1f")
}

// lockResidents takes the wallets' locks first, in key order: from here on
// nobody else counts or posts for these residents, so that the caps hold.
func (a *awarding) lockResidents(ctx context.Context) error {
	ids := make([]string, 0, len(a.events))
	for _, e := range a.events {
		ids = append(ids, e.ResidentID)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	var err error
	if a.wallets, err = a.ledger.LockWalletsTx(ctx, a.tx, ids); err != nil {
		return err
	}
	return a.loadHomes(ids)
}

func (a *awarding) loadHomes(residentIDs []string) error {
	var homes []home
	err := a.tx.Raw(`SELECT p.id AS resident_id, r.id AS region_id, r.path FROM resident p
		JOIN region r ON r.id = p.home_region_id WHERE p.id IN ?`, residentIDs).Scan(&homes).Error
	a.homes = make(map[string]home, len(homes))
	for _, h := range homes {
		a.homes[h.ResidentID] = h
	}
	return err
}

func (a *awarding) loadAnswered(context.Context) error {
	a.answers = make(map[string]*model.Award, len(a.events))
	ids := map[model.EventKind][]string{}
	for _, e := range a.events {
		ids[e.Kind] = append(ids[e.Kind], e.ID)
	}
	var (
		where []string
		args  []any
	)
	for kind, list := range ids {
		where = append(where, "(event_kind = ? AND event_id IN ?)")
		args = append(args, kind, list)
	}
	var rows []model.Award
	if err := a.tx.Where(strings.Join(where, " OR "), args...).Find(&rows).Error; err != nil {
		return err
	}
	for i := range rows {
		a.answers[eventKey(rows[i].EventKind, rows[i].EventID)] = &rows[i]
	}
	return nil
}

// loadRules reads the rules of every region on the way from the residents'
// homes to the county: the nearest one wins.
func (a *awarding) loadRules(context.Context) error {
	regions := map[string]bool{}
	kinds := map[model.EventKind]bool{}
	for _, h := range a.homes {
		for _, id := range pathIDs(h.Path) {
			regions[id] = true
		}
	}
	for _, e := range a.events {
		kinds[e.Kind] = true
	}
	a.rules = map[string][]model.PolicyRule{}
	if len(regions) == 0 {
		return nil
	}
	var rows []struct {
		model.PolicyRule
		StartsOn, EndsOn clock.Day // of its budget
	}
	err := a.tx.Raw(`SELECT r.*, b.starts_on, b.ends_on FROM policy_rule r JOIN budget b ON b.id = r.budget_id
		WHERE r.region_id IN ? AND r.event_kind IN ? ORDER BY r.version DESC`, keysOf(regions), keysOf(kinds)).Scan(&rows).Error
	a.periods = map[string]period{}
	for _, r := range rows {
		key := eventKey(r.EventKind, r.RegionID)
		a.rules[key] = append(a.rules[key], r.PolicyRule)
		a.periods[r.BudgetID] = period{r.StartsOn, r.EndsOn}
	}
	return err
}

// ruleFor returns the rule for an event, nil if there is none.
func (a *awarding) ruleFor(e Event) *model.PolicyRule {
	ids := pathIDs(a.homes[e.ResidentID].Path)
	slices.Reverse(ids) // nearest region first
	for _, region := range ids {
		for _, r := range a.rules[eventKey(e.Kind, region)] {
			if r.ActiveFrom <= e.OccurredAt && (r.RetiredAt == nil || e.OccurredAt < *r.RetiredAt) {
				return &r
			}
		}
	}
	return nil
}

// loadUsed reads the slots used of every (resident, day) and (resident, object)
// that the events touch.
func (a *awarding) loadUsed(context.Context) error {
	a.used = slots{}
	var residents, objects []string
	days := map[clock.Day]bool{}
	kinds := map[model.EventKind]bool{}
	for _, e := range a.events {
		residents = append(residents, e.ResidentID)
		days[e.OccurredAt.Day()] = true
		kinds[e.Kind] = true
		// What was done on the day itself shows among what was done that day.
		if e.ObjectID != string(e.OccurredAt.Day()) {
			objects = append(objects, e.ObjectID)
		}
	}
	slices.Sort(residents)
	residents = slices.Compact(residents)
	slices.Sort(objects)
	const columns = "SELECT resident_id, event_kind, day, object_id, COALESCE(daily_slot, 0) AS daily_slot, COALESCE(object_slot, 0) AS object_slot FROM award"
	query := columns + " WHERE resident_id IN ? AND event_kind IN ? AND day IN ?"
	args := []any{residents, keysOf(kinds), keysOf(days)}
	if len(objects) > 0 {
		query += " UNION ALL " + columns + " WHERE resident_id IN ? AND event_kind IN ? AND object_id IN ?"
		args = append(args, residents, keysOf(kinds), slices.Compact(objects))
	}
	var rows []struct {
		ResidentID            string
		EventKind             model.EventKind
		Day                   clock.Day
		ObjectID              string
		DailySlot, ObjectSlot int64
	}
	err := a.tx.Raw(query, args...).Scan(&rows).Error
	for _, r := range rows {
		if r.DailySlot > 0 {
			a.used.note(dayKey(r.ResidentID, r.EventKind, r.Day), r.DailySlot)
		}
		if r.ObjectSlot > 0 {
			a.used.note(objectKey(r.ResidentID, r.EventKind, r.ObjectID), r.ObjectSlot)
		}
	}
	return err
}

// decide answers the events in memory, all but what only the ledger knows.
func (a *awarding) decide(context.Context) error {
	a.under, a.actors = map[*model.Award]*model.PolicyRule{}, map[*model.Award]string{}
	for _, e := range a.events {
		key := eventKey(e.Kind, e.ID)
		if a.answers[key] != nil {
			continue // a replay, of an earlier call or within this one
		}
		h, ok := a.homes[e.ResidentID]
		if !ok {
			// Without a home region there is no row to write either: award
			// belongs to a region. The event can be awarded again later.
			a.answers[key] = &model.Award{EventKind: e.Kind, EventID: e.ID, ResidentID: e.ResidentID, Status: model.AwardNoRule}
			continue
		}
		w := a.answer(e, h)
		a.answers[key] = w
		a.actors[w] = e.ActorID
		a.fresh = append(a.fresh, w)
	}
	return nil
}

func (a *awarding) answer(e Event, h home) *model.Award {
	w := &model.Award{
		ID: a.clock.NewID(), EventKind: e.Kind, EventID: e.ID, ResidentID: e.ResidentID, RegionID: h.RegionID,
		ObjectID: e.ObjectID, Day: e.OccurredAt.Day(), Minutes: e.Minutes, Status: model.AwardNoRule,
		Evidence: e.Evidence, OccurredAt: e.OccurredAt, CreatedAt: a.now,
	}
	if w.Evidence == "" {
		w.Evidence = "{}"
	}
	rule := a.ruleFor(e)
	if rule == nil {
		return w
	}
	w.RuleID, w.RuleVersion = &rule.ID, &rule.Version
	w.Points = pointsFor(rule, e.Minutes)
	a.under[w] = rule
	a.judge(w)
	return w
}

func keysOfAward(w *model.Award) (day, object string) {
	return dayKey(w.ResidentID, w.EventKind, w.Day), objectKey(w.ResidentID, w.EventKind, w.ObjectID)
}

// roomFor reports whether the caps of a rule have room for one more.
func (a *awarding) roomFor(w *model.Award, rule *model.PolicyRule) bool {
	day, object := keysOfAward(w)
	return a.used.taken(day) < rule.DailyCap && a.used.taken(object) < rule.ObjectCap
}

func (a *awarding) takeSlots(w *model.Award) {
	day, object := keysOfAward(w)
	w.DailySlot, w.ObjectSlot = a.used.take(day), a.used.take(object)
}

func (a *awarding) freeSlots(w *model.Award) {
	day, object := keysOfAward(w)
	delete(a.used[day], *w.DailySlot)
	delete(a.used[object], *w.ObjectSlot)
	w.DailySlot, w.ObjectSlot = nil, nil
}

// judge answers an event by its rule, all but whether the ledger can pay it.
func (a *awarding) judge(w *model.Award) {
	rule := a.under[w]
	switch {
	case w.Points == 0 || !a.roomFor(w, rule):
		w.Status = model.AwardCapped
	case !a.periods[rule.BudgetID].covers(w.Day):
		w.Status = model.AwardBudgetExhausted // a budget pays for its own period only
	default:
		w.Status = model.AwardPosted
		a.takeSlots(w)
	}
}

// pointsFor applies the rule's rate; a part of PerMinutes earns nothing.
func pointsFor(r *model.PolicyRule, minutes int64) int64 {
	points := r.Points
	if r.PerMinutes > 0 {
		points = r.Points * (minutes / r.PerMinutes)
	}
	return min(points, r.MaxPoints)
}

func expiryOf(r *model.PolicyRule, day clock.Day) clock.Day {
	if r.Expiry == model.ExpiryDays {
		return day.AddDays(int(r.ExpiryDays))
	}
	return clock.Day(fmt.Sprintf("%04d-12-31", day.Start().Time().Year()+1))
}

// post moves the points. The budget is the hot row: it is locked last, by the
// ledger, and what cannot be paid is recorded as budget_exhausted. That gives
// its slots free again, for those after it, so that nobody is turned away by an
// event that earned nothing: whoever was capped by it is judged once more. As
// long as all are paid that is one posting.
func (a *awarding) post(ctx context.Context) error {
	due := a.fresh
	for len(due) > 0 {
		unpaid, err := a.earn(ctx, due)
		if err != nil {
			return err
		}
		due = nil
		if len(unpaid) == 0 {
			break
		}
		for _, w := range a.fresh {
			if w.Status == model.AwardCapped {
				a.judge(w)
				due = append(due, w)
			}
		}
	}
	return nil
}

// earn posts those of the answers that are to be, and returns what could not be
// paid.
func (a *awarding) earn(ctx context.Context, answers []*model.Award) (unpaid []*model.Award, err error) {
	var (
		earns []ledger.Earn
		paid  []*model.Award
	)
	for _, w := range answers {
		if w.Status != model.AwardPosted {
			continue
		}
		rule := a.under[w]
		paid = append(paid, w)
		earns = append(earns, ledger.Earn{
			Event: ledger.Event{
				SourceType: string(w.EventKind), SourceID: w.EventID, ActorID: a.actors[w],
				RuleID: *w.RuleID, RuleVersion: *w.RuleVersion, Evidence: w.Evidence, EffectiveAt: w.OccurredAt,
			},
			BudgetID: rule.BudgetID, ResidentID: w.ResidentID, Amount: w.Points, ExpiresOn: expiryOf(rule, max(w.Day, a.now.Day())),
		})
	}
	outcomes, err := a.wallets.EarnTx(ctx, a.tx, earns)
	if err != nil {
		return nil, err
	}
	for i, w := range paid {
		switch err := outcomes[i].Err; {
		case err == nil:
			w.JournalID = &outcomes[i].JournalID
		case isWithheld(err):
			w.Status = model.AwardBudgetExhausted
			a.freeSlots(w)
			unpaid = append(unpaid, w)
		default:
			return nil, err
		}
	}
	return unpaid, nil
}

// isWithheld says that points cannot be paid now and can be later: the budget
// is used up, or an account is being checked. What happened stands either way.
func isWithheld(err error) bool { return isExhausted(err) || errors.Is(err, ledger.ErrAccountFrozen) }

func (a *awarding) write(context.Context) error {
	if len(a.fresh) == 0 {
		return nil
	}
	if err := a.tx.Create(&a.fresh).Error; err != nil {
		if database.IsDuplicate(err) {
			return fmt.Errorf("an event was answered twice at once: %w", err)
		}
		return err
	}
	return nil
}

// pathIDs splits a region path "/a/b/" into its ids, county first.
func pathIDs(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}

func keysOf[K ~string](m map[K]bool) []K {
	out := make([]K, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
