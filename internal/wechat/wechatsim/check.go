package wechatsim

import (
	"bytes"
	"context"
	"crypto/sha1" //nolint:gosec // WeChat's own algorithm for the message push
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Words that decide what the text check advises.
const (
	MarkerRisky  = "违规测试"
	MarkerReview = "复审测试"
)

const (
	labelNone  = 100
	labelCrime = 20006
	labelOther = 21000
)

type advice struct {
	Suggest string `json:"suggest"`
	Label   int    `json:"label"`
}

type detail struct {
	Strategy string `json:"strategy"`
	Code     int    `json:"errcode"`
	Suggest  string `json:"suggest"`
	Label    int    `json:"label"`
	Prob     int    `json:"prob"`
}

func (a advice) details() []detail { return []detail{{"content_model", 0, a.Suggest, a.Label, 90}} }

// adviseOn looks for the words in what is checked; risky wins over review.
func adviseOn(content, risky, review string) advice {
	switch {
	case strings.Contains(content, risky):
		return advice{"risky", labelCrime}
	case strings.Contains(content, review):
		return advice{"review", labelOther}
	default:
		return advice{"pass", labelNone}
	}
}

// checkText answers msgSecCheck, version 2.
func (s *Simulator) checkText(_ *http.Request, body []byte) reply {
	var in struct {
		OpenID  string `json:"openid"`
		Scene   int    `json:"scene"`
		Version int    `json:"version"`
		Content string `json:"content"`
	}
	if json.Unmarshal(body, &in) != nil {
		return failure(47001)
	}
	switch {
	case !openIDShape.MatchString(in.OpenID):
		return failure(40003)
	case in.Version != 2 || in.Scene < 1 || in.Scene > 4:
		return failure(47003)
	case in.Content == "":
		return failure(44004)
	case utf8.RuneCountInString(in.Content) > 2500:
		return failure(45002)
	}
	result := adviseOn(in.Content, MarkerRisky, MarkerReview)
	return reply{object: struct {
		apiError
		TraceID string   `json:"trace_id"`
		Result  advice   `json:"result"`
		Detail  []detail `json:"detail"`
	}{apiError{0, "ok"}, s.traceID(), result, result.details()}}
}

// checkMedia answers mediaCheckAsync, version 2, and queues the callback.
func (s *Simulator) checkMedia(_ *http.Request, body []byte) reply {
	var in struct {
		MediaURL  string `json:"media_url"`
		MediaType int    `json:"media_type"`
		OpenID    string `json:"openid"`
		Scene     int    `json:"scene"`
		Version   int    `json:"version"`
	}
	if json.Unmarshal(body, &in) != nil {
		return failure(47001)
	}
	media, err := url.Parse(in.MediaURL)
	switch {
	case !openIDShape.MatchString(in.OpenID):
		return failure(40003)
	case in.Version != 2 || in.MediaType < 1 || in.MediaType > 2 || in.Scene < 1 || in.Scene > 4,
		err != nil || media.Host == "":
		return failure(47003)
	}
	trace := s.traceID()
	verdict := callback{
		due:     time.Now().Add(s.cfg.CallbackDelay),
		traceID: trace,
		openID:  in.OpenID,
		result:  adviseOn(in.MediaURL, "risky", "review"),
	}
	if !s.queue.push(verdict, s.push) {
		return failure(-1)
	}
	return reply{object: struct {
		apiError
		TraceID string `json:"trace_id"`
	}{apiError{0, "ok"}, trace}}
}

// traceID has the shape of WeChat's and is unique in the process.
func (s *Simulator) traceID() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serial++
	return fmt.Sprintf("%08x-%08x-%08x", uint32(s.cfg.Clock.Now().Unix()), s.serial, s.serial*2654435761&0xffffffff) //nolint:gosec // only looks
}

// callback is a verdict on its way.
type callback struct {
	due     time.Time // by the real clock: it is a wait, not a date
	traceID string
	openID  string
	result  advice
}

// push delivers one verdict; like WeChat it waits five seconds for an answer
// and tries three times in all.
func (s *Simulator) push(ctx context.Context, c callback) {
	s.mu.Lock()
	target := s.callbackURL
	s.mu.Unlock()
	if target == "" {
		return
	}
	body, err := json.Marshal(s.event(c))
	if err != nil {
		return
	}
	for range callbackTrials {
		if s.post(ctx, target, c.openID, body) || ctx.Err() != nil {
			return
		}
	}
}

