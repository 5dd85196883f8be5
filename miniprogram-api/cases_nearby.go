package miniprogram

import (
	"context"
	"time"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/httpapi"
	"jiamenkou/service/casework"
)

type nearbyInput struct {
	InSystemQuery
	Lon      float64 `query:"lon" required:"true" minimum:"-180" maximum:"180" doc:"不会保存"`
	Lat      float64 `query:"lat" required:"true" minimum:"-90" maximum:"90"`
	Category string  `query:"category" enum:"sanitation,facility,safety,order,care,dispute,other" doc:"不填则看各类；民生关爱和纠纷涉及个人，从不显示"`
}

type nearbyCaseDTO struct {
	Number       string    `json:"number"`
	Category     string    `json:"category"`
	RegionName   string    `json:"region_name"`
	Status       string    `json:"status" enum:"submitted,accepted,dispatched,handling,handled,reopened"`
	Mine         bool      `json:"mine" doc:"我自己上报的"`
	WithinMeters int64     `json:"within_meters" doc:"多少米以内，只精确到 50 米"`
	CreatedAt    time.Time `json:"created_at"`
}

type nearbyCasesDTO struct {
	Items []nearbyCaseDTO `json:"items" doc:"近的在前，最多五件；不含上报的文字和准确位置"`
}

func (s *server) listNearbyCases(ctx context.Context, in *nearbyInput) (*httpapi.Body[nearbyCasesDTO], error) {
	lon, lat := in.convert(in.Lon, in.Lat)
	rows, err := s.Casework.Nearby(ctx, authz.FromContext(ctx), casework.NearbyInput{
		Lon: lon, Lat: lat, Category: casework.Category(in.Category),
	})
	if err != nil {
		return nil, err
	}
	out := nearbyCasesDTO{Items: []nearbyCaseDTO{}}
	for _, n := range rows {
		out.Items = append(out.Items, nearbyCaseDTO{
			Number: n.Number, Category: string(n.Category), RegionName: n.RegionName, Status: string(n.Status), Mine: n.Mine,
			WithinMeters: n.WithinMeters, CreatedAt: n.CreatedAt.Time(),
		})
	}
	return httpapi.OK(out), nil
}
