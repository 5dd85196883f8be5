// Package authz says who acts and what the actor may do: roles held over a
// region subtree or over a merchant. It decides from the Actor alone, with no
// database; service/identity makes Actors out of access tokens.
package authz

import (
	"context"
	"slices"
	"strings"

	"jiamenkou/internal/fault"
)

// Kind of actor.
type Kind string

// The kinds of actor.
const (
	KindResident Kind = "resident"
	KindStaff    Kind = "staff"
	KindSystem   Kind = "system" // jobs, imports, the demo loader
)

// Role of a staff member. A staff member holds any number of grants.
type Role string

// The roles. Operator, auditor, organizer, grid worker are scoped to a
// region subtree; owner and clerk to a merchant.
const (
	RoleOperator   Role = "operator"
	RoleAuditor    Role = "auditor"
	RoleOrganizer  Role = "organizer"
	RoleGridWorker Role = "grid_worker"
	RoleOwner      Role = "merchant_owner"
	RoleClerk      Role = "clerk"
)

// Roles lists every role.
func Roles() []Role {
	return []Role{RoleOperator, RoleAuditor, RoleOrganizer, RoleGridWorker, RoleOwner, RoleClerk}
}

// Grant is one role over one scope. Exactly one of RegionID and MerchantID is
// set.
type Grant struct {
	Role       Role
	RegionID   string
	RegionPath string // path of RegionID; it begins the paths of its whole subtree
	MerchantID string
}

// Actor is who calls. The zero Actor may do nothing.
type Actor struct {
	Kind       Kind
	ID         string // resident, staff or job name
	SessionID  string
	RegionID   string // resident: home region, "" until chosen
	RegionPath string
	Grants     []Grant // staff only
	MustEnrol  bool    // staff: a second factor is required and none is enrolled; until then only that may be done
}

// Errors of authorisation.
var (
	ErrAnonymous = fault.New(fault.Unauthenticated, "auth.required", "请先登录")
	ErrMustEnrol = fault.New(fault.Forbidden, "auth.must_enrol", "请先设置两步验证，再办理其他事情")
	ErrForbidden = fault.New(fault.Forbidden, "auth.forbidden", "您没有办理此事的权限")
)

// System returns the actor under which the program itself acts.
func System(name string) Actor { return Actor{Kind: KindSystem, ID: name} }

// IsSystem reports whether the program itself acts.
func (a Actor) IsSystem() bool { return a.Kind == KindSystem }

// Has reports whether the actor holds one of the roles over any scope. The
// route table asks this; the service then asks for the scope.
func (a Actor) Has(roles ...Role) bool {
	for _, g := range a.Grants {
		if slices.Contains(roles, g.Role) {
			return true
		}
	}
	return false
}

// InRegion returns nil if the actor is the system or holds one of the roles
// over a region whose subtree contains regionPath, and ErrForbidden if not.
func (a Actor) InRegion(regionPath string, roles ...Role) error {
	if a.IsSystem() {
		return nil
	}
	for _, g := range a.Grants {
		if g.RegionPath == "" || !strings.HasPrefix(regionPath, g.RegionPath) {
			continue
		}
		if slices.Contains(roles, g.Role) {
			return nil
		}
	}
	return ErrForbidden
}

// AtMerchant returns nil if the actor is the system or holds one of the roles
// at the merchant, and ErrForbidden if not.
func (a Actor) AtMerchant(merchantID string, roles ...Role) error {
	if a.IsSystem() {
		return nil
	}
	for _, g := range a.Grants {
		if g.MerchantID == "" || g.MerchantID != merchantID {
			continue
		}
		if slices.Contains(roles, g.Role) {
			return nil
		}
	}
	return ErrForbidden
}

// RegionPaths returns the paths over which the actor holds one of the roles:
// the scope of a list. The system's scope is "/" (everything).
func (a Actor) RegionPaths(roles ...Role) []string {
	if a.IsSystem() {
		return []string{"/"}
	}
	var paths []string
	for _, g := range a.Grants {
		if g.RegionPath != "" && slices.Contains(roles, g.Role) {
			paths = append(paths, g.RegionPath)
		}
	}
	return paths
}

// CountyWide reports whether the actor holds one of the roles over a whole county:
// its path has one segment, and the system's has none.
func (a Actor) CountyWide(roles ...Role) bool {
	return slices.ContainsFunc(a.RegionPaths(roles...), func(path string) bool { return strings.Count(path, "/") <= 2 })
}

// MerchantIDs returns the merchants at which the actor holds one of the roles.
func (a Actor) MerchantIDs(roles ...Role) []string {
	var ids []string
	for _, g := range a.Grants {
		if g.MerchantID != "" && slices.Contains(roles, g.Role) {
			ids = append(ids, g.MerchantID)
		}
	}
	return ids
}

// Resident returns nil if the actor is a resident.
func (a Actor) Resident() error {
	if a.Kind != KindResident {
		return ErrForbidden
	}
	return nil
}

type actorKey struct{}

// WithActor returns a context that carries the caller.
func WithActor(ctx context.Context, a Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, a)
}

// FromContext returns the caller; the zero Actor if nobody is logged in.
func FromContext(ctx context.Context) Actor {
	a, _ := ctx.Value(actorKey{}).(Actor)
	return a
}
