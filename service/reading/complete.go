package reading

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/model"
	"jiamenkou/service/policy"
)

// Completion is an article that was read, and what it earned.
type Completion struct {
	SessionID       string
	ArticleID       string
	CreditedSeconds int64
	CompletedAt     clock.Instant
	Award           Award
}

// Award is what an event earned.
type Award struct {
	Status AwardStatus
	Points int64 // 0 unless posted
}

func awardOf(a model.Award) Award {
	out := Award{Status: a.Status}
	if a.Status == model.AwardPosted {
		out.Points = a.Points
	}
	return out
}

// Complete marks the article of a session as read and awards the points, in
// one transaction. It counts the time since the last beat as a beat would.
// The article stays read when it earns nothing: Award.Status says why
// (a daily cap, no rule, a budget that is used up).
//
// A second completion answers the first one's result. Completions at the same
// time share a transaction. ErrSessionNotFound, ErrSessionOver, ErrWithdrawn,
// ErrQuizFirst, ErrTooShort, whose message says how many seconds are left, batch.ErrFull and
// batch.ErrClosed.
func (s *Service) Complete(ctx context.Context, actor authz.Actor, sessionID string) (Completion, error) {
	if err := actor.Resident(); err != nil {
		return Completion{}, err
	}
	return s.completions.Do(ctx, item{sessionID: sessionID, residentID: actor.ID})
}

// item asks for one completion.
type item struct{ sessionID, residentID string }

// outcome answers one item: an error concerns this item alone, and nothing was
// written for it.
type outcome struct {
	Completion
	Err error
}

// completeTx completes any number of sessions, at most policy.MaxEvents, in a
// constant number of statements. An error other than an outcome's means that
// the whole transaction must be rolled back; ErrNoHome is one of them (its
// resident gave the home region up while reading), so that a caller with many
// items should then take them one by one.
func (s *Service) completeTx(ctx context.Context, tx *gorm.DB, items []item) ([]outcome, error) {
	tx = tx.WithContext(ctx)
	now := s.now()
	sessions, articles, err := lockSessions(tx, items)
	if err != nil {
		return nil, err
	}
	passed, err := quizzesPassed(tx, sessions, articles)
	if err != nil {
		return nil, err
	}
	var (
		out    = make([]outcome, len(items))
		fresh  []model.ReadingSession
		events []policy.Event
		asked  []int // index of the item of each event
	)
	for i, it := range items {
		row, ok := sessions[it.sessionID]
		if !ok || row.ResidentID != it.residentID {
			out[i].Err = ErrSessionNotFound
			continue
		}
		article := articles[row.ArticleID]
		if out[i].Err = s.refusal(row, article.Status, now); out[i].Err != nil {
			continue
		}
		if row.Status != model.ReadingCompleted {
			row = s.credit(row, now)
			if left := row.MinSeconds - row.CreditedSeconds; left > 0 {
				out[i].Err = ErrTooShort.WithMessage("再读 %d 秒就可以完成", left)
				continue
			}
			if article.QuestionCount > 0 && !passed[row.ArticleID+":"+row.ResidentID] {
				out[i].Err = ErrQuizFirst
				continue
			}
			row.Status, row.EndedAt = model.ReadingCompleted, &now
			fresh = append(fresh, row)
			sessions[row.ID] = row // a second item of the same session is a replay
		}
		events, asked = append(events, readEvent(row)), append(asked, i)
		out[i].Completion = Completion{
			SessionID: row.ID, ArticleID: row.ArticleID, CreditedSeconds: row.CreditedSeconds, CompletedAt: *row.EndedAt,
		}
	}
	if err := markCompleted(tx, fresh); err != nil {
		return nil, err
	}
	awards, err := s.policy.AwardTx(ctx, tx, events)
	if err != nil {
		return nil, fmt.Errorf("reading: award: %w", err)
	}
	for n, a := range awards {
		if a.ID == "" {
			return nil, ErrNoHome
		}
		out[asked[n]].Award = awardOf(a)
	}
	return out, nil
}

