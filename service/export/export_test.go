package export_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/blob"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
	"jiamenkou/service/export"
	"jiamenkou/service/identity"
	"jiamenkou/service/identity/identitytest"
	"jiamenkou/service/ledger"
	"jiamenkou/service/lookup"
	"jiamenkou/service/market"
	"jiamenkou/service/policy"
	"jiamenkou/service/recourse"
	"jiamenkou/service/region"
)

type world struct {
	*identitytest.Fixture
	t       *testing.T
	exports *export.Service

	market   *market.Service
	policy   *policy.Service
	recourse *recourse.Service
	auditor  authz.Actor // of the east
}

func each(t *testing.T, cfg export.Config, test func(t *testing.T, w *world)) {
	t.Helper()
	identitytest.Each(t, func(t *testing.T, f *identitytest.Fixture) {
		files, err := blob.OpenDisk(t.TempDir(), 1<<20)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, files.Close()) })
		l := ledger.New(f.DB, f.Clock)
		w := &world{Fixture: f, t: t}
		w.market, err = market.New(f.DB, f.Clock, l, market.Config{CodeKey: "a key for tests, of thirty-two bytes or more"})
		require.NoError(t, err)
		places := region.New(f.DB, f.Clock)
		w.policy = policy.New(f.DB, f.Clock, l)
		w.recourse = recourse.New(f.DB, f.Clock, l, w.policy, recourse.Config{})
		w.exports = export.New(f.DB, f.Clock, files, export.Lists{
			Region: places, Identity: f.Service, Policy: w.policy, Market: w.market, Recourse: w.recourse,
			Lookup: lookup.New(lookup.Parts{Region: places, Identity: f.Service, Policy: w.policy, Market: w.market}),
		}, cfg)
		f.Staff(t, "auditor", authz.RoleAuditor, f.East.ID)
		w.auditor = f.Login(t, "auditor")
		test(t, w)
	})
}

func (w *world) merchant(region model.Region, name string) {
	w.t.Helper()
	_, err := w.market.CreateMerchant(w.t.Context(), w.Operator, market.MerchantInput{RegionID: region.ID, Name: name, Category: "retail"})
	require.NoError(w.t, err)
}

func (w *world) budget() model.Budget {
	w.t.Helper()
	b, err := w.policy.CreateBudget(w.t.Context(), w.Operator, policy.BudgetInput{
		RegionID: w.County.ID, Name: "全年", StartsOn: "2026-01-01", EndsOn: "2026-12-31", LimitPoints: 100,
	})
	require.NoError(w.t, err)
	return b
}

func (w *world) create(actor authz.Actor, format string) export.Export {
	w.t.Helper()
	e, err := w.exports.Create(w.t.Context(), actor, export.Request{Resource: "merchants", Format: format})
	require.NoError(w.t, err)
	return e
}

func (w *world) written(actor authz.Actor, format string) (export.Export, []byte) {
	w.t.Helper()
	id := w.create(actor, format).ID
	require.NoError(w.t, w.exports.Write(w.t.Context(), id))
	e, file, err := w.exports.Open(w.t.Context(), actor, id)
	require.NoError(w.t, err)
	data, err := io.ReadAll(file)
	require.NoError(w.t, err)
	require.NoError(w.t, file.Close())
	require.EqualValues(w.t, len(data), e.SizeBytes)
	return e, data
}

