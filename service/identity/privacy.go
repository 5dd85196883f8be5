package identity

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
	"jiamenkou/model"
)

// ConsentPurpose is model's, for the surfaces, which do not import model.
type ConsentPurpose = model.ConsentPurpose

// Consent is where a resident stands on one purpose.
type Consent struct {
	Purpose   model.ConsentPurpose
	Granted   bool           // false also for never asked
	Version   string         // of the text last decided on; "" for never asked
	DecidedAt *clock.Instant // nil for never asked
}

var consentVersionPattern = regexp.MustCompile(`^[A-Za-z0-9._-]{1,32}$`)

func checkConsent(f *fault.Fields, path string, purpose model.ConsentPurpose, version string) {
	f.Add(slices.Contains(model.ConsentPurposes(), purpose), path+".purpose", "没有这个用途")
	f.Add(consentVersionPattern.MatchString(version), path+".version", "版本号有误")
}

// Consents returns the actor's decision on every purpose.
func (s *Service) Consents(ctx context.Context, actor authz.Actor) ([]Consent, error) {
	if err := actor.Resident(); err != nil {
		return nil, err
	}
	var rows []model.Consent
	if err := s.db.Read(ctx).Raw("SELECT * FROM consent WHERE resident_id = ?", actor.ID).Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("identity: read consents: %w", err)
	}
	out := make([]Consent, 0, len(model.ConsentPurposes()))
	for _, purpose := range model.ConsentPurposes() {
		c := Consent{Purpose: purpose}
		for _, row := range rows {
			if row.Purpose == purpose {
				c.Granted, c.Version, c.DecidedAt = row.Status == model.ConsentGranted, row.Version, row.DecidedAt.Ptr()
			}
		}
		out = append(out, c)
	}
	return out, nil
}

// Consenting returns which of up to 1,000 residents agree to the purpose now.
func (s *Service) Consenting(ctx context.Context, purpose model.ConsentPurpose, residentIDs []string) (map[string]bool, error) {
	if len(residentIDs) > maxBatch {
		return nil, ErrBatchTooLarge
	}
	out := make(map[string]bool, len(residentIDs))
	if len(residentIDs) == 0 {
		return out, nil
	}
	var ids []string
	err := s.db.Read(ctx).Raw("SELECT resident_id FROM consent WHERE purpose = ? AND status = 'granted' AND resident_id IN ?",
		purpose, residentIDs).Scan(&ids).Error
	if err != nil {
		return nil, fmt.Errorf("identity: read consents: %w", err)
	}
	for _, id := range ids {
		out[id] = true
	}
	return out, nil
}

// GrantConsent records that the actor agrees to the purpose, having read that
// version of its text.
func (s *Service) GrantConsent(ctx context.Context, actor authz.Actor, purpose model.ConsentPurpose, version string) error {
	return s.decide(ctx, actor, purpose, model.ConsentGranted, version)
}

// WithdrawConsent records that the actor takes the consent back, which must be
// as easy as giving it (PIPL art. 15). Withdrawing what was never granted
// changes nothing.
func (s *Service) WithdrawConsent(ctx context.Context, actor authz.Actor, purpose model.ConsentPurpose) error {
	return s.decide(ctx, actor, purpose, model.ConsentWithdrawn, "")
}

func (s *Service) decide(ctx context.Context, actor authz.Actor, purpose model.ConsentPurpose, status model.ConsentStatus, version string) error {
	if err := actor.Resident(); err != nil {
		return err
	}
	var f fault.Fields
	checked := version
	if status == model.ConsentWithdrawn {
		checked = "any"
	}
	checkConsent(&f, "consent", purpose, checked)
	if err := f.Err(codeInput); err != nil {
		return err
	}
	return database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		// The resident's row orders two decisions that come together, and keeps
		// a decision from landing after the account's deletion.
		if err := lockActiveTx(tx, actor.ID); err != nil {
			return err
		}
		var rows []model.Consent
		err := tx.Raw("SELECT * FROM consent WHERE resident_id = ? AND purpose = ?", actor.ID, purpose).Scan(&rows).Error
		if err != nil {
			return fmt.Errorf("identity: read consent: %w", err)
		}
		next := model.Consent{ResidentID: actor.ID, Purpose: purpose, Status: status, Version: version, DecidedAt: s.now()}
		if status == model.ConsentWithdrawn {
			if len(rows) == 0 || rows[0].Status == model.ConsentWithdrawn {
				return nil
			}
			next.Version = rows[0].Version
		} else if len(rows) == 1 && rows[0].Status == status && rows[0].Version == version {
			return nil // the first yes to this text is the one that counts
		}
		return s.decideTx(tx, []model.Consent{next})
	})
}

