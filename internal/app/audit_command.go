package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"jiamenkou/internal/config"
	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
	"jiamenkou/service/assurance"
	"jiamenkou/service/ledger"
)

// errNoState is the answer to --resume when there is nothing to go on with.
var errNoState = fault.New(fault.NotFound, "audit.no_state", "没有可以接着做的对账，请去掉 --resume 重新开始")

const (
	// auditStateVersion is raised when the phases of an audit change.
	auditStateVersion = 3
	// auditStateLife is how long an interrupted audit can be resumed: what was
	// checked before counts as checked.
	auditStateLife     = 24 * time.Hour
	auditSaveEvery     = time.Second
	maxAuditStateBytes = 4 << 20
	// A short audit shows no progress.
	progressAfter = 2 * time.Second
	progressEvery = 500 * time.Millisecond
)

// auditFile is what an interrupted audit leaves behind.
type auditFile struct {
	Version  int
	Database string // a fingerprint
	State    assurance.State
}

// auditCommand is one run of `jiamenkou audit`.
type auditCommand struct {
	program *Program
	app     *App
	path    string // of the state file
	began   time.Time
	saved   time.Time // the beginning, or when the state was last written
	wrote   bool
	shown   time.Time
	first   int64 // what was done before this run
	screen  io.Writer
}

