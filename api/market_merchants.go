package api

import (
	"context"
	"time"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/httpapi"
	"jiamenkou/service/market"
)

// MerchantDTO is a merchant.
type MerchantDTO struct {
	ID           string    `json:"id"`
	RegionID     string    `json:"region_id"`
	RegionName   string    `json:"region_name"`
	Name         string    `json:"name"`
	Category     string    `json:"category" example:"cinema"`
	ContactName  string    `json:"contact_name"`
	ContactPhone string    `json:"contact_phone" doc:"营业电话，顾客可见"`
	Status       string    `json:"status" enum:"draft,active,suspended"`
	Version      int64     `json:"version" doc:"修改时带回"`
	CreatedAt    time.Time `json:"created_at"`
	UpdatedAt    time.Time `json:"updated_at"`
}

func (d *MerchantDTO) place() (string, *string) { return d.RegionID, &d.RegionName }

func merchantOf(m market.Merchant) MerchantDTO {
	return MerchantDTO{
		ID: m.ID, RegionID: m.RegionID, Name: m.Name, Category: m.Category, ContactName: m.ContactName, ContactPhone: m.ContactPhone,
		Status: string(m.Status), Version: m.Version, CreatedAt: m.CreatedAt.Time(), UpdatedAt: m.UpdatedAt.Time(),
	}
}

// MerchantFields are what describes a merchant. (Embedded types are exported:
// huma leaves out what others are embedded in.)
type MerchantFields struct {
	Name         string `json:"name" minLength:"1" maxLength:"64"`
	Category     string `json:"category" enum:"dining,cinema,fitness,retail,culture,service,other" doc:"餐饮、影院、健身、零售、文化、生活服务、其他"`
	ContactName  string `json:"contact_name,omitempty" maxLength:"64"`
	ContactPhone string `json:"contact_phone,omitempty" maxLength:"31" doc:"营业电话，顾客可见"`
}

func (f MerchantFields) input(regionID string) market.MerchantInput {
	return market.MerchantInput{RegionID: regionID, Name: f.Name, Category: f.Category, ContactName: f.ContactName, ContactPhone: f.ContactPhone}
}

type createMerchantInput struct {
	Body struct {
		MerchantFields
		RegionID string `json:"region_id" minLength:"26" maxLength:"26"`
	}
}

func (s *server) createMerchant(ctx context.Context, in *createMerchantInput) (*httpapi.Body[MerchantDTO], error) {
	m, err := s.Market.CreateMerchant(ctx, authz.FromContext(ctx), in.Body.input(in.Body.RegionID))
	if err != nil {
		return nil, err
	}
	return placedAnswer(ctx, s, merchantOf(m))
}

// MarketPath names one object.
type MarketPath struct {
	ID string `path:"id" minLength:"26" maxLength:"26"`
}

type updateMerchantInput struct {
	MarketPath
	Body struct {
		MerchantFields
		Version int64 `json:"version" minimum:"1" doc:"读取时的版本；已被他人修改则 409"`
	}
}

func (s *server) updateMerchant(ctx context.Context, in *updateMerchantInput) (*httpapi.Body[MerchantDTO], error) {
	m, err := s.Market.UpdateMerchant(ctx, authz.FromContext(ctx), in.ID, in.Body.Version, in.Body.input(""))
	if err != nil {
		return nil, err
	}
	return placedAnswer(ctx, s, merchantOf(m))
}

type merchantRecordDTO struct {
	MerchantDTO
	NextMoves []string `json:"next_moves" doc:"您现在可以做的操作：edit 修改（含门店）、activate 启用、suspend 停用"`
}

