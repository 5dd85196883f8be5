package model

import (
	"regexp"
	"slices"
	"unicode/utf8"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/fault"
)

// BenefitStatus of a benefit; docs/states/market.md draws the moves.
type BenefitStatus string

// The states of a benefit. Residents see and order published ones only.
const (
	BenefitDraft         BenefitStatus = "draft"
	BenefitPendingReview BenefitStatus = "pending_review"
	BenefitPublished     BenefitStatus = "published"
	BenefitRejected      BenefitStatus = "rejected"
	BenefitPaused        BenefitStatus = "paused"
	BenefitEnded         BenefitStatus = "ended"
)

// Benefit is a row of benefit: what residents can order. It is edited only
// before it was published, so that every order was placed under its terms.
type Benefit struct {
	ID               string `gorm:"primaryKey"`
	MerchantID       string
	RegionID         string // offered to the residents of this subtree
	Title            string
	Description      string
	Category         string
	ImageKey         string // of the stored picture, "" for none
	PointsPrice      int64
	CashPriceFen     int64 // paid at the store beside the points
	OriginalPriceFen int64
	SubsidyFen       int64          // what the county pays the merchant for each redemption
	PerPersonLimit   int64          // live and redeemed orders of one resident
	RedeemDays       *int64         // redeem within so many days after the day of ordering …
	RedeemUntil      *clock.Instant // … or until then: exactly one of the two is set
	ValidFrom        clock.Instant  // may be ordered from …
	ValidUntil       clock.Instant  // … until (exclusive)
	Status           BenefitStatus
	PublishedAt      *clock.Instant
	Version          int64
	CreatedAt        clock.Instant `gorm:"autoCreateTime:false"`
	UpdatedAt        clock.Instant `gorm:"autoUpdateTime:false"`
}

// BenefitHistory is a row of benefit_history: one move. Append only.
type BenefitHistory struct {
	ID         string `gorm:"primaryKey"`
	BenefitID  string
	FromStatus string // "" when it was created
	ToStatus   string
	ActorKind  string
	ActorID    string
	Reason     string
	CreatedAt  clock.Instant `gorm:"autoCreateTime:false"`
}

// BenefitStore is a row of benefit_store: a store that redeems the benefit.
// A benefit without any is redeemed by every store of its merchant.
type BenefitStore struct {
	BenefitID string `gorm:"primaryKey"`
	StoreID   string `gorm:"primaryKey"`
}

// BenefitRelease is a row of benefit_release: stock that can be ordered within
// a time window. It never changes; BenefitStock counts.
type BenefitRelease struct {
	ID             string `gorm:"primaryKey"`
	BenefitID      string
	StartsAt       clock.Instant
	EndsAt         clock.Instant // exclusive
	IdempotencyKey string
	InputHash      string
	CreatedBy      string
	CreatedAt      clock.Instant `gorm:"autoCreateTime:false"`
}

// BenefitStock is a row of benefit_stock: how much of a release is ordered.
// Remaining is always Total - Sold.
type BenefitStock struct {
	ReleaseID string `gorm:"primaryKey"`
	Total     int64
	Sold      int64 // orders that are held or redeemed
	Remaining int64
	Version   int64
}

// Bounds of a benefit; the table's CHECKs keep those of its numbers.
const (
	MaxBenefitTitle       = 64
	MaxBenefitDescription = 4_000
	MaxBenefitStores      = 100
	MaxPointsPrice        = 1_000_000
	MaxPriceFen           = 100_000_000 // a million yuan
	MaxPerPersonLimit     = 100
	MaxRedeemDays         = 366
	MaxReleaseTotal       = 10_000_000
)

var imageKey = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$`)

// Validate checks what people typed in.
func (b *Benefit) Validate(f *fault.Fields) {
	f.Add(lengthWithin(b.Title, 1, MaxBenefitTitle) && printable(b.Title), "title", "应为 1 到 64 个字")
	f.Add(utf8.ValidString(b.Description) && utf8.RuneCountInString(b.Description) <= MaxBenefitDescription, "description", "最多 4000 个字")
	f.Add(slices.Contains(categories, b.Category), "category", "没有这个类别")
	f.Add(b.ImageKey == "" || imageKey.MatchString(b.ImageKey), "image_key", "请重新上传图片")
	f.Add(b.PointsPrice >= 1 && b.PointsPrice <= MaxPointsPrice, "points_price", "应为 1 到 1000000 的整数")
	f.Add(b.CashPriceFen >= 0 && b.CashPriceFen <= MaxPriceFen, "cash_price_fen", "金额不能小于零，最多一百万元")
	f.Add(b.OriginalPriceFen >= b.CashPriceFen && b.OriginalPriceFen <= MaxPriceFen, "original_price_fen", "原价不能低于现金部分，最多一百万元")
	f.Add(b.SubsidyFen >= 0 && b.SubsidyFen <= b.OriginalPriceFen-b.CashPriceFen, "subsidy_fen", "补贴不能超过原价与现金部分的差额")
	f.Add(b.PerPersonLimit >= 1 && b.PerPersonLimit <= MaxPerPersonLimit, "per_person_limit", "应为 1 到 100 的整数")
	f.Add(b.ValidFrom < b.ValidUntil, "valid_until", "结束时间应晚于开始时间")
	f.Add((b.RedeemDays == nil) != (b.RedeemUntil == nil), "redeem_days", "核销天数与核销截止时间二选一")
	f.Add(b.RedeemDays == nil || *b.RedeemDays >= 0 && *b.RedeemDays <= MaxRedeemDays, "redeem_days", "应为 0 到 366 天")
	f.Add(b.RedeemUntil == nil || *b.RedeemUntil >= b.ValidUntil, "redeem_until", "核销截止时间不能早于兑换结束时间")
}

// Deadline returns until when an order placed at t can be redeemed: RedeemUntil,
// or the end of the RedeemDays-th day after the day of ordering (0: the same day).
func (b *Benefit) Deadline(t clock.Instant) clock.Instant {
	if b.RedeemUntil != nil {
		return *b.RedeemUntil
	}
	return t.Day().AddDays(int(*b.RedeemDays)).End()
}
