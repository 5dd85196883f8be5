package api

import (
	"context"
	"time"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/httpapi"
	"jiamenkou/service/market"
)

// StaffOrderDTO is an order in a list, and the head of its detail.
type StaffOrderDTO struct {
	ID              string     `json:"id"`
	BenefitID       string     `json:"benefit_id"`
	BenefitTitle    string     `json:"benefit_title"`
	MerchantID      string     `json:"merchant_id"`
	MerchantName    string     `json:"merchant_name"`
	RegionID        string     `json:"region_id" doc:"商户所在地区"`
	RegionName      string     `json:"region_name"`
	ResidentID      string     `json:"resident_id" doc:"商户人员看不到，为空"`
	VolunteerNumber string     `json:"volunteer_number" doc:"商户人员看不到，为空"`
	Points          int64      `json:"points"`
	CashFen         int64      `json:"cash_fen" doc:"到店支付，分"`
	SubsidyFen      int64      `json:"subsidy_fen" doc:"县里补给商户，分"`
	Status          string     `json:"status" enum:"held,redeemed,cancelled,expired,reversed"`
	RedeemUntil     time.Time  `json:"redeem_until"`
	StoreName       string     `json:"store_name" doc:"在哪家门店核销"`
	RedeemedAt      *time.Time `json:"redeemed_at"`
	ReversedAt      *time.Time `json:"reversed_at"`
	ReverseReason   string     `json:"reverse_reason"`
	CreatedAt       time.Time  `json:"created_at"`
}

func staffOrderOf(o market.StaffOrder) StaffOrderDTO {
	return StaffOrderDTO{
		ID: o.ID, BenefitID: o.BenefitID, BenefitTitle: o.BenefitTitle, MerchantID: o.MerchantID, MerchantName: o.MerchantName,
		RegionID: o.RegionID, RegionName: o.RegionName, ResidentID: o.ResidentID, VolunteerNumber: o.VolunteerNumber, Points: o.Points,
		CashFen: o.CashFen, SubsidyFen: o.SubsidyFen, Status: string(o.Status), RedeemUntil: o.RedeemUntil.Time(), StoreName: o.StoreName,
		RedeemedAt: clock.TimePtr(o.RedeemedAt), ReversedAt: clock.TimePtr(o.ReversedAt), ReverseReason: o.ReverseReason, CreatedAt: o.CreatedAt.Time(),
	}
}

type listOrdersInput struct {
	httpapi.SortedQuery
	PeriodQuery
	Status     string `query:"status" enum:"held,redeemed,cancelled,expired,reversed"`
	BenefitID  string `query:"benefit_id" maxLength:"26"`
	MerchantID string `query:"merchant_id" maxLength:"26"`
	ResidentID string `query:"resident_id" maxLength:"26" doc:"限运营、审计"`
}

func (s *server) listOrders(ctx context.Context, in *listOrdersInput) (*httpapi.Body[httpapi.PageBody[StaffOrderDTO]], error) {
	from, to := in.bounds()
	return httpapi.Listed(staffOrderOf)(s.Market.StaffOrders(ctx, authz.FromContext(ctx), market.OrderFilter{
		Status: market.OrderStatus(in.Status), BenefitID: in.BenefitID, MerchantID: in.MerchantID, ResidentID: in.ResidentID, From: from, To: to,
	}, in.Request()))
}

type orderMoveDTO struct {
	From      string    `json:"from" doc:"空表示下单"`
	To        string    `json:"to"`
	ActorKind string    `json:"actor_kind" enum:"resident,staff,system"`
	ActorID   string    `json:"actor_id"`
	ActorName string    `json:"actor_name" doc:"工作人员"`
	Reason    string    `json:"reason"`
	At        time.Time `json:"at"`
}

type orderRecordDTO struct {
	StaffOrderDTO
	History []orderMoveDTO `json:"history" doc:"先发生的在前"`
}

func (s *server) getOrder(ctx context.Context, in *idInput) (*httpapi.Body[orderRecordDTO], error) {
	o, err := s.Market.StaffOrder(ctx, authz.FromContext(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	out := orderRecordDTO{StaffOrderDTO: staffOrderOf(o.StaffOrder), History: []orderMoveDTO{}}
	for _, m := range o.History {
		out.History = append(out.History, orderMoveDTO{string(m.From), string(m.To), string(m.ActorKind), m.ActorID, m.ActorName, m.Reason, m.At.Time()})
	}
	return httpapi.OK(out), nil
}
