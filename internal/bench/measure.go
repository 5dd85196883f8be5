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
var errSpent = errors.New("everybody has signed in already: raise perRound's factors in people")

// orders are requests for one benefit, or for many.
func (s *site) orders(n int, spread bool) []request {
	out := make([]request, n)
	for i := range out {
		out[i] = newRequest(http.MethodPost, "/mp/v1/orders", s.buyers[i%len(s.buyers)].token, freshKey(),
			`{"benefit_id":"`+s.benefit(i, spread)+`"}`, http.StatusCreated)
	}
	return out
}

// benefit is any of those that do not sell out, or the hot one of them.
func (s *site) benefit(i int, spread bool) string {
	plenty := s.benefits[repeats:]
	if spread {
		return plenty[i%len(plenty)]
	}
	return plenty[0]
}

func freshKey() string { return clock.NewSystem().NewID() }

// fresh takes residents who have not signed in yet.
func (s *site) fresh(r round) ([]someone, error) {
	pool := &s.oneTown
	switch {
	case r.inProcess:
		pool = &s.unseen
	case r.spread:
		pool = &s.manyTowns
	}
	if r.items() > len(*pool) {
		return nil, errSpent
	}
	out := (*pool)[:r.items()]
	*pool = (*pool)[r.items():]
	return out, nil
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

func (r round) name() string {
	if r.earn {
		return "earning"
	}
	return "ordering"
}

// repeats is how often everything is measured: what is compared takes turns
// (A B A B …), so that a busy moment of the machine spoils one pair and not one
// side of the comparison.
const repeats = 3

// run carries the round out over HTTP and returns when it began.
func (r round) run(ctx context.Context, s *site) (outcome, clock.Instant, error) {
	requests, err := r.requests(ctx, s)
	if err != nil {
		return outcome{}, 0, err
	}
	began := clock.Now(clock.NewSystem())
	out, err := s.timed(s.server.Process.Pid, func() (outcome, error) { return hammer(ctx, s.addr, r.clients, requests) })
	return out, began, err
}

func (r round) requests(ctx context.Context, s *site) ([]request, error) {
	if !r.earn {
		return s.orders(r.items(), r.spread), s.greet(ctx, s.buyers[:min(len(s.buyers), r.items())])
	}
	people, err := s.fresh(r)
	if err != nil {
		return nil, err
	}
	out := make([]request, len(people))
	for i, p := range people {
		out[i] = newRequest(http.MethodPost, "/mp/v1/sign-ins", p.token, "", "", http.StatusOK, http.StatusCreated)
	}
	return out, s.greet(ctx, people)
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

// runInProcess carries the round out by the services, without HTTP.
func (r round) runInProcess(ctx context.Context, s *site, a *app.App) (out outcome, began clock.Instant, err error) {
	var people []someone
	if r.earn {
		if people, err = s.fresh(r); err != nil {
			return out, 0, err
		}
	}
	do := func(_, i int) (bool, error) {
		if r.earn {
			_, err := a.Reading.SignIn(ctx, people[i].actor)
			return true, err
		}
		_, err := a.Market.Order(ctx, s.buyers[i%len(s.buyers)].actor, market.OrderInput{
			BenefitID: s.benefit(i, r.spread), IdempotencyKey: freshKey(),
		})
		return true, err
	}
	began = clock.Now(clock.NewSystem())
	out, err = s.timed(os.Getpid(), func() (outcome, error) { return together(r.clients, r.items(), do) })
	return out, began, err
}

// timed adds what the serving process and the database server used meanwhile.
func (s *site) timed(pid int, do func() (outcome, error)) (out outcome, err error) {
	before, err := cpuTime(pid)
	if err != nil {
		return out, err
	}
	databaseBefore, err := s.databaseCPU()
	if err != nil {
		return out, err
	}
	if out, err = do(); err != nil {
		return out, err
	}
	after, err := cpuTime(pid)
	if err != nil {
		return out, err
	}
	databaseAfter, err := s.databaseCPU()
	out.cpu, out.databaseCPU = after-before, databaseAfter-databaseBefore
	return out, err
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

// floorConnections is how many transactions of the program run at once: those
// of one benefit are all in one lane.
func (s *site) floorConnections(r round) int {
	if s.driver == database.SQLite || (!r.earn && !r.spread) {
		return 1
	}
	return s.lanes
}

// beside is one line of the floor's table, over its rounds.
type beside struct {
	ours, floor, share, size, p50, p99 figures
	cpu, databaseCPU, floorCPU         figures // of an item
}

// againstFloor measures ordering and earning, hot, at 64 clients.
func againstFloor(ctx context.Context, rep *report, s *site) error {
	head := []string{"what", "a second", "floor a second", "of the floor", "in one transaction", "p50 ms", "p99 ms", "server CPU µs"}
	if s.driver == database.MySQL {
		head = append(head, "database CPU µs", "floor's database CPU µs")
	}
	rep.columns(head...)
	kinds := []round{{clients: hotClients}, {earn: true, clients: hotClients}}
	err := s.served(ctx, func() error {
		for _, r := range kinds {
			err := s.compareWithFloor(ctx, rep, r, r.name()+" over HTTP", func() (outcome, clock.Instant, error) { return r.run(ctx, s) })
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.inProcess(ctx, func(a *app.App) error {
		for _, r := range kinds {
			r.inProcess = true
			err := s.compareWithFloor(ctx, rep, r, r.name()+" in process", func() (outcome, clock.Instant, error) { return r.runInProcess(ctx, s, a) })
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// compareWithFloor measures rounds of ours and of the floor in turn.
func (s *site) compareWithFloor(ctx context.Context, rep *report, r round, name string, ours func() (outcome, clock.Instant, error)) error {
	var b beside
	for range repeats {
		out, began, err := ours()
		if err != nil {
			return err
		}
		if err := s.addBeside(ctx, &b, r, out, began); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	row := []any{name, b.ours.as("%.0f"), b.floor.as("%.0f"), b.share.as("%.2f"), b.size.as("%.0f"), b.p50.as("%.1f"), b.p99.as("%.1f"), b.cpu.as("%.0f")}
	if s.driver == database.MySQL {
		row = append(row, b.databaseCPU.as("%.0f"), b.floorCPU.as("%.0f"))
	}
	rep.row(row...)
	return nil
}

func (s *site) addBeside(ctx context.Context, b *beside, r round, out outcome, began clock.Instant) error {
	txs, err := recordedTx(ctx, s.db.WriteSQL(), r.kind(), began)
	if err != nil {
		return err
	}
	items := 0
	for _, t := range txs {
		items += t.items
	}
	if items != r.items() || out.good != r.items() {
		return fmt.Errorf("%d asked for, %d answered as done, %d recorded", r.items(), out.good, items)
	}
	before, err := s.databaseCPU()
	if err != nil {
		return err
	}
	floor, err := replay(ctx, s.floor.WriteSQL(), s.floorConnections(r), txs)
	if err != nil {
		return err
	}
	after, err := s.databaseCPU()
	each := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(items) }
	b.ours.add(out.perSecond())
	b.floor.add(floor)
	b.share.add(out.perSecond() / floor)
	b.size.add(float64(items) / float64(len(txs)))
	b.p50.add(milliseconds(quantile(out.took1, 0.5)))
	b.p99.add(milliseconds(quantile(out.took1, 0.99)))
	b.cpu.add(each(out.cpu))
	b.databaseCPU.add(each(out.databaseCPU))
	b.floorCPU.add(each(after - before))
	return err
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// hotAgainstSpread measures 1, 16 and 64 clients on one row and on many.
func hotAgainstSpread(ctx context.Context, rep *report, s *site) error {
	rep.columns("what", "clients", "hot a second", "spread a second", "hot of spread", "hot p50 ms", "hot p99 ms", "ping p50 ms", "ping p99 ms")
	return s.served(ctx, func() error {
		for _, earn := range []bool{false, true} {
			for _, clients := range []int{1, 16, hotClients} {
				if err := s.compareHot(ctx, rep, round{earn: earn, clients: clients}); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// compareHot measures rounds of pings, hot and spread in turn.
func (s *site) compareHot(ctx context.Context, rep *report, r round) error {
	var hots, spreads, share, p50, p99, ping50, ping99 figures
	on := r
	on.spread = true
	for range repeats {
		ping, err := hammer(ctx, s.addr, r.clients, pings(r.items()))
		if err != nil {
			return err
		}
		hot, _, err := r.run(ctx, s)
		if err != nil {
			return err
		}
		spread, _, err := on.run(ctx, s)
		if err != nil {
			return err
		}
		if hot.good != r.items() || spread.good != r.items() {
			return fmt.Errorf("%s: %d and %d of %d were done", r.name(), hot.good, spread.good, r.items())
		}
		hots.add(hot.perSecond())
		spreads.add(spread.perSecond())
		share.add(hot.perSecond() / spread.perSecond())
		p50.add(milliseconds(quantile(hot.took1, 0.5)))
		p99.add(milliseconds(quantile(hot.took1, 0.99)))
		ping50.add(milliseconds(quantile(ping.took1, 0.5)))
		ping99.add(milliseconds(quantile(ping.took1, 0.99)))
	}
	rep.row(r.name(), r.clients, hots.as("%.0f"), spreads.as("%.0f"), share.as("%.2f"), p50.as("%.1f"), p99.as("%.1f"), ping50.as("%.1f"), ping99.as("%.1f"))
	return nil
}

// What is sold out: 10,000 requests for 200 tickets.
const (
	tickets = 200
	wanting = 10_000
)

// sale is one line of the table of what is sold out.
type sale struct{ rate, p50, p99, share50, share99 figures }

func (l *sale) add(out, ping outcome) {
	p50, p99 := quantile(out.took1, 0.5), quantile(out.took1, 0.99)
	l.rate.add(out.perSecond())
	l.p50.add(milliseconds(p50))
	l.p99.add(milliseconds(p99))
	l.share50.add(float64(p50) / float64(quantile(ping.took1, 0.5)))
	l.share99.add(float64(p99) / float64(quantile(ping.took1, 0.99)))
}

// soldOut lets people run for one benefit after another, with pings between.
func soldOut(ctx context.Context, rep *report, s *site) error {
	rep.columns("what", "a second", "p50 ms", "p99 ms", "p50 of a ping's", "p99 of a ping's")
	var pinged, sold sale
	err := s.served(ctx, func() error {
		for _, benefit := range s.benefits[:repeats] {
			ping, err := hammer(ctx, s.addr, hotClients, pings(wanting))
			if err != nil {
				return err
			}
			out, err := s.sellOut(ctx, benefit)
			if err != nil {
				return err
			}
			pinged.add(ping, ping)
			sold.add(out, ping)
		}
		return nil
	})
	if err != nil {
		return err
	}
	line := func(name string, l sale) {
		rep.row(name, l.rate.as("%.0f"), l.p50.as("%.1f"), l.p99.as("%.1f"), l.share50.as("%.2f"), l.share99.as("%.2f"))
	}
	line("pings", pinged)
	line(fmt.Sprintf("%d requests for %d tickets", wanting, tickets), sold)
	return nil
}

func (s *site) sellOut(ctx context.Context, benefit string) (outcome, error) {
	requests := make([]request, wanting)
	for i := range requests {
		requests[i] = newRequest(http.MethodPost, "/mp/v1/orders", s.buyers[i%len(s.buyers)].token, freshKey(),
			`{"benefit_id":"`+benefit+`"}`, http.StatusCreated, http.StatusConflict)
	}
	if err := s.greet(ctx, s.buyers); err != nil {
		return outcome{}, err
	}
	out, err := hammer(ctx, s.addr, hotClients, requests)
	if err != nil {
		return out, err
	}
	var stored int
	if err := s.db.Read(ctx).Raw("SELECT COUNT(*) FROM benefit_order WHERE benefit_id = ?", benefit).Scan(&stored).Error; err != nil {
		return out, err
	}
	if out.good != tickets || stored != tickets {
		return out, fmt.Errorf("%d tickets: %d answered as ordered, %d stored", tickets, out.good, stored)
	}
	return out, nil
}
