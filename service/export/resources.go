package export

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
	"jiamenkou/service/casework"
	"jiamenkou/service/identity"
	"jiamenkou/service/lookup"
	"jiamenkou/service/market"
	"jiamenkou/service/policy"
	"jiamenkou/service/reading"
	"jiamenkou/service/recourse"
	"jiamenkou/service/region"
	"jiamenkou/service/settlement"
	"jiamenkou/service/volunteer"
)

// Lists are the services whose lists are exported.
type Lists struct {
	Region     *region.Service
	Identity   *identity.Service
	Policy     *policy.Service
	Reading    *reading.Service
	Volunteer  *volunteer.Service
	Casework   *casework.Service
	Market     *market.Service
	Settlement *settlement.Service
	Recourse   *recourse.Service
	Lookup     *lookup.Service
}

// Filters narrow an export as they narrow its list; "" does not. A resource
// takes some of them and refuses the others.
type Filters struct {
	MerchantID  string `json:"merchant_id,omitempty"`
	StatementID string `json:"statement_id,omitempty"`
	ShiftID     string `json:"shift_id,omitempty"`
	RegionID    string `json:"region_id,omitempty"`
	Status      string `json:"status,omitempty"`
	Kind        string `json:"kind,omitempty"`
	Category    string `json:"category,omitempty"`
	Text        string `json:"text,omitempty"`
	From        string `json:"from,omitempty"` // first day
	To          string `json:"to,omitempty"`   // last day
}

func (f Filters) fields() []struct{ name, value string } {
	return []struct{ name, value string }{
		{"merchant_id", f.MerchantID},
		{"statement_id", f.StatementID},
		{"shift_id", f.ShiftID},
		{"region_id", f.RegionID},
		{"status", f.Status},
		{"kind", f.Kind},
		{"category", f.Category},
		{"text", f.Text},
		{"from", f.From},
		{"to", f.To},
	}
}

// resource is one list that can be exported.
type resource struct {
	name    string
	roles   []authz.Role // as in the list's route
	takes   []string     // filters
	needs   []string     // filters that must be given, also in takes
	columns []string
	read    reader
}

// reader returns a page of rows.
type reader func(ctx context.Context, actor authz.Actor, f Filters, page paging.Request) (paging.Page[[]any], error)

// rows makes a reader of a list and of what its rows look like in a file.
func rows[T any](list func(context.Context, authz.Actor, Filters, paging.Request) (paging.Page[T], error), cells func(T) []any) reader {
	return func(ctx context.Context, actor authz.Actor, f Filters, page paging.Request) (paging.Page[[]any], error) {
		p, err := list(ctx, actor, f, page)
		return paging.Map(p, cells), err
	}
}

// names finds what the things with these ids are called, by one query.
type names func(ctx context.Context, ids []string) (map[string]string, error)

// namedRows is rows for a list that knows people or places by their ids alone:
// the cells get the names of those on the page.
func namedRows[T any](list func(context.Context, authz.Actor, Filters, paging.Request) (paging.Page[T], error),
	ids func(T) []string, find names, cells func(T, map[string]string) []any,
) reader {
	return func(ctx context.Context, actor authz.Actor, f Filters, page paging.Request) (paging.Page[[]any], error) {
		p, err := list(ctx, actor, f, page)
		if err != nil {
			return paging.Page[[]any]{}, err
		}
		var asked []string
		for _, item := range p.Items {
			asked = append(asked, ids(item)...)
		}
		slices.Sort(asked)
		called, err := find(ctx, slices.Compact(asked))
		return paging.Map(p, func(item T) []any { return cells(item, called) }), err
	}
}

// regionNames are what regions are called.
func (l Lists) regionNames(ctx context.Context, ids []string) (map[string]string, error) {
	regions, err := l.Region.ByIDs(ctx, ids)
	out := make(map[string]string, len(regions))
	for id, r := range regions {
		out[id] = r.Name
	}
	return out, err
}

