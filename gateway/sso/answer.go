package sso

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"dropslot/gateway"
)

// codeBytes is more than any provider's code is long.
const codeBytes = 4096

// Finish checks what the provider sent a browser back with; see the port.
func (p *Provider) Finish(ctx context.Context, state []byte, answer gateway.IdentityAnswer) (gateway.Identity, error) {
	none := gateway.Identity{}
	var kept ceremony
	if err := json.Unmarshal(state, &kept); err != nil || kept.Nonce == "" || kept.Verifier == "" {
		return none, refused("what was kept of the sign-in cannot be read")
	}
	d, err := p.lastDiscovered(ctx)
	if err != nil {
		return none, err
	}
	if err := p.answered(d, answer); err != nil {
		return none, err
	}
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, p.client), patience)
	defer cancel()
	token, err := p.oauth(d).Exchange(ctx, answer.Code, oauth2.VerifierOption(kept.Verifier))
	if err != nil {
		return none, exchangeFault(err)
	}
	subject, signed, err := p.verify(ctx, d, token, kept)
	if err != nil {
		return none, err
	}
	all := signed
	if _, there := signed[p.config.GroupsClaim]; !there && d.says.UserInfo != "" {
		more, err := userInfo(ctx, d, token, subject)
		if err != nil {
			return none, err
		}
		all = signed.and(more)
	}
	return p.identity(subject, signed, all)
}

// answered checks what the browser brought, before anything is sent for it.
func (p *Provider) answered(d *discovered, answer gateway.IdentityAnswer) error {
	switch {
	case answer.Issuer != "" && answer.Issuer != p.config.Issuer, answer.Issuer == "" && d.says.NamesItself:
		return refused("the answer is of another issuer") // RFC 9207
	case answer.Fault == "temporarily_unavailable" || answer.Fault == "server_error":
		return down("the provider says " + answer.Fault)
	case answer.Fault != "":
		return refused("the provider says " + known(answer.Fault))
	case answer.Code == "" || len(answer.Code) > codeBytes:
		return refused("the answer holds no code")
	}
	return nil
}

// faults are those of OAuth and OpenID Connect. Another may hold anything.
var faults = []string{
	"access_denied", "account_selection_required", "consent_required", "interaction_required", "invalid_client", "invalid_grant",
	"invalid_request", "invalid_scope", "login_required", "unauthorized_client", "unmet_authentication_requirements",
	"unsupported_grant_type", "unsupported_response_type",
}

func known(fault string) string {
	if slices.Contains(faults, fault) {
		return fault
	}
	return "something that is no known fault"
}

func exchangeFault(err error) error {
	e, ok := errors.AsType[*oauth2.RetrieveError](err)
	switch {
	case !ok:
		return down("its token_endpoint: " + kindOf(err))
	case e.Response != nil && e.Response.StatusCode >= 500:
		return down("its token_endpoint fails")
	case e.ErrorCode == "invalid_client":
		return refused("the provider says invalid_client: client_id and client_secret are not what it knows")
	}
	return refused("the provider takes the code for none: " + known(e.ErrorCode))
}

// verify checks the ID token: signature, issuer, audience and expiry by the
// library, the rest here.
func (p *Provider) verify(ctx context.Context, d *discovered, token *oauth2.Token, kept ceremony) (string, claims, error) {
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return "", nil, refused("the answer holds no ID token")
	}
	verified, err := d.provider.Verifier(&oidc.Config{ClientID: p.config.ClientID, Now: p.config.Now}).Verify(ctx, raw)
	if err != nil {
		return "", nil, tokenFault(err)
	}
	if subtle.ConstantTimeCompare([]byte(verified.Nonce), []byte(kept.Nonce)) != 1 {
		return "", nil, refused("the ID token is of another sign-in: its nonce differs")
	}
	var signed claims
	if err := verified.Claims(&signed); err != nil {
		return "", nil, refused("the ID token's claims cannot be read")
	}
	// Of several audiences the token has to be for this one.
	party := signed.text("azp")
	if party != "" && party != p.config.ClientID || party == "" && len(verified.Audience) > 1 {
		return "", nil, refused("the ID token is for another client: its azp differs")
	}
	if verified.AccessTokenHash != "" && verified.VerifyAccessToken(token.AccessToken) != nil {
		return "", nil, refused("the access token is not the ID token's: its at_hash differs")
	}
	at, ok := signed.seconds("auth_time")
	switch {
	case verified.Subject == "" || len(verified.Subject) > 255:
		return "", nil, refused("the ID token names nobody")
	case !ok:
		return "", nil, refused("the ID token does not say when the person signed in: have the provider send auth_time")
	case at < kept.Earliest:
		return "", nil, refused("the person showed who they are too long ago: the provider did not heed max_age")
	case at > p.config.Now().Add(skew).Unix():
		return "", nil, refused("the person signed in in the future: look at the clocks")
	}
	return verified.Subject, signed, nil
}

// tokenFault names what is wrong with an ID token. The library's own words may
// quote it.
func tokenFault(err error) error {
	if _, ok := errors.AsType[*oidc.TokenExpiredError](err); ok {
		return refused("the ID token is expired: look at the clocks")
	}
	if strings.Contains(err.Error(), "fetching keys") {
		return down("its keys cannot be read")
	}
	for part, words := range map[string]string{
		"audience": "the ID token is for another client", "different provider": "the ID token is of another issuer",
		"before the nbf": "the ID token is not valid yet: look at the clocks", "verify signature": "the ID token's signature does not hold",
		"malformed jwt": "the ID token is none, or signed in a way that is not taken",
	} {
		if strings.Contains(err.Error(), part) {
			return refused(words)
		}
	}
	return refused("the ID token is malformed")
}

func userInfo(ctx context.Context, d *discovered, token *oauth2.Token, subject string) (claims, error) {
	info, err := d.provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return nil, down("its userinfo_endpoint: " + kindOf(err))
	}
	if info.Subject != subject {
		return nil, refused("the userinfo_endpoint tells of somebody else")
	}
	var more claims
	if err := info.Claims(&more); err != nil {
		return nil, refused("what the userinfo_endpoint says cannot be read")
	}
	return more, nil
}
