package sso

import (
	"context"
	"slices"
	"strings"
)

// Lack is what a provider does not say that it can, and what to do about it.
// Some can what they do not say.
type Lack struct{ What, Todo string }

// Look reads what the provider says of itself and gives what is missing.
func (p *Provider) Look(ctx context.Context) ([]Lack, error) {
	d, err := p.discover(ctx)
	if err != nil {
		return nil, err
	}
	var lacks []Lack
	if len(d.says.Challenges) > 0 && !slices.Contains(d.says.Challenges, "S256") {
		lacks = append(lacks, Lack{"does not take PKCE with S256", "allow it there for this client"})
	}
	if by := d.says.SecretBy; len(by) > 0 && !slices.Contains(by, "client_secret_basic") && !slices.Contains(by, "client_secret_post") {
		lacks = append(lacks, Lack{"takes no client secret", "allow client_secret_basic there for this client"})
	}
	if len(d.says.Claims) > 0 && !slices.Contains(d.says.Claims, p.config.GroupsClaim) {
		lacks = append(lacks, Lack{"names no claim " + p.config.GroupsClaim, "have it send the groups of whoever signs in, or correct single_sign_on.groups_claim"})
	}
	if len(d.says.Classes) > 0 {
		for _, class := range p.config.ACR {
			if !slices.Contains(d.says.Classes, class) {
				lacks = append(lacks, Lack{"does not know the acr " + class, "write one of those that it knows: " + strings.Join(d.says.Classes, ", ")})
			}
		}
	}
	return lacks, nil
}
