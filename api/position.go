package api

import "jiamenkou/internal/geo"

// InSystem is embedded in a body whose position may have been taken on the
// spot, by a browser. The services know GCJ-02 alone.
type InSystem struct {
	CoordinateSystem string `json:"coordinate_system,omitempty" enum:"gcj02,wgs84" doc:"所填经纬度的坐标系：地图和微信为 gcj02（默认），浏览器定位为 wgs84；保存为 gcj02"`
}

func (s InSystem) convert(lon, lat float64) (float64, float64) {
	return geo.ToGCJ02(geo.System(s.CoordinateSystem), lon, lat)
}
