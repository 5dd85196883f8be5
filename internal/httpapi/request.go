package httpapi

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"runtime/debug"
	"time"

	"github.com/gin-gonic/gin"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/redact"
)

type requestIDKey struct{}

// RequestID returns the id of the request that ctx belongs to, "" outside one.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

var requestIDPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{8,64}$`)

// Requests is the outermost middleware: it gives each request an id (the
// caller's X-Request-ID if it is well-formed), logs one line when it is done
// and turns a panic into a 500. The line holds the route pattern, never the
// path, the query or the body, which may hold personal data.
func Requests(c clock.Clock, log *slog.Logger) gin.HandlerFunc {
	return func(g *gin.Context) {
		id := g.GetHeader("X-Request-ID")
		if !requestIDPattern.MatchString(id) {
			id = c.NewID()
		}
		ctx := context.WithValue(g.Request.Context(), requestIDKey{}, id)
		g.Request = g.Request.WithContext(ctx)
		g.Header("X-Request-ID", id)
		start := time.Now()
		defer func() {
			if r := recover(); r != nil {
				log.ErrorContext(ctx, "panic", "request_id", id, "route", g.FullPath(), "panic", redact.Error(fmt.Errorf("%v", r), maxLoggedBytes), "stack", string(debug.Stack()))
				if !g.Writer.Written() {
					WriteProblem(g, newProblem(ctx, 500, "internal", "系统出错了，我们已记录，请稍后再试"))
				}
			}
			log.InfoContext(ctx, "request", "request_id", id, "method", g.Request.Method, "route", g.FullPath(),
				"status", g.Writer.Status(), "duration_ms", time.Since(start).Milliseconds())
		}()
		g.Next()
	}
}

// NoRoute answers unknown paths and methods with a problem.
func NoRoute(c *gin.Context) { WriteProblem(c, ErrNotFound) }
