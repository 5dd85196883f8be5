package volunteer

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/queue"
	"jiamenkou/model"
	"jiamenkou/service/region"
)

// ActivityInput is what an organizer types in.
type ActivityInput struct {
	IdempotencyKey string
	RegionID       string // where it belongs; fixed once created
	Title          string // 2..60 characters
	Content        string // 2..4000 characters
	Category       string // one of model.ActivityCategories
	Beneficiary    string // 1..60 characters
	PlaceName      string // 1..100 characters
	Lon, Lat       float64
	RadiusMeters   int64  // 20..Config.MaxRadiusMeters
	ContactName    string // the person in charge
	ContactPhone   string
}

func (in ActivityInput) apply(a *model.Activity) {
	a.Title, a.Content, a.Category, a.Beneficiary = in.Title, in.Content, in.Category, in.Beneficiary
	a.PlaceName, a.Lon, a.Lat, a.RadiusMeters = in.PlaceName, in.Lon, in.Lat, in.RadiusMeters
	a.ContactName, a.ContactPhone = in.ContactName, in.ContactPhone
}

// ShiftInput is one shift. It lies within one Shanghai day.
type ShiftInput struct {
	StartsAt     clock.Instant
	EndsAt       clock.Instant // at most 12 hours later
	BreakMinutes int64         // travel, meals and rest, shorter than the shift
	Capacity     int64         // 1..model.MaxShiftCapacity
}

func (in ShiftInput) validate(f *fault.Fields, path string, now clock.Instant) {
	f.Add(in.StartsAt < in.EndsAt, path+".ends_at", "结束时间应晚于开始时间")
	if in.StartsAt < in.EndsAt {
		f.Add(in.StartsAt.Day() == (in.EndsAt-1).Day(), path+".ends_at", "班次不能跨天，请拆成两个班次")
		f.Add(in.BreakMinutes >= 0 && in.BreakMinutes <= model.MaxDayMinutes && in.BreakMinutes*60_000_000 < int64(in.EndsAt-in.StartsAt),
			path+".break_minutes", "休息时间应少于班次时长")
		shift := model.ActivityShift{StartsAt: in.StartsAt, EndsAt: in.EndsAt, BreakMinutes: in.BreakMinutes}
		f.Add(shift.PlannedMinutes() <= model.MaxDayMinutes, path+".ends_at", "除去休息，一个班次最多 12 小时")
	}
	f.Add(in.EndsAt > now && in.StartsAt < now.Add(maxShiftAhead), path+".starts_at", "班次应在今后一年以内")
	f.Add(in.Capacity >= 1 && in.Capacity <= model.MaxShiftCapacity, path+".capacity", "名额应为 1 到 1000")
}

// CreateActivity makes a draft, with its first shifts if there are any. The
// actor must be an organizer or operator over the region. A replay with the
// same key returns the first id.
func (s *Service) CreateActivity(ctx context.Context, actor authz.Actor, in ActivityInput, shifts []ShiftInput) (string, error) {
	if err := requireStaff(actor); err != nil {
		return "", err
	}
	now := s.now()
	row := model.Activity{
		ID: s.clock.NewID(), RegionID: in.RegionID, OrganizerStaffID: actor.ID, Status: model.ActivityDraft,
		Version: 1, CreatedAt: now, UpdatedAt: now,
	}
	in.apply(&row)
	if err := row.Validate(s.cfg.MaxRadiusMeters); err != nil {
		return "", err
	}
	if err := checkShifts(shifts, now, 0); err != nil {
		return "", err
	}
	path, err := s.regionPath(ctx, in.RegionID)
	if err != nil {
		return "", err
	}
	if err := actor.InRegion(path, organizers...); err != nil {
		return "", err
	}
	key := in.IdempotencyKey
	in.IdempotencyKey = ""
	return once(ctx, s, actor, key, "activity.create", []any{in, shifts}, func(tx *gorm.DB) (string, error) {
		if err := tx.Create(&row).Error; err != nil {
			return "", err
		}
		if err := region.RequireOpenTx(tx, row.RegionID); err != nil {
			return "", err
		}
		if err := s.insertShiftsTx(tx, row.ID, shifts, false); err != nil {
			return "", err
		}
		if err := s.recordMovesTx(tx, actor, []move{{object: model.VolunteerActivity, id: row.ID, to: string(row.Status)}}); err != nil {
			return "", err
		}
		return row.ID, s.trail.RecordTx(tx, activityEntry(actor, row, "activity.create", "", addedShifts(shifts)))
	})
}

