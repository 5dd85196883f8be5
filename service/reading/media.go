package reading

import (
	"context"
	"fmt"
)

// UsedMedia returns which of the keys are the cover or the recording of an
// article, whatever its state. It is a media.UsedKeys.
func (s *Service) UsedMedia(ctx context.Context, keys []string) (used []string, err error) {
	err = s.db.Read(ctx).Raw(`SELECT cover_key AS media_key FROM article WHERE cover_key IN ?
		UNION SELECT audio_key AS media_key FROM article WHERE audio_key IN ?`, keys, keys).Scan(&used).Error
	if err != nil {
		return nil, fmt.Errorf("reading: used media: %w", err)
	}
	return used, nil
}
