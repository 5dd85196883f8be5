package api

import (
	"context"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/httpapi"
)

type searchInput struct {
	Body struct {
		Query string `json:"q" minLength:"2" maxLength:"64" doc:"完整手机号（留痕）、兑换单号、事件编号的开头，或商户、活动、福利名称的开头"`
		Limit int    `json:"limit,omitempty" minimum:"0" maximum:"20" doc:"每类最多几条，默认 5"`
	}
}

type searchHitDTO struct {
	Kind     string `json:"kind" enum:"resident,order,case,merchant,activity,benefit"`
	ID       string `json:"id"`
	Title    string `json:"title"`
	Subtitle string `json:"subtitle"`
}

type searchDTO struct {
	Items []searchHitDTO `json:"items"`
}

func (s *server) search(ctx context.Context, in *searchInput) (*httpapi.Body[searchDTO], error) {
	hits, err := s.Lookup.Search(ctx, authz.FromContext(ctx), in.Body.Query, in.Body.Limit)
	if err != nil {
		return nil, err
	}
	out := searchDTO{Items: []searchHitDTO{}}
	for _, h := range hits {
		out.Items = append(out.Items, searchHitDTO{string(h.Kind), h.ID, h.Title, h.Subtitle})
	}
	return httpapi.OK(out), nil
}
