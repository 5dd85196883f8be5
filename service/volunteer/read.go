package volunteer

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/geo"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
)

// Position is where the reader is, for distances; it is not stored.
type Position struct{ Lon, Lat float64 }

// ActivityFilter narrows the residents' list; zero fields do not.
type ActivityFilter struct {
	Text     string // in title, content or place, at most 40 characters
	Category string
	From, To clock.Day // with a shift from the start of From to the end of To
	FreeOnly bool      // with a free place ahead
	Near     *Position // nearest first instead of soonest first
}

// ActivityItem is one line of a list of activities.
type ActivityItem struct {
	model.Activity
	NextStartsAt   clock.Instant // soonest shift ahead within the filter; 0 if there is none
	ShiftsAhead    int64
	FreePlaces     int64 // in the shifts ahead that have not begun
	DistanceMeters *int64
	SortKey        float64 // a whole number, see sortKeyOf
}

func (f ActivityFilter) validate() error {
	var ff fault.Fields
	ff.Add(utf8.RuneCountInString(f.Text) <= maxSearchText, "text", "搜索内容最多 40 个字")
	ff.Add(validDay(f.From), "from", "应为日期，如 2026-01-31")
	ff.Add(validDay(f.To), "to", "应为日期，如 2026-01-31")
	ff.Add(f.From == "" || f.To == "" || f.From <= f.To, "to", "结束日期不能早于开始日期")
	ff.Add(f.Near == nil || model.ValidPosition(f.Near.Lon, f.Near.Lat), "lon", "位置无效，请重新定位")
	return ff.Err(codeInvalid)
}

func validDay(d clock.Day) bool {
	if d == "" {
		return true
	}
	_, err := clock.ParseDay(string(d))
	return err == nil
}

// Activities lists the published activities of the resident's county that
// have a shift ahead: soonest first, or nearest first from a position. A
// resident without a home region sees none.
func (s *Service) Activities(ctx context.Context, actor authz.Actor, filter ActivityFilter, page paging.Request) (paging.Page[ActivityItem], error) {
	var none paging.Page[ActivityItem]
	if err := actor.Resident(); err != nil {
		return none, err
	}
	if err := filter.validate(); err != nil {
		return none, err
	}
	if actor.RegionPath == "" {
		return none, nil
	}
	key, err := activityCursor(page, &filter)
	if err != nil {
		return none, err
	}
	from, to := model.RegionPathRange(model.RegionCountyPath(actor.RegionPath))
	ahead, aheadArgs := shiftsAhead(filter, s.now())
	sortKey, sortArgs := sortKeyOf(filter)
	q := s.db.Read(ctx).Table("activity a").Joins("JOIN region r ON r.id = a.region_id").
		Joins("JOIN ("+ahead+") n ON n.activity_id = a.id", aheadArgs...).
		Select("a.*, n.next_starts_at, n.shifts_ahead, n.free_places, "+sortKey+" AS sort_key", sortArgs...).
		Where("a.status = ? AND r.path >= ? AND r.path < ?", model.ActivityPublished, from, to)
	if filter.Text != "" {
		q = searchText(q, filter.Text)
	}
	if filter.Category != "" {
		q = q.Where("a.category = ?", filter.Category)
	}
	if filter.FreeOnly {
		q = q.Where("n.free_places > 0")
	}
	if key != nil {
		args := append(append(append([]any{}, sortArgs...), key.sort), append(append([]any{}, sortArgs...), key.sort, key.id)...)
		q = q.Where("("+sortKey+" > ? OR ("+sortKey+" = ? AND a.id > ?))", args...)
	}
	var rows []ActivityItem
	if err := q.Order("sort_key, a.id").Limit(page.Size() + 1).Scan(&rows).Error; err != nil {
		return none, fmt.Errorf("volunteer: activities: %w", err)
	}
	measure(rows, filter.Near)
	return paging.Of(rows, page, func(a ActivityItem) []string {
		lon, lat := "", ""
		if filter.Near != nil {
			lon, lat = formatNumber(filter.Near.Lon), formatNumber(filter.Near.Lat)
		}
		return []string{formatNumber(a.SortKey), a.ID, lon, lat}
	}), nil
}

type cursorKey struct {
	sort float64
	id   string
}

