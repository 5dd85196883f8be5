package miniprogram

import (
	"context"
	"time"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/httpapi"
	"jiamenkou/internal/paging"
	"jiamenkou/service/volunteer"
)

// MyCorrectionDTO is a correction of one of the resident's own records.
type MyCorrectionDTO struct {
	ID             string     `json:"id"`
	RecordID       string     `json:"record_id"`
	State          string     `json:"state" enum:"asked,proposed,approved,rejected,declined,withdrawn" doc:"已申请、待另一人审批、已更正、未通过、不予更正、已撤回"`
	AskedText      string     `json:"asked_text" doc:"我的说明；空表示由组织者提出"`
	Kind           *string    `json:"kind" enum:"change,void" doc:"更正、作废；空表示还没有提议"`
	Minutes        *int64     `json:"minutes" doc:"更正后的分钟数"`
	Reason         string     `json:"reason" doc:"组织者的理由"`
	DecisionReason string     `json:"decision_reason" doc:"审批或答复的理由"`
	DecidedAt      *time.Time `json:"decided_at"`
	ResultRecordID *string    `json:"result_record_id" doc:"更正后的记录"`
	CreatedAt      time.Time  `json:"created_at"`
}

func myCorrectionOf(c volunteer.Correction) MyCorrectionDTO {
	out := MyCorrectionDTO{
		ID: c.ID, RecordID: c.RecordID, State: string(c.State), AskedText: c.AskedText, Minutes: c.Minutes, Reason: c.Reason,
		DecisionReason: c.DecisionReason, DecidedAt: clock.TimePtr(c.DecidedAt), ResultRecordID: c.ResultRecordID, CreatedAt: c.CreatedAt.Time(),
	}
	if c.Kind != nil {
		kind := string(*c.Kind)
		out.Kind = &kind
	}
	return out
}

type idInput struct {
	ID string `path:"id" minLength:"26" maxLength:"26"`
}

// MyRecordDTO is a record with its corrections.
type MyRecordDTO struct {
	ServiceRecordDTO
	Corrections []MyCorrectionDTO `json:"corrections" doc:"新的在前"`
	CanAsk      bool              `json:"can_ask" doc:"现在可以申请更正"`
}

func (s *server) getMyRecord(ctx context.Context, in *idInput) (*httpapi.Body[MyRecordDTO], error) {
	r, err := s.Volunteer.MyRecord(ctx, authz.FromContext(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	out := MyRecordDTO{ServiceRecordDTO: serviceRecordOf(r.ServiceRecord), Corrections: []MyCorrectionDTO{}, CanAsk: r.CanAsk}
	for _, c := range r.Corrections {
		out.Corrections = append(out.Corrections, myCorrectionOf(c))
	}
	return httpapi.OK(out), nil
}

type askCorrectionInput struct {
	httpapi.Idempotent
	ID   string `path:"id" minLength:"26" maxLength:"26"`
	Body struct {
		Text string `json:"text" minLength:"2" maxLength:"200" doc:"哪里不对"`
	}
}

func (s *server) askCorrection(ctx context.Context, in *askCorrectionInput) (*httpapi.Body[MyCorrectionDTO], error) {
	c, err := s.Volunteer.AskCorrection(ctx, authz.FromContext(ctx), volunteer.AskInput{
		IdempotencyKey: in.IdempotencyKey, RecordID: in.ID, Text: in.Body.Text,
	})
	if err != nil {
		return nil, err
	}
	return httpapi.OK(myCorrectionOf(c)), nil
}

func (s *server) withdrawCorrection(ctx context.Context, in *idInput) (*httpapi.Body[MyCorrectionDTO], error) {
	c, err := s.Volunteer.WithdrawCorrection(ctx, authz.FromContext(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return httpapi.OK(myCorrectionOf(c)), nil
}

type listMyCorrectionsInput struct {
	httpapi.PageQuery
	State string `query:"state" enum:"asked,proposed,approved,rejected,declined,withdrawn"`
}

func (s *server) listMyCorrections(ctx context.Context, in *listMyCorrectionsInput) (*httpapi.Body[httpapi.PageBody[MyCorrectionDTO]], error) {
	page, err := s.Volunteer.MyCorrections(ctx, authz.FromContext(ctx), volunteer.CorrectionFilter{State: volunteer.CorrectionState(in.State)},
		paging.Request{Cursor: in.Cursor, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	return httpapi.OK(httpapi.PageOf(page, func(c volunteer.CorrectionItem) MyCorrectionDTO { return myCorrectionOf(c.Correction) })), nil
}
