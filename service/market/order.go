package market

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/model"
	"jiamenkou/service/ledger"
)

// OrderInput asks for one order of a benefit.
type OrderInput struct {
	BenefitID      string
	IdempotencyKey string // one per intent; a retry repeats it
}

// Placed is the answer to an order, the same for every replay: it holds
// nothing that changes later.
type Placed struct {
	OrderID     string
	BenefitID   string
	MerchantID  string
	Points      int64 // held now, captured when it is redeemed
	CashFen     int64 // to be paid at the store
	RedeemUntil clock.Instant
	CreatedAt   clock.Instant
}

func placed(o Order) Placed {
	return Placed{
		OrderID: o.ID, BenefitID: o.BenefitID, MerchantID: o.MerchantID, Points: o.Points, CashFen: o.CashFen,
		RedeemUntil: o.RedeemUntil, CreatedAt: o.CreatedAt,
	}
}

// Order orders a benefit for the resident: stock and points are held together
// or not at all. A replay of the key gives the first answer. Orders of one
// benefit at the same time share a transaction.
//
// Errors: ErrNoHome, ErrBenefitMissing (also outside the resident's region),
// ErrBenefitClosed, ErrNotYetValid, ErrNoLongerValid, ErrNotOnSale,
// ErrLimitReached, ErrSoldOut, ErrIdempotencyConflict,
// ledger.ErrInsufficientPoints, ledger.ErrAccountFrozen, batch.ErrFull,
// batch.ErrClosed.
func (s *Service) Order(ctx context.Context, actor authz.Actor, in OrderInput) (Placed, error) {
	if err := actor.Resident(); err != nil {
		return Placed{}, err
	}
	if err := checkKey(in.IdempotencyKey); err != nil {
		return Placed{}, err
	}
	item := orderItem{
		ResidentID: actor.ID, RegionPath: actor.RegionPath, BenefitID: in.BenefitID,
		Key: in.IdempotencyKey, Hash: hashInput("order", in.BenefitID),
	}
	if s.soldOut.refuses(item) {
		return Placed{}, ErrSoldOut
	}
	return s.orders.Do(ctx, item)
}

// maxPlaced is the most items that one call of placeTx takes.
const maxPlaced = 500

// orderItem is one order that somebody asks for.
type orderItem struct {
	ResidentID string
	RegionPath string // of the resident's home, "" if there is none
	BenefitID  string
	Key        string // unique per resident
	Hash       string // of the input
}

// result is what became of an item.
type result struct {
	Placed   Placed
	Replayed bool
	Err      error // why there is no order; the rest is empty then
}

// placeTx places orders. Each item succeeds or fails by itself, with the same
// answers as if the items came one by one in this order; the number of
// statements does not depend on the number of items. An error means that the
// whole transaction must be given up.
//
// Everything is decided in memory under locks before anything is written:
// first the wallets are locked, which makes keys, slots and points of their
// residents stand still, last the stock, and only if an item gets that far.
//
// Nobody looks first whether an item is a replay, which is rare:
// errAnsweredBefore means that one is, and that the transaction must be rolled
// back and done once more by placeAgainTx.
func (s *Service) placeTx(ctx context.Context, tx *gorm.DB, items []orderItem) (*placing, error) {
	p := s.placing(ctx, tx, items)
	return p, p.run(ctx, p.lockWallets, p.loadBenefits, p.loadSlots, p.lockStock, p.decide, p.missed, p.hold, p.write)
}

// placeAgainTx is placeTx for items of which some are replays.
func (s *Service) placeAgainTx(ctx context.Context, tx *gorm.DB, items []orderItem) (*placing, error) {
	p := s.placing(ctx, tx, items)
	return p, p.run(ctx, p.lockWallets, p.loadAnswered, p.loadBenefits, p.loadSlots, p.lockStock, p.decide, p.hold, p.write)
}

func (s *Service) placing(ctx context.Context, tx *gorm.DB, items []orderItem) *placing {
	return &placing{
		Service: s, tx: tx.WithContext(ctx), now: s.now(), items: items, results: make([]result, len(items)), answered: map[[2]string]Order{},
	}
}

func (p *placing) run(ctx context.Context, steps ...func(context.Context) error) error {
	if len(p.items) > maxPlaced {
		return fmt.Errorf("market: %d orders in one call, at most %d", len(p.items), maxPlaced)
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return fmt.Errorf("market: place: %w", err)
		}
	}
	return nil
}

