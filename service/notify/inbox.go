package notify

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/database"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
)

// Message is model's, for the surfaces, which do not import model.
type Message = model.Message

// MaxUnread is how far UnreadCount counts.
const MaxUnread = 999

// Filter narrows an inbox; zero fields do not.
type Filter struct {
	Unread bool
	Topic  string
}

// inboxOf is the SQL of "the actor's own messages": everybody, staff included,
// reads nothing but the own inbox.
func inboxOf(actor authz.Actor) (where string, err error) {
	switch {
	case actor.ID == "":
		return "", authz.ErrForbidden
	case actor.Kind == authz.KindResident:
		return "resident_id = ?", nil
	case actor.Kind == authz.KindStaff:
		return "staff_id = ?", nil
	default:
		return "", authz.ErrForbidden
	}
}

// Messages lists the actor's inbox, newest first.
func (s *Service) Messages(ctx context.Context, actor authz.Actor, f Filter, page paging.Request) (paging.Page[Message], error) {
	own, err := inboxOf(actor)
	if err != nil {
		return paging.Page[Message]{}, err
	}
	key, err := page.Key(1)
	if err != nil {
		return paging.Page[Message]{}, err
	}
	q := s.db.Read(ctx).Where(own, actor.ID).Order("id DESC").Limit(page.Size() + 1)
	if key != nil {
		q = q.Where("id < ?", key[0])
	}
	if f.Unread {
		q = q.Where("read_at IS NULL")
	}
	if f.Topic != "" {
		q = q.Where("topic = ?", f.Topic)
	}
	var rows []model.Message
	if err := q.Find(&rows).Error; err != nil {
		return paging.Page[Message]{}, fmt.Errorf("notify: messages: %w", err)
	}
	return paging.Of(rows, page, func(m Message) []string { return []string{m.ID} }), nil
}

// UnreadCount counts the actor's unread messages, up to MaxUnread.
func (s *Service) UnreadCount(ctx context.Context, actor authz.Actor) (int64, error) {
	own, err := inboxOf(actor)
	if err != nil {
		return 0, err
	}
	var n int64
	err = s.db.Read(ctx).Raw("SELECT COUNT(*) FROM (SELECT 1 FROM message WHERE "+own+" AND read_at IS NULL LIMIT ?) AS q",
		actor.ID, MaxUnread).Scan(&n).Error
	if err != nil {
		return 0, fmt.Errorf("notify: count unread: %w", err)
	}
	return n, nil
}

// MarkRead marks one of the actor's messages as read; the first time counts.
// Errors: ErrNotFound, also for messages of others.
func (s *Service) MarkRead(ctx context.Context, actor authz.Actor, messageID string) error {
	own, err := inboxOf(actor)
	if err != nil {
		return err
	}
	return database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		res := tx.Exec("UPDATE message SET read_at = COALESCE(read_at, ?) WHERE id = ? AND "+own, s.now(), messageID, actor.ID)
		if res.Error != nil {
			return fmt.Errorf("notify: mark read: %w", res.Error)
		}
		if res.RowsAffected == 0 {
			return ErrNotFound
		}
		return nil
	})
}

// MarkAllRead marks every message of the actor as read and returns how many
// there were.
func (s *Service) MarkAllRead(ctx context.Context, actor authz.Actor) (read int64, err error) {
	own, err := inboxOf(actor)
	if err != nil {
		return 0, err
	}
	err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		res := tx.Exec("UPDATE message SET read_at = ? WHERE read_at IS NULL AND "+own, s.now(), actor.ID)
		read = res.RowsAffected
		return res.Error
	})
	if err != nil {
		return 0, fmt.Errorf("notify: mark all read: %w", err)
	}
	return read, nil
}
