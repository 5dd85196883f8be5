package miniprogram_test

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // WeChat's own algorithm
	"encoding/hex"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/internal/httpapi"
	miniprogram "jiamenkou/miniprogram-api"
	"jiamenkou/service/casework"
	"jiamenkou/service/casework/caseworktest"
)

type caseClient struct {
	t       *testing.T
	router  http.Handler
	village *caseworktest.Village
}

func newCaseClient(t *testing.T, db *database.DB) *caseClient {
	t.Helper()
	gin.SetMode(gin.TestMode)
	v := caseworktest.New(t, db)
	router := gin.New()
	miniprogram.Mount(router, miniprogram.Services{
		Casework: v.Casework, Callback: miniprogram.CallbackConfig{Token: "push-token", AppID: "wx-ours"},
	}, httpapi.SurfaceConfig{
		Authenticator: v, MaxBodyBytes: 1 << 20,
		Limiters: limiters(v.Clock.Now, 600),
	})
	return &caseClient{t: t, router: router, village: v}
}

func (c *caseClient) do(req *http.Request, token string) *httptest.ResponseRecorder {
	c.t.Helper()
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	answer := httptest.NewRecorder()
	c.router.ServeHTTP(answer, req)
	return answer
}

func (c *caseClient) call(method, path, token, key string, body any, want int) map[string]any {
	c.t.Helper()
	raw, err := json.Marshal(body)
	require.NoError(c.t, err)
	req := httptest.NewRequestWithContext(c.t.Context(), method, miniprogram.Prefix+path, bytes.NewReader(raw))
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	answer := c.do(req, token)
	require.Equal(c.t, want, answer.Code, answer.Body.String())
	var out map[string]any
	if answer.Body.Len() > 0 {
		require.NoError(c.t, json.Unmarshal(answer.Body.Bytes(), &out), answer.Body.String())
	}
	return out
}

func (c *caseClient) upload(token string, file []byte) *httptest.ResponseRecorder {
	c.t.Helper()
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	part, err := form.CreateFormFile("file", "../../etc/passwd")
	require.NoError(c.t, err)
	_, err = part.Write(file)
	require.NoError(c.t, err)
	require.NoError(c.t, form.Close())
	req := httptest.NewRequestWithContext(c.t.Context(), http.MethodPost, miniprogram.Prefix+"/attachments", &b)
	req.Header.Set("Content-Type", form.FormDataContentType())
	return c.do(req, token)
}

func (c *caseClient) get(path, token string) *httptest.ResponseRecorder {
	return c.do(httptest.NewRequestWithContext(c.t.Context(), http.MethodGet, path, http.NoBody), token)
}

func TestCases(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newCaseClient(t, db)
		answer := c.upload("resident", caseworktest.Photo(t))
		require.Equal(t, http.StatusCreated, answer.Code, answer.Body.String())
		var picture struct{ ID, Status, URL string }
		require.NoError(t, json.Unmarshal(answer.Body.Bytes(), &picture))
		require.Equal(t, "pending", picture.Status)

		t.Run("uploads are refused by kind and size", func(t *testing.T) {
			require.Equal(t, http.StatusUnprocessableEntity, c.upload("resident", []byte("<html>")).Code)
			tooLarge := c.upload("resident", make([]byte, casework.MaxUploadBytes+1))
			require.Equal(t, http.StatusRequestEntityTooLarge, tooLarge.Code)
			require.Contains(t, tooLarge.Body.String(), "upload.too_large")
			require.Equal(t, http.StatusUnauthorized, c.upload("", caseworktest.Photo(t)).Code)
			require.Equal(t, http.StatusForbidden, c.upload("worker", caseworktest.Photo(t)).Code)
		})
		t.Run("pictures are served to those who may, as pictures only", func(t *testing.T) {
			for _, answer := range []*httptest.ResponseRecorder{
				c.get(picture.URL, ""), c.get(miniprogram.Prefix+"/my-attachments/"+picture.ID, "resident"),
			} {
				require.Equal(t, http.StatusOK, answer.Code)
				require.Equal(t, "image/jpeg", answer.Header().Get("Content-Type"))
				require.Equal(t, "nosniff", answer.Header().Get("X-Content-Type-Options"))
				require.True(t, strings.HasPrefix(answer.Header().Get("Cache-Control"), "private"))
				require.True(t, bytes.HasPrefix(answer.Body.Bytes(), []byte{0xff, 0xd8}))
			}
			require.Equal(t, http.StatusNotFound, c.get(miniprogram.Prefix+"/my-attachments/"+picture.ID, "neighbour").Code)
			require.Equal(t, http.StatusForbidden, c.get(picture.URL[:len(picture.URL)-1]+"x", "").Code)
			for _, path := range []string{"..%2f..%2fetc%2fpasswd", "../../../etc/passwd", strings.Repeat(".", 32)} {
				require.NotEqual(t, http.StatusOK, c.get(miniprogram.Prefix+"/attachments/"+path+"?exp=1&sig=1", "").Code)
			}
		})

		report := map[string]any{"category": "sanitation", "text": "楼道里堆了很多杂物", "attachment_ids": []string{picture.ID}, "lon": 119.5, "lat": 30.2}
		c.call("POST", "/cases", "resident", "", report, 422)
		made := c.call("POST", "/cases", "resident", "key-0001", report, 201)
		require.Equal(t, "20260310-0001", made["number"])
		require.Equal(t, made, c.call("POST", "/cases", "resident", "key-0001", report, 201))
		report["text"] = "换了一个内容的上报"
		require.Equal(t, "casework.key_reused", c.call("POST", "/cases", "resident", "key-0001", report, 422)["code"])
		path := "/cases/" + made["id"].(string)
		list := c.call("GET", "/cases?status=submitted&status=accepted", "resident", "", nil, 200)
		require.Len(t, list["items"], 1)
		c.call("GET", path, "neighbour", "", nil, 404)
		detail := c.call("GET", path, "resident", "", nil, 200)
		require.Equal(t, "submitted", detail["status"], "the summary's fields are there")
		require.Equal(t, "pending", detail["points"].(map[string]any)["status"])
		require.Equal(t, []any{"withdraw"}, detail["next_moves"])
		require.NotContains(t, detail, "lon", "the page has no need of the position")

		worker, id := c.village.Actors["worker"], made["id"].(string)
		require.Equal(t, "casework.move_not_allowed", c.call("POST", path+"/confirm", "resident", "key-0002", map[string]any{"solved": true}, 409)["code"])
		_, err := c.village.Casework.Accept(t.Context(), worker, id, casework.MoveInput{Version: 1})
		require.NoError(t, err)
		c.call("POST", path+"/withdraw", "resident", "", map[string]any{}, 409)
		_, err = c.village.Casework.StartHandling(t.Context(), worker, id, casework.MoveInput{})
		require.NoError(t, err)
		_, err = c.village.Casework.Finish(t.Context(), worker, id, nil, casework.MoveInput{Note: "好了"})
		require.NoError(t, err)
		c.call("POST", path+"/confirm", "neighbour", "key-0003", map[string]any{"solved": true}, 404)
		done := c.call("POST", path+"/confirm", "resident", "key-0003", map[string]any{"solved": true, "rating": 5}, 200)
		require.Equal(t, "confirmed", done["status"])
		require.Equal(t, "no_rule", done["points"].(map[string]any)["status"], "this county pays nothing for it")
	})
}

