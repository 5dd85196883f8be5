package api

import (
	"context"
	"time"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/httpapi"
	"jiamenkou/service/volunteer"
)

// CorrectionDTO is a correction in a list, and the head of its detail.
type CorrectionDTO struct {
	ID             string           `json:"id"`
	Record         serviceRecordDTO `json:"record" doc:"要更正的服务记录"`
	RegionID       string           `json:"region_id"`
	State          string           `json:"state" enum:"asked,proposed,approved,rejected,declined,withdrawn"`
	AskedText      string           `json:"asked_text" doc:"志愿者的话；空表示由组织者提出"`
	Kind           *string          `json:"kind" enum:"change,void" doc:"更正、作废；空表示还没有提议"`
	StartedAt      *time.Time       `json:"started_at" doc:"更正后"`
	EndedAt        *time.Time       `json:"ended_at" doc:"更正后"`
	Minutes        *int64           `json:"minutes" doc:"更正后"`
	QualityRating  *int64           `json:"quality_rating" doc:"更正后"`
	Reason         string           `json:"reason" doc:"提议的理由"`
	ProposedBy     *string          `json:"proposed_by"`
	ProposerName   string           `json:"proposer_name"`
	ProposedAt     *time.Time       `json:"proposed_at"`
	DecidedBy      *string          `json:"decided_by"`
	DecidedAt      *time.Time       `json:"decided_at"`
	DecisionReason string           `json:"decision_reason"`
	ResultRecordID *string          `json:"result_record_id" doc:"更正后的服务记录"`
	CreatedAt      time.Time        `json:"created_at"`
}

func correctionOf(c volunteer.CorrectionItem) CorrectionDTO {
	out := CorrectionDTO{
		ID: c.ID, Record: serviceRecordOf(c.Record), RegionID: c.RegionID, State: string(c.State), AskedText: c.AskedText,
		StartedAt: clock.TimePtr(c.StartedAt), EndedAt: clock.TimePtr(c.EndedAt), Minutes: c.Minutes, QualityRating: c.QualityRating,
		Reason: c.Reason, ProposedBy: c.ProposedBy, ProposerName: c.ProposerName, ProposedAt: clock.TimePtr(c.ProposedAt),
		DecidedBy: c.DecidedBy, DecidedAt: clock.TimePtr(c.DecidedAt), DecisionReason: c.DecisionReason, ResultRecordID: c.ResultRecordID,
		CreatedAt: c.CreatedAt.Time(),
	}
	if c.Kind != nil {
		kind := string(*c.Kind)
		out.Kind = &kind
	}
	return out
}

type correctionDetailDTO struct {
	CorrectionDTO
	RegionName string    `json:"region_name"`
	Approval   string    `json:"approval" enum:",second_person,long_day" doc:"提议由谁审批：另一人，或上级地区；空表示没有待审批的提议，或当天已没有余量"`
	History    []moveDTO `json:"history"`
}

type listCorrectionsInput struct {
	httpapi.SortedQuery
	State    string `query:"state" enum:"asked,proposed,approved,rejected,declined,withdrawn"`
	RecordID string `query:"record_id" maxLength:"26"`
}

func (s *server) listCorrections(ctx context.Context, in *listCorrectionsInput) (*httpapi.Body[httpapi.PageBody[CorrectionDTO]], error) {
	return httpapi.Listed(correctionOf)(s.Volunteer.Corrections(ctx, authz.FromContext(ctx), volunteer.CorrectionFilter{
		State: volunteer.CorrectionState(in.State), RecordID: in.RecordID,
	}, in.Request()))
}

func (s *server) getCorrection(ctx context.Context, in *idInput) (*httpapi.Body[correctionDetailDTO], error) {
	return s.correctionBody(ctx, in.ID, nil)
}

