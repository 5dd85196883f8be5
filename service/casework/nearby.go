package casework

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/geo"
	"jiamenkou/model"
)

// Nearby is an open report close to a position, told to another resident so
// that the same thing is not reported twice. It says neither what the reporter
// wrote nor where exactly the place is: both may lead to a person.
type Nearby struct {
	Number       string
	Category     Category
	RegionName   string
	Status       Status
	Mine         bool
	WithinMeters int64 // rounded up to 50, from about where it is: see blurred
	CreatedAt    clock.Instant
}

// What counts as nearby.
const (
	nearbyMeters  = 100.0
	nearbyCell    = 0.0005 // degrees, about 50 metres
	blurMeters    = 40     // half a cell's diagonal, rounded up
	nearbyStep    = 50
	nearbyWithin  = 14 * 24 * time.Hour
	maxNearby     = 5
	maxNearbyRows = 50
)

// nearbyCategories are of things that many people see. Disputes and care
// concern persons, and are never told.
var nearbyCategories = []Category{
	model.CategorySanitation, model.CategoryFacility, model.CategorySafety, model.CategoryOrder, model.CategoryOther,
}

// NearbyInput is a position in degrees, and a category or "".
type NearbyInput struct {
	Lon, Lat float64
	Category Category
}

// Nearby lists the open reports of the resident's county within about 100 metres
// and 14 days, nearest first, at most five. The position is not stored. Errors:
// casework.invalid.
func (s *Service) Nearby(ctx context.Context, actor authz.Actor, in NearbyInput) ([]Nearby, error) {
	if err := actor.Resident(); err != nil {
		return nil, err
	}
	var f fault.Fields
	f.Add(within(in.Lon, 180), "lon", "经度无效，请重新定位")
	f.Add(within(in.Lat, 90), "lat", "纬度无效，请重新定位")
	f.Add(in.Category == "" || slices.Contains(model.CaseCategories(), in.Category), "category", "请选择事件类别")
	if err := f.Err(codeInvalid); err != nil {
		return nil, err
	}
	categories := nearbyCategories
	if in.Category != "" {
		categories = []Category{in.Category}
	}
	if actor.RegionPath == "" || !slices.Contains(nearbyCategories, categories[0]) {
		return []Nearby{}, nil
	}
	rows, err := s.around(ctx, actor, in, categories)
	if err != nil {
		return nil, err
	}
	return nearest(rows, actor, in), nil
}

type nearbyRow struct {
	model.CaseFile `gorm:"embedded"`
	RegionName     string
}

// around reads the open reports of a box about the position.
func (s *Service) around(ctx context.Context, actor authz.Actor, in NearbyInput, categories []Category) ([]nearbyRow, error) {
	least, most := geo.Box(geo.Point{Lon: in.Lon, Lat: in.Lat}, nearbyMeters+blurMeters)
	var rows []nearbyRow
	err := s.db.Read(ctx).Raw(`SELECT c.id, c.number, c.category, c.status, c.reporter_id, c.lon, c.lat, c.created_at, r.name AS region_name
		FROM case_file c JOIN region r ON r.id = c.region_id
		WHERE c.county_id = ? AND c.lon BETWEEN ? AND ? AND c.lat BETWEEN ? AND ? AND c.created_at >= ?
			AND c.kind = ? AND c.category IN ? AND c.content_status = ? AND c.status NOT IN ?
		ORDER BY c.id DESC LIMIT ?`,
		model.RegionPathIDs(actor.RegionPath)[0], least.Lon, most.Lon, least.Lat, most.Lat, s.now().Add(-nearbyWithin),
		model.CaseReport, categories, model.ContentPassed,
		[]Status{model.CaseConfirmed, model.CaseClosed, model.CaseRejected, model.CaseWithdrawn}, maxNearbyRows).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("casework: nearby: %w", err)
	}
	return rows, nil
}

// blurred is the middle of the cell in which a place lies. Whoever asks from
// here and there finds where the distance changes from one step to the next, and
// from that the place that it is measured from: it must not be the spot itself.
func blurred(p geo.Point) geo.Point {
	middle := func(degrees float64) float64 { return (math.Floor(degrees/nearbyCell) + 0.5) * nearbyCell }
	return geo.Point{Lon: middle(p.Lon), Lat: middle(p.Lat)}
}

// nearest measures and sorts; the corners of the box are left out.
func nearest(rows []nearbyRow, actor authz.Actor, in NearbyInput) []Nearby {
	out := make([]Nearby, 0, maxNearby)
	for _, r := range rows {
		meters := geo.Meters(geo.Point{Lon: in.Lon, Lat: in.Lat}, blurred(geo.Point{Lon: *r.Lon, Lat: *r.Lat}))
		if meters > nearbyMeters {
			continue
		}
		out = append(out, Nearby{
			Number: r.Number, Category: r.Category, RegionName: r.RegionName, Status: r.Status, Mine: r.ReporterID == actor.ID,
			WithinMeters: nearbyStep * max(1, int64(math.Ceil(meters/nearbyStep))), CreatedAt: r.CreatedAt,
		})
	}
	slices.SortStableFunc(out, func(a, b Nearby) int { return int(a.WithinMeters - b.WithinMeters) })
	return out[:min(len(out), maxNearby)]
}
