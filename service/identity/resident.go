package identity

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/pii"
	"jiamenkou/internal/wechat"
	"jiamenkou/model"
)

// The sealed columns.
const (
	fieldPhone    pii.Field = "resident.phone"
	fieldRealName pii.Field = "resident.real_name"
	fieldIDNumber pii.Field = "resident.id_number"
)

// guardianAge is the age below which a guardian must agree (PIPL art. 31).
const guardianAge = 14

// maxBatch bounds the ids or rows of one call: 1,000 rows of 17 columns stay
// below SQLite's 32,766 parameters.
const maxBatch = 1000

// ResidentLogin is what a mini-program sends to log in.
type ResidentLogin struct {
	Code             string // of wx.login
	BirthYear        int    // 0: not stated
	GuardianConsents bool   // a guardian has agreed on the child's phone
}

// ResidentSession is the answer to a login.
type ResidentSession struct {
	Tokens
	New bool // the first login of this WeChat account
}

// LoginResident logs a resident in, and registers one who comes for the first
// time. A resident whose stated birth year does not rule out an age under 14
// needs a guardian's consent; without it nothing is stored.
//
// Errors: those of wechat.CodeToSession, ErrGuardian, ErrAccountFrozen, and
// field faults.
func (s *Service) LoginResident(ctx context.Context, in ResidentLogin) (ResidentSession, error) {
	var f fault.Fields
	if in.BirthYear != 0 {
		model.ValidateBirthYear(&f, "birth_year", in.BirthYear, s.thisYear())
	}
	if err := f.Err(codeInput); err != nil {
		return ResidentSession{}, err
	}
	account, err := s.wechat.CodeToSession(ctx, in.Code)
	if err != nil {
		return ResidentSession{}, wechatFault(err)
	}
	var out ResidentSession
	login := func(tx *gorm.DB) (err error) {
		out, err = s.loginResidentTx(tx, in, account.OpenID, account.UnionID)
		return err
	}
	err = database.InTx(ctx, s.db, login)
	if database.IsDuplicate(err) { // the same person's first login, twice at once
		err = database.InTx(ctx, s.db, login)
	}
	return out, err
}

// wechatFault keeps typed errors and hides the text of any other.
func wechatFault(err error) error {
	if fault.As(err) != nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fmt.Errorf("identity: wechat: %w", err)
}

func (s *Service) loginResidentTx(tx *gorm.DB, in ResidentLogin, openID, unionID string) (ResidentSession, error) {
	var rows []model.Resident
	if err := tx.Raw("SELECT * FROM resident WHERE openid = ?"+database.ForUpdate(tx), openID).Scan(&rows).Error; err != nil {
		return ResidentSession{}, fmt.Errorf("identity: read resident: %w", err)
	}
	now := s.now()
	if len(rows) == 0 {
		row := model.Resident{
			ID: s.clock.NewID(), OpenID: &openID, UnionID: optional(unionID), VolunteerNumber: s.newVolunteerNumber(),
			Status: model.ResidentActive, CreatedAt: now, UpdatedAt: now,
		}
		if _, err := s.stateAge(&row, in.BirthYear, in.GuardianConsents); err != nil {
			return ResidentSession{}, err
		}
		if err := tx.Create(&row).Error; err != nil {
			return ResidentSession{}, fmt.Errorf("identity: create resident: %w", err)
		}
		tokens, err := s.startSessionTx(tx, authz.KindResident, row.ID)
		return ResidentSession{Tokens: tokens, New: true}, err
	}
	row := rows[0]
	if err := residentMayAct(row.Status); err != nil {
		return ResidentSession{}, err
	}
	changed, err := s.stateAge(&row, in.BirthYear, in.GuardianConsents)
	if err != nil {
		return ResidentSession{}, err
	}
	if changed {
		err := tx.Exec("UPDATE resident SET birth_year = ?, guardian_consented_at = ?, updated_at = ? WHERE id = ?",
			row.BirthYear, row.GuardianConsentedAt, now, row.ID).Error
		if err != nil {
			return ResidentSession{}, fmt.Errorf("identity: record age: %w", err)
		}
	}
	tokens, err := s.startSessionTx(tx, authz.KindResident, row.ID)
	return ResidentSession{Tokens: tokens}, err
}

