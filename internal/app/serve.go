package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"runtime/debug"

	"jiamenkou/internal/config"
)

// gcPercent lets the heap grow to five times what lives before it is collected:
// a server's live heap is small, and at Go's default of 100 a seventh of its
// CPU time went into collecting it. GOGC and GOMEMLIMIT override it.
const gcPercent = 400

// Serve runs the server until ctx is done, then lets the requests in flight
// finish and returns nil. In demo mode it first migrates the database and
// loads the demo county if that was not done before; in production a
// database that is not migrated is an error, so that a restart never changes
// tables by surprise.
func (a *App) Serve(ctx context.Context, p *Program) error {
	if a.cfg.Mode == config.Demo {
		if err := a.prepareDemo(ctx, p.Out); err != nil {
			return err
		}
	}
	if err := a.requireMigrated(ctx); err != nil {
		return err
	}
	if err := a.protect(ctx); err != nil {
		return err
	}
	handler, err := a.handler()
	if err != nil {
		return err
	}
	listener, err := a.listen(ctx)
	if err != nil {
		return err
	}
	addr := listener.Addr().String()
	if a.sim != nil && a.cfg.HTTP.PublicURL == "" {
		a.sim.SetCallbackURL("http://" + addr + callbackPath)
	}
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: a.cfg.HTTP.ReadHeaderTimeout, ReadTimeout: a.cfg.HTTP.ReadTimeout,
		WriteTimeout: a.cfg.HTTP.WriteTimeout, IdleTimeout: a.cfg.HTTP.IdleTimeout, MaxHeaderBytes: a.cfg.HTTP.MaxHeaderBytes,
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	a.startBackground()
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	if a.cfg.Mode == config.Demo {
		a.welcome(p, addr)
	}
	a.log.Info("serving", "addr", addr, "mode", a.cfg.Mode, "database", a.cfg.Database.Driver)
	if p.Listening != nil {
		p.Listening(addr)
	}
	select {
	case err := <-failed:
		return errors.Join(fmt.Errorf("app: serve: %w", err), a.stopBackground())
	case <-ctx.Done():
	}
	a.log.Info("stopping: requests in flight are finished first")
	drain, cancel := context.WithTimeout(context.Background(), a.cfg.HTTP.ShutdownTimeout)
	defer cancel()
	// New work stops first, so that the jobs drain against a quiet server.
	err = server.Shutdown(drain)
	if err != nil {
		err = fmt.Errorf("app: requests were still in flight after %s: %w", a.cfg.HTTP.ShutdownTimeout, err)
	}
	return errors.Join(err, a.stopBackground())
}
