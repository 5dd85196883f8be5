package volunteer

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/geo"
	"jiamenkou/model"
)

// MarkInput is one check-in or check-out: the code from the organizer's
// screen and where the phone says it is.
type MarkInput struct {
	ShiftID        string
	Code           string  // six digits, or the text of the QR code
	Lon, Lat       float64 // degrees, GCJ-02 as the activity's place
	AccuracyMeters float64 // radius of the phone's own doubt, 0 if it does not say
}

func (in MarkInput) validate() error {
	var f fault.Fields
	f.Add(in.Code != "" && len(in.Code) <= 128, "code", "请扫描或输入签到码")
	f.Add(model.ValidPosition(in.Lon, in.Lat), "lon", "没有取得位置，请允许定位后再试")
	f.Add(in.AccuracyMeters >= 0 && in.AccuracyMeters <= 1e6, "accuracy_meters", "定位精度无效，请重新定位")
	return f.Err(codeInvalid)
}

// CheckIn records that the resident has come. A second check-in returns the
// first.
//
// Errors: ErrSignupMissing, ErrTooEarly, ErrTooLate, ErrCodeWrong,
// ErrCodeExpired, ErrInaccurate, ErrOutside, ErrTooManyAttempts,
// ErrStillElsewhere, ErrBadMove.
func (s *Service) CheckIn(ctx context.Context, actor authz.Actor, in MarkInput) (model.Attendance, error) {
	return s.mark(ctx, actor, in, s.checkInTx)
}

// CheckOut records that the resident leaves; errors as CheckIn, and
// ErrNotCheckedIn. A second check-out returns the first.
func (s *Service) CheckOut(ctx context.Context, actor authz.Actor, in MarkInput) (model.Attendance, error) {
	return s.mark(ctx, actor, in, s.checkOutTx)
}

// visit is what one check-in or check-out works on.
type visit struct {
	actor      authz.Actor
	in         MarkInput
	shift      shiftRow
	signup     model.Signup
	attendance *model.Attendance // nil before the check-in
	now        clock.Instant
}

// mark runs step under the person's lock. A refusal that counts as a failed
// attempt is committed with its count, and returned after.
func (s *Service) mark(ctx context.Context, actor authz.Actor, in MarkInput, step func(*gorm.DB, *visit) error) (model.Attendance, error) {
	if err := actor.Resident(); err != nil {
		return model.Attendance{}, err
	}
	if err := in.validate(); err != nil {
		return model.Attendance{}, err
	}
	var (
		out     model.Attendance
		refused error
	)
	err := database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		refused = nil
		v, err := s.loadVisitTx(tx, actor, in)
		if err != nil {
			return err
		}
		err = step(tx, v)
		if countsAsFailed(err) {
			refused = err
			return s.countFailureTx(tx, v)
		}
		if err != nil {
			return err
		}
		out = *v.attendance
		return nil
	})
	if err == nil {
		err = refused
	}
	if err != nil {
		return model.Attendance{}, err
	}
	return out, nil
}

func (s *Service) loadVisitTx(tx *gorm.DB, actor authz.Actor, in MarkInput) (*visit, error) {
	if err := lockPeopleTx(tx, actor.ID); err != nil {
		return nil, err
	}
	v := &visit{actor: actor, in: in, now: s.now()}
	// The sign-up's own lock holds off a cancellation by the organizer.
	var signups []model.Signup
	err := tx.Raw(`SELECT * FROM signup WHERE shift_id = ? AND resident_id = ? AND active_slot = 1`+database.ForUpdate(tx),
		in.ShiftID, actor.ID).Scan(&signups).Error
	if err != nil {
		return nil, err
	}
	if len(signups) == 0 {
		return nil, ErrSignupMissing
	}
	v.signup = signups[0]
	if v.shift, err = loadShift(tx, in.ShiftID); err != nil {
		return nil, err
	}
	var attendances []model.Attendance
	if err := tx.Where("signup_id = ?", v.signup.ID).Find(&attendances).Error; err != nil {
		return nil, err
	}
	if len(attendances) > 0 {
		v.attendance = &attendances[0]
	}
	return v, nil
}

