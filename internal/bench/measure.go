package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"jiamenkou/internal/app"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/service/market"
)

// errSpent: more rounds of sign-ins than there are residents.
var errSpent = errors.New("everybody has signed in already: raise earnRounds")

// orders are requests for one benefit, or for many.
func (s *site) orders(n int, spread bool) []request {
	out := make([]request, n)
	for i := range out {
		out[i] = newRequest(http.MethodPost, "/mp/v1/orders", s.buyers[i%len(s.buyers)].token, freshKey(),
			`{"benefit_id":"`+s.benefit(i, spread)+`"}`, http.StatusCreated)
	}
	return out
}

// benefit 0 is kept for selling out.
func (s *site) benefit(i int, spread bool) string {
	if spread {
		return s.benefits[1+i%(benefits-1)]
	}
	return s.benefits[1]
}

func freshKey() string { return clock.NewSystem().NewID() }

// fresh takes residents who have not signed in yet.
func (s *site) fresh(n int, spread bool) ([]someone, error) {
	pool, next := s.oneTown, &s.next
	if spread {
		pool, next = s.manyTowns, &s.town
	}
	if *next+n > len(pool) {
		return nil, errSpent
	}
	*next += n
	return pool[*next-n : *next], nil
}

func pings(n int) []request {
	out := make([]request, n)
	for i := range out {
		out[i] = newRequest(http.MethodGet, "/healthz", "", "", "", http.StatusOK)
	}
	return out
}

// round is one measured round of one kind over HTTP or in process.
type round struct {
	earn, spread bool
	clients      int
	inProcess    bool
}

func (r round) items() int { return max(200, rounds()*r.clients) }

func (r round) kind() string {
	if r.earn {
		return "earn"
	}
	return "hold"
}

// run carries the round out and returns when it began.
func (r round) run(ctx context.Context, s *site) (outcome, clock.Instant, error) {
	if r.inProcess {
		return r.runInProcess(ctx, s)
	}
	var requests []request
	if r.earn {
		people, err := s.fresh(r.items(), r.spread)
		if err != nil {
			return outcome{}, 0, err
		}
		for _, p := range people {
			requests = append(requests, newRequest(http.MethodPost, "/mp/v1/sign-ins", p.token, "", "", http.StatusOK, http.StatusCreated))
		}
		if err := s.greet(ctx, people); err != nil {
			return outcome{}, 0, err
		}
	} else {
		requests = s.orders(r.items(), r.spread)
		if err := s.greet(ctx, s.buyers[:min(len(s.buyers), len(requests))]); err != nil {
			return outcome{}, 0, err
		}
	}
	began := clock.Now(clock.NewSystem())
	before, err := cpuTime(s.server.Process.Pid)
	if err != nil {
		return outcome{}, 0, err
	}
	out, err := hammer(ctx, s.addr, r.clients, requests)
	if err != nil {
		return outcome{}, 0, err
	}
	after, err := cpuTime(s.server.Process.Pid)
	out.cpu = after - before
	return out, began, err
}

// greet lets everybody look at the sign-in page first, as the mini-program
// does: the server knows them then.
func (s *site) greet(ctx context.Context, people []someone) error {
	looks := make([]request, len(people))
	for i, p := range people {
		looks[i] = newRequest(http.MethodGet, "/mp/v1/sign-ins/today", p.token, "", "", http.StatusOK)
	}
	_, err := hammer(ctx, s.addr, hotClients, looks)
	return err
}

func (r round) runInProcess(ctx context.Context, s *site) (out outcome, began clock.Instant, err error) {
	var people []someone
	if r.earn {
		if people, err = s.fresh(r.items(), r.spread); err != nil {
			return out, 0, err
		}
	}
	err = s.inProcess(ctx, func(a *app.App) error {
		began = clock.Now(clock.NewSystem())
		before, err := cpuTime(os.Getpid())
		if err != nil {
			return err
		}
		out, err = together(r.clients, r.items(), func(_, i int) (bool, error) {
			if r.earn {
				_, err := a.Reading.SignIn(ctx, people[i].actor)
				return true, err
			}
			_, err := a.Market.Order(ctx, s.buyers[i%len(s.buyers)].actor, market.OrderInput{
				BenefitID: s.benefit(i, r.spread), IdempotencyKey: freshKey(),
			})
			return true, err
		})
		if err != nil {
			return err
		}
		after, err := cpuTime(os.Getpid())
		out.cpu = after - before
		return err
	})
	return out, began, err
}

// served runs fn beside a server that has warmed up.
func (s *site) served(ctx context.Context, fn func() error) error {
	if err := s.start(ctx); err != nil {
		return err
	}
	warm := round{clients: hotClients}
	_, _, err := warm.run(ctx, s)
	if err == nil {
		err = fn()
	}
	return errors.Join(err, s.stop())
}

// floorConnections is how many transactions of the program run at once.
func (s *site) floorConnections(r round) int {
	if s.driver == database.SQLite || (!r.earn && !r.spread) {
		return 1
	}
	return 2
}

