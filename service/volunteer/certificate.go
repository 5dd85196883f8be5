package volunteer

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
	"jiamenkou/model"
	"jiamenkou/service/identity"
	"jiamenkou/service/region"
)

// The notices of certificates; the object is the certificate.
const (
	NoticeCertificateRequested = "volunteer.certificate_requested" // those in charge of the region
	NoticeCertificateDecided   = "volunteer.certificate_decided"   // the volunteer: issued or refused
	NoticeCertificateRevoked   = "volunteer.certificate_revoked"   // the volunteer
)

// certificateMoves is every allowed move of a certificate.
var certificateMoves = map[model.CertificateState][]model.CertificateState{
	"":                         {model.CertificateRequested},
	model.CertificateRequested: {model.CertificateIssued, model.CertificateRefused, model.CertificateWithdrawn},
	model.CertificateIssued:    {model.CertificateRevoked},
}

const (
	maxPurpose        = 60
	maxIssuer         = 60
	maxCertifiedDays  = 10 * 366
	checkCodeLength   = 10 // of 32 letters and digits each: 50 bits, behind a rate limit
	nameReason        = "出具志愿服务证明"
	maxNumberPerYear  = 999_999
	certificateNumber = "%s-%d-%06d"
)

// People is what certificates need of service/identity.
type People interface {
	// RealNames returns names in clear and records the access, except one's own.
	RealNames(ctx context.Context, actor authz.Actor, residentIDs []string, reason string) (map[string]string, error)
	// Residents returns what others may see, such as the masked name.
	Residents(ctx context.Context, ids []string) (map[string]identity.ResidentView, error)
}

// CertificateRequest is what a volunteer asks for.
type CertificateRequest struct {
	IdempotencyKey string
	Purpose        string // 2..60 characters
	From, To       clock.Day
}

func (in CertificateRequest) validate(today clock.Day) error {
	var f fault.Fields
	checkLine(&f, "purpose", in.Purpose, maxPurpose)
	f.Add(in.From != "" && validDay(in.From), "from", "请选择开始日期")
	f.Add(in.To != "" && validDay(in.To), "to", "请选择结束日期")
	if len(f) == 0 {
		f.Add(in.From <= in.To, "to", "结束日期不能早于开始日期")
		f.Add(in.To <= today, "to", "结束日期不能晚于今天")
		f.Add(in.From.AddDays(maxCertifiedDays) > in.To, "from", "时间范围不能超过十年")
	}
	return f.Err(codeInvalid)
}

