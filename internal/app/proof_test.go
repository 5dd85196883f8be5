package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/service/assurance"
	"jiamenkou/service/ledger"
	"jiamenkou/service/market"
)

// TestProofOfAWallet follows a seal from the cron entry over both surfaces to
// the command that checks a proof with neither a database nor a configuration.
func TestProofOfAWallet(t *testing.T) {
	bothDrivers(t, func(t *testing.T, db database.Config) {
		env, c := environ(t, db), newClock()
		a := openApp(t, env, c)
		county := seed(t, a, want{residents: 3})
		s := serve(t, env, c)
		first := s.resident("r0")
		require.Equal(t, "ledger.no_seal", first.do(http.MethodGet, "/wallet/proof", nil).code())

		for _, name := range []string{"ledger.seal_links", "ledger.seal", "ledger.relink"} {
			code, out, errs := run(t, env, c, "jobs", "run", name)
			require.Zero(t, code, out+errs)
		}
		requireSound(t, env, c)

		answer := first.do(http.MethodGet, "/wallet/proof", nil)
		require.Equal(t, http.StatusOK, answer.status, answer.String())
		var proof ledger.Proof
		require.NoError(t, json.Unmarshal(answer.body, &proof))
		require.True(t, proof.Included)
		require.Equal(t, string(ledger.WalletOf(first.id)), proof.Account)

		published := into[list[struct{ Root, Hash string }]](t, s.call(http.MethodGet, "/mp/v1/seals", "", nil))
		require.Len(t, published.Items, 1)
		require.Equal(t, proof.Seal.Root, published.Items[0].Root)

		auditor := s.staff(auditorName)
		require.Equal(t, proof, get[ledger.Proof](auditor, "/residents/"+county.residents[0].ID+"/wallet-proof"))
		require.Len(t, get[list[struct{ Root string }]](auditor, "/seals").Items, 1)
		require.Equal(t, http.StatusNotFound, auditor.do(http.MethodGet, "/residents/"+someULID+"/wallet-proof", nil).status)
		require.Equal(t, http.StatusForbidden, s.staff(organizerName).do(http.MethodGet, "/seals", nil).status)
		require.Equal(t, http.StatusForbidden, s.staff(operatorName).do(http.MethodGet, "/residents/"+first.id+"/wallet-proof", nil).status)

		file := filepath.Join(t.TempDir(), "proof.json")
		verify := func(text []byte, more ...string) (int, string) {
			t.Helper()
			require.NoError(t, os.WriteFile(file, text, 0o600))
			var out bytes.Buffer
			// No settings at all: what they would be is of no concern.
			p := Program{Defaults: []byte("no: yaml: at all"), Out: &out, Err: &out}
			code := p.Run(t.Context(), append([]string{"verify-proof", file}, more...))
			return code, out.String()
		}
		code, out := verify(answer.body)
		require.Zero(t, code, out)
		require.Contains(t, out, proof.Seal.Root)
		code, out = verify(answer.body, "--root", published.Items[0].Root)
		require.Zero(t, code, out)
		code, out = verify(answer.body, "--root", strings.Repeat("0", 64))
		require.Equal(t, 1, code, out)
		code, out = verify(bytes.Replace(answer.body, []byte(`"seq":1`), []byte(`"seq":2`), 1))
		require.Equal(t, 1, code, out)
		require.Contains(t, out, "DOES NOT HOLD")
		code, _ = verify([]byte("{"))
		require.Equal(t, 1, code)
	})
}

// Tables that tests tamper with; in one text with UPDATE it would be a write
// that only the ledger may do.
const chainTable, balanceTable = "wallet_link", "account_balance"

