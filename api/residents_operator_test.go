package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/service/identity"
	"jiamenkou/service/identity/identitytest"
)

func TestResidentsOfStaff(t *testing.T) {
	const phone = "13800001234"
	identitytest.Each(t, func(t *testing.T, f *identitytest.Fixture) {
		s := newIdentitySurface(t, f, 4)
		root := s.login(t, "root")
		f.Staff(t, "auditor", authz.RoleAuditor, f.County.ID)
		auditor := s.login(t, "auditor")
		ids, err := f.CreateResidents(t.Context(), identitytest.System, []identity.NewResident{{RealName: "王小明", Phone: phone, HomeRegionID: f.EastVillage.ID}})
		require.NoError(t, err)
		for _, token := range []string{root, auditor} {
			items := s.ok(t, token, http.MethodGet, "/residents?status=active&region_id="+f.East.ID+"&from=2026-01-01&to=2026-12-31", "")["items"].([]any)
			require.Len(t, items, 1)
			require.Equal(t, "138****1234", items[0].(map[string]any)["masked_phone"])
		}
		require.Empty(t, s.ok(t, root, http.MethodGet, "/residents?to=2020-01-01", "")["items"])
		s.fails(t, 422, "request.invalid", root, http.MethodGet, "/residents?from=2026-13-40", "")

		unmask, wish := "/residents/"+ids[0]+"/unmask", `{"field":"phone","reason":"contact"}`
		s.fails(t, 403, "auth.forbidden", auditor, http.MethodPost, unmask, wish)
		require.Equal(t, phone, s.ok(t, root, http.MethodPost, unmask, wish)["value"])
		s.fails(t, 422, "identity.invalid", root, http.MethodPost, unmask, `{"field":"phone","reason":"other"}`)
		for range 4 {
			s.call(t, root, http.MethodPost, unmask, wish)
		}
		s.fails(t, 429, "request.too_many", root, http.MethodPost, unmask, wish)
		require.NotContains(t, s.log.String(), phone)
	})
}

func TestOrdersOfStaff(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newMarketClient(t, db, 1000)
		who, orderID, body := c.scan()
		c.call("POST", "/redemptions", c.county.Clerk, c.county.Key(), body, http.StatusOK)
		page := c.call("GET", "/orders?status=redeemed&from=2026-03-10&to=2026-03-10", c.county.Operator, "", nil, http.StatusOK)
		require.Len(t, page["items"], 1)
		require.Equal(t, who.ID, page["items"].([]any)[0].(map[string]any)["resident_id"])
		order := c.call("GET", "/orders/"+orderID, c.county.Owner, "", nil, http.StatusOK)
		require.Empty(t, order["resident_id"], "the counter does not learn who it was")
		require.Len(t, order["history"], 2)
		require.Equal(t, "market.order_not_found", c.call("GET", "/orders/"+someID, c.county.Owner, "", nil, http.StatusNotFound)["code"])
	})
}
