package recourse

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/paging"
	"jiamenkou/internal/queue"
	"jiamenkou/model"
	"jiamenkou/service/identity"
	"jiamenkou/service/ledger"
)

// sourceAdjustment is the source type of a journal row that an adjustment
// posts; its id is the adjustment's.
const sourceAdjustment = "adjustment"

// adjustmentMoves is every allowed move of an adjustment.
var adjustmentMoves = map[model.AdjustmentStatus][]model.AdjustmentStatus{
	"":                       {model.AdjustmentProposed},
	model.AdjustmentProposed: {model.AdjustmentApproved, model.AdjustmentRejected, model.AdjustmentExpired},
}

// AdjustmentInput is what an operator proposes.
type AdjustmentInput struct {
	Kind           model.AdjustmentKind
	ResidentID     string    // of a credit or a debit
	Amount         int64     // points of a credit or a debit, 1..DailyAdjustmentPoints
	BudgetID       string    // of a credit or a debit: the resident's region's, or one above
	ExpiresOn      clock.Day // of a credit; "": the end of the following year
	TransferID     string    // of a reversal: the entry to take back, as a whole
	ReasonCode     model.AdjustmentReason
	ReasonText     string // at most 200 characters, needed with "other"
	ObjectionID    string // the objection that it answers, "" if none
	IdempotencyKey string
}

func (in AdjustmentInput) validate() error {
	var f fault.Fields
	switch in.Kind {
	case model.AdjustmentCredit, model.AdjustmentDebit:
		f.Add(in.ResidentID != "", "resident_id", "请选择居民")
		f.Add(in.BudgetID != "", "budget_id", "请选择积分预算")
		f.Add(in.Amount >= 1 && in.Amount <= ledger.MaxAmount, "points", "积分应为大于零的整数")
		f.Add(in.TransferID == "", "transfer_id", "只有撤销才填写明细编号")
	case model.AdjustmentReverse:
		f.Add(in.TransferID != "", "transfer_id", "请选择要撤销的明细")
		f.Add(in.Amount == 0 && in.BudgetID == "", "points", "撤销按原数额整笔办理，不填写积分和预算")
	default:
		f.Add(false, "kind", "请选择补发、扣减或撤销")
	}
	if in.ExpiresOn != "" {
		_, err := clock.ParseDay(string(in.ExpiresOn))
		f.Add(err == nil && in.Kind == model.AdjustmentCredit, "expires_on", "有效期应为日期，只有补发才填写")
	}
	f.Add(slices.ContainsFunc(model.AdjustmentReasons(), func(r model.AdjustmentReasonName) bool { return r.Code == in.ReasonCode }),
		"reason_code", "请从列表中选择原因")
	if in.ReasonCode == model.ReasonOther {
		checkText(&f, "reason_text", in.ReasonText, 2, 200)
	} else {
		checkText(&f, "reason_text", in.ReasonText, 0, 200)
	}
	checkKey(&f, in.IdempotencyKey)
	return f.Err(codeInvalid)
}

func (in AdjustmentInput) hash() string {
	return hashInput(in.Kind, in.ResidentID, in.Amount, in.BudgetID, in.ExpiresOn, in.TransferID, in.ReasonCode,
		strings.TrimSpace(in.ReasonText), in.ObjectionID)
}

// Propose writes down what an operator wants to move by hand; nothing moves
// until another operator approves. It counts against the operator's points of
// the day. A replay with the same key returns the first answer. Errors:
// ErrResidentMissing, ErrEntryMissing, ErrNotReversible, ErrBudgetMissing,
// ErrBudgetUnfit, ErrObjectionMissing, ErrOwnWallet, ErrDailyLimit,
// ErrKeyConflict, field faults, ledger.ErrAlreadyReversed.
func (s *Service) Propose(ctx context.Context, actor authz.Actor, in AdjustmentInput) (Adjustment, error) {
	if actor.Kind != authz.KindStaff {
		return Adjustment{}, authz.ErrForbidden // four eyes are people's
	}
	if err := in.validate(); err != nil {
		return Adjustment{}, err
	}
	if row, found, err := s.proposed(ctx, actor, in); found || err != nil {
		return row, err
	}
	var row Adjustment
	err := database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		var err error
		if row, err = s.draftTx(ctx, tx, actor, in); err != nil {
			return err
		}
		// Its unique key makes a second call with the same key wait here.
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		if err := s.countTx(tx, actor, row.Amount); err != nil {
			return err
		}
		if err := s.moveAdjustmentTx(tx, actor, row.ID, "", row.Status, row.ReasonText); err != nil {
			return err
		}
		return s.recordTx(tx, actor, "adjustment.propose", row, row.ReasonText)
	})
	if database.IsDuplicate(err) {
		if first, found, replayErr := s.proposed(ctx, actor, in); found || replayErr != nil {
			return first, replayErr
		}
	}
	if err != nil {
		return Adjustment{}, err
	}
	return row, nil
}

