// Package notify tells people what happened: a message in the inbox always,
// and a WeChat subscribe message to residents who agreed to notifications and
// have a consent left for its template (one consent, one message).
//
// The domains enqueue a job of kind "notify" with ids in the transaction that
// causes it. This package resolves the ids, writes the inbox and enqueues a
// second job per message that goes out through WeChat, so that no transaction
// waits for the network. Both jobs run at least once: the inbox has one
// message per recipient and job, WeChat gets at most one.
package notify

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/queue"
	"jiamenkou/internal/wechat"
	"jiamenkou/service/ledger"
	"jiamenkou/service/volunteer"
)

// JobSubscribe is the kind of queued job that sends one message through
// WeChat; its payload is a SubscribeJob.
const JobSubscribe = "notify.subscribe"

// Notice is the payload of a job of kind "notify", as the domains write it.
type Notice struct {
	Topic       string   `json:"topic"`
	ObjectID    string   `json:"object_id"`
	ResidentIDs []string `json:"resident_ids"`
	StaffIDs    []string `json:"staff_ids,omitempty"` // topics for staff; empty: those in charge of the object
}

// SubscribeJob sends one message.
type SubscribeJob struct {
	MessageID string `json:"message_id"`
}

// Sender sends subscribe messages; *wechat.Client implements it.
type Sender interface {
	SendSubscribe(ctx context.Context, m wechat.SubscribeMessage) error
}

// Config of the service. A zero field takes its default.
type Config struct {
	// Templates gives a topic its WeChat template: "TEMPLATE_ID", whose
	// keywords are thing1 (title), thing2 (text) and time3, or
	// "TEMPLATE_ID/thing4/thing2/time5" where the template names them
	// otherwise. A topic without one, or with "", goes to the inbox only.
	Templates map[string]string
	Page      string        // of the mini-program that a subscribe message opens; "" opens nothing
	MaxQuota  int64         // consents kept per resident and template: 10
	Keep      time.Duration // of messages: 180 days
	BatchSize int           // recipients or rows per transaction: 100
}

const (
	day          = 24 * time.Hour
	maxBatchSize = 500
	// maxRounds bounds one run of Prune; the next run goes on where it ended.
	maxRounds = 10_000
)

func (c *Config) complete() error {
	setDefault(&c.MaxQuota, 10)
	setDefault(&c.Keep, 180*day)
	setDefault(&c.BatchSize, 100)
	if c.MaxQuota < 1 || c.Keep < day || c.BatchSize < 1 || c.BatchSize > maxBatchSize {
		return errors.New("notify: want max_quota >= 1, keep >= 24h and a batch of 1 to 500")
	}
	return nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// template is how a topic looks at WeChat.
type template struct {
	id              string
	title, body, at string // names of its keywords
}

var (
	templateIDPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)
	thingPattern      = regexp.MustCompile(`^thing[0-9]{1,3}$`)
	timePattern       = regexp.MustCompile(`^(time|date)[0-9]{1,3}$`)
)

// parseTemplates reads Config.Templates. Its errors are for the operator at
// start.
func parseTemplates(in map[string]string) (map[string]template, error) {
	out := map[string]template{}
	for name, text := range in {
		topic, known := topics[name]
		switch {
		case !known:
			return nil, fmt.Errorf("notify: templates: there is no topic %s: use one of %s", name, strings.Join(topicNames(), ", "))
		case text == "":
			continue
		case topic.forStaff:
			return nil, fmt.Errorf("notify: templates: %s is for staff, who get no subscribe messages", name)
		}
		parts := strings.Split(text, "/")
		if len(parts) == 1 {
			parts = append(parts, "thing1", "thing2", "time3")
		}
		if len(parts) != 4 || !templateIDPattern.MatchString(parts[0]) || !thingPattern.MatchString(parts[1]) ||
			!thingPattern.MatchString(parts[2]) || !timePattern.MatchString(parts[3]) {
			return nil, fmt.Errorf("notify: templates: %s: want TEMPLATE_ID or TEMPLATE_ID/thing1/thing2/time3", name)
		}
		out[name] = template{id: parts[0], title: parts[1], body: parts[2], at: parts[3]}
	}
	return out, nil
}

func topicNames() []string {
	names := make([]string, 0, len(topics))
	for name := range topics {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Service keeps inboxes and consents to subscribe messages. Safe for
// concurrent use.
type Service struct {
	db        *database.DB
	clock     clock.Clock
	ledger    *ledger.Service // balances of budgets
	sender    Sender
	templates map[string]template // by topic
	cfg       Config
}

// New makes the service; it refuses templates of topics that do not exist.
func New(db *database.DB, c clock.Clock, l *ledger.Service, sender Sender, cfg Config) (*Service, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	templates, err := parseTemplates(cfg.Templates)
	if err != nil {
		return nil, err
	}
	return &Service{db: db, clock: c, ledger: l, sender: sender, templates: templates, cfg: cfg}, nil
}

// Register makes the worker run this package's jobs.
func (s *Service) Register(w *queue.Worker) {
	queue.Register(w, volunteer.JobNotify, func(ctx context.Context, n Notice) error {
		return s.Deliver(ctx, queue.Current(ctx).ID, n)
	}, queue.Options{})
	queue.Register(w, JobSubscribe, func(ctx context.Context, j SubscribeJob) error {
		return s.send(ctx, queue.Current(ctx), j.MessageID)
	}, queue.Options{})
}

func (s *Service) now() clock.Instant { return clock.Now(s.clock) }
