package schedule

import (
	"context"
	"time"
)

// Poll looks at the clock once, as the loop of Start does.
func (r *Runner) Poll(ctx context.Context) { r.poll(ctx) }

// Prev is the last tick of a cron spec at or before now.
func Prev(spec string, now time.Time) (time.Time, error) {
	e, err := parse(Entry{Name: "x.x", Schedule: spec, Timeout: 1, Run: func(context.Context) (string, error) { return "", nil }})
	if err != nil {
		return time.Time{}, err
	}
	return e.prev(now), nil
}
