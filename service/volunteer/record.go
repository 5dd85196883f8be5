package volunteer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
	"jiamenkou/model"
	"jiamenkou/service/policy"
	"jiamenkou/service/region"
)

// insertRecordsTx writes records and counts their minutes: for the day unless
// rejected, for the person once effective. The people are locked.
func insertRecordsTx(tx *gorm.DB, records []model.ServiceRecord) error {
	if len(records) == 0 {
		return nil
	}
	if err := tx.CreateInBatches(&records, insertRows).Error; err != nil {
		return err
	}
	days := make([]model.ServiceDay, 0, len(records))
	effective := make([]string, 0, len(records))
	for _, r := range records {
		days = append(days, model.ServiceDay{ResidentID: r.ResidentID, Day: r.Day, Minutes: r.Minutes})
		if r.State == model.RecordEffective {
			effective = append(effective, r.ID)
		}
	}
	added := "service_day.minutes + excluded.minutes"
	if tx.Name() == string(database.MySQL) {
		added = "service_day.minutes + VALUES(minutes)"
	}
	err := tx.Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: "resident_id"}, {Name: "day"}},
		DoUpdates: clause.Set{{Column: clause.Column{Name: "minutes"}, Value: gorm.Expr(added)}},
	}).CreateInBatches(&days, insertRows).Error
	if err != nil {
		return err
	}
	return addToTallyTx(tx, effective)
}

// addToTallyTx adds the minutes of records, which have just become effective.
func addToTallyTx(tx *gorm.DB, recordIDs []string) error {
	if len(recordIDs) == 0 {
		return nil
	}
	return tx.Exec(`UPDATE volunteer_tally SET effective_minutes = effective_minutes + (
			SELECT SUM(r.minutes) FROM service_record r WHERE r.id IN ? AND r.resident_id = volunteer_tally.resident_id)
		WHERE resident_id IN (SELECT resident_id FROM service_record WHERE id IN ?)`, recordIDs, recordIDs).Error
}

// takeFromDaysTx gives the minutes of records back, which have just been rejected.
func takeFromDaysTx(tx *gorm.DB, records []model.ServiceRecord) error {
	if len(records) == 0 {
		return nil
	}
	ids, people := make([]string, len(records)), make([]string, len(records))
	for i, r := range records {
		ids[i], people[i] = r.ID, r.ResidentID
	}
	return tx.Exec(`UPDATE service_day SET minutes = minutes - (
			SELECT COALESCE(SUM(r.minutes), 0) FROM service_record r
			WHERE r.id IN ? AND r.resident_id = service_day.resident_id AND r.day = service_day.day)
		WHERE resident_id IN ?`, ids, people).Error
}

// ManualInput is service added by hand (补录), the same for everybody named.
type ManualInput struct {
	IdempotencyKey   string
	RegionID         string
	VolunteerNumbers []string // 1..MaxItems
	Title            string   // of the activity
	Content          string
	PlaceName        string
	Beneficiary      string
	PersonInCharge   string
	StartedAt        clock.Instant // within one Shanghai day, over, and not a year ago
	EndedAt          clock.Instant
	BreakMinutes     int64
	QualityRating    *int64
	Reason           string // why it was not recorded at the time
}

func (in ManualInput) validate(now clock.Instant) error {
	var f fault.Fields
	checkCount(&f, "volunteer_numbers", len(in.VolunteerNumbers))
	text := func(s string, most int, path, reason string) {
		n := utf8.RuneCountInString(s)
		f.Add(utf8.ValidString(s) && strings.TrimSpace(s) == s && n >= 1 && n <= most, path, reason)
	}
	text(in.Title, 60, "title", "请填写活动名称，最多 60 个字")
	text(in.Content, 2000, "content", "请填写服务内容，最多 2000 个字")
	text(in.PlaceName, 100, "place_name", "请填写活动地点，最多 100 个字")
	text(in.Beneficiary, 60, "beneficiary", "请填写服务对象，最多 60 个字")
	text(in.PersonInCharge, 30, "person_in_charge", "请填写负责人，最多 30 个字")
	f.Add(in.StartedAt < in.EndedAt, "ended_at", "结束时间应晚于开始时间")
	f.Add(in.StartedAt.Day() == (in.EndedAt-1).Day(), "ended_at", "一条记录不能跨天，请拆成两条")
	f.Add(in.EndedAt <= now && in.StartedAt > now.Add(-manualWithin), "started_at", "只能补录一年以内已经结束的服务")
	f.Add(in.BreakMinutes >= 0 && in.minutes() > 0, "break_minutes", "休息时间应少于服务时长")
	f.Add(in.QualityRating == nil || (*in.QualityRating >= 1 && *in.QualityRating <= 5), "quality_rating", "评价应为 1 到 5")
	checkReason(&f, "reason", in.Reason)
	seen := map[string]bool{}
	for i, n := range in.VolunteerNumbers {
		f.Add(!seen[n], fmt.Sprintf("volunteer_numbers[%d]", i), "同一人重复")
		seen[n] = true
	}
	return f.Err(codeInvalid)
}

