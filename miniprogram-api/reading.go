package miniprogram

import (
	"context"
	"time"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/httpapi"
	"jiamenkou/internal/paging"
	"jiamenkou/service/media"
	"jiamenkou/service/reading"
)

// ArticleSummaryDTO is an article without its body.
type ArticleSummaryDTO struct {
	ID          string    `json:"id"`
	RegionName  string    `json:"region_name" doc:"发布地区"`
	Title       string    `json:"title"`
	Summary     string    `json:"summary"`
	CoverKey    string    `json:"cover_key" doc:"空表示没有封面"`
	CoverURL    string    `json:"cover_url" doc:"不含域名，可直接用于 image；空表示没有"`
	AudioURL    string    `json:"audio_url" doc:"朗读录音，不含域名；空表示没有"`
	Questions   int64     `json:"questions" doc:"文末有几道小问题；有则答对才算读完"`
	Source      string    `json:"source"`
	MinSeconds  int64     `json:"min_seconds" doc:"读满多少秒算读完"`
	PublishedAt time.Time `json:"published_at"`
	Read        bool      `json:"read" doc:"我已读完"`
	Points      int64     `json:"points" doc:"现在读完预计可得积分；已读或今天已达上限为 0"`
}

type articleDTO struct {
	ArticleSummaryDTO
	Body string        `json:"body" doc:"纯文本或简单的 Markdown，须按文本显示"`
	Quiz readerQuizDTO `json:"quiz"`
}

func articleSummaryOf(o reading.Offer) ArticleSummaryDTO {
	out := ArticleSummaryDTO{
		ID: o.ID, RegionName: o.RegionName, Title: o.Title, Summary: o.Summary, Source: o.Source, MinSeconds: o.MinSeconds,
		PublishedAt: o.PublishedAt.Time(), Read: o.Read, Points: o.Points, Questions: o.QuestionCount,
	}
	if o.CoverKey != nil {
		out.CoverKey, out.CoverURL = *o.CoverKey, media.Address(*o.CoverKey)
	}
	if o.AudioKey != nil {
		out.AudioURL = media.Address(*o.AudioKey)
	}
	return out
}

type listArticlesInput struct {
	httpapi.PageQuery
	Query  string `query:"q" maxLength:"40" doc:"标题或摘要包含"`
	Unread bool   `query:"unread" doc:"只看没读过的"`
}