// regionPath returns a region's path, authz.ErrForbidden if there is none:
// whether it exists is not every caller's to know.
func (s *Service) regionPath(ctx context.Context, id string) (string, error) {
	var paths []string
	if err := s.db.Read(ctx).Raw("SELECT path FROM region WHERE id = ?", id).Scan(&paths).Error; err != nil {
		return "", fmt.Errorf("volunteer: region: %w", err)
	}
	if len(paths) == 0 {
		return "", authz.ErrForbidden
	}
	return paths[0], nil
}

func checkShifts(shifts []ShiftInput, now clock.Instant, least int) error {
	var f fault.Fields
	f.Add(len(shifts) >= least && len(shifts) <= maxShifts, "shifts", "一个活动应有 1 到 200 个班次")
	for i, in := range shifts {
		in.validate(&f, fmt.Sprintf("shifts[%d]", i), now)
	}
	return f.Err(codeInvalid)
}

func (s *Service) insertShiftsTx(tx *gorm.DB, activityID string, in []ShiftInput, open bool) error {
	if len(in) == 0 {
		return nil
	}
	now := s.now()
	shifts := make([]model.ActivityShift, len(in))
	counts := make([]model.ShiftCount, len(in))
	for i, x := range in {
		secret := make([]byte, 32)
		if _, err := rand.Read(secret); err != nil {
			return fmt.Errorf("volunteer: code secret: %w", err)
		}
		shifts[i] = model.ActivityShift{
			ID: s.clock.NewID(), ActivityID: activityID, StartsAt: x.StartsAt, EndsAt: x.EndsAt, BreakMinutes: x.BreakMinutes,
			CodeSecret: hex.EncodeToString(secret), Status: model.ShiftOpen, CreatedAt: now, UpdatedAt: now,
		}
		counts[i] = model.ShiftCount{ShiftID: shifts[i].ID, Capacity: x.Capacity, Edition: 1, Version: 1}
		if open {
			counts[i].IsOpen = 1
		}
	}
	if err := tx.Create(&shifts).Error; err != nil {
		return err
	}
	return tx.Create(&counts).Error
}

// UpdateActivity changes a draft or a published activity; version is the one
// that the organizer saw. The region stays.
func (s *Service) UpdateActivity(ctx context.Context, actor authz.Actor, activityID string, version int64, in ActivityInput) error {
	return database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		row, err := s.lockActivityTx(tx, actor, activityID)
		if err != nil {
			return err
		}
		if row.Status != model.ActivityDraft && row.Status != model.ActivityPublished {
			return ErrBadMove
		}
		if row.Version != version {
			return ErrChanged
		}
		before := row
		in.apply(&row)
		if err := row.Validate(s.cfg.MaxRadiusMeters); err != nil {
			return err
		}
		row.Version++
		row.UpdatedAt = s.now()
		err = database.RequireRows(tx.Model(&model.Activity{}).Where("id = ? AND version = ?", row.ID, version).
			Select("*").Omit("id").Updates(&row), 1)
		if err != nil {
			return err
		}
		return s.trail.RecordTx(tx, activityEntry(actor, row, "activity.update", "", activityChanges(before, row)))
	})
}

