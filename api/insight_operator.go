package api

import (
	"context"
	"slices"
	"time"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/httpapi"
	"jiamenkou/internal/schedule"
	"jiamenkou/service/insight"
	"jiamenkou/service/policy"
)

// InsightQuery is the region and the period of a figure.
type InsightQuery struct {
	RegionID string `query:"region_id" maxLength:"26" doc:"地区，含其下级；不填为本人负责的最高一级"`
	From     string `query:"from" format:"date" doc:"开始日；不填为结束日之前 30 天"`
	To       string `query:"to" format:"date" doc:"结束日（含）；不填为今天。最长一年"`
}

func (q InsightQuery) query() insight.Query {
	return insight.Query{RegionID: q.RegionID, From: q.From, To: q.To}
}

// InsightScopeDTO is what an InsightQuery came to.
type InsightScopeDTO struct {
	RegionID   string `json:"region_id"`
	RegionName string `json:"region_name"`
	From       string `json:"from" format:"date"`
	To         string `json:"to" format:"date"`
}

func insightScopeOf(s insight.Scope) InsightScopeDTO {
	return InsightScopeDTO{RegionID: s.Region.ID, RegionName: s.Region.Name, From: string(s.From), To: string(s.To)}
}

type pointsInput struct {
	InsightQuery
	Step string `query:"step" enum:"day,week,month" default:"day" doc:"按日、周（周一开始）或月合计"`
}

type pointsDTO struct {
	StartsOn  string `json:"starts_on" format:"date" doc:"这一段的第一天"`
	Issued    int64  `json:"issued" doc:"发放"`
	TakenBack int64  `json:"taken_back" doc:"撤销、扣减"`
	Redeemed  int64  `json:"redeemed" doc:"核销"`
	Returned  int64  `json:"returned" doc:"撤销的核销"`
	Expired   int64  `json:"expired" doc:"到期"`
}

func pointsOf(p insight.Points) pointsDTO {
	return pointsDTO{
		StartsOn: string(p.StartsOn), Issued: p.Issued, TakenBack: p.TakenBack, Redeemed: p.Redeemed, Returned: p.Returned, Expired: p.Expired,
	}
}

type pointsReportDTO struct {
	InsightScopeDTO
	CountedAt       *time.Time  `json:"counted_at" doc:"统计截至时间；还没有统计过为 null"`
	Outstanding     int64       `json:"outstanding" doc:"居民手中的积分，含冻结"`
	Held            int64       `json:"held" doc:"其中冻结"`
	OutstandingAsOf *time.Time  `json:"outstanding_as_of" doc:"居民手中积分的统计时间；每小时一次"`
	Total           pointsDTO   `json:"total"`
	Series          []pointsDTO `json:"series"`
}

func (s *server) insightPoints(ctx context.Context, in *pointsInput) (*httpapi.Body[pointsReportDTO], error) {
	r, err := s.Insight.Points(ctx, authz.FromContext(ctx), in.query(), insight.Step(in.Step))
	if err != nil {
		return nil, err
	}
	out := pointsReportDTO{
		InsightScopeDTO: insightScopeOf(r.Scope), CountedAt: clock.TimePtr(r.CountedAt), Outstanding: r.Outstanding, Held: r.Held,
		OutstandingAsOf: clock.TimePtr(r.StandingAsOf), Total: pointsOf(r.Total), Series: make([]pointsDTO, len(r.Series)),
	}
	for i, p := range r.Series {
		out.Series[i] = pointsOf(p)
	}
	return httpapi.OK(out), nil
}

type listBudgetsInput struct {
	httpapi.SortedQuery
	RegionID string `query:"region_id" maxLength:"26" doc:"只看这个地区的预算"`
	On       string `query:"on" format:"date" doc:"只看这一天在用的预算"`
}

func (in *listBudgetsInput) filter() policy.BudgetFilter {
	return policy.BudgetFilter{RegionID: in.RegionID, On: clock.Day(in.On)}
}

type forecastDTO struct {
	BudgetDTO
	RemainingPoints int64   `json:"remaining_points"`
	MeanDays        int     `json:"mean_days" doc:"用最近多少天（不含今天，最多 28 天）算平均"`
	PointsPerDay    float64 `json:"points_per_day" doc:"这些天平均每天净发放"`
	UsedUpOn        *string `json:"used_up_on" format:"date" doc:"照此速度用完的日子；null 表示到期前用不完"`
	LeftAtTheEnd    int64   `json:"left_at_the_end" doc:"照此速度到期时剩下的积分"`
}

func forecastOf(f insight.BudgetForecast) forecastDTO {
	return forecastDTO{
		BudgetDTO: budgetOf(f.BudgetUse), RemainingPoints: f.Remaining, MeanDays: f.MeanDays, PointsPerDay: float64(f.MeanTenths) / 10,
		UsedUpOn: (*string)(f.UsedUpOn), LeftAtTheEnd: f.LeftAtTheEnd,
	}
}

func (s *server) insightBudgets(ctx context.Context, in *listBudgetsInput) (*httpapi.Body[httpapi.PageBody[forecastDTO]], error) {
	return placedPage(ctx, s, forecastOf)(s.Insight.Budgets(ctx, authz.FromContext(ctx), in.filter(), in.Request()))
}

