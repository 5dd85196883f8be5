package reading

import (
	"context"
	"encoding/json"
	"fmt"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
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
// resident's own choice: nothing else depends on it. ErrSignInOff where the
// county switched it off, ErrNoHome until a home region is chosen.
func (s *Service) SignIn(ctx context.Context, actor authz.Actor) (SignIn, error) {
	if err := s.maySignIn(actor); err != nil {
		return SignIn{}, err
	}
	var out SignIn
	err := s.insertTx(ctx, func(tx *gorm.DB) error {
		row, err := s.signInTx(tx, actor.ID)
		if err != nil {
			return err
		}
		awards, err := s.policy.AwardTx(ctx, tx, []policy.Event{signInEvent(row)})
		if err != nil {
			return fmt.Errorf("reading: award: %w", err)
		}
		if awards[0].ID == "" {
			return ErrNoHome
		}
		out = SignIn{Day: row.Day, StreakDays: row.StreakDays, SignedAt: row.CreatedAt, Award: awardOf(awards[0])}
		return nil
	})
	return out, err
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

// signInTx returns today's row, which it inserts if there is none.
func (s *Service) signInTx(tx *gorm.DB, residentID string) (model.DailySignIn, error) {
	now := s.now()
	latest, err := latestSignIn(tx, residentID, now.Day())
	if err != nil || latest.Day == now.Day() {
		return latest, err
	}
	row := model.DailySignIn{
		ID: s.clock.NewID(), ResidentID: residentID, Day: now.Day(), StreakDays: streakOn(latest, now.Day()) + 1, CreatedAt: now,
	}
	if err := tx.Create(&row).Error; err != nil {
		return row, fmt.Errorf("reading: sign in: %w", err)
	}
	return row, nil
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
