package api

import (
	"context"
	"slices"
	"time"

	"jiamenkou/internal/clock"
)

// acted is a DTO of what somebody did, with room for the name of the person.
type acted interface {
	actor() (id string, name *string)
}

// nameActors fills in the names of staff, whatever the number of DTOs by one
// query. Who is not staff keeps no name: residents are not named here, and the
// program is nobody.
func nameActors[D any, P interface {
	*D
	acted
}](ctx context.Context, s *server, dtos []D) error {
	ids := make([]string, 0, len(dtos))
	for i := range dtos {
		if id, _ := P(&dtos[i]).actor(); id != "" && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	names, err := s.Identity.StaffNames(ctx, ids)
	if err != nil {
		return err
	}
	for i := range dtos {
		id, name := P(&dtos[i]).actor()
		*name = names[id]
	}
	return nil
}

// moveDTO is one step of the course of a certificate, a correction, an
// adjustment or an objection.
type moveDTO struct {
	From      string    `json:"from_status" doc:"空表示新建"`
	To        string    `json:"to_status"`
	ActorKind string    `json:"actor_kind" enum:"resident,staff,system"`
	ActorID   string    `json:"actor_id"`
	ActorName string    `json:"actor_name" doc:"工作人员；居民和系统为空"`
	Reason    string    `json:"reason"`
	CreatedAt time.Time `json:"created_at"`
}

func moveOf[S ~string](from, to S, actorKind, actorID, reason string, at clock.Instant) moveDTO {
	return moveDTO{From: string(from), To: string(to), ActorKind: actorKind, ActorID: actorID, Reason: reason, CreatedAt: at.Time()}
}

func (d *moveDTO) actor() (string, *string) { return d.ActorID, &d.ActorName }
