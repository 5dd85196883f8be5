package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"jiamenkou/internal/app"
	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
	"jiamenkou/service/assurance"
	"jiamenkou/service/leaderboard"
	"jiamenkou/service/ledger"
)

// Growth is how the cost of a call changes with what there is already. One
// database grows from size to size; its rows are written set by set, as the
// program would have written them one after the other, so that the audit passes.

const (
	firstWallets = 10_000
	fillWallets  = 10_000 // of one transaction of the filling
	growthCalls  = 300    // of each kind and round
	scores       = 1_000  // distinct ones on the leaderboard
)

// setting is a number that the environment may change.
func setting(name string, or int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return or
}

// size is one line of the table of growth.
type size struct {
	wallets, transfers                int
	posting, wallet, entries, rank    figures // milliseconds of a call
	sealEach                          float64 // microseconds of the sealer for a transfer
	auditEach, auditSeconds, auditMiB float64
}

// growth measures posting, reading and the audit at 10⁴, 10⁵ … wallets, up to
// BENCH_WALLETS with BENCH_TRANSFERS each.
func growth(ctx context.Context, rep *report, s *site) error {
	rep.columns("wallets", "transfers", "posting ms", "wallet ms", "entries ms", "my rank ms", "sealer µs a transfer", "audit s", "audit µs a transfer", "audit's memory MiB")
	g := &growing{site: s, each: setting("BENCH_TRANSFERS", 10)}
	if err := g.prepare(ctx); err != nil {
		return err
	}
	most := setting("BENCH_WALLETS", 100_000)
	for n := min(firstWallets, most); ; n = min(n*10, most) {
		line, err := g.measure(ctx, n)
		if err != nil {
			return fmt.Errorf("at %d wallets: %w", n, err)
		}
		rep.row(line.wallets, line.transfers, line.posting.as("%.2f"), line.wallet.as("%.2f"), line.entries.as("%.2f"), line.rank.as("%.2f"),
			fmt.Sprintf("%.1f", line.sealEach), fmt.Sprintf("%.1f", line.auditSeconds), fmt.Sprintf("%.1f", line.auditEach), fmt.Sprintf("%.0f", line.auditMiB))
		// Whoever stops it at a size that takes too long has the others.
		fmt.Fprintln(os.Stderr, "bench:", strings.Join(rep.rows[len(rep.rows)-1], " | "))
		if n == most {
			return nil
		}
	}
}

type growing struct {
	*site
	each   int // transfers of a wallet
	have   int // wallets so far
	posted int // transfers beside those of the filling
	home   model.Region
	root   model.Region
	budget string
}

func (g *growing) prepare(ctx context.Context) error {
	db := g.db.Read(ctx)
	if err := db.Where("code = ?", villageCode(0)).Take(&g.home).Error; err != nil {
		return err
	}
	if err := db.Where("code = ?", "330481000000").Take(&g.root).Error; err != nil {
		return err
	}
	err := db.Raw("SELECT b.id FROM budget b JOIN region r ON r.id = b.region_id WHERE r.code = ?", townCode(0)).Scan(&g.budget).Error
	if err != nil {
		return err
	}
	// The numbers from 0 on, which the filling counts by.
	for _, q := range []string{
		"CREATE TABLE bench_number (n BIGINT NOT NULL PRIMARY KEY)",
		"INSERT INTO bench_number VALUES (0)",
	} {
		if _, err := g.db.WriteSQL().ExecContext(ctx, q); err != nil {
			return err
		}
	}
	for n := 1; n < fillWallets; n *= 2 {
		if _, err := g.db.WriteSQL().ExecContext(ctx, "INSERT INTO bench_number SELECT n + ? FROM bench_number", n); err != nil {
			return err
		}
	}
	return nil
}

func (g *growing) measure(ctx context.Context, wallets int) (out size, err error) {
	filling := time.Now()
	if err := g.fill(ctx, wallets); err != nil {
		return out, fmt.Errorf("fill: %w", err)
	}
	fmt.Fprintf(os.Stderr, "bench: %d wallets were there after %s\n", wallets, time.Since(filling).Round(time.Second))
	out.wallets = wallets
	err = g.inProcess(ctx, func(a *app.App) error {
		if err := g.seal(ctx, a, &out); err != nil {
			return fmt.Errorf("seal: %w", err)
		}
		if err := g.calls(ctx, a, &out); err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "bench: posting %s, wallet %s, entries %s, rank %s ms; now the audit\n",
			out.posting.as("%.2f"), out.wallet.as("%.2f"), out.entries.as("%.2f"), out.rank.as("%.2f"))
		return g.auditTimed(ctx, a, &out)
	})
	return out, err
}

// The ids of what is filled: in the alphabet of ULIDs, and earlier than any
// that the program makes. A wallet's transfers are as far apart as the turns
// in which people earn.
const (
	walletNumber = "SUBSTR(CONCAT('00000000000000000000000', n + @base), -21)"
	turnNumber   = "SUBSTR(CONCAT('00', t), -2)"
)

