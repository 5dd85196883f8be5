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
		Level    string `json:"level" enum:"town,village,grid,microgrid,building"`
		Name     string `json:"name" minLength:"1" maxLength:"64"`
		Code     string `json:"code,omitempty" maxLength:"32" doc:"镇街、村社填统计用区划代码；其余不填则按上级编码顺排，如 330481001001G001"`
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

type moveRegionInput struct {
	ID   string `path:"id" minLength:"26" maxLength:"26"`
	Body struct {
		Version  int64  `json:"version" minimum:"1" doc:"看到的版本；已被他人修改则返回 409"`
		ParentID string `json:"parent_id" minLength:"26" maxLength:"26" doc:"同一县市区内、级别相同的另一个上级"`
		Reason   string `json:"reason" minLength:"2" maxLength:"200"`
	}
}

func (s *server) moveRegion(ctx context.Context, in *moveRegionInput) (*httpapi.Body[regionDTO], error) {
	r, err := s.Region.Move(ctx, authz.FromContext(ctx), region.MoveInput{
		ID: in.ID, Version: in.Body.Version, ParentID: in.Body.ParentID, Reason: in.Body.Reason,
	})
	return s.regionAnswer(ctx, r, err)
}

type closeRegionInput struct {
	ID   string `path:"id" minLength:"26" maxLength:"26"`
	Body struct {
		Version     int64  `json:"version" minimum:"1" doc:"看到的版本；已被他人修改则返回 409"`
		SuccessorID string `json:"successor_id,omitempty" maxLength:"26" doc:"并入的地区（同一县市区、同一级别）；不填则地区里不能还有人和未了的事"`
		Reason      string `json:"reason" minLength:"2" maxLength:"200"`
	}
}

func (s *server) closeRegion(ctx context.Context, in *closeRegionInput) (*httpapi.Body[regionDTO], error) {
	r, err := s.Region.Close(ctx, authz.FromContext(ctx), region.CloseInput{
		ID: in.ID, Version: in.Body.Version, SuccessorID: in.Body.SuccessorID, Reason: in.Body.Reason,
	})
	return s.regionAnswer(ctx, r, err)
}

type reopenRegionInput struct {
	ID   string `path:"id" minLength:"26" maxLength:"26"`
	Body struct {
		Version int64  `json:"version" minimum:"1" doc:"看到的版本；已被他人修改则返回 409"`
		Reason  string `json:"reason" minLength:"2" maxLength:"200"`
	}
}

func (s *server) reopenRegion(ctx context.Context, in *reopenRegionInput) (*httpapi.Body[regionDTO], error) {
	r, err := s.Region.Reopen(ctx, authz.FromContext(ctx), region.ReopenInput{ID: in.ID, Version: in.Body.Version, Reason: in.Body.Reason})
	return s.regionAnswer(ctx, r, err)
}

type regionStandingDTO struct {
	Kind  string `json:"kind" enum:"regions,residents,grid_workers,staff,cases,activities,service_records,certificates,articles,merchants,benefits,budgets,objections,adjustments"`
	Count int64  `json:"count"`
	Text  string `json:"text" example:"12 位居民"`
}

type regionHoldingsDTO struct {
	Own     []regionStandingDTO `json:"own" doc:"本地区自己的，不含下级；撤销前须为空，或随并入一起转走"`
	Subtree []regionStandingDTO `json:"subtree" doc:"连同全部下级；移动时一起走"`
}

func standingDTOs(list []region.Standing) []regionStandingDTO {
	out := make([]regionStandingDTO, len(list))
	for i, s := range list {
		out[i] = regionStandingDTO{Kind: string(s.Holding), Count: s.Count, Text: region.StandingText(s)}
	}
	return out
}

func (s *server) getRegionHoldings(ctx context.Context, in *regionIDInput) (*httpapi.Body[regionHoldingsDTO], error) {
	h, err := s.Region.Holdings(ctx, authz.FromContext(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return httpapi.OK(regionHoldingsDTO{Own: standingDTOs(h.Own), Subtree: standingDTOs(h.Subtree)}), nil
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
