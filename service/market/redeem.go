package market

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
	"jiamenkou/model"
	"jiamenkou/service/ledger"
)

// Scan is what a clerk scanned or typed, and where. Exactly one of Code and
// ShortCode is set.
type Scan struct {
	Code      string
	ShortCode string
	StoreID   string
}

// RedeemInput redeems what was scanned.
type RedeemInput struct {
	Scan
	IdempotencyKey string // one per scan; a retry repeats it together with the code
}

// Redeemed is the answer to a redemption, the same for every replay: what to
// hand over and how much cash to take.
type Redeemed struct {
	RedemptionID string
	OrderID      string
	BenefitID    string
	BenefitTitle string
	Points       int64 // captured
	CashFen      int64 // to be taken at the store
	StoreID      string
	StoreName    string
	ClerkID      string
	RedeemedAt   clock.Instant
}

// Preview is what a redemption would do.
type Preview struct {
	OrderID      string
	BenefitID    string
	BenefitTitle string
	Points       int64
	CashFen      int64
	StoreID      string
	StoreName    string
	OrderedAt    clock.Instant
	RedeemUntil  clock.Instant
}

// maxCodeLength bounds what is looked at of a scanned text.
const maxCodeLength = 200

func (in Scan) validate() error {
	var f fault.Fields
	f.Add((in.Code == "") != (in.ShortCode == ""), "code", "请扫码，或输入 10 位数字核销码")
	f.Add(len(in.Code) <= maxCodeLength && len(in.ShortCode) <= maxCodeLength, "code", "核销码过长")
	f.Add(in.StoreID != "", "store_id", "请选择门店")
	return f.Err(codeInvalid)
}

// counter is where a clerk stands.
type counter struct {
	store    Store
	merchant MerchantStatus
}

// presented is the order behind a code.
type presented struct {
	order  Order
	inTime bool // the code's step is valid now
}

// counterOf returns the store, if the actor works at its merchant.
func (s *Service) counterOf(ctx context.Context, actor authz.Actor, storeID string) (counter, error) {
	if actor.Kind != authz.KindStaff {
		return counter{}, authz.ErrForbidden
	}
	store, err := take[Store](s.db.Read(ctx).Where("id = ?", storeID), ErrStoreMissing)
	if err != nil {
		return counter{}, err
	}
	if actor.AtMerchant(store.MerchantID, authz.RoleClerk, authz.RoleOwner) != nil {
		return counter{}, ErrStoreMissing
	}
	merchant, err := take[Merchant](s.db.Read(ctx).Where("id = ?", store.MerchantID), ErrMerchantMissing)
	return counter{store: store, merchant: merchant.Status}, err
}

// find checks the signature and finds the order.
func (s *Service) find(ctx context.Context, at counter, in Scan) (presented, error) {
	if in.ShortCode != "" {
		return s.findShort(ctx, at, in.ShortCode)
	}
	id, step, err := s.codes.parse(in.Code)
	if err != nil {
		return presented{}, err
	}
	o, err := take[Order](s.db.Read(ctx).Where("id = ?", id), ErrOrderMissing)
	return presented{order: o, inTime: s.codes.inTime(step, s.now())}, err
}

const (
	// shortMemory is how long after its step a short code is still recognised,
	// so that it is called expired and not forged.
	shortMemory = 10 * time.Minute
	// maxShortCandidates bounds the orders of one locator that are looked at.
	maxShortCandidates = 200
)

