package miniprogram

import (
	"context"
	"time"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/httpapi"
	"jiamenkou/internal/paging"
	"jiamenkou/service/volunteer"
)

type activitySummaryDTO struct {
	ID             string    `json:"id"`
	Title          string    `json:"title"`
	Category       string    `json:"category"`
	PlaceName      string    `json:"place_name"`
	Lon            float64   `json:"lon"`
	Lat            float64   `json:"lat"`
	DistanceMeters *int64    `json:"distance_meters" doc:"给了位置才有"`
	NextStartsAt   time.Time `json:"next_starts_at"`
	ShiftsAhead    int64     `json:"shifts_ahead"`
	FreePlaces     int64     `json:"free_places" doc:"未开始班次的剩余名额"`
}

func activitySummaryOf(a volunteer.ActivityItem) activitySummaryDTO {
	return activitySummaryDTO{
		ID: a.ID, Title: a.Title, Category: a.Category, PlaceName: a.PlaceName, Lon: a.Lon, Lat: a.Lat, DistanceMeters: a.DistanceMeters,
		NextStartsAt: a.NextStartsAt.Time(), ShiftsAhead: a.ShiftsAhead, FreePlaces: a.FreePlaces,
	}
}

type listActivitiesInput struct {
	httpapi.PageQuery
	Text     string  `query:"text" maxLength:"40" doc:"标题、内容或地点包含"`
	Category string  `query:"category" enum:"community,elderly,children,disabled,environment,safety,culture,sports,health,education,rescue,event,mediation,other"`
	From     string  `query:"from" pattern:"^[0-9]{4}-[0-9]{2}-[0-9]{2}$" doc:"班次不早于这一天"`
	To       string  `query:"to" pattern:"^[0-9]{4}-[0-9]{2}-[0-9]{2}$" doc:"班次不晚于这一天"`
	FreeOnly bool    `query:"free_only" doc:"只看还有名额的"`
	Lon      float64 `query:"lon" minimum:"-180" maximum:"180" doc:"与 lat 一起给出时按距离排序；不会保存"`
	Lat      float64 `query:"lat" minimum:"-90" maximum:"90"`
	InSystemQuery
}

var errHalfPosition = fault.New(fault.Invalid, "volunteer.half_position", "经度和纬度要一起给出")

