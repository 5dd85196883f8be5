package market

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/model"
	"jiamenkou/service/ledger"
)

// giveBackTx ends held orders that their caller has locked: points go back to
// the wallets, units to the stock, slots to the residents. Orders whose hold
// the ledger refuses to release are left alone and named in failed; rows is
// what was written of each move. Statements are constant.
func (s *Service) giveBackTx(ctx context.Context, tx *gorm.DB, orders []Order, rows []model.OrderHistory) (failed []error, err error) {
	if len(orders) == 0 {
		return nil, nil
	}
	releases := make([]ledger.Release, len(orders))
	for i, o := range orders {
		releases[i] = ledger.Release{
			Event:      ledger.Event{SourceType: SourceOrder, SourceID: o.ID, ActorID: rows[i].ActorID, Reason: bookedReason(rows[i])},
			ResidentID: o.ResidentID, HoldID: o.HoldID,
		}
	}
	outcomes, err := s.ledger.ReleaseTx(ctx, tx, releases)
	if err != nil {
		return nil, err
	}
	var (
		ids   []string
		moves []model.OrderHistory
		sold  = map[string]int64{}
	)
	for i, o := range orders {
		if outcomes[i].Err != nil {
			failed = append(failed, fmt.Errorf("market: give back order %s: %w", o.ID, outcomes[i].Err))
			continue
		}
		ids = append(ids, o.ID)
		moves = append(moves, rows[i])
		sold[o.ReleaseID]--
	}
	if len(ids) == 0 {
		return failed, nil
	}
	tx = tx.WithContext(ctx)
	if err := moveOrdersTx(tx, ids, model.OrderHeld, model.OrderStatus(moves[0].ToStatus), moves[0].CreatedAt); err != nil {
		return nil, err
	}
	if err := create(tx, moves); err != nil {
		return nil, fmt.Errorf("market: give back: %w", err)
	}
	return failed, stockTx(tx, sold)
}

// bookedReason is what the ledger keeps of why an order was given back. A
// resident's own words stand with the order alone: nothing in the books can be
// deleted when the resident leaves.
func bookedReason(move model.OrderHistory) string {
	if move.ActorKind == string(authz.KindResident) {
		return "居民取消兑换"
	}
	return move.Reason
}

// ForgetTx joins the deletion of a resident's account: orders stay, by an
// anonymous resident, without what was written about cancelling them. It is an
// identity.DeleteHook.
func (*Service) ForgetTx(ctx context.Context, tx *gorm.DB, residentID string) error {
	err := tx.WithContext(ctx).Exec("UPDATE order_history SET reason = '' WHERE actor_id = ? AND actor_kind = ? AND reason <> ''",
		residentID, authz.KindResident).Error
	if err != nil {
		return fmt.Errorf("market: forget: %w", err)
	}
	return nil
}

// CancelInput asks for an order to be cancelled.
type CancelInput struct {
	OrderID        string
	Reason         string // optional, at most 200 characters
	IdempotencyKey string
}

// Cancelled is the answer to a cancellation, the same for every replay.
type Cancelled struct {
	OrderID     string
	Points      int64 // given back
	CancelledAt clock.Instant
}

// Cancel gives an order up that is still held: the resident gets points and
// slot back, the release its unit.
//
// Errors: ErrOrderMissing (also of another resident), ErrOrderRedeemed,
// ErrOrderCancelled, ErrOrderReversed, ErrOrderExpired, ErrIdempotencyConflict.
func (s *Service) Cancel(ctx context.Context, actor authz.Actor, in CancelInput) (Cancelled, error) {
	if err := actor.Resident(); err != nil {
		return Cancelled{}, err
	}
	if err := errors.Join(checkKey(in.IdempotencyKey), checkReason(in.Reason, false)); err != nil {
		return Cancelled{}, err
	}
	hash := hashInput("cancel", in.OrderID, in.Reason)
	var (
		out     Cancelled
		benefit string
	)
	err := database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		if _, err := s.ledger.LockWalletsTx(ctx, tx, []string{actor.ID}); err != nil {
			return fmt.Errorf("market: cancel: %w", err)
		}
		orders, err := lockOrdersTx(ctx, tx, []string{in.OrderID})
		if err != nil {
			return err
		}
		if len(orders) == 0 || orders[0].ResidentID != actor.ID {
			return ErrOrderMissing
		}
		o := orders[0]
		benefit = o.BenefitID
		move, replayed, err := s.answeredMove(ctx, tx, actor, in.IdempotencyKey, hash)
		if err != nil {
			return err
		}
		if !replayed {
			if move, err = s.cancelTx(ctx, tx, actor, o, in, hash); err != nil {
				return err
			}
		}
		out = Cancelled{OrderID: o.ID, Points: o.Points, CancelledAt: move.CreatedAt}
		return nil
	})
	s.soldOut.forget(benefit)
	return out, s.keyTaken(ctx, err, actor, in.IdempotencyKey)
}

