package app

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/service/market"
)

// binary is the real program, built once for all tests of the package.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "jmk-binary-")
	if err != nil {
		return "", err
	}
	binaryFolder = dir
	path := filepath.Join(dir, "jiamenkou")
	out, err := exec.CommandContext(context.Background(), "go", "build", "-o", path, "jiamenkou").CombinedOutput() //nolint:gosec // our own folder
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

var binaryFolder string // "" until somebody needed the binary

func TestMain(m *testing.M) {
	code := m.Run()
	if binaryFolder != "" {
		_ = os.RemoveAll(binaryFolder)
	}
	os.Exit(code)
}

// process is the program running as a process of its own.
type process struct {
	*site
	cmd  *exec.Cmd
	out  *output
	done chan struct{} // closed when it has ended
}

func command(t testing.TB, env []string, args ...string) *process {
	t.Helper()
	path, err := binary()
	require.NoError(t, err)
	p := &process{out: &output{}, done: make(chan struct{})}
	p.cmd = exec.CommandContext(context.Background(), path, args...) //nolint:gosec // our own binary
	p.cmd.Dir = t.TempDir()                                          // no config.yaml beside it
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}, env...)
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	require.NoError(t, p.cmd.Start())
	go func() {
		_ = p.cmd.Wait() // the code is asked for where it matters
		close(p.done)
	}()
	t.Cleanup(p.kill)
	return p
}

// exit waits for the end and returns the code, -1 after a signal.
func (p *process) exit(t testing.TB) int {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(bootWait):
		require.FailNow(t, "the process does not end", p.out.String())
	}
	return p.cmd.ProcessState.ExitCode()
}

// kill ends it with SIGKILL if it still runs.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// terminate asks it to stop and requires that it does so in order.
func (p *process) terminate(t testing.TB) {
	t.Helper()
	p.http.CloseIdleConnections()
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	require.Zero(t, p.exit(t), p.out.String())
}

var serving = regexp.MustCompile(`"msg":"serving","addr":"([^"]+)"`)

