package api_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"jiamenkou/api"
	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/internal/httpapi"
	"jiamenkou/service/market"
	"jiamenkou/service/market/markettest"
	"jiamenkou/service/region"
)

type marketClient struct {
	t      *testing.T
	router http.Handler
	county *markettest.County
}

func newMarketClient(t *testing.T, db *database.DB, redemptionBurst int) *marketClient {
	t.Helper()
	gin.SetMode(gin.TestMode)
	w := markettest.New(t, db)
	router := gin.New()
	api.Mount(router, api.Services{Market: w.Market, Region: region.New(db, w.Clock)}, httpapi.SurfaceConfig{
		Authenticator: w, MaxBodyBytes: 1 << 16,
		Limiters: map[string]*httpapi.Limiter{
			"login": httpapi.NewLimiter(600, 600, w.Clock.Now), "redemption": httpapi.NewLimiter(60, redemptionBurst, w.Clock.Now),
			"unmask": httpapi.NewLimiter(60, 60, w.Clock.Now), "search": httpapi.NewLimiter(60, 60, w.Clock.Now),
		},
	})
	return &marketClient{t: t, router: router, county: w}
}

func (c *marketClient) call(method, path string, actor authz.Actor, key string, body any, want int) map[string]any {
	c.t.Helper()
	raw, err := json.Marshal(body)
	require.NoError(c.t, err)
	req := httptest.NewRequestWithContext(c.t.Context(), method, api.Prefix+path, bytes.NewReader(raw))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+actor.ID)
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	answer := httptest.NewRecorder()
	c.router.ServeHTTP(answer, req)
	require.Equal(c.t, want, answer.Code, answer.Body.String())
	out := map[string]any{}
	require.NoError(c.t, json.Unmarshal(answer.Body.Bytes(), &out), answer.Body.String())
	return out
}

// scan orders a benefit for a new resident and returns the request of a scan.
func (c *marketClient) scan() (who authz.Actor, orderID string, body map[string]any) {
	c.t.Helper()
	who = c.county.Resident(5)
	o, err := c.county.Market.Order(c.t.Context(), who, market.OrderInput{BenefitID: c.county.Benefit.ID, IdempotencyKey: c.county.Key()})
	require.NoError(c.t, err)
	code, err := c.county.Market.Code(c.t.Context(), who, o.OrderID)
	require.NoError(c.t, err)
	return who, o.OrderID, map[string]any{"code": code.Code, "store_id": c.county.Store.ID}
}

