package recourse

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"jiamenkou/internal/clock"
	"jiamenkou/model"
	"jiamenkou/service/ledger"
	"jiamenkou/service/market"
	"jiamenkou/service/policy"
)

// Fact is one line of "why this number".
type Fact struct {
	Label string
	Value string
}

// Person is a member of staff who stands behind an entry; the name is masked.
type Person struct {
	Part string // what the person did: 提交, 审批, 确认 …
	Name string
}

// Explanation is why an entry of a wallet says what it says.
type Explanation struct {
	Entry        ledger.Entry
	Rule         *policy.Rule // nil if no rule set the amount
	RuleText     string
	Facts        []Fact
	People       []Person
	ReversedByID string // the entry that took it back, "" if none
	Objections   []Objection
	CanObject    bool
	HowToObject  string
}

// Explain answers "why this number?" for an entry of a resident's wallet, in a
// constant number of statements, or returns ErrEntryMissing.
func (s *Service) Explain(ctx context.Context, residentID, transferID string) (Explanation, error) {
	e, err := s.ledger.Entry(ctx, ledger.WalletOf(residentID), transferID)
	if errors.Is(err, ledger.ErrTransferMissing) {
		return Explanation{}, ErrEntryMissing
	}
	if err != nil {
		return Explanation{}, err
	}
	out := Explanation{Entry: e}
	if e.RuleID != "" {
		rule, err := s.policy.Rule(ctx, e.RuleID)
		if err != nil {
			return out, err
		}
		out.Rule, out.RuleText = &rule, policy.RuleText(rule)
	}
	facts, err := s.Facts(ctx, []ledger.Entry{e})
	if err != nil {
		return out, err
	}
	out.Facts = facts[e.TransferID]
	if out.People, err = s.people(ctx, e); err != nil {
		return out, err
	}
	if out.ReversedByID, err = s.ledger.ReversedBy(ctx, e.TransferID); err != nil {
		return out, err
	}
	err = s.db.Read(ctx).Where("transfer_id = ?", e.TransferID).Order("id").Find(&out.Objections).Error
	if err != nil {
		return out, fmt.Errorf("recourse: objections: %w", err)
	}
	out.CanObject, out.HowToObject = howToObject(out.Objections)
	return out, nil
}

func howToObject(earlier []Objection) (can bool, text string) {
	for _, o := range earlier {
		if o.Status == model.ObjectionOpen {
			return false, "您的异议正在处理，居住地的运营人员会答复您"
		}
	}
	if len(earlier) >= model.MaxObjections {
		return false, ErrObjectionLimit.Message
	}
	return true, "写明哪里不对，由您居住地的运营人员核对并答复；确实有误的，会补发、扣减或撤销。"
}

// proof is every field that the domains put into evidence.
type proof struct {
	ArticleID    string                 `json:"article_id"`
	Seconds      int64                  `json:"seconds"`
	MinSeconds   int64                  `json:"min_seconds"`
	Day          string                 `json:"day"`
	StreakDays   int64                  `json:"streak_days"`
	CaseNumber   string                 `json:"case_number"`
	ShiftID      string                 `json:"shift_id"`
	StartedAt    string                 `json:"started_at"`
	EndedAt      string                 `json:"ended_at"`
	Minutes      int64                  `json:"minutes"`
	LateAwardID  string                 `json:"late_award_id"`
	PaidBy       string                 `json:"paid_by"`
	AdjustmentID string                 `json:"adjustment_id"`
	Kind         model.AdjustmentKind   `json:"adjustment_kind"`
	ReasonCode   model.AdjustmentReason `json:"reason_code"`
	ProposedBy   string                 `json:"proposed_by"`
	ApprovedBy   string                 `json:"approved_by"`
	ObjectionID  string                 `json:"objection_id"`
}

// proofOf reads evidence; what it does not know is left empty, since evidence
// of an older release must not break a statement.
func proofOf(evidence string) (p proof) {
	if json.Unmarshal([]byte(evidence), &p) != nil {
		return proof{}
	}
	return p
}

