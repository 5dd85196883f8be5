package api

import (
	"context"
	"time"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/httpapi"
	"jiamenkou/service/volunteer"
)

// ActivityFields is exported, since huma leaves out unexported embedded structs.
type ActivityFields struct {
	Title        string  `json:"title" minLength:"2" maxLength:"60"`
	Content      string  `json:"content" minLength:"2" maxLength:"4000"`
	Category     string  `json:"category" enum:"community,elderly,children,disabled,environment,safety,culture,sports,health,education,rescue,event,mediation,other"`
	Beneficiary  string  `json:"beneficiary" minLength:"1" maxLength:"60" doc:"服务对象"`
	PlaceName    string  `json:"place_name" minLength:"1" maxLength:"100"`
	Lon          float64 `json:"lon" minimum:"-180" maximum:"180" doc:"GCJ-02"`
	Lat          float64 `json:"lat" minimum:"-90" maximum:"90" doc:"GCJ-02"`
	RadiusMeters int64   `json:"radius_meters" minimum:"20" maximum:"5000" doc:"签到范围（米）"`
	ContactName  string  `json:"contact_name" minLength:"1" maxLength:"30" doc:"负责人"`
	ContactPhone string  `json:"contact_phone" minLength:"5" maxLength:"20"`
}

func (f ActivityFields) input(regionID string, in InSystem) volunteer.ActivityInput {
	f.Lon, f.Lat = in.convert(f.Lon, f.Lat)
	return volunteer.ActivityInput{
		RegionID: regionID, Title: f.Title, Content: f.Content, Category: f.Category, Beneficiary: f.Beneficiary, PlaceName: f.PlaceName,
		Lon: f.Lon, Lat: f.Lat, RadiusMeters: f.RadiusMeters, ContactName: f.ContactName, ContactPhone: f.ContactPhone,
	}
}

type shiftFields struct {
	StartsAt     time.Time `json:"starts_at"`
	EndsAt       time.Time `json:"ends_at" doc:"与开始在同一天"`
	BreakMinutes int64     `json:"break_minutes,omitempty" minimum:"0" maximum:"720" doc:"交通、用餐、休息的分钟数，不计服务时长"`
	Capacity     int64     `json:"capacity" minimum:"1" maximum:"1000"`
}

func (f shiftFields) input() volunteer.ShiftInput {
	return volunteer.ShiftInput{
		StartsAt: clock.InstantOf(f.StartsAt), EndsAt: clock.InstantOf(f.EndsAt), BreakMinutes: f.BreakMinutes, Capacity: f.Capacity,
	}
}

// repeatFields make a weekly series of the shifts beside them.
type repeatFields struct {
	Weeks int64 `json:"weeks" minimum:"1" maximum:"26" doc:"连续几周，含第一周；一个活动最多 200 个班次"`
}

func shiftInputs(in []shiftFields, repeat *repeatFields) []volunteer.ShiftInput {
	out := make([]volunteer.ShiftInput, len(in))
	for i, f := range in {
		out[i] = f.input()
	}
	if repeat == nil {
		return out
	}
	return volunteer.RepeatWeekly(out, repeat.Weeks)
}

type activitySummaryDTO struct {
	ID           string     `json:"id"`
	RegionID     string     `json:"region_id"`
	Title        string     `json:"title"`
	Category     string     `json:"category"`
	PlaceName    string     `json:"place_name"`
	Status       string     `json:"status" enum:"draft,published,cancelled,finished"`
	Version      int64      `json:"version" doc:"修改时带回"`
	NextStartsAt *time.Time `json:"next_starts_at" doc:"下一班次；空表示没有"`
	ShiftsAhead  int64      `json:"shifts_ahead"`
	FreePlaces   int64      `json:"free_places" doc:"未开始班次的剩余名额"`
	CreatedAt    time.Time  `json:"created_at"`
	PublishedAt  *time.Time `json:"published_at"`
}