// findShort looks for the order to which a short code belongs: among the live
// orders of its locator and those that ended a moment ago. One of the clerk's
// own merchant, and in time, comes before others; a code that fits two of
// those (one in many millions) counts as expired, and the next one will do.
func (s *Service) findShort(ctx context.Context, at counter, text string) (presented, error) {
	locator, check, err := parseShort(text)
	if err != nil {
		return presented{}, err
	}
	now := s.now()
	var rows []Order
	err = s.db.Read(ctx).Where("code_locator = ? AND (status = ? OR updated_at >= ?)", locator, model.OrderHeld, now.Add(-shortMemory)).
		Order("id DESC").Limit(maxShortCandidates).Find(&rows).Error
	if err != nil {
		return presented{}, fmt.Errorf("market: short code: %w", err)
	}
	var own, others []presented
	for _, o := range rows {
		fits, inTime := s.shortFits(o, check, now)
		switch {
		case !fits:
		case o.MerchantID == at.store.MerchantID && inTime:
			own = append([]presented{{o, true}}, own...)
		case o.MerchantID == at.store.MerchantID:
			own = append(own, presented{o, false})
		default:
			others = append(others, presented{o, inTime})
		}
	}
	switch {
	case len(own) > 1 && own[1].inTime:
		return presented{}, ErrCodeExpired
	case len(own) > 0:
		return own[0], nil
	case len(others) > 0:
		return others[0], nil
	}
	return presented{}, ErrCodeForged
}

func (s *Service) shortFits(o Order, check int64, now clock.Instant) (fits, inTime bool) {
	newest := s.codes.stepAt(now) + 1
	steps := uint32(shortMemory/s.codes.step) + 2 //nolint:gosec // at most 600
	for step := newest; step+steps > newest; step-- {
		if s.codes.shortCheck(o.ID, step) == check {
			return true, s.codes.inTime(step, now)
		}
	}
	return false, false
}

// admit says whether the order may be redeemed at the counter: merchant, then
// store, then the order's state, then the age of the code.
func (s *Service) admit(at counter, p presented, allowed bool, now clock.Instant) error {
	switch {
	case p.order.MerchantID != at.store.MerchantID:
		return ErrCodeOtherMerchant
	case at.merchant != model.MerchantActive:
		return ErrMerchantInactive
	case at.store.Status != model.StoreOpen:
		return ErrStoreClosed
	case !allowed:
		return ErrStoreNotAllowed
	}
	if err := refused(p.order, now); err != nil {
		return err
	}
	if !p.inTime {
		return ErrCodeExpired
	}
	return nil
}

// storeAllowed reports whether the store redeems the benefit.
func (s *Service) storeAllowed(ctx context.Context, benefitID, storeID string) (bool, error) {
	var named []string
	err := s.db.Read(ctx).Model(&model.BenefitStore{}).Where("benefit_id = ?", benefitID).Pluck("store_id", &named).Error
	if err != nil {
		return false, fmt.Errorf("market: stores of the benefit: %w", err)
	}
	return len(named) == 0 || contains(named, storeID), nil
}

// Preview says what redeeming the code would do and changes nothing. Its
// errors are those of Redeem.
func (s *Service) Preview(ctx context.Context, actor authz.Actor, in Scan) (Preview, error) {
	if err := in.validate(); err != nil {
		return Preview{}, err
	}
	at, err := s.counterOf(ctx, actor, in.StoreID)
	if err != nil {
		return Preview{}, err
	}
	p, err := s.find(ctx, at, in)
	if err != nil {
		return Preview{}, err
	}
	allowed, err := s.storeAllowed(ctx, p.order.BenefitID, at.store.ID)
	if err != nil {
		return Preview{}, err
	}
	if err := s.admit(at, p, allowed, s.now()); err != nil {
		return Preview{}, err
	}
	b, err := take[Benefit](s.db.Read(ctx).Where("id = ?", p.order.BenefitID), ErrBenefitMissing)
	return Preview{
		OrderID: p.order.ID, BenefitID: b.ID, BenefitTitle: b.Title, Points: p.order.Points, CashFen: p.order.CashFen,
		StoreID: at.store.ID, StoreName: at.store.Name, OrderedAt: p.order.CreatedAt, RedeemUntil: p.order.RedeemUntil,
	}, err
}

