package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"
)

// request is one call, built before the clock starts.
type request struct {
	bytes  []byte
	status []int // that are right; the first is the good one
}

func newRequest(method, path, token, key, body string, status ...int) request {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: bench\r\n", method, path)
	if token != "" {
		fmt.Fprintf(&b, "Authorization: Bearer %s\r\n", token)
	}
	if key != "" {
		fmt.Fprintf(&b, "Idempotency-Key: %s\r\n", key)
	}
	if method == "POST" {
		fmt.Fprintf(&b, "Content-Type: application/json\r\nContent-Length: %d\r\n", len(body))
	}
	fmt.Fprintf(&b, "\r\n%s", body)
	return request{bytes: b.Bytes(), status: status}
}

// outcome is what a round gave.
type outcome struct {
	took        time.Duration
	cpu         time.Duration   // of the process that serves, and
	databaseCPU time.Duration   // of the database server, if there is one
	good        int             // answers with the first status
	took1       []time.Duration // of each call, sorted
}

func (o outcome) perSecond() float64 { return float64(len(o.took1)) / o.took.Seconds() }

// quantile is the time within which that share of calls was answered.
func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

// hammer sends the requests over as many kept-alive connections, each its next
// one as soon as it has an answer. Client c sends requests c, c+clients, ….
func hammer(ctx context.Context, addr string, clients int, requests []request) (outcome, error) {
	conns := make([]*client, clients)
	for i := range conns {
		c, err := dial(ctx, addr)
		if err != nil {
			return outcome{}, err
		}
		defer c.conn.Close() //nolint:errcheck // everything was read
		conns[i] = c
	}
	return together(clients, len(requests), func(c, i int) (bool, error) {
		status, err := conns[c].call(requests[i].bytes)
		if err != nil {
			return false, err
		}
		if !slices.Contains(requests[i].status, status) {
			return false, fmt.Errorf("answer %d, want %v: %s", status, requests[i].status, conns[c].body)
		}
		return status == requests[i].status[0], nil
	})
}

// together lets clients do items 0 to n-1 and measures each.
func together(clients, n int, do func(c, i int) (good bool, err error)) (outcome, error) {
	var (
		all   sync.WaitGroup
		mu    sync.Mutex
		out   outcome
		errs  []error
		start = time.Now()
	)
	for c := range clients {
		all.Go(func() {
			var each []time.Duration
			done := 0
			var failed error
			for i := c; i < n && failed == nil; i += clients {
				at := time.Now()
				good, err := do(c, i)
				took := time.Since(at)
				each, failed = append(each, took), err
				if good {
					done++
				}
			}
			mu.Lock()
			defer mu.Unlock()
			out.took1 = append(out.took1, each...)
			out.good += done
			errs = append(errs, failed)
		})
	}
	all.Wait()
	out.took = time.Since(start)
	slices.Sort(out.took1)
	return out, errors.Join(errs...)
}

// client is one connection. It reads only what it must of an answer, so that
// the load costs the server's machine little.
type client struct {
	conn net.Conn
	in   *bufio.Reader
	body []byte
}

func dial(ctx context.Context, addr string) (*client, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return &client{conn: conn, in: bufio.NewReader(conn)}, nil
}

const answerWait = time.Minute

func (c *client) call(request []byte) (status int, err error) {
	if err := c.conn.SetDeadline(time.Now().Add(answerWait)); err != nil {
		return 0, err
	}
	if _, err := c.conn.Write(request); err != nil {
		return 0, err
	}
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	if len(line) < len("HTTP/1.1 200") {
		return 0, fmt.Errorf("no status line: %q", line)
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, err
	}
	length, err := c.length()
	if err != nil {
		return 0, err
	}
	c.body = slices.Grow(c.body[:0], length)[:length]
	_, err = io.ReadFull(c.in, c.body)
	return status, err
}

var lengthHeader = []byte("Content-Length: ")

// length reads the headers.
func (c *client) length() (n int, err error) {
	n = -1
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		if rest, ok := bytes.CutPrefix(line, lengthHeader); ok {
			if n, err = strconv.Atoi(string(rest)); err != nil {
				return 0, err
			}
		}
	}
	if n < 0 {
		return 0, errors.New("an answer without Content-Length")
	}
	return n, nil
}