// errAnsweredBefore: an item, for which nobody had looked, is a replay.
var errAnsweredBefore = errors.New("market: answered before")

// placing is one call of placeTx.
type placing struct {
	*Service
	tx      *gorm.DB
	now     clock.Instant
	items   []orderItem
	results []result

	locked   *ledger.Wallets
	wallets  map[string]ledger.Spendable // by resident
	answered map[[2]string]Order         // by resident and key
	benefits map[string]*onOffer
	slots    map[[2]string]map[int64]bool // by benefit and resident: slots taken
	left     map[string]int64             // by release: what the locked stock has left
	winners  []winner
}

// onOffer is a benefit and its releases that are open now, the one that ends
// first before the others.
type onOffer struct {
	Benefit
	merchant MerchantStatus
	releases []openRelease
	nextAt   *clock.Instant // when the next release opens, if one is planned
}

type openRelease struct {
	id        string
	endsAt    clock.Instant
	remaining int64 // as read without a lock
}

type winner struct {
	item  int
	order Order
}

func (p *placing) residents() []string {
	ids := make(map[string]bool, len(p.items))
	for _, i := range p.items {
		ids[i.ResidentID] = true
	}
	return sortedKeys(ids)
}

func (p *placing) lockWallets(ctx context.Context) error {
	var err error
	p.locked, p.wallets, err = p.ledger.LockSpendableTx(ctx, p.tx, p.residents())
	return err
}

// loadAnswered finds the items that are replays.
func (p *placing) loadAnswered(context.Context) error {
	rows, err := p.ordersOf(p.items)
	for _, o := range rows {
		p.answered[[2]string{o.ResidentID, o.IdempotencyKey}] = o
	}
	return err
}

// missed looks whether an item was refused that has been answered before: a
// replay whose ticket was the last. One that was not refused meets the unique
// key when it is written.
func (p *placing) missed(context.Context) error {
	var refused []orderItem
	for i, r := range p.results {
		if r.Err != nil {
			refused = append(refused, p.items[i])
		}
	}
	if len(refused) == 0 {
		return nil
	}
	rows, err := p.ordersOf(refused)
	if err == nil && len(rows) > 0 {
		err = errAnsweredBefore
	}
	return err
}

// ordersOf reads the orders that the items' keys were used for: by pairs, since
// each person's key need not be looked for at all the others'.
func (p *placing) ordersOf(items []orderItem) (rows []Order, err error) {
	var (
		pairs = make([]string, len(items))
		args  = make([]any, 0, 2*len(items))
	)
	for i, item := range items {
		pairs[i] = "(resident_id = ? AND idempotency_key = ?)"
		args = append(args, item.ResidentID, item.Key)
	}
	err = p.tx.Where(strings.Join(pairs, " OR "), args...).Find(&rows).Error
	return rows, err
}

// fresh lists the items that are not replays of an earlier transaction.
func (p *placing) fresh() (out []int) {
	for i, item := range p.items {
		if _, ok := p.answered[[2]string{item.ResidentID, item.Key}]; !ok {
			out = append(out, i)
		}
	}
	return out
}

// loadBenefits reads the benefits, which do not change while they are
// published, with their open releases and, without a lock, what is left of
// those: who finds nothing left need not wait for the stock's lock.
func (p *placing) loadBenefits(context.Context) error {
	ids := map[string]bool{}
	for _, i := range p.fresh() {
		ids[p.items[i].BenefitID] = true
	}
	p.benefits = map[string]*onOffer{}
	if len(ids) == 0 {
		return nil
	}
	var rows []struct {
		Benefit        Benefit `gorm:"embedded"`
		MerchantStatus MerchantStatus
		NextAt         *clock.Instant
		ReleaseID      *string
		EndsAt         clock.Instant
		Remaining      int64
	}
	err := p.tx.Raw(`SELECT b.*, m.status AS merchant_status, r.id AS release_id, COALESCE(r.ends_at, 0) AS ends_at, COALESCE(s.remaining, 0) AS remaining,
			(SELECT MIN(n.starts_at) FROM benefit_release n WHERE n.benefit_id = b.id AND n.starts_at > ?) AS next_at
		FROM benefit b JOIN merchant m ON m.id = b.merchant_id
		LEFT JOIN benefit_release r ON r.benefit_id = b.id AND r.starts_at <= ? AND r.ends_at > ?
		LEFT JOIN benefit_stock s ON s.release_id = r.id
		WHERE b.id IN ? ORDER BY r.ends_at, r.id`, p.now, p.now, p.now, sortedKeys(ids)).Scan(&rows).Error
	for _, row := range rows {
		b := p.benefits[row.Benefit.ID]
		if b == nil {
			b = &onOffer{Benefit: row.Benefit, merchant: row.MerchantStatus, nextAt: row.NextAt}
			p.benefits[row.Benefit.ID] = b
		}
		if row.ReleaseID != nil {
			b.releases = append(b.releases, openRelease{id: *row.ReleaseID, endsAt: row.EndsAt, remaining: row.Remaining})
		}
	}
	return err
}

