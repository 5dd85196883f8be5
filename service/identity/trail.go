package identity

import (
	"encoding/json"
	"fmt"

	"gorm.io/gorm"

	"jiamenkou/internal/clock"
	"jiamenkou/model"
)

// Trail writes the audit trail: for services above identity that record what
// their operators change and need nothing else of it.
type Trail struct{ clock clock.Clock }

// NewTrail returns a Trail.
func NewTrail(c clock.Clock) Trail { return Trail{clock: c} }

// RecordTx writes entries to the audit trail in the caller's transaction, so
// that a change and its trace are kept or lost together.
func (t Trail) RecordTx(tx *gorm.DB, entries ...AuditEntry) error {
	if len(entries) == 0 {
		return nil
	}
	now := clock.Now(t.clock)
	rows := make([]model.AuditLog, len(entries))
	for i, e := range entries {
		detail := []byte("{}")
		if e.Detail != nil {
			var err error
			if detail, err = json.Marshal(e.Detail); err != nil {
				return fmt.Errorf("identity: audit detail: %w", err)
			}
		}
		rows[i] = model.AuditLog{
			ID: t.clock.NewID(), ActorKind: string(e.Actor.Kind), ActorID: e.Actor.ID, Action: e.Action,
			ObjectType: e.ObjectType, ObjectID: e.ObjectID, RegionID: optional(e.RegionID),
			Reason: truncate(e.Reason, maxReason), Detail: string(detail), CreatedAt: now,
		}
	}
	if err := tx.Create(&rows).Error; err != nil {
		return fmt.Errorf("identity: write audit log: %w", err)
	}
	return nil
}
