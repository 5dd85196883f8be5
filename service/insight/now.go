package insight

import (
	"context"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/model"
)

const (
	residentsQuery = `SELECT home_region_id AS region_id, COUNT(*) AS amount FROM resident
		WHERE home_region_id IS NOT NULL AND status = 'active' GROUP BY home_region_id`
	// Who had an event that a policy answered, ordered a benefit or reported.
	activeQuery = `SELECT p.home_region_id AS region_id, COUNT(*) AS amount FROM (
			SELECT resident_id FROM award WHERE id >= ?
			UNION SELECT resident_id FROM benefit_order WHERE id >= ?
			UNION SELECT reporter_id AS resident_id FROM case_file WHERE id >= ?
		) a JOIN resident p ON p.id = a.resident_id WHERE p.home_region_id IS NOT NULL AND p.status = 'active' GROUP BY p.home_region_id`
	walletsQuery = `SELECT p.home_region_id AS region_id, SUM(b.posted) AS amount, SUM(b.held) AS held FROM resident p
		JOIN account_balance b ON b.account_id = CONCAT('1', p.id) WHERE p.home_region_id IS NOT NULL GROUP BY p.home_region_id`
)

// CountRegions counts residents and outstanding points per region, replacing
// what was counted before, and returns the number of regions. It reads every
// resident once and the last 30 days of events: cron calls it once an hour.
func (s *Service) CountRegions(ctx context.Context) (regions int, err error) {
	now := clock.Now(s.clock)
	since := clock.IDAt(now.Add(-ActiveDays * 24 * time.Hour))
	db := s.db.Read(ctx)
	var residents, active []sum
	var wallets []struct {
		RegionID     string
		Amount, Held int64
	}
	if err := db.Raw(residentsQuery).Scan(&residents).Error; err != nil {
		return 0, fmt.Errorf("insight: count residents: %w", err)
	}
	if err := db.Raw(activeQuery, since, since, since).Scan(&active).Error; err != nil {
		return 0, fmt.Errorf("insight: count active residents: %w", err)
	}
	if err := db.Raw(walletsQuery).Scan(&wallets).Error; err != nil {
		return 0, fmt.Errorf("insight: count wallets: %w", err)
	}
	posted, held := make([]sum, len(wallets)), make([]sum, len(wallets))
	for i, w := range wallets {
		posted[i], held[i] = sum{RegionID: w.RegionID, Amount: w.Amount}, sum{RegionID: w.RegionID, Amount: w.Held}
	}
	up, err := ancestors(db, slices.Concat(residents, active, posted))
	if err != nil {
		return 0, fmt.Errorf("insight: regions: %w", err)
	}
	rows := map[string]*model.InsightRegionNow{}
	add := func(list []sum, field func(*model.InsightRegionNow) *int64) {
		for _, x := range list {
			for _, id := range up[x.RegionID] {
				if rows[id] == nil {
					rows[id] = &model.InsightRegionNow{RegionID: id, CountedAt: now}
				}
				*field(rows[id]) += x.Amount
			}
		}
	}
	add(residents, func(r *model.InsightRegionNow) *int64 { return &r.Residents })
	add(active, func(r *model.InsightRegionNow) *int64 { return &r.ActiveResidents })
	add(posted, func(r *model.InsightRegionNow) *int64 { return &r.OutstandingPoints })
	add(held, func(r *model.InsightRegionNow) *int64 { return &r.HeldPoints })
	list := values(rows)
	err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		if err := tx.Exec("DELETE FROM insight_region_now").Error; err != nil || len(list) == 0 {
			return err
		}
		return tx.CreateInBatches(&list, insertRows).Error
	})
	if err != nil {
		return 0, fmt.Errorf("insight: write regions: %w", err)
	}
	return len(list), nil
}
