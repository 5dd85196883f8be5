package reading_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/database"
	"jiamenkou/model"
	"jiamenkou/service/policy"
	"jiamenkou/service/reading"
)

func TestConfig(t *testing.T) {
	for name, cfg := range map[string]reading.Config{
		"interval under a second": {HeartbeatInterval: time.Millisecond},
		"interval over a minute":  {HeartbeatInterval: time.Hour},
		"gap under the interval":  {MaxGap: time.Second},
		"session too short":       {SessionTTL: time.Minute},
	} {
		_, err := reading.New(nil, nil, nil, nil, cfg)
		require.Error(t, err, name)
	}
}

func TestReading(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.rule(model.EventArticleRead, nil)
		article := w.publish(w.county, "一")
		actor := w.resident(&w.village)

		s := w.start(actor, article)
		require.Equal(t, model.ReadingOpen, s.Status)
		require.EqualValues(t, 60, s.SecondsLeft)
		require.Equal(t, 5*time.Second, s.HeartbeatInterval)
		w.read(actor, s.ID, 55)
		// The time since the last beat counts as well.
		w.clock.Advance(5 * time.Second)
		c, err := w.reading.Complete(t.Context(), actor, s.ID)
		require.NoError(t, err)
		require.Equal(t, reading.Award{Status: model.AwardPosted, Points: 2}, c.Award)
		require.EqualValues(t, 60, c.CreditedSeconds)
		require.EqualValues(t, 2, w.points(actor))
		var evidence string
		require.NoError(t, w.db.Read(t.Context()).Raw(`SELECT evidence FROM award`).Scan(&evidence).Error)
		require.JSONEq(t, `{"session_id":"`+s.ID+`","article_id":"`+article.ID+`","seconds":60,"min_seconds":60}`, evidence)

		// Whatever is done again answers the first result.
		w.clock.Advance(3 * time.Hour)
		again, err := w.reading.Complete(t.Context(), actor, s.ID)
		require.NoError(t, err)
		require.Equal(t, c, again)
		require.Equal(t, model.ReadingCompleted, w.beat(actor, s.ID).Status)
		reopened := w.start(actor, article)
		require.Equal(t, s.ID, reopened.ID)
		require.Equal(t, model.ReadingCompleted, reopened.Status)
		require.Zero(t, reopened.SecondsLeft)
		require.EqualValues(t, 1, w.count(`SELECT COUNT(*) FROM award`))
		require.EqualValues(t, 2, w.points(actor))
	})
}

func TestTimeIsTheServers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.rule(model.EventArticleRead, nil)
		article := w.publish(w.county, "一")
		actor := w.resident(&w.village)
		s := w.start(actor, article)

		// A burst of beats credits nothing.
		for range 100 {
			require.Zero(t, w.beat(actor, s.ID).CreditedSeconds)
		}
		_, err := w.reading.Complete(t.Context(), actor, s.ID)
		requireFault(t, err, reading.ErrTooShort)
		require.ErrorContains(t, err, "再读 60 秒")

		// Beats that come too close lose no time either: 20 beats within 10 s are 10 s.
		for range 20 {
			w.clock.Advance(500 * time.Millisecond)
			w.beat(actor, s.ID)
		}
		require.EqualValues(t, 10, w.beat(actor, s.ID).CreditedSeconds)

		// Parts of a second are counted by a later beat: 5 × 5.8 s are 29 s.
		for range 5 {
			w.clock.Advance(5800 * time.Millisecond)
			w.beat(actor, s.ID)
		}
		require.EqualValues(t, 39, w.beat(actor, s.ID).CreditedSeconds)

		// A page that was hidden for an hour credits the longest gap only.
		w.clock.Advance(time.Hour)
		require.EqualValues(t, 54, w.beat(actor, s.ID).CreditedSeconds)
		w.clock.Advance(-time.Minute) // a machine whose clock is behind
		require.EqualValues(t, 54, w.beat(actor, s.ID).CreditedSeconds)
		w.clock.Advance(time.Minute)

		// Nothing was earned on the way, and a refused completion changes nothing.
		_, err = w.reading.Complete(t.Context(), actor, s.ID)
		requireFault(t, err, reading.ErrTooShort)
		require.ErrorContains(t, err, "再读 6 秒")
		require.Zero(t, w.count(`SELECT COUNT(*) FROM award`))
		require.EqualValues(t, 54, w.beat(actor, s.ID).CreditedSeconds)
		w.clock.Advance(6 * time.Second)
		_, err = w.reading.Complete(t.Context(), actor, s.ID)
		require.NoError(t, err)
	})
}

func TestBeatsAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		actor := w.resident(&w.village)
		s := w.start(actor, w.publish(w.county, "一"))
		w.clock.Advance(5 * time.Second)
		parallel(12, func(int) {
			_, err := w.reading.Beat(t.Context(), actor, s.ID)
			require.NoError(t, err)
		})
		require.EqualValues(t, 5, w.beat(actor, s.ID).CreditedSeconds)
	})
}

func TestDatabaseKeepsTheClock(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		s := w.start(w.resident(&w.village), w.publish(w.county, "一"))
		for _, set := range []string{
			"credited_seconds = 60",
			"status = 'completed', active_resident_id = NULL, completed_article_id = article_id, ended_at = started_at",
			"status = 'expired', active_resident_id = NULL, ended_at = started_at",
			"active_resident_id = NULL",
		} {
			err := database.InTx(t.Context(), w.db, func(tx *gorm.DB) error {
				return tx.Exec(`UPDATE reading_session SET `+set+` WHERE id = ?`, s.ID).Error
			})
			require.Error(t, err, set)
		}
	})
}

func TestOneSessionAtATime(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		first, second := w.publish(w.county, "一"), w.publish(w.village, "二")
		actor := w.resident(&w.village)
		s := w.start(actor, first)
		w.read(actor, s.ID, 30)
		require.Equal(t, s.ID, w.start(actor, first).ID, "the same article is read on")
		require.EqualValues(t, 30, w.start(actor, first).CreditedSeconds)

		other := w.start(actor, second)
		require.NotEqual(t, s.ID, other.ID)
		_, err := w.reading.Beat(t.Context(), actor, s.ID)
		requireFault(t, err, reading.ErrSessionOver)
		_, err = w.reading.Complete(t.Context(), actor, s.ID)
		requireFault(t, err, reading.ErrSessionOver)
		require.EqualValues(t, 1, w.count(`SELECT COUNT(*) FROM reading_session WHERE end_reason = ?`, model.ReadingSuperseded))

		// Somebody else's session is not there.
		stranger := w.resident(&w.village)
		_, err = w.reading.Beat(t.Context(), stranger, other.ID)
		requireFault(t, err, reading.ErrSessionNotFound)
		_, err = w.reading.Complete(t.Context(), stranger, other.ID)
		requireFault(t, err, reading.ErrSessionNotFound)
		_, err = w.reading.Beat(t.Context(), w.operator, other.ID)
		requireFault(t, err, authz.ErrForbidden)
		_, err = w.reading.Complete(t.Context(), w.operator, other.ID)
		requireFault(t, err, authz.ErrForbidden)
		_, err = w.reading.Start(t.Context(), w.operator, first.ID)
		requireFault(t, err, authz.ErrForbidden)

		// Devices that open articles at once leave one session open.
		reader := w.resident(&w.village)
		parallel(10, func(i int) {
			_, err := w.reading.Start(t.Context(), reader, []string{first.ID, second.ID}[i%2])
			require.NoError(t, err)
		})
		require.EqualValues(t, 1, w.count(`SELECT COUNT(*) FROM reading_session WHERE resident_id = ? AND status = ?`,
			reader.ID, model.ReadingOpen))
	})
}

func TestSessionsExpire(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		article := w.publish(w.county, "一")
		actor, late := w.resident(&w.village), w.resident(&w.village)
		s := w.start(actor, article)
		w.read(actor, s.ID, 60)
		w.clock.Advance(time.Hour)
		fresh := w.start(late, article)
		w.clock.Advance(time.Hour)

		_, err := w.reading.Beat(t.Context(), actor, s.ID)
		requireFault(t, err, reading.ErrSessionOver)
		_, err = w.reading.Complete(t.Context(), actor, s.ID)
		requireFault(t, err, reading.ErrSessionOver)
		n, err := w.reading.ExpireSessions(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, n)
		n, err = w.reading.ExpireSessions(t.Context())
		require.NoError(t, err)
		require.Zero(t, n)
		_, err = w.reading.Complete(t.Context(), actor, s.ID)
		requireFault(t, err, reading.ErrSessionOver)
		require.Equal(t, model.ReadingOpen, w.beat(late, fresh.ID).Status)

		// An overdue session makes way for a new one without the job, too.
		w.clock.Advance(time.Hour)
		require.NotEqual(t, fresh.ID, w.start(late, article).ID)
		require.EqualValues(t, 2, w.count(`SELECT COUNT(*) FROM reading_session WHERE end_reason = ?`, model.ReadingTimedOut))
	})
}