// proposed finds the first answer to a key.
func (s *Service) proposed(ctx context.Context, actor authz.Actor, in AdjustmentInput) (row Adjustment, found bool, err error) {
	err = s.db.Read(ctx).Where("proposed_by = ? AND idempotency_key = ?", actor.ID, in.IdempotencyKey).Take(&row).Error
	switch {
	case errors.Is(err, gorm.ErrRecordNotFound):
		return Adjustment{}, false, nil
	case err != nil:
		return Adjustment{}, false, fmt.Errorf("recourse: proposal: %w", err)
	case row.InputHash != in.hash():
		return Adjustment{}, true, ErrKeyConflict
	}
	return asProposed(row), true, nil
}

// asProposed is an adjustment as it was before anybody decided.
func asProposed(a Adjustment) Adjustment {
	a.Status, a.UpdatedAt = model.AdjustmentProposed, a.CreatedAt
	a.DecidedBy, a.DecidedAt, a.DecisionReason, a.DecisionKey, a.DecisionHash = nil, nil, "", nil, nil
	a.JournalID, a.TransferID = nil, nil
	return a
}

// draftTx checks the scope and fills the row.
func (s *Service) draftTx(ctx context.Context, tx *gorm.DB, actor authz.Actor, in AdjustmentInput) (Adjustment, error) {
	now := clock.Now(s.clock)
	row := Adjustment{
		ID: s.clock.NewID(), Kind: in.Kind, ResidentID: in.ResidentID, Amount: in.Amount, ReasonCode: in.ReasonCode,
		ReasonText: strings.TrimSpace(in.ReasonText), Status: model.AdjustmentProposed, ProposedBy: actor.ID,
		IdempotencyKey: in.IdempotencyKey, InputHash: in.hash(), DecideBy: now.Add(s.cfg.AdjustmentTTL), CreatedAt: now, UpdatedAt: now,
	}
	if in.Kind == model.AdjustmentReverse {
		if err := s.draftReverseTx(tx, in, &row); err != nil {
			return row, err
		}
	}
	at, err := homeOf(tx, row.ResidentID)
	if err != nil {
		return row, err
	}
	if at.RegionID == "" || actor.InRegion(at.Path, authz.RoleOperator) != nil {
		if in.Kind == model.AdjustmentReverse {
			return row, ErrEntryMissing
		}
		return row, ErrResidentMissing
	}
	if err := requireOthersTx(tx, actor, row.ResidentID); err != nil {
		return row, err
	}
	row.RegionID, row.ScopeRegionID = at.RegionID, grantUsed(actor, at.Path)
	if in.Kind == model.AdjustmentReverse {
		if by, err := s.ledger.ReversedBy(ctx, in.TransferID); err != nil {
			return row, err
		} else if by != "" {
			return row, ledger.ErrAlreadyReversed
		}
	} else if err := s.draftBudgetTx(tx, in, at, &row); err != nil {
		return row, err
	}
	if in.ObjectionID == "" {
		return row, nil
	}
	var objection model.Objection
	err = tx.Where("id = ? AND resident_id = ?", in.ObjectionID, row.ResidentID).Take(&objection).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return row, ErrObjectionMissing
	}
	row.ObjectionID = &in.ObjectionID
	return row, err
}