// filled are the statements of one part; @base is the first wallet's number.
func (g *growing) filled() []string {
	resident := "CONCAT('01G00', " + walletNumber + ")"
	wallet := "CONCAT('1', " + resident + ")"
	event := "CONCAT('01H', " + turnNumber + ", " + walletNumber + ")"
	lot := "CONCAT('01J00', " + walletNumber + ")"
	one := " FROM bench_number WHERE n < @part"
	turns := " FROM (SELECT n AS t FROM bench_number WHERE n < @each) turns CROSS JOIN bench_number WHERE bench_number.n < @part"
	return []string{
		`INSERT INTO resident (id, nickname, volunteer_number, home_region_id, status, created_at, updated_at)
			SELECT ` + resident + `, '居民', CONCAT('B', n + @base), @home, 'active', @now, @now` + one,
		`INSERT INTO account (id, kind, owner_id, created_at) SELECT ` + wallet + `, 'wallet', ` + resident + `, @now` + one,
		`INSERT INTO account_balance (account_id, posted, headroom) SELECT ` + wallet + `, @each, @each` + one,
		`INSERT INTO lot (id, account_id, expires_on, remaining, created_at) SELECT ` + lot + `, ` + wallet + `, @expiry, @each, @now` + one,
		`INSERT INTO journal (id, kind, source_type, source_id, actor_id, input_hash, evidence, effective_at, created_at)
			SELECT ` + event + `, 'earn', 'bench', CONCAT(t, ':', bench_number.n + @base), ` + resident + `, @hash, '{}', @now + t, @now + t` + turns,
		`INSERT INTO transfer (id, journal_id, debit_account_id, credit_account_id, amount, created_at)
			SELECT ` + event + `, ` + event + `, @budget, ` + wallet + `, 1, @now + t` + turns,
		`INSERT INTO lot_entry (transfer_id, lot_id, amount) SELECT ` + event + `, ` + lot + `, 1` + turns,
		`UPDATE account_balance SET posted = posted - @part * @each, headroom = headroom - @part * @each, version = version + 1 WHERE account_id = @budget`,
	}
}

// fill adds wallets until there are so many.
func (g *growing) fill(ctx context.Context, wallets int) error {
	conn, err := g.db.WriteSQL().Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // the pool's
	// What is written is right; looking each row's parent up would take as long again.
	off, on := "PRAGMA foreign_keys = OFF", "PRAGMA foreign_keys = ON"
	if g.driver == database.MySQL {
		off, on = "SET foreign_key_checks = 0, unique_checks = 0", "SET foreign_key_checks = 1, unique_checks = 1"
	}
	if _, err := conn.ExecContext(ctx, off); err != nil {
		return err
	}
	for g.have < wallets {
		part := min(fillWallets, wallets-g.have)
		if err := g.fillPart(ctx, conn, part); err != nil {
			return err
		}
		g.have += part
	}
	if _, err := conn.ExecContext(ctx, on); err != nil {
		return err
	}
	return g.writeScores(ctx, conn)
}

func (g *growing) fillPart(ctx context.Context, conn *sql.Conn, part int) error {
	now := clock.Now(clock.NewSystem())
	values := map[string]any{
		"base": g.have, "part": part, "each": g.each, "home": g.home.ID, "root": g.root.ID, "budget": string(ledger.BudgetOf(g.budget)),
		"now": int64(now) - int64(90*24*time.Hour/time.Microsecond), "hash": strings.Repeat("0", 64), "expiry": fmt.Sprintf("%04d-12-31", now.Day().Start().Time().Year()+1),
	}
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	for _, q := range g.filled() {
		query, args := positional(q, values)
		if _, err := tx.ExecContext(ctx, query, args...); err != nil {
			return errors.Join(fmt.Errorf("%.60s…: %w", q, err), tx.Rollback())
		}
	}
	return tx.Commit()
}

// positional replaces @names by question marks, which both drivers know.
func positional(query string, values map[string]any) (string, []any) {
	var (
		b    strings.Builder
		args []any
	)
	parts := strings.Split(query, "@")
	b.WriteString(parts[0])
	for _, p := range parts[1:] {
		end := strings.IndexFunc(p, func(r rune) bool { return r < 'a' || r > 'z' })
		if end < 0 {
			end = len(p)
		}
		args = append(args, values[p[:end]])
		b.WriteString("?" + p[end:])
	}
	return b.String(), args
}

func weekOf(day clock.Day) clock.Day {
	return day.AddDays(-(int(day.Start().Time().Weekday()) + 6) % 7)
}

