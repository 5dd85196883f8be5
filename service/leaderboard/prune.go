package leaderboard

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/model"
)

// pruneRows is the most rows that one transaction deletes.
const pruneRows = 2000

// Prune deletes the marks of awards that no run reads again, and the boards
// that began more than 13 whole months ago. It returns the rows deleted.
func (s *Service) Prune(ctx context.Context) (deleted int64, err error) {
	if err := s.ensureCursors(ctx); err != nil {
		return 0, err
	}
	n, err := s.pruneApplied(ctx)
	if err != nil {
		return n, err
	}
	old, err := s.oldBoards(ctx)
	for _, b := range old {
		if err != nil {
			break
		}
		var more int64
		more, err = s.pruneBoard(ctx, b)
		n += more
	}
	return n, err
}

// repeat runs step in transactions, under the cursors' lock, until it deletes
// fewer than pruneRows.
func (s *Service) repeat(ctx context.Context, step func(tx *gorm.DB, c cursors) (int64, error)) (total int64, err error) {
	for range maxBatches {
		var n int64
		err := database.InTx(ctx, s.db, func(tx *gorm.DB) error {
			c, err := lockCursorsTx(tx)
			if err == nil {
				n, err = step(tx, c)
			}
			return err
		})
		if err != nil {
			return total, fmt.Errorf("leaderboard: prune: %w", err)
		}
		if total += n; n < pruneRows {
			break
		}
	}
	return total, nil
}

func (s *Service) pruneApplied(ctx context.Context) (int64, error) {
	return s.repeat(ctx, func(tx *gorm.DB, c cursors) (int64, error) {
		var ids []string
		err := tx.Raw("SELECT award_id FROM leaderboard_applied WHERE award_id <= ? ORDER BY award_id LIMIT ?",
			marksFrom(c.awards), pruneRows).Scan(&ids).Error
		if err != nil || len(ids) == 0 {
			return 0, err
		}
		res := tx.Exec("DELETE FROM leaderboard_applied WHERE award_id <= ?", ids[len(ids)-1])
		return res.RowsAffected, res.Error
	})
}

// oldBoards lists at most so many boards that a daily run gets through.
func (s *Service) oldBoards(ctx context.Context) ([]board, error) {
	var rows []model.LeaderboardTotal
	err := s.db.Read(ctx).Raw("SELECT * FROM leaderboard_total WHERE period_kind IN ? AND period_start < ? ORDER BY period_start LIMIT ?",
		model.LeaderboardKinds(), oldestStart(clock.Today(s.clock)), maxBatches).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("leaderboard: prune: read boards: %w", err)
	}
	out := make([]board, len(rows))
	for i, r := range rows {
		out[i] = board{r.PeriodKind, r.PeriodStart, r.RegionID}
	}
	return out, nil
}

// pruneBoard deletes a board's scores in pieces, and with the last of them its
// histogram and its total, by which an interrupted run finds it again.
func (s *Service) pruneBoard(ctx context.Context, b board) (int64, error) {
	const of = " WHERE region_id = ? AND period_kind = ? AND period_start = ?"
	return s.repeat(ctx, func(tx *gorm.DB, _ cursors) (int64, error) {
		var ids []string
		err := tx.Raw("SELECT resident_id FROM leaderboard_score"+of+" ORDER BY resident_id LIMIT ?",
			b.regionID, b.kind, b.start, pruneRows).Scan(&ids).Error
		if err != nil {
			return 0, err
		}
		var n int64
		if len(ids) > 0 {
			res := tx.Exec("DELETE FROM leaderboard_score"+of+" AND resident_id <= ?", b.regionID, b.kind, b.start, ids[len(ids)-1])
			if res.Error != nil {
				return 0, res.Error
			}
			n = res.RowsAffected
		}
		if len(ids) == pruneRows {
			return n, nil
		}
		for _, table := range []string{"leaderboard_bucket", "leaderboard_total"} {
			if err := tx.Exec("DELETE FROM "+table+of, b.regionID, b.kind, b.start).Error; err != nil {
				return 0, err
			}
		}
		return n, nil
	})
}
