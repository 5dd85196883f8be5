package identity

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
)

// objectStaff is what the audit trail calls a staff member.
const objectStaff = "staff"

// Limits of staff administration.
const (
	maxGrants     = 50  // of one staff member
	maxStaffBatch = 100 // hashing a password is slow on purpose
)

// NewGrant is a role to give: a region role over RegionID, or a merchant role
// at MerchantID.
type NewGrant struct {
	Role     authz.Role
	RegionID string // region roles
	// Merchant roles. Identity does not know merchants: the caller
	// (service/market) vouches that the merchant exists and lies in that region.
	MerchantID       string
	MerchantRegionID string
}

func (g NewGrant) scopeRegionID() string {
	if g.RegionID != "" {
		return g.RegionID
	}
	return g.MerchantRegionID
}

var merchantRoles = []authz.Role{authz.RoleOwner, authz.RoleClerk}

func checkGrant(f *fault.Fields, path string, g NewGrant) {
	f.Add(slices.Contains(authz.Roles(), g.Role), path+".role", "没有这个角色")
	if slices.Contains(merchantRoles, g.Role) {
		f.Add(g.MerchantID != "" && g.MerchantRegionID != "" && g.RegionID == "", path+".merchant_id", "商户角色须指定商户")
	} else {
		f.Add(g.RegionID != "" && g.MerchantID == "" && g.MerchantRegionID == "", path+".region_id", "区域角色须指定区域")
	}
}

// mayGrant: operators give and take every role within their subtree, never
// above it; owners give and take the clerks of their own merchant.
func mayGrant(actor authz.Actor, role authz.Role, merchantID, scopePath string) error {
	if role == authz.RoleClerk && merchantID != "" && actor.AtMerchant(merchantID, authz.RoleOwner) == nil {
		return nil
	}
	return actor.InRegion(scopePath, authz.RoleOperator)
}

// NewStaff is a staff member to create, with at least one grant. Operators of
// the first grant's region administer the person.
type NewStaff struct {
	Username string
	Password string
	Name     string
	Grants   []NewGrant
}

// CreateStaff creates up to 100 staff members and returns their ids in order;
// all or none. For operators within their subtree, and owners for clerks of
// their merchant. Errors: ErrUsernameTaken, ErrRegionUnknown, ErrBatchTooLarge,
// ErrGrantExists, ErrForbidden, field faults.
func (s *Service) CreateStaff(ctx context.Context, actor authz.Actor, in []NewStaff) ([]string, error) {
	if len(in) > maxStaffBatch {
		return nil, ErrBatchTooLarge
	}
	if len(in) == 0 {
		return nil, nil
	}
	if err := checkNewStaff(in); err != nil {
		return nil, err
	}
	if err := s.mayGrantAll(ctx, actor, in); err != nil {
		return nil, err
	}
	rows, grants, entries, err := s.newStaffRows(ctx, actor, in)
	if err != nil {
		return nil, err
	}
	err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		if err := tx.Create(&rows).Error; err != nil {
			if database.IsDuplicate(err) {
				return ErrUsernameTaken
			}
			return fmt.Errorf("identity: create staff: %w", err)
		}
		if err := createGrantsTx(tx, grants); err != nil {
			return err
		}
		return s.RecordTx(tx, entries...)
	})
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(rows))
	for i := range rows {
		ids[i] = rows[i].ID
	}
	return ids, nil
}

func checkNewStaff(in []NewStaff) error {
	var f, weak fault.Fields
	for i := range in {
		in := &in[i]
		path := fmt.Sprintf("staff[%d]", i)
		in.Username = normalUsername(in.Username)
		row := model.Staff{Username: in.Username, Name: in.Name}
		row.Validate(&f, path)
		f.Add(len(in.Grants) >= 1 && len(in.Grants) <= maxGrants, path+".grants", "至少要有一个角色，最多 50 个")
		for j, g := range in.Grants {
			checkGrant(&f, fmt.Sprintf("%s.grants[%d]", path, j), g)
		}
		checkPassword(&weak, path+".password", in.Password, in.Username)
	}
	if err := f.Err(codeInput); err != nil {
		return err
	}
	return weak.Err(codePassword)
}

