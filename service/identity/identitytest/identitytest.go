// Package identitytest gives tests a county with people who can log in: for
// service/identity itself and for every surface above it.
package identitytest

import (
	"bytes"
	"encoding/base64"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/internal/pii"
	"jiamenkou/internal/wechat"
	"jiamenkou/internal/wechat/wechatsim"
	"jiamenkou/model"
	"jiamenkou/service/identity"
)

// What every fixture shares.
const (
	Secret   = "a secret for tests, of 32 bytes at least"
	Password = "correct horse battery"
	Reason   = "测试需要"
)

// Fixture is a county with two towns of one village each, its first operator,
// and a simulated WeChat.
type Fixture struct {
	*identity.Service
	DB     *database.DB
	Clock  *clock.Manual
	Sim    *wechatsim.Simulator
	WeChat *wechat.Client
	Sealer *pii.Sealer

	County, East, West, EastVillage, WestVillage model.Region
	Operator                                     authz.Actor // "root", of the whole county
}

// System is the program itself.
var System = authz.System("test")

// Config is as cheap as it may be.
func Config() identity.Config {
	return identity.Config{JWTSecret: Secret, Argon2: identity.Argon2{MemoryKiB: 64, Time: 1, Threads: 1}}
}

// New makes a Fixture on an empty database; change adjusts its Config.
func New(t *testing.T, db *database.DB, change ...func(*identity.Config)) *Fixture {
	t.Helper()
	f := &Fixture{DB: db, Clock: clock.NewManual(time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC), 1)}
	f.Sim = wechatsim.New(wechatsim.Config{AppID: "wxtest", Secret: "wxsecret", Clock: f.Clock})
	server := httptest.NewServer(f.Sim)
	t.Cleanup(func() { server.Close(); f.Sim.Close() })
	var err error
	f.WeChat, err = wechat.New(wechat.Config{AppID: "wxtest", AppSecret: "wxsecret", BaseURL: server.URL, RetryDelay: time.Millisecond}, f.Clock)
	require.NoError(t, err)
	t.Cleanup(f.WeChat.Close)
	f.Sealer, err = pii.New(pii.Config{Keys: "a:" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{1}, 32))})
	require.NoError(t, err)
	f.Service = f.Another(t, change...)
	f.makeRegions(t)
	id, err := f.EnsureOperator(t.Context(), System, "root", Password, f.County.ID)
	require.NoError(t, err)
	f.Operator = f.Login(t, "root")
	require.Equal(t, id, f.Operator.ID)
	return f
}

// Another is a second copy of the service on the same database: what runs
// behind the same balancer.
func (f *Fixture) Another(t *testing.T, change ...func(*identity.Config)) *identity.Service {
	t.Helper()
	cfg := Config()
	for _, c := range change {
		c(&cfg)
	}
	s, err := identity.New(f.DB, f.Clock, f.Sealer, f.WeChat, cfg)
	require.NoError(t, err)
	return s
}

func (f *Fixture) makeRegions(t *testing.T) {
	t.Helper()
	add := func(parent *model.Region, level model.RegionLevel, code string) model.Region {
		r := model.Region{ID: f.Clock.NewID(), Code: code, Level: level, Name: code, Path: "/"}
		if parent != nil {
			r.ParentID, r.Path = &parent.ID, parent.Path
		}
		r.Path += r.ID + "/"
		f.Exec(t, `INSERT INTO region (id, code, parent_id, level, name, path, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, 0, 0)`,
			r.ID, r.Code, r.ParentID, string(r.Level), r.Name, r.Path)
		return r
	}
	f.County = add(nil, model.RegionCounty, "county")
	f.East = add(&f.County, model.RegionTown, "east")
	f.West = add(&f.County, model.RegionTown, "west")
	f.EastVillage = add(&f.East, model.RegionVillage, "east-village")
	f.WestVillage = add(&f.West, model.RegionVillage, "west-village")
}

// Exec runs one statement.
func (f *Fixture) Exec(t *testing.T, query string, args ...any) {
	t.Helper()
	_, err := f.DB.WriteSQL().ExecContext(t.Context(), query, args...)
	require.NoError(t, err)
}

// Count runs a query for one number.
func (f *Fixture) Count(t *testing.T, query string, args ...any) (n int64) {
	t.Helper()
	require.NoError(t, f.DB.Read(t.Context()).Raw(query, args...).Scan(&n).Error)
	return n
}

// Staff creates a staff member with one region role and returns its id.
func (f *Fixture) Staff(t *testing.T, username string, role authz.Role, regionID string) string {
	t.Helper()
	ids, err := f.CreateStaff(t.Context(), System, []identity.NewStaff{{
		Username: username, Password: Password, Name: "李四", Grants: []identity.NewGrant{{Role: role, RegionID: regionID}},
	}})
	require.NoError(t, err)
	return ids[0]
}

// Login logs a staff member in, whose password is Password.
func (f *Fixture) Login(t *testing.T, username string) authz.Actor {
	t.Helper()
	tokens, err := f.LoginStaff(t.Context(), username, Password)
	require.NoError(t, err)
	return f.Actor(t, tokens.Tokens)
}

// Actor is who the tokens were issued to.
func (f *Fixture) Actor(t *testing.T, tokens identity.Tokens) authz.Actor {
	t.Helper()
	actor, err := f.Authenticate(t.Context(), tokens.AccessToken)
	require.NoError(t, err)
	return actor
}

// Resident logs a person in by name.
func (f *Fixture) Resident(t *testing.T, name string) (authz.Actor, identity.Tokens) {
	t.Helper()
	session, err := f.LoginResident(t.Context(), identity.ResidentLogin{Code: f.Sim.LoginCode(name)})
	require.NoError(t, err)
	return f.Actor(t, session.Tokens), session.Tokens
}

// Each runs test on both engines.
func Each(t *testing.T, test func(t *testing.T, f *Fixture), change ...func(*identity.Config)) {
	t.Helper()
	databasetest.Each(t, func(t *testing.T, db *database.DB) { test(t, New(t, db, change...)) })
}
