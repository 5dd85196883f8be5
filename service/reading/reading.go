// Package reading offers community news to residents and times how long they
// read it, on the server's clock alone: what a client claims counts nowhere.
//
// An article that was read, and a daily sign-in where the county allows it,
// are events for service/policy, which decides about points; they stay done
// when it grants none.
package reading

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/batch"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/model"
	"jiamenkou/service/identity"
	"jiamenkou/service/ledger"
	"jiamenkou/service/policy"
)

// The words of model that callers use.
type (
	// ArticleStatus is where an article stands.
	ArticleStatus = model.ArticleStatus
	// History is one edit or move of an article.
	History = model.ArticleHistory
	// Status is where a reading session stands.
	Status = model.ReadingStatus
	// AwardStatus says what became of an event.
	AwardStatus = model.AwardStatus
)

// Config of the service. A zero duration takes its default.
type Config struct {
	HeartbeatInterval time.Duration // how often a client should beat; closer beats count as one: 5 s
	MaxGap            time.Duration // the most that one beat credits, so that a hidden page earns little: 3 intervals
	SessionTTL        time.Duration // from start to completion: 2 hours
	DailySignIn       bool          // whether the county allows daily sign-ins (compliance)
	Batch             batch.Config  // how completions and sign-ins are combined, at most policy.MaxEvents in a batch
}

func (c *Config) complete() error {
	if c.HeartbeatInterval == 0 {
		c.HeartbeatInterval = 5 * time.Second
	}
	if c.MaxGap == 0 {
		c.MaxGap = 3 * c.HeartbeatInterval
	}
	if c.SessionTTL == 0 {
		c.SessionTTL = 2 * time.Hour
	}
	switch {
	case c.HeartbeatInterval < time.Second || c.HeartbeatInterval > time.Minute:
		return errors.New("reading: heartbeat interval: want 1 s to 1 minute")
	case c.MaxGap < c.HeartbeatInterval:
		return errors.New("reading: longest gap: want at least one heartbeat interval")
	case c.SessionTTL < model.MaxReadSeconds*time.Second:
		return errors.New("reading: session TTL: want at least 30 minutes, the longest reading time of an article")
	case c.Batch.MaxItems > policy.MaxEvents:
		return errors.New("reading: batch: more items than one award takes")
	}
	return nil
}

// Service keeps articles, reading sessions and sign-ins. Safe for concurrent use.
type Service struct {
	db     *database.DB
	clock  clock.Clock
	policy *policy.Service
	ledger *ledger.Service // runs the audit's comparisons
	trail  identity.Trail
	cfg    Config

	completions *batch.Combiner[item, Completion]
	signIns     *batch.Combiner[string, SignIn]
}

// New returns the service.
func New(db *database.DB, c clock.Clock, l *ledger.Service, p *policy.Service, cfg Config) (*Service, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	s := &Service{db: db, clock: c, policy: p, ledger: l, trail: identity.NewTrail(c), cfg: cfg}
	s.combine()
	return s, nil
}

func (s *Service) now() clock.Instant { return clock.Now(s.clock) }

// writeAttempts bounds how often a write is run again that met its rival's
// row on a unique key: the second run finds that row.
const writeAttempts = 5

// insertTx is database.InTx for a closure that looks for a row and inserts it
// if there is none.
func (s *Service) insertTx(ctx context.Context, fn func(tx *gorm.DB) error) error {
	for attempt := 1; ; attempt++ {
		err := database.InTx(ctx, s.db, fn)
		if !database.IsDuplicate(err) {
			return err
		}
		if attempt == writeAttempts {
			return database.ErrBusy.WithCause(err)
		}
	}
}

// regionNames looks names up by id.
func (s *Service) regionNames(ctx context.Context, ids []string) (map[string]string, error) {
	names := make(map[string]string, len(ids))
	if len(ids) == 0 {
		return names, nil
	}
	var rows []struct{ ID, Name string }
	if err := s.db.Read(ctx).Raw(`SELECT id, name FROM region WHERE id IN ?`, ids).Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("reading: region names: %w", err)
	}
	for _, r := range rows {
		names[r.ID] = r.Name
	}
	return names, nil
}

// maxQuery is the longest text search in characters.
const maxQuery = 40

// textFilter matches articles whose title or summary contains text. The body
// is left out: it would have to be read for every article of the region.
func textFilter(text string) (where string, args []any) {
	text = strings.ToLower(strings.TrimSpace(text))
	if text == "" {
		return "", nil
	}
	return " AND (INSTR(LOWER(a.title), ?) > 0 OR INSTR(LOWER(a.summary), ?) > 0)", []any{text, text}
}

// Who writes and who reads articles on the staff surface.
var (
	writers = []authz.Role{authz.RoleOperator}
	readers = []authz.Role{authz.RoleOperator, authz.RoleAuditor}
)
