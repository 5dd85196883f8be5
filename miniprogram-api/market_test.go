package miniprogram_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/internal/httpapi"
	miniprogram "jiamenkou/miniprogram-api"
	"jiamenkou/service/market"
	"jiamenkou/service/market/markettest"
)

func TestMarket(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		gin.SetMode(gin.TestMode)
		w := markettest.New(t, db)
		router := gin.New()
		miniprogram.Mount(router, miniprogram.Services{Market: w.Market}, httpapi.SurfaceConfig{
			Authenticator: w, MaxBodyBytes: 1 << 16, Limiters: limiters(w.Clock.Now, 6000),
		})
		call := func(method, path, token, key string, body any, want int) map[string]any {
			t.Helper()
			raw, err := json.Marshal(body)
			require.NoError(t, err)
			req := httptest.NewRequestWithContext(t.Context(), method, miniprogram.Prefix+path, bytes.NewReader(raw))
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("Authorization", "Bearer "+token)
			if key != "" {
				req.Header.Set("Idempotency-Key", key)
			}
			answer := httptest.NewRecorder()
			router.ServeHTTP(answer, req)
			require.Equal(t, want, answer.Code, answer.Body.String())
			out := map[string]any{}
			require.NoError(t, json.Unmarshal(answer.Body.Bytes(), &out), answer.Body.String())
			return out
		}
		who := w.Resident(12)
		place := map[string]any{"benefit_id": w.Benefit.ID}

		list := call("GET", "/benefits?sort=points&affordable=true&q=电影", who.ID, "", nil, http.StatusOK)
		require.Len(t, list["items"], 1)
		detail := call("GET", "/benefits/"+w.Benefit.ID, who.ID, "", nil, http.StatusOK)
		require.EqualValues(t, 100, detail["remaining"])
		require.Len(t, detail["stores"], 1)

		require.Equal(t, "request.invalid", call("POST", "/orders", who.ID, "", place, http.StatusUnprocessableEntity)["code"], "no key")
		first := call("POST", "/orders", who.ID, "order-0001", place, http.StatusCreated)
		require.Equal(t, first, call("POST", "/orders", who.ID, "order-0001", place, http.StatusCreated))
		second := call("POST", "/orders", who.ID, "order-0002", place, http.StatusCreated)
		require.Equal(t, "ledger.insufficient_points", call("POST", "/orders", who.ID, "order-0003", place, http.StatusConflict)["code"])
		call("POST", "/orders", w.Clerk.ID, "order-0001", place, http.StatusForbidden)
		call("POST", "/orders", "nobody", "order-0001", place, http.StatusUnauthorized)

		id, _ := first["id"].(string)
		code := call("GET", "/orders/"+id+"/code", who.ID, "", nil, http.StatusOK)
		png, _ := code["qr_png"].(string)
		picture, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(png, "data:image/png;base64,"))
		require.NoError(t, err)
		require.True(t, bytes.HasPrefix(picture, []byte("\x89PNG")))
		require.Equal(t, markettest.Start.Add(time.Minute).Format(time.RFC3339), rfc3339UTC(t, code["expires_at"]))
		call("GET", "/orders/"+id+"/code", w.Resident(0).ID, "", nil, http.StatusNotFound)

		text, _ := code["code"].(string)
		_, err = w.Market.Redeem(t.Context(), w.Clerk, market.RedeemInput{Scan: market.Scan{Code: text, StoreID: w.Store.ID}, IdempotencyKey: w.Key()})
		require.NoError(t, err)
		order := call("GET", "/orders/"+id, who.ID, "", nil, http.StatusOK)
		require.Equal(t, "redeemed", order["status"])
		require.Equal(t, "一店", order["store_name"])
		require.Equal(t, "market.order_redeemed", call("POST", "/orders/"+id+"/cancel", who.ID, "cancel-0001", map[string]any{}, http.StatusConflict)["code"])
		require.Equal(t, "market.code_used", call("GET", "/orders/"+id+"/code", who.ID, "", nil, http.StatusConflict)["code"])

		id, _ = second["id"].(string)
		cancelled := call("POST", "/orders/"+id+"/cancel", who.ID, "cancel-0002", map[string]any{"reason": "去不了"}, http.StatusOK)
		require.EqualValues(t, 5, cancelled["points"])
		require.Equal(t, cancelled, call("POST", "/orders/"+id+"/cancel", who.ID, "cancel-0002", map[string]any{"reason": "去不了"}, http.StatusOK))
		require.Len(t, call("GET", "/orders?status=cancelled", who.ID, "", nil, http.StatusOK)["items"], 1)
		w.RequireSound()
	})
}

func rfc3339UTC(t *testing.T, v any) string {
	t.Helper()
	text, _ := v.(string)
	require.True(t, strings.HasSuffix(text, "+08:00"), text)
	at, err := time.Parse(time.RFC3339, text)
	require.NoError(t, err)
	return at.UTC().Format(time.RFC3339)
}