func (s *Service) checkInTx(tx *gorm.DB, v *visit) error {
	if v.attendance != nil {
		return nil
	}
	switch {
	case v.shift.ActivityStatus != model.ActivityPublished || v.shift.ShiftStatus != model.ShiftOpen || v.signup.Status != model.SignupSignedUp:
		return ErrBadMove
	case v.now < v.shift.StartsAt.Add(-s.cfg.CheckInEarly):
		return ErrTooEarly
	case v.now > v.shift.EndsAt:
		return ErrTooLate
	}
	verdict, meters, err := s.prove(v)
	if err != nil {
		return err
	}
	if err := s.nowhereElseTx(tx, v); err != nil {
		return err
	}
	v.attendance = &model.Attendance{
		ID: s.clock.NewID(), SignupID: v.signup.ID, Status: model.AttendanceCheckedIn,
		CheckInAt: v.now, CheckInVerdict: verdict, CheckInDistanceMeters: &meters, CheckInBy: v.actor.ID,
		CheckInLon: &v.in.Lon, CheckInLat: &v.in.Lat, CoordinatesUntil: v.now.Add(s.cfg.KeepCoordinates).Ptr(),
		CreatedAt: v.now, UpdatedAt: v.now,
	}
	if err := tx.Create(v.attendance).Error; err != nil {
		return err
	}
	return s.recordMovesTx(tx, v.actor, []move{{object: model.VolunteerAttendance, id: v.attendance.ID, to: string(v.attendance.Status)}})
}

// nowhereElseTx refuses a check-in while another shift's check-out is still to
// come: nobody is in two places.
func (s *Service) nowhereElseTx(tx *gorm.DB, v *visit) error {
	var open int64
	err := tx.Raw(`SELECT COUNT(*) FROM signup g JOIN attendance a ON a.signup_id = g.id JOIN activity_shift s ON s.id = g.shift_id
		WHERE g.resident_id = ? AND g.active_slot = 1 AND a.status = ? AND s.ends_at >= ?`,
		v.actor.ID, model.AttendanceCheckedIn, v.now.Add(-s.cfg.CheckOutLate)).Scan(&open).Error
	if err == nil && open > 0 {
		err = ErrStillElsewhere
	}
	return err
}

func (s *Service) checkOutTx(tx *gorm.DB, v *visit) error {
	if v.attendance == nil {
		return ErrNotCheckedIn
	}
	if v.attendance.CheckOutAt != nil {
		return nil
	}
	if err := mayMove(attendanceMoves, v.attendance.Status, model.AttendanceCheckedOut); err != nil {
		return err
	}
	if v.now > v.shift.EndsAt.Add(s.cfg.CheckOutLate) {
		return ErrTooLate
	}
	verdict, meters, err := s.prove(v)
	if err != nil {
		return err
	}
	a := v.attendance
	from := a.Status
	a.Status, a.CheckOutAt, a.CheckOutVerdict, a.CheckOutDistanceMeters = model.AttendanceCheckedOut, &v.now, &verdict, &meters
	a.CheckOutBy, a.CheckOutLon, a.CheckOutLat, a.UpdatedAt = &v.actor.ID, &v.in.Lon, &v.in.Lat, v.now
	if a.CoordinatesUntil == nil { // checked in by hand
		a.CoordinatesUntil = v.now.Add(s.cfg.KeepCoordinates).Ptr()
	}
	err = database.RequireRows(tx.Exec(`UPDATE attendance SET status = ?, check_out_at = ?, check_out_verdict = ?, check_out_distance_meters = ?,
		check_out_by = ?, check_out_lon = ?, check_out_lat = ?, coordinates_until = ?, updated_at = ? WHERE id = ? AND status = ?`,
		a.Status, a.CheckOutAt, a.CheckOutVerdict, a.CheckOutDistanceMeters, a.CheckOutBy, a.CheckOutLon, a.CheckOutLat,
		a.CoordinatesUntil, a.UpdatedAt, a.ID, from), 1)
	if err != nil {
		return err
	}
	return s.recordMovesTx(tx, v.actor, []move{{object: model.VolunteerAttendance, id: a.ID, from: string(from), to: string(a.Status)}})
}

// prove checks the code and then the place.
func (s *Service) prove(v *visit) (model.MarkVerdict, int64, error) {
	if left := s.lockedFor(v); left > 0 {
		e := *ErrTooManyAttempts
		e.RetryAfter = left
		return "", 0, &e
	}
	if err := s.checkCode(v.shift, v.in.Code, v.now); err != nil {
		return "", 0, err
	}
	if v.in.AccuracyMeters > maxAccuracyMeters {
		return "", 0, ErrInaccurate
	}
	meters := geo.Meters(geo.Point{Lon: v.in.Lon, Lat: v.in.Lat}, geo.Point{Lon: v.shift.Lon, Lat: v.shift.Lat})
	radius := float64(v.shift.RadiusMeters)
	switch {
	case meters <= radius:
		return model.MarkInside, int64(math.Round(meters)), nil
	case meters <= radius+min(v.in.AccuracyMeters, maxToleranceMeters):
		return model.MarkTolerated, int64(math.Round(meters)), nil
	}
	return "", 0, outside(meters)
}

