package insight

import (
	"jiamenkou/internal/clock"
	"jiamenkou/service/policy"
)

// DayQueries are the statements that count a day, for EXPLAIN.
func DayQueries(day clock.Day) (texts []string, args []any) {
	return []string{movesQuery, minutesQuery, correctionsQuery, reportsQuery, budgetsQuery}, dayArgs(day.Start(), day.End())
}

// Forecast is a budget's forecast.
func Forecast(b policy.BudgetUse, net int64, today clock.Day) BudgetForecast {
	return forecast(b, net, today)
}