func TestWrite(t *testing.T) {
	each(t, export.Config{MaxRows: 120}, func(t *testing.T, w *world) {
		w.merchant(w.East, "=HYPERLINK(1)")
		w.merchant(w.West, "西边的店")
		t.Run("holds what the list shows to the person, harmless", func(t *testing.T) {
			e, data := w.written(w.auditor, "csv")
			require.True(t, bytes.HasPrefix(data, []byte("\xef\xbb\xbf编号,名称")), "Excel reads it as UTF-8")
			lines := strings.Split(strings.TrimSpace(string(data)), "\n")
			require.Len(t, lines, 2)
			require.Contains(t, lines[1], ",'=HYPERLINK(1),")
			require.EqualValues(t, 1, e.RowsDone)
			_, data = w.written(w.Operator, "csv")
			require.Contains(t, string(data), "西边的店")
		})
		t.Run("is a workbook", func(t *testing.T) {
			_, data := w.written(w.Operator, "xlsx")
			f, err := excelize.OpenReader(bytes.NewReader(data))
			require.NoError(t, err)
			rows, err := f.GetRows("Sheet1")
			require.NoError(t, err)
			require.Len(t, rows, 3)
			require.Equal(t, "西边的店", rows[1][1])
			require.Equal(t, "'=HYPERLINK(1)", rows[2][1])
			require.NoError(t, f.Close())
		})
		t.Run("is in the order that the list is shown in", func(t *testing.T) {
			for sort, want := range map[string][]string{"name": {"'=HYPERLINK(1)", "西边的店"}, "-name": {"西边的店", "'=HYPERLINK(1)"}} {
				e, err := w.exports.Create(t.Context(), w.Operator, export.Request{Resource: "merchants", Format: "csv", Sort: sort})
				require.NoError(t, err)
				require.NoError(t, w.exports.Write(t.Context(), e.ID))
				_, file, err := w.exports.Open(t.Context(), w.Operator, e.ID)
				require.NoError(t, err)
				rows, err := csv.NewReader(file).ReadAll()
				require.NoError(t, err)
				require.NoError(t, file.Close())
				require.Equal(t, want, []string{rows[1][1], rows[2][1]}, sort)
			}
		})
		t.Run("pages through a long list and cuts it at the limit", func(t *testing.T) {
			for i := range 130 {
				w.merchant(w.West, fmt.Sprintf("商户%d", i))
			}
			e, data := w.written(w.Operator, "csv")
			require.EqualValues(t, 120, e.RowsDone)
			require.True(t, e.Truncated)
			require.Equal(t, 121, strings.Count(string(data), "\n"))
		})
		t.Run("counts nothing twice when it runs again", func(t *testing.T) {
			e := w.create(w.Operator, "csv")
			require.NoError(t, w.exports.Write(t.Context(), e.ID))
			require.NoError(t, w.exports.Write(t.Context(), e.ID))
			got, err := w.exports.Export(t.Context(), w.Operator, e.ID)
			require.NoError(t, err)
			require.Equal(t, model.ExportDone, got.Status)
		})
		t.Run("uses the roles of the moment", func(t *testing.T) {
			e := w.create(w.auditor, "csv")
			w.Exec(t, "DELETE FROM staff_grant WHERE staff_id = ?", w.auditor.ID)
			require.NoError(t, w.exports.Write(t.Context(), e.ID))
			got, err := w.exports.Export(t.Context(), w.auditor, e.ID)
			require.NoError(t, err)
			require.Equal(t, model.ExportFailed, got.Status)
			require.Equal(t, authz.ErrForbidden.Message, got.Error)
			require.Nil(t, got.Slot)
		})
	})
}

// table is the file of a list, its rows by the heads of their columns.
func (w *world) table(resource string) (rows []map[string]string) {
	w.t.Helper()
	e, err := w.exports.Create(w.t.Context(), w.Operator, export.Request{Resource: resource, Format: "csv"})
	require.NoError(w.t, err)
	require.NoError(w.t, w.exports.Write(w.t.Context(), e.ID))
	_, file, err := w.exports.Open(w.t.Context(), w.Operator, e.ID)
	require.NoError(w.t, err)
	lines, err := csv.NewReader(file).ReadAll()
	require.NoError(w.t, err)
	require.NoError(w.t, file.Close())
	lines[0][0] = strings.TrimPrefix(lines[0][0], "\ufeff")
	for _, cells := range lines[1:] {
		row := map[string]string{}
		for i, head := range lines[0] {
			row[head] = cells[i]
		}
		rows = append(rows, row)
	}
	return rows
}

