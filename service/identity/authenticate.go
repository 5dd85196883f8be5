package identity

import (
	"context"
	"fmt"
	"time"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/model"
)

// Authenticate turns an access token into the actor it was issued to, with
// the roles that the actor holds now. It implements httpapi.Authenticator and
// costs one query, or none while the token is in the cache.
//
// Errors: ErrTokenInvalid, ErrTokenExpired (refresh, then repeat),
// ErrSessionRevoked, ErrAccountFrozen, ErrStaffDisabled.
func (s *Service) Authenticate(ctx context.Context, accessToken string) (authz.Actor, error) {
	actor, ok, generation := s.actors.get(accessToken, s.clock.Now())
	if !ok {
		var (
			expires time.Time
			err     error
		)
		if actor, expires, err = s.verify(ctx, accessToken); err != nil {
			return authz.Actor{}, err
		}
		s.actors.put(generation, accessToken, actor, expires, s.clock.Now())
	}
	actor.Grants = append([]authz.Grant(nil), actor.Grants...) // the cache's own stays untouched
	return actor, nil
}

// verify finds out whom a token belongs to, and until when it is good.
func (s *Service) verify(ctx context.Context, accessToken string) (authz.Actor, time.Time, error) {
	claims, err := s.tokens.parse(accessToken)
	if err != nil {
		return authz.Actor{}, time.Time{}, err
	}
	load := s.loadResident
	if claims.Kind == authz.KindStaff {
		load = s.loadStaff
	}
	actor, err := load(ctx, claims)
	return actor, claims.ExpiresAt.Time, err
}

func (s *Service) loadResident(ctx context.Context, claims accessClaims) (authz.Actor, error) {
	var rows []struct {
		RevokedAt *clock.Instant
		Status    model.ResidentStatus
		RegionID  *string
		Path      *string
	}
	err := s.db.Read(ctx).Raw(`SELECT s.revoked_at, p.status, p.home_region_id AS region_id, r.path
		FROM session s JOIN resident p ON p.id = s.principal_id LEFT JOIN region r ON r.id = p.home_region_id
		WHERE s.id = ? AND s.kind = 'resident' AND s.principal_id = ?`, claims.SessionID, claims.Subject).Scan(&rows).Error
	if err != nil {
		return authz.Actor{}, fmt.Errorf("identity: load session: %w", err)
	}
	if len(rows) == 0 {
		return authz.Actor{}, ErrTokenInvalid
	}
	row := rows[0]
	if err := residentMayAct(row.Status); err != nil {
		return authz.Actor{}, err
	}
	if row.RevokedAt != nil {
		return authz.Actor{}, ErrSessionRevoked
	}
	return authz.Actor{
		Kind: authz.KindResident, ID: claims.Subject, SessionID: claims.SessionID,
		RegionID: deref(row.RegionID), RegionPath: deref(row.Path),
	}, nil
}

func (s *Service) loadStaff(ctx context.Context, claims accessClaims) (authz.Actor, error) {
	var rows []struct {
		RevokedAt  *clock.Instant
		Status     model.StaffStatus
		Role       *authz.Role
		RegionID   *string
		Path       *string
		MerchantID *string
		EnrolledAt *clock.Instant
	}
	err := s.db.Read(ctx).Raw(`SELECT s.revoked_at, p.status, g.role, g.region_id, r.path, g.merchant_id, f.confirmed_at AS enrolled_at
		FROM session s JOIN staff p ON p.id = s.principal_id
		LEFT JOIN staff_grant g ON g.staff_id = p.id LEFT JOIN region r ON r.id = g.region_id
		LEFT JOIN staff_totp f ON f.staff_id = p.id
		WHERE s.id = ? AND s.kind = 'staff' AND s.principal_id = ? ORDER BY g.id`, claims.SessionID, claims.Subject).Scan(&rows).Error
	if err != nil {
		return authz.Actor{}, fmt.Errorf("identity: load session: %w", err)
	}
	if len(rows) == 0 {
		return authz.Actor{}, ErrTokenInvalid
	}
	if rows[0].Status != model.StaffActive {
		return authz.Actor{}, ErrStaffDisabled
	}
	if rows[0].RevokedAt != nil {
		return authz.Actor{}, ErrSessionRevoked
	}
	actor := authz.Actor{Kind: authz.KindStaff, ID: claims.Subject, SessionID: claims.SessionID}
	for _, row := range rows {
		if row.Role == nil {
			continue // a staff member without any grant
		}
		actor.Grants = append(actor.Grants, authz.Grant{
			Role: *row.Role, RegionID: deref(row.RegionID), RegionPath: deref(row.Path), MerchantID: deref(row.MerchantID),
		})
	}
	actor.MustEnrol = s.cfg.SecondFactor == SecondFactorRequired && rows[0].EnrolledAt == nil && actor.Has(mustEnrol...)
	return actor, nil
}

func residentMayAct(status model.ResidentStatus) error {
	switch status {
	case model.ResidentActive:
		return nil
	case model.ResidentFrozen:
		return ErrAccountFrozen
	default: // deleted: the account is gone, whatever its tokens say
		return ErrSessionRevoked
	}
}

func deref(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}

// optional turns "" into NULL.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// StaffActor returns a member of staff with the roles held now, outside of any
// session: for work that they asked for and that runs later. ErrStaffDisabled
// if the account was disabled or does not exist.
func (s *Service) StaffActor(ctx context.Context, id string) (authz.Actor, error) {
	var rows []struct {
		Role                       *authz.Role
		RegionID, Path, MerchantID *string
	}
	err := s.db.Read(ctx).Raw(`SELECT g.role, g.region_id, r.path, g.merchant_id FROM staff p
		LEFT JOIN staff_grant g ON g.staff_id = p.id LEFT JOIN region r ON r.id = g.region_id
		WHERE p.id = ? AND p.status = ? ORDER BY g.id`, id, model.StaffActive).Scan(&rows).Error
	if err != nil {
		return authz.Actor{}, fmt.Errorf("identity: load staff: %w", err)
	}
	if len(rows) == 0 {
		return authz.Actor{}, ErrStaffDisabled
	}
	actor := authz.Actor{Kind: authz.KindStaff, ID: id}
	for _, row := range rows {
		if row.Role != nil {
			actor.Grants = append(actor.Grants, authz.Grant{
				Role: *row.Role, RegionID: deref(row.RegionID), RegionPath: deref(row.Path), MerchantID: deref(row.MerchantID),
			})
		}
	}
	return actor, nil
}
