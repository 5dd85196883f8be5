package model

import "jiamenkou/internal/clock"

// ExportStatus is the state of an export.
type ExportStatus string

// The states.
const (
	ExportQueued  ExportStatus = "queued"
	ExportRunning ExportStatus = "running"
	ExportDone    ExportStatus = "done"
	ExportFailed  ExportStatus = "failed"
	ExportExpired ExportStatus = "expired" // its file was deleted
)

// ExportJob is a list that a member of staff has written into a file.
type ExportJob struct {
	ID         string `gorm:"primaryKey"`
	StaffID    string
	Resource   string
	Format     string // csv | xlsx
	Filters    string // JSON
	Status     ExportStatus
	Slot       *int64 // set while it waits or runs
	RowsDone   int64
	Truncated  bool   // the list is longer than an export may be
	RunToken   string // of the worker that runs it
	FileKey    string // set with ExportDone
	SizeBytes  int64
	MadeUnder  string // the roles that its maker held when it was written
	Error      string
	CreatedAt  clock.Instant `gorm:"autoCreateTime:false"`
	FinishedAt *clock.Instant
	ExpiresAt  *clock.Instant
}
