package app

import (
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/swaggest/swgui/v5emb"

	"jiamenkou/api"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/config"
	"jiamenkou/internal/database"
	"jiamenkou/internal/httpapi"
	miniprogram "jiamenkou/miniprogram-api"
	"jiamenkou/web"
)

// surfaces are the two APIs on one router.
type surfaces struct {
	router           *gin.Engine
	staff, residents *httpapi.Surface
}

// mount registers both surfaces. With zero services it still yields the
// OpenAPI documents: see Documents.
func mount(cfg config.Config, c clock.Clock, log *slog.Logger, a *App) surfaces {
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	router.HandleMethodNotAllowed = false // one answer for every unknown route
	router.ContextWithFallback = true
	if err := router.SetTrustedProxies(cfg.HTTP.TrustedProxies); err != nil {
		log.Error("trusted proxies are malformed and none is trusted", "error", err)
		_ = router.SetTrustedProxies(nil)
	}
	router.Use(httpapi.Requests(c, log), a.measure)
	router.NoRoute(httpapi.NoRoute)
	surface := httpapi.SurfaceConfig{
		Authenticator: a.Identity,
		MaxBodyBytes:  cfg.HTTP.MaxBodyBytes,
		Limiters: map[string]*httpapi.Limiter{
			"login":      httpapi.NewLimiter(cfg.Limits.LoginPerMinute, cfg.Limits.LoginBurst, c.Now),
			"redemption": httpapi.NewLimiter(cfg.Limits.RedemptionPerMinute, cfg.Limits.RedemptionBurst, c.Now),
			"takeout":    httpapi.NewLimiter(cfg.Limits.TakeoutPerMinute, cfg.Limits.TakeoutBurst, c.Now),
			"search":     httpapi.NewLimiter(cfg.Limits.SearchPerMinute, cfg.Limits.SearchBurst, c.Now),
			"verify":     httpapi.NewLimiter(cfg.Limits.VerifyPerMinute, cfg.Limits.VerifyBurst, c.Now),
			"unmask":     httpapi.NewLimiter(cfg.Limits.UnmaskPerMinute, cfg.Limits.UnmaskBurst, c.Now),
		},
	}
	return surfaces{
		router: router,
		staff: api.Mount(router, api.Services{
			Volunteer: a.Volunteer,
			Market:    a.Market,
			Identity:  a.Identity, Ledger: a.Ledger, Policy: a.Policy, Region: a.Region, Reading: a.Reading,
			Casework: a.Casework, Settlement: a.Settlement, Jobs: a.runner,
			Leaderboard: a.Leaderboard, Notify: a.Notify, Recourse: a.Recourse, Media: a.Media, Invite: a.Invite,
			Insight: a.Insight, Export: a.Export, Lookup: a.Lookup, Assurance: a.Assurance, Desk: a.Desk,
		}, surface),
		residents: miniprogram.Mount(router, miniprogram.Services{
			Volunteer: a.Volunteer,
			Market:    a.Market,
			Identity:  a.Identity, Ledger: a.Ledger, Policy: a.Policy, Region: a.Region, Reading: a.Reading, Casework: a.Casework,
			Leaderboard: a.Leaderboard, Notify: a.Notify, Recourse: a.Recourse, Media: a.Media, Invite: a.Invite,
			Callback: miniprogram.CallbackConfig{Token: cfg.WeChat.CallbackToken, AppID: cfg.WeChat.AppID},
			Client:   clientSettings(cfg),
		}, surface),
	}
}

// handler is everything that the server answers.
func (a *App) handler() (http.Handler, error) {
	s := mount(a.cfg, a.clock, a.log, a)
	s.router.GET("/healthz", func(c *gin.Context) { c.JSON(http.StatusOK, gin.H{"status": "ok"}) })
	s.router.GET("/readyz", a.ready)
	s.router.GET("/metrics", gin.WrapH(promhttp.HandlerFor(a.metrics(), promhttp.HandlerOpts{})))
	if a.cfg.Mode == config.Demo {
		if err := mountReference(s); err != nil {
			return nil, err
		}
	}
	s.router.NoRoute(clients(httpapi.NoRoute))
	return s.router, nil
}

