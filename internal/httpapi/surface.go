// Package httpapi is what the two API surfaces share: how an operation is
// registered, guarded and limited, and how an error becomes an answer.
package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/paging"
)

// bearer names the security scheme in the OpenAPI document.
const bearer = "bearer"

// Limits that every surface keeps unless an operation says otherwise.
const (
	bodyReadTimeout   = 10 * time.Second
	retryAfterTimeout = 5 * time.Second
)

// Authenticator turns an access token into the actor it was issued to.
type Authenticator interface {
	Authenticate(ctx context.Context, accessToken string) (authz.Actor, error)
}

// Guard decides whether the actor may call an operation at all. Scope (which
// region, which merchant) is the service's question.
type Guard struct {
	name  string
	allow func(authz.Actor) error
}

// Public lets anyone in; the surface's public.go must name the operation.
var Public = Guard{name: "public"}

// Resident lets logged-in residents in.
var Resident = Guard{name: "resident", allow: authz.Actor.Resident}

// Staff lets in staff who hold one of the roles (any role if none is named).
func Staff(roles ...authz.Role) Guard {
	if len(roles) == 0 {
		roles = authz.Roles()
	}
	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = string(r)
	}
	return Guard{name: strings.Join(names, ", "), allow: func(a authz.Actor) error {
		if a.Kind != authz.KindStaff || !a.Has(roles...) {
			return authz.ErrForbidden
		}
		return enrolled(a)
	}}
}

// StaffSession lets in every logged-in staff member, with a role or without.
var StaffSession = Guard{name: "staff", allow: func(a authz.Actor) error {
	if err := anyStaff(a); err != nil {
		return err
	}
	return enrolled(a)
}}

// StaffEnrolling is StaffSession, and also lets in who must enrol a second factor
// first: for what that takes, and for logging out.
var StaffEnrolling = Guard{name: "staff", allow: anyStaff}

func anyStaff(a authz.Actor) error {
	if a.Kind != authz.KindStaff {
		return authz.ErrForbidden
	}
	return nil
}

func enrolled(a authz.Actor) error {
	if a.MustEnrol {
		return authz.ErrMustEnrol
	}
	return nil
}

// SurfaceConfig describes one API surface.
type SurfaceConfig struct {
	Title         string
	Description   string
	Prefix        string            // "/mp/v1"
	Public        map[string]string // operation id -> why it needs no login
	Authenticator Authenticator
	MaxBodyBytes  int64
	// Limiters by name; an operation refers to one with Limited.
	Limiters map[string]*Limiter
}

// Surface is one API: its operations, their guards and its OpenAPI document.
type Surface struct {
	cfg    SurfaceConfig
	router *gin.Engine
	api    huma.API
	guards map[string]Guard
}

// NewSurface mounts an empty surface under cfg.Prefix.
func NewSurface(router *gin.Engine, cfg SurfaceConfig) *Surface {
	replaceHumaDefaults()
	hc := huma.DefaultConfig(cfg.Title, "1")
	hc.Info.Description = cfg.Description
	// The docs page that huma makes loads its script from a CDN: the program
	// serves its own, see internal/app.
	hc.OpenAPIPath, hc.DocsPath, hc.SchemasPath = "", "", ""
	hc.CreateHooks = nil // no $schema links in answers
	hc.RejectUnknownQueryParameters = true
	hc.Servers = []*huma.Server{{URL: cfg.Prefix}}
	hc.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		bearer: {Type: "http", Scheme: "bearer", BearerFormat: "JWT"},
	}
	return &Surface{
		cfg: cfg, router: router, guards: map[string]Guard{},
		api: humagin.NewWithGroup(router, router.Group(cfg.Prefix), hc),
	}
}

// Option adjusts an operation.
type Option func(*huma.Operation)

// Status sets the success status; the default is 200, or 204 without a body.
func Status(code int) Option { return func(op *huma.Operation) { op.DefaultStatus = code } }

// Describe adds a longer description.
func Describe(text string) Option { return func(op *huma.Operation) { op.Description = text } }

// MaxBody sets the largest body in bytes.
func MaxBody(bytes int64) Option { return func(op *huma.Operation) { op.MaxBodyBytes = bytes } }

const limiterKey = "limiter"

