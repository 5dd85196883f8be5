package miniprogram

import (
	"context"
	"encoding/base64"
	"time"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/httpapi"
	"jiamenkou/internal/paging"
	"jiamenkou/service/market"
	"jiamenkou/service/media"
)

// BenefitDTO is a benefit in a list.
type BenefitDTO struct {
	ID               string     `json:"id"`
	MerchantID       string     `json:"merchant_id"`
	MerchantName     string     `json:"merchant_name"`
	Title            string     `json:"title"`
	Category         string     `json:"category"`
	ImageKey         string     `json:"image_key" doc:"空表示没有图片"`
	ImageURL         string     `json:"image_url" doc:"不含域名，可直接用于 image；空表示没有"`
	PointsPrice      int64      `json:"points_price" doc:"需要的积分"`
	CashPriceFen     int64      `json:"cash_price_fen" doc:"到店另付，分"`
	OriginalPriceFen int64      `json:"original_price_fen" doc:"原价，分"`
	ValidFrom        time.Time  `json:"valid_from" doc:"可兑换的时间（含）"`
	ValidUntil       time.Time  `json:"valid_until" doc:"到此刻止（不含）"`
	Remaining        int64      `json:"remaining" doc:"本次放量还剩多少"`
	OnSale           bool       `json:"on_sale" doc:"正在放量"`
	NextReleaseAt    *time.Time `json:"next_release_at" doc:"下次放量，null 表示没有安排"`
	PerPersonLimit   int64      `json:"per_person_limit" doc:"每人限兑"`
	MyLeft           int64      `json:"my_left" doc:"我还能兑几份"`
	DistanceMeters   *int64     `json:"distance_meters" doc:"最近的可核销门店有多远；没有给位置或门店没有位置为 null"`
}

func benefitOf(v market.BenefitView) BenefitDTO {
	return BenefitDTO{
		ID: v.ID, MerchantID: v.MerchantID, MerchantName: v.MerchantName, Title: v.Title, Category: v.Category, ImageKey: v.ImageKey, ImageURL: media.Address(v.ImageKey),
		PointsPrice: v.PointsPrice, CashPriceFen: v.CashPriceFen, OriginalPriceFen: v.OriginalPriceFen,
		ValidFrom: v.ValidFrom.Time(), ValidUntil: v.ValidUntil.Time(), Remaining: v.Remaining, OnSale: v.OnSale,
		NextReleaseAt: clock.TimePtr(v.NextReleaseAt), PerPersonLimit: v.PerPersonLimit, MyLeft: v.MyLeft(), DistanceMeters: v.DistanceMeters(),
	}
}

type storeDTO struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Address string   `json:"address"`
	Lon     *float64 `json:"lon" doc:"经度（GCJ-02），null 表示没有"`
	Lat     *float64 `json:"lat"`
}

func storesOf(stores []market.Store) []storeDTO {
	out := make([]storeDTO, 0, len(stores))
	for _, s := range stores {
		out = append(out, storeDTO{ID: s.ID, Name: s.Name, Address: s.Address, Lon: s.Lon, Lat: s.Lat})
	}
	return out
}

type benefitDetailDTO struct {
	BenefitDTO
	Description  string     `json:"description"`
	ContactPhone string     `json:"contact_phone" doc:"商户电话"`
	RedeemDays   *int64     `json:"redeem_days" doc:"兑换当日之后多少天内核销"`
	RedeemUntil  *time.Time `json:"redeem_until" doc:"核销截止；与 redeem_days 只有一个不为 null"`
	Stores       []storeDTO `json:"stores" doc:"可核销的门店"`
}

type listBenefitsInput struct {
	httpapi.PageQuery
	Category   string `query:"category" enum:"dining,cinema,fitness,retail,culture,service,other"`
	Affordable bool   `query:"affordable" doc:"只看积分够的"`
	Query      string `query:"q" maxLength:"32" doc:"福利或商户名称包含"`
	Sort       string `query:"sort" enum:"newest,points,near" default:"newest" doc:"near 按距离，需要位置"`
	NearQuery
}

