package lookup_test

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/pii"
	"jiamenkou/model"
	"jiamenkou/service/casework"
	"jiamenkou/service/identity"
	"jiamenkou/service/lookup"
	"jiamenkou/service/market"
	"jiamenkou/service/market/markettest"
	"jiamenkou/service/policy"
	"jiamenkou/service/reading"
	"jiamenkou/service/region"
	"jiamenkou/service/volunteer"
)

const phone = "13800001234"

// world is a county with one thing of each kind.
type world struct {
	*markettest.County
	db       *database.DB
	lookup   *lookup.Service
	resident string
	order    string
	caseID   string
	activity string

	policy     *policy.Service
	reading    *reading.Service
	activities *volunteer.Service
}

func newWorld(t *testing.T, db *database.DB) *world {
	ctx := t.Context()
	w := &world{County: markettest.New(t, db), db: db}
	sealer, err := pii.New(pii.Config{Keys: "a:" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{1}, 32))})
	require.NoError(t, err)
	people, err := identity.New(db, w.Clock, sealer, nil, identity.Config{JWTSecret: strings.Repeat("s", 32)})
	require.NoError(t, err)
	rules := policy.New(db, w.Clock, w.Ledger)
	cases, err := casework.New(casework.Parts{DB: db, Clock: w.Clock, Policy: rules, Ledger: w.Ledger}, casework.Config{
		LinkSecret: strings.Repeat("k", 32), PublicURL: "https://example.org",
	})
	require.NoError(t, err)
	activities := volunteer.New(db, w.Clock, w.Ledger, rules, people, volunteer.Config{})
	w.policy, w.activities = rules, activities
	w.reading, err = reading.New(db, w.Clock, w.Ledger, rules, reading.Config{})
	require.NoError(t, err)
	w.lookup = lookup.New(lookup.Parts{
		Identity: people, Ledger: w.Ledger, Volunteer: activities, Casework: cases, Market: w.Market,
		Reading: w.reading, Policy: rules, Region: region.New(db, w.Clock),
	})

	ids, err := people.CreateResidents(ctx, authz.System("test"), []identity.NewResident{{RealName: "王小明", Phone: phone, HomeRegionID: w.Village.ID}})
	require.NoError(t, err)
	w.resident = ids[0]
	buyer := w.Resident(100)
	o, err := w.Market.Order(ctx, buyer, market.OrderInput{BenefitID: w.Benefit.ID, IdempotencyKey: w.Key()})
	require.NoError(t, err)
	w.order = o.OrderID
	starts := clock.Now(w.Clock).Add(24 * 3600e9)
	w.activity, err = activities.CreateActivity(ctx, w.Operator, volunteer.ActivityInput{
		RegionID: w.Village.ID, Title: "河道清洁", Content: "清理河岸垃圾", Category: "environment", Beneficiary: "社区居民", PlaceName: "河边",
		Lon: 120.7, Lat: 30.5, RadiusMeters: 200, ContactName: "李老师", ContactPhone: "0573-87001234",
	}, []volunteer.ShiftInput{{StartsAt: starts, EndsAt: starts.Add(3 * 3600e9), Capacity: 10}})
	require.NoError(t, err)
	w.caseID = w.Clock.NewID()
	now := clock.Now(w.Clock)
	require.NoError(t, database.InTx(ctx, db, func(tx *gorm.DB) error {
		return tx.Create(&model.CaseFile{
			ID: w.caseID, CountyID: w.Region.ID, Number: "20260310-0001", Kind: model.CaseReport, Category: "road", Content: "路灯不亮了",
			RegionID: w.Village.ID, ReporterID: w.resident, ContentStatus: model.ContentPassed, Status: "submitted", Version: 1,
			IdempotencyKey: w.Key(), InputHash: "-", CreatedAt: now, UpdatedAt: now,
		}).Error
	}))
	return w
}

func each(t *testing.T, test func(t *testing.T, w *world)) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) { test(t, newWorld(t, db)) })
}