func (s *Service) draftReverseTx(tx *gorm.DB, in AdjustmentInput, row *Adjustment) error {
	t, kind, err := s.ledger.TransferTx(tx, in.TransferID)
	if errors.Is(err, ledger.ErrTransferMissing) {
		return ErrEntryMissing
	}
	if err != nil {
		return err
	}
	wallet := ledger.AccountID(t.CreditAccountID)
	if wallet.Kind() != model.AccountWallet {
		wallet = ledger.AccountID(t.DebitAccountID)
	}
	row.ResidentID, row.Amount, row.ReversesTransferID = wallet.OwnerID(), t.Amount, &in.TransferID
	switch {
	case wallet.Kind() != model.AccountWallet, in.ResidentID != "" && in.ResidentID != row.ResidentID:
		return ErrEntryMissing
	case kind != model.JournalEarn && kind != model.JournalAdjust:
		return ErrNotReversible // a capture belongs to an order: the merchant takes it back
	}
	return nil
}

func (s *Service) draftBudgetTx(tx *gorm.DB, in AdjustmentInput, at home, row *Adjustment) error {
	var budget model.Budget
	err := tx.Where("id = ?", in.BudgetID).Take(&budget).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return ErrBudgetMissing
	}
	if err != nil {
		return fmt.Errorf("recourse: budget: %w", err)
	}
	today := clock.Today(s.clock)
	if !slices.Contains(model.RegionPathIDs(at.Path), budget.RegionID) || today < budget.StartsOn || budget.EndsOn < today {
		return ErrBudgetUnfit
	}
	row.BudgetID = &in.BudgetID
	if in.Kind != model.AdjustmentCredit {
		return nil
	}
	year := today.Start().Time().Year()
	day := in.ExpiresOn
	if day == "" {
		day = clock.Day(fmt.Sprintf("%04d-12-31", year+1))
	}
	var f fault.Fields
	f.Add(day >= today && day <= today.AddDays(3650), "expires_on", "有效期应在今天到十年之间")
	row.ExpiresOn = &day
	return f.Err(codeInvalid)
}

// grantUsed is the highest region over which the actor is an operator and that
// contains the path: the approver must stand there or above.
func grantUsed(actor authz.Actor, path string) string {
	var used authz.Grant
	for _, g := range actor.Grants {
		if g.Role == authz.RoleOperator && g.RegionPath != "" && strings.HasPrefix(path, g.RegionPath) &&
			(used.RegionPath == "" || len(g.RegionPath) < len(used.RegionPath)) {
			used = g
		}
	}
	return used.RegionID
}

// countTx counts points against the operator's day; a CHECK keeps the limit.
func (s *Service) countTx(tx *gorm.DB, actor authz.Actor, points int64) error {
	limit := s.cfg.DailyAdjustmentPoints
	if points > limit {
		return ErrDailyLimit
	}
	day := model.AdjustmentDay{ActorID: actor.ID, Day: clock.Today(s.clock), LimitPoints: limit}
	if err := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&day).Error; err != nil {
		return fmt.Errorf("recourse: count the day: %w", err)
	}
	res := tx.Exec(`UPDATE adjustment_day SET used_points = used_points + ?, limit_points = ?
		WHERE actor_id = ? AND day = ? AND used_points + ? <= ?`, points, limit, actor.ID, day.Day, points, limit)
	if res.Error != nil {
		return fmt.Errorf("recourse: count the day: %w", res.Error)
	}
	if res.RowsAffected == 0 {
		return ErrDailyLimit
	}
	return nil
}

// moveAdjustmentTx writes the history of a move that the table allows.
func (s *Service) moveAdjustmentTx(tx *gorm.DB, actor authz.Actor, id string, from, to model.AdjustmentStatus, reason string) error {
	if !slices.Contains(adjustmentMoves[from], to) {
		return ErrAdjustmentDecided
	}
	return tx.Create(&model.AdjustmentHistory{
		ID: s.clock.NewID(), AdjustmentID: id, FromStatus: from, ToStatus: to, ActorKind: string(actor.Kind), ActorID: actor.ID,
		Reason: reason, CreatedAt: clock.Now(s.clock),
	}).Error
}

type adjustmentDetail struct {
	Kind       model.AdjustmentKind   `json:"kind"`
	Points     int64                  `json:"points"`
	ReasonCode model.AdjustmentReason `json:"reason_code"`
	ProposedBy string                 `json:"proposed_by"`
}

