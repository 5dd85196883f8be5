package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/httpapi"
	"jiamenkou/internal/paging"
)

// marker is what a test sends and must never find in an answer or in a log.
const marker = "MARKER-4f9c-do-not-echo"

const maxBodyBytes = 4 << 10

// people is an Authenticator whose tokens are its keys.
type people map[string]authz.Actor

func (p people) Authenticate(_ context.Context, token string) (authz.Actor, error) {
	if actor, ok := p[token]; ok {
		return actor, nil
	}
	return authz.Actor{}, authz.ErrAnonymous
}

func staff(id string, roles ...authz.Role) authz.Actor {
	a := authz.Actor{Kind: authz.KindStaff, ID: id}
	for _, r := range roles {
		a.Grants = append(a.Grants, authz.Grant{Role: r, RegionID: "r", RegionPath: "/r/"})
	}
	return a
}

// logBuffer collects log lines of several goroutines.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// rig is one surface on a real gin engine.
type rig struct {
	t       *testing.T
	router  *gin.Engine
	surface *httpapi.Surface
	clock   *clock.Manual
	log     *logBuffer
}

// newRig mounts a surface under /v1 with the public operations named, and
// routes the default logger, which problems are logged to, into rig.log.
func newRig(t *testing.T, public ...string) *rig {
	t.Helper()
	gin.SetMode(gin.TestMode)
	r := &rig{t: t, router: gin.New(), log: &logBuffer{}, clock: clock.NewManual(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), 1)}
	r.router.HandleMethodNotAllowed = false
	r.router.ContextWithFallback = true
	require.NoError(t, r.router.SetTrustedProxies(nil))
	logger := slog.New(slog.NewJSONHandler(r.log, nil))
	before := slog.Default()
	slog.SetDefault(logger)
	t.Cleanup(func() { slog.SetDefault(before) })
	r.router.Use(httpapi.Requests(r.clock, logger))
	r.router.NoRoute(httpapi.NoRoute)
	r.surface = httpapi.NewSurface(r.router, r.config(public...))
	return r
}

func (r *rig) config(public ...string) httpapi.SurfaceConfig {
	cfg := httpapi.SurfaceConfig{
		Title: "test", Prefix: "/v1", MaxBodyBytes: maxBodyBytes, Public: map[string]string{},
		Authenticator: people{
			"resident": {Kind: authz.KindResident, ID: "resident-1"},
			"operator": staff("staff-1", authz.RoleOperator), "clerk": staff("staff-2", authz.RoleClerk), "none": staff("staff-3"),
		},
		Limiters: map[string]*httpapi.Limiter{
			"slow": httpapi.NewLimiter(2, 2, r.clock.Now), "people": httpapi.NewLimiter(600, 3, r.clock.Now),
		},
	}
	for _, id := range public {
		cfg.Public[id] = "a test"
	}
	return cfg
}

func (r *rig) do(req *http.Request) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	r.router.ServeHTTP(answer, req)
	return answer
}

func (r *rig) request(method, path, body string, headers ...string) *http.Request {
	req := httptest.NewRequestWithContext(r.t.Context(), method, path, strings.NewReader(body))
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	return req
}

func (r *rig) call(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	return r.do(r.request(method, path, body, headers...))
}

// problem requires a problem of that status and code.
func (r *rig) problem(answer *httptest.ResponseRecorder, status int, code string) httpapi.Problem {
	r.t.Helper()
	return requireProblem(r.t, answer.Code, answer.Header(), answer.Body.Bytes(), status, code)
}

func requireProblem(t *testing.T, gotStatus int, header http.Header, body []byte, status int, code string) httpapi.Problem {
	t.Helper()
	require.Equal(t, status, gotStatus, string(body))
	require.Equal(t, "application/problem+json", header.Get("Content-Type"), string(body))
	var p httpapi.Problem
	require.NoError(t, json.Unmarshal(body, &p), string(body))
	require.Equal(t, code, p.Code)
	require.Equal(t, status, p.Status)
	require.Equal(t, "about:blank", p.Type)
	require.Equal(t, http.StatusText(status), p.Title)
	require.NotEmpty(t, p.Detail)
	require.Equal(t, header.Get("X-Request-ID"), p.RequestID)
	require.NotEmpty(t, p.RequestID)
	return p
}

func (r *rig) errorsLogged() (n int) {
	for line := range strings.Lines(r.log.String()) {
		if strings.Contains(line, `"level":"ERROR"`) {
			n++
		}
	}
	return n
}

