package leaderboard

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"gorm.io/gorm"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/model"
	"jiamenkou/service/ledger"
)

// AuditPhases are the phases of Audit, for who shows how far it is and resumes.
// The first goes by residents, the second by boards.
func (s *Service) AuditPhases() []ledger.AuditPhase {
	return []ledger.AuditPhase{
		{Table: "resident", Rows: 1_000, Args: s.countedArgs, Checks: []ledger.RangeCheck{
			{Name: "county scores equal the awards", Query: scoresCheck(s.db.Driver())},
		}},
		{Count: s.countScores, Next: s.nextBoards, Checks: boardChecks},
	}
}

// Audit checks, for every period that is kept, that each resident's scores in
// the counties are the posted awards that were counted (every one up to the
// cursor's floor, and the marked ones after it), and that the histogram and the
// totals of each board are what its scores say. It goes by ranges, each from one
// consistent read, so that a run of Build at the same time does not disturb it,
// and returns what differs (at most 100 differences). It only reads.
func (s *Service) Audit(ctx context.Context) ([]ledger.Difference, error) {
	result, err := s.ledger.AuditRows(ctx, s.AuditPhases(), ledger.AuditOptions{})
	return result.Differences, err
}

// countedArgs say which periods are kept and which awards were counted.
func (s *Service) countedArgs(tx *gorm.DB) ([]sql.NamedArg, error) {
	floor := ""
	err := tx.Raw("SELECT floor_id FROM leaderboard_cursor WHERE name = ?", model.LeaderboardAwards).Scan(&floor).Error
	return []sql.NamedArg{sql.Named("oldest", s.oldest()), sql.Named("floor", floor)}, err
}

func (s *Service) oldest() clock.Day { return oldestStart(clock.Today(s.clock)) }

// scoresCheck compares what a range of residents earned with their scores,
// period by period. The + before a column keeps SQLite from preferring the index
// over that column to the range of residents; to MySQL it is nothing. CROSS JOIN
// keeps it from beginning with the regions; to MySQL it is a plain join.
func scoresCheck(driver database.Driver) string {
	// The one thing here that the engines have no common words for.
	monday := "DATE_SUB(a.day, INTERVAL WEEKDAY(a.day) DAY)"
	if driver == database.SQLite {
		monday = "DATE(a.day, 'weekday 0', '-6 days')"
	}
	earned := func(kind model.LeaderboardKind, start string) string {
		return `SELECT '` + string(kind) + `' AS kind, ` + start + ` AS first_day, a.resident_id, a.points AS want, 0 AS got FROM award a
			WHERE a.resident_id > @lo AND a.resident_id <= @hi AND +a.status = '` + string(model.AwardPosted) + `'
				AND a.day >= @oldest AND ` + start + ` >= @oldest
				AND (a.id <= @floor OR EXISTS (SELECT 1 FROM leaderboard_applied x WHERE x.award_id = a.id))`
	}
	return `SELECT CONCAT(p.kind, ' ', p.first_day, ' ', p.resident_id) AS object, '' AS account, SUM(p.want) AS want, SUM(p.got) AS got FROM (
			` + earned(model.LeaderboardWeek, monday) + `
			UNION ALL ` + earned(model.LeaderboardMonth, "CONCAT(SUBSTR(a.day, 1, 8), '01')") + `
			UNION ALL SELECT s.period_kind, s.period_start, s.resident_id, 0, s.points
				FROM leaderboard_score s CROSS JOIN region r ON r.id = s.region_id
				WHERE s.resident_id > @lo AND s.resident_id <= @hi AND +s.period_start >= @oldest AND +r.level = '` + string(model.RegionCounty) + `'
		) p GROUP BY p.kind, p.first_day, p.resident_id HAVING SUM(p.want) <> SUM(p.got)`
}

// boardChecks compare the boards of a period in the regions @lo < id <= @hi
// with their scores. Both sides are grouped in the order of an index.
var boardChecks = []ledger.RangeCheck{
	{Name: "histogram equals the listed scores", Query: `SELECT CONCAT(@kind, ' ', @start, ' ', x.region_id) AS object, '' AS account,
			SUM(x.want) AS want, SUM(x.got) AS got FROM (
			SELECT region_id, points, COUNT(*) AS want, 0 AS got FROM leaderboard_score
				WHERE period_kind = @kind AND period_start = @start AND region_id > @lo AND region_id <= @hi AND listed = 1
				GROUP BY region_id, listed, points
			UNION ALL SELECT region_id, points, 0, residents FROM leaderboard_bucket
				WHERE period_kind = @kind AND period_start = @start AND region_id > @lo AND region_id <= @hi
		) x GROUP BY x.region_id, x.points HAVING SUM(x.want) <> SUM(x.got)`},
	boardCheck("total's points equal the scores", "SUM(points)", "points"),
	boardCheck("total's participants equal the scores", "COUNT(*)", "participants"),
	boardCheck("total's listed equal the scores", "SUM(listed)", "listed"),
}

