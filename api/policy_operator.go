package api

import (
	"context"
	"time"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/httpapi"
	"jiamenkou/service/policy"
)

// BudgetDTO is a budget and what it has issued.
type BudgetDTO struct {
	ID           string    `json:"id"`
	RegionID     string    `json:"region_id"`
	RegionName   string    `json:"region_name"`
	Name         string    `json:"name"`
	StartsOn     string    `json:"starts_on" format:"date"`
	EndsOn       string    `json:"ends_on" format:"date"`
	LimitPoints  int64     `json:"limit_points" doc:"最多可发放的积分"`
	IssuedPoints int64     `json:"issued_points" doc:"已发放的积分"`
	CreatedAt    time.Time `json:"created_at"`
}

func (d *BudgetDTO) place() (string, *string) { return d.RegionID, &d.RegionName }

func budgetOf(b policy.BudgetUse) BudgetDTO {
	return BudgetDTO{
		ID: b.ID, RegionID: b.RegionID, Name: b.Name, StartsOn: string(b.StartsOn), EndsOn: string(b.EndsOn),
		LimitPoints: b.LimitPoints, IssuedPoints: b.IssuedPoints, CreatedAt: b.CreatedAt.Time(),
	}
}

type createBudgetInput struct {
	Body struct {
		RegionID    string `json:"region_id" minLength:"26" maxLength:"26"`
		Name        string `json:"name" minLength:"1" maxLength:"64"`
		StartsOn    string `json:"starts_on" format:"date"`
		EndsOn      string `json:"ends_on" format:"date"`
		LimitPoints int64  `json:"limit_points" minimum:"1" maximum:"1000000000000"`
	}
}

func (s *server) createBudget(ctx context.Context, in *createBudgetInput) (*httpapi.Body[BudgetDTO], error) {
	row, err := s.Policy.CreateBudget(ctx, authz.FromContext(ctx), policy.BudgetInput{
		RegionID: in.Body.RegionID, Name: in.Body.Name, StartsOn: clock.Day(in.Body.StartsOn),
		EndsOn: clock.Day(in.Body.EndsOn), LimitPoints: in.Body.LimitPoints,
	})
	if err != nil {
		return nil, err
	}
	return placedAnswer(ctx, s, budgetOf(policy.BudgetUse{Budget: row}))
}

type (
	listInput       struct{ httpapi.PageQuery }
	sortedListInput struct{ httpapi.SortedQuery }
)

func (s *server) listBudgets(ctx context.Context, in *listBudgetsInput) (*httpapi.Body[httpapi.PageBody[BudgetDTO]], error) {
	return placedPage(ctx, s, budgetOf)(s.Policy.Budgets(ctx, authz.FromContext(ctx), in.filter(), in.Request()))
}

type ruleDTO struct {
	ID         string     `json:"id"`
	RegionID   string     `json:"region_id"`
	RegionName string     `json:"region_name"`
	EventKind  string     `json:"event_kind" example:"article_read"`
	Version    int64      `json:"version"`
	BudgetID   string     `json:"budget_id"`
	BudgetName string     `json:"budget_name"`
	Points     int64      `json:"points" doc:"每次（或每 per_minutes 分钟）积分"`
	PerMinutes int64      `json:"per_minutes" doc:"0 表示按次计分"`
	MaxPoints  int64      `json:"max_points" doc:"单次最多积分"`
	DailyCap   int64      `json:"daily_cap" doc:"每人每天最多计分次数"`
	ObjectCap  int64      `json:"object_cap" doc:"同一对象最多计分次数"`
	Expiry     string     `json:"expiry" example:"end_of_next_year"`
	ExpiryDays int64      `json:"expiry_days"`
	ActiveFrom time.Time  `json:"active_from"`
	RetiredAt  *time.Time `json:"retired_at"`
	Superseded bool       `json:"superseded" doc:"现在发生的事已按更新的版本计分"`
	Note       string     `json:"note"`
	CreatedAt  time.Time  `json:"created_at"`
}

func (d *ruleDTO) place() (string, *string) { return d.RegionID, &d.RegionName }

