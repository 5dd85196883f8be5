package notify

import (
	"context"
	"fmt"
	"strings"
	"time"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/model"
	"jiamenkou/service/casework"
	"jiamenkou/service/ledger"
	"jiamenkou/service/policy"
	"jiamenkou/service/volunteer"
)

// topic is one row of the table of what people are told.
type topic struct {
	label    string // in the list of what one can subscribe to
	forStaff bool
	// render reads what a notice is about, in a constant number of statements.
	render func(ctx context.Context, s *Service, n *Notice) (rendered, error)
}

// rendered is what a notice says.
type rendered struct {
	text text
	// only is the one recipient whom it concerns; "" for all that the notice
	// names. With nobody set, it is not worth telling any more.
	only   string
	nobody bool
	// regionPath is of the region whose staff are told, where the notice names
	// none: those with the first of the roles that anybody holds there, operators
	// if there are no roles.
	regionPath string
	inCharge   []authz.Role
}

// text is a message as people read it. WeChat shows the first 20 characters of
// title and body: what matters stands in front.
type text struct{ title, body, link string }

// topics is the table. A topic outside of it is ErrUnknownTopic.
var topics = map[string]topic{
	volunteer.NoticeShiftCancelled:       {label: "志愿活动变动", render: renderShiftCancelled},
	casework.NoticeCaseMoved:             {label: "上报事件进度", render: renderCaseMoved},
	ledger.NoticePointsExpiring:          {label: "积分到期提醒", render: renderPointsExpiring},
	policy.NoticeBudgetLow:               {label: "积分预算预警", forStaff: true, render: renderBudgetLow},
	volunteer.NoticeCorrectionAsked:      {label: "服务记录更正申请", forStaff: true, render: renderCorrectionAsked},
	volunteer.NoticeCorrectionReviewed:   {label: "服务记录更正审批", forStaff: true, render: renderCorrectionReviewed},
	volunteer.NoticeCorrectionSettled:    {label: "服务记录更正", render: renderCorrectionSettled},
	volunteer.NoticeCertificateRequested: {label: "服务时长证明申请", forStaff: true, render: renderCertificateRequested},
	volunteer.NoticeCertificateDecided:   {label: "服务时长证明", render: renderCertificateDecided},
	volunteer.NoticeCertificateRevoked:   {label: "服务时长证明撤销", render: renderCertificateRevoked},
	topicAdjusted:                        {label: "积分调账通知", render: renderAdjusted},
	topicAnswered:                        {label: "异议答复", render: renderAnswered},
}

const (
	formatDay    = "1月2日"
	formatMinute = "1月2日 15:04"
)

// one reads the only row of a query into T, or reports ErrNoObject.
func one[T any](ctx context.Context, s *Service, query string, args ...any) (T, error) {
	var rows []T
	if err := s.db.Read(ctx).Raw(query, args...).Scan(&rows).Error; err != nil {
		var none T
		return none, fmt.Errorf("notify: read object: %w", err)
	}
	if len(rows) == 0 {
		var none T
		return none, ErrNoObject
	}
	return rows[0], nil
}

// renderShiftCancelled: the object is the shift.
func renderShiftCancelled(ctx context.Context, s *Service, n *Notice) (rendered, error) {
	type shift struct {
		ActivityID, Title string
		StartsAt          clock.Instant
	}
	row, err := one[shift](ctx, s, `SELECT a.id AS activity_id, a.title, t.starts_at FROM activity_shift t
		JOIN activity a ON a.id = t.activity_id WHERE t.id = ?`, n.ObjectID)
	if err != nil {
		return rendered{}, err
	}
	return rendered{text: text{
		title: "志愿班次已取消",
		body:  fmt.Sprintf("%s“%s”的班次已取消，您不用前往。可以看看其他班次或活动。", row.StartsAt.Time().Format(formatMinute), row.Title),
		link:  "/activities/" + row.ActivityID,
	}}, nil
}

