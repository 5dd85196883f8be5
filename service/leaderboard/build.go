package leaderboard

import (
	"context"
	"fmt"
	"slices"

	"gorm.io/gorm"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/model"
)

// Build counts the awards that were posted since the last run and returns how
// many. Each batch is one transaction in which the scores, the histogram, the
// totals, the marks of what was counted and the cursor move together, so that
// a run that is killed, or two at once, count nothing twice and lose nothing.
//
// An award's id is older than its commit, so ids do not become visible in
// order: awards from the last overlap before the newest one seen are read
// again, and the marks in leaderboard_applied tell which are new.
func (s *Service) Build(ctx context.Context) (applied int, err error) {
	return s.inBatches(ctx, (*batch).buildTx)
}

// inBatches runs a job's step, a transaction each time, until it finds less
// than a whole batch, and returns the sum of what the steps applied.
func (s *Service) inBatches(ctx context.Context, step func(*batch, *gorm.DB) error) (applied int, err error) {
	if !s.cfg.Enabled {
		return 0, nil
	}
	if err := s.ensureCursors(ctx); err != nil {
		return 0, err
	}
	b := &batch{Service: s, start: clock.Now(s.clock)}
	for range maxBatches {
		err := database.InTx(ctx, s.db, func(tx *gorm.DB) error { return step(b, tx) })
		if err != nil {
			return applied, err
		}
		applied += b.applied
		if b.found < s.cfg.BatchSize {
			break
		}
		b.after = b.last
	}
	return applied, nil
}

// batch is where a run stands.
type batch struct {
	*Service
	start clock.Instant // of the run
	after string        // read what follows this id

	// What the last transaction did.
	found, applied int
	last           string
}

// from is the id behind which a transaction reads on: the floor, or before it
// while the clock stands before the floor, but only as far as marks are kept.
func (b *batch) from(c model.LeaderboardCursor) string {
	return max(b.after, marksFrom(c), min(c.FloorID, firstIDAt(b.start.Add(-overlap))))
}

// earned is an award as far as leaderboards are concerned.
type earned struct {
	ID         string
	ResidentID string
	RegionID   string
	Day        clock.Day
	Points     int64
}

func (b *batch) buildTx(tx *gorm.DB) error {
	b.found, b.applied, b.last = 0, 0, b.after
	c, err := lockCursorsTx(tx)
	if err != nil {
		return err
	}
	// Another run may have gone ahead meanwhile, and old marks may be gone.
	from := b.from(c.awards)
	var awards []earned
	// The plus keeps SQLite from sorting all awards of that status for each batch.
	err = tx.Raw(`SELECT id, resident_id, region_id, day, points FROM award
		WHERE id > ? AND +status = ? ORDER BY id LIMIT ?`, from, model.AwardPosted, b.cfg.BatchSize).Scan(&awards).Error
	if err != nil {
		return fmt.Errorf("leaderboard: read awards: %w", err)
	}
	last := ""
	if b.found = len(awards); b.found > 0 {
		last = awards[b.found-1].ID
		b.last = last
	}
	if awards, err = unapplied(tx, awards); err != nil {
		return err
	}
	if b.applied = len(awards); b.applied > 0 {
		if err := b.countTx(tx, awards); err != nil {
			return err
		}
	}
	if err := advance(&c.awards, last, b.start); err != nil {
		return err
	}
	return b.saveCursorTx(tx, c.awards)
}

// unapplied leaves out the awards that an earlier batch counted.
func unapplied(tx *gorm.DB, awards []earned) ([]earned, error) {
	if len(awards) == 0 {
		return nil, nil
	}
	ids := make([]string, len(awards))
	for i, a := range awards {
		ids[i] = a.ID
	}
	var known []string
	if err := tx.Raw("SELECT award_id FROM leaderboard_applied WHERE award_id IN ?", ids).Scan(&known).Error; err != nil {
		return nil, fmt.Errorf("leaderboard: read applied: %w", err)
	}
	done := make(map[string]bool, len(known))
	for _, id := range known {
		done[id] = true
	}
	return slices.DeleteFunc(awards, func(a earned) bool { return done[a.ID] }), nil
}

// countTx adds awards to the scores and marks them.
func (b *batch) countTx(tx *gorm.DB, awards []earned) error {
	paths, err := regionPaths(tx, awards)
	if err != nil {
		return err
	}
	oldest := oldestStart(b.start.Day())
	delta := map[scoreKey]int64{}
	marks := make([]model.LeaderboardApplied, len(awards))
	for i, a := range awards {
		marks[i].AwardID = a.ID
		for _, kind := range model.LeaderboardKinds() {
			p := PeriodOf(kind, a.Day)
			if p.Start < oldest {
				continue // Prune would delete it again
			}
			for _, regionID := range boardRegions(paths[a.RegionID]) {
				delta[scoreKey{board{kind, p.Start, regionID}, a.ResidentID}] += a.Points
			}
		}
	}
	c, err := loadScores(tx, delta)
	if err != nil {
		return err
	}
	if err := c.writeTx(tx); err != nil {
		return err
	}
	if err := tx.Create(&marks).Error; err != nil {
		return fmt.Errorf("leaderboard: mark applied: %w", err)
	}
	return nil
}

// regionPaths reads the paths of the regions in which awards were earned.
func regionPaths(tx *gorm.DB, awards []earned) (map[string]string, error) {
	ids := make([]string, len(awards))
	for i, a := range awards {
		ids[i] = a.RegionID
	}
	var rows []struct{ ID, Path string }
	if err := tx.Raw("SELECT id, path FROM region WHERE id IN ?", distinct(ids)).Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("leaderboard: read regions: %w", err)
	}
	paths := make(map[string]string, len(rows))
	for _, r := range rows {
		paths[r.ID] = r.Path
	}
	return paths, nil
}

// boardRegions are the regions on the path that have leaderboards: each level
// lies directly under the one before it, so that a region's place in the path
// is its level.
func boardRegions(path string) []string {
	ids := model.RegionPathIDs(path)
	return ids[:min(len(ids), len(model.LeaderboardLevels()))]
}

func distinct(ids []string) []string {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	return slices.Compact(ids)
}