// event is the message wxa_media_check of mediaCheckAsync, version 2.
func (s *Simulator) event(c callback) any {
	return struct {
		ToUserName   string   `json:"ToUserName"`
		FromUserName string   `json:"FromUserName"`
		CreateTime   int64    `json:"CreateTime"`
		MsgType      string   `json:"MsgType"`
		Event        string   `json:"Event"`
		AppID        string   `json:"appid"`
		TraceID      string   `json:"trace_id"`
		Version      int      `json:"version"`
		Detail       []detail `json:"detail"`
		Code         int      `json:"errcode"`
		Message      string   `json:"errmsg"`
		Result       advice   `json:"result"`
	}{
		"gh_simulator", c.openID, s.cfg.Clock.Now().Unix(), "event", "wxa_media_check", s.cfg.AppID,
		c.traceID, 2, c.result.details(), 0, "ok", c.result,
	}
}

func (s *Simulator) post(ctx context.Context, target, openID string, body []byte) bool {
	ctx, cancel := context.WithTimeout(ctx, callbackWait)
	defer cancel()
	u, err := url.Parse(target)
	if err != nil {
		return false
	}
	query := u.Query()
	for key, value := range s.SignCallback() {
		query.Set(key, value)
	}
	query.Set("openid", openID)
	u.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return false
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := s.queue.client.Do(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// SignCallback returns the query parameters signature, timestamp and nonce of
// a genuine callback, for tests that make their own.
func (s *Simulator) SignCallback() map[string]string {
	timestamp, nonce := strconv.FormatInt(s.cfg.Clock.Now().Unix(), 10), s.nonce()
	parts := []string{s.cfg.CallbackToken, timestamp, nonce}
	slices.Sort(parts)
	sum := sha1.Sum([]byte(strings.Join(parts, ""))) //nolint:gosec // as above
	return map[string]string{"signature": hex.EncodeToString(sum[:]), "timestamp": timestamp, "nonce": nonce}
}

// WaitCallbacks returns when no callback is waiting or under way, or with
// ctx's error.
func (s *Simulator) WaitCallbacks(ctx context.Context) error { return s.queue.idle(ctx) }

// callbackQueue delivers callbacks one after the other. Its goroutine starts
// with the first and ends with stop.
type callbackQueue struct {
	client *http.Client
	limit  int
	ctx    context.Context //nolint:containedctx // the goroutine's life, ended by stop
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu      sync.Mutex
	waiting []callback
	running bool
	settled chan struct{} // closed when the goroutine has nothing left; nil while it never ran
}

func (q *callbackQueue) init(limit int) {
	q.limit = limit
	q.client = &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()} //nolint:forcetypeassert // documented
	q.ctx, q.cancel = context.WithCancel(context.Background())
}

// push takes c, or reports that the queue is full or closed.
func (q *callbackQueue) push(c callback, deliver func(context.Context, callback)) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) >= q.limit || q.ctx.Err() != nil {
		return false
	}
	q.waiting = append(q.waiting, c)
	if !q.running {
		q.running, q.settled = true, make(chan struct{})
		q.done.Go(func() { q.run(deliver) })
	}
	return true
}

// run delivers until nothing is left. The head stays in the queue while it is
// under way, so that the limit counts it.
func (q *callbackQueue) run(deliver func(context.Context, callback)) {
	for {
		q.mu.Lock()
		if len(q.waiting) == 0 || q.ctx.Err() != nil {
			q.waiting, q.running = nil, false
			close(q.settled)
			q.mu.Unlock()
			return
		}
		head := q.waiting[0]
		q.mu.Unlock()

		timer := time.NewTimer(time.Until(head.due))
		select {
		case <-timer.C:
			deliver(q.ctx, head)
		case <-q.ctx.Done():
			timer.Stop()
		}

		q.mu.Lock()
		q.waiting = q.waiting[1:]
		q.mu.Unlock()
	}
}

func (q *callbackQueue) idle(ctx context.Context) error {
	q.mu.Lock()
	settled, running := q.settled, q.running
	q.mu.Unlock()
	if !running {
		return nil
	}
	select {
	case <-settled:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// stop drops what waits and interrupts what is under way.
func (q *callbackQueue) stop() {
	q.mu.Lock() // so that no push is between its check and its start
	q.cancel()
	q.mu.Unlock()
}

func (q *callbackQueue) wait() {
	q.done.Wait()
	q.client.CloseIdleConnections()
}
