package region

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geojson"
	"github.com/paulmach/orb/planar"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/fault"
	"jiamenkou/model"
)

// Limits of a boundary.
const (
	MaxBoundaryBytes  = 256 << 10
	maxBoundaryPoints = 20_000
)

// BoundaryInput sets a region's boundary. Version is the one that the caller
// has seen.
type BoundaryInput struct {
	ID      string
	Version int64
	// GeoJSON is a Polygon or MultiPolygon geometry, longitude first, in the
	// coordinate system in which clients report positions (GCJ-02, as
	// wx.getLocation gives it and Tencent and AMap draw it). "" removes the
	// boundary.
	GeoJSON string
}

// SetBoundary sets or removes a region's boundary; the actor must be operator
// over the region. It returns ErrBadBoundary, saying what is wrong, and
// ErrChanged if somebody edited the region since.
func (s *Service) SetBoundary(ctx context.Context, actor authz.Actor, in BoundaryInput) (Region, error) {
	var (
		text                           *string
		minLon, maxLon, minLat, maxLat *float64
	)
	if in.GeoJSON != "" {
		shape, err := ParseBoundary([]byte(in.GeoJSON))
		if err != nil {
			return Region{}, err
		}
		raw, err := json.Marshal(geojson.NewGeometry(shape))
		if err != nil {
			return Region{}, fmt.Errorf("region: boundary: %w", err)
		}
		stored, box := string(raw), shape.Bound()
		text, minLon, maxLon, minLat, maxLat = &stored, &box.Min[0], &box.Max[0], &box.Min[1], &box.Max[1]
	}
	action := ActionDrawn
	if text == nil {
		action = ActionUndrawn
	}
	return s.edit(ctx, actor, in.ID, in.Version, action, func(r *Region) (string, []any) {
		r.MinLon, r.MaxLon, r.MinLat, r.MaxLat = minLon, maxLon, minLat, maxLat
		return "boundary_geojson = ?, min_lon = ?, max_lon = ?, min_lat = ?, max_lat = ?",
			[]any{text, minLon, maxLon, minLat, maxLat}
	})
}

// Boundary returns a region's boundary as GeoJSON, "" if it has none.
func (s *Service) Boundary(ctx context.Context, id string) (string, error) {
	var rows []string
	err := s.db.Read(ctx).Raw("SELECT COALESCE(boundary_geojson, '') FROM region WHERE id = ?", id).Scan(&rows).Error
	switch {
	case err != nil:
		return "", fmt.Errorf("region: read boundary: %w", err)
	case len(rows) == 0:
		return "", ErrNotFound
	}
	return rows[0], nil
}

// ParseBoundary reads a GeoJSON Polygon or MultiPolygon. It is stricter than
// orb's reader, which takes null and missing coordinates for zero: every ring
// is closed, has four points or more and encloses something, every point lies
// within ±180° and ±90°.
func ParseBoundary(raw []byte) (orb.MultiPolygon, error) {
	if len(raw) > MaxBoundaryBytes {
		return nil, boundaryFault("边界数据超过 256 KB，请简化后再上传")
	}
	return parseShape(raw)
}