type nothing = struct{}

// noBody answers 204.
func noBody[I any](context.Context, *I) (*nothing, error) {
	return nil, nil //nolint:nilnil // huma's way to answer without a body
}

// failing mounts an operation that returns *err.
func (r *rig) failing(err *error) {
	httpapi.Handle(r.surface, "GET /fail", httpapi.Public, "fail", "t", "fails",
		func(context.Context, *nothing) (*nothing, error) { return nil, *err })
}

func TestProblemOfEveryKind(t *testing.T) {
	statuses := map[fault.Kind]int{
		fault.Invalid: 422, fault.Unauthenticated: 401, fault.Forbidden: 403, fault.NotFound: 404, fault.Conflict: 409,
		fault.Gone: 410, fault.TooLarge: 413, fault.TooMany: 429, fault.Unavailable: 503,
	}
	r := newRig(t, "fail")
	var cause error
	r.failing(&cause)
	for kind, status := range statuses {
		t.Run(string(kind), func(t *testing.T) {
			cause = fmt.Errorf("a service: %w", fault.New(kind, "domain.reason", "请先做别的").
				WithFields(fault.Field{Path: "body.a", Reason: "太短"}).WithCause(errors.New(marker)))
			answer := r.call("GET", "/v1/fail", "")
			p := r.problem(answer, status, "domain.reason")
			require.Equal(t, "请先做别的", p.Detail)
			require.Equal(t, []httpapi.ProblemField{{Path: "body.a", Reason: "太短"}}, p.Errors)
			require.Empty(t, answer.Header().Get("Retry-After"))
			require.NotContains(t, answer.Body.String(), marker, "a cause is for the log")
		})
	}
	t.Run("no ERROR is logged for what the caller can act on", func(*testing.T) { require.Zero(t, r.errorsLogged()) })
	t.Run("the cause of a 503 is logged", func(*testing.T) { require.Contains(t, r.log.String(), marker) })
}

func TestRetryAfter(t *testing.T) {
	r := newRig(t, "fail")
	var cause error
	r.failing(&cause)
	for wait, want := range map[time.Duration]string{
		30 * time.Second: "30", 10 * time.Millisecond: "1", 1600 * time.Millisecond: "2", 0: "",
	} {
		f := fault.New(fault.Unavailable, "x.busy", "请稍候")
		f.RetryAfter = wait
		cause = f
		answer := r.call("GET", "/v1/fail", "")
		r.problem(answer, 503, "x.busy")
		require.Equal(t, want, answer.Header().Get("Retry-After"), wait.String())
	}
}

func TestUntypedErrors(t *testing.T) {
	r := newRig(t, "fail")
	var cause error
	r.failing(&cause)

	t.Run("become a fixed 500 that leaks nothing, logged once with its cause", func(t *testing.T) {
		cause = fmt.Errorf("market: insert: %w", errors.New(marker))
		answer := r.call("GET", "/v1/fail", "")
		p := r.problem(answer, 500, "internal")
		require.NotContains(t, answer.Body.String(), marker)
		require.NotContains(t, answer.Body.String(), "market")
		require.Empty(t, p.Errors)
		require.Equal(t, 1, r.errorsLogged())
		require.Equal(t, 1, strings.Count(r.log.String(), marker))
		require.Contains(t, r.log.String(), p.RequestID)
	})
	t.Run("what a driver quotes of people's data stays out of the log", func(t *testing.T) {
		for _, cause = range []error{
			fmt.Errorf("identity: insert: %w", errors.New("Error 1062 (23000): Duplicate entry '13800138000-王秀英' for key 'phone'")),
			fault.New(fault.Unavailable, "x.busy", "请稍候").WithCause(errors.New("send to 13800138000 of 王秀英: refused")),
		} {
			r.call("GET", "/v1/fail", "")
		}
		require.Contains(t, r.log.String(), "identity: insert: Error 1062")
		require.Contains(t, r.log.String(), "refused")
		for _, personal := range []string{"13800138000", "王秀英"} {
			require.NotContains(t, r.log.String(), personal)
		}
	})
	t.Run("a huma error made by a handler leaks nothing either", func(t *testing.T) {
		cause = huma.Error500InternalServerError("boom "+marker, errors.New(marker))
		answer := r.call("GET", "/v1/fail", "")
		require.Equal(t, 500, answer.Code)
		require.NotContains(t, answer.Body.String(), marker)
	})
	t.Run("a time-out is a 503 with Retry-After", func(t *testing.T) {
		cause = fmt.Errorf("query: %w", context.DeadlineExceeded)
		answer := r.call("GET", "/v1/fail", "")
		r.problem(answer, 503, "request.timeout")
		require.NotEmpty(t, answer.Header().Get("Retry-After"))
	})
	t.Run("a caller who has gone is no error", func(t *testing.T) {
		before := r.errorsLogged()
		cause = fmt.Errorf("query: %w", context.Canceled)
		r.problem(r.call("GET", "/v1/fail", ""), 503, "request.cancelled")
		gone, leave := context.WithCancel(t.Context())
		leave()
		require.Equal(t, "request.cancelled", httpapi.ProblemOf(gone, errors.New("sqlite3: interrupted")).Code)
		require.Equal(t, before, r.errorsLogged())
	})
	t.Run("a kind that nobody mapped is a 500", func(t *testing.T) {
		cause = fault.New("no_such_kind", "x.y", "……")
		require.Equal(t, 500, r.call("GET", "/v1/fail", "").Code)
	})
}