// lockActivityTx locks an activity that the actor may change: ErrActivityMissing
// for any other.
func (s *Service) lockActivityTx(tx *gorm.DB, actor authz.Actor, id string) (model.Activity, error) {
	var row model.Activity
	err := tx.Raw("SELECT * FROM activity WHERE id = ?"+database.ForUpdate(tx), id).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return row, ErrActivityMissing
	}
	if err != nil {
		return row, err
	}
	var path string
	if err := tx.Raw("SELECT path FROM region WHERE id = ?", row.RegionID).Scan(&path).Error; err != nil {
		return row, err
	}
	if actor.InRegion(path, organizers...) != nil {
		return row, ErrActivityMissing
	}
	return row, nil
}

// PublishActivity shows a draft to residents and opens its shifts. It needs a
// shift that is not over. Publishing again changes nothing.
func (s *Service) PublishActivity(ctx context.Context, actor authz.Actor, activityID string) error {
	return database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		row, err := s.lockActivityTx(tx, actor, activityID)
		if err != nil || row.Status == model.ActivityPublished {
			return err
		}
		if err := mayMove(activityMoves, row.Status, model.ActivityPublished); err != nil {
			return err
		}
		now := s.now()
		var ahead int64
		err = tx.Raw("SELECT COUNT(*) FROM activity_shift WHERE activity_id = ? AND status = ? AND ends_at > ?",
			row.ID, model.ShiftOpen, now).Scan(&ahead).Error
		if err != nil {
			return err
		}
		if ahead == 0 {
			return ErrNoShift
		}
		err = database.RequireRows(tx.Exec(`UPDATE activity SET status = ?, published_at = ?, updated_at = ?, version = version + 1
			WHERE id = ? AND status = ?`, model.ActivityPublished, now, now, row.ID, row.Status), 1)
		if err != nil {
			return err
		}
		err = tx.Exec(`UPDATE shift_count SET is_open = 1, version = version + 1
			WHERE shift_id IN (SELECT id FROM activity_shift WHERE activity_id = ? AND status = ?)`, row.ID, model.ShiftOpen).Error
		if err != nil {
			return err
		}
		if err := s.recordMovesTx(tx, actor, []move{{
			object: model.VolunteerActivity, id: row.ID, from: string(row.Status), to: string(model.ActivityPublished),
		}}); err != nil {
			return err
		}
		return s.trail.RecordTx(tx, activityEntry(actor, row, "activity.publish", "", nil))
	})
}

// CancelActivity calls an activity off: its shifts close, every sign-up is
// cancelled, and those people are told. It refuses (ErrStarted) once somebody
// has checked in. Cancelling again changes nothing.
func (s *Service) CancelActivity(ctx context.Context, actor authz.Actor, activityID, reason string) error {
	if err := reasonFault(reason); err != nil {
		return err
	}
	return database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		row, err := s.lockActivityTx(tx, actor, activityID)
		if err != nil || row.Status == model.ActivityCancelled {
			return err
		}
		if err := mayMove(activityMoves, row.Status, model.ActivityCancelled); err != nil {
			return err
		}
		var shiftIDs []string
		err = tx.Raw("SELECT id FROM activity_shift WHERE activity_id = ? AND status = ? ORDER BY id", row.ID, model.ShiftOpen).
			Scan(&shiftIDs).Error
		if err != nil {
			return err
		}
		if err := s.cancelShiftsTx(ctx, tx, actor, shiftIDs, reason); err != nil {
			return err
		}
		err = database.RequireRows(tx.Exec(`UPDATE activity SET status = ?, updated_at = ?, version = version + 1
			WHERE id = ? AND status = ?`, model.ActivityCancelled, s.now(), row.ID, row.Status), 1)
		if err != nil {
			return err
		}
		if err := s.recordMovesTx(tx, actor, []move{{
			object: model.VolunteerActivity, id: row.ID, from: string(row.Status), to: string(model.ActivityCancelled), reason: reason,
		}}); err != nil {
			return err
		}
		return s.trail.RecordTx(tx, activityEntry(actor, row, "activity.cancel", reason, nil))
	})
}

