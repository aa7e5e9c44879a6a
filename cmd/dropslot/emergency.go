package main

import (
	"crypto/rand"
	"time"

	"dropslot/config"
	"dropslot/gateway"
)

// emergencies builds the flow of access in an emergency. Only the desk, which
// shows the reasons, has what opens them.
func (p *parts) emergencies(opener gateway.Opener) *gateway.Emergencies {
	return &gateway.Emergencies{
		Directory: p.directory, Records: p.records, Audit: p.records, Sealer: p.sealer, Opener: opener,
		Now: time.Now, Random: rand.Reader,
	}
}

func emergencyOf(o *config.Office) gateway.EmergencyRule {
	if o.EmergencyAccess == nil {
		return gateway.EmergencyRule{}
	}
	rule := gateway.EmergencyRule{For: time.Duration(o.EmergencyAccess.For)}
	for _, role := range o.EmergencyAccess.Roles {
		rule.Roles = append(rule.Roles, gateway.Role(role))
	}
	return rule
}
