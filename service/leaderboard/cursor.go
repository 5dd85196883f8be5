package leaderboard

import (
	"context"
	"fmt"

	"github.com/oklog/ulid/v2"
	"gorm.io/gorm"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/model"
)

// cursors are how far the two jobs have read.
type cursors struct{ awards, consents model.LeaderboardCursor }

// lockCursorsTx locks both cursors. Everything that writes leaderboards does
// so first: two runs of whichever job take turns batch by batch.
func lockCursorsTx(tx *gorm.DB) (c cursors, err error) {
	var rows []model.LeaderboardCursor
	err = tx.Raw("SELECT * FROM leaderboard_cursor ORDER BY name" + database.ForUpdate(tx)).Scan(&rows).Error
	if err != nil {
		return c, fmt.Errorf("leaderboard: lock cursors: %w", err)
	}
	for _, row := range rows {
		switch row.Name {
		case model.LeaderboardAwards:
			c.awards = row
		case model.LeaderboardConsents:
			c.consents = row
		}
	}
	if c.awards.Name == "" || c.consents.Name == "" {
		return c, fmt.Errorf("leaderboard: %d cursors, want 2", len(rows))
	}
	return c, nil
}

// ensureCursors makes the cursors before the first run.
func (s *Service) ensureCursors(ctx context.Context) error {
	var n int64
	if err := s.db.Read(ctx).Raw("SELECT COUNT(*) FROM leaderboard_cursor").Scan(&n).Error; err != nil {
		return fmt.Errorf("leaderboard: read cursors: %w", err)
	}
	if n == 2 {
		return nil
	}
	err := database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		rows := []model.LeaderboardCursor{{Name: model.LeaderboardAwards}, {Name: model.LeaderboardConsents}}
		return tx.Create(&rows).Error
	})
	if database.IsDuplicate(err) {
		return nil // another run came first
	}
	if err != nil {
		return fmt.Errorf("leaderboard: make cursors: %w", err)
	}
	return nil
}

// advance moves the cursor to lastID, "" if nothing was found. It never passes
// the start of the run: what was invisible then may still have any id made
// within overlap before it. The bound also keeps an id from a clock that is
// ahead from moving the floor past rows to come.
func advance(c *model.LeaderboardCursor, lastID string, runStart clock.Instant) error {
	if lastID == "" {
		return nil
	}
	id, err := ulid.Parse(lastID)
	if err != nil {
		return fmt.Errorf("leaderboard: %s: id is no ULID: %w", c.Name, err)
	}
	seen, at := lastID, clock.InstantOf(id.Timestamp())
	if at > runStart {
		seen, at = firstIDAt(runStart), runStart
	}
	c.SeenID = max(c.SeenID, seen)
	c.FloorID = max(c.FloorID, firstIDAt(at.Add(-overlap)))
	return nil
}

// marksFrom is the id up to which no run reads any more, whatever the clock does
// within clockBack: the marks behind it are kept.
func marksFrom(c model.LeaderboardCursor) string {
	floor, err := ulid.Parse(c.FloorID)
	if err != nil {
		return "" // nothing was read yet
	}
	return firstIDAt(clock.InstantOf(floor.Timestamp()).Add(-clockBack))
}

// firstIDAt is the lowest ULID of the millisecond.
func firstIDAt(i clock.Instant) string {
	var id ulid.ULID
	// SetTime refuses only years after 10889.
	_ = id.SetTime(ulid.Timestamp(i.Time()))
	return id.String()
}

func (s *Service) saveCursorTx(tx *gorm.DB, c model.LeaderboardCursor) error {
	res := tx.Exec("UPDATE leaderboard_cursor SET seen_id = ?, floor_id = ?, updated_at = ? WHERE name = ?",
		c.SeenID, c.FloorID, clock.Now(s.clock), c.Name)
	if err := database.RequireRows(res, 1); err != nil {
		return fmt.Errorf("leaderboard: save cursor: %w", err)
	}
	return nil
}
