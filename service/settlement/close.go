package settlement

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/model"
	"jiamenkou/service/identity"
	"jiamenkou/service/ledger"
)

const (
	// lookBackDays is how far back a closing looks for a redemption that no
	// statement has yet: one that committed after its own day was closed.
	lookBackDays = 31
	// merchantsPerTx is how many statements one transaction writes.
	merchantsPerTx = 20
	// linesPerInsert is how many lines one statement of SQL writes.
	linesPerInsert = 500
)

// Closed says what CloseDue did.
type Closed struct {
	Periods    int
	Statements int
}

// CloseDue opens the period of today and closes every period before today, in
// the order of days. Each merchant with redemptions or reversals gets one
// statement a period, exactly once: a second instance, or a second run after
// this one was killed, finds what is there and goes on behind it.
//
// A merchant whose account the ledger will not settle (it is frozen) keeps
// nobody else from being paid: its periods stay open and the error,
// ErrUnsettled, names it after all the others are done.
func (s *Service) CloseDue(ctx context.Context) (Closed, error) {
	return s.closeUntil(ctx, authz.System("settlement.close"), clock.Today(s.clock).AddDays(-1))
}

// closeUntil closes the periods up to a day before today.
func (s *Service) closeUntil(ctx context.Context, actor authz.Actor, last clock.Day) (Closed, error) {
	var done Closed
	left := refusals{}
	if err := s.openPeriods(ctx, clock.Today(s.clock)); err != nil {
		return done, err
	}
	var due []model.SettlementPeriod
	err := s.db.Read(ctx).Where("status = ? AND day <= ?", model.PeriodOpen, last).Order("day").Find(&due).Error
	if err != nil {
		return done, fmt.Errorf("settlement: due periods: %w", err)
	}
	for _, p := range due {
		n, closed, err := s.closePeriod(ctx, actor, p, left)
		done.Statements += n
		if err != nil {
			return done, err
		}
		if closed {
			done.Periods++
		}
	}
	return done, left.err()
}

// refusals are the merchants whose accounts the ledger would not settle, and
// why. Later periods of the same run leave them out as well.
type refusals map[string]error

func (r refusals) err() error {
	if len(r) == 0 {
		return nil
	}
	var why []error
	for _, id := range slices.Sorted(maps.Keys(r)) {
		why = append(why, fmt.Errorf("settlement: merchant %s: %w", id, r[id]))
	}
	return ErrUnsettled.WithCause(errors.Join(why...))
}

func (r refusals) without(merchants []string) []string {
	return slices.DeleteFunc(slices.Clone(merchants), func(id string) bool { return r[id] != nil })
}

// openPeriods makes the rows from the day after the newest period (or of the
// first redemption) to today.
func (s *Service) openPeriods(ctx context.Context, today clock.Day) error {
	first := today
	var newest model.SettlementPeriod
	err := s.db.Read(ctx).Order("day DESC").Limit(1).Take(&newest).Error
	switch {
	case err == nil:
		first = newest.Day.AddDays(1)
	case errors.Is(err, gorm.ErrRecordNotFound):
		var oldest *clock.Instant
		if err := s.db.Read(ctx).Model(&model.Redemption{}).Select("MIN(created_at)").Scan(&oldest).Error; err != nil {
			return fmt.Errorf("settlement: first redemption: %w", err)
		}
		if oldest != nil && oldest.Day() < today {
			first = oldest.Day()
		}
	default:
		return fmt.Errorf("settlement: newest period: %w", err)
	}
	var rows []model.SettlementPeriod
	for day := first; day <= today; day = day.AddDays(1) {
		rows = append(rows, model.SettlementPeriod{ID: s.clock.NewID(), Day: day, Status: model.PeriodOpen, CreatedAt: clock.Now(s.clock)})
	}
	if len(rows) == 0 {
		return nil
	}
	return database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		// Another instance may open the same days: its rows stay.
		return tx.Clauses(clause.OnConflict{DoNothing: true}).CreateInBatches(&rows, linesPerInsert).Error
	})
}

