package miniprogram

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/httpapi"
	"jiamenkou/internal/paging"
	"jiamenkou/service/volunteer"
)

// MyCertificateDTO is one of the resident's own certificates.
type MyCertificateDTO struct {
	ID           string     `json:"id"`
	State        string     `json:"state" enum:"requested,issued,refused,withdrawn,revoked" doc:"办理中、已出具、不予出具、已撤回、已撤销"`
	Purpose      string     `json:"purpose" doc:"用途"`
	From         string     `json:"from" format:"date"`
	To           string     `json:"to" format:"date"`
	Number       *string    `json:"number" doc:"证明编号，出具后才有"`
	CheckCode    *string    `json:"check_code" doc:"校验码，出具后才有"`
	VerifyURL    string     `json:"verify_url" doc:"任何人核验的网页；空表示还没有出具"`
	Issuer       string     `json:"issuer" doc:"出具单位"`
	IssuedOn     *string    `json:"issued_on" format:"date"`
	HandlerName  string     `json:"handler_name" doc:"经办人"`
	HandlerPhone string     `json:"handler_phone"`
	RecordCount  int64      `json:"record_count"`
	TotalMinutes int64      `json:"total_minutes"`
	Reason       string     `json:"reason" doc:"不予出具或撤销的原因"`
	DecidedAt    *time.Time `json:"decided_at"`
	CreatedAt    time.Time  `json:"created_at"`
}

func (s *server) myCertificateOf(c volunteer.Certificate) MyCertificateDTO {
	out := MyCertificateDTO{
		ID: c.ID, State: string(c.State), Purpose: c.Purpose, From: string(c.FromDay), To: string(c.ToDay), Number: c.Number, CheckCode: c.CheckCode,
		Issuer: c.Issuer, HandlerName: c.HandlerName, HandlerPhone: c.HandlerPhone, RecordCount: c.RecordCount, TotalMinutes: c.TotalMinutes,
		Reason: c.Reason, DecidedAt: clock.TimePtr(c.DecidedAt), CreatedAt: c.CreatedAt.Time(),
	}
	if c.IssuedOn != nil {
		day := string(*c.IssuedOn)
		out.IssuedOn = &day
	}
	if c.Number != nil {
		out.VerifyURL = s.Volunteer.VerifyURL(c)
	}
	return out
}

type requestCertificateInput struct {
	httpapi.Idempotent
	Body struct {
		Purpose string `json:"purpose" minLength:"2" maxLength:"60" doc:"用途，写在证明上"`
		From    string `json:"from" format:"date" doc:"服务期间，含当天"`
		To      string `json:"to" format:"date"`
	}
}

func (s *server) requestCertificate(ctx context.Context, in *requestCertificateInput) (*httpapi.Body[MyCertificateDTO], error) {
	c, err := s.Volunteer.RequestCertificate(ctx, authz.FromContext(ctx), volunteer.CertificateRequest{
		IdempotencyKey: in.IdempotencyKey, Purpose: in.Body.Purpose, From: clock.Day(in.Body.From), To: clock.Day(in.Body.To),
	})
	if err != nil {
		return nil, err
	}
	return httpapi.OK(s.myCertificateOf(c)), nil
}

type listMyCertificatesInput struct {
	httpapi.PageQuery
	State string `query:"state" enum:"requested,issued,refused,withdrawn,revoked"`
}