func (s *Service) mayGrantAll(ctx context.Context, actor authz.Actor, in []NewStaff) error {
	var ids []string
	for _, n := range in {
		for _, g := range n.Grants {
			ids = append(ids, g.scopeRegionID())
		}
	}
	regions, err := regionsByID(s.db.Read(ctx), ids...)
	if err != nil {
		return err
	}
	for _, n := range in {
		for _, g := range n.Grants {
			if err := mayGrant(actor, g.Role, g.MerchantID, regions[g.scopeRegionID()].Path); err != nil {
				return err
			}
		}
	}
	return nil
}

// grantDetail is what the audit trail says of a grant.
type grantDetail struct {
	Role       authz.Role `json:"role"`
	RegionID   string     `json:"region_id,omitempty"`
	MerchantID string     `json:"merchant_id,omitempty"`
}

func (s *Service) newStaffRows(ctx context.Context, actor authz.Actor, in []NewStaff) ([]model.Staff, []model.StaffGrant, []AuditEntry, error) {
	var (
		rows    = make([]model.Staff, len(in))
		entries = make([]AuditEntry, len(in))
		grants  []model.StaffGrant
		now     = s.now()
	)
	for i, n := range in {
		hash, err := s.passwords.hash(ctx, n.Password)
		if err != nil {
			return nil, nil, nil, err
		}
		rows[i] = model.Staff{
			ID: s.clock.NewID(), Username: n.Username, PasswordHash: hash, Name: n.Name, RegionID: n.Grants[0].scopeRegionID(),
			Status: model.StaffActive, CreatedAt: now, UpdatedAt: now,
		}
		var details []grantDetail
		for _, g := range n.Grants {
			grants = append(grants, s.grantRow(actor, rows[i].ID, g, now))
			details = append(details, grantDetail{g.Role, g.RegionID, g.MerchantID})
		}
		entries[i] = AuditEntry{
			Actor: actor, Action: "staff.create", ObjectType: objectStaff, ObjectID: rows[i].ID, RegionID: rows[i].RegionID, Detail: details,
		}
	}
	return rows, grants, entries, nil
}

func (s *Service) grantRow(actor authz.Actor, staffID string, g NewGrant, now clock.Instant) model.StaffGrant {
	return model.StaffGrant{
		ID: s.clock.NewID(), StaffID: staffID, Role: string(g.Role), RegionID: optional(g.RegionID), MerchantID: optional(g.MerchantID),
		ScopeRegionID: g.scopeRegionID(), GrantedBy: actor.ID, CreatedAt: now,
	}
}

func createGrantsTx(tx *gorm.DB, grants []model.StaffGrant) error {
	err := tx.Create(&grants).Error
	switch {
	case database.IsDuplicate(err):
		return ErrGrantExists
	case err != nil:
		return fmt.Errorf("identity: create grants: %w", err)
	}
	scopes := make([]string, len(grants))
	for i, g := range grants {
		scopes[i] = g.ScopeRegionID
	}
	return requireOpenTx(tx, scopes...)
}

// EnsureOperator makes sure that an operator of that name exists: the first
// one of an installation. It changes nothing if the name is taken, and returns
// the id. For the program itself.
func (s *Service) EnsureOperator(ctx context.Context, actor authz.Actor, username, password, regionID string) (string, error) {
	if !actor.IsSystem() {
		return "", authz.ErrForbidden
	}
	var ids []string
	err := s.db.Read(ctx).Raw("SELECT id FROM staff WHERE username = ?", normalUsername(username)).Scan(&ids).Error
	if err != nil {
		return "", fmt.Errorf("identity: read staff: %w", err)
	}
	if len(ids) == 0 {
		ids, err = s.CreateStaff(ctx, actor, []NewStaff{{
			Username: username, Password: password, Name: "管理员", Grants: []NewGrant{{Role: authz.RoleOperator, RegionID: regionID}},
		}})
		if err != nil {
			return "", err
		}
	}
	return ids[0], nil
}

// target is a staff member about to be administered, locked.
type target struct {
	model.Staff
	path   string
	grants []grantRow
}

type grantRow struct {
	ID            string
	StaffID       string
	Role          authz.Role
	RegionID      *string
	MerchantID    *string
	ScopeRegionID string
	RegionName    string
	Path          string // of the scope region
	CreatedAt     clock.Instant
}