// Redeem redeems the order behind a code: its held points go to the merchant,
// and store and clerk are recorded, in one transaction. A replay with the same
// key gives the first answer, also when the code is too old by then; another
// scan of a redeemed order is ErrCodeUsed.
//
// Errors: ErrStoreMissing (also of a merchant where the actor does not work),
// ErrCodeForged, ErrOrderMissing, ErrCodeOtherMerchant, ErrMerchantInactive,
// ErrStoreClosed, ErrStoreNotAllowed, ErrCodeUsed, ErrOrderCancelled,
// ErrOrderReversed, ErrOrderExpired, ErrCodeExpired, ErrIdempotencyConflict,
// ledger.ErrAccountFrozen.
func (s *Service) Redeem(ctx context.Context, actor authz.Actor, in RedeemInput) (Redeemed, error) {
	if err := errors.Join(in.validate(), checkKey(in.IdempotencyKey)); err != nil {
		return Redeemed{}, err
	}
	at, err := s.counterOf(ctx, actor, in.StoreID)
	if err != nil {
		return Redeemed{}, err
	}
	hash := hashInput("redeem", in.Code, in.ShortCode, in.StoreID)
	first, err := s.answeredRedemption(s.db.Read(ctx), actor, in.IdempotencyKey, hash)
	if err != nil {
		return Redeemed{}, err
	}
	if first == nil {
		if first, err = s.redeem(ctx, actor, at, in, hash); err != nil {
			return Redeemed{}, s.keyTaken(ctx, err, actor, in.IdempotencyKey)
		}
	}
	return s.redeemed(ctx, *first)
}

func (s *Service) redeem(ctx context.Context, actor authz.Actor, at counter, in RedeemInput, hash string) (*Redemption, error) {
	p, err := s.find(ctx, at, in.Scan)
	if err != nil {
		return nil, err
	}
	allowed, err := s.storeAllowed(ctx, p.order.BenefitID, at.store.ID)
	if err != nil {
		return nil, err
	}
	var row *Redemption
	err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		row = nil
		if _, err := s.ledger.LockWalletsTx(ctx, tx, []string{p.order.ResidentID}); err != nil {
			return fmt.Errorf("market: redeem: %w", err)
		}
		orders, err := lockOrdersTx(ctx, tx, []string{p.order.ID})
		if err != nil {
			return err
		}
		if len(orders) == 0 {
			return ErrOrderMissing
		}
		// The same scan may have come twice at once: under the lock the second
		// finds what the first wrote.
		if row, err = s.answeredRedemption(tx.WithContext(ctx), actor, in.IdempotencyKey, hash); err != nil || row != nil {
			return err
		}
		now := s.now()
		if err := s.admit(at, presented{order: orders[0], inTime: p.inTime}, allowed, now); err != nil {
			return err
		}
		row, err = s.captureTx(ctx, tx, actor, at, orders[0], in.IdempotencyKey, hash, now)
		return err
	})
	return row, err
}

func (s *Service) captureTx(ctx context.Context, tx *gorm.DB, actor authz.Actor, at counter, o Order,
	key, hash string, now clock.Instant,
) (*Redemption, error) {
	outcomes, err := s.ledger.CaptureTx(ctx, tx, []ledger.Capture{{
		Event:      ledger.Event{SourceType: SourceOrder, SourceID: o.ID, ActorID: actor.ID, Reason: "核销福利"},
		ResidentID: o.ResidentID, HoldID: o.HoldID, MerchantID: o.MerchantID,
	}})
	if err == nil {
		err = outcomes[0].Err
	}
	if err != nil {
		return nil, err
	}
	tx = tx.WithContext(ctx)
	if err := moveOrdersTx(tx, []string{o.ID}, model.OrderHeld, model.OrderRedeemed, now); err != nil {
		return nil, err
	}
	row := &Redemption{
		ID: s.clock.NewID(), OrderID: o.ID, MerchantID: o.MerchantID, StoreID: at.store.ID, ClerkID: actor.ID,
		TransferID: outcomes[0].TransferID, IdempotencyKey: key, InputHash: hash, CreatedAt: now,
	}
	if err := tx.Create(row).Error; err != nil {
		return nil, fmt.Errorf("market: redeem: %w", err)
	}
	move := s.orderHistory(o, model.OrderHeld, model.OrderRedeemed, actor, "", now)
	if err := tx.Create(&move).Error; err != nil {
		return nil, fmt.Errorf("market: redeem: %w", err)
	}
	return row, nil
}

