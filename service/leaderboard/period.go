package leaderboard

import (
	"slices"
	"time"

	"jiamenkou/internal/clock"
	"jiamenkou/model"
)

// Period is a week or a month.
type Period struct {
	Kind  Kind
	Start clock.Day // first day
	End   clock.Day // last day
}

// PeriodOf returns the period of the kind that contains the day: the ISO week
// (from Monday) or the calendar month, both of Asia/Shanghai.
func PeriodOf(kind Kind, day clock.Day) Period {
	t := day.Start().Time()
	if kind == model.LeaderboardWeek {
		start := day.AddDays(-(int(t.Weekday()) + 6) % 7) // Sunday is the seventh day
		return Period{Kind: kind, Start: start, End: start.AddDays(6)}
	}
	first := time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, clock.Shanghai)
	return Period{Kind: kind, Start: clock.DayOf(first), End: clock.DayOf(first.AddDate(0, 1, -1))}
}

// before is the period that ended when p began.
func (p Period) before() Period { return PeriodOf(p.Kind, p.Start.AddDays(-1)) }

// oldestStart is the first day that a kept period may begin with.
func oldestStart(today clock.Day) clock.Day {
	t := today.Start().Time()
	return clock.DayOf(time.Date(t.Year(), t.Month()-keepMonths, 1, 0, 0, 0, 0, clock.Shanghai))
}

// period finds the period that a caller asks for by any of its days, or the
// current one by "".
func (s *Service) period(kind Kind, day string) (Period, error) {
	today := clock.Today(s.clock)
	chosen := today
	if day != "" {
		var err error
		if chosen, err = clock.ParseDay(day); err != nil {
			return Period{}, ErrPeriod
		}
	}
	if !slices.Contains(model.LeaderboardKinds(), kind) {
		return Period{}, ErrPeriod
	}
	p := PeriodOf(kind, chosen)
	if p.Start > today || p.Start < oldestStart(today) {
		return Period{}, ErrPeriod
	}
	return p, nil
}