// checkLine checks a text of one line, 2 to most characters.
func checkLine(f *fault.Fields, path, text string, most int) {
	n := utf8.RuneCountInString(text)
	ok := utf8.ValidString(text) && strings.TrimSpace(text) == text && n >= 2 && n <= most && !strings.ContainsFunc(text, isControl)
	f.Add(ok, path, fmt.Sprintf("应为 2 到 %d 个字", most))
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// RequestCertificate asks for a certificate of the resident's records of some
// days. A replay with the same key returns the first answer. Errors:
// ErrNoHomeRegion, ErrNoRealName, ErrNothingToCertify, ErrTooManyRecords,
// ErrRequestOpen, ErrIdempotency, field faults.
func (s *Service) RequestCertificate(ctx context.Context, actor authz.Actor, in CertificateRequest) (Certificate, error) {
	var none Certificate
	if err := actor.Resident(); err != nil {
		return none, err
	}
	if err := in.validate(clock.Today(s.clock)); err != nil {
		return none, err
	}
	if actor.RegionID == "" {
		return none, ErrNoHomeRegion
	}
	if _, err := s.nameOf(ctx, actor, actor.ID); err != nil {
		return none, err
	}
	key := in.IdempotencyKey
	in.IdempotencyKey = ""
	return once(ctx, s, actor, key, "certificate.request", in, func(tx *gorm.DB) (Certificate, error) {
		return s.requestTx(ctx, tx, actor, in)
	})
}

func (s *Service) requestTx(ctx context.Context, tx *gorm.DB, actor authz.Actor, in CertificateRequest) (Certificate, error) {
	var none Certificate
	if err := lockPeopleTx(tx, actor.ID); err != nil {
		return none, err
	}
	people, err := peopleTx(tx, "id IN ?", []string{actor.ID})
	if err != nil {
		return none, err
	}
	now := s.now()
	c := Certificate{
		ID: s.clock.NewID(), ResidentID: actor.ID, RegionID: actor.RegionID, Purpose: in.Purpose, FromDay: in.From, ToDay: in.To,
		VolunteerNumber: people[actor.ID].VolunteerNumber, CreatedAt: now,
	}
	if _, err := certifiableTx(tx, c); err != nil {
		return none, err
	}
	var open int64
	err = tx.Raw("SELECT COUNT(*) FROM certificate WHERE resident_id = ? AND open_slot = 1", actor.ID).Scan(&open).Error
	if err == nil && open > 0 {
		err = ErrRequestOpen
	}
	if err != nil {
		return none, err
	}
	if err := s.moveCertificateTx(tx, actor, &c, model.CertificateRequested, ""); err != nil {
		return none, err
	}
	if err := region.RequireOpenTx(tx, c.RegionID); err != nil {
		return none, err
	}
	return c, s.tellTx(ctx, tx, Notice{Topic: NoticeCertificateRequested, ObjectID: c.ID})
}

// certifiableTx returns the effective records of the days, oldest first;
// ErrNothingToCertify or ErrTooManyRecords.
func certifiableTx(tx *gorm.DB, c Certificate) ([]model.ServiceRecord, error) {
	var rows []model.ServiceRecord
	err := tx.Where("resident_id = ? AND day >= ? AND day <= ? AND state = ?", c.ResidentID, c.FromDay, c.ToDay, model.RecordEffective).
		Order("started_at, id").Limit(model.MaxCertificateRecords + 1).Find(&rows).Error
	switch {
	case err != nil:
		return nil, err
	case len(rows) == 0:
		return nil, ErrNothingToCertify
	case len(rows) > model.MaxCertificateRecords:
		return nil, ErrTooManyRecords
	}
	return rows, nil
}

// WithdrawCertificate takes the resident's own request back. Again, it changes
// nothing. Errors: ErrCertificateMissing, ErrBadMove.
func (s *Service) WithdrawCertificate(ctx context.Context, actor authz.Actor, id string) (out Certificate, err error) {
	err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		c, _, err := lockCertificateTx(tx, id)
		if err != nil || actor.Resident() != nil || c.ResidentID != actor.ID {
			return orMissing(err, ErrCertificateMissing)
		}
		if out = c; c.State == model.CertificateWithdrawn {
			return nil
		}
		err = s.moveCertificateTx(tx, actor, &c, model.CertificateWithdrawn, "")
		out = c
		return err
	})
	return out, err
}

// IssueInput is what the handler adds to a request.
type IssueInput struct {
	IdempotencyKey string
	CertificateID  string
	Issuer         string // 出具单位, 2..60 characters
	HandlerPhone   string // for questions
}

// IssueCertificate turns a request into a certificate over the records that
// are effective now: an organizer or operator over the volunteer's home
// region. A replay with the same key returns the first answer. Errors:
// ErrCertificateMissing, ErrBadMove, ErrNothingToCertify, ErrTooManyRecords,
// ErrIdempotency, field faults.
func (s *Service) IssueCertificate(ctx context.Context, actor authz.Actor, in IssueInput) (Certificate, error) {
	var none Certificate
	if err := requireStaff(actor); err != nil {
		return none, err
	}
	var f fault.Fields
	checkLine(&f, "issuer", in.Issuer, maxIssuer)
	f.Add(model.ValidContactPhone(in.HandlerPhone), "handler_phone", "请填写联系电话")
	if err := f.Err(codeInvalid); err != nil {
		return none, err
	}
	key := in.IdempotencyKey
	in.IdempotencyKey = ""
	return once(ctx, s, actor, key, "certificate.issue", in, func(tx *gorm.DB) (Certificate, error) {
		c, path, err := lockCertificateTx(tx, in.CertificateID)
		if err != nil || actor.InRegion(path, organizers...) != nil {
			return none, orMissing(err, ErrCertificateMissing)
		}
		if err := mayMove(certificateMoves, c.State, model.CertificateIssued); err != nil {
			return none, err
		}
		if err := s.fillIssuedTx(tx, actor, path, in, &c); err != nil {
			return none, err
		}
		if err := s.moveCertificateTx(tx, actor, &c, model.CertificateIssued, ""); err != nil {
			return none, err
		}
		return c, s.tellTx(ctx, tx, Notice{Topic: NoticeCertificateDecided, ObjectID: c.ID, ResidentIDs: []string{c.ResidentID}})
	})
}