// activityCursor decodes a cursor. It carries the position of the first page:
// a reader who walks would otherwise miss or meet lines twice.
func activityCursor(page paging.Request, filter *ActivityFilter) (*cursorKey, error) {
	key, err := page.Key(4)
	if err != nil || key == nil {
		return nil, err
	}
	sort, err := strconv.ParseFloat(key[0], 64)
	if err != nil || (key[2] == "") != (filter.Near == nil) {
		return nil, paging.ErrCursor
	}
	if filter.Near != nil {
		lon, lonErr := strconv.ParseFloat(key[2], 64)
		lat, latErr := strconv.ParseFloat(key[3], 64)
		if lonErr != nil || latErr != nil || !model.ValidPosition(lon, lat) {
			return nil, paging.ErrCursor
		}
		filter.Near = &Position{Lon: lon, Lat: lat}
	}
	return &cursorKey{sort: sort, id: key[1]}, nil
}

func formatNumber(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// shiftsAhead is the shifts of each activity that are not over.
func shiftsAhead(filter ActivityFilter, now clock.Instant) (sql string, args []any) {
	sql = `SELECT s.activity_id, MIN(s.starts_at) AS next_starts_at, COUNT(*) AS shifts_ahead,
		SUM(CASE WHEN s.starts_at > ? AND c.is_open = 1 THEN c.capacity - c.signed_up ELSE 0 END) AS free_places
		FROM activity_shift s JOIN shift_count c ON c.shift_id = s.id WHERE s.status = ? AND s.ends_at > ?`
	args = []any{now, model.ShiftOpen, now}
	if filter.From != "" {
		sql += " AND s.starts_at >= ?"
		args = append(args, filter.From.Start())
	}
	if filter.To != "" {
		sql += " AND s.starts_at < ?"
		args = append(args, filter.To.End())
	}
	return sql + " GROUP BY s.activity_id", args
}

// sortKeyOf is what the list is sorted by, always a whole number: the next
// start, or geo's key of the distance.
func sortKeyOf(filter ActivityFilter) (sql string, args []any) {
	if filter.Near == nil {
		return "n.next_starts_at", nil
	}
	return geo.SortKeySQL("a.lon", "a.lat", geo.Point(*filter.Near))
}

func searchText(q *gorm.DB, text string) *gorm.DB {
	p := likePattern(strings.TrimSpace(text))
	return q.Where("(LOWER(a.title) LIKE ? ESCAPE '!' OR LOWER(a.content) LIKE ? ESCAPE '!' OR LOWER(a.place_name) LIKE ? ESCAPE '!')", p, p, p)
}

func measure(rows []ActivityItem, near *Position) {
	if near == nil {
		return
	}
	for i := range rows {
		meters := geo.Meters(geo.Point(*near), geo.Point{Lon: rows[i].Lon, Lat: rows[i].Lat})
		rows[i].DistanceMeters = new(int64(math.Round(meters)))
	}
}

// ShiftView is a shift as its readers see it.
type ShiftView struct {
	ID             string
	StartsAt       clock.Instant
	EndsAt         clock.Instant
	BreakMinutes   int64
	PlannedMinutes int64
	Status         model.ShiftStatus
	Capacity       int64
	SignedUp       int64
	Open           bool // a sign-up has a chance: published, not begun, places free
	// Of the resident who asks; nil for staff and without a sign-up.
	Signup     *model.Signup
	Attendance *model.Attendance
}

// ActivityDetail is an activity with its shifts in the order of time.
type ActivityDetail struct {
	model.Activity
	RegionName string
	Shifts     []ShiftView
}

// Activity returns an activity of the resident's county with the resident's
// own sign-ups; ErrActivityMissing for drafts and other counties.
func (s *Service) Activity(ctx context.Context, actor authz.Actor, id string) (ActivityDetail, error) {
	if err := actor.Resident(); err != nil {
		return ActivityDetail{}, err
	}
	db := s.db.Read(ctx)
	row, err := activityRow(db, id)
	if err != nil {
		return ActivityDetail{}, err
	}
	if actor.RegionPath == "" || row.Status == model.ActivityDraft || !strings.HasPrefix(row.RegionPath, model.RegionCountyPath(actor.RegionPath)) {
		return ActivityDetail{}, ErrActivityMissing
	}
	return s.detail(db, row, actor.ID)
}

// activityWithRegion is an activity and the region it belongs to.
type activityWithRegion struct {
	model.Activity
	RegionPath string
	RegionName string
}

func activityRow(db *gorm.DB, id string) (activityWithRegion, error) {
	var rows []activityWithRegion
	err := db.Raw(`SELECT a.*, r.path AS region_path, r.name AS region_name FROM activity a JOIN region r ON r.id = a.region_id WHERE a.id = ?`, id).
		Scan(&rows).Error
	if err != nil {
		return activityWithRegion{}, fmt.Errorf("volunteer: activity: %w", err)
	}
	if len(rows) == 0 {
		return activityWithRegion{}, ErrActivityMissing
	}
	return rows[0], nil
}

func (s *Service) detail(db *gorm.DB, row activityWithRegion, residentID string) (ActivityDetail, error) {
	out := ActivityDetail{Activity: row.Activity, RegionName: row.RegionName}
	var shifts []shiftRow
	if err := db.Raw(selectShift+"WHERE s.activity_id = ? ORDER BY s.starts_at, s.id", row.ID).Scan(&shifts).Error; err != nil {
		return out, fmt.Errorf("volunteer: shifts: %w", err)
	}
	signups, attendances, err := own(db, row.ID, residentID)
	if err != nil {
		return out, err
	}
	for _, r := range shifts {
		v := s.shiftView(r)
		if g := signups[r.ShiftID]; g != nil {
			v.Signup, v.Attendance = g, attendances[g.ID]
		}
		out.Shifts = append(out.Shifts, v)
	}
	return out, nil
}

func (s *Service) shiftView(r shiftRow) ShiftView {
	return ShiftView{
		ID: r.ShiftID, StartsAt: r.StartsAt, EndsAt: r.EndsAt, BreakMinutes: r.BreakMinutes, PlannedMinutes: r.shift().PlannedMinutes(),
		Status: r.ShiftStatus, Capacity: r.Capacity, SignedUp: r.SignedUp,
		Open: r.IsOpen == 1 && r.ShiftStatus == model.ShiftOpen && s.now() < r.StartsAt && r.SignedUp < r.Capacity,
	}
}

// own returns a resident's active sign-ups of an activity by shift, and their
// attendances by sign-up.
func own(db *gorm.DB, activityID, residentID string) (map[string]*model.Signup, map[string]*model.Attendance, error) {
	if residentID == "" {
		return nil, nil, nil
	}
	var signups []model.Signup
	err := db.Raw(`SELECT g.* FROM signup g JOIN activity_shift s ON s.id = g.shift_id
		WHERE s.activity_id = ? AND g.resident_id = ? AND g.active_slot = 1`, activityID, residentID).Scan(&signups).Error
	if err != nil {
		return nil, nil, fmt.Errorf("volunteer: own sign-ups: %w", err)
	}
	byShift := map[string]*model.Signup{}
	ids := make([]string, len(signups))
	for i := range signups {
		byShift[signups[i].ShiftID] = &signups[i]
		ids[i] = signups[i].ID
	}
	attendances, err := attendancesOf(db, ids)
	return byShift, attendances, err
}

func attendancesOf(db *gorm.DB, signupIDs []string) (map[string]*model.Attendance, error) {
	out := map[string]*model.Attendance{}
	if len(signupIDs) == 0 {
		return out, nil
	}
	var rows []model.Attendance
	if err := db.Where("signup_id IN ?", signupIDs).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("volunteer: attendances: %w", err)
	}
	for i := range rows {
		out[rows[i].SignupID] = &rows[i]
	}
	return out, nil
}

