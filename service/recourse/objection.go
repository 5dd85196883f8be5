package recourse

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/paging"
	"jiamenkou/internal/queue"
	"jiamenkou/model"
	"jiamenkou/service/ledger"
)

// objectionMoves is every allowed move of an objection.
var objectionMoves = map[model.ObjectionStatus][]model.ObjectionStatus{
	"":                      {model.ObjectionOpen},
	model.ObjectionOpen:     {model.ObjectionAnswered, model.ObjectionClosed},
	model.ObjectionAnswered: {model.ObjectionClosed},
}

const maxObjectionText = 500 // characters

// ObjectionInput is what a resident objects to.
type ObjectionInput struct {
	TransferID     string
	Text           string // 5..500 characters
	IdempotencyKey string
}

// Object opens an objection to an entry of the resident's own wallet; the
// operators of the home region answer it. A replay with the same key returns
// the first answer. Errors: ErrEntryMissing, ErrObjectionOpen,
// ErrObjectionLimit, ErrNoHome, ErrKeyConflict, field faults.
func (s *Service) Object(ctx context.Context, actor authz.Actor, in ObjectionInput) (Objection, error) {
	if err := actor.Resident(); err != nil {
		return Objection{}, err
	}
	var f fault.Fields
	checkText(&f, "text", in.Text, 5, maxObjectionText)
	checkKey(&f, in.IdempotencyKey)
	if err := f.Err(codeInvalid); err != nil {
		return Objection{}, err
	}
	hash := hashInput(in.TransferID, strings.TrimSpace(in.Text))
	if first, found, err := s.objected(ctx, actor, in.IdempotencyKey, hash); found || err != nil {
		return first, err
	}
	if _, err := s.ledger.Entry(ctx, ledger.WalletOf(actor.ID), in.TransferID); errors.Is(err, ledger.ErrTransferMissing) {
		return Objection{}, ErrEntryMissing
	} else if err != nil {
		return Objection{}, err
	}
	var row Objection
	err := database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		at, err := homeOf(tx, actor.ID)
		if err != nil {
			return err
		}
		if at.RegionID == "" {
			return ErrNoHome
		}
		var earlier []Objection
		if err := tx.Where("transfer_id = ?", in.TransferID).Find(&earlier).Error; err != nil {
			return fmt.Errorf("recourse: objections: %w", err)
		}
		if slices.ContainsFunc(earlier, func(o Objection) bool { return o.Status == model.ObjectionOpen }) {
			return ErrObjectionOpen
		}
		if len(earlier) >= model.MaxObjections {
			return ErrObjectionLimit
		}
		now := clock.Now(s.clock)
		row = Objection{
			ID: s.clock.NewID(), TransferID: in.TransferID, ResidentID: actor.ID, RegionID: at.RegionID, Attempt: int64(len(earlier)) + 1,
			OpenSlot: new(int64(1)), Status: model.ObjectionOpen, Text: strings.TrimSpace(in.Text),
			IdempotencyKey: in.IdempotencyKey, InputHash: hash, CreatedAt: now, UpdatedAt: now,
		}
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		return s.moveObjectionTx(tx, actor, row.ID, "", row.Status, "")
	})
	if database.IsDuplicate(err) {
		if first, found, replayErr := s.objected(ctx, actor, in.IdempotencyKey, hash); found || replayErr != nil {
			return first, replayErr
		}
		return Objection{}, ErrObjectionOpen // another one at the same moment
	}
	if err != nil {
		return Objection{}, err
	}
	return row, nil
}

func (s *Service) objected(ctx context.Context, actor authz.Actor, key, hash string) (row Objection, found bool, err error) {
	err = s.db.Read(ctx).Where("resident_id = ? AND idempotency_key = ?", actor.ID, key).Take(&row).Error
	switch {
	case errors.Is(err, gorm.ErrRecordNotFound):
		return Objection{}, false, nil
	case err != nil:
		return Objection{}, false, fmt.Errorf("recourse: objection: %w", err)
	case row.InputHash != hash:
		return Objection{}, true, ErrKeyConflict
	}
	return asOpened(row), true, nil
}

