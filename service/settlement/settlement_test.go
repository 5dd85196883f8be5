package settlement_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
	"jiamenkou/service/identity/identitytest"
	"jiamenkou/service/ledger"
	"jiamenkou/service/ledger/ledgertest"
	"jiamenkou/service/market"
	"jiamenkou/service/settlement"
)

// world is a county with one merchant (or more) whose clerk redeems.
type world struct {
	*identitytest.Fixture
	t          *testing.T
	ledger     *ledger.Service
	market     *market.Service
	settlement *settlement.Service
	resident   authz.Actor
	budget     string
	n          int
}

// shop is a merchant with a benefit of 5 points and ¥30, originally ¥60.
type shop struct {
	id, benefit, store string
	owner, clerk       authz.Actor
}

func each(t *testing.T, test func(t *testing.T, w *world)) {
	eachUnsound(t, func(t *testing.T, w *world) {
		test(t, w)
		w.sound()
	})
}

// eachUnsound is for tests that leave the books broken.
func eachUnsound(t *testing.T, test func(t *testing.T, w *world)) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		f := identitytest.New(t, db)
		w := &world{Fixture: f, t: t, ledger: ledger.New(db, f.Clock), budget: f.Clock.NewID()}
		var err error
		w.market, err = market.New(db, f.Clock, w.ledger, market.Config{CodeKey: "a key of thirty-two bytes or more"})
		require.NoError(t, err)
		w.settlement = settlement.New(db, f.Clock, w.ledger, settlement.Config{})
		w.resident, _ = f.Resident(t, "wang")
		_, err = f.SetHomeRegion(t.Context(), w.resident, f.EastVillage.ID)
		require.NoError(t, err)
		w.resident.RegionID, w.resident.RegionPath = f.EastVillage.ID, f.EastVillage.Path
		require.NoError(t, database.InTx(t.Context(), db, func(tx *gorm.DB) error {
			if err := w.ledger.OpenBudgetsTx(t.Context(), tx, []ledger.Budget{{ID: w.budget, LimitPoints: 10_000}}); err != nil {
				return err
			}
			_, err := w.ledger.EarnTx(t.Context(), tx, []ledger.Earn{{
				Event:    ledger.Event{SourceType: "test", SourceID: "1", ActorID: "test"},
				BudgetID: w.budget, ResidentID: w.resident.ID, Amount: 5000, ExpiresOn: "2027-12-31",
			}})
			return err
		}))
		test(t, w)
	})
}

func (w *world) sound() {
	w.t.Helper()
	ledgertest.RequireSound(w.t, w.DB)
	for name, audit := range map[string]func(context.Context) ([]ledger.Difference, error){
		"settlement": w.settlement.Audit, "market": w.market.Audit,
	} {
		found, err := audit(w.t.Context())
		require.NoError(w.t, err)
		require.Empty(w.t, found, name)
	}
}

func (w *world) key() string { w.n++; return fmt.Sprintf("key-%08d", w.n) }

func (w *world) shop(name string) shop {
	w.t.Helper()
	ctx := w.t.Context()
	m, err := w.market.CreateMerchant(ctx, w.Operator, market.MerchantInput{RegionID: w.East.ID, Name: name, Category: "cinema"})
	require.NoError(w.t, err)
	_, err = w.market.MoveMerchant(ctx, w.Operator, m.ID, model.MerchantActive, "")
	require.NoError(w.t, err)
	st, err := w.market.CreateStore(ctx, w.Operator, m.ID, market.StoreInput{Name: name, Address: "人民路 1 号"})
	require.NoError(w.t, err)
	s := shop{id: m.ID, store: st.ID}
	at := func(role authz.Role) authz.Actor {
		id := w.Staff(w.t, fmt.Sprintf("staff%s", w.key()), authz.RoleOrganizer, w.East.ID) // a staff row; the grant below is what counts
		return authz.Actor{Kind: authz.KindStaff, ID: id, Grants: []authz.Grant{{Role: role, MerchantID: m.ID}}}
	}
	s.owner, s.clerk = at(authz.RoleOwner), at(authz.RoleClerk)
	now, days := clock.Now(w.Clock), int64(30)
	b, err := w.market.CreateBenefit(ctx, s.owner, m.ID, market.BenefitInput{
		RegionID: w.County.ID, Title: "电影票", Category: "cinema", PointsPrice: 5, CashPriceFen: 3000, OriginalPriceFen: 6000,
		PerPersonLimit: 100, RedeemDays: &days, ValidFrom: now, ValidUntil: now.Add(300 * 24 * time.Hour),
	})
	require.NoError(w.t, err)
	_, err = w.market.MoveBenefit(ctx, s.owner, b.ID, market.BenefitSubmit, "")
	require.NoError(w.t, err)
	_, err = w.market.MoveBenefit(ctx, w.Operator, b.ID, market.BenefitApprove, "")
	require.NoError(w.t, err)
	_, err = w.market.AddRelease(ctx, s.owner, b.ID, market.ReleaseInput{
		StartsAt: now, EndsAt: now.Add(300 * 24 * time.Hour), Total: 1000, IdempotencyKey: w.key(),
	})
	require.NoError(w.t, err)
	s.benefit = b.ID
	return s
}

