package miniprogram

import (
	"context"
	"time"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/httpapi"
	"jiamenkou/internal/paging"
	"jiamenkou/service/leaderboard"
)

// LeaderboardQuery names a board. (huma reads no parameters from an embedded
// struct that is not exported.)
type LeaderboardQuery struct {
	Kind     string `query:"kind" enum:"week,month" default:"week" doc:"周榜或月榜"`
	Day      string `query:"day" format:"date" doc:"所看周或月中的任意一天；不填为本周或本月"`
	Level    string `query:"level" enum:"county,town,village" default:"village" doc:"居住地所在的层级"`
	RegionID string `query:"region_id" maxLength:"26" doc:"直接指定本县的区域；填写后不看 level"`
}

func (q LeaderboardQuery) query() leaderboard.Query {
	return leaderboard.Query{Kind: leaderboard.Kind(q.Kind), Day: q.Day, Level: leaderboard.Level(q.Level), RegionID: q.RegionID}
}

// LeaderboardHeading says which board it is.
type LeaderboardHeading struct {
	Kind       string     `json:"kind" enum:"week,month"`
	StartsOn   string     `json:"starts_on" format:"date"`
	EndsOn     string     `json:"ends_on" format:"date"`
	RegionID   string     `json:"region_id"`
	RegionName string     `json:"region_name"`
	Level      string     `json:"level" enum:"county,town,village"`
	AsOf       *time.Time `json:"as_of" doc:"统计截至时间，约 5 分钟更新一次；还没有统计过为 null"`
}

func leaderboardHeadingOf(h leaderboard.Heading) LeaderboardHeading {
	return LeaderboardHeading{
		Kind: string(h.Period.Kind), StartsOn: string(h.Period.Start), EndsOn: string(h.Period.End),
		RegionID: h.Region.ID, RegionName: h.Region.Name, Level: string(h.Region.Level), AsOf: clock.TimePtr(h.AsOf),
	}
}

type leaderboardEntryDTO struct {
	Rank       int64  `json:"rank" doc:"积分相同名次相同"`
	MaskedName string `json:"masked_name" example:"王**"`
	Points     int64  `json:"points"`
	Me         bool   `json:"me"`
}

type leaderboardDTO struct {
	LeaderboardHeading
	httpapi.PageBody[leaderboardEntryDTO]
}

type getLeaderboardInput struct {
	LeaderboardQuery
	httpapi.PageQuery
}

func (s *server) getLeaderboard(ctx context.Context, in *getLeaderboardInput) (*httpapi.Body[leaderboardDTO], error) {
	page, err := s.Leaderboard.Board(ctx, authz.FromContext(ctx), in.query(), paging.Request{Cursor: in.Cursor, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	return httpapi.OK(leaderboardDTO{
		leaderboardHeadingOf(page.Heading),
		httpapi.PageOf(page.Page, func(e leaderboard.Entry) leaderboardEntryDTO { return leaderboardEntryDTO(e) }),
	}), nil
}

type myRankDTO struct {
	LeaderboardHeading
	Points     int64  `json:"points"`
	Rank       *int64 `json:"rank" doc:"未参加榜单或本期没有积分为 null"`
	Consenting bool   `json:"consenting" doc:"是否同意在榜单中显示"`
	Hint       string `json:"hint" doc:"没有名次时，可以怎么做"`
}

type getMyRankInput struct{ LeaderboardQuery }

func (s *server) getMyRank(ctx context.Context, in *getMyRankInput) (*httpapi.Body[myRankDTO], error) {
	r, err := s.Leaderboard.MyRank(ctx, authz.FromContext(ctx), in.query())
	if err != nil {
		return nil, err
	}
	out := myRankDTO{LeaderboardHeading: leaderboardHeadingOf(r.Heading), Points: r.Points, Consenting: r.Consenting, Hint: r.Hint}
	if r.Rank > 0 {
		out.Rank = &r.Rank
	}
	return httpapi.OK(out), nil
}
