package api

import (
	"context"
	"time"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/httpapi"
	"jiamenkou/service/notify"
)

type messageDTO struct {
	ID        string     `json:"id"`
	Topic     string     `json:"topic" example:"policy.budget_low"`
	Title     string     `json:"title"`
	Body      string     `json:"body"`
	Link      string     `json:"link" doc:"点开后前往：所说事项的接口路径，空表示没有" example:"/budgets"`
	CreatedAt time.Time  `json:"created_at"`
	ReadAt    *time.Time `json:"read_at" doc:"未读为 null"`
}

func messageOf(m notify.Message) messageDTO {
	return messageDTO{
		ID: m.ID, Topic: m.Topic, Title: m.Title, Body: m.Body, Link: m.Link,
		CreatedAt: m.CreatedAt.Time(), ReadAt: clock.TimePtr(m.ReadAt),
	}
}

type listMessagesInput struct {
	httpapi.PageQuery
	Unread bool `query:"unread" doc:"只看未读"`
}

func (s *server) listMessages(ctx context.Context, in *listMessagesInput) (*httpapi.Body[httpapi.PageBody[messageDTO]], error) {
	return httpapi.Listed(messageOf)(s.Notify.Messages(ctx, authz.FromContext(ctx), notify.Filter{Unread: in.Unread}, in.Request()))
}

type unreadDTO struct {
	Unread int64 `json:"unread" doc:"最多数到 999"`
}

func (s *server) countUnread(ctx context.Context, _ *struct{}) (*httpapi.Body[unreadDTO], error) {
	n, err := s.Notify.UnreadCount(ctx, authz.FromContext(ctx))
	if err != nil {
		return nil, err
	}
	return httpapi.OK(unreadDTO{n}), nil
}

type readMessageInput struct {
	ID string `path:"id" maxLength:"26"`
}

func (s *server) readMessage(ctx context.Context, in *readMessageInput) (*struct{}, error) {
	return nil, s.Notify.MarkRead(ctx, authz.FromContext(ctx), in.ID)
}
