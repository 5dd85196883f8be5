package app

import (
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/internal/demo"
	"jiamenkou/service/assurance"
)

// demoDays is enough history for closed periods, boards and a board's page,
// and few enough for the race detector on pure-Go SQLite.
const demoDays = 2

func loadedDemo(t *testing.T, env []string, now time.Time) *App {
	t.Helper()
	a := openApp(t, env, clock.NewManual(now, 1))
	require.NoError(t, a.loadDemo(t.Context(), demoDays, io.Discard))
	return a
}

func TestDemo(t *testing.T) {
	now := time.Date(2026, 5, 20, 6, 0, 0, 0, time.UTC)
	var first []string
	for _, driver := range []database.Driver{database.SQLite, database.MySQL} {
		t.Run(string(driver), func(t *testing.T) {
			a := loadedDemo(t, environ(t, databasetest.Config(t, driver)), now)
			count := func(query string) (n int64) {
				require.NoError(t, a.db.Read(t.Context()).Raw(query).Scan(&n).Error)
				return n
			}
			require.EqualValues(t, 249, count(`SELECT COUNT(*) FROM region WHERE level IN ('county', 'town', 'village')`))
			require.EqualValues(t, 41, count(`SELECT COUNT(*) FROM merchant WHERE status = 'active'`))
			for desk, waiting := range map[string]string{
				"reports to accept":     `SELECT COUNT(*) FROM case_file WHERE status = 'submitted'`,
				"reports to handle":     `SELECT COUNT(*) FROM case_file WHERE status = 'handling'`,
				"merchants to review":   `SELECT COUNT(*) FROM merchant WHERE status <> 'active'`,
				"benefits to review":    `SELECT COUNT(*) FROM benefit WHERE status = 'pending_review'`,
				"statements in dispute": `SELECT COUNT(*) FROM settlement_statement WHERE status = 'disputed'`,
				"adjustments":           `SELECT COUNT(*) FROM adjustment WHERE status = 'proposed'`,
				"objections":            `SELECT COUNT(*) FROM objection WHERE status = 'open'`,
				"points to pay late":    `SELECT COUNT(*) FROM award WHERE status = 'budget_exhausted' AND paid_at IS NULL`,
				"hours to confirm":      `SELECT COUNT(*) FROM attendance WHERE status = 'checked_out'`,
			} {
				require.NotZero(t, count(waiting), desk)
			}
			require.EqualValues(t, 20, count(`SELECT COUNT(*) FROM article WHERE status = 'published'`))
			require.EqualValues(t, 600, count(`SELECT COUNT(*) FROM resident`))
			require.EqualValues(t, 1, count(`SELECT COUNT(*) FROM settlement_period WHERE status = 'open'`))
			require.NotZero(t, count(`SELECT COUNT(*) FROM settlement_period WHERE status = 'closed'`))
			require.NotZero(t, count(`SELECT COUNT(*) FROM leaderboard_score`))
			for _, p := range demo.Residents() {
				openID := a.sim.OpenID(strings.TrimPrefix(p.Login, "demo-"))
				require.EqualValues(t, 1, count(`SELECT COUNT(*) FROM resident WHERE openid = '`+openID+`' AND nickname = '`+p.Name+`'`), p)
			}
			for _, p := range demo.Staff() {
				require.EqualValues(t, 1, count(`SELECT COUNT(*) FROM staff WHERE username = '`+p.Login+`' AND name = '`+p.Name+`'`), p)
			}
			report, err := a.Assurance.Audit(t.Context(), assurance.Options{})
			require.NoError(t, err)
			require.True(t, report.Sound, report.Text())

			require.NoError(t, a.prepareDemo(t.Context(), io.Discard), "a second start loads nothing")
			require.EqualValues(t, 600, count(`SELECT COUNT(*) FROM resident`))

			// The same day gives the same county, on either engine.
			var ids []string
			require.NoError(t, a.db.Read(t.Context()).Raw(`SELECT id FROM benefit_order ORDER BY id`).Scan(&ids).Error)
			require.NotEmpty(t, ids)
			if first == nil {
				first = ids
			}
			require.Equal(t, first, ids)
			everySort(t, a)
		})
	}
}

func TestDemo_refusesToGoOnAfterACutOff(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		_, err := db.WriteSQL().ExecContext(t.Context(), `INSERT INTO demo_load (id, started_at) VALUES (1, 0)`)
		require.NoError(t, err)
		_, err = demo.Loaded(t.Context(), db)
		require.ErrorIs(t, err, demo.ErrCutOff)
	})
}

// Every command of the README's walk is run as it is printed there.
func TestREADME_walk(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	_, walk, ok := strings.Cut(string(readme), "## A walk around the loop")
	require.True(t, ok)
	var script []string
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(walk, -1) {
		if !strings.Contains(block[1], "bin/jiamenkou") { // the audit has tests of its own
			script = append(script, block[1])
		}
	}
	require.Len(t, script, 6)

	env := environ(t, databasetest.Config(t, database.SQLite))
	c := clock.NewSystem()
	loadedDemo(t, env, c.Now())
	s := serve(t, env, c)
	run := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", strings.Join(script, "\n")) //nolint:gosec // the README is ours
	run.Env = append(os.Environ(), "B="+s.base)
	out, err := run.CombinedOutput()
	require.NoError(t, err, string(out))
	for _, want := range []string{
		`"source":"daily_sign_in"`, `"held":8`, `"cash_fen":3000`, `"code":"market.code_used"`,
		`"subsidy_fen":3000`, `leaderboard.build`, `"consenting":true`, `"masked_name":"`,
	} {
		require.Contains(t, string(out), want)
	}
}