// MyShift is one sign-up of a resident.
type MyShift struct {
	model.Signup
	ActivityID string
	Title      string
	PlaceName  string
	Lon, Lat   float64
	StartsAt   clock.Instant
	EndsAt     clock.Instant
	Attendance *model.Attendance `gorm:"-"`
}

// UpcomingShifts lists the resident's shifts that are still to be attended,
// soonest first.
func (s *Service) UpcomingShifts(ctx context.Context, actor authz.Actor, page paging.Request) (paging.Page[MyShift], error) {
	return s.myShifts(ctx, actor, page, s.upcoming("g.status = ? AND s.ends_at >= ?"), "s.starts_at > ? OR (s.starts_at = ? AND g.id > ?)", "s.starts_at, g.id")
}

// PastShifts lists the resident's other shifts, latest first: attended,
// missed, cancelled or over.
func (s *Service) PastShifts(ctx context.Context, actor authz.Actor, page paging.Request) (paging.Page[MyShift], error) {
	return s.myShifts(ctx, actor, page, s.upcoming("NOT (g.status = ? AND s.ends_at >= ?)"), "s.starts_at < ? OR (s.starts_at = ? AND g.id < ?)", "s.starts_at DESC, g.id DESC")
}

// ShiftsOn lists the resident's shifts that begin on a day, soonest first,
// without those that were cancelled.
func (s *Service) ShiftsOn(ctx context.Context, actor authz.Actor, day clock.Day, page paging.Request) (paging.Page[MyShift], error) {
	var f fault.Fields
	f.Add(validDay(day) && day != "", "day", "应为日期，如 2026-01-31")
	if err := f.Err(codeInvalid); err != nil {
		return paging.Page[MyShift]{}, err
	}
	which := condition{"g.status <> ? AND s.starts_at >= ? AND s.starts_at < ?", []any{model.SignupCancelled, day.Start(), day.End()}}
	return s.myShifts(ctx, actor, page, which, "s.starts_at > ? OR (s.starts_at = ? AND g.id > ?)", "s.starts_at, g.id")
}

