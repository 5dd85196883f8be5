package model

import "jiamenkou/internal/clock"

// Attachment is one uploaded picture; its bytes are in internal/blob under
// StorageKey.
//
// The row is written before the bytes (StoredAt is nil until they are there)
// and deleted after them, so that no file is ever without a row. DiscardedAt
// marks a picture that is about to be deleted: nothing can use it any more.
type Attachment struct {
	ID             string `gorm:"primaryKey"`
	OwnerKind      string // authz.Kind
	OwnerID        string
	StorageKey     string // random, unguessable, not made of anything the user sent
	SHA256         string `gorm:"column:sha256"` // of the stored bytes
	SizeBytes      int64
	ContentType    string
	Width          int64 // pixels
	Height         int64
	Status         ContentStatus
	TraceID        *string        // of the check under way
	CheckVerdict   string         // what WeChat advised: "" while unknown
	DecidedBy      string         // staff id, or "wechat"; "" while pending
	CheckAttempts  int64          // how often it was handed over
	CheckStartedAt *clock.Instant // the latest time
	StoredAt       *clock.Instant
	AttachedAt     *clock.Instant
	DiscardedAt    *clock.Instant
	CreatedAt      clock.Instant `gorm:"autoCreateTime:false"`
}