// stateAge notes a birth year and a guardian's consent in the row. A birth
// year, once on record, is not replaced by what a login claims.
func (s *Service) stateAge(row *model.Resident, birthYear int, guardianConsents bool) (changed bool, err error) {
	if birthYear != 0 && row.BirthYear == nil {
		row.BirthYear, changed = &birthYear, true
	}
	if row.BirthYear == nil || !s.maybeChild(*row.BirthYear) || row.GuardianConsentedAt != nil {
		return changed, nil
	}
	if !guardianConsents {
		return false, ErrGuardian
	}
	row.GuardianConsentedAt = s.now().Ptr()
	return true, nil
}

// maybeChild: with the year alone the birthday may still be to come, so
// whoever turns 14 this year counts as 13.
func (s *Service) maybeChild(birthYear int) bool { return s.thisYear()-birthYear <= guardianAge }

func (s *Service) thisYear() int { return s.now().Time().Year() }

// newVolunteerNumber is "V" and ten characters that are neither in order nor
// made from anything about the person.
func (s *Service) newVolunteerNumber() string {
	id := s.clock.NewID()
	return "V" + id[len(id)-10:]
}

// Profile is what residents see of themselves. Personal data is masked: the
// whole of it is in ExportData.
type Profile struct {
	ID              string
	Nickname        string
	MaskedPhone     string // "138****5678", "" if none is bound
	MaskedName      string // "王**", "" if none is on record
	IDNumberOnFile  bool
	VolunteerNumber string
	HomeRegion      *Region
	BirthYear       int // 0: not stated
	Status          model.ResidentStatus
	CreatedAt       clock.Instant
}

// GetProfile returns the actor's own profile.
func (s *Service) GetProfile(ctx context.Context, actor authz.Actor) (Profile, error) {
	row, err := s.ownRow(ctx, actor)
	if err != nil {
		return Profile{}, err
	}
	phone, name, err := s.openPhoneAndName(row)
	if err != nil {
		return Profile{}, err
	}
	p := Profile{
		ID: row.ID, Nickname: row.Nickname, MaskedPhone: maskPhone(phone), MaskedName: MaskName(name),
		IDNumberOnFile: row.IDNumberIndex != nil, VolunteerNumber: row.VolunteerNumber, Status: row.Status, CreatedAt: row.CreatedAt,
	}
	if row.BirthYear != nil {
		p.BirthYear = *row.BirthYear
	}
	if row.HomeRegionID != nil {
		regions, err := regionsByID(s.db.Read(ctx), *row.HomeRegionID)
		if err != nil {
			return Profile{}, err
		}
		home := regions[*row.HomeRegionID]
		p.HomeRegion = &home
	}
	return p, nil
}

func (s *Service) ownRow(ctx context.Context, actor authz.Actor) (model.Resident, error) {
	if err := actor.Resident(); err != nil {
		return model.Resident{}, err
	}
	var rows []model.Resident
	if err := s.db.Read(ctx).Raw("SELECT * FROM resident WHERE id = ?", actor.ID).Scan(&rows).Error; err != nil {
		return model.Resident{}, fmt.Errorf("identity: read resident: %w", err)
	}
	if len(rows) == 0 {
		return model.Resident{}, ErrResidentUnknown
	}
	return rows[0], nil
}

func (s *Service) openPhoneAndName(row model.Resident) (phone, name string, err error) {
	if phone, err = s.open(fieldPhone, row.PhoneCipher); err != nil {
		return "", "", err
	}
	name, err = s.open(fieldRealName, row.RealNameCipher)
	return phone, name, err
}

func (s *Service) open(f pii.Field, sealed *string) (string, error) {
	if sealed == nil {
		return "", nil
	}
	plain, err := s.sealer.Open(f, *sealed)
	if err != nil {
		return "", fmt.Errorf("identity: open %s: %w", f, err)
	}
	return plain, nil
}

// seal returns NULLs for "".
func (s *Service) seal(f pii.Field, plain string) (sealed, index *string, err error) {
	if plain == "" {
		return nil, nil, nil
	}
	value, err := s.sealer.Seal(f, plain)
	if err != nil {
		return nil, nil, err
	}
	blind := s.sealer.Index(f, plain)
	return &value, &blind, nil
}

// MaskName shows the first character only, with as many stars for every name:
// 王小明 and 王明 are both 王**.
func MaskName(name string) string {
	for _, r := range name {
		return string(r) + "**"
	}
	return ""
}

func maskPhone(phone string) string {
	if len(phone) < 8 {
		return ""
	}
	return phone[:3] + "****" + phone[len(phone)-4:]
}

