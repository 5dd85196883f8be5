package api

import (
	"bytes"
	"context"
	"encoding/json"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/httpapi"
	"jiamenkou/service/region"
)

type createRegionInput struct {
	Body struct {
		ParentID string `json:"parent_id" minLength:"26" maxLength:"26"`
		Level    string `json:"level" enum:"grid,microgrid,building"`
		Name     string `json:"name" minLength:"1" maxLength:"64"`
		Code     string `json:"code,omitempty" maxLength:"32" doc:"不填则按上级编码顺排，如 330481001001G001"`
	}
}

func (s *server) createRegion(ctx context.Context, in *createRegionInput) (*httpapi.Body[regionDTO], error) {
	r, err := s.Region.Create(ctx, authz.FromContext(ctx), region.CreateInput{
		ParentID: in.Body.ParentID, Level: region.Level(in.Body.Level), Name: in.Body.Name, Code: in.Body.Code,
	})
	return s.regionAnswer(ctx, r, err)
}

type renameRegionInput struct {
	ID   string `path:"id" minLength:"26" maxLength:"26"`
	Body struct {
		Version int64  `json:"version" minimum:"1" doc:"看到的版本；已被他人修改则返回 409"`
		Name    string `json:"name" minLength:"1" maxLength:"64"`
	}
}

func (s *server) renameRegion(ctx context.Context, in *renameRegionInput) (*httpapi.Body[regionDTO], error) {
	r, err := s.Region.Rename(ctx, authz.FromContext(ctx), region.RenameInput{
		ID: in.ID, Version: in.Body.Version, Name: in.Body.Name,
	})
	return s.regionAnswer(ctx, r, err)
}

// maxBoundaryBodyBytes leaves room for what surrounds the boundary.
const maxBoundaryBodyBytes = region.MaxBoundaryBytes + 1<<10

type setRegionBoundaryInput struct {
	ID   string `path:"id" minLength:"26" maxLength:"26"`
	Body struct {
		Version  int64           `json:"version" minimum:"1" doc:"看到的版本；已被他人修改则返回 409"`
		Boundary json.RawMessage `json:"boundary" doc:"GeoJSON 的 Polygon 或 MultiPolygon，GCJ-02 坐标，不超过 256 KB；null 表示取消边界"`
	}
}

func (s *server) setRegionBoundary(ctx context.Context, in *setRegionBoundaryInput) (*httpapi.Body[regionDTO], error) {
	text := string(in.Body.Boundary)
	if bytes.Equal(bytes.TrimSpace(in.Body.Boundary), []byte("null")) {
		text = ""
	}
	r, err := s.Region.SetBoundary(ctx, authz.FromContext(ctx), region.BoundaryInput{
		ID: in.ID, Version: in.Body.Version, GeoJSON: text,
	})
	return s.regionAnswer(ctx, r, err)
}

type regionImportDTO struct {
	Created   int `json:"created"`
	Updated   int `json:"updated" doc:"改名或换了上级"`
	Unchanged int `json:"unchanged"`
}

func (s *server) importRegions(ctx context.Context, file []byte) (regionImportDTO, error) {
	res, err := s.Region.Import(ctx, authz.FromContext(ctx), bytes.NewReader(file))
	return regionImportDTO{Created: res.Created, Updated: res.Updated, Unchanged: res.Unchanged}, err
}