func (s *server) listActivities(ctx context.Context, in *listActivitiesInput) (*httpapi.Body[httpapi.PageBody[activitySummaryDTO]], error) {
	filter := volunteer.ActivityFilter{
		Text: in.Text, Category: in.Category, From: clock.Day(in.From), To: clock.Day(in.To), FreeOnly: in.FreeOnly,
	}
	switch {
	case in.Lon != 0 && in.Lat != 0:
		lon, lat := in.convert(in.Lon, in.Lat)
		filter.Near = &volunteer.Position{Lon: lon, Lat: lat}
	case in.Lon != 0 || in.Lat != 0:
		return nil, errHalfPosition
	}
	page, err := s.Volunteer.Activities(ctx, authz.FromContext(ctx), filter, paging.Request{Cursor: in.Cursor, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	return httpapi.OK(httpapi.PageOf(page, activitySummaryOf)), nil
}

type attendanceDTO struct {
	Status         string     `json:"status" enum:"checked_in,checked_out,confirmed,rejected"`
	CheckInAt      time.Time  `json:"check_in_at"`
	CheckOutAt     *time.Time `json:"check_out_at"`
	Minutes        *int64     `json:"minutes" doc:"确认后计入的服务时长"`
	DistanceMeters *int64     `json:"distance_meters" doc:"最近一次签到或签退时离活动地点"`
}

func attendanceOf(a *volunteer.Attendance) *attendanceDTO {
	if a == nil {
		return nil
	}
	out := &attendanceDTO{
		Status: string(a.Status), CheckInAt: a.CheckInAt.Time(), CheckOutAt: clock.TimePtr(a.CheckOutAt), Minutes: a.Minutes,
		DistanceMeters: a.CheckInDistanceMeters,
	}
	if a.CheckOutDistanceMeters != nil {
		out.DistanceMeters = a.CheckOutDistanceMeters
	}
	return out
}

type signupDTO struct {
	ID        string    `json:"id"`
	ShiftID   string    `json:"shift_id"`
	Status    string    `json:"status" enum:"signed_up,cancelled,attended,absent"`
	CreatedAt time.Time `json:"created_at"`
}

func signupOf(g *volunteer.Signup) *signupDTO {
	if g == nil {
		return nil
	}
	return &signupDTO{ID: g.ID, ShiftID: g.ShiftID, Status: string(g.Status), CreatedAt: g.CreatedAt.Time()}
}

type shiftDTO struct {
	ID             string         `json:"id"`
	StartsAt       time.Time      `json:"starts_at"`
	EndsAt         time.Time      `json:"ends_at"`
	BreakMinutes   int64          `json:"break_minutes" doc:"交通、用餐、休息，不计服务时长"`
	PlannedMinutes int64          `json:"planned_minutes"`
	Status         string         `json:"status" enum:"open,cancelled"`
	Capacity       int64          `json:"capacity"`
	SignedUp       int64          `json:"signed_up"`
	Open           bool           `json:"open" doc:"现在可以报名"`
	Signup         *signupDTO     `json:"signup" doc:"我的报名"`
	Attendance     *attendanceDTO `json:"attendance" doc:"我的签到"`
}

type activityDTO struct {
	ID           string     `json:"id"`
	RegionName   string     `json:"region_name"`
	Title        string     `json:"title"`
	Content      string     `json:"content"`
	Category     string     `json:"category"`
	Beneficiary  string     `json:"beneficiary"`
	PlaceName    string     `json:"place_name"`
	Lon          float64    `json:"lon"`
	Lat          float64    `json:"lat"`
	RadiusMeters int64      `json:"radius_meters" doc:"签到范围（米）"`
	ContactName  string     `json:"contact_name"`
	ContactPhone string     `json:"contact_phone"`
	Status       string     `json:"status" enum:"published,cancelled,finished"`
	Shifts       []shiftDTO `json:"shifts"`
}

type activityIDInput struct {
	ID string `path:"id" minLength:"26" maxLength:"26"`
}

func (s *server) getActivity(ctx context.Context, in *activityIDInput) (*httpapi.Body[activityDTO], error) {
	a, err := s.Volunteer.Activity(ctx, authz.FromContext(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	out := activityDTO{
		ID: a.ID, RegionName: a.RegionName, Title: a.Title, Content: a.Content, Category: a.Category, Beneficiary: a.Beneficiary,
		PlaceName: a.PlaceName, Lon: a.Lon, Lat: a.Lat, RadiusMeters: a.RadiusMeters, ContactName: a.ContactName,
		ContactPhone: a.ContactPhone, Status: string(a.Status), Shifts: []shiftDTO{},
	}
	for _, v := range a.Shifts {
		out.Shifts = append(out.Shifts, shiftDTO{
			ID: v.ID, StartsAt: v.StartsAt.Time(), EndsAt: v.EndsAt.Time(), BreakMinutes: v.BreakMinutes, PlannedMinutes: v.PlannedMinutes,
			Status: string(v.Status), Capacity: v.Capacity, SignedUp: v.SignedUp, Open: v.Open, Signup: signupOf(v.Signup),
			Attendance: attendanceOf(v.Attendance),
		})
	}
	return httpapi.OK(out), nil
}

func (s *server) signUp(ctx context.Context, in *activityIDInput) (*httpapi.Body[signupDTO], error) {
	g, err := s.Volunteer.SignUp(ctx, authz.FromContext(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return httpapi.OK(*signupOf(&g)), nil
}

func (s *server) cancelSignup(ctx context.Context, in *activityIDInput) (*httpapi.Body[signupDTO], error) {
	g, err := s.Volunteer.CancelSignup(ctx, authz.FromContext(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return httpapi.OK(*signupOf(&g)), nil
}

type markInput struct {
	ID   string `path:"id" minLength:"26" maxLength:"26"`
	Body struct {
		Code string `json:"code" minLength:"1" maxLength:"128" doc:"六位签到码，或扫到的二维码文字"`
		InSystem
		Lon            float64 `json:"lon" minimum:"-180" maximum:"180"`
		Lat            float64 `json:"lat" minimum:"-90" maximum:"90" doc:"坐标最多保存 30 天"`
		AccuracyMeters float64 `json:"accuracy_meters,omitempty" minimum:"0" maximum:"1000000"`
	}
}

func (in *markInput) mark() volunteer.MarkInput {
	lon, lat := in.Body.convert(in.Body.Lon, in.Body.Lat)
	return volunteer.MarkInput{ShiftID: in.ID, Code: in.Body.Code, Lon: lon, Lat: lat, AccuracyMeters: in.Body.AccuracyMeters}
}

func (s *server) checkIn(ctx context.Context, in *markInput) (*httpapi.Body[attendanceDTO], error) {
	a, err := s.Volunteer.CheckIn(ctx, authz.FromContext(ctx), in.mark())
	if err != nil {
		return nil, err
	}
	return httpapi.OK(*attendanceOf(&a)), nil
}

func (s *server) checkOut(ctx context.Context, in *markInput) (*httpapi.Body[attendanceDTO], error) {
	a, err := s.Volunteer.CheckOut(ctx, authz.FromContext(ctx), in.mark())
	if err != nil {
		return nil, err
	}
	return httpapi.OK(*attendanceOf(&a)), nil
}

type myShiftDTO struct {
	Signup     signupDTO      `json:"signup"`
	ActivityID string         `json:"activity_id"`
	Title      string         `json:"title"`
	PlaceName  string         `json:"place_name"`
	Lon        float64        `json:"lon"`
	Lat        float64        `json:"lat"`
	StartsAt   time.Time      `json:"starts_at"`
	EndsAt     time.Time      `json:"ends_at"`
	Attendance *attendanceDTO `json:"attendance"`
}

func myShiftOf(m volunteer.MyShift) myShiftDTO {
	return myShiftDTO{
		Signup: *signupOf(&m.Signup), ActivityID: m.ActivityID, Title: m.Title, PlaceName: m.PlaceName, Lon: m.Lon, Lat: m.Lat,
		StartsAt: m.StartsAt.Time(), EndsAt: m.EndsAt.Time(), Attendance: attendanceOf(m.Attendance),
	}
}

type listMyShiftsInput struct {
	httpapi.PageQuery
	When string `query:"when" enum:"upcoming,past" default:"upcoming"`
	Day  string `query:"day" pattern:"^[0-9]{4}-[0-9]{2}-[0-9]{2}$" doc:"只看这一天开始的；给了则不看 when"`
}

func (s *server) listMyShifts(ctx context.Context, in *listMyShiftsInput) (*httpapi.Body[httpapi.PageBody[myShiftDTO]], error) {
	list := s.Volunteer.UpcomingShifts
	if in.When == "past" {
		list = s.Volunteer.PastShifts
	}
	if in.Day != "" {
		list = func(ctx context.Context, actor authz.Actor, page paging.Request) (paging.Page[volunteer.MyShift], error) {
			return s.Volunteer.ShiftsOn(ctx, actor, clock.Day(in.Day), page)
		}
	}
	page, err := list(ctx, authz.FromContext(ctx), paging.Request{Cursor: in.Cursor, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	return httpapi.OK(httpapi.PageOf(page, myShiftOf)), nil
}

// ServiceRecordDTO is one of the resident's own records.
type ServiceRecordDTO struct {
	ID             string    `json:"id"`
	Kind           string    `json:"kind" enum:"attendance,manual,correction" doc:"manual：补录；correction：更正；都不得积分"`
	State          string    `json:"state" enum:"effective,pending_approval,rejected,corrected"`
	ActivityID     *string   `json:"activity_id"`
	ActivityTitle  string    `json:"activity_title"`
	Day            string    `json:"day" format:"date"`
	StartedAt      time.Time `json:"started_at"`
	EndedAt        time.Time `json:"ended_at"`
	Minutes        int64     `json:"minutes"`
	PlaceName      string    `json:"place_name"`
	Beneficiary    string    `json:"beneficiary"`
	Content        string    `json:"content"`
	QualityRating  *int64    `json:"quality_rating"`
	PersonInCharge string    `json:"person_in_charge"`
	RecorderName   string    `json:"recorder_name"`
}

func serviceRecordOf(r volunteer.Record) ServiceRecordDTO {
	return ServiceRecordDTO{
		ID: r.ID, Kind: string(r.Kind), State: string(r.State), ActivityID: r.ActivityID, ActivityTitle: r.ActivityTitle, Day: string(r.Day),
		StartedAt: r.StartedAt.Time(), EndedAt: r.EndedAt.Time(), Minutes: r.Minutes, PlaceName: r.PlaceName, Beneficiary: r.Beneficiary,
		Content: r.Content, QualityRating: r.QualityRating, PersonInCharge: r.PersonInCharge, RecorderName: r.RecorderName,
	}
}

type listMyRecordsInput struct {
	httpapi.PageQuery
	State string `query:"state" enum:"effective,pending_approval,rejected,corrected"`
	From  string `query:"from" pattern:"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"`
	To    string `query:"to" pattern:"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"`
}

func (s *server) listMyRecords(ctx context.Context, in *listMyRecordsInput) (*httpapi.Body[httpapi.PageBody[ServiceRecordDTO]], error) {
	page, err := s.Volunteer.MyRecords(ctx, authz.FromContext(ctx), volunteer.RecordFilter{
		State: in.State, From: clock.Day(in.From), To: clock.Day(in.To),
	}, paging.Request{Cursor: in.Cursor, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	return httpapi.OK(httpapi.PageOf(page, serviceRecordOf)), nil
}

type serviceTotalDTO struct {
	EffectiveMinutes int64 `json:"effective_minutes" doc:"累计服务时长，与积分无关"`
	PendingMinutes   int64 `json:"pending_minutes" doc:"待审批"`
	Records          int64 `json:"records"`
}

func (s *server) getServiceTotal(ctx context.Context, _ *struct{}) (*httpapi.Body[serviceTotalDTO], error) {
	t, err := s.Volunteer.MyTotal(ctx, authz.FromContext(ctx))
	if err != nil {
		return nil, err
	}
	return httpapi.OK(serviceTotalDTO{EffectiveMinutes: t.EffectiveMinutes, PendingMinutes: t.PendingMinutes, Records: t.Records}), nil
}
