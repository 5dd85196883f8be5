package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"gorm.io/gorm"

	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/queue"
	"jiamenkou/internal/wechat"
	"jiamenkou/model"
)

// moves is the table of allowed moves of an attempt; docs/states/notify.md
// draws it.
var moves = map[model.SubscribeStatus][]model.SubscribeStatus{
	model.SubscribeSending: {
		model.SubscribeSent, model.SubscribeRefused, model.SubscribeFailed, model.SubscribeUnknown, model.SubscribeWaiting,
	},
	model.SubscribeWaiting: {model.SubscribeSending, model.SubscribeDropped},
}

// retryable are the answers by which WeChat surely has not sent the message
// and may take it later. ErrUnavailable is not among them: no answer came.
var retryable = []error{
	wechat.ErrBusy, wechat.ErrRateLimited, wechat.ErrQuotaExhausted, wechat.ErrTokenRejected, wechat.ErrMisconfigured, wechat.ErrRefused,
}

// recordTimeout bounds the writing of an outcome, which must be tried even
// when the job's own time is up.
const recordTimeout = 10 * time.Second

// send sends one message through WeChat, at most once: the attempt is written
// down before the call and its outcome after it. An attempt that is found
// under way had its process die, and is left alone: rather a push lost, since
// the inbox has the message, than two on one consent.
func (s *Service) send(ctx context.Context, job queue.Running, messageID string) error {
	var out *outgoing
	err := database.InTx(ctx, s.db, func(tx *gorm.DB) (err error) {
		out, err = s.beginTx(tx, job.ID, messageID)
		return err
	})
	if err != nil || out == nil {
		return err
	}
	failure := s.sender.SendSubscribe(ctx, out.message)
	to := outcomeOf(failure, job.Last)
	record, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	err = database.InTx(record, s.db, func(tx *gorm.DB) error { return s.endTx(tx, out, to, failure) })
	switch {
	case err != nil:
		return err // it will be found under way, and not sent again
	case to == model.SubscribeUnknown:
		slog.WarnContext(ctx, "notify: no answer to a subscribe message; it is not sent again", "message", messageID, "error", failure)
		return nil
	case to == model.SubscribeWaiting || to == model.SubscribeFailed:
		return failure
	default:
		return nil
	}
}

// outcomeOf judges WeChat's answer; last says that no further try follows.
func outcomeOf(failure error, last bool) model.SubscribeStatus {
	switch {
	case failure == nil:
		return model.SubscribeSent
	case errors.Is(failure, wechat.ErrSubscribeRefused):
		return model.SubscribeRefused
	case slices.ContainsFunc(retryable, func(e error) bool { return errors.Is(failure, e) }):
		if last {
			return model.SubscribeFailed
		}
		return model.SubscribeWaiting
	case fault.KindOf(failure) == fault.Invalid || errors.Is(failure, wechat.ErrUserBlocked):
		return model.SubscribeFailed
	default:
		return model.SubscribeUnknown
	}
}

// outgoing is a message about to be sent.
type outgoing struct {
	attempt    model.SubscribeAttempt
	residentID string
	message    wechat.SubscribeMessage
}

// beginTx writes down that a message is being sent and takes one consent for
// it; nil means that there is nothing to send.
func (s *Service) beginTx(tx *gorm.DB, jobID, messageID string) (*outgoing, error) {
	var messages []model.Message
	if err := tx.Raw("SELECT * FROM message WHERE id = ?", messageID).Scan(&messages).Error; err != nil {
		return nil, fmt.Errorf("notify: read message: %w", err)
	}
	if len(messages) == 0 || messages[0].ResidentID == nil {
		return nil, nil //nolint:nilnil // deleted since: nothing to send
	}
	m := messages[0]
	openID, err := s.addressTx(tx, *m.ResidentID)
	if err != nil {
		return nil, err
	}
	attempt, err := s.attemptTx(tx, jobID, &m, openID != "" && m.ReadAt == nil)
	if err != nil || attempt == nil {
		return nil, err
	}
	t := s.templates[m.Topic]
	out := &outgoing{attempt: *attempt, residentID: *m.ResidentID, message: wechat.SubscribeMessage{
		OpenID: openID, TemplateID: attempt.TemplateID,
		Data: map[string]string{
			t.title: wechat.FitValue(t.title, m.Title), t.body: wechat.FitValue(t.body, m.Body), t.at: wechatTime(m.CreatedAt.Time()),
		},
	}}
	if s.cfg.Page != "" {
		out.message.Page = s.cfg.Page + "?id=" + m.ID
	}
	return out, nil
}

// addressTx locks a resident and returns the openid, "" unless he is active
// and agrees to notifications now.
func (s *Service) addressTx(tx *gorm.DB, residentID string) (string, error) {
	var people []model.Resident
	if err := tx.Raw("SELECT * FROM resident WHERE id = ?"+database.ForUpdate(tx), residentID).Scan(&people).Error; err != nil {
		return "", fmt.Errorf("notify: lock resident: %w", err)
	}
	if len(people) == 0 || people[0].Status != model.ResidentActive || people[0].OpenID == nil {
		return "", nil
	}
	var agrees int64
	err := tx.Raw("SELECT COUNT(*) FROM consent WHERE resident_id = ? AND purpose = ? AND status = ?",
		residentID, model.ConsentNotifications, model.ConsentGranted).Scan(&agrees).Error
	if err != nil {
		return "", fmt.Errorf("notify: read consent: %w", err)
	}
	if agrees == 0 {
		return "", nil
	}
	return *people[0].OpenID, nil
}