func (s *Service) fillIssuedTx(tx *gorm.DB, actor authz.Actor, path string, in IssueInput, c *Certificate) error {
	records, err := certifiableTx(tx, *c)
	if err != nil {
		return err
	}
	links := make([]model.CertificateRecord, len(records))
	c.RecordCount, c.TotalMinutes = int64(len(records)), 0
	for i, r := range records {
		links[i] = model.CertificateRecord{CertificateID: c.ID, RecordID: r.ID}
		c.TotalMinutes += r.Minutes
	}
	if err := tx.Create(&links).Error; err != nil {
		return err
	}
	if c.HandlerName, err = staffNameTx(tx, actor.ID); err != nil {
		return err
	}
	now, today, code := s.now(), clock.Today(s.clock), rand.Text()[:checkCodeLength]
	c.CheckCode, c.IssuedOn, c.HandlerID, c.DecidedAt = &code, &today, &actor.ID, &now
	c.Issuer, c.HandlerPhone = in.Issuer, in.HandlerPhone
	number, err := nextNumberTx(tx, path, today)
	c.Number = &number
	return err
}

// nextNumberTx takes the next number of the county and year. Its row is locked
// until the commit, so that a rollback leaves no hole.
func nextNumberTx(tx *gorm.DB, path string, today clock.Day) (string, error) {
	county, year := model.RegionPathIDs(path)[0], int64(today.Start().Time().Year())
	row := model.CertificateNumber{CountyID: county, Year: year}
	if err := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&row).Error; err != nil {
		return "", err
	}
	err := database.RequireRows(tx.Exec("UPDATE certificate_number SET last_number = last_number + 1 WHERE county_id = ? AND year = ? AND last_number < ?",
		county, year, maxNumberPerYear), 1)
	if err != nil {
		return "", err
	}
	var next struct {
		Code       string
		LastNumber int64
	}
	err = tx.Raw(`SELECT r.code, n.last_number FROM certificate_number n JOIN region r ON r.id = n.county_id WHERE n.county_id = ? AND n.year = ?`,
		county, year).Scan(&next).Error
	// The statistical code of a county is its code of six digits and six zeros.
	return fmt.Sprintf(certificateNumber, strings.TrimSuffix(next.Code, "000000"), year, next.LastNumber), err
}

// RefuseCertificate ends a request with a reason: an organizer or operator over
// the volunteer's home region. Errors: ErrCertificateMissing, ErrBadMove,
// ErrIdempotency, field faults.
func (s *Service) RefuseCertificate(ctx context.Context, actor authz.Actor, in CertificateDecision) (Certificate, error) {
	return s.endCertificate(ctx, actor, in, model.CertificateRefused, NoticeCertificateDecided)
}

// RevokeCertificate makes an issued certificate void, with a reason; the
// public page says so. Errors as with refusal.
func (s *Service) RevokeCertificate(ctx context.Context, actor authz.Actor, in CertificateDecision) (Certificate, error) {
	return s.endCertificate(ctx, actor, in, model.CertificateRevoked, NoticeCertificateRevoked)
}

// CertificateDecision refuses a request or revokes a certificate.
type CertificateDecision struct {
	IdempotencyKey string
	CertificateID  string
	Reason         string // 2..200 characters
}

func (s *Service) endCertificate(ctx context.Context, actor authz.Actor, in CertificateDecision, to model.CertificateState, topic string) (Certificate, error) {
	var none Certificate
	if err := requireStaff(actor); err != nil {
		return none, err
	}
	var f fault.Fields
	checkReason(&f, "reason", in.Reason)
	if err := f.Err(codeInvalid); err != nil {
		return none, err
	}
	input := []string{in.CertificateID, in.Reason}
	return once(ctx, s, actor, in.IdempotencyKey, "certificate."+string(to), input, func(tx *gorm.DB) (Certificate, error) {
		c, path, err := lockCertificateTx(tx, in.CertificateID)
		if err != nil || actor.InRegion(path, organizers...) != nil {
			return none, orMissing(err, ErrCertificateMissing)
		}
		now := s.now()
		c.Reason, c.DecidedAt = in.Reason, &now
		if err := s.moveCertificateTx(tx, actor, &c, to, in.Reason); err != nil {
			return none, err
		}
		return c, s.tellTx(ctx, tx, Notice{Topic: topic, ObjectID: c.ID, ResidentIDs: []string{c.ResidentID}})
	})
}

// nameOf is the volunteer's real name, or ErrNoRealName.
func (s *Service) nameOf(ctx context.Context, actor authz.Actor, residentID string) (string, error) {
	names, err := s.people.RealNames(ctx, actor, []string{residentID}, nameReason)
	if err != nil {
		return "", err
	}
	if names[residentID] == "" {
		return "", ErrNoRealName
	}
	return names[residentID], nil
}

