// Package policy decides which event earns how many points, and keeps the
// budgets that pay for them. Rules are rows: a county changes them without a
// new release, and every posting names the version that it was made under.
package policy

import (
	"context"
	"errors"
	"fmt"
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
	"jiamenkou/service/region"
)

// Service keeps rules and budgets.
type Service struct {
	db     *database.DB
	clock  clock.Clock
	ledger *ledger.Service
	trail  identity.Trail
}

// New returns the service.
func New(db *database.DB, c clock.Clock, l *ledger.Service) *Service {
	return &Service{db: db, clock: c, ledger: l, trail: identity.NewTrail(c)}
}

func isExhausted(err error) bool { return errors.Is(err, ledger.ErrBudgetExhausted) }

// BudgetInput describes a new budget.
type BudgetInput struct {
	RegionID    string
	Name        string // 1..64 characters, unique in the region
	StartsOn    clock.Day
	EndsOn      clock.Day
	LimitPoints int64 // 1..ledger.MaxBudgetPoints
}

// CreateBudget opens a budget; the actor must be an operator over the region.
func (s *Service) CreateBudget(ctx context.Context, actor authz.Actor, in BudgetInput) (model.Budget, error) {
	var f fault.Fields
	f.Add(in.Name != "" && len([]rune(in.Name)) <= 64, "name", "请填写 1 到 64 个字的名称")
	f.Add(in.StartsOn != "" && in.StartsOn <= in.EndsOn, "ends_on", "结束日期不能早于开始日期")
	f.Add(in.LimitPoints >= 1 && in.LimitPoints <= ledger.MaxBudgetPoints, "limit_points", "预算应为大于零的整数")
	if err := f.Err(codeInvalid); err != nil {
		return model.Budget{}, err
	}
	if _, err := s.authorize(ctx, actor, in.RegionID); err != nil {
		return model.Budget{}, err
	}
	row := model.Budget{
		ID: s.clock.NewID(), RegionID: in.RegionID, Name: in.Name, StartsOn: in.StartsOn, EndsOn: in.EndsOn,
		LimitPoints: in.LimitPoints, CreatedBy: actor.ID, CreatedAt: clock.Now(s.clock),
	}
	err := database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		if err := region.RequireOpenTx(tx, row.RegionID); err != nil {
			return err
		}
		err := s.trail.RecordTx(tx, identity.AuditEntry{
			Actor: actor, Action: "budget.create", ObjectType: "budget", ObjectID: row.ID, RegionID: row.RegionID,
			Detail: limitChange{To: row.LimitPoints},
		})
		if err != nil {
			return err
		}
		return s.ledger.OpenBudgetsTx(ctx, tx, []ledger.Budget{{ID: row.ID, LimitPoints: row.LimitPoints}})
	})
	if database.IsDuplicate(err) {
		return model.Budget{}, ErrBudgetName
	}
	return row, err
}

// BudgetUse is a budget and what it has issued.
type BudgetUse struct {
	model.Budget
	IssuedPoints int64
}

// BudgetFilter narrows a list of budgets; zero fields do not.
type BudgetFilter struct {
	RegionID string    // of this region itself
	On       clock.Day // paying on this day
}

// BudgetOrder is how budgets can be sorted.
var BudgetOrder = paging.NewOrder("-created_at",
	paging.Text("created_at", "x.id", func(b model.Budget) string { return b.ID }),
	paging.Text("name", "x.name", func(b model.Budget) string { return b.Name }),
	paging.Text("ends_on", "x.ends_on", func(b model.Budget) clock.Day { return b.EndsOn }),
	paging.Number("limit_points", "x.limit_points", func(b model.Budget) int64 { return b.LimitPoints }),
)

// Budgets lists the budgets in the actor's regions, newest first unless sorted by
// BudgetOrder.
func (s *Service) Budgets(ctx context.Context, actor authz.Actor, f BudgetFilter, page paging.Request) (paging.Page[BudgetUse], error) {
	seek, err := BudgetOrder.Seek(page)
	if err != nil {
		return paging.Page[BudgetUse]{}, err
	}
	q := s.scoped(ctx, actor, "budget").Where(seek.Where, seek.Args...).Order(seek.By).Limit(seek.Limit)
	if f.RegionID != "" {
		q = q.Where("x.region_id = ?", f.RegionID)
	}
	if f.On != "" {
		q = q.Where("x.starts_on <= ? AND x.ends_on >= ?", f.On, f.On)
	}
	var rows []model.Budget
	if err := q.Find(&rows).Error; err != nil {
		return paging.Page[BudgetUse]{}, fmt.Errorf("policy: budgets: %w", err)
	}
	ids := make([]ledger.AccountID, len(rows))
	for i, r := range rows {
		ids[i] = ledger.BudgetOf(r.ID)
	}
	balances, err := s.ledger.Balances(ctx, ids)
	if err != nil {
		return paging.Page[BudgetUse]{}, err
	}
	return paging.Map(seek.Page(rows), func(b model.Budget) BudgetUse {
		return BudgetUse{Budget: b, IssuedPoints: -balances[ledger.BudgetOf(b.ID)].Posted}
	}), nil
}

