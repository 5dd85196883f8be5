package reading

import (
	"context"
	"fmt"

	"jiamenkou/internal/authz"
)

// Titled is an article by its id.
type Titled struct{ ID, Title string }

// ArticlesKnown names the articles of the actor's regions among the ids, for
// those who show who did what to them.
func (s *Service) ArticlesKnown(ctx context.Context, actor authz.Actor, ids []string) (rows []Titled, err error) {
	where, args := withinPaths(actor.RegionPaths(readers...))
	err = s.db.Read(ctx).Table("article a").Select("a.id, a.title").Joins("JOIN region r ON r.id = a.region_id").
		Where("a.id IN ?", ids).Where(where, args...).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("reading: articles by id: %w", err)
	}
	return rows, nil
}
