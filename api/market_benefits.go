package api

import (
	"context"
	"time"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/httpapi"
	"jiamenkou/service/market"
	"jiamenkou/service/media"
)

// BenefitDTO is a benefit.
type BenefitDTO struct {
	ID               string     `json:"id"`
	MerchantID       string     `json:"merchant_id"`
	RegionID         string     `json:"region_id" doc:"面向哪个地区（含下级）的居民"`
	Title            string     `json:"title"`
	Description      string     `json:"description"`
	Category         string     `json:"category"`
	ImageKey         string     `json:"image_key"`
	ImageURL         string     `json:"image_url" doc:"不含域名；空表示没有"`
	PointsPrice      int64      `json:"points_price"`
	CashPriceFen     int64      `json:"cash_price_fen" doc:"到店支付，分"`
	OriginalPriceFen int64      `json:"original_price_fen"`
	SubsidyFen       int64      `json:"subsidy_fen" doc:"每次核销县里补给商户，分"`
	PerPersonLimit   int64      `json:"per_person_limit"`
	RedeemDays       *int64     `json:"redeem_days" doc:"下单当日之后多少天内核销；与 redeem_until 二选一"`
	RedeemUntil      *time.Time `json:"redeem_until"`
	ValidFrom        time.Time  `json:"valid_from" doc:"可兑换的时间（含）"`
	ValidUntil       time.Time  `json:"valid_until" doc:"到此刻止（不含）"`
	Status           string     `json:"status" enum:"draft,pending_review,published,rejected,paused,ended"`
	PublishedAt      *time.Time `json:"published_at"`
	Version          int64      `json:"version"`
	CreatedAt        time.Time  `json:"created_at"`
	UpdatedAt        time.Time  `json:"updated_at"`
}

func benefitOf(b market.Benefit) BenefitDTO {
	return BenefitDTO{
		ID: b.ID, MerchantID: b.MerchantID, RegionID: b.RegionID, Title: b.Title, Description: b.Description, Category: b.Category,
		ImageKey: b.ImageKey, ImageURL: media.Address(b.ImageKey), PointsPrice: b.PointsPrice, CashPriceFen: b.CashPriceFen, OriginalPriceFen: b.OriginalPriceFen,
		SubsidyFen: b.SubsidyFen, PerPersonLimit: b.PerPersonLimit, RedeemDays: b.RedeemDays, RedeemUntil: clock.TimePtr(b.RedeemUntil),
		ValidFrom: b.ValidFrom.Time(), ValidUntil: b.ValidUntil.Time(), Status: string(b.Status), PublishedAt: clock.TimePtr(b.PublishedAt),
		Version: b.Version, CreatedAt: b.CreatedAt.Time(), UpdatedAt: b.UpdatedAt.Time(),
	}
}

// BenefitSummaryDTO is a benefit in a list.
type BenefitSummaryDTO struct {
	BenefitDTO
	MerchantName string `json:"merchant_name"`
	RegionName   string `json:"region_name"`
	Total        int64  `json:"total" doc:"历次放量合计"`
	Sold         int64  `json:"sold" doc:"已兑（含未核销）"`
}

func benefitSummaryOf(b market.ManagedBenefit) BenefitSummaryDTO {
	return BenefitSummaryDTO{
		BenefitDTO: benefitOf(b.Benefit), MerchantName: b.MerchantName, RegionName: b.RegionName, Total: b.Total, Sold: b.Sold,
	}
}

type releaseDTO struct {
	ID        string    `json:"id"`
	BenefitID string    `json:"benefit_id"`
	StartsAt  time.Time `json:"starts_at"`
	EndsAt    time.Time `json:"ends_at" doc:"到此刻止（不含）"`
	Total     int64     `json:"total"`
	Sold      int64     `json:"sold"`
	CreatedAt time.Time `json:"created_at"`
}

func releaseOf(r market.Release) releaseDTO {
	return releaseDTO{
		ID: r.ID, BenefitID: r.BenefitID, StartsAt: r.StartsAt.Time(), EndsAt: r.EndsAt.Time(), Total: r.Total, Sold: r.Sold,
		CreatedAt: r.CreatedAt.Time(),
	}
}

type benefitMoveDTO struct {
	From   string    `json:"from" doc:"空表示新建"`
	To     string    `json:"to"`
	Actor  string    `json:"actor_id"`
	Name   string    `json:"actor_name" doc:"工作人员；系统为空"`
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
}

type benefitRecordDTO struct {
	BenefitSummaryDTO
	StoreIDs       []string         `json:"store_ids" doc:"可核销的门店；空表示全部"`
	Releases       []releaseDTO     `json:"releases"`
	History        []benefitMoveDTO `json:"history"`
	MerchantStatus string           `json:"merchant_status" enum:"draft,active,suspended" doc:"商户营业时才能上架"`
	NextMoves      []string         `json:"next_moves" doc:"您现在可以做的操作：edit 修改、release 放量、submit、withdraw、approve、reject、pause、resume、end"`
}

