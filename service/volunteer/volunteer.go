// Package volunteer runs activities: organizers post them with shifts,
// residents sign up, check in and out by a code that rotates on the
// organizer's screen, the organizer confirms, and the minutes are recorded
// apart from points, which service/policy posts.
//
// Everything about one person (overlaps, limits of a day, attendance) is
// decided under that person's row in volunteer_tally, which is locked first,
// in the order of ids; then come sign-ups and attendance, then a shift's
// counter, and at the very end wallets and budgets.
package volunteer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
	"jiamenkou/model"
	"jiamenkou/service/identity"
	"jiamenkou/service/ledger"
	"jiamenkou/service/policy"
)

// Config of the service; a zero field takes its default.
type Config struct {
	CheckInEarly      time.Duration // 30 min: check-in opens so long before a shift
	CheckOutLate      time.Duration // 60 min: check-out closes so long after it
	CodeStep          time.Duration // 30 s: life of one code; the one before is accepted too
	KeepCoordinates   time.Duration // 30 days
	MaxRadiusMeters   int64         // 5000
	PublicURL         string        // "https://example.org": where anybody verifies a certificate
	MaxFailedCheckIns int64         // 10 wrong codes or places per person and shift within ten minutes
}

// Limits that no county has asked to change.
const (
	creditPercent      = 60             // of the planned time; less earns no credit (design, section 6)
	handMarksWithin    = 72 * time.Hour // after a shift; then it can only be added by hand (补录)
	failedMarksWindow  = 10 * time.Minute
	maxAccuracyMeters  = 500 // a worse position proves nothing
	maxToleranceMeters = 50  // how much of a phone's inaccuracy is believed
	maxShifts          = 200 // of one activity
	maxActiveSignups   = 100 // of one person
	maxShiftAhead      = 366 * 24 * time.Hour
	manualWithin       = 366 * 24 * time.Hour
	// MaxItems is the most people that one call of Confirm, Reject,
	// MarkAttendance, AddManualRecord or an approval takes.
	MaxItems      = 200
	sweepRows     = 200
	sweepRounds   = 500
	noticeBatch   = 500
	maxReason     = 200
	maxSearchText = 40
)

// JobNotify is the kind of queued job that tells residents something; its
// payload is a Notice.
const JobNotify = "notify"

// Notice is the payload of JobNotify: ids only.
type Notice struct {
	Topic       string   `json:"topic"` // NoticeShiftCancelled and the like
	ObjectID    string   `json:"object_id"`
	ResidentIDs []string `json:"resident_ids"`
	StaffIDs    []string `json:"staff_ids,omitempty"` // of topics for staff; empty: those in charge
}

// NoticeShiftCancelled tells those who had signed up; the object is the shift.
const NoticeShiftCancelled = "volunteer.shift_cancelled"

func (c *Config) complete() {
	setDefault(&c.CheckInEarly, 30*time.Minute)
	setDefault(&c.CheckOutLate, time.Hour)
	setDefault(&c.CodeStep, 30*time.Second)
	setDefault(&c.KeepCoordinates, 30*24*time.Hour)
	setDefault(&c.MaxRadiusMeters, model.MaxRadiusMeters)
	setDefault(&c.MaxFailedCheckIns, 10)
	c.PublicURL = strings.TrimSuffix(c.PublicURL, "/")
}

func setDefault[T time.Duration | int64](field *T, value T) {
	if *field <= 0 {
		*field = value
	}
}

// Service runs activities. Safe for concurrent use.
type Service struct {
	db     *database.DB
	clock  clock.Clock
	ledger *ledger.Service
	policy *policy.Service
	people People
	trail  identity.Trail
	cfg    Config
}

// New returns the service.
func New(db *database.DB, c clock.Clock, l *ledger.Service, p *policy.Service, people People, cfg Config) *Service {
	cfg.complete()
	return &Service{db: db, clock: c, ledger: l, policy: p, people: people, trail: identity.NewTrail(c), cfg: cfg}
}

func (s *Service) now() clock.Instant { return clock.Now(s.clock) }

// Who may change and who may look, over the activity's region.
var (
	organizers = []authz.Role{authz.RoleOrganizer, authz.RoleOperator}
	readers    = []authz.Role{authz.RoleOrganizer, authz.RoleOperator, authz.RoleAuditor}
)

