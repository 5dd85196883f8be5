package recourse

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/model"
)

const sweepRows = 200

// ExpireAdjustments ends the proposals that nobody decided in time, in
// batches, and returns how many.
func (s *Service) ExpireAdjustments(ctx context.Context) (expired int, err error) {
	for {
		n := 0
		err := database.InTx(ctx, s.db, func(tx *gorm.DB) error {
			now := clock.Now(s.clock)
			var ids []string
			err := tx.Raw(`SELECT id FROM adjustment WHERE status = ? AND decide_by <= ? ORDER BY decide_by, id LIMIT ?`+database.ForUpdate(tx),
				model.AdjustmentProposed, now, sweepRows).Scan(&ids).Error
			if n = len(ids); err != nil || n == 0 {
				return err
			}
			system := authz.System("recourse.sweep")
			history := make([]model.AdjustmentHistory, n)
			for i, id := range ids {
				history[i] = model.AdjustmentHistory{
					ID: s.clock.NewID(), AdjustmentID: id, FromStatus: model.AdjustmentProposed, ToStatus: model.AdjustmentExpired,
					ActorKind: string(system.Kind), ActorID: system.ID, Reason: "超过时限没有审批", CreatedAt: now,
				}
			}
			res := tx.Exec(`UPDATE adjustment SET status = ?, updated_at = ? WHERE id IN ? AND status = ?`,
				model.AdjustmentExpired, now, ids, model.AdjustmentProposed)
			if err := database.RequireRows(res, int64(n)); err != nil {
				return err
			}
			return tx.Create(&history).Error
		})
		if err != nil {
			return expired, fmt.Errorf("recourse: expire adjustments: %w", err)
		}
		if expired += n; n < sweepRows {
			return expired, nil
		}
	}
}

// CloseObjections closes the objections that were answered long ago and not
// taken up again, in batches, and returns how many.
func (s *Service) CloseObjections(ctx context.Context) (closed int, err error) {
	for {
		n := 0
		err := database.InTx(ctx, s.db, func(tx *gorm.DB) error {
			var rows []Objection
			err := tx.Raw(`SELECT * FROM objection WHERE status = ? AND answered_at <= ? ORDER BY answered_at, id LIMIT ?`+database.ForUpdate(tx),
				model.ObjectionAnswered, clock.Now(s.clock).Add(-s.cfg.ObjectionTTL), sweepRows).Scan(&rows).Error
			if n = len(rows); err != nil {
				return err
			}
			return s.closeTx(tx, authz.System("recourse.sweep"), rows, "已答复，到期结束")
		})
		if err != nil {
			return closed, fmt.Errorf("recourse: close objections: %w", err)
		}
		if closed += n; n < sweepRows {
			return closed, nil
		}
	}
}

func (s *Service) closeTx(tx *gorm.DB, actor authz.Actor, rows []Objection, reason string) error {
	if len(rows) == 0 {
		return nil
	}
	now := clock.Now(s.clock)
	ids := make([]string, len(rows))
	history := make([]model.ObjectionHistory, len(rows))
	for i, o := range rows {
		ids[i] = o.ID
		history[i] = model.ObjectionHistory{
			ID: s.clock.NewID(), ObjectionID: o.ID, FromStatus: o.Status, ToStatus: model.ObjectionClosed,
			ActorKind: string(actor.Kind), ActorID: actor.ID, Reason: reason, CreatedAt: now,
		}
	}
	res := tx.Exec(`UPDATE objection SET status = ?, open_slot = NULL, closed_at = ?, updated_at = ? WHERE id IN ? AND status <> ?`,
		model.ObjectionClosed, now, now, ids, model.ObjectionClosed)
	if err := database.RequireRows(res, int64(len(ids))); err != nil {
		return err
	}
	return tx.Create(&history).Error
}