// The source types of journal rows.
const (
	sourceArticle   = string(model.EventArticleRead)
	sourceSignIn    = string(model.EventDailySignIn)
	sourceReport    = string(model.EventReportVerified)
	sourceVolunteer = string(model.EventVolunteerService)
	sourceOrder     = market.SourceOrder
	sourceLot       = "lot"
)

// explained is an entry with its evidence.
type explained struct {
	ledger.Entry
	proof
}

// names are the titles behind the ids of evidence, looked up for all entries
// at once.
type names struct {
	articles map[string]string
	shifts   map[string]string
	lots     map[string]clock.Day
	orders   map[string]orderName
}

type orderName struct {
	ID, Benefit, Merchant, Store string
	CashFen                      int64
	RedeemedAt                   *clock.Instant
}

// Facts returns the evidence of entries as lines for people, by transfer id: a
// constant number of statements, however many entries there are.
func (s *Service) Facts(ctx context.Context, entries []ledger.Entry) (map[string][]Fact, error) {
	all := make([]explained, len(entries))
	for i, e := range entries {
		all[i] = explained{e, proofOf(e.Evidence)}
	}
	n, err := s.namesOf(ctx, all)
	if err != nil {
		return nil, err
	}
	out := make(map[string][]Fact, len(all))
	for _, e := range all {
		var facts []Fact
		add := func(label, value string) {
			if value != "" {
				facts = append(facts, Fact{label, value})
			}
		}
		n.describe(e, add)
		if e.LateAwardID != "" {
			add("补发", "当时积分预算已用完，后由运营人员补发")
		}
		out[e.TransferID] = facts
	}
	return out, nil
}

func (n names) describe(e explained, add func(label, value string)) {
	switch e.SourceType {
	case sourceArticle:
		add("播报", quoted(n.articles[e.ArticleID]))
		add("有效阅读", fmt.Sprintf("%d 秒（要求 %d 秒）", e.Seconds, e.MinSeconds))
	case sourceSignIn:
		add("签到日期", calendarDay(clock.Day(e.Day)))
		add("连续签到", fmt.Sprintf("%d 天", e.StreakDays))
	case sourceReport:
		add("事件编号", e.CaseNumber)
	case sourceVolunteer:
		add("志愿活动", quoted(n.shifts[e.ShiftID]))
		add("开始", shortTime(e.StartedAt))
		add("结束", shortTime(e.EndedAt))
		add("服务时长", fmt.Sprintf("%d 分钟", e.Minutes))
	case sourceOrder:
		o := n.orders[e.SourceID]
		add("福利", quoted(o.Benefit))
		add("商户", o.Merchant)
		add("门店", o.Store)
		add("到店应付", fmt.Sprintf("%d.%02d 元", o.CashFen/100, o.CashFen%100))
		if o.RedeemedAt != nil {
			add("核销时间", o.RedeemedAt.Time().Format(minuteLayout))
		}
		add("兑换单", e.SourceID)
	case sourceLot:
		id, _, _ := strings.Cut(e.SourceID, ":")
		add("最后可用日", calendarDay(n.lots[id]))
	case sourceAdjustment:
		add("调账", map[model.AdjustmentKind]string{
			model.AdjustmentCredit: "补发", model.AdjustmentDebit: "扣减", model.AdjustmentReverse: "撤销",
		}[e.proof.Kind])
		add("原因", e.Reason)
		add("调账单", e.AdjustmentID)
	}
}

// As residents read days and times.
const (
	dayLayout    = "2006年1月2日"
	minuteLayout = dayLayout + " 15:04"
)

func quoted(title string) string {
	if title == "" {
		return ""
	}
	return "《" + title + "》"
}

// calendarDay is "" for no day.
func calendarDay(day clock.Day) string {
	at, err := time.Parse(time.DateOnly, string(day))
	if err != nil {
		return string(day)
	}
	return at.Format(dayLayout)
}

func shortTime(text string) string {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return text
	}
	return at.In(clock.Shanghai).Format(minuteLayout)
}

