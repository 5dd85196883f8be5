package demo

import "jiamenkou/internal/authz"

// Person is somebody to log in as: a resident with a code, or staff with a
// username and Password.
type Person struct {
	Login string // "demo-wang", or the username
	Name  string
	Role  authz.Role // "" for residents
}

// neighbours are the residents that the clients offer as a choice; the first
// is the one of the README's walk.
var neighbours = []Person{
	{Login: Resident, Name: "王秀英"},
	{Login: "li", Name: "李国庆"},
	{Login: "zhang", Name: "张美芳"},
	{Login: "chen", Name: "陈浩然"},
}

// Residents are the residents to log in as. The simulated WeChat takes the
// login with "-" and anything not used before behind it as a code.
func Residents() []Person {
	out := make([]Person, len(neighbours))
	for i, p := range neighbours {
		out[i] = Person{Login: "demo-" + p.Login, Name: p.Name}
	}
	return out
}

// The names of the staff whom the clients offer.
const (
	operatorName   = "沈运营"
	colleagueName  = "许运营"
	auditorName    = "陆审计"
	organizerName  = "顾组织"
	gridWorkerName = "王网格"
	ownerName      = "王老板"
	clerkName      = "李店员"
)

// Staff are the staff to log in as, one of each role, all with Password.
func Staff() []Person {
	return []Person{
		{Login: Operator, Name: operatorName, Role: authz.RoleOperator},
		{Login: Auditor, Name: auditorName, Role: authz.RoleAuditor},
		{Login: Organizer, Name: organizerName, Role: authz.RoleOrganizer},
		{Login: GridWorker, Name: gridWorkerName, Role: authz.RoleGridWorker},
		{Login: Owner, Name: ownerName, Role: authz.RoleOwner},
		{Login: Clerk, Name: clerkName, Role: authz.RoleClerk},
	}
}
