// Package export writes lists into files. It stands above every other service:
// a file is made by paging through the method that serves the list itself, as
// the person who asked and with the roles that this person holds at that
// moment, so that it can hold nothing that the list would not show.
package export

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/blob"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/paging"
	"jiamenkou/internal/queue"
	"jiamenkou/model"
	"jiamenkou/service/identity"
)

// Job is the kind of the queued job that writes a file.
const Job = "export.write"

// Config of the service; the zero value takes the defaults.
type Config struct {
	MaxRows       int64         // 200,000; a longer list is cut and marked
	MaxConcurrent int64         // 2 per person
	Keep          time.Duration // 24 h until the file is deleted
}

// Files is where the files are kept.
type Files interface {
	Write(ctx context.Context, key string, write func(io.Writer) error) (int64, error)
	Open(key string) (io.ReadCloser, error)
	Delete(ctx context.Context, key string) error
}

// Service makes exports. Safe for concurrent use.
type Service struct {
	db        *database.DB
	clock     clock.Clock
	people    *identity.Service
	files     Files
	cfg       Config
	resources []resource
}

// New makes the service.
func New(db *database.DB, c clock.Clock, files Files, lists Lists, cfg Config) *Service {
	if cfg.MaxRows <= 0 {
		cfg.MaxRows = 200_000
	}
	if cfg.MaxConcurrent <= 0 {
		cfg.MaxConcurrent = 2
	}
	if cfg.Keep <= 0 {
		cfg.Keep = 24 * time.Hour
	}
	return &Service{db: db, clock: c, people: lists.Identity, files: files, cfg: cfg, resources: resourcesOf(lists)}
}

// Export is one export.
type Export = model.ExportJob

// Status is the state of an export.
type Status = model.ExportStatus

// Request asks for an export.
type Request struct {
	Resource string
	Format   string // csv | xlsx
	Filters  Filters
	Sort     string // as of the list; "" for its own order
}

// asked is what an export keeps of its request.
type asked struct {
	Filters
	Sort string `json:"sort,omitempty"`
}

type payload struct {
	ID string `json:"id"`
}

// Create checks that the actor may read the list, notes the export and leaves
// the writing to the queue.
//
// Errors: ErrResource, ErrFormat, ErrTooMany, and those of the list itself.
func (s *Service) Create(ctx context.Context, actor authz.Actor, in Request) (Export, error) {
	if actor.Kind != authz.KindStaff {
		return Export{}, authz.ErrForbidden
	}
	r := s.resource(in.Resource)
	if r == nil {
		return Export{}, ErrResource
	}
	if in.Format != formatCSV && in.Format != formatXLSX {
		return Export{}, ErrFormat
	}
	if err := r.check(in.Filters); err != nil {
		return Export{}, err
	}
	// The list's own answer to this actor, before anything is written down.
	if _, err := r.page(ctx, actor, in.Filters, paging.Request{Limit: 1, Sort: in.Sort}); err != nil {
		return Export{}, err
	}
	filters, err := json.Marshal(asked{in.Filters, in.Sort})
	if err != nil {
		return Export{}, fmt.Errorf("export: filters: %w", err)
	}
	row := Export{
		ID: s.clock.NewID(), StaffID: actor.ID, Resource: in.Resource, Format: in.Format, Filters: string(filters),
		Status: model.ExportQueued, CreatedAt: clock.Now(s.clock),
	}
	region, err := s.regionOf(ctx, actor)
	if err != nil {
		return Export{}, err
	}
	err = database.InTx(ctx, s.db, func(tx *gorm.DB) error { return s.createTx(ctx, tx, actor, region, &row) })
	if database.IsDuplicate(err) { // asked twice at the same time
		return Export{}, ErrTooMany
	}
	return row, err
}

func (s *Service) createTx(ctx context.Context, tx *gorm.DB, actor authz.Actor, region string, row *Export) error {
	var used []int64
	if err := tx.Raw("SELECT slot FROM export_job WHERE staff_id = ? AND slot IS NOT NULL", actor.ID).Scan(&used).Error; err != nil {
		return fmt.Errorf("export: slots: %w", err)
	}
	slot := int64(1)
	for slices.Contains(used, slot) {
		slot++
	}
	if slot > s.cfg.MaxConcurrent {
		return ErrTooMany
	}
	row.Slot = &slot
	if err := tx.Create(row).Error; err != nil {
		return err
	}
	if err := s.recordTx(tx, actor, region, "export.create", *row); err != nil {
		return err
	}
	return queue.EnqueueTx(ctx, tx, s.clock, queue.Job{Kind: Job, UniqueKey: row.ID, Payload: payload{row.ID}})
}