// asOpened is an objection as it was before anything came of it.
func asOpened(o Objection) Objection {
	o.Status, o.OpenSlot, o.UpdatedAt = model.ObjectionOpen, new(int64(1)), o.CreatedAt
	o.Answer, o.AnsweredBy, o.AnsweredAt, o.ClosedAt = "", nil, nil, nil
	return o
}

func (s *Service) moveObjectionTx(tx *gorm.DB, actor authz.Actor, id string, from, to model.ObjectionStatus, reason string) error {
	if !slices.Contains(objectionMoves[from], to) {
		return ErrObjectionState
	}
	return tx.Create(&model.ObjectionHistory{
		ID: s.clock.NewID(), ObjectionID: id, FromStatus: from, ToStatus: to, ActorKind: string(actor.Kind), ActorID: actor.ID,
		Reason: reason, CreatedAt: clock.Now(s.clock),
	}).Error
}

// Answer is the operator's word on an objection (2..500 characters): an
// operator over the region in which the resident lived. An adjustment that
// follows from it is proposed with the objection's id. Answering again with the
// same text changes nothing. Errors: ErrObjectionMissing, ErrObjectionState,
// field faults.
func (s *Service) Answer(ctx context.Context, actor authz.Actor, id, text string) (Objection, error) {
	var f fault.Fields
	checkText(&f, "answer", text, 2, maxObjectionText)
	if err := f.Err(codeInvalid); err != nil {
		return Objection{}, err
	}
	text = strings.TrimSpace(text)
	var row Objection
	err := database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		var err error
		if row, err = lockObjectionTx(tx, id); err != nil {
			return err
		}
		path, err := pathOf(tx, row.RegionID)
		if err != nil {
			return err
		}
		if actor.InRegion(path, authz.RoleOperator) != nil {
			return ErrObjectionMissing
		}
		if row.Status == model.ObjectionAnswered && row.AnsweredBy != nil && *row.AnsweredBy == actor.ID && row.Answer == text {
			return nil
		}
		if err := s.moveObjectionTx(tx, actor, id, row.Status, model.ObjectionAnswered, ""); err != nil {
			return err
		}
		now := clock.Now(s.clock)
		row.Status, row.OpenSlot, row.Answer, row.AnsweredBy, row.AnsweredAt, row.UpdatedAt = model.ObjectionAnswered, nil, text, &actor.ID, &now, now
		if err := tx.Save(&row).Error; err != nil {
			return fmt.Errorf("recourse: answer: %w", err)
		}
		return queue.EnqueueTx(ctx, tx, s.clock, noticeOf(NoticeAnswered, row.ID, row.ResidentID))
	})
	return row, err
}

// Close ends the resident's own objection: it is settled, or taken back before
// an answer. Closing again changes nothing. Errors: ErrObjectionMissing.
func (s *Service) Close(ctx context.Context, actor authz.Actor, id string) (Objection, error) {
	var row Objection
	err := database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		var err error
		if row, err = lockObjectionTx(tx, id); err != nil {
			return err
		}
		if actor.Resident() != nil || row.ResidentID != actor.ID {
			return ErrObjectionMissing
		}
		if row.Status == model.ObjectionClosed {
			return nil
		}
		if err := s.moveObjectionTx(tx, actor, id, row.Status, model.ObjectionClosed, ""); err != nil {
			return err
		}
		now := clock.Now(s.clock)
		row.Status, row.OpenSlot, row.ClosedAt, row.UpdatedAt = model.ObjectionClosed, nil, &now, now
		return tx.Save(&row).Error
	})
	return row, err
}

func lockObjectionTx(tx *gorm.DB, id string) (row Objection, err error) {
	if err := tx.Raw(`SELECT * FROM objection WHERE id = ?`+database.ForUpdate(tx), id).Scan(&row).Error; err != nil {
		return row, fmt.Errorf("recourse: lock objection: %w", err)
	}
	if row.ID == "" {
		return row, ErrObjectionMissing
	}
	return row, nil
}

// ObjectionFilter narrows a list; zero fields do not.
type ObjectionFilter struct {
	Status     model.ObjectionStatus
	ResidentID string
	TransferID string
}