// redeem orders and redeems once, and returns the order.
func (w *world) redeem(s shop) string {
	w.t.Helper()
	ctx := w.t.Context()
	o, err := w.market.Order(ctx, w.resident, market.OrderInput{BenefitID: s.benefit, IdempotencyKey: w.key()})
	require.NoError(w.t, err)
	code, err := w.market.Code(ctx, w.resident, o.OrderID)
	require.NoError(w.t, err)
	_, err = w.market.Redeem(ctx, s.clerk, market.RedeemInput{Scan: market.Scan{Code: code.Code, StoreID: s.store}, IdempotencyKey: w.key()})
	require.NoError(w.t, err)
	return o.OrderID
}

func (w *world) reverse(s shop, order string) {
	w.t.Helper()
	_, err := w.market.ReverseRedemption(w.t.Context(), s.clerk, market.ReverseInput{OrderID: order, Reason: "顾客改期", IdempotencyKey: w.key()})
	require.NoError(w.t, err)
}

func (w *world) nextDay() { w.Clock.Advance(24 * time.Hour) }

func (w *world) close() settlement.Closed {
	w.t.Helper()
	done, err := w.settlement.CloseDue(w.t.Context())
	require.NoError(w.t, err)
	return done
}

func (w *world) statements(actor authz.Actor) []settlement.Statement {
	w.t.Helper()
	page, err := w.settlement.Statements(w.t.Context(), actor, settlement.StatementFilter{}, paging.Request{Limit: 100})
	require.NoError(w.t, err)
	return page.Items
}

func (w *world) lines(actor authz.Actor, id string) []settlement.Line {
	w.t.Helper()
	page, err := w.settlement.Lines(w.t.Context(), actor, id, paging.Request{Limit: 100})
	require.NoError(w.t, err)
	return page.Items
}

func (w *world) balance(s shop) int64 {
	w.t.Helper()
	b, err := w.ledger.Balances(w.t.Context(), []ledger.AccountID{ledger.MerchantOf(s.id)})
	require.NoError(w.t, err)
	return b[ledger.MerchantOf(s.id)].Posted
}

