package wechatsim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"jiamenkou/internal/clock"
)

// The paths that the simulator answers, for FailNext and Calls.
const (
	PathToken       = "/cgi-bin/token"        //nolint:gosec // a path, not a secret
	PathStableToken = "/cgi-bin/stable_token" //nolint:gosec // a path, not a secret
	PathSession     = "/sns/jscode2session"
	PathPhone       = "/wxa/business/getuserphonenumber"
	PathSubscribe   = "/cgi-bin/message/subscribe/send"
	PathQRCode      = "/wxa/getwxacodeunlimit"
	PathText        = "/wxa/msg_sec_check"
	PathMedia       = "/wxa/media_check_async"
)

// Bounds: what a simulator that runs for weeks may keep.
const (
	maxBodyBytes   = 1 << 20
	maxUsedCodes   = 1 << 16
	maxSent        = 1 << 12
	maxTokens      = 1 << 8
	defaultQueue   = 256
	defaultTTL     = 2 * time.Hour // expires_in 7200, as WeChat grants
	callbackWait   = 5 * time.Second
	callbackTrials = 3
	closeWait      = 5 * time.Second
)

// Config of a Simulator.
type Config struct {
	AppID  string
	Secret string
	Clock  clock.Clock // nil: the real one

	CallbackURL   string        // where the verdicts on images go; "" drops them
	CallbackToken string        // signs them
	CallbackDelay time.Duration // from the check to its callback
	QueueSize     int           // callbacks waiting at most, beyond which a check is refused as busy; 0 means 256

	TokenTTL       time.Duration // of an access token; 0 means two hours
	LimitPerMinute int           // calls of one path a minute, beyond which 45011; 0 means no limit
}

// Simulator implements http.Handler. Safe for concurrent use.
type Simulator struct {
	cfg    Config
	routes map[string]route

	mu          sync.Mutex
	callbackURL string
	calls       map[string]int
	faults      map[string][]injected
	windows     map[string]window
	tokens      tokens
	used        usedCodes
	sent        []SentMessage
	refused     map[string]bool
	serial      int

	queue     callbackQueue
	server    *http.Server
	serving   sync.WaitGroup
	closing   chan struct{}
	closeOnce sync.Once
}

// route is one interface: how it is called, and what answers.
type route struct {
	method    string
	withToken bool
	answer    func(s *Simulator, r *http.Request, body []byte) reply
}

// reply is an answer: an object, or an image.
type reply struct {
	object any
	image  []byte
}

// apiError is WeChat's error body. It always arrives with status 200.
type apiError struct {
	Code    int    `json:"errcode"`
	Message string `json:"errmsg"`
}

type window struct {
	minute int64
	count  int
}

// injected is what a test wants to happen to the next calls of a path.
type injected struct {
	code   int
	status int
	hang   bool
	times  int
}

// New makes a Simulator. Close it after use.
func New(cfg Config) *Simulator {
	if cfg.Clock == nil {
		cfg.Clock = clock.NewSystem()
	}
	if cfg.QueueSize <= 0 {
		cfg.QueueSize = defaultQueue
	}
	if cfg.TokenTTL <= 0 {
		cfg.TokenTTL = defaultTTL
	}
	s := &Simulator{
		cfg:         cfg,
		callbackURL: cfg.CallbackURL,
		calls:       map[string]int{},
		faults:      map[string][]injected{},
		windows:     map[string]window{},
		refused:     map[string]bool{},
		closing:     make(chan struct{}),
		routes: map[string]route{
			PathToken:       {http.MethodGet, false, (*Simulator).token},
			PathStableToken: {http.MethodPost, false, (*Simulator).stableToken},
			PathSession:     {http.MethodGet, false, (*Simulator).session},
			PathPhone:       {http.MethodPost, true, (*Simulator).phone},
			PathSubscribe:   {http.MethodPost, true, (*Simulator).subscribe},
			PathQRCode:      {http.MethodPost, true, (*Simulator).qrCode},
			PathText:        {http.MethodPost, true, (*Simulator).checkText},
			PathMedia:       {http.MethodPost, true, (*Simulator).checkMedia},
		},
	}
	s.queue.init(cfg.QueueSize)
	return s
}

// ServeHTTP implements http.Handler.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	route, ok := s.routes[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBodyBytes))
	if err != nil {
		write(w, failure(47001))
		return
	}
	fault := s.count(r.URL.Path)
	switch {
	case fault.hang:
		select {
		case <-r.Context().Done():
		case <-s.closing:
		}
	case fault.status != 0:
		http.Error(w, http.StatusText(fault.status), fault.status)
	case fault.code != 0:
		write(w, failure(fault.code))
	default:
		write(w, s.serve(route, r, body))
	}
}

// serve applies what WeChat checks before any interface of its own.
func (s *Simulator) serve(route route, r *http.Request, body []byte) reply {
	if s.limited(r.URL.Path) {
		return failure(45011)
	}
	if r.Method != route.method {
		if route.method == http.MethodGet {
			return failure(43001)
		}
		return failure(43002)
	}
	if route.withToken {
		if code := s.tokenFault(r.URL.Query().Get("access_token")); code != 0 {
			return failure(code)
		}
	}
	return route.answer(s, r, body)
}