func reasonFault(reason string) error {
	var f fault.Fields
	checkReason(&f, "reason", reason)
	return f.Err(codeInvalid)
}

// CancelShift calls one shift off, as CancelActivity does all of them.
func (s *Service) CancelShift(ctx context.Context, actor authz.Actor, shiftID, reason string) error {
	if err := reasonFault(reason); err != nil {
		return err
	}
	return s.changeShift(ctx, actor, shiftID, func(tx *gorm.DB, activity model.Activity, shift shiftRow) error {
		if shift.ShiftStatus == model.ShiftCancelled {
			return nil
		}
		if err := s.cancelShiftsTx(ctx, tx, actor, []string{shift.ShiftID}, reason); err != nil {
			return err
		}
		return s.trail.RecordTx(tx, shiftEntry(actor, activity, shift.ShiftID, "shift.cancel", reason, nil))
	})
}

// changeShift runs fn with the shift and its locked activity, which must be a
// draft or published.
func (s *Service) changeShift(ctx context.Context, actor authz.Actor, shiftID string,
	fn func(tx *gorm.DB, activity model.Activity, shift shiftRow) error,
) error {
	return database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		shift, err := loadShift(tx, shiftID)
		if err != nil {
			return err
		}
		activity, err := s.lockActivityTx(tx, actor, shift.ActivityID)
		if errors.Is(err, ErrActivityMissing) {
			return ErrShiftMissing
		}
		if err != nil {
			return err
		}
		if activity.Status != model.ActivityDraft && activity.Status != model.ActivityPublished {
			return ErrBadMove
		}
		if shift, err = loadShift(tx, shiftID); err != nil { // again, under the lock
			return err
		}
		return fn(tx, activity, shift)
	})
}

// cancelShiftsTx closes shifts first, so that from then on nobody signs up,
// and then cancels the sign-ups that there are.
func (s *Service) cancelShiftsTx(ctx context.Context, tx *gorm.DB, actor authz.Actor, shiftIDs []string, reason string) error {
	if len(shiftIDs) == 0 {
		return nil
	}
	if err := mayMove(shiftMoves, model.ShiftOpen, model.ShiftCancelled); err != nil {
		return err
	}
	err := tx.Exec("UPDATE shift_count SET is_open = 0, version = version + 1 WHERE shift_id IN ?", shiftIDs).Error
	if err != nil {
		return err
	}
	var signups []model.Signup
	err = tx.Raw(`SELECT * FROM signup WHERE shift_id IN ? AND active_slot = 1 ORDER BY id`+database.ForUpdate(tx), shiftIDs).
		Scan(&signups).Error
	if err != nil {
		return err
	}
	var attended int64
	err = tx.Raw(`SELECT COUNT(*) FROM attendance a JOIN signup g ON g.id = a.signup_id WHERE g.shift_id IN ?`, shiftIDs).Scan(&attended).Error
	if err != nil {
		return err
	}
	if attended > 0 {
		return ErrStarted
	}
	now := s.now()
	if err := s.cancelSignupsTx(tx, actor, signups, reason); err != nil {
		return err
	}
	err = database.RequireRows(tx.Exec("UPDATE activity_shift SET status = ?, updated_at = ? WHERE id IN ? AND status = ?",
		model.ShiftCancelled, now, shiftIDs, model.ShiftOpen), int64(len(shiftIDs)))
	if err != nil {
		return err
	}
	moves := make([]move, len(shiftIDs))
	for i, id := range shiftIDs {
		moves[i] = move{model.VolunteerShift, id, string(model.ShiftOpen), string(model.ShiftCancelled), reason}
	}
	if err := s.recordMovesTx(tx, actor, moves); err != nil {
		return err
	}
	return s.tellCancelledTx(ctx, tx, signups)
}

