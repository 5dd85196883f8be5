package market

import (
	"context"
	"math"
	"strconv"

	"gorm.io/gorm"

	"jiamenkou/internal/geo"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
)

// inOrder selects the columns of a list of benefits, sorts it and continues it
// behind its cursor.
func (s *Service) inOrder(ctx context.Context, q *gorm.DB, f *BenefitFilter, page paging.Request) (*gorm.DB, func(BenefitView) []string, error) {
	const columns = "b.*, m.name AS merchant_name, "
	if f.Sort == SortNear {
		key, err := nearCursor(page, f)
		if err != nil {
			return nil, nil, err
		}
		distance, args := distanceKey(f.Near)
		// The distance is worked out once for each benefit, and then compared.
		q = s.db.Read(ctx).Table("(?) AS v", q.Select(columns+distance+" AS distance_key", args...)).Order("distance_key, id")
		if key != nil {
			q = q.Where("(distance_key > ? OR (distance_key = ? AND id > ?))", key.distance, key.distance, key.id)
		}
		return q, func(v BenefitView) []string {
			return []string{formatNumber(v.DistanceKey), v.ID, formatNumber(f.Near.Lon), formatNumber(f.Near.Lat)}
		}, nil
	}
	key, err := page.Key(2)
	if err != nil {
		return nil, nil, err
	}
	distance, args := distanceKey(f.Near)
	q = q.Select(columns+distance+" AS distance_key", args...)
	column, than, order := "b.published_at", "<", "b.published_at DESC, b.id DESC"
	keyOf := func(v BenefitView) []string { return []string{strconv.FormatInt(int64(*v.PublishedAt), 10), v.ID} }
	if f.Sort == SortPoints {
		column, than, order = "b.points_price", ">", "b.points_price, b.id"
		keyOf = func(v BenefitView) []string { return []string{strconv.FormatInt(v.PointsPrice, 10), v.ID} }
	}
	q = q.Order(order)
	if key != nil {
		q, err = after(q, column, than, "b.id", key)
	}
	return q, keyOf, err
}

type nearKey struct {
	distance float64
	id       string
}

// nearCursor decodes a cursor of SortNear. It carries the position of the
// first page: a reader who walks would otherwise miss or meet lines twice.
func nearCursor(page paging.Request, f *BenefitFilter) (*nearKey, error) {
	key, err := page.Key(4)
	if err != nil || key == nil {
		return nil, err
	}
	var numbers [3]float64
	for i, text := range []string{key[0], key[2], key[3]} {
		if numbers[i], err = strconv.ParseFloat(text, 64); err != nil {
			return nil, paging.ErrCursor
		}
	}
	if !model.ValidPosition(numbers[1], numbers[2]) {
		return nil, paging.ErrCursor
	}
	f.Near = &Position{Lon: numbers[1], Lat: numbers[2]}
	return &nearKey{distance: numbers[0], id: key[1]}, nil
}

func formatNumber(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// noDistance is further than any place on earth.
const noDistance = 1e18

// distanceKey is geo's sort key of the nearest open store that redeems the
// benefit.
func distanceKey(near *Position) (sql string, args []any) {
	if near == nil {
		return "?", []any{float64(noDistance)}
	}
	key, args := geo.SortKeySQL("st.lon", "st.lat", geo.Point{Lon: near.Lon, Lat: near.Lat})
	return `COALESCE((SELECT MIN(` + key + `)
		FROM merchant_store st WHERE st.merchant_id = b.merchant_id AND st.status = ? AND st.lon IS NOT NULL
		AND (NOT EXISTS (SELECT 1 FROM benefit_store x WHERE x.benefit_id = b.id)
			OR EXISTS (SELECT 1 FROM benefit_store x WHERE x.benefit_id = b.id AND x.store_id = st.id))), ?)`,
		append(args, model.StoreOpen, float64(noDistance))
}

// DistanceMeters is how far the nearest redeeming store is, nil if unknown.
func (v BenefitView) DistanceMeters() *int64 {
	if v.DistanceKey >= noDistance {
		return nil
	}
	return new(int64(math.Round(geo.MetersOfSortKey(v.DistanceKey))))
}
