package demo

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/model"
	"jiamenkou/service/casework"
	"jiamenkou/service/market"
	"jiamenkou/service/volunteer"
)

// What happens in the county on one day.
const (
	signInsPerDay    = 40
	readersPerDay    = 30
	volunteersPerDay = 12
	reportsPerDay    = 4
	ordersPerDay     = 14
	daysPerArticle   = 3
)

func (l *loader) liveMonth(ctx context.Context) error {
	first := clock.DayOf(l.now).AddDays(-l.Days)
	for n := range l.Days {
		day := first.AddDays(n)
		if n%daysPerArticle == 0 && len(l.drafts) > 1 { // one is for today
			l.at(day, 7, 0)
			if err := l.publish(ctx, 1); err != nil {
				return err
			}
		}
		for _, part := range []func(context.Context, clock.Day) error{
			l.signIn, l.read, l.report, l.serve, l.spend, l.night,
		} {
			if err := part(ctx, day); err != nil {
				return fmt.Errorf("%s: %w", day, err)
			}
		}
		if (n+1)%10 == 0 {
			l.printf("%d/%d ", n+1, l.Days)
		}
	}
	return nil
}

// liveToday leaves something open: an order to redeem, redemptions in the
// open period, a report to accept, a shift today and some to come, news.
func (l *loader) liveToday(ctx context.Context) error {
	day := clock.DayOf(l.now)
	start := day.Start().Time()
	// Whatever the hour of the load, nothing may lie in the future.
	moment := start.Add(max(l.now.Sub(start)-20*time.Minute, time.Second))
	l.Clock.Set(moment)
	wang := l.residents[0]
	if _, err := l.Settlement.CloseDue(ctx); err != nil {
		return err
	}
	for _, r := range l.some(5) {
		if err := l.orderAndRedeem(ctx, r, l.rand.IntN(len(l.benefits)), true); err != nil {
			return err
		}
	}
	if err := l.fileReport(ctx, wang, "小区南门口的路灯连续两晚不亮，老人出门看不清路", model.CategoryFacility); err != nil {
		return err
	}
	for _, part := range []func(context.Context) error{l.upcoming, l.shiftToday, l.keepOrder, l.nextRelease} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	if err := l.publish(ctx, len(l.drafts)); err != nil {
		return err
	}
	if _, err := l.Leaderboard.Build(ctx); err != nil {
		return err
	}
	l.Clock.Set(l.now)
	return nil
}

func (l *loader) signIn(ctx context.Context, day clock.Day) error {
	l.at(day, 8, 0)
	for _, r := range l.some(signInsPerDay) {
		if _, err := l.Reading.SignIn(ctx, r); err != nil {
			return err
		}
		l.count["sign-ins"]++
	}
	return nil
}

// read lets a group read side by side: start, beats as the client sends them,
// completion.
func (l *loader) read(ctx context.Context, day clock.Day) error {
	l.at(day, 12, 0)
	readers := l.withWang(readersPerDay)
	sessions := map[string]authz.Actor{}
	var longest int64
	for _, r := range readers {
		a := l.articles[l.rand.IntN(len(l.articles))]
		s, err := l.Reading.Start(ctx, r, a.id)
		if err != nil {
			return err
		}
		if s.Status == model.ReadingOpen { // else it was read on another day
			sessions[s.ID] = r
			longest = max(longest, a.seconds)
		}
	}
	ids := sortedKeys(sessions)
	const beat = 10 * time.Second
	for waited := int64(0); waited <= longest; waited += int64(beat.Seconds()) {
		l.Clock.Advance(beat)
		for _, id := range ids {
			if _, err := l.Reading.Beat(ctx, sessions[id], id); err != nil {
				return err
			}
		}
	}
	for _, id := range ids {
		if _, err := l.Reading.Complete(ctx, sessions[id], id); err != nil {
			return err
		}
		l.count["reads"]++
	}
	return nil
}