// writeScores puts everybody on the leaderboard of this week, with the histogram.
func (g *growing) writeScores(ctx context.Context, conn *sql.Conn) error {
	write, args := positional(`INSERT INTO leaderboard_score (region_id, period_kind, period_start, resident_id, points, listed)
		SELECT @root, 'week', @week, id, 1 + (SUBSTR(id, -9) + 0) % @scores, 1 FROM resident WHERE id >= '01G' AND id < '01H'`,
		map[string]any{"root": g.root.ID, "week": string(weekOf(clock.Today(clock.NewSystem()))), "scores": scores})
	if _, err := conn.ExecContext(ctx, write, args...); err != nil {
		return err
	}
	queries := []string{
		`INSERT INTO leaderboard_bucket (period_kind, period_start, region_id, points, residents)
			SELECT period_kind, period_start, region_id, points, COUNT(*) FROM leaderboard_score GROUP BY period_kind, period_start, region_id, points`,
	}
	if g.driver == database.MySQL { // as the server does by itself, a little later
		queries = append(queries, "ANALYZE TABLE resident, account, account_balance, lot, journal, transfer, lot_entry, leaderboard_score, leaderboard_bucket")
	}
	for _, q := range queries {
		if _, err := conn.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

// seal puts what was filled into its chains and seals them, as the jobs do.
func (g *growing) seal(ctx context.Context, a *app.App, out *size) error {
	at := time.Now()
	n, err := a.Ledger.RelinkTransfers(ctx)
	if err != nil {
		return err
	}
	if _, err := a.Ledger.Seal(ctx); err != nil {
		return err
	}
	out.sealEach = float64(time.Since(at).Microseconds()) / float64(n)
	if g.driver == database.MySQL {
		_, err = g.db.WriteSQL().ExecContext(ctx, "ANALYZE TABLE wallet_link, seal_leaf, seal_node")
	}
	return err
}

// calls times one call after the other, each of somebody else.
func (g *growing) calls(ctx context.Context, a *app.App, out *size) error {
	for _, k := range []struct {
		into *figures
		call func(authz.Actor) error
	}{
		{&out.posting, func(who authz.Actor) error { _, err := a.Reading.SignIn(ctx, who); return err }},
		{&out.wallet, func(who authz.Actor) error { _, err := a.Ledger.Wallet(ctx, who.ID); return err }},
		{&out.entries, func(who authz.Actor) error {
			_, err := a.Ledger.Entries(ctx, ledger.WalletOf(who.ID), ledger.EntryFilter{}, paging.Request{Limit: 20})
			return err
		}},
		{&out.rank, func(who authz.Actor) error {
			r, err := a.Leaderboard.MyRank(ctx, who, leaderboard.Query{Kind: model.LeaderboardWeek, RegionID: g.root.ID})
			if err == nil && r.Rank == 0 {
				err = fmt.Errorf("no rank: %s", r.Hint)
			}
			return err
		}},
	} {
		for range repeats {
			took, err := g.timeCalls(ctx, a, k.call, k.into == &out.rank)
			if err != nil {
				return err
			}
			k.into.add(milliseconds(quantile(took, 0.5)))
		}
	}
	g.posted += repeats * growthCalls
	out.transfers = g.have*g.each + g.posted
	return nil
}

func (g *growing) timeCalls(ctx context.Context, a *app.App, call func(authz.Actor) error, consent bool) ([]time.Duration, error) {
	took := make([]time.Duration, growthCalls)
	for i := range took {
		// Anybody may be met twice: whoever has signed in gets the first answer again.
		id := fmt.Sprintf("01G00%021d", rand.IntN(g.have)) //nolint:gosec // whom to ask is no secret
		who := authz.Actor{Kind: authz.KindResident, ID: id, RegionID: g.home.ID, RegionPath: g.home.Path}
		if consent {
			if err := a.Identity.GrantConsent(ctx, who, model.ConsentLeaderboard, "1"); err != nil {
				return nil, err
			}
		}
		at := time.Now()
		if err := call(who); err != nil {
			return nil, err
		}
		took[i] = time.Since(at)
	}
	slices.Sort(took)
	return took, nil
}

// auditTimed runs the whole audit, and watches this process's memory meanwhile.
func (g *growing) auditTimed(ctx context.Context, a *app.App, out *size) error {
	// The scores of the filling have no awards: the leaderboard's audit is not
	// what is measured here.
	for _, table := range []string{"leaderboard_bucket", "leaderboard_score"} {
		if _, err := g.db.WriteSQL().ExecContext(ctx, "DELETE FROM "+table); err != nil {
			return err
		}
	}
	debug.FreeOSMemory()
	before, err := residentMiB()
	if err != nil {
		return err
	}
	peak, stop, done := before, make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				if now, err := residentMiB(); err == nil {
					peak = max(peak, now)
				}
			}
		}
	}()
	at := time.Now()
	report, err := a.Assurance.Audit(ctx, assurance.Options{})
	took := time.Since(at)
	close(stop)
	<-done
	if err != nil {
		return err
	}
	if !report.Sound {
		return errors.New("the audit found differences:\n" + report.Text())
	}
	out.auditSeconds, out.auditMiB = took.Seconds(), peak-before
	out.auditEach = float64(took.Microseconds()) / float64(out.transfers)
	return nil
}

// residentMiB is the memory that this process has from the system.
func residentMiB() (float64, error) {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, err
	}
	var total, resident int
	if _, err := fmt.Sscan(string(text), &total, &resident); err != nil {
		return 0, err
	}
	return float64(resident*os.Getpagesize()) / (1 << 20), nil
}
