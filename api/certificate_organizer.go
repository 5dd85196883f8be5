package api

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/httpapi"
	"jiamenkou/service/volunteer"
)

// CertificateDTO is a certificate in a list, and the head of its detail.
type CertificateDTO struct {
	ID              string     `json:"id"`
	State           string     `json:"state" enum:"requested,issued,refused,withdrawn,revoked"`
	Purpose         string     `json:"purpose" doc:"用途"`
	From            string     `json:"from" format:"date"`
	To              string     `json:"to" format:"date"`
	MaskedName      string     `json:"masked_name" doc:"志愿者姓名，隐去"`
	VolunteerNumber string     `json:"volunteer_number"`
	RegionID        string     `json:"region_id" doc:"志愿者申请时的居住地"`
	Number          *string    `json:"number" doc:"证明编号，出具后才有"`
	Issuer          string     `json:"issuer" doc:"出具单位"`
	IssuedOn        *string    `json:"issued_on" format:"date"`
	HandlerName     string     `json:"handler_name" doc:"经办人"`
	HandlerPhone    string     `json:"handler_phone"`
	RecordCount     int64      `json:"record_count"`
	TotalMinutes    int64      `json:"total_minutes"`
	Reason          string     `json:"reason" doc:"不出具或撤销的原因"`
	DecidedAt       *time.Time `json:"decided_at"`
	CreatedAt       time.Time  `json:"created_at"`
}

func certificateOf(c volunteer.CertificateItem) CertificateDTO {
	out := CertificateDTO{
		ID: c.ID, State: string(c.State), Purpose: c.Purpose, From: string(c.FromDay), To: string(c.ToDay), MaskedName: c.MaskedName,
		VolunteerNumber: c.VolunteerNumber, RegionID: c.RegionID, Number: c.Number, Issuer: c.Issuer, HandlerName: c.HandlerName,
		HandlerPhone: c.HandlerPhone, RecordCount: c.RecordCount, TotalMinutes: c.TotalMinutes, Reason: c.Reason,
		DecidedAt: clock.TimePtr(c.DecidedAt), CreatedAt: c.CreatedAt.Time(),
	}
	if c.IssuedOn != nil {
		day := string(*c.IssuedOn)
		out.IssuedOn = &day
	}
	return out
}

type certificateDetailDTO struct {
	CertificateDTO
	RegionName string             `json:"region_name"`
	VerifyURL  string             `json:"verify_url" doc:"任何人核验的网页；空表示还没有出具"`
	Records    []serviceRecordDTO `json:"records" doc:"所列的服务记录；待办时为现在出具会列的"`
	History    []moveDTO          `json:"history"`
}

type listCertificatesInput struct {
	httpapi.SortedQuery
	State  string `query:"state" enum:"requested,issued,refused,withdrawn,revoked"`
	Number string `query:"number" maxLength:"48" doc:"证明编号，完整"`
}

func (s *server) listCertificates(ctx context.Context, in *listCertificatesInput) (*httpapi.Body[httpapi.PageBody[CertificateDTO]], error) {
	return httpapi.Listed(certificateOf)(s.Volunteer.Certificates(ctx, authz.FromContext(ctx), volunteer.CertificateFilter{
		State: volunteer.CertificateState(in.State), Number: in.Number,
	}, in.Request()))
}

func (s *server) getCertificate(ctx context.Context, in *idInput) (*httpapi.Body[certificateDetailDTO], error) {
	return s.certificateBody(ctx, in.ID, nil)
}

// certificateBody answers with the certificate as it is now.
func (s *server) certificateBody(ctx context.Context, id string, err error) (*httpapi.Body[certificateDetailDTO], error) {
	if err != nil {
		return nil, err
	}
	c, err := s.Volunteer.StaffCertificate(ctx, authz.FromContext(ctx), id)
	if err != nil {
		return nil, err
	}
	out := certificateDetailDTO{
		CertificateDTO: certificateOf(c.CertificateItem), RegionName: c.RegionName, Records: []serviceRecordDTO{}, History: []moveDTO{},
	}
	if c.Number != nil {
		out.VerifyURL = s.Volunteer.VerifyURL(c.Certificate)
	}
	for _, r := range c.Records {
		out.Records = append(out.Records, serviceRecordOf(r))
	}
	for _, h := range c.History {
		out.History = append(out.History, moveOf(h.FromStatus, h.ToStatus, h.ActorKind, h.ActorID, h.Reason, h.CreatedAt))
	}
	return httpapi.OK(out), nameActors(ctx, s, out.History)
}

type issueCertificateInput struct {
	httpapi.Idempotent
	ID   string `path:"id" minLength:"26" maxLength:"26"`
	Body struct {
		Issuer       string `json:"issuer" minLength:"2" maxLength:"60" doc:"出具单位"`
		HandlerPhone string `json:"handler_phone" minLength:"5" maxLength:"20" doc:"经办人联系电话"`
	}
}

func (s *server) issueCertificate(ctx context.Context, in *issueCertificateInput) (*httpapi.Body[certificateDetailDTO], error) {
	_, err := s.Volunteer.IssueCertificate(ctx, authz.FromContext(ctx), volunteer.IssueInput{
		IdempotencyKey: in.IdempotencyKey, CertificateID: in.ID, Issuer: in.Body.Issuer, HandlerPhone: in.Body.HandlerPhone,
	})
	return s.certificateBody(ctx, in.ID, err)
}

type endCertificateInput struct {
	httpapi.Idempotent
	ID   string `path:"id" minLength:"26" maxLength:"26"`
	Body struct {
		Reason string `json:"reason" minLength:"2" maxLength:"200"`
	}
}

func (in *endCertificateInput) decision() volunteer.CertificateDecision {
	return volunteer.CertificateDecision{IdempotencyKey: in.IdempotencyKey, CertificateID: in.ID, Reason: in.Body.Reason}
}

func (s *server) refuseCertificate(ctx context.Context, in *endCertificateInput) (*httpapi.Body[certificateDetailDTO], error) {
	_, err := s.Volunteer.RefuseCertificate(ctx, authz.FromContext(ctx), in.decision())
	return s.certificateBody(ctx, in.ID, err)
}

func (s *server) revokeCertificate(ctx context.Context, in *endCertificateInput) (*httpapi.Body[certificateDetailDTO], error) {
	_, err := s.Volunteer.RevokeCertificate(ctx, authz.FromContext(ctx), in.decision())
	return s.certificateBody(ctx, in.ID, err)
}

func (s *server) getCertificateFile(ctx context.Context, in *idInput) (*huma.StreamResponse, error) {
	name, file, err := s.Volunteer.CertificateFile(ctx, authz.FromContext(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return httpapi.DownloadBytes("application/pdf", name, file), nil
}
