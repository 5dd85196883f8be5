// Package app is the composition root: the commands, the services and how
// they hang together. Nothing imports it but main and the tests that boot the
// program for real.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/config"
	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
)

// Program is one run of the command line.
type Program struct {
	Defaults []byte   // config.yaml as embedded in the binary
	Environ  []string // "KEY=value"
	Out, Err io.Writer

	// Listening, if set, is called with the address once serve accepts
	// connections: for tests that ask for port 0.
	Listening func(addr string)
	// Clock, if set, is used in place of the real one: for tests that let days
	// pass.
	Clock clock.Clock

	configPath string
}

// errReported is an error that has been printed already.
var errReported = errors.New("app: reported")

// Run carries out the command in args and returns the exit code: 0, or 1 if it
// failed or an audit found a difference.
func (p *Program) Run(ctx context.Context, args []string) int {
	root := &cobra.Command{
		Use: "jiamenkou", Short: "家门口: volunteer points and community rewards for a county",
		SilenceUsage: true, SilenceErrors: true,
	}
	root.SetArgs(args)
	root.SetOut(p.Out)
	root.SetErr(p.Err)
	root.PersistentFlags().StringVar(&p.configPath, "config", "", "configuration file (default: config.yaml if there is one)")
	root.AddCommand(p.serve(), p.migrate(), p.jobs(), p.demo(), p.importCommand(), p.audit(), p.unfreeze(), p.verifyProof(), p.openapi())
	root.CompletionOptions.DisableDefaultCmd = true
	if err := root.ExecuteContext(ctx); err != nil {
		if errors.Is(err, errReported) {
			return 1
		}
		p.report(err)
		return 1
	}
	return 0
}

// report prints an error, with every faulty field of a fault on its own line.
func (p *Program) report(err error) {
	f := fault.As(err)
	if f == nil {
		fmt.Fprintf(p.Err, "jiamenkou: %v\n", err) //nolint:errcheck // nowhere left to report to
		return
	}
	fmt.Fprintf(p.Err, "jiamenkou: %s (%s)\n", f.Message, f.Code) //nolint:errcheck // as above
	for _, field := range f.Fields {
		fmt.Fprintf(p.Err, "  %s: %s\n", field.Path, field.Reason) //nolint:errcheck // as above
	}
}

func (p *Program) load() (config.Config, error) {
	path := p.configPath
	if path == "" {
		if _, err := os.Stat("config.yaml"); err == nil {
			path = "config.yaml"
		}
	}
	return config.Load(p.Defaults, path, p.Environ)
}

func (p *Program) logger(cfg config.Config) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(cfg.Log.Level)); err != nil {
		level = slog.LevelInfo
	}
	opts := &slog.HandlerOptions{Level: level}
	if cfg.Log.Format == "json" || cfg.Mode == config.Production {
		return slog.New(slog.NewJSONHandler(p.Err, opts))
	}
	return slog.New(slog.NewTextHandler(p.Err, opts))
}

// with opens the program's database and services for one command, and closes
// them afterwards.
func (p *Program) with(ctx context.Context, fn func(*App) error) (err error) {
	cfg, err := p.load()
	if err != nil {
		return err
	}
	c := p.Clock
	if c == nil {
		c = clock.NewSystem()
	}
	a, err := Open(ctx, cfg, p.logger(cfg), c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	return fn(a)
}

func (p *Program) printf(format string, args ...any) {
	fmt.Fprintf(p.Out, format, args...) //nolint:errcheck // a closed standard output is the caller's choice
}

func (p *Program) serve() *cobra.Command {
	return &cobra.Command{
		Use: "serve", Short: "Run the server (demo mode: migrate and load the demo county first)", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.with(cmd.Context(), func(a *App) error { return a.Serve(cmd.Context(), p) })
		},
	}
}

