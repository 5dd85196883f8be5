package miniprogram

import (
	"context"
	"time"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/httpapi"
	"jiamenkou/internal/paging"
	"jiamenkou/service/notify"
)

type messageDTO struct {
	ID        string     `json:"id"`
	Topic     string     `json:"topic" example:"casework.moved"`
	Title     string     `json:"title"`
	Body      string     `json:"body"`
	Link      string     `json:"link" doc:"点开后前往：所说事项的接口路径，空表示没有" example:"/cases/01KJKB3Q00J6ZFGWBHSZT8HNC7"`
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
	Unread bool   `query:"unread" doc:"只看未读"`
	Topic  string `query:"topic" maxLength:"64" doc:"只看一种"`
}

func (s *server) listMessages(ctx context.Context, in *listMessagesInput) (*httpapi.Body[httpapi.PageBody[messageDTO]], error) {
	page, err := s.Notify.Messages(ctx, authz.FromContext(ctx), notify.Filter{Unread: in.Unread, Topic: in.Topic},
		paging.Request{Cursor: in.Cursor, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	return httpapi.OK(httpapi.PageOf(page, messageOf)), nil
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

type readAllDTO struct {
	Read int64 `json:"read" doc:"这次标为已读的条数"`
}

func (s *server) readAllMessages(ctx context.Context, _ *struct{}) (*httpapi.Body[readAllDTO], error) {
	n, err := s.Notify.MarkAllRead(ctx, authz.FromContext(ctx))
	if err != nil {
		return nil, err
	}
	return httpapi.OK(readAllDTO{n}), nil
}

type subscriptionDTO struct {
	TemplateID string   `json:"template_id" doc:"交给 wx.requestSubscribeMessage"`
	Topics     []string `json:"topics"`
	Labels     []string `json:"labels" example:"上报事件进度"`
	Remaining  int64    `json:"remaining" doc:"还可以收到几条"`
}

type subscriptionsDTO struct {
	Consenting bool              `json:"consenting" doc:"是否同意接收通知；不同意则只有站内消息"`
	Items      []subscriptionDTO `json:"items"`
}

func subscriptionsOf(in notify.Subscriptions) *httpapi.Body[subscriptionsDTO] {
	out := subscriptionsDTO{Consenting: in.Consenting, Items: []subscriptionDTO{}}
	for _, i := range in.Items {
		out.Items = append(out.Items, subscriptionDTO{TemplateID: i.TemplateID, Topics: i.Topics, Labels: i.Labels, Remaining: i.Remaining})
	}
	return httpapi.OK(out)
}

func (s *server) listSubscriptions(ctx context.Context, _ *struct{}) (*httpapi.Body[subscriptionsDTO], error) {
	out, err := s.Notify.Subscriptions(ctx, authz.FromContext(ctx))
	if err != nil {
		return nil, err
	}
	return subscriptionsOf(out), nil
}

type subscribeInput struct {
	Body struct {
		TemplateIDs []string `json:"template_ids" minItems:"1" maxItems:"5" doc:"居民在弹窗中选择了允许的模板"`
	}
}

func (s *server) subscribe(ctx context.Context, in *subscribeInput) (*httpapi.Body[subscriptionsDTO], error) {
	out, err := s.Notify.Subscribe(ctx, authz.FromContext(ctx), in.Body.TemplateIDs)
	if err != nil {
		return nil, err
	}
	return subscriptionsOf(out), nil
}