func grantRows(tx *gorm.DB, staffIDs ...string) ([]grantRow, error) {
	var rows []grantRow
	err := tx.Raw(`SELECT g.id, g.staff_id, g.role, g.region_id, g.merchant_id, g.scope_region_id, r.name AS region_name, r.path, g.created_at
		FROM staff_grant g JOIN region r ON r.id = g.scope_region_id WHERE g.staff_id IN ? ORDER BY g.id`, staffIDs).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("identity: read grants: %w", err)
	}
	return rows, nil
}

func lockTargetTx(tx *gorm.DB, staffID string) (target, error) {
	staff, err := lockStaffTx(tx, staffID)
	if err != nil {
		return target{}, err
	}
	t := target{Staff: staff}
	regions, err := regionsByID(tx, staff.RegionID)
	if err != nil {
		return target{}, err
	}
	t.path = regions[staff.RegionID].Path
	t.grants, err = grantRows(tx, staffID)
	return t, err
}

// mayManage: an operator over the person and over everything that the person
// may do; or the owner of the merchant, if being its clerk is all there is.
// Who may not even see the person is told that there is none.
func (t target) mayManage(actor authz.Actor) error {
	if actor.ID == t.ID && !actor.IsSystem() {
		return ErrSelf
	}
	operated := actor.InRegion(t.path, authz.RoleOperator) == nil
	owned, visible := len(t.grants) > 0, operated
	for _, g := range t.grants {
		atOwn := g.MerchantID != nil && actor.AtMerchant(*g.MerchantID, authz.RoleOwner) == nil
		within := actor.InRegion(g.Path, authz.RoleOperator) == nil
		owned = owned && atOwn && g.Role == authz.RoleClerk
		operated = operated && within
		visible = visible || atOwn || within
	}
	switch {
	case operated || owned:
		return nil
	case visible:
		return authz.ErrForbidden
	default:
		return ErrStaffNotFound
	}
}

// administer runs change on a staff member whom the actor may manage.
func (s *Service) administer(ctx context.Context, actor authz.Actor, staffID string, change func(tx *gorm.DB, t target) error) error {
	if !actor.IsSystem() && !actor.Has(authz.RoleOperator, authz.RoleOwner) {
		return authz.ErrForbidden
	}
	err := database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		t, err := lockTargetTx(tx, staffID)
		if err != nil {
			return err
		}
		if err := t.mayManage(actor); err != nil {
			return err
		}
		return change(tx, t)
	})
	s.actors.purge(staffID)
	return err
}

func reasonFault(reason string) error {
	var f fault.Fields
	checkReason(&f, reason)
	return f.Err(codeInput)
}

var staffMoves = map[model.StaffStatus]model.StaffStatus{
	model.StaffActive:   model.StaffDisabled,
	model.StaffDisabled: model.StaffActive,
}

// DisableStaff stops a staff member's account and ends its sessions. Errors:
// ErrStaffNotFound, ErrForbidden, ErrSelf, ErrBadMove, field faults.
func (s *Service) DisableStaff(ctx context.Context, actor authz.Actor, staffID, reason string) error {
	return s.moveStaff(ctx, actor, staffID, model.StaffDisabled, "staff.disable", reason)
}

// EnableStaff lets a disabled staff member in again. Errors as DisableStaff.
func (s *Service) EnableStaff(ctx context.Context, actor authz.Actor, staffID, reason string) error {
	return s.moveStaff(ctx, actor, staffID, model.StaffActive, "staff.enable", reason)
}

func (s *Service) moveStaff(ctx context.Context, actor authz.Actor, id string, to model.StaffStatus, action, reason string) error {
	if err := reasonFault(reason); err != nil {
		return err
	}
	return s.administer(ctx, actor, id, func(tx *gorm.DB, t target) error {
		if staffMoves[t.Status] != to {
			return ErrBadMove
		}
		now := s.now()
		if err := tx.Exec("UPDATE staff SET status = ?, updated_at = ? WHERE id = ?", to, now, id).Error; err != nil {
			return fmt.Errorf("identity: move staff: %w", err)
		}
		if err := revokeTx(tx, now, model.RevokedByDisabling, "principal_id = ?", id); err != nil {
			return err
		}
		return s.RecordTx(tx, AuditEntry{
			Actor: actor, Action: action, ObjectType: objectStaff, ObjectID: id, RegionID: t.RegionID, Reason: reason,
		})
	})
}