func boardCheck(name, ofScores, column string) ledger.RangeCheck {
	return ledger.RangeCheck{Name: name, Query: `SELECT CONCAT(@kind, ' ', @start, ' ', x.region_id) AS object, '' AS account,
			SUM(x.want) AS want, SUM(x.got) AS got FROM (
			SELECT region_id, ` + ofScores + ` AS want, 0 AS got FROM leaderboard_score
				WHERE period_kind = @kind AND period_start = @start AND region_id > @lo AND region_id <= @hi GROUP BY region_id
			UNION ALL SELECT region_id, 0, ` + column + ` FROM leaderboard_total
				WHERE period_kind = @kind AND period_start = @start AND region_id > @lo AND region_id <= @hi
		) x GROUP BY x.region_id HAVING SUM(x.want) <> SUM(x.got)`}
}

// countScores is how many scores the boards have, as their totals say.
func (s *Service) countScores(tx *gorm.DB) (n int64, err error) {
	err = tx.Raw("SELECT COALESCE(SUM(participants), 0) FROM leaderboard_total WHERE period_start >= ?", s.oldest()).Scan(&n).Error
	return n, err
}

// noRegion is after every region's id.
const noRegion = "~"

// nextBoards are the next boards of one period, with about so many scores: a
// board is never divided, since one statement sums even a county's in the order
// of an index. The place after them is written as kind, first day and region.
func (s *Service) nextBoards(tx *gorm.DB, after string, rows int) (out ledger.AuditRange, err error) {
	b := board{kind: model.LeaderboardMonth, regionID: noRegion}
	if after != "" {
		parts := strings.Split(after, " ")
		if len(parts) != 3 {
			return out, fmt.Errorf("leaderboard: audit: malformed state %q", after)
		}
		b = board{Kind(parts[0]), clock.Day(parts[1]), parts[2]}
	}
	if b.regionID == noRegion {
		if b, err = s.nextPeriod(tx, b); err != nil || b.start == "" {
			return out, err
		}
	}
	lo := b.regionID
	var boards []model.LeaderboardTotal
	err = tx.Raw(`SELECT region_id, participants FROM leaderboard_total
		WHERE period_kind = ? AND period_start = ? AND region_id > ? ORDER BY region_id LIMIT ?`, b.kind, b.start, lo, rows).Scan(&boards).Error
	if err != nil {
		return out, err
	}
	// The last range of a period has no end, so that rows are met that have no
	// total.
	b.regionID = noRegion
	for i, t := range boards {
		if out.Rows += t.Participants; i+1 == len(boards) && i+1 < rows {
			break
		}
		if out.Rows >= int64(rows) || i+1 == len(boards) {
			b.regionID = t.RegionID
			break
		}
	}
	out.Last = strings.Join([]string{string(b.kind), string(b.start), b.regionID}, " ")
	out.Args = []sql.NamedArg{sql.Named("kind", b.kind), sql.Named("start", b.start), sql.Named("lo", lo), sql.Named("hi", b.regionID)}
	return out, nil
}

// nextPeriod is the period after b's of which there are rows, the weeks after
// the months; without a start if there is none.
func (s *Service) nextPeriod(tx *gorm.DB, b board) (board, error) {
	from := max(b.start, s.oldest().AddDays(-1))
	for {
		start := ""
		err := tx.Raw(`SELECT COALESCE(MIN(start), '') FROM (
				SELECT MIN(period_start) AS start FROM leaderboard_score WHERE period_kind = @kind AND period_start > @from
				UNION ALL SELECT MIN(period_start) FROM leaderboard_bucket WHERE period_kind = @kind AND period_start > @from
				UNION ALL SELECT MIN(period_start) FROM leaderboard_total WHERE period_kind = @kind AND period_start > @from
			) x`, sql.Named("kind", b.kind), sql.Named("from", from)).Scan(&start).Error
		if err != nil || start != "" {
			return board{kind: b.kind, start: clock.Day(start)}, err
		}
		if b.kind == model.LeaderboardWeek {
			return board{}, nil
		}
		b.kind, from = model.LeaderboardWeek, s.oldest().AddDays(-1)
	}
}
