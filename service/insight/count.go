package insight

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/model"
)

const (
	// settleTime is how long after its end a day is counted for the last time.
	settleTime = time.Hour
	// maxDays bounds one run; the next goes on where it ended.
	maxDays = 400
	// insertRows and lookupChunk keep statements below the engines' limits.
	insertRows  = 500
	lookupChunk = 900
)

// CountDays counts the days that are not final yet, from the first transfer,
// report or service record on, and returns how many. A day is replaced as a
// whole in one transaction under the lock of its row: counting it again, or
// twice at once, changes nothing.
func (s *Service) CountDays(ctx context.Context) (counted int, err error) {
	days, err := s.openDays(ctx)
	if err != nil {
		return 0, err
	}
	for _, day := range days {
		if err := database.InTx(ctx, s.db, func(tx *gorm.DB) error { return s.countDayTx(tx, day) }); err != nil {
			return counted, fmt.Errorf("insight: count %s: %w", day, err)
		}
		counted++
	}
	return counted, nil
}

// openDays lists the days to count, oldest first.
func (s *Service) openDays(ctx context.Context) ([]clock.Day, error) {
	db, today := s.db.Read(ctx), clock.Today(s.clock)
	var days []clock.Day
	if err := db.Raw("SELECT day FROM insight_day WHERE final = 0 ORDER BY day").Scan(&days).Error; err != nil {
		return nil, fmt.Errorf("insight: open days: %w", err)
	}
	var newest []clock.Day
	if err := db.Raw("SELECT day FROM insight_day ORDER BY day DESC LIMIT 1").Scan(&newest).Error; err != nil {
		return nil, fmt.Errorf("insight: newest day: %w", err)
	}
	next := today
	if len(newest) > 0 {
		next = newest[0].AddDays(1)
	} else if first, err := firstDay(db); err != nil {
		return nil, err
	} else if first != "" {
		next = min(first, today)
	}
	for ; next <= today && len(days) < maxDays; next = next.AddDays(1) {
		days = append(days, next)
	}
	return days, nil
}

// firstDay is the day of the first row that is counted, "" before there is one.
func firstDay(db *gorm.DB) (clock.Day, error) {
	first := ""
	for _, table := range []string{"transfer", "case_file", "volunteer_history"} {
		var ids []string
		if err := db.Raw("SELECT id FROM " + table + " ORDER BY id LIMIT 1").Scan(&ids).Error; err != nil {
			return "", fmt.Errorf("insight: first row of %s: %w", table, err)
		}
		if len(ids) > 0 && (first == "" || ids[0] < first) {
			first = ids[0]
		}
	}
	if first == "" {
		return "", nil
	}
	id, err := ulid.Parse(first)
	if err != nil {
		return "", fmt.Errorf("insight: id is no ULID: %w", err)
	}
	// An id may be a little older than its row, never a day.
	return clock.DayOf(ulid.Time(id.Time())), nil
}

func (s *Service) countDayTx(tx *gorm.DB, day clock.Day) error {
	now := clock.Now(s.clock)
	row := model.InsightDay{Day: day, CountedAt: now}
	if err := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&row).Error; err != nil {
		return err
	}
	if err := tx.Raw("SELECT * FROM insight_day WHERE day = ?"+database.ForUpdate(tx), day).Scan(&row).Error; err != nil || row.Final {
		return err
	}
	regions, err := regionDays(tx, day)
	if err != nil {
		return err
	}
	budgets, err := budgetDays(tx, day)
	if err != nil {
		return err
	}
	if err := replaceDay(tx, day, regions, budgets); err != nil {
		return err
	}
	final := now >= day.End().Add(settleTime)
	return tx.Exec("UPDATE insight_day SET final = ?, counted_at = ? WHERE day = ?", final, now, day).Error
}

func replaceDay(tx *gorm.DB, day clock.Day, regions []model.InsightRegionDay, budgets []model.InsightBudgetDay) error {
	for _, table := range []string{"insight_region_day", "insight_budget_day"} {
		if err := tx.Exec("DELETE FROM "+table+" WHERE day = ?", day).Error; err != nil {
			return err
		}
	}
	if len(regions) > 0 {
		if err := tx.CreateInBatches(&regions, insertRows).Error; err != nil {
			return err
		}
	}
	if len(budgets) > 0 {
		return tx.CreateInBatches(&budgets, insertRows).Error
	}
	return nil
}

// The digits that begin an account's id: see ledger.AccountID.
const (
	movesQuery = `SELECT SUBSTR(t.debit_account_id, 1, 1) AS debit, SUBSTR(t.credit_account_id, 1, 1) AS credit,
			p.home_region_id AS region_id, SUM(t.amount) AS amount
		FROM transfer t JOIN resident p ON p.id = SUBSTR(CASE WHEN t.debit_account_id LIKE '1%' THEN t.debit_account_id ELSE t.credit_account_id END, 2)
		WHERE t.id >= ? AND t.id < ? AND t.created_at >= ? AND t.created_at < ? AND p.home_region_id IS NOT NULL
		GROUP BY 1, 2, 3`
	minutesQuery = `SELECT r.region_id, SUM(r.minutes) AS amount FROM volunteer_history h JOIN service_record r ON r.id = h.object_id
		WHERE h.id >= ? AND h.id < ? AND h.created_at >= ? AND h.created_at < ? AND h.object_type = 'service_record'
			AND h.to_status = 'effective' AND r.kind <> 'correction'
		GROUP BY r.region_id`
	// A correction takes the minutes of the record that it corrects and gives
	// those of the one that stands for it, if one does.
	correctionsQuery = `SELECT r.region_id, SUM(CASE WHEN h.to_status = 'effective' THEN r.minutes ELSE -r.minutes END) AS amount
		FROM volunteer_history h JOIN service_record r ON r.id = h.object_id
		WHERE h.id >= ? AND h.id < ? AND h.created_at >= ? AND h.created_at < ? AND h.object_type = 'service_record'
			AND (h.to_status = 'corrected' OR h.to_status = 'effective' AND r.kind = 'correction')
		GROUP BY r.region_id`
	reportsQuery = `SELECT c.region_id, COUNT(*) AS amount FROM case_file c
		WHERE c.id >= ? AND c.id < ? AND c.created_at >= ? AND c.created_at < ? GROUP BY c.region_id`
	budgetsQuery = `SELECT CASE WHEN t.debit_account_id LIKE '3%' THEN t.debit_account_id ELSE t.credit_account_id END AS account_id,
			SUM(CASE WHEN t.debit_account_id LIKE '3%' THEN t.amount ELSE 0 END) AS issued_points,
			SUM(CASE WHEN t.credit_account_id LIKE '3%' THEN t.amount ELSE 0 END) AS taken_back_points
		FROM transfer t WHERE t.id >= ? AND t.id < ? AND t.created_at >= ? AND t.created_at < ?
			AND (t.debit_account_id LIKE '3%' OR t.credit_account_id LIKE '3%') GROUP BY 1`
)

