package reading

import (
	"fmt"

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
	err := tx.Exec("UPDATE article SET region_id = ?, updated_at = ? WHERE region_id = ? AND status IN ?", toID, s.now(), fromID, offered).Error
	if err != nil {
		return fmt.Errorf("reading: rehome: %w", err)
	}
	return nil
}
