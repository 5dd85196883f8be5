package insight

import (
	"context"
	"fmt"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/paging"
	"jiamenkou/service/policy"
)

// BudgetForecast is a budget and how long it lasts if every day is as the mean
// of the last 28 (or of as many as it has had).
type BudgetForecast struct {
	policy.BudgetUse
	Remaining    int64
	MeanDays     int        // days that the mean is made of, today left out
	MeanTenths   int64      // tenths of a point a day, issued less taken back
	UsedUpOn     *clock.Day // nil: not in the budget's time
	LeftAtTheEnd int64      // points that will be left on the last day, 0 if it is used up
}

// Budgets lists the budgets of the actor's regions, newest first, each with a
// forecast. RegionID "" means all of them.
func (s *Service) Budgets(ctx context.Context, actor authz.Actor, f policy.BudgetFilter, page paging.Request) (paging.Page[BudgetForecast], error) {
	budgets, err := s.policy.Budgets(ctx, actor, f, page)
	if err != nil {
		return paging.Page[BudgetForecast]{}, err
	}
	today := clock.Today(s.clock)
	ids := []string{""} // no engine takes an empty list
	for _, b := range budgets.Items {
		ids = append(ids, b.ID)
	}
	var rows []struct {
		BudgetID string
		Net      int64
	}
	err = s.db.Read(ctx).Raw(`SELECT budget_id, SUM(issued_points - taken_back_points) AS net FROM insight_budget_day
		WHERE budget_id IN ? AND day >= ? AND day < ? GROUP BY budget_id`, ids, today.AddDays(-ForecastDays), today).Scan(&rows).Error
	if err != nil {
		return paging.Page[BudgetForecast]{}, fmt.Errorf("insight: budgets: %w", err)
	}
	net := make(map[string]int64, len(rows))
	for _, r := range rows {
		net[r.BudgetID] = r.Net
	}
	return paging.Map(budgets, func(b policy.BudgetUse) BudgetForecast { return forecast(b, net[b.ID], today) }), nil
}

func forecast(b policy.BudgetUse, net int64, today clock.Day) BudgetForecast {
	f := BudgetForecast{BudgetUse: b, Remaining: max(b.LimitPoints-b.IssuedPoints, 0)}
	began := max(b.StartsOn, today.AddDays(-ForecastDays))
	f.MeanDays = max(daysBetween(began, today), 0)
	f.LeftAtTheEnd = f.Remaining
	if f.MeanDays > 0 && net > 0 {
		f.MeanTenths = net * 10 / int64(f.MeanDays)
	}
	ahead := int64(daysBetween(max(today, b.StartsOn), b.EndsOn)) + 1 // days that it still has to pay for
	switch {
	case f.Remaining == 0:
		f.UsedUpOn = &today
	case f.MeanTenths == 0 || ahead <= 0:
	case f.Remaining*10 <= f.MeanTenths*ahead:
		// The day on which the last point goes, today being the first.
		on := max(today, b.StartsOn).AddDays(int((f.Remaining*10 - 1) / f.MeanTenths))
		f.UsedUpOn, f.LeftAtTheEnd = &on, 0
	default:
		f.LeftAtTheEnd = f.Remaining - f.MeanTenths*ahead/10
	}
	return f
}

// daysBetween counts the days from one to another, the last left out; below
// zero if they are the wrong way round.
func daysBetween(from, to clock.Day) int {
	return int(to.Start().Time().Sub(from.Start().Time()).Hours() / 24)
}