// ResetPassword sets a staff member's password, lifts a lock and ends every
// session. Errors: as DisableStaff, and identity.password_policy.
func (s *Service) ResetPassword(ctx context.Context, actor authz.Actor, staffID, newPassword, reason string) error {
	if err := reasonFault(reason); err != nil {
		return err
	}
	// The policy without the name first: hashing is not for a transaction, and
	// the name is not for who may not manage the person.
	var f fault.Fields
	checkPassword(&f, "new_password", newPassword, "")
	if err := f.Err(codePassword); err != nil {
		return err
	}
	if !actor.IsSystem() && !actor.Has(authz.RoleOperator, authz.RoleOwner) {
		return authz.ErrForbidden
	}
	hash, err := s.passwords.hash(ctx, newPassword)
	if err != nil {
		return err
	}
	return s.administer(ctx, actor, staffID, func(tx *gorm.DB, t target) error {
		var f fault.Fields
		checkPassword(&f, "new_password", newPassword, t.Username)
		if err := f.Err(codePassword); err != nil {
			return err
		}
		return s.setPasswordTx(tx, actor, t.Staff, hash, "staff.reset_password", reason)
	})
}

// Grant gives a staff member further roles. Nobody gives roles to himself.
// Errors: ErrGrantExists, ErrTooManyGrants, ErrRegionUnknown and those of
// DisableStaff.
func (s *Service) Grant(ctx context.Context, actor authz.Actor, staffID string, grants []NewGrant, reason string) error {
	var f fault.Fields
	checkReason(&f, reason)
	f.Add(len(grants) >= 1 && len(grants) <= maxGrants, "grants", "至少要有一个角色，最多 50 个")
	for i, g := range grants {
		checkGrant(&f, fmt.Sprintf("grants[%d]", i), g)
	}
	if err := f.Err(codeInput); err != nil {
		return err
	}
	if err := s.mayGrantAll(ctx, actor, []NewStaff{{Grants: grants}}); err != nil {
		return err
	}
	return s.administer(ctx, actor, staffID, func(tx *gorm.DB, t target) error {
		if len(t.grants)+len(grants) > maxGrants {
			return ErrTooManyGrants
		}
		var (
			rows    []model.StaffGrant
			entries []AuditEntry
		)
		for _, g := range grants {
			rows = append(rows, s.grantRow(actor, staffID, g, s.now()))
			entries = append(entries, AuditEntry{
				Actor: actor, Action: "staff.grant", ObjectType: objectStaff, ObjectID: staffID, RegionID: g.scopeRegionID(),
				Reason: reason, Detail: grantDetail{g.Role, g.RegionID, g.MerchantID},
			})
		}
		if err := createGrantsTx(tx, rows); err != nil {
			return err
		}
		return s.RecordTx(tx, entries...)
	})
}

// RevokeGrant takes a role away. Authority over the grant's own scope is
// enough, whatever else the person may do. Errors: ErrStaffNotFound,
// ErrGrantNotFound (also for a scope that the actor does not see), ErrSelf.
func (s *Service) RevokeGrant(ctx context.Context, actor authz.Actor, staffID, grantID, reason string) error {
	if err := reasonFault(reason); err != nil {
		return err
	}
	if !actor.IsSystem() && !actor.Has(authz.RoleOperator, authz.RoleOwner) {
		return authz.ErrForbidden
	}
	if actor.ID == staffID && !actor.IsSystem() {
		return ErrSelf
	}
	err := database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		t, err := lockTargetTx(tx, staffID)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(t.grants, func(g grantRow) bool { return g.ID == grantID })
		if i < 0 || mayGrant(actor, t.grants[i].Role, deref(t.grants[i].MerchantID), t.grants[i].Path) != nil {
			return ErrGrantNotFound
		}
		g := t.grants[i]
		if err := tx.Exec("DELETE FROM staff_grant WHERE id = ?", grantID).Error; err != nil {
			return fmt.Errorf("identity: revoke grant: %w", err)
		}
		return s.RecordTx(tx, AuditEntry{
			Actor: actor, Action: "staff.revoke_grant", ObjectType: objectStaff, ObjectID: staffID, RegionID: g.ScopeRegionID,
			Reason: reason, Detail: grantDetail{g.Role, deref(g.RegionID), deref(g.MerchantID)},
		})
	})
	s.actors.purge(staffID)
	return err
}

// StaffStatus is model's, for the surfaces, which do not import model.
type StaffStatus = model.StaffStatus