// answeredRedemption finds the redemption that an earlier scan with this key made.
func (s *Service) answeredRedemption(db *gorm.DB, actor authz.Actor, key, hash string) (*Redemption, error) {
	var rows []Redemption
	err := db.Where("clerk_id = ? AND idempotency_key = ?", actor.ID, key).Limit(1).Find(&rows).Error
	switch {
	case err != nil:
		return nil, fmt.Errorf("market: look the scan up: %w", err)
	case len(rows) == 0:
		return nil, nil //nolint:nilnil // nothing found is no error
	case rows[0].InputHash != hash:
		return nil, ErrIdempotencyConflict
	}
	return &rows[0], nil
}

// redeemed builds the answer from what never changes.
func (s *Service) redeemed(ctx context.Context, r Redemption) (Redeemed, error) {
	var out Redeemed
	err := s.db.Read(ctx).Raw(`SELECT o.benefit_id, b.title AS benefit_title, o.points, o.cash_fen, st.name AS store_name
		FROM benefit_order o JOIN benefit b ON b.id = o.benefit_id JOIN merchant_store st ON st.id = ?
		WHERE o.id = ?`, r.StoreID, r.OrderID).Scan(&out).Error
	if err != nil {
		return Redeemed{}, fmt.Errorf("market: redeemed: %w", err)
	}
	out.RedemptionID, out.OrderID, out.StoreID, out.ClerkID, out.RedeemedAt = r.ID, r.OrderID, r.StoreID, r.ClerkID, r.CreatedAt
	return out, nil
}

// ReverseInput takes a redemption back.
type ReverseInput struct {
	OrderID        string
	ReasonCode     ReverseReason // of ReverseReasons; "" if Reason says it all
	Reason         string        // 1..200 characters; with a code it may be empty, except with "other"
	IdempotencyKey string
}

// ReverseReason is model's, for the surfaces, which do not import model.
type ReverseReason = model.ReverseReason

// ReverseReasonName is a reason to choose, with its name.
type ReverseReasonName = model.ReverseReasonName

// ReverseReasons lists what a clerk can choose from.
func ReverseReasons() []ReverseReasonName { return model.ReverseReasons() }

// text is the reason as people read it later.
func (in ReverseInput) text() (string, error) {
	note := strings.TrimSpace(in.Reason)
	if in.ReasonCode == "" {
		return in.Reason, checkReason(in.Reason, true)
	}
	reasons := ReverseReasons()
	i := slices.IndexFunc(reasons, func(r ReverseReasonName) bool { return r.Code == in.ReasonCode })
	var f fault.Fields
	f.Add(i >= 0, "reason_code", "请从列表中选择原因")
	f.Add(in.ReasonCode != model.ReverseOther || note != "", "reason", "选择“其他”时请写明原因")
	if err := f.Err(codeInvalid); err != nil {
		return "", err
	}
	text := reasons[i].Name
	if note != "" {
		text += "：" + note
	}
	return text, checkReason(text, true)
}

// Reversed is the answer to a reversal, the same for every replay.
type Reversed struct {
	OrderID    string
	Points     int64 // back in the resident's wallet, in the lots that they came from
	CashFen    int64 // to be given back at the store
	ReversedAt clock.Instant
}