type everyField struct {
	ID    string    `path:"id" pattern:"^[0-9]{3}$"`
	Limit int       `query:"limit" minimum:"1" maximum:"9"`
	When  time.Time `query:"when"`
	Sort  string    `query:"sort" enum:"up,down"`
	Flag  bool      `query:"flag"`
	Tags  []string  `query:"tags,explode" maxItems:"2"`
	Key   string    `header:"X-Key" maxLength:"8"`
	Count int       `header:"X-Count"`
	Body  struct {
		Name   string            `json:"name" minLength:"1" maxLength:"5"`
		Kind   string            `json:"kind,omitempty" enum:"a,b"`
		Day    string            `json:"day,omitempty" format:"date"`
		At     string            `json:"at,omitempty" format:"date-time"`
		Mail   string            `json:"mail,omitempty" format:"email"`
		URL    string            `json:"url,omitempty" format:"uri"`
		Number int               `json:"number,omitempty" minimum:"3" multipleOf:"3"`
		Code   string            `json:"code,omitempty" pattern:"^[0-9]+$"`
		List   []int             `json:"list,omitempty" maxItems:"2" uniqueItems:"true"`
		Inner  *struct{ X int }  `json:"inner,omitempty"`
		Labels map[string]string `json:"labels,omitempty" maxProperties:"1"`
		Bytes  []byte            `json:"bytes,omitempty"`
	}
}

// bad are requests each with one thing wrong: method is POST, path /v1/things/…
type bad struct {
	name, path, body string
	headers          []string
	status           int
	field            string // that errors must name, "" for none
}