func ruleOf(r policy.NamedRule) ruleDTO {
	return ruleDTO{
		ID: r.ID, RegionID: r.RegionID, EventKind: string(r.EventKind), Version: r.Version, BudgetID: r.BudgetID, BudgetName: r.BudgetName,
		Points: r.Points, PerMinutes: r.PerMinutes, MaxPoints: r.MaxPoints, DailyCap: r.DailyCap, ObjectCap: r.ObjectCap,
		Expiry: string(r.Expiry), ExpiryDays: r.ExpiryDays, ActiveFrom: r.ActiveFrom.Time(),
		RetiredAt: clock.TimePtr(r.RetiredAt), Superseded: r.Superseded, Note: r.Note, CreatedAt: r.CreatedAt.Time(),
	}
}

type publishRuleInput struct {
	Body struct {
		RegionID   string     `json:"region_id" minLength:"26" maxLength:"26"`
		EventKind  string     `json:"event_kind" enum:"volunteer_service,article_read,daily_sign_in,report_verified"`
		BudgetID   string     `json:"budget_id" minLength:"26" maxLength:"26"`
		Points     int64      `json:"points" minimum:"1" maximum:"10000"`
		PerMinutes int64      `json:"per_minutes,omitempty" minimum:"0" maximum:"1440"`
		MaxPoints  int64      `json:"max_points" minimum:"1" maximum:"100000"`
		DailyCap   int64      `json:"daily_cap" minimum:"1" maximum:"1000"`
		ObjectCap  int64      `json:"object_cap" minimum:"1" maximum:"1000"`
		Expiry     string     `json:"expiry" enum:"end_of_next_year,days"`
		ExpiryDays int64      `json:"expiry_days,omitempty" minimum:"0" maximum:"3650"`
		ActiveFrom *time.Time `json:"active_from,omitempty" doc:"不填表示立即生效"`
		Note       string     `json:"note,omitempty" maxLength:"200"`
	}
}

func (s *server) publishRule(ctx context.Context, in *publishRuleInput) (*httpapi.Body[ruleDTO], error) {
	input := policy.RuleInput{
		RegionID: in.Body.RegionID, EventKind: policy.EventKind(in.Body.EventKind), BudgetID: in.Body.BudgetID,
		Points: in.Body.Points, PerMinutes: in.Body.PerMinutes, MaxPoints: in.Body.MaxPoints, DailyCap: in.Body.DailyCap,
		ObjectCap: in.Body.ObjectCap, Expiry: policy.Expiry(in.Body.Expiry), ExpiryDays: in.Body.ExpiryDays, Note: in.Body.Note,
	}
	if in.Body.ActiveFrom != nil {
		input.ActiveFrom = clock.InstantOf(*in.Body.ActiveFrom)
	}
	row, err := s.Policy.PublishRule(ctx, authz.FromContext(ctx), input)
	if err != nil {
		return nil, err
	}
	return placedAnswer(ctx, s, ruleOf(row))
}

type listRulesInput struct {
	httpapi.SortedQuery
	RegionID  string `query:"region_id" maxLength:"26" doc:"只看这个地区的规则"`
	EventKind string `query:"event_kind" enum:"volunteer_service,article_read,daily_sign_in,report_verified"`
	InForce   bool   `query:"in_force" doc:"只看没有停用的"`
}

func (s *server) listRules(ctx context.Context, in *listRulesInput) (*httpapi.Body[httpapi.PageBody[ruleDTO]], error) {
	filter := policy.RuleFilter{RegionID: in.RegionID, EventKind: policy.EventKind(in.EventKind), InForce: in.InForce}
	return placedPage(ctx, s, ruleOf)(s.Policy.Rules(ctx, authz.FromContext(ctx), filter, in.Request()))
}

type idInput struct {
	ID string `path:"id" minLength:"26" maxLength:"26"`
}

func (s *server) retireRule(ctx context.Context, in *idInput) (*struct{}, error) {
	return nil, s.Policy.RetireRule(ctx, authz.FromContext(ctx), in.ID)
}