// TestNames: a file says who and what by name beside the id, as the list does
// on a screen.
func TestNames(t *testing.T) {
	each(t, export.Config{}, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.merchant(w.East, "东边的店")
		budget := w.budget()
		_, err := w.policy.PublishRule(ctx, w.Operator, policy.RuleInput{
			RegionID: w.County.ID, EventKind: model.EventArticleRead, BudgetID: budget.ID, Points: 2, MaxPoints: 2, DailyCap: 3, ObjectCap: 1,
			Expiry: model.ExpiryEndOfNextYear,
		})
		require.NoError(t, err)
		has := func(row map[string]string, want map[string]string) {
			t.Helper()
			for head, cell := range want {
				require.Equal(t, cell, row[head], "%s of %v", head, row)
			}
		}
		byAction := map[string]map[string]string{}
		for _, row := range w.table("audit_log") {
			byAction[row["操作"]] = row
		}
		merchant := byAction["merchant.create"]
		has(merchant, map[string]string{
			"操作人编号": w.Operator.ID, "操作人": "管理员", "对象类型": "merchant", "对象名称": "东边的店", "地区编号": w.East.ID, "地区": w.East.Name,
		})
		require.Len(t, merchant["对象编号"], 26)

		has(w.table("budgets")[0], map[string]string{"名称": "全年", "地区编号": w.County.ID, "地区": w.County.Name})
		has(w.table("policy_rules")[0], map[string]string{"地区": w.County.Name, "预算编号": budget.ID, "预算": "全年"})
	})
}

func TestNames_ofTwoPersons(t *testing.T) {
	each(t, export.Config{}, func(t *testing.T, w *world) {
		ctx := t.Context()
		budget := w.budget()
		residents, err := w.CreateResidents(ctx, identitytest.System, []identity.NewResident{{Nickname: "甲", HomeRegionID: w.EastVillage.ID}})
		require.NoError(t, err)
		second := w.Staff(t, "second", authz.RoleOperator, w.County.ID)
		propose := func() recourse.Adjustment {
			row, err := w.recourse.Propose(ctx, w.Operator, recourse.AdjustmentInput{
				Kind: model.AdjustmentCredit, ResidentID: residents[0], Amount: 5, BudgetID: budget.ID, ReasonCode: model.ReasonMissedAward,
				IdempotencyKey: w.Clock.NewID(),
			})
			require.NoError(t, err)
			return row
		}
		decided, open := propose(), propose()
		_, err = w.recourse.Approve(ctx, w.Login(t, "second"), recourse.Decision{AdjustmentID: decided.ID, IdempotencyKey: w.Clock.NewID()})
		require.NoError(t, err)
		rows := map[string]map[string]string{}
		for _, row := range w.table("adjustments") {
			rows[row["编号"]] = row
		}
		for _, c := range []struct{ id, deciderID, decider string }{{decided.ID, second, "李四"}, {open.ID, "", ""}} {
			row := rows[c.id]
			require.Equal(t, []string{w.Operator.ID, "管理员", c.deciderID, c.decider},
				[]string{row["提交人编号"], row["提交人"], row["审批人编号"], row["审批人"]})
		}
	})
}