func TestSearch(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		other := w.Staff(authz.Grant{Role: authz.RoleOperator, RegionID: w.Clock.NewID(), RegionPath: "/" + w.Clock.NewID() + "/"})
		auditor := w.Staff(authz.Grant{Role: authz.RoleAuditor, RegionID: w.Region.ID, RegionPath: w.Region.Path})
		worker := w.Staff(authz.Grant{Role: authz.RoleGridWorker, RegionID: w.Village.ID, RegionPath: w.Village.Path})
		find := func(actor authz.Actor, query string) (ids []string) {
			hits, err := w.lookup.Search(ctx, actor, query, 0)
			require.NoError(t, err)
			for _, h := range hits {
				require.NotEmpty(t, h.Title)
				ids = append(ids, string(h.Kind)+" "+h.ID)
			}
			return ids
		}
		accesses := func() (n int64) {
			require.NoError(t, w.db.Read(ctx).Raw("SELECT COUNT(*) FROM pii_access WHERE field = 'phone'").Scan(&n).Error)
			return n
		}

		t.Run("finds each kind by its own key", func(t *testing.T) {
			for query, want := range map[string]string{
				phone: "resident " + w.resident, w.order: "order " + w.order, " " + strings.ToLower(w.order) + " ": "order " + w.order,
				"20260310-0001": "case " + w.caseID, "20260310": "case " + w.caseID,
				"影院": "merchant " + w.Merchant.ID, "河道": "activity " + w.activity, "电影": "benefit " + w.Benefit.ID,
			} {
				require.Equal(t, []string{want}, find(w.Operator, query), query)
			}
			require.Empty(t, find(w.Operator, "影票"), "the beginning only")
			require.Empty(t, find(w.Operator, "%%"))
		})
		t.Run("records a search by phone, found or not, and only operators search so", func(t *testing.T) {
			before := accesses()
			find(w.Operator, phone)
			require.Empty(t, find(other, phone))
			require.Equal(t, before+2, accesses())
			require.Empty(t, find(auditor, phone))
			require.Empty(t, find(w.Owner, phone))
			require.Equal(t, before+2, accesses(), "who may not search has searched nothing")
		})
		t.Run("keeps to the actor's regions and merchants", func(t *testing.T) {
			for _, query := range []string{w.order, "20260310", "影院", "河道", "电影"} {
				require.Empty(t, find(other, query), query)
			}
			require.Equal(t, []string{"benefit " + w.Benefit.ID}, find(w.Owner, "电影"))
			require.Equal(t, []string{"order " + w.order}, find(w.Clerk, w.order))
			require.Empty(t, find(w.Owner, "20260310"))
			require.Empty(t, find(w.Owner, "河道"))
			require.Equal(t, []string{"case " + w.caseID}, find(worker, "20260310"))
			require.Empty(t, find(worker, "影院"))
			require.Equal(t, []string{"activity " + w.activity}, find(auditor, "河道"))
		})
		t.Run("refuses what finds too much", func(t *testing.T) {
			for _, query := range []string{"", " 影 ", strings.Repeat("长", 65), "a\xff"} {
				_, err := w.lookup.Search(ctx, w.Operator, query, 0)
				require.Equal(t, fault.Invalid, fault.KindOf(err))
			}
			_, err := w.lookup.Search(ctx, w.Operator, "影院", 21)
			require.Equal(t, fault.Invalid, fault.KindOf(err))
		})
	})
}

func TestResident(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		card, err := w.lookup.Resident(ctx, w.Operator, w.resident)
		require.NoError(t, err)
		require.Equal(t, "138****1234", card.MaskedPhone)
		require.EqualValues(t, 1, card.Reports)
		require.Zero(t, card.Wallet.Points)
		order, err := w.Market.StaffOrder(ctx, w.Operator, w.order)
		require.NoError(t, err)
		card, err = w.lookup.Resident(ctx, w.Operator, order.ResidentID)
		require.NoError(t, err)
		require.EqualValues(t, 100, card.Wallet.Points)
		require.EqualValues(t, 5, card.Wallet.Held)
		require.Equal(t, market.OrderCounts{Total: 1, Held: 1}, card.Orders)
		_, err = w.lookup.Resident(ctx, w.Owner, w.resident)
		require.ErrorIs(t, err, authz.ErrForbidden)
	})
}