// ReverseRedemption takes a redemption back on the Shanghai day on which it
// was made. The order ends as reversed, points and slot go back to the
// resident, and the unit goes back to its release: it was not consumed.
//
// Errors: ErrOrderMissing (also at a merchant where the actor does not work),
// ErrNotRedeemed, ErrOrderReversed, ErrReverseTooLate, ErrIdempotencyConflict,
// ledger.ErrAccountFrozen.
func (s *Service) ReverseRedemption(ctx context.Context, actor authz.Actor, in ReverseInput) (Reversed, error) {
	if actor.Kind != authz.KindStaff {
		return Reversed{}, authz.ErrForbidden
	}
	text, err := in.text()
	if err = errors.Join(checkKey(in.IdempotencyKey), err); err != nil {
		return Reversed{}, err
	}
	in.Reason = text
	seen, err := take[Order](s.db.Read(ctx).Where("id = ?", in.OrderID), ErrOrderMissing)
	if err != nil {
		return Reversed{}, err
	}
	if actor.AtMerchant(seen.MerchantID, authz.RoleClerk, authz.RoleOwner) != nil {
		return Reversed{}, ErrOrderMissing
	}
	hash := hashInput("reverse", in.OrderID, in.Reason)
	var out Reversed
	err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		if _, err := s.ledger.LockWalletsTx(ctx, tx, []string{seen.ResidentID}); err != nil {
			return fmt.Errorf("market: reverse: %w", err)
		}
		orders, err := lockOrdersTx(ctx, tx, []string{in.OrderID})
		if err != nil {
			return err
		}
		if len(orders) == 0 {
			return ErrOrderMissing
		}
		o := orders[0]
		move, replayed, err := s.answeredMove(ctx, tx, actor, in.IdempotencyKey, hash)
		if err != nil {
			return err
		}
		if !replayed {
			if move, err = s.reverseTx(ctx, tx, actor, o, in, hash); err != nil {
				return err
			}
		}
		out = Reversed{OrderID: o.ID, Points: o.Points, CashFen: o.CashFen, ReversedAt: move.CreatedAt}
		return nil
	})
	s.soldOut.forget(seen.BenefitID)
	return out, s.keyTaken(ctx, err, actor, in.IdempotencyKey)
}

func (s *Service) reverseTx(ctx context.Context, tx *gorm.DB, actor authz.Actor, o Order, in ReverseInput, hash string) (move model.OrderHistory, err error) {
	switch o.Status {
	case model.OrderRedeemed:
	case model.OrderReversed:
		return move, ErrOrderReversed
	default:
		return move, ErrNotRedeemed
	}
	now := s.now()
	tx = tx.WithContext(ctx)
	r, err := take[Redemption](tx.Where("order_id = ?", o.ID), ErrNotRedeemed)
	if err != nil {
		return move, err
	}
	if r.CreatedAt.Day() != now.Day() {
		return move, ErrReverseTooLate
	}
	outcomes, err := s.ledger.ReverseTx(ctx, tx, []ledger.Reverse{{
		Event:      ledger.Event{SourceType: SourceOrder, SourceID: o.ID, ActorID: actor.ID, Reason: in.Reason},
		TransferID: r.TransferID,
	}})
	if err == nil {
		err = outcomes[0].Err
	}
	if err != nil {
		return move, err
	}
	if err := moveOrdersTx(tx, []string{o.ID}, model.OrderRedeemed, model.OrderReversed, now); err != nil {
		return move, err
	}
	row := model.RedemptionReversal{
		ID: s.clock.NewID(), RedemptionID: r.ID, OrderID: o.ID, MerchantID: o.MerchantID, StaffID: actor.ID,
		TransferID: outcomes[0].TransferID, Reason: in.Reason, CreatedAt: now,
	}
	if err := tx.Create(&row).Error; err != nil {
		return move, fmt.Errorf("market: reverse: %w", err)
	}
	move = s.orderHistory(o, model.OrderRedeemed, model.OrderReversed, actor, in.Reason, now)
	move.IdempotencyKey, move.InputHash = &in.IdempotencyKey, &hash
	if err := tx.Create(&move).Error; err != nil {
		return move, fmt.Errorf("market: reverse: %w", err)
	}
	return move, stockTx(tx, map[string]int64{o.ReleaseID: -1})
}
