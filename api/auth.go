package api

import (
	"context"
	"time"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/httpapi"
	"jiamenkou/service/identity"
)

type tokensDTO struct {
	StaffID          string    `json:"staff_id"`
	AccessToken      string    `json:"access_token" doc:"放在 Authorization: Bearer 中"`
	AccessExpiresAt  time.Time `json:"access_expires_at"`
	RefreshToken     string    `json:"refresh_token" doc:"只能用一次；换来的新值须保存"`
	RefreshExpiresAt time.Time `json:"refresh_expires_at"`
}

func tokensOf(t identity.Tokens, err error) (*httpapi.Body[tokensDTO], error) {
	if err != nil {
		return nil, err
	}
	return httpapi.OK(tokensDTO{
		StaffID: t.PrincipalID, AccessToken: t.AccessToken, AccessExpiresAt: t.AccessExpiresAt.Time(),
		RefreshToken: t.RefreshToken, RefreshExpiresAt: t.RefreshExpiresAt.Time(),
	}), nil
}

type loginInput struct {
	Body struct {
		Username string `json:"username" minLength:"1" maxLength:"64"`
		Password string `json:"password" minLength:"1" maxLength:"128"`
	}
}

type loginDTO struct {
	Step               string     `json:"step" enum:"done,code" doc:"done：已登录，下列令牌可用；code：还须用 challenge_token 和验证码完成登录"`
	ChallengeToken     string     `json:"challenge_token" doc:"只用于 /auth/login/second-factor"`
	ChallengeExpiresAt *time.Time `json:"challenge_expires_at"`
	StaffID            string     `json:"staff_id"`
	AccessToken        string     `json:"access_token" doc:"放在 Authorization: Bearer 中"`
	AccessExpiresAt    *time.Time `json:"access_expires_at"`
	RefreshToken       string     `json:"refresh_token" doc:"只能用一次；换来的新值须保存"`
	RefreshExpiresAt   *time.Time `json:"refresh_expires_at"`
}

func loginOf(l identity.StaffLogin, err error) (*httpapi.Body[loginDTO], error) {
	if err != nil {
		return nil, err
	}
	if l.Challenge != "" {
		return httpapi.OK(loginDTO{Step: "code", ChallengeToken: l.Challenge, ChallengeExpiresAt: clock.TimePtr(&l.ChallengeExpiresAt)}), nil
	}
	return httpapi.OK(loginDTO{
		Step: "done", StaffID: l.PrincipalID, AccessToken: l.AccessToken, AccessExpiresAt: clock.TimePtr(&l.AccessExpiresAt),
		RefreshToken: l.RefreshToken, RefreshExpiresAt: clock.TimePtr(&l.RefreshExpiresAt),
	}), nil
}

func (s *server) login(ctx context.Context, in *loginInput) (*httpapi.Body[loginDTO], error) {
	return loginOf(s.Identity.LoginStaff(ctx, in.Body.Username, in.Body.Password))
}

type wechatCodeInput struct {
	Body struct {
		Code string `json:"code" minLength:"1" maxLength:"128" doc:"wx.login 的 code，只能用一次"`
	}
}

func (s *server) loginWeChat(ctx context.Context, in *wechatCodeInput) (*httpapi.Body[loginDTO], error) {
	return loginOf(s.Identity.LoginStaffWeChat(ctx, in.Body.Code))
}

type refreshInput struct {
	Body struct {
		RefreshToken string `json:"refresh_token" minLength:"1" maxLength:"128"`
	}
}

func (s *server) refresh(ctx context.Context, in *refreshInput) (*httpapi.Body[tokensDTO], error) {
	return tokensOf(s.Identity.Refresh(ctx, authz.KindStaff, in.Body.RefreshToken))
}

func (s *server) logout(ctx context.Context, _ *struct{}) (*struct{}, error) {
	return nil, s.Identity.Logout(ctx, authz.FromContext(ctx))
}

func (s *server) logoutEverywhere(ctx context.Context, _ *struct{}) (*struct{}, error) {
	return nil, s.Identity.LogoutEverywhere(ctx, authz.FromContext(ctx))
}

// selfDTO is oneself.
type selfDTO struct {
	StaffDTO
	MustEnrol bool `json:"must_enrol" doc:"须先设置两步验证，之前其他操作都返回 403"`
}

func (s *server) getSelf(ctx context.Context, _ *struct{}) (*httpapi.Body[selfDTO], error) {
	actor := authz.FromContext(ctx)
	staff, err := s.Identity.StaffSelf(ctx, actor)
	if err != nil {
		return nil, err
	}
	out := selfDTO{StaffDTO: staffOf(staff), MustEnrol: actor.MustEnrol}
	return httpapi.OK(out), s.nameEmployers(ctx, out.Grants)
}

type changePasswordInput struct {
	Body struct {
		OldPassword string `json:"old_password" minLength:"1" maxLength:"128"`
		NewPassword string `json:"new_password" minLength:"10" maxLength:"128"`
	}
}

func (s *server) changePassword(ctx context.Context, in *changePasswordInput) (*struct{}, error) {
	return nil, s.Identity.ChangeOwnPassword(ctx, authz.FromContext(ctx), in.Body.OldPassword, in.Body.NewPassword)
}

func (s *server) bindWeChat(ctx context.Context, in *wechatCodeInput) (*struct{}, error) {
	return nil, s.Identity.BindStaffWeChat(ctx, authz.FromContext(ctx), in.Body.Code)
}

func (s *server) unbindWeChat(ctx context.Context, _ *struct{}) (*struct{}, error) {
	return nil, s.Identity.UnbindStaffWeChat(ctx, authz.FromContext(ctx))
}
