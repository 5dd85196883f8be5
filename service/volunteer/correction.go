package volunteer

import (
	"context"
	"errors"
	"slices"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/queue"
	"jiamenkou/model"
)

// The notices of corrections; the object is the correction.
const (
	NoticeCorrectionAsked    = "volunteer.correction_asked"    // those in charge of the region
	NoticeCorrectionSettled  = "volunteer.correction_settled"  // the volunteer
	NoticeCorrectionReviewed = "volunteer.correction_reviewed" // who proposed it
)

// correctionMoves is every allowed move of a correction.
var correctionMoves = map[model.CorrectionState][]model.CorrectionState{
	"":                       {model.CorrectionAsked, model.CorrectionProposed},
	model.CorrectionAsked:    {model.CorrectionProposed, model.CorrectionDeclined, model.CorrectionWithdrawn},
	model.CorrectionProposed: {model.CorrectionApproved, model.CorrectionRejected, model.CorrectionWithdrawn},
}

// AskInput is a volunteer's word on one of their own service records.
type AskInput struct {
	IdempotencyKey string
	RecordID       string
	Text           string // what is wrong, 2..200 characters
}

// AskCorrection asks for a correction of the resident's own record. A replay
// with the same key returns the first answer. Errors: ErrRecordMissing,
// ErrNotCorrectable, ErrCorrectionOpen, ErrAskedOften, ErrIdempotency, field
// faults.
func (s *Service) AskCorrection(ctx context.Context, actor authz.Actor, in AskInput) (Correction, error) {
	var none Correction
	if err := actor.Resident(); err != nil {
		return none, err
	}
	var f fault.Fields
	checkReason(&f, "text", in.Text)
	if err := f.Err(codeInvalid); err != nil {
		return none, err
	}
	return once(ctx, s, actor, in.IdempotencyKey, "correction.ask", []string{in.RecordID, in.Text}, func(tx *gorm.DB) (Correction, error) {
		record, err := lockRecordTx(tx, in.RecordID)
		if err != nil || record.ResidentID != actor.ID {
			return none, orMissing(err, ErrRecordMissing)
		}
		c, err := s.newCorrectionTx(tx, record)
		if err != nil {
			return none, err
		}
		if c.Attempt > model.MaxAsked {
			return none, ErrAskedOften
		}
		c.AskedText = in.Text
		if err := s.moveCorrectionTx(tx, actor, &c, model.CorrectionAsked, ""); err != nil {
			return none, err
		}
		return c, s.tellTx(ctx, tx, Notice{Topic: NoticeCorrectionAsked, ObjectID: c.ID})
	})
}

// WithdrawCorrection takes the resident's own request back before anything was
// proposed. Again, it changes nothing. Errors: ErrCorrectionMissing, ErrBadMove.
func (s *Service) WithdrawCorrection(ctx context.Context, actor authz.Actor, id string) (out Correction, err error) {
	err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		c, _, err := lockCorrectionTx(tx, id)
		if err != nil || actor.Resident() != nil || c.ResidentID != actor.ID {
			return orMissing(err, ErrCorrectionMissing)
		}
		if out = c; c.State == model.CorrectionWithdrawn {
			return nil
		}
		if c.State != model.CorrectionAsked {
			return ErrBadMove // an organizer has taken it up
		}
		err = s.moveCorrectionTx(tx, actor, &c, model.CorrectionWithdrawn, "")
		out = c
		return err
	})
	return out, err
}

// ProposalInput is what an organizer proposes for a record: everything that
// the new record says otherwise. It takes up what the volunteer has asked.
type ProposalInput struct {
	IdempotencyKey string
	RecordID       string
	Kind           model.CorrectionKind
	StartedAt      clock.Instant // of a change: on the record's day, over
	EndedAt        clock.Instant
	Minutes        int64
	QualityRating  *int64
	Reason         string
}

