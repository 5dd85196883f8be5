package market

import (
	"context"
	"fmt"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/model"
)

// NextRelease is a release that has not begun, with its benefit.
type NextRelease struct {
	ID           string
	BenefitID    string
	Title        string
	MerchantName string
	ImageKey     string
	PointsPrice  int64
	CashPriceFen int64
	StartsAt     clock.Instant
	EndsAt       clock.Instant
	Total        int64
}

// maxNextReleases is how many coming releases a home page can use.
const maxNextReleases = 5

// NextReleases lists the releases that begin soonest among what the resident
// can order, at most five.
func (s *Service) NextReleases(ctx context.Context, actor authz.Actor) ([]NextRelease, error) {
	q, err := s.offered(ctx, actor)
	if err != nil {
		return nil, err
	}
	rows := []NextRelease{}
	err = q.Joins("JOIN benefit_release r ON r.benefit_id = b.id").Joins("JOIN benefit_stock k ON k.release_id = r.id").
		Select(`r.id, b.id AS benefit_id, b.title, m.name AS merchant_name, b.image_key, b.points_price, b.cash_price_fen,
			r.starts_at, r.ends_at, k.total`).
		Where("r.starts_at > ?", s.now()).Order("r.starts_at, r.id").Limit(maxNextReleases).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("market: next releases: %w", err)
	}
	return rows, nil
}

// CategoryCount is how many benefits of a category the resident can see.
type CategoryCount struct {
	Category string
	Benefits int64
}

// Categories counts what the resident can order now or later, every category
// in its fixed order, also those without a benefit.
func (s *Service) Categories(ctx context.Context, actor authz.Actor) ([]CategoryCount, error) {
	q, err := s.offered(ctx, actor)
	if err != nil {
		return nil, err
	}
	var rows []CategoryCount
	err = q.Select("b.category, COUNT(*) AS benefits").Where("b.valid_until > ?", s.now()).Group("b.category").Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("market: categories: %w", err)
	}
	counts := map[string]int64{}
	for _, r := range rows {
		counts[r.Category] = r.Benefits
	}
	out := make([]CategoryCount, 0, len(model.Categories()))
	for _, c := range model.Categories() {
		out = append(out, CategoryCount{Category: c, Benefits: counts[c]})
	}
	return out, nil
}
