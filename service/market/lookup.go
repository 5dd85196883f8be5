package market

import (
	"context"
	"fmt"

	"jiamenkou/internal/authz"
)

// Named is a merchant or a benefit that a search found.
type Named struct {
	ID    string
	Name  string
	Place string // the merchant's region, or the benefit's merchant
}

// afterAll follows every text that begins as another does.
const afterAll = "\U0010FFFF"

// MerchantsNamed finds the merchants that the actor can see by the beginning
// of the name, in its order; an index on the name answers it.
func (s *Service) MerchantsNamed(ctx context.Context, actor authz.Actor, prefix string, limit int) ([]Named, error) {
	var rows []Named
	err := s.db.Read(ctx).Table("merchant m").Select(`m.id, m.name, r.name AS place`).Joins("JOIN region r ON r.id = m.region_id").
		Where("m.name >= ? AND m.name < ?", prefix, prefix+afterAll).Where(s.withinScope(ctx, actor, "m.id", "r.path")).
		Order("m.name, m.id").Limit(limit).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("market: merchants by name: %w", err)
	}
	return rows, nil
}

// BenefitsTitled finds the benefits that the actor can see by the beginning of
// the title, in its order; an index on the title answers it.
func (s *Service) BenefitsTitled(ctx context.Context, actor authz.Actor, prefix string, limit int) ([]Named, error) {
	var rows []Named
	err := s.managedBenefits(ctx).Select(`b.id, b.title AS name, m.name AS place`).
		Where("b.title >= ? AND b.title < ?", prefix, prefix+afterAll).Where(s.withinScope(ctx, actor, "b.merchant_id", "mr.path", "r.path")).
		Order("b.title, b.id").Limit(limit).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("market: benefits by title: %w", err)
	}
	return rows, nil
}