func (s *server) listMyCertificates(ctx context.Context, in *listMyCertificatesInput) (*httpapi.Body[httpapi.PageBody[MyCertificateDTO]], error) {
	page, err := s.Volunteer.MyCertificates(ctx, authz.FromContext(ctx), volunteer.CertificateFilter{State: volunteer.CertificateState(in.State)},
		paging.Request{Cursor: in.Cursor, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	return httpapi.OK(httpapi.PageOf(page, func(c volunteer.CertificateItem) MyCertificateDTO { return s.myCertificateOf(c.Certificate) })), nil
}

func (s *server) getMyCertificate(ctx context.Context, in *idInput) (*httpapi.Body[MyCertificateDTO], error) {
	c, err := s.Volunteer.MyCertificate(ctx, authz.FromContext(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return httpapi.OK(s.myCertificateOf(c.Certificate)), nil
}

func (s *server) withdrawCertificate(ctx context.Context, in *idInput) (*httpapi.Body[MyCertificateDTO], error) {
	c, err := s.Volunteer.WithdrawCertificate(ctx, authz.FromContext(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return httpapi.OK(s.myCertificateOf(c)), nil
}

func (s *server) getMyCertificateFile(ctx context.Context, in *idInput) (*huma.StreamResponse, error) {
	name, file, err := s.Volunteer.CertificateFile(ctx, authz.FromContext(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return httpapi.DownloadBytes("application/pdf", name, file), nil
}

type verifyCertificateInput struct {
	Number    string `query:"number" required:"true" minLength:"1" maxLength:"48" doc:"证明编号"`
	CheckCode string `query:"check_code" required:"true" minLength:"1" maxLength:"16" doc:"校验码，不分大小写"`
}

type verifiedRecordDTO struct {
	ActivityTitle  string    `json:"activity_title"`
	Day            string    `json:"day" format:"date"`
	StartedAt      time.Time `json:"started_at"`
	EndedAt        time.Time `json:"ended_at"`
	Minutes        int64     `json:"minutes"`
	PlaceName      string    `json:"place_name"`
	Beneficiary    string    `json:"beneficiary"`
	QualityRating  *int64    `json:"quality_rating"`
	PersonInCharge string    `json:"person_in_charge"`
	RecorderName   string    `json:"recorder_name"`
}

type verifiedCertificateDTO struct {
	Number          string              `json:"number"`
	State           string              `json:"state" enum:"issued,revoked" doc:"有效、已撤销"`
	MaskedName      string              `json:"masked_name" doc:"姓名隐去"`
	VolunteerNumber string              `json:"volunteer_number"`
	Purpose         string              `json:"purpose"`
	From            string              `json:"from" format:"date"`
	To              string              `json:"to" format:"date"`
	Issuer          string              `json:"issuer"`
	IssuedOn        string              `json:"issued_on" format:"date"`
	HandlerName     string              `json:"handler_name"`
	HandlerPhone    string              `json:"handler_phone"`
	RecordCount     int64               `json:"record_count"`
	TotalMinutes    int64               `json:"total_minutes"`
	RecordsChanged  bool                `json:"records_changed" doc:"出具后所列记录有更正"`
	Records         []verifiedRecordDTO `json:"records"`
}

// verifyCertificate is anonymous: whoever holds the paper may ask.
func (s *server) verifyCertificate(ctx context.Context, in *verifyCertificateInput) (*httpapi.Body[verifiedCertificateDTO], error) {
	v, err := s.Volunteer.VerifyCertificate(ctx, in.Number, in.CheckCode)
	if err != nil {
		return nil, err
	}
	out := verifiedCertificateDTO{
		Number: *v.Number, State: string(v.State), MaskedName: v.MaskedName, VolunteerNumber: v.VolunteerNumber, Purpose: v.Purpose,
		From: string(v.FromDay), To: string(v.ToDay), Issuer: v.Issuer, IssuedOn: string(*v.IssuedOn), HandlerName: v.HandlerName,
		HandlerPhone: v.HandlerPhone, RecordCount: v.RecordCount, TotalMinutes: v.TotalMinutes, RecordsChanged: v.RecordsChanged,
		Records: []verifiedRecordDTO{},
	}
	for _, r := range v.Records {
		out.Records = append(out.Records, verifiedRecordDTO{
			ActivityTitle: r.ActivityTitle, Day: string(r.Day), StartedAt: r.StartedAt.Time(), EndedAt: r.EndedAt.Time(), Minutes: r.Minutes,
			PlaceName: r.PlaceName, Beneficiary: r.Beneficiary, QualityRating: r.QualityRating, PersonInCharge: r.PersonInCharge, RecorderName: r.RecorderName,
		})
	}
	return httpapi.OK(out), nil
}
