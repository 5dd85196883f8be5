// Package assurance is what auditors work with: the audit over every service
// and its runs, the log of what two persons decided together, and the settings
// that are in force. It stands above the services and changes nothing of them;
// only the nightly audit freezes the accounts that differ.
package assurance

import (
	"strings"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/config"
	"jiamenkou/internal/database"
	"jiamenkou/service/casework"
	"jiamenkou/service/identity"
	"jiamenkou/service/leaderboard"
	"jiamenkou/service/ledger"
	"jiamenkou/service/market"
	"jiamenkou/service/reading"
	"jiamenkou/service/settlement"
	"jiamenkou/service/volunteer"
)

// Parts are what the service works with. Settings are shown as they are.
type Parts struct {
	DB       *database.DB
	Clock    clock.Clock
	Settings []config.Section

	Identity    *identity.Service
	Ledger      *ledger.Service
	Volunteer   *volunteer.Service
	Reading     *reading.Service
	Casework    *casework.Service
	Market      *market.Service
	Settlement  *settlement.Service
	Leaderboard *leaderboard.Service
}

// Service answers auditors. Safe for concurrent use.
type Service struct{ Parts }

// New makes the service.
func New(p Parts) *Service { return &Service{p} }

var readers = []authz.Role{authz.RoleAuditor, authz.RoleOperator}

// inCounty returns nil if the actor holds one of the roles over a whole county:
// an audit and the settings have no smaller region. The path of a county has
// one segment: "/<id>/".
func inCounty(actor authz.Actor, roles ...authz.Role) error {
	for _, path := range actor.RegionPaths(roles...) {
		if !strings.Contains(strings.Trim(path, "/"), "/") {
			return nil
		}
	}
	return authz.ErrForbidden
}