// closePeriod writes the missing statements of a period and then marks it
// closed, unless a merchant is left over. Closing by hand leaves a trace; cron
// has its own history.
func (s *Service) closePeriod(ctx context.Context, actor authz.Actor, p model.SettlementPeriod, left refusals) (statements int, closed bool, err error) {
	batches := 0
	for {
		unsettled, err := s.unsettledMerchants(ctx, p)
		if err != nil {
			return statements, false, err
		}
		merchants := left.without(unsettled)
		if len(merchants) == 0 && len(unsettled) > 0 {
			return statements, false, nil
		}
		if len(merchants) == 0 {
			break
		}
		for batch := range slices.Chunk(merchants, merchantsPerTx) {
			done, err := s.issue(ctx, p, batch)
			if err != nil {
				return statements, false, fmt.Errorf("settlement: issue statements of %s: %w", p.Day, err)
			}
			if done.over {
				return statements, false, nil // what came to light since then is for the next period
			}
			statements += done.statements
			maps.Copy(left, done.refused)
			if batches++; s.afterBatch != nil {
				s.afterBatch(batches)
			}
		}
	}
	err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		res := tx.Exec(`UPDATE settlement_period SET status = ?, closed_at = ? WHERE id = ? AND status = ?`,
			model.PeriodClosed, clock.Now(s.clock), p.ID, model.PeriodOpen)
		if res.Error != nil || res.RowsAffected == 0 || actor.IsSystem() {
			return res.Error // another instance closed it, or nobody's hand
		}
		return identity.NewTrail(s.clock).RecordTx(tx, identity.AuditEntry{
			Actor: actor, Action: "settlement.close", ObjectType: "settlement_period", ObjectID: p.ID,
			Detail: closeDetail{Day: p.Day, Statements: statements},
		})
	})
	return statements, err == nil, err
}

// closeDetail is what the audit trail keeps of a closing by hand.
type closeDetail struct {
	Day        clock.Day `json:"day"`
	Statements int       `json:"statements"`
}

// unsettledMerchants lists the merchants that have something to settle up to
// the end of the period's day and no statement in the period yet.
func (s *Service) unsettledMerchants(ctx context.Context, p model.SettlementPeriod) ([]string, error) {
	from, to := p.Day.AddDays(-lookBackDays).Start(), p.Day.End()
	var ids []string
	err := s.db.Read(ctx).Raw(`
		SELECT DISTINCT m.merchant_id FROM (
			SELECT r.merchant_id FROM redemption r LEFT JOIN settlement_line l ON l.redemption_id = r.id
			WHERE r.created_at >= ? AND r.created_at < ? AND l.id IS NULL
			UNION ALL
			SELECT v.merchant_id FROM redemption_reversal v LEFT JOIN settlement_line l ON l.reversal_id = v.id
			WHERE v.created_at >= ? AND v.created_at < ? AND l.id IS NULL
		) m LEFT JOIN settlement_statement st ON st.merchant_id = m.merchant_id AND st.period_id = ?
		WHERE st.id IS NULL ORDER BY m.merchant_id`, from, to, from, to, p.ID).Scan(&ids).Error
	if err != nil {
		return nil, fmt.Errorf("settlement: merchants of %s: %w", p.Day, err)
	}
	return ids, nil
}

// pending is one redemption or reversal that is on no statement yet.
type pending struct {
	MerchantID    string
	RedemptionID  string // set for both
	ReversalID    *string
	OrderID       string
	TransferID    string
	BenefitTitle  string
	Points        int64
	SubsidyFen    int64
	CashFen       int64
	OccurredAt    clock.Instant
	SettledBefore bool // a reversal whose redemption is on an earlier statement
}

// issued is what one transaction of a closing did.
type issued struct {
	statements int
	refused    refusals
	over       bool // another instance has closed the period
}

func (s *Service) issue(ctx context.Context, p model.SettlementPeriod, merchants []string) (done issued, err error) {
	err = database.InTx(ctx, s.db, func(tx *gorm.DB) (err error) {
		done, err = s.issueTx(ctx, tx, p, merchants)
		return err
	})
	return done, err
}

// issueTx writes one statement for each merchant: rows, lines and the posting
// that settles the points. Of a merchant that the ledger refuses nothing is
// written.
func (s *Service) issueTx(ctx context.Context, tx *gorm.DB, p model.SettlementPeriod, merchants []string) (issued, error) {
	tx = tx.WithContext(ctx)
	// The period's row is the lock: two instances closing one period take turns.
	var status model.PeriodStatus
	err := tx.Raw(`SELECT status FROM settlement_period WHERE id = ?`+database.ForUpdate(tx), p.ID).Scan(&status).Error
	if err != nil || status != model.PeriodOpen {
		return issued{over: true}, err
	}
	var have []string
	err = tx.Model(&model.SettlementStatement{}).Where("period_id = ? AND merchant_id IN ?", p.ID, merchants).Pluck("merchant_id", &have).Error
	if err != nil {
		return issued{}, err
	}
	merchants = slices.DeleteFunc(slices.Clone(merchants), func(id string) bool { return slices.Contains(have, id) })
	if len(merchants) == 0 {
		return issued{}, nil
	}
	items, err := pendingItems(tx, p, merchants)
	if err != nil {
		return issued{}, err
	}
	carried, err := carriedOver(tx, merchants)
	if err != nil {
		return issued{}, err
	}
	statements, lines := s.draw(p, merchants, items, carried)
	refused, err := s.settleTx(ctx, tx, statements)
	if err != nil {
		return issued{}, err
	}
	statements, lines = refused.leaveOut(statements, lines)
	return issued{statements: len(statements), refused: refused}, s.writeTx(tx, statements, lines)
}

