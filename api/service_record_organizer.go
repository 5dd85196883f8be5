package api

import (
	"context"
	"time"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/httpapi"
	"jiamenkou/service/volunteer"
)

type serviceRecordDTO struct {
	ID              string     `json:"id"`
	Kind            string     `json:"kind" enum:"attendance,manual,correction" doc:"manual：补录；correction：更正；都不得积分"`
	State           string     `json:"state" enum:"effective,pending_approval,rejected,corrected"`
	Approval        string     `json:"approval" enum:"none,second_person,long_day" doc:"由谁审批：另一人，或上级地区"`
	VolunteerNumber string     `json:"volunteer_number"`
	RegionID        string     `json:"region_id"`
	ActivityID      *string    `json:"activity_id"`
	ActivityTitle   string     `json:"activity_title"`
	Day             string     `json:"day" format:"date"`
	StartedAt       time.Time  `json:"started_at"`
	EndedAt         time.Time  `json:"ended_at"`
	Minutes         int64      `json:"minutes"`
	PlaceName       string     `json:"place_name"`
	Beneficiary     string     `json:"beneficiary"`
	Content         string     `json:"content"`
	QualityRating   *int64     `json:"quality_rating"`
	PersonInCharge  string     `json:"person_in_charge"`
	RecorderID      string     `json:"recorder_id"`
	RecorderName    string     `json:"recorder_name"`
	Reason          string     `json:"reason"`
	DecidedBy       *string    `json:"decided_by"`
	DecidedAt       *time.Time `json:"decided_at"`
	CreatedAt       time.Time  `json:"created_at"`
}

func serviceRecordOf(r volunteer.Record) serviceRecordDTO {
	return serviceRecordDTO{
		ID: r.ID, Kind: string(r.Kind), State: string(r.State), Approval: string(r.Approval), VolunteerNumber: r.VolunteerNumber,
		RegionID: r.RegionID, ActivityID: r.ActivityID, ActivityTitle: r.ActivityTitle, Day: string(r.Day),
		StartedAt: r.StartedAt.Time(), EndedAt: r.EndedAt.Time(), Minutes: r.Minutes, PlaceName: r.PlaceName, Beneficiary: r.Beneficiary,
		Content: r.Content, QualityRating: r.QualityRating, PersonInCharge: r.PersonInCharge, RecorderID: r.RecorderID,
		RecorderName: r.RecorderName, Reason: r.Reason, DecidedBy: r.DecidedBy, DecidedAt: clock.TimePtr(r.DecidedAt), CreatedAt: r.CreatedAt.Time(),
	}
}

type listServiceRecordsInput struct {
	httpapi.SortedQuery
	State    string `query:"state" enum:"effective,pending_approval,rejected,corrected"`
	Kind     string `query:"kind" enum:"attendance,manual,correction"`
	Approval string `query:"approval" enum:"none,second_person,long_day"`
	From     string `query:"from" pattern:"^[0-9]{4}-[0-9]{2}-[0-9]{2}$" doc:"服务日期不早于"`
	To       string `query:"to" pattern:"^[0-9]{4}-[0-9]{2}-[0-9]{2}$" doc:"服务日期不晚于"`
}

func (s *server) listServiceRecords(ctx context.Context, in *listServiceRecordsInput) (*httpapi.Body[httpapi.PageBody[serviceRecordDTO]], error) {
	return httpapi.Listed(serviceRecordOf)(s.Volunteer.Records(ctx, authz.FromContext(ctx), volunteer.RecordFilter{
		State: in.State, Kind: in.Kind, Approval: in.Approval, From: clock.Day(in.From), To: clock.Day(in.To),
	}, in.Request()))
}

func (s *server) getServiceRecord(ctx context.Context, in *idInput) (*httpapi.Body[serviceRecordDTO], error) {
	r, err := s.Volunteer.Record(ctx, authz.FromContext(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return httpapi.OK(serviceRecordOf(r)), nil
}

type addServiceRecordsInput struct {
	httpapi.Idempotent
	Body struct {
		RegionID         string    `json:"region_id" minLength:"26" maxLength:"26"`
		VolunteerNumbers []string  `json:"volunteer_numbers" minItems:"1" maxItems:"200"`
		Title            string    `json:"title" minLength:"1" maxLength:"60" doc:"活动名称"`
		Content          string    `json:"content" minLength:"1" maxLength:"2000"`
		PlaceName        string    `json:"place_name" minLength:"1" maxLength:"100"`
		Beneficiary      string    `json:"beneficiary" minLength:"1" maxLength:"60"`
		PersonInCharge   string    `json:"person_in_charge" minLength:"1" maxLength:"30"`
		StartedAt        time.Time `json:"started_at"`
		EndedAt          time.Time `json:"ended_at"`
		BreakMinutes     int64     `json:"break_minutes,omitempty" minimum:"0" maximum:"720"`
		QualityRating    *int64    `json:"quality_rating,omitempty" minimum:"1" maximum:"5"`
		Reason           string    `json:"reason" minLength:"2" maxLength:"200" doc:"补录原因"`
	}
}

type addedServiceRecordsDTO struct {
	RecordIDs []string `json:"record_ids" doc:"与志愿者编号同序；另一人审批后生效"`
}

func (s *server) addServiceRecords(ctx context.Context, in *addServiceRecordsInput) (*httpapi.Body[addedServiceRecordsDTO], error) {
	b := in.Body
	ids, err := s.Volunteer.AddManualRecord(ctx, authz.FromContext(ctx), volunteer.ManualInput{
		IdempotencyKey: in.IdempotencyKey, RegionID: b.RegionID, VolunteerNumbers: b.VolunteerNumbers, Title: b.Title, Content: b.Content,
		PlaceName: b.PlaceName, Beneficiary: b.Beneficiary, PersonInCharge: b.PersonInCharge, StartedAt: clock.InstantOf(b.StartedAt),
		EndedAt: clock.InstantOf(b.EndedAt), BreakMinutes: b.BreakMinutes, QualityRating: b.QualityRating, Reason: b.Reason,
	})
	if err != nil {
		return nil, err
	}
	return httpapi.OK(addedServiceRecordsDTO{RecordIDs: ids}), nil
}

type recordDecisionFields struct {
	RecordID     string `json:"record_id" minLength:"26" maxLength:"26"`
	RejectReason string `json:"reject_reason,omitempty" maxLength:"200" doc:"填写即不同意"`
}

type decideServiceRecordsInput struct {
	Body struct {
		Decisions []recordDecisionFields `json:"decisions" minItems:"1" maxItems:"200"`
	}
}

func (in *decideServiceRecordsInput) decisions() []volunteer.Decision {
	out := make([]volunteer.Decision, len(in.Body.Decisions))
	for i, d := range in.Body.Decisions {
		out[i] = volunteer.Decision{RecordID: d.RecordID, RejectReason: d.RejectReason}
	}
	return out
}

func (s *server) decideManualRecords(ctx context.Context, in *decideServiceRecordsInput) (*struct{}, error) {
	return nil, s.Volunteer.ApproveManualRecord(ctx, authz.FromContext(ctx), in.decisions())
}

func (s *server) decideLongDays(ctx context.Context, in *decideServiceRecordsInput) (*struct{}, error) {
	return nil, s.Volunteer.ApproveLongDay(ctx, authz.FromContext(ctx), in.decisions())
}
