package casework_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
	"jiamenkou/service/casework"
)

func TestWholeWalk(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		shot := w.upload(w.resident)
		r := w.report(func(in *casework.ReportInput) {
			in.AttachmentIDs = []string{shot.ID}
			in.Lon, in.Lat, in.Address = new(119.5), new(30.2), "东山路 1 号"
		})
		require.Equal(t, "20260310-0001", r.Number)
		require.Equal(t, w.villageA.ID, r.RegionID)

		mine, err := w.casework.Case(ctx, w.resident, r.ID)
		require.NoError(t, err)
		require.Equal(t, casework.Points{Status: casework.PointsPending}, mine.Points)
		require.Equal(t, []casework.Move{model.MoveWithdraw}, mine.NextMoves)
		require.Equal(t, "东山社区", mine.RegionName)
		require.Len(t, mine.Steps[0].Pictures, 1, "the owner sees his pending picture")

		theirs, err := w.casework.Case(ctx, w.workerA, r.ID)
		require.NoError(t, err)
		require.Equal(t, []casework.Move{model.MoveAccept, model.MoveReject}, theirs.NextMoves)
		require.InDelta(t, 119.5, *theirs.Lon, 1e-9)

		m, err := w.casework.Accept(ctx, w.workerA, r.ID, casework.MoveInput{Version: 1, Reason: "内部", Note: "马上来"})
		require.NoError(t, err)
		require.Equal(t, int64(2), m.Version)
		m, err = w.casework.Dispatch(ctx, w.workerA, r.ID, w.worker2A.ID, casework.MoveInput{Version: 2})
		require.NoError(t, err)
		require.Equal(t, model.CaseDispatched, m.Status)
		_, err = w.casework.StartHandling(ctx, w.worker2A, r.ID, casework.MoveInput{Version: 3})
		require.NoError(t, err)
		after := w.upload(w.worker2A)
		_, err = w.casework.Finish(ctx, w.worker2A, r.ID, []string{after.ID}, casework.MoveInput{Version: 4, Note: "已清理"})
		require.NoError(t, err)
		require.Zero(t, w.wallet(w.resident), "nothing is earned before the reporter confirms")

		confirm := casework.ConfirmInput{Solved: true, Rating: 5, Note: "很好", IdempotencyKey: "confirm-0001"}
		m, err = w.casework.Confirm(ctx, w.resident, r.ID, confirm)
		require.NoError(t, err)
		require.Equal(t, casework.Points{Status: casework.PointsPosted, Points: reportPoints}, m.Points)
		require.Equal(t, int64(reportPoints), w.wallet(w.resident))

		_, err = w.casework.Close(ctx, w.workerA, r.ID, casework.MoveInput{Version: 6})
		require.NoError(t, err)
		again, err := w.casework.Confirm(ctx, w.resident, r.ID, confirm)
		require.NoError(t, err)
		require.Equal(t, m, again, "a replay gets the first answer, also later")
		confirm.Rating = 1
		_, err = w.casework.Confirm(ctx, w.resident, r.ID, confirm)
		require.ErrorIs(t, err, casework.ErrKeyReused)
		require.Equal(t, int64(reportPoints), w.wallet(w.resident))

		mine, err = w.casework.Case(ctx, w.resident, r.ID)
		require.NoError(t, err)
		var moves []model.CaseMove
		for _, st := range mine.Steps {
			moves = append(moves, st.Move)
			require.Empty(t, st.ActorName+st.ActorID+st.Reason, "the reporter does not see who or why inside")
		}
		require.Equal(t, []model.CaseMove{
			model.MoveReport, model.MoveAccept, model.MoveDispatch, model.MoveStart, model.MoveFinish, model.MoveConfirm, model.MoveClose,
		}, moves)
		require.Equal(t, "马上来", mine.Steps[1].Note)
		require.Len(t, mine.Steps[4].Pictures, 1, "and the pictures of the feedback")
		require.Empty(t, mine.AssigneeName)
		theirs, err = w.casework.Case(ctx, w.auditor, r.ID)
		require.NoError(t, err)
		require.Equal(t, "内部", theirs.Steps[1].Reason)
		require.NotEmpty(t, theirs.Steps[1].ActorName)
		require.Empty(t, theirs.NextMoves)
		require.Equal(t, int64(1), w.count(`SELECT COUNT(*) FROM case_assignment WHERE case_id = ? AND ended_at IS NOT NULL`, r.ID))
	})
}