// parseShape is ParseBoundary for text of any length: what is stored may be a
// little longer than what was sent.
func parseShape(raw []byte) (orb.MultiPolygon, error) {
	var doc struct {
		Type        string          `json:"type"`
		Coordinates json.RawMessage `json:"coordinates"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		return nil, boundaryFault("应为 GeoJSON")
	}
	var polygons [][][]position
	switch doc.Type {
	case "Polygon":
		polygons = make([][][]position, 1)
		if err := json.Unmarshal(doc.Coordinates, &polygons[0]); err != nil {
			return nil, boundaryFault("坐标应为 [经度, 纬度]")
		}
	case "MultiPolygon":
		if err := json.Unmarshal(doc.Coordinates, &polygons); err != nil {
			return nil, boundaryFault("坐标应为 [经度, 纬度]")
		}
	default:
		return nil, boundaryFault("应为 Polygon 或 MultiPolygon")
	}
	return shapeOf(polygons)
}

// position is one GeoJSON position; a height is read and dropped.
type position orb.Point

// UnmarshalJSON implements json.Unmarshaler.
func (p *position) UnmarshalJSON(raw []byte) error {
	var numbers []*float64
	if err := json.Unmarshal(raw, &numbers); err != nil {
		return err
	}
	if len(numbers) < 2 || len(numbers) > 3 || numbers[0] == nil || numbers[1] == nil || bytes.Equal(raw, []byte("null")) {
		return ErrBadBoundary
	}
	*p = position{*numbers[0], *numbers[1]}
	return nil
}

func shapeOf(polygons [][][]position) (orb.MultiPolygon, error) {
	points := 0
	shape := make(orb.MultiPolygon, 0, len(polygons))
	for _, rings := range polygons {
		polygon := make(orb.Polygon, 0, len(rings))
		for _, positions := range rings {
			if points += len(positions); points > maxBoundaryPoints {
				return nil, boundaryFault("边界的点太多，最多 20000 个，请简化后再上传")
			}
			ring := make(orb.Ring, len(positions))
			for i, p := range positions {
				ring[i] = orb.Point(p)
			}
			if reason := ringFault(ring); reason != "" {
				return nil, boundaryFault(reason)
			}
			polygon = append(polygon, ring)
		}
		if len(polygon) == 0 {
			return nil, boundaryFault("多边形没有坐标")
		}
		shape = append(shape, polygon)
	}
	if len(shape) == 0 {
		return nil, boundaryFault("多边形没有坐标")
	}
	return shape, nil
}

func ringFault(ring orb.Ring) string {
	if len(ring) < 4 || !ring.Closed() {
		return "每一圈至少四个点，且首尾相同"
	}
	for _, p := range ring {
		if !validPosition(p[0], p[1]) {
			return "经度应在 ±180、纬度应在 ±90 之间，经度在前"
		}
	}
	if planar.Area(ring) == 0 {
		return "边界没有围出面积"
	}
	return ""
}

func boundaryFault(reason string) error {
	return ErrBadBoundary.WithFields(fault.Field{Path: "boundary", Reason: reason})
}

// validPosition is false for NaN too.
func validPosition(lon, lat float64) bool {
	return lon >= -180 && lon <= 180 && lat >= -90 && lat <= 90
}

// maxLocateCandidates bounds the exact tests of one Locate: more boxes over
// one point than this means boundaries drawn wrongly.
const maxLocateCandidates = 500

// Locate returns the deepest open region, village or below, whose boundary contains
// the position in degrees (a point on the line counts as inside; of two equally
// deep the one with the smaller code). It returns ErrNotLocated if there is
// none and ErrBadPosition for impossible degrees. The position is not kept.
func (s *Service) Locate(ctx context.Context, lon, lat float64) (Region, error) {
	if !validPosition(lon, lat) {
		return Region{}, ErrBadPosition
	}
	// The boxes narrow it down inside the index, and one boundary at a time is
	// in memory, the deepest first: paths grow by the same length at each level.
	rows, err := s.db.Read(ctx).Raw(`SELECT id, boundary_geojson FROM region
		WHERE min_lat <= ? AND max_lat >= ? AND min_lon <= ? AND max_lon >= ?
		AND level IN ? AND boundary_geojson IS NOT NULL AND closed_at IS NULL
		ORDER BY LENGTH(path) DESC, code LIMIT ?`,
		lat, lat, lon, lon, model.RegionLevels()[model.RegionVillage.Order()-1:], maxLocateCandidates).Rows()
	if err != nil {
		return Region{}, fmt.Errorf("region: locate: %w", err)
	}
	defer rows.Close() //nolint:errcheck // Err below says whether reading failed
	found := ""
	for found == "" && rows.Next() {
		var id, text string
		if err := rows.Scan(&id, &text); err != nil {
			return Region{}, fmt.Errorf("region: locate: %w", err)
		}
		shape, err := parseShape([]byte(text))
		if err != nil {
			return Region{}, fmt.Errorf("region: stored boundary of %s: %s", id, err.Error())
		}
		if planar.MultiPolygonContains(shape, orb.Point{lon, lat}) {
			found = id
		}
	}
	if err := rows.Err(); err != nil {
		return Region{}, fmt.Errorf("region: locate: %w", err)
	}
	if found == "" {
		return Region{}, ErrNotLocated
	}
	if err := rows.Close(); err != nil { // give the connection back before asking again
		return Region{}, fmt.Errorf("region: locate: %w", err)
	}
	return s.Get(ctx, found)
}
