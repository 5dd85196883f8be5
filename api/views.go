package api

import (
	"context"
	"time"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/httpapi"
	"jiamenkou/service/desk"
)

type viewDTO struct {
	ID        string            `json:"id"`
	List      string            `json:"list"`
	Name      string            `json:"name"`
	Filters   map[string]string `json:"filters"`
	Columns   []string          `json:"columns" doc:"显示的列；空表示全部"`
	Sort      string            `json:"sort"`
	IsDefault bool              `json:"is_default" doc:"打开列表时使用"`
	UpdatedAt time.Time         `json:"updated_at"`
}

func viewOf(v desk.View) viewDTO {
	return viewDTO{ID: v.ID, List: v.List, Name: v.Name, Filters: v.Filters, Columns: v.Columns, Sort: v.Sort, IsDefault: v.IsDefault, UpdatedAt: v.UpdatedAt.Time()}
}

// ViewFields are what a view says about its list.
type ViewFields struct {
	Name      string            `json:"name" minLength:"1" maxLength:"20"`
	Filters   map[string]string `json:"filters,omitempty" doc:"筛选条件，最多 20 项"`
	Columns   []string          `json:"columns,omitempty" maxItems:"40"`
	Sort      string            `json:"sort,omitempty" maxLength:"64"`
	IsDefault bool              `json:"is_default,omitempty"`
}

func (f ViewFields) view() desk.View {
	return desk.View{Name: f.Name, Filters: f.Filters, Columns: f.Columns, Sort: f.Sort, IsDefault: f.IsDefault}
}

type listViewsInput struct {
	httpapi.PageQuery
	List string `query:"list" required:"true" minLength:"1" maxLength:"64"`
}

func (s *server) listViews(ctx context.Context, in *listViewsInput) (*httpapi.Body[httpapi.PageBody[viewDTO]], error) {
	return httpapi.Listed(viewOf)(s.Desk.Views(ctx, authz.FromContext(ctx), in.List, in.Request()))
}

type saveViewInput struct {
	Body struct {
		List string `json:"list" minLength:"1" maxLength:"64"`
		ViewFields
	}
}

func (s *server) saveView(ctx context.Context, in *saveViewInput) (*httpapi.Body[viewDTO], error) {
	view := in.Body.view()
	view.List = in.Body.List
	saved, err := s.Desk.Save(ctx, authz.FromContext(ctx), view)
	if err != nil {
		return nil, err
	}
	return httpapi.OK(viewOf(saved)), nil
}

type changeViewInput struct {
	ID   string `path:"id" minLength:"26" maxLength:"26"`
	Body ViewFields
}

func (s *server) changeView(ctx context.Context, in *changeViewInput) (*httpapi.Body[viewDTO], error) {
	view := in.Body.view()
	view.ID = in.ID
	saved, err := s.Desk.Change(ctx, authz.FromContext(ctx), view)
	if err != nil {
		return nil, err
	}
	return httpapi.OK(viewOf(saved)), nil
}

func (s *server) deleteView(ctx context.Context, in *idInput) (*struct{}, error) {
	return nil, s.Desk.Delete(ctx, authz.FromContext(ctx), in.ID)
}
