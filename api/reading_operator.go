package api

import (
	"context"
	"time"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/httpapi"
	"jiamenkou/service/media"
	"jiamenkou/service/reading"
)

// articleMaxBody holds 20,000 characters of three bytes, escaped, and the rest.
const articleMaxBody = 256 << 10

// ArticleSummaryDTO is an article without its body.
type ArticleSummaryDTO struct {
	ID          string     `json:"id"`
	RegionID    string     `json:"region_id" doc:"面向这个地区及其下级的居民"`
	RegionName  string     `json:"region_name"`
	Title       string     `json:"title"`
	Summary     string     `json:"summary"`
	CoverKey    string     `json:"cover_key" doc:"空表示没有封面"`
	CoverURL    string     `json:"cover_url" doc:"不含域名，可直接用于 img；空表示没有"`
	AudioKey    string     `json:"audio_key" doc:"空表示没有录音"`
	AudioURL    string     `json:"audio_url"`
	Questions   int64      `json:"questions" doc:"文末有几道小问题"`
	Source      string     `json:"source"`
	MinSeconds  int64      `json:"min_seconds" doc:"读满多少秒算读完"`
	Status      string     `json:"status" enum:"draft,published,withdrawn"`
	Version     int64      `json:"version" doc:"修改时带回"`
	Reads       int64      `json:"reads" doc:"读完的人数"`
	PublishedAt *time.Time `json:"published_at"`
	CreatedAt   time.Time  `json:"created_at"`
	UpdatedAt   time.Time  `json:"updated_at"`
}

type articleDTO struct {
	ArticleSummaryDTO
	Body string `json:"body" doc:"纯文本或简单的 Markdown；不含网页标签，须按文本显示"`
}

func articleSummaryOf(a reading.StaffArticle) ArticleSummaryDTO {
	out := ArticleSummaryDTO{
		ID: a.ID, RegionID: a.RegionID, RegionName: a.RegionName, Title: a.Title, Summary: a.Summary, Source: a.Source,
		MinSeconds: a.MinSeconds, Questions: a.QuestionCount, Status: string(a.Status), Version: a.Version, Reads: a.Reads,
		PublishedAt: clock.TimePtr(a.PublishedAt), CreatedAt: a.CreatedAt.Time(), UpdatedAt: a.UpdatedAt.Time(),
	}
	if a.CoverKey != nil {
		out.CoverKey, out.CoverURL = *a.CoverKey, media.Address(*a.CoverKey)
	}
	if a.AudioKey != nil {
		out.AudioKey, out.AudioURL = *a.AudioKey, media.Address(*a.AudioKey)
	}
	return out
}

func articleOf(a reading.StaffArticle, err error) (*httpapi.Body[articleDTO], error) {
	if err != nil {
		return nil, err
	}
	return httpapi.OK(articleDTO{articleSummaryOf(a), a.Body}), nil
}

type listArticlesInput struct {
	httpapi.SortedQuery
	RegionID string `query:"region_id" minLength:"26" maxLength:"26" doc:"只看这个地区及其下级"`
	Status   string `query:"status" enum:"draft,published,withdrawn"`
	Query    string `query:"q" maxLength:"40" doc:"标题或摘要包含"`
}

func (s *server) listArticles(ctx context.Context, in *listArticlesInput) (*httpapi.Body[httpapi.PageBody[ArticleSummaryDTO]], error) {
	return httpapi.Listed(articleSummaryOf)(s.Reading.Articles(ctx, authz.FromContext(ctx), reading.ArticleFilter{
		RegionID: in.RegionID, Status: reading.ArticleStatus(in.Status), Text: in.Query,
	}, in.Request()))
}

func (s *server) getArticle(ctx context.Context, in *idInput) (*httpapi.Body[articleDTO], error) {
	return articleOf(s.Reading.Article(ctx, authz.FromContext(ctx), in.ID))
}

