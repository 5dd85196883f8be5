// Package caseworktest gives the surfaces' tests a village with a resident, a
// grid worker and a casework service.
package caseworktest

import (
	"bytes"
	"context"
	"image"
	"image/jpeg"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/blob"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/wechat"
	"jiamenkou/model"
	"jiamenkou/service/casework"
	"jiamenkou/service/ledger"
	"jiamenkou/service/policy"
)

// Trace is the trace id of every picture that is handed over.
const Trace = "trace-0001"

// Village is one village and its people. It is an httpapi.Authenticator whose
// tokens are resident, neighbour, worker, outsider (a grid worker elsewhere)
// and auditor.
type Village struct {
	Clock    *clock.Manual
	Casework *casework.Service
	Actors   map[string]authz.Actor
	RegionID string
}

// Authenticate implements httpapi.Authenticator.
func (v *Village) Authenticate(_ context.Context, token string) (authz.Actor, error) {
	actor, ok := v.Actors[token]
	if !ok {
		return authz.Actor{}, authz.ErrAnonymous
	}
	return actor, nil
}

type passing struct{}

func (passing) CheckText(context.Context, string, int, string) (wechat.Verdict, error) {
	return wechat.Verdict{Suggest: wechat.SuggestPass}, nil
}

func (passing) CheckImage(context.Context, string, string, int) (string, error) { return Trace, nil }

// New makes a village in db.
func New(t testing.TB, db *database.DB) *Village {
	t.Helper()
	c := clock.NewManual(time.Date(2026, 3, 10, 4, 0, 0, 0, time.UTC), 7)
	store, err := blob.OpenDisk(t.TempDir(), 5<<20)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	l := ledger.New(db, c)
	service, err := casework.New(casework.Parts{
		DB: db, Clock: c, Policy: policy.New(db, c, l), Ledger: l, Store: store, Checker: passing{},
	}, casework.Config{LinkSecret: strings.Repeat("k", 32), PublicURL: "https://example.org"})
	require.NoError(t, err)
	v := &Village{Clock: c, Casework: service, Actors: map[string]authz.Actor{}}
	v.people(t, db)
	return v
}

func (v *Village) people(t testing.TB, db *database.DB) {
	t.Helper()
	now := clock.Now(v.Clock)
	insert := func(row any) {
		require.NoError(t, database.InTx(t.Context(), db, func(tx *gorm.DB) error { return tx.Create(row).Error }))
	}
	region := func(level model.RegionLevel, code string, parent *model.Region) model.Region {
		r := model.Region{ID: v.Clock.NewID(), Code: code, Level: level, Name: code, Version: 1, CreatedAt: now, UpdatedAt: now}
		r.Path = "/" + r.ID + "/"
		if parent != nil {
			r.ParentID, r.Path = &parent.ID, parent.Path+r.ID+"/"
		}
		insert(&r)
		return r
	}
	county := region(model.RegionCounty, "c1", nil)
	town := region(model.RegionTown, "t1", &county)
	here, there := region(model.RegionVillage, "v1", &town), region(model.RegionVillage, "v2", &town)
	v.RegionID = here.ID
	for _, token := range []string{"resident", "neighbour"} {
		id := v.Clock.NewID()
		insert(&model.Resident{
			ID: id, OpenID: &id, VolunteerNumber: id, HomeRegionID: &here.ID, Status: model.ResidentActive, CreatedAt: now, UpdatedAt: now,
		})
		v.Actors[token] = authz.Actor{Kind: authz.KindResident, ID: id, RegionID: here.ID, RegionPath: here.Path}
	}
	for token, grant := range map[string]authz.Grant{
		"worker":   {Role: authz.RoleGridWorker, RegionID: here.ID, RegionPath: here.Path},
		"outsider": {Role: authz.RoleGridWorker, RegionID: there.ID, RegionPath: there.Path},
		"auditor":  {Role: authz.RoleAuditor, RegionID: county.ID, RegionPath: county.Path},
	} {
		id := v.Clock.NewID()
		insert(&model.Staff{
			ID: id, Username: strings.ToLower(id), PasswordHash: "x", Name: token, RegionID: grant.RegionID,
			Status: model.StaffActive, CreatedAt: now, UpdatedAt: now,
		})
		insert(&model.StaffGrant{
			ID: v.Clock.NewID(), StaffID: id, Role: string(grant.Role), RegionID: &grant.RegionID, ScopeRegionID: grant.RegionID,
			GrantedBy: "test", CreatedAt: now,
		})
		v.Actors[token] = authz.Actor{Kind: authz.KindStaff, ID: id, Grants: []authz.Grant{grant}}
	}
}

// Photo is a small JPEG.
func Photo(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, jpeg.Encode(&b, image.NewRGBA(image.Rect(0, 0, 32, 24)), nil))
	return b.Bytes()
}
