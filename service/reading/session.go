package reading

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/model"
)

// Session is one reading of an article.
type Session struct {
	ID                string
	ArticleID         string
	Status            Status
	MinSeconds        int64 // needed
	CreditedSeconds   int64 // counted so far, on the server's clock
	SecondsLeft       int64 // until Complete is accepted; 0 when it would be
	HeartbeatInterval time.Duration
	StartedAt         clock.Instant
	ExpiresAt         clock.Instant // an unfinished session is over then
	EndedAt           *clock.Instant
}

func (s *Service) view(r model.ReadingSession) Session {
	out := Session{
		ID: r.ID, ArticleID: r.ArticleID, Status: r.Status, MinSeconds: r.MinSeconds, CreditedSeconds: r.CreditedSeconds,
		SecondsLeft: max(0, r.MinSeconds-r.CreditedSeconds), HeartbeatInterval: s.cfg.HeartbeatInterval,
		StartedAt: r.StartedAt, ExpiresAt: r.StartedAt.Add(s.cfg.SessionTTL), EndedAt: r.EndedAt,
	}
	return out
}

func (s *Service) overdue(r model.ReadingSession, now clock.Instant) bool {
	return r.StartedAt.Add(s.cfg.SessionTTL) <= now
}

const secondInMicros = 1_000_000

// credit returns the row with the time since its last beat counted: whole
// seconds, at most MaxGap. What is left of a second is counted by the next
// beat; what lies beyond MaxGap is lost, since nobody was seen reading.
func (s *Service) credit(r model.ReadingSession, now clock.Instant) model.ReadingSession {
	elapsed := now - r.LastBeatAt
	if elapsed < 0 {
		return r // another machine's clock is ahead: it has counted this time
	}
	if gap := clock.Instant(s.cfg.MaxGap.Microseconds()); elapsed > gap {
		r.CreditedSeconds += int64(gap / secondInMicros)
		r.LastBeatAt = now
		return r
	}
	seconds := elapsed / secondInMicros
	r.CreditedSeconds += int64(seconds)
	r.LastBeatAt += seconds * secondInMicros
	return r
}

// Start opens an article for reading. Whatever else the resident had open is
// closed; the same article is read on where it was left; one that has been
// read before answers its completed session. ErrArticleNotFound if the
// article is not offered where the resident lives.
func (s *Service) Start(ctx context.Context, actor authz.Actor, articleID string) (Session, error) {
	article, err := s.offered(ctx, actor, articleID)
	if err != nil {
		return Session{}, err
	}
	var row model.ReadingSession
	err = s.insertTx(ctx, func(tx *gorm.DB) error {
		row, err = s.startTx(tx, actor.ID, article)
		return err
	})
	if err != nil {
		return Session{}, err
	}
	return s.view(row), nil
}

func (s *Service) startTx(tx *gorm.DB, residentID string, article model.Article) (model.ReadingSession, error) {
	now := s.now()
	// The lock comes first: whoever completes the open session is waited for,
	// and the mark that it leaves is then found.
	var open, done []model.ReadingSession
	err := tx.Raw(`SELECT * FROM reading_session WHERE active_resident_id = ?`+database.ForUpdate(tx), residentID).Scan(&open).Error
	if err != nil {
		return model.ReadingSession{}, fmt.Errorf("reading: open session: %w", err)
	}
	err = tx.Where("resident_id = ? AND completed_article_id = ?", residentID, article.ID).Find(&done).Error
	if err != nil {
		return model.ReadingSession{}, fmt.Errorf("reading: completed session: %w", err)
	}
	if len(done) > 0 {
		return done[0], nil
	}
	if len(open) > 0 {
		late := s.overdue(open[0], now)
		if open[0].ArticleID == article.ID && !late {
			return open[0], nil
		}
		reason := model.ReadingSuperseded
		if late {
			reason = model.ReadingTimedOut
		}
		if _, err := expireTx(tx, []string{open[0].ID}, reason, now); err != nil {
			return model.ReadingSession{}, err
		}
	}
	row := model.ReadingSession{
		ID: s.clock.NewID(), ArticleID: article.ID, ResidentID: residentID, Status: model.ReadingOpen,
		ActiveResidentID: &residentID, MinSeconds: article.MinSeconds, StartedAt: now, LastBeatAt: now,
	}
	if err := tx.Create(&row).Error; err != nil {
		return row, fmt.Errorf("reading: start: %w", err)
	}
	return row, nil
}

