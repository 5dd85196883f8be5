// Package volunteertest gives the surfaces' tests a village with people, a
// policy and a volunteer service.
package volunteertest

import (
	"bytes"
	"context"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/pii"
	"jiamenkou/model"
	"jiamenkou/service/identity"
	"jiamenkou/service/ledger"
	"jiamenkou/service/policy"
	"jiamenkou/service/volunteer"
)

// Lon and Lat are where the village's activities take place.
const (
	Lon = 120.69
	Lat = 30.53
)

// Start is when the village's clock begins: 06:00 in Shanghai.
var Start = time.Date(2026, 3, 9, 22, 0, 0, 0, time.UTC)

// Village is one village and its people. It is an httpapi.Authenticator whose
// tokens are resident and neighbour (both in the village), organizer and
// colleague (over it), town (operator above it), auditor (over the county) and
// outsider (organizer elsewhere). A policy pays a point for each half hour.
type Village struct {
	Clock     *clock.Manual
	Ledger    *ledger.Service
	Volunteer *volunteer.Service
	People    *identity.Service
	Actors    map[string]authz.Actor
	RegionID  string
}

// Authenticate implements httpapi.Authenticator.
func (v *Village) Authenticate(_ context.Context, token string) (authz.Actor, error) {
	actor, ok := v.Actors[token]
	if !ok {
		return authz.Actor{}, authz.ErrAnonymous
	}
	return actor, nil
}

// New makes a village in db.
func New(t testing.TB, db *database.DB) *Village {
	t.Helper()
	c := clock.NewManual(Start, 3)
	v := &Village{Clock: c, Ledger: ledger.New(db, c), Actors: map[string]authz.Actor{}}
	rules := policy.New(db, c, v.Ledger)
	v.People = People(t, db, c)
	v.Volunteer = volunteer.New(db, c, v.Ledger, rules, v.People, volunteer.Config{PublicURL: "https://example.org"})
	insert := func(row any) {
		require.NoError(t, database.InTx(t.Context(), db, func(tx *gorm.DB) error { return tx.Create(row).Error }))
	}
	now := clock.Now(c)
	region := func(code string, level model.RegionLevel, parent *model.Region) model.Region {
		r := model.Region{ID: c.NewID(), Code: code, Level: level, Name: code, Version: 1, CreatedAt: now, UpdatedAt: now}
		r.Path = "/" + r.ID + "/"
		if parent != nil {
			r.ParentID, r.Path = &parent.ID, parent.Path+r.ID+"/"
		}
		insert(&r)
		return r
	}
	county := region("330481", model.RegionCounty, nil)
	town := region("330481001", model.RegionTown, &county)
	village := region("330481001003", model.RegionVillage, &town)
	elsewhere := region("330481002", model.RegionTown, &county)
	v.RegionID = village.ID
	staff := func(name string, role authz.Role, over model.Region) {
		row := model.Staff{
			ID: c.NewID(), Username: name, PasswordHash: "-", Name: name, RegionID: over.ID, Status: model.StaffActive, CreatedAt: now, UpdatedAt: now,
		}
		insert(&row)
		v.Actors[name] = authz.Actor{Kind: authz.KindStaff, ID: row.ID, Grants: []authz.Grant{{Role: role, RegionID: over.ID, RegionPath: over.Path}}}
	}
	staff("organizer", authz.RoleOrganizer, village)
	staff("colleague", authz.RoleOrganizer, village)
	staff("town", authz.RoleOperator, town)
	staff("county", authz.RoleOperator, county)
	staff("auditor", authz.RoleAuditor, county)
	staff("outsider", authz.RoleOrganizer, elsewhere)
	for _, name := range []string{"resident", "neighbour"} {
		id := c.NewID()
		insert(&model.Resident{
			ID: id, Nickname: name, VolunteerNumber: "V" + id, HomeRegionID: &village.ID, Status: model.ResidentActive, CreatedAt: now, UpdatedAt: now,
		})
		v.Actors[name] = authz.Actor{Kind: authz.KindResident, ID: id, RegionID: village.ID, RegionPath: village.Path}
	}
	budget, err := rules.CreateBudget(t.Context(), v.Actors["county"], policy.BudgetInput{
		RegionID: county.ID, Name: "2026 年", StartsOn: "2026-01-01", EndsOn: "2026-12-31", LimitPoints: 100_000,
	})
	require.NoError(t, err)
	_, err = rules.PublishRule(t.Context(), v.Actors["county"], policy.RuleInput{
		RegionID: county.ID, EventKind: model.EventVolunteerService, BudgetID: budget.ID, Points: 1, PerMinutes: 30, MaxPoints: 100,
		DailyCap: 10, ObjectCap: 1, Expiry: model.ExpiryEndOfNextYear,
	})
	require.NoError(t, err)
	return v
}

