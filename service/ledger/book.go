package ledger

import (
	"context"
	"fmt"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/model"
)

// book is what one batch touches, locked and in memory.
type book struct {
	tx    *gorm.DB
	clock clock.Clock
	now   clock.Instant
	today clock.Day
	pre   *preloaded

	accounts map[AccountID]*account
	lots     map[string]*lot
	byWallet map[AccountID][]*lot // soonest-expiring first
	lotted   map[AccountID]bool   // wallets whose lots are there, but for spent ones
	holds    map[string]*hold
	reversed map[string]bool
	bySource map[string]recorded
	byActor  map[string]recorded

	journals  []model.Journal
	entries   []*entry
	newLots   []*lot
	newHolds  []model.Hold
	holdLots  []model.HoldLot
	transfers []model.Transfer
	lotMoves  []model.LotEntry
}

// preloaded is what can be read before any lock, since it never changes.
type preloaded struct {
	transfers  map[string]model.Transfer
	lotEntries map[string][]model.LotEntry
}

type account struct {
	posted, held, headroom int64
	first                  lockedAccount // as it was loaded
	frozen                 bool
	dirty                  bool
}

type lot struct {
	row             model.Lot // as it was loaded
	remaining, held int64
	isNew, dirty    bool
}

type pin struct {
	lot    *lot
	amount int64
}

type hold struct {
	row      model.Hold
	pins     []pin
	resolved bool
}

func (h *hold) resolve(status model.HoldStatus) {
	h.row.Status = status
	h.resolved = true
}

type recorded struct {
	hash    string
	outcome Outcome
}

// entry is what one applied item writes beside its journal row.
type entry struct {
	transfer *draft
	hold     *holdDraft
	resolves *hold
}

// draft is a transfer before it has an id.
type draft struct {
	debit, credit AccountID
	amount        int64
	holdID        string
	reversesID    string
	lots          []pin // positive: given to the lot
}

func (d *draft) giveLot(l *lot, amount int64) {
	l.remaining += amount
	l.dirty = true
	d.lots = append(d.lots, pin{lot: l, amount: amount})
}

type holdDraft struct {
	account   AccountID
	amount    int64
	expiresAt clock.Instant
	pins      []pin
}

// account returns an account that may be used.
func (b *book) account(id AccountID) (*account, error) {
	a, ok := b.accounts[id]
	switch {
	case !ok:
		return nil, ErrAccountMissing
	case a.frozen:
		return nil, ErrAccountFrozen
	}
	return a, nil
}

// move changes the two balances of a transfer; short is the error if the
// debit account has not enough.
func (b *book) move(d *draft, short error) error {
	from, err := b.account(d.debit)
	if err != nil {
		return err
	}
	to, err := b.account(d.credit)
	if err != nil {
		return err
	}
	if from.headroom < d.amount {
		return short
	}
	from.posted -= d.amount
	from.headroom -= d.amount
	from.dirty = true
	to.posted += d.amount
	to.headroom += d.amount
	to.dirty = true
	return nil
}

// lotOf returns the wallet's lot of an expiry date, opened if there is none.
func (b *book) lotOf(wallet AccountID, expiresOn clock.Day) *lot {
	for _, l := range b.byWallet[wallet] {
		if l.row.ExpiresOn == expiresOn {
			return l
		}
	}
	l := &lot{isNew: true, row: model.Lot{
		ID: b.clock.NewID(), AccountID: string(wallet), ExpiresOn: expiresOn, Version: 1, CreatedAt: b.now,
	}}
	b.lots[l.row.ID] = l
	b.newLots = append(b.newLots, l)
	b.byWallet[wallet] = append(b.byWallet[wallet], l)
	slices.SortFunc(b.byWallet[wallet], func(x, y *lot) int { return cmpDay(x.row.ExpiresOn, y.row.ExpiresOn) })
	return l
}

