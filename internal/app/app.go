package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/config"
	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/queue"
	"jiamenkou/internal/schedule"
	"jiamenkou/internal/wechat"
	"jiamenkou/internal/wechat/wechatsim"
	"jiamenkou/jobs"
)

// ErrNotMigrated stops a command that needs tables which are not there.
var ErrNotMigrated = fault.New(fault.Unavailable, "database.not_migrated", "数据库还没有升级，请先运行 jiamenkou migrate up")

// App is the program put together: one database, one clock, every service.
type App struct {
	cfg   config.Config
	log   *slog.Logger
	db    *database.DB
	clock clock.Clock

	wechat *wechat.Client
	sim    *wechatsim.Simulator // demo mode only
	worker *queue.Worker
	runner *schedule.Runner
	closed []func() error // in the order of opening

	requests *prometheus.HistogramVec

	Services
}

// Open connects to the database and puts the services together on the clock.
// It starts nothing: see Serve.
func Open(ctx context.Context, cfg config.Config, log *slog.Logger, c clock.Clock) (_ *App, err error) {
	a := &App{cfg: cfg, log: log, clock: c, requests: newRequestMetric()}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close())
		}
	}()
	a.db, err = database.Open(ctx, database.Config{
		Driver: database.Driver(cfg.Database.Driver), SQLitePath: cfg.Database.SQLitePath, MySQLDSN: cfg.Database.MySQLDSN,
		MaxConnections: cfg.Database.MaxConnections, LockWait: cfg.Database.LockWait,
		TxTimeout: cfg.Database.TxTimeout, MaxAttempts: cfg.Database.TxAttempts,
	})
	if err != nil {
		return nil, err
	}
	a.closed = append(a.closed, a.db.Close)
	if err := a.openWeChat(ctx); err != nil {
		return nil, err
	}
	a.Services, err = a.newServices(a.clock)
	if err != nil {
		return nil, err
	}
	return a, a.openBackground()
}

// Close gives everything back, in the opposite order of opening.
func (a *App) Close() error {
	var errs []error
	for _, closeOne := range slices.Backward(a.closed) {
		errs = append(errs, closeOne())
	}
	a.closed = nil
	return errors.Join(errs...)
}

// openWeChat makes the client, in demo mode against a simulator on a loopback
// port of its own.
func (a *App) openWeChat(ctx context.Context) error {
	wc := wechat.Config{
		AppID: a.cfg.WeChat.AppID, AppSecret: a.cfg.WeChat.AppSecret, Timeout: a.cfg.WeChat.RequestTimeout,
	}
	if a.cfg.Mode == config.Demo && a.cfg.WeChat.Simulator {
		wc.AppID, wc.AppSecret = demoAppID, demoAppSecret
		a.cfg.WeChat.AppID = demoAppID
		a.cfg.WeChat.CallbackToken = demoCallbackToken
		a.sim = wechatsim.New(wechatsim.Config{
			AppID: wc.AppID, Secret: wc.AppSecret, CallbackToken: a.cfg.WeChat.CallbackToken, Clock: a.clock,
			CallbackURL: a.publicURL() + callbackPath,
		})
		// Not with ctx, which ends at SIGTERM: requests in flight still need it.
		base, err := a.sim.Start(context.WithoutCancel(ctx))
		if err != nil {
			return fmt.Errorf("app: WeChat simulator: %w", err)
		}
		a.closed = append(a.closed, func() error { a.sim.Close(); return nil })
		wc.BaseURL = base
	}
	client, err := wechat.New(wc, a.clock)
	if err != nil {
		return err
	}
	a.wechat = client
	a.closed = append(a.closed, func() error { client.Close(); return nil })
	return nil
}

// The simulated mini-program: known to everybody, and of no use outside.
const (
	demoAppID         = "wxdemo0000000000"
	demoAppSecret     = "demo-only-app-secret" //nolint:gosec // not a secret
	demoCallbackToken = "demo-only-callback-token"
	callbackPath      = "/mp/v1/wechat/callback"
)

// publicURL is how others reach this server.
func (a *App) publicURL() string {
	if a.cfg.HTTP.PublicURL != "" {
		return a.cfg.HTTP.PublicURL
	}
	return "http://" + a.cfg.HTTP.Addr
}

// openBackground makes the queue's worker and cron's runner; startBackground
// starts them.
func (a *App) openBackground() error {
	a.worker = queue.NewWorker(a.db, a.clock, a.log, queue.WorkerOptions{
		Concurrency: a.cfg.Queue.Workers, Poll: a.cfg.Queue.PollInterval, LeaseMargin: a.cfg.Queue.LeaseMargin,
		KeepDone: a.cfg.Queue.KeepDone, KeepDead: a.cfg.Queue.KeepDead,
	})
	a.Casework.Register(a.worker)
	a.Notify.Register(a.worker)
	a.Export.Register(a.worker)
	a.Assurance.Register(a.worker)
	var err error
	a.runner, err = schedule.New(a.db, a.clock, a.log, jobs.Entries(a.jobServices()),
		schedule.Options{LeaseTTL: a.cfg.Jobs.Lease, AuditTx: a.auditManualRun})
	return err
}

func (a *App) startBackground() {
	a.worker.Start()
	if a.cfg.Jobs.Enabled {
		a.runner.Start()
	}
}

// stopBackground lets running jobs and batches finish within the shutdown
// time-out.
func (a *App) stopBackground() error {
	ctx, cancel := context.WithTimeout(context.Background(), a.cfg.HTTP.ShutdownTimeout)
	defer cancel()
	return errors.Join(a.drainBatches(ctx), a.runner.Close(ctx), a.worker.Close(ctx))
}

func (a *App) requireMigrated(ctx context.Context) error {
	pending, err := database.Pending(ctx, a.db)
	if err != nil {
		return err
	}
	if pending {
		return ErrNotMigrated
	}
	return nil
}

func (a *App) listJobs(ctx context.Context, printf func(string, ...any)) error {
	if err := a.requireMigrated(ctx); err != nil {
		return err
	}
	rows, err := a.runner.Health(ctx)
	if err != nil {
		return err
	}
	for _, r := range rows {
		last := "never"
		if r.Last != nil {
			last = fmt.Sprintf("%s %s", r.Last.StartedAt.Time().Format(time.DateTime), r.Last.Status)
		}
		printf("%-28s %-14s next %s  last %s\n", r.Name, r.Schedule, r.NextAt.Time().Format(time.DateTime), last)
	}
	return nil
}

func (a *App) runJob(ctx context.Context, name string, printf func(string, ...any)) error {
	if err := a.requireMigrated(ctx); err != nil {
		return err
	}
	run, err := a.runner.RunNow(ctx, authz.System("command line"), name)
	if err != nil {
		return err
	}
	if run, err = a.runner.Await(ctx, run.ID); err != nil {
		return err
	}
	printf("%s: %s: %s%s\n", run.Name, run.Status, run.Result, run.Error)
	return a.stopBackground()
}

// listen opens the port, so that a port in use is an error of the start.
func (a *App) listen(ctx context.Context) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", a.cfg.HTTP.Addr)
	if err != nil {
		return nil, fmt.Errorf("app: cannot listen on %s (http.addr, JMK_HTTP_ADDR): %w", a.cfg.HTTP.Addr, err)
	}
	return l, nil
}

// SimulatedOpenID is the openid under which the simulator logs somebody of that
// name in, "" without a simulator: for who registers people before they come.
func (a *App) SimulatedOpenID(name string) string {
	if a.sim == nil {
		return ""
	}
	return a.sim.OpenID(name)
}