// renderCaseMoved: the object is the row of case_history, since the case may
// have moved on by now.
func renderCaseMoved(ctx context.Context, s *Service, n *Notice) (rendered, error) {
	type move struct {
		CaseID, Number string
		ToStatus       model.CaseStatus
		ConfirmBy      *clock.Instant
	}
	row, err := one[move](ctx, s, `SELECT c.id AS case_id, c.number, h.to_status, c.confirm_by FROM case_history h
		JOIN case_file c ON c.id = h.case_id WHERE h.id = ?`, n.ObjectID)
	if err != nil {
		return rendered{}, err
	}
	t := text{link: "/cases/" + row.CaseID}
	switch row.ToStatus {
	case model.CaseAccepted:
		t.title, t.body = "您上报的事件已受理", "事件 "+row.Number+" 已受理，正在安排办理。进展会在这里告诉您。"
	case model.CaseHandled:
		t.title, t.body = "事件已办理，请您确认", "事件 "+row.Number+" 已办理，请查看结果并告诉我们是否解决。"
		if row.ConfirmBy != nil { // unset once he has answered
			t.body += "到 " + row.ConfirmBy.Time().Format(formatDay) + " 没有答复，视为已经解决。"
		}
	case model.CaseRejected:
		t.title, t.body = "您上报的事件未予受理", "事件 "+row.Number+" 未予受理，原因请在事件详情中查看。"
	default:
		return rendered{}, ErrNoObject.WithCause(fmt.Errorf("nobody is told of a case that becomes %s", row.ToStatus))
	}
	return rendered{text: t}, nil
}

// renderPointsExpiring: the object is the lot.
func renderPointsExpiring(ctx context.Context, s *Service, n *Notice) (rendered, error) {
	lot, err := one[model.Lot](ctx, s, "SELECT * FROM lot WHERE id = ?", n.ObjectID)
	if err != nil {
		return rendered{}, err
	}
	left := lot.Remaining - lot.Held
	return rendered{
		only:   ledger.AccountID(lot.AccountID).OwnerID(),
		nobody: left <= 0 || lot.ExpiresOn < clock.Today(s.clock), // spent or over since it was enqueued
		text: text{
			title: "积分即将到期",
			body:  fmt.Sprintf("%d 积分 %s 到期，过期作废。可以到“福利”里兑换。", left, lot.ExpiresOn.Start().Time().Format(formatDay)),
			link:  "/wallet",
		},
	}, nil
}

// renderBudgetLow: the object is the alert. The numbers are those of now.
func renderBudgetLow(ctx context.Context, s *Service, n *Notice) (rendered, error) {
	type budget struct{ ID, Name, Path string }
	row, err := one[budget](ctx, s, `SELECT b.id, b.name, r.path FROM budget_alert a JOIN budget b ON b.id = a.budget_id
		JOIN region r ON r.id = b.region_id WHERE a.id = ?`, n.ObjectID)
	if err != nil {
		return rendered{}, err
	}
	id := ledger.BudgetOf(row.ID)
	balances, err := s.ledger.Balances(ctx, []ledger.AccountID{id})
	if err != nil {
		return rendered{}, err
	}
	b := balances[id]
	return rendered{regionPath: row.Path, text: text{
		title: "积分预算所剩不多",
		body:  fmt.Sprintf("积分预算“%s”还剩 %d 积分。用完后新的奖励不再入账，请及时追加预算或调整规则。", row.Name, b.Posted-b.Held-b.FloorPoints),
		link:  "/budgets",
	}}, nil
}

// staffInCharge returns the active staff over a region who hold the first of
// the roles that anybody holds there.
func (s *Service) staffInCharge(ctx context.Context, regionPath string, roles []authz.Role) ([]string, error) {
	if len(roles) == 0 {
		roles = []authz.Role{authz.RoleOperator}
	}
	var rows []struct {
		StaffID string
		Role    authz.Role
	}
	err := s.db.Read(ctx).Raw(`SELECT DISTINCT g.staff_id, g.role FROM staff_grant g JOIN staff p ON p.id = g.staff_id
		WHERE g.role IN ? AND g.region_id IN ? AND p.status = ?`,
		roles, model.RegionPathIDs(regionPath), model.StaffActive).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("notify: staff in charge: %w", err)
	}
	for _, role := range roles {
		var ids []string
		for _, r := range rows {
			if r.Role == role {
				ids = append(ids, r.StaffID)
			}
		}
		if len(ids) > 0 {
			return ids, nil
		}
	}
	return nil, nil
}

// wechatTime is the form that WeChat takes for time and date keywords.
func wechatTime(t time.Time) string { return t.Format("2006年1月2日 15:04") }

// shorten keeps a text within the column; only a name that people chose can
// make it too long.
func shorten(s string, most int) string {
	runes := []rune(strings.TrimSpace(s))
	if len(runes) <= most {
		return string(runes)
	}
	return string(runes[:most-1]) + "…"
}
