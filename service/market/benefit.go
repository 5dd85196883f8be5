package market

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
	"jiamenkou/service/media"
	"jiamenkou/service/region"
)

// BenefitInput describes a benefit.
type BenefitInput struct {
	RegionID         string // offered to its residents; within the merchant's county
	Title            string // 1..64 characters
	Description      string // at most 4000 characters
	Category         string // one of model.Categories
	ImageKey         string // of the stored picture, optional
	PointsPrice      int64  // 1..1,000,000
	CashPriceFen     int64
	OriginalPriceFen int64
	SubsidyFen       *int64 // nil: original price less the cash part
	PerPersonLimit   int64  // 1..100
	RedeemDays       *int64 // 0..366 days after the day of ordering, or …
	RedeemUntil      *clock.Instant
	ValidFrom        clock.Instant
	ValidUntil       clock.Instant
	StoreIDs         []string // which stores redeem it; none: all
}

func (in BenefitInput) row() (Benefit, error) {
	b := Benefit{
		RegionID: in.RegionID, Title: in.Title, Description: in.Description, Category: in.Category, ImageKey: in.ImageKey,
		PointsPrice: in.PointsPrice, CashPriceFen: in.CashPriceFen, OriginalPriceFen: in.OriginalPriceFen,
		SubsidyFen: in.OriginalPriceFen - in.CashPriceFen, PerPersonLimit: in.PerPersonLimit, RedeemDays: in.RedeemDays,
		RedeemUntil: in.RedeemUntil, ValidFrom: in.ValidFrom, ValidUntil: in.ValidUntil,
	}
	if in.SubsidyFen != nil {
		b.SubsidyFen = *in.SubsidyFen
	}
	var f fault.Fields
	b.Validate(&f)
	f.Add(len(in.StoreIDs) <= model.MaxBenefitStores, "store_ids", "最多选择 100 家门店")
	return b, f.Err(codeInvalid)
}

// CreateBenefit adds a benefit as a draft; the actor must be an owner of the
// merchant or an operator over it.
func (s *Service) CreateBenefit(ctx context.Context, actor authz.Actor, merchantID string, in BenefitInput) (Benefit, error) {
	row, err := in.row()
	if err != nil {
		return Benefit{}, err
	}
	m, err := s.managed(ctx, actor, merchantID)
	if err != nil {
		return Benefit{}, err
	}
	if err := s.checkOffer(ctx, m, in); err != nil {
		return Benefit{}, err
	}
	now := s.now()
	row.ID, row.MerchantID, row.Status, row.Version, row.CreatedAt, row.UpdatedAt = s.clock.NewID(), merchantID, model.BenefitDraft, 1, now, now
	err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		if err := region.RequireOpenTx(tx, row.RegionID); err != nil {
			return err
		}
		if err := setStores(tx, row.ID, in.StoreIDs); err != nil {
			return err
		}
		if err := s.benefitMoved(tx, actor, row.ID, "", row.Status, "", now); err != nil {
			return err
		}
		return s.trail.RecordTx(tx, benefitEntry(actor, row, "benefit.create", "", nil))
	})
	return row, err
}

// checkOffer checks that the picture is there, where a benefit is offered and which stores redeem it.
func (s *Service) checkOffer(ctx context.Context, m scope, in BenefitInput) error {
	var f fault.Fields
	if err := media.Check(s.db.Read(ctx), &f, "image_key", model.MediaPicture, in.ImageKey); err != nil {
		return err
	}
	if err := f.Err(codeInvalid); err != nil {
		return err
	}
	path, err := s.regionPath(ctx, in.RegionID)
	if err != nil {
		return err
	}
	if model.RegionCountyPath(path) != model.RegionCountyPath(m.Path) {
		return ErrOfferRegion
	}
	if len(in.StoreIDs) == 0 {
		return nil
	}
	ids := slices.Compact(slices.Sorted(slices.Values(in.StoreIDs)))
	var n int64
	err = s.db.Read(ctx).Model(&Store{}).Where("id IN ? AND merchant_id = ?", ids, m.ID).Count(&n).Error
	if err != nil {
		return fmt.Errorf("market: stores of the benefit: %w", err)
	}
	if n != int64(len(ids)) {
		return ErrForeignStore
	}
	return nil
}

