package miniprogram

import (
	"context"
	"time"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/httpapi"
	"jiamenkou/internal/paging"
	"jiamenkou/service/ledger"
	"jiamenkou/service/recourse"
)

type walletMonthsInput struct {
	From string `query:"from" required:"true" pattern:"^[0-9]{4}-[0-9]{2}$" doc:"起始月份（含），如 2026-01"`
	To   string `query:"to" required:"true" pattern:"^[0-9]{4}-[0-9]{2}$" doc:"截止月份（含），最多 36 个月"`
}

type walletMonthDTO struct {
	Month    string `json:"month" example:"2026-03"`
	Earned   int64  `json:"earned" doc:"获得"`
	Spent    int64  `json:"spent" doc:"兑换"`
	Expired  int64  `json:"expired" doc:"到期"`
	Returned int64  `json:"returned" doc:"商户撤销后退回"`
	Adjusted int64  `json:"adjusted" doc:"调账与撤销，可为负数"`
	Net      int64  `json:"net" doc:"当月净增"`
}

type walletMonthsDTO struct {
	Items []walletMonthDTO `json:"items" doc:"月份从早到晚，没有明细的月份为零"`
}

func (s *server) listWalletMonths(ctx context.Context, in *walletMonthsInput) (*httpapi.Body[walletMonthsDTO], error) {
	months, err := s.Ledger.Months(ctx, ledger.WalletOf(authz.FromContext(ctx).ID), in.From, in.To)
	if err != nil {
		return nil, err
	}
	out := walletMonthsDTO{Items: []walletMonthDTO{}}
	for _, m := range months {
		out.Items = append(out.Items, walletMonthDTO{
			Month: m.Month, Earned: m.Earned, Spent: m.Spent, Expired: m.Expired, Returned: m.Returned, Adjusted: m.Adjusted, Net: m.Net(),
		})
	}
	return httpapi.OK(out), nil
}

type walletEntryInput struct {
	ID string `path:"id" minLength:"26" maxLength:"26"`
}

type walletFactDTO struct {
	Label string `json:"label" example:"播报"`
	Value string `json:"value"`
}

type walletPersonDTO struct {
	Part string `json:"part" example:"审批" doc:"做了什么"`
	Name string `json:"name" doc:"姓名隐去"`
}

type walletEntryDetailDTO struct {
	WalletEntryDTO
	Rule         *walletRuleDTO    `json:"rule,omitempty" doc:"记账时的规则"`
	RuleText     string            `json:"rule_text" doc:"记账时的规则原文，空表示不按规则"`
	Facts        []walletFactDTO   `json:"facts" doc:"依据，逐条"`
	People       []walletPersonDTO `json:"people" doc:"经办与审批人"`
	ReversedByID string            `json:"reversed_by_id" doc:"被哪一笔撤销，空表示没有"`
	CanObject    bool              `json:"can_object" doc:"现在可以提出异议"`
	HowToObject  string            `json:"how_to_object" doc:"如何提出异议"`
	Objections   []MyObjectionDTO  `json:"objections"`
}

type walletRuleDTO struct {
	EventKind  string `json:"event_kind"`
	Version    int64  `json:"version"`
	Points     int64  `json:"points"`
	PerMinutes int64  `json:"per_minutes"`
	MaxPoints  int64  `json:"max_points"`
	DailyCap   int64  `json:"daily_cap"`
	ObjectCap  int64  `json:"object_cap"`
	Note       string `json:"note"`
}

// getWalletEntry answers "why this number?": the rule in the version that was
// applied, the evidence, who stands behind it, what took it back, and how to
// object.
func (s *server) getWalletEntry(ctx context.Context, in *walletEntryInput) (*httpapi.Body[walletEntryDetailDTO], error) {
	why, err := s.Recourse.Explain(ctx, authz.FromContext(ctx).ID, in.ID)
	if err != nil {
		return nil, err
	}
	out := walletEntryDetailDTO{
		WalletEntryDTO: walletEntryOf(why.Entry), RuleText: why.RuleText, Facts: []walletFactDTO{}, People: []walletPersonDTO{},
		ReversedByID: why.ReversedByID, CanObject: why.CanObject, HowToObject: why.HowToObject, Objections: []MyObjectionDTO{},
	}
	if r := why.Rule; r != nil {
		out.Rule = &walletRuleDTO{
			EventKind: string(r.EventKind), Version: r.Version, Points: r.Points, PerMinutes: r.PerMinutes,
			MaxPoints: r.MaxPoints, DailyCap: r.DailyCap, ObjectCap: r.ObjectCap, Note: r.Note,
		}
	}
	for _, f := range why.Facts {
		out.Facts = append(out.Facts, walletFactDTO(f))
	}
	for _, p := range why.People {
		out.People = append(out.People, walletPersonDTO(p))
	}
	for _, o := range why.Objections {
		out.Objections = append(out.Objections, myObjectionOf(o))
	}
	return httpapi.OK(out), nil
}

// MyObjectionDTO is a resident's own objection.
type MyObjectionDTO struct {
	ID         string     `json:"id"`
	EntryID    string     `json:"entry_id" doc:"哪一笔明细"`
	Status     string     `json:"status" enum:"open,answered,closed"`
	Text       string     `json:"text"`
	Answer     string     `json:"answer"`
	AnsweredAt *time.Time `json:"answered_at"`
	ClosedAt   *time.Time `json:"closed_at"`
	CreatedAt  time.Time  `json:"created_at"`
}

func myObjectionOf(o recourse.Objection) MyObjectionDTO {
	return MyObjectionDTO{
		ID: o.ID, EntryID: o.TransferID, Status: string(o.Status), Text: o.Text, Answer: o.Answer,
		AnsweredAt: clock.TimePtr(o.AnsweredAt), ClosedAt: clock.TimePtr(o.ClosedAt), CreatedAt: o.CreatedAt.Time(),
	}
}

type objectInput struct {
	httpapi.Idempotent
	ID   string `path:"id" minLength:"26" maxLength:"26"`
	Body struct {
		Text string `json:"text" minLength:"5" maxLength:"500" doc:"哪里不对"`
	}
}

func (s *server) objectToEntry(ctx context.Context, in *objectInput) (*httpapi.Body[MyObjectionDTO], error) {
	o, err := s.Recourse.Object(ctx, authz.FromContext(ctx), recourse.ObjectionInput{
		TransferID: in.ID, Text: in.Body.Text, IdempotencyKey: in.IdempotencyKey,
	})
	if err != nil {
		return nil, err
	}
	return httpapi.OK(myObjectionOf(o)), nil
}

type myObjectionsInput struct {
	httpapi.PageQuery
	Status string `query:"status" enum:"open,answered,closed"`
}

func (s *server) listMyObjections(ctx context.Context, in *myObjectionsInput) (*httpapi.Body[httpapi.PageBody[MyObjectionDTO]], error) {
	page, err := s.Recourse.MyObjections(ctx, authz.FromContext(ctx),
		recourse.ObjectionFilter{Status: recourse.ObjectionStatus(in.Status)}, paging.Request{Cursor: in.Cursor, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	return httpapi.OK(httpapi.PageOf(page, myObjectionOf)), nil
}

func (s *server) closeMyObjection(ctx context.Context, in *walletEntryInput) (*httpapi.Body[MyObjectionDTO], error) {
	o, err := s.Recourse.Close(ctx, authz.FromContext(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return httpapi.OK(myObjectionOf(o)), nil
}