func (p *Program) audit() *cobra.Command {
	var (
		asJSON, resume bool
		path           string
	)
	cmd := &cobra.Command{
		Use: "audit", Args: cobra.NoArgs,
		Short: "Recompute every balance, lot, hold, chain and seal from the transfers and compare; exit 1 at a difference",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.with(cmd.Context(), func(a *App) error {
				if err := a.requireMigrated(cmd.Context()); err != nil {
					return err
				}
				c := &auditCommand{program: p, app: a, path: filepath.Clean(path), began: time.Now(), saved: time.Now()}
				return c.run(cmd.Context(), resume, asJSON)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the report as JSON")
	cmd.Flags().BoolVar(&resume, "resume", false, "go on where an interrupted audit stopped")
	cmd.Flags().StringVar(&path, "state", filepath.Join("data", "audit-state.json"), "file that remembers how far a long audit is")
	return cmd
}

func (c *auditCommand) run(ctx context.Context, resume, asJSON bool) error {
	options := assurance.Options{Step: c.step}
	if resume {
		state, err := c.load()
		if err != nil {
			return err
		}
		options.Resume = &state
	}
	if f, ok := c.program.Err.(*os.File); ok && isTerminal(f) {
		c.screen = f
	}
	report, err := c.app.Assurance.Audit(ctx, options)
	c.clearLine()
	if err != nil {
		if ctx.Err() != nil && (c.wrote || resume) {
			return fmt.Errorf("%w: go on with jiamenkou audit --resume", err)
		}
		return err
	}
	if err := os.Remove(c.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("audit: %w", err)
	}
	if asJSON {
		enc := json.NewEncoder(c.program.Out)
		enc.SetIndent("", "  ")
		if err := enc.Encode(report); err != nil {
			return fmt.Errorf("audit: %w", err)
		}
	} else {
		c.program.printf("%s", report.Text())
	}
	if !report.Sound {
		return errReported
	}
	return nil
}

// step saves how far the audit is, and shows it.
func (c *auditCommand) step(state assurance.State, done, total int64) error {
	now := time.Now()
	if c.first == 0 {
		c.first = done
	}
	if now.Sub(c.saved) >= auditSaveEvery {
		if err := c.save(state); err != nil {
			return err
		}
		c.saved, c.wrote = now, true
	}
	if c.screen != nil && now.Sub(c.began) >= progressAfter && now.Sub(c.shown) >= progressEvery {
		c.shown = now
		fmt.Fprintf(c.screen, "\r\033[K%s", progressLine(done, total, done-c.first, now.Sub(c.began))) //nolint:errcheck // progress only
	}
	return nil
}

// progressLine says how much is done and how long the rest will take, if it
// goes on like the part since the start.
func progressLine(done, total, since int64, took time.Duration) string {
	line := fmt.Sprintf("audit: %d of %d (%d %%)", done, total, 100*done/max(total, 1))
	if since > 0 && done < total {
		left := time.Duration(float64(took) * float64(total-done) / float64(since)).Round(time.Second)
		line += fmt.Sprintf(", about %s left", left)
	}
	return line
}

func (c *auditCommand) clearLine() {
	if !c.shown.IsZero() {
		fmt.Fprint(c.screen, "\r\033[K") //nolint:errcheck // as above
	}
}

// save replaces the state file as a whole, so that a crash leaves the old one.
func (c *auditCommand) save(state assurance.State) error {
	text, err := json.Marshal(auditFile{Version: auditStateVersion, Database: databaseFingerprint(c.app.cfg), State: state}) //nolint:musttag // a file for this program alone
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(c.path), 0o750); err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	if err := os.WriteFile(c.path+".new", text, 0o600); err != nil {
		return fmt.Errorf("audit: cannot remember how far it is (--state names the file): %w", err)
	}
	if err := os.Rename(c.path+".new", c.path); err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	return nil
}

func (c *auditCommand) load() (assurance.State, error) {
	var file auditFile
	f, err := os.Open(c.path)
	if err != nil {
		return file.State, errNoState.WithCause(err)
	}
	defer f.Close()                                                                              //nolint:errcheck // it was only read
	if err := json.NewDecoder(io.LimitReader(f, maxAuditStateBytes)).Decode(&file); err != nil { //nolint:musttag // as above
		return file.State, errNoState.WithCause(err)
	}
	age := c.app.clock.Now().Sub(file.State.StartedAt.Time())
	if file.Version != auditStateVersion || file.Database != databaseFingerprint(c.app.cfg) || age > auditStateLife || age < -auditStateLife {
		return file.State, assurance.ErrOldState
	}
	return file.State, nil
}

// databaseFingerprint tells two databases apart without showing a password.
func databaseFingerprint(cfg config.Config) string {
	path, err := filepath.Abs(cfg.Database.SQLitePath)
	if err != nil {
		path = cfg.Database.SQLitePath
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{cfg.Database.Driver, path, cfg.Database.MySQLDSN}, "\x00")))
	return hex.EncodeToString(sum[:8])
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// verifyProof needs no database and no configuration: whoever got a proof
// checks it on a machine of his own.
func (p *Program) verifyProof() *cobra.Command {
	var root string
	cmd := &cobra.Command{
		Use: "verify-proof FILE", Args: cobra.ExactArgs(1),
		Short: "Check a wallet's proof (the answer of GET /mp/v1/wallet/proof) without a database; exit 1 if it does not hold",
		RunE: func(_ *cobra.Command, args []string) error {
			file, err := os.Open(filepath.Clean(args[0]))
			if err != nil {
				return fmt.Errorf("verify-proof: %w", err)
			}
			defer file.Close() //nolint:errcheck // it was only read
			proof, err := ledger.ReadProof(file)
			if err == nil && root != "" && !strings.EqualFold(root, proof.Seal.Root) {
				err = fmt.Errorf("%w: it leads to another root than the one given", ledger.ErrProof)
			}
			if err != nil {
				p.printf("不成立 / DOES NOT HOLD: %v\n", err)
				return errReported
			}
			what := fmt.Sprintf("account %s with %d transfers is under", proof.Account, proof.Seq)
			if !proof.Included {
				what = fmt.Sprintf("account %s is NOT under", proof.Account)
			}
			p.printf("成立 / holds: %s the root of seal %d (%s)\n  root %s\n  hash %s\n", what, proof.Seal.Number, proof.Seal.Day, proof.Seal.Root, proof.Seal.Hash)
			if root == "" {
				p.printf("Compare the root with the published one (GET /mp/v1/seals), or give it with --root.\n")
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&root, "root", "", "the published root that the proof must lead to")
	return cmd
}

// protect makes the triggers of the append-only tables where they are missing;
// where the server refuses, it warns.
func (a *App) protect(ctx context.Context) error {
	refused, err := database.Protect(ctx, a.db)
	if err == nil && refused != "" {
		a.log.WarnContext(ctx, "no triggers guard the append-only tables: grant the program INSERT and SELECT only on them", "reason", refused)
	}
	return err
}
