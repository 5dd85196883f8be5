package database_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/internal/fault"
)

// What a faulty network does to a COMMIT.
type commitFault int

const (
	lostBefore commitFault = iota // the server never sees it
	lostAfter                     // it takes effect, and the answer is lost
	swallowed                     // it vanishes, and the connection stays open
)

// cutter is a TCP proxy in front of the server that lets everything pass but
// a COMMIT.
type cutter struct {
	target string
	fault  commitFault
	mu     sync.Mutex
	open   []net.Conn
}

// startCutter returns the address on which the proxy listens.
func startCutter(t *testing.T, target string, fault commitFault) string {
	t.Helper()
	c := &cutter{target: target, fault: fault}
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
	c.mu.Lock()
	c.open = append(c.open, client, server)
	c.mu.Unlock()
	defer client.Close() //nolint:errcheck // nothing is left to flush
	defer server.Close() //nolint:errcheck // as above
	answers := make(chan struct{})
	cutting := make(chan struct{})
	go func() {
		defer close(answers)
		c.passAnswers(client, server, cutting)
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
		if !bytes.Contains(buf[:n], []byte("\x03COMMIT")) { // COM_QUERY and its text
			if _, err := server.Write(buf[:n]); err != nil {
				return
			}
			continue
		}
		switch c.fault {
		case lostBefore:
			return
		case swallowed:
			_, _ = io.Copy(io.Discard, client) // until the client gives up
			return
		case lostAfter:
			close(cutting)
			_, _ = server.Write(buf[:n])
			_, _ = io.Copy(io.Discard, client) // until passAnswers hangs up
			return
		}
	}
}

func (*cutter) passAnswers(client, server net.Conn, cutting <-chan struct{}) {
	buf := make([]byte, 64<<10)
	for {
		n, err := server.Read(buf)
		if err != nil {
			return
		}
		select {
		case <-cutting:
			client.Close() //nolint:errcheck // the fault that is wanted
			return
		default:
		}
		if _, err := client.Write(buf[:n]); err != nil {
			return
		}
	}
}

func (c *cutter) closeAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.open {
		conn.Close() //nolint:errcheck // may be closed already
	}
}

func TestInTxWhenCommitIsLost(t *testing.T) {
	for name, c := range map[string]struct {
		fault   commitFault
		durable int64
	}{
		"before the server saw it":              {lostBefore, 0},
		"after the server did it":               {lostAfter, 1},
		"in a network that swallows everything": {swallowed, 0},
	} {
		t.Run(name, func(t *testing.T) {
			direct := databasetest.Open(t, database.MySQL)
			scratch(t, direct)
			cfg := throughCutter(t, direct, c.fault)
			cfg.TxTimeout = time.Second
			db, err := database.Open(t.Context(), cfg)
			require.NoError(t, err)
			defer db.Close() //nolint:errcheck // its connection is broken on purpose

			runs, began := 0, time.Now()
			err = database.InTx(t.Context(), db, func(tx *gorm.DB) error {
				runs++
				return add(tx, 1, 1)
			})
			require.ErrorIs(t, err, database.ErrCommitUnknown)
			require.Equal(t, fault.Unavailable, fault.KindOf(err))
			require.Positive(t, fault.As(err).RetryAfter)
			require.Equal(t, 1, runs, "whoever repeats the request looks it up first")
			require.Less(t, time.Since(began), 30*time.Second)
			require.Equal(t, c.durable, n(t, direct, 1))
		})
	}
}

// throughCutter is the configuration of the same database behind a proxy.
func throughCutter(t *testing.T, direct *database.DB, fault commitFault) database.Config {
	t.Helper()
	var name string
	require.NoError(t, direct.Read(t.Context()).Raw("SELECT DATABASE()").Scan(&name).Error)
	dsn := databasetest.ServerDSN(t)
	dsn.DBName = name
	dsn.Addr = startCutter(t, dsn.Addr, fault)
	dsn.Logger = &mysql.NopLogger{} // the fault is wanted
	return database.Config{Driver: database.MySQL, MySQLDSN: dsn.FormatDSN()}
}