// correctionBody answers with the correction as it is now.
func (s *server) correctionBody(ctx context.Context, id string, err error) (*httpapi.Body[correctionDetailDTO], error) {
	if err != nil {
		return nil, err
	}
	c, err := s.Volunteer.Correction(ctx, authz.FromContext(ctx), id)
	if err != nil {
		return nil, err
	}
	out := correctionDetailDTO{
		CorrectionDTO: correctionOf(c.CorrectionItem), RegionName: c.RegionName, Approval: string(c.Approval), History: []moveDTO{},
	}
	for _, h := range c.History {
		out.History = append(out.History, moveOf(h.FromStatus, h.ToStatus, h.ActorKind, h.ActorID, h.Reason, h.CreatedAt))
	}
	return httpapi.OK(out), nameActors(ctx, s, out.History)
}

type proposeCorrectionInput struct {
	httpapi.Idempotent
	ID   string `path:"id" minLength:"26" maxLength:"26" doc:"服务记录"`
	Body struct {
		Kind          string     `json:"kind" enum:"change,void" doc:"更正、作废"`
		StartedAt     *time.Time `json:"started_at,omitempty" doc:"更正时必填，在原记录的那一天"`
		EndedAt       *time.Time `json:"ended_at,omitempty" doc:"更正时必填"`
		Minutes       int64      `json:"minutes,omitempty" minimum:"0" maximum:"720" doc:"更正时必填，除去休息"`
		QualityRating *int64     `json:"quality_rating,omitempty" minimum:"1" maximum:"5"`
		Reason        string     `json:"reason" minLength:"2" maxLength:"200"`
	}
}

func (s *server) proposeCorrection(ctx context.Context, in *proposeCorrectionInput) (*httpapi.Body[correctionDetailDTO], error) {
	proposal := volunteer.ProposalInput{
		IdempotencyKey: in.IdempotencyKey, RecordID: in.ID, Kind: volunteer.CorrectionKind(in.Body.Kind), Minutes: in.Body.Minutes,
		QualityRating: in.Body.QualityRating, Reason: in.Body.Reason,
	}
	if in.Body.StartedAt != nil {
		proposal.StartedAt = clock.InstantOf(*in.Body.StartedAt)
	}
	if in.Body.EndedAt != nil {
		proposal.EndedAt = clock.InstantOf(*in.Body.EndedAt)
	}
	c, err := s.Volunteer.ProposeCorrection(ctx, authz.FromContext(ctx), proposal)
	return s.correctionBody(ctx, c.ID, err)
}

type decideCorrectionInput struct {
	httpapi.Idempotent
	ID   string `path:"id" minLength:"26" maxLength:"26"`
	Body struct {
		Reason string `json:"reason,omitempty" maxLength:"200" doc:"不同意时必填"`
	}
}

func (in *decideCorrectionInput) decision() volunteer.CorrectionDecision {
	return volunteer.CorrectionDecision{IdempotencyKey: in.IdempotencyKey, CorrectionID: in.ID, Reason: in.Body.Reason}
}

func (s *server) approveCorrection(ctx context.Context, in *decideCorrectionInput) (*httpapi.Body[correctionDetailDTO], error) {
	_, err := s.Volunteer.ApproveCorrection(ctx, authz.FromContext(ctx), in.decision())
	return s.correctionBody(ctx, in.ID, err)
}

func (s *server) rejectCorrection(ctx context.Context, in *decideCorrectionInput) (*httpapi.Body[correctionDetailDTO], error) {
	_, err := s.Volunteer.RejectCorrection(ctx, authz.FromContext(ctx), in.decision())
	return s.correctionBody(ctx, in.ID, err)
}

func (s *server) declineCorrection(ctx context.Context, in *decideCorrectionInput) (*httpapi.Body[correctionDetailDTO], error) {
	_, err := s.Volunteer.DeclineCorrection(ctx, authz.FromContext(ctx), in.decision())
	return s.correctionBody(ctx, in.ID, err)
}