// Limited puts the operation under the surface's limiter of that name.
func Limited(name string) Option {
	return func(op *huma.Operation) {
		if op.Metadata == nil {
			op.Metadata = map[string]any{}
		}
		op.Metadata[limiterKey] = name
	}
}

// Handle registers one operation: one line of a route table.
//
// route is "METHOD /path"; id is the operation id in kebab-case; tag groups
// the reference page.
func Handle[I, O any](s *Surface, route string, guard Guard, id, tag, summary string,
	handler func(context.Context, *I) (*O, error), opts ...Option,
) {
	requireVisible[I](id)
	requireVisible[O](id)
	op := s.operation(route, guard, id, tag, summary, opts)
	if _, sorted := any(*new(I)).(sortedInput); sorted != slices.ContainsFunc(op.Parameters, isSort) {
		panic("httpapi: operation " + id + ": SortedQuery and Sorts belong together")
	}
	huma.Register(s.api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := handler(ctx, in)
		if err != nil {
			return nil, ProblemOf(ctx, err)
		}
		return out, nil
	})
}

func (s *Surface) operation(route string, guard Guard, id, tag, summary string, opts []Option) huma.Operation {
	method, path, ok := strings.Cut(route, " ")
	if !ok {
		panic("httpapi: route must be METHOD /path: " + route)
	}
	if _, public := s.cfg.Public[id]; public != (guard.allow == nil) {
		panic(fmt.Sprintf("httpapi: operation %s: public.go and its guard %q disagree", id, guard.name))
	}
	op := huma.Operation{
		OperationID: id, Method: method, Path: path, Summary: summary, Tags: []string{tag},
		MaxBodyBytes: s.cfg.MaxBodyBytes, BodyReadTimeout: bodyReadTimeout,
		Errors: []int{http.StatusUnprocessableEntity},
	}
	for _, opt := range opts {
		opt(&op)
	}
	if guard.allow != nil {
		op.Security = []map[string][]string{{bearer: {}}}
		op.Errors = append(op.Errors, http.StatusUnauthorized, http.StatusForbidden)
		op.Extensions = map[string]any{"x-guard": guard.name}
	}
	s.guards[id] = guard
	limiter := s.limiter(&op)
	op.Middlewares = append(op.Middlewares, func(hctx huma.Context, next func(huma.Context)) {
		c := humagin.Unwrap(hctx)
		ctx, err := s.admit(c, guard, limiter)
		if err != nil {
			WriteProblem(c, err)
			return
		}
		next(huma.WithContext(hctx, ctx))
	})
	return op
}

func (s *Surface) limiter(op *huma.Operation) *Limiter {
	name, ok := op.Metadata[limiterKey].(string)
	if !ok {
		return nil
	}
	limiter := s.cfg.Limiters[name]
	if limiter == nil {
		panic("httpapi: operation " + op.OperationID + ": no limiter named " + name)
	}
	op.Errors = append(op.Errors, http.StatusTooManyRequests)
	return limiter
}

// admit authenticates, asks the guard and counts the call.
func (s *Surface) admit(c *gin.Context, guard Guard, limiter *Limiter) (context.Context, error) {
	ctx := c.Request.Context()
	if limiter != nil && !limiter.Allow("address:"+c.ClientIP()) {
		return nil, limiter.Refusal()
	}
	if guard.allow == nil {
		return ctx, nil
	}
	token, ok := strings.CutPrefix(c.GetHeader("Authorization"), "Bearer ")
	if !ok || token == "" {
		return nil, authz.ErrAnonymous
	}
	actor, err := s.cfg.Authenticator.Authenticate(ctx, token)
	if err != nil {
		return nil, err
	}
	if err := guard.allow(actor); err != nil {
		return nil, err
	}
	if limiter != nil && !limiter.Allow("principal:"+actor.ID) {
		return nil, limiter.Refusal()
	}
	return authz.WithActor(ctx, actor), nil
}

// OpenAPI returns the surface's OpenAPI 3.1 document as indented JSON, the
// same bytes on every call.
func (s *Surface) OpenAPI() ([]byte, error) {
	raw, err := json.Marshal(s.api.OpenAPI())
	if err != nil {
		return nil, fmt.Errorf("httpapi: openapi: %w", err)
	}
	var doc any
	if err := json.Unmarshal(raw, &doc); err != nil {
		return nil, fmt.Errorf("httpapi: openapi: %w", err)
	}
	out, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("httpapi: openapi: %w", err)
	}
	return append(out, '\n'), nil
}