// leaveOut drops what was drawn for refused merchants.
func (r refusals) leaveOut(statements []model.SettlementStatement, lines []model.SettlementLine) ([]model.SettlementStatement, []model.SettlementLine) {
	dropped := map[string]bool{}
	statements = slices.DeleteFunc(statements, func(st model.SettlementStatement) bool {
		dropped[st.ID] = r[st.MerchantID] != nil
		return dropped[st.ID]
	})
	return statements, slices.DeleteFunc(lines, func(l model.SettlementLine) bool { return dropped[l.StatementID] })
}

func (s *Service) writeTx(tx *gorm.DB, statements []model.SettlementStatement, lines []model.SettlementLine) error {
	if len(statements) == 0 {
		return nil
	}
	if err := tx.Create(&statements).Error; err != nil {
		return err
	}
	if err := tx.CreateInBatches(&lines, linesPerInsert).Error; err != nil {
		return err
	}
	history := make([]model.StatementHistory, len(statements))
	for i, st := range statements {
		history[i] = s.move(authz.System("settlement.close"), st.ID, "", string(model.StatementIssued), "")
	}
	return tx.Create(&history).Error
}

func pendingItems(tx *gorm.DB, p model.SettlementPeriod, merchants []string) ([]pending, error) {
	from, to := p.Day.AddDays(-lookBackDays).Start(), p.Day.End()
	var redeemed, reversed []pending
	err := tx.Raw(`SELECT r.merchant_id, r.id AS redemption_id, r.order_id, r.transfer_id, b.title AS benefit_title,
			o.points, o.subsidy_fen, o.cash_fen, r.created_at AS occurred_at
		FROM redemption r JOIN benefit_order o ON o.id = r.order_id JOIN benefit b ON b.id = o.benefit_id
		LEFT JOIN settlement_line l ON l.redemption_id = r.id
		WHERE r.merchant_id IN ? AND r.created_at >= ? AND r.created_at < ? AND l.id IS NULL
		ORDER BY r.merchant_id, r.created_at, r.id`, merchants, from, to).Scan(&redeemed).Error
	if err != nil {
		return nil, err
	}
	err = tx.Raw(`SELECT v.merchant_id, v.redemption_id, v.id AS reversal_id, v.order_id, v.transfer_id, b.title AS benefit_title,
			-o.points AS points, -o.subsidy_fen AS subsidy_fen, -o.cash_fen AS cash_fen, v.created_at AS occurred_at,
			CASE WHEN first.id IS NULL THEN 0 ELSE 1 END AS settled_before
		FROM redemption_reversal v JOIN benefit_order o ON o.id = v.order_id JOIN benefit b ON b.id = o.benefit_id
		LEFT JOIN settlement_line first ON first.redemption_id = v.redemption_id
		LEFT JOIN settlement_line l ON l.reversal_id = v.id
		WHERE v.merchant_id IN ? AND v.created_at >= ? AND v.created_at < ? AND l.id IS NULL
		ORDER BY v.merchant_id, v.created_at, v.id`, merchants, from, to).Scan(&reversed).Error
	// The ids of lines are made in this order, and lists follow them.
	items := slices.Concat(redeemed, reversed)
	slices.SortStableFunc(items, func(a, b pending) int { return cmp.Compare(a.OccurredAt, b.OccurredAt) })
	return items, err
}

// carry is what the statements before left below zero.
type carry struct{ points, fen int64 }

// carriedOver is what each merchant's statements drew up less what they
// settled. That is what the newest of them carried out; the sum does not ask
// which one that is, since ids and times follow a clock that may be set back.
func carriedOver(tx *gorm.DB, merchants []string) (map[string]carry, error) {
	var rows []struct {
		MerchantID  string
		Points, Fen int64
	}
	err := tx.Raw(`SELECT merchant_id, SUM(points - settled_points) AS points, SUM(subsidy_fen - payable_fen) AS fen
		FROM settlement_statement WHERE merchant_id IN ? GROUP BY merchant_id`, merchants).Scan(&rows).Error
	out := make(map[string]carry, len(rows))
	for _, r := range rows {
		out[r.MerchantID] = carry{points: r.Points, fen: r.Fen}
	}
	return out, err
}