func (s *Service) resource(name string) *resource {
	i := slices.IndexFunc(s.resources, func(r resource) bool { return r.name == name })
	if i < 0 {
		return nil
	}
	return &s.resources[i]
}

// page reads a page as the list would show it to the actor.
func (r *resource) page(ctx context.Context, actor authz.Actor, f Filters, page paging.Request) (paging.Page[[]any], error) {
	if !actor.Has(r.roles...) {
		return paging.Page[[]any]{}, authz.ErrForbidden
	}
	return r.read(ctx, actor, f, page)
}

const maxFilter = 64 // characters

func (r *resource) check(f Filters) error {
	var faults fault.Fields
	for _, x := range f.fields() {
		path := "body.filters." + x.name
		faults.Add(x.value == "" || slices.Contains(r.takes, x.name), path, "这种导出没有这个筛选条件")
		faults.Add(x.value != "" || !slices.Contains(r.needs, x.name), path, "请先选择")
		faults.Add(utf8.RuneCountInString(x.value) <= maxFilter, path, "最多 64 个字")
	}
	for _, x := range []struct{ name, value string }{{"from", f.From}, {"to", f.To}} {
		_, err := clock.ParseDay(x.value)
		faults.Add(x.value == "" || err == nil, "body.filters."+x.name, "应为日期，如 2026-03-01")
	}
	return faults.Err(codeInvalid)
}

// start and end are the instants of the days, 0 if none was given.
func (f Filters) start() clock.Instant {
	if f.From == "" {
		return 0
	}
	return clock.Day(f.From).Start()
}

func (f Filters) end() clock.Instant {
	if f.To == "" {
		return 0
	}
	return clock.Day(f.To).End()
}

// decider is who decided on an adjustment, "" as long as nobody has.
func decider(x recourse.Adjustment) string {
	if x.DecidedBy == nil {
		return ""
	}
	return *x.DecidedBy
}

var (
	overRegion = []authz.Role{authz.RoleOperator, authz.RoleAuditor}
	ofMarket   = []authz.Role{authz.RoleOperator, authz.RoleAuditor, authz.RoleOwner, authz.RoleClerk}
	ofMoney    = []authz.Role{authz.RoleOperator, authz.RoleAuditor, authz.RoleOwner}
	ofService  = []authz.Role{authz.RoleOperator, authz.RoleAuditor, authz.RoleOrganizer}
	ofCases    = []authz.Role{authz.RoleOperator, authz.RoleAuditor, authz.RoleGridWorker}
)

