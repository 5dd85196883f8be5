package notify

import (
	"context"

	"jiamenkou/internal/queue"
)

// Send is send, for tests that play WeChat's answers one by one.
func (s *Service) Send(ctx context.Context, jobID, messageID string, last bool) error {
	return s.send(ctx, queue.Running{ID: jobID, Kind: JobSubscribe, Last: last}, messageID)
}