func setStores(tx *gorm.DB, benefitID string, storeIDs []string) error {
	var rows []model.BenefitStore
	for _, id := range slices.Compact(slices.Sorted(slices.Values(storeIDs))) {
		rows = append(rows, model.BenefitStore{BenefitID: benefitID, StoreID: id})
	}
	return create(tx, rows)
}

func sameStores(a, b []string) bool {
	return slices.Equal(slices.Compact(slices.Sorted(slices.Values(a))), slices.Compact(slices.Sorted(slices.Values(b))))
}

func (s *Service) benefitMoved(tx *gorm.DB, actor authz.Actor, id string, from, to BenefitStatus, reason string, now clock.Instant) error {
	return tx.Create(&BenefitHistory{
		ID: s.clock.NewID(), BenefitID: id, FromStatus: string(from), ToStatus: string(to),
		ActorKind: string(actor.Kind), ActorID: actor.ID, Reason: reason, CreatedAt: now,
	}).Error
}

// benefitScope is a benefit, its merchant and where it is offered.
type benefitScope struct {
	Benefit   Benefit
	merchant  scope
	offerPath string
}

// benefitFor returns a benefit that the actor can see: at its merchant, or
// with the region of the merchant or of the offer.
func (s *Service) benefitFor(ctx context.Context, actor authz.Actor, id string) (benefitScope, error) {
	b, err := take[Benefit](s.db.Read(ctx).Where("id = ?", id), ErrBenefitMissing)
	if err != nil {
		return benefitScope{}, err
	}
	out := benefitScope{Benefit: b}
	if out.offerPath, err = s.regionPath(ctx, b.RegionID); err != nil {
		return out, err
	}
	var merchants []scope
	if err := s.db.Read(ctx).Raw(merchantRegion, b.MerchantID).Scan(&merchants).Error; err != nil {
		return out, fmt.Errorf("market: merchant: %w", err)
	}
	if len(merchants) == 0 {
		return out, ErrBenefitMissing
	}
	out.merchant = merchants[0]
	if actor.AtMerchant(b.MerchantID, seesMerchant...) != nil && actor.InRegion(out.offerPath, seesRegion...) != nil &&
		actor.InRegion(out.merchant.Path, seesRegion...) != nil {
		return benefitScope{}, ErrBenefitMissing
	}
	return out, nil
}

// UpdateBenefit changes a benefit that was never published, if it is still in
// the given version (else ErrChanged).
func (s *Service) UpdateBenefit(ctx context.Context, actor authz.Actor, id string, version int64, in BenefitInput) (Benefit, error) {
	row, err := in.row()
	if err != nil {
		return Benefit{}, err
	}
	old, err := s.benefitFor(ctx, actor, id)
	if err != nil {
		return Benefit{}, err
	}
	if err := old.merchant.manages(actor); err != nil {
		return Benefit{}, err
	}
	if err := s.checkOffer(ctx, old.merchant, in); err != nil {
		return Benefit{}, err
	}
	if !old.editable() {
		return Benefit{}, ErrNotEditable
	}
	if old.Benefit.Version != version {
		return Benefit{}, ErrChanged
	}
	now := s.now()
	err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		res := tx.Exec(`UPDATE benefit SET region_id = ?, title = ?, description = ?, category = ?, image_key = ?, points_price = ?,
			cash_price_fen = ?, original_price_fen = ?, subsidy_fen = ?, per_person_limit = ?, redeem_days = ?, redeem_until = ?,
			valid_from = ?, valid_until = ?, version = version + 1, updated_at = ? WHERE id = ? AND version = ? AND status = ?`,
			row.RegionID, row.Title, row.Description, row.Category, row.ImageKey, row.PointsPrice,
			row.CashPriceFen, row.OriginalPriceFen, row.SubsidyFen, row.PerPersonLimit, row.RedeemDays, row.RedeemUntil,
			row.ValidFrom, row.ValidUntil, now, id, version, old.Benefit.Status)
		if err := database.RequireRows(res, 1); err != nil {
			return changed(err, ErrChanged)
		}
		if err := region.RequireOpenTx(tx, row.RegionID); err != nil {
			return err
		}
		var before []string
		if err := tx.Model(&model.BenefitStore{}).Where("benefit_id = ?", id).Pluck("store_id", &before).Error; err != nil {
			return err
		}
		if err := tx.Where("benefit_id = ?", id).Delete(&model.BenefitStore{}).Error; err != nil {
			return err
		}
		if err := setStores(tx, id, in.StoreIDs); err != nil {
			return err
		}
		changes := benefitChanges(old.Benefit, row)
		changes.Mention("store_ids", !sameStores(before, in.StoreIDs))
		return s.trail.RecordTx(tx, benefitEntry(actor, old.Benefit, "benefit.update", "", changes))
	})
	row.ID, row.MerchantID, row.Status, row.Version = id, old.Benefit.MerchantID, old.Benefit.Status, version+1
	row.CreatedAt, row.UpdatedAt = old.Benefit.CreatedAt, now
	return row, err
}