// outside tells how far it is, in steps coarse enough to stay readable.
func outside(meters float64) error {
	if meters >= 1000 {
		return ErrOutside.WithMessage("您离活动地点还有约 %.1f 公里，请到现场后再试", meters/1000)
	}
	return ErrOutside.WithMessage("您离活动地点还有约 %d 米，请到现场后再试", int64(math.Ceil(meters/10))*10)
}

// lockedFor returns how long the person has to wait after too many failures, 0
// if not at all.
func (s *Service) lockedFor(v *visit) time.Duration {
	if v.signup.FailedMarksSince == nil || v.signup.FailedMarks < s.cfg.MaxFailedCheckIns {
		return 0
	}
	until := v.signup.FailedMarksSince.Add(failedMarksWindow)
	return time.Duration(until-v.now) * time.Microsecond
}

func countsAsFailed(err error) bool {
	return errors.Is(err, ErrCodeWrong) || errors.Is(err, ErrCodeExpired) || errors.Is(err, ErrOutside)
}

// countFailureTx counts one more failed attempt; a window that has passed
// begins anew.
func (s *Service) countFailureTx(tx *gorm.DB, v *visit) error {
	count, since := v.signup.FailedMarks+1, v.signup.FailedMarksSince
	if since == nil || v.now >= since.Add(failedMarksWindow) {
		count, since = 1, &v.now
	}
	return database.RequireRows(tx.Exec("UPDATE signup SET failed_marks = ?, failed_marks_since = ? WHERE id = ?", count, since, v.signup.ID), 1)
}

// HandMark is an attendance that the organizer saw with their own eyes: for
// those whose phone did not work. A nil time is left as it is.
type HandMark struct {
	SignupID   string
	CheckInAt  *clock.Instant
	CheckOutAt *clock.Instant
	Reason     string // 2..200 characters
}

// MarkAttendance records marks by hand, all or none. Marks made by code are
// never overwritten (ErrAlreadyMarked). An attendance without any mark by code
// counts as added by hand: another person must confirm it and it earns no
// points. A replay with the same key changes nothing.
//
// Errors: ErrShiftMissing, ErrSignupMissing, ErrHandMarksClosed,
// ErrAlreadyMarked, ErrNotCheckedIn, ErrBadMove.
func (s *Service) MarkAttendance(ctx context.Context, actor authz.Actor, shiftID, key string, marks []HandMark) error {
	if err := requireStaff(actor); err != nil {
		return err
	}
	var f fault.Fields
	checkCount(&f, "marks", len(marks))
	seen := map[string]bool{}
	for i, m := range marks {
		path := fmt.Sprintf("marks[%d]", i)
		checkReason(&f, path+".reason", m.Reason)
		f.Add(m.CheckInAt != nil || m.CheckOutAt != nil, path+".check_in_at", "请填写签到或签退时间")
		f.Add(!seen[m.SignupID], path+".signup_id", "同一人重复")
		seen[m.SignupID] = true
	}
	if err := f.Err(codeInvalid); err != nil {
		return err
	}
	_, err := once(ctx, s, actor, key, "marks", []any{shiftID, marks}, func(tx *gorm.DB) (string, error) {
		return shiftID, s.markTx(tx, actor, shiftID, marks)
	})
	return err
}

func (s *Service) markTx(tx *gorm.DB, actor authz.Actor, shiftID string, marks []HandMark) error {
	shift, err := s.shiftFor(tx, actor, shiftID, organizers)
	if err != nil {
		return err
	}
	now := s.now()
	switch {
	case shift.ActivityStatus != model.ActivityPublished || shift.ShiftStatus != model.ShiftOpen:
		return ErrBadMove
	case now > shift.EndsAt.Add(handMarksWithin):
		return ErrHandMarksClosed
	}
	ids := make([]string, len(marks))
	for i, m := range marks {
		ids[i] = m.SignupID
	}
	found, err := s.lockAttendeesTx(tx, shiftID, ids)
	if err != nil {
		return err
	}
	return s.writeMarksTx(tx, actor, shift, marks, found)
}

// attendee is a sign-up with its attendance, nil if there is none.
type attendee struct {
	signup     model.Signup
	attendance *model.Attendance
}

