// Package market is where residents spend: merchants and their stores, the
// benefits that they offer, orders, redemption codes and redemptions.
//
// Locks are taken in this order, within each kind by key: wallets, orders,
// merchants' accounts, stock. Wallets serialise what one resident does (keys,
// slots, points); the stock of a release, the row that everybody wants, is
// locked last.
package market

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/batch"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
	"jiamenkou/model"
	"jiamenkou/service/identity"
	"jiamenkou/service/ledger"
)

type (
	// The rows and states that this service returns.

	// Merchant is a model.Merchant.
	Merchant = model.Merchant
	// MerchantStatus is a model.MerchantStatus.
	MerchantStatus = model.MerchantStatus
	// Store is a model.MerchantStore.
	Store = model.MerchantStore
	// StoreStatus is a model.StoreStatus.
	StoreStatus = model.StoreStatus
	// Benefit is a model.Benefit.
	Benefit = model.Benefit
	// BenefitStatus is a model.BenefitStatus.
	BenefitStatus = model.BenefitStatus
	// BenefitHistory is a model.BenefitHistory.
	BenefitHistory = model.BenefitHistory
	// Order is a model.BenefitOrder.
	Order = model.BenefitOrder
	// OrderStatus is a model.OrderStatus.
	OrderStatus = model.OrderStatus
	// Redemption is a model.Redemption.
	Redemption = model.Redemption
)

// Config of the service.
type Config struct {
	// CodeKey signs redemption codes, at least 32 bytes. After a change of the
	// key codes shown before are refused; residents' pages fetch a new one
	// within one step, so that nothing else has to be done.
	CodeKey string
	// CodeStep is how often a code changes; 30 s if zero.
	CodeStep time.Duration
	// Batch bounds how orders are combined, at most 500 in a batch.
	Batch batch.Config
}

// String keeps the key out of %v and %+v.
func (Config) String() string { return "market.Config" }

// GoString keeps the key out of %#v.
func (Config) GoString() string { return "market.Config" }

// LogValue keeps the key out of logs.
func (Config) LogValue() slog.Value { return slog.StringValue("market.Config") }

// Service keeps the market.
type Service struct {
	db     *database.DB
	clock  clock.Clock
	ledger *ledger.Service
	codes  codes
	trail  identity.Trail

	orders  *batch.Combiner[orderItem, Placed] // by benefit
	soldOut *soldOut
}

// New returns the service.
func New(db *database.DB, c clock.Clock, l *ledger.Service, cfg Config) (*Service, error) {
	if cfg.CodeStep == 0 {
		cfg.CodeStep = 30 * time.Second
	}
	signer, err := newCodes(cfg)
	if err != nil {
		return nil, err
	}
	if cfg.Batch.MaxItems > maxPlaced {
		return nil, fmt.Errorf("market: %d orders in a batch, at most %d", cfg.Batch.MaxItems, maxPlaced)
	}
	s := &Service{db: db, clock: c, ledger: l, codes: signer, trail: identity.NewTrail(c), soldOut: newSoldOut(c)}
	s.orders = batch.New(cfg.Batch, func(i orderItem) string { return i.BenefitID }, s.placeBatch)
	return s, nil
}

// Now is the moment by which releases begin and codes change.
func (s *Service) Now() clock.Instant { return s.now() }

func (s *Service) now() clock.Instant { return clock.Now(s.clock) }

// maxReason is the longest reason in characters.
const maxReason = 200

func checkReason(reason string, required bool) error {
	var f fault.Fields
	f.Add(len([]rune(reason)) <= maxReason, "reason", "最多 200 个字")
	f.Add(!required || strings.TrimSpace(reason) != "", "reason", "请填写原因")
	return f.Err(codeInvalid)
}

var idempotencyKey = regexp.MustCompile(`^[A-Za-z0-9_.:-]{8,64}$`)

func checkKey(key string) error {
	var f fault.Fields
	f.Add(idempotencyKey.MatchString(key), "idempotency_key", "应为 8 到 64 位字母、数字或 _ . : -")
	return f.Err(codeInvalid)
}

