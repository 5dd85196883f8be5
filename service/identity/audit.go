package identity

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
)

const maxReason = 200 // characters

// AuditEntry is one change for the audit trail.
type AuditEntry struct {
	Actor      authz.Actor
	Action     string // "staff.disable"
	ObjectType string // "staff"
	ObjectID   string
	RegionID   string // whose auditors see it; "": only those of a whole county
	Reason     string
	Detail     any // a struct that becomes JSON; never personal data; nil for none
}

// RecordTx writes entries to the audit trail in the caller's transaction, so
// that a change and its trace are kept or lost together.
func (s *Service) RecordTx(tx *gorm.DB, entries ...AuditEntry) error {
	return NewTrail(s.clock).RecordTx(tx, entries...)
}

func truncate(s string, most int) string {
	runes := []rune(s)
	if len(runes) <= most {
		return s
	}
	return string(runes[:most])
}

// checkReason notes a reason that is missing or too long.
func checkReason(f *fault.Fields, reason string) {
	n := utf8.RuneCountInString(strings.TrimSpace(reason))
	f.Add(n >= 2 && n <= maxReason && utf8.ValidString(reason), "reason", "请写明原因，2 到 200 个字")
}

// AuditFilter narrows a list of the audit trail; "" means any.
type AuditFilter struct {
	ActorID    string
	ActorName  string // of staff: name or login name, in full
	Action     string
	ObjectType string
	ObjectID   string
	RegionID   string        // with everything below it
	From       clock.Instant // inclusive
	To         clock.Instant // exclusive
}

// AuditRecord is one line of the audit trail.
type AuditRecord struct {
	ID         string
	ActorKind  authz.Kind
	ActorID    string
	ActorName  string // staff only
	Action     string
	ObjectType string
	ObjectID   string
	RegionID   string
	RegionName string
	Reason     string
	Detail     string // JSON
	CreatedAt  clock.Instant
}

// AuditOrder is how the audit trail can be sorted.
var AuditOrder = paging.NewOrder("-created_at", paging.Text("created_at", "a.id", func(r AuditRecord) string { return r.ID }))

// AuditLog lists the audit trail of the actor's regions, newest first unless
// sorted by AuditOrder. For auditors and operators.
func (s *Service) AuditLog(ctx context.Context, actor authz.Actor, filter AuditFilter, page paging.Request) (paging.Page[AuditRecord], error) {
	roles := []authz.Role{authz.RoleAuditor, authz.RoleOperator}
	if !actor.IsSystem() && !actor.Has(roles...) {
		return paging.Page[AuditRecord]{}, authz.ErrForbidden
	}
	seek, err := AuditOrder.Seek(page)
	if err != nil {
		return paging.Page[AuditRecord]{}, err
	}
	where, args := regionScope(actor.RegionPaths(roles...), actor.CountyWide(roles...))
	and := func(condition string, values ...any) {
		where, args = where+" AND "+condition, append(args, values...)
	}
	if filter.RegionID != "" {
		regions, err := regionsByID(s.db.Read(ctx), filter.RegionID)
		if err != nil {
			return paging.Page[AuditRecord]{}, err
		}
		from, to := model.RegionPathRange(regions[filter.RegionID].Path)
		and("r.path >= ? AND r.path < ?", from, to)
	}
	if filter.ActorName != "" {
		and("a.actor_id IN (SELECT id FROM staff WHERE name = ? OR username = ?)", filter.ActorName, filter.ActorName)
	}
	// The ids let the primary key find the days.
	if filter.From != 0 {
		and("a.id >= ? AND a.created_at >= ?", clock.IDAt(filter.From.Add(-clock.IDSlack)), filter.From)
	}
	if filter.To != 0 {
		and("a.id < ? AND a.created_at < ?", clock.IDAt(filter.To.Add(clock.IDSlack)), filter.To)
	}
	for column, value := range map[string]string{
		"a.actor_id": filter.ActorID, "a.action": filter.Action, "a.object_type": filter.ObjectType, "a.object_id": filter.ObjectID,
	} {
		if value != "" {
			and(column+" = ?", value)
		}
	}
	and(seek.Where, seek.Args...)
	// The lines are found by their ids alone: who oversees a part of a county has its
	// lines put into order, and the index by regions knows all that this takes.
	var rows []AuditRecord
	err = s.db.Read(ctx).Raw(`SELECT a.id, a.actor_kind, a.actor_id, COALESCE(p.name, '') AS actor_name, a.action, a.object_type,
		a.object_id, COALESCE(a.region_id, '') AS region_id, COALESCE(r.name, '') AS region_name, a.reason, a.detail, a.created_at
		FROM (SELECT a.id FROM audit_log a LEFT JOIN region r ON r.id = a.region_id WHERE `+where+" ORDER BY "+seek.By+` LIMIT ?) found
		JOIN audit_log a ON a.id = found.id LEFT JOIN region r ON r.id = a.region_id LEFT JOIN staff p ON p.id = a.actor_id`,
		append(args, seek.Limit)...).Scan(&rows).Error
	if err != nil {
		return paging.Page[AuditRecord]{}, fmt.Errorf("identity: list audit log: %w", err)
	}
	slices.SortFunc(rows, seek.Compare)
	return seek.Page(rows), nil
}
