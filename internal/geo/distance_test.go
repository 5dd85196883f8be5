package geo_test

import (
	"math"
	"testing"

	"github.com/paulmach/orb"
	orbgeo "github.com/paulmach/orb/geo"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"jiamenkou/internal/geo"
)

func point(t *rapid.T, name string) geo.Point {
	return geo.Point{Lon: rapid.Float64Range(-180, 180).Draw(t, name+" lon"), Lat: rapid.Float64Range(-89, 89).Draw(t, name+" lat")}
}

func TestMeters(t *testing.T) {
	// orb computes on the equator's radius, this on the mean one.
	const ratio = 6_371_008.8 / orb.EarthRadius
	rapid.Check(t, func(t *rapid.T) {
		a, b := point(t, "a"), point(t, "b")
		want := orbgeo.DistanceHaversine(orb.Point{a.Lon, a.Lat}, orb.Point{b.Lon, b.Lat}) * ratio
		require.InDelta(t, want, geo.Meters(a, b), 1e-6*want+1e-3)
		require.InDelta(t, geo.Meters(a, b), geo.Meters(b, a), 1e-6)
	})
	require.Zero(t, geo.Meters(geo.Point{Lon: 120, Lat: 30}, geo.Point{Lon: 120, Lat: 30}))
	require.InDelta(t, 111_195, geo.MetersPerDegree, 1)
}

// TestSortKey: within a county the key and the great circle tell the same.
func TestSortKey(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from := geo.Point{Lon: rapid.Float64Range(73, 135).Draw(t, "lon"), Lat: rapid.Float64Range(18, 53).Draw(t, "lat")}
		to := geo.Point{Lon: from.Lon + rapid.Float64Range(-0.3, 0.3).Draw(t, "east"), Lat: from.Lat + rapid.Float64Range(-0.3, 0.3).Draw(t, "north")}
		_, args := geo.SortKeySQL("lon", "lat", from)
		east, north, scale := to.Lon-args[0].(float64), to.Lat-args[3].(float64), args[2].(float64)
		key := math.Round((east*east*scale + north*north) * 1e12)
		meters := geo.Meters(from, to)
		require.InDelta(t, meters, geo.MetersOfSortKey(key), 0.2+meters/100, "the key's unit is about a tenth of a metre")
	})
}

func TestBox(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from := geo.Point{Lon: rapid.Float64Range(73, 135).Draw(t, "lon"), Lat: rapid.Float64Range(-60, 60).Draw(t, "lat")}
		meters := rapid.Float64Range(1, 5000).Draw(t, "meters")
		least, most := geo.Box(from, meters)
		for _, edge := range []geo.Point{{least.Lon, from.Lat}, {most.Lon, from.Lat}, {from.Lon, least.Lat}, {from.Lon, most.Lat}} {
			require.InEpsilon(t, meters, geo.Meters(from, edge), 0.001)
		}
	})
}