func TestCloseDue(t *testing.T) {
	t.Run("builds one statement a merchant on the day after", func(t *testing.T) {
		each(t, func(t *testing.T, w *world) {
			cinema, idle := w.shop("影院"), w.shop("没有生意")
			w.redeem(cinema)
			w.redeem(cinema)
			require.Equal(t, settlement.Closed{}, w.close(), "the day is not over")
			w.nextDay()
			w.redeem(cinema) // belongs to the next period
			require.Equal(t, settlement.Closed{Periods: 1, Statements: 1}, w.close())
			got := w.statements(cinema.owner)
			require.Len(t, got, 1)
			require.EqualValues(t, 2, got[0].LineCount)
			require.EqualValues(t, 10, got[0].SettledPoints)
			require.EqualValues(t, 6000, got[0].PayableFen, "¥60 less ¥30, twice")
			require.Equal(t, model.StatementIssued, got[0].Status)
			require.EqualValues(t, 5, w.balance(cinema), "what was redeemed today is not settled yet")
			require.Empty(t, w.statements(idle.owner), "nothing to settle, no statement")
			require.Equal(t, settlement.Closed{}, w.close(), "a second run finds nothing to do")
			w.nextDay()
			require.Equal(t, settlement.Closed{Periods: 1, Statements: 1}, w.close())
			require.Zero(t, w.balance(cinema))
		})
	})
	t.Run("catches up on days that were missed", func(t *testing.T) {
		each(t, func(t *testing.T, w *world) {
			cinema := w.shop("影院")
			for range 3 {
				w.redeem(cinema)
				w.nextDay()
			}
			require.Equal(t, settlement.Closed{Periods: 3, Statements: 3}, w.close())
			require.Len(t, w.statements(cinema.owner), 3)
		})
	})
	t.Run("shows a reversal of the same day as a line of its own", func(t *testing.T) {
		each(t, func(t *testing.T, w *world) {
			cinema := w.shop("影院")
			order := w.redeem(cinema)
			w.Clock.Advance(time.Minute)
			w.reverse(cinema, order)
			w.Clock.Advance(time.Minute)
			w.redeem(cinema)
			w.nextDay()
			w.close()
			st := w.statements(cinema.owner)[0]
			require.EqualValues(t, 3, st.LineCount)
			require.EqualValues(t, 5, st.SettledPoints)
			require.EqualValues(t, 3000, st.PayableFen)
			var kinds []model.LineKind
			for _, l := range w.lines(cinema.owner, st.ID) {
				kinds = append(kinds, l.Kind)
			}
			require.Equal(t, []model.LineKind{model.LineRedemption, model.LineReversal, model.LineRedemption}, kinds, "in the order of their times")
		})
	})
	t.Run("carries a reversal after settlement into the next period", func(t *testing.T) {
		each(t, func(t *testing.T, w *world) {
			cinema := w.shop("影院")
			order := w.redeem(cinema)
			w.nextDay()
			w.close()
			// Clerks may only reverse on the same day; an operator's correction
			// comes later. The rows are what the market writes for it.
			w.reverseLater(cinema, order)
			require.EqualValues(t, -5, w.balance(cinema), "the merchant owes what it was paid for")
			w.nextDay()
			w.close()
			st := w.statements(cinema.owner)[0]
			require.EqualValues(t, -5, st.Points)
			require.Zero(t, st.SettledPoints)
			require.EqualValues(t, -3000, st.CarriedOutFen)
			require.Equal(t, model.LineAdjustment, w.lines(cinema.owner, st.ID)[0].Kind)

			w.redeem(cinema)
			w.redeem(cinema)
			w.nextDay()
			w.close()
			st = w.statements(cinema.owner)[0]
			require.EqualValues(t, -5, st.CarriedInPoints)
			require.EqualValues(t, 5, st.SettledPoints, "two redemptions less the debt")
			require.EqualValues(t, 3000, st.PayableFen)
			require.Zero(t, w.balance(cinema))
		})
	})
	t.Run("carries on what stands below zero though the clock is set back", func(t *testing.T) {
		each(t, func(t *testing.T, w *world) {
			cinema := w.shop("影院")
			wrong := []string{w.redeem(cinema), w.redeem(cinema)}
			w.nextDay()
			w.close()
			w.redeem(cinema)
			missed := clock.Today(w.Clock)
			w.nextDay()
			for _, order := range wrong {
				w.reverseLater(cinema, order)
			}
			w.nextDay()
			for range 3 {
				w.redeem(cinema)
			}
			_, err := w.settlement.CloseDay(t.Context(), w.Operator, missed)
			require.NoError(t, err)
			w.Clock.Advance(-time.Hour) // what is written now has ids before those of a moment ago
			w.close()
			w.nextDay()
			w.close()
			var payable int64
			for _, st := range w.statements(cinema.owner) {
				payable += st.PayableFen
			}
			require.EqualValues(t, (2+1-2+3)*3000, payable, "what stands, of ¥30 each")
			require.Zero(t, w.balance(cinema))
		})
	})
	t.Run("pays everybody else when an account is frozen, and that merchant once it is free", func(t *testing.T) {
		each(t, func(t *testing.T, w *world) {
			frozen, other, third := w.shop("冻结的影院"), w.shop("书店"), w.shop("面馆")
			for _, s := range []shop{frozen, other} {
				w.redeem(s)
			}
			w.nextDay()
			w.redeem(frozen)
			w.redeem(third)
			w.nextDay()
			require.NoError(t, w.ledger.Freeze(t.Context(), []ledger.AccountID{ledger.MerchantOf(frozen.id)}, "audit"))
			for range 2 {
				done, err := w.settlement.CloseDue(t.Context())
				require.ErrorIs(t, err, settlement.ErrUnsettled)
				require.ErrorContains(t, err, frozen.id, "who is left over")
				require.Zero(t, done.Periods, "a day is closed when every merchant has its statement")
			}
			require.Len(t, w.statements(other.owner), 1)
			require.Len(t, w.statements(third.owner), 1, "nor does a day wait for the day before")
			require.Empty(t, w.statements(frozen.owner))
			require.NoError(t, database.InTx(t.Context(), w.DB, func(tx *gorm.DB) error {
				return w.ledger.UnfreezeTx(t.Context(), tx, ledger.MerchantOf(frozen.id))
			}))
			require.Equal(t, settlement.Closed{Periods: 2, Statements: 2}, w.close())
			got := w.statements(frozen.owner)
			require.Len(t, got, 2, "a statement for each day")
			require.EqualValues(t, 1, got[0].LineCount)
			require.Zero(t, w.balance(frozen))
		})
	})
	t.Run("ends when another instance has closed the day meanwhile", func(t *testing.T) {
		each(t, func(t *testing.T, w *world) {
			first, late := w.shop("影院"), w.shop("书店")
			w.redeem(first)
			yesterday := clock.Today(w.Clock)
			w.nextDay()
			w.settlement.AfterBatch(func(n int) {
				require.Less(t, n, 3, "it goes round in circles")
				if n > 1 {
					return
				}
				_, err := settlement.New(w.DB, w.Clock, w.ledger, settlement.Config{}).CloseDue(t.Context())
				require.NoError(t, err)
				order := w.redeem(late) // of the evening before, but visible only now
				w.Exec(t, `UPDATE redemption SET created_at = ? WHERE order_id = ?`, int64(yesterday.End())-1, order)
			})
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			_, err := w.settlement.CloseDue(ctx)
			require.NoError(t, err)
			w.settlement.AfterBatch(nil)
			require.Empty(t, w.statements(late.owner))
			w.nextDay()
			w.close()
			require.Len(t, w.statements(late.owner), 1, "it is on the next one")
		})
	})
	t.Run("is done once when many instances run it", func(t *testing.T) {
		each(t, func(t *testing.T, w *world) {
			var shops []shop
			for i := range 5 {
				s := w.shop(fmt.Sprint("商户", i))
				w.redeem(s)
				w.redeem(s)
				shops = append(shops, s)
			}
			w.nextDay()
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					if _, err := w.settlement.CloseDue(context.Background()); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			for _, s := range shops {
				got := w.statements(s.owner)
				require.Len(t, got, 1)
				require.EqualValues(t, 2, got[0].LineCount)
				require.Zero(t, w.balance(s))
			}
		})
	})
	t.Run("goes on where a killed run stopped", func(t *testing.T) {
		each(t, func(t *testing.T, w *world) {
			var shops []shop
			for i := range 45 { // more than two transactions' worth
				s := w.shop(fmt.Sprint("商户", i))
				w.redeem(s)
				shops = append(shops, s)
			}
			w.nextDay()
			ctx, cancel := context.WithCancel(t.Context())
			w.settlement.AfterBatch(func(n int) {
				if n == 1 {
					cancel() // the process dies between two transactions
				}
			})
			_, err := w.settlement.CloseDue(ctx)
			require.Error(t, err)
			w.settlement.AfterBatch(nil)
			w.close()
			for _, s := range shops {
				require.Len(t, w.statements(s.owner), 1)
			}
		})
	})
}

