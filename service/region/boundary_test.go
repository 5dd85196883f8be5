package region_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/internal/fault"
	"jiamenkou/service/region"
)

func square(minLon, minLat, maxLon, maxLat float64) string {
	return fmt.Sprintf(`{"type":"Polygon","coordinates":[[[%[1]g,%[2]g],[%[3]g,%[2]g],[%[3]g,%[4]g],[%[1]g,%[4]g],[%[1]g,%[2]g]]]}`, minLon, minLat, maxLon, maxLat)
}

func TestLocate(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newService(db)
		imported(t, s, small)
		ctx := t.Context()
		set := func(code, boundary string) region.Region {
			t.Helper()
			old := byCode(t, s, code)
			r, err := s.SetBoundary(ctx, system, region.BoundaryInput{ID: old.ID, Version: old.Version, GeoJSON: boundary})
			require.NoError(t, err)
			require.Equal(t, r, byCode(t, s, code))
			return r
		}
		locate := func(lon, lat float64) string {
			t.Helper()
			r, err := s.Locate(ctx, lon, lat)
			if err != nil {
				require.ErrorIs(t, err, region.ErrNotLocated)
				return ""
			}
			return r.Code
		}
		require.Empty(t, locate(120.5, 30.5), "no boundary yet")
		set("c1", square(120, 30, 121, 31))
		set("t1", square(120, 30, 120.6, 31))
		require.Empty(t, locate(120.5, 30.5), "a county or town is no answer")
		// A village with a hole, and with a second part far away.
		set("v1", `{"type":"MultiPolygon","coordinates":[
			[[[120.4,30.4],[120.6,30.4],[120.6,30.6],[120.4,30.6],[120.4,30.4]],[[120.45,30.45],[120.5,30.45],[120.5,30.5],[120.45,30.5],[120.45,30.45]]],
			[[[120.8,30.8,5],[120.9,30.8,5],[120.9,30.9,5],[120.8,30.8,5]]]]}`)
		require.Equal(t, "v1", locate(120.55, 30.55))
		require.Equal(t, "v1", locate(120.4, 30.5), "the line belongs to it")
		require.Equal(t, "v1", locate(120.88, 30.82))
		require.Empty(t, locate(120.47, 30.47), "in the hole")
		require.Empty(t, locate(120.82, 30.88), "in the box, outside the polygon")
		require.Empty(t, locate(120.7, 30.7), "between the parts")
		set("v2", square(120.45, 30.45, 120.5, 30.5))
		require.Equal(t, "v2", locate(120.47, 30.47))
		g1 := set("g1", square(120.55, 30.55, 120.58, 30.58))
		require.Equal(t, "g1", locate(120.56, 30.56), "the deepest wins")
		require.True(t, g1.HasBoundary())
		require.InDelta(t, 120.55, *g1.MinLon, 0)
		require.InDelta(t, 30.58, *g1.MaxLat, 0)
		text, err := s.Boundary(ctx, g1.ID)
		require.NoError(t, err)
		require.Contains(t, text, `"MultiPolygon"`)
		require.False(t, set("g1", "").HasBoundary())
		require.Equal(t, "v1", locate(120.56, 30.56))
		text, err = s.Boundary(ctx, g1.ID)
		require.NoError(t, err)
		require.Empty(t, text)
		_, err = s.Boundary(ctx, "nobody")
		require.ErrorIs(t, err, region.ErrNotFound)

		for _, p := range [][2]float64{{181, 0}, {0, 91}, {-181, 0}, {0, -91}, {math.NaN(), 0}, {0, math.NaN()}, {math.Inf(1), 0}} {
			_, err := s.Locate(ctx, p[0], p[1])
			require.ErrorIs(t, err, region.ErrBadPosition)
		}
	})
}

func TestSetBoundary(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newService(db)
		imported(t, s, small)
		ctx := t.Context()
		v1 := byCode(t, s, "v1")
		in := region.BoundaryInput{ID: v1.ID, Version: v1.Version, GeoJSON: square(120, 30, 121, 31)}
		_, err := s.SetBoundary(ctx, operator(byCode(t, s, "v2").Path), in)
		require.ErrorIs(t, err, authz.ErrForbidden)
		set, err := s.SetBoundary(ctx, operator(v1.Path), in)
		require.NoError(t, err)
		_, err = s.SetBoundary(ctx, operator(v1.Path), in)
		require.ErrorIs(t, err, region.ErrChanged)
		in.Version = set.Version
		for name, bad := range map[string]string{
			"no JSON":             `{`,
			"null":                `null`,
			"a point":             `{"type":"Point","coordinates":[120,30]}`,
			"a feature":           `{"type":"Feature","geometry":` + square(1, 1, 2, 2) + `}`,
			"no coordinates":      `{"type":"Polygon"}`,
			"empty":               `{"type":"Polygon","coordinates":[]}`,
			"empty parts":         `{"type":"MultiPolygon","coordinates":[]}`,
			"an empty part":       `{"type":"MultiPolygon","coordinates":[[]]}`,
			"an empty ring":       `{"type":"Polygon","coordinates":[[]]}`,
			"an open ring":        `{"type":"Polygon","coordinates":[[[1,1],[2,1],[2,2],[1,2]]]}`,
			"three points":        `{"type":"Polygon","coordinates":[[[1,1],[2,1],[1,1]]]}`,
			"no area":             `{"type":"Polygon","coordinates":[[[1,1],[2,2],[3,3],[1,1]]]}`,
			"out of range":        square(179, 1, 181, 2),
			"latitude first":      square(30, 120, 31, 121),
			"one number":          `{"type":"Polygon","coordinates":[[[1],[2,1],[2,2],[1]]]}`,
			"null for a number":   `{"type":"Polygon","coordinates":[[[1,null],[2,1],[2,2],[1,null]]]}`,
			"null for a position": `{"type":"Polygon","coordinates":[[null,[2,1],[2,2],null]]}`,
			"text":                `{"type":"Polygon","coordinates":[[["1","1"],[2,1],[2,2],["1","1"]]]}`,
			"infinite":            `{"type":"Polygon","coordinates":[[[1e999,1],[2,1],[2,2],[1e999,1]]]}`,
			"too long":            square(1, 1, 2, 2) + strings.Repeat(" ", region.MaxBoundaryBytes),
			"too many points":     `{"type":"Polygon","coordinates":[[` + strings.Repeat("[1,1],", 20001) + `[1,1]]]}`,
		} {
			in.GeoJSON = bad
			_, err := s.SetBoundary(ctx, system, in)
			require.ErrorIs(t, err, region.ErrBadBoundary, name)
			require.Len(t, fault.As(err).Fields, 1, name)
		}
		require.Equal(t, set, byCode(t, s, "v1"))
	})
}

func FuzzParseBoundary(f *testing.F) {
	f.Add([]byte(square(1, 1, 2, 2)))
	f.Add([]byte(`{"type":"MultiPolygon","coordinates":[[[[1,1],[2,1],[2,2],[1,1]]]]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		shape, err := region.ParseBoundary(raw)
		if err != nil {
			require.ErrorIs(t, err, region.ErrBadBoundary)
			return
		}
		box := shape.Bound()
		require.True(t, box.Min[0] >= -180 && box.Max[0] <= 180 && box.Min[1] >= -90 && box.Max[1] <= 90)
	})
}