var reportTexts = []struct {
	text     string
	category model.CaseCategory
}{
	{"楼道里堆了旧沙发和纸箱，挡住了消防通道", model.CategorySafety},
	{"垃圾投放点旁边的地砖松动，下雨天溅一身水", model.CategoryFacility},
	{"河边护栏断了一截，孩子常在那边玩", model.CategorySafety},
	{"晚上十点以后烧烤摊还在放音响", model.CategoryOrder},
	{"公交站台的座椅坏了，老人候车没地方坐", model.CategoryFacility},
	{"河面有漂浮垃圾，味道很大", model.CategorySanitation},
	{"隔壁独居老人两天没出门，想请网格员去看看", model.CategoryCare},
	{"绿化带里有人种菜，铺了塑料膜", model.CategorySanitation},
}

func (l *loader) report(ctx context.Context, day clock.Day) error {
	reporters := l.some(reportsPerDay)
	if day == clock.DayOf(l.now).AddDays(-1) {
		reporters[reportsPerDay-1] = l.residents[0] // today wang is asked whether it is solved
	}
	return l.reportBy(ctx, day, reporters)
}

// reportBy is one report of each from the writing to the thanks, but for one
// that nobody has answered yet.
func (l *loader) reportBy(ctx context.Context, day clock.Day, reporters []authz.Actor) error {
	for i, r := range reporters {
		l.at(day, 9, i*5)
		t := reportTexts[l.rand.IntN(len(reportTexts))]
		id, err := l.openCase(ctx, r, t.text, t.category)
		if err != nil {
			return err
		}
		worker := l.workerOf(r)
		version := int64(0)
		for n, step := range []func(context.Context, authz.Actor, string, casework.MoveInput) (casework.Moved, error){
			l.Casework.Accept, l.Casework.StartHandling,
			func(ctx context.Context, a authz.Actor, id string, in casework.MoveInput) (casework.Moved, error) {
				return l.Casework.Finish(ctx, a, id, nil, in)
			},
		} {
			l.at(day, 10+2*n, i*5)
			if version, err = l.caseVersion(ctx, worker, id, version); err != nil {
				return err
			}
			moved, err := step(ctx, worker, id, casework.MoveInput{Version: version, Note: "已到现场查看并处理"})
			if err != nil {
				return err
			}
			version = moved.Version
		}
		if i == reportsPerDay-1 {
			continue // one in four leaves the answer open
		}
		l.at(day, 18, i*5)
		_, err = l.Casework.Confirm(ctx, r, id, casework.ConfirmInput{Solved: true, Rating: int64(3 + l.rand.IntN(3)), IdempotencyKey: l.Clock.NewID()})
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) caseVersion(ctx context.Context, worker authz.Actor, id string, known int64) (int64, error) {
	if known > 0 {
		return known, nil
	}
	d, err := l.Casework.Case(ctx, worker, id)
	return d.Version, err
}

func (l *loader) openCase(ctx context.Context, r authz.Actor, text string, category model.CaseCategory) (string, error) {
	got, err := l.Casework.Report(ctx, r, casework.ReportInput{Category: category, Text: text, IdempotencyKey: l.Clock.NewID()})
	l.count["reports"]++
	return got.ID, err
}

func (l *loader) fileReport(ctx context.Context, r authz.Actor, text string, category model.CaseCategory) error {
	_, err := l.openCase(ctx, r, text, category)
	return err
}

// workerOf is the grid worker of the resident's town.
func (l *loader) workerOf(r authz.Actor) authz.Actor {
	for _, t := range l.towns {
		if len(r.RegionPath) >= len(t.Path) && r.RegionPath[:len(t.Path)] == t.Path {
			return l.workers[t.Path]
		}
	}
	return l.operator
}

// Centre of Haining, about: where the demo's activities are.
const lon, lat = 120.6806, 30.5107

func (l *loader) post(ctx context.Context, a activityData, startsAt clock.Instant, capacity int64) (shiftID string, err error) {
	id, err := l.Volunteer.CreateActivity(ctx, l.organizer, volunteer.ActivityInput{
		RegionID: l.county.ID, Title: a.Title, Content: a.Content, Category: a.Category, Beneficiary: a.Beneficiary,
		PlaceName: a.Place, Lon: lon, Lat: lat, RadiusMeters: 300, ContactName: "顾组织", ContactPhone: "0573-87000000",
	}, []volunteer.ShiftInput{{
		StartsAt: startsAt, EndsAt: startsAt.Add(time.Duration(a.Minutes) * time.Minute), Capacity: capacity,
	}})
	if err != nil {
		return "", err
	}
	if err := l.Volunteer.PublishActivity(ctx, l.organizer, id); err != nil {
		return "", err
	}
	detail, err := l.Volunteer.StaffActivity(ctx, l.organizer, id)
	if err != nil {
		return "", err
	}
	return detail.Shifts[0].ID, nil
}

// serve is one shift from the posting to the confirmation.
func (l *loader) serve(ctx context.Context, day clock.Day) error {
	a := l.activities[l.rand.IntN(len(l.activities))]
	l.at(day, 7, 30)
	begin := clock.Now(l.Clock).Add(6*time.Hour + 30*time.Minute) // 14:00
	people := l.withWang(volunteersPerDay)
	shift, signups, err := l.attend(ctx, a, begin, people)
	if err != nil {
		return err
	}
	l.Clock.Advance(10 * time.Minute)
	_, err = l.Volunteer.Confirm(ctx, l.organizer, volunteer.ConfirmInput{ShiftID: shift, IdempotencyKey: l.Clock.NewID(), Items: signups})
	l.count["services"] += len(people)
	return err
}

// attend is one shift from the posting to the last check-out, and what its
// organizer is to confirm.
func (l *loader) attend(
	ctx context.Context, a activityData, begin clock.Instant, people []authz.Actor,
) (shift string, signups []volunteer.ConfirmItem, err error) {
	if shift, err = l.post(ctx, a, begin, volunteersPerDay+4); err != nil {
		return "", nil, err
	}
	for _, r := range people {
		s, err := l.Volunteer.SignUp(ctx, r, shift)
		if err != nil {
			return "", nil, err
		}
		rating := int64(3 + l.rand.IntN(3))
		signups = append(signups, volunteer.ConfirmItem{SignupID: s.ID, QualityRating: &rating})
	}
	for _, mark := range []struct {
		at time.Duration
		do func(context.Context, authz.Actor, volunteer.MarkInput) (model.Attendance, error)
	}{
		{-5 * time.Minute, l.Volunteer.CheckIn}, {time.Duration(a.Minutes) * time.Minute, l.Volunteer.CheckOut},
	} {
		l.Clock.Set(begin.Add(mark.at).Time())
		code, err := l.Volunteer.ShiftCode(ctx, l.organizer, shift)
		if err != nil {
			return "", nil, err
		}
		for _, r := range people {
			if _, err := mark.do(ctx, r, volunteer.MarkInput{ShiftID: shift, Code: code.Digits, Lon: lon, Lat: lat}); err != nil {
				return "", nil, err
			}
		}
	}
	return shift, signups, nil
}

// upcoming posts activities for the days to come, with some who have signed
// up; wang goes to every third.
func (l *loader) upcoming(ctx context.Context) error {
	for i, a := range l.activities[:6] {
		begin := clock.DayOf(l.now).AddDays(i + 1).Start().Add(time.Duration(9+i%3*3) * time.Hour)
		people := l.some(4 + 3*i)
		if i%3 == 0 {
			people = l.withWang(4 + 3*i)
		}
		if err := l.postWith(ctx, a, begin, people); err != nil {
			return err
		}
	}
	return nil
}

// shiftToday is one that wang can still go to, if the day is long enough.
func (l *loader) shiftToday(ctx context.Context) error {
	a := l.activities[len(l.activities)-1]
	begin := clock.InstantOf(l.now.Truncate(30 * time.Minute).Add(90 * time.Minute))
	if begin.Add(time.Duration(a.Minutes)*time.Minute).Day() != clock.DayOf(l.now) {
		return nil
	}
	return l.postWith(ctx, a, begin, l.withWang(9))
}

func (l *loader) postWith(ctx context.Context, a activityData, begin clock.Instant, people []authz.Actor) error {
	shift, err := l.post(ctx, a, begin, 20)
	if err != nil {
		return err
	}
	for _, r := range people {
		if _, err := l.Volunteer.SignUp(ctx, r, shift); err != nil {
			return err
		}
	}
	return nil
}

// Lines of merchants.yaml, counted from 0.
const (
	keptBenefit     = 6 // what wang has ordered and not fetched
	awaitedBenefit  = 5 // what is released tomorrow
	awaitedQuantity = 40
)

func (l *loader) keepOrder(ctx context.Context) error {
	b, wang := l.benefits[keptBenefit], l.residents[0]
	have, err := l.points(ctx, wang.ID)
	if err != nil || have < b.points {
		return err
	}
	_, err = l.Market.Order(ctx, wang, market.OrderInput{BenefitID: b.id, IdempotencyKey: l.Clock.NewID()})
	return err
}

func (l *loader) nextRelease(ctx context.Context) error {
	b, begin := l.benefits[awaitedBenefit], clock.DayOf(l.now).AddDays(1).Start().Add(10*time.Hour)
	_, err := l.Market.AddRelease(ctx, l.operator, b.id, market.ReleaseInput{
		StartsAt: begin, EndsAt: begin.Add(7 * 24 * time.Hour), Total: awaitedQuantity, IdempotencyKey: l.Clock.NewID(),
	})
	return err
}

// spend lets residents order; most redeem, some cancel, some keep the order.
func (l *loader) spend(ctx context.Context, day clock.Day) error {
	for i, r := range l.some(ordersPerDay) {
		l.at(day, 19, i)
		if err := l.orderAndRedeem(ctx, r, l.rand.IntN(len(l.benefits)), i%7 != 0); err != nil {
			return err
		}
	}
	if day == l.yesterday() {
		return l.ticketsYesterday(ctx)
	}
	return nil
}

// ticketsYesterday sees that the owner to log in as has a statement to answer.
func (l *loader) ticketsYesterday(ctx context.Context) error {
	l.at(l.yesterday(), 19, 30)
	left := 3
	for _, r := range l.residents[len(neighbours):] {
		have, err := l.points(ctx, r.ID)
		if err != nil || left == 0 {
			return err
		}
		if have < l.benefits[0].points {
			continue
		}
		if err := l.orderAndRedeem(ctx, r, 0, true); err != nil {
			return err
		}
		left--
	}
	return nil
}

func (l *loader) orderAndRedeem(ctx context.Context, r authz.Actor, benefit int, redeem bool) error {
	b := l.benefits[benefit]
	have, err := l.points(ctx, r.ID)
	if err != nil || have < b.points {
		return err
	}
	order, err := l.Market.Order(ctx, r, market.OrderInput{BenefitID: b.id, IdempotencyKey: l.Clock.NewID()})
	if errors.Is(err, market.ErrLimitReached) || errors.Is(err, market.ErrSoldOut) {
		return nil // as it happens in real life
	}
	if err != nil {
		return err
	}
	l.count["orders"]++
	if !redeem {
		if l.count["orders"]%2 == 0 {
			_, err = l.Market.Cancel(ctx, r, market.CancelInput{OrderID: order.OrderID, Reason: "临时有事", IdempotencyKey: l.Clock.NewID()})
		}
		return err
	}
	code, err := l.Market.Code(ctx, r, order.OrderID)
	if err != nil {
		return err
	}
	done, err := l.Market.Redeem(ctx, b.clerk, market.RedeemInput{
		Scan: market.Scan{Code: code.Code, StoreID: b.store}, IdempotencyKey: l.Clock.NewID(),
	})
	if err != nil {
		return err
	}
	l.count["redemptions"]++
	if l.count["redemptions"]%40 == 0 {
		_, err = l.Market.ReverseRedemption(ctx, b.clerk, market.ReverseInput{OrderID: done.OrderID, Reason: "顾客改期", IdempotencyKey: l.Clock.NewID()})
	}
	return err
}

// night is what cron does.
func (l *loader) night(ctx context.Context, day clock.Day) error {
	l.at(day.AddDays(1), 2, 5)
	for _, job := range []func() error{
		func() error { _, err := l.Settlement.CloseDue(ctx); return err },
		func() error { _, err := l.Settlement.ConfirmOverdue(ctx); return err },
		func() error { _, err := l.Market.ReleaseExpired(ctx); return err },
		func() error { _, err := l.Leaderboard.Build(ctx); return err },
		func() error { _, err := l.Leaderboard.RefreshConsents(ctx); return err },
	} {
		if err := job(); err != nil {
			return err
		}
	}
	return nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
