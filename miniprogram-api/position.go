package miniprogram

import "jiamenkou/internal/geo"

// InSystem is embedded in every body that holds a position. The services know
// GCJ-02 alone: handlers convert what they hand on.
type InSystem struct {
	CoordinateSystem string `json:"coordinate_system,omitempty" enum:"gcj02,wgs84" doc:"位置的坐标系：微信为 gcj02（默认），浏览器为 wgs84"`
}

// InSystemQuery is InSystem for the query of a list.
type InSystemQuery struct {
	CoordinateSystem string `query:"coordinate_system" enum:"gcj02,wgs84" default:"gcj02" doc:"位置的坐标系：微信为 gcj02，浏览器为 wgs84"`
}

func (s InSystem) convert(lon, lat float64) (float64, float64) {
	return geo.ToGCJ02(geo.System(s.CoordinateSystem), lon, lat)
}

func (s InSystemQuery) convert(lon, lat float64) (float64, float64) {
	return geo.ToGCJ02(geo.System(s.CoordinateSystem), lon, lat)
}
