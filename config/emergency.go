package config

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// EmergencyAccess is who may look at an office's papers in an emergency.
type EmergencyAccess struct {
	// The roles, held at any office of this file, that let a person do so:
	// caseworker, supervisor, admin.
	Roles []string `yaml:"roles" jsonschema:"required" write:"[supervisor]"`
	// How long it lasts, 5m to 12h. Default: 1h.
	For Duration `yaml:"for" write:"1h"`
}

// An auditor who opened papers would audit themselves.
var emergencyRoles = []string{"caseworker", "supervisor", "admin"}

const (
	emergencyLeast = Duration(5 * time.Minute)
	emergencyMost  = Duration(12 * time.Hour)
)

func (v *validator) emergencyAccess(office *Office, at path) {
	e := office.EmergencyAccess
	if e == nil {
		return
	}
	if v.document.has(at.to("roles")) && len(e.Roles) == 0 {
		v.fault(at.to("roles"), wrong("roles is empty", "write some of: "+strings.Join(emergencyRoles, ", ")+"; or take emergency_access out"))
	}
	for i, role := range e.Roles {
		here := at.to("roles", strconv.Itoa(i))
		switch {
		case !slices.Contains(emergencyRoles, role):
			v.fault(here, wrong(role+" is no role for an emergency", "write some of: "+strings.Join(emergencyRoles, ", ")))
		case slices.Contains(e.Roles[:i], role):
			v.fault(here, wrong(role+" is named twice", "take one of the two out"))
		}
	}
	if e.For < emergencyLeast || e.For > emergencyMost {
		v.fault(at.to("for"), wrong("for is not between 5m and 12h", "write a length of time, like 1h"))
	}
	if v.config.SMTP == nil && !toldByHook(office) {
		v.warn(at, wrong("nobody is told of emergency access but who looks at the desk", "add a mail server below smtp, or a webhook with the event emergency"))
	}
}

func toldByHook(office *Office) bool {
	for _, hook := range office.Webhooks {
		if slices.Contains(hook.Events, "emergency") {
			return true
		}
	}
	return false
}
