package miniprogram

import (
	"bytes"
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/httpapi"
	"jiamenkou/service/invite"
	"jiamenkou/service/reading"
)

type mediaInput struct {
	Key string `path:"key" minLength:"32" maxLength:"32"`
}

// getMedia streams a file. Players of recordings ask for it in parts (and iOS
// plays nothing that cannot be asked for so), hence http.ServeContent.
func (s *server) getMedia(ctx context.Context, in *mediaInput) (*huma.StreamResponse, error) {
	f, err := s.Media.Open(ctx, in.Key)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hctx huma.Context) {
		c := humagin.Unwrap(hctx)
		h := c.Writer.Header()
		h.Set("Content-Type", f.ContentType)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		h.Set("ETag", `"`+f.SHA256+`"`)
		http.ServeContent(c.Writer, c.Request, "", time.Time{}, bytes.NewReader(f.Data))
	}}, nil
}

type readerQuestionDTO struct {
	Text    string   `json:"text"`
	Choices []string `json:"choices"`
}

type readerQuizDTO struct {
	Questions []readerQuestionDTO `json:"questions" doc:"空表示没有"`
	Passed    bool                `json:"passed" doc:"已经答对"`
	TriesLeft int64               `json:"tries_left" doc:"今天还有几次机会"`
}

func readerQuizOf(q reading.ReaderQuiz) readerQuizDTO {
	out := readerQuizDTO{Questions: []readerQuestionDTO{}, Passed: q.Passed, TriesLeft: q.TriesLeft}
	for _, x := range q.Questions {
		out.Questions = append(out.Questions, readerQuestionDTO{Text: x.Text, Choices: x.Choices})
	}
	return out
}

type answerQuizInput struct {
	ID string `path:"id" minLength:"26" maxLength:"26"`
	httpapi.Idempotent
	Body struct {
		Choices []int64 `json:"choices" minItems:"1" maxItems:"10" doc:"每道题选了第几项，从 0 起"`
	}
}

type quizResultDTO struct {
	Passed    bool    `json:"passed" doc:"全部答对"`
	Wrong     []int64 `json:"wrong" doc:"答错的是第几题，从 0 起；不告诉正确答案"`
	Questions int64   `json:"questions"`
	TriesLeft int64   `json:"tries_left" doc:"今天还有几次机会"`
}

func (s *server) answerQuiz(ctx context.Context, in *answerQuizInput) (*httpapi.Body[quizResultDTO], error) {
	r, err := s.Reading.AnswerQuiz(ctx, authz.FromContext(ctx), in.ID, reading.QuizAnswers{
		Choices: in.Body.Choices, IdempotencyKey: in.IdempotencyKey,
	})
	if err != nil {
		return nil, err
	}
	return httpapi.OK(quizResultDTO{Passed: r.Passed, Wrong: r.Wrong, Questions: r.Questions, TriesLeft: r.TriesLeft}), nil
}

type sceneInput struct {
	Scene string `path:"scene" minLength:"1" maxLength:"32"`
}

type sceneDTO struct {
	Kind string `json:"kind" enum:"activity,benefit"`
	ID   string `json:"id"`
}

func (s *server) resolveScene(_ context.Context, in *sceneInput) (*httpapi.Body[sceneDTO], error) {
	target, err := invite.Resolve(in.Scene)
	if err != nil {
		return nil, err
	}
	return httpapi.OK(sceneDTO{Kind: string(target.Kind), ID: target.ID}), nil
}
