package api

import (
	"context"
	"time"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/httpapi"
	"jiamenkou/service/identity"
	"jiamenkou/service/lookup"
)

// ResidentRecordDTO is a resident in a list, and the head of the card.
type ResidentRecordDTO struct {
	ID              string    `json:"id"`
	MaskedName      string    `json:"masked_name" example:"王**"`
	MaskedPhone     string    `json:"masked_phone" example:"138****1234" doc:"空表示没有绑定"`
	VolunteerNumber string    `json:"volunteer_number"`
	HomeRegionID    string    `json:"home_region_id" doc:"空表示还没有选择"`
	HomeRegionName  string    `json:"home_region_name"`
	Status          string    `json:"status" enum:"active,frozen,deleted"`
	JoinedAt        time.Time `json:"joined_at"`
}

func residentRecordOf(r identity.ResidentRecord) ResidentRecordDTO {
	return ResidentRecordDTO{
		ID: r.ID, MaskedName: r.MaskedName, MaskedPhone: r.MaskedPhone, VolunteerNumber: r.VolunteerNumber,
		HomeRegionID: r.HomeRegionID, HomeRegionName: r.HomeRegionName, Status: string(r.Status), JoinedAt: r.JoinedAt.Time(),
	}
}

// PeriodQuery narrows a list to days, both included. (huma has checked that
// they are days.)
type PeriodQuery struct {
	From string `query:"from" format:"date" doc:"不早于这一天"`
	To   string `query:"to" format:"date" doc:"不晚于这一天"`
}

// bounds are the instants of the days: from inclusive, to exclusive, 0 if none
// was given.
func (p PeriodQuery) bounds() (from, to clock.Instant) {
	if p.From != "" {
		from = clock.Day(p.From).Start()
	}
	if p.To != "" {
		to = clock.Day(p.To).End()
	}
	return from, to
}

type listResidentsInput struct {
	httpapi.SortedQuery
	PeriodQuery
	RegionID string `query:"region_id" maxLength:"26" doc:"居住在此区域及其下级"`
	Status   string `query:"status" enum:"active,frozen,deleted"`
}

func (s *server) listResidents(ctx context.Context, in *listResidentsInput) (*httpapi.Body[httpapi.PageBody[ResidentRecordDTO]], error) {
	from, to := in.bounds()
	return httpapi.Listed(residentRecordOf)(s.Identity.ListResidents(ctx, authz.FromContext(ctx), identity.ResidentFilter{
		RegionID: in.RegionID, Status: identity.ResidentStatus(in.Status), JoinedFrom: from, JoinedTo: to,
	}, in.Request()))
}

type residentWalletDTO struct {
	Points    int64              `json:"points" doc:"含已冻结"`
	Held      int64              `json:"held" doc:"兑换中冻结的"`
	Available int64              `json:"available"`
	Frozen    bool               `json:"frozen" doc:"账户因对账差异被冻结"`
	Expiring  []expiringPointDTO `json:"expiring" doc:"先到期的在前"`
}

type expiringPointDTO struct {
	Day    string `json:"day" format:"date"`
	Points int64  `json:"points"`
}

type residentCardDTO struct {
	ResidentRecordDTO
	Wallet         residentWalletDTO `json:"wallet"`
	Orders         int64             `json:"orders"`
	HeldOrders     int64             `json:"held_orders" doc:"待核销"`
	RedeemedOrders int64             `json:"redeemed_orders"`
	Cases          int64             `json:"cases" doc:"上报的事件"`
	ServiceMinutes int64             `json:"service_minutes" doc:"已生效的服务时长，分钟"`
	PendingMinutes int64             `json:"pending_minutes" doc:"待审批"`
	ServiceRecords int64             `json:"service_records"`
}

func residentCardOf(c lookup.ResidentCard) residentCardDTO {
	wallet := residentWalletDTO{
		Points: c.Wallet.Points, Held: c.Wallet.Held, Available: c.Wallet.Available, Frozen: c.Wallet.Frozen, Expiring: []expiringPointDTO{},
	}
	for _, e := range c.Wallet.Expiring {
		wallet.Expiring = append(wallet.Expiring, expiringPointDTO{string(e.Day), e.Points})
	}
	return residentCardDTO{
		ResidentRecordDTO: residentRecordOf(c.ResidentRecord), Wallet: wallet,
		Orders: c.Orders.Total, HeldOrders: c.Orders.Held, RedeemedOrders: c.Orders.Redeemed, Cases: c.Reports,
		ServiceMinutes: c.Service.EffectiveMinutes, PendingMinutes: c.Service.PendingMinutes, ServiceRecords: c.Service.Records,
	}
}

func (s *server) getResident(ctx context.Context, in *idInput) (*httpapi.Body[residentCardDTO], error) {
	card, err := s.Lookup.Resident(ctx, authz.FromContext(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return httpapi.OK(residentCardOf(card)), nil
}

type unmaskInput struct {
	ID   string `path:"id" minLength:"26" maxLength:"26"`
	Body struct {
		Field  string `json:"field" enum:"phone,real_name"`
		Reason string `json:"reason" enum:"contact,verify,objection,certificate,emergency,other" doc:"电话联系本人、核对身份、处理异议或投诉、出具证明、紧急情况、其他"`
		Note   string `json:"note,omitempty" maxLength:"150" doc:"补充说明，选择其他时必填；本人可以看到"`
	}
}

type unmaskedDTO struct {
	Value string `json:"value"`
}

// unmasked is shown once and kept by nobody on the way.
type unmasked struct {
	CacheControl string `header:"Cache-Control"`
	Body         unmaskedDTO
}

func (s *server) unmaskResident(ctx context.Context, in *unmaskInput) (*unmasked, error) {
	value, err := s.Identity.Unmask(ctx, authz.FromContext(ctx), in.ID, identity.Unmasking{
		Field: identity.PIIField(in.Body.Field), Reason: identity.PIIReason(in.Body.Reason), Note: in.Body.Note,
	})
	if err != nil {
		return nil, err
	}
	return &unmasked{CacheControl: "no-store", Body: unmaskedDTO{Value: value}}, nil
}
