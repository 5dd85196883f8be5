package policy

import (
	"fmt"
	"strings"

	"jiamenkou/model"
)

// EventName is what people call a kind of event.
func EventName(kind model.EventKind) string {
	switch kind {
	case model.EventVolunteerService:
		return "志愿服务"
	case model.EventArticleRead:
		return "阅读播报"
	case model.EventDailySignIn:
		return "每日签到"
	case model.EventReportVerified:
		return "上报核实"
	}
	return "其他"
}

// RuleText says a rule in one sentence.
func RuleText(r model.PolicyRule) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s：", EventName(r.EventKind))
	if r.PerMinutes > 0 {
		fmt.Fprintf(&b, "每满 %d 分钟 %d 积分，单次最多 %d 积分", r.PerMinutes, r.Points, r.MaxPoints)
	} else {
		fmt.Fprintf(&b, "每次 %d 积分", min(r.Points, r.MaxPoints))
	}
	fmt.Fprintf(&b, "；每人每天最多计 %d 次，同一对象最多计 %d 次；", r.DailyCap, r.ObjectCap)
	if r.Expiry == model.ExpiryDays {
		fmt.Fprintf(&b, "%d 天内有效", r.ExpiryDays)
	} else {
		b.WriteString("有效期到次年年底")
	}
	fmt.Fprintf(&b, "（第 %d 版）", r.Version)
	return b.String()
}
