package api

import (
	"context"
	"time"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/httpapi"
	"jiamenkou/service/recourse"
)

// AdjustmentDTO is an adjustment in a list, and the head of its detail.
type AdjustmentDTO struct {
	ID                 string     `json:"id"`
	Kind               string     `json:"kind" enum:"credit,debit,reverse" doc:"补发、扣减、撤销"`
	ResidentID         string     `json:"resident_id"`
	RegionID           string     `json:"region_id" doc:"居民提交时的居住地"`
	ScopeRegionID      string     `json:"scope_region_id" doc:"提交人所用授权的地区：由同级或上级审批"`
	Points             int64      `json:"points"`
	BudgetID           *string    `json:"budget_id"`
	ExpiresOn          *string    `json:"expires_on" format:"date"`
	ReversesTransferID *string    `json:"reverses_transfer_id" doc:"撤销的是哪一笔"`
	ObjectionID        *string    `json:"objection_id"`
	ReasonCode         string     `json:"reason_code"`
	ReasonText         string     `json:"reason_text"`
	Status             string     `json:"status" enum:"proposed,approved,rejected,expired"`
	ProposedBy         string     `json:"proposed_by"`
	ProposedAt         time.Time  `json:"proposed_at"`
	DecideBy           time.Time  `json:"decide_by" doc:"超过此时没有审批则失效"`
	DecidedBy          *string    `json:"decided_by"`
	DecidedAt          *time.Time `json:"decided_at"`
	DecisionReason     string     `json:"decision_reason"`
	JournalID          *string    `json:"journal_id"`
	TransferID         *string    `json:"transfer_id" doc:"入账的明细"`
}

func adjustmentOf(a recourse.Adjustment) AdjustmentDTO {
	out := AdjustmentDTO{
		ID: a.ID, Kind: string(a.Kind), ResidentID: a.ResidentID, RegionID: a.RegionID, ScopeRegionID: a.ScopeRegionID, Points: a.Amount,
		BudgetID: a.BudgetID, ReversesTransferID: a.ReversesTransferID, ObjectionID: a.ObjectionID, ReasonCode: string(a.ReasonCode),
		ReasonText: a.ReasonText, Status: string(a.Status), ProposedBy: a.ProposedBy, ProposedAt: a.CreatedAt.Time(),
		DecideBy: a.DecideBy.Time(), DecidedBy: a.DecidedBy, DecidedAt: clock.TimePtr(a.DecidedAt), DecisionReason: a.DecisionReason,
		JournalID: a.JournalID, TransferID: a.TransferID,
	}
	if a.ExpiresOn != nil {
		day := string(*a.ExpiresOn)
		out.ExpiresOn = &day
	}
	return out
}

type adjustmentDetailDTO struct {
	AdjustmentDTO
	History []moveDTO `json:"history"`
}

type listAdjustmentsInput struct {
	httpapi.SortedQuery
	Status      string `query:"status" enum:"proposed,approved,rejected,expired"`
	Kind        string `query:"kind" enum:"credit,debit,reverse"`
	ReasonCode  string `query:"reason_code" enum:"wrong_award,missed_award,duplicate,compensation,fraud,test,other"`
	ResidentID  string `query:"resident_id" maxLength:"26"`
	ObjectionID string `query:"objection_id" maxLength:"26"`
	ProposedBy  string `query:"proposed_by" maxLength:"64"`
}

func (s *server) listAdjustments(ctx context.Context, in *listAdjustmentsInput) (*httpapi.Body[httpapi.PageBody[AdjustmentDTO]], error) {
	return httpapi.Listed(adjustmentOf)(s.Recourse.Adjustments(ctx, authz.FromContext(ctx), recourse.AdjustmentFilter{
		Status: recourse.AdjustmentStatus(in.Status), Kind: recourse.AdjustmentKind(in.Kind), ReasonCode: recourse.AdjustmentReason(in.ReasonCode),
		ResidentID: in.ResidentID, ObjectionID: in.ObjectionID, ProposedBy: in.ProposedBy,
	}, in.Request()))
}

