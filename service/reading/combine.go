package reading

import (
	"context"
	"errors"

	"gorm.io/gorm"

	"jiamenkou/internal/batch"
	"jiamenkou/internal/database"
)

// combine makes the combiners of what residents earn by in masses. What one
// resident does stays in one lane, in order; the budget, which all of them
// draw on, is locked last in each transaction.
func (s *Service) combine() {
	s.completions = batch.New(s.cfg.Batch, func(i item) string { return i.residentID }, s.completeBatch)
	s.signIns = batch.New(s.cfg.Batch, func(residentID string) string { return residentID }, s.signInBatch)
}

func (s *Service) completeBatch(ctx context.Context, items []item) ([]batch.Result[Completion], error) {
	var done []outcome
	err := database.InTx(ctx, s.db, func(tx *gorm.DB) (err error) {
		done, err = s.completeTx(ctx, tx, items)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := make([]batch.Result[Completion], len(done))
	for i, o := range done {
		out[i] = batch.Result[Completion]{Value: o.Completion, Err: o.Err}
	}
	return out, nil
}

func (s *Service) signInBatch(ctx context.Context, residentIDs []string) (out []batch.Result[SignIn], err error) {
	err = s.insertTx(ctx, func(tx *gorm.DB) (err error) {
		out, err = s.signInsTx(ctx, tx, residentIDs)
		return err
	})
	return out, err
}

// Close waits until every completion and sign-in that was taken on is
// answered; later ones are refused. When ctx ends first it returns an error.
func (s *Service) Close(ctx context.Context) error {
	return errors.Join(s.completions.Close(ctx), s.signIns.Close(ctx))
}

// Stats counts what was combined since the start.
type Stats struct{ Completions, SignIns batch.Stats }

// Stats returns the counts.
func (s *Service) Stats() Stats {
	return Stats{Completions: s.completions.Stats(), SignIns: s.signIns.Stats()}
}