// clients serves the built clients on every path that belongs to no route:
// the console below /console/, the residents' app on the rest. What is left,
// and all of it when the program was built without them, gets otherwise.
func clients(otherwise gin.HandlerFunc) gin.HandlerFunc {
	const console = "/console/"
	sites := map[string]http.Handler{}
	for base, client := range map[string]string{"/": web.Miniprogram, console: web.Console} {
		if files, ok := web.Built(client); ok {
			sites[base] = httpapi.Site(base, files)
		}
	}
	return func(c *gin.Context) {
		path, base := c.Request.URL.Path, "/"
		switch {
		case strings.HasPrefix(path, api.Prefix+"/"), strings.HasPrefix(path, miniprogram.Prefix+"/"):
			otherwise(c) // an unknown operation is a problem, not a page
			return
		case path+"/" == console:
			c.Redirect(http.StatusFound, console)
			return
		case strings.HasPrefix(path, console):
			base = console
		}
		site, ok := sites[base]
		if !ok {
			otherwise(c)
			return
		}
		c.Status(http.StatusOK) // gin has set 404 for want of a route
		site.ServeHTTP(c.Writer, c.Request)
	}
}

// mountReference serves the API reference from the binary: no page of it
// loads anything from elsewhere.
func mountReference(s surfaces) error {
	for _, doc := range []struct {
		name, title string
		surface     *httpapi.Surface
	}{
		{"mp-v1", "家门口 · 居民接口", s.residents},
		{"api-v1", "家门口 · 工作人员接口", s.staff},
	} {
		text, err := doc.surface.OpenAPI()
		if err != nil {
			return err
		}
		s.router.GET("/openapi/"+doc.name+".json", func(c *gin.Context) { c.Data(http.StatusOK, "application/json", text) })
		base := "/docs/" + doc.name + "/"
		s.router.GET(base+"*any", gin.WrapH(v5emb.New(doc.title, "/openapi/"+doc.name+".json", base)))
	}
	s.router.GET("/docs", func(c *gin.Context) { c.Redirect(http.StatusFound, "/docs/mp-v1/") })
	return nil
}

type readiness struct {
	Status     string   `json:"status"` // ok or unavailable
	Database   string   `json:"database"`
	Migrations string   `json:"migrations"`
	Jobs       string   `json:"jobs"`
	Overdue    []string `json:"overdue_jobs,omitempty"`
}

// ready answers a balancer: may requests be sent here? A job that is late is
// told but does not take the instance out: the requests it would refuse are
// not the job's.
func (a *App) ready(c *gin.Context) {
	ctx := c.Request.Context()
	out := readiness{Status: "ok", Database: "ok", Migrations: "ok", Jobs: "ok"}
	if err := a.db.Ping(ctx); err != nil {
		out.Status, out.Database = "unavailable", "unreachable"
	} else if pending, err := database.Pending(ctx, a.db); err != nil || pending {
		out.Status, out.Migrations = "unavailable", "pending"
	} else if health, err := a.runner.Health(ctx); err != nil {
		out.Status, out.Jobs = "unavailable", "unknown"
	} else {
		for _, e := range health {
			if e.Overdue {
				out.Jobs = "overdue"
				out.Overdue = append(out.Overdue, e.Name)
			}
		}
	}
	status := http.StatusOK
	if out.Status != "ok" {
		status = http.StatusServiceUnavailable
	}
	c.JSON(status, out)
}

// metrics is a registry of this App's own, so that two in one process (tests)
// do not meet.
func (a *App) metrics() *prometheus.Registry {
	reg := prometheus.NewRegistry()
	reg.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collectors.NewDBStatsCollector(a.db.WriteSQL(), "write"),
		prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "jiamenkou_queue_succeeded_total", Help: "Outbox jobs done."},
			func() float64 { return float64(a.worker.Stats().Succeeded) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "jiamenkou_queue_retried_total", Help: "Outbox attempts that failed and come back."},
			func() float64 { return float64(a.worker.Stats().Retried) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "jiamenkou_queue_dead_total", Help: "Outbox jobs given up."},
			func() float64 { return float64(a.worker.Stats().Dead) }),
		a.requests,
	)
	reg.MustRegister(a.batchMetrics()...)
	return reg
}

func newRequestMetric() *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "jiamenkou_http_request_duration_seconds", Help: "Requests by route pattern, method and status.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
	}, []string{"route", "method", "status"})
}

func (a *App) measure(c *gin.Context) {
	start := time.Now()
	c.Next()
	method := c.Request.Method
	if c.FullPath() == "" {
		method = "other" // it met no route: whatever the caller wrote must not make a series
	}
	a.requests.WithLabelValues(c.FullPath(), method, strconv.Itoa(c.Writer.Status())).Observe(time.Since(start).Seconds())
}