func (in ManualInput) minutes() int64 {
	return (&model.ActivityShift{StartsAt: in.StartedAt, EndsAt: in.EndedAt, BreakMinutes: in.BreakMinutes}).PlannedMinutes()
}

// AddManualRecord proposes records by hand, all or none. They take effect once
// another person approves them (ApproveManualRecord), and never earn points.
// It returns the ids in the order of the volunteer numbers.
//
// Errors: ErrRecordOverlap and ErrDayLimit (naming the people in Fields),
// ErrIdempotency.
func (s *Service) AddManualRecord(ctx context.Context, actor authz.Actor, in ManualInput) ([]string, error) {
	if err := requireStaff(actor); err != nil {
		return nil, err
	}
	if err := in.validate(s.now()); err != nil {
		return nil, err
	}
	path, err := s.regionPath(ctx, in.RegionID)
	if err != nil {
		return nil, err
	}
	if err := actor.InRegion(path, organizers...); err != nil {
		return nil, err
	}
	key := in.IdempotencyKey
	in.IdempotencyKey = ""
	hash, err := hashOf("manual", in)
	if err != nil {
		return nil, err
	}
	var ids []string
	if done, err := s.answered(ctx, actor, key, hash, &ids); done || err != nil {
		return ids, err
	}
	err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		ids = nil
		records, err := s.draftManualTx(tx, actor, path, in)
		if err != nil {
			return err
		}
		var moves []move
		for _, r := range records {
			ids = append(ids, r.ID)
			moves = append(moves, move{object: model.VolunteerRecord, id: r.ID, to: string(r.State), reason: in.Reason})
		}
		if err := insertRecordsTx(tx, records); err != nil {
			return err
		}
		if err := region.RequireOpenTx(tx, in.RegionID); err != nil {
			return err
		}
		if err := s.recordMovesTx(tx, actor, moves); err != nil {
			return err
		}
		return s.storeAnswerTx(tx, actor, key, hash, ids)
	})
	if err != nil && key != "" {
		// The same call at the same time may have been first: then its records
		// are what this one ran into.
		var first []string
		if done, lookErr := s.answered(ctx, actor, key, hash, &first); done || lookErr != nil {
			return first, lookErr
		}
	}
	return ids, err
}

func (s *Service) draftManualTx(tx *gorm.DB, actor authz.Actor, regionPath string, in ManualInput) ([]model.ServiceRecord, error) {
	people, err := manualPeopleTx(tx, regionPath, in.VolunteerNumbers)
	if err != nil {
		return nil, err
	}
	residents := make([]string, len(people))
	for i, p := range people {
		residents[i] = p.ID
	}
	if err := lockPeopleTx(tx, residents...); err != nil {
		return nil, err
	}
	name, err := staffNameTx(tx, actor.ID)
	if err != nil {
		return nil, err
	}
	day := in.StartedAt.Day()
	used, err := dayMinutesTx(tx, residents, day)
	if err != nil {
		return nil, err
	}
	taken, err := spansTx(tx, residents, day)
	if err != nil {
		return nil, err
	}
	if err := addAttendanceSpansTx(tx, taken, residents, span{in.StartedAt, in.EndedAt}); err != nil {
		return nil, err
	}
	var overlapping, tooLong fault.Fields
	records := make([]model.ServiceRecord, len(people))
	for i, p := range people {
		field := fmt.Sprintf("volunteer_numbers[%d]", i)
		total := used[p.ID] + in.minutes()
		overlapping.Add(!slices.ContainsFunc(taken[p.ID], span{in.StartedAt, in.EndedAt}.overlaps), field, "这个时间段已有服务记录")
		tooLong.Add(total <= model.MaxDayMinutes, field, "这一天的服务时长将超过 12 小时")
		approval := model.ApprovalSecondPerson
		if total > model.FreeDayMinutes {
			approval = model.ApprovalLongDay
		}
		records[i] = model.ServiceRecord{
			ID: s.clock.NewID(), Kind: model.RecordManual, State: model.RecordPending, Approval: approval,
			ResidentID: p.ID, VolunteerNumber: p.VolunteerNumber, RegionID: in.RegionID, ActivityTitle: in.Title,
			Day: day, StartedAt: in.StartedAt, EndedAt: in.EndedAt, Minutes: in.minutes(), PlaceName: in.PlaceName,
			Beneficiary: in.Beneficiary, Content: in.Content, QualityRating: in.QualityRating, PersonInCharge: in.PersonInCharge,
			RecorderID: actor.ID, RecorderName: name, Reason: in.Reason, CreatedAt: s.now(),
		}
	}
	switch {
	case len(overlapping) > 0:
		return nil, ErrRecordOverlap.WithFields(overlapping...)
	case len(tooLong) > 0:
		return nil, ErrDayLimit.WithFields(tooLong...)
	}
	return records, nil
}

