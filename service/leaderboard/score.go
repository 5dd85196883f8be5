package leaderboard

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"jiamenkou/internal/clock"
	"jiamenkou/model"
)

type scoreKey struct {
	board
	residentID string
}

type score struct {
	points int64
	listed bool
}

// changes are scores before and after. The histogram and the totals follow
// from the difference, whatever caused it.
type changes struct{ before, after map[scoreKey]score }

// loadScores reads the scores that delta adds to, and whether their residents
// agree to be listed now.
func loadScores(tx *gorm.DB, delta map[scoreKey]int64) (changes, error) {
	residents, starts := map[string]bool{}, map[clock.Day]bool{}
	for k := range delta {
		residents[k.residentID], starts[k.start] = true, true
	}
	ids := slices.Sorted(maps.Keys(residents))
	consenting, err := consentingTx(tx, ids)
	if err != nil {
		return changes{}, err
	}
	var rows []model.LeaderboardScore
	err = tx.Raw("SELECT * FROM leaderboard_score WHERE resident_id IN ? AND period_kind IN ? AND period_start IN ?",
		ids, model.LeaderboardKinds(), slices.Sorted(maps.Keys(starts))).Scan(&rows).Error
	if err != nil {
		return changes{}, fmt.Errorf("leaderboard: read scores: %w", err)
	}
	c := changes{before: beforeOf(rows), after: make(map[scoreKey]score, len(delta))}
	for k, points := range delta {
		c.after[k] = score{c.before[k].points + points, consenting[k.residentID]}
	}
	return c, nil
}

func beforeOf(rows []model.LeaderboardScore) map[scoreKey]score {
	out := make(map[scoreKey]score, len(rows))
	for _, r := range rows {
		out[scoreKey{board{r.PeriodKind, r.PeriodStart, r.RegionID}, r.ResidentID}] = score{r.Points, r.Listed}
	}
	return out
}

// consentingTx asks inside the transaction, unlike identity.Consenting: a
// decision that comes later is found by the next RefreshConsents, which waits
// for this transaction's lock.
func consentingTx(tx *gorm.DB, residentIDs []string) (map[string]bool, error) {
	var ids []string
	err := tx.Raw("SELECT resident_id FROM consent WHERE purpose = ? AND status = ? AND resident_id IN ?",
		model.ConsentLeaderboard, model.ConsentGranted, residentIDs).Scan(&ids).Error
	if err != nil {
		return nil, fmt.Errorf("leaderboard: read consents: %w", err)
	}
	out := make(map[string]bool, len(ids))
	for _, id := range ids {
		out[id] = true
	}
	return out, nil
}

type bucketKey struct {
	board
	points int64
}

// writeTx writes what differs. It runs under the cursors' lock, so that the
// rows read before are still the rows there are and can be overwritten whole.
func (c changes) writeTx(tx *gorm.DB) error {
	var rows []model.LeaderboardScore
	buckets := map[bucketKey]int64{}
	totals := map[board]model.LeaderboardTotal{}
	for k, now := range c.after {
		was, existed := c.before[k]
		if existed && was == now {
			continue
		}
		rows = append(rows, model.LeaderboardScore{
			RegionID: k.regionID, PeriodKind: k.kind, PeriodStart: k.start, ResidentID: k.residentID, Points: now.points, Listed: now.listed,
		})
		t := totals[k.board]
		t.Points += now.points - was.points
		if !existed {
			t.Participants++
		}
		if was.listed { // never of a score that did not exist
			t.Listed--
			buckets[bucketKey{k.board, was.points}]--
		}
		if now.listed {
			t.Listed++
			buckets[bucketKey{k.board, now.points}]++
		}
		totals[k.board] = t
	}
	slices.SortFunc(rows, func(a, b model.LeaderboardScore) int {
		return cmp.Or(cmp.Compare(a.RegionID, b.RegionID), cmp.Compare(a.PeriodKind, b.PeriodKind),
			cmp.Compare(a.PeriodStart, b.PeriodStart), cmp.Compare(a.ResidentID, b.ResidentID))
	})
	if err := upsert(tx, rows, "points", "listed"); err != nil {
		return fmt.Errorf("leaderboard: write scores: %w", err)
	}
	if err := writeBuckets(tx, buckets); err != nil {
		return fmt.Errorf("leaderboard: write histogram: %w", err)
	}
	if err := writeTotals(tx, totals); err != nil {
		return fmt.Errorf("leaderboard: write totals: %w", err)
	}
	return nil
}

// maxRows keeps a statement of at most seven columns below SQLite's 32,766
// parameters.
const maxRows = 4000

