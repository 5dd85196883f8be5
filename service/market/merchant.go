package market

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
	"jiamenkou/service/region"
)

// maxStores bounds the stores of one merchant.
const maxStores = 500

func parseNumber(s string) (int64, error) { return strconv.ParseInt(s, 10, 64) }

var (
	seesMerchant   = []authz.Role{authz.RoleOwner, authz.RoleClerk}
	seesRegion     = []authz.Role{authz.RoleOperator, authz.RoleAuditor}
	merchantRegion = `SELECT m.*, r.path FROM merchant m JOIN region r ON r.id = m.region_id WHERE m.id = ?`
)

// scope is a merchant and what the actor may do with it.
type scope struct {
	Merchant `gorm:"embedded"`
	Path     string
}

// scopeOf returns a merchant that the actor can see: at it, or with its region.
func (s *Service) scopeOf(ctx context.Context, actor authz.Actor, merchantID string) (scope, error) {
	var rows []scope
	if err := s.db.Read(ctx).Raw(merchantRegion, merchantID).Scan(&rows).Error; err != nil {
		return scope{}, fmt.Errorf("market: merchant: %w", err)
	}
	if len(rows) == 0 || actor.AtMerchant(merchantID, seesMerchant...) != nil && actor.InRegion(rows[0].Path, seesRegion...) != nil {
		return scope{}, ErrMerchantMissing
	}
	return rows[0], nil
}

// manages returns nil for an owner of the merchant and an operator over it.
func (m scope) manages(actor authz.Actor) error {
	if actor.AtMerchant(m.ID, authz.RoleOwner) == nil {
		return nil
	}
	return m.operates(actor)
}

// operates returns nil for an operator over the merchant.
func (m scope) operates(actor authz.Actor) error { return actor.InRegion(m.Path, authz.RoleOperator) }

// managed is scopeOf for those who may change the merchant.
func (s *Service) managed(ctx context.Context, actor authz.Actor, merchantID string) (scope, error) {
	m, err := s.scopeOf(ctx, actor, merchantID)
	if err != nil {
		return m, err
	}
	return m, m.manages(actor)
}

func (s *Service) regionPath(ctx context.Context, id string) (string, error) {
	r, err := take[model.Region](s.db.Read(ctx).Where("id = ?", id), ErrRegionMissing)
	return r.Path, err
}

// MerchantInput describes a merchant.
type MerchantInput struct {
	RegionID     string // only when it is created
	Name         string // 1..64 characters, unique in the region
	Category     string // one of model.Categories
	ContactName  string // of the business, optional
	ContactPhone string // of the business, optional
}

func (in MerchantInput) row() (Merchant, error) {
	m := Merchant{Name: in.Name, Category: in.Category, ContactName: in.ContactName, ContactPhone: in.ContactPhone}
	var f fault.Fields
	m.Validate(&f)
	return m, f.Err(codeInvalid)
}

// CreateMerchant adds a merchant as a draft; the actor must be an operator
// over its region.
func (s *Service) CreateMerchant(ctx context.Context, actor authz.Actor, in MerchantInput) (Merchant, error) {
	row, err := in.row()
	if err != nil {
		return Merchant{}, err
	}
	path, err := s.regionPath(ctx, in.RegionID)
	if errors.Is(err, ErrRegionMissing) {
		return Merchant{}, authz.ErrForbidden // whether it exists is not this caller's to know
	}
	if err != nil {
		return Merchant{}, err
	}
	if err := actor.InRegion(path, authz.RoleOperator); err != nil {
		return Merchant{}, err
	}
	now := s.now()
	row.ID, row.RegionID, row.Status, row.Version, row.CreatedAt, row.UpdatedAt = s.clock.NewID(), in.RegionID, model.MerchantDraft, 1, now, now
	err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		if err := region.RequireOpenTx(tx, row.RegionID); err != nil {
			return err
		}
		if err := s.merchantMoved(tx, actor, row.ID, nil, "", string(row.Status), "", now); err != nil {
			return err
		}
		return s.trail.RecordTx(tx, merchantEntry(actor, row, "merchant.create", "", nil))
	})
	if database.IsDuplicate(err) {
		return Merchant{}, ErrMerchantName
	}
	return row, err
}

