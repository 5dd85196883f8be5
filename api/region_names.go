package api

import (
	"context"

	"jiamenkou/internal/httpapi"
	"jiamenkou/internal/paging"
)

// placed is a DTO of something in a region, with room for the region's name.
type placed interface {
	place() (id string, name *string)
}

// nameRegions fills in the names, whatever the number of DTOs by one query.
func (s *server) nameRegions(ctx context.Context, dtos ...placed) error {
	ids := make([]string, 0, len(dtos))
	for _, d := range dtos {
		id, _ := d.place()
		ids = append(ids, id)
	}
	regions, err := s.Region.ByIDs(ctx, ids)
	if err != nil {
		return err
	}
	for _, d := range dtos {
		id, name := d.place()
		*name = regions[id].Name
	}
	return nil
}

// placedPage is httpapi.Listed for things in regions, each with its region's name.
func placedPage[T, D any, P interface {
	*D
	placed
}](ctx context.Context, s *server, of func(T) D) func(paging.Page[T], error) (*httpapi.Body[httpapi.PageBody[D]], error) {
	return func(page paging.Page[T], err error) (*httpapi.Body[httpapi.PageBody[D]], error) {
		if err != nil {
			return nil, err
		}
		out := httpapi.PageOf(page, of)
		dtos := make([]placed, len(out.Items))
		for i := range out.Items {
			dtos[i] = P(&out.Items[i])
		}
		if err := s.nameRegions(ctx, dtos...); err != nil {
			return nil, err
		}
		return httpapi.OK(out), nil
	}
}

// placedAnswer answers one thing in a region, with the region's name.
func placedAnswer[D any, P interface {
	*D
	placed
}](ctx context.Context, s *server, dto D) (*httpapi.Body[D], error) {
	if err := s.nameRegions(ctx, P(&dto)); err != nil {
		return nil, err
	}
	return httpapi.OK(dto), nil
}