func badRequests() []bad {
	const ok = `{"name":"a"}`
	in := func(fragment string) string { return `{"name":"a",` + fragment + `}` }
	q := func(s string) string { return "/v1/things/123?" + s }
	const path = "/v1/things/123"
	return []bad{
		{name: "path pattern", path: "/v1/things/" + marker, body: ok, status: 422, field: "path.id"},
		{name: "query number", path: q("limit=" + marker), body: ok, status: 422, field: "query.limit"},
		{name: "query time", path: q("when=" + marker), body: ok, status: 422, field: "query.when"},
		{name: "query enum", path: q("sort=" + marker), body: ok, status: 422, field: "query.sort"},
		{name: "query flag", path: q("flag=" + marker), body: ok, status: 422, field: "query.flag"},
		{name: "query list", path: q("tags=" + marker + "&tags=b&tags=c"), body: ok, status: 422, field: "query.tags"},
		{name: "unknown query parameter", path: q("colour=" + marker), body: ok, status: 422, field: "query.colour"},
		{name: "header length", path: path, body: ok, headers: []string{"X-Key", marker}, status: 422, field: "header.X-Key"},
		{name: "header number", path: path, body: ok, headers: []string{"X-Count", marker}, status: 422, field: "header.X-Count"},
		{name: "too long", path: path, body: `{"name":"` + marker + `"}`, status: 422, field: "body.name"},
		{name: "missing", path: path, body: `{"kind":"a"}`, status: 422, field: "body"},
		{name: "empty body", path: path, body: "", status: 400},
		{name: "null", path: path, body: `{"name":null}`, status: 422, field: "body.name"},
		{name: "wrong type", path: path, body: `{"name":{"a":"` + marker + `"}}`, status: 422, field: "body.name"},
		{name: "enum", path: path, body: in(`"kind":"` + marker + `"`), status: 422, field: "body.kind"},
		{name: "date", path: path, body: in(`"day":"` + marker + `"`), status: 422, field: "body.day"},
		{name: "date-time", path: path, body: in(`"at":"` + marker + `"`), status: 422, field: "body.at"},
		{name: "mail", path: path, body: in(`"mail":"` + marker + `"`), status: 422, field: "body.mail"},
		{name: "uri", path: path, body: in(`"url":"%zz` + marker + `"`), status: 422, field: "body.url"},
		{name: "number as text", path: path, body: in(`"number":"` + marker + `"`), status: 422, field: "body.number"},
		{name: "minimum", path: path, body: in(`"number":0`), status: 422, field: "body.number"},
		{name: "pattern", path: path, body: in(`"code":"` + marker + `"`), status: 422, field: "body.code"},
		{name: "list item", path: path, body: in(`"list":["` + marker + `"]`), status: 422, field: "body.list[0]"},
		{name: "list repeats", path: path, body: in(`"list":[4,4]`), status: 422, field: "body.list"},
		{name: "base64", path: path, body: in(`"bytes":"` + marker + `!"`), status: 422, field: "body.bytes"},
		{name: "not an object", path: path, body: `["` + marker + `"]`, status: 422, field: "body"},
		{name: "malformed JSON", path: path, body: `{"name":"` + marker + `",`, status: 400},
		{name: "not JSON", path: path, body: marker, status: 400},
		{name: "unknown property", path: path, body: in(`"colour":"` + marker + `"`), status: 422, field: "body.colour"},
		{name: "unknown property in a nested object", path: path, body: in(`"inner":{"X":1,"y":"` + marker + `"}`), status: 422, field: "body.inner.y"},
		{name: "name of a property", path: path, body: in(`"` + marker + `":1`), status: 422},
		{name: "name of a parameter", path: q(marker + "=1"), body: ok, status: 422},
		{name: "key of a map", path: path, body: in(`"labels":{"` + marker + `":1}`), status: 422},
		{
			name: "content type", path: path, body: ok, status: 415,
			headers: []string{"Content-Type", "text/" + strings.ToLower(marker)},
		},
	}
}

func TestValidationNeverEchoesInput(t *testing.T) {
	r := newRig(t, "things")
	httpapi.Handle(r.surface, "POST /things/{id}", httpapi.Public, "things", "t", "s",
		noBody[everyField])
	require.Equal(t, 204, r.call("POST", "/v1/things/123", `{"name":"a"}`).Code, "the valid request passes")
	for _, b := range badRequests() {
		t.Run(b.name, func(t *testing.T) {
			answer := r.call("POST", b.path, b.body, b.headers...)
			p := requireProblem(t, answer.Code, answer.Header(), answer.Body.Bytes(), b.status, "request.invalid")
			require.NotContains(t, strings.ToLower(answer.Body.String()), strings.ToLower(marker))
			for k, v := range answer.Header() {
				require.NotContains(t, strings.Join(v, " "), marker, k)
			}
			if b.field == "" {
				return
			}
			require.NotEmpty(t, p.Errors, answer.Body.String())
			require.Len(t, p.Errors, 1, answer.Body.String())
			require.Equal(t, b.field, p.Errors[0].Path)
			require.NotEmpty(t, p.Errors[0].Reason)
		})
	}
	require.NotContains(t, r.log.String(), marker, "the log keeps no input either")
	require.Zero(t, r.errorsLogged())
}

func TestReasonsAreChinese(t *testing.T) {
	r := newRig(t, "things")
	httpapi.Handle(r.surface, "POST /things/{id}", httpapi.Public, "things", "t", "s",
		noBody[everyField])
	for _, b := range badRequests() {
		answer := r.call("POST", b.path, b.body, b.headers...)
		var p httpapi.Problem
		require.NoError(t, json.Unmarshal(answer.Body.Bytes(), &p))
		for _, text := range append([]string{p.Detail}, reasons(p)...) {
			require.True(t, strings.ContainsFunc(text, func(c rune) bool { return c >= 0x4e00 && c <= 0x9fff }), "%s: %q", b.name, text)
		}
	}
}