func (in ProposalInput) validate(now clock.Instant) error {
	var f fault.Fields
	checkReason(&f, "reason", in.Reason)
	switch in.Kind {
	case model.CorrectionVoid:
		f.Add(in.StartedAt == 0 && in.EndedAt == 0 && in.Minutes == 0 && in.QualityRating == nil, "kind", "作废不填写时间和时长")
	case model.CorrectionChange:
		f.Add(in.StartedAt < in.EndedAt, "ended_at", "结束时间应晚于开始时间")
		f.Add(in.EndedAt <= now, "ended_at", "只能更正已经结束的服务")
		f.Add(in.Minutes >= 1 && in.Minutes <= int64(in.EndedAt-in.StartedAt)/microsecondsPerMinute, "minutes", "时长应大于零，且不超过起止时间")
		f.Add(in.QualityRating == nil || (*in.QualityRating >= 1 && *in.QualityRating <= 5), "quality_rating", "评价应为 1 到 5")
	default:
		f.Add(false, "kind", "请选择更正或作废")
	}
	return f.Err(codeInvalid)
}

const microsecondsPerMinute = 60_000_000

// ProposeCorrection writes down what the record should say; nothing changes
// until another person approves. A replay with the same key returns the first
// answer. Errors: ErrRecordMissing, ErrNotCorrectable, ErrCorrectionOpen,
// ErrRecordOverlap, ErrDayLimit, ErrIdempotency, field faults.
func (s *Service) ProposeCorrection(ctx context.Context, actor authz.Actor, in ProposalInput) (Correction, error) {
	var none Correction
	if err := requireStaff(actor); err != nil {
		return none, err
	}
	if err := in.validate(s.now()); err != nil {
		return none, err
	}
	key := in.IdempotencyKey
	in.IdempotencyKey = ""
	return once(ctx, s, actor, key, "correction.propose", in, func(tx *gorm.DB) (Correction, error) {
		record, err := lockRecordTx(tx, in.RecordID)
		if err != nil || actor.InRegion(record.RegionPath, organizers...) != nil {
			return none, orMissing(err, ErrRecordMissing)
		}
		c, err := s.openOrNewTx(tx, record)
		if err != nil {
			return none, err
		}
		if err := s.fillProposalTx(tx, actor, record, &c, in); err != nil {
			return none, err
		}
		return c, s.moveCorrectionTx(tx, actor, &c, model.CorrectionProposed, in.Reason)
	})
}

func (s *Service) fillProposalTx(tx *gorm.DB, actor authz.Actor, record recordRow, c *Correction, in ProposalInput) error {
	name, err := staffNameTx(tx, actor.ID)
	if err != nil {
		return err
	}
	now := s.now()
	c.Kind, c.Reason, c.ProposedBy, c.ProposerName, c.ProposedAt = &in.Kind, in.Reason, &actor.ID, name, &now
	if in.Kind == model.CorrectionVoid {
		return nil
	}
	var f fault.Fields
	f.Add(in.StartedAt.Day() == record.Day && (in.EndedAt-1).Day() == record.Day, "started_at", "起止时间应在原记录的那一天")
	same := in.StartedAt == record.StartedAt && in.EndedAt == record.EndedAt && in.Minutes == record.Minutes && equal(in.QualityRating, record.QualityRating)
	f.Add(!same, "minutes", "与原记录相同，没有要更正的内容")
	if err := f.Err(codeInvalid); err != nil {
		return err
	}
	c.StartedAt, c.EndedAt, c.Minutes, c.QualityRating = &in.StartedAt, &in.EndedAt, &in.Minutes, in.QualityRating
	_, err = roomTx(tx, record, *c)
	return err
}

func equal(a, b *int64) bool { return a == b || (a != nil && b != nil && *a == *b) }

// roomTx tells who has to approve a change, by what the day would hold:
// ErrDayLimit above 12 hours, ErrRecordOverlap if the person was elsewhere.
func roomTx(tx *gorm.DB, record recordRow, c Correction) (model.Approval, error) {
	if *c.Kind == model.CorrectionVoid {
		return model.ApprovalSecondPerson, nil
	}
	people := []string{record.ResidentID}
	taken, err := otherSpansTx(tx, record.ID, people, record.Day)
	if err != nil {
		return "", err
	}
	when := span{*c.StartedAt, *c.EndedAt}
	if err := addAttendanceSpansTx(tx, taken, people, when); err != nil {
		return "", err
	}
	if slices.ContainsFunc(taken[record.ResidentID], when.overlaps) {
		return "", ErrRecordOverlap
	}
	used, err := dayMinutesTx(tx, people, record.Day)
	if err != nil {
		return "", err
	}
	switch total := used[record.ResidentID] - record.Minutes + *c.Minutes; {
	case total > model.MaxDayMinutes:
		return "", ErrDayLimit
	case total > model.FreeDayMinutes:
		return model.ApprovalLongDay, nil
	}
	return model.ApprovalSecondPerson, nil
}