func (s *Service) merchantMoved(tx *gorm.DB, actor authz.Actor, merchantID string, storeID *string, from, to, reason string, now clock.Instant) error {
	return tx.Create(&model.MerchantHistory{
		ID: s.clock.NewID(), MerchantID: merchantID, StoreID: storeID, FromStatus: from, ToStatus: to,
		ActorKind: string(actor.Kind), ActorID: actor.ID, Reason: reason, CreatedAt: now,
	}).Error
}

// UpdateMerchant changes what describes a merchant, if it is still in the given
// version (else ErrChanged).
func (s *Service) UpdateMerchant(ctx context.Context, actor authz.Actor, id string, version int64, in MerchantInput) (Merchant, error) {
	row, err := in.row()
	if err != nil {
		return Merchant{}, err
	}
	m, err := s.managed(ctx, actor, id)
	if err != nil {
		return Merchant{}, err
	}
	if m.Version != version {
		return Merchant{}, ErrChanged
	}
	now := s.now()
	err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		err := database.RequireRows(tx.Exec(`UPDATE merchant SET name = ?, category = ?, contact_name = ?, contact_phone = ?,
			version = version + 1, updated_at = ? WHERE id = ? AND version = ?`,
			row.Name, row.Category, row.ContactName, row.ContactPhone, now, id, version), 1)
		if err != nil {
			return err
		}
		return s.trail.RecordTx(tx, merchantEntry(actor, m.Merchant, "merchant.update", "", merchantChanges(m.Merchant, row)))
	})
	if err := changed(err, ErrMerchantName); err != nil {
		return Merchant{}, err
	}
	out := m.Merchant
	out.Name, out.Category, out.ContactName, out.ContactPhone = row.Name, row.Category, row.ContactName, row.ContactPhone
	out.Version, out.UpdatedAt = version+1, now
	return out, nil
}

// changed turns the errors of an optimistic edit into their faults.
func changed(err error, duplicate *fault.Error) error {
	switch {
	case errors.Is(err, database.ErrRowsChanged):
		return ErrChanged.WithCause(err)
	case database.IsDuplicate(err):
		return duplicate
	}
	return err
}

// moved turns the errors of a conditional move into their faults.
func moved(err error) error {
	if errors.Is(err, database.ErrRowsChanged) {
		return ErrBadMove.WithCause(err)
	}
	return err
}

// merchantMoves lists every move of a merchant; operators over it make them.
var merchantMoves = []move[MerchantStatus]{
	{"activate", model.MerchantDraft, model.MerchantActive},
	{"activate", model.MerchantSuspended, model.MerchantActive},
	{"suspend", model.MerchantActive, model.MerchantSuspended},
}

// MoveMerchant activates or suspends a merchant; the actor must be an operator
// over it. A suspended merchant neither sells nor redeems; orders that are
// held run on to their deadline, and residents may cancel them.
func (s *Service) MoveMerchant(ctx context.Context, actor authz.Actor, id string, to MerchantStatus, reason string) (Merchant, error) {
	if err := checkReason(reason, to == model.MerchantSuspended); err != nil {
		return Merchant{}, err
	}
	m, err := s.scopeOf(ctx, actor, id)
	if err != nil {
		return Merchant{}, err
	}
	if err := m.operates(actor); err != nil {
		return Merchant{}, err
	}
	if !allows(merchantMoves, m.Status, to) {
		return Merchant{}, ErrBadMove
	}
	now := s.now()
	err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		res := tx.Exec(`UPDATE merchant SET status = ?, version = version + 1, updated_at = ? WHERE id = ? AND status = ?`, to, now, id, m.Status)
		if err := database.RequireRows(res, 1); err != nil {
			return moved(err)
		}
		if err := s.merchantMoved(tx, actor, id, nil, string(m.Status), string(to), reason, now); err != nil {
			return err
		}
		return s.trail.RecordTx(tx, merchantEntry(actor, m.Merchant, "merchant."+moveName(merchantMoves, m.Status, to), reason, nil))
	})
	out := m.Merchant
	out.Status, out.Version, out.UpdatedAt = to, out.Version+1, now
	return out, err
}

// MerchantRecord is a merchant and what the actor can do with it now.
type MerchantRecord struct {
	Merchant
	NextMoves []string // MoveEdit and those of merchantMoves
}

// Merchant returns one merchant that the actor can see.
func (s *Service) Merchant(ctx context.Context, actor authz.Actor, id string) (MerchantRecord, error) {
	m, err := s.scopeOf(ctx, actor, id)
	if err != nil {
		return MerchantRecord{}, err
	}
	out := MerchantRecord{Merchant: m.Merchant, NextMoves: []string{}}
	if m.manages(actor) == nil {
		out.NextMoves = append(out.NextMoves, MoveEdit)
	}
	if m.operates(actor) == nil {
		out.NextMoves = append(out.NextMoves, movesFrom(merchantMoves, m.Status)...)
	}
	return out, nil
}