func TestAuditCommand(t *testing.T) {
	bothDrivers(t, func(t *testing.T, db database.Config) {
		env, c := environ(t, db), newClock()
		a := openApp(t, env, c)
		seed(t, a, want{residents: 3})
		_, err := a.Ledger.Seal(t.Context())
		require.NoError(t, err)
		state := filepath.Join(t.TempDir(), "sub", "state.json")

		code, out, errs := run(t, env, c, "audit", "--state", state, "--resume")
		require.Equal(t, 1, code, out)
		require.Contains(t, errs, "audit.no_state")

		// What an interrupted audit left is used, and gone when it is through.
		cmd := &auditCommand{program: &Program{}, app: a, path: state}
		var steps int
		_, err = a.Assurance.Audit(t.Context(), assurance.Options{RangeRows: 2, Step: func(state assurance.State, _, _ int64) error {
			if steps++; steps == 2 {
				require.NoError(t, cmd.save(state))
				return errReported
			}
			return nil
		}})
		require.ErrorIs(t, err, errReported)
		code, out, errs = run(t, env, c, "audit", "--state", state, "--resume", "--json")
		require.Zero(t, code, out+errs)
		var report assurance.Report
		require.NoError(t, json.Unmarshal([]byte(out), &report))
		require.True(t, report.Sound)
		require.EqualValues(t, 4, report.Counts.Accounts)
		require.EqualValues(t, 3, report.Counts.Links)
		require.EqualValues(t, 1, report.Counts.Seals)
		require.NoFileExists(t, state)

		require.NoError(t, cmd.save(assurance.State{StartedAt: 0}))
		code, out, errs = run(t, env, c, "audit", "--state", state, "--resume")
		require.Equal(t, 1, code, out)
		require.Contains(t, errs, "audit.old_state")

		databasetest.Tamper(t, a.db, "UPDATE "+chainTable+" SET hash = prev_hash WHERE seq = 1")
		code, out, _ = run(t, env, c, "audit", "--state", state)
		require.Equal(t, 1, code)
		require.Regexp(t, `chain equals its transfers: 1[0-9A-Z]{26} seq 1: `, out)
	})
}

// TestAuditResumes stops an audit after each of its steps: what it finds is what
// an undisturbed one finds, in every service.
func TestAuditResumes(t *testing.T) {
	bothDrivers(t, func(t *testing.T, db database.Config) {
		a := openApp(t, environ(t, db), newClock())
		c := seed(t, a, want{shops: 1, residents: 4, signIn: 20, stock: 10})
		for i, r := range c.residents {
			_, err := a.Market.Order(t.Context(), r, market.OrderInput{BenefitID: c.shops[0].benefitID, IdempotencyKey: fmt.Sprintf("order-%08d", i)})
			require.NoError(t, err)
		}
		databasetest.Tamper(t, a.db, "UPDATE benefit_order SET points = points + 1")
		databasetest.Tamper(t, a.db, "UPDATE "+balanceTable+" SET posted = posted + 1, headroom = headroom + 1 WHERE account_id = ?", ledger.WalletOf(c.residents[1].ID))
		whole, err := a.Assurance.Audit(t.Context(), assurance.Options{RangeRows: 2})
		require.NoError(t, err)
		require.False(t, whole.Sound)

		var saved []byte
		var last int64
		o := assurance.Options{RangeRows: 2, Step: func(state assurance.State, done, total int64) error {
			require.GreaterOrEqual(t, done, last, "progress never goes back")
			require.LessOrEqual(t, done, total)
			last = done
			var err error
			saved, err = json.Marshal(state)
			require.NoError(t, err)
			return errReported
		}}
		steps := 0
		for ; steps < 1000; steps++ {
			parts, err := a.Assurance.Audit(t.Context(), o)
			if err == nil {
				require.Equal(t, whole, parts)
				break
			}
			require.ErrorIs(t, err, errReported)
			o.Resume = &assurance.State{}
			require.NoError(t, json.Unmarshal(saved, o.Resume))
		}
		require.Greater(t, steps, 30)
		require.Less(t, steps, 1000)
		broken := map[string]int{}
		for _, s := range whole.Sections {
			broken[s.Name] = len(s.Differences)
		}
		require.Equal(t, 4, broken["market"], whole.Text())
		require.NotZero(t, broken["ledger"], whole.Text())
	})
}

func TestProgressLine(t *testing.T) {
	require.Equal(t, "audit: 25 of 100 (25 %), about 30s left", progressLine(25, 100, 25, 10*time.Second))
	require.Equal(t, "audit: 75 of 100 (75 %), about 10s left", progressLine(75, 100, 25, 10*time.Second), "after a resume only this run counts")
	require.Equal(t, "audit: 0 of 0 (0 %)", progressLine(0, 0, 0, 0))
}