func (s *server) listArticles(ctx context.Context, in *listArticlesInput) (*httpapi.Body[httpapi.PageBody[ArticleSummaryDTO]], error) {
	page, err := s.Reading.Offers(ctx, authz.FromContext(ctx), reading.OfferFilter{Text: in.Query, Unread: in.Unread},
		paging.Request{Cursor: in.Cursor, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	return httpapi.OK(httpapi.PageOf(page, articleSummaryOf)), nil
}

type articleIDInput struct {
	ID string `path:"id" minLength:"26" maxLength:"26"`
}

func (s *server) getArticle(ctx context.Context, in *articleIDInput) (*httpapi.Body[articleDTO], error) {
	o, err := s.Reading.Offer(ctx, authz.FromContext(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return httpapi.OK(articleDTO{articleSummaryOf(o), o.Body, readerQuizOf(o.Quiz)}), nil
}

type readingSessionDTO struct {
	ID               string     `json:"id"`
	ArticleID        string     `json:"article_id"`
	Status           string     `json:"status" enum:"open,completed,expired" doc:"completed 表示已经读完过"`
	MinSeconds       int64      `json:"min_seconds"`
	CreditedSeconds  int64      `json:"credited_seconds" doc:"服务器已计的秒数"`
	SecondsLeft      int64      `json:"seconds_left" doc:"还差的秒数；0 表示可以完成"`
	HeartbeatSeconds int64      `json:"heartbeat_seconds" doc:"每隔多少秒上报一次；更密不会多计"`
	StartedAt        time.Time  `json:"started_at"`
	ExpiresAt        time.Time  `json:"expires_at" doc:"到时未完成即结束"`
	EndedAt          *time.Time `json:"ended_at"`
}

func readingSessionOf(r reading.Session, err error) (*httpapi.Body[readingSessionDTO], error) {
	if err != nil {
		return nil, err
	}
	return httpapi.OK(readingSessionDTO{
		ID: r.ID, ArticleID: r.ArticleID, Status: string(r.Status), MinSeconds: r.MinSeconds, CreditedSeconds: r.CreditedSeconds,
		SecondsLeft: r.SecondsLeft, HeartbeatSeconds: int64(r.HeartbeatInterval / time.Second), StartedAt: r.StartedAt.Time(),
		ExpiresAt: r.ExpiresAt.Time(), EndedAt: clock.TimePtr(r.EndedAt),
	}), nil
}

func (s *server) startReading(ctx context.Context, in *articleIDInput) (*httpapi.Body[readingSessionDTO], error) {
	return readingSessionOf(s.Reading.Start(ctx, authz.FromContext(ctx), in.ID))
}

type readingSessionInput struct {
	ID string `path:"id" minLength:"26" maxLength:"26"`
}

func (s *server) beatReading(ctx context.Context, in *readingSessionInput) (*httpapi.Body[readingSessionDTO], error) {
	return readingSessionOf(s.Reading.Beat(ctx, authz.FromContext(ctx), in.ID))
}

type eventAwardDTO struct {
	Status string `json:"status" enum:"posted,capped,budget_exhausted,no_rule"`
	Points int64  `json:"points" doc:"得到的积分；没有得到为 0"`
	Note   string `json:"note" doc:"没有得到积分的原因，空表示已得到"`
}

// awardNotes tell residents why there are no points.
var awardNotes = map[reading.AwardStatus]string{
	"capped":           "今天的积分次数已用完，明天再来",
	"budget_exhausted": "本期积分已发完，暂时不能发放",
	"no_rule":          "本地区暂不为此发放积分",
}

func eventAwardOf(a reading.Award) eventAwardDTO {
	return eventAwardDTO{Status: string(a.Status), Points: a.Points, Note: awardNotes[a.Status]}
}

type readingCompletionDTO struct {
	SessionID       string        `json:"session_id"`
	ArticleID       string        `json:"article_id"`
	CreditedSeconds int64         `json:"credited_seconds"`
	CompletedAt     time.Time     `json:"completed_at"`
	Award           eventAwardDTO `json:"award" doc:"没有积分时文章也算已读"`
}

func (s *server) completeReading(ctx context.Context, in *readingSessionInput) (*httpapi.Body[readingCompletionDTO], error) {
	c, err := s.Reading.Complete(ctx, authz.FromContext(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return httpapi.OK(readingCompletionDTO{
		SessionID: c.SessionID, ArticleID: c.ArticleID, CreditedSeconds: c.CreditedSeconds,
		CompletedAt: c.CompletedAt.Time(), Award: eventAwardOf(c.Award),
	}), nil
}

type signInStateDTO struct {
	Enabled    bool   `json:"enabled" doc:"本地区是否开通每日签到"`
	Day        string `json:"day" format:"date"`
	Signed     bool   `json:"signed" doc:"今天已签到"`
	StreakDays int64  `json:"streak_days" doc:"连续签到天数"`
	Points     int64  `json:"points" doc:"现在签到预计可得积分"`
}

func (s *server) getSignIn(ctx context.Context, _ *struct{}) (*httpapi.Body[signInStateDTO], error) {
	st, err := s.Reading.SignInState(ctx, authz.FromContext(ctx))
	if err != nil {
		return nil, err
	}
	return httpapi.OK(signInStateDTO{
		Enabled: st.Enabled, Day: string(st.Day), Signed: st.Signed, StreakDays: st.StreakDays, Points: st.Points,
	}), nil
}

type signInDTO struct {
	Day        string        `json:"day" format:"date"`
	StreakDays int64         `json:"streak_days" doc:"连续签到天数"`
	SignedAt   time.Time     `json:"signed_at"`
	Award      eventAwardDTO `json:"award"`
}

func (s *server) signIn(ctx context.Context, _ *struct{}) (*httpapi.Body[signInDTO], error) {
	r, err := s.Reading.SignIn(ctx, authz.FromContext(ctx))
	if err != nil {
		return nil, err
	}
	return httpapi.OK(signInDTO{
		Day: string(r.Day), StreakDays: r.StreakDays, SignedAt: r.SignedAt.Time(), Award: eventAwardOf(r.Award),
	}), nil
}