// start serves and waits until it listens.
func start(t testing.TB, env []string) *process {
	t.Helper()
	p := command(t, slices.Concat(env, []string{"JMK_LOG_LEVEL=info", "JMK_LOG_FORMAT=json"}), "serve")
	deadline := time.After(bootWait)
	for {
		if m := serving.FindStringSubmatch(p.out.String()); m != nil {
			p.site = newSite(t, m[1])
			return p
		}
		select {
		case <-p.done:
			require.FailNow(t, "the process did not start", p.out.String())
		case <-deadline:
			require.FailNow(t, "the process does not listen", p.out.String())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// finish runs one command to its end.
func finish(t testing.TB, env []string, args ...string) (code int, out string) {
	t.Helper()
	p := command(t, env, args...)
	return p.exit(t), p.out.String()
}

func TestTermination(t *testing.T) {
	env := environ(t, databasetest.Config(t, database.SQLite))
	seed(t, openApp(t, env, clock.NewSystem()), want{})
	p := start(t, env)

	// A request of which half has arrived: the server asks for the rest
	// (100 Continue) once it reads, so it is in flight for sure.
	body := `{"code":"demo-slow-1"}`
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(p.base, "http://"))
	require.NoError(t, err)
	defer conn.Close() //nolint:errcheck // the answer was read
	require.NoError(t, conn.SetDeadline(time.Now().Add(bootWait)))
	_, err = fmt.Fprintf(conn, "POST /mp/v1/auth/login HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"+
		"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n", len(body))
	require.NoError(t, err)
	reader := bufio.NewReader(conn)
	line, err := reader.ReadString('\n')
	require.NoError(t, err)
	require.Contains(t, line, "100 Continue")
	_, err = reader.ReadString('\n')
	require.NoError(t, err)
	_, err = io.WriteString(conn, body[:8])
	require.NoError(t, err)

	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	require.Eventually(t, func() bool {
		c, err := net.DialTimeout("tcp", strings.TrimPrefix(p.base, "http://"), time.Second) //nolint:noctx // it has a time-out
		if err == nil {
			_ = c.Close()
		}
		return err != nil
	}, bootWait, 5*time.Millisecond, "new connections are refused")
	_, err = io.WriteString(conn, body[8:])
	require.NoError(t, err)
	resp, err := http.ReadResponse(reader, nil)
	require.NoError(t, err)
	defer resp.Body.Close() //nolint:errcheck // it was read
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, 200, resp.StatusCode, string(text))
	require.Contains(t, string(text), `"new":true`)
	require.Zero(t, p.exit(t), p.out.String())

	t.Run("the next run finds the data", func(t *testing.T) {
		again := start(t, env)
		in := into[struct{ New bool }](t, again.call(http.MethodPost, "/mp/v1/auth/login", "", object{"code": "demo-slow-2"}))
		require.False(t, in.New)
		again.terminate(t)
	})
}

func TestPortInUse(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close() //nolint:errcheck // nothing came
	env := environ(t, databasetest.Config(t, database.SQLite), "JMK_HTTP_ADDR="+l.Addr().String())
	seed(t, openApp(t, env, clock.NewSystem()), want{})
	code, out := finish(t, env, "serve")
	require.Equal(t, 1, code)
	require.Contains(t, out, "cannot listen on "+l.Addr().String())
	require.Contains(t, out, "JMK_HTTP_ADDR")
	require.NotContains(t, out, "goroutine")
}

func TestWrongConfigurationStopsTheStart(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	key := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32)))
	demo := []string{"JMK_DATABASE_SQLITE_PATH=" + filepath.Join(dir, "x.sqlite"), "JMK_FILES_PATH=" + dir}
	one := func(kv string) []string { return []string{kv} }
	production := append([]string{
		"JMK_MODE=production", "JMK_WECHAT_SIMULATOR=false", "JMK_WECHAT_APP_ID=wx1", "JMK_WECHAT_APP_SECRET=s", "JMK_WECHAT_CALLBACK_TOKEN=t",
		"JMK_SECRETS_JWT=" + key, "JMK_SECRETS_CODE=" + key, "JMK_SECRETS_FILE_LINK=" + key, "JMK_SECRETS_PII=a:" + key, "JMK_HTTP_ADDR=127.0.0.1:0",
	}, demo...)
	for _, c := range []struct {
		name string
		env  []string
		args []string
		says []string
	}{
		{"a variable that is none", slices.Concat(demo, one("JMK_HTPP_ADDR=x")), nil, []string{"JMK_HTPP_ADDR"}},
		{"a value of the wrong type", slices.Concat(demo, one("JMK_QUEUE_WORKERS=many")), nil, []string{"JMK_QUEUE_WORKERS"}},
		{"a value that makes no sense", slices.Concat(demo, one("JMK_DATABASE_DRIVER=oracle")), nil, []string{"database.driver", "JMK_DATABASE_DRIVER"}},
		{"a key in the file that is none", demo, []string{"--config", file("a.yaml", "htpp:\n  addr: x\n")}, []string{"htpp", "a.yaml"}},
		{"a key beneath one that is none", demo, []string{"--config", file("b.yaml", "http:\n  adr: x\n")}, []string{"adr", "b.yaml"}},
		{"a file that is not there", demo, []string{"--config", filepath.Join(dir, "none.yaml")}, []string{"none.yaml"}},
		{
			"production without secrets", slices.Concat(demo, one("JMK_MODE=production")), nil,
			[]string{"JMK_SECRETS_JWT", "JMK_SECRETS_PII", "JMK_SECRETS_CODE", "JMK_SECRETS_FILE_LINK", "JMK_WECHAT_SIMULATOR", "JMK_WECHAT_APP_SECRET"},
		},
		{"production with a demo secret", slices.Concat(production, one("JMK_SECRETS_JWT=demo-only:"+key)), nil, []string{"JMK_SECRETS_JWT", "demo secret"}},
		{"production with the simulator", slices.Concat(production, one("JMK_WECHAT_SIMULATOR=true")), nil, []string{"JMK_WECHAT_SIMULATOR"}},
		{"a secret that is too short", slices.Concat(production, one("JMK_SECRETS_CODE=short")), nil, []string{"JMK_SECRETS_CODE"}},
		{"production on an unmigrated database", production, nil, []string{"database.not_migrated", "migrate up"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out := finish(t, c.env, append([]string{"serve"}, c.args...)...)
			require.Equal(t, 1, code, out)
			for _, s := range c.says {
				require.Contains(t, out, s)
			}
			require.NotContains(t, out, "goroutine")
			require.NotContains(t, out, key, "no secret is printed")
		})
	}
	t.Run("production refuses the demo county", func(t *testing.T) {
		code, out := finish(t, production, "demo", "--load-only")
		require.Equal(t, 1, code)
		require.Contains(t, out, "demo")
	})
	t.Run("production, migrated, serves without a reference page", func(t *testing.T) {
		code, out := finish(t, production, "migrate", "up")
		require.Zero(t, code, out)
		p := start(t, production)
		require.Equal(t, 200, p.call(http.MethodGet, "/readyz", "", nil).status)
		for _, path := range []string{"/docs/mp-v1/swagger-ui.css", "/openapi/mp-v1.json"} {
			require.Equal(t, 404, p.call(http.MethodGet, path, "", nil).status, path)
		}
		p.terminate(t)
	})
}

