package market

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
)

func TestMerchants(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		in := MerchantInput{RegionID: w.town.ID, Name: "书店", Category: "culture"}
		t.Run("are created as drafts by operators over the region", func(t *testing.T) {
			m, err := w.market.CreateMerchant(ctx, w.operator, in)
			require.NoError(t, err)
			require.Equal(t, model.MerchantDraft, m.Status)
			create := func(actor authz.Actor, in MerchantInput) func() error {
				return func() error {
					_, err := w.market.CreateMerchant(ctx, actor, in)
					return err
				}
			}
			w.refuses(t, ErrMerchantName, fault.Conflict, create(w.operator, in))
			in := in
			in.Name = "另一家"
			for _, actor := range []authz.Actor{w.otherOperator, w.auditor, w.owner, w.resident(0)} {
				w.refuses(t, authz.ErrForbidden, fault.Forbidden, create(actor, in))
			}
			in.RegionID = w.clock.NewID()
			w.refuses(t, authz.ErrForbidden, fault.Forbidden, create(w.operator, in))
			in.Name, in.Category, in.ContactPhone = "", "x", "call me"
			require.Len(t, fault.As(create(w.operator, in)()).Fields, 3)
		})
		t.Run("are edited in the version that was read", func(t *testing.T) {
			edit := MerchantInput{Name: "新影院", Category: "cinema", ContactName: "王经理"}
			m, err := w.market.UpdateMerchant(ctx, w.owner, w.merchant.ID, w.merchant.Version, edit)
			require.NoError(t, err)
			stored, err := w.market.Merchant(ctx, w.clerk, m.ID)
			require.NoError(t, err)
			require.Equal(t, stored.Merchant, m)
			update := func(actor authz.Actor, version int64, in MerchantInput) func() error {
				return func() error {
					_, err := w.market.UpdateMerchant(ctx, actor, m.ID, version, in)
					return err
				}
			}
			w.refuses(t, ErrChanged, fault.Conflict, update(w.operator, w.merchant.Version, edit))
			taken := edit
			taken.Name = w.otherMerchant.Name
			w.refuses(t, ErrMerchantName, fault.Conflict, update(w.operator, m.Version, taken))
			w.refuses(t, authz.ErrForbidden, fault.Forbidden, update(w.clerk, m.Version, edit))
			w.refuses(t, authz.ErrForbidden, fault.Forbidden, update(w.auditor, m.Version, edit))
			w.refuses(t, ErrMerchantMissing, fault.NotFound, update(w.otherOwner, m.Version, edit))
			w.refuses(t, ErrMerchantMissing, fault.NotFound, update(w.otherOperator, m.Version, edit))
		})
		t.Run("move only as the table says", func(t *testing.T) {
			move := func(actor authz.Actor, to MerchantStatus, reason string) func() error {
				return func() error {
					_, err := w.market.MoveMerchant(ctx, actor, w.otherMerchant.ID, to, reason)
					return err
				}
			}
			w.refuses(t, ErrBadMove, fault.Conflict, move(w.operator, model.MerchantDraft, ""))
			w.refuses(t, ErrBadMove, fault.Conflict, move(w.operator, model.MerchantActive, ""))
			w.refuses(t, authz.ErrForbidden, fault.Forbidden, move(w.otherOwner, model.MerchantSuspended, "x"))
			require.Equal(t, fault.Invalid, fault.KindOf(move(w.operator, model.MerchantSuspended, "")()))
		})
		t.Run("are listed within the scope", func(t *testing.T) {
			list := func(actor authz.Actor, f MerchantFilter) int {
				p, err := w.market.Merchants(ctx, actor, f, paging.Request{})
				require.NoError(t, err)
				return len(p.Items)
			}
			require.Equal(t, 3, list(w.operator, MerchantFilter{}))
			require.Equal(t, 1, list(w.operator, MerchantFilter{Status: model.MerchantDraft}))
			require.Equal(t, 1, list(w.operator, MerchantFilter{Text: "影院"}))
			require.Equal(t, 1, list(w.operator, MerchantFilter{Category: "culture"}))
			require.Equal(t, 1, list(w.clerk, MerchantFilter{}))
			require.Equal(t, 0, list(w.otherOperator, MerchantFilter{}))
			require.Equal(t, 0, list(w.resident(0), MerchantFilter{}))
		})
		t.Run("say what each can do with them", func(t *testing.T) {
			moves := func(actor authz.Actor) []string {
				m, err := w.market.Merchant(ctx, actor, w.otherMerchant.ID)
				require.NoError(t, err)
				return m.NextMoves
			}
			require.Equal(t, []string{"edit", "suspend"}, moves(w.operator))
			require.Equal(t, []string{"edit"}, moves(w.otherOwner))
			require.Empty(t, moves(w.otherClerk))
			require.Empty(t, moves(w.auditor))
			_, err := w.market.MoveMerchant(ctx, w.operator, w.otherMerchant.ID, model.MerchantSuspended, "整改")
			require.NoError(t, err)
			require.Equal(t, []string{"edit", "activate"}, moves(w.operator))
			_, err = w.market.MoveMerchant(ctx, w.operator, w.otherMerchant.ID, model.MerchantActive, "")
			require.NoError(t, err)
		})
		t.Run("have stores", func(t *testing.T) {
			lon, lat := 119.9, 30.2
			st, err := w.market.CreateStore(ctx, w.owner, w.merchant.ID, StoreInput{Name: "三店", Address: "西路", Lon: &lon, Lat: &lat})
			require.NoError(t, err)
			got, err := w.market.UpdateStore(ctx, w.owner, st.ID, st.Version, StoreInput{Name: "四店", Address: "西路"})
			require.NoError(t, err)
			require.Equal(t, "四店", got.Name)
			update := func(actor authz.Actor, version int64, name string) func() error {
				return func() error {
					_, err := w.market.UpdateStore(ctx, actor, st.ID, version, StoreInput{Name: name, Address: "x"})
					return err
				}
			}
			w.refuses(t, ErrChanged, fault.Conflict, update(w.owner, st.Version, "五店"))
			w.refuses(t, ErrStoreName, fault.Conflict, update(w.owner, got.Version, "一店"))
			w.refuses(t, ErrStoreMissing, fault.NotFound, update(w.otherOwner, got.Version, "五店"))
			w.refuses(t, authz.ErrForbidden, fault.Forbidden, update(w.clerk, got.Version, "五店"))
			w.refuses(t, ErrStoreName, fault.Conflict, func() error {
				_, err := w.market.CreateStore(ctx, w.owner, w.merchant.ID, StoreInput{Name: "一店", Address: "x"})
				return err
			})
			w.refuses(t, ErrBadMove, fault.Conflict, func() error {
				_, err := w.market.MoveStore(ctx, w.owner, st.ID, model.StoreOpen, "")
				return err
			})
			var names []string
			for page := (paging.Request{Limit: 2}); ; {
				p, err := w.market.Stores(ctx, w.clerk, w.merchant.ID, page)
				require.NoError(t, err)
				for _, x := range p.Items {
					names = append(names, x.Name)
				}
				if page.Cursor = p.Next; p.Next == "" {
					break
				}
			}
			require.ElementsMatch(t, []string{"一店", "二店", "四店"}, names)
			moves := func(actor authz.Actor) []string {
				p, err := w.market.Stores(ctx, actor, w.merchant.ID, paging.Request{})
				require.NoError(t, err)
				at := slices.IndexFunc(p.Items, func(x StoreRecord) bool { return x.ID == st.ID })
				return p.Items[at].NextMoves
			}
			require.Equal(t, []string{"edit", "close"}, moves(w.owner))
			require.Equal(t, []string{"edit", "close"}, moves(w.operator))
			require.Empty(t, moves(w.clerk))
			_, err = w.market.MoveStore(ctx, w.owner, st.ID, model.StoreClosed, "")
			require.NoError(t, err)
			require.Equal(t, []string{"edit", "open"}, moves(w.owner))
		})
	})
}