// TestMoves tries every move in every state.
func TestMoves(t *testing.T) {
	allowed := map[model.CaseStatus]string{
		model.CaseSubmitted:  "accept reject withdraw",
		model.CaseAccepted:   "reject dispatch start",
		model.CaseDispatched: "dispatch start",
		model.CaseHandling:   "dispatch finish",
		model.CaseHandled:    "confirm reopen",
		model.CaseReopened:   "dispatch start close",
		model.CaseConfirmed:  "close",
		model.CaseClosed:     "",
		model.CaseRejected:   "",
		model.CaseWithdrawn:  "",
	}
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		note := casework.MoveInput{Note: "说明", IdempotencyKey: "key-00000001"}
		moves := map[string]func(id string) (casework.Moved, error){
			"accept": func(id string) (casework.Moved, error) { return w.casework.Accept(ctx, w.operator, id, note) },
			"reject": func(id string) (casework.Moved, error) { return w.casework.Reject(ctx, w.operator, id, note) },
			"dispatch": func(id string) (casework.Moved, error) {
				return w.casework.Dispatch(ctx, w.operator, id, w.workerA.ID, note)
			},
			"start":  func(id string) (casework.Moved, error) { return w.casework.StartHandling(ctx, w.operator, id, note) },
			"finish": func(id string) (casework.Moved, error) { return w.casework.Finish(ctx, w.operator, id, nil, note) },
			"confirm": func(id string) (casework.Moved, error) {
				return w.casework.Confirm(ctx, w.resident, id, casework.ConfirmInput{Solved: true, IdempotencyKey: "key-00000002"})
			},
			"reopen": func(id string) (casework.Moved, error) {
				return w.casework.Confirm(ctx, w.resident, id, casework.ConfirmInput{Note: "还在", IdempotencyKey: "key-00000003"})
			},
			"close":    func(id string) (casework.Moved, error) { return w.casework.Close(ctx, w.operator, id, note) },
			"withdraw": func(id string) (casework.Moved, error) { return w.casework.Withdraw(ctx, w.resident, id, "") },
		}
		for status, can := range allowed {
			for name, move := range moves {
				r := w.report()
				w.bring(r.ID, status)
				before := w.file(r.ID)
				_, err := move(r.ID)
				if strings.Contains(" "+can+" ", " "+name+" ") {
					require.NoError(t, err, "%s in %s", name, status)
					h := w.history(r.ID)
					require.Equal(t, before.Status, *h[len(h)-1].FromStatus)
					require.Equal(t, w.file(r.ID).Status, h[len(h)-1].ToStatus)
					continue
				}
				require.ErrorIs(t, err, casework.ErrMove, "%s in %s", name, status)
				require.Equal(t, fault.Conflict, fault.KindOf(err))
				require.Equal(t, before, w.file(r.ID), "nothing changed")
				require.Len(t, w.history(r.ID), int(before.Version))
			}
		}
	}, func(c *casework.Config) { c.DailyReports = 1000 })
}