// hashInput is the SHA-256 of the parts, each with its length before it, so
// that no two inputs run together.
func hashInput(parts ...any) string {
	h := sha256.New()
	for _, p := range parts {
		text := fmt.Sprint(p)
		h.Write([]byte(strconv.Itoa(len(text)) + ":" + text + "\n"))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// take reads one row, or returns missing if there is none.
func take[T any](q *gorm.DB, missing *fault.Error) (T, error) {
	var row T
	err := q.Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return row, missing
	}
	if err != nil {
		return row, fmt.Errorf("market: %s: %w", missing.Code, err)
	}
	return row, nil
}

// What can be done besides the moves of the tables.
const (
	MoveEdit    = "edit"
	MoveRelease = "release" // stock of a benefit
)

// move is one row of a table of moves: what its operation is called, and what
// it leads to.
type move[S comparable] struct {
	name     string
	from, to S
}

func allows[S comparable](table []move[S], from, to S) bool {
	return slices.ContainsFunc(table, func(m move[S]) bool { return m.from == from && m.to == to })
}

// moveName names the move between two states that the table has.
func moveName[S comparable](table []move[S], from, to S) string {
	at := slices.IndexFunc(table, func(m move[S]) bool { return m.from == from && m.to == to })
	return table[at].name
}

// movesFrom names the moves that lead on from a state.
func movesFrom[S comparable](table []move[S], from S) (names []string) {
	for _, m := range table {
		if m.from == from {
			names = append(names, m.name)
		}
	}
	return names
}

// create inserts rows in one statement, none if there are none.
func create[T any](tx *gorm.DB, rows []T) error {
	if len(rows) == 0 {
		return nil
	}
	return tx.Create(&rows).Error
}

// stockTx adds to the number sold of each release (negative: gives back), in
// key order and one statement. It is the last thing that a transaction locks.
func stockTx(tx *gorm.DB, sold map[string]int64) error {
	ids := make([]string, 0, len(sold))
	for _, id := range sortedKeys(sold) {
		if sold[id] != 0 {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	var (
		when strings.Builder
		args []any
	)
	for _, id := range ids {
		when.WriteString(" WHEN ? THEN ?")
		args = append(args, id, sold[id])
	}
	args = append(args, args...)
	res := tx.Exec(`UPDATE benefit_stock SET version = version + 1, sold = sold + CASE release_id`+when.String()+` ELSE 0 END,
		remaining = remaining - CASE release_id`+when.String()+` ELSE 0 END WHERE release_id IN ?`, append(args, ids)...)
	if err := database.RequireRows(res, int64(len(ids))); err != nil {
		return fmt.Errorf("market: stock: %w", err)
	}
	return nil
}

// orderHistory is the row of a move of an order.
func (s *Service) orderHistory(o Order, from, to OrderStatus, actor authz.Actor, reason string, now clock.Instant) model.OrderHistory {
	return model.OrderHistory{
		ID: s.clock.NewID(), OrderID: o.ID, FromStatus: string(from), ToStatus: string(to),
		ActorKind: string(actor.Kind), ActorID: actor.ID, Reason: reason, CreatedAt: now,
	}
}

// orderMoves lists every move of an order.
var orderMoves = map[OrderStatus][]OrderStatus{
	model.OrderHeld:     {model.OrderRedeemed, model.OrderCancelled, model.OrderExpired},
	model.OrderRedeemed: {model.OrderReversed},
}

// lockOrdersTx reads orders and locks them in key order.
func lockOrdersTx(ctx context.Context, tx *gorm.DB, ids []string) ([]Order, error) {
	var rows []Order
	err := tx.WithContext(ctx).Raw(`SELECT * FROM benefit_order WHERE id IN ? ORDER BY id`+database.ForUpdate(tx), ids).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("market: lock orders: %w", err)
	}
	return rows, nil
}

// moveOrdersTx changes the state of locked orders from one to another and
// frees their slots when they are no longer live.
func moveOrdersTx(tx *gorm.DB, ids []string, from, to OrderStatus, now clock.Instant) error {
	if !contains(orderMoves[from], to) {
		return ErrBadMove
	}
	slot := "slot"
	if to != model.OrderRedeemed {
		slot = "NULL"
	}
	res := tx.Exec(`UPDATE benefit_order SET status = ?, slot = `+slot+`, updated_at = ? WHERE id IN ? AND status = ?`, to, now, ids, from)
	if err := database.RequireRows(res, int64(len(ids))); err != nil {
		return fmt.Errorf("market: move orders: %w", err)
	}
	return nil
}

// refused says why an order that is no longer held cannot be redeemed or
// cancelled: nil if it is still held and in time.
func refused(o Order, now clock.Instant) error {
	switch o.Status {
	case model.OrderHeld:
	case model.OrderRedeemed:
		return ErrCodeUsed
	case model.OrderCancelled:
		return ErrOrderCancelled
	case model.OrderReversed:
		return ErrOrderReversed
	case model.OrderExpired:
		return ErrOrderExpired
	}
	if o.RedeemUntil <= now {
		return ErrOrderExpired
	}
	return nil
}