type proposeAdjustmentInput struct {
	httpapi.Idempotent
	Body struct {
		Kind        string `json:"kind" enum:"credit,debit,reverse"`
		ResidentID  string `json:"resident_id,omitempty" maxLength:"26" doc:"补发、扣减时必填"`
		Points      int64  `json:"points,omitempty" minimum:"0" maximum:"100000000" doc:"补发、扣减时必填"`
		BudgetID    string `json:"budget_id,omitempty" maxLength:"26" doc:"补发、扣减时必填：居民所在地区或其上级的预算"`
		ExpiresOn   string `json:"expires_on,omitempty" format:"date" doc:"补发积分的最后可用日，不填为次年年底"`
		TransferID  string `json:"transfer_id,omitempty" maxLength:"26" doc:"撤销时必填"`
		ReasonCode  string `json:"reason_code" enum:"wrong_award,missed_award,duplicate,compensation,fraud,test,other"`
		ReasonText  string `json:"reason_text,omitempty" maxLength:"200" doc:"原因为其他时必填"`
		ObjectionID string `json:"objection_id,omitempty" maxLength:"26" doc:"答复的是哪条异议"`
	}
}

func (s *server) proposeAdjustment(ctx context.Context, in *proposeAdjustmentInput) (*httpapi.Body[AdjustmentDTO], error) {
	row, err := s.Recourse.Propose(ctx, authz.FromContext(ctx), recourse.AdjustmentInput{
		Kind: recourse.AdjustmentKind(in.Body.Kind), ResidentID: in.Body.ResidentID, Amount: in.Body.Points, BudgetID: in.Body.BudgetID,
		ExpiresOn: clock.Day(in.Body.ExpiresOn), TransferID: in.Body.TransferID, ReasonCode: recourse.AdjustmentReason(in.Body.ReasonCode),
		ReasonText: in.Body.ReasonText, ObjectionID: in.Body.ObjectionID, IdempotencyKey: in.IdempotencyKey,
	})
	if err != nil {
		return nil, err
	}
	return httpapi.OK(adjustmentOf(row)), nil
}

