// Package settlement tells each merchant, a day at a time, what the county owes
// for the benefits that its clerks redeemed. It reads what service/market did;
// the platform never holds a consumer's cash, so that a statement is about the
// county's subsidy only.
package settlement

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
	"jiamenkou/service/ledger"
)

// Config of the service.
type Config struct {
	ConfirmWindow time.Duration // how long a merchant may confirm or dispute; 0 means 7 days
}

// Service keeps periods and statements.
type Service struct {
	db     *database.DB
	clock  clock.Clock
	ledger *ledger.Service
	cfg    Config

	afterBatch func(n int) // tests kill a closing here
}

// New returns the service.
func New(db *database.DB, c clock.Clock, l *ledger.Service, cfg Config) *Service {
	if cfg.ConfirmWindow <= 0 {
		cfg.ConfirmWindow = 7 * 24 * time.Hour
	}
	return &Service{db: db, clock: c, ledger: l, cfg: cfg}
}

// The row types as this package's callers name them.
type (
	// Period is a settlement period.
	Period = model.SettlementPeriod
	// Line is a line of a statement.
	Line = model.SettlementLine
	// History is one move of a statement.
	History = model.StatementHistory
	// Status is the state of a statement.
	Status = model.StatementStatus
)

// Statement is a statement with what a reader needs beside it.
type Statement struct {
	model.SettlementStatement
	Day          clock.Day
	MerchantName string
	RegionPath   string
}

// moves is every allowed move of a statement and who may make it.
var moves = map[model.StatementStatus]map[model.StatementStatus][]authz.Role{
	model.StatementIssued: {
		model.StatementConfirmed: {authz.RoleOwner}, // or the job, when the window is over
		model.StatementDisputed:  {authz.RoleOwner},
	},
	model.StatementDisputed: {
		model.StatementConfirmed: {authz.RoleOperator}, // the dispute is settled between the two
	},
}

// Confirm is the merchant's yes.
func (s *Service) Confirm(ctx context.Context, actor authz.Actor, id string) (Statement, error) {
	return s.answer(ctx, actor, id, model.StatementIssued, model.StatementConfirmed, "")
}

// Dispute is the merchant's no; reason says which line and why (2..200
// characters).
func (s *Service) Dispute(ctx context.Context, actor authz.Actor, id, reason string) (Statement, error) {
	if !reasonable(reason) {
		return Statement{}, ErrReason
	}
	return s.answer(ctx, actor, id, model.StatementIssued, model.StatementDisputed, reason)
}

// Resolve ends a dispute: an operator over the merchant's region, who does not
// work there, says how it was settled. What is owed for it comes with the next
// statement.
func (s *Service) Resolve(ctx context.Context, actor authz.Actor, id, reason string) (Statement, error) {
	if !reasonable(reason) {
		return Statement{}, ErrReason
	}
	return s.answer(ctx, actor, id, model.StatementDisputed, model.StatementConfirmed, reason)
}

func reasonable(reason string) bool {
	n := utf8.RuneCountInString(strings.TrimSpace(reason))
	return n >= 2 && n <= 200
}

func (s *Service) answer(ctx context.Context, actor authz.Actor, id string, from, to model.StatementStatus, reason string) (Statement, error) {
	st, err := s.Statement(ctx, actor, id)
	if err != nil {
		return st, err
	}
	roles := moves[from][to]
	switch {
	case actor.AtMerchant(st.MerchantID, roles...) != nil && actor.InRegion(st.RegionPath, roles...) != nil:
		return st, authz.ErrForbidden
	case st.Status != from:
		return st, ErrMove
	case from == model.StatementDisputed && actor.AtMerchant(st.MerchantID, authz.RoleOwner, authz.RoleClerk) == nil && !actor.IsSystem():
		return st, ErrOwnMerchant
	}
	now := clock.Now(s.clock)
	if st.Status == model.StatementIssued && now >= st.ConfirmBy {
		return st, ErrWindowOver
	}
	err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		res := tx.Exec(`UPDATE settlement_statement SET status = ?, version = version + 1, updated_at = ?
			WHERE id = ? AND status = ? AND version = ?`, to, now, id, st.Status, st.Version)
		if err := database.RequireRows(res, 1); err != nil {
			return err
		}
		h := s.move(actor, id, string(st.Status), string(to), strings.TrimSpace(reason))
		return tx.Create(&h).Error
	})
	if errors.Is(err, database.ErrRowsChanged) {
		return st, ErrMove
	}
	if err != nil {
		return st, err
	}
	return s.Statement(ctx, actor, id)
}

