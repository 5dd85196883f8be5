package model

import "jiamenkou/internal/clock"

// Message is one entry of an inbox. Exactly one of ResidentID and StaffID is
// set.
type Message struct {
	ID         string `gorm:"primaryKey"`
	ResidentID *string
	StaffID    *string
	JobID      string // the queued job that brought it: one message per recipient and job
	Topic      string
	Title      string        // at most 60 characters
	Body       string        // at most 500 characters
	Link       string        // what a tap opens: the API path of the thing, "" for nothing
	CreatedAt  clock.Instant `gorm:"autoCreateTime:false"`
	ReadAt     *clock.Instant
}

// Bounds of a message's texts, in characters.
const (
	MaxMessageTitle = 60
	MaxMessageBody  = 500
)

// SubscribeQuota is how many subscribe messages on one template a resident
// still allows.
type SubscribeQuota struct {
	ResidentID string `gorm:"primaryKey"`
	TemplateID string `gorm:"primaryKey"`
	Remaining  int64
	UpdatedAt  clock.Instant `gorm:"autoUpdateTime:false"`
}

// SubscribeStatus is how far a message has come on its way through WeChat;
// service/notify holds the table of allowed moves, docs/states/notify.md
// draws it.
type SubscribeStatus string

// The states of an attempt.
const (
	SubscribeSending SubscribeStatus = "sending" // the call is under way
	SubscribeWaiting SubscribeStatus = "waiting" // WeChat did not take it now: again later
	SubscribeSent    SubscribeStatus = "sent"
	SubscribeRefused SubscribeStatus = "refused" // the resident allows no more of them
	SubscribeFailed  SubscribeStatus = "failed"  // WeChat will not take it
	SubscribeUnknown SubscribeStatus = "unknown" // no answer: perhaps sent, never again
	SubscribeDropped SubscribeStatus = "dropped" // not wanted any more before it could be sent
)

// SubscribeAttempt is the way of one message through WeChat. It holds one
// consent of the quota from its making until it fails or is dropped.
type SubscribeAttempt struct {
	JobID      string `gorm:"primaryKey"`
	MessageID  string
	TemplateID string
	Status     SubscribeStatus
	Calls      int64         // calls of WeChat begun
	ErrorCode  string        // of the last call, "" for success
	CreatedAt  clock.Instant `gorm:"autoCreateTime:false"`
	UpdatedAt  clock.Instant `gorm:"autoUpdateTime:false"`
}
