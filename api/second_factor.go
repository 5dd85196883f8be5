package api

import (
	"context"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/httpapi"
)

type completeLoginInput struct {
	Body struct {
		ChallengeToken string `json:"challenge_token" minLength:"1" maxLength:"2048" doc:"第一步登录返回的值，几分钟内有效"`
		Code           string `json:"code" minLength:"6" maxLength:"24" doc:"验证器上的 6 位验证码，或一个没用过的恢复码"`
	}
}

func (s *server) completeLogin(ctx context.Context, in *completeLoginInput) (*httpapi.Body[tokensDTO], error) {
	return tokensOf(s.Identity.CompleteLogin(ctx, in.Body.ChallengeToken, in.Body.Code))
}

type enrolInput struct {
	Body struct {
		Password string `json:"password" minLength:"1" maxLength:"128" doc:"再次输入登录密码"`
	}
}

type enrolmentDTO struct {
	Secret string `json:"secret" doc:"不能扫码时手工输入"`
	URI    string `json:"uri" example:"otpauth://totp/…"`
	QRCode []byte `json:"qr_code" doc:"二维码图片（PNG，base64）"`
}

func (s *server) enrolSecondFactor(ctx context.Context, in *enrolInput) (*httpapi.Body[enrolmentDTO], error) {
	e, err := s.Identity.EnrolSecondFactor(ctx, authz.FromContext(ctx), in.Body.Password)
	if err != nil {
		return nil, err
	}
	return httpapi.OK(enrolmentDTO{Secret: e.Secret, URI: e.URI, QRCode: e.QRCode}), nil
}

type confirmFactorInput struct {
	Body struct {
		Code string `json:"code" minLength:"6" maxLength:"6" doc:"验证器上的 6 位验证码"`
	}
}

type recoveryCodesDTO struct {
	RecoveryCodes []string `json:"recovery_codes" doc:"请抄下保存：只显示这一次，每个只能用一次"`
}

func (s *server) confirmSecondFactor(ctx context.Context, in *confirmFactorInput) (*httpapi.Body[recoveryCodesDTO], error) {
	codes, err := s.Identity.ConfirmSecondFactor(ctx, authz.FromContext(ctx), in.Body.Code)
	if err != nil {
		return nil, err
	}
	return httpapi.OK(recoveryCodesDTO{RecoveryCodes: codes}), nil
}

type renewCodesInput struct {
	Body struct {
		Code string `json:"code" minLength:"6" maxLength:"24" doc:"验证器上的 6 位验证码，或一个没用过的恢复码"`
	}
}

func (s *server) renewRecoveryCodes(ctx context.Context, in *renewCodesInput) (*httpapi.Body[recoveryCodesDTO], error) {
	codes, err := s.Identity.RenewRecoveryCodes(ctx, authz.FromContext(ctx), in.Body.Code)
	if err != nil {
		return nil, err
	}
	return httpapi.OK(recoveryCodesDTO{RecoveryCodes: codes}), nil
}

func (s *server) removeSecondFactor(ctx context.Context, in *reasonInput) (*struct{}, error) {
	return nil, s.Identity.RemoveSecondFactor(ctx, authz.FromContext(ctx), in.ID, in.Body.Reason)
}