// TestTrail: whatever staff change of merchants, stores and benefits is in the
// audit log with who, what and why, and nothing is if the change fails.
func TestTrail(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		type line struct{ ActorID, Action, ObjectType, ObjectID, RegionID, Reason, Detail string }
		since := ""
		// recorded is what has been written since it was asked last.
		recorded := func() (lines []line) {
			t.Helper()
			var rows []model.AuditLog
			w.in(func(tx *gorm.DB) error { return tx.Where("id > ?", since).Order("id").Find(&rows).Error })
			for _, r := range rows {
				since = r.ID
				lines = append(lines, line{r.ActorID, r.Action, r.ObjectType, r.ObjectID, *r.RegionID, r.Reason, r.Detail})
			}
			return lines
		}
		recorded()
		owner, operator := w.owner.ID, w.operator.ID

		m, err := w.market.UpdateMerchant(ctx, w.owner, w.merchant.ID, w.merchant.Version, MerchantInput{Name: "大影院", Category: "cinema", ContactName: "王经理"})
		require.NoError(t, err)
		_, err = w.market.UpdateMerchant(ctx, w.owner, m.ID, w.merchant.Version, MerchantInput{Name: "小影院", Category: "cinema"})
		require.ErrorIs(t, err, ErrChanged)
		_, err = w.market.UpdateMerchant(ctx, w.operator, m.ID, m.Version, MerchantInput{Name: w.otherMerchant.Name, Category: "cinema"})
		require.ErrorIs(t, err, ErrMerchantName)
		_, err = w.market.MoveMerchant(ctx, w.operator, m.ID, model.MerchantSuspended, "整改")
		require.NoError(t, err)
		_, err = w.market.MoveMerchant(ctx, w.operator, m.ID, model.MerchantActive, "")
		require.NoError(t, err)
		require.Equal(t, []line{
			{owner, "merchant.update", "merchant", m.ID, m.RegionID, "", `{"changes":[{"field":"name","from":"影院","to":"大影院"},{"field":"contact_name","to":"王经理"},{"field":"contact_phone","from":"0571-12345678"}]}`},
			{operator, "merchant.suspend", "merchant", m.ID, m.RegionID, "整改", "{}"},
			{operator, "merchant.activate", "merchant", m.ID, m.RegionID, "", "{}"},
		}, recorded())

		st, err := w.market.CreateStore(ctx, w.owner, m.ID, StoreInput{Name: "三店", Address: "西路"})
		require.NoError(t, err)
		_, err = w.market.UpdateStore(ctx, w.owner, st.ID, st.Version, StoreInput{Name: "三店", Address: "东路"})
		require.NoError(t, err)
		_, err = w.market.MoveStore(ctx, w.operator, st.ID, model.StoreClosed, "装修")
		require.NoError(t, err)
		require.Equal(t, []line{
			{owner, "store.create", "store", st.ID, m.RegionID, "", "{}"},
			{owner, "store.update", "store", st.ID, m.RegionID, "", `{"changes":[{"field":"address","from":"西路","to":"东路"}]}`},
			{operator, "store.close", "store", st.ID, m.RegionID, "装修", "{}"},
		}, recorded())

		terms := w.terms()
		b, err := w.market.CreateBenefit(ctx, w.owner, m.ID, terms)
		require.NoError(t, err)
		terms.PointsPrice, terms.StoreIDs = terms.PointsPrice+1, []string{w.store.ID}
		_, err = w.market.UpdateBenefit(ctx, w.owner, b.ID, b.Version, terms)
		require.NoError(t, err)
		_, err = w.market.MoveBenefit(ctx, w.owner, b.ID, BenefitSubmit, "")
		require.NoError(t, err)
		_, err = w.market.MoveBenefit(ctx, w.operator, b.ID, BenefitReject, "图片不清")
		require.NoError(t, err)
		release := ReleaseInput{StartsAt: w.now(), EndsAt: w.now().Add(time.Hour), Total: 7, IdempotencyKey: w.key()}
		for range 2 { // a replay is recorded once
			_, err = w.market.AddRelease(ctx, w.owner, b.ID, release)
			require.NoError(t, err)
		}
		price := fmt.Sprintf(`{"field":"points_price","from":"%d","to":"%d"}`, b.PointsPrice, b.PointsPrice+1)
		require.Equal(t, []line{
			{owner, "benefit.create", "benefit", b.ID, b.RegionID, "", "{}"},
			{owner, "benefit.update", "benefit", b.ID, b.RegionID, "", `{"changes":[` + price + `,{"field":"store_ids"}]}`},
			{owner, "benefit.submit", "benefit", b.ID, b.RegionID, "", "{}"},
			{operator, "benefit.reject", "benefit", b.ID, b.RegionID, "图片不清", "{}"},
			{owner, "benefit.release", "benefit", b.ID, b.RegionID, "", `{"total":7,"starts_at":"2026-03-10T12:00:00+08:00","ends_at":"2026-03-10T13:00:00+08:00"}`},
		}, recorded())

		made, err := w.market.CreateMerchant(ctx, w.operator, MerchantInput{RegionID: w.town.ID, Name: "书店", Category: "culture"})
		require.NoError(t, err)
		require.Equal(t, []line{{operator, "merchant.create", "merchant", made.ID, w.town.ID, "", "{}"}}, recorded())
	})
}

