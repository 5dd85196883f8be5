package api

import (
	"context"
	"time"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/httpapi"
	"jiamenkou/service/policy"
)

type changeLimitInput struct {
	ID   string `path:"id" minLength:"26" maxLength:"26"`
	Body struct {
		LimitPoints int64  `json:"limit_points" minimum:"1" maximum:"1000000000000"`
		Reason      string `json:"reason" minLength:"2" maxLength:"200"`
	}
}

func (s *server) changeBudgetLimit(ctx context.Context, in *changeLimitInput) (*httpapi.Body[BudgetDTO], error) {
	b, err := s.Policy.ChangeBudgetLimit(ctx, authz.FromContext(ctx), in.ID, in.Body.LimitPoints, in.Body.Reason)
	if err != nil {
		return nil, err
	}
	return placedAnswer(ctx, s, budgetOf(b))
}

type budgetAlertDTO struct {
	ID               string    `json:"id"`
	BudgetID         string    `json:"budget_id"`
	BudgetName       string    `json:"budget_name"`
	RegionID         string    `json:"region_id"`
	ThresholdPercent int64     `json:"threshold_percent" example:"80"`
	IssuedPoints     int64     `json:"issued_points" doc:"当时已发放"`
	LimitPoints      int64     `json:"limit_points" doc:"当时的上限"`
	CreatedAt        time.Time `json:"created_at"`
}

func budgetAlertOf(a policy.BudgetAlert) budgetAlertDTO {
	return budgetAlertDTO{
		ID: a.ID, BudgetID: a.BudgetID, BudgetName: a.BudgetName, RegionID: a.RegionID, ThresholdPercent: a.ThresholdPercent,
		IssuedPoints: a.IssuedPoints, LimitPoints: a.LimitPoints, CreatedAt: a.CreatedAt.Time(),
	}
}

type listBudgetAlertsInput struct {
	httpapi.PageQuery
	BudgetID string `query:"budget_id" maxLength:"26"`
}

func (s *server) listBudgetAlerts(ctx context.Context, in *listBudgetAlertsInput) (*httpapi.Body[httpapi.PageBody[budgetAlertDTO]], error) {
	return httpapi.Listed(budgetAlertOf)(s.Policy.BudgetAlerts(ctx, authz.FromContext(ctx), in.BudgetID, in.Request()))
}

type exhaustedAwardDTO struct {
	ID         string     `json:"id"`
	EventKind  string     `json:"event_kind"`
	EventID    string     `json:"event_id"`
	ResidentID string     `json:"resident_id"`
	RegionID   string     `json:"region_id" doc:"当时的居住地"`
	Day        string     `json:"day" format:"date"`
	Points     int64      `json:"points" doc:"按当时的规则应得"`
	RuleID     string     `json:"rule_id"`
	BudgetID   string     `json:"budget_id"`
	BudgetName string     `json:"budget_name"`
	PaidAt     *time.Time `json:"paid_at" doc:"空表示待补发"`
	LateID     string     `json:"late_id" doc:"补发的记录"`
	LateStatus string     `json:"late_status" doc:"posted 已补发；capped 次数已被用完，不再补发"`
	OccurredAt time.Time  `json:"occurred_at"`
	CreatedAt  time.Time  `json:"created_at" doc:"何时因预算用完而没有发放"`
}

func exhaustedAwardOf(a policy.ExhaustedAward) exhaustedAwardDTO {
	out := exhaustedAwardDTO{
		ID: a.ID, EventKind: string(a.EventKind), EventID: a.EventID, ResidentID: a.ResidentID, RegionID: a.RegionID, Day: string(a.Day),
		Points: a.Points, BudgetID: a.BudgetID, BudgetName: a.BudgetName, PaidAt: clock.TimePtr(a.PaidAt), LateID: a.LateID,
		LateStatus: string(a.LateStatus), OccurredAt: a.OccurredAt.Time(), CreatedAt: a.CreatedAt.Time(),
	}
	if a.RuleID != nil {
		out.RuleID = *a.RuleID
	}
	return out
}

type listExhaustedInput struct {
	httpapi.SortedQuery
	State      string `query:"state" enum:"due,paid" doc:"due 待补发，paid 已处理"`
	RegionID   string `query:"region_id" maxLength:"26" doc:"本级及以下"`
	BudgetID   string `query:"budget_id" maxLength:"26"`
	EventKind  string `query:"event_kind" enum:"volunteer_service,article_read,daily_sign_in,report_verified"`
	ResidentID string `query:"resident_id" maxLength:"26"`
	From       string `query:"from" format:"date" doc:"起始日（含）"`
	To         string `query:"to" format:"date" doc:"截止日（含）"`
}

func (s *server) listExhausted(ctx context.Context, in *listExhaustedInput) (*httpapi.Body[httpapi.PageBody[exhaustedAwardDTO]], error) {
	return httpapi.Listed(exhaustedAwardOf)(s.Policy.Exhausted(ctx, authz.FromContext(ctx), policy.ExhaustedFilter{
		State: in.State, RegionID: in.RegionID, BudgetID: in.BudgetID, EventKind: policy.EventKind(in.EventKind),
		ResidentID: in.ResidentID, From: clock.Day(in.From), To: clock.Day(in.To),
	}, in.Request()))
}

type payExhaustedInput struct {
	httpapi.Idempotent
	Body struct {
		AwardIDs []string `json:"award_ids" minItems:"1" maxItems:"200" doc:"待补发的记录"`
		BudgetID string   `json:"budget_id,omitempty" maxLength:"26" doc:"由哪笔预算支付，不填用当时规则的预算"`
	}
}

type paidAwardDTO struct {
	AwardID string `json:"award_id"`
	Outcome string `json:"outcome" enum:"paid,capped,budget_exhausted,account_frozen,answered_before"`
	Points  int64  `json:"points"`
	LateID  string `json:"late_id"`
}

type paymentDTO struct {
	ID         string         `json:"id"`
	PaidAwards int64          `json:"paid_awards"`
	PaidPoints int64          `json:"paid_points"`
	Items      []paidAwardDTO `json:"items"`
	CreatedAt  time.Time      `json:"created_at"`
}

func (s *server) payExhausted(ctx context.Context, in *payExhaustedInput) (*httpapi.Body[paymentDTO], error) {
	p, err := s.Policy.PayExhausted(ctx, authz.FromContext(ctx), policy.PayInput{
		AwardIDs: in.Body.AwardIDs, BudgetID: in.Body.BudgetID, IdempotencyKey: in.IdempotencyKey,
	})
	if err != nil {
		return nil, err
	}
	out := paymentDTO{ID: p.ID, PaidAwards: p.PaidAwards, PaidPoints: p.PaidPoints, Items: []paidAwardDTO{}, CreatedAt: p.CreatedAt.Time()}
	for _, i := range p.Items {
		out.Items = append(out.Items, paidAwardDTO(i))
	}
	return httpapi.OK(out), nil
}
