package policy_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"jiamenkou/model"
	"jiamenkou/service/policy"
)

func TestRuleText(t *testing.T) {
	for want, r := range map[string]model.PolicyRule{
		"志愿服务：每满 60 分钟得 2 分，一次最多 16 分。每人每天最多计 2 次，同一个班次最多计 1 次。积分用到第二年年底。": {
			EventKind: model.EventVolunteerService, PerMinutes: 60, Points: 2, MaxPoints: 16, DailyCap: 2, ObjectCap: 1, Expiry: model.ExpiryEndOfNextYear,
		},
		"阅读播报：每次得 1 分。每人每天最多计 3 次，同一篇播报最多计 1 次。积分 90 天内有效。": {
			EventKind: model.EventArticleRead, Points: 1, MaxPoints: 1, DailyCap: 3, ObjectCap: 1, Expiry: model.ExpiryDays, ExpiryDays: 90,
		},
		"每日签到：每次得 1 分。每人每天最多计 1 次。积分用到第二年年底。": {
			EventKind: model.EventDailySignIn, Points: 1, MaxPoints: 1, DailyCap: 1, ObjectCap: 1, Expiry: model.ExpiryEndOfNextYear,
		},
	} {
		require.Equal(t, want, policy.RuleText(r))
	}
}