// cancelSignupsTx cancels sign-ups and gives their places back.
func (s *Service) cancelSignupsTx(tx *gorm.DB, actor authz.Actor, signups []model.Signup, reason string) error {
	if len(signups) == 0 {
		return nil
	}
	var (
		ids   = make([]string, len(signups))
		moves = make([]move, len(signups))
		freed = map[string]int64{}
	)
	for i, g := range signups {
		if err := mayMove(signupMoves, g.Status, model.SignupCancelled); err != nil {
			return err
		}
		ids[i] = g.ID
		moves[i] = move{model.VolunteerSignup, g.ID, string(g.Status), string(model.SignupCancelled), reason}
		freed[g.ShiftID]++
	}
	for chunk := range slices.Chunk(ids, insertRows) {
		err := database.RequireRows(tx.Exec(`UPDATE signup SET status = ?, active_slot = NULL, updated_at = ? WHERE id IN ? AND status = ?`,
			model.SignupCancelled, s.now(), chunk, model.SignupSignedUp), int64(len(chunk)))
		if err != nil {
			return err
		}
	}
	if err := s.recordMovesTx(tx, actor, moves); err != nil {
		return err
	}
	shiftIDs := make([]string, 0, len(freed))
	for id := range freed {
		shiftIDs = append(shiftIDs, id)
	}
	slices.Sort(shiftIDs)
	value, args := caseOf("shift_id", shiftIDs, func(id string) (string, any) { return id, freed[id] })
	return database.RequireRows(tx.Exec("UPDATE shift_count SET signed_up = signed_up - "+value+", version = version + 1 WHERE shift_id IN ?",
		append(args, shiftIDs)...), int64(len(shiftIDs)))
}

// tellCancelledTx leaves a job for each shift, in parts that fit into a payload.
func (s *Service) tellCancelledTx(ctx context.Context, tx *gorm.DB, signups []model.Signup) error {
	people := map[string][]string{}
	for _, g := range signups {
		people[g.ShiftID] = append(people[g.ShiftID], g.ResidentID)
	}
	var out []queue.Job
	for shiftID, ids := range people {
		for part := range slices.Chunk(ids, noticeBatch) {
			out = append(out, queue.Job{
				Kind: JobNotify, UniqueKey: NoticeShiftCancelled + ":" + shiftID + ":" + part[0],
				Payload: Notice{Topic: NoticeShiftCancelled, ObjectID: shiftID, ResidentIDs: part},
			})
		}
	}
	return queue.EnqueueTx(ctx, tx, s.clock, out...)
}

// AddShifts adds shifts to a draft or a published activity; a replay with the
// same key adds none.
func (s *Service) AddShifts(ctx context.Context, actor authz.Actor, activityID, key string, in []ShiftInput) error {
	if err := checkShifts(in, s.now(), 1); err != nil {
		return err
	}
	_, err := once(ctx, s, actor, key, "shifts.add", []any{activityID, in}, func(tx *gorm.DB) (string, error) {
		row, err := s.lockActivityTx(tx, actor, activityID)
		if err != nil {
			return "", err
		}
		if row.Status != model.ActivityDraft && row.Status != model.ActivityPublished {
			return "", ErrBadMove
		}
		var have int64
		if err := tx.Raw("SELECT COUNT(*) FROM activity_shift WHERE activity_id = ?", row.ID).Scan(&have).Error; err != nil {
			return "", err
		}
		if have+int64(len(in)) > maxShifts {
			return "", ErrTooManyShift
		}
		if err := s.insertShiftsTx(tx, row.ID, in, row.Status == model.ActivityPublished); err != nil {
			return "", err
		}
		return row.ID, s.trail.RecordTx(tx, activityEntry(actor, row, "activity.add_shifts", "", addedShifts(in)))
	})
	return err
}

