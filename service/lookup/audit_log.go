package lookup

import (
	"context"
	"fmt"
	"slices"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/paging"
	"jiamenkou/service/identity"
	"jiamenkou/service/market"
	"jiamenkou/service/policy"
	"jiamenkou/service/reading"
	"jiamenkou/service/volunteer"
)

// AuditRecord is a line of the audit log with what its object is called now.
type AuditRecord struct {
	identity.AuditRecord
	// ObjectName is "" for what has no name, is gone, or lies where the actor
	// cannot look.
	ObjectName string
	// ObjectWithin is the id of what holds the object: the merchant of a store,
	// the activity of a shift.
	ObjectWithin string
}

// known is what an object is called and what holds it.
type known struct{ name, within string }

// namer names the objects of one type in one statement.
type namer func(ctx context.Context, actor authz.Actor, ids []string) (map[string]known, error)

// namers are the types whose objects have names. Residents are not among them:
// who they are is looked at on their own page, and recorded.
func (s *Service) namers() map[string]namer {
	return map[string]namer{
		"merchant": named(s.Market.MerchantsKnown, marketKnown), "store": named(s.Market.StoresKnown, marketKnown), "benefit": named(s.Market.BenefitsKnown, marketKnown),
		"article":  named(s.Reading.ArticlesKnown, func(a reading.Titled) (string, known) { return a.ID, known{name: a.Title} }),
		"activity": named(s.Volunteer.ActivitiesKnown, func(a volunteer.Known) (string, known) { return a.ID, known{name: a.Title} }),
		"shift": named(s.Volunteer.ShiftsKnown, func(a volunteer.Known) (string, known) {
			return a.ID, known{a.Title + " " + a.StartsAt.Time().Format("1月2日 15:04"), a.ActivityID}
		}),
		"budget": named(s.Policy.BudgetsKnown, func(b policy.Named) (string, known) { return b.ID, known{name: b.Name} }),
		"rule": named(s.Policy.RulesKnown, func(r policy.Rule) (string, known) {
			return r.ID, known{name: fmt.Sprintf("%s 第 %d 版", policy.EventName(r.EventKind), r.Version)}
		}),
		"staff": s.staffNames, "region": s.regionNames,
	}
}

func marketKnown(k market.Known) (string, known) { return k.ID, known{k.Name, k.Within} }

// named turns a service's method into a namer.
func named[T any](find func(context.Context, authz.Actor, []string) ([]T, error), of func(T) (string, known)) namer {
	return func(ctx context.Context, actor authz.Actor, ids []string) (map[string]known, error) {
		rows, err := find(ctx, actor, ids)
		out := make(map[string]known, len(rows))
		for _, row := range rows {
			id, k := of(row)
			out[id] = k
		}
		return out, err
	}
}

// Staff and regions are named to all who may read the log: the log itself
// names both.
func (s *Service) staffNames(ctx context.Context, _ authz.Actor, ids []string) (map[string]known, error) {
	names, err := s.Identity.StaffNames(ctx, ids)
	out := make(map[string]known, len(names))
	for id, name := range names {
		out[id] = known{name: name}
	}
	return out, err
}

func (s *Service) regionNames(ctx context.Context, _ authz.Actor, ids []string) (map[string]known, error) {
	regions, err := s.Region.ByIDs(ctx, ids)
	out := make(map[string]known, len(regions))
	for id, r := range regions {
		out[id] = known{name: r.Name}
	}
	return out, err
}

// AuditLog is identity.Service.AuditLog with the names of the objects: one
// statement more for each type on the page, however many lines there are.
func (s *Service) AuditLog(ctx context.Context, actor authz.Actor, filter identity.AuditFilter, page paging.Request) (paging.Page[AuditRecord], error) {
	records, err := s.Identity.AuditLog(ctx, actor, filter, page)
	if err != nil {
		return paging.Page[AuditRecord]{}, err
	}
	byType := map[string][]string{}
	for _, r := range records.Items {
		if !slices.Contains(byType[r.ObjectType], r.ObjectID) {
			byType[r.ObjectType] = append(byType[r.ObjectType], r.ObjectID)
		}
	}
	names := map[string]map[string]known{}
	for kind, find := range s.namers() {
		if len(byType[kind]) == 0 {
			continue
		}
		if names[kind], err = find(ctx, actor, byType[kind]); err != nil {
			return paging.Page[AuditRecord]{}, err
		}
	}
	return paging.Map(records, func(r identity.AuditRecord) AuditRecord {
		k := names[r.ObjectType][r.ObjectID]
		return AuditRecord{AuditRecord: r, ObjectName: k.name, ObjectWithin: k.within}
	}), nil
}
