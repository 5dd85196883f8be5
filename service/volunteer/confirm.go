package volunteer

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
	"jiamenkou/model"
	"jiamenkou/service/policy"
)

// ConfirmItem is the organizer's word on one attendance.
type ConfirmItem struct {
	SignupID      string
	Minutes       *int64 // less than what was computed, never more; nil keeps it
	MinutesReason string // with Minutes
	QualityRating *int64 // 1..5
	RejectReason  string // not "": the attendance is rejected
}

// Refusal is why one item of a call was not carried out.
type Refusal struct {
	Code    string
	Message string
}

// ConfirmOutcome is what became of one item. A refused item leaves its
// attendance as it was; the others go through.
type ConfirmOutcome struct {
	SignupID      string
	AttendanceID  string
	Status        model.AttendanceStatus
	Credit        model.Credit // "" if rejected or refused
	ServedMinutes int64        // computed
	Minutes       int64        // credited
	RecordID      string       // "" without credit
	RecordState   model.RecordState
	Points        int64             // posted for it
	Award         model.AwardStatus // why there are none, "" if no policy was asked
	Refusal       *Refusal
}

// ConfirmInput is one call of Confirm.
type ConfirmInput struct {
	ShiftID        string
	IdempotencyKey string // optional: confirming twice changes nothing anyway
	Items          []ConfirmItem
}

func (in ConfirmInput) validate() error {
	var f fault.Fields
	checkCount(&f, "items", len(in.Items))
	seen := map[string]bool{}
	for i, x := range in.Items {
		path := fmt.Sprintf("items[%d]", i)
		f.Add(!seen[x.SignupID], path+".signup_id", "同一人重复")
		seen[x.SignupID] = true
		f.Add(x.QualityRating == nil || (*x.QualityRating >= 1 && *x.QualityRating <= 5), path+".quality_rating", "评价应为 1 到 5")
		if x.Minutes != nil {
			f.Add(*x.Minutes >= 0, path+".minutes", "时长不能小于零")
			checkReason(&f, path+".minutes_reason", x.MinutesReason)
		}
		if x.RejectReason != "" {
			checkReason(&f, path+".reject_reason", x.RejectReason)
		}
	}
	return f.Err(codeInvalid)
}

// Confirm turns attendances into service records and has the policies award
// points for them, in one transaction. The minutes are those within the shift,
// less its breaks. Below 60 % of the planned time there is no credit; what
// takes a person's day above 8 hours waits for the parent region; what takes
// it above 12 hours is refused. An attendance that was confirmed or rejected
// before keeps its first outcome.
//
// Errors: ErrShiftMissing, ErrSignupMissing, ErrIdempotency; refusals of an
// item: ErrNotCheckedIn, ErrNotCheckedOut, ErrSecondPerson, ErrMinutesTooMany,
// ErrRecordOverlap, ErrDayLimit.
func (s *Service) Confirm(ctx context.Context, actor authz.Actor, in ConfirmInput) ([]ConfirmOutcome, error) {
	if err := requireStaff(actor); err != nil {
		return nil, err
	}
	if err := in.validate(); err != nil {
		return nil, err
	}
	key := in.IdempotencyKey
	in.IdempotencyKey = ""
	hash, err := hashOf("confirm", in)
	if err != nil {
		return nil, err
	}
	var out []ConfirmOutcome
	if done, err := s.answered(ctx, actor, key, hash, &out); done || err != nil {
		return s.withAwards(ctx, out, err)
	}
	var awards []model.Award
	err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		c := &confirming{Service: s, tx: tx, actor: actor, in: in, now: s.now()}
		if err := c.run(); err != nil {
			return err
		}
		if err := s.storeAnswerTx(tx, actor, key, hash, c.outcomes); err != nil {
			return err
		}
		out = c.outcomes
		var err error
		awards, err = s.policy.AwardTx(ctx, tx, c.events)
		return err
	})
	if database.IsDuplicate(err) {
		// The same call at the same time was first: its answer counts.
		var first []ConfirmOutcome
		if done, lookErr := s.answered(ctx, actor, key, hash, &first); done || lookErr != nil {
			return s.withAwards(ctx, first, lookErr)
		}
	}
	if err != nil {
		return nil, err
	}
	fillAwards(out, awards)
	return out, nil
}

