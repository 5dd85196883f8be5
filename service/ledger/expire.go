package ledger

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/model"
)

var errNothingToExpire = errors.New("ledger: nothing left to expire") // the item is dropped

// sweepBatch is how many lots or holds one transaction of a sweep handles.
const sweepBatch = 200

// ExpireLots takes what is left, and not held, in lots whose last day is over,
// and returns how many lots that were. It is safe to run at any time and by
// several instances.
func (s *Service) ExpireLots(ctx context.Context) (lots int, err error) {
	today := clock.Today(s.clock)
	var after string
	for {
		var due []model.Lot
		err := s.db.Read(ctx).Where("expires_on < ? AND remaining > held AND id > ?", today, after).
			Order("id").Limit(sweepBatch).Find(&due).Error
		if err != nil {
			return lots, fmt.Errorf("ledger: expire: %w", err)
		}
		if len(due) == 0 {
			return lots, nil
		}
		after = due[len(due)-1].ID
		items := make([]expire, len(due))
		for i, l := range due {
			items[i] = expire{wallet: AccountID(l.AccountID), lotID: l.ID, Event: Event{
				// A lot may expire in parts: a hold that is released later
				// leaves its part to a later run.
				SourceType: "lot", SourceID: fmt.Sprintf("%s:%d", l.ID, l.Version),
				ActorID: authz.System("expire-lots").ID, Reason: "积分到期",
			}}
		}
		var done int
		err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
			done = 0
			outcomes, err := runAll(ctx, s, tx, items)
			for _, o := range outcomes {
				if o.Err == nil && !o.Replayed {
					done++
				}
			}
			return err
		})
		if err != nil {
			return lots, err
		}
		lots += done
	}
}
