// Package casework takes residents' reports and carries them, as cases, from
// acceptance to the reporter's confirmation: who may do what when is the table
// in moves.go, and each move is a row of history.
//
// A report counts as verified, and earns its points, when it was handled and
// its reporter (or, after a while, his silence) confirmed it; until then its
// points are pending.
package casework

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/blob"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/picture"
	"jiamenkou/internal/wechat"
	"jiamenkou/model"
	"jiamenkou/service/ledger"
	"jiamenkou/service/policy"
)

type (
	// Kind is model's word, for callers that do not know model; so are those below.
	Kind = model.CaseKind
	// Category is what a case is about.
	Category = model.CaseCategory
	// Status is how far a case has come.
	Status = model.CaseStatus
	// Move is a step of a case.
	Move = model.CaseMove
	// ContentStatus is the outcome of a content check.
	ContentStatus = model.ContentStatus
)

// ContentChecker asks WeChat about what residents wrote and photographed;
// *wechat.Client implements it.
type ContentChecker interface {
	CheckText(ctx context.Context, openID string, scene int, text string) (wechat.Verdict, error)
	// CheckImage returns the trace id under which ImageVerdict will be called.
	CheckImage(ctx context.Context, openID, mediaURL string, scene int) (traceID string, err error)
}

// Locator finds the smallest village or below that contains a position in
// degrees. It returns a fault of kind NotFound when none does.
type Locator interface {
	LocateRegion(ctx context.Context, lon, lat float64) (regionID string, err error)
}

// Config of the service. A zero field takes its default.
type Config struct {
	DailyReports   int64 // per resident: 10
	DailyUploads   int64 // per person: 60
	MaxPictures    int   // per report or feedback, at most 9: 9
	MaxReopens     int64 // how often a reporter may say that it is not solved: 2
	MaxImageChecks int64 // how often a picture is handed to WeChat before only people decide: 5
	MaxDecodes     int   // pictures decoded at a time: 2
	BatchSize      int   // cases or pictures per transaction of a job: 100

	DueIn            time.Duration // from the report, or its reopening, to the feedback: 5 days
	AutoConfirmAfter time.Duration // 7 days
	KeepPosition     time.Duration // 30 days
	KeepOrphans      time.Duration // uploads that no report uses: 24 hours
	ImageCheckWait   time.Duration // for WeChat's verdict, before asking again: 1 hour
	DecodeWait       time.Duration // for a free decoder: 10 s

	Picture picture.Limits

	LinkTTL      time.Duration // of a link to a picture: 15 minutes
	CheckLinkTTL time.Duration // of the link that WeChat gets: 1 hour
	PublicURL    string        // "https://example.org": where WeChat fetches pictures
	LinkSecret   string        // signs links, at least 32 bytes
}

// String keeps the secret out of %v and %+v.
func (Config) String() string { return "casework.Config" }

// GoString keeps the secret out of %#v.
func (Config) GoString() string { return "casework.Config" }

// LogValue keeps the secret out of logs.
func (Config) LogValue() slog.Value { return slog.StringValue("casework.Config") }

// MaxPictures is how many pictures a report or a feedback may have at most.
const MaxPictures = 9 // a CHECK of case_attachment too

const (
	minSecretBytes = 32
	day            = 24 * time.Hour
)

func (c *Config) complete() error {
	setDefault(&c.DailyReports, 10)
	setDefault(&c.DailyUploads, 60)
	setDefault(&c.MaxPictures, MaxPictures)
	setDefault(&c.MaxReopens, 2)
	setDefault(&c.MaxImageChecks, 5)
	setDefault(&c.MaxDecodes, 2)
	setDefault(&c.BatchSize, 100)
	setDefault(&c.DueIn, 5*day)
	setDefault(&c.AutoConfirmAfter, 7*day)
	setDefault(&c.KeepPosition, 30*day)
	setDefault(&c.KeepOrphans, day)
	setDefault(&c.ImageCheckWait, time.Hour)
	setDefault(&c.DecodeWait, 10*time.Second)
	setDefault(&c.LinkTTL, 15*time.Minute)
	setDefault(&c.CheckLinkTTL, time.Hour)
	c.PublicURL = strings.TrimSuffix(c.PublicURL, "/")
	switch {
	case len(c.LinkSecret) < minSecretBytes:
		return errors.New("casework: link secret: want at least 32 bytes")
	case c.MaxPictures < 0 || c.MaxPictures > MaxPictures || c.MaxDecodes < 1 || c.BatchSize < 1 || c.BatchSize > policy.MaxEvents:
		return errors.New("casework: a limit is out of bounds")
	case c.DueIn < 0 || c.AutoConfirmAfter < 0 || c.KeepPosition < 0 || c.KeepOrphans < time.Minute:
		return errors.New("casework: a duration is out of bounds")
	}
	return nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Service keeps cases and their pictures. Safe for concurrent use.
type Service struct {
	db      *database.DB
	clock   clock.Clock
	policy  *policy.Service
	ledger  *ledger.Service
	store   blob.Store
	checker ContentChecker
	locator Locator
	cfg     Config
	decodes chan struct{}
}

// Parts are what the service works with.
type Parts struct {
	DB      *database.DB
	Clock   clock.Clock
	Policy  *policy.Service
	Ledger  *ledger.Service // runs the audit's comparisons
	Store   blob.Store
	Checker ContentChecker
	Locator Locator
}

// New returns the service.
func New(p Parts, cfg Config) (*Service, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	return &Service{
		db: p.DB, clock: p.Clock, policy: p.Policy, ledger: p.Ledger, store: p.Store, checker: p.Checker, locator: p.Locator,
		cfg: cfg, decodes: make(chan struct{}, cfg.MaxDecodes),
	}, nil
}

func (s *Service) now() clock.Instant { return clock.Now(s.clock) }

// Who reads and who moves cases.
var (
	handlers = []authz.Role{authz.RoleGridWorker, authz.RoleOperator}
	readers  = []authz.Role{authz.RoleGridWorker, authz.RoleOperator, authz.RoleAuditor}
)

// placed is a case and the path of its region.
type placed struct {
	model.CaseFile
	RegionPath string
}

// TableName: gorm would derive one from the type's name.
func (placed) TableName() string { return "case_file" }

const (
	selectPlaced = selectCase + "JOIN" + atRegion
	selectCase   = "SELECT c.*, r.path AS region_path FROM case_file c "
	atRegion     = " region r ON r.id = c.region_id"
)

// visible returns nil if the actor may see the case at all, else ErrNotFound.
func visible(actor authz.Actor, c *placed) error {
	if actor.Kind == authz.KindResident {
		if c.ReporterID == actor.ID {
			return nil
		}
		return ErrNotFound
	}
	if actor.InRegion(c.RegionPath, readers...) != nil {
		return ErrNotFound
	}
	return nil
}

// lockCase locks one case and reads where it lies.
func lockCase(tx *gorm.DB, id string) (placed, error) {
	var rows []placed
	if err := tx.Raw(`SELECT * FROM case_file WHERE id = ?`+database.ForUpdate(tx), id).Scan(&rows).Error; err != nil {
		return placed{}, err
	}
	if len(rows) == 0 {
		return placed{}, ErrNotFound
	}
	c := rows[0]
	err := tx.Raw(`SELECT path FROM region WHERE id = ?`, c.RegionID).Scan(&c.RegionPath).Error
	return c, err
}
