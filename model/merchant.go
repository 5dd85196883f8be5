package model

import (
	"regexp"
	"slices"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/fault"
)

// MerchantStatus of a merchant: draft → active ⇄ suspended.
type MerchantStatus string

// The states of a merchant. Only an active one sells and redeems.
const (
	MerchantDraft     MerchantStatus = "draft"
	MerchantActive    MerchantStatus = "active"
	MerchantSuspended MerchantStatus = "suspended"
)

// StoreStatus of a store: open ⇄ closed.
type StoreStatus string

// The states of a store. A closed one redeems nothing.
const (
	StoreOpen   StoreStatus = "open"
	StoreClosed StoreStatus = "closed"
)

// Merchant is a row of merchant. Contact name and phone are those of the
// business, shown to its customers: no personal data.
type Merchant struct {
	ID           string `gorm:"primaryKey"`
	RegionID     string // whose operators administer it
	Name         string // unique in the region
	Category     string
	ContactName  string
	ContactPhone string
	Status       MerchantStatus
	Version      int64
	CreatedAt    clock.Instant `gorm:"autoCreateTime:false"`
	UpdatedAt    clock.Instant `gorm:"autoUpdateTime:false"`
}

// MerchantStore is a row of merchant_store. Lon and Lat (degrees, GCJ-02) are
// both set or both nil.
type MerchantStore struct {
	ID         string `gorm:"primaryKey"`
	MerchantID string
	Name       string // unique at the merchant
	Address    string
	Lon        *float64
	Lat        *float64
	Status     StoreStatus
	Version    int64
	CreatedAt  clock.Instant `gorm:"autoCreateTime:false"`
	UpdatedAt  clock.Instant `gorm:"autoUpdateTime:false"`
}

// MerchantHistory is a row of merchant_history: one move of a merchant, or of
// the store that StoreID names. Append only.
type MerchantHistory struct {
	ID         string `gorm:"primaryKey"`
	MerchantID string
	StoreID    *string
	FromStatus string // "" when it was created
	ToStatus   string
	ActorKind  string
	ActorID    string
	Reason     string
	CreatedAt  clock.Instant `gorm:"autoCreateTime:false"`
}

// Bounds of what people type about merchants and benefits, in characters.
const (
	MaxMerchantName = 64
	MaxStoreAddress = 200
	MaxContactName  = 64
)

var categories = []string{"dining", "cinema", "fitness", "retail", "culture", "service", "other"}

// Categories lists what a merchant or a benefit can be: 餐饮, 影院, 健身, 零售,
// 文化, 生活服务, 其他.
func Categories() []string { return slices.Clone(categories) }

var businessPhone = regexp.MustCompile(`^[0-9+][0-9 -]{4,30}$`)

// Validate checks what people typed in.
func (m *Merchant) Validate(f *fault.Fields) {
	f.Add(lengthWithin(m.Name, 1, MaxMerchantName) && printable(m.Name), "name", "应为 1 到 64 个字")
	f.Add(slices.Contains(categories, m.Category), "category", "没有这个类别")
	f.Add(m.ContactName == "" || lengthWithin(m.ContactName, 1, MaxContactName) && printable(m.ContactName), "contact_name", "最多 64 个字")
	f.Add(m.ContactPhone == "" || businessPhone.MatchString(m.ContactPhone), "contact_phone", "应为电话号码")
}

// Validate checks what people typed in.
func (s *MerchantStore) Validate(f *fault.Fields) {
	f.Add(lengthWithin(s.Name, 1, MaxMerchantName) && printable(s.Name), "name", "应为 1 到 64 个字")
	f.Add(lengthWithin(s.Address, 1, MaxStoreAddress) && printable(s.Address), "address", "应为 1 到 200 个字")
	f.Add((s.Lon == nil) == (s.Lat == nil), "lon", "经度和纬度要一起填写")
	f.Add(s.Lon == nil || *s.Lon >= -180 && *s.Lon <= 180, "lon", "经度应在 -180 到 180 之间")
	f.Add(s.Lat == nil || *s.Lat >= -90 && *s.Lat <= 90, "lat", "纬度应在 -90 到 90 之间")
}
