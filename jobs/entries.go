// Package jobs is the list of cron entries. Each calls one service method;
// internal/schedule runs them. Add a line to Entries and a field to Services.
package jobs

import (
	"context"
	"fmt"
	"time"

	"jiamenkou/internal/schedule"
)

// Services are the methods that the entries call; the composition root passes
// them. Each must be idempotent.
type Services struct {
	PruneQueue   func(ctx context.Context) (int64, error) // queue.Worker.Prune
	PruneHistory func(ctx context.Context) (int64, error) // schedule.History.Prune
}

// Entries is the table of jobs. Their times are on the Shanghai calendar.
func Entries(s Services) []schedule.Entry {
	return []schedule.Entry{
		{
			Name: "queue.prune", Title: "清理已完成的后台任务", Schedule: "17 * * * *",
			Timeout: 10 * time.Minute, Run: deleted(s.PruneQueue),
		},
		{
			Name: "schedule.prune", Title: "清理定时任务的历史记录", Schedule: "40 4 * * *", CatchUp: true,
			Timeout: 10 * time.Minute, Run: deleted(s.PruneHistory),
		},
	}
}

// deleted reports the count that a pruning returns. A nil method stays nil, so
// that schedule.New refuses the entry.
func deleted(prune func(ctx context.Context) (int64, error)) func(context.Context) (string, error) {
	if prune == nil {
		return nil
	}
	return func(ctx context.Context) (string, error) {
		n, err := prune(ctx)
		return fmt.Sprintf("deleted %d", n), err
	}
}