func lockActiveTx(tx *gorm.DB, residentID string) error {
	var status model.ResidentStatus
	err := tx.Raw("SELECT status FROM resident WHERE id = ?"+database.ForUpdate(tx), residentID).Scan(&status).Error
	if err != nil {
		return fmt.Errorf("identity: lock resident: %w", err)
	}
	return residentMayAct(status)
}

// decideTx puts decisions in force and adds them to the history.
func (s *Service) decideTx(tx *gorm.DB, decisions []model.Consent) error {
	if len(decisions) == 0 {
		return nil
	}
	history := make([]model.ConsentHistory, len(decisions))
	for i, d := range decisions {
		history[i] = model.ConsentHistory{
			ID: s.clock.NewID(), ResidentID: d.ResidentID, Purpose: d.Purpose, Status: d.Status, Version: d.Version, DecidedAt: d.DecidedAt,
		}
	}
	upsert := clause.OnConflict{
		Columns:   []clause.Column{{Name: "resident_id"}, {Name: "purpose"}},
		DoUpdates: clause.AssignmentColumns([]string{"status", "version", "decided_at"}),
	}
	if err := tx.Clauses(upsert).Create(&decisions).Error; err != nil {
		return fmt.Errorf("identity: write consent: %w", err)
	}
	if err := tx.Create(&history).Error; err != nil {
		return fmt.Errorf("identity: write consent history: %w", err)
	}
	return nil
}

// maxExport bounds each list of an export; a resident who has more is beyond
// any use that a person makes of the program.
const maxExport = 1000

// Export is identity's part of what the program knows about a resident
// (PIPL art. 45), in clear.
type Export struct {
	Profile  Profile
	OpenID   string // what WeChat calls the person here
	UnionID  string
	Phone    string
	RealName string
	IDNumber string

	GuardianConsentedAt *clock.Instant

	Consents []model.ConsentHistory
	Sessions []model.Session
	Accesses []model.PIIAccess // when and why staff looked this person up
}

// ExportData returns everything that identity holds about the actor.
func (s *Service) ExportData(ctx context.Context, actor authz.Actor) (Export, error) {
	profile, err := s.GetProfile(ctx, actor)
	if err != nil {
		return Export{}, err
	}
	row, err := s.ownRow(ctx, actor)
	if err != nil {
		return Export{}, err
	}
	out := Export{Profile: profile, OpenID: deref(row.OpenID), UnionID: deref(row.UnionID), GuardianConsentedAt: row.GuardianConsentedAt}
	if out.Phone, out.RealName, err = s.openPhoneAndName(row); err != nil {
		return Export{}, err
	}
	if out.IDNumber, err = s.open(fieldIDNumber, row.IDNumberCipher); err != nil {
		return Export{}, err
	}
	read := s.db.Read(ctx)
	err = errors.Join(
		read.Raw("SELECT * FROM consent_history WHERE resident_id = ? ORDER BY id LIMIT ?", actor.ID, maxExport).Scan(&out.Consents).Error,
		read.Raw("SELECT * FROM session WHERE principal_id = ? ORDER BY id DESC LIMIT ?", actor.ID, maxExport).Scan(&out.Sessions).Error,
		read.Raw("SELECT * FROM pii_access WHERE resident_id = ? ORDER BY id DESC LIMIT ?", actor.ID, maxExport).Scan(&out.Accesses).Error,
	)
	if err != nil {
		return Export{}, fmt.Errorf("identity: export: %w", err)
	}
	return out, nil
}

