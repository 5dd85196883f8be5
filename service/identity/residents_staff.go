package identity

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
)

type (
	// ResidentStatus is model's, for the surfaces, which do not import model.
	ResidentStatus = model.ResidentStatus
	// PIIField is what can be unmasked.
	PIIField = model.PIIField
	// PIIReason is why something is unmasked.
	PIIReason = model.PIIReason
)

// overResidents may list residents; only operators unmask.
var overResidents = []authz.Role{authz.RoleOperator, authz.RoleAuditor}

// ResidentFilter narrows a list of residents; zero fields do not.
type ResidentFilter struct {
	RegionID   string // with everything below it
	Status     ResidentStatus
	JoinedFrom clock.Instant // inclusive
	JoinedTo   clock.Instant // exclusive
}

// ResidentRecord is a resident as operators and auditors see one: masked.
type ResidentRecord struct {
	ResidentView
	MaskedPhone    string // "138****5678", "" if none is bound
	HomeRegionName string
	JoinedAt       clock.Instant
}

// ResidentOrder is how residents can be sorted.
var ResidentOrder = paging.NewOrder("-joined_at", paging.Text("joined_at", "p.id", func(r ResidentRecord) string { return r.ID }))

// ListResidents lists the residents whose home is in the actor's regions,
// newest first unless sorted by ResidentOrder. Whoever has chosen no home, or is deleted, is seen by the
// whole county only. For operators and auditors.
func (s *Service) ListResidents(ctx context.Context, actor authz.Actor, filter ResidentFilter, page paging.Request) (paging.Page[ResidentRecord], error) {
	var none paging.Page[ResidentRecord]
	where, args, err := residentScope(actor)
	if err != nil {
		return none, err
	}
	seek, err := ResidentOrder.Seek(page)
	if err != nil {
		return none, err
	}
	and := func(condition string, values ...any) {
		where, args = where+" AND "+condition, append(args, values...)
	}
	if filter.RegionID != "" {
		regions, err := regionsByID(s.db.Read(ctx), filter.RegionID)
		if err != nil {
			return none, err
		}
		from, to := model.RegionPathRange(regions[filter.RegionID].Path)
		and("r.path >= ? AND r.path < ?", from, to)
	}
	if filter.Status != "" {
		and("p.status = ?", filter.Status)
	}
	if filter.JoinedFrom != 0 {
		and("p.created_at >= ?", filter.JoinedFrom)
	}
	if filter.JoinedTo != 0 {
		and("p.created_at < ?", filter.JoinedTo)
	}
	and(seek.Where, seek.Args...)
	rows, err := s.residentRecords(s.db.Read(ctx), where+" ORDER BY "+seek.By+" LIMIT ?", append(args, seek.Limit)...)
	if err != nil {
		return none, err
	}
	return seek.Page(rows), nil
}

// residentScope keeps to the actor's regions; ErrForbidden if he may see none.
func residentScope(actor authz.Actor) (where string, args []any, err error) {
	if !actor.IsSystem() && !actor.Has(overResidents...) {
		return "", nil, authz.ErrForbidden
	}
	where, args = regionScope(actor.RegionPaths(overResidents...), actor.CountyWide(overResidents...))
	return where, args, nil
}

// StaffResident returns one resident of the actor's regions, masked. Errors:
// ErrResidentUnknown also for residents of elsewhere.
func (s *Service) StaffResident(ctx context.Context, actor authz.Actor, id string) (ResidentRecord, error) {
	where, args, err := residentScope(actor)
	if err != nil {
		return ResidentRecord{}, err
	}
	rows, err := s.residentRecords(s.db.Read(ctx), where+" AND p.id = ?", append(args, id)...)
	if err != nil {
		return ResidentRecord{}, err
	}
	if len(rows) == 0 {
		return ResidentRecord{}, ErrResidentUnknown
	}
	return rows[0], nil
}

func (s *Service) residentRecords(tx *gorm.DB, where string, args ...any) ([]ResidentRecord, error) {
	rows, err := residentRows(tx, where, args...)
	if err != nil {
		return nil, err
	}
	out := make([]ResidentRecord, len(rows))
	for i, row := range rows {
		view, err := s.view(row)
		if err != nil {
			return nil, err
		}
		phone, err := s.open(fieldPhone, row.PhoneCipher)
		if err != nil {
			return nil, err
		}
		out[i] = ResidentRecord{ResidentView: view, MaskedPhone: maskPhone(phone), HomeRegionName: deref(row.RegionName), JoinedAt: row.CreatedAt}
	}
	return out, nil
}

// maxUnmaskNote leaves room for the reason's name in one line of the log.
const maxUnmaskNote = 150 // characters

// Unmasking is a wish to see personal data in clear.
type Unmasking struct {
	Field  PIIField
	Reason PIIReason
	Note   string // at most 150 characters; needed with "other"; the resident can read it
}

func (u Unmasking) text() (string, error) {
	var f fault.Fields
	f.Add(u.Field == model.PIIPhone || u.Field == model.PIIRealName, "field", "请选择手机号或姓名")
	note := strings.TrimSpace(u.Note)
	n := utf8.RuneCountInString(note)
	f.Add(n <= maxUnmaskNote && utf8.ValidString(note), "note", "最多 150 个字")
	f.Add(u.Reason != model.PIIForOther || n >= 2, "note", "选择“其他”时请写明原因")
	reasons := model.PIIReasons()
	i := slices.IndexFunc(reasons, func(r model.PIIReasonName) bool { return r.Code == u.Reason })
	f.Add(i >= 0, "reason", "请从列表中选择原因")
	if err := f.Err(codeInput); err != nil {
		return "", err
	}
	if note == "" {
		return reasons[i].Name, nil
	}
	return reasons[i].Name + "：" + note, nil
}

type unmaskTrace struct {
	Field  PIIField  `json:"field"`
	Reason PIIReason `json:"reason"`
}

// Unmask returns a resident's phone or real name in clear, for operators of
// the home region; auditors never see them. It is recorded in pii_access,
// where the resident reads it, and in the audit trail, before the value leaves.
//
// Errors: ErrResidentUnknown, ErrNotOnRecord, field faults.
func (s *Service) Unmask(ctx context.Context, actor authz.Actor, residentID string, in Unmasking) (value string, err error) {
	if !actor.IsSystem() && !actor.Has(authz.RoleOperator) {
		return "", authz.ErrForbidden
	}
	reason, err := in.text()
	if err != nil {
		return "", err
	}
	err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		rows, err := residentRows(tx, "p.id = ?", residentID)
		if err != nil {
			return err
		}
		if len(rows) == 0 || !mayAdminister(actor, rows[0]) {
			return ErrResidentUnknown
		}
		field, sealed := fieldPhone, rows[0].PhoneCipher
		if in.Field == model.PIIRealName {
			field, sealed = fieldRealName, rows[0].RealNameCipher
		}
		if sealed == nil {
			return ErrNotOnRecord
		}
		if value, err = s.open(field, sealed); err != nil {
			return err
		}
		if err := s.recordAccessTx(tx, actor, in.Field, reason, residentID); err != nil {
			return err
		}
		return s.RecordTx(tx, AuditEntry{
			Actor: actor, Action: "resident.unmask", ObjectType: "resident", ObjectID: residentID, RegionID: deref(rows[0].HomeRegionID),
			Reason: reason, Detail: unmaskTrace{in.Field, in.Reason},
		})
	})
	if err != nil {
		return "", err
	}
	return value, nil
}