// MerchantFilter narrows a list; zero fields do not.
type MerchantFilter struct {
	Status   MerchantStatus
	Category string
	Text     string // part of the name
}

// withinScope keeps the rows whose merchant the actor works at, or one of whose
// region paths the actor oversees.
func (s *Service) withinScope(ctx context.Context, actor authz.Actor, merchantColumn string, pathColumns ...string) *gorm.DB {
	within := s.db.Read(ctx).Where("1 = 0")
	if ids := actor.MerchantIDs(seesMerchant...); len(ids) > 0 {
		within = within.Or(merchantColumn+" IN ?", ids)
	}
	for _, path := range actor.RegionPaths(seesRegion...) {
		from, to := model.RegionPathRange(path)
		for _, column := range pathColumns {
			within = within.Or(column+" >= ? AND "+column+" < ?", from, to)
		}
	}
	return within
}

// MerchantOrder is how merchants can be sorted.
var MerchantOrder = paging.NewOrder("-created_at",
	paging.Text("created_at", "m.id", func(m Merchant) string { return m.ID }),
	paging.Text("name", "m.name", func(m Merchant) string { return m.Name }),
)

// Merchants lists the merchants that the actor can see, newest first unless
// sorted by MerchantOrder.
func (s *Service) Merchants(ctx context.Context, actor authz.Actor, f MerchantFilter, page paging.Request) (paging.Page[Merchant], error) {
	var none paging.Page[Merchant]
	if err := checkText(f.Text); err != nil {
		return none, err
	}
	seek, err := MerchantOrder.Seek(page)
	if err != nil {
		return none, err
	}
	q := s.db.Read(ctx).Table("merchant m").Select("m.*").Joins("JOIN region r ON r.id = m.region_id").
		Where(s.withinScope(ctx, actor, "m.id", "r.path")).Where(seek.Where, seek.Args...).Order(seek.By).Limit(seek.Limit)
	if f.Status != "" {
		q = q.Where("m.status = ?", f.Status)
	}
	if f.Category != "" {
		q = q.Where("m.category = ?", f.Category)
	}
	if f.Text != "" {
		q = q.Where("m.name LIKE ? ESCAPE '!'", like(f.Text))
	}
	var rows []Merchant
	if err := q.Scan(&rows).Error; err != nil {
		return none, fmt.Errorf("market: merchants: %w", err)
	}
	return seek.Page(rows), nil
}

// StoreInput describes a store.
type StoreInput struct {
	Name    string // 1..64 characters, unique at the merchant
	Address string
	Lon     *float64 // degrees, GCJ-02; with Lat or not at all
	Lat     *float64
}

func (in StoreInput) row() (Store, error) {
	row := Store{Name: strings.TrimSpace(in.Name), Address: strings.TrimSpace(in.Address), Lon: in.Lon, Lat: in.Lat}
	var f fault.Fields
	row.Validate(&f)
	return row, f.Err(codeInvalid)
}

// CreateStore adds an open store; the actor must be an owner of the merchant or
// an operator over it.
func (s *Service) CreateStore(ctx context.Context, actor authz.Actor, merchantID string, in StoreInput) (Store, error) {
	row, err := in.row()
	if err != nil {
		return Store{}, err
	}
	m, err := s.managed(ctx, actor, merchantID)
	if err != nil {
		return Store{}, err
	}
	now := s.now()
	row.ID, row.MerchantID, row.Status, row.Version, row.CreatedAt, row.UpdatedAt = s.clock.NewID(), merchantID, model.StoreOpen, 1, now, now
	err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		if err := s.merchantMoved(tx, actor, merchantID, &row.ID, "", string(row.Status), "", now); err != nil {
			return err
		}
		return s.trail.RecordTx(tx, storeEntry(actor, m, row, "store.create", "", nil))
	})
	if database.IsDuplicate(err) {
		return Store{}, ErrStoreName
	}
	return row, err
}