func TestMoveRefuses(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		r := w.report()
		before := w.file(r.ID)
		accept := func(actor authz.Actor, version int64) error {
			_, err := w.casework.Accept(ctx, actor, r.ID, casework.MoveInput{Version: version})
			return err
		}
		require.ErrorIs(t, accept(w.workerB, 1), casework.ErrNotFound, "another village's grid worker")
		require.ErrorIs(t, accept(w.organizer, 1), casework.ErrNotFound, "a role that has nothing to do with cases")
		require.ErrorIs(t, accept(w.neighbour, 1), casework.ErrNotFound, "another resident")
		require.ErrorIs(t, accept(w.auditor, 1), authz.ErrForbidden, "an auditor only reads")
		require.ErrorIs(t, accept(w.resident, 1), authz.ErrForbidden, "the reporter himself")
		require.ErrorIs(t, accept(authz.Actor{}, 1), casework.ErrNotFound)
		require.ErrorIs(t, accept(w.workerA, 7), casework.ErrChanged)
		_, err := w.casework.Accept(ctx, w.workerA, w.clock.NewID(), casework.MoveInput{})
		require.ErrorIs(t, err, casework.ErrNotFound)
		_, err = w.casework.Reject(ctx, w.workerA, r.ID, casework.MoveInput{})
		require.Equal(t, fault.Invalid, fault.KindOf(err), "the reporter must be told why")
		_, err = w.casework.Withdraw(ctx, w.neighbour, r.ID, "")
		require.ErrorIs(t, err, casework.ErrNotFound)
		_, err = w.casework.Withdraw(ctx, w.workerA, r.ID, "")
		require.ErrorIs(t, err, authz.ErrForbidden)
		_, err = w.casework.Confirm(ctx, w.workerA, r.ID, casework.ConfirmInput{Solved: true})
		require.ErrorIs(t, err, authz.ErrForbidden)
		require.Equal(t, before, w.file(r.ID))
		require.Len(t, w.history(r.ID), 1)

		w.bring(r.ID, model.CaseAccepted)
		for name, staffID := range map[string]string{
			"of another village": w.workerB.ID, "with another role": w.organizer.ID, "who only audits": w.auditor.ID, "who is nobody": w.clock.NewID(),
		} {
			_, err := w.casework.Dispatch(ctx, w.workerA, r.ID, staffID, casework.MoveInput{})
			require.ErrorIs(t, err, casework.ErrAssignee, name)
		}
		w.exec(`UPDATE staff SET status = ? WHERE id = ?`, model.StaffDisabled, w.worker2A.ID)
		_, err = w.casework.Dispatch(ctx, w.workerA, r.ID, w.worker2A.ID, casework.MoveInput{})
		require.ErrorIs(t, err, casework.ErrAssignee, "who is disabled")
		_, err = w.casework.Dispatch(ctx, w.workerB, r.ID, w.workerA.ID, casework.MoveInput{})
		require.ErrorIs(t, err, casework.ErrNotFound)

		w.exec(`UPDATE case_file SET status = ?, confirm_by = 1, handled_at = 1 WHERE id = ?`, model.CaseHandled, r.ID)
		_, err = w.casework.Confirm(ctx, w.resident, r.ID, casework.ConfirmInput{Solved: false, IdempotencyKey: w.key()})
		require.Equal(t, fault.Invalid, fault.KindOf(err), "what is not solved must be said")
		_, err = w.casework.Confirm(ctx, w.resident, r.ID, casework.ConfirmInput{Solved: true, Rating: 6, IdempotencyKey: w.key()})
		require.Equal(t, fault.Invalid, fault.KindOf(err))
		_, err = w.casework.Confirm(ctx, w.resident, r.ID, casework.ConfirmInput{Note: "违规的话", IdempotencyKey: w.key()})
		require.ErrorIs(t, err, casework.ErrTextRefused)
		w.exec(`UPDATE case_file SET status = ?, confirm_by = NULL WHERE id = ?`, model.CaseAccepted, r.ID)
	})
}