func (s *Service) recordTx(tx *gorm.DB, actor authz.Actor, action string, a Adjustment, reason string) error {
	return s.trail.RecordTx(tx, identity.AuditEntry{
		Actor: actor, Action: action, ObjectType: "adjustment", ObjectID: a.ID, RegionID: a.RegionID, Reason: reason,
		Detail: adjustmentDetail{a.Kind, a.Amount, a.ReasonCode, a.ProposedBy},
	})
}

// Decision is an approver's yes or no.
type Decision struct {
	AdjustmentID   string
	Reason         string // at most 200 characters; a rejection needs 2
	IdempotencyKey string
}

// Approve posts an adjustment: the decision of a second operator, who holds a
// grant over the region of the proposer's grant or one above it. A replay with
// the same key returns the first answer. If the points cannot move, nothing is
// decided. Errors: ErrAdjustmentMissing, ErrAdjustmentDecided,
// ErrAdjustmentExpired, ErrSelfApproval, ErrOwnWallet, ErrLowerRegion,
// ErrKeyConflict, field faults, ledger.ErrInsufficientPoints, ledger.ErrBudgetExhausted,
// ledger.ErrAlreadyReversed, ledger.ErrAccountFrozen.
func (s *Service) Approve(ctx context.Context, actor authz.Actor, in Decision) (Adjustment, error) {
	var f fault.Fields
	checkText(&f, "reason", in.Reason, 0, 200)
	checkKey(&f, in.IdempotencyKey)
	if err := f.Err(codeInvalid); err != nil {
		return Adjustment{}, err
	}
	return s.decide(ctx, actor, in, model.AdjustmentApproved)
}

// Reject ends an adjustment without moving points. Errors as with Approve.
func (s *Service) Reject(ctx context.Context, actor authz.Actor, in Decision) (Adjustment, error) {
	var f fault.Fields
	checkText(&f, "reason", in.Reason, 2, 200)
	checkKey(&f, in.IdempotencyKey)
	if err := f.Err(codeInvalid); err != nil {
		return Adjustment{}, err
	}
	return s.decide(ctx, actor, in, model.AdjustmentRejected)
}

func (s *Service) decide(ctx context.Context, actor authz.Actor, in Decision, to model.AdjustmentStatus) (Adjustment, error) {
	if actor.Kind != authz.KindStaff {
		return Adjustment{}, authz.ErrForbidden
	}
	hash := hashInput(in.AdjustmentID, to, strings.TrimSpace(in.Reason))
	if first, found, err := s.decided(ctx, actor, in.IdempotencyKey, hash); found || err != nil {
		return first, err
	}
	var row Adjustment
	err := database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		var err error
		if row, err = s.lockAdjustmentTx(tx, actor, in.AdjustmentID); err != nil {
			return err
		}
		if row.DecidedBy != nil && *row.DecidedBy == actor.ID && *row.DecisionKey == in.IdempotencyKey {
			if *row.DecisionHash != hash {
				return ErrKeyConflict
			}
			return nil // the same call, a moment before
		}
		if err := s.mayDecideTx(tx, actor, row); err != nil {
			return err
		}
		now := clock.Now(s.clock)
		row.DecidedBy, row.DecidedAt, row.DecisionReason = &actor.ID, &now, strings.TrimSpace(in.Reason)
		row.DecisionKey, row.DecisionHash, row.UpdatedAt = &in.IdempotencyKey, &hash, now
		if err := s.moveAdjustmentTx(tx, actor, row.ID, row.Status, to, row.DecisionReason); err != nil {
			return err
		}
		row.Status = to
		action := "adjustment.reject"
		if to == model.AdjustmentApproved {
			action = "adjustment.approve"
			if err := s.postTx(ctx, tx, actor, &row); err != nil {
				return err
			}
		}
		if err := s.recordTx(tx, actor, action, row, row.DecisionReason); err != nil {
			return err
		}
		return tx.Save(&row).Error
	})
	if database.IsDuplicate(err) { // the key decided something else
		if _, found, replayErr := s.decided(ctx, actor, in.IdempotencyKey, hash); found || replayErr != nil {
			return Adjustment{}, replayErr
		}
	}
	if err != nil {
		return Adjustment{}, err
	}
	return row, nil
}

