package reading

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
	"jiamenkou/model"
)

// Question is one question of a quiz.
type Question struct {
	Text    string   // 1..200 characters
	Choices []string // 2..6, each 1..100 characters, all different
	Answer  int64    // index of the right one; -1 in what residents see
}

func checkQuestions(questions []Question) error {
	var f fault.Fields
	f.Add(len(questions) <= model.MaxQuestions, "questions", "最多 10 道题")
	for i, q := range questions {
		path := fmt.Sprintf("questions[%d]", i)
		f.Add(wellSized(q.Text, model.MaxQuestionText), path+".text", "题目应为 1 到 200 个字")
		f.Add(len(q.Choices) >= model.MinChoices && len(q.Choices) <= model.MaxChoices, path+".choices", "应有 2 到 6 个选项")
		for _, c := range q.Choices {
			f.Add(wellSized(c, model.MaxChoiceText), path+".choices", "每个选项应为 1 到 100 个字")
		}
		f.Add(len(slices.Compact(slices.Sorted(slices.Values(q.Choices)))) == len(q.Choices), path+".choices", "选项不能重复")
		f.Add(q.Answer >= 0 && q.Answer < int64(len(q.Choices)), path+".answer", "请指定正确的选项")
	}
	return f.Err(codeInvalid)
}

func wellSized(text string, most int) bool {
	return utf8.ValidString(text) && strings.TrimSpace(text) != "" && utf8.RuneCountInString(text) <= most
}

// SetQuiz replaces the quiz of an article; no questions take it away. A change
// of the article like Update, with its errors.
func (s *Service) SetQuiz(ctx context.Context, actor authz.Actor, c Change, questions []Question) (StaffArticle, error) {
	if err := checkQuestions(questions); err != nil {
		return StaffArticle{}, err
	}
	out, err := s.Article(ctx, actor, c.ArticleID)
	if err != nil {
		return StaffArticle{}, err
	}
	if err := actor.InRegion(out.RegionPath, writers...); err != nil {
		return StaffArticle{}, err
	}
	rows := make([]model.ArticleQuestion, len(questions))
	for i, q := range questions {
		choices, _ := json.Marshal(q.Choices) //nolint:errchkjson // texts always marshal
		rows[i] = model.ArticleQuestion{ArticleID: c.ArticleID, Position: int64(i), Question: q.Text, Choices: string(choices), Answer: q.Answer}
	}
	err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		out.Article, err = s.changeTx(tx, actor, c, model.ArticleUpdate, func(a *model.Article) error {
			a.QuestionCount = int64(len(rows))
			return nil
		}, "quiz")
		if err != nil {
			return err
		}
		if err := tx.Exec("DELETE FROM article_question WHERE article_id = ?", c.ArticleID).Error; err != nil {
			return fmt.Errorf("reading: replace quiz: %w", err)
		}
		if len(rows) == 0 {
			return nil
		}
		if err := tx.Create(&rows).Error; err != nil {
			return fmt.Errorf("reading: replace quiz: %w", err)
		}
		return nil
	})
	return out, err
}

// Quiz returns the questions with their answers, for those who may read the
// article on the staff surface.
func (s *Service) Quiz(ctx context.Context, actor authz.Actor, articleID string) ([]Question, error) {
	if _, err := s.Article(ctx, actor, articleID); err != nil {
		return nil, err
	}
	return questionsOf(s.db.Read(ctx), articleID)
}

func questionsOf(db *gorm.DB, articleID string) ([]Question, error) {
	var rows []model.ArticleQuestion
	if err := db.Where("article_id = ?", articleID).Order("position").Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("reading: quiz: %w", err)
	}
	out := make([]Question, len(rows))
	for i, r := range rows {
		out[i] = Question{Text: r.Question, Answer: r.Answer}
		if err := json.Unmarshal([]byte(r.Choices), &out[i].Choices); err != nil {
			return nil, fmt.Errorf("reading: quiz: %w", err)
		}
	}
	return out, nil
}

// ReaderQuiz is the quiz of an article as a resident stands to it. The right
// answers are not in it.
type ReaderQuiz struct {
	Questions []Question // Answer is -1; empty if the article has no quiz
	Passed    bool
	TriesLeft int64 // today
}

// quizFor reads the quiz of an offered article, in a constant number of statements.
func (s *Service) quizFor(ctx context.Context, residentID string, a model.Article) (ReaderQuiz, error) {
	if a.QuestionCount == 0 {
		return ReaderQuiz{}, nil
	}
	questions, err := questionsOf(s.db.Read(ctx), a.ID)
	if err != nil {
		return ReaderQuiz{}, err
	}
	for i := range questions {
		questions[i].Answer = -1
	}
	tries, err := triesOf(s.db.Read(ctx), residentID, a.ID)
	if err != nil {
		return ReaderQuiz{}, err
	}
	out := ReaderQuiz{Questions: questions, TriesLeft: triesLeft(tries, clock.Today(s.clock))}
	out.Passed = slices.ContainsFunc(tries, func(t model.QuizAttempt) bool { return t.Passed == 1 })
	return out, nil
}

// maxShownTries bounds how many tries of one resident at one article are read:
// three a day for a month.
const maxShownTries = 100

// triesOf reads the tries of a resident at an article, the newest first.
func triesOf(db *gorm.DB, residentID, articleID string) ([]model.QuizAttempt, error) {
	var rows []model.QuizAttempt
	err := db.Where("resident_id = ? AND article_id = ?", residentID, articleID).
		Order("passed DESC, day DESC, try_number DESC").Limit(maxShownTries).Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("reading: quiz tries: %w", err)
	}
	return rows, nil
}