func TestBenefits(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		move := func(actor authz.Actor, b Benefit, m BenefitMove, reason string) func() error {
			return func() error {
				_, err := w.market.MoveBenefit(ctx, actor, b.ID, m, reason)
				return err
			}
		}
		t.Run("go from draft through review to the end", func(t *testing.T) {
			b, err := w.market.CreateBenefit(ctx, w.owner, w.merchant.ID, w.terms())
			require.NoError(t, err)
			// What is offered is what the moves then do, for each who looks.
			offers := func(owner, operator []string) {
				t.Helper()
				for actor, want := range map[*authz.Actor][]string{&w.owner: owner, &w.operator: operator, &w.clerk: {}, &w.auditor: {}} {
					record, err := w.market.BenefitRecord(ctx, *actor, b.ID)
					require.NoError(t, err)
					require.Equal(t, want, record.NextMoves)
				}
			}
			offers([]string{"edit", "release", "submit"}, []string{"edit", "release", "submit"})
			require.Equal(t, int64(3000), b.SubsidyFen)
			for _, m := range []BenefitMove{BenefitApprove, BenefitReject, BenefitWithdraw, BenefitPause, BenefitResume, BenefitEnd} {
				w.refuses(t, ErrBadMove, fault.Conflict, move(w.operator, b, m, "原因"))
			}
			require.NoError(t, move(w.owner, b, BenefitSubmit, "")())
			offers([]string{"release", "withdraw"}, []string{"release", "withdraw", "approve", "reject"})
			w.refuses(t, authz.ErrForbidden, fault.Forbidden, move(w.owner, b, BenefitApprove, ""))
			w.refuses(t, authz.ErrForbidden, fault.Forbidden, move(w.clerk, b, BenefitWithdraw, ""))
			w.refuses(t, ErrBenefitMissing, fault.NotFound, move(w.otherOwner, b, BenefitWithdraw, ""))
			w.refuses(t, ErrBenefitMissing, fault.NotFound, move(w.otherOperator, b, BenefitApprove, ""))
			require.Equal(t, fault.Invalid, fault.KindOf(move(w.operator, b, BenefitReject, "")()))
			require.NoError(t, move(w.operator, b, BenefitReject, "图片不清")())
			edit := w.terms()
			edit.Title, edit.StoreIDs = "电影票（周末）", []string{w.store.ID}
			record, err := w.market.BenefitRecord(ctx, w.owner, b.ID)
			require.NoError(t, err)
			w.refuses(t, ErrChanged, fault.Conflict, func() error {
				_, err := w.market.UpdateBenefit(ctx, w.owner, b.ID, record.Version-1, edit)
				return err
			})
			updated, err := w.market.UpdateBenefit(ctx, w.owner, b.ID, record.Version, edit)
			require.NoError(t, err)
			require.NoError(t, move(w.owner, b, BenefitSubmit, "")())
			w.refuses(t, ErrNotEditable, fault.Conflict, func() error {
				_, err := w.market.UpdateBenefit(ctx, w.owner, b.ID, updated.Version+1, edit)
				return err
			})
			require.NoError(t, move(w.operator, b, BenefitApprove, "")())
			require.NoError(t, move(w.operator, b, BenefitPause, "核查")())
			offers([]string{"release", "end"}, []string{"release", "resume", "end"})
			w.refuses(t, ErrPausedByOperator, fault.Forbidden, move(w.owner, b, BenefitResume, ""))
			require.NoError(t, move(w.operator, b, BenefitResume, "")())
			require.NoError(t, move(w.owner, b, BenefitPause, "盘点")())
			offers([]string{"release", "resume", "end"}, []string{"release", "resume", "end"})
			require.NoError(t, move(w.owner, b, BenefitResume, "")())
			require.NoError(t, move(w.owner, b, BenefitEnd, "结束了")())
			offers([]string{}, []string{})
			record, err = w.market.BenefitRecord(ctx, w.auditor, b.ID)
			require.NoError(t, err)
			require.Len(t, record.History, 10)
			require.Equal(t, []string{w.store.ID}, record.StoreIDs)
			require.Equal(t, "结束了", record.History[0].Reason)
			require.NotEmpty(t, record.History[0].ActorName)
		})
		t.Run("refuse what makes no sense", func(t *testing.T) {
			create := func(change func(*BenefitInput)) func() error {
				in := w.terms()
				change(&in)
				return func() error {
					_, err := w.market.CreateBenefit(ctx, w.owner, w.merchant.ID, in)
					return err
				}
			}
			far := w.region(nil, model.RegionCounty, "外县")
			w.refuses(t, ErrOfferRegion, fault.Invalid, create(func(in *BenefitInput) { in.RegionID = far.ID }))
			w.refuses(t, ErrForeignStore, fault.Invalid, create(func(in *BenefitInput) { in.StoreIDs = []string{w.otherStore.ID} }))
			too := int64(3001)
			until := w.now()
			for name, change := range map[string]func(*BenefitInput){
				"points_price":     func(in *BenefitInput) { in.PointsPrice = 0 },
				"subsidy_fen":      func(in *BenefitInput) { in.SubsidyFen = &too },
				"per_person_limit": func(in *BenefitInput) { in.PerPersonLimit = 0 },
				"redeem_days":      func(in *BenefitInput) { in.RedeemDays = nil },
				"redeem_until":     func(in *BenefitInput) { in.RedeemDays, in.RedeemUntil = nil, &until },
				"valid_until":      func(in *BenefitInput) { in.ValidUntil = in.ValidFrom },
				"image_key":        func(in *BenefitInput) { in.ImageKey = "../secret" },
			} {
				err := fault.As(create(change)())
				require.NotNil(t, err, name)
				require.Equal(t, name, err.Fields[0].Path)
			}
		})
		t.Run("have releases, once per key", func(t *testing.T) {
			b := w.publish(w.terms(), 0)
			in := ReleaseInput{StartsAt: w.now(), EndsAt: w.now().Add(time.Hour), Total: 7, IdempotencyKey: w.key()}
			answers := make([]Release, 10)
			together(10, func(i int) {
				var err error
				answers[i], err = w.market.AddRelease(ctx, w.owner, b.ID, in)
				assert.NoError(t, err)
			})
			for _, a := range answers {
				require.Equal(t, answers[0], a)
			}
			_, left := w.stock(b)
			require.Equal(t, int64(7), left)
			add := func(actor authz.Actor, in ReleaseInput) func() error {
				return func() error {
					_, err := w.market.AddRelease(ctx, actor, b.ID, in)
					return err
				}
			}
			more := in
			more.Total = 8
			w.refuses(t, ErrIdempotencyConflict, fault.Invalid, add(w.owner, more))
			more.IdempotencyKey = w.key()
			w.refuses(t, authz.ErrForbidden, fault.Forbidden, add(w.clerk, more))
			w.refuses(t, ErrBenefitMissing, fault.NotFound, add(w.otherOwner, more))
			out := more
			out.EndsAt = w.now().Add(90 * 24 * time.Hour)
			require.Equal(t, fault.Invalid, fault.KindOf(add(w.owner, out)()))
			require.NoError(t, move(w.owner, b, BenefitEnd, "x")())
			w.refuses(t, ErrBenefitClosed, fault.Conflict, add(w.owner, more))
		})
		t.Run("are listed within the scope", func(t *testing.T) {
			list := func(actor authz.Actor, f ManagedBenefitFilter) []ManagedBenefit {
				p, err := w.market.ManagedBenefits(ctx, actor, f, paging.Request{})
				require.NoError(t, err)
				return p.Items
			}
			all := list(w.operator, ManagedBenefitFilter{})
			require.Len(t, all, 2)
			require.Equal(t, int64(7), all[0].Total)
			require.Len(t, list(w.owner, ManagedBenefitFilter{Text: "周末"}), 1)
			require.Empty(t, list(w.operator, ManagedBenefitFilter{Status: model.BenefitDraft}))
			require.Empty(t, list(w.operator, ManagedBenefitFilter{MerchantID: w.otherMerchant.ID}))
			require.Empty(t, list(w.otherOwner, ManagedBenefitFilter{}))
			require.Empty(t, list(w.otherOperator, ManagedBenefitFilter{}))
		})
		t.Run("are not published by an inactive merchant", func(t *testing.T) {
			b, err := w.market.CreateBenefit(ctx, w.owner, w.merchant.ID, w.terms())
			require.NoError(t, err)
			require.NoError(t, move(w.owner, b, BenefitSubmit, "")())
			_, err = w.market.MoveMerchant(ctx, w.operator, w.merchant.ID, model.MerchantSuspended, "整改")
			require.NoError(t, err)
			w.refuses(t, ErrMerchantInactive, fault.Conflict, move(w.operator, b, BenefitApprove, ""))
		})
	})
}

