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

// once is what a kind of event can earn for more than once, as people call it;
// a sign-in is once a day anyway.
var once = map[model.EventKind]string{
	model.EventVolunteerService: "同一个班次", model.EventArticleRead: "同一篇播报", model.EventReportVerified: "同一件事",
}

// RuleText says a rule as a resident hears it.
func RuleText(r model.PolicyRule) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s：", EventName(r.EventKind))
	if r.PerMinutes > 0 {
		fmt.Fprintf(&b, "每满 %d 分钟得 %d 分，一次最多 %d 分", r.PerMinutes, r.Points, r.MaxPoints)
	} else {
		fmt.Fprintf(&b, "每次得 %d 分", min(r.Points, r.MaxPoints))
	}
	fmt.Fprintf(&b, "。每人每天最多计 %d 次", r.DailyCap)
	if of := once[r.EventKind]; of != "" {
		fmt.Fprintf(&b, "，%s最多计 %d 次", of, r.ObjectCap)
	}
	if r.Expiry == model.ExpiryDays {
		fmt.Fprintf(&b, "。积分 %d 天内有效。", r.ExpiryDays)
	} else {
		b.WriteString("。积分用到第二年年底。")
	}
	return b.String()
}
