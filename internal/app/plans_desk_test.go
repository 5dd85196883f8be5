package app

import (
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/model"
	"jiamenkou/service/identity"
)

// deskTables are filled by furnish.
var deskTables = []string{"merchant", "activity", "case_file", "audit_log", "service_record", "region", "staff", "staff_grant"}

// furnish gives staff enough to look through: the rows are nobody's work, only
// many.
func (w *town) furnish(n int) {
	w.t.Helper()
	now, id := clock.Now(w.clock), w.clock.NewID
	mine := one[model.Resident](w, "id = ?", w.c.residents[0].ID)
	shop := one[model.Merchant](w, "id = ?", w.c.shops[0].merchantID)
	elsewhere := w.anotherTown(n)
	w.elsewhere = elsewhere
	// Most of it lies where the person who looks has nothing to say.
	place := func(i int) string {
		if i%10 > 0 {
			return elsewhere[i]
		}
		return append(w.c.villages, w.c.townID)[i/10%3]
	}
	var merchants, workers []string
	fill(w, n, func(i int) model.Merchant {
		row := shop
		row.ID, row.Name, row.RegionID = id(), fmt.Sprintf("商户 %d", i), place(i)
		merchants = append(merchants, row.ID)
		return row
	})
	w.spreadOrders(merchants)
	staff := one[model.Staff](w, "id = ?", w.c.operator.ID)
	grant := one[model.StaffGrant](w, "staff_id = ?", staff.ID)
	fill(w, n, func(i int) model.Staff {
		row := staff
		row.ID, row.Username, row.Name, row.RegionID = id(), fmt.Sprintf("staff%d", i), fmt.Sprintf("工作人员 %d", i), place(i)
		workers = append(workers, row.ID)
		return row
	})
	fill(w, n, func(i int) model.StaffGrant {
		row, at := grant, place(i)
		row.ID, row.StaffID, row.RegionID, row.ScopeRegionID, row.Role = id(), workers[i], &at, at, "grid_worker"
		return row
	})
	fill(w, n, func(i int) model.Activity {
		return model.Activity{
			ID: id(), RegionID: place(i), OrganizerStaffID: w.c.operator.ID, Title: fmt.Sprintf("活动 %d", i), Content: "x", Category: "environment", Beneficiary: "x",
			PlaceName: "x", Lon: lon, Lat: lat, RadiusMeters: 100, ContactName: "x", Status: model.ActivityPublished, Version: 1, CreatedAt: now, UpdatedAt: now, PublishedAt: &now,
		}
	})
	fill(w, n, func(i int) model.CaseFile {
		row := model.CaseFile{
			ID: id(), CountyID: w.c.countyID, Number: fmt.Sprintf("202601%02d-%04d", i%28+1, i), Kind: model.CaseReport, Category: "facility", Content: "x", RegionID: place(i),
			ReporterID: mine.ID, ContentStatus: model.ContentPassed, Status: model.CaseClosed, Version: 1, IdempotencyKey: fmt.Sprintf("case-%08d", i), CreatedAt: now, UpdatedAt: now,
		}
		if i%4 == 0 {
			row.Status, row.DueAt = model.CaseAccepted, now.Add(time.Duration(i)*time.Hour).Ptr()
		}
		return row
	})
	fill(w, n, func(i int) model.AuditLog {
		region := place(i)
		return model.AuditLog{
			ID: id(), ActorKind: "staff", ActorID: id(), Action: "test.read", ObjectType: "test", ObjectID: id(), RegionID: &region, Detail: "{}",
			CreatedAt: now.Add(time.Duration(i) * time.Second),
		}
	})
	var people []model.Resident
	require.NoError(w.t, w.a.db.Read(w.t.Context()).Limit(n).Find(&people).Error)
	records := make([]string, n)
	fill(w, n, func(i int) model.ServiceRecord {
		who := people[i%len(people)]
		records[i] = id()
		return model.ServiceRecord{
			ID: records[i], Kind: model.RecordManual, State: model.RecordRejected, Approval: model.ApprovalSecondPerson, ResidentID: who.ID, VolunteerNumber: who.VolunteerNumber,
			RegionID: place(i), ActivityTitle: "x", Day: clock.Today(w.clock), StartedAt: now, EndedAt: now.Add(time.Hour), Minutes: 60, PlaceName: "x", Beneficiary: "x",
			Content: "x", PersonInCharge: "x", RecorderID: "recorder", RecorderName: "x", Reason: "x", DecidedBy: new("another"), DecidedAt: &now, CreatedAt: now,
		}
	})
	fill(w, n, func(i int) model.VolunteerHistory {
		return model.VolunteerHistory{
			ID: id(), ObjectType: model.VolunteerRecord, ObjectID: records[i], FromStatus: string(model.RecordPending), ToStatus: string(model.RecordRejected),
			ActorKind: "staff", ActorID: "another", Reason: "x", CreatedAt: now,
		}
	})
}

// redraw looks at what lies in a village, gives it to its neighbour and moves that
// to another town.
func (w *town) redraw(do func(who *person, call, method, path string, body any), operator *person) {
	w.t.Helper()
	path := func(i int) string { return "/regions/" + w.elsewhere[i] }
	do(operator, "what lies in a village", http.MethodGet, path(1)+"/holdings", nil)
	do(operator, "merge villages", http.MethodPost, path(1)+"/close", object{"version": 1, "successor_id": w.elsewhere[2], "reason": "撤并村社"})
	do(operator, "move a village", http.MethodPost, path(2)+"/move", object{"version": 1, "parent_id": w.c.townID, "reason": "区划调整"})
}