// UpdateProfile sets the nickname, 1 to 20 characters, once WeChat has passed
// it: nobody looks at nicknames, so that what WeChat would have reviewed is
// refused too, and what it cannot judge now waits for another try. Errors:
// ErrNicknameRefused, those of wechat.CheckText, field faults.
func (s *Service) UpdateProfile(ctx context.Context, actor authz.Actor, nickname string) error {
	var f fault.Fields
	model.ValidateNickname(&f, "nickname", nickname)
	if err := f.Err(codeInput); err != nil {
		return err
	}
	row, err := s.ownRow(ctx, actor)
	if err != nil {
		return err
	}
	if row.OpenID != nil { // else WeChat does not know this person
		verdict, err := s.wechat.CheckText(ctx, *row.OpenID, wechat.SceneProfile, nickname)
		if err != nil {
			return wechatFault(err)
		}
		if verdict.Suggest != wechat.SuggestPass {
			return ErrNicknameRefused
		}
	}
	return s.updateOwn(ctx, actor, "nickname = ?", nickname)
}

// updateOwn changes the actor's own row, which must be active.
func (s *Service) updateOwn(ctx context.Context, actor authz.Actor, set string, args ...any) error {
	if err := actor.Resident(); err != nil {
		return err
	}
	err := database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		return updateOwnTx(tx, actor.ID, s.now(), set, args...)
	})
	s.actors.purge(actor.ID)
	return err
}

func updateOwnTx(tx *gorm.DB, id string, now clock.Instant, set string, args ...any) error {
	res := tx.Exec("UPDATE resident SET "+set+", updated_at = ? WHERE id = ? AND status = 'active'", append(args, now, id)...)
	if err := database.RequireRows(res, 1); errors.Is(err, database.ErrRowsChanged) {
		return ErrBadMove.WithCause(err)
	} else if err != nil {
		return fmt.Errorf("identity: update resident: %w", err)
	}
	return nil
}

