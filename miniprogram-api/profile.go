package miniprogram

import (
	"context"
	"time"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/httpapi"
	"jiamenkou/service/identity"
)

type homeRegionDTO struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Level string `json:"level" enum:"village,grid,microgrid,building"`
	Path  string `json:"path" doc:"从县市区起各级区域的 id"`
}

func homeRegionOf(r identity.Region) homeRegionDTO {
	return homeRegionDTO{ID: r.ID, Name: r.Name, Level: string(r.Level), Path: r.Path}
}

type profileDTO struct {
	ID              string         `json:"id"`
	Nickname        string         `json:"nickname"`
	MaskedPhone     string         `json:"masked_phone" example:"138****5678" doc:"未绑定为空"`
	MaskedName      string         `json:"masked_name" example:"王**" doc:"未登记为空"`
	IDNumberOnFile  bool           `json:"id_number_on_file"`
	VolunteerNumber string         `json:"volunteer_number"`
	HomeRegion      *homeRegionDTO `json:"home_region" doc:"未选择为 null"`
	BirthYear       int            `json:"birth_year" doc:"未填写为 0"`
	CreatedAt       time.Time      `json:"created_at"`
}

func profileOf(p identity.Profile) profileDTO {
	out := profileDTO{
		ID: p.ID, Nickname: p.Nickname, MaskedPhone: p.MaskedPhone, MaskedName: p.MaskedName, IDNumberOnFile: p.IDNumberOnFile,
		VolunteerNumber: p.VolunteerNumber, BirthYear: p.BirthYear, CreatedAt: p.CreatedAt.Time(),
	}
	if p.HomeRegion != nil {
		home := homeRegionOf(*p.HomeRegion)
		out.HomeRegion = &home
	}
	return out
}

func (s *server) getProfile(ctx context.Context, _ *struct{}) (*httpapi.Body[profileDTO], error) {
	profile, err := s.Identity.GetProfile(ctx, authz.FromContext(ctx))
	if err != nil {
		return nil, err
	}
	return httpapi.OK(profileOf(profile)), nil
}

type updateProfileInput struct {
	Body struct {
		Nickname string `json:"nickname" minLength:"1" maxLength:"20"`
	}
}

func (s *server) updateProfile(ctx context.Context, in *updateProfileInput) (*struct{}, error) {
	return nil, s.Identity.UpdateProfile(ctx, authz.FromContext(ctx), in.Body.Nickname)
}

type bindPhoneInput struct {
	Body struct {
		Code string `json:"code" minLength:"1" maxLength:"128" doc:"getPhoneNumber 按钮返回的 code"`
	}
}

type phoneDTO struct {
	MaskedPhone string `json:"masked_phone" example:"138****5678"`
}

func (s *server) bindPhone(ctx context.Context, in *bindPhoneInput) (*httpapi.Body[phoneDTO], error) {
	masked, err := s.Identity.BindPhone(ctx, authz.FromContext(ctx), in.Body.Code)
	if err != nil {
		return nil, err
	}
	return httpapi.OK(phoneDTO{MaskedPhone: masked}), nil
}

type homeRegionInput struct {
	Body struct {
		RegionID string `json:"region_id" minLength:"26" maxLength:"26" doc:"村社、网格或更小的区域"`
	}
}

func (s *server) setHomeRegion(ctx context.Context, in *homeRegionInput) (*httpapi.Body[homeRegionDTO], error) {
	region, err := s.Identity.SetHomeRegion(ctx, authz.FromContext(ctx), in.Body.RegionID)
	if err != nil {
		return nil, err
	}
	return httpapi.OK(homeRegionOf(region)), nil
}

type realNameInput struct {
	Body struct {
		RealName string `json:"real_name" minLength:"2" maxLength:"40"`
		IDNumber string `json:"id_number,omitempty" maxLength:"18" doc:"可不填；填写后姓名与证件号不可自行修改"`
	}
}

func (s *server) setRealName(ctx context.Context, in *realNameInput) (*struct{}, error) {
	return nil, s.Identity.SetRealName(ctx, authz.FromContext(ctx), in.Body.RealName, in.Body.IDNumber)
}

type exportDTO struct {
	Profile  profileDTO           `json:"profile"`
	Phone    string               `json:"phone"`
	RealName string               `json:"real_name"`
	IDNumber string               `json:"id_number"`
	Consents []consentDecisionDTO `json:"consents" doc:"每一次同意与撤回"`
	Sessions []sessionDTO         `json:"sessions"`
	Accesses []accessDTO          `json:"accesses" doc:"工作人员何时为何查过您的信息"`
}

type consentDecisionDTO struct {
	Purpose   string    `json:"purpose"`
	Status    string    `json:"status"`
	Version   string    `json:"version"`
	DecidedAt time.Time `json:"decided_at"`
}

type sessionDTO struct {
	CreatedAt  time.Time  `json:"created_at"`
	LastUsedAt time.Time  `json:"last_used_at"`
	RevokedAt  *time.Time `json:"revoked_at"`
}

type accessDTO struct {
	Field  string    `json:"field"`
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
}

func (s *server) exportProfile(ctx context.Context, _ *struct{}) (*httpapi.Body[exportDTO], error) {
	e, err := s.Identity.ExportData(ctx, authz.FromContext(ctx))
	if err != nil {
		return nil, err
	}
	out := exportDTO{
		Profile: profileOf(e.Profile), Phone: e.Phone, RealName: e.RealName, IDNumber: e.IDNumber,
		Consents: []consentDecisionDTO{}, Sessions: []sessionDTO{}, Accesses: []accessDTO{},
	}
	for _, c := range e.Consents {
		out.Consents = append(out.Consents, consentDecisionDTO{string(c.Purpose), string(c.Status), c.Version, c.DecidedAt.Time()})
	}
	for _, session := range e.Sessions {
		out.Sessions = append(out.Sessions, sessionDTO{session.CreatedAt.Time(), session.LastUsedAt.Time(), clock.TimePtr(session.RevokedAt)})
	}
	for _, a := range e.Accesses {
		out.Accesses = append(out.Accesses, accessDTO{string(a.Field), a.Reason, a.CreatedAt.Time()})
	}
	return httpapi.OK(out), nil
}

func (s *server) deleteProfile(ctx context.Context, _ *struct{}) (*struct{}, error) {
	return nil, s.Identity.DeleteAccount(ctx, authz.FromContext(ctx))
}