// TestConstraints proves that the database itself refuses what must not be.
func TestConstraints(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		in := w.terms()
		in.PerPersonLimit = 2
		b := w.publish(in, 2)
		who := w.resident(100)
		first, second := w.order(who, b), w.order(who, b)
		for name, x := range map[string]struct {
			statement string
			refused   func(error) bool
		}{
			"oversold":          {`UPDATE benefit_stock SET sold = sold + 1, remaining = remaining - 1`, database.IsCheck},
			"given back twice":  {`UPDATE benefit_stock SET sold = sold - 3, remaining = remaining + 3`, database.IsCheck},
			"a slot twice":      {`UPDATE benefit_order SET slot = 1 WHERE id = '` + second.OrderID + `'`, database.IsDuplicate},
			"a hold twice":      {`UPDATE benefit_order SET hold_id = '` + w.row(first.OrderID).HoldID + `' WHERE id = '` + second.OrderID + `'`, database.IsDuplicate},
			"live with no slot": {`UPDATE benefit_order SET slot = NULL WHERE id = '` + second.OrderID + `'`, database.IsCheck},
			"unknown state":     {`UPDATE benefit_order SET status = 'lost' WHERE id = '` + second.OrderID + `'`, database.IsCheck},
		} {
			err := database.InTx(t.Context(), w.db, func(tx *gorm.DB) error { return tx.Exec(x.statement).Error })
			require.True(t, x.refused(err), "%s: %v", name, err)
		}
	})
}
