package miniprogram

import (
	"context"
	"time"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/httpapi"
	"jiamenkou/service/identity"
)

type consentDTO struct {
	Purpose   string     `json:"purpose" enum:"privacy_policy,location,notifications,leaderboard"`
	Granted   bool       `json:"granted"`
	Version   string     `json:"version" doc:"最近一次决定所针对的文本版本"`
	DecidedAt *time.Time `json:"decided_at" doc:"从未询问为 null"`
}

type consentsDTO struct {
	Items []consentDTO `json:"items"`
}

func (s *server) listConsents(ctx context.Context, _ *struct{}) (*httpapi.Body[consentsDTO], error) {
	consents, err := s.Identity.Consents(ctx, authz.FromContext(ctx))
	if err != nil {
		return nil, err
	}
	out := consentsDTO{Items: []consentDTO{}}
	for _, c := range consents {
		out.Items = append(out.Items, consentDTO{string(c.Purpose), c.Granted, c.Version, clock.TimePtr(c.DecidedAt)})
	}
	return httpapi.OK(out), nil
}

type grantConsentInput struct {
	Purpose string `path:"purpose" enum:"privacy_policy,location,notifications,leaderboard"`
	Body    struct {
		Version string `json:"version" minLength:"1" maxLength:"32" pattern:"^[A-Za-z0-9._-]+$" doc:"所展示文本的版本"`
	}
}

func (s *server) grantConsent(ctx context.Context, in *grantConsentInput) (*struct{}, error) {
	return nil, s.Identity.GrantConsent(ctx, authz.FromContext(ctx), identity.ConsentPurpose(in.Purpose), in.Body.Version)
}

type withdrawConsentInput struct {
	Purpose string `path:"purpose" enum:"privacy_policy,location,notifications,leaderboard"`
}

func (s *server) withdrawConsent(ctx context.Context, in *withdrawConsentInput) (*struct{}, error) {
	return nil, s.Identity.WithdrawConsent(ctx, authz.FromContext(ctx), identity.ConsentPurpose(in.Purpose))
}
