package gateway

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Role is what an account does at an office. One account may have several.
type Role string

// The roles.
const (
	RoleCaseworker Role = "caseworker"
	RoleSupervisor Role = "supervisor"
	RoleAuditor    Role = "auditor" // sees who did what, and no papers
	RoleAdmin      Role = "admin"   // manages accounts, and sees no papers
)

// Right is one thing that a role lets a person do at an office.
type Right string

// The rights.
const (
	RightPapers   Right = "papers"   // see the inbox, submissions and their pages
	RightChange   Right = "change"   // change a submission: mark it done, label pages, write notes
	RightDownload Right = "download" // take a page or a package away
	RightAsk      Right = "ask"      // send links and texts to clients
	RightDeliver  Right = "deliver"  // hand papers over to the case file or the state
	RightHold     Right = "hold"     // keep papers beyond their time, or end that
	RightFigures  Right = "figures"  // see counts and times, of nobody in particular
	RightAudit    Right = "audit"    // see the audit trail
	RightAccounts Right = "accounts" // invite, reset and disable accounts
	RightWatch    Right = "watch"    // be told of emergency access to the office, and say so
	RightCutOff   Right = "cut-off"  // end somebody's emergency access
)

// rights is the one table of what a role may do.
var rights = map[Role][]Right{
	RoleCaseworker: {RightPapers, RightChange, RightDownload, RightAsk, RightDeliver},
	RoleSupervisor: {RightPapers, RightChange, RightDownload, RightAsk, RightDeliver, RightHold, RightFigures, RightWatch, RightCutOff},
	RoleAuditor:    {RightAudit, RightFigures, RightWatch},
	RoleAdmin:      {RightAccounts, RightWatch, RightCutOff},
}

// AllRoles gives the roles in the order in which they are offered.
func AllRoles() []Role {
	return []Role{RoleCaseworker, RoleSupervisor, RoleAuditor, RoleAdmin}
}

// ValidRole tells whether there is such a role.
func ValidRole(role Role) bool { return rights[role] != nil }

// Roles are an account's roles by office.
type Roles map[OfficeID][]Role

// RolesIn gives one role at some offices.
func RolesIn(role Role, offices ...OfficeID) Roles {
	r := Roles{}
	for _, office := range offices {
		r.Add(role, office)
	}
	return r
}

// Add gives a role at an office, once.
func (r Roles) Add(role Role, office OfficeID) {
	if !slices.Contains(r[office], role) {
		r[office] = append(r[office], role)
		slices.Sort(r[office])
	}
}

// Grant tells whether some role at an office has a right.
func (r Roles) Grant(right Right, office OfficeID) bool {
	return slices.ContainsFunc(r[office], func(role Role) bool { return slices.Contains(rights[role], right) })
}

// Offices gives every office that the roles speak of, in alphabetical order.
// Who asks on behalf of an act wants Staff.OfficesWith instead.
func (r Roles) Offices() []OfficeID { return slices.Sorted(maps.Keys(r)) }

// String lists the roles for a person: "north: admin, caseworker; south: auditor".
func (r Roles) String() string {
	var parts []string
	for _, office := range r.Offices() {
		parts = append(parts, fmt.Sprintf("%s: %s", office, joinRoles(r[office])))
	}
	return strings.Join(parts, "; ")
}

func joinRoles(roles []Role) string {
	var names []string
	for _, role := range roles {
		names = append(names, string(role))
	}
	return strings.Join(names, ", ")
}