// BenefitMove is something that is done to a benefit.
type BenefitMove string

// The moves.
const (
	BenefitSubmit   BenefitMove = "submit"
	BenefitWithdraw BenefitMove = "withdraw"
	BenefitApprove  BenefitMove = "approve"
	BenefitReject   BenefitMove = "reject"
	BenefitPause    BenefitMove = "pause"
	BenefitResume   BenefitMove = "resume"
	BenefitEnd      BenefitMove = "end"
)

type benefitRule struct {
	move     BenefitMove
	from     []BenefitStatus
	to       BenefitStatus
	operator bool // over the region of the offer; otherwise the owner may as well
	reason   bool // required
}

// benefitMoves lists every move of a benefit.
var benefitMoves = []benefitRule{
	{move: BenefitSubmit, from: []BenefitStatus{model.BenefitDraft, model.BenefitRejected}, to: model.BenefitPendingReview},
	{move: BenefitWithdraw, from: []BenefitStatus{model.BenefitPendingReview}, to: model.BenefitDraft},
	{move: BenefitApprove, from: []BenefitStatus{model.BenefitPendingReview}, to: model.BenefitPublished, operator: true},
	{move: BenefitReject, from: []BenefitStatus{model.BenefitPendingReview}, to: model.BenefitRejected, operator: true, reason: true},
	{move: BenefitPause, from: []BenefitStatus{model.BenefitPublished}, to: model.BenefitPaused, reason: true},
	{move: BenefitResume, from: []BenefitStatus{model.BenefitPaused}, to: model.BenefitPublished},
	{move: BenefitEnd, from: []BenefitStatus{model.BenefitPublished, model.BenefitPaused}, to: model.BenefitEnded, reason: true},
}

func benefitRuleOf(move BenefitMove) (benefitRule, bool) {
	at := slices.IndexFunc(benefitMoves, func(r benefitRule) bool { return r.move == move })
	if at < 0 {
		return benefitRule{}, false
	}
	return benefitMoves[at], true
}

// MoveBenefit moves a benefit. Owners submit, withdraw, pause, resume (what
// they paused themselves) and end; operators over the region of the offer do
// all of that, approve and reject. Orders that are held when a benefit is
// paused or ended can still be redeemed.
func (s *Service) MoveBenefit(ctx context.Context, actor authz.Actor, id string, move BenefitMove, reason string) (Benefit, error) {
	rule, ok := benefitRuleOf(move)
	if !ok {
		return Benefit{}, ErrBadMove
	}
	if err := checkReason(reason, rule.reason); err != nil {
		return Benefit{}, err
	}
	b, err := s.benefitFor(ctx, actor, id)
	if err != nil {
		return Benefit{}, err
	}
	var last []BenefitHistory
	if err := s.db.Read(ctx).Where("benefit_id = ?", id).Order("id DESC").Limit(1).Find(&last).Error; err != nil {
		return Benefit{}, fmt.Errorf("market: last move: %w", err)
	}
	if err := rule.check(actor, b, last); err != nil {
		return Benefit{}, err
	}
	now := s.now()
	out := b.Benefit
	out.Status, out.Version, out.UpdatedAt = rule.to, out.Version+1, now
	if move == BenefitApprove {
		out.PublishedAt = &now
	}
	err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		res := tx.Exec(`UPDATE benefit SET status = ?, published_at = ?, version = version + 1, updated_at = ? WHERE id = ? AND version = ?`,
			out.Status, out.PublishedAt, now, id, b.Benefit.Version)
		if err := database.RequireRows(res, 1); err != nil {
			return changed(err, ErrChanged)
		}
		if err := s.benefitMoved(tx, actor, id, b.Benefit.Status, rule.to, reason, now); err != nil {
			return err
		}
		return s.trail.RecordTx(tx, benefitEntry(actor, b.Benefit, "benefit."+string(move), reason, nil))
	})
	s.soldOut.forget(id)
	return out, err
}