// draw adds up the statements and their lines in memory.
func (s *Service) draw(p model.SettlementPeriod, merchants []string, items []pending, carried map[string]carry,
) (statements []model.SettlementStatement, lines []model.SettlementLine) {
	now := clock.Now(s.clock)
	for _, merchant := range merchants {
		c := carried[merchant]
		st := model.SettlementStatement{
			ID: s.clock.NewID(), PeriodID: p.ID, MerchantID: merchant, CarriedInPoints: c.points, CarriedInFen: c.fen,
			Status: model.StatementIssued, ConfirmBy: now.Add(s.cfg.ConfirmWindow), Version: 1, CreatedAt: now, UpdatedAt: now,
		}
		for _, it := range items {
			if it.MerchantID != merchant {
				continue
			}
			lines = append(lines, s.line(st.ID, it))
			st.LineCount++
			st.Points += it.Points
			st.SubsidyFen += it.SubsidyFen
		}
		st.SettledPoints, st.CarriedOutPoints = split(st.Points + c.points)
		st.PayableFen, st.CarriedOutFen = split(st.SubsidyFen + c.fen)
		statements = append(statements, st)
	}
	return statements, lines
}

func (s *Service) line(statementID string, it pending) model.SettlementLine {
	l := model.SettlementLine{
		ID: s.clock.NewID(), StatementID: statementID, Kind: model.LineRedemption, OrderID: it.OrderID,
		TransferID: it.TransferID, BenefitTitle: it.BenefitTitle, Points: it.Points, SubsidyFen: it.SubsidyFen,
		CashFen: it.CashFen, OccurredAt: it.OccurredAt,
	}
	switch {
	case it.ReversalID == nil:
		l.RedemptionID = &it.RedemptionID
	case it.SettledBefore:
		l.Kind, l.ReversalID = model.LineAdjustment, it.ReversalID
	default:
		l.Kind, l.ReversalID = model.LineReversal, it.ReversalID
	}
	return l
}

// split parts a sum into what is paid now and what is carried on below zero.
func split(sum int64) (now, carried int64) { return max(sum, 0), min(sum, 0) }

// settleTx moves the settled points off the merchants' accounts, and says which
// of them the ledger refused.
func (s *Service) settleTx(ctx context.Context, tx *gorm.DB, statements []model.SettlementStatement) (refusals, error) {
	var (
		items []ledger.Settle
		of    []int
	)
	for i, st := range statements {
		if st.SettledPoints == 0 {
			continue
		}
		of = append(of, i)
		items = append(items, ledger.Settle{
			Event: ledger.Event{
				SourceType: "statement", SourceID: st.PeriodID + ":" + st.MerchantID,
				ActorID: authz.System("settlement.close").ID, Evidence: fmt.Sprintf(`{"statement_id":%q}`, st.ID),
			},
			MerchantID: st.MerchantID, Amount: st.SettledPoints,
		})
	}
	outcomes, err := s.ledger.SettleTx(ctx, tx, items)
	if err != nil {
		return nil, err
	}
	refused := refusals{}
	for n, o := range outcomes {
		if o.Err != nil {
			refused[items[n].MerchantID] = o.Err
			continue
		}
		statements[of[n]].JournalID = &outcomes[n].JournalID
	}
	return refused, nil
}

// CloseDay closes the period of one day before today by hand, when cron has
// not: the same closing, of the earlier days as well, since a statement carries
// on what the one before it left. A day that is closed stays as it is. The
// actor must be an operator of a whole county, for a period is everybody's.
//
// Errors: ErrDay, ErrUnsettled, authz.ErrForbidden.
func (s *Service) CloseDay(ctx context.Context, actor authz.Actor, day clock.Day) (Period, error) {
	county := actor.IsSystem() || slices.ContainsFunc(actor.RegionPaths(authz.RoleOperator), func(path string) bool {
		return len(model.RegionPathIDs(path)) == 1
	})
	if !county {
		return Period{}, authz.ErrForbidden
	}
	if _, err := clock.ParseDay(string(day)); err != nil || day >= clock.Today(s.clock) {
		return Period{}, ErrDay
	}
	row, err := s.period(ctx, day)
	if err != nil || row.Status == model.PeriodClosed {
		return row, err
	}
	if _, err := s.closeUntil(ctx, actor, day); err != nil {
		return Period{}, err
	}
	if row, err = s.period(ctx, day); err == nil && row.ID == "" {
		return row, ErrDay // before the first redemption
	}
	return row, err
}

// period reads the period of a day; an empty one if there is none.
func (s *Service) period(ctx context.Context, day clock.Day) (row Period, err error) {
	if err = s.db.Read(ctx).Where("day = ?", day).Limit(1).Find(&row).Error; err != nil {
		err = fmt.Errorf("settlement: period: %w", err)
	}
	return row, err
}