// CorrectionDecision is a yes or no.
type CorrectionDecision struct {
	IdempotencyKey string
	CorrectionID   string
	Reason         string // a no needs 2..200 characters
}

// DeclineCorrection answers a volunteer's request without proposing anything:
// an organizer or operator over the record's region, with a reason. Errors:
// ErrCorrectionMissing, ErrBadMove, ErrIdempotency, field faults.
func (s *Service) DeclineCorrection(ctx context.Context, actor authz.Actor, in CorrectionDecision) (Correction, error) {
	return s.decideCorrection(ctx, actor, in, model.CorrectionDeclined)
}

// ApproveCorrection makes a proposal the record: another person than who
// proposed it, over the record's region, or over the region above if the day
// comes to more than 8 hours. A corrected record never earns points; those of
// the old one stay, since points are adjusted by two operators of their own.
// Errors: ErrCorrectionMissing, ErrBadMove, ErrOwnCorrection, ErrParentRegion,
// ErrRecordOverlap, ErrDayLimit, ErrIdempotency.
func (s *Service) ApproveCorrection(ctx context.Context, actor authz.Actor, in CorrectionDecision) (Correction, error) {
	return s.decideCorrection(ctx, actor, in, model.CorrectionApproved)
}

// RejectCorrection ends a proposal; the record stays. Errors as with approval.
func (s *Service) RejectCorrection(ctx context.Context, actor authz.Actor, in CorrectionDecision) (Correction, error) {
	return s.decideCorrection(ctx, actor, in, model.CorrectionRejected)
}

func (s *Service) decideCorrection(ctx context.Context, actor authz.Actor, in CorrectionDecision, to model.CorrectionState) (Correction, error) {
	var none Correction
	if err := requireStaff(actor); err != nil {
		return none, err
	}
	var f fault.Fields
	if to != model.CorrectionApproved || in.Reason != "" {
		checkReason(&f, "reason", in.Reason)
	}
	if err := f.Err(codeInvalid); err != nil {
		return none, err
	}
	return once(ctx, s, actor, in.IdempotencyKey, "correction."+string(to), []string{in.CorrectionID, in.Reason}, func(tx *gorm.DB) (Correction, error) {
		c, record, err := lockCorrectionTx(tx, in.CorrectionID)
		if err != nil || actor.InRegion(record.RegionPath, organizers...) != nil {
			return none, orMissing(err, ErrCorrectionMissing)
		}
		if err := mayMove(correctionMoves, c.State, to); err != nil {
			return none, err
		}
		if err := s.mayDecideTx(tx, actor, record, c); err != nil {
			return none, err
		}
		if to == model.CorrectionApproved {
			if err := s.applyTx(tx, actor, record, &c); err != nil {
				return none, err
			}
		}
		now := s.now()
		c.DecidedBy, c.DecidedAt, c.DecisionReason = &actor.ID, &now, in.Reason
		if err := s.moveCorrectionTx(tx, actor, &c, to, in.Reason); err != nil {
			return none, err
		}
		return c, s.tellOutcomeTx(ctx, tx, c)
	})
}

// mayDecideTx keeps the four eyes: nobody decides what they proposed, and a
// day above 8 hours is for the region above, whether the answer is yes or no.
func (s *Service) mayDecideTx(tx *gorm.DB, actor authz.Actor, record recordRow, c Correction) error {
	if c.ProposedBy == nil {
		return nil // declined: there is no proposal to look at with other eyes
	}
	if *c.ProposedBy == actor.ID {
		return ErrOwnCorrection
	}
	approval, err := roomTx(tx, record, c)
	if _, unfit := errors.AsType[*fault.Error](err); unfit { // the day has filled up since: it can only be rejected, by anybody
		return nil
	}
	if err == nil && approval == model.ApprovalLongDay && actor.InRegion(parentPath(record.RegionPath), organizers...) != nil {
		return ErrParentRegion
	}
	return err
}