type participationDTO struct {
	RegionID        string `json:"region_id"`
	RegionName      string `json:"region_name"`
	Level           string `json:"level"`
	Residents       int64  `json:"residents"`
	ActiveResidents int64  `json:"active_residents" doc:"最近 30 天有过计分、兑换或上报的居民"`
	IssuedPoints    int64  `json:"issued_points" doc:"净发放"`
	RedeemedPoints  int64  `json:"redeemed_points" doc:"净核销"`
	ServiceMinutes  int64  `json:"service_minutes" doc:"期内生效的服务时长，不含更正"`
	Corrected       int64  `json:"corrected_minutes" doc:"期内更正服务记录增减的分钟，可为负"`
	Reports         int64  `json:"reports"`
}

func participationOf(p insight.Participation) participationDTO {
	return participationDTO{
		RegionID: p.Region.ID, RegionName: p.Region.Name, Level: string(p.Region.Level), Residents: p.Residents, ActiveResidents: p.ActiveResidents,
		IssuedPoints: p.IssuedPoints, RedeemedPoints: p.RedeemedPoints, ServiceMinutes: p.ServiceMinutes, Corrected: p.CorrectedMinutes, Reports: p.Reports,
	}
}

type participationReportDTO struct {
	InsightScopeDTO
	CountedAt *time.Time         `json:"counted_at"`
	Self      participationDTO   `json:"self" doc:"本级合计，含下级"`
	Children  []participationDTO `json:"children" doc:"下一级各地区"`
}

func (s *server) insightParticipation(ctx context.Context, in *InsightQuery) (*httpapi.Body[participationReportDTO], error) {
	r, err := s.Insight.Participation(ctx, authz.FromContext(ctx), in.query())
	if err != nil {
		return nil, err
	}
	out := participationReportDTO{
		InsightScopeDTO: insightScopeOf(r.Scope), CountedAt: clock.TimePtr(r.CountedAt), Self: participationOf(r.Self),
		Children: make([]participationDTO, len(r.Children)),
	}
	for i, c := range r.Children {
		out.Children[i] = participationOf(c)
	}
	return httpapi.OK(out), nil
}

type caseFiguresDTO struct {
	RegionID   string   `json:"region_id"`
	RegionName string   `json:"region_name"`
	Reported   int64    `json:"reported" doc:"期间上报的事件"`
	OnTime     int64    `json:"on_time" doc:"按时办理"`
	Late       int64    `json:"late" doc:"超时办理"`
	Open       int64    `json:"open" doc:"正在办理，未到期限"`
	Overdue    int64    `json:"overdue" doc:"正在办理，已超时"`
	Dropped    int64    `json:"dropped" doc:"不予受理或撤回"`
	Rated      int64    `json:"rated" doc:"有评价的"`
	Rating     *float64 `json:"rating" doc:"平均评价，1 到 5；没有评价为 null"`
}

func caseFiguresOf(c insight.CasesOf) caseFiguresDTO {
	out := caseFiguresDTO{
		RegionID: c.Region.ID, RegionName: c.Region.Name, Reported: c.Reported, OnTime: c.OnTime, Late: c.Late, Open: c.Open,
		Overdue: c.Overdue, Dropped: c.Dropped, Rated: c.Rated,
	}
	if c.Rated > 0 {
		mean := float64(c.Ratings) / float64(c.Rated)
		out.Rating = &mean
	}
	return out
}

type caseReportDTO struct {
	InsightScopeDTO
	Self     caseFiguresDTO   `json:"self"`
	Children []caseFiguresDTO `json:"children"`
}

func (s *server) insightCases(ctx context.Context, in *InsightQuery) (*httpapi.Body[caseReportDTO], error) {
	r, err := s.Insight.Cases(ctx, authz.FromContext(ctx), in.query())
	if err != nil {
		return nil, err
	}
	out := caseReportDTO{InsightScopeDTO: insightScopeOf(r.Scope), Self: caseFiguresOf(r.Self), Children: make([]caseFiguresDTO, len(r.Children))}
	for i, c := range r.Children {
		out.Children[i] = caseFiguresOf(c)
	}
	return httpapi.OK(out), nil
}

type jobTroubleDTO struct {
	Total int               `json:"total" doc:"定时任务总数"`
	Items []scheduledJobDTO `json:"items" doc:"到点没有运行，或上一次没有成功的"`
}

// insightJobs lists what is late or failed of all entries: there are a few
// dozen.
func (s *server) insightJobs(ctx context.Context, _ *struct{}) (*httpapi.Body[jobTroubleDTO], error) {
	all, err := s.Jobs.Health(ctx)
	if err != nil {
		return nil, err
	}
	out := jobTroubleDTO{Total: len(all), Items: []scheduledJobDTO{}}
	for _, j := range slices.DeleteFunc(all, func(j schedule.Status) bool { return !j.Overdue && !j.Failing }) {
		out.Items = append(out.Items, scheduledJobOf(j))
	}
	return httpapi.OK(out), nil
}