func (s *Service) decided(ctx context.Context, actor authz.Actor, key, hash string) (row Adjustment, found bool, err error) {
	err = s.db.Read(ctx).Where("decided_by = ? AND decision_key = ?", actor.ID, key).Take(&row).Error
	switch {
	case errors.Is(err, gorm.ErrRecordNotFound):
		return Adjustment{}, false, nil
	case err != nil:
		return Adjustment{}, false, fmt.Errorf("recourse: decision: %w", err)
	case row.DecisionHash == nil || *row.DecisionHash != hash:
		return Adjustment{}, true, ErrKeyConflict
	}
	return row, true, nil
}

// lockAdjustmentTx returns an adjustment that the actor may see as an operator.
func (s *Service) lockAdjustmentTx(tx *gorm.DB, actor authz.Actor, id string) (Adjustment, error) {
	var row Adjustment
	if err := tx.Raw(`SELECT * FROM adjustment WHERE id = ?`+database.ForUpdate(tx), id).Scan(&row).Error; err != nil {
		return row, fmt.Errorf("recourse: lock adjustment: %w", err)
	}
	path, err := pathOf(tx, row.RegionID)
	if err != nil {
		return row, err
	}
	if row.ID == "" || actor.InRegion(path, authz.RoleOperator) != nil {
		return row, ErrAdjustmentMissing
	}
	return row, nil
}

func pathOf(tx *gorm.DB, regionID string) (path string, err error) {
	if err := tx.Raw(`SELECT path FROM region WHERE id = ?`, regionID).Scan(&path).Error; err != nil {
		return "", fmt.Errorf("recourse: region: %w", err)
	}
	return path, nil
}

// mayDecideTx keeps four eyes on it.
func (s *Service) mayDecideTx(tx *gorm.DB, actor authz.Actor, row Adjustment) error {
	scope, err := pathOf(tx, row.ScopeRegionID)
	if err != nil {
		return err
	}
	switch {
	case row.ProposedBy == actor.ID:
		return ErrSelfApproval
	case actor.InRegion(scope, authz.RoleOperator) != nil:
		return ErrLowerRegion
	case row.Status == model.AdjustmentExpired, row.Status == model.AdjustmentProposed && row.DecideBy <= clock.Now(s.clock):
		return ErrAdjustmentExpired
	case row.Status != model.AdjustmentProposed:
		return ErrAdjustmentDecided
	}
	return requireOthersTx(tx, actor, row.ResidentID)
}

// requireOthersTx keeps operators from their own wallets: whoever has bound the
// staff account to the WeChat account of the resident is the same person.
func requireOthersTx(tx *gorm.DB, actor authz.Actor, residentID string) error {
	var own int64
	err := tx.Raw(`SELECT COUNT(*) FROM resident p JOIN staff s ON s.openid = p.openid WHERE p.id = ? AND s.id = ?`, residentID, actor.ID).Scan(&own).Error
	if err != nil {
		return fmt.Errorf("recourse: whose wallet: %w", err)
	}
	if own > 0 {
		return ErrOwnWallet
	}
	return nil
}

// adjustmentEvidence proves that two persons agreed.
type adjustmentEvidence struct {
	AdjustmentID string                 `json:"adjustment_id"`
	Kind         model.AdjustmentKind   `json:"adjustment_kind"`
	ReasonCode   model.AdjustmentReason `json:"reason_code"`
	ProposedBy   string                 `json:"proposed_by"`
	ApprovedBy   string                 `json:"approved_by"`
	ObjectionID  string                 `json:"objection_id,omitempty"`
}

// postTx moves the points and notes what was posted.
func (s *Service) postTx(ctx context.Context, tx *gorm.DB, actor authz.Actor, row *Adjustment) error {
	proof := adjustmentEvidence{
		AdjustmentID: row.ID, Kind: row.Kind, ReasonCode: row.ReasonCode, ProposedBy: row.ProposedBy, ApprovedBy: actor.ID,
	}
	if row.ObjectionID != nil {
		proof.ObjectionID = *row.ObjectionID
	}
	evidence, err := json.Marshal(proof)
	if err != nil {
		return fmt.Errorf("recourse: evidence: %w", err)
	}
	event := ledger.Event{
		SourceType: sourceAdjustment, SourceID: row.ID, ActorID: actor.ID, Evidence: string(evidence), Reason: reasonText(*row),
	}
	var outcomes []ledger.Outcome
	if row.Kind == model.AdjustmentReverse {
		outcomes, err = s.ledger.ReverseTx(ctx, tx, []ledger.Reverse{{Event: event, TransferID: *row.ReversesTransferID}})
	} else {
		item := ledger.Adjust{Event: event, BudgetID: *row.BudgetID, ResidentID: row.ResidentID, Amount: row.Amount}
		if row.Kind == model.AdjustmentDebit {
			item.Amount = -row.Amount
		} else {
			item.ExpiresOn = *row.ExpiresOn
		}
		outcomes, err = s.ledger.AdjustTx(ctx, tx, []ledger.Adjust{item})
	}
	if err != nil {
		return err
	}
	if err := outcomes[0].Err; err != nil {
		return err
	}
	row.JournalID, row.TransferID = &outcomes[0].JournalID, &outcomes[0].TransferID
	return queue.EnqueueTx(ctx, tx, s.clock, noticeOf(NoticeAdjusted, row.ID, row.ResidentID))
}