// reverseLater writes a reversal of an earlier day.
func (w *world) reverseLater(s shop, order string) {
	w.t.Helper()
	var r model.Redemption
	require.NoError(w.t, w.DB.Read(w.t.Context()).Where("order_id = ?", order).Take(&r).Error)
	require.NoError(w.t, database.InTx(w.t.Context(), w.DB, func(tx *gorm.DB) error {
		outs, err := w.ledger.ReverseTx(w.t.Context(), tx, []ledger.Reverse{{
			Event: ledger.Event{SourceType: "redemption", SourceID: r.ID, ActorID: "operator"}, TransferID: r.TransferID,
		}})
		if err := errors.Join(err, outs[0].Err); err != nil {
			return err
		}
		row := model.RedemptionReversal{
			ID: w.Clock.NewID(), RedemptionID: r.ID, OrderID: order, MerchantID: s.id, StaffID: s.owner.ID,
			TransferID: outs[0].TransferID, Reason: "更正", CreatedAt: clock.Now(w.Clock),
		}
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		err = tx.Exec(`UPDATE benefit_order SET status = ?, slot = NULL WHERE id = ?`, model.OrderReversed, order).Error
		if err != nil {
			return err
		}
		h := model.OrderHistory{
			ID: w.Clock.NewID(), OrderID: order, FromStatus: "redeemed", ToStatus: "reversed", ActorKind: "staff", ActorID: s.owner.ID,
			Reason: "更正", CreatedAt: clock.Now(w.Clock),
		}
		if err := tx.Create(&h).Error; err != nil {
			return err
		}
		return tx.Exec(`UPDATE benefit_stock SET sold = sold - 1, remaining = remaining + 1, version = version + 1 WHERE release_id = (
			SELECT release_id FROM benefit_order WHERE id = ?)`, order).Error
	}))
}

