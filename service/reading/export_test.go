package reading

import (
	"context"

	"gorm.io/gorm"

	"jiamenkou/internal/database"
)

// OffersQuery is the statement behind Offers, for EXPLAIN.
func OffersQuery(residentID string, regions []string, f OfferFilter, key []string, limit int) (string, []any, error) {
	q, err := offersQuery(residentID, regions, f, key, limit)
	return q.text, q.args, err
}

// CompleteAll completes sessions ({session id, resident id}) in one transaction.
func (s *Service) CompleteAll(ctx context.Context, asked [][2]string) (done []Completion, errs []error, err error) {
	items := make([]item, len(asked))
	for i, a := range asked {
		items[i] = item{sessionID: a[0], residentID: a[1]}
	}
	err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		out, err := s.completeTx(ctx, tx, items)
		done, errs = nil, nil
		for _, o := range out {
			done, errs = append(done, o.Completion), append(errs, o.Err)
		}
		return err
	})
	return done, errs, err
}