// People is the identity service that certificates read names from.
func People(t testing.TB, db *database.DB, c clock.Clock) *identity.Service {
	t.Helper()
	sealer, err := pii.New(pii.Config{Keys: "a:" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{1}, 32))})
	require.NoError(t, err)
	people, err := identity.New(db, c, sealer, nil, identity.Config{
		JWTSecret: strings.Repeat("s", 32), Argon2: identity.Argon2{MemoryKiB: 64, Time: 1, Threads: 1},
	})
	require.NoError(t, err)
	return people
}

// Published posts an activity of the organizer's with one shift of three
// hours, from 09:00 tomorrow, and returns both ids.
func (v *Village) Published(t testing.TB, capacity int64) (activityID, shiftID string) {
	t.Helper()
	starts := clock.DayOf(Start).AddDays(1).Start().Add(9 * time.Hour)
	id, err := v.Volunteer.CreateActivity(t.Context(), v.Actors["organizer"], volunteer.ActivityInput{
		RegionID: v.RegionID, Title: "河道清洁", Content: "清理河岸垃圾", Category: "environment", Beneficiary: "社区居民", PlaceName: "东山河边",
		Lon: Lon, Lat: Lat, RadiusMeters: 200, ContactName: "李老师", ContactPhone: "0573-87001234",
	}, []volunteer.ShiftInput{{StartsAt: starts, EndsAt: starts.Add(3 * time.Hour), Capacity: capacity}})
	require.NoError(t, err)
	require.NoError(t, v.Volunteer.PublishActivity(t.Context(), v.Actors["organizer"], id))
	detail, err := v.Volunteer.StaffActivity(t.Context(), v.Actors["organizer"], id)
	require.NoError(t, err)
	return id, detail.Shifts[0].ID
}

// At moves the clock to an hour of tomorrow.
func (v *Village) At(hour float64) {
	v.Clock.Set(clock.DayOf(Start).AddDays(1).Start().Add(time.Duration(hour * float64(time.Hour))).Time())
}

// Code is the code on the organizer's screen.
func (v *Village) Code(t testing.TB, shiftID string) string {
	t.Helper()
	code, err := v.Volunteer.ShiftCode(t.Context(), v.Actors["organizer"], shiftID)
	require.NoError(t, err)
	return code.Digits
}

// Served lets a resident serve the shift of three hours and the organizer
// confirm it, and returns the record's id.
func (v *Village) Served(t testing.TB, who string) (recordID string) {
	t.Helper()
	ctx := t.Context()
	_, shiftID := v.Published(t, 5)
	g, err := v.Volunteer.SignUp(ctx, v.Actors[who], shiftID)
	require.NoError(t, err)
	v.At(9)
	_, err = v.Volunteer.CheckIn(ctx, v.Actors[who], v.here(t, shiftID))
	require.NoError(t, err)
	v.At(12)
	_, err = v.Volunteer.CheckOut(ctx, v.Actors[who], v.here(t, shiftID))
	require.NoError(t, err)
	out, err := v.Volunteer.Confirm(ctx, v.Actors["organizer"], volunteer.ConfirmInput{
		ShiftID: shiftID, Items: []volunteer.ConfirmItem{{SignupID: g.ID}},
	})
	require.NoError(t, err)
	return out[0].RecordID
}

func (v *Village) here(t testing.TB, shiftID string) volunteer.MarkInput {
	return volunteer.MarkInput{ShiftID: shiftID, Code: v.Code(t, shiftID), Lon: Lon, Lat: Lat}
}
