package reading_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/fault"
	"jiamenkou/model"
	"jiamenkou/service/reading"
)

func twoQuestions() []reading.Question {
	return []reading.Question{
		{Text: "几点开放？", Choices: []string{"六点", "七点", "八点"}, Answer: 1},
		{Text: "要预约吗？", Choices: []string{"要", "不要"}, Answer: 0},
	}
}

func (w *world) quizzed(title string) reading.StaffArticle {
	w.t.Helper()
	a, err := w.reading.SetQuiz(w.t.Context(), w.operator, changeOf(w.publish(w.county, title)), twoQuestions())
	require.NoError(w.t, err)
	return a
}

func TestQuiz(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.rule(model.EventArticleRead, nil)
		key := 0
		answers := func(choices ...int64) reading.QuizAnswers {
			key++
			return reading.QuizAnswers{Choices: choices, IdempotencyKey: fmt.Sprintf("key-%04d", key)}
		}
		a := w.quizzed("开放时间")

		t.Run("shows residents the questions without the answers, staff with them", func(t *testing.T) {
			o, err := w.reading.Offer(t.Context(), w.resident(&w.village), a.ID)
			require.NoError(t, err)
			require.Len(t, o.Quiz.Questions, 2)
			require.Equal(t, []string{"六点", "七点", "八点"}, o.Quiz.Questions[0].Choices)
			for _, q := range o.Quiz.Questions {
				require.EqualValues(t, -1, q.Answer)
			}
			require.False(t, o.Quiz.Passed)
			require.EqualValues(t, 3, o.Quiz.TriesLeft)
			staff, err := w.reading.Quiz(t.Context(), w.operator, a.ID)
			require.NoError(t, err)
			require.Equal(t, twoQuestions(), staff)
		})
		t.Run("must be passed before the reading is complete", func(t *testing.T) {
			who := w.resident(&w.village)
			s := w.start(who, a)
			w.read(who, s.ID, 60)
			_, err := w.reading.Complete(t.Context(), who, s.ID)
			requireFault(t, err, reading.ErrQuizFirst)
			require.Zero(t, w.points(who))
			got, err := w.reading.AnswerQuiz(t.Context(), who, a.ID, answers(2, 1))
			require.NoError(t, err)
			require.Equal(t, reading.QuizResult{Wrong: []int64{0, 1}, Questions: 2, TriesLeft: 2}, got)
			_, err = w.reading.Complete(t.Context(), who, s.ID)
			requireFault(t, err, reading.ErrQuizFirst)
			right := answers(1, 0)
			got, err = w.reading.AnswerQuiz(t.Context(), who, a.ID, right)
			require.NoError(t, err)
			require.Equal(t, reading.QuizResult{Passed: true, Wrong: []int64{}, Questions: 2, TriesLeft: 1}, got)
			again, err := w.reading.AnswerQuiz(t.Context(), who, a.ID, right)
			require.NoError(t, err)
			require.Equal(t, got, again, "a replay costs no try")
			got, err = w.reading.AnswerQuiz(t.Context(), who, a.ID, answers(0, 0))
			require.NoError(t, err)
			require.True(t, got.Passed, "passed is passed")
			_, err = w.reading.Complete(t.Context(), who, s.ID)
			require.NoError(t, err)
			require.EqualValues(t, 2, w.points(who))
			o, err := w.reading.Offer(t.Context(), who, a.ID)
			require.NoError(t, err)
			require.True(t, o.Quiz.Passed)
		})
		t.Run("takes three tries a day, also of several at once", func(t *testing.T) {
			who := w.resident(&w.village)
			in := make([]reading.QuizAnswers, 6)
			for i := range in {
				in[i] = answers(0, 0)
			}
			var group sync.WaitGroup
			refused := make([]error, len(in))
			for i := range in {
				group.Go(func() { _, refused[i] = w.reading.AnswerQuiz(t.Context(), who, a.ID, in[i]) })
			}
			group.Wait()
			n := 0
			for _, err := range refused {
				if err != nil {
					requireFault(t, err, reading.ErrQuizTries)
					n++
				}
			}
			require.Equal(t, 3, n)
			require.EqualValues(t, 3, w.count("SELECT COUNT(*) FROM quiz_attempt WHERE resident_id = ?", who.ID))
			w.clock.Advance(24 * time.Hour)
			got, err := w.reading.AnswerQuiz(t.Context(), who, a.ID, answers(1, 0))
			require.NoError(t, err)
			require.True(t, got.Passed)
		})
		t.Run("refuses another answer under the same key, too few answers and foreign articles", func(t *testing.T) {
			who := w.resident(&w.village)
			in := answers(0, 0)
			_, err := w.reading.AnswerQuiz(t.Context(), who, a.ID, in)
			require.NoError(t, err)
			in.Choices = []int64{1, 0}
			_, err = w.reading.AnswerQuiz(t.Context(), who, a.ID, in)
			requireFault(t, err, reading.ErrKeyReused)
			_, err = w.reading.AnswerQuiz(t.Context(), who, a.ID, answers(1))
			requireFault(t, err, reading.ErrQuizChanged)
			plain := w.publish(w.county, "没有题")
			_, err = w.reading.AnswerQuiz(t.Context(), who, plain.ID, answers(1))
			requireFault(t, err, reading.ErrNoQuiz)
			elsewhere := w.publish(w.other, "别处")
			_, err = w.reading.AnswerQuiz(t.Context(), who, elsewhere.ID, answers(1))
			requireFault(t, err, reading.ErrArticleNotFound)
		})
		t.Run("is written by operators alone, on the version that they saw", func(t *testing.T) {
			_, err := w.reading.SetQuiz(t.Context(), staff("auditor", w.county), changeOf(a), twoQuestions())
			require.Equal(t, fault.Forbidden, fault.KindOf(err))
			stale := changeOf(a)
			stale.Version--
			_, err = w.reading.SetQuiz(t.Context(), w.operator, stale, nil)
			requireFault(t, err, reading.ErrChanged)
			for path, change := range map[string]func(q *reading.Question){
				"questions[0].text":    func(q *reading.Question) { q.Text = " " },
				"questions[0].choices": func(q *reading.Question) { q.Choices = []string{"一", "一"} },
				"questions[0].answer":  func(q *reading.Question) { q.Answer = 3 },
			} {
				questions := twoQuestions()
				change(&questions[0])
				_, err = w.reading.SetQuiz(t.Context(), w.operator, changeOf(a), questions)
				requireField(t, err, path)
			}
			a, err = w.reading.SetQuiz(t.Context(), w.operator, changeOf(a), nil)
			require.NoError(t, err)
			require.Zero(t, a.QuestionCount)
			w.finish(w.resident(&w.village), a) // no quiz any more
		})
	})
}
