package leaderboard

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
	"jiamenkou/service/region"
)

// Query names a board.
type Query struct {
	Kind     Kind
	Day      string // any day of the period; "": the current period
	Level    Level  // of the caller's home: county, town or village; "": village
	RegionID string // instead of Level: a county, town or village of the caller's county
}

// Heading says which board it is.
type Heading struct {
	Period Period
	Region Region
	AsOf   *clock.Instant // awards up to about then are counted; nil before the first run
}

// Entry is one line of a board. It carries no id: nobody is to be followed
// from one board to the next.
type Entry struct {
	Rank       int64 // 1 is the highest; equal points share a rank
	MaskedName string
	Points     int64
	Me         bool
}

// Page is one page of a board.
type Page struct {
	Heading
	paging.Page[Entry]
}

// maxTies bounds how far into equal points a cursor may lead.
const maxTies = 100_000

// Board returns a page of a leaderboard, the highest points first. Only
// residents who agree now are shown, so that a page may be shorter than its
// limit for the minute after somebody withdrew.
//
// Errors: ErrOff, ErrNoHome, ErrPeriod, ErrLevel, ErrRegion (also for regions
// of another county), paging.ErrCursor.
func (s *Service) Board(ctx context.Context, actor authz.Actor, q Query, page paging.Request) (Page, error) {
	head, err := s.heading(ctx, actor, q)
	if err != nil {
		return Page{}, err
	}
	rows, err := s.boardRows(ctx, head.board(), page)
	if err != nil {
		return Page{}, err
	}
	entries, err := s.entries(ctx, actor, head.board(), rows.Items)
	return Page{Heading: head, Page: paging.Page[Entry]{Items: entries, Next: rows.Next}}, err
}

func (h Heading) board() board { return board{h.Period.Kind, h.Period.Start, h.Region.ID} }

// heading finds the board that a resident asks for.
func (s *Service) heading(ctx context.Context, actor authz.Actor, q Query) (h Heading, err error) {
	if err := actor.Resident(); err != nil {
		return h, err
	}
	if !s.cfg.Enabled {
		return h, ErrOff
	}
	if h.Period, err = s.period(q.Kind, q.Day); err != nil {
		return h, err
	}
	if h.Region, err = s.boardRegion(ctx, actor, q); err != nil {
		return h, err
	}
	h.AsOf, err = s.asOf(ctx)
	return h, err
}

func (s *Service) boardRegion(ctx context.Context, actor authz.Actor, q Query) (Region, error) {
	home := boardRegions(actor.RegionPath)
	if len(home) == 0 {
		return Region{}, ErrNoHome
	}
	id := q.RegionID
	if id == "" {
		level := q.Level
		if level == "" {
			level = model.RegionVillage
		}
		i := slices.Index(model.LeaderboardLevels(), level)
		if i < 0 {
			return Region{}, ErrLevel
		}
		if i >= len(home) {
			return Region{}, ErrRegion // the home is a town
		}
		id = home[i]
	}
	r, err := s.regions.Get(ctx, id)
	if errors.Is(err, region.ErrNotFound) {
		return Region{}, ErrRegion
	}
	if err != nil {
		return Region{}, err
	}
	sameCounty := strings.HasPrefix(r.Path, model.RegionCountyPath(actor.RegionPath))
	if !sameCounty || !slices.Contains(model.LeaderboardLevels(), r.Level) {
		return Region{}, ErrRegion
	}
	return r, nil
}

func (s *Service) asOf(ctx context.Context) (*clock.Instant, error) {
	var at []clock.Instant
	err := s.db.Read(ctx).Raw("SELECT updated_at FROM leaderboard_cursor WHERE name = ? AND updated_at > 0", model.LeaderboardAwards).
		Scan(&at).Error
	if err != nil {
		return nil, fmt.Errorf("leaderboard: read cursor: %w", err)
	}
	if len(at) == 0 {
		return nil, nil //nolint:nilnil // nothing was counted yet
	}
	return &at[0], nil
}

type boardRow struct {
	Points     int64
	ResidentID string
}