func TestCompletionRace(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.rule(model.EventArticleRead, nil)
		article := w.publish(w.county, "一")
		actor := w.resident(&w.village)
		s := w.start(actor, article)
		w.read(actor, s.ID, 60)
		results := make([]reading.Completion, 30)
		parallel(len(results), func(i int) {
			var err error
			if i%6 == 5 { // opening it again meanwhile disturbs nothing
				_, err = w.reading.Start(t.Context(), actor, article.ID)
				require.NoError(t, err)
			}
			results[i], err = w.reading.Complete(t.Context(), actor, s.ID)
			require.NoError(t, err)
		})
		for _, r := range results {
			require.Equal(t, results[0], r)
		}
		require.EqualValues(t, 2, w.points(actor))
		require.EqualValues(t, 1, w.count(`SELECT COUNT(*) FROM award`))
		require.EqualValues(t, 1, w.count(`SELECT COUNT(*) FROM reading_session`))
	})
}

func TestCompleteMany(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.rule(model.EventArticleRead, nil)
		article, gone := w.publish(w.county, "一"), w.publish(w.county, "二")
		var asked [][2]string
		var actors []authz.Actor
		for i := range 8 {
			actor := w.resident(&w.village)
			actors = append(actors, actor)
			a := article
			if i == 7 {
				a = gone
			}
			asked = append(asked, [2]string{w.start(actor, a).ID, actor.ID})
		}
		for range 12 {
			w.clock.Advance(5 * time.Second)
			for i, a := range asked[1:] { // the first does not read on
				w.beat(actors[i+1], a[0])
			}
		}
		_, err := w.reading.Withdraw(t.Context(), w.operator, changeOf(gone))
		require.NoError(t, err)
		first, err := w.reading.Complete(t.Context(), actors[1], asked[1][0])
		require.NoError(t, err)
		asked = append(asked, asked[2], [2]string{asked[3][0], actors[0].ID}, [2]string{w.clock.NewID(), actors[0].ID})

		done, errs, err := w.reading.CompleteAll(t.Context(), asked)
		require.NoError(t, err)
		requireFault(t, errs[0], reading.ErrTooShort)
		require.Equal(t, first, done[1], "a replay")
		for i := 1; i <= 6; i++ {
			require.NoError(t, errs[i])
			require.EqualValues(t, 2, done[i].Award.Points)
			require.EqualValues(t, 2, w.points(actors[i]))
		}
		requireFault(t, errs[7], reading.ErrWithdrawn)
		require.NoError(t, errs[8])
		require.Equal(t, done[2], done[8], "a replay within the batch")
		requireFault(t, errs[9], reading.ErrSessionNotFound)
		requireFault(t, errs[10], reading.ErrSessionNotFound)
		require.EqualValues(t, 6, w.count(`SELECT COUNT(*) FROM award`))
	})
}

func TestCaps(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.rule(model.EventArticleRead, func(in *policy.RuleInput) { in.DailyCap = 2 })
		actor := w.resident(&w.village)
		want := []model.AwardStatus{model.AwardPosted, model.AwardPosted, model.AwardCapped}
		for i, status := range want {
			a := w.publish(w.county, "一")
			c := w.finish(actor, a)
			require.Equal(t, status, c.Award.Status, i)
			o, err := w.reading.Offer(t.Context(), actor, a.ID)
			require.NoError(t, err)
			require.True(t, o.Read, "a capped article is read all the same")
		}
		require.EqualValues(t, 4, w.points(actor))
		require.Zero(t, w.finish(actor, w.publish(w.county, "二")).Award.Points)
		w.clock.Advance(24 * time.Hour)
		require.EqualValues(t, 2, w.finish(actor, w.publish(w.county, "三")).Award.Points)
	})
}

func TestWithoutPoints(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		actor := w.resident(&w.village)
		require.Equal(t, reading.Award{Status: model.AwardNoRule}, w.finish(actor, w.publish(w.county, "一")).Award)
		w.rule(model.EventArticleRead, func(in *policy.RuleInput) { in.Points, in.MaxPoints = 101, 101 })
		require.Equal(t, reading.Award{Status: model.AwardBudgetExhausted}, w.finish(actor, w.publish(w.county, "二")).Award)
		require.Zero(t, w.points(actor))
	})
}