// count notes a call and takes the fault that waits for it, if any.
func (s *Simulator) count(path string) injected {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[path]++
	waiting := s.faults[path]
	if len(waiting) == 0 {
		return injected{}
	}
	fault := waiting[0]
	if waiting[0].times--; waiting[0].times <= 0 {
		s.faults[path] = waiting[1:]
	}
	return fault
}

func (s *Simulator) limited(path string) bool {
	if s.cfg.LimitPerMinute <= 0 {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	minute := s.cfg.Clock.Now().Unix() / 60
	w := s.windows[path]
	if w.minute != minute {
		w = window{minute: minute}
	}
	w.count++
	s.windows[path] = w
	return w.count > s.cfg.LimitPerMinute
}

// FailNext makes the next calls of path fail with errcode code, times times.
// Faults of one path happen in the order in which they were added.
func (s *Simulator) FailNext(path string, code, times int) {
	s.inject(path, injected{code: code, times: times})
}

// StatusNext makes the next calls of path fail with an HTTP status instead.
func (s *Simulator) StatusNext(path string, status, times int) {
	s.inject(path, injected{status: status, times: times})
}

// HangNext makes the next calls of path wait until the caller gives up or the
// Simulator is closed.
func (s *Simulator) HangNext(path string, times int) {
	s.inject(path, injected{hang: true, times: times})
}

// ClearFaults forgets the faults that have not happened yet.
func (s *Simulator) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.faults)
}

func (s *Simulator) inject(path string, fault injected) {
	if _, ok := s.routes[path]; !ok || fault.times < 1 {
		panic(fmt.Sprintf("wechatsim: cannot inject %d faults at %q", fault.times, path)) // a mistake in a test
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults[path] = append(s.faults[path], fault)
}

// Calls returns how often path was called.
func (s *Simulator) Calls(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[path]
}

// SetCallbackURL changes Config.CallbackURL, for a program that learns its
// own address after the Simulator's.
func (s *Simulator) SetCallbackURL(url string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.callbackURL = url
}

// Start listens on a free loopback port and serves until ctx ends or Close is
// called. Call it at most once.
func (s *Simulator) Start(ctx context.Context) (baseURL string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.closing:
		return "", errors.New("wechatsim: closed")
	default:
	}
	if s.server != nil {
		return "", errors.New("wechatsim: started twice")
	}
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("wechatsim: listening: %w", err)
	}
	s.server = &http.Server{Handler: s, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: time.Minute}
	s.serving.Go(func() { _ = s.server.Serve(listener) }) // returns ErrServerClosed, always
	s.serving.Go(func() {
		select {
		case <-ctx.Done():
			go s.Close() // Close waits for this goroutine
		case <-s.closing:
		}
	})
	return "http://" + listener.Addr().String(), nil
}

// Close stops serving, drops the callbacks that are still waiting and returns
// when nothing of the Simulator runs any more. It may be called repeatedly.
func (s *Simulator) Close() {
	s.closeOnce.Do(func() {
		s.mu.Lock()
		close(s.closing)
		server := s.server
		s.mu.Unlock()
		s.queue.stop()
		if server != nil {
			ctx, cancel := context.WithTimeout(context.Background(), closeWait)
			defer cancel()
			if server.Shutdown(ctx) != nil {
				_ = server.Close()
			}
		}
	})
	s.serving.Wait()
	s.queue.wait()
}

// messages are WeChat's texts for the numbers that the simulator gives.
var messages = map[int]string{
	-1:    "system error",
	40001: "invalid credential, access_token is invalid or not latest",
	40002: "invalid grant_type",
	40003: "invalid openid",
	40013: "invalid appid",
	40029: "invalid code",
	40037: "invalid template_id",
	40125: "invalid appsecret",
	40129: "invalid scene",
	40163: "code been used",
	41001: "access_token missing",
	41008: "missing code",
	41030: "invalid page",
	42001: "access_token expired",
	43001: "require GET method",
	43002: "require POST method",
	43101: "user refuse to accept the msg",
	44004: "empty content",
	45002: "content size out of limit",
	45011: "api minute-quota reach limit, mustslower, retry next minute",
	47001: "data format error",
	47003: "argument invalid!",
	61010: "code is expired",
}

func failure(code int) reply {
	message, ok := messages[code]
	if !ok {
		message = "simulated error"
	}
	return reply{object: apiError{code, message + " rid: " + strconv.FormatInt(int64(code)&0xffffffff, 16) + "-simulator"}}
}

func write(w http.ResponseWriter, r reply) {
	if r.image != nil {
		w.Header().Set("Content-Type", "image/jpeg")
		_, _ = w.Write(r.image) // the caller is gone: nobody to tell
		return
	}
	w.Header().Set("Content-Type", "application/json; encoding=utf-8")
	_ = json.NewEncoder(w).Encode(r.object) //nolint:errchkjson // plain strings and numbers
}
