package demo

import (
	"context"
	"strings"
	"time"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
	"jiamenkou/service/casework"
	"jiamenkou/service/ledger"
	"jiamenkou/service/market"
	"jiamenkou/service/policy"
	"jiamenkou/service/recourse"
	"jiamenkou/service/settlement"
)

// desks leaves work for everybody who logs in: reports to accept and to handle,
// hours to confirm, a merchant and benefits to review, a statement in dispute,
// an adjustment to approve, an objection to answer, points to pay late.
func (l *loader) desks(ctx context.Context) error {
	for _, part := range []func(context.Context) error{
		l.openReports, l.unconfirmedHours, l.toReview, l.dispute, l.proposeAdjustment, l.object, l.exhaustBudget,
	} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	l.Clock.Set(l.now)
	return l.figures(ctx)
}

// figures counts what the dashboard shows, so that its first look is not one
// of dashes until cron has counted.
func (l *loader) figures(ctx context.Context) error {
	if _, err := l.Insight.CountDays(ctx); err != nil {
		return err
	}
	_, err := l.Insight.CountRegions(ctx)
	return err
}

func (l *loader) yesterday() clock.Day { return clock.DayOf(l.now).AddDays(-1) }

// openReports gives the first town's grid worker a board with something in
// every column that waits for the worker.
func (l *loader) openReports(ctx context.Context) error {
	var people []authz.Actor
	for _, r := range l.residents[len(neighbours):] {
		if strings.HasPrefix(r.RegionPath, l.towns[0].Path) {
			people = append(people, r)
		}
	}
	worker := l.workers[l.towns[0].Path]
	for i, reached := range []model.CaseStatus{
		model.CaseSubmitted, model.CaseAccepted, model.CaseHandling, model.CaseSubmitted, model.CaseAccepted, model.CaseHandling, model.CaseSubmitted,
	} {
		if i == len(people) {
			return nil
		}
		l.at(l.yesterday(), 16, 7*i)
		if i == 0 {
			l.Clock.Advance(-5 * 24 * time.Hour) // nobody took it in time
		}
		t := reportTexts[i%len(reportTexts)]
		id, err := l.openCase(ctx, people[i], t.text, t.category)
		if err != nil {
			return err
		}
		l.Clock.Advance(time.Hour)
		if err := l.workOn(ctx, worker, id, reached); err != nil {
			return err
		}
	}
	return nil
}

// workOn accepts a case and begins to handle it, as far as it is to get.
func (l *loader) workOn(ctx context.Context, worker authz.Actor, id string, reached model.CaseStatus) error {
	if reached == model.CaseSubmitted {
		return nil
	}
	version, err := l.caseVersion(ctx, worker, id, 0)
	if err != nil {
		return err
	}
	moved, err := l.Casework.Accept(ctx, worker, id, casework.MoveInput{Version: version, Note: "已收到，今天去看"})
	if err != nil || reached == model.CaseAccepted {
		return err
	}
	_, err = l.Casework.StartHandling(ctx, worker, id, casework.MoveInput{Version: moved.Version, Note: "已联系物业，约好上门"})
	return err
}

// unconfirmedHours is a shift of yesterday evening that waits for its
// organizer; two who had signed up had no phone with them, or did not come.
func (l *loader) unconfirmedHours(ctx context.Context) error {
	l.at(l.yesterday(), 9, 0)
	begin := clock.Now(l.Clock).Add(9*time.Hour + 30*time.Minute) // 18:30
	shift, _, err := l.attend(ctx, l.activities[5], begin, l.residents[30:36])
	if err != nil {
		return err
	}
	l.at(l.yesterday(), 9, 30)
	for _, r := range l.residents[36:38] {
		if _, err := l.Volunteer.SignUp(ctx, r, shift); err != nil {
			return err
		}
	}
	return nil
}