// Idempotent is embedded in the input of every operation that moves points or
// stock.
type Idempotent struct {
	IdempotencyKey string `header:"Idempotency-Key" required:"true" minLength:"8" maxLength:"64" pattern:"^[A-Za-z0-9_.:-]+$" doc:"每次意图一个新值；重试沿用原值，结果不会重复"`
}

// PageQuery is embedded in the input of every list.
type PageQuery struct {
	Cursor string `query:"cursor" maxLength:"512" doc:"上一页返回的 next；第一页不填"`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"20"`
}

// SortedQuery is embedded instead in the input of a list that can be sorted; its
// line of the route table says by what, with Sorts.
type SortedQuery struct {
	PageQuery
	Sort string `query:"sort" maxLength:"64"`
}

// Request is the page that a list is asked for.
func (q SortedQuery) Request() paging.Request {
	return paging.Request{Cursor: q.Cursor, Limit: q.Limit, Sort: q.Sort}
}

func (SortedQuery) sorted() {}

type sortedInput interface{ sorted() }

func isSort(p *huma.Param) bool { return p.In == "query" && p.Name == "sort" }

// Sorts documents how a list can be sorted. The list itself refuses any other
// sort, with the same words for whoever else asks.
func Sorts(order interface{ Sorts() []string }) Option {
	return func(op *huma.Operation) {
		schema := &huma.Schema{Type: huma.TypeString}
		for _, sort := range order.Sorts() {
			schema.Enum = append(schema.Enum, sort)
		}
		op.Parameters = append(op.Parameters, &huma.Param{
			Name: "sort", In: "query", Explode: new(false), Schema: schema,
			Description: fmt.Sprintf("排序：名称表示小的、早的在前，前面加 - 则大的、晚的在前；不填为 %s。换了排序要从第一页看起", order.Sorts()[0]),
		})
	}
}

// PageBody is the body of every list.
type PageBody[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next" doc:"下一页的 cursor；空表示没有了"`
}

// Body wraps a DTO as a response.
type Body[T any] struct{ Body T }

// OK returns v as a response body.
func OK[T any](v T) *Body[T] { return &Body[T]{Body: v} }

// Download answers with a file under a name of the program's own making, which
// no cache keeps. The head of the answer is out when write gets its body: what
// fails there can only be logged.
func Download(contentType, name string, write func(w io.Writer)) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(out huma.Context) {
		out.SetHeader("Content-Type", contentType)
		out.SetHeader("Content-Disposition", `attachment; filename="`+name+`"`)
		out.SetHeader("Cache-Control", "private, no-store")
		out.SetHeader("X-Content-Type-Options", "nosniff")
		write(out.BodyWriter())
	}}
}

// DownloadBytes is Download for a file that is at hand.
func DownloadBytes(contentType, name string, file []byte) *huma.StreamResponse {
	return Download(contentType, name, func(w io.Writer) {
		_, _ = w.Write(file) // the reader went away: nobody is left to tell
	})
}

// ErrNotFound answers unknown routes.
var ErrNotFound = fault.New(fault.NotFound, "request.no_such_route", "没有这个接口")

// Request is the page that a list is asked for.
func (q PageQuery) Request() paging.Request {
	return paging.Request{Cursor: q.Cursor, Limit: q.Limit}
}

// Listed answers with what a service's list method returned: the one way of a
// list's handler, Listed(dto)(service.List(…)).
func Listed[T, U any](dto func(T) U) func(paging.Page[T], error) (*Body[PageBody[U]], error) {
	return func(page paging.Page[T], err error) (*Body[PageBody[U]], error) {
		if err != nil {
			return nil, err
		}
		return OK(PageOf(page, dto)), nil
	}
}

// PageOf turns a page of rows into a page of DTOs.
func PageOf[T, U any](p paging.Page[T], dto func(T) U) PageBody[U] {
	out := paging.Map(p, dto)
	return PageBody[U]{Items: out.Items, Next: out.Next}
}