func TestRuleByTime(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.rule(model.EventArticleRead, func(in *policy.RuleInput) { in.Points, in.PerMinutes, in.MaxPoints = 1, 1, 5 })
		in := text("长文")
		in.MinSeconds = 190 // three whole minutes
		a, err := w.reading.Create(t.Context(), w.operator, w.county.ID, in)
		require.NoError(t, err)
		a, err = w.reading.Publish(t.Context(), w.operator, changeOf(a))
		require.NoError(t, err)
		actor := w.resident(&w.village)
		o, err := w.reading.Offer(t.Context(), actor, a.ID)
		require.NoError(t, err)
		require.EqualValues(t, 3, o.Points)
		s := w.start(actor, a)
		w.read(actor, s.ID, 600) // longer than needed earns no more
		c, err := w.reading.Complete(t.Context(), actor, s.ID)
		require.NoError(t, err)
		require.Equal(t, o.Points, c.Award.Points)
	})
}

func TestWithdrawnWhileReading(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.rule(model.EventArticleRead, nil)
		article := w.publish(w.county, "一")
		actor, quick := w.resident(&w.village), w.resident(&w.village)
		done := w.finish(quick, article)
		s := w.start(actor, article)
		w.read(actor, s.ID, 60)
		_, err := w.reading.Withdraw(t.Context(), w.operator, changeOf(article))
		require.NoError(t, err)
		w.clock.Advance(5 * time.Second)
		_, err = w.reading.Beat(t.Context(), actor, s.ID)
		requireFault(t, err, reading.ErrWithdrawn)
		_, err = w.reading.Complete(t.Context(), actor, s.ID)
		requireFault(t, err, reading.ErrWithdrawn)
		_, err = w.reading.Start(t.Context(), actor, article.ID)
		requireFault(t, err, reading.ErrArticleNotFound)
		require.Zero(t, w.points(actor))
		// Who has read it keeps the result.
		again, err := w.reading.Complete(t.Context(), quick, done.SessionID)
		require.NoError(t, err)
		require.Equal(t, done, again)
	})
}

func TestLaterEditBreaksNoPromise(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		article := w.publish(w.county, "一")
		actor := w.resident(&w.village)
		s := w.start(actor, article)
		in := text("一，改")
		in.MinSeconds = 1800
		_, err := w.reading.Update(t.Context(), w.operator, changeOf(article), in)
		require.NoError(t, err)
		w.read(actor, s.ID, 60)
		_, err = w.reading.Complete(t.Context(), actor, s.ID)
		require.NoError(t, err)
	})
}

func TestHomeGivenUpWhileReading(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		actor := w.resident(&w.village)
		s := w.start(actor, w.publish(w.county, "一"))
		w.read(actor, s.ID, 60)
		w.exec(`UPDATE resident SET home_region_id = NULL WHERE id = ?`, actor.ID)
		_, err := w.reading.Complete(t.Context(), actor, s.ID)
		requireFault(t, err, reading.ErrNoHome)
		_, err = w.reading.SignIn(t.Context(), actor)
		requireFault(t, err, reading.ErrNoHome)
		require.Zero(t, w.count(`SELECT COUNT(*) FROM daily_sign_in`))
		require.Equal(t, model.ReadingOpen, w.beat(actor, s.ID).Status, "nothing was written")
	})
}

func TestAuditFindsDifferences(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		actor := w.resident(&w.village)
		w.finish(actor, w.publish(w.county, "一"))
		_, err := w.reading.SignIn(t.Context(), actor)
		require.NoError(t, err)
		w.sound()
		checks := func() (names []string) {
			found, err := w.reading.Audit(t.Context())
			require.NoError(t, err)
			for _, d := range found {
				names = append(names, d.Check)
			}
			return names
		}
		w.exec(`UPDATE award SET object_id = ?, event_id = 'x' WHERE event_kind = ?`, w.clock.NewID(), model.EventArticleRead)
		require.Equal(t, []string{"article read has its award", "award of an article has its reading"}, checks())
		w.exec(`DELETE FROM award WHERE event_kind = ?`, model.EventArticleRead)
		w.exec(`DELETE FROM reading_session`)
		w.exec(`UPDATE daily_sign_in SET day = '2020-01-01'`)
		require.Equal(t, []string{"sign-in has its award", "award of a sign-in has its sign-in"}, checks())
		w.exec(`DELETE FROM award`)
		w.exec(`DELETE FROM daily_sign_in`)
	})
}

// parallel runs n calls at once.
func parallel(n int, call func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { call(i) })
	}
	wg.Wait()
}
