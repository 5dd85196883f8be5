package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"gorm.io/gorm"

	"jiamenkou/internal/database"
	"jiamenkou/internal/queue"
	"jiamenkou/model"
)

// Deliver writes the inbox messages of one notice and enqueues those that go
// out through WeChat. jobID identifies the delivery: again under the same id
// it changes nothing. Errors that no repetition mends (ErrUnknownTopic,
// ErrNoRecipient, ErrNoObject) are of kind Invalid and kill the job, which
// stays for an operator to look at.
func (s *Service) Deliver(ctx context.Context, jobID string, n Notice) error {
	if jobID == "" {
		return errors.New("notify: delivery without a job")
	}
	t, ok := topics[n.Topic]
	if !ok {
		return ErrUnknownTopic.WithCause(fmt.Errorf("there is no topic %s", n.Topic))
	}
	r, err := t.render(ctx, s, &n)
	if err != nil {
		return err
	}
	ids, err := s.recipients(ctx, &t, &r, &n)
	if err != nil {
		return err
	}
	d := delivery{Service: s, jobID: jobID, topic: n.Topic, forStaff: t.forStaff, text: r.text}
	for part := range slices.Chunk(ids, s.cfg.BatchSize) {
		err := database.InTx(ctx, s.db, func(tx *gorm.DB) error { return d.writeTx(ctx, tx, part) })
		if err != nil {
			return err
		}
	}
	return nil
}

// recipients are the ids of a notice, sorted, each once.
func (s *Service) recipients(ctx context.Context, t *topic, r *rendered, n *Notice) (ids []string, err error) {
	ids = n.ResidentIDs
	if t.forStaff {
		if ids = n.StaffIDs; len(ids) == 0 {
			return s.staffInCharge(ctx, r.regionPath, r.inCharge) // nobody in charge is no error
		}
	}
	if len(ids) == 0 {
		return nil, ErrNoRecipient
	}
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	switch {
	case r.nobody:
		return nil, nil
	case r.only == "":
		return ids, nil
	case slices.Contains(ids, r.only):
		return []string{r.only}, nil
	default:
		return nil, ErrNoRecipient.WithCause(errors.New("it concerns somebody else"))
	}
}

// delivery is one notice on its way to its recipients.
type delivery struct {
	*Service
	jobID, topic string
	forStaff     bool
	text         text
}

// writeTx writes the messages of recipients who have none of this job yet.
func (d *delivery) writeTx(ctx context.Context, tx *gorm.DB, ids []string) error {
	// The lock makes parallel deliveries of one job take turns, and keeps a
	// message from landing after its account was deleted.
	query, column := "SELECT id FROM resident WHERE id IN ? AND status <> 'deleted' ORDER BY id", "resident_id"
	if d.forStaff {
		query, column = "SELECT id FROM staff WHERE id IN ? AND status = 'active' ORDER BY id", "staff_id"
	}
	var live, told []string
	if err := tx.Raw(query+database.ForUpdate(tx), ids).Scan(&live).Error; err != nil {
		return fmt.Errorf("notify: lock recipients: %w", err)
	}
	err := tx.Raw("SELECT "+column+" FROM message WHERE job_id = ? AND "+column+" IN ?", d.jobID, ids).Scan(&told).Error
	if err != nil {
		return fmt.Errorf("notify: read messages: %w", err)
	}
	live = slices.DeleteFunc(live, func(id string) bool { return slices.Contains(told, id) })
	if len(live) == 0 {
		return nil
	}
	rows := make([]model.Message, len(live))
	for i := range live {
		rows[i] = model.Message{
			ID: d.clock.NewID(), JobID: d.jobID, Topic: d.topic, Title: shorten(d.text.title, model.MaxMessageTitle),
			Body: shorten(d.text.body, model.MaxMessageBody), Link: d.text.link, CreatedAt: d.now(),
		}
		if d.forStaff {
			rows[i].StaffID = &live[i]
		} else {
			rows[i].ResidentID = &live[i]
		}
	}
	if err := tx.Create(&rows).Error; err != nil {
		return fmt.Errorf("notify: write messages: %w", err)
	}
	return d.enqueueTx(ctx, tx, rows, live)
}

// enqueueTx leaves a job for each message that may go out through WeChat. The
// job asks all of it again, since a consent may be gone by then.
func (d *delivery) enqueueTx(ctx context.Context, tx *gorm.DB, rows []model.Message, ids []string) error {
	t, ok := d.templates[d.topic]
	if !ok || d.forStaff {
		return nil
	}
	var willing []string
	err := tx.Raw(`SELECT q.resident_id FROM subscribe_quota q JOIN resident p ON p.id = q.resident_id
		JOIN consent c ON c.resident_id = q.resident_id AND c.purpose = ? AND c.status = ?
		WHERE q.resident_id IN ? AND q.template_id = ? AND q.remaining > 0 AND p.openid IS NOT NULL AND p.status = ?`,
		model.ConsentNotifications, model.ConsentGranted, ids, t.id, model.ResidentActive).Scan(&willing).Error
	if err != nil {
		return fmt.Errorf("notify: read quotas: %w", err)
	}
	var out []queue.Job
	for _, m := range rows {
		if slices.Contains(willing, *m.ResidentID) {
			out = append(out, queue.Job{Kind: JobSubscribe, UniqueKey: m.ID, Payload: SubscribeJob{MessageID: m.ID}})
		}
	}
	return queue.EnqueueTx(ctx, tx, d.clock, out...)
}
