package leaderboard

import (
	"context"
	"fmt"

	"jiamenkou/internal/authz"
	"jiamenkou/model"
)

// Rank is where a resident stands.
type Rank struct {
	Heading
	Points     int64
	Rank       int64 // among those who are listed; 0: none, and Hint says why
	Consenting bool  // has agreed to be listed
	Hint       string
}

// What a resident without a rank can do.
const (
	hintConsent = "同意在榜单中显示（姓名会隐去）后，即可查看自己的名次"
	hintEarn    = "本期还没有获得积分，参加志愿活动后再来看看"
)

// MyRank returns the actor's own points and rank. Who has not agreed to be
// listed sees the points only. The cost does not depend on the number of
// residents. Errors: as Board.
func (s *Service) MyRank(ctx context.Context, actor authz.Actor, q Query) (Rank, error) {
	head, err := s.heading(ctx, actor, q)
	if err != nil {
		return Rank{}, err
	}
	out, b := Rank{Heading: head}, head.board()
	err = s.db.Read(ctx).Raw(`SELECT points FROM leaderboard_score
		WHERE region_id = ? AND period_kind = ? AND period_start = ? AND resident_id = ?`,
		b.regionID, b.kind, b.start, actor.ID).Scan(&out.Points).Error
	if err != nil {
		return Rank{}, fmt.Errorf("leaderboard: read own score: %w", err)
	}
	consenting, err := s.people.Consenting(ctx, model.ConsentLeaderboard, []string{actor.ID})
	if err != nil {
		return Rank{}, err
	}
	switch out.Consenting = consenting[actor.ID]; {
	case !out.Consenting:
		out.Hint = hintConsent
	case out.Points == 0:
		out.Hint = hintEarn
	default:
		out.Rank, err = s.rankOf(ctx, b, out.Points)
	}
	return out, err
}
