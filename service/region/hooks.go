package region

import (
	"fmt"
	"strings"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/model"
)

// What the audit trail calls the edits by staff.
const (
	ActionImported = "region.import" // of a county, Change.Region: its id and path
	ActionCreated  = "region.create"
	ActionRenamed  = "region.rename"
	ActionMoved    = "region.move"
	ActionClosed   = "region.close"
	ActionMerged   = "region.merge"
	ActionReopened = "region.reopen"
	ActionDrawn    = "region.draw"
	ActionUndrawn  = "region.undraw"
)

// Change is one edit of the tree by hand, or what an import by staff changed in
// one county.
type Change struct {
	Actor  authz.Actor
	Action string
	Region Region // as it is now
	Reason string
	Detail any // a struct that becomes JSON, or nil
}

// OnChange lets another service keep a record of every edit by hand, in its
// transaction. To be called while the program is put together.
func (s *Service) OnChange(record func(tx *gorm.DB, c Change) error) {
	s.onChange = append(s.onChange, record)
}

// OnPlaced lets another service refuse a place that a subtree has come to,
// whose path check gets: in the transaction, with the tree as it then is.
func (s *Service) OnPlaced(check func(tx *gorm.DB, path string) error) {
	s.onPlaced = append(s.onPlaced, check)
}

// AfterPlaced is called once paths or homes have changed for good: for caches.
func (s *Service) AfterPlaced(forget func()) { s.afterPut = append(s.afterPut, forget) }

// Tenant is a service that has things lying in regions.
type Tenant interface {
	// StandingTx counts what is open in the regions whose paths lie between
	// from (inclusive) and to (exclusive).
	StandingTx(tx *gorm.DB, from, to string) ([]model.RegionStanding, error)
	// RehomeTx gives all of that which lies in one region, not below it, to
	// another region of the same county. What is over stays where it happened.
	RehomeTx(tx *gorm.DB, fromID, toID string) error
}

// OnClose names who has things lying in regions: a region is closed when it
// holds none of them, or by giving them to another region.
func (s *Service) OnClose(tenants ...Tenant) { s.tenants = append(s.tenants, tenants...) }

func (s *Service) record(tx *gorm.DB, c Change) error {
	for _, record := range s.onChange {
		if err := record(tx, c); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) checkPlaces(tx *gorm.DB, paths ...string) error {
	for _, path := range paths {
		for _, check := range s.onPlaced {
			if err := check(tx, path); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Service) placed() {
	for _, forget := range s.afterPut {
		forget()
	}
}

// Standing says how much of a kind lies in a region.
type Standing = model.RegionStanding

// standingIn counts what is open in the regions between two paths, in the
// order in which the tenants were named; what there is none of is left out.
func (s *Service) standingIn(tx *gorm.DB, from, to string) ([]Standing, error) {
	var out []Standing
	for _, t := range s.tenants {
		counts, err := t.StandingTx(tx, from, to)
		if err != nil {
			return nil, fmt.Errorf("region: standing: %w", err)
		}
		for _, c := range counts {
			if c.Count > 0 {
				out = append(out, c)
			}
		}
	}
	return out, nil
}

var standingWords = map[model.RegionHolding]string{
	model.HoldsRegions: "个下级地区", model.HoldsResidents: "位居民", model.HoldsGridWorkers: "名网格员", model.HoldsStaff: "名其他工作人员",
	model.HoldsCases: "件未办结事件", model.HoldsActivities: "场未结束的活动", model.HoldsArticles: "篇未撤下的播报",
	model.HoldsMerchants: "家商户", model.HoldsBenefits: "项未下架的福利", model.HoldsBudgets: "笔未到期的积分预算",
	model.HoldsRecords: "条待审批的服务记录", model.HoldsCertificates: "份待出具的证明",
	model.HoldsObjections: "件未答复的异议", model.HoldsAdjustments: "笔待复核的调账",
}

// StandingText puts a count into words: "12 位居民".
func StandingText(s Standing) string { return fmt.Sprintf("%d %s", s.Count, standingWords[s.Holding]) }

func standingText(list []Standing) string {
	texts := make([]string, len(list))
	for i, s := range list {
		texts[i] = StandingText(s)
	}
	return strings.Join(texts, "、")
}

// CountTx counts for a Tenant the rows of a table, called x in the condition,
// whose region_id is one of the regions between two paths. The regions lead:
// they are few, and SQLite would rather go through all rows of a status.
func CountTx(tx *gorm.DB, table, from, to, condition string, args ...any) (n int64, err error) {
	err = tx.Raw("SELECT COUNT(*) FROM region r "+database.InOrder(tx)+" "+table+" x ON x.region_id = r.id WHERE r.path >= ? AND r.path < ? AND "+condition,
		append([]any{from, to}, args...)...).Scan(&n).Error
	if err != nil {
		return 0, fmt.Errorf("region: count %s: %w", table, err)
	}
	return n, nil
}

// GiveTx gives for a Tenant the rows of a table that lie in one region and meet
// the condition to another.
func GiveTx(tx *gorm.DB, table, fromID, toID string, at clock.Instant, condition string, args ...any) error {
	err := tx.Exec("UPDATE "+table+" SET region_id = ?, updated_at = ? WHERE region_id = ? AND "+condition, append([]any{toID, at, fromID}, args...)...).Error
	if err != nil {
		return fmt.Errorf("region: give %s: %w", table, err)
	}
	return nil
}

// RequireOpenTx returns ErrClosed if one of the regions is closed. A writer
// that puts something into regions calls it after the write in the same
// transaction: the foreign key then keeps the regions from being closed until
// the transaction ends, and whoever closes them afterwards sees what was put.
func RequireOpenTx(tx *gorm.DB, ids ...string) error {
	var closed int64
	if err := tx.Raw("SELECT COUNT(*) FROM region WHERE id IN ? AND closed_at IS NOT NULL", ids).Scan(&closed).Error; err != nil {
		return fmt.Errorf("region: open: %w", err)
	}
	if closed > 0 {
		return ErrClosed
	}
	return nil
}