func triesLeft(tries []model.QuizAttempt, today clock.Day) int64 {
	used := int64(0)
	for _, t := range tries {
		if t.Day == today {
			used++
		}
	}
	return max(0, model.MaxQuizTries-used)
}

// QuizAnswers are what a resident chose, an index for each question.
type QuizAnswers struct {
	Choices        []int64
	IdempotencyKey string
}

// QuizResult is what came of a try. It says which questions were wrong, never
// what would have been right.
type QuizResult struct {
	Passed    bool
	Wrong     []int64 // positions from 0
	Questions int64
	TriesLeft int64 // today
}

// AnswerQuiz checks a resident's answers. All must be right; three tries a
// day. Who has passed once has passed for good, also after the quiz was
// changed. A replay of the key answers the first result. Errors:
// ErrArticleNotFound, ErrNoQuiz, ErrQuizTries, ErrQuizChanged, ErrKeyReused.
func (s *Service) AnswerQuiz(ctx context.Context, actor authz.Actor, articleID string, in QuizAnswers) (QuizResult, error) {
	article, err := s.offered(ctx, actor, articleID)
	if err != nil {
		return QuizResult{}, err
	}
	if article.QuestionCount == 0 {
		return QuizResult{}, ErrNoQuiz
	}
	var f fault.Fields
	f.Add(in.IdempotencyKey != "" && len(in.IdempotencyKey) <= 64, "idempotency_key", "请刷新页面后重新提交")
	if err := f.Err(codeInvalid); err != nil {
		return QuizResult{}, err
	}
	var out QuizResult
	err = s.insertTx(ctx, func(tx *gorm.DB) error {
		out, err = s.answerTx(tx, actor.ID, articleID, in)
		return err
	})
	return out, err
}

func (s *Service) answerTx(tx *gorm.DB, residentID, articleID string, in QuizAnswers) (QuizResult, error) {
	today, hash := clock.Today(s.clock), quizHash(articleID, in.Choices)
	tries, err := triesOf(tx, residentID, articleID)
	if err != nil {
		return QuizResult{}, err
	}
	left := triesLeft(tries, today)
	var first []model.QuizAttempt
	if err := tx.Where("resident_id = ? AND idempotency_key = ?", residentID, in.IdempotencyKey).Find(&first).Error; err != nil {
		return QuizResult{}, fmt.Errorf("reading: quiz tries: %w", err)
	}
	switch {
	case len(first) > 0 && first[0].InputHash != hash:
		return QuizResult{}, ErrKeyReused
	case len(first) > 0:
		return resultOf(first[0], left)
	case len(tries) > 0 && tries[0].Passed == 1:
		return resultOf(tries[0], left)
	case left == 0:
		return QuizResult{}, ErrQuizTries
	}
	questions, err := questionsOf(tx, articleID)
	if err != nil {
		return QuizResult{}, err
	}
	if len(questions) != len(in.Choices) {
		return QuizResult{}, ErrQuizChanged
	}
	var wrong []string
	for i, q := range questions {
		if in.Choices[i] != q.Answer {
			wrong = append(wrong, strconv.Itoa(i))
		}
	}
	row := model.QuizAttempt{
		ID: s.clock.NewID(), ResidentID: residentID, ArticleID: articleID, Day: today, TryNumber: model.MaxQuizTries - left + 1,
		Wrong: strings.Join(wrong, ","), Questions: int64(len(questions)), IdempotencyKey: in.IdempotencyKey, InputHash: hash, CreatedAt: s.now(),
	}
	if len(wrong) == 0 {
		row.Passed = 1
	}
	if err := tx.Create(&row).Error; err != nil {
		return QuizResult{}, fmt.Errorf("reading: quiz try: %w", err)
	}
	return resultOf(row, left-1)
}

func resultOf(row model.QuizAttempt, left int64) (QuizResult, error) {
	out := QuizResult{Passed: row.Passed == 1, Wrong: []int64{}, Questions: row.Questions, TriesLeft: left}
	for _, part := range strings.FieldsFunc(row.Wrong, func(r rune) bool { return r == ',' }) {
		n, err := strconv.ParseInt(part, 10, 64)
		if err != nil {
			return out, fmt.Errorf("reading: quiz try: %w", err)
		}
		out.Wrong = append(out.Wrong, n)
	}
	return out, nil
}

func quizHash(articleID string, choices []int64) string {
	sum := sha256.Sum256([]byte(fmt.Sprint(articleID, choices)))
	return hex.EncodeToString(sum[:])
}

// quizPassed returns which residents have passed the quiz of which article,
// as "article:resident", with one statement.
func quizPassed(tx *gorm.DB, articleIDs, residentIDs []string) (map[string]bool, error) {
	out := map[string]bool{}
	if len(articleIDs) == 0 {
		return out, nil
	}
	var rows []struct{ ArticleID, ResidentID string }
	err := tx.Raw("SELECT article_id, resident_id FROM quiz_attempt WHERE article_id IN ? AND passed = 1 AND resident_id IN ?",
		articleIDs, residentIDs).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("reading: quizzes passed: %w", err)
	}
	for _, r := range rows {
		out[r.ArticleID+":"+r.ResidentID] = true
	}
	return out, nil
}