// applyTx takes the record out of the counters and writes the one that stands
// for it.
func (s *Service) applyTx(tx *gorm.DB, actor authz.Actor, record recordRow, c *Correction) error {
	approval, err := roomTx(tx, record, *c)
	if err != nil {
		return err
	}
	if err := mayMove(recordMoves, record.State, model.RecordCorrected); err != nil {
		return ErrNotCorrectable
	}
	err = database.RequireRows(tx.Exec("UPDATE service_record SET state = ? WHERE id = ? AND state = ?",
		model.RecordCorrected, record.ID, model.RecordEffective), 1)
	if err != nil {
		return err
	}
	if err := takeFromDaysTx(tx, []model.ServiceRecord{record.ServiceRecord}); err != nil {
		return err
	}
	err = database.RequireRows(tx.Exec("UPDATE volunteer_tally SET effective_minutes = effective_minutes - ? WHERE resident_id = ? AND effective_minutes >= ?",
		record.Minutes, record.ResidentID, record.Minutes), 1)
	if err != nil {
		return err
	}
	moves := []move{{model.VolunteerRecord, record.ID, string(record.State), string(model.RecordCorrected), c.Reason}}
	if *c.Kind == model.CorrectionChange {
		row := s.correctedRecord(actor, record, *c, approval)
		if err := insertRecordsTx(tx, []model.ServiceRecord{row}); err != nil {
			return err
		}
		c.ResultRecordID = &row.ID
		moves = append(moves, move{object: model.VolunteerRecord, id: row.ID, to: string(row.State), reason: c.Reason})
	}
	return s.recordMovesTx(tx, actor, moves)
}

func (s *Service) correctedRecord(actor authz.Actor, old recordRow, c Correction, approval model.Approval) model.ServiceRecord {
	now := s.now()
	row := old.ServiceRecord
	row.ID, row.Kind, row.State, row.Approval, row.AttendanceID, row.EarnsPoints = s.clock.NewID(), model.RecordCorrection, model.RecordEffective, approval, nil, 0
	row.StartedAt, row.EndedAt, row.Minutes, row.QualityRating = *c.StartedAt, *c.EndedAt, *c.Minutes, c.QualityRating
	row.RecorderID, row.RecorderName, row.Reason = *c.ProposedBy, c.ProposerName, c.Reason
	row.DecidedBy, row.DecidedAt, row.CreatedAt = &actor.ID, &now, now
	return row
}

// lockRecordTx locks the person behind a record and reads the record.
func lockRecordTx(tx *gorm.DB, id string) (recordRow, error) {
	rows, err := lockRecordsTx(tx, []string{id})
	if err != nil {
		return recordRow{}, err
	}
	return rows[0], nil
}

// lockCorrectionTx locks the person behind a correction and reads it with its
// record.
func lockCorrectionTx(tx *gorm.DB, id string) (c Correction, record recordRow, err error) {
	var recordIDs []string
	if err := tx.Raw("SELECT record_id FROM service_correction WHERE id = ?", id).Scan(&recordIDs).Error; err != nil {
		return c, record, err
	}
	if len(recordIDs) == 0 {
		return c, record, ErrCorrectionMissing
	}
	if record, err = lockRecordTx(tx, recordIDs[0]); err != nil {
		return c, record, err
	}
	err = tx.Raw("SELECT * FROM service_correction WHERE id = ?", id).Scan(&c).Error
	return c, record, err
}

// newCorrectionTx begins the next correction of a record; its person is locked.
func (s *Service) newCorrectionTx(tx *gorm.DB, record recordRow) (Correction, error) {
	var c Correction
	if record.State != model.RecordEffective || record.StartedAt < s.now().Add(-manualWithin) {
		return c, ErrNotCorrectable
	}
	var before struct{ Attempts, Open int64 }
	err := tx.Raw(`SELECT COUNT(*) AS attempts, COUNT(open_slot) AS open FROM service_correction WHERE record_id = ?`, record.ID).Scan(&before).Error
	switch {
	case err != nil:
		return c, err
	case before.Open > 0:
		return c, ErrCorrectionOpen
	case before.Attempts >= model.MaxCorrections:
		return c, ErrAskedOften
	}
	now := s.now()
	return Correction{
		ID: s.clock.NewID(), RecordID: record.ID, ResidentID: record.ResidentID, RegionID: record.RegionID, Attempt: before.Attempts + 1,
		CreatedAt: now,
	}, nil
}