// RuleInput describes a new rule, or a new version of one.
type RuleInput struct {
	RegionID   string
	EventKind  model.EventKind
	BudgetID   string // of the region or of one above it
	Points     int64  // 1..10000
	PerMinutes int64  // 0, or 1..1440: Points for each so many minutes of service
	MaxPoints  int64  // Points..100000, the most that one event earns
	DailyCap   int64  // 1..1000 paid events per resident and day
	ObjectCap  int64  // 1..1000 paid events per resident and object
	Expiry     model.Expiry
	ExpiryDays int64         // 1..3650 with ExpiryDays
	ActiveFrom clock.Instant // zero means now
	Note       string        // at most 200 characters
}

func (in RuleInput) validate() error {
	var f fault.Fields
	known := false
	for _, k := range model.EventKinds() {
		known = known || k == in.EventKind
	}
	f.Add(known, "event_kind", "没有这种积分事件")
	f.Add(in.Points >= 1 && in.Points <= 10_000, "points", "积分应为 1 到 10000 的整数")
	f.Add(in.PerMinutes >= 0 && in.PerMinutes <= 1440, "per_minutes", "计分时长应为 0 到 1440 分钟")
	f.Add(in.MaxPoints >= in.Points && in.MaxPoints <= 100_000, "max_points", "单次上限不能低于每次积分，最多 100000")
	f.Add(in.DailyCap >= 1 && in.DailyCap <= 1000, "daily_cap", "每日次数上限应为 1 到 1000")
	f.Add(in.ObjectCap >= 1 && in.ObjectCap <= 1000, "object_cap", "同一对象次数上限应为 1 到 1000")
	f.Add(in.Expiry == model.ExpiryEndOfNextYear ||
		in.Expiry == model.ExpiryDays && in.ExpiryDays >= 1 && in.ExpiryDays <= 3650, "expiry", "有效期应为次年年底，或 1 到 3650 天")
	f.Add(len([]rune(in.Note)) <= 200, "note", "说明最多 200 个字")
	return f.Err(codeInvalid)
}

// PublishRule adds a rule: version 1, or the version after the newest of the
// same region and event. Points earned before keep the rule and the expiry
// that they were earned under. The actor must be operator over the rule's
// region and over the budget's, which is the same or lies above: a rule spends
// the budget without anybody else being asked.
func (s *Service) PublishRule(ctx context.Context, actor authz.Actor, in RuleInput) (NamedRule, error) {
	if err := in.validate(); err != nil {
		return NamedRule{}, err
	}
	path, err := s.authorize(ctx, actor, in.RegionID)
	if err != nil {
		return NamedRule{}, err
	}
	now := clock.Now(s.clock)
	if in.ActiveFrom == 0 {
		in.ActiveFrom = now
	}
	var row NamedRule
	err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		var budget model.Budget
		err := tx.Where("id = ?", in.BudgetID).Take(&budget).Error
		if errors.Is(err, gorm.ErrRecordNotFound) {
			return ErrBudgetMissing
		}
		if err != nil {
			return err
		}
		above, within := pathDownTo(path, budget.RegionID)
		if !within {
			return ErrBudgetRegion
		}
		if err := actor.InRegion(above, authz.RoleOperator); err != nil {
			return err
		}
		var newest int64
		err = tx.Model(&model.PolicyRule{}).Where("region_id = ? AND event_kind = ?", in.RegionID, in.EventKind).
			Select("COALESCE(MAX(version), 0)").Scan(&newest).Error
		if err != nil {
			return err
		}
		row = NamedRule{BudgetName: budget.Name, PolicyRule: model.PolicyRule{
			ID: s.clock.NewID(), RegionID: in.RegionID, EventKind: in.EventKind, Version: newest + 1, BudgetID: in.BudgetID,
			Points: in.Points, PerMinutes: in.PerMinutes, MaxPoints: in.MaxPoints, DailyCap: in.DailyCap, ObjectCap: in.ObjectCap,
			Expiry: in.Expiry, ExpiryDays: in.ExpiryDays, ActiveFrom: in.ActiveFrom, Note: in.Note,
			CreatedBy: actor.ID, CreatedAt: now,
		}}
		if err := tx.Create(&row.PolicyRule).Error; err != nil {
			return err
		}
		if err := stillAtTx(tx, row.RegionID, path); err != nil {
			return err
		}
		return s.recordRule(tx, actor, row.PolicyRule, "rule.publish")
	})
	if database.IsDuplicate(err) {
		return NamedRule{}, ErrRuleConflict
	}
	return row, err
}