func TestCreate(t *testing.T) {
	each(t, export.Config{}, func(t *testing.T, w *world) {
		ask := func(actor authz.Actor, in export.Request) error {
			_, err := w.exports.Create(t.Context(), actor, in)
			return err
		}
		w.Staff(t, "worker", authz.RoleGridWorker, w.East.ID)
		require.ErrorIs(t, ask(w.Login(t, "worker"), export.Request{Resource: "merchants", Format: "csv"}), authz.ErrForbidden)
		require.ErrorIs(t, ask(w.Operator, export.Request{Resource: "wallets", Format: "csv"}), export.ErrResource)
		require.ErrorIs(t, ask(w.Operator, export.Request{Resource: "merchants", Format: "pdf"}), export.ErrFormat)
		require.ErrorIs(t, ask(w.Operator, export.Request{Resource: "merchants", Format: "csv", Sort: "phone"}), paging.ErrSort)
		require.ErrorContains(t, ask(w.Operator, export.Request{Resource: "merchants", Format: "csv", Filters: export.Filters{From: "2026-01-01"}}), "export.invalid")
		require.ErrorContains(t, ask(w.Operator, export.Request{Resource: "redemptions", Format: "csv"}), "export.invalid")
		require.ErrorIs(t, ask(w.Operator, export.Request{
			Resource: "redemptions", Format: "csv", Filters: export.Filters{MerchantID: "x"},
		}), market.ErrMerchantMissing, "the list's own answer, at once")
		require.Zero(t, w.Count(t, "SELECT COUNT(*) FROM export_job"))

		t.Run("bounds how many one person has at once", func(t *testing.T) {
			w.create(w.Operator, "csv")
			w.create(w.Operator, "csv")
			require.ErrorIs(t, ask(w.Operator, export.Request{Resource: "merchants", Format: "csv"}), export.ErrTooMany)
			w.create(w.auditor, "csv")
			require.EqualValues(t, 3, w.Count(t, "SELECT COUNT(*) FROM queue_job WHERE kind = ?", export.Job))
			require.EqualValues(t, 3, w.Count(t, "SELECT COUNT(*) FROM audit_log WHERE action = 'export.create'"))
		})
		t.Run("a stuck one ends and frees its place", func(t *testing.T) {
			w.Clock.Advance(4 * time.Hour)
			n, err := w.exports.Clean(t.Context())
			require.NoError(t, err)
			require.Equal(t, 3, n)
			w.create(w.Operator, "csv")
		})
	})
}

func TestOpen(t *testing.T) {
	each(t, export.Config{}, func(t *testing.T, w *world) {
		waiting := w.create(w.Operator, "csv")
		_, _, err := w.exports.Open(t.Context(), w.Operator, waiting.ID)
		require.ErrorIs(t, err, export.ErrNotReady)
		e, _ := w.written(w.Operator, "csv")
		_, _, err = w.exports.Open(t.Context(), w.auditor, e.ID)
		require.ErrorIs(t, err, export.ErrMissing, "only its maker")
		require.EqualValues(t, 1, w.Count(t, "SELECT COUNT(*) FROM audit_log WHERE action = 'export.download'"))
		page, err := w.exports.Exports(t.Context(), w.Operator, paging.Request{Limit: 1})
		require.NoError(t, err)
		require.Equal(t, e.ID, page.Items[0].ID)
		require.NotEmpty(t, page.Next)

		mine, _ := w.written(w.auditor, "csv")
		more := []identity.NewGrant{{Role: authz.RoleOrganizer, RegionID: w.East.ID}}
		require.NoError(t, w.Grant(t.Context(), w.Operator, w.auditor.ID, more, "换岗"))
		_, file, err := w.exports.Open(t.Context(), w.Login(t, "auditor"), mine.ID)
		require.NoError(t, err, "a role more takes nothing away")
		require.NoError(t, file.Close())
		staff, err := w.StaffMember(t.Context(), w.Operator, w.auditor.ID)
		require.NoError(t, err)
		require.NoError(t, w.RevokeGrant(t.Context(), w.Operator, w.auditor.ID, staff.Grants[0].ID, "换岗"))
		_, _, err = w.exports.Open(t.Context(), w.Login(t, "auditor"), mine.ID)
		require.ErrorIs(t, err, authz.ErrForbidden, "who lost a role that the file was made under")

		w.Clock.Advance(25 * time.Hour)
		_, _, err = w.exports.Open(t.Context(), w.Operator, e.ID)
		require.ErrorIs(t, err, export.ErrExpired)
		_, err = w.exports.Clean(context.Background())
		require.NoError(t, err)
		got, err := w.exports.Export(t.Context(), w.Operator, e.ID)
		require.NoError(t, err)
		require.Equal(t, model.ExportExpired, got.Status)
		require.Empty(t, got.FileKey)
	})
}