// anotherTown makes a town of many villages and returns them.
func (w *town) anotherTown(n int) (villages []string) {
	w.t.Helper()
	now := clock.Now(w.clock)
	add := func(i int, level model.RegionLevel, parent model.Region) model.Region {
		row := model.Region{
			ID: w.clock.NewID(), ParentID: &parent.ID, Code: fmt.Sprintf("99%05d", i), Level: level, Name: fmt.Sprintf("地区 %d", i), Version: 1, CreatedAt: now, UpdatedAt: now,
		}
		row.Path = parent.Path + row.ID + "/"
		return row
	}
	top := add(n, model.RegionTown, one[model.Region](w, "id = ?", w.c.countyID))
	fill(w, 1, func(int) model.Region { return top })
	fill(w, n, func(i int) model.Region {
		row := add(i, model.RegionVillage, top)
		villages = append(villages, row.ID)
		return row
	})
	return villages
}

// spreadOrders hands most of the crowd's orders to other merchants.
func (w *town) spreadOrders(merchants []string) {
	w.t.Helper()
	var orders []string
	require.NoError(w.t, w.a.db.Read(w.t.Context()).Raw("SELECT id FROM benefit_order WHERE status = 'held' ORDER BY id").Scan(&orders).Error)
	require.NoError(w.t, database.InTx(w.t.Context(), w.a.db, func(tx *gorm.DB) error {
		for i, order := range orders {
			if err := tx.Exec("UPDATE benefit_order SET merchant_id = ? WHERE id = ?", merchants[i], order).Error; err != nil {
				return err
			}
		}
		return nil
	}))
}

// desk makes the calls of staff who look for something: the search across
// everything, residents, orders, and what auditors read.
func (w *town) desk() {
	w.t.Helper()
	operator, auditor := w.site.staff(operatorName), w.site.staff(auditorName)
	order := one[model.BenefitOrder](w, "1 = 1")
	do := func(who *person, call, method, path string, body any) {
		w.clock.Advance(10 * time.Second)
		w.during(call, func() {
			out := who.do(method, path, body)
			require.Equal(w.t, 2, out.status/100, "%s: %s", call, out)
		})
	}
	for call, q := range map[string]string{
		"search by phone": "13900001234", "search by order": order.ID, "search by case": "20260105", "search by name": "商户 1", "search by title": "活动 1",
	} {
		do(operator, call, http.MethodPost, "/search", object{"q": q})
	}
	resident := w.c.residents[0].ID
	for call, path := range map[string]string{
		"residents": "/residents", "residents who are frozen": "/residents?status=frozen", "residents who joined": "/residents?from=2026-01-01&to=2027-12-31", "resident": "/residents/" + resident,
		"orders": "/orders", "orders of a resident": "/orders?resident_id=" + resident, "order": "/orders/" + order.ID,
		"audit log": "/audit-log", "audit log of days": "/audit-log?from=2026-01-01&to=2026-01-02", "audit log of a person": "/audit-log?actor=" + operatorName,
		"audit log of an action": "/audit-log?action=test.read",
		"audit log of an object": "/audit-log?object_id=" + resident, "four eyes": "/four-eyes", "four eyes that wait": "/four-eyes?status=waiting&kind=adjustment",
		"four eyes of days": "/four-eyes?from=2026-01-01&to=2026-01-02", "audit runs": "/audit-runs", "views": "/views?list=cases", "exports": "/exports",
	} {
		do(auditor, call, http.MethodGet, path, nil)
	}
	// The first page and one from the middle, in every order that a long list has.
	for path, sorts := range map[string][]string{
		"/residents": {"joined_at", "-joined_at"}, "/cases": {"created_at", "-created_at", "due_at", "-due_at"}, "/orders": {"created_at", "-created_at"},
		"/audit-log": {"created_at", "-created_at"}, "/four-eyes": {"proposed_at", "-proposed_at"}, "/service-records": {"created_at", "-created_at", "day", "-day"},
		"/merchants/" + order.MerchantID + "/redemptions": {"redeemed_at", "-redeemed_at"},
	} {
		for _, sort := range sorts {
			page := path + "?limit=10&sort=" + sort
			do(auditor, page, http.MethodGet, page, nil)
			next := get[list[object]](auditor, page).Next
			require.NotEmpty(w.t, next, page)
			do(auditor, page+", next", http.MethodGet, page+"&cursor="+next, nil)
		}
	}
	w.redraw(do, operator)
	w.must(w.a.Identity.CreateStaff(w.t.Context(), authz.System("test"), []identity.NewStaff{{
		Username: "town", Password: password, Name: "镇审计", Grants: []identity.NewGrant{{Role: authz.RoleAuditor, RegionID: w.c.townID}},
	}}))
	for _, path := range []string{"/orders", "/audit-log"} {
		do(w.site.staff("town"), "town's "+path, http.MethodGet, path, nil)
	}
	w.clock.Advance(time.Minute)
	w.during("resident's copy", func() {
		require.NoError(w.t, w.a.Identity.WriteExport(w.t.Context(), w.c.residents[0], io.Discard))
	})
	w.during("unused media", func() { w.must(w.a.Media.DeleteUnused(w.t.Context(), time.Hour)) })
}
