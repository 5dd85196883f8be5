// Package miniprogram is the resident surface, /mp/v1: what the WeChat
// mini-program and its browser twin call.
//
// Handlers are thin: they turn a DTO into a service call and a result into a
// DTO. routes.go is the whole route table, public.go the whole list of
// operations that need no login.
package miniprogram

import (
	"github.com/gin-gonic/gin"

	"jiamenkou/internal/httpapi"
	"jiamenkou/service/casework"
	"jiamenkou/service/identity"
	"jiamenkou/service/invite"
	"jiamenkou/service/leaderboard"
	"jiamenkou/service/ledger"
	"jiamenkou/service/market"
	"jiamenkou/service/media"
	"jiamenkou/service/notify"
	"jiamenkou/service/policy"
	"jiamenkou/service/reading"
	"jiamenkou/service/recourse"
	"jiamenkou/service/region"
	"jiamenkou/service/volunteer"
)

// Prefix is where the surface is mounted.
const Prefix = "/mp/v1"

// Services are what the handlers call.
type Services struct {
	Market   *market.Service
	Region   *region.Service
	Identity *identity.Service
	Ledger   *ledger.Service
	Policy   *policy.Service
	Reading  *reading.Service
	Casework *casework.Service
	Callback CallbackConfig
	Client   ClientSettings

	Leaderboard *leaderboard.Service
	Volunteer   *volunteer.Service
	Recourse    *recourse.Service
	Notify      *notify.Service
	Media       *media.Service
	Invite      *invite.Service
}

type server struct{ Services }

// Mount registers every operation on router and returns the surface.
func Mount(router *gin.Engine, services Services, cfg httpapi.SurfaceConfig) *httpapi.Surface {
	cfg.Title = "家门口 · 居民接口"
	cfg.Description = "居民小程序与 H5 使用。"
	cfg.Prefix = Prefix
	cfg.Public = public
	surface := httpapi.NewSurface(router, cfg)
	(&server{services}).routes(surface)
	(&server{services}).callbackRoutes(router)
	return surface
}