// RejectItem refuses an attendance.
type RejectItem struct {
	SignupID string
	Reason   string // 2..200 characters
}

// Reject refuses attendances of a shift: no minutes, no points. Errors and
// refusals are those of Confirm.
func (s *Service) Reject(ctx context.Context, actor authz.Actor, shiftID string, items []RejectItem) ([]ConfirmOutcome, error) {
	var f fault.Fields
	in := ConfirmInput{ShiftID: shiftID, Items: make([]ConfirmItem, len(items))}
	for i, x := range items {
		checkReason(&f, fmt.Sprintf("items[%d].reason", i), x.Reason)
		in.Items[i] = ConfirmItem{SignupID: x.SignupID, RejectReason: x.Reason}
	}
	if err := f.Err(codeInvalid); err != nil {
		return nil, err
	}
	return s.Confirm(ctx, actor, in)
}

// withAwards adds what the policies answered, which is kept in their own rows.
func (s *Service) withAwards(ctx context.Context, out []ConfirmOutcome, err error) ([]ConfirmOutcome, error) {
	if err != nil {
		return nil, err
	}
	ids := make([]string, 0, len(out))
	for _, o := range out {
		ids = append(ids, o.AttendanceID)
	}
	var awards []model.Award
	err = s.db.Read(ctx).Where("event_kind = ? AND event_id IN ?", model.EventVolunteerService, ids).Find(&awards).Error
	if err != nil {
		return nil, fmt.Errorf("volunteer: awards: %w", err)
	}
	fillAwards(out, awards)
	return out, nil
}

func fillAwards(out []ConfirmOutcome, awards []model.Award) {
	byEvent := map[string]model.Award{}
	for _, a := range awards {
		byEvent[a.EventID] = a
	}
	for i := range out {
		a, ok := byEvent[out[i].AttendanceID]
		if !ok || out[i].AttendanceID == "" {
			continue
		}
		out[i].Award = a.Status
		if a.Status == model.AwardPosted {
			out[i].Points = a.Points
		}
	}
}

// confirming is one call of Confirm.
type confirming struct {
	*Service
	tx    *gorm.DB
	actor authz.Actor
	in    ConfirmInput
	now   clock.Instant

	shift   shiftRow
	found   map[string]*attendee
	people  map[string]person
	dayUsed map[string]int64 // by resident
	taken   map[string][]span
	staff   string // the recorder's name

	outcomes  []ConfirmOutcome
	confirmed []model.Attendance
	rejected  []string // attendance ids
	attended  []string // signup ids
	absent    []string
	records   []model.ServiceRecord
	moves     []move
	events    []policy.Event
}

// span is the time of a record.
type span struct{ from, to clock.Instant }

func (a span) overlaps(b span) bool { return a.from < b.to && b.from < a.to }