func TestAnswer(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		cinema, rival := w.shop("影院"), w.shop("对手")
		for range 3 {
			w.redeem(cinema)
			w.nextDay()
		}
		w.close()
		all := w.statements(cinema.owner)
		require.Len(t, all, 3)

		_, err := w.settlement.Confirm(ctx, rival.owner, all[0].ID)
		require.ErrorIs(t, err, settlement.ErrStatementMissing, "another merchant's statement does not exist")
		_, err = w.settlement.Confirm(ctx, cinema.clerk, all[0].ID)
		require.ErrorIs(t, err, settlement.ErrStatementMissing, "statements are not the clerk's business")
		_, err = w.settlement.Confirm(ctx, w.Operator, all[0].ID)
		require.ErrorIs(t, err, authz.ErrForbidden, "the county does not answer for the merchant")

		got, err := w.settlement.Confirm(ctx, cinema.owner, all[0].ID)
		require.NoError(t, err)
		require.Equal(t, model.StatementConfirmed, got.Status)
		_, err = w.settlement.Dispute(ctx, cinema.owner, all[0].ID, "少了一笔")
		require.ErrorIs(t, err, settlement.ErrMove)

		_, err = w.settlement.Dispute(ctx, cinema.owner, all[1].ID, " ")
		require.ErrorIs(t, err, settlement.ErrReason)
		got, err = w.settlement.Dispute(ctx, cinema.owner, all[1].ID, "少了一笔")
		require.NoError(t, err)
		require.Equal(t, model.StatementDisputed, got.Status)
		_, err = w.settlement.Resolve(ctx, cinema.owner, all[1].ID, "自己解决")
		require.ErrorIs(t, err, authz.ErrForbidden)
		_, err = w.settlement.Confirm(ctx, cinema.owner, all[1].ID)
		require.ErrorIs(t, err, settlement.ErrMove, "a dispute does not end without a word")
		both := w.Operator // and owner: the roles of one person are two
		both.Grants = slices.Concat(w.Operator.Grants, cinema.owner.Grants)
		_, err = w.settlement.Confirm(ctx, both, all[1].ID)
		require.ErrorIs(t, err, settlement.ErrMove)
		_, err = w.settlement.Resolve(ctx, both, all[1].ID, "自己解决")
		require.ErrorIs(t, err, settlement.ErrOwnMerchant)
		_, err = w.settlement.Resolve(ctx, w.Operator, all[2].ID, "没有异议")
		require.ErrorIs(t, err, settlement.ErrMove)
		_, err = w.settlement.Resolve(ctx, w.Operator, all[1].ID, "核对无误，双方确认")
		require.NoError(t, err)
		moves, err := w.settlement.Moves(ctx, cinema.owner, all[1].ID)
		require.NoError(t, err)
		require.Len(t, moves, 3)
		require.Equal(t, "少了一笔", moves[1].Reason)
		require.Empty(t, moves[0].ActorName, "the system closed the day")
		require.NotEmpty(t, moves[1].ActorName)

		w.Clock.Advance(8 * 24 * time.Hour)
		_, err = w.settlement.Dispute(ctx, cinema.owner, all[2].ID, "太晚了")
		require.ErrorIs(t, err, settlement.ErrWindowOver)
		n, err := w.settlement.ConfirmOverdue(ctx)
		require.NoError(t, err)
		require.Equal(t, 1, n)
		n, err = w.settlement.ConfirmOverdue(ctx)
		require.NoError(t, err)
		require.Zero(t, n)
	})
}

