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

// dueLots are the lots of one expiry date that have points left, by account.
const dueLots = `SELECT * FROM lot WHERE expires_on = ? AND account_id > ? AND remaining > held ORDER BY account_id LIMIT ?`

// ExpireLots takes what is left, and not held, in lots whose last day is over,
// and returns how many lots that were. It goes through the index of expiry
// dates, a day at a time. It is safe to run at any time and by several
// instances.
func (s *Service) ExpireLots(ctx context.Context) (lots int, err error) {
	today := clock.Today(s.clock)
	day := clock.Day("")
	for {
		day, err = s.nextExpiry(ctx, day, today)
		if err != nil || day == "" {
			return lots, err
		}
		n, err := s.expireDay(ctx, day)
		lots += n
		if err != nil {
			return lots, err
		}
	}
}

func (s *Service) expireDay(ctx context.Context, day clock.Day) (lots int, err error) {
	after := ""
	for {
		var due []model.Lot
		if err := s.db.Read(ctx).Raw(dueLots, day, after, sweepBatch).Scan(&due).Error; err != nil {
			return lots, fmt.Errorf("ledger: expire: %w", err)
		}
		if len(due) == 0 {
			return lots, nil
		}
		after = due[len(due)-1].AccountID
		done, err := s.expireBatch(ctx, due)
		lots += done
		if err != nil {
			return lots, err
		}
	}
}

func (s *Service) expireBatch(ctx context.Context, due []model.Lot) (done int, err error) {
	items := make([]expire, len(due))
	for i, l := range due {
		items[i] = expire{wallet: AccountID(l.AccountID), lotID: l.ID, Event: Event{
			// A lot may expire in parts: a hold that is released later
			// leaves its part to a later run.
			SourceType: "lot", SourceID: fmt.Sprintf("%s:%d", l.ID, l.Version),
			ActorID: authz.System("expire-lots").ID, Reason: "积分到期",
		}}
	}
	err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		done = 0
		outcomes, err := runAll(ctx, s, tx, nil, items)
		for _, o := range outcomes {
			if o.Err == nil && !o.Replayed {
				done++
			}
		}
		return err
	})
	return done, err
}
