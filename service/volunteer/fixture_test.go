package volunteer_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/internal/fault"
	"jiamenkou/model"
	"jiamenkou/service/identity"
	"jiamenkou/service/ledger"
	"jiamenkou/service/ledger/ledgertest"
	"jiamenkou/service/policy"
	"jiamenkou/service/volunteer"
	"jiamenkou/service/volunteer/volunteertest"
)

// dawn is 06:00 in Shanghai, a Tuesday.
var dawn = time.Date(2026, 3, 9, 22, 0, 0, 0, time.UTC)

const (
	placeLon, placeLat = 120.69, 30.53
	meterLat           = 1 / 111_195.0 // degrees
)

// world is a county with two towns, a village in the first and staff over
// each, and a policy that pays a point for each half hour.
type world struct {
	t      testing.TB
	db     *database.DB
	clock  *clock.Manual
	ledger *ledger.Service
	policy *policy.Service
	people *identity.Service
	*volunteer.Service

	county, town, otherTown, village model.Region
	farCounty, farVillage            model.Region

	organizer  authz.Actor // over the village
	colleague  authz.Actor // over the village too
	townOffice authz.Actor // operator over the town
	neighbour  authz.Actor // organizer over the other town
	operator   authz.Actor // over the county
}

func each(t *testing.T, test func(t *testing.T, w *world)) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		test(t, w)
		w.requireSound()
	})
}

func newWorld(t testing.TB, db *database.DB) *world {
	c := clock.NewManual(dawn, 11)
	w := &world{t: t, db: db, clock: c, ledger: ledger.New(db, c)}
	w.policy = policy.New(db, c, w.ledger)
	w.people = volunteertest.People(t, db, c)
	w.Service = volunteer.New(db, c, w.ledger, w.policy, w.people, volunteer.Config{PublicURL: "https://example.org/"})
	w.county = w.region("330481", "county", nil)
	w.town = w.region("330481001", "town", &w.county)
	w.otherTown = w.region("330481002", "town", &w.county)
	w.village = w.region("330481001003", "village", &w.town)
	w.farCounty = w.region("330482", "county", nil)
	w.farVillage = w.region("330482001003", "village", &w.farCounty)
	w.organizer = w.staff("organizer", authz.RoleOrganizer, w.village)
	w.colleague = w.staff("colleague", authz.RoleOrganizer, w.village)
	w.townOffice = w.staff("town-office", authz.RoleOperator, w.town)
	w.neighbour = w.staff("neighbour", authz.RoleOrganizer, w.otherTown)
	w.operator = w.staff("operator", authz.RoleOperator, w.county)
	budget, err := w.policy.CreateBudget(t.Context(), w.operator, policy.BudgetInput{
		RegionID: w.county.ID, Name: "2026 年", StartsOn: "2026-01-01", EndsOn: "2026-12-31", LimitPoints: 100_000,
	})
	require.NoError(t, err)
	_, err = w.policy.PublishRule(t.Context(), w.operator, policy.RuleInput{
		RegionID: w.county.ID, EventKind: model.EventVolunteerService, BudgetID: budget.ID, Points: 1, PerMinutes: 30, MaxPoints: 100,
		DailyCap: 10, ObjectCap: 1, Expiry: model.ExpiryEndOfNextYear,
	})
	require.NoError(t, err)
	return w
}

func (w *world) requireSound() {
	w.t.Helper()
	ledgertest.RequireSound(w.t, w.db)
	differences, err := w.Audit(w.t.Context())
	require.NoError(w.t, err)
	require.Empty(w.t, differences)
}

func (w *world) insert(row any) {
	w.t.Helper()
	require.NoError(w.t, database.InTx(w.t.Context(), w.db, func(tx *gorm.DB) error { return tx.Create(row).Error }))
}

func (w *world) region(code, level string, parent *model.Region) model.Region {
	now := clock.Now(w.clock)
	r := model.Region{ID: w.clock.NewID(), Code: code, Level: model.RegionLevel(level), Name: code, Version: 1, CreatedAt: now, UpdatedAt: now}
	r.Path = "/" + r.ID + "/"
	if parent != nil {
		r.ParentID = &parent.ID
		r.Path = parent.Path + r.ID + "/"
	}
	w.insert(&r)
	return r
}