// lockCertificateTx locks the person behind a certificate and reads it with
// the path of its region.
func lockCertificateTx(tx *gorm.DB, id string) (c Certificate, path string, err error) {
	var people []string
	if err := tx.Raw("SELECT resident_id FROM certificate WHERE id = ?", id).Scan(&people).Error; err != nil {
		return c, "", err
	}
	if len(people) == 0 {
		return c, "", ErrCertificateMissing
	}
	if err := lockPeopleTx(tx, people[0]); err != nil {
		return c, "", err
	}
	return certificateRow(tx, "c.id = ?", id)
}

func certificateRow(db *gorm.DB, where string, arg string) (Certificate, string, error) {
	var row struct {
		model.Certificate
		RegionPath string
	}
	err := db.Raw("SELECT c.*, g.path AS region_path FROM certificate c JOIN region g ON g.id = c.region_id WHERE "+where, arg).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return Certificate{}, "", ErrCertificateMissing
	}
	if err != nil {
		return Certificate{}, "", fmt.Errorf("volunteer: certificate: %w", err)
	}
	return row.Certificate, row.RegionPath, nil
}

// moveCertificateTx writes the certificate in its new state, and its history.
func (s *Service) moveCertificateTx(tx *gorm.DB, actor authz.Actor, c *Certificate, to model.CertificateState, reason string) error {
	from := c.State
	if err := mayMove(certificateMoves, from, to); err != nil {
		return err
	}
	c.State, c.UpdatedAt, c.OpenSlot = to, s.now(), nil
	if to == model.CertificateRequested {
		c.OpenSlot = new(int64(1))
	}
	write := tx.Save
	if from == "" {
		write = tx.Create
	}
	if err := write(c).Error; err != nil {
		return err
	}
	return tx.Create(&model.CertificateHistory{
		ID: s.clock.NewID(), CertificateID: c.ID, FromStatus: from, ToStatus: to, ActorKind: string(actor.Kind), ActorID: actor.ID,
		Reason: reason, CreatedAt: c.UpdatedAt,
	}).Error
}

// closeRequestsTx withdraws what a resident who leaves has requested, and drops
// the words of what no certificate came of. One that was issued is out in the
// world, and goes on saying what it says to whoever verifies it.
func (s *Service) closeRequestsTx(tx *gorm.DB, actor authz.Actor, residentID string) error {
	var open []Certificate
	err := tx.Raw("SELECT * FROM certificate WHERE resident_id = ? AND open_slot = 1", residentID).Scan(&open).Error
	for i := 0; err == nil && i < len(open); i++ { // one at most
		err = s.moveCertificateTx(tx, actor, &open[i], model.CertificateWithdrawn, "账号已注销")
	}
	if err != nil {
		return err
	}
	return tx.Exec("UPDATE certificate SET purpose = '' WHERE resident_id = ? AND number IS NULL", residentID).Error
}

// Verified is what anybody learns who holds the paper: whether it is genuine,
// and what it says, without naming the volunteer.
type Verified struct {
	Certificate
	MaskedName     string
	Records        []model.ServiceRecord
	RecordsChanged bool // a record that it covers was corrected since
}

// VerifyCertificate looks a certificate up by its number and check code, for
// anybody. A wrong number and a wrong code are one and the same error:
// ErrCertificateUnknown.
func (s *Service) VerifyCertificate(ctx context.Context, number, checkCode string) (Verified, error) {
	var out Verified
	db := s.db.Read(ctx)
	c, _, err := certificateRow(db, "c.number = ?", strings.TrimSpace(number))
	if errors.Is(err, ErrCertificateMissing) {
		return out, ErrCertificateUnknown
	}
	if err != nil {
		return out, err
	}
	given := strings.ToUpper(strings.TrimSpace(checkCode))
	if subtle.ConstantTimeCompare([]byte(given), []byte(*c.CheckCode)) != 1 {
		return out, ErrCertificateUnknown
	}
	out.Certificate = c
	views, err := s.people.Residents(ctx, []string{c.ResidentID})
	if err != nil {
		return out, err
	}
	out.MaskedName = views[c.ResidentID].MaskedName
	if out.Records, err = coveredRecords(db, c.ID); err != nil {
		return out, err
	}
	for _, r := range out.Records {
		out.RecordsChanged = out.RecordsChanged || r.State != model.RecordEffective
	}
	return out, nil
}

func coveredRecords(db *gorm.DB, certificateID string) ([]model.ServiceRecord, error) {
	var rows []model.ServiceRecord
	err := db.Raw(`SELECT r.* FROM certificate_record k JOIN service_record r ON r.id = k.record_id
		WHERE k.certificate_id = ? ORDER BY r.started_at, r.id`, certificateID).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("volunteer: covered records: %w", err)
	}
	return rows, nil
}