func (p *Program) migrate() *cobra.Command {
	cmd := &cobra.Command{Use: "migrate", Short: "Bring the database's tables up to date"}
	cmd.AddCommand(
		&cobra.Command{
			Use: "up", Short: "Apply every pending migration", Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				return p.with(cmd.Context(), func(a *App) error {
					n, err := database.Migrate(cmd.Context(), a.db)
					if err != nil {
						return err
					}
					p.printf("applied %d migrations\n", n)
					return a.protect(cmd.Context())
				})
			},
		},
		&cobra.Command{
			Use: "status", Short: "List the migrations", Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				return p.with(cmd.Context(), func(a *App) error {
					rows, err := database.Migrations(cmd.Context(), a.db)
					for _, r := range rows {
						state := "pending"
						if r.Applied {
							state = "applied"
						}
						p.printf("%-8s %s\n", state, r.Name)
					}
					return err
				})
			},
		})
	return cmd
}

func (p *Program) importCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "import", Short: "Import files"}
	cmd.AddCommand(&cobra.Command{
		Use: "regions FILE", Args: cobra.ExactArgs(1),
		Short: "Import regions (csv: 编码, 上级编码, 级别, 名称 or code, parent_code, level, name; UTF-8 or GB18030)",
		RunE: func(cmd *cobra.Command, args []string) error {
			file, err := os.Open(filepath.Clean(args[0]))
			if err != nil {
				return fmt.Errorf("import: %w", err)
			}
			defer file.Close() //nolint:errcheck // it was only read
			return p.with(cmd.Context(), func(a *App) error {
				if err := a.requireMigrated(cmd.Context()); err != nil {
					return err
				}
				res, err := a.Region.Import(cmd.Context(), authz.System("import"), file)
				if err == nil {
					p.printf("created %d, updated %d, unchanged %d\n", res.Created, res.Updated, res.Unchanged)
				}
				return err
			})
		},
	})
	return cmd
}

func (p *Program) openapi() *cobra.Command {
	var check bool
	cmd := &cobra.Command{
		Use: "openapi [FOLDER]", Args: cobra.MaximumNArgs(1),
		Short: "Write the OpenAPI files (default docs/openapi), or --check that they are fresh",
		RunE: func(_ *cobra.Command, args []string) error {
			folder := filepath.Join("docs", "openapi")
			if len(args) == 1 {
				folder = args[0]
			}
			docs, err := Documents()
			if err != nil {
				return err
			}
			return writeDocuments(folder, docs, check, p.printf)
		},
	}
	cmd.Flags().BoolVar(&check, "check", false, "write nothing; fail if a file is stale")
	return cmd
}

func (p *Program) demo() *cobra.Command {
	var loadOnly bool
	cmd := &cobra.Command{
		Use: "demo", Args: cobra.NoArgs, Short: "Load the demo county (once) and serve it",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.with(cmd.Context(), func(a *App) error {
				if a.cfg.Mode != config.Demo {
					return errors.New("demo: production mode does not load a demo county (set JMK_MODE=demo)")
				}
				if !loadOnly {
					return a.Serve(cmd.Context(), p)
				}
				return a.prepareDemo(cmd.Context(), p.Out)
			})
		},
	}
	cmd.Flags().BoolVar(&loadOnly, "load-only", false, "load it and exit")
	return cmd
}

func (p *Program) jobs() *cobra.Command {
	cmd := &cobra.Command{Use: "jobs", Short: "Cron entries: list them, run one, or run them without the HTTP server"}
	cmd.AddCommand(
		&cobra.Command{
			Use: "list", Short: "List the entries with their next and last runs", Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				return p.with(cmd.Context(), func(a *App) error { return a.listJobs(cmd.Context(), p.printf) })
			},
		},
		&cobra.Command{
			Use: "run NAME", Short: "Run one entry now and wait for it", Args: cobra.ExactArgs(1),
			RunE: func(cmd *cobra.Command, args []string) error {
				return p.with(cmd.Context(), func(a *App) error { return a.runJob(cmd.Context(), args[0], p.printf) })
			},
		},
		&cobra.Command{
			Use: "serve", Short: "Run cron and the queue without the HTTP server", Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				return p.with(cmd.Context(), func(a *App) error {
					if err := a.requireMigrated(cmd.Context()); err != nil {
						return err
					}
					a.startBackground()
					<-cmd.Context().Done()
					return a.stopBackground()
				})
			},
		})
	return cmd
}
