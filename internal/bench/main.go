// Command bench measures the program beside bare SQL that writes the same rows
// on the same database server in the same run, and prints tables in Markdown:
// docs/performance.md says how to read them. It asserts what must be true
// whatever the machine (counts, the audit), never how long anything takes.
//
//	scripts/with-mariadb.sh go run ./internal/bench [floor|hot|soldout]… or growth or lists
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"syscall"

	"jiamenkou/internal/app"
	"jiamenkou/internal/database"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx)
	stop()
	os.Exit(code)
}

func run(ctx context.Context) int {
	if len(os.Args) == 2 && os.Args[1] == serveCommand {
		return serveHere(ctx)
	}
	stop, err := profile("bench")
	if err == nil {
		err = bench(ctx, os.Stdout, os.Args[1:])
		stop()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		return 1
	}
	return 0
}

// sections are what can be measured, in the order of the tables; those that
// fill the county themselves are measured alone, when they are named.
var sections = []section{
	{"floor", againstFloor, false},
	{"hot", hotAgainstSpread, false},
	{"soldout", soldOut, false},
	{"growth", growth, true},
	{"lists", lists, true},
}

// bench measures the sections that are named, or all.
func bench(ctx context.Context, out io.Writer, names []string) error {
	for _, name := range names {
		if !slices.ContainsFunc(sections, func(s section) bool { return s.name == name }) {
			return fmt.Errorf("nothing is called %q: floor, hot, soldout, growth or lists", name)
		}
	}
	fmt.Fprintf(out, "%d CPUs, %s\n", runtime.NumCPU(), runtime.Version()) //nolint:errcheck // as a whole, below
	for _, driver := range drivers() {
		if err := onDriver(ctx, out, driver, names); err != nil {
			return fmt.Errorf("%s: %w", driver, err)
		}
	}
	return nil
}

type section struct {
	name    string
	measure func(context.Context, *report, *site) error
	alone   bool
}

// drivers are both, or the one that BENCH_DRIVER names.
func drivers() []database.Driver {
	if one := os.Getenv("BENCH_DRIVER"); one != "" {
		return []database.Driver{database.Driver(one)}
	}
	return []database.Driver{database.MySQL, database.SQLite}
}

func onDriver(ctx context.Context, out io.Writer, driver database.Driver, names []string) (err error) {
	alone := len(names) == 1 && slices.ContainsFunc(sections, func(s section) bool { return s.alone && s.name == names[0] })
	s, err := newSite(ctx, driver, alone)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	for _, part := range sections {
		if !slices.Contains(names, part.name) && (len(names) > 0 || part.alone) {
			continue
		}
		r := &report{out: out, title: fmt.Sprintf("%s: %s", part.name, driver)}
		if err := part.measure(ctx, r, s); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
		if err := s.audit(ctx); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
		r.print()
	}
	return nil
}

// rounds is how many items each client has done: BENCH_ROUNDS, 25.
func rounds() int { return setting("BENCH_ROUNDS", 25) }

// serveCommand makes this binary a server, so that the server is a process of
// its own and runs the very code that was built with the bench.
const serveCommand = "serve"

func serveHere(ctx context.Context) int {
	defaults, err := defaults()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		return 1
	}
	p := app.Program{
		Defaults: defaults, Environ: os.Environ(), Out: io.Discard, Err: os.Stderr,
		Listening: func(addr string) { fmt.Fprintln(os.Stdout, addr) }, //nolint:errcheck // the parent sees it
	}
	stop, err := profile("server")
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		return 1
	}
	defer stop()
	return p.Run(ctx, []string{"serve"})
}

// profile writes a CPU profile of this process into the folder that
// BENCH_PROFILE names, if it does, until stop is called.
func profile(name string) (stop func(), err error) {
	dir := os.Getenv("BENCH_PROFILE")
	if dir == "" {
		return func() {}, nil
	}
	f, err := os.Create(filepath.Join(filepath.Clean(dir), fmt.Sprintf("%s.%d.pprof", name, os.Getpid()))) //nolint:gosec // the folder is the caller's choice
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() {
		pprof.StopCPUProfile()
		_ = f.Close() // a profile that is cut off says so itself
	}, nil
}

func defaults() ([]byte, error) { return os.ReadFile(filepath.Clean("config.yaml")) }
