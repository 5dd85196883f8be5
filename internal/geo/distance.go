package geo

import "math"

// earthRadiusMeters is the earth's mean radius (IUGG).
const earthRadiusMeters = 6_371_008.8

// MetersPerDegree is how long one degree of latitude is.
const MetersPerDegree = earthRadiusMeters * math.Pi / 180

// Point is a position in degrees.
type Point struct{ Lon, Lat float64 }

// Meters is the distance of two positions along a great circle (haversine).
func Meters(a, b Point) float64 {
	lat := math.Sin(radians(a.Lat-b.Lat) / 2)
	lon := math.Sin(radians(a.Lon-b.Lon) / 2)
	h := lat*lat + math.Cos(radians(a.Lat))*math.Cos(radians(b.Lat))*lon*lon
	return 2 * earthRadiusMeters * math.Asin(math.Sqrt(min(h, 1)))
}

func radians(degrees float64) float64 { return degrees * math.Pi / 180 }

// Box is the smallest box in degrees around what lies within meters of a
// position; its corners lie further. Near a pole it is wider than it need be.
func Box(around Point, meters float64) (least, most Point) {
	dLat := meters / MetersPerDegree
	dLon := dLat / max(math.Cos(radians(around.Lat)), 0.01)
	return Point{around.Lon - dLon, around.Lat - dLat}, Point{around.Lon + dLon, around.Lat + dLat}
}

// sortKeyUnits are squares of millionths of a degree in one of a degree.
const sortKeyUnits = 1e12

// SortKeySQL is an expression over columns of degrees that sorts by the
// distance from a position: its square in millionths of a degree at that
// latitude, always a whole number, so that a cursor compares exactly. Within a
// county it tells the same as Meters.
func SortKeySQL(lonColumn, latColumn string, from Point) (sql string, args []any) {
	scale := math.Cos(radians(from.Lat))
	scale *= scale
	return "ROUND(((" + lonColumn + " - ?) * (" + lonColumn + " - ?) * ? + (" + latColumn + " - ?) * (" + latColumn + " - ?)) * 1000000000000)",
		[]any{from.Lon, from.Lon, scale, from.Lat, from.Lat}
}

// MetersOfSortKey is the distance that a sort key stands for.
func MetersOfSortKey(key float64) float64 { return math.Sqrt(key/sortKeyUnits) * MetersPerDegree }