// Beat says that the resident is still reading and counts the time since the
// beat before, on the server's clock, at most Config.MaxGap. A beat that comes
// sooner than Config.HeartbeatInterval is accepted and changes nothing: the
// time since the last beat that counted is counted by the next one that comes
// late enough, so that a burst of beats is worth no more than one.
//
// ErrSessionNotFound, ErrSessionOver, ErrWithdrawn. A beat of a completed
// session answers it as it is.
func (s *Service) Beat(ctx context.Context, actor authz.Actor, sessionID string) (Session, error) {
	if err := actor.Resident(); err != nil {
		return Session{}, err
	}
	for range writeAttempts {
		row, err := s.readable(ctx, actor.ID, sessionID)
		if err != nil {
			return Session{}, err
		}
		now := s.now()
		if row.Status == model.ReadingCompleted || now-row.LastBeatAt < clock.Instant(s.cfg.HeartbeatInterval.Microseconds()) {
			return s.view(row), nil
		}
		credited := s.credit(row, now)
		counted, err := s.store(ctx, row, credited)
		if err != nil {
			return Session{}, err
		}
		if counted {
			return s.view(credited), nil
		} // another beat came in between: look again
	}
	return Session{}, database.ErrBusy
}

// store writes a beat if the session still is as it was read: of two beats at
// once, one counts.
func (s *Service) store(ctx context.Context, read, credited model.ReadingSession) (bool, error) {
	var n int64
	err := database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		res := tx.Exec(`UPDATE reading_session SET credited_seconds = ?, last_beat_at = ? WHERE id = ? AND status = ? AND last_beat_at = ?`,
			credited.CreditedSeconds, credited.LastBeatAt, read.ID, model.ReadingOpen, read.LastBeatAt)
		n = res.RowsAffected
		return res.Error
	})
	if err != nil {
		return false, fmt.Errorf("reading: beat: %w", err)
	}
	return n == 1, nil
}

// readable returns a session that may still count time, or was completed.
func (s *Service) readable(ctx context.Context, residentID, sessionID string) (model.ReadingSession, error) {
	var rows []struct {
		model.ReadingSession
		ArticleStatus model.ArticleStatus
	}
	err := s.db.Read(ctx).Raw(`SELECT s.*, a.status AS article_status FROM reading_session s JOIN article a ON a.id = s.article_id
		WHERE s.id = ? AND s.resident_id = ?`, sessionID, residentID).Scan(&rows).Error
	if err != nil {
		return model.ReadingSession{}, fmt.Errorf("reading: session: %w", err)
	}
	if len(rows) == 0 {
		return model.ReadingSession{}, ErrSessionNotFound
	}
	return rows[0].ReadingSession, s.refusal(rows[0].ReadingSession, rows[0].ArticleStatus, s.now())
}

// refusal says why a session takes no more time, nil if it does or was
// completed.
func (s *Service) refusal(r model.ReadingSession, article model.ArticleStatus, now clock.Instant) error {
	switch {
	case r.Status == model.ReadingCompleted:
		return nil
	case r.Status == model.ReadingExpired || s.overdue(r, now):
		return ErrSessionOver
	case article != model.ArticlePublished:
		return ErrWithdrawn
	}
	return nil
}

// expireTx ends sessions that are open and returns how many were.
func expireTx(tx *gorm.DB, ids []string, reason model.ReadingEnd, now clock.Instant) (int64, error) {
	res := tx.Exec(`UPDATE reading_session SET status = ?, end_reason = ?, ended_at = ?, active_resident_id = NULL
		WHERE id IN ? AND status = ?`, model.ReadingExpired, reason, now, ids, model.ReadingOpen)
	if res.Error != nil {
		return 0, fmt.Errorf("reading: expire: %w", res.Error)
	}
	return res.RowsAffected, nil
}

// expireBatch bounds one transaction of ExpireSessions, maxExpireBatches one call.
const (
	expireBatch      = 500
	maxExpireBatches = 200
)

// ExpireSessions ends the open sessions that are older than Config.SessionTTL
// and returns how many: a job. What it has not reached yet is refused anyway.
func (s *Service) ExpireSessions(ctx context.Context) (int, error) {
	total := 0
	for range maxExpireBatches {
		now := s.now()
		var ids []string
		err := s.db.Read(ctx).Raw(`SELECT id FROM reading_session WHERE status = ? AND started_at <= ? ORDER BY started_at, id LIMIT ?`,
			model.ReadingOpen, now.Add(-s.cfg.SessionTTL), expireBatch).Scan(&ids).Error
		if err != nil {
			return total, fmt.Errorf("reading: overdue sessions: %w", err)
		}
		if len(ids) == 0 {
			return total, nil
		}
		var n int64
		err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
			n, err = expireTx(tx, ids, model.ReadingTimedOut, now)
			return err
		})
		if err != nil {
			return total, err
		}
		total += int(n)
	}
	return total, nil
}