func (c *confirming) run() error {
	for _, step := range []func() error{c.load, c.decide, c.write} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (c *confirming) load() error {
	var err error
	if c.shift, err = c.shiftFor(c.tx, c.actor, c.in.ShiftID, organizers); err != nil {
		return err
	}
	ids := make([]string, len(c.in.Items))
	for i, x := range c.in.Items {
		ids[i] = x.SignupID
	}
	if c.found, err = c.lockAttendeesTx(c.tx, c.shift.ShiftID, ids); err != nil {
		return err
	}
	residents := make([]string, 0, len(ids))
	for _, id := range ids {
		residents = append(residents, c.found[id].signup.ResidentID)
	}
	if c.people, err = peopleTx(c.tx, "id IN ?", residents); err != nil {
		return err
	}
	if c.staff, err = staffNameTx(c.tx, c.actor.ID); err != nil {
		return err
	}
	day := c.shift.StartsAt.Day()
	if c.taken, err = spansTx(c.tx, residents, day); err != nil {
		return err
	}
	c.dayUsed, err = dayMinutesTx(c.tx, residents, day)
	return err
}

// person is what a record copies of a volunteer.
type person struct {
	ID              string
	VolunteerNumber string
	Status          model.ResidentStatus
	RegionPath      string // "" without a home region
}

// peopleTx reads residents by id.
func peopleTx(tx *gorm.DB, where string, args ...any) (map[string]person, error) {
	var rows []person
	err := tx.Raw(`SELECT p.id, p.volunteer_number, p.status, COALESCE(r.path, '') AS region_path
		FROM resident p LEFT JOIN region r ON r.id = p.home_region_id WHERE p.`+where, args...).Scan(&rows).Error
	out := make(map[string]person, len(rows))
	for _, r := range rows {
		out[r.ID] = r
	}
	return out, err
}

func staffNameTx(tx *gorm.DB, id string) (string, error) {
	var names []string
	if err := tx.Raw("SELECT name FROM staff WHERE id = ?", id).Scan(&names).Error; err != nil {
		return "", err
	}
	if len(names) == 0 {
		return "", authz.ErrForbidden
	}
	return names[0], nil
}

// spansTx returns the times of the records of residents on a day that count.
func spansTx(tx *gorm.DB, residentIDs []string, day clock.Day) (map[string][]span, error) {
	return spansWhereTx(tx, residentIDs, day, "1 = 1")
}

func spansWhereTx(tx *gorm.DB, residentIDs []string, day clock.Day, where string, args ...any) (map[string][]span, error) {
	var rows []struct {
		ResidentID         string
		StartedAt, EndedAt clock.Instant
	}
	err := tx.Table("service_record").Select("resident_id, started_at, ended_at").
		Where("resident_id IN ? AND day = ? AND state IN ?", residentIDs, day, countedStates).Where(where, args...).Scan(&rows).Error
	out := map[string][]span{}
	for _, r := range rows {
		out[r.ResidentID] = append(out[r.ResidentID], span{r.StartedAt, r.EndedAt})
	}
	return out, err
}

// countedStates are those of the records that fill a person's day.
var countedStates = []model.RecordState{model.RecordEffective, model.RecordPending}

func dayMinutesTx(tx *gorm.DB, residentIDs []string, day clock.Day) (map[string]int64, error) {
	var rows []model.ServiceDay
	err := tx.Where("resident_id IN ? AND day = ?", residentIDs, day).Find(&rows).Error
	out := map[string]int64{}
	for _, r := range rows {
		out[r.ResidentID] = r.Minutes
	}
	return out, err
}

// decide answers every item in memory. One resident has one active sign-up in
// a shift, but a cancelled one has no attendance, so no two items touch the
// same day of the same person.
func (c *confirming) decide() error {
	c.outcomes = make([]ConfirmOutcome, len(c.in.Items))
	var before []string // attendances answered earlier
	for i, x := range c.in.Items {
		o := &c.outcomes[i]
		o.SignupID = x.SignupID
		a := c.found[x.SignupID].attendance
		if a != nil {
			o.AttendanceID, o.Status = a.ID, a.Status
			if a.Status == model.AttendanceConfirmed || a.Status == model.AttendanceRejected {
				recall(o, a)
				before = append(before, a.ID)
				continue
			}
		}
		if refusal := c.decideOne(x, a, o); refusal != nil {
			o.Refusal = &Refusal{Code: refusal.Code, Message: refusal.Message}
		}
	}
	return c.recallRecords(before)
}

// recall repeats the first outcome of an attendance.
func recall(o *ConfirmOutcome, a *model.Attendance) {
	if a.Credit == nil {
		return
	}
	o.Credit, o.ServedMinutes, o.Minutes = *a.Credit, *a.ServedMinutes, *a.Minutes
}

// recallRecords adds the records of earlier outcomes and asks the policies
// again, who repeat their first answer too.
func (c *confirming) recallRecords(attendanceIDs []string) error {
	if len(attendanceIDs) == 0 {
		return nil
	}
	var rows []model.ServiceRecord
	if err := c.tx.Where("attendance_id IN ?", attendanceIDs).Order("id").Find(&rows).Error; err != nil {
		return err
	}
	for _, r := range rows {
		for i := range c.outcomes {
			if o := &c.outcomes[i]; o.AttendanceID == *r.AttendanceID {
				o.RecordID, o.RecordState = r.ID, r.State
			}
		}
		if r.State == model.RecordEffective && r.EarnsPoints == 1 {
			c.events = append(c.events, eventOf(r, c.shift.ShiftID, c.actor.ID))
		}
	}
	return nil
}

// NeedsSecondPerson reports whether somebody may not confirm an attendance, but
// somebody else may: nothing proves it but that person's own marks.
func NeedsSecondPerson(a model.Attendance, staffID string) bool {
	return a.ByHandOnly() && (a.CheckInBy == staffID || a.CheckOutBy != nil && *a.CheckOutBy == staffID)
}

func (c *confirming) decideOne(x ConfirmItem, a *model.Attendance, o *ConfirmOutcome) *fault.Error {
	switch {
	case a == nil:
		return ErrNotCheckedIn
	case x.RejectReason != "":
		return c.reject(x, a, o)
	case a.Status == model.AttendanceCheckedIn:
		return ErrNotCheckedOut
	case NeedsSecondPerson(*a, c.actor.ID):
		return ErrSecondPerson
	}
	if mayMove(attendanceMoves, a.Status, model.AttendanceConfirmed) != nil {
		return ErrBadMove
	}
	o.ServedMinutes = c.shift.shift().ServedMinutes(a.CheckInAt, *a.CheckOutAt)
	minutes := o.ServedMinutes
	if x.Minutes != nil {
		if *x.Minutes > minutes {
			return ErrMinutesTooMany
		}
		minutes = *x.Minutes
	}
	credit := model.CreditFull
	if minutes == 0 || minutes*100 < c.shift.shift().PlannedMinutes()*creditPercent {
		credit, minutes = model.CreditTooShort, 0
	}
	if credit == model.CreditFull {
		if refusal := c.addRecord(x, a, o, minutes); refusal != nil {
			return refusal
		}
	}
	o.Status, o.Credit, o.Minutes = model.AttendanceConfirmed, credit, minutes
	row := *a
	row.ServedMinutes, row.Minutes, row.Credit, row.QualityRating = new(o.ServedMinutes), new(minutes), new(credit), x.QualityRating
	c.confirmed = append(c.confirmed, row)
	c.attended = append(c.attended, x.SignupID)
	c.moves = append(c.moves,
		move{model.VolunteerAttendance, a.ID, string(a.Status), string(model.AttendanceConfirmed), x.MinutesReason},
		move{model.VolunteerSignup, x.SignupID, string(model.SignupSignedUp), string(model.SignupAttended), ""})
	return nil
}

func (c *confirming) reject(x ConfirmItem, a *model.Attendance, o *ConfirmOutcome) *fault.Error {
	if mayMove(attendanceMoves, a.Status, model.AttendanceRejected) != nil {
		return ErrBadMove
	}
	o.Status = model.AttendanceRejected
	c.rejected = append(c.rejected, a.ID)
	c.absent = append(c.absent, x.SignupID)
	c.moves = append(c.moves,
		move{model.VolunteerAttendance, a.ID, string(a.Status), string(model.AttendanceRejected), x.RejectReason},
		move{model.VolunteerSignup, x.SignupID, string(model.SignupSignedUp), string(model.SignupAbsent), x.RejectReason})
	return nil
}

// addRecord drafts the service record of a credited attendance, within the
// limits of the day.
func (c *confirming) addRecord(x ConfirmItem, a *model.Attendance, o *ConfirmOutcome, minutes int64) *fault.Error {
	resident := c.found[x.SignupID].signup.ResidentID
	when := span{max(a.CheckInAt, c.shift.StartsAt), min(*a.CheckOutAt, c.shift.EndsAt)}
	if slices.ContainsFunc(c.taken[resident], when.overlaps) {
		return ErrRecordOverlap
	}
	state, approval := model.RecordEffective, model.ApprovalNone
	switch total := c.dayUsed[resident] + minutes; {
	case total > model.MaxDayMinutes:
		return ErrDayLimit
	case total > model.FreeDayMinutes:
		state, approval = model.RecordPending, model.ApprovalLongDay
	}
	r := model.ServiceRecord{
		ID: c.clock.NewID(), Kind: model.RecordAttendance, State: state, Approval: approval,
		ResidentID: resident, VolunteerNumber: c.people[resident].VolunteerNumber,
		RegionID: c.shift.RegionID, ActivityID: &c.shift.ActivityID, AttendanceID: &a.ID,
		ActivityTitle: c.shift.Title, Day: c.shift.StartsAt.Day(), StartedAt: when.from, EndedAt: when.to, Minutes: minutes,
		PlaceName: c.shift.PlaceName, Beneficiary: c.shift.Beneficiary, Content: c.shift.Content, QualityRating: x.QualityRating,
		PersonInCharge: c.shift.ContactName, RecorderID: c.actor.ID, RecorderName: c.staff, Reason: x.MinutesReason, CreatedAt: c.now,
	}
	if !a.ByHandOnly() {
		r.EarnsPoints = 1
	}
	c.records = append(c.records, r)
	c.moves = append(c.moves, move{object: model.VolunteerRecord, id: r.ID, to: string(state)})
	o.RecordID, o.RecordState = r.ID, state
	if state == model.RecordEffective && r.EarnsPoints == 1 {
		c.events = append(c.events, eventOf(r, c.shift.ShiftID, c.actor.ID))
	}
	return nil
}

// eventOf is the event that the policies award: one for each attendance. The
// evidence holds no position.
func eventOf(r model.ServiceRecord, shiftID, actorID string) policy.Event {
	evidence, err := json.Marshal(struct {
		RecordID string `json:"service_record_id"`
		ShiftID  string `json:"shift_id"`
		From     string `json:"started_at"`
		To       string `json:"ended_at"`
		Minutes  int64  `json:"minutes"`
	}{r.ID, shiftID, r.StartedAt.Time().Format(timeLayout), r.EndedAt.Time().Format(timeLayout), r.Minutes})
	if err != nil {
		panic(err) // plain strings and numbers
	}
	return policy.Event{
		Kind: model.EventVolunteerService, ID: *r.AttendanceID, ResidentID: r.ResidentID, ObjectID: shiftID,
		Minutes: r.Minutes, Evidence: string(evidence), ActorID: actorID, OccurredAt: r.StartedAt,
	}
}

const timeLayout = "2006-01-02T15:04:05Z07:00"

// write runs one statement per table, however many items there are.
func (c *confirming) write() error {
	for _, step := range []func() error{c.writeConfirmed, c.writeRejected, c.writeSignups} {
		if err := step(); err != nil {
			return err
		}
	}
	if err := insertRecordsTx(c.tx, c.records); err != nil {
		return err
	}
	return c.recordMovesTx(c.tx, c.actor, c.moves)
}

func (c *confirming) writeConfirmed() error {
	if len(c.confirmed) == 0 {
		return nil
	}
	ids := make([]string, len(c.confirmed))
	for i, a := range c.confirmed {
		ids[i] = a.ID
	}
	sql := "UPDATE attendance SET status = ?, confirmed_by = ?, confirmed_at = ?, updated_at = ?"
	args := []any{model.AttendanceConfirmed, c.actor.ID, c.now, c.now}
	var sqlSb504 strings.Builder
	for _, column := range []struct {
		name string
		of   func(model.Attendance) any
	}{
		{"served_minutes", func(a model.Attendance) any { return *a.ServedMinutes }},
		{"minutes", func(a model.Attendance) any { return *a.Minutes }},
		{"credit", func(a model.Attendance) any { return *a.Credit }},
		{"quality_rating", func(a model.Attendance) any { return a.QualityRating }},
	} {
		value, more := caseOf("id", c.confirmed, func(a model.Attendance) (string, any) { return a.ID, column.of(a) })
		sqlSb504.WriteString(", " + column.name + " = " + value)
		args = append(args, more...)
	}
	sql += sqlSb504.String()
	args = append(args, ids, model.AttendanceCheckedOut)
	return database.RequireRows(c.tx.Exec(sql+" WHERE id IN ? AND status = ?", args...), int64(len(ids)))
}

func (c *confirming) writeRejected() error {
	if len(c.rejected) == 0 {
		return nil
	}
	return database.RequireRows(c.tx.Exec(`UPDATE attendance SET status = ?, confirmed_by = ?, confirmed_at = ?, updated_at = ?
		WHERE id IN ? AND status IN ?`, model.AttendanceRejected, c.actor.ID, c.now, c.now, c.rejected,
		[]model.AttendanceStatus{model.AttendanceCheckedIn, model.AttendanceCheckedOut}), int64(len(c.rejected)))
}

func (c *confirming) writeSignups() error {
	for _, group := range []struct {
		to  model.SignupStatus
		ids []string
	}{{model.SignupAttended, c.attended}, {model.SignupAbsent, c.absent}} {
		if len(group.ids) == 0 {
			continue
		}
		err := database.RequireRows(c.tx.Exec("UPDATE signup SET status = ?, updated_at = ? WHERE id IN ? AND status = ?",
			group.to, c.now, group.ids, model.SignupSignedUp), int64(len(group.ids)))
		if err != nil {
			return err
		}
	}
	return nil
}