// attempt is one redemption as its client knows it.
type attempt struct {
	buyer, clerk     *person
	shop             shop
	orderKey, order  string
	scanKey, code    string
	ordered, scanned bool // acknowledged
}

// walk takes the attempt from where it stands to its end. An error of the
// connection leaves it where it stood.
func (a *attempt) walk(ctx context.Context, s *site) error {
	if !a.ordered {
		got, err := s.try(ctx, http.MethodPost, "/mp/v1/orders", a.buyer.token, object{"benefit_id": a.shop.benefitID}, "Idempotency-Key", a.orderKey)
		if err != nil {
			return err
		}
		if got.status != http.StatusCreated {
			return refused{"order", got}
		}
		a.order, a.ordered = into[struct{ ID string }](s.t, got).ID, true
	}
	for !a.scanned {
		if a.code == "" {
			got, err := s.try(ctx, http.MethodGet, "/mp/v1/orders/"+a.order+"/code", a.buyer.token, nil)
			if err != nil {
				return err
			}
			if got.status != http.StatusOK {
				return refused{"code", got}
			}
			a.code = into[struct{ Code string }](s.t, got).Code
		}
		got, err := s.try(ctx, http.MethodPost, "/api/v1/redemptions", a.clerk.token,
			object{"code": a.code, "store_id": a.shop.storeID}, "Idempotency-Key", a.scanKey)
		switch {
		case err != nil:
			return err
		case got.code() == "market.code_expired":
			a.code, a.scanKey = "", freshKey() // as the clerk would: scan anew
		case got.status != http.StatusOK:
			return refused{"redemption", got}
		default:
			a.scanned = true
		}
	}
	return nil
}

// refused is an answer that no attempt should get.
type refused struct {
	what string
	answer
}

func (r refused) Error() string { return r.what + ": " + r.String() }

// rush lets every buyer order and redeem without pause until the connection
// breaks, and returns all attempts.
func rush(t *testing.T, s *site, buyers, clerks []*person, c *county, succeeded *atomic.Int64) []*attempt {
	t.Helper()
	var (
		mu       sync.Mutex
		attempts []*attempt
		failures []error
		all      sync.WaitGroup
	)
	for i, buyer := range buyers {
		all.Go(func() {
			for n := range 40 {
				at := (i + n) % len(c.shops)
				a := &attempt{buyer: buyer, clerk: clerks[at], shop: c.shops[at], orderKey: freshKey(), scanKey: freshKey()}
				mu.Lock()
				attempts = append(attempts, a)
				mu.Unlock()
				if err := a.walk(t.Context(), s); err != nil {
					if _, no := errors.AsType[refused](err); no {
						mu.Lock()
						failures = append(failures, err)
						mu.Unlock()
					}
					return
				}
				succeeded.Add(1)
			}
		})
	}
	all.Wait()
	require.Empty(t, failures, "a server under load, or one that dies, refuses nothing")
	return attempts
}

