package miniprogram

import (
	"context"

	"jiamenkou/internal/httpapi"
	"jiamenkou/internal/paging"
	"jiamenkou/service/region"
)

type regionDTO struct {
	ID       string `json:"id"`
	ParentID string `json:"parent_id" doc:"县市区为空"`
	Level    string `json:"level" enum:"county,town,village,grid,microgrid,building"`
	Name     string `json:"name"`
	FullName string `json:"full_name" example:"海宁市 / 硖石街道 / 火炬社区"`
}

// regionsOf makes DTOs of any number of regions with one query for the names
// above them.
func (s *server) regionsOf(ctx context.Context, rows ...region.Region) ([]regionDTO, error) {
	names, err := s.Region.FullNames(ctx, rows)
	if err != nil {
		return nil, err
	}
	out := make([]regionDTO, 0, len(rows))
	for _, r := range rows {
		dto := regionDTO{ID: r.ID, Level: string(r.Level), Name: r.Name, FullName: names[r.ID]}
		if r.ParentID != nil {
			dto.ParentID = *r.ParentID
		}
		out = append(out, dto)
	}
	return out, nil
}

func (s *server) regionAnswer(ctx context.Context, r region.Region, err error) (*httpapi.Body[regionDTO], error) {
	if err != nil {
		return nil, err
	}
	dtos, err := s.regionsOf(ctx, r)
	if err != nil {
		return nil, err
	}
	return httpapi.OK(dtos[0]), nil
}

type regionPage = httpapi.Body[httpapi.PageBody[regionDTO]]

func (s *server) regionPageAnswer(ctx context.Context, page paging.Page[region.Region], err error) (*regionPage, error) {
	if err != nil {
		return nil, err
	}
	items, err := s.regionsOf(ctx, page.Items...)
	if err != nil {
		return nil, err
	}
	return httpapi.OK(httpapi.PageBody[regionDTO]{Items: items, Next: page.Next}), nil
}

type regionRootsInput struct{ httpapi.PageQuery }

func (s *server) listCounties(ctx context.Context, in *regionRootsInput) (*regionPage, error) {
	page, err := s.Region.Roots(ctx, paging.Request{Cursor: in.Cursor, Limit: in.Limit})
	return s.regionPageAnswer(ctx, page, err)
}

type regionIDInput struct {
	ID string `path:"id" minLength:"26" maxLength:"26"`
}

func (s *server) getRegion(ctx context.Context, in *regionIDInput) (*httpapi.Body[regionDTO], error) {
	r, err := s.Region.Get(ctx, in.ID)
	return s.regionAnswer(ctx, r, err)
}

type regionChildrenInput struct {
	ID string `path:"id" minLength:"26" maxLength:"26"`
	httpapi.PageQuery
}

func (s *server) listRegionChildren(ctx context.Context, in *regionChildrenInput) (*regionPage, error) {
	page, err := s.Region.Children(ctx, in.ID, paging.Request{Cursor: in.Cursor, Limit: in.Limit})
	return s.regionPageAnswer(ctx, page, err)
}

type regionSearchInput struct {
	Name     string `query:"name" required:"true" minLength:"1" maxLength:"32" doc:"名称中的字，开头相同的排前"`
	WithinID string `query:"within_id" maxLength:"26" doc:"只在这个地区里找"`
	httpapi.PageQuery
}

func (s *server) searchRegions(ctx context.Context, in *regionSearchInput) (*regionPage, error) {
	page, err := s.Region.Search(ctx, in.Name, in.WithinID, paging.Request{Cursor: in.Cursor, Limit: in.Limit})
	return s.regionPageAnswer(ctx, page, err)
}

// locateRegionInput comes in a body, since addresses of requests end up in
// the logs of whatever stands in front of the program.
type locateRegionInput struct {
	Body struct {
		InSystem
		Longitude float64 `json:"longitude" minimum:"-180" maximum:"180" doc:"单位为度"`
		Latitude  float64 `json:"latitude" minimum:"-90" maximum:"90"`
	}
}

func (s *server) locateRegion(ctx context.Context, in *locateRegionInput) (*httpapi.Body[regionDTO], error) {
	lon, lat := in.Body.convert(in.Body.Longitude, in.Body.Latitude)
	r, err := s.Region.Locate(ctx, lon, lat)
	return s.regionAnswer(ctx, r, err)
}
