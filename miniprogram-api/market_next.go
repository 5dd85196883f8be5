package miniprogram

import (
	"context"
	"time"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/httpapi"
	"jiamenkou/service/media"
)

type nextReleaseDTO struct {
	ID           string    `json:"id"`
	BenefitID    string    `json:"benefit_id"`
	Title        string    `json:"title"`
	MerchantName string    `json:"merchant_name"`
	ImageKey     string    `json:"image_key" doc:"空表示没有图片"`
	ImageURL     string    `json:"image_url" doc:"不含域名，可直接用于 image；空表示没有"`
	PointsPrice  int64     `json:"points_price"`
	CashPriceFen int64     `json:"cash_price_fen" doc:"到店另付，分"`
	StartsAt     time.Time `json:"starts_at" doc:"倒计时到此刻"`
	EndsAt       time.Time `json:"ends_at"`
	Total        int64     `json:"total" doc:"放量多少"`
}

type nextReleasesDTO struct {
	ServerTime time.Time        `json:"server_time" doc:"以此为准倒计时"`
	Items      []nextReleaseDTO `json:"items" doc:"最近的在前，最多五次；空表示没有安排"`
}

func (s *server) listNextReleases(ctx context.Context, _ *struct{}) (*httpapi.Body[nextReleasesDTO], error) {
	rows, err := s.Market.NextReleases(ctx, authz.FromContext(ctx))
	if err != nil {
		return nil, err
	}
	out := nextReleasesDTO{ServerTime: s.Market.Now().Time(), Items: []nextReleaseDTO{}}
	for _, r := range rows {
		out.Items = append(out.Items, nextReleaseDTO{
			ID: r.ID, BenefitID: r.BenefitID, Title: r.Title, MerchantName: r.MerchantName, ImageKey: r.ImageKey, ImageURL: media.Address(r.ImageKey),
			PointsPrice: r.PointsPrice, CashPriceFen: r.CashPriceFen, StartsAt: r.StartsAt.Time(), EndsAt: r.EndsAt.Time(), Total: r.Total,
		})
	}
	return httpapi.OK(out), nil
}

// categoryNames are what residents read.
var categoryNames = map[string]string{
	"dining": "餐饮", "cinema": "影院", "fitness": "健身", "retail": "零售", "culture": "文化", "service": "生活服务", "other": "其他",
}

type categoryDTO struct {
	Category string `json:"category"`
	Name     string `json:"name" example:"餐饮"`
	Benefits int64  `json:"benefits" doc:"现在或以后可兑换的有几种"`
}

type categoriesDTO struct {
	Items []categoryDTO `json:"items"`
}

func (s *server) listBenefitCategories(ctx context.Context, _ *struct{}) (*httpapi.Body[categoriesDTO], error) {
	rows, err := s.Market.Categories(ctx, authz.FromContext(ctx))
	if err != nil {
		return nil, err
	}
	out := categoriesDTO{Items: []categoryDTO{}}
	for _, c := range rows {
		out.Items = append(out.Items, categoryDTO{Category: c.Category, Name: categoryNames[c.Category], Benefits: c.Benefits})
	}
	return httpapi.OK(out), nil
}
