package api

import (
	"context"
	"time"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/httpapi"
	"jiamenkou/service/market"
)

// ScanFields are what a clerk scanned or typed, and where.
type ScanFields struct {
	Code      string `json:"code,omitempty" maxLength:"200" doc:"扫码得到的文字；与 short_code 二选一"`
	ShortCode string `json:"short_code,omitempty" maxLength:"20" doc:"手工输入的 10 位数字"`
	StoreID   string `json:"store_id" minLength:"26" maxLength:"26" doc:"所在门店"`
}

func (f ScanFields) scan() market.Scan {
	return market.Scan{Code: f.Code, ShortCode: f.ShortCode, StoreID: f.StoreID}
}

type previewRedemptionInput struct{ Body struct{ ScanFields } }

type redemptionPreviewDTO struct {
	OrderID      string    `json:"order_id"`
	BenefitID    string    `json:"benefit_id"`
	BenefitTitle string    `json:"benefit_title" doc:"应交付什么"`
	Points       int64     `json:"points"`
	CashFen      int64     `json:"cash_fen" doc:"应收现金，分"`
	StoreID      string    `json:"store_id"`
	StoreName    string    `json:"store_name"`
	OrderedAt    time.Time `json:"ordered_at"`
	RedeemUntil  time.Time `json:"redeem_until"`
}

func (s *server) previewRedemption(ctx context.Context, in *previewRedemptionInput) (*httpapi.Body[redemptionPreviewDTO], error) {
	p, err := s.Market.Preview(ctx, authz.FromContext(ctx), in.Body.scan())
	if err != nil {
		return nil, err
	}
	return httpapi.OK(redemptionPreviewDTO{
		OrderID: p.OrderID, BenefitID: p.BenefitID, BenefitTitle: p.BenefitTitle, Points: p.Points, CashFen: p.CashFen,
		StoreID: p.StoreID, StoreName: p.StoreName, OrderedAt: p.OrderedAt.Time(), RedeemUntil: p.RedeemUntil.Time(),
	}), nil
}

type redeemInput struct {
	httpapi.Idempotent
	Body struct{ ScanFields }
}

type redeemedDTO struct {
	ID           string    `json:"id"`
	OrderID      string    `json:"order_id"`
	BenefitID    string    `json:"benefit_id"`
	BenefitTitle string    `json:"benefit_title" doc:"交付什么"`
	Points       int64     `json:"points" doc:"已扣积分"`
	CashFen      int64     `json:"cash_fen" doc:"应收现金，分"`
	StoreID      string    `json:"store_id"`
	StoreName    string    `json:"store_name"`
	ClerkID      string    `json:"clerk_id"`
	RedeemedAt   time.Time `json:"redeemed_at"`
}

func (s *server) redeem(ctx context.Context, in *redeemInput) (*httpapi.Body[redeemedDTO], error) {
	r, err := s.Market.Redeem(ctx, authz.FromContext(ctx), market.RedeemInput{Scan: in.Body.scan(), IdempotencyKey: in.IdempotencyKey})
	if err != nil {
		return nil, err
	}
	return httpapi.OK(redeemedDTO{
		ID: r.RedemptionID, OrderID: r.OrderID, BenefitID: r.BenefitID, BenefitTitle: r.BenefitTitle, Points: r.Points, CashFen: r.CashFen,
		StoreID: r.StoreID, StoreName: r.StoreName, ClerkID: r.ClerkID, RedeemedAt: r.RedeemedAt.Time(),
	}), nil
}

type reverseRedemptionInput struct {
	MarketPath
	httpapi.Idempotent
	Body struct {
		ReasonCode string `json:"reason_code,omitempty" enum:"wrong_scan,wrong_benefit,not_served,returned,other" doc:"见 GET /reversal-reasons"`
		Reason     string `json:"reason,omitempty" maxLength:"150" doc:"没有选择原因或选择其他时必填"`
	}
}

type reasonDTO struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

type reasonsDTO struct {
	Items []reasonDTO `json:"items"`
}