// DeleteAccount makes the actor's row anonymous for good: WeChat account,
// phone, name, ID number, age and home are erased, consents withdrawn,
// sessions ended. The id and the volunteer number stay, since the ledger and
// the records of service hours must keep adding up; nothing leads from them
// to the person. The same WeChat account may register anew, as a stranger.
func (s *Service) DeleteAccount(ctx context.Context, actor authz.Actor) error {
	if err := actor.Resident(); err != nil {
		return err
	}
	err := database.InTx(ctx, s.db, func(tx *gorm.DB) error { return s.deleteAccountTx(ctx, tx, actor) })
	s.actors.purge(actor.ID)
	return err
}

func (s *Service) deleteAccountTx(ctx context.Context, tx *gorm.DB, actor authz.Actor) error {
	now := s.now()
	err := updateOwnTx(tx, actor.ID, now, `status = 'deleted', deleted_at = ?, openid = NULL, unionid = NULL, nickname = '',
		phone_cipher = NULL, phone_index = NULL, real_name_cipher = NULL, id_number_cipher = NULL, id_number_index = NULL,
		home_region_id = NULL, birth_year = NULL, guardian_consented_at = NULL`, now)
	if err != nil {
		return err
	}
	var consents []model.Consent
	if err := tx.Raw("SELECT * FROM consent WHERE resident_id = ? AND status = 'granted'", actor.ID).Scan(&consents).Error; err != nil {
		return fmt.Errorf("identity: read consents: %w", err)
	}
	for i := range consents {
		consents[i].Status, consents[i].DecidedAt = model.ConsentWithdrawn, now
	}
	if err := s.decideTx(tx, consents); err != nil {
		return err
	}
	if err := revokeTx(tx, now, model.RevokedByDeletion, "principal_id = ?", actor.ID); err != nil {
		return err
	}
	for _, hook := range s.onDelete {
		if err := hook(ctx, tx, actor.ID); err != nil {
			return err
		}
	}
	return nil
}

// FindResidentByPhone looks a resident up by the whole number, for operators
// of the resident's home region (of the whole county while none is chosen).
// Every search is recorded with its reason, found or not. Errors:
// ErrResidentUnknown also for residents of elsewhere.
func (s *Service) FindResidentByPhone(ctx context.Context, actor authz.Actor, phone, reason string) (ResidentView, error) {
	if !actor.IsSystem() && !actor.Has(authz.RoleOperator) {
		return ResidentView{}, authz.ErrForbidden
	}
	var f fault.Fields
	f.Add(ValidPhone(phone), "phone", "手机号格式不正确")
	checkReason(&f, reason)
	if err := f.Err(codeInput); err != nil {
		return ResidentView{}, err
	}
	var view ResidentView
	err := database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		view = ResidentView{}
		rows, err := residentRows(tx, "p.phone_index = ?", s.sealer.Index(fieldPhone, phone))
		if err != nil {
			return err
		}
		if len(rows) == 1 && mayAdminister(actor, rows[0]) {
			if view, err = s.view(rows[0]); err != nil {
				return err
			}
		}
		return s.recordAccessTx(tx, actor, model.PIIPhone, reason, view.ID)
	})
	if err == nil && view.ID == "" {
		err = ErrResidentUnknown
	}
	return view, err
}

func mayAdminister(actor authz.Actor, row residentRow) bool {
	if row.Path == nil {
		return actor.CountyWide(authz.RoleOperator)
	}
	return actor.InRegion(*row.Path, authz.RoleOperator) == nil
}

// recordAccessTx notes who saw or searched personal data; no ids, or "", is a
// search that found nobody.
func (s *Service) recordAccessTx(tx *gorm.DB, actor authz.Actor, field model.PIIField, reason string, residentIDs ...string) error {
	rows := make([]model.PIIAccess, len(residentIDs))
	for i, id := range residentIDs {
		rows[i] = model.PIIAccess{
			ID: s.clock.NewID(), ActorKind: string(actor.Kind), ActorID: actor.ID, ResidentID: optional(id),
			Field: field, Reason: reason, CreatedAt: s.now(),
		}
	}
	if err := tx.Create(&rows).Error; err != nil {
		return fmt.Errorf("identity: record access: %w", err)
	}
	return nil
}