// againstFloor measures ordering and earning, hot, at 64 clients.
func againstFloor(ctx context.Context, rep *report, s *site) error {
	rep.columns("what", "a second", "of the floor", "floor a second", "in one transaction", "server CPU each", "p50", "p99")
	write := func(name string, r round, out outcome, began clock.Instant) error {
		txs, err := recordedTx(ctx, s.db.WriteSQL(), r.kind(), began)
		if err != nil {
			return err
		}
		items := 0
		for _, t := range txs {
			items += t.items
		}
		if items != r.items() || out.good != r.items() {
			return fmt.Errorf("%s: %d asked for, %d answered as done, %d recorded", name, r.items(), out.good, items)
		}
		floor, err := replay(ctx, s.floor.WriteSQL(), s.floorConnections(r), txs)
		if err != nil {
			return err
		}
		rep.row(name, out.perSecond(), ratio(out.perSecond()/floor), floor, fmt.Sprintf("%.0f", float64(items)/float64(len(txs))), short(out.cpu/time.Duration(items)),
			short(quantile(out.took1, 0.5)), short(quantile(out.took1, 0.99)))
		return nil
	}
	err := s.served(ctx, func() error {
		for _, r := range []round{{clients: hotClients}, {earn: true, clients: hotClients}} {
			out, began, err := r.run(ctx, s)
			if err != nil {
				return err
			}
			if err := write(r.name()+" over HTTP", r, out, began); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, r := range []round{{clients: hotClients, inProcess: true}, {earn: true, clients: hotClients, inProcess: true}} {
		out, began, err := r.run(ctx, s)
		if err != nil {
			return err
		}
		if err := write(r.name()+" in process", r, out, began); err != nil {
			return err
		}
	}
	return nil
}

func (r round) name() string {
	if r.earn {
		return "earning"
	}
	return "ordering"
}

func short(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }

// hotAgainstSpread measures 1, 16 and 64 clients on one row and on many.
func hotAgainstSpread(ctx context.Context, rep *report, s *site) error {
	rep.columns("what", "clients", "hot a second", "spread a second", "hot of spread", "hot p50", "hot p99", "ping p50", "ping p99")
	return s.served(ctx, func() error {
		for _, earn := range []bool{false, true} {
			for _, clients := range []int{1, 16, hotClients} {
				if err := s.compare(ctx, rep, round{earn: earn, clients: clients}); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func (s *site) compare(ctx context.Context, rep *report, r round) error {
	ping, err := hammer(ctx, s.addr, r.clients, pings(r.items()))
	if err != nil {
		return err
	}
	hot, _, err := r.run(ctx, s)
	if err != nil {
		return err
	}
	r.spread = true
	spread, _, err := r.run(ctx, s)
	if err != nil {
		return err
	}
	if hot.good != r.items() || spread.good != r.items() {
		return fmt.Errorf("%s: %d and %d of %d were done", r.name(), hot.good, spread.good, r.items())
	}
	rep.row(r.name(), r.clients, hot.perSecond(), spread.perSecond(), ratio(hot.perSecond()/spread.perSecond()),
		short(quantile(hot.took1, 0.5)), short(quantile(hot.took1, 0.99)),
		short(quantile(ping.took1, 0.5)), short(quantile(ping.took1, 0.99)))
	return nil
}

// What is sold out: 10,000 requests for 200 tickets.
const (
	tickets = 200
	wanting = 10_000
)

func soldOut(ctx context.Context, rep *report, s *site) error {
	rep.columns("what", "a second", "p50", "p99", "p50 of a ping's", "p99 of a ping's")
	return s.served(ctx, func() error {
		ping, err := hammer(ctx, s.addr, hotClients, pings(wanting))
		if err != nil {
			return err
		}
		requests := make([]request, wanting)
		for i := range requests {
			requests[i] = newRequest(http.MethodPost, "/mp/v1/orders", s.buyers[i%len(s.buyers)].token, freshKey(),
				`{"benefit_id":"`+s.benefits[0]+`"}`, http.StatusCreated, http.StatusConflict)
		}
		if err := s.greet(ctx, s.buyers); err != nil {
			return err
		}
		out, err := hammer(ctx, s.addr, hotClients, requests)
		if err != nil {
			return err
		}
		var stored int
		if err := s.db.Read(ctx).Raw("SELECT COUNT(*) FROM benefit_order WHERE benefit_id = ?", s.benefits[0]).Scan(&stored).Error; err != nil {
			return err
		}
		if out.good != tickets || stored != tickets {
			return fmt.Errorf("%d tickets: %d answered as ordered, %d stored", tickets, out.good, stored)
		}
		line := func(name string, o outcome) {
			p50, p99 := quantile(o.took1, 0.5), quantile(o.took1, 0.99)
			rep.row(name, o.perSecond(), short(p50), short(p99),
				ratio(float64(p50)/float64(quantile(ping.took1, 0.5))), ratio(float64(p99)/float64(quantile(ping.took1, 0.99))))
		}
		line("pings", ping)
		line(fmt.Sprintf("%d requests for %d tickets", wanting, tickets), out)
		return nil
	})
}