// condition is a part of a WHERE.
type condition struct {
	sql  string
	args []any
}

// upcoming fills in the state and the moment that tell coming shifts.
func (s *Service) upcoming(sql string) condition {
	return condition{sql, []any{model.SignupSignedUp, s.now().Add(-s.cfg.CheckOutLate)}}
}

func (s *Service) myShifts(ctx context.Context, actor authz.Actor, page paging.Request, which condition, after, order string) (paging.Page[MyShift], error) {
	var none paging.Page[MyShift]
	if err := actor.Resident(); err != nil {
		return none, err
	}
	key, err := page.Key(2)
	if err != nil {
		return none, err
	}
	db := s.db.Read(ctx)
	q := db.Table("signup g").Joins("JOIN activity_shift s ON s.id = g.shift_id").Joins("JOIN activity a ON a.id = s.activity_id").
		Select("g.*, s.activity_id, a.title, a.place_name, a.lon, a.lat, s.starts_at, s.ends_at").
		Where("g.resident_id = ?", actor.ID).Where(which.sql, which.args...)
	if key != nil {
		starts, err := strconv.ParseInt(key[0], 10, 64)
		if err != nil {
			return none, paging.ErrCursor
		}
		q = q.Where(after, starts, starts, key[1])
	}
	var rows []MyShift
	if err := q.Order(order).Limit(page.Size() + 1).Scan(&rows).Error; err != nil {
		return none, fmt.Errorf("volunteer: my shifts: %w", err)
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
		rows[i].Attendance = attendances[rows[i].ID]
	}
	return paging.Of(rows, page, func(m MyShift) []string { return []string{strconv.FormatInt(int64(m.StartsAt), 10), m.ID} }), nil
}

// RecordFilter narrows a list of service records; zero fields do not.
type RecordFilter struct {
	State    string // effective | pending_approval | rejected
	Kind     string // attendance | manual
	Approval string // none | second_person | long_day
	From, To clock.Day
}

func (f RecordFilter) apply(q *gorm.DB) *gorm.DB {
	for _, c := range []struct{ where, value string }{
		{"r.state = ?", f.State},
		{"r.kind = ?", f.Kind},
		{"r.approval = ?", f.Approval},
		{"r.day >= ?", string(f.From)},
		{"r.day <= ?", string(f.To)},
	} {
		if c.value != "" {
			q = q.Where(c.where, c.value)
		}
	}
	return q
}

// ServiceTotal is what a volunteer has given.
type ServiceTotal struct {
	EffectiveMinutes int64
	PendingMinutes   int64 // waiting for an approval
	Records          int64 // effective ones
}

// MyTotal returns the resident's minutes.
func (s *Service) MyTotal(ctx context.Context, actor authz.Actor) (ServiceTotal, error) {
	if err := actor.Resident(); err != nil {
		return ServiceTotal{}, err
	}
	return s.TotalOf(ctx, actor.ID)
}

// MyRecords lists the resident's service records, newest first.
func (s *Service) MyRecords(ctx context.Context, actor authz.Actor, filter RecordFilter, page paging.Request) (paging.Page[model.ServiceRecord], error) {
	if err := actor.Resident(); err != nil {
		return paging.Page[model.ServiceRecord]{}, err
	}
	key, err := page.Key(2)
	if err != nil {
		return paging.Page[model.ServiceRecord]{}, err
	}
	q := filter.apply(s.db.Read(ctx).Table("service_record r").Where("r.resident_id = ?", actor.ID))
	if key != nil {
		q = q.Where("r.day < ? OR (r.day = ? AND r.id < ?)", key[0], key[0], key[1])
	}
	var rows []model.ServiceRecord
	if err := q.Order("r.day DESC, r.id DESC").Limit(page.Size() + 1).Find(&rows).Error; err != nil {
		return paging.Page[model.ServiceRecord]{}, fmt.Errorf("volunteer: my records: %w", err)
	}
	return paging.Of(rows, page, func(r model.ServiceRecord) []string { return []string{string(r.Day), r.ID} }), nil
}
