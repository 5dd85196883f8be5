package market

import (
	"context"
	"fmt"
)

// UsedMedia returns which of the keys are the picture of a benefit, whatever
// its state. It is a media.UsedKeys.
func (s *Service) UsedMedia(ctx context.Context, keys []string) (used []string, err error) {
	if err = s.db.Read(ctx).Raw("SELECT image_key FROM benefit WHERE image_key IN ?", keys).Scan(&used).Error; err != nil {
		return nil, fmt.Errorf("market: used media: %w", err)
	}
	return used, nil
}
