package app

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
)

// BenchmarkHotOrders lets many residents order one benefit over HTTP and
// reports the throughput as a share of plain pings on the same server in the
// same run:
//
//	JMK_TEST_FLUSH_LOG=1 scripts/with-mariadb.sh go test ./internal/app -run '^$' -bench HotOrders -benchtime 1x
func BenchmarkHotOrders(b *testing.B) {
	const clients, each = 64, 15
	for _, driver := range []database.Driver{database.SQLite, database.MySQL} {
		b.Run(string(driver), func(b *testing.B) {
			env := environ(b, databasetest.Config(b, driver))
			c := seed(b, openApp(b, env, clock.NewSystem()), want{shops: 1, residents: clients, signIn: 1000, stock: 1_000_000})
			s := serve(b, env, clock.NewSystem())
			people := make([]*person, clients)
			for i := range people {
				people[i] = s.resident(fmt.Sprintf("r%d", i))
			}
			for b.Loop() {
				pings := perSecond(b, people, each, func(*person) answer { return s.call(http.MethodGet, "/healthz", "", nil) }, http.StatusOK)
				orders := perSecond(b, people, each, func(p *person) answer {
					return p.do(http.MethodPost, "/orders", object{"benefit_id": c.shops[0].benefitID}, "Idempotency-Key", freshKey())
				}, http.StatusCreated)
				b.ReportMetric(orders/pings, "of-ping")
				b.ReportMetric(orders, "orders/s")
			}
			s.stop()
			requireSound(b, env, clock.NewSystem())
		})
	}
}

// perSecond is how many calls everybody together gets done in a second.
func perSecond(b *testing.B, people []*person, each int, call func(*person) answer, status int) float64 {
	b.Helper()
	var all sync.WaitGroup
	codes := make(chan int, len(people)*each)
	start := time.Now()
	for _, p := range people {
		all.Go(func() {
			for range each {
				codes <- call(p).status
			}
		})
	}
	all.Wait()
	took := time.Since(start).Seconds()
	close(codes)
	for code := range codes {
		require.Equal(b, status, code)
	}
	return float64(len(people)*each) / took
}
