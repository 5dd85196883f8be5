package policy

import (
	"fmt"

	"gorm.io/gorm"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/model"
	"jiamenkou/service/region"
)

// StandingTx counts the budgets of the regions between two paths that are not
// over. It implements region.Tenant.
func (s *Service) StandingTx(tx *gorm.DB, from, to string) ([]model.RegionStanding, error) {
	n, err := region.CountTx(tx, "budget", from, to, "x.ends_on >= ?", clock.Today(s.clock))
	return []model.RegionStanding{{Holding: model.HoldsBudgets, Count: n}}, err
}

// RehomeTx gives the budgets of one region that are not over to another, with
// what is left of them. The rules of the region stay behind: those of the
// other hold for who comes to it. It implements region.Tenant.
func (s *Service) RehomeTx(tx *gorm.DB, fromID, toID string) error {
	err := tx.Exec("UPDATE budget SET region_id = ? WHERE region_id = ? AND ends_on >= ?", toID, fromID, clock.Today(s.clock)).Error
	if database.IsDuplicate(err) {
		return ErrBudgetName.WithMessage("两边有同名的积分预算，请等其中一笔到期再合并")
	}
	if err != nil {
		return fmt.Errorf("policy: rehome: %w", err)
	}
	return nil
}

// CheckPlaceTx refuses to let regions come to lie where a rule of theirs that
// holds, or will, draws on a budget of a region that they no longer lie in
// (ErrBudgetLeft names them): one town would pay for another. It is a check of
// region.Service.OnPlaced.
func (s *Service) CheckPlaceTx(tx *gorm.DB, path string) error {
	var rows []struct{ Place, Owner, Budget string }
	from, to := model.RegionPathRange(path)
	now := clock.Now(s.clock)
	err := tx.Raw(`SELECT r.name AS place, o.name AS owner, b.name AS budget
		FROM region r JOIN policy_rule p ON p.region_id = r.id JOIN budget b ON b.id = p.budget_id JOIN region o ON o.id = b.region_id
		WHERE r.path >= ? AND r.path < ? AND r.closed_at IS NULL AND (p.retired_at IS NULL OR p.retired_at > ?) AND b.ends_on >= ?
			AND SUBSTR(r.path, 1, LENGTH(o.path)) <> o.path
			AND NOT EXISTS (SELECT 1 FROM policy_rule n WHERE n.region_id = p.region_id AND n.event_kind = p.event_kind
				AND n.version > p.version AND n.active_from <= ? AND (n.retired_at IS NULL OR n.retired_at > ?))
		ORDER BY r.path, p.event_kind LIMIT 1`, from, to, now, clock.Today(s.clock), now, now).Scan(&rows).Error
	if err != nil {
		return fmt.Errorf("policy: budgets of moved regions: %w", err)
	}
	if len(rows) > 0 {
		return ErrBudgetLeft.WithMessage("“%s”的积分规则用的是“%s”的预算“%s”，搬走后不能再用，请先停用这条规则，或换一笔预算", rows[0].Place, rows[0].Owner, rows[0].Budget)
	}
	return nil
}