// TestRedemptionErrors: each refusal of a scan has its own status and code.
func TestRedemptionErrors(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newMarketClient(t, db, 1000)
		w := c.county
		refuse := func(body map[string]any, actor authz.Actor, status int, code string) {
			t.Helper()
			require.Equal(t, code, c.call("POST", "/redemptions/preview", actor, "", body, status)["code"])
			require.Equal(t, code, c.call("POST", "/redemptions", actor, w.Key(), body, status)["code"])
		}
		_, _, forged := c.scan()
		text, _ := forged["code"].(string)
		forged["code"] = text[:10] + "ABCD" + text[14:]
		refuse(forged, w.Clerk, http.StatusUnprocessableEntity, "market.code_forged")

		_, _, used := c.scan()
		key := w.Key()
		first := c.call("POST", "/redemptions", w.Clerk, key, used, http.StatusOK)
		require.EqualValues(t, 3000, first["cash_fen"])
		require.Equal(t, "电影票", first["benefit_title"])
		require.Equal(t, first, c.call("POST", "/redemptions", w.Clerk, key, used, http.StatusOK), "a replay")
		refuse(used, w.Clerk, http.StatusConflict, "market.code_used")

		who, id, cancelled := c.scan()
		_, err := w.Market.Cancel(t.Context(), who, market.CancelInput{OrderID: id, IdempotencyKey: w.Key()})
		require.NoError(t, err)
		refuse(cancelled, w.Clerk, http.StatusConflict, "market.order_cancelled")

		_, _, foreign := c.scan()
		other, err := w.Market.CreateMerchant(t.Context(), w.Operator, market.MerchantInput{RegionID: w.Region.ID, Name: "饭店", Category: "dining"})
		require.NoError(t, err)
		_, err = w.Market.MoveMerchant(t.Context(), w.Operator, other.ID, "active", "")
		require.NoError(t, err)
		store, err := w.Market.CreateStore(t.Context(), w.Operator, other.ID, market.StoreInput{Name: "饭店", Address: "x"})
		require.NoError(t, err)
		clerk := w.Staff(authz.Grant{Role: authz.RoleClerk, MerchantID: other.ID})
		refuse(foreign, clerk, http.StatusNotFound, "market.store_not_found")
		foreign["store_id"] = store.ID
		refuse(foreign, clerk, http.StatusForbidden, "market.code_other_merchant")
		refuse(foreign, w.Operator, http.StatusForbidden, "auth.forbidden")

		_, _, expired := c.scan()
		w.Clock.Advance(time.Minute)
		refuse(expired, w.Clerk, http.StatusGone, "market.code_expired")
		w.Clock.Advance(8 * 24 * time.Hour)
		refuse(expired, w.Clerk, http.StatusGone, "market.order_expired")

		_, id, reversed := c.scan()
		c.call("POST", "/redemptions", w.Owner, w.Key(), reversed, http.StatusOK)
		c.call("POST", "/orders/"+id+"/reverse", w.Clerk, w.Key(), map[string]any{}, http.StatusUnprocessableEntity)
		key = w.Key()
		c.call("POST", "/orders/"+id+"/reverse", w.Clerk, w.Key(), map[string]any{"reason_code": "other"}, http.StatusUnprocessableEntity)
		c.call("POST", "/orders/"+id+"/reverse", w.Clerk, w.Key(), map[string]any{"reason_code": "mood"}, http.StatusUnprocessableEntity)
		require.Len(t, c.call("GET", "/reversal-reasons", w.Clerk, "", nil, http.StatusOK)["items"], 5)
		chosen := map[string]any{"reason_code": "not_served", "reason": "放映取消"}
		back := c.call("POST", "/orders/"+id+"/reverse", w.Clerk, key, chosen, http.StatusOK)
		require.Equal(t, back, c.call("POST", "/orders/"+id+"/reverse", w.Clerk, key, chosen, http.StatusOK))
		today := c.call("GET", "/redemptions/today", w.Owner, "", nil, http.StatusOK)["items"].([]any)
		require.Equal(t, "没有货或不能提供：放映取消", today[0].(map[string]any)["reverse_reason"])
		require.Equal(t, "market.order_reversed", c.call("POST", "/orders/"+id+"/reverse", w.Clerk, w.Key(), map[string]any{"reason": "放映取消"}, http.StatusConflict)["code"])
		refuse(reversed, w.Clerk, http.StatusConflict, "market.order_reversed")

		require.Len(t, c.call("GET", "/redemptions/today", w.Owner, "", nil, http.StatusOK)["items"], 1)
		require.Len(t, c.call("GET", "/merchants/"+w.Merchant.ID+"/redemptions?reversed=false", w.Owner, "", nil, http.StatusOK)["items"], 1)
		c.call("GET", "/merchants/"+w.Merchant.ID+"/redemptions", clerk, "", nil, http.StatusNotFound)
		w.RequireSound()
	})
}

func TestRedemptionLimit(t *testing.T) {
	c := newMarketClient(t, databasetest.Open(t, database.SQLite), 3)
	body := map[string]any{"short_code": "1234567890", "store_id": c.county.Store.ID}
	for range 3 {
		c.call("POST", "/redemptions/preview", c.county.Clerk, "", body, http.StatusUnprocessableEntity)
	}
	require.Equal(t, "request.too_many", c.call("POST", "/redemptions/preview", c.county.Clerk, "", body, http.StatusTooManyRequests)["code"])
}