func cmpDay(a, b clock.Day) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// spendable picks lots that make up amount, soonest-expiring first (firstLot
// before all others, if given): nil if they do not suffice.
func (b *book) spendable(wallet AccountID, amount int64, firstLot string) []pin {
	lots := b.byWallet[wallet]
	if l := b.lots[firstLot]; l != nil {
		lots = append([]*lot{l}, lots...)
	}
	var pins []pin
	seen := map[*lot]bool{}
	for _, l := range lots {
		free := l.remaining - l.held
		if free <= 0 || l.row.ExpiresOn < b.today || seen[l] {
			continue
		}
		seen[l] = true
		take := min(free, amount)
		pins = append(pins, pin{lot: l, amount: take})
		if amount -= take; amount == 0 {
			return pins
		}
	}
	return nil
}

func (b *book) pendingHold(id, residentID string) (*hold, error) {
	h, ok := b.holds[id]
	switch {
	case !ok || h.row.AccountID != string(WalletOf(residentID)):
		return nil, ErrHoldMissing
	case h.row.Status != model.HoldPending:
		return nil, ErrHoldResolved
	}
	return h, nil
}

func (b *book) recorded(ev Event, kind model.JournalKind) (recorded, bool) {
	if r, ok := b.bySource[sourceKey(kind, ev.SourceType, ev.SourceID)]; ok {
		return r, true
	}
	if ev.IdempotencyKey == "" {
		return recorded{}, false
	}
	r, ok := b.byActor[actorKey(ev.ActorID, ev.IdempotencyKey)]
	return r, ok
}