// pathDownTo returns the path of a region on the way to another, and false if
// it does not lie on it.
func pathDownTo(path, id string) (string, bool) {
	before, _, found := strings.Cut(path, "/"+id+"/")
	return before + "/" + id + "/", found
}

// stillAtTx returns ErrRuleConflict if a region lies elsewhere by now, where
// the budget may not be the rule's to draw on, and region.ErrClosed if it is
// closed. After the write, as region.RequireOpenTx.
func stillAtTx(tx *gorm.DB, regionID, path string) error {
	var now string
	if err := tx.Raw("SELECT path FROM region WHERE id = ?", regionID).Scan(&now).Error; err != nil {
		return fmt.Errorf("policy: region: %w", err)
	}
	if now != path {
		return ErrRuleConflict
	}
	return region.RequireOpenTx(tx, regionID)
}

// RetireRule ends a rule for events from now on.
func (s *Service) RetireRule(ctx context.Context, actor authz.Actor, ruleID string) error {
	rule, err := s.Rule(ctx, ruleID)
	if err != nil {
		return err
	}
	if _, err := s.authorize(ctx, actor, rule.RegionID); err != nil {
		return err
	}
	return database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		res := tx.Exec(`UPDATE policy_rule SET retired_at = ? WHERE id = ? AND retired_at IS NULL`, clock.Now(s.clock), ruleID)
		if res.Error != nil || res.RowsAffected == 0 { // retired before
			return res.Error
		}
		return s.recordRule(tx, actor, rule, "rule.retire")
	})
}

// ruleDetail is what the audit log keeps of a rule.
type ruleDetail struct {
	EventKind model.EventKind `json:"event_kind"`
	Version   int64           `json:"version"`
	Points    int64           `json:"points"`
	MaxPoints int64           `json:"max_points"`
}

func (s *Service) recordRule(tx *gorm.DB, actor authz.Actor, r model.PolicyRule, action string) error {
	return s.trail.RecordTx(tx, identity.AuditEntry{
		Actor: actor, Action: action, ObjectType: "rule", ObjectID: r.ID, RegionID: r.RegionID, Reason: r.Note,
		Detail: ruleDetail{r.EventKind, r.Version, r.Points, r.MaxPoints},
	})
}

// Rule returns one version of a rule.
func (s *Service) Rule(ctx context.Context, id string) (model.PolicyRule, error) {
	var row model.PolicyRule
	err := s.db.Read(ctx).Where("id = ?", id).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return row, ErrRuleMissing
	}
	if err != nil {
		return row, fmt.Errorf("policy: rule: %w", err)
	}
	return row, nil
}

// NamedRule is a rule, what its budget is called, and whether a later version
// has taken over for what happens now.
type NamedRule struct {
	model.PolicyRule
	BudgetName string
	Superseded bool
}

// RuleFilter narrows a list of rules; zero fields do not.
type RuleFilter struct {
	RegionID  string // of this region itself
	EventKind model.EventKind
	InForce   bool // not retired
}

// RuleOrder is how rules can be sorted.
var RuleOrder = paging.NewOrder("-created_at",
	paging.Text("created_at", "x.id", func(r NamedRule) string { return r.ID }),
	paging.Number("active_from", "x.active_from", func(r NamedRule) clock.Instant { return r.ActiveFrom }),
	paging.Number("points", "x.points", func(r NamedRule) int64 { return r.Points }),
)