// reasonText is what the resident reads in the statement.
func reasonText(a Adjustment) string {
	name := ""
	for _, r := range model.AdjustmentReasons() {
		if r.Code == a.ReasonCode {
			name = r.Name
		}
	}
	if a.ReasonText == "" {
		return name
	}
	text := []rune(name + "：" + a.ReasonText)
	return string(text[:min(len(text), 200)])
}

// AdjustmentFilter narrows a list; zero fields do not.
type AdjustmentFilter struct {
	Status      model.AdjustmentStatus
	Kind        model.AdjustmentKind
	ReasonCode  model.AdjustmentReason
	ResidentID  string
	ObjectionID string
	ProposedBy  string
}

// AdjustmentOrder is how adjustments can be sorted.
var AdjustmentOrder = paging.NewOrder("-proposed_at",
	paging.Text("proposed_at", "x.id", func(a Adjustment) string { return a.ID }),
	paging.Number("decide_by", "x.decide_by", func(a Adjustment) clock.Instant { return a.DecideBy }),
	paging.Number("points", "x.amount", func(a Adjustment) int64 { return a.Amount }),
)

// Adjustments lists the adjustments in the actor's regions, newest first unless
// sorted by AdjustmentOrder.
func (s *Service) Adjustments(ctx context.Context, actor authz.Actor, f AdjustmentFilter, page paging.Request) (paging.Page[Adjustment], error) {
	seek, err := AdjustmentOrder.Seek(page)
	if err != nil {
		return paging.Page[Adjustment]{}, err
	}
	q := scoped(s.db.Read(ctx), actor, "adjustment").Where(seek.Where, seek.Args...).Order(seek.By).Limit(seek.Limit)
	for column, value := range map[string]string{
		"x.status = ?": string(f.Status), "x.kind = ?": string(f.Kind), "x.reason_code = ?": string(f.ReasonCode),
		"x.resident_id = ?": f.ResidentID, "x.objection_id = ?": f.ObjectionID, "x.proposed_by = ?": f.ProposedBy,
	} {
		if value != "" {
			q = q.Where(column, value)
		}
	}
	var rows []Adjustment
	if err := q.Scan(&rows).Error; err != nil {
		return paging.Page[Adjustment]{}, fmt.Errorf("recourse: adjustments: %w", err)
	}
	return seek.Page(rows), nil
}

// Adjustment returns one adjustment with its history, oldest first, or
// ErrAdjustmentMissing.
func (s *Service) Adjustment(ctx context.Context, actor authz.Actor, id string) (Adjustment, []AdjustmentHistory, error) {
	db := s.db.Read(ctx)
	var row Adjustment
	if err := db.Raw(`SELECT * FROM adjustment WHERE id = ?`, id).Scan(&row).Error; err != nil {
		return row, nil, fmt.Errorf("recourse: adjustment: %w", err)
	}
	path, err := pathOf(db, row.RegionID)
	if err != nil {
		return row, nil, err
	}
	if row.ID == "" || actor.InRegion(path, authz.RoleOperator, authz.RoleAuditor) != nil {
		return Adjustment{}, nil, ErrAdjustmentMissing
	}
	var history []AdjustmentHistory
	if err := db.Where("adjustment_id = ?", id).Order("id").Find(&history).Error; err != nil {
		return row, nil, fmt.Errorf("recourse: adjustment history: %w", err)
	}
	return row, history, nil
}
