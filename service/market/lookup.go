package market

import (
	"context"
	"fmt"

	"gorm.io/gorm"

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

// Known is something by its id, for those who show who did what to it.
type Known struct {
	ID     string
	Name   string
	Within string // the merchant of a store
}

// MerchantsKnown names the merchants among the ids that the actor can see.
func (s *Service) MerchantsKnown(ctx context.Context, actor authz.Actor, ids []string) ([]Known, error) {
	return s.known(s.db.Read(ctx).Table("merchant m").Select("m.id, m.name").Joins("JOIN region r ON r.id = m.region_id").
		Where("m.id IN ?", ids).Where(s.withinScope(ctx, actor, "m.id", "r.path")))
}

// StoresKnown names the stores among the ids that the actor can see.
func (s *Service) StoresKnown(ctx context.Context, actor authz.Actor, ids []string) ([]Known, error) {
	return s.known(s.db.Read(ctx).Table("merchant_store st").Select("st.id, st.name, m.id AS within").
		Joins("JOIN merchant m ON m.id = st.merchant_id").Joins("JOIN region r ON r.id = m.region_id").
		Where("st.id IN ?", ids).Where(s.withinScope(ctx, actor, "m.id", "r.path")))
}

// BenefitsKnown names the benefits among the ids that the actor can see.
func (s *Service) BenefitsKnown(ctx context.Context, actor authz.Actor, ids []string) ([]Known, error) {
	return s.known(s.managedBenefits(ctx).Select("b.id, b.title AS name").
		Where("b.id IN ?", ids).Where(s.withinScope(ctx, actor, "b.merchant_id", "mr.path", "r.path")))
}

func (s *Service) known(q *gorm.DB) (rows []Known, err error) {
	if err := q.Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("market: names: %w", err)
	}
	return rows, nil
}