// StaffFilter narrows ListStaff; "" means any.
type StaffFilter struct {
	RegionID   string // administered in this subtree
	MerchantID string // holding a role at this merchant
	Role       authz.Role
	Status     model.StaffStatus
	Name       string // the beginning of the name or the username
}

// Staff is a staff member as operators see one.
type Staff struct {
	ID           string
	Username     string
	Name         string
	RegionID     string
	RegionName   string
	Status       model.StaffStatus
	WeChatBound  bool
	SecondFactor bool           // enrolled
	LockedUntil  *clock.Instant // nil unless password logins are locked now
	CreatedAt    clock.Instant
	Grants       []StaffGrant
}

// StaffGrant is one role of a staff member.
type StaffGrant struct {
	ID         string
	Role       authz.Role
	RegionID   string // region roles
	RegionName string // of the region, or of where the merchant is
	MerchantID string // merchant roles
	CreatedAt  clock.Instant
}

type staffRow struct {
	ID, Username, Name   string
	RegionID, RegionName string
	Status               model.StaffStatus
	OpenID               *string `gorm:"column:openid"`
	EnrolledAt           *clock.Instant
	LockedUntil          *clock.Instant
	CreatedAt            clock.Instant
}

const selectStaff = `SELECT p.id, p.username, p.name, p.region_id, r.name AS region_name, p.status, p.openid, p.locked_until, p.created_at,
	f.confirmed_at AS enrolled_at
	FROM staff p JOIN region r ON r.id = p.region_id LEFT JOIN staff_totp f ON f.staff_id = p.id WHERE `

// StaffOrder is how staff can be sorted.
var StaffOrder = paging.NewOrder("created_at",
	paging.Text("created_at", "p.id", func(r staffRow) string { return r.ID }),
	paging.Text("name", "p.name", func(r staffRow) string { return r.Name }),
	paging.Text("username", "p.username", func(r staffRow) string { return r.Username }),
)

// ListStaff lists the staff of the actor's regions in order of their creation
// unless sorted by StaffOrder. For operators and auditors; a merchant's owner sees its people by naming the
// merchant.
func (s *Service) ListStaff(ctx context.Context, actor authz.Actor, filter StaffFilter, page paging.Request) (paging.Page[Staff], error) {
	where, args, err := s.staffScope(ctx, actor, filter)
	if err != nil {
		return paging.Page[Staff]{}, err
	}
	seek, err := StaffOrder.Seek(page)
	if err != nil {
		return paging.Page[Staff]{}, err
	}
	var rows []staffRow
	err = s.db.Read(ctx).Raw(selectStaff+where+" AND "+seek.Where+" ORDER BY "+seek.By+" LIMIT ?",
		append(append(args, seek.Args...), seek.Limit)...).Scan(&rows).Error
	if err != nil {
		return paging.Page[Staff]{}, fmt.Errorf("identity: list staff: %w", err)
	}
	found := seek.Page(rows)
	staff, err := s.withGrants(ctx, found.Items)
	return paging.Page[Staff]{Items: staff, Next: found.Next}, err
}

// StaffMember returns a member of staff whom the actor could list: in the
// regions of an operator or auditor, at the merchants of an owner. Errors:
// ErrStaffNotFound.
func (s *Service) StaffMember(ctx context.Context, actor authz.Actor, id string) (Staff, error) {
	within, args := regionScope(actor.RegionPaths(authz.RoleOperator, authz.RoleAuditor), false)
	if owned := actor.MerchantIDs(authz.RoleOwner); len(owned) > 0 {
		within += " OR EXISTS (SELECT 1 FROM staff_grant g WHERE g.staff_id = p.id AND g.merchant_id IN ?)"
		args = append(args, owned)
	}
	var rows []staffRow
	if err := s.db.Read(ctx).Raw(selectStaff+"p.id = ? AND ("+within+")", append([]any{id}, args...)...).Scan(&rows).Error; err != nil {
		return Staff{}, fmt.Errorf("identity: read staff: %w", err)
	}
	if len(rows) == 0 {
		return Staff{}, ErrStaffNotFound
	}
	staff, err := s.withGrants(ctx, rows)
	if err != nil {
		return Staff{}, err
	}
	return staff[0], nil
}

