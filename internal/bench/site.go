package main

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/go-sql-driver/mysql"

	"jiamenkou/internal/app"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/config"
	"jiamenkou/internal/database"
	"jiamenkou/service/assurance"
)

// site is a county on a database of its own, with a copy of that database as it
// was before anything was measured: the floor's.
type site struct {
	dir    string
	driver database.Driver
	cfg    database.Config
	db     *database.DB
	floor  *database.DB
	drops  []string // databases to drop
	*county

	server      *exec.Cmd
	addr        string
	databasePID int // 0 if the database is no process of its own
	lanes       int // transactions at once
}

// newSite founds a county; one that will be filled needs no people and no copy.
func newSite(ctx context.Context, driver database.Driver, empty bool) (s *site, err error) {
	s = &site{driver: driver}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.dir, err = os.MkdirTemp("", "jmk-bench"); err != nil {
		return nil, err
	}
	if s.cfg, s.db, err = s.open(ctx, "live"); err != nil {
		return nil, err
	}
	if _, err := database.Migrate(ctx, s.db); err != nil {
		return nil, err
	}
	if s.databasePID, err = s.findDatabase(ctx); err != nil {
		return nil, err
	}
	err = s.inProcess(ctx, func(a *app.App) (err error) {
		if s.county, err = found(ctx, a, s.db); err != nil || empty {
			return err
		}
		return s.people(ctx, a)
	})
	if err != nil || empty {
		return s, err
	}
	return s, s.copyForFloor(ctx)
}

func (s *site) open(ctx context.Context, name string) (cfg database.Config, db *database.DB, err error) {
	cfg = database.Config{Driver: s.driver, SQLitePath: filepath.Join(s.dir, name+".sqlite"), MaxConnections: 32}
	if s.driver == database.MySQL {
		dsn, err := mysql.ParseDSN(os.Getenv("JMK_TEST_MYSQL_DSN"))
		if err != nil || dsn.Addr == "" {
			return cfg, nil, errors.New("run me by scripts/with-mariadb.sh, or with BENCH_DRIVER=sqlite")
		}
		dsn.DBName = fmt.Sprintf("bench_%s_%d", name, os.Getpid())
		if err := s.onServer(ctx, "CREATE DATABASE "+dsn.DBName); err != nil {
			return cfg, nil, err
		}
		s.drops = append(s.drops, dsn.DBName)
		cfg.MySQLDSN = dsn.FormatDSN()
	}
	db, err = database.Open(ctx, cfg)
	return cfg, db, err
}

// findDatabase returns the id of the database server's process.
func (s *site) findDatabase(ctx context.Context) (pid int, err error) {
	if s.driver != database.MySQL {
		return 0, nil
	}
	var file string
	if err := s.db.WriteSQL().QueryRowContext(ctx, "SELECT @@pid_file").Scan(&file); err != nil {
		return 0, err
	}
	text, err := os.ReadFile(filepath.Clean(file))
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}

func (s *site) databaseCPU() (time.Duration, error) {
	if s.databasePID == 0 {
		return 0, nil
	}
	return cpuTime(s.databasePID)
}

func (s *site) onServer(ctx context.Context, query string) error {
	db, err := sql.Open("mysql", os.Getenv("JMK_TEST_MYSQL_DSN"))
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, query) //nolint:gosec // our own statements about a private server
	return errors.Join(err, db.Close())
}

// copyForFloor copies the tables with their rows.
func (s *site) copyForFloor(ctx context.Context) (err error) {
	if s.driver == database.SQLite {
		target := filepath.Join(s.dir, "floor.sqlite")
		if _, err := s.db.WriteSQL().ExecContext(ctx, "VACUUM INTO ?", target); err != nil {
			return fmt.Errorf("copy: %w", err)
		}
		_, s.floor, err = s.open(ctx, "floor")
		return err
	}
	if _, s.floor, err = s.open(ctx, "floor"); err != nil {
		return err
	}
	if _, err = database.Migrate(ctx, s.floor); err != nil {
		return err
	}
	conn, err := s.floor.WriteSQL().Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // the pool's
	if _, err := conn.ExecContext(ctx, "SET foreign_key_checks = 0"); err != nil {
		return err
	}
	var tables []string
	err = s.floor.Read(ctx).Raw("SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'").Scan(&tables).Error
	if err != nil {
		return err
	}
	for _, t := range tables {
		if strings.HasPrefix(t, "goose") {
			continue
		}
		if _, err := conn.ExecContext(ctx, "INSERT IGNORE INTO `"+t+"` SELECT * FROM `"+s.drops[0]+"`.`"+t+"`"); err != nil { //nolint:gosec // names that the server itself gave
			return fmt.Errorf("copy %s: %w", t, err)
		}
	}
	_, err = conn.ExecContext(ctx, "SET foreign_key_checks = 1")
	return err
}