// ArticleFields are what an operator writes.
type ArticleFields struct {
	Title      string `json:"title" minLength:"1" maxLength:"80"`
	Summary    string `json:"summary,omitempty" maxLength:"200"`
	Body       string `json:"body" minLength:"1" maxLength:"20000" doc:"纯文本或简单的 Markdown，不含网页标签"`
	CoverKey   string `json:"cover_key,omitempty" maxLength:"32" pattern:"^([0-9a-f]{32})?$"`
	AudioKey   string `json:"audio_key,omitempty" maxLength:"32" pattern:"^([0-9a-f]{32})?$"`
	Source     string `json:"source,omitempty" maxLength:"100"`
	MinSeconds int64  `json:"min_seconds" minimum:"5" maximum:"1800"`
}

func (f ArticleFields) input() reading.ArticleInput {
	return reading.ArticleInput{
		Title: f.Title, Summary: f.Summary, Body: f.Body, CoverKey: f.CoverKey, AudioKey: f.AudioKey, Source: f.Source, MinSeconds: f.MinSeconds,
	}
}

type createArticleInput struct {
	Body struct {
		RegionID string `json:"region_id" minLength:"26" maxLength:"26"`
		ArticleFields
	}
}

func (s *server) createArticle(ctx context.Context, in *createArticleInput) (*httpapi.Body[articleDTO], error) {
	return articleOf(s.Reading.Create(ctx, authz.FromContext(ctx), in.Body.RegionID, in.Body.input()))
}

type updateArticleInput struct {
	ID   string `path:"id" minLength:"26" maxLength:"26"`
	Body struct {
		Version int64  `json:"version" minimum:"1"`
		Reason  string `json:"reason,omitempty" maxLength:"200"`
		ArticleFields
	}
}

func (s *server) updateArticle(ctx context.Context, in *updateArticleInput) (*httpapi.Body[articleDTO], error) {
	change := reading.Change{ArticleID: in.ID, Version: in.Body.Version, Reason: in.Body.Reason}
	return articleOf(s.Reading.Update(ctx, authz.FromContext(ctx), change, in.Body.input()))
}

type moveArticleInput struct {
	ID   string `path:"id" minLength:"26" maxLength:"26"`
	Body struct {
		Version int64  `json:"version" minimum:"1"`
		Reason  string `json:"reason,omitempty" maxLength:"200"`
	}
}

func (in *moveArticleInput) change() reading.Change {
	return reading.Change{ArticleID: in.ID, Version: in.Body.Version, Reason: in.Body.Reason}
}

func (s *server) publishArticle(ctx context.Context, in *moveArticleInput) (*httpapi.Body[articleDTO], error) {
	return articleOf(s.Reading.Publish(ctx, authz.FromContext(ctx), in.change()))
}

func (s *server) withdrawArticle(ctx context.Context, in *moveArticleInput) (*httpapi.Body[articleDTO], error) {
	return articleOf(s.Reading.Withdraw(ctx, authz.FromContext(ctx), in.change()))
}

type articleHistoryDTO struct {
	ID         string    `json:"id"`
	Version    int64     `json:"version"`
	Move       string    `json:"move" enum:"create,update,publish,withdraw"`
	FromStatus string    `json:"from_status" doc:"空表示新建"`
	ToStatus   string    `json:"to_status" enum:"draft,published,withdrawn"`
	ActorKind  string    `json:"actor_kind" enum:"staff,system"`
	ActorID    string    `json:"actor_id"`
	ActorName  string    `json:"actor_name" doc:"工作人员；系统为空"`
	Reason     string    `json:"reason"`
	CreatedAt  time.Time `json:"created_at"`
}

func articleHistoryOf(h reading.Step) articleHistoryDTO {
	out := articleHistoryDTO{
		ID: h.ID, Version: h.Version, Move: string(h.Move), ToStatus: string(h.ToStatus), ActorKind: h.ActorKind,
		ActorID: h.ActorID, ActorName: h.ActorName, Reason: h.Reason, CreatedAt: h.CreatedAt.Time(),
	}
	if h.FromStatus != nil {
		out.FromStatus = string(*h.FromStatus)
	}
	return out
}

type articleHistoryInput struct {
	ID string `path:"id" minLength:"26" maxLength:"26"`
	httpapi.PageQuery
}

func (s *server) listArticleHistory(ctx context.Context, in *articleHistoryInput) (*httpapi.Body[httpapi.PageBody[articleHistoryDTO]], error) {
	return httpapi.Listed(articleHistoryOf)(s.Reading.ArticleHistory(ctx, authz.FromContext(ctx), in.ID, in.Request()))
}
