package api

import (
	"context"
	"time"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/httpapi"
	"jiamenkou/service/settlement"
)

type periodDTO struct {
	Day      string     `json:"day" format:"date"`
	Status   string     `json:"status" enum:"open,closed"`
	ClosedAt *time.Time `json:"closed_at"`
}

func periodOf(p settlement.Period) periodDTO {
	return periodDTO{Day: string(p.Day), Status: string(p.Status), ClosedAt: clock.TimePtr(p.ClosedAt)}
}

func (s *server) listPeriods(ctx context.Context, in *sortedListInput) (*httpapi.Body[httpapi.PageBody[periodDTO]], error) {
	return httpapi.Listed(periodOf)(s.Settlement.Periods(ctx, in.Request()))
}

// StatementDTO is a statement in a list, and the head of its detail.
type StatementDTO struct {
	ID               string    `json:"id"`
	Day              string    `json:"day" format:"date" doc:"结算期（日）"`
	MerchantID       string    `json:"merchant_id"`
	MerchantName     string    `json:"merchant_name"`
	Status           string    `json:"status" enum:"issued,confirmed,disputed"`
	LineCount        int64     `json:"line_count"`
	Points           int64     `json:"points" doc:"明细积分合计"`
	SubsidyFen       int64     `json:"subsidy_fen" doc:"明细补贴合计（分）"`
	CarriedInPoints  int64     `json:"carried_in_points" doc:"上期结转，不大于零"`
	CarriedInFen     int64     `json:"carried_in_fen"`
	SettledPoints    int64     `json:"settled_points" doc:"本期结算积分"`
	PayableFen       int64     `json:"payable_fen" doc:"本期应付补贴（分）"`
	CarriedOutPoints int64     `json:"carried_out_points" doc:"结转下期，不大于零"`
	CarriedOutFen    int64     `json:"carried_out_fen"`
	ConfirmBy        time.Time `json:"confirm_by" doc:"逾期未答复视为确认"`
	CreatedAt        time.Time `json:"created_at"`
}

func statementOf(st settlement.Statement) StatementDTO {
	return StatementDTO{
		ID: st.ID, Day: string(st.Day), MerchantID: st.MerchantID, MerchantName: st.MerchantName, Status: string(st.Status),
		LineCount: st.LineCount, Points: st.Points, SubsidyFen: st.SubsidyFen,
		CarriedInPoints: st.CarriedInPoints, CarriedInFen: st.CarriedInFen, SettledPoints: st.SettledPoints, PayableFen: st.PayableFen,
		CarriedOutPoints: st.CarriedOutPoints, CarriedOutFen: st.CarriedOutFen,
		ConfirmBy: st.ConfirmBy.Time(), CreatedAt: st.CreatedAt.Time(),
	}
}

type listStatementsInput struct {
	httpapi.SortedQuery
	MerchantID string `query:"merchant_id" maxLength:"26"`
	Day        string `query:"day" pattern:"^[0-9]{4}-[0-9]{2}-[0-9]{2}$" doc:"结算期（日）"`
	From       string `query:"from" format:"date" doc:"结算期不早于"`
	To         string `query:"to" format:"date" doc:"结算期不晚于"`
	Status     string `query:"status" enum:"issued,confirmed,disputed"`
}

func (s *server) listStatements(ctx context.Context, in *listStatementsInput) (*httpapi.Body[httpapi.PageBody[StatementDTO]], error) {
	return httpapi.Listed(statementOf)(s.Settlement.Statements(ctx, authz.FromContext(ctx), settlement.StatementFilter{
		MerchantID: in.MerchantID, Day: clock.Day(in.Day), From: clock.Day(in.From), To: clock.Day(in.To),
		Status: settlement.Status(in.Status),
	}, in.Request()))
}

type statementMoveDTO struct {
	From   string    `json:"from"`
	To     string    `json:"to"`
	Actor  string    `json:"actor" doc:"system、staff 或其编号"`
	Name   string    `json:"actor_name" doc:"工作人员；系统为空"`
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
}

type statementDetailDTO struct {
	StatementDTO
	History []statementMoveDTO `json:"history"`
}