func TestReopening(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		r := w.report()
		w.bring(r.ID, model.CaseHandled)
		for range 2 {
			_, err := w.casework.Confirm(ctx, w.resident, r.ID, casework.ConfirmInput{Note: "还在漏水", IdempotencyKey: w.key()})
			require.NoError(t, err)
			require.NotNil(t, w.file(r.ID).DueAt)
			_, err = w.casework.StartHandling(ctx, w.workerA, r.ID, casework.MoveInput{})
			require.NoError(t, err)
			_, err = w.casework.Finish(ctx, w.workerA, r.ID, nil, casework.MoveInput{Note: "又修了"})
			require.NoError(t, err)
		}
		_, err := w.casework.Confirm(ctx, w.resident, r.ID, casework.ConfirmInput{Note: "还在漏水", IdempotencyKey: w.key()})
		require.ErrorIs(t, err, casework.ErrReopenLimit)
		mine, err := w.casework.Case(ctx, w.resident, r.ID)
		require.NoError(t, err)
		require.Equal(t, []casework.Move{model.MoveConfirm}, mine.NextMoves)

		t.Run("only an operator gives a reopened case up, and honesty still earns", func(t *testing.T) {
			r := w.report()
			w.bring(r.ID, model.CaseReopened)
			_, err := w.casework.Close(ctx, w.workerA, r.ID, casework.MoveInput{Note: "无法解决", IdempotencyKey: w.key()})
			require.ErrorIs(t, err, authz.ErrForbidden)
			in := casework.MoveInput{Note: "需要上级立项", IdempotencyKey: w.key()}
			m, err := w.casework.Close(ctx, w.townOperator, r.ID, in)
			require.NoError(t, err)
			require.Equal(t, model.CaseClosed, m.Status)
			require.Equal(t, casework.PointsPosted, m.Points.Status)
			again, err := w.casework.Close(ctx, w.townOperator, r.ID, in)
			require.NoError(t, err)
			require.Equal(t, m, again)
			require.Equal(t, int64(reportPoints), w.wallet(w.resident))
		})
	})
}

func TestConcurrentMoves(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		r := w.report()
		errs := parallel(8, func(i int) error {
			worker := w.workerA
			if i%2 == 1 {
				worker = w.worker2A
			}
			_, err := w.casework.Accept(ctx, worker, r.ID, casework.MoveInput{Version: 1})
			return err
		})
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
				continue
			}
			require.Equal(t, fault.Conflict, fault.KindOf(err), err)
		}
		require.Equal(t, 1, won, "one grid worker accepts")
		require.Len(t, w.history(r.ID), 2)

		r = w.report()
		w.bring(r.ID, model.CaseHandled)
		answers := make([]casework.Moved, 12)
		errs = parallel(12, func(i int) (err error) {
			answers[i], err = w.casework.Confirm(ctx, w.resident, r.ID, casework.ConfirmInput{Solved: true, Rating: 4, IdempotencyKey: "same-key-1"})
			return err
		})
		for i := range errs {
			require.NoError(t, errs[i])
			require.Equal(t, answers[0], answers[i], "parallel replays get the same answer")
		}
		require.Equal(t, int64(reportPoints), w.wallet(w.resident), "the award is made once")
		require.Equal(t, int64(1), w.count(`SELECT COUNT(*) FROM award`))
	})
}

func parallel(n int, fn func(i int) error) []error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = fn(i) })
	}
	wg.Wait()
	return errs
}