func (s *server) getMerchant(ctx context.Context, in *MarketPath) (*httpapi.Body[merchantRecordDTO], error) {
	m, err := s.Market.Merchant(ctx, authz.FromContext(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return placedAnswer(ctx, s, merchantRecordDTO{MerchantDTO: merchantOf(m.Merchant), NextMoves: m.NextMoves})
}

type listMerchantsInput struct {
	httpapi.SortedQuery
	Status   string `query:"status" enum:"draft,active,suspended"`
	Category string `query:"category" enum:"dining,cinema,fitness,retail,culture,service,other"`
	Query    string `query:"q" maxLength:"32" doc:"名称包含"`
}

func (s *server) listMerchants(ctx context.Context, in *listMerchantsInput) (*httpapi.Body[httpapi.PageBody[MerchantDTO]], error) {
	return placedPage(ctx, s, merchantOf)(s.Market.Merchants(ctx, authz.FromContext(ctx),
		market.MerchantFilter{Status: market.MerchantStatus(in.Status), Category: in.Category, Text: in.Query},
		in.Request()))
}

// moveInput is the body of the moves of merchants, stores and benefits.
type moveInput struct {
	MarketPath
	Body struct {
		Reason string `json:"reason,omitempty" maxLength:"200" doc:"停用、退回、暂停、下架时必填"`
	}
}

func (s *server) moveMerchant(to market.MerchantStatus) func(context.Context, *moveInput) (*httpapi.Body[MerchantDTO], error) {
	return func(ctx context.Context, in *moveInput) (*httpapi.Body[MerchantDTO], error) {
		m, err := s.Market.MoveMerchant(ctx, authz.FromContext(ctx), in.ID, to, in.Body.Reason)
		if err != nil {
			return nil, err
		}
		return placedAnswer(ctx, s, merchantOf(m))
	}
}

// StoreDTO is a store.
type StoreDTO struct {
	ID         string    `json:"id"`
	MerchantID string    `json:"merchant_id"`
	Name       string    `json:"name"`
	Address    string    `json:"address"`
	Lon        *float64  `json:"lon" doc:"经度（GCJ-02），null 表示没有"`
	Lat        *float64  `json:"lat"`
	Status     string    `json:"status" enum:"open,closed"`
	Version    int64     `json:"version"`
	UpdatedAt  time.Time `json:"updated_at"`
}

func storeOf(st market.Store) StoreDTO {
	return StoreDTO{
		ID: st.ID, MerchantID: st.MerchantID, Name: st.Name, Address: st.Address, Lon: st.Lon, Lat: st.Lat,
		Status: string(st.Status), Version: st.Version, UpdatedAt: st.UpdatedAt.Time(),
	}
}

// StoreFields are what describes a store.
type StoreFields struct {
	Name    string   `json:"name" minLength:"1" maxLength:"64"`
	Address string   `json:"address" minLength:"1" maxLength:"200"`
	Lon     *float64 `json:"lon,omitempty" minimum:"-180" maximum:"180"`
	Lat     *float64 `json:"lat,omitempty" minimum:"-90" maximum:"90"`
}

func (f StoreFields) input() market.StoreInput {
	return market.StoreInput{Name: f.Name, Address: f.Address, Lon: f.Lon, Lat: f.Lat}
}

type createStoreInput struct {
	MarketPath
	Body struct{ StoreFields }
}

func (s *server) createStore(ctx context.Context, in *createStoreInput) (*httpapi.Body[StoreDTO], error) {
	st, err := s.Market.CreateStore(ctx, authz.FromContext(ctx), in.ID, in.Body.input())
	if err != nil {
		return nil, err
	}
	return httpapi.OK(storeOf(st)), nil
}

type updateStoreInput struct {
	MarketPath
	Body struct {
		StoreFields
		Version int64 `json:"version" minimum:"1"`
	}
}

func (s *server) updateStore(ctx context.Context, in *updateStoreInput) (*httpapi.Body[StoreDTO], error) {
	st, err := s.Market.UpdateStore(ctx, authz.FromContext(ctx), in.ID, in.Body.Version, in.Body.input())
	if err != nil {
		return nil, err
	}
	return httpapi.OK(storeOf(st)), nil
}

func (s *server) moveStore(to market.StoreStatus) func(context.Context, *moveInput) (*httpapi.Body[StoreDTO], error) {
	return func(ctx context.Context, in *moveInput) (*httpapi.Body[StoreDTO], error) {
		st, err := s.Market.MoveStore(ctx, authz.FromContext(ctx), in.ID, to, in.Body.Reason)
		if err != nil {
			return nil, err
		}
		return httpapi.OK(storeOf(st)), nil
	}
}

// MarketListInput asks for a page of what belongs to one object.
type MarketListInput struct {
	MarketPath
	httpapi.SortedQuery
}

type storeRecordDTO struct {
	StoreDTO
	NextMoves []string `json:"next_moves" doc:"您现在可以做的操作：edit 修改、open 恢复营业、close 停业"`
}

func storeRecordOf(st market.StoreRecord) storeRecordDTO {
	return storeRecordDTO{StoreDTO: storeOf(st.Store), NextMoves: st.NextMoves}
}

func (s *server) listStores(ctx context.Context, in *MarketListInput) (*httpapi.Body[httpapi.PageBody[storeRecordDTO]], error) {
	return httpapi.Listed(storeRecordOf)(s.Market.Stores(ctx, authz.FromContext(ctx), in.ID, in.Request()))
}
