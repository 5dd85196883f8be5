package volunteer

import (
	"context"
	"fmt"
	"strconv"
	"unicode/utf8"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
)

// StaffActivityFilter narrows the organizers' list; zero fields do not.
type StaffActivityFilter struct {
	Status   string
	Text     string // at most 40 characters
	MineOnly bool   // posted by the actor
}

// How the lists can be sorted. An activity without a shift ahead comes after all
// that have one.
var (
	ActivityOrder = paging.NewOrder("-created_at",
		paging.Text("created_at", "a.id", func(a ActivityItem) string { return a.ID }),
		paging.Text("title", "a.title", func(a ActivityItem) string { return a.Title }),
		paging.Number("next_starts_at", "COALESCE(n.next_starts_at, 9223372036854775807)", func(a ActivityItem) int64 {
			if a.NextStartsAt == 0 {
				return paging.Last
			}
			return int64(a.NextStartsAt)
		}),
	)
	AttendeeOrder = paging.NewOrder("signed_up_at",
		paging.Text("signed_up_at", "g.id", func(a Attendee) string { return a.ID }),
		paging.Text("volunteer_number", "p.volunteer_number", func(a Attendee) string { return a.VolunteerNumber }),
	)
	RecordOrder = paging.NewOrder("-created_at",
		paging.Text("created_at", "r.id", func(r model.ServiceRecord) string { return r.ID }),
		paging.Text("day", "r.day", func(r model.ServiceRecord) clock.Day { return r.Day }),
	)
)

// StaffActivities lists the activities of the actor's regions, newest first
// unless sorted by ActivityOrder.
func (s *Service) StaffActivities(ctx context.Context, actor authz.Actor, filter StaffActivityFilter, page paging.Request) (paging.Page[ActivityItem], error) {
	var none paging.Page[ActivityItem]
	var f fault.Fields
	f.Add(utf8.RuneCountInString(filter.Text) <= maxSearchText, "text", "搜索内容最多 40 个字")
	if err := f.Err(codeInvalid); err != nil {
		return none, err
	}
	seek, err := ActivityOrder.Seek(page)
	if err != nil {
		return none, err
	}
	where, args := scope("r.path", actor.RegionPaths(readers...))
	ahead, aheadArgs := shiftsAhead(ActivityFilter{}, s.now())
	q := s.db.Read(ctx).Table("activity a").Joins("JOIN region r ON r.id = a.region_id").
		Joins("LEFT JOIN ("+ahead+") n ON n.activity_id = a.id", aheadArgs...).
		Select("a.*, COALESCE(n.next_starts_at, 0) AS next_starts_at, COALESCE(n.shifts_ahead, 0) AS shifts_ahead, COALESCE(n.free_places, 0) AS free_places").
		Where(where, args...)
	if filter.Status != "" {
		q = q.Where("a.status = ?", filter.Status)
	}
	if filter.Text != "" {
		q = searchText(q, filter.Text)
	}
	if filter.MineOnly {
		q = q.Where("a.organizer_staff_id = ?", actor.ID)
	}
	var rows []ActivityItem
	if err := q.Where(seek.Where, seek.Args...).Order(seek.By).Limit(seek.Limit).Scan(&rows).Error; err != nil {
		return none, fmt.Errorf("volunteer: staff activities: %w", err)
	}
	return seek.Page(rows), nil
}

// StaffActivity returns an activity of the actor's regions with its shifts.
func (s *Service) StaffActivity(ctx context.Context, actor authz.Actor, id string) (ActivityDetail, error) {
	db := s.db.Read(ctx)
	row, err := activityRow(db, id)
	if err != nil {
		return ActivityDetail{}, err
	}
	if actor.InRegion(row.RegionPath, readers...) != nil {
		return ActivityDetail{}, ErrActivityMissing
	}
	return s.detail(db, row, "")
}

// Attendee is one line of a shift's list: who signed up and what is known of
// their coming. No personal data but the nickname.
type Attendee struct {
	model.Signup
	Nickname        string
	VolunteerNumber string
	Attendance      *model.Attendance `gorm:"-"`
}

