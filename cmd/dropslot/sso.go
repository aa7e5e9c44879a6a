package main

import (
	"context"
	"strings"
	"time"

	"dropslot/config"
	"dropslot/gateway"
	"dropslot/gateway/sso"
)

// ssoRedirect is where the provider sends browsers back to.
func ssoRedirect(c *config.Config) string {
	return strings.TrimSuffix(c.DeskURL, "/") + config.SSORedirect
}

// ssoProvider speaks with the provider that the configuration names.
func ssoProvider(c *config.Config) *sso.Provider {
	s := c.SingleSignOn
	set := sso.Config{
		Issuer: s.Issuer, ClientID: s.ClientID, ClientSecret: s.ClientSecret.Reveal(), RedirectURL: ssoRedirect(c),
		GroupsClaim: s.GroupsClaim, Now: time.Now,
	}
	if f := s.SecondFactor; f != nil {
		set.AMR, set.ACR, set.Trust = f.AMR, f.ACR, f.Trust
	}
	return sso.New(set)
}

// singleSignOn builds how people sign in through their organization.
func (p *parts) singleSignOn() *gateway.SingleSignOn {
	groups := map[string]gateway.Roles{}
	for group, offices := range p.config.SingleSignOn.Groups {
		groups[group] = gateway.Roles{}
		for office, roles := range offices {
			for _, role := range roles {
				groups[group].Add(gateway.Role(role), gateway.OfficeID(office))
			}
		}
	}
	return &gateway.SingleSignOn{
		Provider: ssoProvider(p.config), Groups: groups, Key: p.key.Subkey(gateway.SubkeySSO),
		MaxAge: time.Duration(p.config.Limits.DeskIdle),
	}
}

func (p *parts) ssoName() string {
	if p.config.SingleSignOn == nil {
		return ""
	}
	return p.config.SingleSignOn.Name
}

// singleSignOn looks at what the provider says of itself.
func (r *report) singleSignOn(ctx context.Context, c *config.Config) {
	if c.SingleSignOn == nil {
		return
	}
	lacks, err := ssoProvider(c).Look(ctx)
	if !r.check("the single sign-on provider answers as "+c.SingleSignOn.Issuer, err,
		"single_sign_on.issuer has to be exactly the issuer that the provider's /.well-known/openid-configuration names, and this machine has to reach it") {
		return
	}
	for _, lack := range lacks {
		r.add(finding{advice, "the single sign-on provider " + lack.What, lack.Todo})
	}
	r.add(finding{verdict: fine, what: "single sign-on comes back to " + ssoRedirect(c) + ", which has to be registered at the provider"})
}