// loadSlots reads which slots the residents' live orders take: each benefit's
// by those who want that one, since everybody at every benefit would be as many
// places of the key as there are of both, multiplied.
func (p *placing) loadSlots(context.Context) error {
	p.slots = map[[2]string]map[int64]bool{}
	wanted := map[string][]string{} // residents by benefit
	for _, i := range p.fresh() {
		if item := p.items[i]; p.benefits[item.BenefitID] != nil {
			wanted[item.BenefitID] = append(wanted[item.BenefitID], item.ResidentID)
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	var (
		each = make([]string, 0, len(wanted))
		args = make([]any, 0, 2*len(wanted))
	)
	for _, id := range sortedKeys(wanted) {
		each = append(each, "(benefit_id = ? AND resident_id IN ?)")
		args = append(args, id, wanted[id])
	}
	var rows []Order
	err := p.tx.Select("benefit_id", "resident_id", "slot").Where("slot IS NOT NULL").
		Where(strings.Join(each, " OR "), args...).Find(&rows).Error
	for _, o := range rows {
		p.take([2]string{o.BenefitID, o.ResidentID}, *o.Slot)
	}
	return err
}

func (p *placing) take(key [2]string, slot int64) {
	if p.slots[key] == nil {
		p.slots[key] = map[int64]bool{}
	}
	p.slots[key][slot] = true
}

// lockStock locks the stock that an item may take from: of items that fail for
// another reason already, none. What is checked here only gets worse within
// the batch, so that no item is left out wrongly.
func (p *placing) lockStock(context.Context) error {
	wanted := map[string]bool{}
	for _, i := range p.fresh() {
		b := p.benefits[p.items[i].BenefitID]
		if p.refuse(p.items[i], b) != nil || p.unpaid(p.items[i], b) != nil {
			continue
		}
		for _, r := range b.releases {
			if r.remaining > 0 {
				wanted[r.id] = true
			}
		}
	}
	p.left = map[string]int64{}
	if len(wanted) == 0 {
		return nil
	}
	var rows []model.BenefitStock
	err := p.tx.Raw(`SELECT * FROM benefit_stock WHERE release_id IN ? ORDER BY release_id`+database.ForUpdate(p.tx),
		sortedKeys(wanted)).Scan(&rows).Error
	for _, r := range rows {
		p.left[r.ReleaseID] = r.Remaining
	}
	return err
}

// refuse says why the item cannot be had whatever stock and wallet hold.
func (p *placing) refuse(item orderItem, b *onOffer) error {
	switch {
	case item.RegionPath == "":
		return ErrNoHome
	case b == nil, !slices.Contains(model.RegionPathIDs(item.RegionPath), b.RegionID):
		return ErrBenefitMissing
	case b.Status == model.BenefitPaused, b.Status == model.BenefitEnded:
		return ErrBenefitClosed
	case b.Status != model.BenefitPublished:
		return ErrBenefitMissing
	case b.merchant != model.MerchantActive:
		return ErrBenefitClosed
	case p.now < b.ValidFrom:
		return ErrNotYetValid
	case p.now >= b.ValidUntil:
		return ErrNoLongerValid
	case int64(len(p.slots[[2]string{b.ID, item.ResidentID}])) >= b.PerPersonLimit:
		return ErrLimitReached
	case len(b.releases) == 0:
		return ErrNotOnSale
	}
	return nil
}

func (p *placing) unpaid(item orderItem, b *onOffer) error {
	switch w := p.wallets[item.ResidentID]; {
	case w.Frozen:
		return ledger.ErrAccountFrozen
	case w.Points < b.PointsPrice:
		return ledger.ErrInsufficientPoints
	}
	return nil
}

// decide answers the items one after the other, in memory.
func (p *placing) decide(context.Context) error {
	for i, item := range p.items {
		key := [2]string{item.ResidentID, item.Key}
		if first, ok := p.answered[key]; ok {
			p.results[i] = replayOf(first, item)
			continue
		}
		b := p.benefits[item.BenefitID]
		o, err := p.judge(item, b)
		if err != nil {
			p.results[i] = result{Err: err}
			continue
		}
		p.results[i] = result{Placed: placed(o)}
		p.answered[key] = o
		p.winners = append(p.winners, winner{item: i, order: o})
	}
	return nil
}

func replayOf(first Order, item orderItem) result {
	if first.InputHash != item.Hash {
		return result{Err: ErrIdempotencyConflict}
	}
	return result{Placed: placed(first), Replayed: true}
}

// judge decides one item and takes stock, slot and points in memory.
func (p *placing) judge(item orderItem, b *onOffer) (Order, error) {
	if err := p.refuse(item, b); err != nil {
		return Order{}, err
	}
	if err := p.unpaid(item, b); err != nil {
		return Order{}, err
	}
	at := slices.IndexFunc(b.releases, func(r openRelease) bool { return p.left[r.id] > 0 })
	if at < 0 {
		return Order{}, ErrSoldOut
	}
	release := b.releases[at].id
	p.left[release]--
	w := p.wallets[item.ResidentID]
	w.Points -= b.PointsPrice
	p.wallets[item.ResidentID] = w
	slotKey := [2]string{b.ID, item.ResidentID}
	slot := int64(1)
	for p.slots[slotKey][slot] {
		slot++
	}
	p.take(slotKey, slot)
	id := p.clock.NewID()
	return Order{
		ID: id, ResidentID: item.ResidentID, BenefitID: b.ID, ReleaseID: release, MerchantID: b.MerchantID,
		Points: b.PointsPrice, CashFen: b.CashPriceFen, SubsidyFen: b.SubsidyFen, Slot: &slot, Status: model.OrderHeld,
		IdempotencyKey: item.Key, InputHash: item.Hash, CodeLocator: p.codes.locator(id),
		RedeemUntil: b.Deadline(p.now), CreatedAt: p.now, UpdatedAt: p.now,
	}, nil
}

// SourceOrder is the source type of an order's postings in the journal, whose
// source id is the order.
const SourceOrder = "benefit_order"

var errHoldRefused = errors.New("the ledger refused a hold that the wallet covers")

// hold reserves the winners' points. That each can pay is known, so a refusal
// is a defect and gives the whole transaction up.
func (p *placing) hold(ctx context.Context) error {
	holds := make([]ledger.Hold, len(p.winners))
	for i, w := range p.winners {
		holds[i] = ledger.Hold{
			Event:      ledger.Event{SourceType: SourceOrder, SourceID: w.order.ID, ActorID: w.order.ResidentID, Reason: "兑换福利"},
			ResidentID: w.order.ResidentID, Amount: w.order.Points, ExpiresAt: w.order.RedeemUntil,
		}
	}
	outcomes, err := p.locked.HoldTx(ctx, p.tx, holds)
	if err != nil {
		return err
	}
	for i, o := range outcomes {
		if o.Err != nil {
			return errors.Join(errHoldRefused, o.Err)
		}
		p.winners[i].order.HoldID = o.HoldID
	}
	return nil
}

func (p *placing) write(context.Context) error {
	var (
		orders  []Order
		moves   []model.OrderHistory
		sold    = map[string]int64{}
		byOwner = authz.Actor{Kind: authz.KindResident}
	)
	for _, w := range p.winners {
		orders = append(orders, w.order)
		byOwner.ID = w.order.ResidentID
		moves = append(moves, p.orderHistory(w.order, "", model.OrderHeld, byOwner, "", p.now))
		sold[w.order.ReleaseID]++
	}
	if err := create(p.tx, orders); database.IsDuplicate(err) {
		return errors.Join(errAnsweredBefore, err)
	} else if err != nil {
		return err
	}
	if err := create(p.tx, moves); err != nil {
		return err
	}
	return stockTx(p.tx, sold)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func contains[T comparable](list []T, x T) bool { return slices.Contains(list, x) }