func (s *site) close() error {
	errs := []error{s.stop()}
	for _, db := range []*database.DB{s.db, s.floor} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	for _, name := range s.drops {
		errs = append(errs, s.onServer(context.Background(), "DROP DATABASE "+name))
	}
	return errors.Join(append(errs, os.RemoveAll(s.dir))...)
}

// environ is the program's as it ships, but: no cron, no limits on who logs in,
// tokens that outlive the run, and people who are known for as long.
func (s *site) environ() []string {
	return append([]string{
		"JMK_DATABASE_DRIVER=" + string(s.driver), "JMK_DATABASE_SQLITE_PATH=" + s.cfg.SQLitePath, "JMK_DATABASE_MYSQL_DSN=" + s.cfg.MySQLDSN,
		"JMK_FILES_PATH=" + filepath.Join(s.dir, "files"), "JMK_HTTP_ADDR=127.0.0.1:0", "JMK_JOBS_ENABLED=false", "JMK_LOG_LEVEL=warn",
		"JMK_AUTH_PASSWORD_MEMORY_MB=1", "JMK_AUTH_PASSWORD_PASSES=1", "JMK_AUTH_ACCESS_TTL=12h", "JMK_AUTH_SESSION_CACHE_TTL=60s",
		"JMK_LIMITS_LOGIN_PER_MINUTE=600000", "JMK_LIMITS_LOGIN_BURST=100000",
	}, passed()...)
}

// passed are the settings of the caller, so that a batch's size and the like can
// be varied.
func passed() (out []string) {
	for _, pair := range os.Environ() {
		if strings.HasPrefix(pair, "JMK_BATCH_") || strings.HasPrefix(pair, "GOGC=") {
			out = append(out, pair)
		}
	}
	return out
}

// inProcess lets fn use the services without HTTP.
func (s *site) inProcess(ctx context.Context, fn func(*app.App) error) error {
	text, err := defaults()
	if err != nil {
		return err
	}
	cfg, err := config.Load(text, "", s.environ())
	if err != nil {
		return err
	}
	s.lanes = cfg.Batch.Lanes
	a, err := app.Open(ctx, cfg, slog.New(slog.DiscardHandler), clock.NewSystem())
	if err != nil {
		return err
	}
	return errors.Join(fn(a), a.Close())
}

func (s *site) audit(ctx context.Context) error {
	return s.inProcess(ctx, func(a *app.App) error {
		report, err := a.Assurance.Audit(ctx, assurance.Options{})
		if err == nil && !report.Sound {
			err = errors.New("the audit found differences:\n" + report.Text())
		}
		return err
	})
}

const startWait = time.Minute

// start runs the server as a process of its own.
func (s *site) start(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	s.server = exec.CommandContext(ctx, self, serveCommand) //nolint:gosec // this very program
	s.server.Cancel = func() error { return s.server.Process.Signal(syscall.SIGTERM) }
	s.server.Env = append(s.environ(), "PATH="+os.Getenv("PATH"), "TMPDIR="+os.TempDir(), "BENCH_PROFILE="+os.Getenv("BENCH_PROFILE"))
	s.server.Stderr = os.Stderr
	out, err := s.server.StdoutPipe()
	if err != nil {
		return err
	}
	if err := s.server.Start(); err != nil {
		return err
	}
	line := make(chan string, 1)
	go func() {
		text, _ := bufio.NewReader(out).ReadString('\n') // "" if it ended
		line <- strings.TrimSpace(text)
		_, _ = io.Copy(io.Discard, out)
	}()
	select {
	case s.addr = <-line:
	case <-time.After(startWait):
	}
	if s.addr == "" {
		return errors.Join(errors.New("the server did not start"), s.stop())
	}
	return nil
}

func (s *site) stop() error {
	if s.server == nil {
		return nil
	}
	server := s.server
	s.server = nil
	if err := server.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return server.Wait()
}
