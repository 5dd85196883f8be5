package leaderboard

import (
	"context"
	"strings"

	"jiamenkou/internal/clock"
	"jiamenkou/model"
	"jiamenkou/service/ledger"
)

// Audit checks, for every period that is kept, that the counties' scores are
// the posted awards that were counted (every one up to the cursor's floor, and
// the marked ones after it), and that the histogram and the totals are what
// the scores say. Each comparison is one statement, so that a run of Build at
// the same time does not disturb it.
func (s *Service) Audit(ctx context.Context) ([]ledger.Difference, error) {
	today := clock.Today(s.clock)
	oldest := oldestStart(today)
	scores, scoreArgs := scoresCheck(keptPeriods(today), oldest)
	const grouped = `SELECT period_kind, period_start, region_id, points, COUNT(*) AS n FROM leaderboard_score
		WHERE listed = 1 AND period_start >= ? GROUP BY period_kind, period_start, region_id, points`
	const summed = `SELECT period_kind, period_start, region_id, COUNT(*) AS participants, SUM(listed) AS listed, SUM(points) AS points
		FROM leaderboard_score WHERE period_start >= ? GROUP BY period_kind, period_start, region_id`
	const same = `x.period_kind = y.period_kind AND x.period_start = y.period_start AND x.region_id = y.region_id`
	const object = `CONCAT(x.period_kind, ' ', x.period_start, ' ', x.region_id) AS object, '' AS account`
	var out []ledger.Difference
	for _, c := range []struct {
		name, query string
		args        []any
	}{
		{"county scores equal the awards", scores, scoreArgs},
		{"histogram equals the listed scores", `SELECT ` + object + `, x.n AS want, COALESCE(y.residents, 0) AS got
			FROM (` + grouped + `) x LEFT JOIN leaderboard_bucket y ON ` + same + ` AND x.points = y.points
			WHERE x.n <> COALESCE(y.residents, 0)`, []any{oldest}},
		{"histogram has nothing else", `SELECT ` + object + `, COALESCE(y.n, 0) AS want, x.residents AS got
			FROM leaderboard_bucket x LEFT JOIN (` + grouped + `) y ON ` + same + ` AND x.points = y.points
			WHERE x.period_start >= ? AND x.residents <> COALESCE(y.n, 0)`, []any{oldest, oldest}},
		{"total equals the scores", `SELECT ` + object + `, x.points AS want, COALESCE(y.points, 0) AS got
			FROM (` + summed + `) x LEFT JOIN leaderboard_total y ON ` + same + `
			WHERE y.points IS NULL OR x.points <> y.points OR x.participants <> y.participants OR x.listed <> y.listed`, []any{oldest}},
		{"total has its scores", `SELECT ` + object + `, COALESCE(y.points, 0) AS want, x.points AS got
			FROM leaderboard_total x LEFT JOIN (` + summed + `) y ON ` + same + `
			WHERE x.period_start >= ? AND x.participants <> COALESCE(y.participants, 0)`, []any{oldest, oldest}},
	} {
		found, err := s.ledger.RunCheck(ctx, c.name, c.query, c.args...)
		if err != nil {
			return out, err
		}
		out = append(out, found...)
	}
	return out, nil
}

// scoresCheck sums the counted awards per day once and the days per period:
// the engines have no common word for the Monday of a day.
func scoresCheck(periods []Period, oldest clock.Day) (query string, args []any) {
	list := make([]string, len(periods))
	for i, p := range periods {
		list[i] = "SELECT ? AS object, ? AS kind, ? AS first_day, ? AS last_day"
		args = append(args, string(p.Kind)+" "+string(p.Start), p.Kind, p.Start, p.End)
	}
	query = `SELECT p.object, '' AS account, COALESCE(SUM(d.points), 0) AS want, COALESCE(MAX(c.points), 0) AS got
		FROM (` + strings.Join(list, " UNION ALL ") + `) p
		LEFT JOIN (SELECT a.day, SUM(a.points) AS points FROM award a WHERE a.status = ? AND a.day >= ? AND (
				a.id <= (SELECT floor_id FROM leaderboard_cursor WHERE name = ?)
				OR EXISTS (SELECT 1 FROM leaderboard_applied x WHERE x.award_id = a.id)) GROUP BY a.day
			) d ON d.day BETWEEN p.first_day AND p.last_day
		LEFT JOIN (SELECT s.period_kind, s.period_start, SUM(s.points) AS points FROM leaderboard_score s
				JOIN region r ON r.id = s.region_id WHERE r.level = ? GROUP BY s.period_kind, s.period_start
			) c ON c.period_kind = p.kind AND c.period_start = p.first_day
		GROUP BY p.object HAVING COALESCE(SUM(d.points), 0) <> COALESCE(MAX(c.points), 0)`
	return query, append(args, model.AwardPosted, oldest, model.LeaderboardAwards, model.RegionCounty)
}
