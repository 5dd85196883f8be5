// Package queue is the transactional outbox: a service writes what shall
// happen next in its own transaction, and a Worker does it afterwards.
//
// A job runs at least once. It runs again if its process died, if its handler
// outlived its time-out or if the database did not hear that it was done: a
// handler must be idempotent, most simply by using the job's id (see Current)
// or the source event's identity as its idempotency key.
package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"jiamenkou/internal/clock"
	"jiamenkou/model"
)

// Limits of what is enqueued; the table keeps them too.
const (
	MaxPayloadBytes   = 32 << 10
	maxKindLength     = 64
	maxUniqueLength   = 128
	insertBatchRows   = 200
	maxLastErrorBytes = 500
)

// Errors of EnqueueTx: each is a defect of the caller.
var (
	ErrPayloadTooLarge = errors.New("queue: payload is larger than 32 KiB: enqueue an id, not the thing")
	ErrBadKind         = errors.New("queue: kind must have 1 to 64 characters")
	ErrBadUniqueKey    = errors.New("queue: unique key must have at most 128 characters")
)

// Job is what shall be done.
type Job struct {
	Kind string
	// UniqueKey makes the job the only one of its kind with this key: enqueued
	// again it is ignored, also after it ran (until Prune deletes it). ""
	// means that it need not be unique.
	UniqueKey string
	// Payload is stored as JSON and handed to the handler. Put ids in, not
	// personal data: the row stays for days.
	Payload any
	// RunAt is the earliest time; zero means now.
	RunAt time.Time
}

// EnqueueTx writes the jobs in the caller's transaction: they exist if it
// commits, and a Worker of this process wakes up at that moment.
func EnqueueTx(ctx context.Context, tx *gorm.DB, c clock.Clock, jobs ...Job) error {
	if len(jobs) == 0 {
		return nil
	}
	now := clock.Now(c)
	var plain, keyed []model.QueueJob
	due := false
	for _, j := range jobs {
		row, err := rowOf(j, c.NewID(), now)
		if err != nil {
			return err
		}
		due = due || row.DueAt <= now
		if row.UniqueKey == nil {
			plain = append(plain, row)
		} else {
			keyed = append(keyed, row)
		}
	}
	// Only a unique key may swallow a row: for the others a conflict is a
	// defect that must show.
	insert := tx.WithContext(ctx)
	onKey := clause.OnConflict{Columns: []clause.Column{{Name: "kind"}, {Name: "unique_key"}}, DoNothing: true}
	if len(plain) > 0 {
		if err := insert.CreateInBatches(plain, insertBatchRows).Error; err != nil {
			return fmt.Errorf("queue: enqueue: %w", err)
		}
	}
	if len(keyed) > 0 {
		if err := insert.Clauses(onKey).CreateInBatches(keyed, insertBatchRows).Error; err != nil {
			return fmt.Errorf("queue: enqueue: %w", err)
		}
	}
	if due {
		wakeAfter(tx)
	}
	return nil
}

func rowOf(j Job, id string, now clock.Instant) (model.QueueJob, error) {
	switch {
	case j.Kind == "" || len(j.Kind) > maxKindLength:
		return model.QueueJob{}, ErrBadKind
	case len(j.UniqueKey) > maxUniqueLength:
		return model.QueueJob{}, ErrBadUniqueKey
	}
	payload, err := json.Marshal(j.Payload)
	if err != nil {
		return model.QueueJob{}, fmt.Errorf("queue: payload of %s: %w", j.Kind, err)
	}
	if len(payload) > MaxPayloadBytes {
		return model.QueueJob{}, fmt.Errorf("%w (kind %s)", ErrPayloadTooLarge, j.Kind)
	}
	row := model.QueueJob{
		ID: id, Kind: j.Kind, Payload: string(payload), Status: model.QueuePending, DueAt: now, CreatedAt: now,
	}
	if j.UniqueKey != "" {
		row.UniqueKey = &j.UniqueKey
	}
	if !j.RunAt.IsZero() {
		row.DueAt = clock.InstantOf(j.RunAt)
	}
	return row, nil
}
