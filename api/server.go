// Package api is the staff surface, /api/v1: merchants, organizers, grid
// workers, operators and auditors.
//
// Handlers are thin: they turn a DTO into a service call and a result into a
// DTO. routes.go is the whole route table, public.go the whole list of
// operations that need no login.
package api

import (
	"github.com/gin-gonic/gin"

	"jiamenkou/internal/httpapi"
	"jiamenkou/internal/schedule"
	"jiamenkou/service/assurance"
	"jiamenkou/service/casework"
	"jiamenkou/service/desk"
	"jiamenkou/service/export"
	"jiamenkou/service/identity"
	"jiamenkou/service/insight"
	"jiamenkou/service/invite"
	"jiamenkou/service/leaderboard"
	"jiamenkou/service/ledger"
	"jiamenkou/service/lookup"
	"jiamenkou/service/market"
	"jiamenkou/service/media"
	"jiamenkou/service/notify"
	"jiamenkou/service/policy"
	"jiamenkou/service/reading"
	"jiamenkou/service/recourse"
	"jiamenkou/service/region"
	"jiamenkou/service/settlement"
	"jiamenkou/service/volunteer"
)

// Prefix is where the surface is mounted.
const Prefix = "/api/v1"

// Services are what the handlers call.
type Services struct {
	Market     *market.Service
	Region     *region.Service
	Settlement *settlement.Service
	Jobs       *schedule.Runner
	Identity   *identity.Service
	Ledger     *ledger.Service
	Policy     *policy.Service
	Reading    *reading.Service
	Casework   *casework.Service

	Leaderboard *leaderboard.Service
	Volunteer   *volunteer.Service
	Recourse    *recourse.Service
	Notify      *notify.Service
	Media       *media.Service
	Invite      *invite.Service
	Insight     *insight.Service
	Export      *export.Service
	Lookup      *lookup.Service
	Assurance   *assurance.Service
	Desk        *desk.Service
}

type server struct{ Services }

// Mount registers every operation on router and returns the surface.
func Mount(router *gin.Engine, services Services, cfg httpapi.SurfaceConfig) *httpapi.Surface {
	cfg.Title = "家门口 · 工作人员接口"
	cfg.Description = "商户、组织者、网格员、运营、审计使用。"
	cfg.Prefix = Prefix
	cfg.Public = public
	surface := httpapi.NewSurface(router, cfg)
	(&server{services}).routes(surface)
	return surface
}