func (s *Service) cancelTx(ctx context.Context, tx *gorm.DB, actor authz.Actor, o Order, in CancelInput, hash string) (model.OrderHistory, error) {
	now := s.now()
	if err := refused(o, now); err != nil {
		if errors.Is(err, ErrCodeUsed) {
			err = ErrOrderRedeemed
		}
		return model.OrderHistory{}, err
	}
	move := s.orderHistory(o, model.OrderHeld, model.OrderCancelled, actor, in.Reason, now)
	move.IdempotencyKey, move.InputHash = &in.IdempotencyKey, &hash
	failed, err := s.giveBackTx(ctx, tx, []Order{o}, []model.OrderHistory{move})
	return move, errors.Join(append(failed, err)...)
}

// answeredMove finds the move that an earlier request with this key made.
func (s *Service) answeredMove(ctx context.Context, tx *gorm.DB, actor authz.Actor, key, hash string) (model.OrderHistory, bool, error) {
	var rows []model.OrderHistory
	err := tx.WithContext(ctx).Where("actor_id = ? AND idempotency_key = ?", actor.ID, key).Limit(1).Find(&rows).Error
	switch {
	case err != nil:
		return model.OrderHistory{}, false, fmt.Errorf("market: look the key up: %w", err)
	case len(rows) == 0:
		return model.OrderHistory{}, false, nil
	case *rows[0].InputHash != hash:
		return model.OrderHistory{}, false, ErrIdempotencyConflict
	}
	return rows[0], true, nil
}

// keyTaken turns a duplicate key into its fault: the actor used one key for two
// different orders at the same moment.
func (s *Service) keyTaken(ctx context.Context, err error, actor authz.Actor, key string) error {
	if !database.IsDuplicate(err) {
		return err
	}
	var n int64
	q := s.db.Read(ctx).Raw(`SELECT (SELECT COUNT(*) FROM order_history WHERE actor_id = ? AND idempotency_key = ?)
		+ (SELECT COUNT(*) FROM redemption WHERE clerk_id = ? AND idempotency_key = ?)`, actor.ID, key, actor.ID, key)
	if q.Scan(&n); q.Error == nil && n > 0 {
		return ErrIdempotencyConflict.WithCause(err)
	}
	return err
}

// releaseBatch is how many orders one transaction of ReleaseExpired ends.
const releaseBatch = 200

// ReleaseExpired ends the held orders whose deadline is over and returns how
// many. It may run at any time and on several instances at once. Orders that
// the ledger refuses to release are named in the error, after all the others
// have been ended.
func (s *Service) ReleaseExpired(ctx context.Context) (released int, err error) {
	var (
		after    string
		failures []error
	)
	for {
		var due []Order
		err := s.db.Read(ctx).Select("id", "resident_id").
			Where("status = ? AND redeem_until <= ? AND id > ?", model.OrderHeld, s.now(), after).
			Order("id").Limit(releaseBatch).Find(&due).Error
		if err != nil {
			return released, fmt.Errorf("market: release expired: %w", err)
		}
		if len(due) == 0 {
			return released, errors.Join(failures...)
		}
		after = due[len(due)-1].ID
		done, failed, err := s.releaseDue(ctx, due)
		if err != nil {
			return released, err
		}
		released += done
		failures = append(failures, failed...)
	}
}

func (s *Service) releaseDue(ctx context.Context, due []Order) (done int, failed []error, err error) {
	residents, ids := map[string]bool{}, make([]string, len(due))
	for i, o := range due {
		residents[o.ResidentID] = true
		ids[i] = o.ID
	}
	benefits := map[string]bool{}
	job := authz.System("market.release_expired")
	err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		if _, err := s.ledger.LockWalletsTx(ctx, tx, sortedKeys(residents)); err != nil {
			return fmt.Errorf("market: release expired: %w", err)
		}
		orders, err := lockOrdersTx(ctx, tx, ids)
		if err != nil {
			return err
		}
		now := s.now()
		var (
			still []Order // under the lock it may have been redeemed or cancelled meanwhile
			moves []model.OrderHistory
		)
		for _, o := range orders {
			if o.Status == model.OrderHeld && o.RedeemUntil <= now {
				still = append(still, o)
				benefits[o.BenefitID] = true
				moves = append(moves, s.orderHistory(o, model.OrderHeld, model.OrderExpired, job, "逾期未核销", now))
			}
		}
		failed, err = s.giveBackTx(ctx, tx, still, moves)
		done = len(still) - len(failed)
		return err
	})
	s.soldOut.forget(sortedKeys(benefits)...)
	return done, failed, err
}