// journalize gives an applied item its rows.
func (b *book) journalize(ev Event, kind model.JournalKind, hash string, e *entry) Outcome {
	j := model.Journal{
		ID: b.clock.NewID(), Kind: kind, SourceType: ev.SourceType, SourceID: ev.SourceID, ActorID: ev.ActorID,
		InputHash: hash, Reason: ev.Reason, Evidence: ev.Evidence, EffectiveAt: ev.EffectiveAt, CreatedAt: b.now,
	}
	if ev.IdempotencyKey != "" {
		j.IdempotencyKey = &ev.IdempotencyKey
	}
	if ev.RuleID != "" {
		j.RuleID, j.RuleVersion = &ev.RuleID, &ev.RuleVersion
	}
	if j.EffectiveAt == 0 {
		j.EffectiveAt = b.now
	}
	if j.Evidence == "" {
		j.Evidence = "{}"
	}
	out := Outcome{JournalID: j.ID}
	if t := e.transfer; t != nil {
		row := model.Transfer{
			ID: b.clock.NewID(), JournalID: j.ID, DebitAccountID: string(t.debit), CreditAccountID: string(t.credit),
			Amount: t.amount, HoldID: optional(t.holdID), ReversesID: optional(t.reversesID), CreatedAt: b.now,
		}
		out.TransferID = row.ID
		b.transfers = append(b.transfers, row)
		for _, p := range t.lots {
			b.lotMoves = append(b.lotMoves, model.LotEntry{TransferID: row.ID, LotID: p.lot.row.ID, Amount: p.amount})
		}
	}
	if d := e.hold; d != nil {
		row := model.Hold{
			ID: b.clock.NewID(), JournalID: j.ID, AccountID: string(d.account), Amount: d.amount,
			Status: model.HoldPending, ExpiresAt: d.expiresAt, CreatedAt: b.now,
		}
		out.HoldID = row.ID
		b.newHolds = append(b.newHolds, row)
		for _, p := range d.pins {
			b.holdLots = append(b.holdLots, model.HoldLot{HoldID: row.ID, LotID: p.lot.row.ID, Amount: p.amount})
		}
	}
	if h := e.resolves; h != nil {
		h.row.ResolvedJournalID = &j.ID
		h.row.ResolvedAt = b.now.Ptr()
	}
	b.journals = append(b.journals, j)
	b.entries = append(b.entries, e)
	r := recorded{hash: hash, outcome: out}
	b.bySource[sourceKey(kind, ev.SourceType, ev.SourceID)] = r
	if ev.IdempotencyKey != "" {
		b.byActor[actorKey(ev.ActorID, ev.IdempotencyKey)] = r
	}
	return out
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// bookOf opens a book, with the wallets that the transaction has read already.
// They go into one book only: what it changes is not what they hold.
func (s *Service) bookOf(ctx context.Context, tx *gorm.DB, locked *Wallets) *book {
	b := &book{
		tx: tx.WithContext(ctx), clock: s.clock, now: clock.Now(s.clock), today: clock.Today(s.clock),
		accounts: map[AccountID]*account{}, lots: map[string]*lot{}, byWallet: map[AccountID][]*lot{}, lotted: map[AccountID]bool{},
		holds: map[string]*hold{}, reversed: map[string]bool{},
		bySource: map[string]recorded{}, byActor: map[string]recorded{},
	}
	if read := locked.take(); read != nil {
		b.accounts, b.lots, b.byWallet, b.lotted = read.accounts, read.lots, read.byWallet, read.lotted
	}
	return b
}

// load reads and locks what the batch touches: a constant number of statements.
func (b *book) load(ops []op, look bool) error {
	steps := []func([]op) error{b.preload, b.lockWallets, b.loadLots, b.loadHolds}
	if look {
		steps = append(steps, b.loadRecorded)
	}
	for _, step := range append(steps, b.lockHot) {
		if err := step(ops); err != nil {
			return fmt.Errorf("ledger: load: %w", err)
		}
	}
	return nil
}

func (b *book) preload(ops []op) error {
	b.pre = &preloaded{transfers: map[string]model.Transfer{}, lotEntries: map[string][]model.LotEntry{}}
	var ids []string
	for _, o := range ops {
		if r, ok := o.(Reverse); ok {
			ids = append(ids, r.TransferID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	var transfers []model.Transfer
	if err := b.tx.Where("id IN ?", ids).Find(&transfers).Error; err != nil {
		return err
	}
	for _, t := range transfers {
		b.pre.transfers[t.ID] = t
	}
	var moves []model.LotEntry
	if err := b.tx.Where("transfer_id IN ?", ids).Order("transfer_id, lot_id").Find(&moves).Error; err != nil {
		return err
	}
	for _, m := range moves {
		b.pre.lotEntries[m.TransferID] = append(b.pre.lotEntries[m.TransferID], m)
	}
	return nil
}

type lockedAccount struct {
	AccountID string
	Posted    int64
	Held      int64
	Headroom  int64

	FrozenReason string
}

// lockWallets locks the wallets, in the order of their ids.
func (b *book) lockWallets(ops []op) error { return b.lock(b.touched(ops, true)) }

// lockHot locks the accounts that many batches share (merchants, budgets,
// system), when everything else has been read: from here to the commit nobody
// else gets at them.
func (b *book) lockHot(ops []op) error { return b.lock(b.touched(ops, false)) }

func (b *book) touched(ops []op, wallets bool) []AccountID {
	ids := map[AccountID]bool{}
	for _, o := range ops {
		for _, id := range o.accounts(b.pre) {
			if (id.Kind() == model.AccountWallet) == wallets {
				ids[id] = true
			}
		}
	}
	return sortedKeys(ids)
}

// lock locks balances in the order of their ids and opens those that do not
// exist yet: all but budgets, which OpenBudgetsTx opens with their limit.
func (b *book) lock(ids []AccountID) error {
	slices.Sort(ids)
	if err := b.readAccounts(b.missing(ids, true)); err != nil {
		return err
	}
	return b.openAccounts(b.missing(ids, false))
}

// missing lists the accounts that are not in the book; those of budgets only
// if they are asked for.
func (b *book) missing(ids []AccountID, budgets bool) (out []AccountID) {
	for _, id := range ids {
		if b.accounts[id] == nil && (budgets || id.Kind() != model.AccountBudget) {
			out = append(out, id)
		}
	}
	return out
}

func (b *book) readAccounts(ids []AccountID) error {
	if len(ids) == 0 {
		return nil
	}
	var rows []lockedAccount
	// A subquery, since FOR UPDATE would lock the account's row in a join: every
	// transfer's foreign key would wait for it.
	err := b.tx.Raw(`SELECT b.account_id, b.posted, b.held, b.headroom,
			COALESCE((SELECT a.frozen_reason FROM account a WHERE a.id = b.account_id), '') AS frozen_reason
		FROM account_balance b WHERE b.account_id IN ? ORDER BY b.account_id`+database.ForUpdate(b.tx), ids).Scan(&rows).Error
	if err != nil {
		return err
	}
	for _, r := range rows {
		b.have(r)
	}
	return nil
}

func (b *book) have(r lockedAccount) {
	b.accounts[AccountID(r.AccountID)] = &account{
		posted: r.Posted, held: r.Held, headroom: r.Headroom, first: r, frozen: r.FrozenReason != "",
	}
}

func (b *book) openAccounts(ids []AccountID) error {
	if len(ids) == 0 {
		return nil
	}
	accounts := make([]model.Account, 0, len(ids))
	balances := make([]model.AccountBalance, 0, len(ids))
	for _, id := range ids {
		accounts = append(accounts, model.Account{ID: string(id), Kind: id.Kind(), OwnerID: id.OwnerID(), CreatedAt: b.now})
		balances = append(balances, model.AccountBalance{
			AccountID: string(id), FloorPoints: id.floor(), Headroom: -id.floor(), Version: 1,
		})
	}
	err := b.tx.Create(&accounts).Error
	if database.IsDuplicate(err) {
		return b.openRivals(ids, accounts, balances)
	}
	if err != nil {
		return err
	}
	if err := b.tx.Create(&balances).Error; err != nil {
		return err
	}
	for i, id := range ids {
		b.have(lockedAccount{AccountID: string(id), Headroom: balances[i].Headroom})
		b.lotted[id] = true // it has none
	}
	return nil
}

// openRivals opens accounts of which somebody else opened one at this moment:
// whoever comes second leaves the first one's row alone.
func (b *book) openRivals(ids []AccountID, accounts []model.Account, balances []model.AccountBalance) error {
	quiet := b.tx.Clauses(clause.OnConflict{DoNothing: true})
	if err := quiet.Create(&accounts).Error; err != nil {
		return err
	}
	if err := b.tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&balances).Error; err != nil {
		return err
	}
	return b.readAccounts(ids)
}

func (b *book) loadLots(ops []op) error {
	var wallets []string
	for id := range b.accounts {
		if id.Kind() == model.AccountWallet && !b.lotted[id] {
			wallets = append(wallets, string(id))
			b.lotted[id] = true
		}
	}
	if len(wallets) == 0 {
		return nil
	}
	slices.Sort(wallets)
	// Spent lots are left out, unless a hold or a reversal may refill them.
	query := b.tx.Where("account_id IN ?", wallets)
	if !slices.ContainsFunc(ops, refills) {
		query = query.Where("remaining > 0 OR expires_on >= ?", b.today)
	}
	var rows []model.Lot
	if err := query.Order("account_id, expires_on").Find(&rows).Error; err != nil {
		return err
	}
	for _, r := range rows {
		l := &lot{row: r, remaining: r.Remaining, held: r.Held}
		b.lots[r.ID] = l
		w := AccountID(r.AccountID)
		b.byWallet[w] = append(b.byWallet[w], l)
	}
	return nil
}

func refills(o op) bool {
	_, ok := o.(Reverse)
	return ok
}

func (b *book) loadHolds(ops []op) error {
	var ids []string
	for _, o := range ops {
		switch o := o.(type) {
		case Capture:
			ids = append(ids, o.HoldID)
		case Release:
			ids = append(ids, o.HoldID)
		}
	}
	if len(ids) > 0 {
		var rows []model.Hold
		if err := b.tx.Where("id IN ?", ids).Find(&rows).Error; err != nil {
			return err
		}
		for _, r := range rows {
			b.holds[r.ID] = &hold{row: r}
		}
		var pins []model.HoldLot
		if err := b.tx.Where("hold_id IN ?", ids).Order("hold_id, lot_id").Find(&pins).Error; err != nil {
			return err
		}
		for _, p := range pins {
			h, l := b.holds[p.HoldID], b.lots[p.LotID]
			if l == nil {
				// The wallet that the caller named is not the hold's: the item
				// fails as ErrHoldMissing before its pins are looked at.
				continue
			}
			h.pins = append(h.pins, pin{lot: l, amount: p.Amount})
		}
	}
	var reversing []string
	for id := range b.pre.transfers {
		reversing = append(reversing, id)
	}
	if len(reversing) == 0 {
		return nil
	}
	var done []string
	err := b.tx.Model(&model.Transfer{}).Where("reverses_id IN ?", reversing).Pluck("reverses_id", &done).Error
	for _, id := range done {
		b.reversed[id] = true
	}
	return err
}
