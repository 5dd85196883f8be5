package media

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
)

const (
	unusedBatch = 200
	// unusedGrace is how long a file that nobody used keeps its bytes after it was
	// found: whoever attached it at that very moment is seen by then.
	unusedGrace = time.Hour
)

// UsedKeys returns which of the keys a service uses.
type UsedKeys func(ctx context.Context, keys []string) ([]string, error)

// OnUnused adds a service that uses media: what none of them uses is deleted.
// Call it before serving.
func (s *Service) OnUnused(uses ...UsedKeys) { s.uses = append(s.uses, uses...) }

// DeleteUnused deletes the files that were uploaded longer ago than keep and
// that nothing uses, and returns how many. It takes two runs: the first sets a
// file aside, so that it can no longer be attached; the next deletes its bytes,
// unless it was attached while it was set aside.
func (s *Service) DeleteUnused(ctx context.Context, keep time.Duration) (deleted int, err error) {
	now := clock.Now(s.clock)
	deleted, err = s.eachUnused(ctx, "discarded_at <= ?", now.Add(-unusedGrace), s.deleteFiles, s.takeBack)
	if err != nil {
		return deleted, err
	}
	_, err = s.eachUnused(ctx, "discarded_at IS NULL AND created_at <= ?", now.Add(-keep), s.setAside, func(context.Context, []string) error { return nil })
	return deleted, err
}

// eachUnused walks the rows by key and hands the unused and the used ones on.
func (s *Service) eachUnused(ctx context.Context, where string, until clock.Instant, unused, used func(context.Context, []string) error) (n int, err error) {
	for after := ""; ; {
		var keys []string
		err := s.db.Read(ctx).Raw("SELECT id FROM media WHERE "+where+" AND id > ? ORDER BY id LIMIT ?", until, after, unusedBatch).Scan(&keys).Error
		if err != nil {
			return n, fmt.Errorf("media: unused: %w", err)
		}
		if len(keys) == 0 {
			return n, nil
		}
		after = keys[len(keys)-1]
		inUse, free, err := s.split(ctx, keys)
		if err != nil {
			return n, err
		}
		if len(inUse) > 0 {
			if err := used(ctx, inUse); err != nil {
				return n, err
			}
		}
		if len(free) > 0 {
			if err := unused(ctx, free); err != nil {
				return n, err
			}
		}
		n += len(free)
	}
}

func (s *Service) split(ctx context.Context, keys []string) (inUse, free []string, err error) {
	known := map[string]bool{}
	for _, uses := range s.uses {
		found, err := uses(ctx, keys)
		if err != nil {
			return nil, nil, err
		}
		for _, key := range found {
			known[key] = true
		}
	}
	for _, key := range keys {
		if known[key] {
			inUse = append(inUse, key)
		} else {
			free = append(free, key)
		}
	}
	return inUse, free, nil
}

func (s *Service) setAside(ctx context.Context, keys []string) error {
	return s.mark(ctx, clock.Now(s.clock).Ptr(), keys)
}

func (s *Service) takeBack(ctx context.Context, keys []string) error { return s.mark(ctx, nil, keys) }

func (s *Service) mark(ctx context.Context, at *clock.Instant, keys []string) error {
	return database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		if err := tx.Exec("UPDATE media SET discarded_at = ? WHERE id IN ?", at, keys).Error; err != nil {
			return fmt.Errorf("media: unused: %w", err)
		}
		return nil
	})
}

// deleteFiles deletes the bytes first: a row without a file is met again.
func (s *Service) deleteFiles(ctx context.Context, keys []string) error {
	for _, key := range keys {
		if err := s.store.Delete(ctx, key); err != nil {
			return fmt.Errorf("media: unused: %w", err)
		}
	}
	return database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		if err := tx.Exec("DELETE FROM media WHERE id IN ?", keys).Error; err != nil {
			return fmt.Errorf("media: unused: %w", err)
		}
		return nil
	})
}
