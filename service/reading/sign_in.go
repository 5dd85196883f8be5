package reading

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/batch"
	"jiamenkou/internal/clock"
	"jiamenkou/model"
	"jiamenkou/service/policy"
)

// SignIn is one resident's sign-in of one Shanghai day.
type SignIn struct {
	Day        clock.Day
	StreakDays int64 // days in a row up to this one, from 1
	SignedAt   clock.Instant
	Award      Award
}

// SignIn signs the resident in for today and awards the points, in one
// transaction; once a day, a repetition answers the first result. It is the
// resident's own choice: nothing else depends on it. Sign-ins at the same time
// share a transaction. ErrSignInOff where the county switched it off, ErrNoHome
// until a home region is chosen, batch.ErrFull and batch.ErrClosed.
func (s *Service) SignIn(ctx context.Context, actor authz.Actor) (SignIn, error) {
	if err := s.maySignIn(actor); err != nil {
		return SignIn{}, err
	}
	return s.signIns.Do(ctx, actor.ID)
}

func (s *Service) maySignIn(actor authz.Actor) error {
	if err := actor.Resident(); err != nil {
		return err
	}
	if !s.cfg.DailySignIn {
		return ErrSignInOff
	}
	return nil
}

// signInsTx signs residents in, at most policy.MaxEvents, in a constant number
// of statements: each has a result or an error of its own, after which nothing
// was written for that resident. An error means that the whole transaction
// must be rolled back.
func (s *Service) signInsTx(ctx context.Context, tx *gorm.DB, residentIDs []string) ([]batch.Result[SignIn], error) {
	tx = tx.WithContext(ctx)
	signed, err := s.signedTx(tx, residentIDs)
	if err != nil {
		return nil, err
	}
	var (
		out    = make([]batch.Result[SignIn], len(residentIDs))
		events []policy.Event
		asked  []int // index of the resident of each event
	)
	for i, id := range residentIDs {
		row, ok := signed[id]
		if !ok {
			out[i].Err = ErrNoHome
			continue
		}
		events, asked = append(events, signInEvent(row)), append(asked, i)
		out[i].Value = SignIn{Day: row.Day, StreakDays: row.StreakDays, SignedAt: row.CreatedAt}
	}
	awards, err := s.policy.AwardTx(ctx, tx, events)
	if err != nil {
		return nil, fmt.Errorf("reading: award: %w", err)
	}
	for n, a := range awards {
		if a.ID == "" {
			return nil, ErrNoHome // given up since signedTx looked: whoever it is fails alone then
		}
		out[asked[n]].Value.Award = awardOf(a)
	}
	return out, nil
}

// signedTx returns today's row of each resident; it inserts those that are
// missing, in the order of residents. Residents without a home region are left
// out, unless they signed in while they had one.
func (s *Service) signedTx(tx *gorm.DB, residentIDs []string) (map[string]model.DailySignIn, error) {
	now := s.now()
	today := now.Day()
	var rows []struct {
		model.DailySignIn `gorm:"embedded"`
		Who               string
		Home              *string
	}
	ids := slices.Compact(slices.Sorted(slices.Values(residentIDs)))
	err := tx.Raw(`SELECT p.id AS who, p.home_region_id AS home, COALESCE(d.id, '') AS id, COALESCE(d.resident_id, '') AS resident_id,
			COALESCE(d.day, '') AS day, COALESCE(d.streak_days, 0) AS streak_days, COALESCE(d.created_at, 0) AS created_at
		FROM resident p LEFT JOIN daily_sign_in d ON d.resident_id = p.id AND d.day >= ? AND d.day <= ?
		WHERE p.id IN ? ORDER BY p.id, d.day`, today.AddDays(-1), today, ids).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("reading: latest sign-ins: %w", err)
	}
	latest, homes := make(map[string]model.DailySignIn, len(ids)), make(map[string]bool, len(ids))
	for _, r := range rows { // today's comes after yesterday's
		latest[r.Who], homes[r.Who] = r.DailySignIn, r.Home != nil
	}
	signed := make(map[string]model.DailySignIn, len(ids))
	var fresh []model.DailySignIn
	for _, id := range ids {
		last := latest[id]
		switch {
		case last.Day == today:
			signed[id] = last
		case homes[id]:
			row := model.DailySignIn{ID: s.clock.NewID(), ResidentID: id, Day: today, StreakDays: streakOn(last, today) + 1, CreatedAt: now}
			signed[id], fresh = row, append(fresh, row)
		}
	}
	if len(fresh) == 0 {
		return signed, nil
	}
	if err := tx.Create(&fresh).Error; err != nil {
		return nil, fmt.Errorf("reading: sign in: %w", err)
	}
	return signed, nil
}

// latestSignIn returns the sign-in of today or yesterday, the later one; a
// zero row if there is none.
func latestSignIn(db *gorm.DB, residentID string, today clock.Day) (model.DailySignIn, error) {
	var rows []model.DailySignIn
	err := db.Where("resident_id = ? AND day >= ? AND day <= ?", residentID, today.AddDays(-1), today).
		Order("day DESC").Limit(1).Find(&rows).Error
	if err != nil {
		return model.DailySignIn{}, fmt.Errorf("reading: latest sign-in: %w", err)
	}
	if len(rows) == 0 {
		return model.DailySignIn{}, nil
	}
	return rows[0], nil
}

// streakOn is the streak that stands before a day's own sign-in.
func streakOn(latest model.DailySignIn, day clock.Day) int64 {
	if latest.Day == day.AddDays(-1) {
		return latest.StreakDays
	}
	return 0
}

// signInEvent is the same for a replay as for the first sign-in.
func signInEvent(r model.DailySignIn) policy.Event {
	proof, _ := json.Marshal(struct { //nolint:errchkjson // strings and numbers always marshal
		Day        clock.Day `json:"day"`
		StreakDays int64     `json:"streak_days"`
	}{r.Day, r.StreakDays})
	return policy.Event{
		Kind: model.EventDailySignIn, ID: r.ResidentID + ":" + string(r.Day), ResidentID: r.ResidentID, ObjectID: string(r.Day),
		Evidence: string(proof), ActorID: r.ResidentID, OccurredAt: r.CreatedAt,
	}
}

// SignInState says whether there is something to sign in to.
type SignInState struct {
	Enabled    bool // the county allows it
	Day        clock.Day
	Signed     bool
	StreakDays int64 // today's if signed, else yesterday's; 0 if the row of days is broken
	Points     int64 // that signing in now would earn
}

// SignInState tells the resident's page what to show.
func (s *Service) SignInState(ctx context.Context, actor authz.Actor) (SignInState, error) {
	if err := actor.Resident(); err != nil {
		return SignInState{}, err
	}
	out := SignInState{Enabled: s.cfg.DailySignIn, Day: s.now().Day()}
	if !out.Enabled {
		return out, nil
	}
	latest, err := latestSignIn(s.db.Read(ctx), actor.ID, out.Day)
	if err != nil {
		return out, err
	}
	if latest.Day == out.Day {
		out.Signed, out.StreakDays = true, latest.StreakDays
		return out, nil
	}
	out.StreakDays = streakOn(latest, out.Day)
	rule, err := s.payingRule(ctx, actor.ID, model.EventDailySignIn)
	if err == nil && rule != nil {
		out.Points = pointsUnder(rule, 0)
	}
	return out, err
}