func TestKilledWhileRedeeming(t *testing.T) {
	bothDrivers(t, func(t *testing.T, db database.Config) {
		const buyersCount = 12
		rounds := databasetest.Rounds(t, 3, 30)
		env := environ(t, db)
		a := openApp(t, env, clock.NewSystem())
		c := seed(t, a, want{shops: 3, residents: buyersCount, signIn: 2000, stock: 100_000})
		var all []*attempt
		for round := range rounds {
			p := start(t, env)
			var buyers, clerks []*person
			for i := range buyersCount {
				buyers = append(buyers, p.resident(fmt.Sprintf("r%d", i)))
			}
			for _, s := range c.shops {
				clerks = append(clerks, p.staff(s.clerk))
			}
			var succeeded atomic.Int64
			ctx, over := context.WithCancel(t.Context())
			var killer sync.WaitGroup
			killer.Go(func() {
				for ctx.Err() == nil && succeeded.Load() < int64(20+13*(round%5)) {
					time.Sleep(time.Millisecond)
				}
				p.kill()
			})
			attempts := rush(t, p.site, buyers, clerks, c, &succeeded)
			over()
			killer.Wait()
			all = append(all, attempts...)

			next := start(t, env)
			requireSound(t, env, nil)
			redemptions := func(orderID string) int64 {
				return count(t, a.db.WriteSQL(), "SELECT COUNT(*) FROM redemption WHERE order_id = ?", orderID)
			}
			var lost int
			for _, x := range attempts {
				if x.scanned {
					require.EqualValues(t, 1, redemptions(x.order), "an acknowledged redemption is there, once")
					continue
				}
				lost++
				// The client never heard the answer: its keys find it or do it now.
				require.NoError(t, x.walk(t.Context(), next.site))
				require.EqualValues(t, 1, redemptions(x.order))
			}
			require.NotZero(t, lost, "the kill came in the middle")
			for _, x := range attempts { // and a replay of everything changes nothing
				again := *x
				again.ordered, again.scanned = false, false
				require.NoError(t, again.walk(t.Context(), next.site))
				require.Equal(t, x.order, again.order)
			}
			next.terminate(t)
		}
		require.EqualValues(t, len(all), count(t, a.db.WriteSQL(), "SELECT COUNT(*) FROM redemption"))
		require.EqualValues(t, len(all), count(t, a.db.WriteSQL(), "SELECT COUNT(*) FROM benefit_order"))
		requireSound(t, env, nil)
	})
}

// spendDays lets residents redeem at every shop on each of the days before
// today, and returns the number of redemptions.
func spendDays(t *testing.T, env []string, days, shops int) int64 {
	t.Helper()
	today := clock.Today(clock.NewSystem())
	past := clock.NewManual(today.AddDays(-days).Start().Time().Add(9*time.Hour), 7)
	a := openApp(t, env, past)
	c := seed(t, a, want{shops: shops, residents: 3, signIn: 2000, stock: 1000})
	var n int64
	for range days {
		for _, s := range c.shops {
			clerk, err := a.Identity.LoginStaff(t.Context(), s.clerk, password)
			require.NoError(t, err)
			actor, err := a.Identity.Authenticate(t.Context(), clerk.AccessToken)
			require.NoError(t, err)
			for _, r := range c.residents[:2] {
				order, err := a.Market.Order(t.Context(), r, market.OrderInput{BenefitID: s.benefitID, IdempotencyKey: freshKey()})
				require.NoError(t, err)
				code, err := a.Market.Code(t.Context(), r, order.OrderID)
				require.NoError(t, err)
				_, err = a.Market.Redeem(t.Context(), actor, market.RedeemInput{
					Scan: market.Scan{Code: code.Code, StoreID: s.storeID}, IdempotencyKey: freshKey(),
				})
				require.NoError(t, err)
				n++
			}
		}
		past.Advance(24 * time.Hour)
	}
	return n
}

