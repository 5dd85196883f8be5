package casework

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/queue"
	"jiamenkou/internal/wechat"
	"jiamenkou/model"
)

// Kinds of queue jobs, with their payloads below.
const (
	JobCheckText  = "casework.check_text"
	JobCheckImage = "casework.check_image"
)

// JobNotify is the kind of queued job that tells residents something; its
// payload is a Notice.
const JobNotify = "notify"

// Notice is the payload of JobNotify: ids only.
type Notice struct {
	Topic       string   `json:"topic"` // NoticeCaseMoved
	ObjectID    string   `json:"object_id"`
	ResidentIDs []string `json:"resident_ids"`
}

// NoticeCaseMoved tells a reporter of a move; the object is the row of
// case_history, since the case may move on before he is told.
const NoticeCaseMoved = "casework.moved"

// CheckTextJob asks WeChat about a text that could not be checked at submit.
type CheckTextJob struct {
	CaseID string `json:"case_id"`
}

// CheckImageJob hands a picture to WeChat.
type CheckImageJob struct {
	AttachmentID string `json:"attachment_id"`
}

// Register makes the worker run this package's jobs.
func (s *Service) Register(w *queue.Worker) {
	queue.Register(w, JobCheckText, func(ctx context.Context, j CheckTextJob) error { return s.CheckText(ctx, j.CaseID) }, queue.Options{})
	queue.Register(w, JobCheckImage, func(ctx context.Context, j CheckImageJob) error { return s.CheckImage(ctx, j.AttachmentID) }, queue.Options{})
}

// CheckText asks WeChat about a pending text and decides by its answer; what
// WeChat would have reviewed stays for staff. Idempotent.
func (s *Service) CheckText(ctx context.Context, caseID string) error {
	program := authz.System(JobCheckText)
	c, err := s.load(ctx, program, caseID)
	if err != nil || c.ContentStatus != model.ContentPending || c.Status != model.CaseSubmitted {
		return err
	}
	openID, err := s.openID(ctx, c.ReporterID)
	if err != nil || openID == "" {
		return err // without an account at WeChat only people can decide
	}
	verdict, err := s.checker.CheckText(ctx, openID, wechat.SceneForum, strings.TrimSpace(c.Content+"\n"+c.Address))
	if err != nil {
		return err
	}
	st := step{actor: program, caseID: caseID}
	switch verdict.Suggest {
	case wechat.SuggestPass:
		st.move = model.MovePassContent
	case wechat.SuggestRisky:
		st.move, st.note = model.MoveRejectContent, "内容没有通过平台审核"
	default:
		return nil
	}
	if _, err = s.make(ctx, st); fault.KindOf(err) == fault.Conflict {
		return nil // somebody decided meanwhile
	}
	return err
}

// CheckImage hands a pending picture to WeChat, which fetches it by a signed
// link and answers through ImageVerdict. Idempotent: a picture whose verdict
// is under way is left alone.
func (s *Service) CheckImage(ctx context.Context, attachmentID string) error {
	var rows []model.Attachment
	err := s.db.Read(ctx).Where("id = ? AND status = ? AND trace_id IS NULL AND discarded_at IS NULL AND stored_at IS NOT NULL AND check_verdict = ''",
		attachmentID, model.ContentPending).Find(&rows).Error
	if err != nil {
		return fmt.Errorf("casework: picture: %w", err)
	}
	if len(rows) == 0 || rows[0].OwnerKind != string(authz.KindResident) {
		return nil
	}
	openID, err := s.openID(ctx, rows[0].OwnerID)
	if err != nil || openID == "" {
		return err
	}
	// The start is noted before the call, since the verdict may overtake it.
	err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		return tx.Exec(`UPDATE attachment SET check_started_at = ?, check_attempts = check_attempts + 1 WHERE id = ?`, s.now(), attachmentID).Error
	})
	if err != nil {
		return err
	}
	traceID, err := s.checker.CheckImage(ctx, openID, s.cfg.PublicURL+s.link(rows[0].StorageKey, s.cfg.CheckLinkTTL), wechat.SceneForum)
	if err != nil {
		return err
	}
	return database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		return tx.Exec(`UPDATE attachment SET trace_id = ? WHERE id = ? AND trace_id IS NULL AND status = ?`,
			traceID, attachmentID, model.ContentPending).Error
	})
}

// How long a verdict waits for its trace id, and how often it looks. WeChat
// gives the callback five seconds.
const (
	earlyWindow  = 30 * time.Second
	earlyTries   = 20
	earlyBetween = 100 * time.Millisecond
)

