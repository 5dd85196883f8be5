package reading

import (
	"fmt"

	"gorm.io/gorm"

	"jiamenkou/model"
)

// offered are the states of an article that residents read, or will.
var offered = []model.ArticleStatus{model.ArticleDraft, model.ArticlePublished}

// StandingTx counts the articles of the regions between two paths that are not
// withdrawn. It implements region.Tenant.
func (s *Service) StandingTx(tx *gorm.DB, from, to string) ([]model.RegionStanding, error) {
	out := model.RegionStanding{Holding: model.HoldsArticles}
	err := tx.Raw(`SELECT COUNT(*) FROM region r JOIN article a ON a.region_id = r.id
		WHERE r.path >= ? AND r.path < ? AND a.status IN ?`, from, to, offered).Scan(&out.Count).Error
	if err != nil {
		return nil, fmt.Errorf("reading: articles of regions: %w", err)
	}
	return []model.RegionStanding{out}, nil
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
