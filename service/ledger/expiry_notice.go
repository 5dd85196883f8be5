package ledger

import (
	"context"
	"fmt"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/queue"
	"jiamenkou/model"
)

// JobNotify is the kind of queued job that tells residents something; its
// payload is a Notice.
const JobNotify = "notify"

// Notice is the payload of JobNotify: ids only.
type Notice struct {
	Topic       string   `json:"topic"`
	ObjectID    string   `json:"object_id"`
	ResidentIDs []string `json:"resident_ids"`
}

// NoticePointsExpiring tells a resident what expires soon; the object is the
// lot: what the wallet owns of one expiry date.
const NoticePointsExpiring = "ledger.points_expiring"

const noticeBatch = 500

// dueNotices are the lots of one day that have points left and whose owner was
// not told yet, by account.
const dueNotices = `SELECT l.id, l.account_id FROM lot l LEFT JOIN expiry_notice n ON n.lot_id = l.id
	WHERE l.expires_on = ? AND l.account_id > ? AND l.remaining > l.held AND n.lot_id IS NULL
	ORDER BY l.account_id LIMIT ?`

// NoticeExpiring leaves a notice for every wallet with points that expire today
// or within the next days, once per wallet and expiry date, and returns how
// many. It is safe to run at any time and by several instances.
func (s *Service) NoticeExpiring(ctx context.Context, days int) (notices int, err error) {
	today := clock.Today(s.clock)
	day := today.AddDays(-1)
	for {
		day, err = s.nextExpiry(ctx, day, today.AddDays(days+1))
		if err != nil || day == "" {
			return notices, err
		}
		n, err := s.noticeDay(ctx, day)
		notices += n
		if err != nil {
			return notices, err
		}
	}
}

// nextExpiry returns the first day after one, and before another, on which a
// lot expires: "" if there is none.
func (s *Service) nextExpiry(ctx context.Context, after, before clock.Day) (clock.Day, error) {
	var day *clock.Day
	if err := s.db.Read(ctx).Raw(nextExpiry, after, before).Scan(&day).Error; err != nil {
		return "", fmt.Errorf("ledger: next expiry: %w", err)
	}
	if day == nil {
		return "", nil
	}
	return *day, nil
}

const nextExpiry = `SELECT MIN(expires_on) FROM lot WHERE expires_on > ? AND expires_on < ?`

func (s *Service) noticeDay(ctx context.Context, day clock.Day) (notices int, err error) {
	after := ""
	for {
		var lots []model.Lot
		if err := s.db.Read(ctx).Raw(dueNotices, day, after, noticeBatch).Scan(&lots).Error; err != nil {
			return notices, fmt.Errorf("ledger: expiry notices: %w", err)
		}
		if len(lots) == 0 {
			return notices, nil
		}
		after = lots[len(lots)-1].AccountID
		if err := database.InTx(ctx, s.db, func(tx *gorm.DB) error { return s.noticeTx(ctx, tx, lots) }); err != nil {
			return notices, err
		}
		notices += len(lots)
	}
}

func (s *Service) noticeTx(ctx context.Context, tx *gorm.DB, lots []model.Lot) error {
	now := clock.Now(s.clock)
	rows := make([]model.ExpiryNotice, len(lots))
	jobs := make([]queue.Job, len(lots))
	for i, l := range lots {
		rows[i] = model.ExpiryNotice{LotID: l.ID, CreatedAt: now}
		jobs[i] = queue.Job{
			Kind: JobNotify, UniqueKey: NoticePointsExpiring + ":" + l.ID,
			Payload: Notice{Topic: NoticePointsExpiring, ObjectID: l.ID, ResidentIDs: []string{AccountID(l.AccountID).OwnerID()}},
		}
	}
	// Another instance may do the same at this moment: the job's key keeps it single.
	if err := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&rows).Error; err != nil {
		return fmt.Errorf("ledger: expiry notices: %w", err)
	}
	return queue.EnqueueTx(ctx, tx, s.clock, jobs...)
}