// manualPeopleTx finds volunteers by number, in the order asked for. They must
// live in the county of the region.
func manualPeopleTx(tx *gorm.DB, regionPath string, numbers []string) ([]person, error) {
	found, err := peopleTx(tx, "volunteer_number IN ?", numbers)
	if err != nil {
		return nil, err
	}
	byNumber := map[string]person{}
	for _, p := range found {
		if p.Status != model.ResidentDeleted && strings.HasPrefix(p.RegionPath, model.RegionCountyPath(regionPath)) {
			byNumber[p.VolunteerNumber] = p
		}
	}
	var f fault.Fields
	out := make([]person, len(numbers))
	for i, n := range numbers {
		p, ok := byNumber[n]
		f.Add(ok, fmt.Sprintf("volunteer_numbers[%d]", i), "没有这个志愿者编号")
		out[i] = p
	}
	return out, f.Err(codeInvalid)
}

// addAttendanceSpansTx adds shifts that the people attend and that nobody has
// confirmed yet: they will become records of that time.
func addAttendanceSpansTx(tx *gorm.DB, taken map[string][]span, residentIDs []string, when span) error {
	var rows []struct {
		ResidentID       string
		StartsAt, EndsAt clock.Instant
	}
	err := tx.Raw(`SELECT g.resident_id, s.starts_at, s.ends_at FROM signup g JOIN attendance a ON a.signup_id = g.id
		JOIN activity_shift s ON s.id = g.shift_id
		WHERE g.resident_id IN ? AND g.active_slot = 1 AND a.status IN ? AND s.starts_at < ? AND s.ends_at > ?`, residentIDs,
		[]model.AttendanceStatus{model.AttendanceCheckedIn, model.AttendanceCheckedOut}, when.to, when.from).Scan(&rows).Error
	for _, r := range rows {
		taken[r.ResidentID] = append(taken[r.ResidentID], span{r.StartsAt, r.EndsAt})
	}
	return err
}

// Decision is a word on one pending record.
type Decision struct {
	RecordID     string
	RejectReason string // not "": the record is rejected
}

// ApproveManualRecord decides records that were added by hand, all or none. It
// takes another person than the one who added them (ErrSecondPerson), and one
// of the parent region if the day is longer than 8 hours (ErrParentRegion).
// Deciding again in the same way changes nothing.
func (s *Service) ApproveManualRecord(ctx context.Context, actor authz.Actor, decisions []Decision) error {
	return s.decideRecords(ctx, actor, decisions, func(r recordRow) bool { return r.Kind == model.RecordManual })
}

// ApproveLongDay decides attendances that took a day above 8 hours, all or
// none; the points are awarded now. It takes an organizer or operator of the
// region above the activity's (ErrParentRegion; a county answers for itself)
// who did not confirm the attendance (ErrSecondPerson).
func (s *Service) ApproveLongDay(ctx context.Context, actor authz.Actor, decisions []Decision) error {
	return s.decideRecords(ctx, actor, decisions, func(r recordRow) bool {
		return r.Kind == model.RecordAttendance && r.Approval == model.ApprovalLongDay
	})
}

// recordRow is a record with its region's path and, for an attendance, its
// shift.
type recordRow struct {
	model.ServiceRecord
	RegionPath string
	ShiftID    string
}

const selectRecord = `SELECT r.*, g.path AS region_path, COALESCE(u.shift_id, '') AS shift_id FROM service_record r
	JOIN region g ON g.id = r.region_id LEFT JOIN attendance a ON a.id = r.attendance_id LEFT JOIN signup u ON u.id = a.signup_id `