// BenefitFields are what describes a benefit.
type BenefitFields struct {
	RegionID         string     `json:"region_id" minLength:"26" maxLength:"26"`
	Title            string     `json:"title" minLength:"1" maxLength:"64"`
	Description      string     `json:"description,omitempty" maxLength:"4000"`
	Category         string     `json:"category" enum:"dining,cinema,fitness,retail,culture,service,other"`
	ImageKey         string     `json:"image_key,omitempty" maxLength:"200"`
	PointsPrice      int64      `json:"points_price" minimum:"1" maximum:"1000000"`
	CashPriceFen     int64      `json:"cash_price_fen" minimum:"0" maximum:"100000000"`
	OriginalPriceFen int64      `json:"original_price_fen" minimum:"0" maximum:"100000000"`
	SubsidyFen       *int64     `json:"subsidy_fen,omitempty" minimum:"0" maximum:"100000000" doc:"不填为原价减现金部分"`
	PerPersonLimit   int64      `json:"per_person_limit" minimum:"1" maximum:"100"`
	RedeemDays       *int64     `json:"redeem_days,omitempty" minimum:"0" maximum:"366"`
	RedeemUntil      *time.Time `json:"redeem_until,omitempty"`
	ValidFrom        time.Time  `json:"valid_from"`
	ValidUntil       time.Time  `json:"valid_until"`
	StoreIDs         []string   `json:"store_ids,omitempty" maxItems:"100" doc:"可核销的门店；不填为全部"`
}

func (f BenefitFields) input() market.BenefitInput {
	in := market.BenefitInput{
		RegionID: f.RegionID, Title: f.Title, Description: f.Description, Category: f.Category, ImageKey: f.ImageKey,
		PointsPrice: f.PointsPrice, CashPriceFen: f.CashPriceFen, OriginalPriceFen: f.OriginalPriceFen, SubsidyFen: f.SubsidyFen,
		PerPersonLimit: f.PerPersonLimit, RedeemDays: f.RedeemDays, ValidFrom: clock.InstantOf(f.ValidFrom),
		ValidUntil: clock.InstantOf(f.ValidUntil), StoreIDs: f.StoreIDs,
	}
	if f.RedeemUntil != nil {
		in.RedeemUntil = clock.InstantOf(*f.RedeemUntil).Ptr()
	}
	return in
}

type createBenefitInput struct {
	MarketPath
	Body struct{ BenefitFields }
}

func (s *server) createBenefit(ctx context.Context, in *createBenefitInput) (*httpapi.Body[BenefitDTO], error) {
	b, err := s.Market.CreateBenefit(ctx, authz.FromContext(ctx), in.ID, in.Body.input())
	if err != nil {
		return nil, err
	}
	return httpapi.OK(benefitOf(b)), nil
}

type updateBenefitInput struct {
	MarketPath
	Body struct {
		BenefitFields
		Version int64 `json:"version" minimum:"1"`
	}
}

func (s *server) updateBenefit(ctx context.Context, in *updateBenefitInput) (*httpapi.Body[BenefitDTO], error) {
	b, err := s.Market.UpdateBenefit(ctx, authz.FromContext(ctx), in.ID, in.Body.Version, in.Body.input())
	if err != nil {
		return nil, err
	}
	return httpapi.OK(benefitOf(b)), nil
}

func (s *server) moveBenefit(move market.BenefitMove) func(context.Context, *moveInput) (*httpapi.Body[BenefitDTO], error) {
	return func(ctx context.Context, in *moveInput) (*httpapi.Body[BenefitDTO], error) {
		b, err := s.Market.MoveBenefit(ctx, authz.FromContext(ctx), in.ID, move, in.Body.Reason)
		if err != nil {
			return nil, err
		}
		return httpapi.OK(benefitOf(b)), nil
	}
}

type listBenefitsInput struct {
	httpapi.SortedQuery
	MerchantID string `query:"merchant_id" maxLength:"26"`
	Status     string `query:"status" enum:"draft,pending_review,published,rejected,paused,ended"`
	Query      string `query:"q" maxLength:"32" doc:"标题包含"`
}

func (s *server) listBenefits(ctx context.Context, in *listBenefitsInput) (*httpapi.Body[httpapi.PageBody[BenefitSummaryDTO]], error) {
	return httpapi.Listed(benefitSummaryOf)(s.Market.ManagedBenefits(ctx, authz.FromContext(ctx), market.ManagedBenefitFilter{
		MerchantID: in.MerchantID, Status: market.BenefitStatus(in.Status), Text: in.Query,
	}, in.Request()))
}

func (s *server) getBenefit(ctx context.Context, in *MarketPath) (*httpapi.Body[benefitRecordDTO], error) {
	r, err := s.Market.BenefitRecord(ctx, authz.FromContext(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	out := benefitRecordDTO{
		BenefitSummaryDTO: benefitSummaryOf(r.ManagedBenefit), StoreIDs: append([]string{}, r.StoreIDs...),
		Releases: []releaseDTO{}, History: []benefitMoveDTO{}, MerchantStatus: string(r.MerchantStatus), NextMoves: r.NextMoves,
	}
	for _, x := range r.Releases {
		out.Releases = append(out.Releases, releaseOf(x))
	}
	for _, h := range r.History {
		out.History = append(out.History, benefitMoveDTO{From: h.FromStatus, To: h.ToStatus, Actor: h.ActorID, Name: h.ActorName, Reason: h.Reason, At: h.CreatedAt.Time()})
	}
	return httpapi.OK(out), nil
}

type addReleaseInput struct {
	MarketPath
	httpapi.Idempotent
	Body struct {
		StartsAt time.Time `json:"starts_at"`
		EndsAt   time.Time `json:"ends_at" doc:"到此刻止（不含）"`
		Total    int64     `json:"total" minimum:"1" maximum:"10000000"`
	}
}

func (s *server) addRelease(ctx context.Context, in *addReleaseInput) (*httpapi.Body[releaseDTO], error) {
	r, err := s.Market.AddRelease(ctx, authz.FromContext(ctx), in.ID, market.ReleaseInput{
		StartsAt: clock.InstantOf(in.Body.StartsAt), EndsAt: clock.InstantOf(in.Body.EndsAt), Total: in.Body.Total,
		IdempotencyKey: in.IdempotencyKey,
	})
	if err != nil {
		return nil, err
	}
	return httpapi.OK(releaseOf(r)), nil
}
