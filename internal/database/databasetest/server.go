package databasetest

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"jiamenkou/internal/database"
)

// serverWait bounds every wait for a server of one's own.
const serverWait = time.Minute

// Server is a MariaDB server of the test's own, on a folder of its own, which
// the test may kill. It writes the log at each commit.
type Server struct {
	t      testing.TB
	binary string
	dir    string
	port   int
	cmd    *exec.Cmd
}

// StartServer starts one; the test fails if MariaDB is not installed. It ends
// with the test.
func StartServer(t testing.TB) *Server {
	t.Helper()
	quiet(t)
	s := &Server{t: t, binary: serverBinary(t), dir: t.TempDir(), port: freePort(t)}
	install := exec.CommandContext(t.Context(), "mariadb-install-db", append([]string{"--no-defaults"}, s.args( //nolint:gosec // our own arguments
		"--auth-root-authentication-method=normal", "--skip-test-db")...)...)
	out, err := install.CombinedOutput()
	require.NoError(t, err, string(out))
	t.Cleanup(s.Kill)
	s.Start()
	return s
}

// serverBinary finds the server where scripts/with-mariadb.sh finds it.
func serverBinary(t testing.TB) string {
	t.Helper()
	if path, err := exec.LookPath("mariadbd"); err == nil {
		return path
	}
	path, err := exec.LookPath("/usr/sbin/mariadbd")
	require.NoError(t, err, "MariaDB is not installed: scripts/with-mariadb.sh installs it")
	return path
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	addr, ok := l.Addr().(*net.TCPAddr)
	require.True(t, ok)
	return addr.Port
}

func (s *Server) args(more ...string) []string {
	args := []string{"--datadir=" + filepath.Join(s.dir, "data")}
	if os.Getuid() == 0 {
		args = append(args, "--user=root")
	}
	return append(args, more...)
}

// Start runs the server and waits until it answers: the first time, or after
// Kill, when it recovers what was committed.
func (s *Server) Start() {
	s.t.Helper()
	log, err := os.OpenFile(filepath.Join(s.dir, "server.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(s.t, err)
	defer log.Close()                                                                                     //nolint:errcheck // the server has its own handle
	s.cmd = exec.CommandContext(context.Background(), s.binary, append([]string{"--no-defaults"}, s.args( //nolint:gosec // as above
		"--socket="+filepath.Join(s.dir, "s"), "--pid-file="+filepath.Join(s.dir, "pid"),
		"--bind-address=127.0.0.1", fmt.Sprintf("--port=%d", s.port), "--innodb-buffer-pool-size=64M",
		"--innodb-flush-log-at-trx-commit=1", "--innodb-log-file-size=32M", "--skip-log-bin")...)...)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	require.NoError(s.t, s.cmd.Start())
	connector, err := mysql.NewConnector(s.dsn())
	require.NoError(s.t, err)
	require.Eventually(s.t, func() bool {
		conn, err := connector.Connect(context.Background())
		if err != nil {
			return false
		}
		return conn.Close() == nil
	}, serverWait, 20*time.Millisecond, "the server does not answer: see its server.log")
}

// Kill ends the server with SIGKILL; nothing of it remains but the folder.
func (s *Server) Kill() {
	if s.cmd == nil || s.cmd.Process == nil {
		return
	}
	_ = s.cmd.Process.Kill() // it may have ended
	_ = s.cmd.Wait()         // by the signal
	s.cmd = nil
}

func (s *Server) dsn() *mysql.Config {
	dsn := mysql.NewConfig()
	dsn.User, dsn.Net, dsn.Addr = "root", "tcp", fmt.Sprintf("127.0.0.1:%d", s.port)
	return dsn
}

// Config is the configuration of a freshly migrated database on this server.
func (s *Server) Config(name string) database.Config {
	s.t.Helper()
	create(s.t, s.dsn(), name)
	dsn := s.dsn()
	dsn.DBName = name
	return database.Config{Driver: database.MySQL, MySQLDSN: dsn.FormatDSN()}
}
