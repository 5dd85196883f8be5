package identity

import (
	"fmt"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/model"
)

// requireOpenTx returns ErrRegionClosed if one of the regions is closed; see
// region.RequireOpenTx, which cannot be called from the same floor.
func requireOpenTx(tx *gorm.DB, regionIDs ...string) error {
	var closed int64
	if err := tx.Raw("SELECT COUNT(*) FROM region WHERE id IN ? AND closed_at IS NOT NULL", regionIDs).Scan(&closed).Error; err != nil {
		return fmt.Errorf("identity: open regions: %w", err)
	}
	if closed > 0 {
		return ErrRegionClosed
	}
	return nil
}

// standingQuery counts each member of staff once: who is administered in the
// regions, or may do something there.
const standingQuery = `SELECT COALESCE(SUM(worker), 0) AS workers, COUNT(*) AS staff FROM (
	SELECT x.id, MAX(x.worker) AS worker FROM (
		SELECT p.id, 0 AS worker FROM staff p JOIN region r ON r.id = p.region_id
			WHERE r.path >= ? AND r.path < ? AND p.status = ?
		UNION ALL SELECT p.id, CASE WHEN g.role = ? THEN 1 ELSE 0 END AS worker FROM staff_grant g
			JOIN region r ON r.id = g.region_id JOIN staff p ON p.id = g.staff_id
			WHERE r.path >= ? AND r.path < ? AND p.status = ?
	) x GROUP BY x.id) y`

// StandingTx counts the residents at home and the active staff of the regions
// between two paths. It implements region.Tenant.
func (s *Service) StandingTx(tx *gorm.DB, from, to string) ([]model.RegionStanding, error) {
	var residents int64
	err := tx.Raw("SELECT COUNT(*) FROM region r JOIN resident p ON p.home_region_id = r.id WHERE r.path >= ? AND r.path < ?", from, to).
		Scan(&residents).Error
	if err != nil {
		return nil, fmt.Errorf("identity: residents of regions: %w", err)
	}
	var counts struct{ Workers, Staff int64 }
	err = tx.Raw(standingQuery, from, to, model.StaffActive, authz.RoleGridWorker, from, to, model.StaffActive).Scan(&counts).Error
	if err != nil {
		return nil, fmt.Errorf("identity: staff of regions: %w", err)
	}
	return []model.RegionStanding{
		{Holding: model.HoldsResidents, Count: residents},
		{Holding: model.HoldsGridWorkers, Count: counts.Workers},
		{Holding: model.HoldsStaff, Count: counts.Staff - counts.Workers},
	}, nil
}

// RehomeTx gives the residents and the staff of one region to another, those
// who may not log in with the others. Who held a role in both keeps one. It
// implements region.Tenant.
func (s *Service) RehomeTx(tx *gorm.DB, fromID, toID string) error {
	now := s.now()
	for _, step := range []struct {
		what, query string
		args        []any
	}{
		{"residents", "UPDATE resident SET home_region_id = ?, updated_at = ? WHERE home_region_id = ?", []any{toID, now, fromID}},
		{"staff", "UPDATE staff SET region_id = ?, updated_at = ? WHERE region_id = ?", []any{toID, now, fromID}},
		{"grants held twice", `DELETE FROM staff_grant WHERE region_id = ? AND (staff_id, role) IN (
			SELECT staff_id, role FROM (SELECT staff_id, role FROM staff_grant WHERE region_id = ?) held)`, []any{fromID, toID}},
		{"grants", "UPDATE staff_grant SET region_id = ?, scope_region_id = ? WHERE region_id = ?", []any{toID, toID, fromID}},
		// A merchant goes along, and with it where its people's roles count.
		{"merchants' grants", "UPDATE staff_grant SET scope_region_id = ? WHERE scope_region_id = ?", []any{toID, fromID}},
	} {
		if err := tx.Exec(step.query, step.args...).Error; err != nil {
			return fmt.Errorf("identity: rehome %s: %w", step.what, err)
		}
	}
	return nil
}

// ForgetActors empties the cache of who is logged in with which regions: for
// when the regions themselves have changed.
func (s *Service) ForgetActors() { s.actors.purgeAll() }