// toReview is a merchant who wants to join and benefits that merchants have
// handed in.
func (l *loader) toReview(ctx context.Context) error {
	l.at(l.yesterday(), 15, 0)
	_, err := l.Market.CreateMerchant(ctx, l.operator, market.MerchantInput{
		RegionID: l.towns[0].ID, Name: "沈记馄饨铺", Category: l.merchants[4].Category,
	})
	if err != nil {
		return err
	}
	for i, line := range []string{"双人观影套票 | 12 | 50 | 130 | 60 | 1", "半份缸肉（老人小份） | 3 | 15 | 36 | 80 | 2"} {
		b, err := parseBenefit(line)
		if err != nil {
			return err
		}
		from := l.benefits[4*i]
		m, err := l.Market.Merchant(ctx, from.owner, from.merchant)
		if err != nil {
			return err
		}
		if _, err := l.submit(ctx, from.owner, m.Merchant, b); err != nil {
			return err
		}
	}
	return nil
}

// dispute lets one merchant say no to yesterday's statement.
func (l *loader) dispute(ctx context.Context) error {
	l.Clock.Set(l.now)
	page, err := l.Settlement.Statements(ctx, l.operator, settlement.StatementFilter{Status: model.StatementIssued}, paging.Request{})
	if err != nil {
		return err
	}
	for _, st := range page.Items {
		if st.MerchantID == l.benefits[0].merchant {
			continue // the owner to log in as has one to answer
		}
		for _, b := range l.benefits {
			if b.merchant == st.MerchantID {
				_, err := l.Settlement.Dispute(ctx, b.owner, st.ID, "第一笔顾客当天改期没有来，请核对")
				return err
			}
		}
	}
	return nil
}

func (l *loader) proposeAdjustment(ctx context.Context) error {
	_, err := l.Recourse.Propose(ctx, l.colleague, recourse.AdjustmentInput{
		Kind: model.AdjustmentCredit, ResidentID: l.residents[40].ID, Amount: 2, BudgetID: l.budgetID,
		ReasonCode: model.ReasonMissedAward, IdempotencyKey: l.Clock.NewID(),
	})
	return err
}

// object lets a resident doubt the newest points of a shift.
func (l *loader) object(ctx context.Context) error {
	books := ledger.New(l.DB, l.Clock)
	for _, r := range l.residents[50:] {
		page, err := books.Entries(ctx, ledger.WalletOf(r.ID), ledger.EntryFilter{Kind: model.JournalEarn}, paging.Request{})
		if err != nil {
			return err
		}
		for _, e := range page.Items {
			if e.SourceType != string(model.EventVolunteerService) {
				continue
			}
			_, err := l.Recourse.Object(ctx, r, recourse.ObjectionInput{
				TransferID: e.TransferID, Text: "那天我服务的时间比这里记的长，请核对一下", IdempotencyKey: l.Clock.NewID(),
			})
			return err
		}
	}
	return nil
}

// exhaustBudget gives the last town a budget of its own for reports that is
// used up by the first of them: the others wait to be paid.
func (l *loader) exhaustBudget(ctx context.Context) error {
	town, day := l.towns[len(l.towns)-1], l.yesterday()
	l.at(day, 8, 0)
	const points, reporters = 5, 6
	budget, err := l.Policy.CreateBudget(ctx, l.operator, policy.BudgetInput{
		RegionID: town.ID, Name: town.Name + "上报专项预算", StartsOn: day, EndsOn: day.AddDays(90), LimitPoints: points + points/2,
	})
	if err != nil {
		return err
	}
	_, err = l.Policy.PublishRule(ctx, l.operator, policy.RuleInput{
		RegionID: town.ID, BudgetID: budget.ID, EventKind: model.EventReportVerified, Points: points, MaxPoints: points,
		DailyCap: 2, ObjectCap: 1, Expiry: model.ExpiryEndOfNextYear, Note: "上报经核实 5 分，从本镇预算发放",
	})
	if err != nil {
		return err
	}
	var people []authz.Actor
	for _, r := range l.residents[len(neighbours):] {
		if strings.HasPrefix(r.RegionPath, town.Path) {
			people = append(people, r)
		}
	}
	return l.reportBy(ctx, day, people[:min(reporters, len(people))])
}