// The allowed moves; docs/states/volunteer.md draws them.
var (
	activityMoves = map[model.ActivityStatus][]model.ActivityStatus{
		model.ActivityDraft:     {model.ActivityPublished, model.ActivityCancelled},
		model.ActivityPublished: {model.ActivityFinished, model.ActivityCancelled},
	}
	shiftMoves = map[model.ShiftStatus][]model.ShiftStatus{
		model.ShiftOpen: {model.ShiftCancelled},
	}
	signupMoves = map[model.SignupStatus][]model.SignupStatus{
		model.SignupSignedUp: {model.SignupCancelled, model.SignupAttended, model.SignupAbsent},
	}
	attendanceMoves = map[model.AttendanceStatus][]model.AttendanceStatus{
		model.AttendanceCheckedIn:  {model.AttendanceCheckedOut, model.AttendanceRejected},
		model.AttendanceCheckedOut: {model.AttendanceConfirmed, model.AttendanceRejected},
	}
	recordMoves = map[model.RecordState][]model.RecordState{
		model.RecordPending:   {model.RecordEffective, model.RecordRejected},
		model.RecordEffective: {model.RecordCorrected},
	}
)

// mayMove returns ErrBadMove for a move that the table does not have.
func mayMove[S ~string](table map[S][]S, from, to S) error {
	if !slices.Contains(table[from], to) {
		return ErrBadMove
	}
	return nil
}

// move is one line of the history.
type move struct {
	object   model.VolunteerObject
	id       string
	from, to string
	reason   string
}

// historyRows is how many rows one insert writes: MySQL takes 65,535
// placeholders, SQLite 32,766.
const insertRows = 500

func (s *Service) recordMovesTx(tx *gorm.DB, actor authz.Actor, moves []move) error {
	if len(moves) == 0 {
		return nil
	}
	now := s.now()
	rows := make([]model.VolunteerHistory, len(moves))
	for i, m := range moves {
		rows[i] = model.VolunteerHistory{
			ID: s.clock.NewID(), ObjectType: m.object, ObjectID: m.id, FromStatus: m.from, ToStatus: m.to,
			ActorKind: string(actor.Kind), ActorID: actor.ID, Reason: m.reason, CreatedAt: now,
		}
	}
	return tx.CreateInBatches(&rows, insertRows).Error
}

// lockPeopleTx locks the rows of residents in the order of their ids.
func lockPeopleTx(tx *gorm.DB, residentIDs ...string) error {
	ids := slices.Compact(slices.Sorted(slices.Values(residentIDs)))
	if len(ids) == 0 {
		return nil
	}
	for range 2 {
		var found []string
		err := tx.Raw(`SELECT resident_id FROM volunteer_tally WHERE resident_id IN ? ORDER BY resident_id`+database.ForUpdate(tx), ids).
			Scan(&found).Error
		if err != nil || len(found) == len(ids) {
			return err
		}
		var rows []model.VolunteerTally
		for _, id := range ids {
			if _, ok := slices.BinarySearch(found, id); !ok {
				rows = append(rows, model.VolunteerTally{ResidentID: id})
			}
		}
		if err := tx.Clauses(clause.OnConflict{DoNothing: true}).CreateInBatches(&rows, insertRows).Error; err != nil {
			return err
		}
	}
	return errBusy
}

// --- answers under an idempotency key ---

// hashOf is the SHA-256 of an operation and its input as JSON, whose field
// order is that of the struct.
func hashOf(operation string, input any) (string, error) {
	raw, err := json.Marshal(input)
	if err != nil {
		return "", fmt.Errorf("volunteer: hash: %w", err)
	}
	sum := sha256.Sum256(append([]byte(operation+"\n"), raw...))
	return hex.EncodeToString(sum[:]), nil
}

// answered looks a key up: it decodes the first answer into answer and reports
// true, or reports false if the key is new. The same key with another input is
// ErrIdempotency.
func (s *Service) answered(ctx context.Context, actor authz.Actor, key, hash string, answer any) (bool, error) {
	if key == "" {
		return false, nil
	}
	var row model.VolunteerRequest
	err := s.db.Read(ctx).Where("actor_id = ? AND idempotency_key = ?", actor.ID, key).Take(&row).Error
	switch {
	case errors.Is(err, gorm.ErrRecordNotFound):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("volunteer: request: %w", err)
	case row.InputHash != hash:
		return false, ErrIdempotency
	}
	return true, json.Unmarshal([]byte(row.Answer), answer)
}