// check returns nil if the actor can make this move on the benefit now; last is
// the move before, if there was one.
func (r benefitRule) check(actor authz.Actor, b benefitScope, last []BenefitHistory) error {
	if err := r.permits(actor, b, last); err != nil {
		return err
	}
	if !contains(r.from, b.Benefit.Status) {
		return ErrBadMove
	}
	if r.to == model.BenefitPublished && b.merchant.Status != model.MerchantActive {
		return ErrMerchantInactive
	}
	return nil
}

func (r benefitRule) permits(actor authz.Actor, b benefitScope, last []BenefitHistory) error {
	err := actor.InRegion(b.offerPath, authz.RoleOperator)
	if r.operator || err == nil {
		return err
	}
	if err := b.merchant.manages(actor); err != nil {
		return err
	}
	if r.move == BenefitResume && (len(last) == 0 || last[0].ActorID != actor.ID) {
		return ErrPausedByOperator
	}
	return nil
}

// supplies returns nil for those who may release stock of the benefit.
func (b benefitScope) supplies(actor authz.Actor) error {
	if b.merchant.manages(actor) == nil {
		return nil
	}
	return actor.InRegion(b.offerPath, authz.RoleOperator)
}

// editable reports whether the benefit was never published.
func (b benefitScope) editable() bool {
	return b.Benefit.Status == model.BenefitDraft || b.Benefit.Status == model.BenefitRejected
}

// nextMoves lists what the actor can do with the benefit now.
func (b benefitScope) nextMoves(actor authz.Actor, last []BenefitHistory) []string {
	moves := []string{}
	if b.editable() && b.merchant.manages(actor) == nil {
		moves = append(moves, MoveEdit)
	}
	if b.Benefit.Status != model.BenefitEnded && b.supplies(actor) == nil {
		moves = append(moves, MoveRelease)
	}
	for _, r := range benefitMoves {
		if r.check(actor, b, last) == nil {
			moves = append(moves, string(r.move))
		}
	}
	return moves
}

// ReleaseInput releases stock of a benefit for a time window.
type ReleaseInput struct {
	StartsAt       clock.Instant
	EndsAt         clock.Instant // exclusive
	Total          int64         // 1..10,000,000
	IdempotencyKey string
}

// Release is a release and what it has left.
type Release struct {
	ID        string
	BenefitID string
	StartsAt  clock.Instant
	EndsAt    clock.Instant
	Total     int64
	Sold      int64
	CreatedAt clock.Instant
}

