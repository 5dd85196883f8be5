package reading

import (
	"gorm.io/gorm"

	"jiamenkou/model"
	"jiamenkou/service/region"
)

// offered are the states of an article that residents read, or will.
var offered = []model.ArticleStatus{model.ArticleDraft, model.ArticlePublished}

// StandingTx counts the articles of the regions between two paths that are not
// withdrawn. It implements region.Tenant.
func (s *Service) StandingTx(tx *gorm.DB, from, to string) ([]model.RegionStanding, error) {
	n, err := region.CountTx(tx, "article", from, to, "x.status IN ?", offered)
	return []model.RegionStanding{{Holding: model.HoldsArticles, Count: n}}, err
}

// RehomeTx gives the articles of one region to another, but for those that are
// withdrawn. It implements region.Tenant.
func (s *Service) RehomeTx(tx *gorm.DB, fromID, toID string) error {
	return region.GiveTx(tx, "article", fromID, toID, s.now(), "status IN ?", offered)
}
