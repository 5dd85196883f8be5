package miniprogram

import (
	"context"
	"encoding/json"
	"time"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/httpapi"
	"jiamenkou/internal/paging"
	"jiamenkou/service/ledger"
)

type walletDTO struct {
	Available int64         `json:"available" doc:"现在可用的积分"`
	Held      int64         `json:"held" doc:"兑换中冻结的积分"`
	Points    int64         `json:"points" doc:"积分总数（含冻结）"`
	Frozen    bool          `json:"frozen" doc:"核对中，暂停使用"`
	Expiring  []expiringDTO `json:"expiring" doc:"按到期日从近到远"`
}

type expiringDTO struct {
	Day    string `json:"day" format:"date" doc:"最后可用日"`
	Points int64  `json:"points"`
}

func (s *server) getWallet(ctx context.Context, _ *struct{}) (*httpapi.Body[walletDTO], error) {
	w, err := s.Ledger.Wallet(ctx, authz.FromContext(ctx).ID)
	if err != nil {
		return nil, err
	}
	out := walletDTO{Available: w.Available, Held: w.Held, Points: w.Points, Frozen: w.Frozen, Expiring: []expiringDTO{}}
	for _, e := range w.Expiring {
		out.Expiring = append(out.Expiring, expiringDTO{Day: string(e.Day), Points: e.Points})
	}
	return httpapi.OK(out), nil
}

// WalletEntryDTO is a line of the wallet, and the head of its detail.
type WalletEntryDTO struct {
	ID          string          `json:"id"`
	Kind        string          `json:"kind" enum:"earn,capture,reverse,expire,adjust"`
	Points      int64           `json:"points" doc:"正数为收入，负数为支出"`
	Source      string          `json:"source" doc:"业务类型，如 article_read、benefit_order"`
	SourceID    string          `json:"source_id"`
	Reason      string          `json:"reason"`
	RuleID      string          `json:"rule_id" doc:"依据的积分规则，空表示无"`
	RuleVersion int64           `json:"rule_version"`
	Evidence    json.RawMessage `json:"evidence" doc:"为什么是这个数：记账依据"`
	ReversesID  string          `json:"reverses_id" doc:"撤销的是哪一笔，空表示不是撤销"`
	EffectiveAt time.Time       `json:"effective_at"`
	CreatedAt   time.Time       `json:"created_at"`
}

func walletEntryOf(e ledger.Entry) WalletEntryDTO {
	return WalletEntryDTO{
		ID: e.TransferID, Kind: string(e.Kind), Points: e.Amount, Source: e.SourceType, SourceID: e.SourceID,
		Reason: e.Reason, RuleID: e.RuleID, RuleVersion: e.RuleVersion, Evidence: json.RawMessage(e.Evidence),
		ReversesID: e.ReversesID, EffectiveAt: e.EffectiveAt.Time(), CreatedAt: e.CreatedAt.Time(),
	}
}

type walletEntriesInput struct {
	httpapi.PageQuery
	Kind string    `query:"kind" enum:"earn,capture,reverse,expire,adjust" doc:"只看一种"`
	From time.Time `query:"from" doc:"从此刻起（含）"`
	To   time.Time `query:"to" doc:"到此刻止（不含）"`
}

func (s *server) listWalletEntries(ctx context.Context, in *walletEntriesInput) (*httpapi.Body[httpapi.PageBody[WalletEntryDTO]], error) {
	filter := ledger.EntryFilter{Kind: ledger.EntryKind(in.Kind)}
	if !in.From.IsZero() {
		filter.From = clock.InstantOf(in.From)
	}
	if !in.To.IsZero() {
		filter.To = clock.InstantOf(in.To)
	}
	wallet := ledger.WalletOf(authz.FromContext(ctx).ID)
	page, err := s.Ledger.Entries(ctx, wallet, filter, paging.Request{Cursor: in.Cursor, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	return httpapi.OK(httpapi.PageOf(page, walletEntryOf)), nil
}

// eventNames are what residents read.
var eventNames = map[string]string{
	"volunteer_service": "志愿服务", "article_read": "读播报", "daily_sign_in": "签到", "report_verified": "上报核实",
}

type earningDTO struct {
	EventKind  string `json:"event_kind" enum:"volunteer_service,article_read,daily_sign_in,report_verified"`
	Name       string `json:"name" example:"读播报"`
	Points     int64  `json:"points" doc:"每次（或每 per_minutes 分钟）积分"`
	PerMinutes int64  `json:"per_minutes"`
	DailyCap   int64  `json:"daily_cap" doc:"今天最多计分次数"`
	PaidToday  int64  `json:"paid_today" doc:"今天已计分次数"`
	MaxPoints  int64  `json:"max_points" doc:"一次最多几分"`
	EarnedNow  int64  `json:"earned_today" doc:"今天已得积分"`
	CapPoints  int64  `json:"cap_points" doc:"今天最多可得积分"`
}

type earningsDTO struct {
	Day   string       `json:"day" format:"date"`
	Items []earningDTO `json:"items"`
}

func (s *server) listEarnings(ctx context.Context, _ *struct{}) (*httpapi.Body[earningsDTO], error) {
	e, err := s.Policy.Earnings(ctx, authz.FromContext(ctx).ID)
	if err != nil {
		return nil, err
	}
	out := earningsDTO{Day: string(e.Day), Items: []earningDTO{}}
	for _, i := range e.Items {
		out.Items = append(out.Items, earningDTO{
			EventKind: string(i.Rule.EventKind), Name: eventNames[string(i.Rule.EventKind)], MaxPoints: i.Rule.MaxPoints,
			CapPoints: i.Rule.DailyCap * i.Rule.MaxPoints, Points: i.Rule.Points, PerMinutes: i.Rule.PerMinutes,
			DailyCap: i.Rule.DailyCap, PaidToday: i.PaidToday, EarnedNow: i.EarnedToday,
		})
	}
	return httpapi.OK(out), nil
}