// Attendees lists the sign-ups of a shift with their attendance, in the order
// of signing up unless sorted by AttendeeOrder; status narrows it unless "".
func (s *Service) Attendees(ctx context.Context, actor authz.Actor, shiftID, status string, page paging.Request) (paging.Page[Attendee], error) {
	var none paging.Page[Attendee]
	seek, err := AttendeeOrder.Seek(page)
	if err != nil {
		return none, err
	}
	shift, err := s.shiftFor(s.db.Read(ctx), actor, shiftID, readers)
	if err != nil {
		return none, err
	}
	q := s.db.Read(ctx).Table("signup g").Joins("JOIN resident p ON p.id = g.resident_id").
		Select("g.*, p.nickname, p.volunteer_number").Where("g.shift_id = ?", shiftID)
	if status != "" {
		q = q.Where("g.status = ?", status)
	}
	var rows []Attendee
	if err := q.Where(seek.Where, seek.Args...).Order(seek.By).Limit(seek.Limit).Scan(&rows).Error; err != nil {
		return none, fmt.Errorf("volunteer: attendees: %w", err)
	}
	ids := make([]string, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	attendances, err := attendancesOf(s.db.Read(ctx), ids)
	if err != nil {
		return none, err
	}
	for i := range rows {
		rows[i].Attendance = withServed(attendances[rows[i].ID], shift)
	}
	return seek.Page(rows), nil
}

// withServed fills in the minutes that a confirmation would credit, so that the
// organizer sees what is to be confirmed; a confirmed attendance keeps its own.
func withServed(a *model.Attendance, shift shiftRow) *model.Attendance {
	if a == nil || a.CheckOutAt == nil || a.ServedMinutes != nil {
		return a
	}
	filled := *a
	filled.ServedMinutes = new(shift.shift().ServedMinutes(a.CheckInAt, *a.CheckOutAt))
	return &filled
}

// Records lists the service records of the actor's regions, newest first
// unless sorted by RecordOrder: with State pending_approval what waits for a decision.
func (s *Service) Records(ctx context.Context, actor authz.Actor, filter RecordFilter, page paging.Request) (paging.Page[model.ServiceRecord], error) {
	seek, err := RecordOrder.Seek(page)
	if err != nil {
		return paging.Page[model.ServiceRecord]{}, err
	}
	where, args := scope("g.path", actor.RegionPaths(readers...))
	join := "JOIN"
	if actor.CountyWide(readers...) {
		join = database.InOrder(s.db.Read(ctx))
	}
	q := filter.apply(s.db.Read(ctx).Table("service_record r").Joins(join+" region g ON g.id = r.region_id").Select("r.*").Where(where, args...))
	var rows []model.ServiceRecord
	if err := q.Where(seek.Where, seek.Args...).Order(seek.By).Limit(seek.Limit).Find(&rows).Error; err != nil {
		return paging.Page[model.ServiceRecord]{}, fmt.Errorf("volunteer: records: %w", err)
	}
	return seek.Page(rows), nil
}

// Record returns one service record of the actor's regions.
func (s *Service) Record(ctx context.Context, actor authz.Actor, id string) (model.ServiceRecord, error) {
	row, err := s.recordFor(ctx, actor, id)
	return row.ServiceRecord, err
}

// History returns the moves of an activity, oldest first, at most 200.
func (s *Service) History(ctx context.Context, actor authz.Actor, activityID string) ([]model.VolunteerHistory, error) {
	row, err := activityRow(s.db.Read(ctx), activityID)
	if err != nil {
		return nil, err
	}
	if actor.InRegion(row.RegionPath, readers...) != nil {
		return nil, ErrActivityMissing
	}
	var rows []model.VolunteerHistory
	err = s.db.Read(ctx).Where("object_id = ?", activityID).Order("id").Limit(200).Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("volunteer: history: %w", err)
	}
	return rows, nil
}

// maxCalendarDays is the longest stretch of Shifts: six weeks of a month's
// page.
const maxCalendarDays = 42

// CalendarShift is a shift on the organizers' calendar.
type CalendarShift struct {
	ShiftView
	ActivityID     string
	Title          string
	PlaceName      string
	ActivityStatus model.ActivityStatus
}

// Shifts lists the shifts of the actor's regions that begin on the days from
// one to another, both included and 42 at most, in the order of time.
func (s *Service) Shifts(ctx context.Context, actor authz.Actor, from, to clock.Day, page paging.Request) (paging.Page[CalendarShift], error) {
	var none paging.Page[CalendarShift]
	var f fault.Fields
	f.Add(from != "" && validDay(from), "from", "应为日期，如 2026-01-31")
	f.Add(to != "" && validDay(to), "to", "应为日期，如 2026-01-31")
	if len(f) == 0 {
		f.Add(from <= to && to < from.AddDays(maxCalendarDays), "to", "一次最多看六周")
	}
	if err := f.Err(codeInvalid); err != nil {
		return none, err
	}
	key, err := page.Key(2)
	if err != nil {
		return none, err
	}
	where, args := scope("r.path", actor.RegionPaths(readers...))
	sql, args := selectShift+"WHERE s.starts_at >= ? AND s.starts_at < ? AND "+where, append([]any{from.Start(), to.End()}, args...)
	if key != nil {
		starts, err := strconv.ParseInt(key[0], 10, 64)
		if err != nil {
			return none, paging.ErrCursor
		}
		sql, args = sql+" AND (s.starts_at > ? OR (s.starts_at = ? AND s.id > ?))", append(args, starts, starts, key[1])
	}
	var rows []shiftRow
	if err := s.db.Read(ctx).Raw(sql+" ORDER BY s.starts_at, s.id LIMIT ?", append(args, page.Size()+1)...).Scan(&rows).Error; err != nil {
		return none, fmt.Errorf("volunteer: shifts: %w", err)
	}
	out := make([]CalendarShift, len(rows))
	for i, r := range rows {
		out[i] = CalendarShift{
			ShiftView: s.shiftView(r), ActivityID: r.ActivityID, Title: r.Title, PlaceName: r.PlaceName, ActivityStatus: r.ActivityStatus,
		}
	}
	return paging.Of(out, page, func(c CalendarShift) []string { return []string{strconv.FormatInt(int64(c.StartsAt), 10), c.ID} }), nil
}