func TestReport(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		t.Run("fifty at once under one key are one case", func(t *testing.T) {
			in := w.input()
			answers := make([]casework.Reported, 50)
			errs := parallel(50, func(i int) (err error) {
				answers[i], err = w.casework.Report(ctx, w.neighbour, in)
				return err
			})
			for i := range errs {
				require.NoError(t, errs[i])
				require.Equal(t, answers[0], answers[i])
			}
			require.Equal(t, int64(1), w.count(`SELECT COUNT(*) FROM case_file WHERE reporter_id = ?`, w.neighbour.ID))
			require.Equal(t, int64(1), w.count(`SELECT reports FROM case_quota WHERE owner_id = ?`, w.neighbour.ID), "replays do not count against the day")
			in.Text += "！"
			_, err := w.casework.Report(ctx, w.neighbour, in)
			require.ErrorIs(t, err, casework.ErrKeyReused)
			require.Equal(t, fault.Invalid, fault.KindOf(err))
		})
		t.Run("numbers are unique and without gaps in a county and day", func(t *testing.T) {
			w.clock.Advance(24 * time.Hour)
			people := []authz.Actor{w.resident, w.neighbour, w.newResident(&w.villageB), w.newResident(&w.gridA)}
			numbers := make([]string, 24)
			inputs := make([]casework.ReportInput, len(numbers))
			for i := range inputs {
				inputs[i] = w.input()
			}
			errs := parallel(len(numbers), func(i int) error {
				r, err := w.casework.Report(ctx, people[i%len(people)], inputs[i])
				numbers[i] = r.Number
				return err
			})
			for _, err := range errs {
				require.NoError(t, err)
			}
			want := make([]string, 0, len(numbers))
			for i := range numbers {
				want = append(want, fmt.Sprintf("20260311-%04d", i+1))
			}
			require.ElementsMatch(t, want, numbers)
		})
		t.Run("goes to the right village", func(t *testing.T) {
			at := func(actor authz.Actor, lon float64, regionID string) (string, error) {
				in := w.input()
				in.RegionID = regionID
				if lon != 0 {
					in.Lon, in.Lat = &lon, new(30.0)
				}
				r, err := w.casework.Report(ctx, actor, in)
				return r.RegionID, err
			}
			nomad := w.newResident(nil)
			for name, c := range map[string]struct {
				actor    authz.Actor
				lon      float64
				region   string
				want     string
				wantsErr error
			}{
				"the one named":                      {w.resident, 120.5, w.gridA.ID, w.gridA.ID, nil},
				"the one around the position":        {w.resident, 120.5, "", w.villageB.ID, nil},
				"home, when the position is nowhere": {w.resident, 122, "", w.villageA.ID, nil},
				"home, without a position":           {w.resident, 0, "", w.villageA.ID, nil},
				"nowhere":                            {nomad, 0, "", "", casework.ErrNoVillage},
				"nowhere on the map":                 {nomad, 122, "", "", casework.ErrNoVillage},
				"a position, without a home":         {nomad, 119, "", w.villageA.ID, nil},
				"a town":                             {w.resident, 0, w.town.ID, "", casework.ErrRegion},
				"another county":                     {w.resident, 0, w.elsewhere.ID, "", casework.ErrRegion},
				"no region":                          {w.resident, 0, w.clock.NewID(), "", casework.ErrRegion},
			} {
				got, err := at(c.actor, c.lon, c.region)
				require.ErrorIs(t, err, c.wantsErr, name)
				require.Equal(t, c.want, got, name)
			}
		})
		t.Run("refuses faulty input and writes nothing", func(t *testing.T) {
			before := w.count(`SELECT COUNT(*) FROM case_file`)
			for name, change := range map[string]func(*casework.ReportInput){
				"no category":       func(in *casework.ReportInput) { in.Category = "" },
				"unknown category":  func(in *casework.ReportInput) { in.Category = "x" },
				"short text":        func(in *casework.ReportInput) { in.Text = "脏乱差 " },
				"long text":         func(in *casework.ReportInput) { in.Text = strings.Repeat("脏", 1001) },
				"control character": func(in *casework.ReportInput) { in.Text = "楼道\x00里堆了杂物" },
				"not UTF-8":         func(in *casework.ReportInput) { in.Text = "\xff\xfe楼道里堆了杂物" },
				"half a position":   func(in *casework.ReportInput) { in.Lon = new(119.0) },
				"off the globe":     func(in *casework.ReportInput) { in.Lon, in.Lat = new(181.0), new(0.0) },
				"no number":         func(in *casework.ReportInput) { in.Lon, in.Lat = new(119.0), new(nan()) },
				"long address":      func(in *casework.ReportInput) { in.Address = strings.Repeat("路", 101) },
				"no key":            func(in *casework.ReportInput) { in.IdempotencyKey = "" },
				"ten pictures":      func(in *casework.ReportInput) { in.AttachmentIDs = strings.Split("abcdefghij", "") },
				"a picture twice":   func(in *casework.ReportInput) { in.AttachmentIDs = []string{"a", "a"} },
			} {
				in := w.input()
				change(&in)
				_, err := w.casework.Report(ctx, w.resident, in)
				require.Equal(t, "casework.invalid", fault.As(err).Code, name)
				require.NotEmpty(t, fault.As(err).Fields, name)
			}
			_, err := w.casework.Report(ctx, w.workerA, w.input())
			require.ErrorIs(t, err, authz.ErrForbidden)
			require.Equal(t, before, w.count(`SELECT COUNT(*) FROM case_file`))
		})
		t.Run("keeps to the daily number, also at once", func(t *testing.T) {
			w := newWorldOn(t, w, func(c *casework.Config) { c.DailyReports = 3 })
			busy := w.newResident(&w.villageA)
			inputs := []casework.ReportInput{w.input(), w.input(), w.input(), w.input(), w.input(), w.input()}
			errs := parallel(len(inputs), func(i int) error {
				_, err := w.casework.Report(ctx, busy, inputs[i])
				return err
			})
			refused := 0
			for _, err := range errs {
				if err != nil {
					require.ErrorIs(t, err, casework.ErrDailyReports)
					require.Equal(t, fault.TooMany, fault.KindOf(err))
					refused++
				}
			}
			require.Equal(t, 3, refused)
			w.clock.Advance(24 * time.Hour)
			_, err := w.casework.Report(ctx, busy, w.input())
			require.NoError(t, err, "a new day")
		})
	})
}

