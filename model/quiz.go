package model

import "jiamenkou/internal/clock"

// Bounds of a quiz; texts in characters.
const (
	MaxQuestions    = 10
	MaxQuestionText = 200
	MinChoices      = 2
	MaxChoices      = 6
	MaxChoiceText   = 100
	MaxQuizTries    = 3 // per resident, article and day; a CHECK of quiz_attempt too
)

// ArticleQuestion is a row of article_question: one question of an article's
// quiz.
type ArticleQuestion struct {
	ArticleID string `gorm:"primaryKey"`
	Position  int64  `gorm:"primaryKey;autoIncrement:false"` // from 0
	Question  string
	Choices   string // JSON array of texts
	Answer    int64  // index of the right choice; never sent to residents
}

// QuizAttempt is a row of quiz_attempt: one try at an article's quiz. Append
// only. That TryNumber is unique per resident, article and day, and three at
// most, limits the tries.
type QuizAttempt struct {
	ID             string `gorm:"primaryKey"`
	ResidentID     string
	ArticleID      string
	Day            clock.Day
	TryNumber      int64  // from 1
	Wrong          string // positions from 0, "0,2"; "" if none
	Questions      int64
	Passed         int64 // 1: all right
	IdempotencyKey string
	InputHash      string
	CreatedAt      clock.Instant `gorm:"autoCreateTime:false"`
}
