package assurance

import (
	"context"
	"strings"
	"unicode/utf8"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
	"jiamenkou/service/identity"
	"jiamenkou/service/ledger"
)

// Unfreeze lets an account be used again that an audit had frozen, and keeps in
// the audit log who says so and why (2..200 characters): the person who runs
// the program, since the account's books were touched by other ways than
// the program's. Errors: ledger.ErrNotFrozen, field faults.
func (s *Service) Unfreeze(ctx context.Context, actor authz.Actor, account ledger.AccountID, reason string) error {
	reason = strings.TrimSpace(reason)
	var f fault.Fields
	n := utf8.RuneCountInString(reason)
	f.Add(n >= 2 && n <= 200 && utf8.ValidString(reason), "reason", "请写明核对的结果，2 到 200 个字")
	if err := f.Err("assurance.invalid"); err != nil {
		return err
	}
	if !actor.IsSystem() {
		return authz.ErrForbidden
	}
	return database.InTx(ctx, s.DB, func(tx *gorm.DB) error {
		if err := s.Ledger.UnfreezeTx(ctx, tx, account); err != nil {
			return err
		}
		return s.Identity.RecordTx(tx, identity.AuditEntry{
			Actor: actor, Action: "account.unfreeze", ObjectType: "account", ObjectID: string(account), Reason: reason,
		})
	})
}