func reasons(p httpapi.Problem) (out []string) {
	for _, f := range p.Errors {
		out = append(out, f.Reason)
	}
	return out
}

type textInput struct {
	Body struct {
		Text string `json:"text"`
	}
}

func TestBodyLimits(t *testing.T) {
	r := newRig(t, "echo", "large", "slow")
	take := noBody[textInput]
	httpapi.Handle(r.surface, "POST /echo", httpapi.Public, "echo", "t", "s", take)
	httpapi.Handle(r.surface, "POST /large", httpapi.Public, "large", "t", "s", take, httpapi.MaxBody(4*maxBodyBytes))
	httpapi.Handle(r.surface, "POST /slow", httpapi.Public, "slow", "t", "s", take,
		func(op *huma.Operation) { op.BodyReadTimeout = 50 * time.Millisecond })
	body := func(n int) string { return `{"text":"` + strings.Repeat("x", n) + `"}` }

	require.Equal(t, 204, r.call("POST", "/v1/echo", body(maxBodyBytes-100)).Code)
	r.problem(r.call("POST", "/v1/echo", body(maxBodyBytes)), 413, "request.too_large")
	require.Equal(t, 204, r.call("POST", "/v1/large", body(2*maxBodyBytes)).Code, "an operation's own limit")
	r.problem(r.call("POST", "/v1/large", body(4*maxBodyBytes)), 413, "request.too_large")

	server := httptest.NewServer(r.router)
	defer server.Close()
	send := func(t *testing.T, path string, body io.Reader) (int, http.Header, []byte) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+path, body)
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/json")
		answer, err := server.Client().Do(req)
		require.NoError(t, err)
		defer answer.Body.Close() //nolint:errcheck // it was read
		raw, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		return answer.StatusCode, answer.Header, raw
	}
	t.Run("the limit holds for a stream without a length", func(t *testing.T) {
		endless := io.MultiReader(strings.NewReader(`{"text":"`), io.LimitReader(zeroes{}, 1<<20))
		status, header, raw := send(t, "/v1/echo", endless)
		requireProblem(t, status, header, raw, 413, "request.too_large")
	})
	t.Run("a body that does not arrive is given up", func(t *testing.T) {
		in, out := io.Pipe()
		defer out.Close()                          //nolint:errcheck // it ends the request
		go out.Write([]byte(`{"text":"` + marker)) //nolint:errcheck // the server may stop reading
		status, header, raw := send(t, "/v1/slow", in)
		requireProblem(t, status, header, raw, 408, "request.slow")
		require.NotContains(t, string(raw), marker)
	})
	t.Run("a client that leaves in the middle is no error of ours", func(t *testing.T) {
		before := r.errorsLogged()
		req := r.request("POST", "/v1/echo", "")
		req.Header.Set("Content-Type", "application/json")
		req.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"text":`), broken{}))
		r.problem(r.do(req), 400, "request.invalid")
		require.Equal(t, before, r.errorsLogged())
	})
}

type zeroes struct{}

func (zeroes) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '0'
	}
	return len(p), nil
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestUnknownRoute(t *testing.T) {
	r := newRig(t, "known")
	httpapi.Handle(r.surface, "GET /known", httpapi.Public, "known", "t", "s", noBody[nothing])
	for _, route := range []string{"GET /v1/" + marker, "GET /" + marker, "POST /v1/known", "DELETE /", "GET /v1"} {
		method, path, _ := strings.Cut(route, " ")
		answer := r.call(method, path, "")
		r.problem(answer, 404, "request.no_such_route")
		require.NotContains(t, answer.Body.String(), marker)
	}
}

func TestPanic(t *testing.T) {
	r := newRig(t, "panic", "late")
	httpapi.Handle(r.surface, "GET /panic", httpapi.Public, "panic", "t", "s",
		func(context.Context, *nothing) (*nothing, error) { panic(marker) })
	answer := r.call("GET", "/v1/panic", "")
	p := r.problem(answer, 500, "internal")
	require.NotContains(t, answer.Body.String(), marker)
	require.Equal(t, 1, r.errorsLogged())
	require.Contains(t, r.log.String(), p.RequestID)
	require.Contains(t, r.log.String(), "httpapi_test.go", "the stack says where")

	r.router.GET("/late", func(c *gin.Context) {
		c.String(200, "half")
		panic("after the answer has begun")
	})
	answer = r.call("GET", "/late", "")
	require.Equal(t, "half", answer.Body.String(), "nothing is appended to an answer that has begun")
}

func TestRequestID(t *testing.T) {
	r := newRig(t, "id")
	httpapi.Handle(r.surface, "GET /id", httpapi.Public, "id", "t", "s",
		func(ctx context.Context, _ *nothing) (*httpapi.Body[string], error) {
			return httpapi.OK(httpapi.RequestID(ctx)), nil
		})
	id := func(sent string) string {
		answer := r.call("GET", "/v1/id", "", "X-Request-ID", sent)
		var got string
		require.NoError(t, json.Unmarshal(answer.Body.Bytes(), &got))
		require.Equal(t, got, answer.Header().Get("X-Request-ID"))
		return got
	}
	for _, kept := range []string{"abcdefgh", "A-b_c-12345", strings.Repeat("z", 64)} {
		require.Equal(t, kept, id(kept))
	}
	for _, replaced := range []string{"", "short", strings.Repeat("z", 65), "with space 1", "中文编号中文编号", "a\"b\\c{}defgh", "abcdefgh\n"} {
		got := id(replaced)
		require.Len(t, got, 26, "%q", replaced)
	}
	first := id("")
	require.NotEqual(t, first, id(""))
	require.Empty(t, httpapi.RequestID(context.Background()))
}

func TestRequestLogHoldsNoPersonalData(t *testing.T) {
	r := newRig(t, "person")
	type input struct {
		Phone string `path:"phone"`
		Name  string `query:"name"`
	}
	httpapi.Handle(r.surface, "GET /person/{phone}", httpapi.Public, "person", "t", "s",
		noBody[input])
	require.Equal(t, 204, r.call("GET", "/v1/person/"+marker+"?name="+marker, "", "User-Agent", marker).Code)
	require.NotContains(t, r.log.String(), marker)
	require.Contains(t, r.log.String(), `"route":"/v1/person/:phone"`)
}

func TestGuards(t *testing.T) {
	r := newRig(t, "public")
	who := func(ctx context.Context, _ *nothing) (*httpapi.Body[string], error) {
		return httpapi.OK(authz.FromContext(ctx).ID), nil
	}
	httpapi.Handle(r.surface, "GET /public", httpapi.Public, "public", "t", "s", who)
	httpapi.Handle(r.surface, "GET /resident", httpapi.Resident, "resident", "t", "s", who)
	httpapi.Handle(r.surface, "GET /session", httpapi.StaffSession, "session", "t", "s", who)
	httpapi.Handle(r.surface, "GET /any-role", httpapi.Staff(), "any-role", "t", "s", who)
	httpapi.Handle(r.surface, "GET /operator", httpapi.Staff(authz.RoleOperator, authz.RoleAuditor), "operator", "t", "s", who)
	httpapi.HandleUpload(r.surface, "POST /upload", httpapi.Staff(authz.RoleClerk), "upload", "t", "s", 100,
		func(context.Context, []byte) (string, error) { return "", nil })

	allowed := map[string][]string{
		"GET /v1/public":   {"", "resident", "operator", "clerk", "none"},
		"GET /v1/resident": {"resident"},
		"GET /v1/session":  {"operator", "clerk", "none"},
		"GET /v1/any-role": {"operator", "clerk"},
		"GET /v1/operator": {"operator"},
		"POST /v1/upload":  {"clerk"},
	}
	for route, in := range allowed {
		method, path, _ := strings.Cut(route, " ")
		for _, token := range []string{"", "resident", "operator", "clerk", "none"} {
			t.Run(route+" as "+token, func(t *testing.T) {
				var headers []string
				if token != "" {
					headers = []string{"Authorization", "Bearer " + token}
				}
				answer := r.call(method, path, "", headers...)
				switch {
				case strings.Contains(strings.Join(in, " "), token) && (token != "" || path == "/v1/public"):
					require.NotContains(t, []int{401, 403}, answer.Code)
				case token == "":
					r.problem(answer, 401, "auth.required")
				default:
					r.problem(answer, 403, "auth.forbidden")
				}
			})
		}
	}
	t.Run("malformed credentials are anonymous", func(*testing.T) {
		for _, value := range []string{"Bearer", "Bearer ", "bearer resident", "Basic resident", "Bearer nobody", "resident"} {
			answer := r.call("GET", "/v1/resident", "", "Authorization", value)
			r.problem(answer, 401, "auth.required")
		}
	})
	t.Run("the guard comes before the validation of the input", func(*testing.T) {
		r.problem(r.call("GET", "/v1/operator?x=1", ""), 401, "auth.required")
	})
}

func TestMistakesStopTheStart(t *testing.T) {
	none := noBody[nothing]
	r := newRig(t, "listed")
	require.PanicsWithValue(t, `httpapi: operation unlisted: public.go and its guard "public" disagree`, func() {
		httpapi.Handle(r.surface, "GET /a", httpapi.Public, "unlisted", "t", "s", none)
	})
	require.PanicsWithValue(t, `httpapi: operation listed: public.go and its guard "resident" disagree`, func() {
		httpapi.Handle(r.surface, "GET /b", httpapi.Resident, "listed", "t", "s", none)
	})
	require.PanicsWithValue(t, `httpapi: operation up: public.go and its guard "public" disagree`, func() {
		httpapi.HandleUpload(r.surface, "POST /c", httpapi.Public, "up", "t", "s", 1,
			func(context.Context, []byte) (string, error) { return "", nil })
	})
	require.PanicsWithValue(t, "httpapi: operation limited: no limiter named missing", func() {
		httpapi.Handle(r.surface, "GET /d", httpapi.Resident, "limited", "t", "s", none, httpapi.Limited("missing"))
	})
	sorted := paging.NewOrder("-at", paging.Text("at", "id", func(s string) string { return s }))
	require.PanicsWithValue(t, "httpapi: operation unsorted: SortedQuery and Sorts belong together", func() {
		httpapi.Handle(r.surface, "GET /f", httpapi.Resident, "unsorted", "t", "s", none, httpapi.Sorts(sorted))
	})
	require.PanicsWithValue(t, "httpapi: operation unnamed: SortedQuery and Sorts belong together", func() {
		httpapi.Handle(r.surface, "GET /g", httpapi.Resident, "unnamed", "t", "s", noBody[struct{ httpapi.SortedQuery }])
	})
	require.Panics(t, func() { httpapi.Handle(r.surface, "/e", httpapi.Resident, "e", "t", "s", none) })
}

func TestOpenAPI(t *testing.T) {
	mounted := func() *rig {
		r := newRig(t, "pub")
		httpapi.Handle(r.surface, "GET /pub", httpapi.Public, "pub", "t", "s", noBody[nothing])
		httpapi.Handle(r.surface, "POST /things/{id}", httpapi.Staff(authz.RoleClerk, authz.RoleOwner), "thing", "t", "s",
			noBody[everyField], httpapi.Limited("slow"), httpapi.Status(201), httpapi.Describe("more"))
		httpapi.HandleUpload(r.surface, "POST /files", httpapi.Resident, "file", "t", "s", 10,
			func(context.Context, []byte) (struct {
				ID string `json:"id"`
			}, error,
			) {
				panic("not called")
			})
		return r
	}
	first, second := mounted(), mounted()
	text, err := first.surface.OpenAPI()
	require.NoError(t, err)
	for range 3 {
		again, err := first.surface.OpenAPI()
		require.NoError(t, err)
		require.Equal(t, string(text), string(again))
	}
	other, err := second.surface.OpenAPI()
	require.NoError(t, err)
	require.Equal(t, string(text), string(other), "another surface of the same routes is the same document")

	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			OperationID string                     `json:"operationId"` //nolint:tagliatelle // OpenAPI chose it
			Guard       string                     `json:"x-guard"`     //nolint:tagliatelle // as above
			Security    []map[string][]string      `json:"security"`
			Responses   map[string]json.RawMessage `json:"responses"`
		}
	}
	require.NoError(t, json.Unmarshal(text, &doc))
	require.True(t, strings.HasPrefix(doc.OpenAPI, "3.1"))
	thing := doc.Paths["/things/{id}"]["post"]
	require.Equal(t, "clerk, merchant_owner", thing.Guard)
	require.Len(t, thing.Security, 1)
	for _, status := range []string{"201", "401", "403", "422", "429"} {
		require.Contains(t, thing.Responses, status)
	}
	require.Empty(t, doc.Paths["/pub"]["get"].Security)
	require.Empty(t, doc.Paths["/pub"]["get"].Guard)
	require.Equal(t, "resident", doc.Paths["/files"]["post"].Guard)
	require.Contains(t, doc.Paths["/files"]["post"].Responses, "201")
	require.NotContains(t, string(text), "$schema")
}