// openOrNewTx takes up what the volunteer has asked, or begins a correction.
func (s *Service) openOrNewTx(tx *gorm.DB, record recordRow) (Correction, error) {
	var asked []Correction
	err := tx.Raw("SELECT * FROM service_correction WHERE record_id = ? AND state = ?", record.ID, model.CorrectionAsked).Scan(&asked).Error
	if err != nil {
		return Correction{}, err
	}
	if len(asked) == 0 {
		return s.newCorrectionTx(tx, record)
	}
	if record.State != model.RecordEffective {
		return Correction{}, ErrNotCorrectable
	}
	return asked[0], nil
}

// moveCorrectionTx writes the correction in its new state, and its history.
func (s *Service) moveCorrectionTx(tx *gorm.DB, actor authz.Actor, c *Correction, to model.CorrectionState, reason string) error {
	from := c.State
	if err := mayMove(correctionMoves, from, to); err != nil {
		return err
	}
	c.State, c.UpdatedAt, c.OpenSlot = to, s.now(), nil
	if to == model.CorrectionAsked || to == model.CorrectionProposed {
		c.OpenSlot = new(int64(1))
	}
	write := tx.Save
	if from == "" {
		write = tx.Create
	}
	if err := write(c).Error; err != nil {
		return err
	}
	return tx.Create(&model.ServiceCorrectionHistory{
		ID: s.clock.NewID(), CorrectionID: c.ID, FromStatus: from, ToStatus: to, ActorKind: string(actor.Kind), ActorID: actor.ID,
		Reason: reason, CreatedAt: c.UpdatedAt,
	}).Error
}

// tellOutcomeTx tells the volunteer what became of the request, or of the
// record; and who proposed it.
func (s *Service) tellOutcomeTx(ctx context.Context, tx *gorm.DB, c Correction) error {
	var notices []Notice
	if c.AskedText != "" || c.State == model.CorrectionApproved {
		notices = append(notices, Notice{Topic: NoticeCorrectionSettled, ObjectID: c.ID, ResidentIDs: []string{c.ResidentID}})
	}
	if c.ProposedBy != nil {
		notices = append(notices, Notice{Topic: NoticeCorrectionReviewed, ObjectID: c.ID, StaffIDs: []string{*c.ProposedBy}})
	}
	return s.tellTx(ctx, tx, notices...)
}

// tellTx leaves notices for service/notify, each once per object.
func (s *Service) tellTx(ctx context.Context, tx *gorm.DB, notices ...Notice) error {
	jobs := make([]queue.Job, len(notices))
	for i, n := range notices {
		jobs[i] = queue.Job{Kind: JobNotify, UniqueKey: n.Topic + ":" + n.ObjectID, Payload: n}
	}
	return queue.EnqueueTx(ctx, tx, s.clock, jobs...)
}

// orMissing is err, or missing where there is no error but no right either.
func orMissing(err error, missing *fault.Error) error {
	if err != nil {
		return err
	}
	return missing
}

// closeCorrectionsTx withdraws what a resident who leaves has asked, and drops
// the words.
func (s *Service) closeCorrectionsTx(tx *gorm.DB, actor authz.Actor, residentID string) error {
	var open []Correction
	err := tx.Raw("SELECT * FROM service_correction WHERE resident_id = ? AND open_slot = 1 ORDER BY id", residentID).Scan(&open).Error
	if err != nil {
		return err
	}
	for i := range open { // a person has a handful of them
		if err := s.moveCorrectionTx(tx, actor, &open[i], model.CorrectionWithdrawn, "账号已注销"); err != nil {
			return err
		}
	}
	return tx.Exec("UPDATE service_correction SET asked_text = '' WHERE resident_id = ?", residentID).Error
}

// otherSpansTx returns the times of the other records of residents on a day.
func otherSpansTx(tx *gorm.DB, recordID string, residentIDs []string, day clock.Day) (map[string][]span, error) {
	return spansWhereTx(tx, residentIDs, day, "id <> ?", recordID)
}
