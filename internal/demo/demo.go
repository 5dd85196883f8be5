// Package demo loads a county to try the product out on: Haining's regions, 41
// merchants, 20 articles and 600 residents with a month of history. Everything
// is made through the services, as people would make it, on a clock that
// lives through the month in seconds; so whatever the demo shows, the product
// did.
package demo

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
	"jiamenkou/service/casework"
	"jiamenkou/service/identity"
	"jiamenkou/service/insight"
	"jiamenkou/service/leaderboard"
	"jiamenkou/service/market"
	"jiamenkou/service/media"
	"jiamenkou/service/policy"
	"jiamenkou/service/reading"
	"jiamenkou/service/recourse"
	"jiamenkou/service/region"
	"jiamenkou/service/settlement"
	"jiamenkou/service/volunteer"
)

// Password of every demo login.
const Password = "jiamenkou-demo" //nolint:gosec // everybody is meant to know it

// The demo logins that the start prints and the README uses.
const (
	Operator   = "operator"
	Auditor    = "auditor"
	Organizer  = "organizer"
	GridWorker = "gridworker"
	Owner      = "owner"
	Clerk      = "clerk"
)

// Resident is the resident that the README walks with: log in with the code
// demo-wang-1, demo-wang-2 and so on.
const Resident = "wang"

// ErrCutOff says that an earlier load did not finish.
var ErrCutOff = fault.New(fault.Conflict, "demo.cut_off", "上次演示数据没有装载完，请先运行 make reset（或换一个空数据库）再启动")

// HistoryDays is how many days the residents have lived before today.
const HistoryDays = 30

// seed makes every load of one day the same.
const seed = 20260101

// Services are what the loader acts through, all on Clock.
type Services struct {
	Days        int // of history: HistoryDays, less in tests
	DB          *database.DB
	Clock       *clock.Manual
	Region      *region.Service
	Identity    *identity.Service
	Policy      *policy.Service
	Volunteer   *volunteer.Service
	Reading     *reading.Service
	Casework    *casework.Service
	Market      *market.Service
	Settlement  *settlement.Service
	Leaderboard *leaderboard.Service
	Recourse    *recourse.Service
	Insight     *insight.Service
	Media       *media.Service
	// OpenID is the openid under which the simulated WeChat knows a name.
	OpenID func(name string) string
}

// Clock returns the clock to build Services on: it stands days and one before
// now.
func Clock(now time.Time, days int) *clock.Manual {
	return clock.NewManual(clock.DayOf(now).AddDays(-days-1).Start().Time().Add(8*time.Hour), seed)
}

// Loaded reports whether the county is there; ErrCutOff if it is so in part.
func Loaded(ctx context.Context, db *database.DB) (bool, error) {
	var rows []struct{ FinishedAt *clock.Instant }
	if err := db.Read(ctx).Raw(`SELECT finished_at FROM demo_load`).Scan(&rows).Error; err != nil {
		return false, fmt.Errorf("demo: %w", err)
	}
	if len(rows) == 0 {
		return false, nil
	}
	if rows[0].FinishedAt == nil {
		return false, ErrCutOff
	}
	return true, nil
}

// loader is one load.
type loader struct {
	Services
	content
	out  io.Writer
	now  time.Time // the real now: no demo event is later
	rand *rand.Rand
	root authz.Actor // the program itself

	county    region.Region
	towns     []region.Region
	villages  []region.Region
	operator  authz.Actor
	colleague authz.Actor // another operator of the county: two persons are needed for some things
	organizer authz.Actor
	workers   map[string]authz.Actor // by town path
	residents []authz.Actor
	drafts    []articleRow
	articles  []articleRow // published
	benefits  []benefitRow
	count     map[string]int
	budgetID  string
	covers    map[string]string // keys of media, by motif and palette
}

type articleRow struct {
	id      string
	version int64 // as a draft
	seconds int64
}

type benefitRow struct {
	id       string
	points   int64
	merchant string
	store    string
	owner    authz.Actor
	clerk    authz.Actor
}

// Load makes the county. It shows its progress on out and takes some tens of
// seconds.
func Load(ctx context.Context, s Services, now time.Time, out io.Writer) error {
	text, err := readContent()
	if err != nil {
		return err
	}
	l := &loader{
		Services: s, content: text, out: out, now: now, root: authz.System("demo"),
		rand:    rand.New(rand.NewPCG(seed, seed)), //nolint:gosec // the demo must come out the same every time
		workers: map[string]authz.Actor{}, count: map[string]int{}, covers: map[string]string{},
	}
	err = database.InTx(ctx, s.DB, func(tx *gorm.DB) error {
		return tx.Exec(`INSERT INTO demo_load (id, started_at) VALUES (1, ?)`, clock.InstantOf(now)).Error
	})
	if database.IsDuplicate(err) {
		return ErrCutOff
	}
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	for _, step := range []struct {
		what string
		do   func(context.Context) error
	}{
		{"地区", l.makeRegions},
		{"工作人员", l.makeStaff},
		{"积分规则与预算", l.makePolicies},
		{"商户与福利", l.makeMerchants},
		{"播报", l.makeArticles},
		{"居民", l.makeResidents},
		{"一个月的历史", l.liveMonth},
		{"今天", l.liveToday},
		{"待办", l.desks},
		{"小问题", l.askQuestions},
	} {
		l.printf("  %s … ", step.what)
		start := time.Now()
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("demo: %s: %w", step.what, err)
		}
		l.printf("%.1fs\n", time.Since(start).Seconds())
	}
	l.printf("  %d 居民，%d 次阅读，%d 次签到，%d 人次志愿服务，%d 件上报，%d 张兑换单（核销 %d）\n",
		l.count["residents"], l.count["reads"], l.count["sign-ins"], l.count["services"], l.count["reports"],
		l.count["orders"], l.count["redemptions"])
	return database.InTx(ctx, s.DB, func(tx *gorm.DB) error {
		return tx.Exec(`UPDATE demo_load SET finished_at = ? WHERE id = 1`, clock.InstantOf(now)).Error
	})
}

func (l *loader) printf(format string, args ...any) {
	fmt.Fprintf(l.out, format, args...) //nolint:errcheck // progress only
}

// at moves the clock to a time of day, "15:04" in Shanghai, of a day.
func (l *loader) at(day clock.Day, hour, minute int) {
	l.Clock.Set(day.Start().Time().Add(time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute))
}

// withWang draws n different residents, the one of the README's walk among
// them: she has something to show every day.
func (l *loader) withWang(n int) []authz.Actor {
	out := []authz.Actor{l.residents[0]}
	for _, i := range l.rand.Perm(len(l.residents) - 1)[:n-1] {
		out = append(out, l.residents[i+1])
	}
	return out
}

// some draws n different residents.
func (l *loader) some(n int) []authz.Actor {
	out := make([]authz.Actor, 0, n)
	for _, i := range l.rand.Perm(len(l.residents))[:n] {
		out = append(out, l.residents[i])
	}
	return out
}
