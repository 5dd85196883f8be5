// Package geo brings positions into the one coordinate system that the program
// keeps: GCJ-02, as the maps of WeChat show it. Browsers answer in WGS-84,
// which in China lies some hundred metres off. It also measures distances, for
// everybody in the same way.
package geo

import "math"

// System is a coordinate system in which a client states a position.
type System string

// The systems that clients use.
const (
	GCJ02 System = "gcj02" // WeChat; "" means it too
	WGS84 System = "wgs84" // browsers
)

// ToGCJ02 returns a position of a system in GCJ-02, in degrees. Outside of
// China, where the two systems are the same, it changes nothing.
func ToGCJ02(from System, lon, lat float64) (float64, float64) {
	if from != WGS84 || !inChina(lon, lat) {
		return lon, lat
	}
	dLon, dLat := shift(lon, lat)
	return lon + dLon, lat + dLat
}

// Krasovsky's ellipsoid of 1940, which the public formula is written for.
const (
	semiMajorMeters     = 6378245.0
	eccentricitySquared = 0.00669342162296594323
)

// inChina is the box of the public formula.
func inChina(lon, lat float64) bool {
	return lon >= 72.004 && lon <= 137.8347 && lat >= 0.8293 && lat <= 55.8271
}

// shift is what the public formula adds to a WGS-84 position, in degrees.
func shift(lon, lat float64) (dLon, dLat float64) {
	x, y := lon-105, lat-35
	east, north := eastward(x, y), northward(x, y)
	phi := lat / 180 * math.Pi
	m := 1 - eccentricitySquared*math.Sin(phi)*math.Sin(phi)
	dLat = north * 180 / (semiMajorMeters * (1 - eccentricitySquared) / (m * math.Sqrt(m)) * math.Pi)
	dLon = east * 180 / (semiMajorMeters / math.Sqrt(m) * math.Cos(phi) * math.Pi)
	return dLon, dLat
}

// eastward and northward are the published polynomials with their waves; the
// numbers mean nothing beyond that.
func eastward(x, y float64) float64 {
	out := 300 + x + 2*y + 0.1*x*x + 0.1*x*y + 0.1*math.Sqrt(math.Abs(x))
	out += (20*math.Sin(6*x*math.Pi) + 20*math.Sin(2*x*math.Pi)) * 2 / 3
	out += (20*math.Sin(x*math.Pi) + 40*math.Sin(x/3*math.Pi)) * 2 / 3
	return out + (150*math.Sin(x/12*math.Pi)+300*math.Sin(x/30*math.Pi))*2/3
}

func northward(x, y float64) float64 {
	out := -100 + 2*x + 3*y + 0.2*y*y + 0.1*x*y + 0.2*math.Sqrt(math.Abs(x))
	out += (20*math.Sin(6*x*math.Pi) + 20*math.Sin(2*x*math.Pi)) * 2 / 3
	out += (20*math.Sin(y*math.Pi) + 40*math.Sin(y/3*math.Pi)) * 2 / 3
	return out + (160*math.Sin(y/12*math.Pi)+320*math.Sin(y*math.Pi/30))*2/3
}