// boardRows reads a page of listed scores. The cursor is (points, how many
// residents with these points were shown): a resident's id, which is the same
// on every board, stays inside.
func (s *Service) boardRows(ctx context.Context, b board, page paging.Request) (out paging.Page[boardRow], err error) {
	key, err := page.Key(2)
	if err != nil {
		return out, err
	}
	where, args, from, skip := "", []any{b.kind, b.start, b.regionID}, int64(-1), 0
	if key != nil {
		var errPoints, errSkip error
		from, errPoints = strconv.ParseInt(key[0], 10, 64)
		skip, errSkip = strconv.Atoi(key[1])
		if errPoints != nil || errSkip != nil || from < 0 || skip < 0 || skip > maxTies {
			return out, paging.ErrCursor
		}
		where, args = " AND points <= ?", append(args, from)
	}
	var rows []boardRow
	err = s.db.Read(ctx).Raw(`SELECT points, resident_id FROM leaderboard_score
		WHERE period_kind = ? AND period_start = ? AND region_id = ? AND listed = 1`+where+`
		ORDER BY points DESC, resident_id DESC LIMIT ? OFFSET ?`, append(args, page.Size()+1, skip)...).Scan(&rows).Error
	if err != nil {
		return out, fmt.Errorf("leaderboard: read board: %w", err)
	}
	shown := rows[:min(len(rows), page.Size())]
	return paging.Of(rows, page, func(last boardRow) []string {
		n := 0
		for i := len(shown) - 1; i >= 0 && shown[i].Points == last.Points; i-- {
			n++
		}
		if last.Points == from { // the page never left the points that it began with
			n += skip
		}
		return []string{strconv.FormatInt(last.Points, 10), strconv.Itoa(n)}
	}), nil
}

// entries gives rows their ranks and names, and leaves out whom the page must
// not show: a constant number of statements.
func (s *Service) entries(ctx context.Context, actor authz.Actor, b board, rows []boardRow) ([]Entry, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	ids := make([]string, len(rows))
	for i, r := range rows {
		ids[i] = r.ResidentID
	}
	consenting, err := s.people.Consenting(ctx, model.ConsentLeaderboard, ids)
	if err != nil {
		return nil, err
	}
	people, err := s.people.Residents(ctx, ids)
	if err != nil {
		return nil, err
	}
	ranks, err := s.ranks(ctx, b, rows)
	if err != nil {
		return nil, err
	}
	out := make([]Entry, 0, len(rows))
	for _, r := range rows {
		p := people[r.ResidentID]
		if !consenting[r.ResidentID] || p.Status != model.ResidentActive {
			continue
		}
		out = append(out, Entry{Rank: ranks[r.Points], MaskedName: p.MaskedName, Points: r.Points, Me: r.ResidentID == actor.ID})
	}
	return out, nil
}

// ranks returns the rank of every score on a page.
func (s *Service) ranks(ctx context.Context, b board, rows []boardRow) (map[int64]int64, error) {
	highest, lowest := rows[0].Points, rows[len(rows)-1].Points
	rank, err := s.rankOf(ctx, b, highest)
	if err != nil {
		return nil, err
	}
	var bars []model.LeaderboardBucket
	err = s.db.Read(ctx).Raw(`SELECT points, residents FROM leaderboard_bucket
		WHERE period_kind = ? AND period_start = ? AND region_id = ? AND points BETWEEN ? AND ? ORDER BY points DESC`,
		b.kind, b.start, b.regionID, lowest, highest).Scan(&bars).Error
	if err != nil {
		return nil, fmt.Errorf("leaderboard: read histogram: %w", err)
	}
	out := make(map[int64]int64, len(bars))
	for _, bar := range bars {
		out[bar.Points] = rank
		rank += bar.Residents
	}
	for _, r := range rows {
		if out[r.Points] == 0 { // counted anew between the two reads
			out[r.Points] = rank
		}
	}
	return out, nil
}

// rankOf is 1 + the listed residents with more points: a sum over distinct
// scores.
func (s *Service) rankOf(ctx context.Context, b board, points int64) (int64, error) {
	var above int64
	err := s.db.Read(ctx).Raw(rankQuery, b.kind, b.start, b.regionID, points).Scan(&above).Error
	if err != nil {
		return 0, fmt.Errorf("leaderboard: rank: %w", err)
	}
	return above + 1, nil
}

const rankQuery = `SELECT COALESCE(SUM(residents), 0) FROM leaderboard_bucket
	WHERE period_kind = ? AND period_start = ? AND region_id = ? AND points > ?`
