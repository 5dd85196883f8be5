package databasetest

import (
	"bytes"
	"context"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"jiamenkou/internal/database"
)

// CommitFault is what a faulty network does to a COMMIT.
type CommitFault int

// The faults.
const (
	CommitPasses     CommitFault = iota // none
	CommitLostBefore                    // the server never sees it, and the connection breaks
	CommitLostAfter                     // it takes effect, its answer is lost, and the connection breaks
	CommitSwallowed                     // it vanishes, and the connection stays open
)

// ThroughCutter is the configuration of the same MySQL database behind a TCP
// proxy that lets everything pass but a COMMIT: next, which several connections
// may call at once, says what happens to it. The proxy ends with the test.
func ThroughCutter(t testing.TB, direct *database.DB, next func() CommitFault) database.Config {
	t.Helper()
	quiet(t)
	var name string
	require.NoError(t, direct.Read(t.Context()).Raw("SELECT DATABASE()").Scan(&name).Error)
	dsn := ServerDSN(t)
	dsn.DBName = name
	dsn.Addr = startCutter(t, dsn.Addr, next)
	return database.Config{Driver: database.MySQL, MySQLDSN: dsn.FormatDSN()}
}

// quiet keeps the driver from printing what it makes of connections that break
// on purpose.
func quiet(t testing.TB) {
	t.Helper()
	require.NoError(t, mysql.SetLogger(&mysql.NopLogger{}))
}

// cutter is the proxy.
type cutter struct {
	target string
	next   func() CommitFault
	mu     sync.Mutex
	open   map[net.Conn]bool
}

// startCutter returns the address on which the proxy listens.
func startCutter(t testing.TB, target string, next func() CommitFault) string {
	t.Helper()
	c := &cutter{target: target, next: next, open: map[net.Conn]bool{}}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var served sync.WaitGroup
	served.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return // closed
			}
			served.Go(func() { c.serve(client) })
		}
	})
	t.Cleanup(func() {
		require.NoError(t, listener.Close())
		c.closeAll()
		served.Wait()
	})
	return listener.Addr().String()
}

func (c *cutter) serve(client net.Conn) {
	server, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", c.target)
	if err != nil {
		client.Close() //nolint:errcheck // the client notices
		return
	}
	c.keep(client, server)
	defer c.forget(client, server)
	answers := make(chan struct{})
	cutting := make(chan struct{})
	go func() {
		defer close(answers)
		passAnswers(client, server, cutting)
	}()
	c.passRequests(client, server, cutting)
	server.Close() //nolint:errcheck // ends passAnswers
	<-answers
}

func (c *cutter) passRequests(client, server net.Conn, cutting chan<- struct{}) {
	buf := make([]byte, 64<<10)
	for {
		n, err := client.Read(buf)
		if err != nil {
			return
		}
		fault := CommitPasses
		if bytes.Contains(buf[:n], []byte("\x03COMMIT")) { // COM_QUERY and its text
			fault = c.next()
		}
		switch fault {
		case CommitPasses:
			if _, err := server.Write(buf[:n]); err != nil {
				return
			}
		case CommitLostBefore:
			return
		case CommitSwallowed:
			_, _ = io.Copy(io.Discard, client) // until the client gives up
			return
		case CommitLostAfter:
			close(cutting)
			_, _ = server.Write(buf[:n])
			_, _ = io.Copy(io.Discard, client) // until passAnswers hangs up
			return
		}
	}
}

func passAnswers(client, server net.Conn, cutting <-chan struct{}) {
	buf := make([]byte, 64<<10)
	for {
		n, err := server.Read(buf)
		select {
		case <-cutting:
			client.Close() //nolint:errcheck // the fault that is wanted
			return
		default:
		}
		if err != nil {
			client.Close() //nolint:errcheck // a server that hangs up is seen by the client, as it would be without a proxy
			return
		}
		if _, err := client.Write(buf[:n]); err != nil {
			return
		}
	}
}

func (c *cutter) keep(conns ...net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range conns {
		c.open[conn] = true
	}
}

func (c *cutter) forget(conns ...net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range conns {
		conn.Close() //nolint:errcheck // nothing is left to flush
		delete(c.open, conn)
	}
}

func (c *cutter) closeAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.open {
		conn.Close() //nolint:errcheck // may be closed already
	}
}