// AddRelease adds stock to a benefit that has not ended. The window must lie
// within the benefit's validity and not be over. A replay of the key gives the
// same release.
func (s *Service) AddRelease(ctx context.Context, actor authz.Actor, benefitID string, in ReleaseInput) (Release, error) {
	var f fault.Fields
	f.Add(in.Total >= 1 && in.Total <= model.MaxReleaseTotal, "total", "应为 1 到 10000000 的整数")
	f.Add(in.StartsAt < in.EndsAt, "ends_at", "结束时间应晚于开始时间")
	if err := errors.Join(checkKey(in.IdempotencyKey), f.Err(codeInvalid)); err != nil {
		return Release{}, err
	}
	b, err := s.benefitFor(ctx, actor, benefitID)
	if err != nil {
		return Release{}, err
	}
	if err := b.supplies(actor); err != nil {
		return Release{}, err
	}
	row := model.BenefitRelease{
		ID: s.clock.NewID(), BenefitID: benefitID, StartsAt: in.StartsAt, EndsAt: in.EndsAt, IdempotencyKey: in.IdempotencyKey,
		InputHash: hashInput("release", benefitID, in.StartsAt, in.EndsAt, in.Total), CreatedBy: actor.ID, CreatedAt: s.now(),
	}
	err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		// The lock keeps the benefit from ending meanwhile; replays wait here.
		var now Benefit
		if err := tx.Raw(`SELECT * FROM benefit WHERE id = ?`+database.ForUpdate(tx), benefitID).Scan(&now).Error; err != nil {
			return err
		}
		var first []model.BenefitRelease
		if err := tx.Where("benefit_id = ? AND idempotency_key = ?", benefitID, in.IdempotencyKey).Limit(1).Find(&first).Error; err != nil {
			return err
		}
		if len(first) > 0 {
			if first[0].InputHash != row.InputHash {
				return ErrIdempotencyConflict
			}
			row = first[0]
			return nil
		}
		if now.Status == model.BenefitEnded {
			return ErrBenefitClosed
		}
		f.Add(in.EndsAt > row.CreatedAt, "ends_at", "结束时间应晚于现在")
		f.Add(in.StartsAt >= now.ValidFrom && in.EndsAt <= now.ValidUntil, "starts_at", "放量时间应在福利的兑换时间之内")
		if err := f.Err(codeInvalid); err != nil {
			return err
		}
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		if err := tx.Create(&model.BenefitStock{ReleaseID: row.ID, Total: in.Total, Remaining: in.Total, Version: 1}).Error; err != nil {
			return err
		}
		return s.trail.RecordTx(tx, benefitEntry(actor, b.Benefit, "benefit.release", "",
			releaseDetail{in.Total, in.StartsAt.Time().Format(time.RFC3339), in.EndsAt.Time().Format(time.RFC3339)}))
	})
	s.soldOut.forget(benefitID)
	// Sold is that of the moment of release, so that a replay says the same.
	return Release{ID: row.ID, BenefitID: benefitID, StartsAt: row.StartsAt, EndsAt: row.EndsAt, Total: in.Total, CreatedAt: row.CreatedAt}, err
}

// ManagedBenefit is a benefit as those who manage it see it.
type ManagedBenefit struct {
	Benefit      `gorm:"embedded"`
	MerchantName string
	RegionName   string
	Total        int64 // over all releases
	Sold         int64
}

// BenefitRecord is a benefit with everything about it.
type BenefitRecord struct {
	ManagedBenefit
	StoreIDs       []string // none: every store of the merchant
	Releases       []Release
	History        []BenefitStep // newest first
	MerchantStatus MerchantStatus
	NextMoves      []string // of the actor: MoveEdit, MoveRelease and those of benefitMoves
}

// BenefitStep is a move and who made it.
type BenefitStep struct {
	BenefitHistory
	ActorName string // of staff
}

// limits of what one record shows.
const (
	maxShownReleases = 200
	maxShownHistory  = 200
)

// ManagedBenefitFilter narrows a list; zero fields do not.
type ManagedBenefitFilter struct {
	MerchantID string
	Status     BenefitStatus
	Text       string // part of the title
}

// ManagedOrder is how benefits can be sorted.
var ManagedOrder = paging.NewOrder("-created_at",
	paging.Text("created_at", "b.id", func(b ManagedBenefit) string { return b.ID }),
	paging.Text("title", "b.title", func(b ManagedBenefit) string { return b.Title }),
	paging.Number("points_price", "b.points_price", func(b ManagedBenefit) int64 { return b.PointsPrice }),
	paging.Number("valid_until", "b.valid_until", func(b ManagedBenefit) clock.Instant { return b.ValidUntil }),
)

// ManagedBenefits lists the benefits that the actor can see, newest first unless
// sorted by ManagedOrder.
func (s *Service) ManagedBenefits(ctx context.Context, actor authz.Actor, f ManagedBenefitFilter, page paging.Request) (paging.Page[ManagedBenefit], error) {
	var none paging.Page[ManagedBenefit]
	if err := checkText(f.Text); err != nil {
		return none, err
	}
	seek, err := ManagedOrder.Seek(page)
	if err != nil {
		return none, err
	}
	q := s.managedBenefits(ctx).Where(s.withinScope(ctx, actor, "b.merchant_id", "r.path", "mr.path")).
		Where(seek.Where, seek.Args...).Order(seek.By).Limit(seek.Limit)
	if f.MerchantID != "" {
		q = q.Where("b.merchant_id = ?", f.MerchantID)
	}
	if f.Status != "" {
		q = q.Where("b.status = ?", f.Status)
	}
	if f.Text != "" {
		q = q.Where("b.title LIKE ? ESCAPE '!'", like(f.Text))
	}
	var rows []ManagedBenefit
	if err := q.Scan(&rows).Error; err != nil {
		return none, fmt.Errorf("market: benefits: %w", err)
	}
	p := seek.Page(rows)
	return p, s.fillStock(ctx, p.Items)
}

