package geo_test

import (
	"testing"

	"github.com/paulmach/orb"
	orbgeo "github.com/paulmach/orb/geo"
	"github.com/stretchr/testify/require"

	"jiamenkou/internal/geo"
)

func TestToGCJ02(t *testing.T) {
	// What other implementations of the public formula publish for these points.
	for _, p := range []struct{ wgs, gcj orb.Point }{
		{orb.Point{116.404, 39.915}, orb.Point{116.41024449916938, 39.91640428150164}},          // coordtransform, Beijing
		{orb.Point{121.0917077, 30.6107779}, orb.Point{121.09626935575027, 30.608604331756705}}, // geotool, Jiaxing
		{orb.Point{113.647881, 34.829793}, orb.Point{113.65396374215176, 34.8287280094783}},     // Zhengzhou
	} {
		lon, lat := geo.ToGCJ02(geo.WGS84, p.wgs.Lon(), p.wgs.Lat())
		require.Less(t, orbgeo.DistanceHaversine(orb.Point{lon, lat}, p.gcj), 1.0, "metres from the published result")
		for _, kept := range []geo.System{geo.GCJ02, ""} {
			lon, lat = geo.ToGCJ02(kept, p.wgs.Lon(), p.wgs.Lat())
			require.Equal(t, [2]float64{p.wgs.Lon(), p.wgs.Lat()}, [2]float64{lon, lat})
		}
	}
	lon, lat := geo.ToGCJ02(geo.WGS84, 139.6917, 35.6895)
	require.Equal(t, orb.Point{139.6917, 35.6895}, orb.Point{lon, lat}, "Tokyo: the systems are the same")
	lon, lat = geo.ToGCJ02(geo.WGS84, 0, 0)
	require.Equal(t, orb.Point{0, 0}, orb.Point{lon, lat}, "a phone without a fix still says nothing")
}