func TestReadsKeepToTheirScope(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		inA := w.report(func(in *casework.ReportInput) { in.RegionID, in.Text = w.gridA.ID, "A 村 100% 的路灯坏了" })
		inB := w.report(func(in *casework.ReportInput) { in.RegionID, in.Category = w.villageB.ID, model.CategorySafety })
		w.bring(inA.ID, model.CaseDispatched)
		list := func(actor authz.Actor, filter casework.BoardFilter) (ids []string) {
			p, err := w.casework.Board(ctx, actor, filter, paging.Request{})
			require.NoError(t, err)
			for _, c := range p.Items {
				ids = append(ids, c.ID)
			}
			return ids
		}
		require.Equal(t, []string{inB.ID, inA.ID}, list(w.operator, casework.BoardFilter{}))
		require.Equal(t, []string{inA.ID}, list(w.workerA, casework.BoardFilter{}))
		require.Equal(t, []string{inB.ID}, list(w.workerB, casework.BoardFilter{}))
		require.Empty(t, list(w.workerB, casework.BoardFilter{RegionID: w.villageA.ID}), "another village's cases stay hidden")
		require.Empty(t, list(w.operator, casework.BoardFilter{RegionID: "nowhere"}))
		require.Equal(t, []string{inA.ID}, list(w.auditor, casework.BoardFilter{RegionID: w.villageA.ID}))
		require.Equal(t, []string{inA.ID}, list(w.operator, casework.BoardFilter{Statuses: []casework.Status{model.CaseDispatched}}))
		require.Equal(t, []string{inB.ID}, list(w.operator, casework.BoardFilter{Category: model.CategorySafety}))
		require.Equal(t, []string{inA.ID}, list(w.worker2A, casework.BoardFilter{Mine: true}))
		require.Empty(t, list(w.workerA, casework.BoardFilter{Mine: true}))
		require.Equal(t, []string{inA.ID}, list(w.operator, casework.BoardFilter{Text: "100%"}))
		require.Empty(t, list(w.operator, casework.BoardFilter{Text: "10_%"}), "wildcards are plain text")
		require.Equal(t, []string{inB.ID}, list(w.operator, casework.BoardFilter{Text: inB.Number}))
		require.Empty(t, list(w.operator, casework.BoardFilter{Overdue: true}))
		w.clock.Advance(6 * 24 * time.Hour)
		require.Len(t, list(w.operator, casework.BoardFilter{Overdue: true}), 2)
		_, err := w.casework.Board(ctx, w.organizer, casework.BoardFilter{}, paging.Request{})
		require.ErrorIs(t, err, authz.ErrForbidden)
		_, err = w.casework.Board(ctx, w.operator, casework.BoardFilter{Text: strings.Repeat("长", 51)}, paging.Request{})
		require.Equal(t, fault.Invalid, fault.KindOf(err))

		p, err := w.casework.Board(ctx, w.operator, casework.BoardFilter{}, paging.Request{Limit: 1})
		require.NoError(t, err)
		require.Equal(t, inB.ID, p.Items[0].ID)
		p, err = w.casework.Board(ctx, w.operator, casework.BoardFilter{}, paging.Request{Limit: 1, Cursor: p.Next})
		require.NoError(t, err)
		require.Equal(t, inA.ID, p.Items[0].ID)
		require.Empty(t, p.Next)

		counts, err := w.casework.Counts(ctx, w.operator, "")
		require.NoError(t, err)
		require.Len(t, counts, len(model.CaseStatuses()))
		require.Equal(t, casework.StatusCount{Status: model.CaseSubmitted, Cases: 1, Overdue: 1}, counts[0])
		counts, err = w.casework.Counts(ctx, w.workerB, w.villageA.ID)
		require.NoError(t, err)
		for _, c := range counts {
			require.Zero(t, c.Cases)
		}

		for _, actor := range []authz.Actor{w.workerA, w.neighbour, w.organizer, {}} {
			_, err := w.casework.Case(ctx, actor, inB.ID)
			require.ErrorIs(t, err, casework.ErrNotFound)
		}
		mine, err := w.casework.MyCases(ctx, w.resident, nil, paging.Request{})
		require.NoError(t, err)
		require.Len(t, mine.Items, 2)
		require.Empty(t, mine.Items[1].AssigneeName)
		mine, err = w.casework.MyCases(ctx, w.resident, []casework.Status{model.CaseDispatched}, paging.Request{})
		require.NoError(t, err)
		require.Len(t, mine.Items, 1)
		mine, err = w.casework.MyCases(ctx, w.neighbour, nil, paging.Request{})
		require.NoError(t, err)
		require.Empty(t, mine.Items)
		_, err = w.casework.MyCases(ctx, w.workerA, nil, paging.Request{})
		require.ErrorIs(t, err, authz.ErrForbidden)
	})
}