// Rules lists the rules in the actor's regions, every version, newest first
// unless sorted by RuleOrder.
func (s *Service) Rules(ctx context.Context, actor authz.Actor, f RuleFilter, page paging.Request) (paging.Page[NamedRule], error) {
	seek, err := RuleOrder.Seek(page)
	if err != nil {
		return paging.Page[NamedRule]{}, err
	}
	now := clock.Now(s.clock)
	q := s.scoped(ctx, actor, "policy_rule").Joins("JOIN budget b ON b.id = x.budget_id").
		Select(`x.*, b.name AS budget_name, EXISTS (SELECT 1 FROM policy_rule n WHERE n.region_id = x.region_id AND n.event_kind = x.event_kind
			AND n.version > x.version AND n.active_from <= ? AND (n.retired_at IS NULL OR n.retired_at > ?)) AS superseded`, now, now).
		Where(seek.Where, seek.Args...).Order(seek.By).Limit(seek.Limit)
	if f.RegionID != "" {
		q = q.Where("x.region_id = ?", f.RegionID)
	}
	if f.EventKind != "" {
		q = q.Where("x.event_kind = ?", f.EventKind)
	}
	if f.InForce {
		q = q.Where("x.retired_at IS NULL")
	}
	var rows []NamedRule
	if err := q.Scan(&rows).Error; err != nil {
		return paging.Page[NamedRule]{}, fmt.Errorf("policy: rules: %w", err)
	}
	return seek.Page(rows), nil
}

// Earning is what a resident can earn by one kind of event, and has today.
type Earning struct {
	Rule        model.PolicyRule
	PaidToday   int64 // events
	EarnedToday int64 // points
}

// Earnings is a resident's day: the rules that apply at home and the progress
// to their caps.
type Earnings struct {
	Day   clock.Day
	Items []Earning
}

// Earnings returns today's progress of a resident; it is empty until a home
// region has been chosen.
func (s *Service) Earnings(ctx context.Context, residentID string) (Earnings, error) {
	now := clock.Now(s.clock)
	out := Earnings{Day: now.Day()}
	a := &awarding{Service: s, tx: s.db.Read(ctx), now: now}
	for _, kind := range model.EventKinds() {
		a.events = append(a.events, Event{Kind: kind, ResidentID: residentID, OccurredAt: now})
	}
	if err := a.loadHomes([]string{residentID}); err != nil {
		return out, fmt.Errorf("policy: earnings: %w", err)
	}
	if err := a.loadRules(ctx); err != nil {
		return out, fmt.Errorf("policy: earnings: %w", err)
	}
	var paid []struct {
		EventKind model.EventKind
		Paid      int64
		Points    int64
	}
	err := s.db.Read(ctx).Raw(`SELECT event_kind, COUNT(*) AS paid, SUM(points) AS points FROM award
		WHERE resident_id = ? AND event_kind IN ? AND day = ? AND daily_slot IS NOT NULL GROUP BY event_kind`,
		residentID, model.EventKinds(), out.Day).Scan(&paid).Error
	if err != nil {
		return out, fmt.Errorf("policy: earnings: %w", err)
	}
	for _, e := range a.events {
		rule := a.ruleFor(e)
		if rule == nil {
			continue
		}
		item := Earning{Rule: *rule}
		for _, p := range paid {
			if p.EventKind == e.Kind {
				item.PaidToday, item.EarnedToday = p.Paid, p.Points
			}
		}
		out.Items = append(out.Items, item)
	}
	return out, nil
}

// authorize checks that the actor is an operator over the region and returns
// the region's path.
func (s *Service) authorize(ctx context.Context, actor authz.Actor, regionID string) (string, error) {
	var home model.Region
	err := s.db.Read(ctx).Where("id = ?", regionID).Take(&home).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return "", authz.ErrForbidden // whether it exists is not this caller's to know
	}
	if err != nil {
		return "", fmt.Errorf("policy: region: %w", err)
	}
	return home.Path, actor.InRegion(home.Path, authz.RoleOperator)
}

// scoped begins a list over the regions in which the actor is an operator or
// an auditor.
func (s *Service) scoped(ctx context.Context, actor authz.Actor, table string) *gorm.DB {
	db := s.db.Read(ctx)
	within := db.Where("1 = 0")
	for _, path := range actor.RegionPaths(authz.RoleOperator, authz.RoleAuditor) {
		within = within.Or("r.path >= ? AND r.path < ?", path, path+"\x7f")
	}
	return s.db.Read(ctx).Table(table + " x").Select("x.*").Joins("JOIN region r ON r.id = x.region_id").Where(within)
}

// The row types as this package's callers name them.
type (
	// Rule is one version of a rule.
	Rule = model.PolicyRule
	// EventKind is a kind of event that can earn points.
	EventKind = model.EventKind
	// Expiry says how a rule sets the last day of points.
	Expiry = model.Expiry
)
