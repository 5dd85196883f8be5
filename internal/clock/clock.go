// Package clock is the program's only source of time and of identifiers, so
// that tests can move both by hand.
//
// Three kinds of time are kept apart on purpose:
//
//   - Instant: a point in time, stored as UTC microseconds since 1970 (see
//     docs/adr/0006-instants-are-microseconds.md);
//   - Day: a calendar day in Asia/Shanghai, stored as "2006-01-02";
//   - durations, which carry their unit in the name of the field.
package clock

import (
	"crypto/rand"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
)

// Shanghai is the calendar of days, weeks and settlement periods. China has
// kept one zone without daylight saving time since 1991, so a fixed offset
// is exact for every date this program handles and needs no tzdata file.
var Shanghai = time.FixedZone("Asia/Shanghai", 8*60*60)

// Clock tells the time and makes identifiers. Safe for concurrent use.
type Clock interface {
	// Now returns the current time in UTC, truncated to microseconds.
	Now() time.Time
	// NewID returns a new ULID (26 characters of Crockford base32).
	NewID() string
}

// Instant is a point in time in microseconds since 1970-01-01T00:00:00Z: the
// only form in which the database keeps one. The zero value is 1970 and means
// "not set" nowhere: nullable columns use *Instant.
type Instant int64

// InstantOf converts t, dropping what is finer than a microsecond.
func InstantOf(t time.Time) Instant { return Instant(t.UnixMicro()) }

// Time returns the instant in Asia/Shanghai, the zone in which the API shows it.
func (i Instant) Time() time.Time { return time.UnixMicro(int64(i)).In(Shanghai) }

// Day returns the Shanghai calendar day of the instant.
func (i Instant) Day() Day { return DayOf(i.Time()) }

// Add returns the instant d later.
func (i Instant) Add(d time.Duration) Instant { return i + Instant(d.Microseconds()) }

// Ptr returns a pointer to a copy, for nullable columns.
func (i Instant) Ptr() *Instant { return &i }

// TimePtr converts a nullable column for a DTO: nil stays nil.
func TimePtr(i *Instant) *time.Time {
	if i == nil {
		return nil
	}
	t := i.Time()
	return &t
}

// IDSlack is how far an id may lie from its row's created_at: one attempt of a
// transaction and the difference between the clocks of two instances.
const IDSlack = 10 * time.Minute

// IDAt is the lowest id that NewID can make at that time: ids begin with the
// time, so that the primary key answers for a column that has no index. A
// caller that means created_at widens the bounds by IDSlack and compares the
// column as well.
func IDAt(at Instant) string {
	var id ulid.ULID
	// SetTime refuses what lies before 1970 or after 10889: then the lowest of all.
	_ = id.SetTime(ulid.Timestamp(at.Time()))
	return id.String()
}

// Now returns the clock's current Instant.
func Now(c Clock) Instant { return InstantOf(c.Now()) }

// Today returns the clock's current Shanghai day.
func Today(c Clock) Day { return DayOf(c.Now()) }

// Day is a calendar day in Asia/Shanghai, "2006-01-02": it sorts as text.
type Day string

const dayLayout = "2006-01-02"

// DayOf returns the Shanghai day on which t falls.
func DayOf(t time.Time) Day { return Day(t.In(Shanghai).Format(dayLayout)) }

// ParseDay checks that s is a real calendar day written as YYYY-MM-DD.
func ParseDay(s string) (Day, error) {
	if _, err := time.ParseInLocation(dayLayout, s, Shanghai); err != nil {
		return "", fmt.Errorf("clock: %q is not a day written as YYYY-MM-DD", s)
	}
	return Day(s), nil
}

// Start returns midnight, Shanghai, at which the day begins.
func (d Day) Start() Instant {
	t, err := time.ParseInLocation(dayLayout, string(d), Shanghai)
	if err != nil {
		panic("clock: malformed day " + string(d)) // a Day is made by DayOf or ParseDay only
	}
	return InstantOf(t)
}

// End returns the midnight at which the day is over (exclusive).
func (d Day) End() Instant { return d.AddDays(1).Start() }

// AddDays returns the day n days later (earlier if n is negative).
func (d Day) AddDays(n int) Day { return DayOf(d.Start().Time().AddDate(0, 0, n)) }

// System is the real clock.
type System struct{ entropy io.Reader }

// NewSystem returns the real clock. Its ULIDs are monotonic within the
// process, so that rows made in one millisecond keep their order.
func NewSystem() *System {
	return &System{entropy: &ulid.LockedMonotonicReader{MonotonicReader: ulid.Monotonic(rand.Reader, 0)}}
}

// Now implements Clock.
func (*System) Now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// NewID implements Clock.
func (s *System) NewID() string {
	return ulid.MustNew(ulid.Now(), s.entropy).String()
}

// Manual is a clock that stands still until it is moved: for tests and for
// the demo county, whose month of history must come out the same every time.
type Manual struct {
	mu      sync.Mutex
	now     time.Time
	entropy io.Reader
}

// NewManual returns a Manual that stands at now. The identifiers that it
// makes depend on now, on seed and on the calls before, and on nothing else.
func NewManual(now time.Time, seed uint64) *Manual {
	return &Manual{
		now:     now.UTC().Truncate(time.Microsecond),
		entropy: ulid.Monotonic(&splitMix{state: seed}, 0),
	}
}

// Now implements Clock.
func (m *Manual) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

// NewID implements Clock.
func (m *Manual) NewID() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return ulid.MustNew(ulid.Timestamp(m.now), m.entropy).String()
}

// Advance moves the clock by d, backwards if d is negative.
func (m *Manual) Advance(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = m.now.Add(d)
}

// Set moves the clock to t.
func (m *Manual) Set(t time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = t.UTC().Truncate(time.Microsecond)
}

// splitMix is the SplitMix64 generator: reproducible bytes for Manual. It is
// never used where an identifier must not be guessed.
type splitMix struct{ state uint64 }

func (s *splitMix) Read(p []byte) (int, error) {
	for i := range p {
		s.state += 0x9e3779b97f4a7c15
		z := s.state
		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9
		z = (z ^ (z >> 27)) * 0x94d049bb133111eb
		p[i] = byte((z ^ (z >> 31)) >> 56)
	}
	return len(p), nil
}
