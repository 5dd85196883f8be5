package miniprogram

import (
	"context"
	"time"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/httpapi"
	"jiamenkou/service/identity"
)

type tokensDTO struct {
	AccessToken      string    `json:"access_token" doc:"放在 Authorization: Bearer 中"`
	AccessExpiresAt  time.Time `json:"access_expires_at"`
	RefreshToken     string    `json:"refresh_token" doc:"只能用一次；换来的新值须保存"`
	RefreshExpiresAt time.Time `json:"refresh_expires_at"`
}

func tokensOf(t identity.Tokens) tokensDTO {
	return tokensDTO{
		AccessToken: t.AccessToken, AccessExpiresAt: t.AccessExpiresAt.Time(),
		RefreshToken: t.RefreshToken, RefreshExpiresAt: t.RefreshExpiresAt.Time(),
	}
}

type loginInput struct {
	Body struct {
		Code             string `json:"code" minLength:"1" maxLength:"128" doc:"wx.login 的 code，只能用一次"`
		BirthYear        int    `json:"birth_year,omitempty" minimum:"1900" maximum:"2200" doc:"出生年份；未满 14 周岁须监护人同意"`
		GuardianConsents bool   `json:"guardian_consents,omitempty" doc:"监护人已同意"`
	}
}

type loginDTO struct {
	Tokens     tokensDTO `json:"tokens"`
	ResidentID string    `json:"resident_id"`
	New        bool      `json:"new" doc:"首次登录"`
}

func (s *server) login(ctx context.Context, in *loginInput) (*httpapi.Body[loginDTO], error) {
	session, err := s.Identity.LoginResident(ctx, identity.ResidentLogin{
		Code: in.Body.Code, BirthYear: in.Body.BirthYear, GuardianConsents: in.Body.GuardianConsents,
	})
	if err != nil {
		return nil, err
	}
	return httpapi.OK(loginDTO{Tokens: tokensOf(session.Tokens), ResidentID: session.PrincipalID, New: session.New}), nil
}

type refreshInput struct {
	Body struct {
		RefreshToken string `json:"refresh_token" minLength:"1" maxLength:"128"`
	}
}

func (s *server) refresh(ctx context.Context, in *refreshInput) (*httpapi.Body[tokensDTO], error) {
	tokens, err := s.Identity.Refresh(ctx, authz.KindResident, in.Body.RefreshToken)
	if err != nil {
		return nil, err
	}
	return httpapi.OK(tokensOf(tokens)), nil
}

func (s *server) logout(ctx context.Context, _ *struct{}) (*struct{}, error) {
	return nil, s.Identity.Logout(ctx, authz.FromContext(ctx))
}

func (s *server) logoutEverywhere(ctx context.Context, _ *struct{}) (*struct{}, error) {
	return nil, s.Identity.LogoutEverywhere(ctx, authz.FromContext(ctx))
}
