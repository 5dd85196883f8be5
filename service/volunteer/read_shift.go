package volunteer

import (
	"context"
	"fmt"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
)

// ShiftMove is what somebody did with a person's attendance at a shift.
type ShiftMove struct {
	model.VolunteerHistory
	SignupID  string
	Nickname  string
	ActorName string
}

// ShiftMoves lists what staff did with the attendances of a shift, marks by
// hand, confirmations and refusals with their reasons, newest first. What
// residents did by code themselves is left out: the attendance says it.
func (s *Service) ShiftMoves(ctx context.Context, actor authz.Actor, shiftID string, page paging.Request) (paging.Page[ShiftMove], error) {
	var none paging.Page[ShiftMove]
	key, err := page.Key(1)
	if err != nil {
		return none, err
	}
	if _, err := s.shiftFor(s.db.Read(ctx), actor, shiftID, readers); err != nil {
		return none, err
	}
	q := s.db.Read(ctx).Table("signup g").Joins("JOIN attendance a ON a.signup_id = g.id").
		Joins("JOIN volunteer_history h ON h.object_id = a.id").Joins("JOIN resident p ON p.id = g.resident_id").
		Joins("LEFT JOIN staff f ON f.id = h.actor_id").
		Select("h.*, g.id AS signup_id, p.nickname, COALESCE(f.name, '') AS actor_name").
		Where("g.shift_id = ? AND h.object_type = ? AND h.actor_kind = ?", shiftID, model.VolunteerAttendance, authz.KindStaff)
	if key != nil {
		q = q.Where("h.id < ?", key[0])
	}
	var rows []ShiftMove
	if err := q.Order("h.id DESC").Limit(page.Size() + 1).Scan(&rows).Error; err != nil {
		return none, fmt.Errorf("volunteer: shift moves: %w", err)
	}
	return paging.Of(rows, page, func(m ShiftMove) []string { return []string{m.ID} }), nil
}