func signed(token string) url.Values {
	q := url.Values{"timestamp": {"1773115200"}, "nonce": {"n0nce"}}
	parts := []string{token, q.Get("timestamp"), q.Get("nonce")}
	slices.Sort(parts)
	sum := sha1.Sum([]byte(strings.Join(parts, ""))) //nolint:gosec // as above
	q.Set("signature", hex.EncodeToString(sum[:]))
	return q
}

func verdict(appID, trace, suggest string) string {
	return `{"MsgType":"event","Event":"wxa_media_check","appid":"` + appID + `","trace_id":"` + trace + `","version":2,"errcode":0,"result":{"suggest":"` + suggest + `","label":100}}`
}

func TestWeChatCallback(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newCaseClient(t, db)
		answer := c.upload("resident", caseworktest.Photo(t))
		var picture struct{ ID string }
		require.NoError(t, json.Unmarshal(answer.Body.Bytes(), &picture))
		require.NoError(t, c.village.Casework.CheckImage(t.Context(), picture.ID))
		status := func() (s string) {
			require.NoError(t, db.Read(t.Context()).Raw(`SELECT status FROM attachment WHERE id = ?`, picture.ID).Scan(&s).Error)
			return s
		}
		push := func(q url.Values, body string) *httptest.ResponseRecorder {
			return c.do(httptest.NewRequestWithContext(t.Context(), http.MethodPost,
				miniprogram.Prefix+miniprogram.CallbackPath+"?"+q.Encode(), strings.NewReader(body)), "")
		}
		good := verdict("wx-ours", caseworktest.Trace, "risky")

		q := signed("push-token")
		q.Set("echostr", "hello-42")
		echo := c.get(miniprogram.Prefix+miniprogram.CallbackPath+"?"+q.Encode(), "")
		require.Equal(t, "hello-42", echo.Body.String())
		require.Equal(t, "text/plain; charset=utf-8", echo.Header().Get("Content-Type"))
		q.Set("signature", strings.Repeat("0", 40))
		require.Equal(t, http.StatusForbidden, c.get(miniprogram.Prefix+miniprogram.CallbackPath+"?"+q.Encode(), "").Code)

		for name, q := range map[string]url.Values{"none": {}, "another token": signed("guess"), "an empty token": signed(""), "changed": q} {
			answer := push(q, good)
			require.Equal(t, http.StatusForbidden, answer.Code, name)
			require.Contains(t, answer.Body.String(), "wechat.bad_signature")
		}
		require.Equal(t, http.StatusUnprocessableEntity, push(signed("push-token"), "garbage").Code)
		require.Equal(t, http.StatusRequestEntityTooLarge, push(signed("push-token"), "{"+strings.Repeat(" ", 70<<10)).Code)
		c.village.Clock.Advance(60e9)
		for name, body := range map[string]string{
			"an unknown trace": verdict("wx-ours", "unknown-1", "risky"),
			"another app":      verdict("wx-other", caseworktest.Trace, "risky"),
			"another event":    `{"MsgType":"event","Event":"subscribe_msg_popup_event","appid":"wx-ours"}`,
			"a failed check":   strings.Replace(good, `"errcode":0`, `"errcode":-1008`, 1),
		} {
			answer := push(signed("push-token"), body)
			require.Equal(t, http.StatusOK, answer.Code, name)
			require.Equal(t, "success", answer.Body.String())
			require.Equal(t, "pending", status(), name)
		}
		require.Equal(t, http.StatusOK, push(signed("push-token"), good).Code)
		require.Equal(t, "rejected", status())
		require.Equal(t, http.StatusOK, push(signed("push-token"), verdict("wx-ours", caseworktest.Trace, "pass")).Code)
		require.Equal(t, "rejected", status(), "a verdict counts once")
	})
}
