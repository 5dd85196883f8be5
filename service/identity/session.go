package identity

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/model"
)

// Tokens is what a login or a refresh gives.
type Tokens struct {
	Kind             authz.Kind
	PrincipalID      string
	SessionID        string
	AccessToken      string
	AccessExpiresAt  clock.Instant
	RefreshToken     string // good for one refresh
	RefreshExpiresAt clock.Instant
}

// startSessionTx opens a session for the principal, whose row the caller has
// locked, and ends the longest unused ones beyond Config.MaxSessions.
func (s *Service) startSessionTx(tx *gorm.DB, kind authz.Kind, principalID string) (Tokens, error) {
	now := s.now()
	var surplus []string
	err := tx.Raw(`SELECT id FROM session WHERE principal_id = ? AND revoked_at IS NULL
		ORDER BY last_used_at DESC, id DESC LIMIT 100 OFFSET ?`, principalID, s.cfg.MaxSessions-1).Scan(&surplus).Error
	if err != nil {
		return Tokens{}, fmt.Errorf("identity: list sessions: %w", err)
	}
	if len(surplus) > 0 {
		if err := revokeTx(tx, now, model.RevokedByTooMany, "id IN ?", surplus); err != nil {
			return Tokens{}, err
		}
	}
	session := model.Session{ID: s.clock.NewID(), Kind: string(kind), PrincipalID: principalID, CreatedAt: now, LastUsedAt: now}
	if err := tx.Create(&session).Error; err != nil {
		return Tokens{}, fmt.Errorf("identity: create session: %w", err)
	}
	token, err := newRefresh()
	if err != nil {
		return Tokens{}, err
	}
	row, err := s.storeRefreshTx(tx, session.ID, s.clock.NewID(), token, now)
	if err != nil {
		return Tokens{}, err
	}
	return s.issue(kind, principalID, row, token)
}

func (s *Service) storeRefreshTx(tx *gorm.DB, sessionID, id, token string, now clock.Instant) (model.RefreshToken, error) {
	hash, _ := refreshHash(token)
	row := model.RefreshToken{ID: id, SessionID: sessionID, Hash: hash, ExpiresAt: now.Add(s.cfg.RefreshTTL), CreatedAt: now}
	if err := tx.Create(&row).Error; err != nil {
		return row, fmt.Errorf("identity: store refresh token: %w", err)
	}
	return row, nil
}

func (s *Service) issue(kind authz.Kind, principalID string, row model.RefreshToken, refresh string) (Tokens, error) {
	access, expires, err := s.tokens.access(kind, principalID, row.SessionID)
	if err != nil {
		return Tokens{}, err
	}
	return Tokens{
		Kind: kind, PrincipalID: principalID, SessionID: row.SessionID,
		AccessToken: access, AccessExpiresAt: expires,
		RefreshToken: refresh, RefreshExpiresAt: row.ExpiresAt,
	}, nil
}

type refreshRow struct {
	ID          string
	SessionID   string
	ExpiresAt   clock.Instant
	UsedAt      *clock.Instant
	ReplacedBy  *string
	Kind        authz.Kind
	PrincipalID string
	RevokedAt   *clock.Instant
}

// Refresh exchanges a refresh token of the given kind for a new pair.
//
// Each token works once. A token that comes again means that two parties hold
// it, one of them a thief, so the whole session is revoked (RFC 9700, 4.14.2).
// One case is told apart: within Config.RefreshGrace of the exchange, and as
// long as the successor has not been used itself, the old token gives the
// same successor once more. That serves two tabs that refresh together and a
// client that lost the answer; a thief gains nothing by it, since the session
// still has one living token, whose second use ends it.
//
// Errors: ErrRefreshInvalid (unknown, expired or of another kind),
// ErrRefreshReused, ErrSessionRevoked, ErrAccountFrozen, ErrStaffDisabled.
func (s *Service) Refresh(ctx context.Context, kind authz.Kind, refreshToken string) (Tokens, error) {
	hash, ok := refreshHash(refreshToken)
	if !ok {
		return Tokens{}, ErrRefreshInvalid
	}
	var (
		tokens Tokens
		reused string // the principal whose session was revoked
	)
	err := database.InTx(ctx, s.db, func(tx *gorm.DB) (err error) {
		reused = ""
		row, err := s.lockRefreshTx(tx, kind, hash)
		if err != nil {
			return err
		}
		switch {
		case row.UsedAt == nil:
			tokens, err = s.rotateTx(tx, row, refreshToken)
			return err
		case s.now() <= row.UsedAt.Add(s.cfg.RefreshGrace):
			again, found, err := s.successorTx(tx, row, refreshToken)
			if err != nil || found {
				tokens = again
				return err
			}
		}
		reused = row.PrincipalID
		return revokeTx(tx, s.now(), model.RevokedByRefreshReuse, "id = ?", row.SessionID)
	})
	switch {
	case err != nil:
		return Tokens{}, err
	case reused != "":
		s.actors.purge(reused)
		return Tokens{}, ErrRefreshReused
	default:
		return tokens, nil
	}
}

// lockRefreshTx locks the token and its session and checks all but its use.
func (s *Service) lockRefreshTx(tx *gorm.DB, kind authz.Kind, hash string) (refreshRow, error) {
	var rows []refreshRow
	err := tx.Raw(`SELECT t.id, t.session_id, t.expires_at, t.used_at, t.replaced_by, s.kind, s.principal_id, s.revoked_at
		FROM refresh_token t JOIN session s ON s.id = t.session_id WHERE t.hash = ?`+database.ForUpdate(tx), hash).Scan(&rows).Error
	if err != nil {
		return refreshRow{}, fmt.Errorf("identity: read refresh token: %w", err)
	}
	if len(rows) == 0 || rows[0].Kind != kind {
		return refreshRow{}, ErrRefreshInvalid
	}
	row := rows[0]
	if err := principalMayActTx(tx, kind, row.PrincipalID); err != nil {
		return refreshRow{}, err
	}
	switch {
	case row.RevokedAt != nil:
		return refreshRow{}, ErrSessionRevoked
	case row.UsedAt == nil && row.ExpiresAt <= s.now():
		return refreshRow{}, ErrRefreshInvalid
	}
	return row, nil
}