func (s *server) getAdjustment(ctx context.Context, in *idInput) (*httpapi.Body[adjustmentDetailDTO], error) {
	row, history, err := s.Recourse.Adjustment(ctx, authz.FromContext(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	out := adjustmentDetailDTO{AdjustmentDTO: adjustmentOf(row), History: []moveDTO{}}
	for _, h := range history {
		out.History = append(out.History, moveOf(h.FromStatus, h.ToStatus, h.ActorKind, h.ActorID, h.Reason, h.CreatedAt))
	}
	return httpapi.OK(out), nameActors(ctx, s, out.History)
}

type decideAdjustmentInput struct {
	httpapi.Idempotent
	ID   string `path:"id" minLength:"26" maxLength:"26"`
	Body struct {
		Reason string `json:"reason,omitempty" maxLength:"200" doc:"不同意时必填"`
	}
}

func (in *decideAdjustmentInput) decision() recourse.Decision {
	return recourse.Decision{AdjustmentID: in.ID, Reason: in.Body.Reason, IdempotencyKey: in.IdempotencyKey}
}

func (s *server) approveAdjustment(ctx context.Context, in *decideAdjustmentInput) (*httpapi.Body[AdjustmentDTO], error) {
	row, err := s.Recourse.Approve(ctx, authz.FromContext(ctx), in.decision())
	if err != nil {
		return nil, err
	}
	return httpapi.OK(adjustmentOf(row)), nil
}

func (s *server) rejectAdjustment(ctx context.Context, in *decideAdjustmentInput) (*httpapi.Body[AdjustmentDTO], error) {
	row, err := s.Recourse.Reject(ctx, authz.FromContext(ctx), in.decision())
	if err != nil {
		return nil, err
	}
	return httpapi.OK(adjustmentOf(row)), nil
}

// ObjectionDTO is an objection in a list, and the head of its detail.
type ObjectionDTO struct {
	ID         string     `json:"id"`
	TransferID string     `json:"transfer_id" doc:"哪一笔明细"`
	ResidentID string     `json:"resident_id"`
	RegionID   string     `json:"region_id" doc:"居民提出时的居住地"`
	Attempt    int64      `json:"attempt" doc:"这笔明细的第几次异议"`
	Status     string     `json:"status" enum:"open,answered,closed"`
	Text       string     `json:"text"`
	Answer     string     `json:"answer"`
	AnsweredBy *string    `json:"answered_by"`
	AnsweredAt *time.Time `json:"answered_at"`
	ClosedAt   *time.Time `json:"closed_at"`
	CreatedAt  time.Time  `json:"created_at"`
}

func objectionOf(o recourse.Objection) ObjectionDTO {
	return ObjectionDTO{
		ID: o.ID, TransferID: o.TransferID, ResidentID: o.ResidentID, RegionID: o.RegionID, Attempt: o.Attempt, Status: string(o.Status),
		Text: o.Text, Answer: o.Answer, AnsweredBy: o.AnsweredBy, AnsweredAt: clock.TimePtr(o.AnsweredAt),
		ClosedAt: clock.TimePtr(o.ClosedAt), CreatedAt: o.CreatedAt.Time(),
	}
}

type factDTO struct {
	Label string `json:"label"`
	Value string `json:"value"`
}

type disputedEntryDTO struct {
	Kind      string    `json:"kind"`
	Points    int64     `json:"points" doc:"正数为收入，负数为支出"`
	Source    string    `json:"source"`
	SourceID  string    `json:"source_id"`
	Reason    string    `json:"reason"`
	RuleText  string    `json:"rule_text"`
	Facts     []factDTO `json:"facts"`
	CreatedAt time.Time `json:"created_at"`
}

type objectionDetailDTO struct {
	ObjectionDTO
	Entry       disputedEntryDTO `json:"entry"`
	History     []moveDTO        `json:"history"`
	Adjustments []AdjustmentDTO  `json:"adjustments"`
}

type listObjectionsInput struct {
	httpapi.SortedQuery
	Status     string `query:"status" enum:"open,answered,closed"`
	ResidentID string `query:"resident_id" maxLength:"26"`
	TransferID string `query:"transfer_id" maxLength:"26"`
}

func (s *server) listObjections(ctx context.Context, in *listObjectionsInput) (*httpapi.Body[httpapi.PageBody[ObjectionDTO]], error) {
	return httpapi.Listed(objectionOf)(s.Recourse.Objections(ctx, authz.FromContext(ctx), recourse.ObjectionFilter{
		Status: recourse.ObjectionStatus(in.Status), ResidentID: in.ResidentID, TransferID: in.TransferID,
	}, in.Request()))
}

func (s *server) getObjection(ctx context.Context, in *idInput) (*httpapi.Body[objectionDetailDTO], error) {
	o, err := s.Recourse.Objection(ctx, authz.FromContext(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	e := o.Entry.Entry
	out := objectionDetailDTO{
		ObjectionDTO: objectionOf(o.Objection), History: []moveDTO{}, Adjustments: []AdjustmentDTO{},
		Entry: disputedEntryDTO{
			Kind: string(e.Kind), Points: e.Amount, Source: e.SourceType, SourceID: e.SourceID, Reason: e.Reason,
			RuleText: o.Entry.RuleText, Facts: []factDTO{}, CreatedAt: e.CreatedAt.Time(),
		},
	}
	for _, f := range o.Entry.Facts {
		out.Entry.Facts = append(out.Entry.Facts, factDTO(f))
	}
	for _, h := range o.History {
		out.History = append(out.History, moveOf(h.FromStatus, h.ToStatus, h.ActorKind, h.ActorID, h.Reason, h.CreatedAt))
	}
	for _, a := range o.Adjustments {
		out.Adjustments = append(out.Adjustments, adjustmentOf(a))
	}
	return httpapi.OK(out), nameActors(ctx, s, out.History)
}

type answerObjectionInput struct {
	ID   string `path:"id" minLength:"26" maxLength:"26"`
	Body struct {
		Answer string `json:"answer" minLength:"2" maxLength:"500"`
	}
}

func (s *server) answerObjection(ctx context.Context, in *answerObjectionInput) (*httpapi.Body[ObjectionDTO], error) {
	o, err := s.Recourse.Answer(ctx, authz.FromContext(ctx), in.ID, in.Body.Answer)
	if err != nil {
		return nil, err
	}
	return httpapi.OK(objectionOf(o)), nil
}