func (s *Service) storeAnswerTx(tx *gorm.DB, actor authz.Actor, key, hash string, answer any) error {
	if key == "" {
		return nil
	}
	raw, err := json.Marshal(answer)
	if err != nil {
		return fmt.Errorf("volunteer: answer: %w", err)
	}
	return tx.Create(&model.VolunteerRequest{
		ID: s.clock.NewID(), ActorID: actor.ID, IdempotencyKey: key, InputHash: hash, Answer: string(raw), ResidentID: residentOf(answer),
		CreatedAt: s.now(),
	}).Error
}

// residentOf is whom an answer is about, so that it goes with the account: what
// staff were answered repeats what the resident had written.
func residentOf(answer any) *string {
	switch a := answer.(type) {
	case Correction:
		return &a.ResidentID
	case Certificate:
		return &a.ResidentID
	default:
		return nil
	}
}

// --- small checks ---

// checkReason checks a reason that people typed in: 2 to 200 characters.
func checkReason(f *fault.Fields, path, reason string) {
	n := utf8.RuneCountInString(reason)
	ok := utf8.ValidString(reason) && n >= 2 && n <= maxReason && strings.TrimSpace(reason) == reason &&
		!strings.ContainsFunc(reason, func(r rune) bool { return !unicode.IsPrint(r) && r != '\n' })
	f.Add(ok, path, "请填写 2 到 200 个字的原因")
}

func checkCount(f *fault.Fields, path string, n int) {
	f.Add(n >= 1 && n <= MaxItems, path, fmt.Sprintf("一次应为 1 到 %d 人", MaxItems))
}

func requireStaff(actor authz.Actor) error {
	if actor.Kind != authz.KindStaff {
		return authz.ErrForbidden
	}
	return nil
}

// scope returns the condition that column is the path of a region within one
// of paths.
func scope(column string, paths []string) (where string, args []any) {
	parts := []string{"1 = 0"}
	for _, p := range paths {
		from, to := model.RegionPathRange(p)
		parts = append(parts, "("+column+" >= ? AND "+column+" < ?)")
		args = append(args, from, to)
	}
	return "(" + strings.Join(parts, " OR ") + ")", args
}

// parentPath returns the path of the region above; a county has none above
// and answers for itself.
func parentPath(path string) string {
	ids := model.RegionPathIDs(path)
	if len(ids) <= 1 {
		return path
	}
	return "/" + strings.Join(ids[:len(ids)-1], "/") + "/"
}

// likePattern finds text anywhere, with what LIKE treats specially escaped by
// an exclamation mark.
func likePattern(text string) string {
	return "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(strings.ToLower(text)) + "%"
}

// caseOf builds "CASE key WHEN ? THEN ? … END" over rows, for one UPDATE that
// gives each row its own value.
func caseOf[T any](key string, rows []T, pair func(T) (id string, value any)) (sql string, args []any) {
	var b strings.Builder
	b.WriteString("CASE " + key)
	for _, r := range rows {
		id, value := pair(r)
		b.WriteString(" WHEN ? THEN ?")
		args = append(args, id, value)
	}
	b.WriteString(" END")
	return b.String(), args
}

//go:fix inline

// The surfaces do not import model; these are their names for its rows.
type (
	// Record is a service record.
	Record = model.ServiceRecord
	// Signup is a place in a shift.
	Signup = model.Signup
	// Attendance is when a volunteer was there.
	Attendance = model.Attendance
	// Correction is one correction of a service record.
	Correction = model.ServiceCorrection
	// CorrectionMove is one line of its history.
	CorrectionMove = model.ServiceCorrectionHistory
	// CorrectionState is its state.
	CorrectionState = model.CorrectionState
	// CorrectionKind says what becomes of the record.
	CorrectionKind = model.CorrectionKind
	// Certificate is a proof of service hours.
	Certificate = model.Certificate
	// CertificateMove is one line of its history.
	CertificateMove = model.CertificateHistory
	// CertificateState is its state.
	CertificateState = model.CertificateState
)