func (*server) listReversalReasons(context.Context, *struct{}) (*httpapi.Body[reasonsDTO], error) {
	out := reasonsDTO{}
	for _, r := range market.ReverseReasons() {
		out.Items = append(out.Items, reasonDTO{string(r.Code), r.Name})
	}
	return httpapi.OK(out), nil
}

type reversedDTO struct {
	OrderID    string    `json:"order_id"`
	Points     int64     `json:"points" doc:"已退回顾客的积分"`
	CashFen    int64     `json:"cash_fen" doc:"应退顾客的现金，分"`
	ReversedAt time.Time `json:"reversed_at"`
}

func (s *server) reverseRedemption(ctx context.Context, in *reverseRedemptionInput) (*httpapi.Body[reversedDTO], error) {
	r, err := s.Market.ReverseRedemption(ctx, authz.FromContext(ctx),
		market.ReverseInput{OrderID: in.ID, ReasonCode: market.ReverseReason(in.Body.ReasonCode), Reason: in.Body.Reason, IdempotencyKey: in.IdempotencyKey})
	if err != nil {
		return nil, err
	}
	return httpapi.OK(reversedDTO{OrderID: r.OrderID, Points: r.Points, CashFen: r.CashFen, ReversedAt: r.ReversedAt.Time()}), nil
}

type redemptionDTO struct {
	ID            string     `json:"id"`
	OrderID       string     `json:"order_id"`
	BenefitID     string     `json:"benefit_id"`
	BenefitTitle  string     `json:"benefit_title"`
	Points        int64      `json:"points"`
	CashFen       int64      `json:"cash_fen"`
	SubsidyFen    int64      `json:"subsidy_fen"`
	StoreID       string     `json:"store_id"`
	StoreName     string     `json:"store_name"`
	ClerkID       string     `json:"clerk_id"`
	ClerkName     string     `json:"clerk_name"`
	RedeemedAt    time.Time  `json:"redeemed_at"`
	ReversedAt    *time.Time `json:"reversed_at" doc:"null 表示没有撤销"`
	ReverseReason string     `json:"reverse_reason"`
}

func redemptionOf(r market.RedemptionView) redemptionDTO {
	return redemptionDTO{
		ID: r.ID, OrderID: r.OrderID, BenefitID: r.BenefitID, BenefitTitle: r.BenefitTitle, Points: r.Points, CashFen: r.CashFen,
		SubsidyFen: r.SubsidyFen, StoreID: r.StoreID, StoreName: r.StoreName, ClerkID: r.ClerkID, ClerkName: r.ClerkName,
		RedeemedAt: r.CreatedAt.Time(), ReversedAt: clock.TimePtr(r.ReversedAt), ReverseReason: r.ReverseReason,
	}
}

func (s *server) listRedemptionsToday(ctx context.Context, in *listInput) (*httpapi.Body[httpapi.PageBody[redemptionDTO]], error) {
	return httpapi.Listed(redemptionOf)(s.Market.MyRedemptionsToday(ctx, authz.FromContext(ctx), in.Request()))
}

type listRedemptionsInput struct {
	MarketListInput
	StoreID  string    `query:"store_id" maxLength:"26"`
	ClerkID  string    `query:"clerk_id" maxLength:"26"`
	From     time.Time `query:"from" doc:"从此刻起（含）"`
	To       time.Time `query:"to" doc:"到此刻止（不含）"`
	Reversed string    `query:"reversed" enum:"true,false" doc:"只看已撤销或未撤销的"`
}

func (s *server) listRedemptions(ctx context.Context, in *listRedemptionsInput) (*httpapi.Body[httpapi.PageBody[redemptionDTO]], error) {
	f := market.RedemptionFilter{StoreID: in.StoreID, ClerkID: in.ClerkID}
	if !in.From.IsZero() {
		f.From = clock.InstantOf(in.From)
	}
	if !in.To.IsZero() {
		f.To = clock.InstantOf(in.To)
	}
	if in.Reversed != "" {
		reversed := in.Reversed == "true"
		f.Reversed = &reversed
	}
	return httpapi.Listed(redemptionOf)(s.Market.Redemptions(ctx, authz.FromContext(ctx), in.ID, f, in.Request()))
}
