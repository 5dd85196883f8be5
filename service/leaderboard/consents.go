package leaderboard

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"jiamenkou/model"
)

// RefreshConsents lists the residents who have agreed since the last run, and
// unlists those who withdrew, on the current and the last week and month; it
// returns how many residents it looked at. Older boards stay as they were,
// except that Board shows nobody who does not agree now.
//
// Decisions become visible out of order like awards do, so the last overlap is
// looked at again; setting what is set already changes nothing.
func (s *Service) RefreshConsents(ctx context.Context) (residents int, err error) {
	return s.inBatches(ctx, (*batch).refreshTx)
}

func (b *batch) refreshTx(tx *gorm.DB) error {
	b.found, b.applied, b.last = 0, 0, b.after
	c, err := lockCursorsTx(tx)
	if err != nil {
		return err
	}
	// Other purposes are read too: the cursor must get past them.
	var decisions []model.ConsentHistory
	err = tx.Raw("SELECT id, resident_id, purpose FROM consent_history WHERE id > ? ORDER BY id LIMIT ?",
		b.from(c.consents), b.cfg.BatchSize).Scan(&decisions).Error
	if err != nil {
		return fmt.Errorf("leaderboard: read consent history: %w", err)
	}
	last := ""
	if b.found = len(decisions); b.found > 0 {
		last = decisions[b.found-1].ID
		b.last = last
	}
	var residents []string
	for _, d := range decisions {
		if d.Purpose == model.ConsentLeaderboard {
			residents = append(residents, d.ResidentID)
		}
	}
	residents = distinct(residents)
	if b.applied = len(residents); b.applied > 0 {
		if err := b.relistTx(tx, residents); err != nil {
			return err
		}
	}
	if err := advance(&c.consents, last, b.start); err != nil {
		return err
	}
	return b.saveCursorTx(tx, c.consents)
}

// relistTx sets the residents' listed flags to the consents in force.
func (b *batch) relistTx(tx *gorm.DB, residents []string) error {
	consenting, err := consentingTx(tx, residents)
	if err != nil {
		return err
	}
	week, month := PeriodOf(model.LeaderboardWeek, b.start.Day()), PeriodOf(model.LeaderboardMonth, b.start.Day())
	var rows []model.LeaderboardScore
	err = tx.Raw(`SELECT * FROM leaderboard_score WHERE resident_id IN ?
		AND (period_kind = ? AND period_start >= ? OR period_kind = ? AND period_start >= ?)`, residents,
		week.Kind, week.before().Start, month.Kind, month.before().Start).Scan(&rows).Error
	if err != nil {
		return fmt.Errorf("leaderboard: read scores: %w", err)
	}
	c := changes{before: beforeOf(rows), after: make(map[scoreKey]score, len(rows))}
	for k, was := range c.before {
		c.after[k] = score{was.points, consenting[k.residentID]}
	}
	return c.writeTx(tx)
}