func TestReads_areScoped(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		cinema := w.shop("影院")
		w.redeem(cinema)
		open, err := w.settlement.Unsettled(t.Context(), cinema.owner, cinema.id)
		require.NoError(t, err)
		require.EqualValues(t, 1, open.LineCount)
		require.EqualValues(t, 3000, open.SubsidyFen)
		_, err = w.settlement.Unsettled(t.Context(), w.shop("对手").owner, cinema.id)
		require.ErrorIs(t, err, settlement.ErrMerchantMissing)
		w.nextDay()
		w.close()
		open, err = w.settlement.Unsettled(t.Context(), cinema.owner, cinema.id)
		require.NoError(t, err)
		require.Zero(t, open.LineCount, "it is on a statement now")
		st := w.statements(w.Operator)
		require.Len(t, st, 1)
		require.Equal(t, "影院", st[0].MerchantName)
		west := authz.Actor{Kind: authz.KindStaff, ID: "west", Grants: []authz.Grant{
			{Role: authz.RoleOperator, RegionID: w.West.ID, RegionPath: w.West.Path},
		}}
		require.Empty(t, w.statements(west), "another town's operator")
		_, err = w.settlement.Lines(t.Context(), west, st[0].ID, paging.Request{})
		require.ErrorIs(t, err, settlement.ErrStatementMissing)
		require.Empty(t, w.statements(authz.Actor{Kind: authz.KindResident, ID: w.resident.ID}))
		periods, err := w.settlement.Periods(t.Context(), paging.Request{})
		require.NoError(t, err)
		require.Len(t, periods.Items, 2)
		require.Equal(t, model.PeriodOpen, periods.Items[0].Status, "today")
		require.Equal(t, model.PeriodClosed, periods.Items[1].Status)
	})
}

func TestAudit_findsWhatDiffers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		cinema := w.shop("影院")
		w.reverse(cinema, w.redeem(cinema))
		w.redeem(cinema)
		w.redeem(cinema)
		w.nextDay()
		w.close()
		w.sound()
		for _, x := range []struct {
			check, breaks, mends string
			n                    int
		}{
			{"line equals its capture", `UPDATE settlement_line SET points = points + 1 WHERE kind = 'redemption'`, `UPDATE settlement_line SET points = points - 1 WHERE kind = 'redemption'`, 3},
			{"line equals its reversal", `UPDATE settlement_line SET points = points + 1 WHERE kind = 'reversal'`, `UPDATE settlement_line SET points = points - 1 WHERE kind = 'reversal'`, 1},
			{"statement's points equal its lines", `UPDATE settlement_statement SET line_count = line_count + 1`, `UPDATE settlement_statement SET line_count = line_count - 1`, 1},
			{"statement's settled points are posted", `UPDATE settlement_statement SET settled_points = settled_points + 1, points = points + 1`, `UPDATE settlement_statement SET settled_points = settled_points - 1, points = points - 1`, 1},
		} {
			w.Exec(t, x.breaks)
			require.Equal(t, x.n, w.differences()[x.check], x.check)
			w.Exec(t, x.mends)
			w.sound()
		}
	})
}

// differences counts what the audit finds, by check.
func (w *world) differences() map[string]int {
	w.t.Helper()
	out := map[string]int{}
	for _, d := range ledgertest.AuditRows(w.t, w.ledger, w.settlement.AuditPhases()) {
		out[d.Check]++
	}
	return out
}

// TestAudit_findsWhatIsMissing: rows that are gone are found from the other side.
func TestAudit_findsWhatIsMissing(t *testing.T) {
	for check, tamper := range map[string]string{
		"redemption is on a statement":         `DELETE FROM settlement_line WHERE kind = 'redemption'`,
		"reversal is on a statement":           `DELETE FROM settlement_line WHERE kind = 'reversal'`,
		"settlement posting has its statement": `DELETE FROM settlement_statement`,
	} {
		t.Run(check, func(t *testing.T) {
			eachUnsound(t, func(t *testing.T, w *world) {
				cinema := w.shop("影院")
				w.reverse(cinema, w.redeem(cinema))
				w.redeem(cinema)
				w.nextDay()
				w.close()
				databasetest.Tamper(t, w.DB, tamper)
				before := w.differences()[check]
				require.NotZero(t, before)
				w.redeem(cinema)
				require.Equal(t, before, w.differences()[check], "today's are not due yet")
			})
		})
	}
}