// resourcesOf is the table of what can be exported.
func resourcesOf(l Lists) []resource { //nolint:funlen // a table
	return []resource{
		{
			name: "merchants", roles: ofMarket, takes: []string{"status", "category", "text"},
			columns: []string{"编号", "名称", "类别", "联系人", "营业电话", "状态", "建立时间"},
			read: rows(func(ctx context.Context, a authz.Actor, f Filters, p paging.Request) (paging.Page[market.Merchant], error) {
				return l.Market.Merchants(ctx, a, market.MerchantFilter{Status: market.MerchantStatus(f.Status), Category: f.Category, Text: f.Text}, p)
			}, func(m market.Merchant) []any {
				return []any{m.ID, m.Name, m.Category, m.ContactName, m.ContactPhone, string(m.Status), m.CreatedAt}
			}),
		},
		{
			name: "benefits", roles: ofMarket, takes: []string{"merchant_id", "status", "text"},
			columns: []string{"编号", "标题", "商户", "面向地区", "积分", "现金（元）", "原价（元）", "补贴（元）", "放量", "已兑换", "状态", "开始", "结束"},
			read: rows(func(ctx context.Context, a authz.Actor, f Filters, p paging.Request) (paging.Page[market.ManagedBenefit], error) {
				return l.Market.ManagedBenefits(ctx, a, market.ManagedBenefitFilter{MerchantID: f.MerchantID, Status: market.BenefitStatus(f.Status), Text: f.Text}, p)
			}, func(b market.ManagedBenefit) []any {
				return []any{
					b.ID, b.Title, b.MerchantName, b.RegionName, b.PointsPrice, fen(b.CashPriceFen), fen(b.OriginalPriceFen), fen(b.SubsidyFen),
					b.Total, b.Sold, string(b.Status), b.ValidFrom, b.ValidUntil,
				}
			}),
		},
		{
			name: "redemptions", roles: ofMarket, takes: []string{"merchant_id", "from", "to"}, needs: []string{"merchant_id"},
			columns: []string{"编号", "兑换单", "福利", "积分", "到店现金（元）", "补贴（元）", "门店", "店员", "核销时间", "撤销时间", "撤销原因"},
			read: rows(func(ctx context.Context, a authz.Actor, f Filters, p paging.Request) (paging.Page[market.RedemptionView], error) {
				return l.Market.Redemptions(ctx, a, f.MerchantID, market.RedemptionFilter{From: f.start(), To: f.end()}, p)
			}, func(r market.RedemptionView) []any {
				return []any{
					r.ID, r.OrderID, r.BenefitTitle, r.Points, fen(r.CashFen), fen(r.SubsidyFen), r.StoreName, r.ClerkName, r.CreatedAt,
					r.ReversedAt, r.ReverseReason,
				}
			}),
		},
		{
			name: "orders", roles: ofMarket, takes: []string{"merchant_id", "status", "from", "to"},
			columns: []string{"编号", "福利", "商户", "地区", "志愿者编号", "积分", "到店现金（元）", "补贴（元）", "状态", "兑换时间", "到店期限", "核销时间", "核销门店"},
			read: rows(func(ctx context.Context, a authz.Actor, f Filters, p paging.Request) (paging.Page[market.StaffOrder], error) {
				return l.Market.StaffOrders(ctx, a, market.OrderFilter{
					MerchantID: f.MerchantID, Status: market.OrderStatus(f.Status), From: f.start(), To: f.end(),
				}, p)
			}, func(o market.StaffOrder) []any {
				return []any{
					o.ID, o.BenefitTitle, o.MerchantName, o.RegionName, o.VolunteerNumber, o.Points, fen(o.CashFen), fen(o.SubsidyFen),
					string(o.Status), o.CreatedAt, o.RedeemUntil, o.RedeemedAt, o.StoreName,
				}
			}),
		},
		{
			name: "statements", roles: ofMoney, takes: []string{"merchant_id", "status", "from", "to"},
			columns: []string{"编号", "结算日", "商户", "笔数", "积分", "补贴（元）", "上期结转（元）", "应付（元）", "结转下期（元）", "状态", "答复期限"},
			read: rows(func(ctx context.Context, a authz.Actor, f Filters, p paging.Request) (paging.Page[settlement.Statement], error) {
				return l.Settlement.Statements(ctx, a, settlement.StatementFilter{
					MerchantID: f.MerchantID, Status: settlement.Status(f.Status), From: clock.Day(f.From), To: clock.Day(f.To),
				}, p)
			}, func(s settlement.Statement) []any {
				return []any{
					s.ID, string(s.Day), s.MerchantName, s.LineCount, s.Points, fen(s.SubsidyFen), fen(s.CarriedInFen), fen(s.PayableFen),
					fen(s.CarriedOutFen), string(s.Status), s.ConfirmBy,
				}
			}),
		},
		{
			name: "statement_lines", roles: ofMoney, takes: []string{"statement_id"}, needs: []string{"statement_id"},
			columns: []string{"编号", "类型", "兑换单", "福利", "积分", "补贴（元）", "到店现金（元）", "时间"},
			read: rows(func(ctx context.Context, a authz.Actor, f Filters, p paging.Request) (paging.Page[settlement.Line], error) {
				return l.Settlement.Lines(ctx, a, f.StatementID, p)
			}, func(x settlement.Line) []any {
				return []any{x.ID, string(x.Kind), x.OrderID, x.BenefitTitle, x.Points, fen(x.SubsidyFen), fen(x.CashFen), x.OccurredAt}
			}),
		},
		{
			name: "cases", roles: ofCases, takes: []string{"status", "region_id", "category", "text"},
			columns: []string{"编号", "类型", "类别", "标题", "内容", "地区", "地址", "状态", "经办人", "期限", "是否超期", "评价", "上报时间"},
			read: rows(func(ctx context.Context, a authz.Actor, f Filters, p paging.Request) (paging.Page[casework.Summary], error) {
				filter := casework.BoardFilter{RegionID: f.RegionID, Category: casework.Category(f.Category), Text: f.Text}
				if f.Status != "" {
					filter.Statuses = []casework.Status{casework.Status(f.Status)}
				}
				return l.Casework.Board(ctx, a, filter, p)
			}, func(c casework.Summary) []any {
				var rating *int64
				if c.Rating > 0 {
					rating = &c.Rating
				}
				return []any{
					c.Number, string(c.Kind), string(c.Category), c.Title, c.Text, c.RegionName, c.Address, string(c.Status), c.AssigneeName,
					c.DueAt, c.Overdue, rating, c.CreatedAt,
				}
			}),
		},
		{
			name: "service_records", roles: ofService, takes: []string{"status", "kind", "from", "to"},
			columns: []string{"编号", "志愿者编号", "活动", "日期", "开始", "结束", "时长（分钟）", "地点", "服务对象", "内容", "评价", "负责人", "记录人", "状态"},
			read: rows(func(ctx context.Context, a authz.Actor, f Filters, p paging.Request) (paging.Page[model.ServiceRecord], error) {
				return l.Volunteer.Records(ctx, a, volunteer.RecordFilter{State: f.Status, Kind: f.Kind, From: clock.Day(f.From), To: clock.Day(f.To)}, p)
			}, func(r model.ServiceRecord) []any {
				return []any{
					r.ID, r.VolunteerNumber, r.ActivityTitle, string(r.Day), r.StartedAt, r.EndedAt, r.Minutes, r.PlaceName, r.Beneficiary,
					r.Content, r.QualityRating, r.PersonInCharge, r.RecorderName, string(r.State),
				}
			}),
		},
		{
			name: "activities", roles: ofService, takes: []string{"status", "text"},
			columns: []string{"编号", "标题", "类别", "服务对象", "地点", "负责人", "状态", "发布时间", "建立时间"},
			read: rows(func(ctx context.Context, a authz.Actor, f Filters, p paging.Request) (paging.Page[volunteer.ActivityItem], error) {
				return l.Volunteer.StaffActivities(ctx, a, volunteer.StaffActivityFilter{Status: f.Status, Text: f.Text}, p)
			}, func(x volunteer.ActivityItem) []any {
				return []any{x.ID, x.Title, x.Category, x.Beneficiary, x.PlaceName, x.ContactName, string(x.Status), x.PublishedAt, x.CreatedAt}
			}),
		},
		{
			name: "attendances", roles: ofService, takes: []string{"shift_id", "status"}, needs: []string{"shift_id"},
			columns: []string{"报名编号", "志愿者编号", "报名状态", "签到时间", "签退时间", "签到记录状态", "计入时长（分钟）"},
			read: rows(func(ctx context.Context, a authz.Actor, f Filters, p paging.Request) (paging.Page[volunteer.Attendee], error) {
				return l.Volunteer.Attendees(ctx, a, f.ShiftID, f.Status, p)
			}, func(x volunteer.Attendee) []any {
				at := x.Attendance
				if at == nil {
					return []any{x.ID, x.VolunteerNumber, string(x.Status), "", "", "", ""}
				}
				return []any{x.ID, x.VolunteerNumber, string(x.Status), at.CheckInAt, at.CheckOutAt, string(at.Status), at.Minutes}
			}),
		},
		{
			name: "adjustments", roles: overRegion, takes: []string{"status", "kind"},
			columns: []string{"编号", "类型", "居民编号", "积分", "原因", "说明", "状态", "提交人编号", "提交人", "审批人编号", "审批人", "审批时间", "审批意见", "提交时间"},
			read: namedRows(func(ctx context.Context, a authz.Actor, f Filters, p paging.Request) (paging.Page[recourse.Adjustment], error) {
				return l.Recourse.Adjustments(ctx, a, recourse.AdjustmentFilter{Status: model.AdjustmentStatus(f.Status), Kind: model.AdjustmentKind(f.Kind)}, p)
			}, func(x recourse.Adjustment) []string {
				return []string{x.ProposedBy, decider(x)}
			}, l.Identity.StaffNames, func(x recourse.Adjustment, staff map[string]string) []any {
				return []any{
					x.ID, string(x.Kind), x.ResidentID, x.Amount, string(x.ReasonCode), x.ReasonText, string(x.Status), x.ProposedBy, staff[x.ProposedBy],
					decider(x), staff[decider(x)], x.DecidedAt, x.DecisionReason, x.CreatedAt,
				}
			}),
		},
		{
			name: "budgets", roles: overRegion, takes: []string{"region_id"},
			columns: []string{"编号", "名称", "地区编号", "地区", "开始", "结束", "上限", "已发放", "建立时间"},
			read: namedRows(func(ctx context.Context, a authz.Actor, f Filters, p paging.Request) (paging.Page[policy.BudgetUse], error) {
				return l.Policy.Budgets(ctx, a, policy.BudgetFilter{RegionID: f.RegionID}, p)
			}, func(b policy.BudgetUse) []string { return []string{b.RegionID} }, l.regionNames, func(b policy.BudgetUse, regions map[string]string) []any {
				return []any{b.ID, b.Name, b.RegionID, regions[b.RegionID], string(b.StartsOn), string(b.EndsOn), b.LimitPoints, b.IssuedPoints, b.CreatedAt}
			}),
		},
		{
			name: "policy_rules", roles: overRegion, takes: []string{"region_id", "kind"},
			columns: []string{"编号", "地区编号", "地区", "事件", "版本", "预算编号", "预算", "积分", "计分时长（分钟）", "单次上限", "每日次数", "同一对象次数", "生效时间", "停用时间", "说明"},
			read: namedRows(func(ctx context.Context, a authz.Actor, f Filters, p paging.Request) (paging.Page[policy.NamedRule], error) {
				return l.Policy.Rules(ctx, a, policy.RuleFilter{RegionID: f.RegionID, EventKind: policy.EventKind(f.Kind)}, p)
			}, func(r policy.NamedRule) []string { return []string{r.RegionID} }, l.regionNames, func(r policy.NamedRule, regions map[string]string) []any {
				return []any{
					r.ID, r.RegionID, regions[r.RegionID], string(r.EventKind), r.Version, r.BudgetID, r.BudgetName, r.Points, r.PerMinutes, r.MaxPoints, r.DailyCap, r.ObjectCap,
					r.ActiveFrom, r.RetiredAt, r.Note,
				}
			}),
		},
		{
			name: "residents", roles: overRegion, takes: []string{"region_id", "status", "from", "to"},
			columns: []string{"编号", "姓名（遮盖）", "手机号（遮盖）", "志愿者编号", "居住地", "状态", "注册时间"},
			read: rows(func(ctx context.Context, a authz.Actor, f Filters, p paging.Request) (paging.Page[identity.ResidentRecord], error) {
				return l.Identity.ListResidents(ctx, a, identity.ResidentFilter{
					RegionID: f.RegionID, Status: identity.ResidentStatus(f.Status), JoinedFrom: f.start(), JoinedTo: f.end(),
				}, p)
			}, func(r identity.ResidentRecord) []any {
				return []any{r.ID, r.MaskedName, r.MaskedPhone, r.VolunteerNumber, r.HomeRegionName, string(r.Status), r.JoinedAt}
			}),
		},
		{
			name: "staff", roles: ofMoney, takes: []string{"merchant_id", "region_id", "status", "kind", "text"},
			columns: []string{"编号", "姓名", "账号", "地区", "角色", "状态", "两步验证", "建立时间"},
			read: rows(func(ctx context.Context, a authz.Actor, f Filters, p paging.Request) (paging.Page[identity.Staff], error) {
				return l.Identity.ListStaff(ctx, a, identity.StaffFilter{
					MerchantID: f.MerchantID, RegionID: f.RegionID, Status: identity.StaffStatus(f.Status), Role: authz.Role(f.Kind), Name: f.Text,
				}, p)
			}, func(x identity.Staff) []any {
				roles := make([]string, len(x.Grants))
				for i, g := range x.Grants {
					roles[i] = string(g.Role)
				}
				return []any{x.ID, x.Name, x.Username, x.RegionName, strings.Join(roles, " "), string(x.Status), x.SecondFactor, x.CreatedAt}
			}),
		},
		{
			name: "articles", roles: overRegion, takes: []string{"region_id", "status", "text"},
			columns: []string{"编号", "标题", "地区", "来源", "最短阅读（秒）", "小问题", "读完次数", "状态", "发布时间", "建立时间"},
			read: rows(func(ctx context.Context, a authz.Actor, f Filters, p paging.Request) (paging.Page[reading.StaffArticle], error) {
				return l.Reading.Articles(ctx, a, reading.ArticleFilter{RegionID: f.RegionID, Status: reading.ArticleStatus(f.Status), Text: f.Text}, p)
			}, func(x reading.StaffArticle) []any {
				return []any{x.ID, x.Title, x.RegionName, x.Source, x.MinSeconds, x.QuestionCount, x.Reads, string(x.Status), x.PublishedAt, x.CreatedAt}
			}),
		},
		{
			name: "objections", roles: overRegion, takes: []string{"status"},
			columns: []string{"编号", "异议", "状态", "答复", "提出时间", "答复时间"},
			read: rows(func(ctx context.Context, a authz.Actor, f Filters, p paging.Request) (paging.Page[recourse.Objection], error) {
				return l.Recourse.Objections(ctx, a, recourse.ObjectionFilter{Status: model.ObjectionStatus(f.Status)}, p)
			}, func(o recourse.Objection) []any {
				return []any{o.ID, o.Text, string(o.Status), o.Answer, o.CreatedAt, o.AnsweredAt}
			}),
		},
		{
			name: "audit_log", roles: overRegion, takes: []string{"kind", "region_id", "text", "from", "to"},
			columns: []string{"编号", "时间", "操作人类型", "操作人编号", "操作人", "操作", "对象类型", "对象编号", "对象名称", "所属编号", "地区编号", "地区", "原因", "详情"},
			read: rows(func(ctx context.Context, a authz.Actor, f Filters, p paging.Request) (paging.Page[lookup.AuditRecord], error) {
				return l.Lookup.AuditLog(ctx, a, identity.AuditFilter{
					Action: f.Kind, RegionID: f.RegionID, ActorName: f.Text, From: f.start(), To: f.end(),
				}, p)
			}, func(r lookup.AuditRecord) []any {
				return []any{
					r.ID, r.CreatedAt, string(r.ActorKind), r.ActorID, r.ActorName, r.Action, r.ObjectType, r.ObjectID, r.ObjectName, r.ObjectWithin,
					r.RegionID, r.RegionName, r.Reason, r.Detail,
				}
			}),
		},
	}
}