// trace is what the audit trail keeps beside the action.
type trace struct {
	Resource string          `json:"resource"`
	Format   string          `json:"format"`
	Filters  json.RawMessage `json:"filters"`
}

// regionOf is where the actor belongs, whose auditors see what the actor takes
// along. (A role at a merchant names no region.)
func (s *Service) regionOf(ctx context.Context, actor authz.Actor) (string, error) {
	staff, err := s.people.StaffSelf(ctx, actor)
	return staff.RegionID, err
}

func (s *Service) recordTx(tx *gorm.DB, actor authz.Actor, region, action string, row Export) error {
	return s.people.RecordTx(tx, identity.AuditEntry{
		Actor: actor, Action: action, ObjectType: "export", ObjectID: row.ID, RegionID: region,
		Detail: trace{row.Resource, row.Format, json.RawMessage(row.Filters)},
	})
}

// ListOrder is how exports can be sorted.
var ListOrder = paging.NewOrder("-created_at", paging.Text("created_at", "id", func(e Export) string { return e.ID }))

// Exports lists the actor's own exports, newest first unless sorted by ListOrder.
func (s *Service) Exports(ctx context.Context, actor authz.Actor, page paging.Request) (paging.Page[Export], error) {
	seek, err := ListOrder.Seek(page)
	if err != nil {
		return paging.Page[Export]{}, err
	}
	q := s.db.Read(ctx).Where("staff_id = ?", actor.ID).Where(seek.Where, seek.Args...).Order(seek.By).Limit(seek.Limit)
	var rows []Export
	if err := q.Find(&rows).Error; err != nil {
		return paging.Page[Export]{}, fmt.Errorf("export: list: %w", err)
	}
	return seek.Page(rows), nil
}

// Export returns one of the actor's own exports, or ErrMissing.
func (s *Service) Export(ctx context.Context, actor authz.Actor, id string) (Export, error) {
	var row Export
	err := s.db.Read(ctx).Where("id = ? AND staff_id = ?", id, actor.ID).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return row, ErrMissing
	}
	if err != nil {
		return row, fmt.Errorf("export: read: %w", err)
	}
	return row, nil
}

// Open returns the file of one of the actor's own exports and leaves a trace
// of it. Whoever has lost one of the roles under which it was made may not have
// it any more. The caller closes it. Errors: ErrMissing, ErrNotReady,
// ErrExpired, auth.forbidden.
func (s *Service) Open(ctx context.Context, actor authz.Actor, id string) (Export, io.ReadCloser, error) {
	row, err := s.Export(ctx, actor, id)
	switch {
	case err != nil:
		return row, nil, err
	case row.Status == model.ExportExpired || row.ExpiresAt != nil && *row.ExpiresAt <= clock.Now(s.clock):
		return row, nil, ErrExpired
	case row.Status != model.ExportDone:
		return row, nil, ErrNotReady
	case !holdsAll(actor, row.MadeUnder):
		return row, nil, authz.ErrForbidden
	}
	region, err := s.regionOf(ctx, actor)
	if err != nil {
		return row, nil, err
	}
	file, err := s.files.Open(row.FileKey)
	if errors.Is(err, blob.ErrNotFound) {
		return row, nil, ErrExpired
	}
	if err != nil {
		return row, nil, err
	}
	err = database.InTx(ctx, s.db, func(tx *gorm.DB) error { return s.recordTx(tx, actor, region, "export.download", row) })
	if err != nil {
		return row, nil, errors.Join(err, file.Close())
	}
	return row, file, nil
}

// rolesOf writes the actor's roles down, each with where it is held.
func rolesOf(actor authz.Actor) []string {
	out := make([]string, len(actor.Grants))
	for i, g := range actor.Grants {
		out[i] = string(g.Role) + "@" + g.RegionID + g.MerchantID
	}
	return out
}

func holdsAll(actor authz.Actor, roles string) bool {
	held := rolesOf(actor)
	for role := range strings.FieldsSeq(roles) {
		if !slices.Contains(held, role) {
			return false
		}
	}
	return true
}

// FileName is what a browser calls the file of an export.
func FileName(e Export) string {
	return e.Resource + "-" + e.CreatedAt.Time().Format("20060102-150405") + "." + e.Format
}
