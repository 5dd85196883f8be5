package api

import (
	"context"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/httpapi"
	"jiamenkou/service/media"
	"jiamenkou/service/reading"
)

type mediaDTO struct {
	Key         string `json:"key" doc:"填入 cover_key、image_key 或 audio_key"`
	URL         string `json:"url" doc:"不含域名，公开可见"`
	ContentType string `json:"content_type"`
	SizeBytes   int64  `json:"size_bytes"`
	Width       int64  `json:"width" doc:"像素；录音为 0"`
	Height      int64  `json:"height"`
}

func mediaOf(i media.Item, err error) (mediaDTO, error) {
	if err != nil {
		return mediaDTO{}, err
	}
	return mediaDTO{Key: i.Key, URL: media.Address(i.Key), ContentType: i.ContentType, SizeBytes: i.SizeBytes, Width: i.Width, Height: i.Height}, nil
}

func (s *server) uploadCover(ctx context.Context, file []byte) (mediaDTO, error) {
	return mediaOf(s.Media.UploadPicture(ctx, authz.FromContext(ctx), file))
}

func (s *server) uploadRecording(ctx context.Context, file []byte) (mediaDTO, error) {
	return mediaOf(s.Media.UploadAudio(ctx, authz.FromContext(ctx), file))
}

type questionDTO struct {
	Text    string   `json:"text" minLength:"1" maxLength:"200"`
	Choices []string `json:"choices" minItems:"2" maxItems:"6" doc:"每个 1 到 100 个字，不能重复"`
	Answer  int64    `json:"answer" minimum:"0" maximum:"5" doc:"正确选项的序号，从 0 起；从不发给居民"`
}

type quizDTO struct {
	Questions []questionDTO `json:"questions"`
}

func (s *server) getQuiz(ctx context.Context, in *idInput) (*httpapi.Body[quizDTO], error) {
	questions, err := s.Reading.Quiz(ctx, authz.FromContext(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	out := quizDTO{Questions: []questionDTO{}}
	for _, q := range questions {
		out.Questions = append(out.Questions, questionDTO{Text: q.Text, Choices: q.Choices, Answer: q.Answer})
	}
	return httpapi.OK(out), nil
}

type setQuizInput struct {
	ID   string `path:"id" minLength:"26" maxLength:"26"`
	Body struct {
		Version   int64         `json:"version" minimum:"1"`
		Reason    string        `json:"reason,omitempty" maxLength:"200"`
		Questions []questionDTO `json:"questions" maxItems:"10"`
	}
}

func (s *server) setQuiz(ctx context.Context, in *setQuizInput) (*httpapi.Body[articleDTO], error) {
	questions := make([]reading.Question, len(in.Body.Questions))
	for i, q := range in.Body.Questions {
		questions[i] = reading.Question{Text: q.Text, Choices: q.Choices, Answer: q.Answer}
	}
	change := reading.Change{ArticleID: in.ID, Version: in.Body.Version, Reason: in.Body.Reason}
	return articleOf(s.Reading.SetQuiz(ctx, authz.FromContext(ctx), change, questions))
}

// codePicture is a mini-program code.
type codePicture struct {
	ContentType  string `header:"Content-Type"`
	CacheControl string `header:"Cache-Control"`
	Body         []byte
}

func codePictureOf(jpeg []byte, err error) (*codePicture, error) {
	if err != nil {
		return nil, err
	}
	return &codePicture{ContentType: "image/jpeg", CacheControl: "private, max-age=86400", Body: jpeg}, nil
}

func (s *server) activityCode(ctx context.Context, in *idInput) (*codePicture, error) {
	return codePictureOf(s.Invite.ActivityCode(ctx, authz.FromContext(ctx), in.ID))
}

func (s *server) benefitCode(ctx context.Context, in *idInput) (*codePicture, error) {
	return codePictureOf(s.Invite.BenefitCode(ctx, authz.FromContext(ctx), in.ID))
}
