package app

import (
	"context"
	"fmt"
	"io"

	"jiamenkou/internal/database"
	"jiamenkou/internal/demo"
)

// prepareDemo migrates the database and loads the demo county, once.
func (a *App) prepareDemo(ctx context.Context, out io.Writer) error {
	return a.loadDemo(ctx, demo.HistoryDays, out)
}

func (a *App) loadDemo(ctx context.Context, days int, out io.Writer) error {
	if _, err := database.Migrate(ctx, a.db); err != nil {
		return err
	}
	if err := a.protect(ctx); err != nil {
		return err
	}
	if a.sim == nil {
		return nil // demo mode against the real WeChat: no made-up residents
	}
	loaded, err := demo.Loaded(ctx, a.db)
	if err != nil || loaded {
		return err
	}
	now := a.clock.Now()
	past := demo.Clock(now, days)
	loader := *a
	// A hundred passwords that everybody knows need no costly hashes: each is
	// replaced by one of full cost at its owner's first login.
	loader.cfg.Auth.PasswordMemoryMB, loader.cfg.Auth.PasswordPasses = 1, 1
	s, err := loader.newServices(past)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "装载演示数据（海宁市，600 位居民，一个月的历史）：") //nolint:errcheck // progress only
	return demo.Load(ctx, demo.Services{
		Days: days,
		DB:   a.db, Clock: past, Region: s.Region, Identity: s.Identity, Policy: s.Policy, Volunteer: s.Volunteer,
		Reading: s.Reading, Casework: s.Casework, Market: s.Market, Settlement: s.Settlement, Leaderboard: s.Leaderboard,
		Recourse: s.Recourse, Insight: s.Insight, Media: s.Media,
		OpenID: a.sim.OpenID,
	}, now, out)
}

// welcome says where to look and as whom.
func (a *App) welcome(p *Program, addr string) {
	p.printf(`
家门口 is running: http://%[1]s   (Ctrl-C stops it)

  residents' app  http://%[1]s/           tap one of the demo residents (made for phones)
  console         http://%[1]s/console/   staff
  API reference   http://%[1]s/docs/mp-v1/    residents
                  http://%[1]s/docs/api-v1/   staff
  health          http://%[1]s/readyz   metrics http://%[1]s/metrics

  resident        POST /mp/v1/auth/login  {"code":"demo-%[2]s-1"}   (a new number for each login)
  staff           POST /api/v1/auth/login {"username":"…","password":"%[3]s"}
                  %[4]s, %[5]s, %[6]s, %[7]s, %[8]s, %[9]s

`, addr, demo.Resident, demo.Password, demo.Operator, demo.Auditor, demo.Organizer, demo.GridWorker, demo.Owner, demo.Clerk)
}
