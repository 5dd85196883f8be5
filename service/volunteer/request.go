package volunteer

import (
	"context"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/database"
)

// once runs step in a transaction, once for each key of the actor: a replay
// returns the first answer, and the same key with another input is
// ErrIdempotency. Without a key it runs each time.
func once[T any](ctx context.Context, s *Service, actor authz.Actor, key, operation string, input any, step func(*gorm.DB) (T, error)) (T, error) {
	var out, none T
	hash, err := hashOf(operation, input)
	if err != nil {
		return none, err
	}
	if done, err := s.answered(ctx, actor, key, hash, &out); done || err != nil {
		return out, err
	}
	err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		var err error
		if out, err = step(tx); err != nil {
			return err
		}
		return s.storeAnswerTx(tx, actor, key, hash, out)
	})
	if err != nil {
		// The same call at the same time may have been first: then its answer is
		// what this one ran into.
		var first T
		if done, lookErr := s.answered(ctx, actor, key, hash, &first); done || lookErr != nil {
			return first, lookErr
		}
		return none, err
	}
	return out, nil
}
