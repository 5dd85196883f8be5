// Package recourse is what people do about a posting once it stands: a resident
// asks why and objects, an operator answers, and two operators together move
// points by hand. It explains postings from what the domains wrote, and posts
// through service/ledger alone.
package recourse

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/queue"
	"jiamenkou/model"
	"jiamenkou/service/identity"
	"jiamenkou/service/ledger"
	"jiamenkou/service/policy"
)

// Config of the service.
type Config struct {
	DailyAdjustmentPoints int64         // the most that one operator proposes in a day; 0 means 1000
	AdjustmentTTL         time.Duration // a proposal without a decision expires after this; 0 means 7 days
	ObjectionTTL          time.Duration // an answered objection closes by itself after this; 0 means 30 days
}

// Service keeps adjustments and objections. Safe for concurrent use.
type Service struct {
	db     *database.DB
	clock  clock.Clock
	ledger *ledger.Service
	policy *policy.Service
	trail  identity.Trail
	cfg    Config
}

// New returns the service.
func New(db *database.DB, c clock.Clock, l *ledger.Service, p *policy.Service, cfg Config) *Service {
	if cfg.DailyAdjustmentPoints <= 0 {
		cfg.DailyAdjustmentPoints = 1000
	}
	if cfg.AdjustmentTTL <= 0 {
		cfg.AdjustmentTTL = 7 * 24 * time.Hour
	}
	if cfg.ObjectionTTL <= 0 {
		cfg.ObjectionTTL = 30 * 24 * time.Hour
	}
	return &Service{db: db, clock: c, ledger: l, policy: p, trail: identity.NewTrail(c), cfg: cfg}
}

// Topics of the notices that this package leaves for service/notify.
const (
	NoticeAdjusted = "recourse.adjustment_posted"  // the object is the adjustment
	NoticeAnswered = "recourse.objection_answered" // the object is the objection
)

func noticeOf(topic, objectID, residentID string) queue.Job {
	return queue.Job{
		Kind: ledger.JobNotify, UniqueKey: topic + ":" + objectID,
		Payload: ledger.Notice{Topic: topic, ObjectID: objectID, ResidentIDs: []string{residentID}},
	}
}

// hashInput is the SHA-256 of the parts, each with its length before it.
func hashInput(parts ...any) string {
	h := sha256.New()
	for _, p := range parts {
		text := fmt.Sprint(p)
		_, _ = fmt.Fprintf(h, "%d:%s\n", len(text), text) // a hash never fails
	}
	return hex.EncodeToString(h.Sum(nil))
}

func checkKey(f *fault.Fields, key string) {
	f.Add(len(key) >= 8 && len(key) <= 64, "idempotency_key", "请求号应为 8 到 64 个字符")
}

func checkText(f *fault.Fields, path, text string, least, most int) {
	n := utf8.RuneCountInString(strings.TrimSpace(text))
	f.Add(n >= least && n <= most && utf8.ValidString(text), path, fmt.Sprintf("应为 %d 到 %d 个字", least, most))
}

// home is where a resident lives.
type home struct{ RegionID, Path string }

func homeOf(tx *gorm.DB, residentID string) (h home, err error) {
	err = tx.Raw(`SELECT r.id AS region_id, r.path FROM resident p JOIN region r ON r.id = p.home_region_id WHERE p.id = ?`, residentID).
		Scan(&h).Error
	if err != nil {
		return h, fmt.Errorf("recourse: home region: %w", err)
	}
	return h, nil
}

// scoped begins a list over the regions in which the actor is an operator or
// an auditor, newest first.
func scoped(tx *gorm.DB, actor authz.Actor, table string) *gorm.DB {
	within := tx.Session(&gorm.Session{NewDB: true}).Where("1 = 0")
	for _, path := range actor.RegionPaths(authz.RoleOperator, authz.RoleAuditor) {
		within = within.Or("r.path >= ? AND r.path < ?", path, path+"\x7f")
	}
	return tx.Table(table + " x").Select("x.*").Joins("JOIN region r ON r.id = x.region_id").Where(within)
}

// The row types as this package's callers name them.
type (
	// Adjustment moves points by hand.
	Adjustment = model.Adjustment
	// AdjustmentHistory is one move of an adjustment.
	AdjustmentHistory = model.AdjustmentHistory
	// Objection is a resident's doubt about one entry.
	Objection = model.Objection
	// ObjectionHistory is one move of an objection.
	ObjectionHistory = model.ObjectionHistory
	// AdjustmentKind says which way points move.
	AdjustmentKind = model.AdjustmentKind
	// AdjustmentStatus is the state of an adjustment.
	AdjustmentStatus = model.AdjustmentStatus
	// AdjustmentReason is why points move by hand.
	AdjustmentReason = model.AdjustmentReason
	// ObjectionStatus is the state of an objection.
	ObjectionStatus = model.ObjectionStatus
)