// managedStore returns a store that the actor may change, and its merchant.
func (s *Service) managedStore(ctx context.Context, actor authz.Actor, id string) (Store, scope, error) {
	row, err := take[Store](s.db.Read(ctx).Where("id = ?", id), ErrStoreMissing)
	if err != nil {
		return Store{}, scope{}, err
	}
	m, err := s.managed(ctx, actor, row.MerchantID)
	if errors.Is(err, ErrMerchantMissing) {
		return Store{}, scope{}, ErrStoreMissing
	}
	return row, m, err
}

// UpdateStore changes what describes a store, if it is still in the given
// version (else ErrChanged).
func (s *Service) UpdateStore(ctx context.Context, actor authz.Actor, id string, version int64, in StoreInput) (Store, error) {
	row, err := in.row()
	if err != nil {
		return Store{}, err
	}
	old, m, err := s.managedStore(ctx, actor, id)
	if err != nil {
		return Store{}, err
	}
	if old.Version != version {
		return Store{}, ErrChanged
	}
	now := s.now()
	err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		err := database.RequireRows(tx.Exec(`UPDATE merchant_store SET name = ?, address = ?, lon = ?, lat = ?,
			version = version + 1, updated_at = ? WHERE id = ? AND version = ?`, row.Name, row.Address, row.Lon, row.Lat, now, id, version), 1)
		if err != nil {
			return err
		}
		return s.trail.RecordTx(tx, storeEntry(actor, m, old, "store.update", "", storeChanges(old, row)))
	})
	if err := changed(err, ErrStoreName); err != nil {
		return Store{}, err
	}
	old.Name, old.Address, old.Lon, old.Lat, old.Version, old.UpdatedAt = row.Name, row.Address, row.Lon, row.Lat, version+1, now
	return old, nil
}

// storeMoves lists every move of a store; who manages the merchant makes them.
var storeMoves = []move[StoreStatus]{
	{"close", model.StoreOpen, model.StoreClosed},
	{"open", model.StoreClosed, model.StoreOpen},
}

// MoveStore opens or closes a store.
func (s *Service) MoveStore(ctx context.Context, actor authz.Actor, id string, to StoreStatus, reason string) (Store, error) {
	if err := checkReason(reason, false); err != nil {
		return Store{}, err
	}
	row, m, err := s.managedStore(ctx, actor, id)
	if err != nil {
		return Store{}, err
	}
	if !allows(storeMoves, row.Status, to) {
		return Store{}, ErrBadMove
	}
	now := s.now()
	err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		res := tx.Exec(`UPDATE merchant_store SET status = ?, version = version + 1, updated_at = ? WHERE id = ? AND status = ?`, to, now, id, row.Status)
		if err := database.RequireRows(res, 1); err != nil {
			return moved(err)
		}
		if err := s.merchantMoved(tx, actor, row.MerchantID, &row.ID, string(row.Status), string(to), reason, now); err != nil {
			return err
		}
		return s.trail.RecordTx(tx, storeEntry(actor, m, row, "store."+moveName(storeMoves, row.Status, to), reason, nil))
	})
	row.Status, row.Version, row.UpdatedAt = to, row.Version+1, now
	return row, err
}

// StoreRecord is a store and what the actor can do with it now.
type StoreRecord struct {
	Store
	NextMoves []string // MoveEdit and those of storeMoves
}

// StoreOrder is how the stores of a merchant, where their names differ, can be
// sorted.
var StoreOrder = paging.NewOrder("name", paging.Text("name", "name", func(st Store) string { return st.Name }))

// Stores lists the stores of a merchant that the actor can see, by name.
func (s *Service) Stores(ctx context.Context, actor authz.Actor, merchantID string, page paging.Request) (paging.Page[StoreRecord], error) {
	var none paging.Page[StoreRecord]
	m, err := s.scopeOf(ctx, actor, merchantID)
	if err != nil {
		return none, err
	}
	seek, err := StoreOrder.Seek(page)
	if err != nil {
		return none, err
	}
	q := s.db.Read(ctx).Where("merchant_id = ?", merchantID).Where(seek.Where, seek.Args...).Order(seek.By).Limit(seek.Limit)
	var rows []Store
	if err := q.Find(&rows).Error; err != nil {
		return none, fmt.Errorf("market: stores: %w", err)
	}
	manages := m.manages(actor) == nil
	return paging.Map(seek.Page(rows), func(st Store) StoreRecord {
		out := StoreRecord{Store: st, NextMoves: []string{}}
		if manages {
			out.NextMoves = append([]string{MoveEdit}, movesFrom(storeMoves, st.Status)...)
		}
		return out
	}), nil
}