// RealNames returns the real names of up to 1,000 residents in clear, for
// certificates, sign-in sheets and records of service hours; who has none on
// record is left out. Each is recorded in pii_access with the reason. The
// calling service has checked that the actor may see these very people;
// residents see only themselves.
func (s *Service) RealNames(ctx context.Context, actor authz.Actor, residentIDs []string, reason string) (map[string]string, error) {
	if len(residentIDs) > maxBatch {
		return nil, ErrBatchTooLarge
	}
	own := actor.Kind == authz.KindResident && len(residentIDs) == 1 && residentIDs[0] == actor.ID
	if !own && actor.Kind != authz.KindStaff && !actor.IsSystem() {
		return nil, authz.ErrForbidden
	}
	var f fault.Fields
	checkReason(&f, reason)
	if err := f.Err(codeInput); err != nil {
		return nil, err
	}
	if len(residentIDs) == 0 {
		return map[string]string{}, nil
	}
	var names map[string]string
	err := database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		names = map[string]string{}
		rows, err := residentRows(tx, "p.id IN ? AND p.real_name_cipher IS NOT NULL", residentIDs)
		if err != nil || len(rows) == 0 {
			return err
		}
		seen := make([]string, 0, len(rows))
		for _, row := range rows {
			if names[row.ID], err = s.open(fieldRealName, row.RealNameCipher); err != nil {
				return err
			}
			seen = append(seen, row.ID)
		}
		if own {
			return nil
		}
		return s.recordAccessTx(tx, actor, model.PIIRealName, reason, seen...)
	})
	return names, err
}

// residentMoves are the moves that operators make; active → deleted is the
// resident's own (DeleteAccount).
var residentMoves = map[model.ResidentStatus]model.ResidentStatus{
	model.ResidentActive: model.ResidentFrozen,
	model.ResidentFrozen: model.ResidentActive,
}

// FreezeResident stops a resident's account and ends its sessions. For
// operators of the home region. Errors: ErrResidentUnknown, ErrBadMove.
func (s *Service) FreezeResident(ctx context.Context, actor authz.Actor, residentID, reason string) error {
	return s.moveResident(ctx, actor, residentID, model.ResidentFrozen, "resident.freeze", reason)
}

// UnfreezeResident lets a frozen resident in again. Errors as FreezeResident.
func (s *Service) UnfreezeResident(ctx context.Context, actor authz.Actor, residentID, reason string) error {
	return s.moveResident(ctx, actor, residentID, model.ResidentActive, "resident.unfreeze", reason)
}

func (s *Service) moveResident(ctx context.Context, actor authz.Actor, id string, to model.ResidentStatus, action, reason string) error {
	if !actor.IsSystem() && !actor.Has(authz.RoleOperator) {
		return authz.ErrForbidden
	}
	var f fault.Fields
	checkReason(&f, reason)
	if err := f.Err(codeInput); err != nil {
		return err
	}
	err := database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		// Locked by itself: with the join, the region's row would be locked too.
		if err := tx.Exec("SELECT id FROM resident WHERE id = ?"+database.ForUpdate(tx), id).Error; err != nil {
			return fmt.Errorf("identity: lock resident: %w", err)
		}
		rows, err := residentRows(tx, "p.id = ?", id)
		if err != nil {
			return err
		}
		if len(rows) == 0 || !mayAdminister(actor, rows[0]) {
			return ErrResidentUnknown
		}
		if residentMoves[rows[0].Status] != to {
			return ErrBadMove
		}
		now := s.now()
		if err := tx.Exec("UPDATE resident SET status = ?, updated_at = ? WHERE id = ?", to, now, id).Error; err != nil {
			return fmt.Errorf("identity: move resident: %w", err)
		}
		if err := revokeTx(tx, now, model.RevokedByDisabling, "principal_id = ?", id); err != nil {
			return err
		}
		return s.RecordTx(tx, AuditEntry{
			Actor: actor, Action: action, ObjectType: "resident", ObjectID: id, RegionID: deref(rows[0].HomeRegionID), Reason: reason,
		})
	})
	s.actors.purge(id)
	return err
}