var (
	mainlandPhone = regexp.MustCompile(`^1[3-9][0-9]{9}$`)
	foreignPhone  = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`) // E.164
)

// ValidPhone reports whether phone is eleven digits of a mainland mobile
// number, or "+<country code><number>" of any other.
func ValidPhone(phone string) bool {
	return mainlandPhone.MatchString(phone) || foreignPhone.MatchString(phone)
}

// BindPhone binds the number behind the code of a getPhoneNumber button, and
// returns it masked. Errors: those of wechat.PhoneNumber, ErrPhoneInvalid,
// ErrPhoneTaken.
func (s *Service) BindPhone(ctx context.Context, actor authz.Actor, code string) (masked string, err error) {
	if err := actor.Resident(); err != nil {
		return "", err
	}
	phone, err := s.wechat.PhoneNumber(ctx, code)
	if err != nil {
		return "", wechatFault(err)
	}
	if !ValidPhone(phone) {
		return "", ErrPhoneInvalid
	}
	sealed, index, err := s.seal(fieldPhone, phone)
	if err != nil {
		return "", err
	}
	err = s.updateOwn(ctx, actor, "phone_cipher = ?, phone_index = ?", sealed, index)
	if database.IsDuplicate(err) {
		return "", ErrPhoneTaken // without the cause, which names the index
	}
	return maskPhone(phone), err
}

// SetHomeRegion sets the resident's home: a village or anything below one.
func (s *Service) SetHomeRegion(ctx context.Context, actor authz.Actor, regionID string) (Region, error) {
	if err := actor.Resident(); err != nil {
		return Region{}, err
	}
	regions, err := regionsByID(s.db.Read(ctx), regionID)
	if err != nil {
		return Region{}, err
	}
	region := regions[regionID]
	if region.Level.Order() < model.RegionVillage.Order() {
		return Region{}, ErrRegionTooHigh
	}
	err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		if err := updateOwnTx(tx, actor.ID, s.now(), "home_region_id = ?", regionID); err != nil {
			return err
		}
		return requireOpenTx(tx, regionID)
	})
	s.actors.purge(actor.ID)
	return region, err
}

// SetRealName records the real name for certificates and, if given, the ID
// number, which keeps one person from holding two accounts. Once an ID number
// is on record both are fixed. Errors: ErrIDNumberTaken, ErrRealNameFixed,
// ErrGuardian, field faults.
func (s *Service) SetRealName(ctx context.Context, actor authz.Actor, name, idNumber string) error {
	row, err := s.ownRow(ctx, actor)
	if err != nil {
		return err
	}
	var f fault.Fields
	model.ValidateRealName(&f, "real_name", name)
	birthYear, valid := 0, true
	if idNumber != "" {
		idNumber, birthYear, valid = parseIDNumber(idNumber, clock.Today(s.clock))
	}
	f.Add(valid, "id_number", "身份证号有误，请核对")
	if err := f.Err(codeInput); err != nil {
		return err
	}
	if birthYear != 0 && s.maybeChild(birthYear) && row.GuardianConsentedAt == nil {
		return ErrGuardian
	}
	sealedName, _, err := s.seal(fieldRealName, name)
	if err != nil {
		return err
	}
	set, args := "real_name_cipher = ?", []any{sealedName}
	if idNumber != "" {
		sealedID, index, err := s.seal(fieldIDNumber, idNumber)
		if err != nil {
			return err
		}
		set, args = set+", id_number_cipher = ?, id_number_index = ?, birth_year = ?", append(args, sealedID, index, birthYear)
	}
	err = database.InTx(ctx, s.db, func(tx *gorm.DB) error { return s.setNameTx(tx, actor, set, args...) })
	s.actors.purge(actor.ID)
	if database.IsDuplicate(err) {
		return ErrIDNumberTaken
	}
	return err
}

// setNameTx asks under the lock whether an ID number is on record: of two that
// come at once, one is fixed.
func (s *Service) setNameTx(tx *gorm.DB, actor authz.Actor, set string, args ...any) error {
	if err := lockActiveTx(tx, actor.ID); err != nil {
		return err
	}
	var onRecord int64
	if err := tx.Raw("SELECT COUNT(*) FROM resident WHERE id = ? AND id_number_index IS NOT NULL", actor.ID).Scan(&onRecord).Error; err != nil {
		return fmt.Errorf("identity: id number: %w", err)
	}
	if onRecord > 0 {
		return ErrRealNameFixed
	}
	return updateOwnTx(tx, actor.ID, s.now(), set, args...)
}

// parseIDNumber checks an 18-character citizen identity number: a real birth
// date not after today, and the check character of GB 11643-1999.
func parseIDNumber(s string, today clock.Day) (normal string, birthYear int, ok bool) {
	if len(s) != 18 {
		return "", 0, false
	}
	weights := [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}
	sum := 0
	for i, w := range weights {
		if s[i] < '0' || s[i] > '9' {
			return "", 0, false
		}
		sum += int(s[i]-'0') * w
	}
	last := s[17]
	if last == 'x' {
		last = 'X'
	}
	if last != "10X98765432"[sum%11] {
		return "", 0, false
	}
	day, err := clock.ParseDay(s[6:10] + "-" + s[10:12] + "-" + s[12:14])
	if err != nil || day > today || day < "1900-01-01" {
		return "", 0, false
	}
	return s[:17] + string(last), day.Start().Time().Year(), true
}

// ResidentView is what other services and other people may see of a resident.
type ResidentView struct {
	ID              string
	MaskedName      string // "王**"; from the nickname if there is no real name; "已注销" once deleted
	VolunteerNumber string
	HomeRegionID    string
	HomeRegionPath  string
	Status          model.ResidentStatus
}

// Residents returns the minimal view of up to 1,000 residents, in one query.
// Unknown ids are left out. For other services: whom they show it to is theirs
// to decide.
func (s *Service) Residents(ctx context.Context, ids []string) (map[string]ResidentView, error) {
	if len(ids) > maxBatch {
		return nil, ErrBatchTooLarge
	}
	out := make(map[string]ResidentView, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	rows, err := residentRows(s.db.Read(ctx), "p.id IN ?", ids)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		if out[row.ID], err = s.view(row); err != nil {
			return nil, err
		}
	}
	return out, nil
}

type residentRow struct {
	ID, Nickname, VolunteerNumber string
	RealNameCipher                *string
	HomeRegionID, Path            *string
	Status                        model.ResidentStatus

	// For staff's list alone.
	PhoneCipher *string
	RegionName  *string
	CreatedAt   clock.Instant
}

func residentRows(tx *gorm.DB, where string, args ...any) ([]residentRow, error) {
	var rows []residentRow
	err := tx.Raw(`SELECT p.id, p.nickname, p.real_name_cipher, p.volunteer_number, p.home_region_id, r.path, p.status,
		p.phone_cipher, r.name AS region_name, p.created_at
		FROM resident p LEFT JOIN region r ON r.id = p.home_region_id WHERE `+where, args...).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("identity: read residents: %w", err)
	}
	return rows, nil
}

func (s *Service) view(row residentRow) (ResidentView, error) {
	name, err := s.open(fieldRealName, row.RealNameCipher)
	if err != nil {
		return ResidentView{}, err
	}
	masked := MaskName(name)
	switch {
	case row.Status == model.ResidentDeleted:
		masked = "已注销"
	case masked == "" && row.Nickname != "":
		masked = MaskName(row.Nickname)
	case masked == "":
		masked = "居民"
	}
	return ResidentView{
		ID: row.ID, MaskedName: masked, VolunteerNumber: row.VolunteerNumber,
		HomeRegionID: deref(row.HomeRegionID), HomeRegionPath: deref(row.Path), Status: row.Status,
	}, nil
}

// NewResident is one resident of an import or of the demo county. Every field
// may be empty.
type NewResident struct {
	OpenID       string
	Nickname     string
	Phone        string
	RealName     string
	HomeRegionID string
	BirthYear    int
	CreatedAt    clock.Instant // 0: now
	Consents     []NewConsent  // what the resident agreed to on paper
}

// NewConsent is a consent given elsewhere.
type NewConsent struct {
	Purpose model.ConsentPurpose
	Version string
}

// CreateResidents registers up to 1,000 residents at once, for imports and the
// demo, and returns their ids in order. All or none are kept.
//
// Errors: ErrBatchTooLarge, ErrResidentTaken (an openid or phone is known
// already or occurs twice), ErrRegionUnknown, field faults.
func (s *Service) CreateResidents(ctx context.Context, actor authz.Actor, in []NewResident) ([]string, error) {
	if !actor.IsSystem() {
		return nil, authz.ErrForbidden
	}
	if len(in) > maxBatch {
		return nil, ErrBatchTooLarge
	}
	if len(in) == 0 {
		return nil, nil
	}
	rows, consents, err := s.newResidentRows(in)
	if err != nil {
		return nil, err
	}
	err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		if err := tx.Create(&rows).Error; err != nil {
			return err
		}
		homes := []string{""} // no engine takes an empty list
		for _, r := range rows {
			homes = append(homes, deref(r.HomeRegionID))
		}
		if err := requireOpenTx(tx, homes...); err != nil {
			return err
		}
		return s.decideTx(tx, consents)
	})
	switch {
	case database.IsDuplicate(err):
		return nil, ErrResidentTaken
	case database.IsForeignKey(err):
		return nil, ErrRegionUnknown
	case err != nil:
		return nil, fmt.Errorf("identity: create residents: %w", err)
	}
	ids := make([]string, len(rows))
	for i := range rows {
		ids[i] = rows[i].ID
	}
	return ids, nil
}

func (s *Service) newResidentRows(in []NewResident) ([]model.Resident, []model.Consent, error) {
	var (
		f        fault.Fields
		rows     = make([]model.Resident, len(in))
		consents []model.Consent
		now      = s.now()
	)
	for i, r := range in {
		path := fmt.Sprintf("residents[%d]", i)
		if r.Nickname != "" {
			model.ValidateNickname(&f, path+".nickname", r.Nickname)
		}
		if r.RealName != "" {
			model.ValidateRealName(&f, path+".real_name", r.RealName)
		}
		f.Add(r.Phone == "" || ValidPhone(r.Phone), path+".phone", "手机号格式不正确")
		row := model.Resident{
			ID: s.clock.NewID(), OpenID: optional(r.OpenID), Nickname: r.Nickname, VolunteerNumber: s.newVolunteerNumber(),
			HomeRegionID: optional(r.HomeRegionID), Status: model.ResidentActive, CreatedAt: r.CreatedAt, UpdatedAt: now,
		}
		if row.CreatedAt == 0 {
			row.CreatedAt = now
		}
		if r.BirthYear != 0 {
			model.ValidateBirthYear(&f, path+".birth_year", r.BirthYear, s.thisYear())
			row.BirthYear = &in[i].BirthYear
		}
		var err error
		if row.PhoneCipher, row.PhoneIndex, err = s.seal(fieldPhone, r.Phone); err != nil {
			return nil, nil, err
		}
		if row.RealNameCipher, _, err = s.seal(fieldRealName, r.RealName); err != nil {
			return nil, nil, err
		}
		for _, c := range r.Consents {
			checkConsent(&f, path+".consents", c.Purpose, c.Version)
			consents = append(consents, model.Consent{
				ResidentID: row.ID, Purpose: c.Purpose, Status: model.ConsentGranted, Version: c.Version, DecidedAt: row.CreatedAt,
			})
		}
		rows[i] = row
	}
	return rows, consents, f.Err(codeInput)
}
