package volunteer

import "time"

// MaxRepeatWeeks is the longest weekly series: half a year, the first week
// included.
const MaxRepeatWeeks = 26

const week = 7 * 24 * time.Hour

// RepeatWeekly returns the shifts as they are and again in each of the
// following weeks, on the same weekday and at the same time, for that many weeks in
// all (0 and 1: as they are). Shanghai has no summer time, so that a week is
// always as long. The shifts of a series are shifts like any other: each can
// be changed and cancelled by itself.
func RepeatWeekly(shifts []ShiftInput, weeks int64) []ShiftInput {
	weeks = min(max(1, weeks), MaxRepeatWeeks)
	out := make([]ShiftInput, 0, len(shifts)*int(weeks))
	for n := range weeks {
		later := time.Duration(n) * week
		for _, s := range shifts {
			s.StartsAt, s.EndsAt = s.StartsAt.Add(later), s.EndsAt.Add(later)
			out = append(out, s)
		}
	}
	return out
}