// requireSettled checks one statement per merchant and day and one line per
// redemption.
func requireSettled(t *testing.T, env []string, statements, redemptions int64) {
	t.Helper()
	db := openApp(t, env, clock.NewSystem()).db.WriteSQL()
	for query, want := range map[string]int64{
		"SELECT COUNT(*) FROM settlement_statement":                                                    statements,
		"SELECT COUNT(*) FROM (SELECT DISTINCT merchant_id, period_id FROM settlement_statement) AS x": statements,
		"SELECT COUNT(*) FROM settlement_line":                                                         redemptions,
		"SELECT COUNT(*) FROM redemption":                                                              redemptions,
		"SELECT COALESCE(SUM(line_count), 0) FROM settlement_statement":                                redemptions,
		"SELECT COUNT(*) FROM settlement_period WHERE status = 'open'":                                 1, // today's
	} {
		require.Equal(t, want, count(t, db, query), query)
	}
	requireSound(t, env, nil)
}

// closeSettlement runs the job in a process until it succeeds: the lease of
// one that was killed has to run out first.
func closeSettlement(t *testing.T, env []string) {
	t.Helper()
	var out string
	require.Eventually(t, func() bool {
		var code int
		code, out = finish(t, env, "jobs", "run", "settlement.close")
		return code == 0 && strings.Contains(out, "succeeded")
	}, bootWait, 100*time.Millisecond)
	require.Contains(t, out, "settlement.close: succeeded")
}

func TestKilledWhileSettling(t *testing.T) {
	bothDrivers(t, func(t *testing.T, db database.Config) {
		const days, shops = 6, 12
		env := environ(t, db, "JMK_JOBS_LEASE=1s")
		redemptions := spendDays(t, env, days, shops)
		watch := openApp(t, env, clock.NewSystem()).db.WriteSQL()
		statements := func() int64 { return count(t, watch, "SELECT COUNT(*) FROM settlement_statement") }
		var cutOff int
		for _, at := range []int64{1, 13, 31, 50} {
			if statements() > at {
				continue // the round before came further than it was meant to
			}
			var p *process
			require.Eventually(t, func() bool { // once the lease of the one killed before is over
				p = command(t, env, "jobs", "run", "settlement.close")
				for {
					select {
					case <-p.done:
						return statements() >= at
					default:
					}
					if statements() >= at {
						return true
					}
				}
			}, bootWait, 100*time.Millisecond)
			p.kill()
			if statements() < days*shops {
				cutOff++
			}
			requireSound(t, env, nil)
		}
		if cutOff == 0 { // a fast machine; service/settlement's own test kills between two transactions for certain
			t.Log("every kill came after the last statement")
		}
		closeSettlement(t, env)
		requireSettled(t, env, days*shops, redemptions)
		closeSettlement(t, env)
		requireSettled(t, env, days*shops, redemptions)
	})
}

func TestTwoInstancesSettleOnce(t *testing.T) {
	const days, shops = 2, 8
	t.Run("two processes run the job at once", func(t *testing.T) {
		env := environ(t, databasetest.Config(t, database.MySQL))
		redemptions := spendDays(t, env, days, shops)
		one, two := command(t, env, "jobs", "run", "settlement.close"), command(t, env, "jobs", "run", "settlement.close")
		var succeeded int
		for _, p := range []*process{one, two} {
			if p.exit(t) == 0 {
				succeeded++
				continue
			}
			require.Contains(t, p.out.String(), "job.running")
		}
		require.NotZero(t, succeeded)
		requireSettled(t, env, days*shops, redemptions)
	})
	t.Run("so do two that no lease keeps apart", func(t *testing.T) {
		bothDrivers(t, func(t *testing.T, db database.Config) {
			env := environ(t, db)
			redemptions := spendDays(t, env, days, shops)
			var all sync.WaitGroup
			errs := make([]error, 2)
			for i := range errs {
				a := openApp(t, env, clock.NewSystem())
				all.Go(func() { _, errs[i] = a.Settlement.CloseDue(t.Context()) })
			}
			all.Wait()
			require.NoError(t, errors.Join(errs...))
			requireSettled(t, env, days*shops, redemptions)
		})
	})
}