// dayArgs are the four bounds of the queries above.
func dayArgs(from, to clock.Instant) []any {
	first, last := idRange(from, to)
	return []any{first, last, from, to}
}

type sum struct {
	Debit, Credit string
	RegionID      string
	Amount        int64
}

// regionDays counts a day per home region and adds it up to every ancestor.
func regionDays(tx *gorm.DB, day clock.Day) ([]model.InsightRegionDay, error) {
	args := dayArgs(day.Start(), day.End())
	var moved, minutes, corrections, reports []sum
	for _, q := range []struct {
		text string
		into *[]sum
	}{{movesQuery, &moved}, {minutesQuery, &minutes}, {correctionsQuery, &corrections}, {reportsQuery, &reports}} {
		if err := tx.Raw(q.text, args...).Scan(q.into).Error; err != nil {
			return nil, err
		}
	}
	up, err := ancestors(tx, slices.Concat(moved, minutes, corrections, reports))
	if err != nil {
		return nil, err
	}
	rows := map[string]*model.InsightRegionDay{}
	add := func(list []sum, field func(*model.InsightRegionDay, sum) *int64) {
		for _, x := range list {
			for _, id := range up[x.RegionID] {
				if rows[id] == nil {
					rows[id] = &model.InsightRegionDay{RegionID: id, Day: day}
				}
				if f := field(rows[id], x); f != nil {
					*f += x.Amount
				}
			}
		}
	}
	add(moved, pointsField)
	add(minutes, func(r *model.InsightRegionDay, _ sum) *int64 { return &r.ServiceMinutes })
	add(corrections, func(r *model.InsightRegionDay, _ sum) *int64 { return &r.CorrectedMinutes })
	add(reports, func(r *model.InsightRegionDay, _ sum) *int64 { return &r.Reports })
	return values(rows), nil
}

// pointsField says what a transfer between two kinds of account is: wallets
// are 1, merchants 2, budgets 3, the system 4.
func pointsField(r *model.InsightRegionDay, x sum) *int64 {
	switch x.Debit + x.Credit {
	case "31":
		return &r.IssuedPoints
	case "13":
		return &r.TakenBackPoints
	case "12":
		return &r.RedeemedPoints
	case "21":
		return &r.ReturnedPoints
	case "14":
		return &r.ExpiredPoints
	default:
		return nil
	}
}

func budgetDays(tx *gorm.DB, day clock.Day) ([]model.InsightBudgetDay, error) {
	var rows []struct {
		AccountID                     string
		IssuedPoints, TakenBackPoints int64
	}
	if err := tx.Raw(budgetsQuery, dayArgs(day.Start(), day.End())...).Scan(&rows).Error; err != nil {
		return nil, err
	}
	ids := []string{""} // no engine takes an empty list
	for _, r := range rows {
		ids = append(ids, r.AccountID[1:])
	}
	var known []string // a ledger's test has accounts of budgets that are no rows
	if err := tx.Raw("SELECT id FROM budget WHERE id IN ?", ids).Scan(&known).Error; err != nil {
		return nil, err
	}
	var out []model.InsightBudgetDay
	for _, r := range rows {
		if id := r.AccountID[1:]; slices.Contains(known, id) {
			out = append(out, model.InsightBudgetDay{BudgetID: id, Day: day, IssuedPoints: r.IssuedPoints, TakenBackPoints: r.TakenBackPoints})
		}
	}
	return out, nil
}

// ancestors maps every region of the sums to itself and all that it lies in.
func ancestors(tx *gorm.DB, sums []sum) (map[string][]string, error) {
	ids := make([]string, len(sums))
	for i, x := range sums {
		ids[i] = x.RegionID
	}
	slices.Sort(ids)
	out := map[string][]string{}
	for chunk := range slices.Chunk(slices.Compact(ids), lookupChunk) {
		var rows []struct{ ID, Path string }
		if err := tx.Raw("SELECT id, path FROM region WHERE id IN ?", chunk).Scan(&rows).Error; err != nil {
			return nil, err
		}
		for _, r := range rows {
			out[r.ID] = model.RegionPathIDs(r.Path)
		}
	}
	return out, nil
}

// values lists the rows of a map in the order of their keys, so that two runs
// lock alike.
func values[T any](rows map[string]*T) []T {
	keys := make([]string, 0, len(rows))
	for k := range rows {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	out := make([]T, len(keys))
	for i, k := range keys {
		out[i] = *rows[k]
	}
	return out
}