func TestUpkeep(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		t.Run("silence confirms after the time, once", func(t *testing.T) {
			var ids []string
			for range 5 {
				r := w.report()
				w.bring(r.ID, model.CaseHandled)
				ids = append(ids, r.ID)
			}
			nomad := w.newResident(nil)
			in := w.input()
			in.RegionID = w.villageA.ID
			homeless, err := w.casework.Report(ctx, nomad, in)
			require.NoError(t, err)
			w.bring(homeless.ID, model.CaseHandled)
			n, err := w.casework.AutoConfirm(ctx)
			require.NoError(t, err)
			require.Zero(t, n, "not before")
			w.clock.Advance(7 * 24 * time.Hour)
			counts := make([]int, 4)
			for _, err := range parallel(4, func(i int) (err error) { counts[i], err = w.casework.AutoConfirm(ctx); return err }) {
				require.NoError(t, err)
			}
			require.Equal(t, 6, counts[0]+counts[1]+counts[2]+counts[3], "instances share the work")
			for _, id := range ids {
				require.Equal(t, model.CaseConfirmed, w.file(id).Status)
			}
			require.Equal(t, int64(5*reportPoints), w.wallet(w.resident))
			require.Equal(t, model.CaseConfirmed, w.file(homeless.ID).Status)
			theirs, err := w.casework.Case(ctx, nomad, homeless.ID)
			require.NoError(t, err)
			require.Equal(t, casework.PointsNoRule, theirs.Points.Status, "without a home there is no rule to earn by")
		})
		t.Run("positions go after thirty days", func(t *testing.T) {
			in := w.input()
			in.Lon, in.Lat = new(119.5), new(30.2)
			r, err := w.casework.Report(ctx, w.resident, in)
			require.NoError(t, err)
			w.clock.Advance(29 * 24 * time.Hour)
			n, err := w.casework.DropPositions(ctx)
			require.NoError(t, err)
			require.Zero(t, n)
			w.clock.Advance(24 * time.Hour)
			n, err = w.casework.DropPositions(ctx)
			require.NoError(t, err)
			require.Equal(t, 1, n)
			c := w.file(r.ID)
			require.Nil(t, c.Lon)
			require.Nil(t, c.Lat)
			require.Empty(t, c.InputHash, "a hash of the position could be tried out")
			require.Equal(t, w.villageA.ID, c.RegionID, "the verdict stays")
			again, err := w.casework.Report(ctx, w.resident, in)
			require.NoError(t, err)
			require.Equal(t, r, again, "the key still answers")
			require.Zero(t, w.count(`SELECT COUNT(*) FROM case_quota WHERE day < '2026-04-10'`))
		})
	}, func(c *casework.Config) { c.BatchSize = 2 })
}

