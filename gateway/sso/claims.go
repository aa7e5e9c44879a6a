package sso

import (
	"encoding/json"
	"maps"
	"slices"

	"dropslot/gateway"
)

// claims are what a provider says of a person, by name.
type claims map[string]json.RawMessage

// list reads a claim that is a list of texts, or one text; false for anything
// else that stands there.
func (c claims) list(name string) ([]string, bool) {
	var one string
	var many []string
	raw, there := c[name]
	switch {
	case !there || string(raw) == "null":
		return nil, true
	case json.Unmarshal(raw, &many) == nil:
		return many, true
	case json.Unmarshal(raw, &one) == nil:
		return []string{one}, true
	}
	return nil, false
}

func (c claims) text(name string) string {
	var text string
	_ = json.Unmarshal(c[name], &text) // what is no text is none
	return text
}

func (c claims) seconds(name string) (int64, bool) {
	var n float64 // some write 1.7e9
	err := json.Unmarshal(c[name], &n)
	return int64(n), err == nil
}

// and adds what is not said yet.
func (c claims) and(more claims) claims {
	both := maps.Clone(more)
	if both == nil {
		both = claims{}
	}
	maps.Copy(both, c)
	return both
}

// identity gives what the desk needs to know of what was said; signed is what
// the ID token says, which alone tells how the person signed in.
func (p *Provider) identity(subject string, signed, all claims) (gateway.Identity, error) {
	who := gateway.Identity{Issuer: p.config.Issuer, Subject: subject, SecondFactor: p.secondFactor(signed)}
	groups, ok := all.list(p.config.GroupsClaim)
	if !ok {
		return who, refused("the claim " + p.config.GroupsClaim + " is no list of names")
	}
	if elsewhere := (map[string]string{}); groups == nil && json.Unmarshal(all["_claim_names"], &elsewhere) == nil && elsewhere[p.config.GroupsClaim] != "" {
		return who, refused("the person is in more groups than the ID token holds: have the provider send only those that are assigned to this application")
	}
	who.Groups = groups
	for _, name := range []string{"preferred_username", "email"} {
		if who.Login == "" {
			who.Login = all.text(name)
		}
	}
	return who, nil
}

func (p *Provider) secondFactor(signed claims) bool {
	methods, _ := signed.list("amr")
	class := signed.text("acr") // empty if there is none
	return p.config.Trust || class != "" && slices.Contains(p.config.ACR, class) ||
		slices.ContainsFunc(methods, func(m string) bool { return m != "" && slices.Contains(p.config.AMR, m) })
}