// lockAttendeesTx locks the people behind sign-ups of a shift and reads what
// there is of them; ErrSignupMissing if one is not of this shift.
func (s *Service) lockAttendeesTx(tx *gorm.DB, shiftID string, signupIDs []string) (map[string]*attendee, error) {
	var people []string
	err := tx.Raw("SELECT resident_id FROM signup WHERE id IN ? AND shift_id = ?", signupIDs, shiftID).Scan(&people).Error
	if err != nil {
		return nil, err
	}
	if len(people) != len(signupIDs) {
		return nil, ErrSignupMissing
	}
	if err := lockPeopleTx(tx, people...); err != nil {
		return nil, err
	}
	var signups []model.Signup
	err = tx.Raw("SELECT * FROM signup WHERE id IN ? ORDER BY id"+database.ForUpdate(tx), signupIDs).Scan(&signups).Error
	if err != nil {
		return nil, err
	}
	var attendances []model.Attendance
	if err := tx.Where("signup_id IN ?", signupIDs).Find(&attendances).Error; err != nil {
		return nil, err
	}
	out := make(map[string]*attendee, len(signups))
	for _, g := range signups {
		out[g.ID] = &attendee{signup: g}
	}
	for i := range attendances {
		out[attendances[i].SignupID].attendance = &attendances[i]
	}
	return out, nil
}

// writeMarksTx applies the marks in memory and writes new rows in one insert
// and check-outs in one update.
func (s *Service) writeMarksTx(tx *gorm.DB, actor authz.Actor, shift shiftRow, marks []HandMark, found map[string]*attendee) error {
	var (
		fresh   []model.Attendance
		updated []model.Attendance
		moves   []move
	)
	for _, m := range marks {
		at := found[m.SignupID]
		row, isNew, err := s.applyMark(actor, shift, m, at)
		if err != nil {
			return err
		}
		from := ""
		if isNew {
			fresh = append(fresh, row)
		} else {
			from = string(at.attendance.Status)
			updated = append(updated, row)
		}
		moves = append(moves, move{model.VolunteerAttendance, row.ID, from, string(row.Status), m.Reason})
	}
	if len(fresh) > 0 {
		if err := tx.CreateInBatches(&fresh, insertRows).Error; err != nil {
			return err
		}
	}
	if len(updated) > 0 {
		ids := make([]string, len(updated))
		for i, a := range updated {
			ids[i] = a.ID
		}
		value, args := caseOf("id", updated, func(a model.Attendance) (string, any) { return a.ID, a.CheckOutAt })
		args = append([]any{model.AttendanceCheckedOut, model.MarkByHand, actor.ID, s.now()}, args...)
		args = append(args, ids, model.AttendanceCheckedIn)
		err := database.RequireRows(tx.Exec(`UPDATE attendance SET status = ?, check_out_verdict = ?, check_out_by = ?, updated_at = ?, check_out_at = `+
			value+` WHERE id IN ? AND status = ?`, args...), int64(len(ids)))
		if err != nil {
			return err
		}
	}
	return s.recordMovesTx(tx, actor, moves)
}

// applyMark returns the attendance as the mark leaves it, and whether it is new.
func (s *Service) applyMark(actor authz.Actor, shift shiftRow, m HandMark, at *attendee) (row model.Attendance, isNew bool, err error) {
	now := s.now()
	from, to := shift.StartsAt.Add(-s.cfg.CheckInEarly), min(now, shift.EndsAt.Add(s.cfg.CheckOutLate))
	for _, t := range []*clock.Instant{m.CheckInAt, m.CheckOutAt} {
		if t != nil && (*t < from || *t > to) {
			var f fault.Fields
			f.Add(false, "marks.check_in_at", "时间应在班次前后，且不晚于现在")
			return row, false, f.Err(codeInvalid)
		}
	}
	if at.attendance == nil {
		if at.signup.Status != model.SignupSignedUp {
			return row, false, ErrBadMove
		}
		if m.CheckInAt == nil {
			return row, false, ErrNotCheckedIn
		}
		row = model.Attendance{
			ID: s.clock.NewID(), SignupID: m.SignupID, Status: model.AttendanceCheckedIn, CheckInAt: *m.CheckInAt,
			CheckInVerdict: model.MarkByHand, CheckInBy: actor.ID, CreatedAt: now, UpdatedAt: now,
		}
	} else {
		row = *at.attendance
		if m.CheckInAt != nil || (m.CheckOutAt != nil && row.CheckOutAt != nil) {
			return row, false, ErrAlreadyMarked
		}
		if err := mayMove(attendanceMoves, row.Status, model.AttendanceCheckedOut); err != nil {
			return row, false, err
		}
	}
	if m.CheckOutAt != nil {
		if *m.CheckOutAt <= row.CheckInAt {
			var f fault.Fields
			f.Add(false, "marks.check_out_at", "签退时间应晚于签到时间")
			return row, false, f.Err(codeInvalid)
		}
		row.Status, row.CheckOutAt, row.CheckOutVerdict, row.CheckOutBy = model.AttendanceCheckedOut, m.CheckOutAt, new(model.MarkByHand), &actor.ID
	}
	return row, at.attendance == nil, nil
}

// sortedIDs returns the ids of a set in order.
func sortedIDs[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for id := range m {
		out = append(out, id)
	}
	slices.Sort(out)
	return out
}