// attemptTx makes the attempt, or takes up the one that waits, and puts it
// under way. nil: it is over, or may not begin.
func (s *Service) attemptTx(tx *gorm.DB, jobID string, m *model.Message, wanted bool) (*model.SubscribeAttempt, error) {
	var rows []model.SubscribeAttempt
	if err := tx.Raw("SELECT * FROM subscribe_attempt WHERE message_id = ?", m.ID).Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("notify: read attempt: %w", err)
	}
	t, configured := s.templates[m.Topic]
	wanted = wanted && configured
	if len(rows) == 0 {
		if !wanted {
			return nil, nil //nolint:nilnil // nothing to send
		}
		return s.newAttemptTx(tx, jobID, m, t.id)
	}
	a := rows[0]
	switch a.Status {
	case model.SubscribeSending:
		return nil, s.moveTx(tx, &a, model.SubscribeUnknown, nil)
	case model.SubscribeWaiting:
		if wanted && a.TemplateID == t.id {
			return &a, s.moveTx(tx, &a, model.SubscribeSending, nil)
		}
		if err := s.giveBackTx(tx, *m.ResidentID, a.TemplateID); err != nil {
			return nil, err
		}
		return nil, s.moveTx(tx, &a, model.SubscribeDropped, nil)
	default:
		return nil, nil //nolint:nilnil // it is over
	}
}

func (s *Service) newAttemptTx(tx *gorm.DB, jobID string, m *model.Message, templateID string) (*model.SubscribeAttempt, error) {
	now := s.now()
	res := tx.Exec(`UPDATE subscribe_quota SET remaining = remaining - 1, updated_at = ? WHERE resident_id = ? AND template_id = ? AND remaining > 0`,
		now, *m.ResidentID, templateID)
	if res.Error != nil {
		return nil, fmt.Errorf("notify: take quota: %w", res.Error)
	}
	if res.RowsAffected == 0 {
		return nil, nil //nolint:nilnil // another message was faster
	}
	a := model.SubscribeAttempt{
		JobID: jobID, MessageID: m.ID, TemplateID: templateID, Status: model.SubscribeSending, Calls: 1, CreatedAt: now, UpdatedAt: now,
	}
	if err := tx.Create(&a).Error; err != nil {
		return nil, fmt.Errorf("notify: write attempt: %w", err)
	}
	return &a, nil
}

// endTx records WeChat's answer. A row that is gone (the account was deleted)
// or was judged by somebody else meanwhile stays as it is.
func (s *Service) endTx(tx *gorm.DB, out *outgoing, to model.SubscribeStatus, failure error) error {
	// In the order of beginTx: the resident, then what belongs to him.
	if err := tx.Exec("SELECT id FROM resident WHERE id = ?"+database.ForUpdate(tx), out.residentID).Error; err != nil {
		return fmt.Errorf("notify: lock resident: %w", err)
	}
	a := out.attempt
	if err := s.moveTx(tx, &a, to, failure); err != nil {
		if errors.Is(err, database.ErrRowsChanged) {
			return nil
		}
		return err
	}
	switch to {
	case model.SubscribeRefused:
		// WeChat knows better: whatever we counted, nothing is left.
		err := tx.Exec("UPDATE subscribe_quota SET remaining = 0, updated_at = ? WHERE resident_id = ? AND template_id = ?",
			s.now(), out.residentID, a.TemplateID).Error
		if err != nil {
			return fmt.Errorf("notify: clear quota: %w", err)
		}
		return nil
	case model.SubscribeFailed:
		return s.giveBackTx(tx, out.residentID, a.TemplateID)
	default:
		return nil
	}
}

// moveTx moves an attempt along the table.
func (s *Service) moveTx(tx *gorm.DB, a *model.SubscribeAttempt, to model.SubscribeStatus, failure error) error {
	if !slices.Contains(moves[a.Status], to) {
		return fmt.Errorf("notify: an attempt cannot go from %s to %s", a.Status, to)
	}
	code := ""
	switch f := fault.As(failure); {
	case f != nil:
		code = f.Code
	case failure != nil:
		code = "internal"
	}
	calls := a.Calls
	if to == model.SubscribeSending {
		calls++
	}
	res := tx.Exec("UPDATE subscribe_attempt SET status = ?, calls = ?, error_code = ?, updated_at = ? WHERE job_id = ? AND status = ? AND calls = ?",
		to, calls, code, s.now(), a.JobID, a.Status, a.Calls)
	if err := database.RequireRows(res, 1); err != nil {
		return fmt.Errorf("notify: move attempt: %w", err)
	}
	a.Status, a.Calls = to, calls
	return nil
}

// giveBackTx returns the consent of a message that was surely not sent.
func (s *Service) giveBackTx(tx *gorm.DB, residentID, templateID string) error {
	err := tx.Exec("UPDATE subscribe_quota SET remaining = remaining + 1, updated_at = ? WHERE resident_id = ? AND template_id = ? AND remaining < ?",
		s.now(), residentID, templateID, s.cfg.MaxQuota).Error
	if err != nil {
		return fmt.Errorf("notify: give quota back: %w", err)
	}
	return nil
}