func (s *Service) staffScope(ctx context.Context, actor authz.Actor, filter StaffFilter) (where string, args []any, err error) {
	roles := []authz.Role{authz.RoleOperator, authz.RoleAuditor}
	switch {
	case filter.MerchantID != "" && actor.AtMerchant(filter.MerchantID, authz.RoleOwner) == nil:
		where = "1 = 1"
	case !actor.IsSystem() && !actor.Has(roles...):
		return "", nil, authz.ErrForbidden
	default:
		where, args = regionScope(actor.RegionPaths(roles...), false)
	}
	if filter.RegionID != "" {
		regions, err := regionsByID(s.db.Read(ctx), filter.RegionID)
		if err != nil {
			return "", nil, err
		}
		within, bounds := regionScope([]string{regions[filter.RegionID].Path}, false)
		where, args = where+" AND "+within, append(args, bounds...)
	}
	if filter.MerchantID != "" || filter.Role != "" {
		where += " AND EXISTS (SELECT 1 FROM staff_grant g WHERE g.staff_id = p.id"
		if filter.MerchantID != "" {
			where, args = where+" AND g.merchant_id = ?", append(args, filter.MerchantID)
		}
		if filter.Role != "" {
			where, args = where+" AND g.role = ?", append(args, filter.Role)
		}
		where += ")"
	}
	if filter.Status != "" {
		where, args = where+" AND p.status = ?", append(args, filter.Status)
	}
	if filter.Name != "" {
		prefix := strings.NewReplacer(`!`, `!!`, `%`, `!%`, `_`, `!_`).Replace(filter.Name) + "%"
		where, args = where+" AND (p.name LIKE ? ESCAPE '!' OR p.username LIKE ? ESCAPE '!')", append(args, prefix, prefix)
	}
	return where, args, nil
}

func (s *Service) withGrants(ctx context.Context, rows []staffRow) ([]Staff, error) {
	out := make([]Staff, len(rows))
	ids := make([]string, len(rows))
	index := make(map[string]int, len(rows))
	now := s.now()
	for i, row := range rows {
		out[i] = Staff{
			ID: row.ID, Username: row.Username, Name: row.Name, RegionID: row.RegionID, RegionName: row.RegionName,
			Status: row.Status, WeChatBound: row.OpenID != nil, SecondFactor: row.EnrolledAt != nil, CreatedAt: row.CreatedAt,
		}
		if row.LockedUntil != nil && *row.LockedUntil > now {
			out[i].LockedUntil = row.LockedUntil
		}
		ids[i], index[row.ID] = row.ID, i
	}
	if len(ids) == 0 {
		return out, nil
	}
	grants, err := grantRows(s.db.Read(ctx), ids...)
	if err != nil {
		return nil, err
	}
	for _, g := range grants {
		i := index[g.StaffID]
		out[i].Grants = append(out[i].Grants, StaffGrant{
			ID: g.ID, Role: g.Role, RegionID: deref(g.RegionID), RegionName: g.RegionName, MerchantID: deref(g.MerchantID), CreatedAt: g.CreatedAt,
		})
	}
	return out, nil
}

// StaffSelf returns the actor's own account and roles.
func (s *Service) StaffSelf(ctx context.Context, actor authz.Actor) (Staff, error) {
	if actor.Kind != authz.KindStaff {
		return Staff{}, authz.ErrForbidden
	}
	var rows []staffRow
	if err := s.db.Read(ctx).Raw(selectStaff+"p.id = ?", actor.ID).Scan(&rows).Error; err != nil {
		return Staff{}, fmt.Errorf("identity: read staff: %w", err)
	}
	staff, err := s.withGrants(ctx, rows)
	if err != nil {
		return Staff{}, err
	}
	if len(staff) == 0 {
		return Staff{}, ErrStaffNotFound
	}
	return staff[0], nil
}

// StaffNames returns the names of up to 1,000 staff members, for other
// services that show who did something. Unknown ids are left out.
func (s *Service) StaffNames(ctx context.Context, ids []string) (map[string]string, error) {
	if len(ids) > maxBatch {
		return nil, ErrBatchTooLarge
	}
	out := make(map[string]string, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	var rows []struct{ ID, Name string }
	if err := s.db.Read(ctx).Raw("SELECT id, name FROM staff WHERE id IN ?", ids).Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("identity: read staff: %w", err)
	}
	for _, row := range rows {
		out[row.ID] = row.Name
	}
	return out, nil
}