// namesOf looks up the titles, a statement per sort of source.
func (s *Service) namesOf(ctx context.Context, all []explained) (n names, err error) {
	ids := map[string][]string{}
	for _, e := range all {
		switch e.SourceType {
		case sourceArticle:
			ids[sourceArticle] = append(ids[sourceArticle], e.ArticleID)
		case sourceVolunteer:
			ids[sourceVolunteer] = append(ids[sourceVolunteer], e.ShiftID)
		case sourceOrder:
			ids[sourceOrder] = append(ids[sourceOrder], e.SourceID)
		case sourceLot:
			id, _, _ := strings.Cut(e.SourceID, ":")
			ids[sourceLot] = append(ids[sourceLot], id)
		}
	}
	n.articles, n.shifts, n.lots, n.orders = map[string]string{}, map[string]string{}, map[string]clock.Day{}, map[string]orderName{}
	var titles []struct{ ID, Title string }
	if err := s.lookUp(ctx, &titles, ids[sourceArticle], `SELECT id, title FROM article WHERE id IN ?`); err != nil {
		return n, err
	}
	for _, t := range titles {
		n.articles[t.ID] = t.Title
	}
	titles = nil
	err = s.lookUp(ctx, &titles, ids[sourceVolunteer],
		`SELECT s.id, a.title FROM activity_shift s JOIN activity a ON a.id = s.activity_id WHERE s.id IN ?`)
	if err != nil {
		return n, err
	}
	for _, t := range titles {
		n.shifts[t.ID] = t.Title
	}
	var lots []model.Lot
	if err := s.lookUp(ctx, &lots, ids[sourceLot], `SELECT id, expires_on FROM lot WHERE id IN ?`); err != nil {
		return n, err
	}
	for _, l := range lots {
		n.lots[l.ID] = l.ExpiresOn
	}
	var orders []orderName
	err = s.lookUp(ctx, &orders, ids[sourceOrder], `SELECT o.id, b.title AS benefit, m.name AS merchant, COALESCE(st.name, '') AS store,
			o.cash_fen, d.created_at AS redeemed_at
		FROM benefit_order o JOIN benefit b ON b.id = o.benefit_id JOIN merchant m ON m.id = o.merchant_id
		LEFT JOIN redemption d ON d.order_id = o.id LEFT JOIN merchant_store st ON st.id = d.store_id WHERE o.id IN ?`)
	for _, o := range orders {
		n.orders[o.ID] = o
	}
	return n, err
}

// lookUp runs the query if there is anything to ask for.
func (s *Service) lookUp(ctx context.Context, rows any, ids []string, query string) error {
	if len(ids) == 0 {
		return nil
	}
	if err := s.db.Read(ctx).Raw(query, ids).Scan(rows).Error; err != nil {
		return fmt.Errorf("recourse: names: %w", err)
	}
	return nil
}

// people says who stands behind an entry: whoever proposed and approved it,
// confirmed the service, verified the report, scanned the code.
func (s *Service) people(ctx context.Context, e ledger.Entry) ([]Person, error) {
	p := proofOf(e.Evidence)
	type part struct{ part, id string }
	var parts []part
	switch e.SourceType {
	case sourceAdjustment:
		parts = []part{{"提交", p.ProposedBy}, {"审批", p.ApprovedBy}}
	case sourceVolunteer:
		parts = []part{{"确认时长", e.ActorID}}
	case sourceReport:
		parts = []part{{"核实", e.ActorID}}
	case sourceOrder:
		parts = []part{{"核销", e.ActorID}}
		if e.Kind == model.JournalReverse {
			parts[0].part = "撤销"
		}
	}
	if p.PaidBy != "" {
		parts = []part{{"补发", p.PaidBy}} // who confirmed the event stands in its own record
	}
	if len(parts) == 0 {
		return nil, nil
	}
	ids := make([]string, len(parts))
	for i, x := range parts {
		ids[i] = x.id
	}
	var rows []model.Staff
	if err := s.lookUp(ctx, &rows, ids, `SELECT id, name FROM staff WHERE id IN ?`); err != nil {
		return nil, err
	}
	var out []Person
	for _, x := range parts {
		for _, r := range rows {
			if r.ID == x.id {
				out = append(out, Person{Part: x.part, Name: masked(r.Name)})
			}
		}
	}
	return out, nil
}

// masked keeps the first character of a name.
func masked(name string) string {
	for _, first := range name {
		return string(first) + "**"
	}
	return ""
}