func activitySummaryOf(a volunteer.ActivityItem) activitySummaryDTO {
	out := activitySummaryDTO{
		ID: a.ID, RegionID: a.RegionID, Title: a.Title, Category: a.Category, PlaceName: a.PlaceName, Status: string(a.Status),
		Version: a.Version, ShiftsAhead: a.ShiftsAhead, FreePlaces: a.FreePlaces, CreatedAt: a.CreatedAt.Time(),
		PublishedAt: clock.TimePtr(a.PublishedAt),
	}
	if a.NextStartsAt != 0 {
		out.NextStartsAt = clock.TimePtr(&a.NextStartsAt)
	}
	return out
}

// ActivityShiftDTO is exported for the same reason.
type ActivityShiftDTO struct {
	ID             string    `json:"id"`
	StartsAt       time.Time `json:"starts_at"`
	EndsAt         time.Time `json:"ends_at"`
	BreakMinutes   int64     `json:"break_minutes"`
	PlannedMinutes int64     `json:"planned_minutes" doc:"除去休息"`
	Status         string    `json:"status" enum:"open,cancelled"`
	Capacity       int64     `json:"capacity"`
	SignedUp       int64     `json:"signed_up"`
}

func activityShiftOf(v volunteer.ShiftView) ActivityShiftDTO {
	return ActivityShiftDTO{
		ID: v.ID, StartsAt: v.StartsAt.Time(), EndsAt: v.EndsAt.Time(), BreakMinutes: v.BreakMinutes, PlannedMinutes: v.PlannedMinutes,
		Status: string(v.Status), Capacity: v.Capacity, SignedUp: v.SignedUp,
	}
}

type volunteerMoveDTO struct {
	From      string    `json:"from" doc:"空表示新建"`
	To        string    `json:"to"`
	ActorID   string    `json:"actor_id"`
	ActorName string    `json:"actor_name" doc:"工作人员；系统为空"`
	Reason    string    `json:"reason"`
	At        time.Time `json:"at"`
}

func (d *volunteerMoveDTO) actor() (string, *string) { return d.ActorID, &d.ActorName }

type activityDTO struct {
	ID string `json:"id"`
	ActivityFields
	RegionID         string             `json:"region_id"`
	RegionName       string             `json:"region_name"`
	OrganizerStaffID string             `json:"organizer_staff_id"`
	Status           string             `json:"status" enum:"draft,published,cancelled,finished"`
	Version          int64              `json:"version" doc:"修改时带回"`
	CreatedAt        time.Time          `json:"created_at"`
	PublishedAt      *time.Time         `json:"published_at"`
	Shifts           []ActivityShiftDTO `json:"shifts"`
	History          []volunteerMoveDTO `json:"history"`
}

