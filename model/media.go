package model

import "jiamenkou/internal/clock"

// MediaKind is what a file of media is.
type MediaKind string

// The kinds.
const (
	MediaPicture MediaKind = "picture"
	MediaAudio   MediaKind = "audio"
)

// Media is a picture or recording that staff uploaded for residents to see or
// hear; its bytes are in internal/blob under the id. The row is written before
// the bytes: StoredAt is nil until they are there.
type Media struct {
	ID          string `gorm:"primaryKey"` // a key of internal/blob: random, unguessable
	Kind        MediaKind
	ContentType string
	SizeBytes   int64
	Width       int64 // pixels, 0 for audio
	Height      int64
	SHA256      string `gorm:"column:sha256"`
	CreatedBy   string
	Day         clock.Day     // of the upload: uploads are counted by it
	CreatedAt   clock.Instant `gorm:"autoCreateTime:false"`
	StoredAt    *clock.Instant
	DiscardedAt *clock.Instant // set aside: nothing used it
}

// TableName implements gorm's Tabler.
func (Media) TableName() string { return "media" }