func (s *server) getStatement(ctx context.Context, in *idInput) (*httpapi.Body[statementDetailDTO], error) {
	actor := authz.FromContext(ctx)
	st, err := s.Settlement.Statement(ctx, actor, in.ID)
	if err != nil {
		return nil, err
	}
	moves, err := s.Settlement.Moves(ctx, actor, in.ID)
	if err != nil {
		return nil, err
	}
	out := statementDetailDTO{StatementDTO: statementOf(st), History: []statementMoveDTO{}}
	for _, m := range moves {
		out.History = append(out.History, statementMoveDTO{
			From: m.FromStatus, To: m.ToStatus, Actor: m.ActorKind + ":" + m.ActorID, Name: m.ActorName, Reason: m.Reason, At: m.CreatedAt.Time(),
		})
	}
	return httpapi.OK(out), nil
}

type statementLineDTO struct {
	ID           string    `json:"id"`
	Kind         string    `json:"kind" enum:"redemption,reversal,adjustment"`
	OrderID      string    `json:"order_id"`
	BenefitTitle string    `json:"benefit_title"`
	Points       int64     `json:"points"`
	SubsidyFen   int64     `json:"subsidy_fen" doc:"应付补贴（分）"`
	CashFen      int64     `json:"cash_fen" doc:"到店收取的现金（分），平台不经手"`
	OccurredAt   time.Time `json:"occurred_at"`
}

type statementLinesInput struct {
	httpapi.SortedQuery
	ID string `path:"id" minLength:"26" maxLength:"26"`
}

func (s *server) listStatementLines(ctx context.Context, in *statementLinesInput) (*httpapi.Body[httpapi.PageBody[statementLineDTO]], error) {
	return httpapi.Listed(statementLineOf)(s.Settlement.Lines(ctx, authz.FromContext(ctx), in.ID, in.Request()))
}

func statementLineOf(l settlement.Line) statementLineDTO {
	return statementLineDTO{
		ID: l.ID, Kind: string(l.Kind), OrderID: l.OrderID, BenefitTitle: l.BenefitTitle, Points: l.Points,
		SubsidyFen: l.SubsidyFen, CashFen: l.CashFen, OccurredAt: l.OccurredAt.Time(),
	}
}

type unsettledDTO struct {
	Day        string             `json:"day" format:"date"`
	LineCount  int64              `json:"line_count"`
	Points     int64              `json:"points"`
	SubsidyFen int64              `json:"subsidy_fen" doc:"应付补贴（分）"`
	Lines      []statementLineDTO `json:"lines" doc:"最近的明细，最多 100 条"`
}

func (s *server) getUnsettled(ctx context.Context, in *idInput) (*httpapi.Body[unsettledDTO], error) {
	u, err := s.Settlement.Unsettled(ctx, authz.FromContext(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	out := unsettledDTO{
		Day: string(u.Day), LineCount: u.LineCount, Points: u.Points, SubsidyFen: u.SubsidyFen, Lines: []statementLineDTO{},
	}
	for _, l := range u.Lines {
		out.Lines = append(out.Lines, statementLineOf(l))
	}
	return httpapi.OK(out), nil
}

func (s *server) confirmStatement(ctx context.Context, in *idInput) (*httpapi.Body[StatementDTO], error) {
	return statementAnswer(s.Settlement.Confirm(ctx, authz.FromContext(ctx), in.ID))
}

type statementReasonInput struct {
	ID   string `path:"id" minLength:"26" maxLength:"26"`
	Body struct {
		Reason string `json:"reason" minLength:"2" maxLength:"200"`
	}
}

func (s *server) disputeStatement(ctx context.Context, in *statementReasonInput) (*httpapi.Body[StatementDTO], error) {
	return statementAnswer(s.Settlement.Dispute(ctx, authz.FromContext(ctx), in.ID, in.Body.Reason))
}

func (s *server) resolveStatement(ctx context.Context, in *statementReasonInput) (*httpapi.Body[StatementDTO], error) {
	return statementAnswer(s.Settlement.Resolve(ctx, authz.FromContext(ctx), in.ID, in.Body.Reason))
}

func statementAnswer(st settlement.Statement, err error) (*httpapi.Body[StatementDTO], error) {
	if err != nil {
		return nil, err
	}
	return httpapi.OK(statementOf(st)), nil
}

type closePeriodInput struct {
	Day string `path:"day" pattern:"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"`
}

func (s *server) closePeriod(ctx context.Context, in *closePeriodInput) (*httpapi.Body[periodDTO], error) {
	p, err := s.Settlement.CloseDay(ctx, authz.FromContext(ctx), clock.Day(in.Day))
	if err != nil {
		return nil, err
	}
	return httpapi.OK(periodOf(p)), nil
}