func (w *world) staff(name string, role authz.Role, over model.Region) authz.Actor {
	now := clock.Now(w.clock)
	row := model.Staff{
		ID: w.clock.NewID(), Username: name, PasswordHash: "-", Name: name, RegionID: over.ID, Status: model.StaffActive, CreatedAt: now, UpdatedAt: now,
	}
	w.insert(&row)
	return authz.Actor{Kind: authz.KindStaff, ID: row.ID, Grants: []authz.Grant{{Role: role, RegionID: over.ID, RegionPath: over.Path}}}
}

// residents makes n residents who live in home.
func (w *world) residents(n int, home model.Region) []authz.Actor {
	now := clock.Now(w.clock)
	rows := make([]model.Resident, n)
	out := make([]authz.Actor, n)
	for i := range rows {
		id := w.clock.NewID()
		rows[i] = model.Resident{
			ID: id, Nickname: fmt.Sprint("邻居", i), VolunteerNumber: "V" + id, HomeRegionID: &home.ID,
			Status: model.ResidentActive, CreatedAt: now, UpdatedAt: now,
		}
		out[i] = authz.Actor{Kind: authz.KindResident, ID: id, RegionID: home.ID, RegionPath: home.Path}
	}
	w.insert(&rows)
	return out
}

func (w *world) resident() authz.Actor { return w.residents(1, w.village)[0] }

func (w *world) input() volunteer.ActivityInput {
	return volunteer.ActivityInput{
		RegionID: w.village.ID, Title: "河道清洁", Content: "清理河岸垃圾，请穿防滑鞋", Category: "environment", Beneficiary: "社区居民",
		PlaceName: "东山河边", Lon: placeLon, Lat: placeLat, RadiusMeters: 200, ContactName: "李老师", ContactPhone: "0573-87001234",
	}
}

// at is the instant of hour (with fractions) on a day after today.
func at(day int, hour float64) clock.Instant {
	return clock.DayOf(dawn).AddDays(day).Start().Add(time.Duration(hour * float64(time.Hour)))
}

func shift(day int, from, to float64, capacity int64) volunteer.ShiftInput {
	return volunteer.ShiftInput{StartsAt: at(day, from), EndsAt: at(day, to), Capacity: capacity}
}

// published posts an activity of the organizer's and returns its shifts.
func (w *world) published(shifts ...volunteer.ShiftInput) (activityID string, shiftIDs []string) {
	w.t.Helper()
	id, err := w.CreateActivity(w.t.Context(), w.organizer, w.input(), shifts)
	require.NoError(w.t, err)
	require.NoError(w.t, w.PublishActivity(w.t.Context(), w.organizer, id))
	return id, w.shifts(id)
}

func (w *world) shifts(activityID string) (ids []string) {
	w.t.Helper()
	detail, err := w.StaffActivity(w.t.Context(), w.organizer, activityID)
	require.NoError(w.t, err)
	for _, s := range detail.Shifts {
		ids = append(ids, s.ID)
	}
	return ids
}

func (w *world) signUp(who authz.Actor, shiftID string) model.Signup {
	w.t.Helper()
	g, err := w.SignUp(w.t.Context(), who, shiftID)
	require.NoError(w.t, err)
	return g
}

func (w *world) set(i clock.Instant) { w.clock.Set(i.Time()) }

func (w *world) code(shiftID string) string {
	w.t.Helper()
	c, err := w.ShiftCode(w.t.Context(), w.organizer, shiftID)
	require.NoError(w.t, err)
	return c.Digits
}

// here is a mark on the spot with the code of this moment.
func (w *world) here(shiftID string) volunteer.MarkInput {
	return volunteer.MarkInput{ShiftID: shiftID, Code: w.code(shiftID), Lon: placeLon, Lat: placeLat, AccuracyMeters: 10}
}

func (w *world) checkIn(who authz.Actor, shiftID string) {
	w.t.Helper()
	_, err := w.CheckIn(w.t.Context(), who, w.here(shiftID))
	require.NoError(w.t, err)
}