// articleState is what a completion must know of an article.
type articleState struct {
	ID            string
	Status        model.ArticleStatus
	QuestionCount int64
}

// quizzesPassed asks, only if there is an article with a quiz among them, who
// has passed it.
func quizzesPassed(tx *gorm.DB, sessions map[string]model.ReadingSession, articles map[string]articleState) (map[string]bool, error) {
	var articleIDs, residentIDs []string
	for _, r := range sessions {
		if r.Status == model.ReadingOpen && articles[r.ArticleID].QuestionCount > 0 {
			articleIDs, residentIDs = append(articleIDs, r.ArticleID), append(residentIDs, r.ResidentID)
		}
	}
	return quizPassed(tx, articleIDs, residentIDs)
}

// lockSessions locks the sessions by id and reads the states of their articles.
func lockSessions(tx *gorm.DB, items []item) (map[string]model.ReadingSession, map[string]articleState, error) {
	ids := make([]string, len(items))
	for i, it := range items {
		ids[i] = it.sessionID
	}
	slices.Sort(ids)
	var rows []model.ReadingSession
	err := tx.Raw(`SELECT * FROM reading_session WHERE id IN ? ORDER BY id`+database.ForUpdate(tx), slices.Compact(ids)).Scan(&rows).Error
	if err != nil {
		return nil, nil, fmt.Errorf("reading: lock sessions: %w", err)
	}
	sessions, articleIDs := make(map[string]model.ReadingSession, len(rows)), make([]string, 0, len(rows))
	for _, r := range rows {
		sessions[r.ID] = r
		articleIDs = append(articleIDs, r.ArticleID)
	}
	articles := make(map[string]articleState, len(rows))
	if len(rows) == 0 {
		return sessions, articles, nil
	}
	var states []articleState
	if err := tx.Raw(`SELECT id, status, question_count FROM article WHERE id IN ?`, articleIDs).Scan(&states).Error; err != nil {
		return nil, nil, fmt.Errorf("reading: articles: %w", err)
	}
	for _, a := range states {
		articles[a.ID] = a
	}
	return sessions, articles, nil
}

// markCompleted writes completions in one statement. The rows are locked.
func markCompleted(tx *gorm.DB, rows []model.ReadingSession) error {
	if len(rows) == 0 {
		return nil
	}
	cases := strings.Repeat(" WHEN ? THEN ?", len(rows))
	var seconds, beats []any
	ids := make([]string, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
		seconds, beats = append(seconds, r.ID, r.CreditedSeconds), append(beats, r.ID, r.LastBeatAt)
	}
	args := append([]any{model.ReadingCompleted, rows[0].EndedAt}, append(seconds, beats...)...)
	res := tx.Exec(`UPDATE reading_session SET status = ?, ended_at = ?, active_resident_id = NULL, completed_article_id = article_id,
		credited_seconds = CASE id`+cases+` END, last_beat_at = CASE id`+cases+` END WHERE id IN ? AND status = ?`,
		append(args, ids, model.ReadingOpen)...)
	if err := database.RequireRows(res, int64(len(rows))); err != nil {
		return fmt.Errorf("reading: complete: %w", err)
	}
	return nil
}

// evidence is shown when a resident asks why.
type evidence struct {
	SessionID  string `json:"session_id"`
	ArticleID  string `json:"article_id"`
	Seconds    int64  `json:"seconds"`
	MinSeconds int64  `json:"min_seconds"`
}

// readEvent is the same for a replay as for the first completion.
func readEvent(r model.ReadingSession) policy.Event {
	proof, _ := json.Marshal(evidence{ //nolint:errchkjson // strings and numbers always marshal
		SessionID: r.ID, ArticleID: r.ArticleID, Seconds: r.CreditedSeconds, MinSeconds: r.MinSeconds,
	})
	return policy.Event{
		Kind: model.EventArticleRead, ID: r.ArticleID + ":" + r.ResidentID, ResidentID: r.ResidentID, ObjectID: r.ArticleID,
		Minutes: minutesOf(r.MinSeconds), Evidence: string(proof), ActorID: r.ResidentID, OccurredAt: *r.EndedAt,
	}
}
