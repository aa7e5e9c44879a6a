// Package passkeys speaks WebAuthn with browsers.
package passkeys

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"dropslot/gateway"
)

var _ gateway.PasskeyCeremonies = (*Ceremonies)(nil)

// Ceremonies is WebAuthn for the desk's own address: a passkey made there
// works nowhere else.
// At a bare network address there are none: browsers bind them to names.
type Ceremonies struct{ relying *webauthn.WebAuthn }

var errAddress = gateway.NewError(gateway.CodePasskey, errors.New("desk_url is an address, and passkeys need a host name"))

// New takes the URL by which browsers reach the desk.
func New(deskURL string) (*Ceremonies, error) {
	base, err := url.Parse(deskURL)
	if err != nil || base.Hostname() == "" {
		return nil, errors.New("passkeys need the desk's public URL")
	}
	if net.ParseIP(base.Hostname()) != nil {
		return &Ceremonies{}, nil
	}
	relying, err := webauthn.New(&webauthn.Config{
		RPID: base.Hostname(), RPDisplayName: "Dropslot", RPOrigins: []string{base.Scheme + "://" + base.Host},
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey:        protocol.ResidentKeyRequirementRequired,
			RequireResidentKey: protocol.ResidentKeyRequired(),
			// Finger, face or PIN: a passkey stands for both factors.
			UserVerification: protocol.VerificationRequired,
		},
		AttestationPreference: protocol.PreferNoAttestation,
	})
	if err != nil {
		return nil, fmt.Errorf("prepare passkeys: %w", err)
	}
	return &Ceremonies{relying}, nil
}

// user is an account as the library asks for it.
type user struct {
	staff       gateway.Staff
	credentials []webauthn.Credential
}

func (u user) WebAuthnID() []byte                         { return []byte(u.staff.ID) }
func (u user) WebAuthnName() string                       { return u.staff.Login }
func (u user) WebAuthnDisplayName() string                { return u.staff.Login }
func (u user) WebAuthnCredentials() []webauthn.Credential { return u.credentials }

func userOf(staff gateway.Staff, has []gateway.Passkey) (user, error) {
	u := user{staff: staff}
	for _, key := range has {
		var c webauthn.Credential
		if err := json.Unmarshal(key.Record, &c); err != nil {
			return u, fmt.Errorf("read a passkey's record: %w", err)
		}
		u.credentials = append(u.credentials, c)
	}
	return u, nil
}

// BeginAdd gives the options for a new passkey.
func (c *Ceremonies) BeginAdd(staff gateway.Staff, has []gateway.Passkey) (options, state []byte, err error) {
	if c.relying == nil {
		return nil, nil, errAddress
	}
	u, err := userOf(staff, has)
	if err != nil {
		return nil, nil, err
	}
	creation, session, err := c.relying.BeginRegistration(u,
		webauthn.WithExclusions(webauthn.Credentials(u.credentials).CredentialDescriptors()))
	if err != nil {
		return nil, nil, fmt.Errorf("begin a passkey: %w", err)
	}
	return encode(creation, session)
}

// FinishAdd checks what the browser answered.
func (c *Ceremonies) FinishAdd(staff gateway.Staff, has []gateway.Passkey, state, answer []byte) (gateway.Passkey, error) {
	if c.relying == nil {
		return gateway.Passkey{}, errAddress
	}
	u, err := userOf(staff, has)
	if err != nil {
		return gateway.Passkey{}, err
	}
	var session webauthn.SessionData
	if err := json.Unmarshal(state, &session); err != nil {
		return gateway.Passkey{}, refused(err)
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return gateway.Passkey{}, refused(err)
	}
	made, err := c.relying.CreateCredential(u, session, parsed)
	if err != nil {
		return gateway.Passkey{}, refused(err)
	}
	return passkeyOf(staff, made)
}

// BeginUse gives the options for a sign-in; the passkey tells whose it is.
func (c *Ceremonies) BeginUse() (options, state []byte, err error) {
	if c.relying == nil {
		return nil, nil, errAddress
	}
	assertion, session, err := c.relying.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return nil, nil, fmt.Errorf("begin a sign-in by passkey: %w", err)
	}
	return encode(assertion, session)
}

// FinishUse checks what the browser answered.
func (c *Ceremonies) FinishUse(state, answer []byte, find func(gateway.StaffID) (gateway.Staff, []gateway.Passkey, error)) (gateway.Staff, gateway.Passkey, error) {
	none := func(err error) (gateway.Staff, gateway.Passkey, error) {
		return gateway.Staff{}, gateway.Passkey{}, err
	}
	if c.relying == nil {
		return none(errAddress)
	}
	var session webauthn.SessionData
	if err := json.Unmarshal(state, &session); err != nil {
		return none(refused(err))
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return none(refused(err))
	}
	var staff gateway.Staff
	var broken error // what is no fault of the browser
	_, used, err := c.relying.ValidatePasskeyLogin(func(_, handle []byte) (webauthn.User, error) {
		found, keys, err := find(gateway.StaffID(handle))
		if err != nil {
			if !gateway.Is(err, gateway.CodeNotFound) {
				broken = err
			}
			return nil, err
		}
		staff = found
		return userOf(found, keys)
	}, session, parsed)
	switch {
	case broken != nil:
		return none(broken)
	case err != nil:
		return none(refused(err))
	case used.Authenticator.CloneWarning:
		return none(refused(errors.New("the passkey's counter went back: it may have been copied")))
	}
	key, err := passkeyOf(staff, used)
	return staff, key, err
}

func passkeyOf(staff gateway.Staff, c *webauthn.Credential) (gateway.Passkey, error) {
	record, err := json.Marshal(c)
	if err != nil {
		return gateway.Passkey{}, fmt.Errorf("keep a passkey: %w", err)
	}
	return gateway.Passkey{ID: c.ID, Staff: staff.ID, Record: record}, nil
}

func encode(options, session any) (first, second []byte, err error) {
	if first, err = json.Marshal(options); err != nil {
		return nil, nil, err
	}
	second, err = json.Marshal(session)
	return first, second, err
}

// refused drops the library's words, which may quote what the browser sent,
// but for the kind of the fault.
func refused(err error) error {
	if e, ok := errors.AsType[*protocol.Error](err); ok {
		err = errors.New(e.Type)
	}
	return gateway.NewError(gateway.CodePasskey, err)
}