func (s *Service) managedBenefits(ctx context.Context) *gorm.DB {
	return s.db.Read(ctx).Table("benefit b").Select("b.*, m.name AS merchant_name, r.name AS region_name").
		Joins("JOIN merchant m ON m.id = b.merchant_id").Joins("JOIN region r ON r.id = b.region_id").
		Joins("JOIN region mr ON mr.id = m.region_id")
}

func (s *Service) fillStock(ctx context.Context, items []ManagedBenefit) error {
	if len(items) == 0 {
		return nil
	}
	at, ids := map[string]int{}, make([]string, len(items))
	for i, b := range items {
		at[b.ID], ids[i] = i, b.ID
	}
	var sums []struct {
		BenefitID   string
		Total, Sold int64
	}
	err := s.db.Read(ctx).Raw(`SELECT r.benefit_id, SUM(s.total) AS total, SUM(s.sold) AS sold FROM benefit_release r
		JOIN benefit_stock s ON s.release_id = r.id WHERE r.benefit_id IN ? GROUP BY r.benefit_id`, ids).Scan(&sums).Error
	if err != nil {
		return fmt.Errorf("market: stock of benefits: %w", err)
	}
	for _, x := range sums {
		items[at[x.BenefitID]].Total, items[at[x.BenefitID]].Sold = x.Total, x.Sold
	}
	return nil
}

// BenefitRecord returns one benefit that the actor can see, with its stores,
// releases and history.
func (s *Service) BenefitRecord(ctx context.Context, actor authz.Actor, id string) (BenefitRecord, error) {
	b, err := s.benefitFor(ctx, actor, id)
	if err != nil {
		return BenefitRecord{}, err
	}
	rows := make([]ManagedBenefit, 0, 1)
	if err := s.managedBenefits(ctx).Where("b.id = ?", id).Scan(&rows).Error; err != nil {
		return BenefitRecord{}, fmt.Errorf("market: benefit: %w", err)
	}
	if len(rows) == 0 {
		return BenefitRecord{}, ErrBenefitMissing
	}
	if err := s.fillStock(ctx, rows); err != nil {
		return BenefitRecord{}, err
	}
	out := BenefitRecord{ManagedBenefit: rows[0], MerchantStatus: b.merchant.Status}
	db := s.db.Read(ctx)
	err = errors.Join(
		db.Model(&model.BenefitStore{}).Where("benefit_id = ?", id).Order("store_id").Pluck("store_id", &out.StoreIDs).Error,
		s.db.Read(ctx).Raw(`SELECT r.id, r.benefit_id, r.starts_at, r.ends_at, s.total, s.sold, r.created_at FROM benefit_release r
			JOIN benefit_stock s ON s.release_id = r.id WHERE r.benefit_id = ? ORDER BY r.starts_at DESC, r.id DESC LIMIT ?`,
			id, maxShownReleases).Scan(&out.Releases).Error,
		s.db.Read(ctx).Raw(`SELECT h.*, COALESCE(p.name, '') AS actor_name FROM benefit_history h LEFT JOIN staff p ON p.id = h.actor_id
			WHERE h.benefit_id = ? ORDER BY h.id DESC LIMIT ?`, id, maxShownHistory).Scan(&out.History).Error,
	)
	if err != nil {
		return BenefitRecord{}, fmt.Errorf("market: benefit: %w", err)
	}
	var last []BenefitHistory
	for _, step := range out.History[:min(1, len(out.History))] {
		last = append(last, step.BenefitHistory)
	}
	out.NextMoves = b.nextMoves(actor, last)
	return out, nil
}