// ImageVerdict takes WeChat's verdict on a picture. It reports false for a
// trace id that nothing waits for, which is none of our business: the
// callback's signature does not cover its body. A verdict counts once.
func (s *Service) ImageVerdict(ctx context.Context, traceID string, suggest wechat.Suggest) (known bool, err error) {
	if traceID == "" {
		return false, nil
	}
	status := model.ContentPending // review: staff decide
	switch suggest {
	case wechat.SuggestPass:
		status = model.ContentPassed
	case wechat.SuggestRisky:
		status = model.ContentRejected
	case wechat.SuggestReview:
	default:
		return false, nil // never read as a pass
	}
	for try := 0; ; try++ {
		// In this order: a trace id that is written down between the two looks
		// must be found by the second, or its verdict would be lost.
		early, err := s.submitting(ctx)
		if err != nil {
			return false, err
		}
		found, err := s.settle(ctx, traceID, string(suggest), status)
		if found || err != nil || !early {
			return found, err
		}
		if try == earlyTries {
			return false, ErrVerdictEarly
		}
		select {
		case <-ctx.Done():
			return false, ErrVerdictEarly.WithCause(ctx.Err())
		case <-time.After(earlyBetween):
		}
	}
}

// settle writes a verdict down, unless one is there.
func (s *Service) settle(ctx context.Context, traceID, verdict string, status model.ContentStatus) (found bool, err error) {
	err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		var ids []string
		if err := tx.Raw(`SELECT id FROM attachment WHERE trace_id = ?`, traceID).Scan(&ids).Error; err != nil {
			return err
		}
		if found = len(ids) > 0; !found {
			return nil
		}
		decidedBy := ""
		if status != model.ContentPending {
			decidedBy = "wechat"
		}
		return tx.Exec(`UPDATE attachment SET status = ?, check_verdict = ?, decided_by = ?
			WHERE id = ? AND status = ? AND check_verdict = ''`, status, verdict, decidedBy, ids[0], model.ContentPending).Error
	})
	return found, err
}

// submitting reports whether a picture is being handed over just now, so that
// an unknown trace id may be its own.
func (s *Service) submitting(ctx context.Context) (bool, error) {
	var n int64
	err := s.db.Read(ctx).Raw(`SELECT COUNT(*) FROM (SELECT id FROM attachment
		WHERE status = ? AND trace_id IS NULL AND check_started_at > ? LIMIT 1) x`, model.ContentPending, s.now().Add(-earlyWindow)).Scan(&n).Error
	if err != nil {
		return false, fmt.Errorf("casework: checks under way: %w", err)
	}
	return n > 0, nil
}

// ResubmitImages hands pictures to WeChat again whose verdict never came, and
// returns how many. After Config.MaxImageChecks tries only people decide.
func (s *Service) ResubmitImages(ctx context.Context) (int, error) {
	var total int
	for {
		var n int
		err := database.InTx(ctx, s.db, func(tx *gorm.DB) error {
			var ids []string
			err := tx.Raw(`SELECT id FROM attachment WHERE status = ? AND check_started_at <= ? AND check_verdict = ''
				AND check_attempts < ? AND discarded_at IS NULL ORDER BY id LIMIT ?`+database.ForUpdate(tx),
				model.ContentPending, s.now().Add(-s.cfg.ImageCheckWait), s.cfg.MaxImageChecks, s.cfg.BatchSize).Scan(&ids).Error
			if n = len(ids); err != nil || n == 0 {
				return err
			}
			// From now on the earlier verdict is unknown. The job notes its start
			// by itself; this one only keeps the next run away.
			err = tx.Exec(`UPDATE attachment SET trace_id = NULL, check_started_at = ? WHERE id IN ?`, s.now().Add(-earlyWindow), ids).Error
			if err != nil {
				return err
			}
			jobs := make([]queue.Job, 0, n)
			for _, id := range ids {
				jobs = append(jobs, queue.Job{Kind: JobCheckImage, Payload: CheckImageJob{AttachmentID: id}})
			}
			return queue.EnqueueTx(ctx, tx, s.clock, jobs...)
		})
		if total += n; err != nil || n < s.cfg.BatchSize {
			return total, err
		}
		slog.InfoContext(ctx, "pictures handed over again", "count", n)
	}
}

// DecideImage passes or rejects a picture that WeChat did not decide on. The
// actor must be a grid worker or operator over the region of its case.
func (s *Service) DecideImage(ctx context.Context, actor authz.Actor, attachmentID string, pass bool) error {
	a, err := s.picture(ctx, actor, attachmentID)
	if err != nil {
		return err
	}
	if a.RegionPath == "" {
		return ErrPictureNotFound // no case: nobody's to judge
	}
	if err := actor.InRegion(a.RegionPath, handlers...); err != nil {
		return err
	}
	status := model.ContentRejected
	if pass {
		status = model.ContentPassed
	}
	return database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		res := tx.Exec(`UPDATE attachment SET status = ?, decided_by = ? WHERE id = ? AND status = ?`, status, actor.ID, attachmentID, model.ContentPending)
		if res.Error == nil && res.RowsAffected == 0 {
			return ErrPictureDecided
		}
		return res.Error
	})
}