// UpdateShift changes a shift. Its times and breaks only while nobody has signed up
// (ErrShiftInUse), its capacity never below the sign-ups (ErrCapacity).
func (s *Service) UpdateShift(ctx context.Context, actor authz.Actor, shiftID string, in ShiftInput) error {
	var f fault.Fields
	in.validate(&f, "shift", s.now())
	if err := f.Err(codeInvalid); err != nil {
		return err
	}
	return s.changeShift(ctx, actor, shiftID, func(tx *gorm.DB, activity model.Activity, shift shiftRow) error {
		if shift.ShiftStatus != model.ShiftOpen {
			return ErrBadMove
		}
		var count model.ShiftCount
		err := tx.Raw("SELECT * FROM shift_count WHERE shift_id = ?"+database.ForUpdate(tx), shift.ShiftID).Take(&count).Error
		if err != nil {
			return err
		}
		moved := in.StartsAt != shift.StartsAt || in.EndsAt != shift.EndsAt || in.BreakMinutes != shift.BreakMinutes
		switch {
		case in.Capacity < count.SignedUp:
			return ErrCapacity
		case moved && count.SignedUp > 0:
			return ErrShiftInUse
		}
		err = database.RequireRows(tx.Exec(`UPDATE activity_shift SET starts_at = ?, ends_at = ?, break_minutes = ?, updated_at = ? WHERE id = ?`,
			in.StartsAt, in.EndsAt, in.BreakMinutes, s.now(), shift.ShiftID), 1)
		if err != nil {
			return err
		}
		err = database.RequireRows(tx.Exec(`UPDATE shift_count SET capacity = ?, edition = edition + 1, version = version + 1
			WHERE shift_id = ?`, in.Capacity, shift.ShiftID), 1)
		if err != nil {
			return err
		}
		return s.trail.RecordTx(tx, shiftEntry(actor, activity, shift.ShiftID, "shift.update", "", shiftChanges(shift, count.Capacity, in)))
	})
}

// shiftRow is a shift with what belongs to it, in one query.
type shiftRow struct {
	ShiftID        string
	ActivityID     string
	StartsAt       clock.Instant
	EndsAt         clock.Instant
	BreakMinutes   int64
	CodeSecret     string
	ShiftStatus    model.ShiftStatus
	Capacity       int64
	SignedUp       int64
	IsOpen         int64
	Edition        int64
	ActivityStatus model.ActivityStatus
	Title          string
	Content        string
	Beneficiary    string
	PlaceName      string
	ContactName    string
	Lon, Lat       float64
	RadiusMeters   int64
	RegionID       string
	RegionPath     string
}

func (r shiftRow) shift() *model.ActivityShift {
	return &model.ActivityShift{ID: r.ShiftID, StartsAt: r.StartsAt, EndsAt: r.EndsAt, BreakMinutes: r.BreakMinutes}
}

const selectShift = `SELECT s.id AS shift_id, s.activity_id, s.starts_at, s.ends_at, s.break_minutes, s.code_secret, s.status AS shift_status,
	c.capacity, c.signed_up, c.is_open, c.edition, a.status AS activity_status, a.title, a.content, a.beneficiary, a.place_name,
	a.contact_name, a.lon, a.lat, a.radius_meters, a.region_id, r.path AS region_path
	FROM activity_shift s JOIN shift_count c ON c.shift_id = s.id JOIN activity a ON a.id = s.activity_id JOIN region r ON r.id = a.region_id `

func loadShift(tx *gorm.DB, id string) (shiftRow, error) {
	var rows []shiftRow
	if err := tx.Raw(selectShift+"WHERE s.id = ?", id).Scan(&rows).Error; err != nil {
		return shiftRow{}, fmt.Errorf("volunteer: shift: %w", err)
	}
	if len(rows) == 0 {
		return shiftRow{}, ErrShiftMissing
	}
	return rows[0], nil
}

// shiftFor returns a shift over whose region the actor holds one of the roles,
// and ErrShiftMissing for any other.
func (s *Service) shiftFor(tx *gorm.DB, actor authz.Actor, id string, roles []authz.Role) (shiftRow, error) {
	row, err := loadShift(tx, id)
	if err != nil {
		return row, err
	}
	if actor.InRegion(row.RegionPath, roles...) != nil {
		return row, ErrShiftMissing
	}
	return row, nil
}
