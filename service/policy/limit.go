package policy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/paging"
	"jiamenkou/internal/queue"
	"jiamenkou/model"
	"jiamenkou/service/identity"
	"jiamenkou/service/ledger"
)

func checkReason(f *fault.Fields, reason string) {
	n := utf8.RuneCountInString(strings.TrimSpace(reason))
	f.Add(n >= 2 && n <= 200, "reason", "请写明原因，2 到 200 个字")
}

// ChangeBudgetLimit sets a new limit; the actor must be an operator over the
// budget's region, and says why (2..200 characters). Setting the same limit
// again changes nothing. Errors: ErrBudgetMissing, ErrBudgetIssued, field faults.
func (s *Service) ChangeBudgetLimit(ctx context.Context, actor authz.Actor, budgetID string, limitPoints int64, reason string) (BudgetUse, error) {
	var f fault.Fields
	f.Add(limitPoints >= 1 && limitPoints <= ledger.MaxBudgetPoints, "limit_points", "预算应为大于零的整数")
	checkReason(&f, reason)
	if err := f.Err(codeInvalid); err != nil {
		return BudgetUse{}, err
	}
	var row model.Budget
	err := database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		if err := lockBudget(tx, budgetID, &row); err != nil {
			return err
		}
		if _, err := s.authorize(ctx, actor, row.RegionID); err != nil {
			return ErrBudgetMissing
		}
		before := row.LimitPoints
		if row.LimitPoints = limitPoints; before == limitPoints {
			return nil
		}
		if err := tx.Exec(`UPDATE budget SET limit_points = ? WHERE id = ?`, limitPoints, budgetID).Error; err != nil {
			return err
		}
		err := s.trail.RecordTx(tx, identity.AuditEntry{
			Actor: actor, Action: "budget.change_limit", ObjectType: "budget", ObjectID: budgetID, RegionID: row.RegionID,
			Reason: strings.TrimSpace(reason), Detail: limitChange{before, limitPoints},
		})
		if err != nil {
			return err
		}
		if err := s.ledger.ChangeBudgetLimitTx(ctx, tx, budgetID, limitPoints); isExhausted(err) {
			return ErrBudgetIssued
		} else if err != nil {
			return err
		}
		return nil
	})
	if err != nil {
		return BudgetUse{}, err
	}
	balances, err := s.ledger.Balances(ctx, []ledger.AccountID{ledger.BudgetOf(budgetID)})
	return BudgetUse{Budget: row, IssuedPoints: -balances[ledger.BudgetOf(budgetID)].Posted}, err
}

type limitChange struct {
	From int64 `json:"from_points"`
	To   int64 `json:"to_points"`
}

func lockBudget(tx *gorm.DB, id string, row *model.Budget) error {
	err := tx.Raw(`SELECT * FROM budget WHERE id = ?`+database.ForUpdate(tx), id).Take(row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return ErrBudgetMissing
	}
	return err
}

// alertPercents are how much of a budget may be issued before its operators
// are warned.
var alertPercents = []int64{80, 95}

// NoticeBudgetLow warns the operators of a budget's region; the object is the
// alert.
const NoticeBudgetLow = "policy.budget_low"

// maxAlerted bounds one run of CheckBudgets; the next one goes on.
const maxAlerted = 500

// lowBudgets are the budgets of today that have passed a threshold which is
// not recorded yet.
const lowBudgets = `SELECT b.id AS budget_id, b.region_id, b.limit_points, -s.posted AS issued_points
	FROM budget b JOIN account_balance s ON s.account_id = CONCAT('3', b.id)
	LEFT JOIN budget_alert a ON a.budget_id = b.id AND a.threshold_percent = ? AND a.limit_points = b.limit_points
	WHERE b.starts_on <= ? AND b.ends_on >= ? AND -s.posted * 100 >= b.limit_points * ? AND a.id IS NULL
	ORDER BY b.id LIMIT ?`

// CheckBudgets records every budget of today that has issued 80 % or 95 % of
// its limit, once per budget, threshold and limit, leaves a notice for its
// operators, and returns how many it recorded. A job runs it every few
// minutes: earning itself never looks.
func (s *Service) CheckBudgets(ctx context.Context) (alerts int, err error) {
	today := clock.Today(s.clock)
	for _, percent := range alertPercents {
		var low []model.BudgetAlert
		err := s.db.Read(ctx).Raw(lowBudgets, percent, today, today, percent, maxAlerted).Scan(&low).Error
		if err != nil {
			return alerts, fmt.Errorf("policy: low budgets: %w", err)
		}
		if len(low) == 0 {
			continue
		}
		err = database.InTx(ctx, s.db, func(tx *gorm.DB) error { return s.alertTx(ctx, tx, low, percent) })
		if err != nil {
			return alerts, err
		}
		alerts += len(low)
	}
	return alerts, nil
}

func (s *Service) alertTx(ctx context.Context, tx *gorm.DB, low []model.BudgetAlert, percent int64) error {
	now := clock.Now(s.clock)
	jobs := make([]queue.Job, len(low))
	for i := range low {
		a := &low[i]
		a.ID, a.ThresholdPercent, a.CreatedAt = s.clock.NewID(), percent, now
		jobs[i] = queue.Job{
			Kind: ledger.JobNotify, UniqueKey: fmt.Sprintf("%s:%s:%d:%d", NoticeBudgetLow, a.BudgetID, percent, a.LimitPoints),
			Payload: ledger.Notice{Topic: NoticeBudgetLow, ObjectID: a.ID, ResidentIDs: []string{}},
		}
	}
	// Another instance may record the same at this moment; the first one's row
	// stays, and the job's key keeps the notice single.
	if err := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&low).Error; err != nil {
		return fmt.Errorf("policy: record alerts: %w", err)
	}
	return queue.EnqueueTx(ctx, tx, s.clock, jobs...)
}

// BudgetAlert is a recorded alert with the budget's name.
type BudgetAlert struct {
	model.BudgetAlert
	BudgetName string
}

var alertOrder = paging.NewOrder("-created_at", paging.Text("created_at", "x.id", func(a BudgetAlert) string { return a.ID }))

// BudgetAlerts lists the alerts in the actor's regions, newest first; budgetID
// narrows them to one budget, "" does not.
func (s *Service) BudgetAlerts(ctx context.Context, actor authz.Actor, budgetID string, page paging.Request) (paging.Page[BudgetAlert], error) {
	seek, err := alertOrder.Seek(page)
	if err != nil {
		return paging.Page[BudgetAlert]{}, err
	}
	q := s.scoped(ctx, actor, "budget_alert").Joins("JOIN budget b ON b.id = x.budget_id").Select("x.*, b.name AS budget_name").
		Where(seek.Where, seek.Args...).Order(seek.By).Limit(seek.Limit)
	if budgetID != "" {
		q = q.Where("x.budget_id = ?", budgetID)
	}
	var rows []BudgetAlert
	if err := q.Scan(&rows).Error; err != nil {
		return paging.Page[BudgetAlert]{}, fmt.Errorf("policy: alerts: %w", err)
	}
	return seek.Page(rows), nil
}
