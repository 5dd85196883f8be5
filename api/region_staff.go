package api

import (
	"context"
	"encoding/json"
	"time"

	"jiamenkou/internal/httpapi"
	"jiamenkou/internal/paging"
	"jiamenkou/service/region"
)

type regionDTO struct {
	ID          string     `json:"id"`
	Code        string     `json:"code" example:"330481001001"`
	ParentID    string     `json:"parent_id" doc:"县市区为空"`
	Level       string     `json:"level" enum:"county,town,village,grid,microgrid,building"`
	Name        string     `json:"name"`
	FullName    string     `json:"full_name" example:"海宁市 / 硖石街道 / 火炬社区"`
	HasBoundary bool       `json:"has_boundary"`
	ClosedAt    *time.Time `json:"closed_at" doc:"撤销的时间；没有撤销为 null"`
	SuccessorID string     `json:"successor_id" doc:"撤销时并入的地区；没有为空"`
	Version     int64      `json:"version" doc:"修改时原样带回"`
	CreatedAt   time.Time  `json:"created_at"`
	UpdatedAt   time.Time  `json:"updated_at"`
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
		dto := regionDTO{
			ID: r.ID, Code: r.Code, Level: string(r.Level), Name: r.Name, FullName: names[r.ID],
			HasBoundary: r.HasBoundary(), Version: r.Version,
			CreatedAt: r.CreatedAt.Time(), UpdatedAt: r.UpdatedAt.Time(),
		}
		if r.ParentID != nil {
			dto.ParentID = *r.ParentID
		}
		if r.ClosedAt != nil {
			at := r.ClosedAt.Time()
			dto.ClosedAt = &at
		}
		if r.SuccessorID != nil {
			dto.SuccessorID = *r.SuccessorID
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

func pageOf(q httpapi.PageQuery) paging.Request {
	return paging.Request{Cursor: q.Cursor, Limit: q.Limit}
}

type regionIDInput struct {
	ID string `path:"id" minLength:"26" maxLength:"26"`
}

type regionListInput struct {
	ID string `path:"id" minLength:"26" maxLength:"26"`
	httpapi.PageQuery
}

func (s *server) listCounties(ctx context.Context, in *listInput) (*regionPage, error) {
	page, err := s.Region.Roots(ctx, pageOf(in.PageQuery))
	return s.regionPageAnswer(ctx, page, err)
}

func (s *server) getRegion(ctx context.Context, in *regionIDInput) (*httpapi.Body[regionDTO], error) {
	r, err := s.Region.Get(ctx, in.ID)
	return s.regionAnswer(ctx, r, err)
}

func (s *server) listRegionChildren(ctx context.Context, in *regionListInput) (*regionPage, error) {
	page, err := s.Region.Children(ctx, in.ID, pageOf(in.PageQuery))
	return s.regionPageAnswer(ctx, page, err)
}

func (s *server) listClosedRegionChildren(ctx context.Context, in *regionListInput) (*regionPage, error) {
	page, err := s.Region.ClosedChildren(ctx, in.ID, pageOf(in.PageQuery))
	return s.regionPageAnswer(ctx, page, err)
}

func (s *server) listRegionAncestors(ctx context.Context, in *regionIDInput) (*regionPage, error) {
	rows, err := s.Region.Ancestors(ctx, in.ID)
	return s.regionPageAnswer(ctx, paging.Page[region.Region]{Items: rows}, err)
}

type regionSubtreeInput struct {
	ID       string `path:"id" minLength:"26" maxLength:"26"`
	MaxLevel string `query:"max_level" enum:"county,town,village,grid,microgrid,building" doc:"到哪一级为止；不填则全部"`
	httpapi.PageQuery
}

func (s *server) listRegionSubtree(ctx context.Context, in *regionSubtreeInput) (*regionPage, error) {
	page, err := s.Region.Subtree(ctx, in.ID, region.Level(in.MaxLevel), pageOf(in.PageQuery))
	return s.regionPageAnswer(ctx, page, err)
}

type regionSearchInput struct {
	Name     string `query:"name" required:"true" minLength:"1" maxLength:"32" doc:"名称中的字，开头相同的排前"`
	WithinID string `query:"within_id" maxLength:"26" doc:"只在这个地区里找"`
	httpapi.PageQuery
}

func (s *server) searchRegions(ctx context.Context, in *regionSearchInput) (*regionPage, error) {
	page, err := s.Region.Search(ctx, in.Name, in.WithinID, pageOf(in.PageQuery))
	return s.regionPageAnswer(ctx, page, err)
}

type regionBoundaryDTO struct {
	Boundary json.RawMessage `json:"boundary" doc:"GeoJSON 的 MultiPolygon，GCJ-02 坐标；未划定为 null"`
}

func (s *server) getRegionBoundary(ctx context.Context, in *regionIDInput) (*httpapi.Body[regionBoundaryDTO], error) {
	text, err := s.Region.Boundary(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if text == "" {
		text = "null"
	}
	return httpapi.OK(regionBoundaryDTO{Boundary: json.RawMessage(text)}), nil
}
