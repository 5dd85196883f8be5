package market

import (
	"context"
	"hash/maphash"
	"slices"
	"sync"
	"time"

	"jiamenkou/internal/clock"
	"jiamenkou/model"
)

// What soldOut may hold. A benefit beyond these is simply looked up each time.
const (
	// soldOutTTL keeps the promise that no refusal is wrong for longer than one
	// second after a restock on another instance; the rest of the second is for
	// the answer's way.
	soldOutTTL     = 900 * time.Millisecond
	maxSoldOut     = 256     // benefits
	maxBuyers      = 20_000  // of one benefit
	maxBuyersInAll = 500_000 // 8 bytes each
)

// soldOut remembers for a moment which benefits are sold out, so that the
// thousands who come too late cost the database nothing.
//
// It must never hide an order that was acknowledged: a client whose first
// answer was lost repeats its key and has to get that answer, whether the order
// was placed by this process a second ago or by another one last week. A set
// of the keys that this process placed would know neither those of other
// instances, nor those of before a restart, nor those that it had to throw
// away. So the memory turns the question round and keeps, with each benefit,
// everybody who ever ordered it, and refuses only those who never did: they
// cannot be repeating an order of it. Whoever did order it is answered by the
// database as always: a replay by its first answer, anything else by the reason
// that applies. The buyers are read after the stock was seen empty, when every
// order that took from it is visible; while it stays empty there can be no
// others. Nor is anybody refused who lives outside the offer's region, to whom
// the benefit does not exist.
//
// What the memory cannot see are the wallet and the keys of other benefits: who
// has too few points, or reuses a key of another order, is told "sold out",
// which is true as well, instead.
//
// A memory lasts for less than a second, counted on a clock that nobody can
// set, from before its benefit was read, and ends early when a release opens
// or ends. It is dropped when this process gives stock back or adds some. What
// was read before such a drop is not remembered after it (drops).
type soldOut struct {
	clock   clock.Clock
	elapsed func() time.Duration // monotonic
	seed    maphash.Seed

	mu      sync.Mutex
	memos   map[string]memo // by benefit
	buyers  int             // in all memos
	drops   [256]uint64     // how often benefits were dropped, by hash
	refused int64
}

type memo struct {
	regionID    string
	from, until clock.Instant // by the program's clock
	expires     time.Duration // by elapsed
	buyers      []uint64      // sorted hashes; a collision costs a look at the database
}

func newSoldOut(c clock.Clock) *soldOut {
	start := time.Now() //nolint:forbidigo // only differences of it are used: see elapsed
	return &soldOut{
		clock: c, elapsed: func() time.Duration { return time.Since(start) }, seed: maphash.MakeSeed(), memos: map[string]memo{}, //nolint:forbidigo // monotonic time: an age, not a moment
	}
}

func (s *soldOut) shard(benefitID string) *uint64 {
	return &s.drops[maphash.String(s.seed, benefitID)%uint64(len(s.drops))]
}

// fresh returns the memory of a benefit, if it still counts.
func (s *soldOut) fresh(benefitID string) (memo, bool) {
	m, ok := s.memos[benefitID]
	now := clock.Now(s.clock)
	return m, ok && m.from <= now && now < m.until && s.elapsed() < m.expires
}

func (s *soldOut) knows(benefitID string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.fresh(benefitID)
	return ok
}

// refuses reports whether the database would refuse the item for want of stock.
func (s *soldOut) refuses(item orderItem) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, ok := s.fresh(item.BenefitID)
	if !ok || !slices.Contains(model.RegionPathIDs(item.RegionPath), m.regionID) {
		return false
	}
	if _, bought := slices.BinarySearch(m.buyers, maphash.String(s.seed, item.ResidentID)); bought {
		return false
	}
	s.refused++
	return true
}

// moment is when something was read.
type moment struct {
	now     clock.Instant
	elapsed time.Duration
	drops   map[string]uint64 // by benefit
}

// before must be called before the benefits are read.
func (s *soldOut) before(benefitIDs []string) moment {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := moment{now: clock.Now(s.clock), elapsed: s.elapsed(), drops: make(map[string]uint64, len(benefitIDs))}
	for _, id := range benefitIDs {
		at.drops[id] = *s.shard(id)
	}
	return at
}

// remember notes that a benefit was sold out at a moment; its buyers were read
// after that.
func (s *soldOut) remember(at moment, b *onOffer, buyers []string) {
	m := memo{regionID: b.RegionID, from: at.now, until: b.soldOutUntil(), expires: at.elapsed + soldOutTTL, buyers: make([]uint64, len(buyers))}
	for i, id := range buyers {
		m.buyers[i] = maphash.String(s.seed, id)
	}
	slices.Sort(m.buyers)
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range s.memos {
		if _, ok := s.fresh(id); !ok {
			s.remove(id)
		}
	}
	if *s.shard(b.ID) != at.drops[b.ID] || len(s.memos) >= maxSoldOut || s.buyers+len(m.buyers) > maxBuyersInAll {
		return
	}
	s.remove(b.ID)
	s.memos[b.ID] = m
	s.buyers += len(m.buyers)
}

func (s *soldOut) remove(benefitID string) {
	s.buyers -= len(s.memos[benefitID].buyers)
	delete(s.memos, benefitID)
}

// forget drops what is known about benefits whose stock has grown, or may have:
// after the commit, whatever became of it.
func (s *soldOut) forget(benefitIDs ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range benefitIDs {
		*s.shard(id)++
		s.remove(id)
	}
}

// soldOutUntil is when the answer may change without anybody doing anything.
func (b *onOffer) soldOutUntil() clock.Instant {
	until := b.ValidUntil
	if b.nextAt != nil {
		until = min(until, *b.nextAt)
	}
	for _, r := range b.releases {
		until = min(until, r.endsAt)
	}
	return until
}

// rememberSoldOut notes the benefits that a committed batch found empty. A
// failure to read their buyers costs nothing but the memory.
func (s *Service) rememberSoldOut(ctx context.Context, at moment, gone []*onOffer) {
	for _, b := range gone {
		if s.soldOut.knows(b.ID) {
			continue
		}
		var buyers []string
		err := s.db.Read(ctx).Raw(`SELECT DISTINCT resident_id FROM benefit_order WHERE benefit_id = ? LIMIT ?`, b.ID, maxBuyers+1).Scan(&buyers).Error
		if err == nil && len(buyers) <= maxBuyers {
			s.soldOut.remember(at, b, buyers)
		}
	}
}
