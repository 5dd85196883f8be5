package miniprogram

import (
	"context"
	"time"

	"jiamenkou/internal/authz"
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

func (s *server) deleteProfile(ctx context.Context, _ *struct{}) (*struct{}, error) {
	return nil, s.Identity.DeleteAccount(ctx, authz.FromContext(ctx))
}