// upsert inserts rows, or sets the columns of those that exist: GORM writes
// each engine's own words for it.
func upsert[T any](tx *gorm.DB, rows []T, columns ...string) error {
	for chunk := range slices.Chunk(rows, maxRows) {
		err := tx.Clauses(clause.OnConflict{
			Columns: primaryKeyOf(tx, &chunk), DoUpdates: clause.AssignmentColumns(columns),
		}).Create(&chunk).Error
		if err != nil {
			return err
		}
	}
	return nil
}

// primaryKeyOf names the key that SQLite wants named.
func primaryKeyOf(tx *gorm.DB, rows any) (out []clause.Column) {
	stmt := &gorm.Statement{DB: tx}
	if stmt.Parse(rows) != nil {
		return nil // Create will say what is wrong
	}
	for _, f := range stmt.Schema.PrimaryFields {
		out = append(out, clause.Column{Name: f.DBName})
	}
	return out
}

// maxTerms bounds an OR: SQLite refuses an expression deeper than 1,000.
const maxTerms = 200

// writeBuckets adds the differences to the histogram and deletes the bars that
// become empty.
func writeBuckets(tx *gorm.DB, delta map[bucketKey]int64) error {
	points := map[board][]int64{}
	for k, d := range delta {
		if d != 0 {
			points[k.board] = append(points[k.board], k.points)
		}
	}
	for boards := range slices.Chunk(sortedBoards(points), maxTerms) {
		var (
			where []string
			args  []any
		)
		for _, b := range boards {
			where = append(where, "(period_kind = ? AND period_start = ? AND region_id = ? AND points IN ?)")
			args = append(args, b.kind, b.start, b.regionID, points[b])
		}
		within := "(" + strings.Join(where, " OR ") + ")"
		var found []model.LeaderboardBucket
		if err := tx.Raw("SELECT * FROM leaderboard_bucket WHERE "+within, args...).Scan(&found).Error; err != nil {
			return err
		}
		rows, emptied := addToBuckets(boards, points, delta, found)
		if err := upsert(tx, rows, "residents"); err != nil {
			return err
		}
		if !emptied {
			continue
		}
		if err := tx.Exec("DELETE FROM leaderboard_bucket WHERE residents = 0 AND "+within, args...).Error; err != nil {
			return err
		}
	}
	return nil
}

func addToBuckets(boards []board, points map[board][]int64, delta map[bucketKey]int64, found []model.LeaderboardBucket) (
	rows []model.LeaderboardBucket, emptied bool,
) {
	residents := make(map[bucketKey]int64, len(found))
	for _, f := range found {
		residents[bucketKey{board{f.PeriodKind, f.PeriodStart, f.RegionID}, f.Points}] = f.Residents
	}
	for _, b := range boards {
		slices.Sort(points[b])
		for _, p := range points[b] {
			k := bucketKey{b, p}
			n := residents[k] + delta[k]
			emptied = emptied || n == 0
			rows = append(rows, model.LeaderboardBucket{PeriodKind: b.kind, PeriodStart: b.start, RegionID: b.regionID, Points: p, Residents: n})
		}
	}
	return rows, emptied
}

func writeTotals(tx *gorm.DB, delta map[board]model.LeaderboardTotal) error {
	boards := sortedBoards(delta)
	starts, regions := map[clock.Day]bool{}, map[string]bool{}
	for _, b := range boards {
		starts[b.start], regions[b.regionID] = true, true
	}
	if len(boards) == 0 {
		return nil
	}
	var found []model.LeaderboardTotal
	err := tx.Raw("SELECT * FROM leaderboard_total WHERE period_kind IN ? AND period_start IN ? AND region_id IN ?",
		model.LeaderboardKinds(), slices.Sorted(maps.Keys(starts)), slices.Sorted(maps.Keys(regions))).Scan(&found).Error
	if err != nil {
		return err
	}
	before := make(map[board]model.LeaderboardTotal, len(found))
	for _, t := range found {
		before[board{t.PeriodKind, t.PeriodStart, t.RegionID}] = t
	}
	rows := make([]model.LeaderboardTotal, len(boards))
	for i, b := range boards {
		t, d := before[b], delta[b]
		rows[i] = model.LeaderboardTotal{
			PeriodKind: b.kind, PeriodStart: b.start, RegionID: b.regionID,
			Participants: t.Participants + d.Participants, Listed: t.Listed + d.Listed, Points: t.Points + d.Points,
		}
	}
	return upsert(tx, rows, "participants", "listed", "points")
}

func sortedBoards[V any](m map[board]V) []board {
	return slices.SortedFunc(maps.Keys(m), func(a, b board) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.start, b.start), cmp.Compare(a.regionID, b.regionID))
	})
}