func TestAuditFinds(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r := w.report()
		w.bring(r.ID, model.CaseConfirmed)
		finds := func(name, break_, mend string, args ...any) {
			w.exec(break_, args...)
			differences, err := w.casework.Audit(t.Context())
			require.NoError(t, err)
			require.NotEmpty(t, differences, name)
			w.exec(mend, args...)
		}
		finds("a status without its history", `UPDATE case_file SET status = 'closed' WHERE id = ?`, `UPDATE case_file SET status = 'confirmed' WHERE id = ?`, r.ID)
		finds("a version without its history", `UPDATE case_file SET version = version + 1 WHERE id = ?`, `UPDATE case_file SET version = version - 1 WHERE id = ?`, r.ID)
		finds("an award without its case", `UPDATE case_file SET earns = 0 WHERE id = ?`, `UPDATE case_file SET earns = 1 WHERE id = ?`, r.ID)
		finds("a verified report without its award", `UPDATE award SET event_id = CONCAT('x', event_id)`, `UPDATE award SET event_id = SUBSTR(event_id, 2)`)
		finds("a broken history", `UPDATE case_history SET from_status = 'handled' WHERE case_id = ? AND seq = 2`, `UPDATE case_history SET from_status = 'submitted' WHERE case_id = ? AND seq = 2`, r.ID)
	})
}

func TestReporterIsTold(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		told := func(caseID string) (moves []model.CaseMove) {
			for _, h := range w.history(caseID) {
				n := w.count("SELECT COUNT(*) FROM queue_job WHERE kind = ? AND unique_key = ?", casework.JobNotify, casework.NoticeCaseMoved+":"+h.ID)
				require.LessOrEqual(t, n, int64(1))
				if n == 0 {
					continue
				}
				moves = append(moves, h.Move)
				var payload string
				require.NoError(t, w.db.Read(t.Context()).Raw("SELECT payload FROM queue_job WHERE unique_key = ?", casework.NoticeCaseMoved+":"+h.ID).Scan(&payload).Error)
				require.JSONEq(t, `{"topic":"casework.moved","object_id":"`+h.ID+`","resident_ids":["`+w.resident.ID+`"]}`, payload)
			}
			return moves
		}
		closed, rejected := w.report().ID, w.report().ID
		w.bring(closed, model.CaseClosed)
		require.Equal(t, []model.CaseMove{model.MoveAccept, model.MoveFinish}, told(closed))
		w.bring(rejected, model.CaseRejected)
		require.Equal(t, []model.CaseMove{model.MoveReject}, told(rejected))
		withdrawn := w.report().ID
		w.bring(withdrawn, model.CaseWithdrawn)
		require.Empty(t, told(withdrawn))

		t.Run("once, also when the move is repeated, and not of a refused one", func(t *testing.T) {
			id, in := w.report().ID, casework.MoveInput{IdempotencyKey: w.key()}
			for range 2 {
				_, err := w.casework.Accept(t.Context(), w.workerA, id, in)
				require.NoError(t, err)
			}
			_, err := w.casework.Accept(t.Context(), w.workerA, id, casework.MoveInput{})
			require.ErrorIs(t, err, casework.ErrMove)
			require.Equal(t, []model.CaseMove{model.MoveAccept}, told(id))
			require.EqualValues(t, 4, w.count("SELECT COUNT(*) FROM queue_job WHERE kind = ?", casework.JobNotify))
		})
	})
}