func (s *Service) decideRecords(ctx context.Context, actor authz.Actor, decisions []Decision, kind func(recordRow) bool) error {
	if err := requireStaff(actor); err != nil {
		return err
	}
	var f fault.Fields
	checkCount(&f, "decisions", len(decisions))
	words := make(map[string]Decision, len(decisions))
	for i, d := range decisions {
		if d.RejectReason != "" {
			checkReason(&f, fmt.Sprintf("decisions[%d].reject_reason", i), d.RejectReason)
		}
		_, twice := words[d.RecordID]
		f.Add(!twice, fmt.Sprintf("decisions[%d].record_id", i), "同一条记录重复")
		words[d.RecordID] = d
	}
	if err := f.Err(codeInvalid); err != nil {
		return err
	}
	return database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		rows, err := lockRecordsTx(tx, sortedIDs(words))
		if err != nil {
			return err
		}
		d := deciding{Service: s, tx: tx, actor: actor}
		for _, r := range rows {
			if !kind(r) {
				return ErrRecordMissing
			}
			if err := d.one(r, words[r.ID].RejectReason); err != nil {
				return err
			}
		}
		if err := d.write(); err != nil {
			return err
		}
		_, err = s.policy.AwardTx(ctx, tx, d.events)
		return err
	})
}

// lockRecordsTx locks the people behind records and reads the records.
func lockRecordsTx(tx *gorm.DB, ids []string) ([]recordRow, error) {
	var people []string
	if err := tx.Raw("SELECT resident_id FROM service_record WHERE id IN ?", ids).Scan(&people).Error; err != nil {
		return nil, err
	}
	if len(people) != len(ids) {
		return nil, ErrRecordMissing
	}
	if err := lockPeopleTx(tx, people...); err != nil {
		return nil, err
	}
	var rows []recordRow
	err := tx.Raw(selectRecord+"WHERE r.id IN ? ORDER BY r.id", ids).Scan(&rows).Error
	return rows, err
}

// deciding collects the decisions of one call.
type deciding struct {
	*Service
	tx       *gorm.DB
	actor    authz.Actor
	approved []string
	rejected []model.ServiceRecord
	moves    []move
	events   []policy.Event
}

func (d *deciding) one(r recordRow, rejectReason string) error {
	if d.actor.InRegion(r.RegionPath, organizers...) != nil {
		return ErrRecordMissing
	}
	if r.Approval == model.ApprovalLongDay && d.actor.InRegion(parentPath(r.RegionPath), organizers...) != nil {
		return ErrParentRegion
	}
	if r.RecorderID == d.actor.ID {
		return ErrSecondPerson
	}
	to := model.RecordEffective
	if rejectReason != "" {
		to = model.RecordRejected
	}
	if r.State == to {
		return nil
	}
	if err := mayMove(recordMoves, r.State, to); err != nil {
		return err
	}
	d.moves = append(d.moves, move{model.VolunteerRecord, r.ID, string(r.State), string(to), rejectReason})
	if to == model.RecordRejected {
		d.rejected = append(d.rejected, r.ServiceRecord)
		return nil
	}
	d.approved = append(d.approved, r.ID)
	if r.EarnsPoints == 1 {
		d.events = append(d.events, eventOf(r.ServiceRecord, r.ShiftID, d.actor.ID))
	}
	return nil
}

func (d *deciding) write() error {
	rejected := make([]string, len(d.rejected))
	for i, r := range d.rejected {
		rejected[i] = r.ID
	}
	for _, group := range []struct {
		to  model.RecordState
		ids []string
	}{{model.RecordEffective, d.approved}, {model.RecordRejected, rejected}} {
		if len(group.ids) == 0 {
			continue
		}
		err := database.RequireRows(d.tx.Exec(`UPDATE service_record SET state = ?, decided_by = ?, decided_at = ? WHERE id IN ? AND state = ?`,
			group.to, d.actor.ID, d.now(), group.ids, model.RecordPending), int64(len(group.ids)))
		if err != nil {
			return err
		}
	}
	if err := addToTallyTx(d.tx, d.approved); err != nil {
		return err
	}
	if err := takeFromDaysTx(d.tx, d.rejected); err != nil {
		return err
	}
	return d.recordMovesTx(d.tx, d.actor, d.moves)
}

// recordFor returns a record over whose region the actor may look.
func (s *Service) recordFor(ctx context.Context, actor authz.Actor, id string) (recordRow, error) {
	var row recordRow
	err := s.db.Read(ctx).Raw(selectRecord+"WHERE r.id = ?", id).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return row, ErrRecordMissing
	}
	if err != nil {
		return row, fmt.Errorf("volunteer: record: %w", err)
	}
	if actor.InRegion(row.RegionPath, readers...) != nil {
		return row, ErrRecordMissing
	}
	return row, nil
}
