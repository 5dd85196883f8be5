package api

import (
	"context"
	"time"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/httpapi"
	"jiamenkou/service/assurance"
)

type fourEyesDTO struct {
	ID           string     `json:"id"`
	Kind         string     `json:"kind" enum:"adjustment,manual_record,long_day,correction,objection,dispute"`
	ObjectID     string     `json:"object_id" doc:"调账、服务记录、更正、异议或结算单"`
	Title        string     `json:"title" doc:"活动或商户"`
	Detail       string     `json:"detail" doc:"调账的类型，记录或结算的日期"`
	Amount       int64      `json:"amount" doc:"调账、结算的积分，或服务的分钟"`
	RegionID     string     `json:"region_id"`
	RegionName   string     `json:"region_name"`
	ProposerKind string     `json:"proposer_kind" enum:"staff,resident,system"`
	ProposerID   string     `json:"proposer_id"`
	ProposerName string     `json:"proposer_name" doc:"工作人员"`
	ProposedAt   time.Time  `json:"proposed_at"`
	ReasonCode   string     `json:"reason_code" doc:"调账的原因"`
	Reason       string     `json:"reason"`
	Status       string     `json:"status" enum:"waiting,approved,rejected,lapsed" doc:"待处理、通过（或已答复、已处理）、不通过、失效"`
	DeciderID    string     `json:"decider_id"`
	DeciderName  string     `json:"decider_name"`
	DecidedAt    *time.Time `json:"decided_at"`
	DecisionNote string     `json:"decision_note"`
}

func fourEyesOf(d assurance.FourEyes) fourEyesDTO {
	return fourEyesDTO{
		ID: d.ID, Kind: string(d.Kind), ObjectID: d.ObjectID, Title: d.Title, Detail: d.Detail, Amount: d.Amount,
		RegionID: d.RegionID, RegionName: d.RegionName, ProposerKind: string(d.ProposerKind), ProposerID: d.ProposerID,
		ProposerName: d.ProposerName, ProposedAt: d.ProposedAt.Time(), ReasonCode: d.ReasonCode, Reason: d.Reason, Status: string(d.Status),
		DeciderID: d.DeciderID, DeciderName: d.DeciderName, DecidedAt: clock.TimePtr(d.DecidedAt), DecisionNote: d.DecisionNote,
	}
}

type listFourEyesInput struct {
	httpapi.SortedQuery
	PeriodQuery
	Kind     string `query:"kind" enum:"adjustment,manual_record,long_day,correction,objection,dispute"`
	Status   string `query:"status" enum:"waiting,approved,rejected,lapsed"`
	RegionID string `query:"region_id" maxLength:"26" doc:"此区域及其下级"`
	Staff    string `query:"staff" maxLength:"32" doc:"提交人或决定人的姓名或登录名，须完整"`
}

func (s *server) listFourEyes(ctx context.Context, in *listFourEyesInput) (*httpapi.Body[httpapi.PageBody[fourEyesDTO]], error) {
	from, to := in.bounds()
	return httpapi.Listed(fourEyesOf)(s.Assurance.FourEyesLog(ctx, authz.FromContext(ctx), assurance.FourEyesFilter{
		Kind: assurance.FourEyesKind(in.Kind), Status: assurance.FourEyesStatus(in.Status), RegionID: in.RegionID, Staff: in.Staff, From: from, To: to,
	}, in.Request()))
}