func principalMayActTx(tx *gorm.DB, kind authz.Kind, id string) error {
	var status string
	query := "SELECT status FROM resident WHERE id = ?"
	if kind == authz.KindStaff {
		query = "SELECT status FROM staff WHERE id = ?"
	}
	if err := tx.Raw(query, id).Scan(&status).Error; err != nil {
		return fmt.Errorf("identity: read status: %w", err)
	}
	if kind == authz.KindResident {
		return residentMayAct(model.ResidentStatus(status))
	}
	if model.StaffStatus(status) != model.StaffActive {
		return ErrStaffDisabled
	}
	return nil
}

func (s *Service) rotateTx(tx *gorm.DB, old refreshRow, oldToken string) (Tokens, error) {
	now, id := s.now(), s.clock.NewID()
	token := s.tokens.successor(oldToken, id)
	row, err := s.storeRefreshTx(tx, old.SessionID, id, token, now)
	if err != nil {
		return Tokens{}, err
	}
	err = database.RequireRows(tx.Exec("UPDATE refresh_token SET used_at = ?, replaced_by = ? WHERE id = ? AND used_at IS NULL",
		now, id, old.ID), 1)
	if err != nil {
		return Tokens{}, fmt.Errorf("identity: use refresh token: %w", err)
	}
	err = database.RequireRows(tx.Exec("UPDATE session SET last_used_at = ? WHERE id = ? AND revoked_at IS NULL", now, old.SessionID), 1)
	if err != nil {
		return Tokens{}, fmt.Errorf("identity: touch session: %w", err)
	}
	return s.issue(old.Kind, old.PrincipalID, row, token)
}

// successorTx makes the successor of a used token again; found is false if it
// was used already (or the secret has changed since).
func (s *Service) successorTx(tx *gorm.DB, old refreshRow, oldToken string) (tokens Tokens, found bool, err error) {
	token := s.tokens.successor(oldToken, *old.ReplacedBy)
	hash, _ := refreshHash(token)
	var rows []model.RefreshToken
	err = tx.Raw("SELECT * FROM refresh_token WHERE id = ? AND hash = ? AND used_at IS NULL", *old.ReplacedBy, hash).Scan(&rows).Error
	if err != nil {
		return Tokens{}, false, fmt.Errorf("identity: read successor: %w", err)
	}
	if len(rows) == 0 {
		return Tokens{}, false, nil
	}
	tokens, err = s.issue(old.Kind, old.PrincipalID, rows[0], token)
	return tokens, err == nil, err
}

// Logout ends the actor's session. Once is as good as twice.
func (s *Service) Logout(ctx context.Context, actor authz.Actor) error {
	if actor.SessionID == "" {
		return authz.ErrAnonymous
	}
	return s.revoke(ctx, actor, model.RevokedByLogout, "id = ? AND principal_id = ?", actor.SessionID, actor.ID)
}

// LogoutEverywhere ends every session of the actor, this one included.
func (s *Service) LogoutEverywhere(ctx context.Context, actor authz.Actor) error {
	if actor.SessionID == "" {
		return authz.ErrAnonymous
	}
	return s.revoke(ctx, actor, model.RevokedByLogoutEverywhere, "principal_id = ?", actor.ID)
}

func (s *Service) revoke(ctx context.Context, actor authz.Actor, reason model.RevokeReason, where string, args ...any) error {
	err := database.InTx(ctx, s.db, func(tx *gorm.DB) error { return revokeTx(tx, s.now(), reason, where, args...) })
	s.actors.purge(actor.ID)
	return err
}

func revokeTx(tx *gorm.DB, now clock.Instant, reason model.RevokeReason, where string, args ...any) error {
	err := tx.Exec("UPDATE session SET revoked_at = ?, revoke_reason = ? WHERE revoked_at IS NULL AND "+where,
		append([]any{now, reason}, args...)...).Error
	if err != nil {
		return fmt.Errorf("identity: revoke sessions: %w", err)
	}
	return nil
}

// PurgeSessions deletes up to limit sessions, with their tokens, that nobody
// can use any more, and returns how many there were. A job calls it until it
// returns less than limit.
func (s *Service) PurgeSessions(ctx context.Context, actor authz.Actor, limit int) (int, error) {
	if !actor.IsSystem() {
		return 0, authz.ErrForbidden
	}
	// A token outlives its session's last use by RefreshTTL at most; a revoked
	// session is kept as long, as a trace of what happened.
	before := s.now().Add(-s.cfg.RefreshTTL)
	var ids []string
	err := database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		ids = nil
		err := tx.Raw("SELECT id FROM session WHERE last_used_at < ? ORDER BY last_used_at LIMIT ?", before, limit).Scan(&ids).Error
		if err != nil || len(ids) == 0 {
			return err
		}
		if err := tx.Exec("DELETE FROM refresh_token WHERE session_id IN ?", ids).Error; err != nil {
			return err
		}
		return tx.Exec("DELETE FROM session WHERE id IN ?", ids).Error
	})
	if err != nil {
		return 0, fmt.Errorf("identity: purge sessions: %w", err)
	}
	return len(ids), nil
}