func (s *Service) move(actor authz.Actor, id, from, to, reason string) model.StatementHistory {
	return model.StatementHistory{
		ID: s.clock.NewID(), StatementID: id, FromStatus: from, ToStatus: to, ActorKind: string(actor.Kind), ActorID: actor.ID,
		Reason: reason, CreatedAt: clock.Now(s.clock),
	}
}

// ConfirmOverdue confirms the statements that nobody answered in time, and
// returns how many.
func (s *Service) ConfirmOverdue(ctx context.Context) (confirmed int, err error) {
	const batch = 200
	for {
		var n int
		err := database.InTx(ctx, s.db, func(tx *gorm.DB) error {
			now := clock.Now(s.clock)
			var ids []string
			err := tx.Raw(`SELECT id FROM settlement_statement WHERE status = ? AND confirm_by <= ? ORDER BY id LIMIT ?`+
				database.ForUpdate(tx), model.StatementIssued, now, batch).Scan(&ids).Error
			if n = len(ids); err != nil || n == 0 {
				return err
			}
			res := tx.Exec(`UPDATE settlement_statement SET status = ?, version = version + 1, updated_at = ? WHERE id IN ? AND status = ?`,
				model.StatementConfirmed, now, ids, model.StatementIssued)
			if err := database.RequireRows(res, int64(n)); err != nil {
				return err
			}
			rows := make([]model.StatementHistory, n)
			for i, id := range ids {
				rows[i] = s.move(authz.System("settlement.confirm"), id, string(model.StatementIssued), string(model.StatementConfirmed), "逾期未答复，视为确认")
			}
			return tx.Create(&rows).Error
		})
		if err != nil {
			return confirmed, fmt.Errorf("settlement: confirm overdue: %w", err)
		}
		confirmed += n
		if n < batch {
			return confirmed, nil
		}
	}
}

// readers are the roles that may see statements over a region.
var readers = []authz.Role{authz.RoleOperator, authz.RoleAuditor}

// How the lists can be sorted. The statements of a day are written after those of
// the day before (but for a merchant's whose account was frozen), and the lines of
// one in the order of their times.
var (
	PeriodOrder    = paging.NewOrder("-day", paging.Text("day", "day", func(p Period) clock.Day { return p.Day }))
	StatementOrder = paging.NewOrder("-day", paging.Text("day", "st.id", func(st Statement) string { return st.ID }))
	LineOrder      = paging.NewOrder("occurred_at",
		paging.Text("occurred_at", "id", func(l Line) string { return l.ID }),
		paging.Number("points", "points", func(l Line) int64 { return l.Points }),
		paging.Number("subsidy_fen", "subsidy_fen", func(l Line) int64 { return l.SubsidyFen }),
	)
)

// Periods lists the settlement periods, newest first unless sorted by
// PeriodOrder.
func (s *Service) Periods(ctx context.Context, page paging.Request) (paging.Page[Period], error) {
	seek, err := PeriodOrder.Seek(page)
	if err != nil {
		return paging.Page[Period]{}, err
	}
	var rows []Period
	if err := s.db.Read(ctx).Where(seek.Where, seek.Args...).Order(seek.By).Limit(seek.Limit).Find(&rows).Error; err != nil {
		return paging.Page[Period]{}, fmt.Errorf("settlement: periods: %w", err)
	}
	return seek.Page(rows), nil
}

// StatementFilter narrows a list of statements; zero fields do not.
type StatementFilter struct {
	MerchantID string
	Day        clock.Day
	From, To   clock.Day // both included
	Status     Status
}

// Statements lists the statements of the actor's merchants and regions, newest
// first unless sorted by StatementOrder.
func (s *Service) Statements(ctx context.Context, actor authz.Actor, f StatementFilter, page paging.Request) (paging.Page[Statement], error) {
	seek, err := StatementOrder.Seek(page)
	if err != nil {
		return paging.Page[Statement]{}, err
	}
	db := s.db.Read(ctx)
	within := db.Where("1 = 0")
	if ids := actor.MerchantIDs(authz.RoleOwner); len(ids) > 0 {
		within = within.Or("st.merchant_id IN ?", ids)
	}
	for _, path := range actor.RegionPaths(readers...) {
		within = within.Or("r.path >= ? AND r.path < ?", path, path+"\x7f")
	}
	q := s.statements(ctx).Where(within).Where(seek.Where, seek.Args...).Order(seek.By).Limit(seek.Limit)
	if f.MerchantID != "" {
		q = q.Where("st.merchant_id = ?", f.MerchantID)
	}
	if f.Day != "" {
		q = q.Where("p.day = ?", f.Day)
	}
	if f.From != "" {
		q = q.Where("p.day >= ?", f.From)
	}
	if f.To != "" {
		q = q.Where("p.day <= ?", f.To)
	}
	if f.Status != "" {
		q = q.Where("st.status = ?", f.Status)
	}
	var rows []Statement
	if err := q.Find(&rows).Error; err != nil {
		return paging.Page[Statement]{}, fmt.Errorf("settlement: statements: %w", err)
	}
	return seek.Page(rows), nil
}

