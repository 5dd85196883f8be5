package api

import (
	"context"
	"time"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/httpapi"
	"jiamenkou/service/leaderboard"
)

type listLeaderboardTotalsInput struct {
	Kind     string `query:"kind" enum:"week,month" default:"week" doc:"按周或按月"`
	Day      string `query:"day" format:"date" doc:"所看周或月中的任意一天；不填为本周或本月"`
	Level    string `query:"level" enum:"county,town,village" doc:"只看一个层级"`
	RegionID string `query:"region_id" maxLength:"26" doc:"只看这个区域及其下级"`
	httpapi.PageQuery
}

type leaderboardTotalDTO struct {
	RegionID     string `json:"region_id"`
	RegionName   string `json:"region_name"`
	Level        string `json:"level" enum:"county,town,village"`
	Participants int64  `json:"participants" doc:"获得积分的居民数"`
	Listed       int64  `json:"listed" doc:"其中同意在榜单中显示的"`
	Points       int64  `json:"points" doc:"获得的积分总数"`
}

func leaderboardTotalOf(t leaderboard.RegionTotal) leaderboardTotalDTO {
	return leaderboardTotalDTO{
		RegionID: t.RegionID, RegionName: t.Name, Level: string(t.Level), Participants: t.Participants, Listed: t.Listed, Points: t.Points,
	}
}

type leaderboardTotalsDTO struct {
	Kind     string     `json:"kind" enum:"week,month"`
	StartsOn string     `json:"starts_on" format:"date"`
	EndsOn   string     `json:"ends_on" format:"date"`
	AsOf     *time.Time `json:"as_of" doc:"统计截至时间；还没有统计过为 null"`
	httpapi.PageBody[leaderboardTotalDTO]
}

// listLeaderboardTotals shows sums per region only: staff see no resident's
// points here.
func (s *server) listLeaderboardTotals(ctx context.Context, in *listLeaderboardTotalsInput) (*httpapi.Body[leaderboardTotalsDTO], error) {
	totals, err := s.Leaderboard.Totals(ctx, authz.FromContext(ctx), leaderboard.TotalsQuery{
		Kind: leaderboard.Kind(in.Kind), Day: in.Day, Level: leaderboard.Level(in.Level), RegionID: in.RegionID,
	}, in.Request())
	if err != nil {
		return nil, err
	}
	return httpapi.OK(leaderboardTotalsDTO{
		Kind: string(totals.Period.Kind), StartsOn: string(totals.Period.Start), EndsOn: string(totals.Period.End),
		AsOf: clock.TimePtr(totals.AsOf), PageBody: httpapi.PageOf(totals.Page, leaderboardTotalOf),
	}), nil
}