// activityBody answers with the activity as it is now.
func (s *server) activityBody(ctx context.Context, id string, err error) (*httpapi.Body[activityDTO], error) {
	if err != nil {
		return nil, err
	}
	actor := authz.FromContext(ctx)
	a, err := s.Volunteer.StaffActivity(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	moves, err := s.Volunteer.History(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	out := activityDTO{
		ID: a.ID, ActivityFields: ActivityFields{
			Title: a.Title, Content: a.Content, Category: a.Category, Beneficiary: a.Beneficiary, PlaceName: a.PlaceName,
			Lon: a.Lon, Lat: a.Lat, RadiusMeters: a.RadiusMeters, ContactName: a.ContactName, ContactPhone: a.ContactPhone,
		},
		RegionID: a.RegionID, RegionName: a.RegionName, OrganizerStaffID: a.OrganizerStaffID, Status: string(a.Status), Version: a.Version,
		CreatedAt: a.CreatedAt.Time(), PublishedAt: clock.TimePtr(a.PublishedAt), Shifts: []ActivityShiftDTO{}, History: []volunteerMoveDTO{},
	}
	for _, v := range a.Shifts {
		out.Shifts = append(out.Shifts, activityShiftOf(v))
	}
	for _, m := range moves {
		out.History = append(out.History, volunteerMoveDTO{From: m.FromStatus, To: m.ToStatus, ActorID: m.ActorID, Reason: m.Reason, At: m.CreatedAt.Time()})
	}
	return httpapi.OK(out), nameActors(ctx, s, out.History)
}

type listActivitiesInput struct {
	httpapi.SortedQuery
	Status string `query:"status" enum:"draft,published,cancelled,finished"`
	Text   string `query:"text" maxLength:"40" doc:"标题、内容或地点包含"`
	Mine   bool   `query:"mine" doc:"只看我发布的"`
}

func (s *server) listActivities(ctx context.Context, in *listActivitiesInput) (*httpapi.Body[httpapi.PageBody[activitySummaryDTO]], error) {
	return httpapi.Listed(activitySummaryOf)(s.Volunteer.StaffActivities(ctx, authz.FromContext(ctx), volunteer.StaffActivityFilter{
		Status: in.Status, Text: in.Text, MineOnly: in.Mine,
	}, in.Request()))
}

type createActivityInput struct {
	httpapi.Idempotent
	Body struct {
		ActivityFields
		InSystem
		RegionID string        `json:"region_id" minLength:"26" maxLength:"26" doc:"活动所属地区，不能再改"`
		Shifts   []shiftFields `json:"shifts,omitempty" maxItems:"50"`
		Repeat   *repeatFields `json:"repeat,omitempty" doc:"这些班次每周重复"`
	}
}

func (s *server) createActivity(ctx context.Context, in *createActivityInput) (*httpapi.Body[activityDTO], error) {
	activity := in.Body.input(in.Body.RegionID, in.Body.InSystem)
	activity.IdempotencyKey = in.IdempotencyKey
	id, err := s.Volunteer.CreateActivity(ctx, authz.FromContext(ctx), activity, shiftInputs(in.Body.Shifts, in.Body.Repeat))
	return s.activityBody(ctx, id, err)
}

func (s *server) getActivity(ctx context.Context, in *idInput) (*httpapi.Body[activityDTO], error) {
	return s.activityBody(ctx, in.ID, nil)
}

type updateActivityInput struct {
	ID   string `path:"id" minLength:"26" maxLength:"26"`
	Body struct {
		ActivityFields
		InSystem
		Version int64 `json:"version" minimum:"1"`
	}
}

func (s *server) updateActivity(ctx context.Context, in *updateActivityInput) (*httpapi.Body[activityDTO], error) {
	err := s.Volunteer.UpdateActivity(ctx, authz.FromContext(ctx), in.ID, in.Body.Version, in.Body.input("", in.Body.InSystem))
	return s.activityBody(ctx, in.ID, err)
}

func (s *server) publishActivity(ctx context.Context, in *idInput) (*httpapi.Body[activityDTO], error) {
	return s.activityBody(ctx, in.ID, s.Volunteer.PublishActivity(ctx, authz.FromContext(ctx), in.ID))
}

type cancelActivityInput struct {
	ID   string `path:"id" minLength:"26" maxLength:"26"`
	Body struct {
		Reason string `json:"reason" minLength:"2" maxLength:"200" doc:"会告诉已报名的人"`
	}
}

func (s *server) cancelActivity(ctx context.Context, in *cancelActivityInput) (*httpapi.Body[activityDTO], error) {
	return s.activityBody(ctx, in.ID, s.Volunteer.CancelActivity(ctx, authz.FromContext(ctx), in.ID, in.Body.Reason))
}

type addShiftsInput struct {
	httpapi.Idempotent
	ID   string `path:"id" minLength:"26" maxLength:"26"`
	Body struct {
		Shifts []shiftFields `json:"shifts" minItems:"1" maxItems:"50"`
		Repeat *repeatFields `json:"repeat,omitempty" doc:"这些班次每周重复"`
	}
}

func (s *server) addShifts(ctx context.Context, in *addShiftsInput) (*httpapi.Body[activityDTO], error) {
	return s.activityBody(ctx, in.ID, s.Volunteer.AddShifts(ctx, authz.FromContext(ctx), in.ID, in.IdempotencyKey, shiftInputs(in.Body.Shifts, in.Body.Repeat)))
}

type listShiftsInput struct {
	httpapi.PageQuery
	From string `query:"from" required:"true" format:"date" doc:"班次日期不早于"`
	To   string `query:"to" required:"true" format:"date" doc:"班次日期不晚于，最多六周"`
}

// CalendarShiftDTO is a shift on the calendar.
type CalendarShiftDTO struct {
	ActivityShiftDTO
	ActivityID     string `json:"activity_id"`
	Title          string `json:"title"`
	PlaceName      string `json:"place_name"`
	ActivityStatus string `json:"activity_status" enum:"draft,published,cancelled,finished"`
}

func calendarShiftOf(c volunteer.CalendarShift) CalendarShiftDTO {
	return CalendarShiftDTO{
		ActivityShiftDTO: activityShiftOf(c.ShiftView), ActivityID: c.ActivityID, Title: c.Title, PlaceName: c.PlaceName,
		ActivityStatus: string(c.ActivityStatus),
	}
}

func (s *server) listShifts(ctx context.Context, in *listShiftsInput) (*httpapi.Body[httpapi.PageBody[CalendarShiftDTO]], error) {
	return httpapi.Listed(calendarShiftOf)(s.Volunteer.Shifts(ctx, authz.FromContext(ctx), clock.Day(in.From), clock.Day(in.To), in.Request()))
}

type updateShiftInput struct {
	ID   string `path:"id" minLength:"26" maxLength:"26"`
	Body shiftFields
}

func (s *server) updateShift(ctx context.Context, in *updateShiftInput) (*struct{}, error) {
	return nil, s.Volunteer.UpdateShift(ctx, authz.FromContext(ctx), in.ID, in.Body.input())
}

func (s *server) cancelShift(ctx context.Context, in *cancelActivityInput) (*struct{}, error) {
	return nil, s.Volunteer.CancelShift(ctx, authz.FromContext(ctx), in.ID, in.Body.Reason)
}

type shiftCodeDTO struct {
	Code        string    `json:"code" example:"042917" doc:"显示给人输入"`
	QRText      string    `json:"qr_text" doc:"画成二维码供人扫描"`
	ExpiresAt   time.Time `json:"expires_at" doc:"到时再取下一个"`
	StepSeconds int64     `json:"step_seconds"`
}

func (s *server) getShiftCode(ctx context.Context, in *idInput) (*httpapi.Body[shiftCodeDTO], error) {
	c, err := s.Volunteer.ShiftCode(ctx, authz.FromContext(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return httpapi.OK(shiftCodeDTO{Code: c.Digits, QRText: c.QRText, ExpiresAt: c.ExpiresAt.Time(), StepSeconds: int64(c.Step.Seconds())}), nil
}

type attendeeDTO struct {
	SignupID        string         `json:"signup_id"`
	Nickname        string         `json:"nickname"`
	VolunteerNumber string         `json:"volunteer_number"`
	Status          string         `json:"status" enum:"signed_up,cancelled,attended,absent"`
	SignedUpAt      time.Time      `json:"signed_up_at"`
	Attendance      *attendanceDTO `json:"attendance" doc:"空表示还没有签到"`
}

type attendanceDTO struct {
	ID                     string     `json:"id"`
	Status                 string     `json:"status" enum:"checked_in,checked_out,confirmed,rejected"`
	CheckInAt              time.Time  `json:"check_in_at"`
	CheckInVerdict         string     `json:"check_in_verdict" enum:"inside,tolerated,by_hand"`
	CheckInDistanceMeters  *int64     `json:"check_in_distance_meters"`
	CheckOutAt             *time.Time `json:"check_out_at"`
	CheckOutVerdict        *string    `json:"check_out_verdict" doc:"同 check_in_verdict"`
	CheckOutDistanceMeters *int64     `json:"check_out_distance_meters"`
	ByHandOnly             bool       `json:"by_hand_only" doc:"没有现场扫码：须由另一人确认，不得积分"`
	NeedsSecondPerson      bool       `json:"needs_second_person" doc:"是您手工登记的：须由另一人确认"`
	ServedMinutes          *int64     `json:"served_minutes" doc:"在场分钟，已扣休息"`
	Minutes                *int64     `json:"minutes" doc:"计入的服务时长"`
	QualityRating          *int64     `json:"quality_rating"`
}

func attendeeOf(a volunteer.Attendee, viewer authz.Actor) attendeeDTO {
	out := attendeeDTO{
		SignupID: a.ID, Nickname: a.Nickname, VolunteerNumber: a.VolunteerNumber, Status: string(a.Status), SignedUpAt: a.CreatedAt.Time(),
	}
	if x := a.Attendance; x != nil {
		out.Attendance = &attendanceDTO{
			ID: x.ID, Status: string(x.Status), CheckInAt: x.CheckInAt.Time(), CheckInVerdict: string(x.CheckInVerdict),
			CheckInDistanceMeters: x.CheckInDistanceMeters, CheckOutAt: clock.TimePtr(x.CheckOutAt), CheckOutVerdict: (*string)(x.CheckOutVerdict),
			CheckOutDistanceMeters: x.CheckOutDistanceMeters, ByHandOnly: x.ByHandOnly(),
			NeedsSecondPerson: volunteer.NeedsSecondPerson(*x, viewer.ID), ServedMinutes: x.ServedMinutes, Minutes: x.Minutes, QualityRating: x.QualityRating,
		}
	}
	return out
}

type listAttendeesInput struct {
	httpapi.SortedQuery
	ID     string `path:"id" minLength:"26" maxLength:"26"`
	Status string `query:"status" enum:"signed_up,cancelled,attended,absent"`
}

func (s *server) listAttendees(ctx context.Context, in *listAttendeesInput) (*httpapi.Body[httpapi.PageBody[attendeeDTO]], error) {
	actor := authz.FromContext(ctx)
	return httpapi.Listed(func(a volunteer.Attendee) attendeeDTO { return attendeeOf(a, actor) })(
		s.Volunteer.Attendees(ctx, actor, in.ID, in.Status, in.Request()))
}

type handMarkFields struct {
	SignupID   string     `json:"signup_id" minLength:"26" maxLength:"26"`
	CheckInAt  *time.Time `json:"check_in_at,omitempty"`
	CheckOutAt *time.Time `json:"check_out_at,omitempty"`
	Reason     string     `json:"reason" minLength:"2" maxLength:"200"`
}

type markAttendanceInput struct {
	httpapi.Idempotent
	ID   string `path:"id" minLength:"26" maxLength:"26"`
	Body struct {
		Marks []handMarkFields `json:"marks" minItems:"1" maxItems:"200"`
	}
}

func (s *server) markAttendance(ctx context.Context, in *markAttendanceInput) (*struct{}, error) {
	marks := make([]volunteer.HandMark, len(in.Body.Marks))
	for i, m := range in.Body.Marks {
		marks[i] = volunteer.HandMark{SignupID: m.SignupID, CheckInAt: instantPtr(m.CheckInAt), CheckOutAt: instantPtr(m.CheckOutAt), Reason: m.Reason}
	}
	return nil, s.Volunteer.MarkAttendance(ctx, authz.FromContext(ctx), in.ID, in.IdempotencyKey, marks)
}

func instantPtr(t *time.Time) *clock.Instant {
	if t == nil {
		return nil
	}
	return clock.InstantOf(*t).Ptr()
}

type listShiftMovesInput struct {
	httpapi.PageQuery
	ID string `path:"id" minLength:"26" maxLength:"26"`
}

// ShiftMoveDTO is what staff did with one person's attendance.
type ShiftMoveDTO struct {
	SignupID  string    `json:"signup_id"`
	Nickname  string    `json:"nickname"`
	From      string    `json:"from" doc:"空表示新登记"`
	To        string    `json:"to" enum:"checked_in,checked_out,confirmed,rejected"`
	ActorID   string    `json:"actor_id"`
	ActorName string    `json:"actor_name"`
	Reason    string    `json:"reason"`
	At        time.Time `json:"at"`
}

func (s *server) listShiftMoves(ctx context.Context, in *listShiftMovesInput) (*httpapi.Body[httpapi.PageBody[ShiftMoveDTO]], error) {
	return httpapi.Listed(shiftMoveOf)(s.Volunteer.ShiftMoves(ctx, authz.FromContext(ctx), in.ID, in.Request()))
}

func shiftMoveOf(m volunteer.ShiftMove) ShiftMoveDTO {
	return ShiftMoveDTO{
		SignupID: m.SignupID, Nickname: m.Nickname, From: m.FromStatus, To: m.ToStatus, ActorID: m.ActorID, ActorName: m.ActorName,
		Reason: m.Reason, At: m.CreatedAt.Time(),
	}
}

type confirmItemFields struct {
	SignupID      string `json:"signup_id" minLength:"26" maxLength:"26"`
	Minutes       *int64 `json:"minutes,omitempty" minimum:"0" maximum:"1440" doc:"少计时填写；不能超过在场分钟"`
	MinutesReason string `json:"minutes_reason,omitempty" maxLength:"200" doc:"改了时长必填"`
	QualityRating *int64 `json:"quality_rating,omitempty" minimum:"1" maximum:"5" doc:"服务质量评价"`
	RejectReason  string `json:"reject_reason,omitempty" maxLength:"200" doc:"填写即不予确认"`
}

type confirmAttendanceInput struct {
	httpapi.Idempotent
	ID   string `path:"id" minLength:"26" maxLength:"26"`
	Body struct {
		Items []confirmItemFields `json:"items" minItems:"1" maxItems:"200"`
	}
}

type confirmOutcomeDTO struct {
	SignupID      string      `json:"signup_id"`
	Status        string      `json:"status" doc:"签到记录的状态；空表示没有签到"`
	Credit        string      `json:"credit" enum:",credited,too_short" doc:"too_short：不足计划时长的 60%，不计"`
	ServedMinutes int64       `json:"served_minutes"`
	Minutes       int64       `json:"minutes"`
	RecordID      string      `json:"record_id"`
	RecordState   string      `json:"record_state" enum:",effective,pending_approval,rejected,corrected" doc:"pending_approval：一天超过 8 小时，待上级地区审批"`
	Points        int64       `json:"points"`
	Award         string      `json:"award" enum:",posted,capped,budget_exhausted,no_rule" doc:"没有积分的原因"`
	Refusal       *refusalDTO `json:"refusal" doc:"这一条没有办成的原因；其余照办"`
}

type refusalDTO struct {
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

type confirmDTO struct {
	Items []confirmOutcomeDTO `json:"items"`
}

func confirmBody(outcomes []volunteer.ConfirmOutcome, err error) (*httpapi.Body[confirmDTO], error) {
	if err != nil {
		return nil, err
	}
	out := confirmDTO{Items: make([]confirmOutcomeDTO, len(outcomes))}
	for i, o := range outcomes {
		out.Items[i] = confirmOutcomeDTO{
			SignupID: o.SignupID, Status: string(o.Status), Credit: string(o.Credit), ServedMinutes: o.ServedMinutes, Minutes: o.Minutes,
			RecordID: o.RecordID, RecordState: string(o.RecordState), Points: o.Points, Award: string(o.Award),
		}
		if o.Refusal != nil {
			out.Items[i].Refusal = &refusalDTO{Code: o.Refusal.Code, Detail: o.Refusal.Message}
		}
	}
	return httpapi.OK(out), nil
}

func (s *server) confirmAttendance(ctx context.Context, in *confirmAttendanceInput) (*httpapi.Body[confirmDTO], error) {
	items := make([]volunteer.ConfirmItem, len(in.Body.Items))
	for i, x := range in.Body.Items {
		items[i] = volunteer.ConfirmItem{
			SignupID: x.SignupID, Minutes: x.Minutes, MinutesReason: x.MinutesReason, QualityRating: x.QualityRating, RejectReason: x.RejectReason,
		}
	}
	return confirmBody(s.Volunteer.Confirm(ctx, authz.FromContext(ctx), volunteer.ConfirmInput{
		ShiftID: in.ID, IdempotencyKey: in.IdempotencyKey, Items: items,
	}))
}

type rejectItemFields struct {
	SignupID string `json:"signup_id" minLength:"26" maxLength:"26"`
	Reason   string `json:"reason" minLength:"2" maxLength:"200"`
}

type rejectAttendanceInput struct {
	ID   string `path:"id" minLength:"26" maxLength:"26"`
	Body struct {
		Items []rejectItemFields `json:"items" minItems:"1" maxItems:"200"`
	}
}

func (s *server) rejectAttendance(ctx context.Context, in *rejectAttendanceInput) (*httpapi.Body[confirmDTO], error) {
	items := make([]volunteer.RejectItem, len(in.Body.Items))
	for i, x := range in.Body.Items {
		items[i] = volunteer.RejectItem{SignupID: x.SignupID, Reason: x.Reason}
	}
	return confirmBody(s.Volunteer.Reject(ctx, authz.FromContext(ctx), in.ID, items))
}