func (s *Service) statements(ctx context.Context) *gorm.DB {
	return s.db.Read(ctx).Table("settlement_statement st").
		Select("st.*, p.day, m.name AS merchant_name, r.path AS region_path").
		Joins("JOIN settlement_period p ON p.id = st.period_id").
		Joins("JOIN merchant m ON m.id = st.merchant_id").
		Joins("JOIN region r ON r.id = m.region_id")
}

// Statement returns one statement; one that the actor may not see does not
// exist.
func (s *Service) Statement(ctx context.Context, actor authz.Actor, id string) (Statement, error) {
	var st Statement
	err := s.statements(ctx).Where("st.id = ?", id).Take(&st).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return st, ErrStatementMissing
	}
	if err != nil {
		return st, fmt.Errorf("settlement: statement: %w", err)
	}
	if actor.AtMerchant(st.MerchantID, authz.RoleOwner) != nil && actor.InRegion(st.RegionPath, readers...) != nil {
		return Statement{}, ErrStatementMissing
	}
	return st, nil
}

// Unsettled is what a merchant's next statement will hold, as far as it has
// happened.
type Unsettled struct {
	Day        clock.Day // today
	LineCount  int64
	Points     int64
	SubsidyFen int64
	Lines      []Line // the newest, at most paging.MaxLimit
}

// Unsettled returns what a merchant's clerks have redeemed and reversed since
// the last statement.
func (s *Service) Unsettled(ctx context.Context, actor authz.Actor, merchantID string) (Unsettled, error) {
	out := Unsettled{Day: clock.Today(s.clock)}
	var path string
	err := s.db.Read(ctx).Raw(`SELECT r.path FROM merchant m JOIN region r ON r.id = m.region_id WHERE m.id = ?`, merchantID).Scan(&path).Error
	if err != nil {
		return out, fmt.Errorf("settlement: merchant: %w", err)
	}
	if path == "" || actor.AtMerchant(merchantID, authz.RoleOwner) != nil && actor.InRegion(path, readers...) != nil {
		return out, ErrMerchantMissing
	}
	items, err := pendingItems(s.db.Read(ctx), model.SettlementPeriod{Day: out.Day}, []string{merchantID})
	if err != nil {
		return out, fmt.Errorf("settlement: unsettled: %w", err)
	}
	for _, it := range items {
		out.LineCount++
		out.Points += it.Points
		out.SubsidyFen += it.SubsidyFen
		out.Lines = append(out.Lines, s.line("", it))
	}
	slices.SortFunc(out.Lines, func(a, b Line) int { return cmp.Compare(b.OccurredAt, a.OccurredAt) })
	out.Lines = out.Lines[:min(len(out.Lines), paging.MaxLimit)]
	return out, nil
}

// Lines lists the lines of a statement in the order of their times unless sorted
// by LineOrder.
func (s *Service) Lines(ctx context.Context, actor authz.Actor, id string, page paging.Request) (paging.Page[Line], error) {
	seek, err := LineOrder.Seek(page)
	if err != nil {
		return paging.Page[Line]{}, err
	}
	if _, err := s.Statement(ctx, actor, id); err != nil {
		return paging.Page[Line]{}, err
	}
	q := s.db.Read(ctx).Where("statement_id = ?", id).Where(seek.Where, seek.Args...).Order(seek.By).Limit(seek.Limit)
	var rows []Line
	if err := q.Find(&rows).Error; err != nil {
		return paging.Page[Line]{}, fmt.Errorf("settlement: lines: %w", err)
	}
	return seek.Page(rows), nil
}

// Step is a move of a statement and who made it.
type Step struct {
	History
	ActorName string // of staff
}

// Moves lists what happened to a statement, oldest first.
func (s *Service) Moves(ctx context.Context, actor authz.Actor, id string) ([]Step, error) {
	if _, err := s.Statement(ctx, actor, id); err != nil {
		return nil, err
	}
	var rows []Step
	err := s.db.Read(ctx).Raw(`SELECT h.*, COALESCE(p.name, '') AS actor_name FROM statement_history h LEFT JOIN staff p ON p.id = h.actor_id
		WHERE h.statement_id = ? ORDER BY h.id LIMIT ?`, id, paging.MaxLimit).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("settlement: history: %w", err)
	}
	return rows, nil
}