// ObjectionOrder is how objections can be sorted.
var ObjectionOrder = paging.NewOrder("-created_at", paging.Text("created_at", "x.id", func(o Objection) string { return o.ID }))

// Objections lists the objections in the actor's regions, newest first unless
// sorted by ObjectionOrder.
func (s *Service) Objections(ctx context.Context, actor authz.Actor, f ObjectionFilter, page paging.Request) (paging.Page[Objection], error) {
	return objectionPage(scoped(s.db.Read(ctx), actor, "objection"), f, page)
}

// MyObjections lists the resident's own objections, newest first.
func (s *Service) MyObjections(ctx context.Context, actor authz.Actor, f ObjectionFilter, page paging.Request) (paging.Page[Objection], error) {
	if err := actor.Resident(); err != nil {
		return paging.Page[Objection]{}, err
	}
	f.ResidentID = actor.ID
	return objectionPage(s.db.Read(ctx).Table("objection x").Select("x.*"), f, page)
}

func objectionPage(q *gorm.DB, f ObjectionFilter, page paging.Request) (paging.Page[Objection], error) {
	seek, err := ObjectionOrder.Seek(page)
	if err != nil {
		return paging.Page[Objection]{}, err
	}
	q = q.Where(seek.Where, seek.Args...).Order(seek.By).Limit(seek.Limit)
	for column, value := range map[string]string{
		"x.status = ?": string(f.Status), "x.resident_id = ?": f.ResidentID, "x.transfer_id = ?": f.TransferID,
	} {
		if value != "" {
			q = q.Where(column, value)
		}
	}
	var rows []Objection
	if err := q.Scan(&rows).Error; err != nil {
		return paging.Page[Objection]{}, fmt.Errorf("recourse: objections: %w", err)
	}
	return seek.Page(rows), nil
}

// ObjectionDetail is an objection with all that belongs to it.
type ObjectionDetail struct {
	Objection
	Entry       Explanation // the entry that it is about
	History     []ObjectionHistory
	Adjustments []Adjustment
}

// Objection returns one objection for an operator or an auditor of its region,
// or for the resident who opened it, or ErrObjectionMissing.
func (s *Service) Objection(ctx context.Context, actor authz.Actor, id string) (ObjectionDetail, error) {
	db := s.db.Read(ctx)
	var out ObjectionDetail
	if err := db.Raw(`SELECT * FROM objection WHERE id = ?`, id).Scan(&out.Objection).Error; err != nil {
		return out, fmt.Errorf("recourse: objection: %w", err)
	}
	path, err := pathOf(db, out.RegionID)
	if err != nil {
		return out, err
	}
	own := actor.Resident() == nil && out.ResidentID == actor.ID
	if out.ID == "" || !own && actor.InRegion(path, authz.RoleOperator, authz.RoleAuditor) != nil {
		return ObjectionDetail{}, ErrObjectionMissing
	}
	if out.Entry, err = s.Explain(ctx, out.ResidentID, out.TransferID); err != nil {
		return out, err
	}
	if err := db.Where("objection_id = ?", id).Order("id").Find(&out.History).Error; err != nil {
		return out, fmt.Errorf("recourse: objection history: %w", err)
	}
	if err := db.Where("objection_id = ?", id).Order("id").Find(&out.Adjustments).Error; err != nil {
		return out, fmt.Errorf("recourse: objection adjustments: %w", err)
	}
	return out, nil
}

// ForgetTx closes the objections of a resident who deletes the account, and
// drops their words.
func (s *Service) ForgetTx(ctx context.Context, tx *gorm.DB, residentID string) error {
	tx = tx.WithContext(ctx)
	var open []Objection
	if err := tx.Where("resident_id = ? AND status <> ?", residentID, model.ObjectionClosed).Order("id").Find(&open).Error; err != nil {
		return fmt.Errorf("recourse: forget: %w", err)
	}
	if err := s.closeTx(tx, authz.System("identity.delete"), open, "账号已注销"); err != nil {
		return err
	}
	err := tx.Exec(`UPDATE objection SET text = '', answer = '' WHERE resident_id = ?`, residentID).Error
	if err != nil {
		return fmt.Errorf("recourse: forget: %w", err)
	}
	return nil
}
