package model

import "jiamenkou/internal/clock"

// JobLease says which instance may run a cron entry now. The row stays when
// the lease is free (ExpiresAt 0).
type JobLease struct {
	Name      string `gorm:"primaryKey"`
	Holder    string
	RunID     string        // the run for which it was taken
	ExpiresAt clock.Instant // 0: free
	Version   int64         // grows with each new holder: the fencing token
	CreatedAt clock.Instant `gorm:"autoCreateTime:false"` // when the entry was first seen
}

// JobStatus is the state of a run.
type JobStatus string

// The states of a run.
const (
	JobRunning   JobStatus = "running"
	JobSucceeded JobStatus = "succeeded"
	JobFailed    JobStatus = "failed"
	JobAbandoned JobStatus = "abandoned" // its instance vanished; what it did is unknown
)

// JobCause says why a run was started.
type JobCause string

// The causes of a run.
const (
	JobTick     JobCause = "tick"     // its time had come
	JobCatchUp  JobCause = "catch_up" // its time passed while no instance was up
	JobTakeover JobCause = "takeover" // the instance that ran it vanished
	JobManual   JobCause = "manual"   // an operator asked
)

// JobRun is one run of a cron entry. (Name, ScheduledAt) is unique, so that
// one tick runs once, however many instances see it.
type JobRun struct {
	ID          string
	Name        string
	ScheduledAt clock.Instant
	Cause       JobCause
	RequestedBy string // staff id of a manual run
	Instance    string
	Status      JobStatus
	StartedAt   clock.Instant
	FinishedAt  *clock.Instant
	Result      string
	Error       string // without personal data
}