func TestMarketManagement(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newMarketClient(t, db, 100)
		w := c.county
		merchant := map[string]any{"region_id": w.Region.ID, "name": "书店", "category": "culture", "contact_phone": "0571-88888888"}
		c.call("POST", "/merchants", w.Owner, "", merchant, http.StatusForbidden)
		m := c.call("POST", "/merchants", w.Operator, "", merchant, http.StatusCreated)
		id, _ := m["id"].(string)
		require.Equal(t, w.Region.Name, m["region_name"])
		require.Equal(t, "market.merchant_name_taken", c.call("POST", "/merchants", w.Operator, "", merchant, http.StatusConflict)["code"])
		require.Equal(t, "active", c.call("POST", "/merchants/"+id+"/activate", w.Operator, "", map[string]any{}, http.StatusOK)["status"])
		c.call("GET", "/merchants/"+id, w.Owner, "", nil, http.StatusNotFound)
		edit := map[string]any{"name": "新书店", "category": "culture", "version": 2}
		require.EqualValues(t, 3, c.call("PUT", "/merchants/"+id, w.Operator, "", edit, http.StatusOK)["version"])
		require.Equal(t, "market.changed", c.call("PUT", "/merchants/"+id, w.Operator, "", edit, http.StatusConflict)["code"])
		require.Len(t, c.call("GET", "/merchants?q=书店", w.Operator, "", nil, http.StatusOK)["items"], 1)

		st := c.call("POST", "/merchants/"+id+"/stores", w.Operator, "", map[string]any{"name": "总店", "address": "南路", "lon": 119.9, "lat": 30.2}, http.StatusCreated)
		storeID, _ := st["id"].(string)
		c.call("PUT", "/stores/"+storeID, w.Operator, "", map[string]any{"name": "总店", "address": "北路", "version": 1}, http.StatusOK)
		require.Equal(t, "closed", c.call("POST", "/stores/"+storeID+"/close", w.Operator, "", map[string]any{"reason": "装修"}, http.StatusOK)["status"])
		c.call("POST", "/stores/"+storeID+"/open", w.Operator, "", map[string]any{}, http.StatusOK)
		require.Len(t, c.call("GET", "/merchants/"+id+"/stores", w.Operator, "", nil, http.StatusOK)["items"], 1)

		now := clock.Now(w.Clock)
		fields := map[string]any{
			"region_id": w.Region.ID, "title": "借书卡", "category": "culture", "points_price": 3, "cash_price_fen": 0, "original_price_fen": 1000,
			"per_person_limit": 1, "redeem_until": now.Add(48 * time.Hour).Time(), "valid_from": now.Time(), "valid_until": now.Add(24 * time.Hour).Time(),
			"store_ids": []string{storeID},
		}
		b := c.call("POST", "/merchants/"+id+"/benefits", w.Operator, "", fields, http.StatusCreated)
		require.EqualValues(t, 1000, b["subsidy_fen"])
		benefitID, _ := b["id"].(string)
		fields["version"], fields["title"] = 1, "借书年卡"
		c.call("PUT", "/benefits/"+benefitID, w.Operator, "", fields, http.StatusOK)
		path := "/benefits/" + benefitID
		require.Equal(t, "market.bad_status", c.call("POST", path+"/approve", w.Operator, "", map[string]any{}, http.StatusConflict)["code"])
		c.call("POST", path+"/submit", w.Operator, "", map[string]any{}, http.StatusOK)
		c.call("POST", path+"/approve", w.Owner, "", map[string]any{}, http.StatusForbidden)
		c.call("POST", path+"/reject", w.Operator, "", map[string]any{}, http.StatusUnprocessableEntity)
		require.Equal(t, "published", c.call("POST", path+"/approve", w.Operator, "", map[string]any{}, http.StatusOK)["status"])
		release := map[string]any{"starts_at": now.Time(), "ends_at": now.Add(time.Hour).Time(), "total": 10}
		first := c.call("POST", path+"/releases", w.Operator, "release-0001", release, http.StatusCreated)
		require.Equal(t, first, c.call("POST", path+"/releases", w.Operator, "release-0001", release, http.StatusCreated))
		record := c.call("GET", path, w.Operator, "", nil, http.StatusOK)
		require.Len(t, record["history"], 3)
		require.Len(t, record["releases"], 1)
		require.EqualValues(t, 10, record["total"])
		c.call("GET", path, w.Owner, "", nil, http.StatusNotFound)
		require.Len(t, c.call("GET", "/benefits?status=published", w.Operator, "", nil, http.StatusOK)["items"], 2)
		require.Len(t, c.call("GET", "/benefits", w.Clerk, "", nil, http.StatusOK)["items"], 1)
		w.RequireSound()
	})
}