func (w *world) checkOut(who authz.Actor, shiftID string) {
	w.t.Helper()
	_, err := w.CheckOut(w.t.Context(), who, w.here(shiftID))
	require.NoError(w.t, err)
}

// attend lets everybody come and go; they have signed up.
func (w *world) attend(shiftID string, in, out clock.Instant, people ...authz.Actor) {
	w.t.Helper()
	w.set(in)
	for _, p := range people {
		w.checkIn(p, shiftID)
	}
	w.set(out)
	for _, p := range people {
		w.checkOut(p, shiftID)
	}
}

func (w *world) confirm(by authz.Actor, shiftID string, items ...volunteer.ConfirmItem) []volunteer.ConfirmOutcome {
	w.t.Helper()
	out, err := w.Confirm(w.t.Context(), by, volunteer.ConfirmInput{ShiftID: shiftID, Items: items})
	require.NoError(w.t, err)
	require.Len(w.t, out, len(items))
	return out
}

func item(g model.Signup) volunteer.ConfirmItem { return volunteer.ConfirmItem{SignupID: g.ID} }

func (w *world) points(who authz.Actor) int64 {
	w.t.Helper()
	wallet, err := w.ledger.Wallet(w.t.Context(), who.ID)
	require.NoError(w.t, err)
	return wallet.Points
}

func (w *world) minutes(who authz.Actor) volunteer.ServiceTotal {
	w.t.Helper()
	total, err := w.MyTotal(w.t.Context(), who)
	require.NoError(w.t, err)
	return total
}

func (w *world) count(query string, args ...any) (n int64) {
	w.t.Helper()
	require.NoError(w.t, w.db.Read(context.Background()).Raw(query, args...).Scan(&n).Error)
	return n
}

// state is everything that the domain keeps, to prove that nothing changed.
func (w *world) state() string {
	w.t.Helper()
	out := ""
	for _, q := range []string{
		"SELECT CONCAT(id, status, version) FROM activity ORDER BY id",
		"SELECT CONCAT(id, status, starts_at, ends_at) FROM activity_shift ORDER BY id",
		"SELECT CONCAT(shift_id, signed_up, capacity, is_open) FROM shift_count ORDER BY shift_id",
		"SELECT CONCAT(id, status) FROM signup ORDER BY id",
		"SELECT CONCAT(id, status, COALESCE(minutes, -1), COALESCE(check_out_at, 0)) FROM attendance ORDER BY id",
		"SELECT CONCAT(id, state, minutes) FROM service_record ORDER BY id",
		"SELECT CONCAT(resident_id, day, minutes) FROM service_day WHERE minutes > 0 ORDER BY resident_id, day",
		"SELECT CONCAT(resident_id, effective_minutes) FROM volunteer_tally WHERE effective_minutes > 0 ORDER BY resident_id",
		"SELECT CONCAT(COUNT(*), '') FROM volunteer_history", "SELECT CONCAT(COUNT(*), '') FROM transfer",
	} {
		var rows []string
		require.NoError(w.t, w.db.Read(context.Background()).Raw(q).Scan(&rows).Error, q)
		out += fmt.Sprintln(rows)
	}
	return out
}

// refuses runs call and requires want's code and kind, and that nothing changed.
func (w *world) refuses(want *fault.Error, call func() error) {
	w.t.Helper()
	before := w.state()
	err := call()
	require.ErrorIs(w.t, err, want)
	require.Equal(w.t, want.Kind, fault.KindOf(err))
	require.Equal(w.t, before, w.state(), "nothing may have changed")
}

func (w *world) refusesSignUp(want *fault.Error, who authz.Actor, shiftID string) {
	w.t.Helper()
	w.refuses(want, func() error { _, err := w.SignUp(w.t.Context(), who, shiftID); return err })
}

func (w *world) refusesCheckIn(want *fault.Error, who authz.Actor, in volunteer.MarkInput) {
	w.t.Helper()
	w.refuses(want, func() error { _, err := w.CheckIn(w.t.Context(), who, in); return err })
}

// all runs f once for each index at the same time.
func all(n int, f func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}