// NearQuery is the caller's position, in the query of a list.
type NearQuery struct {
	Lon float64 `query:"lon" minimum:"-180" maximum:"180" doc:"与 lat 一起给出；不会保存"`
	Lat float64 `query:"lat" minimum:"-90" maximum:"90"`
	InSystemQuery
}

var errHalfPlace = fault.New(fault.Invalid, "market.half_position", "经度和纬度要一起给出")

func (q NearQuery) position() (*market.Position, error) {
	if (q.Lon == 0) != (q.Lat == 0) {
		return nil, errHalfPlace
	}
	if q.Lon == 0 {
		return nil, nil //nolint:nilnil // none was given
	}
	lon, lat := q.convert(q.Lon, q.Lat)
	return &market.Position{Lon: lon, Lat: lat}, nil
}

func (s *server) listBenefits(ctx context.Context, in *listBenefitsInput) (*httpapi.Body[httpapi.PageBody[BenefitDTO]], error) {
	near, err := in.position()
	if err != nil {
		return nil, err
	}
	page, err := s.Market.VisibleBenefits(ctx, authz.FromContext(ctx), market.BenefitFilter{
		Category: in.Category, Affordable: in.Affordable, Text: in.Query, Sort: market.BenefitSort(in.Sort), Near: near,
	}, paging.Request{Cursor: in.Cursor, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	return httpapi.OK(httpapi.PageOf(page, benefitOf)), nil
}

// MarketPath names one object. (Embedded types are exported: huma leaves out
// what others are embedded in.)
type MarketPath struct {
	ID string `path:"id" minLength:"26" maxLength:"26"`
}

func (s *server) getBenefit(ctx context.Context, in *MarketPath) (*httpapi.Body[benefitDetailDTO], error) {
	d, err := s.Market.VisibleBenefit(ctx, authz.FromContext(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return httpapi.OK(benefitDetailDTO{
		BenefitDTO: benefitOf(d.BenefitView), Description: d.Description, ContactPhone: d.ContactPhone, RedeemDays: d.RedeemDays,
		RedeemUntil: clock.TimePtr(d.RedeemUntil), Stores: storesOf(d.Stores),
	}), nil
}

type placeOrderInput struct {
	httpapi.Idempotent
	Body struct {
		BenefitID string `json:"benefit_id" minLength:"26" maxLength:"26"`
	}
}

type placedDTO struct {
	ID          string    `json:"id"`
	BenefitID   string    `json:"benefit_id"`
	Points      int64     `json:"points" doc:"已冻结的积分，核销时扣除"`
	CashFen     int64     `json:"cash_fen" doc:"到店另付，分"`
	RedeemUntil time.Time `json:"redeem_until" doc:"请在此之前到店核销，逾期自动退回积分"`
	CreatedAt   time.Time `json:"created_at"`
}

func (s *server) placeOrder(ctx context.Context, in *placeOrderInput) (*httpapi.Body[placedDTO], error) {
	o, err := s.Market.Order(ctx, authz.FromContext(ctx), market.OrderInput{BenefitID: in.Body.BenefitID, IdempotencyKey: in.IdempotencyKey})
	if err != nil {
		return nil, err
	}
	return httpapi.OK(placedDTO{
		ID: o.OrderID, BenefitID: o.BenefitID, Points: o.Points, CashFen: o.CashFen, RedeemUntil: o.RedeemUntil.Time(), CreatedAt: o.CreatedAt.Time(),
	}), nil
}

// OrderDTO is an order in a list.
type OrderDTO struct {
	ID            string     `json:"id"`
	BenefitID     string     `json:"benefit_id"`
	BenefitTitle  string     `json:"benefit_title"`
	ImageKey      string     `json:"image_key"`
	ImageURL      string     `json:"image_url" doc:"不含域名，可直接用于 image；空表示没有"`
	MerchantName  string     `json:"merchant_name"`
	Points        int64      `json:"points"`
	CashFen       int64      `json:"cash_fen"`
	Status        string     `json:"status" enum:"held,redeemed,cancelled,expired,reversed" doc:"待核销、已核销、已取消、已过期、已撤销"`
	RedeemUntil   time.Time  `json:"redeem_until"`
	CreatedAt     time.Time  `json:"created_at"`
	RedeemedAt    *time.Time `json:"redeemed_at"`
	StoreName     string     `json:"store_name" doc:"核销门店，空表示未核销"`
	ReversedAt    *time.Time `json:"reversed_at"`
	ReverseReason string     `json:"reverse_reason"`
}

func orderOf(o market.OrderView) OrderDTO {
	return OrderDTO{
		ID: o.ID, BenefitID: o.BenefitID, BenefitTitle: o.BenefitTitle, ImageKey: o.ImageKey, ImageURL: media.Address(o.ImageKey), MerchantName: o.MerchantName,
		Points: o.Points, CashFen: o.CashFen, Status: string(o.Status), RedeemUntil: o.RedeemUntil.Time(), CreatedAt: o.CreatedAt.Time(),
		RedeemedAt: clock.TimePtr(o.RedeemedAt), StoreName: o.StoreName, ReversedAt: clock.TimePtr(o.ReversedAt), ReverseReason: o.ReverseReason,
	}
}

type listOrdersInput struct {
	httpapi.PageQuery
	Status string `query:"status" enum:"held,redeemed,cancelled,expired,reversed"`
}

func (s *server) listOrders(ctx context.Context, in *listOrdersInput) (*httpapi.Body[httpapi.PageBody[OrderDTO]], error) {
	page, err := s.Market.MyOrders(ctx, authz.FromContext(ctx), market.OrderStatus(in.Status), paging.Request{Cursor: in.Cursor, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	return httpapi.OK(httpapi.PageOf(page, orderOf)), nil
}

type orderDetailDTO struct {
	OrderDTO
	Stores []storeDTO `json:"stores" doc:"可核销的门店"`
}

func (s *server) getOrder(ctx context.Context, in *MarketPath) (*httpapi.Body[orderDetailDTO], error) {
	d, err := s.Market.MyOrder(ctx, authz.FromContext(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return httpapi.OK(orderDetailDTO{OrderDTO: orderOf(d.OrderView), Stores: storesOf(d.Stores)}), nil
}

type codeDTO struct {
	OrderID    string    `json:"order_id"`
	Code       string    `json:"code" doc:"二维码的文字"`
	ShortCode  string    `json:"short_code" doc:"10 位数字，供店员输入"`
	QRPNG      string    `json:"qr_png" doc:"二维码图片，data: 网址"`
	ServerTime time.Time `json:"server_time" doc:"按它校准倒计时"`
	RefreshAt  time.Time `json:"refresh_at" doc:"此时起有新码，请刷新"`
	ExpiresAt  time.Time `json:"expires_at" doc:"断网时本码可用到此刻"`
}

type codeOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         codeDTO
}

func (s *server) getOrderCode(ctx context.Context, in *MarketPath) (*codeOutput, error) {
	c, err := s.Market.Code(ctx, authz.FromContext(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return &codeOutput{CacheControl: "no-store", Body: codeDTO{
		OrderID: c.OrderID, Code: c.Code, ShortCode: c.ShortCode, QRPNG: "data:image/png;base64," + base64.StdEncoding.EncodeToString(c.QRPNG),
		ServerTime: c.ServerTime.Time(), RefreshAt: c.RefreshAt.Time(), ExpiresAt: c.ExpiresAt.Time(),
	}}, nil
}

type cancelOrderInput struct {
	MarketPath
	httpapi.Idempotent
	Body struct {
		Reason string `json:"reason,omitempty" maxLength:"200"`
	}
}

type cancelledDTO struct {
	OrderID     string    `json:"order_id"`
	Points      int64     `json:"points" doc:"已退回的积分"`
	CancelledAt time.Time `json:"cancelled_at"`
}

func (s *server) cancelOrder(ctx context.Context, in *cancelOrderInput) (*httpapi.Body[cancelledDTO], error) {
	c, err := s.Market.Cancel(ctx, authz.FromContext(ctx), market.CancelInput{OrderID: in.ID, Reason: in.Body.Reason, IdempotencyKey: in.IdempotencyKey})
	if err != nil {
		return nil, err
	}
	return httpapi.OK(cancelledDTO{OrderID: c.OrderID, Points: c.Points, CancelledAt: c.CancelledAt.Time()}), nil
}
