package web

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"dropslot/gateway"
)

// houseAccounts is what a house keeps for its accounts.
type houseAccounts struct {
	wait         time.Duration // sign-ins are paused for so long
	tries        map[string]int
	keys         []gateway.Passkey
	told, ended  map[gateway.SessionID]bool
	invitations  map[gateway.StaffID]gateway.Invitation
	deskSessions []gateway.DeskSession
}

func newHouseAccounts() houseAccounts {
	return houseAccounts{
		tries: map[string]int{}, told: map[gateway.SessionID]bool{}, ended: map[gateway.SessionID]bool{},
		invitations: map[gateway.StaffID]gateway.Invitation{},
	}
}

func (h *deskHouse) signIns() *gateway.SignIns {
	return &gateway.SignIns{
		Directory: h.dir, Records: deskAccounts{h}, Audit: deskAudit{h}, Passwords: deskWords{}, Secrets: deskSecrets{},
		Ceremonies: deskCeremonies{}, Limiter: deskTries{h}, Now: h.clock, Random: rand.Reader, Total: 12 * time.Hour,
		Emergencies: h.flowOfEmergencies(),
	}
}

func (h *deskHouse) flowOfEmergencies() *gateway.Emergencies {
	return &gateway.Emergencies{
		Directory: h.dir, Records: deskEmergencies{h}, Audit: deskAudit{h}, Sealer: plainSealer{}, Opener: plainOpener{}, Now: h.clock, Random: rand.Reader,
	}
}

func (h *deskHouse) accounts() *gateway.Accounts {
	return &gateway.Accounts{Directory: h.dir, Records: deskAccounts{h}, Audit: deskAudit{h}, Now: h.clock, Random: rand.Reader}
}

// deskAccounts keeps accounts in memory for the real flows.
type deskAccounts struct{ h *deskHouse }

func (r deskAccounts) note(entries []gateway.AuditEntry) error {
	return deskAudit(r).Append(context.Background(), entries...)
}

func (r deskAccounts) StaffByID(_ context.Context, id gateway.StaffID) (gateway.Staff, error) {
	staff, known := r.h.staff[id]
	if !known {
		return gateway.Staff{}, gateway.NewError(gateway.CodeNotFound, nil)
	}
	staff.Passkeys = len(r.h.keysOf(id))
	return staff, nil
}

func (h *deskHouse) keysOf(id gateway.StaffID) []gateway.Passkey {
	var keys []gateway.Passkey
	for _, k := range h.keys {
		if k.Staff == id {
			keys = append(keys, k)
		}
	}
	return keys
}

func (r deskAccounts) StaffByLogin(ctx context.Context, login string) (gateway.Staff, error) {
	return r.StaffByID(ctx, r.h.staffByLogin(login).ID)
}

func (r deskAccounts) StaffByIdentity(ctx context.Context, hash gateway.IdentityHash) (gateway.Staff, error) {
	for id, s := range r.h.staff {
		if s.Identity == hash && s.SSO() {
			return r.StaffByID(ctx, id)
		}
	}
	return gateway.Staff{}, gateway.NewError(gateway.CodeNotFound, nil)
}

func (r deskAccounts) ListStaff(ctx context.Context) ([]gateway.Staff, error) {
	var all []gateway.Staff
	for id := range r.h.staff {
		staff, _ := r.StaffByID(ctx, id)
		all = append(all, staff)
	}
	slices.SortFunc(all, func(a, b gateway.Staff) int { return strings.Compare(a.Login, b.Login) })
	return all, nil
}

func (r deskAccounts) AddStaff(_ context.Context, s gateway.Staff, audit ...gateway.AuditEntry) error {
	if r.h.staffByLogin(s.Login).ID != "" {
		return gateway.NewError(gateway.CodeBadRequest, nil)
	}
	r.h.staff[s.ID] = s
	return r.note(audit)
}

func (r deskAccounts) ChangeStaff(_ context.Context, login string, change gateway.StaffChange, audit ...gateway.AuditEntry) error {
	s := r.h.staffByLogin(login)
	if s.Passkeys = len(r.h.keysOf(s.ID)); change.First && s.HasFactor() {
		return gateway.NewError(gateway.CodeForbidden, nil)
	}
	if change.PasswordHash != nil {
		s.PasswordHash = *change.PasswordHash
	}
	if change.Roles != nil {
		s.Roles = change.Roles
	}
	if change.SealedTOTP != nil {
		s.SealedTOTP, s.TOTPStep, s.TOTPSince = *change.SealedTOTP, change.TOTPStep, change.TOTPSince
	}
	if change.DisabledAt != nil {
		s.DisabledAt = *change.DisabledAt
	}
	if !change.EndsAt.IsZero() {
		s.Epoch++
		for _, d := range r.h.deskSessions {
			if d.Staff == s.ID {
				r.h.ended[d.ID] = true
			}
		}
	}
	r.h.staff[s.ID] = s
	delete(r.h.invitations, s.ID)
	if change.Others != nil {
		r.endOthers(s.ID, *change.Others)
	}
	if change.Known {
		for _, d := range r.h.deskSessions {
			if d.Staff == s.ID {
				r.h.told[d.ID] = true
			}
		}
	}
	return r.note(audit)
}

func (r deskAccounts) SetRoles(_ context.Context, id gateway.StaffID, office gateway.OfficeID, roles []gateway.Role, audit ...gateway.AuditEntry) error {
	s := r.h.staff[id]
	changed := gateway.Roles{}
	for at, given := range s.Roles {
		changed[at] = given
	}
	_, there := changed[office]
	if delete(changed, office); len(roles) > 0 {
		changed[office] = roles
	}
	if !there && len(roles) > 0 || len(changed) == 0 {
		s.Epoch++
	}
	s.Roles = changed
	r.h.staff[id] = s
	delete(r.h.invitations, id)
	return r.note(audit)
}

func (r deskAccounts) SaveInvitation(_ context.Context, i gateway.Invitation, offices []gateway.OfficeID, audit ...gateway.AuditEntry) error {
	if !r.h.staff[i.Staff].DisabledAt.IsZero() {
		return gateway.NewError(gateway.CodeSwitchedOff, nil)
	}
	for _, office := range r.h.staff[i.Staff].Roles.Offices() {
		if !slices.Contains(offices, office) {
			return gateway.NewError(gateway.CodeShared, nil)
		}
	}
	r.h.invitations[i.Staff] = i
	return r.note(audit)
}

func (r deskAccounts) Invitation(ctx context.Context, hash gateway.TokenHash, now time.Time) (gateway.Invitation, gateway.Staff, error) {
	for _, i := range r.h.invitations {
		if i.Hash == hash && i.ExpiresAt.After(now) {
			staff, err := r.StaffByID(ctx, i.Staff)
			return i, staff, err
		}
	}
	return gateway.Invitation{}, gateway.Staff{}, gateway.NewError(gateway.CodeNotFound, nil)
}

func (r deskAccounts) OpenInvitations(_ context.Context, now time.Time) ([]gateway.Invitation, error) {
	var open []gateway.Invitation
	for _, i := range r.h.invitations {
		if i.ExpiresAt.After(now) {
			open = append(open, i)
		}
	}
	return open, nil
}

func (r deskAccounts) CancelInvitation(_ context.Context, staff gateway.StaffID, _ []gateway.OfficeID, audit ...gateway.AuditEntry) error {
	if _, there := r.h.invitations[staff]; !there {
		return gateway.NewError(gateway.CodeNotFound, nil)
	}
	delete(r.h.invitations, staff)
	return r.note(audit)
}

func (r deskAccounts) AcceptInvitation(ctx context.Context, hash gateway.TokenHash, now time.Time, c gateway.Credentials, audit ...gateway.AuditEntry) error {
	i, staff, err := r.Invitation(ctx, hash, now)
	if err != nil {
		return err
	}
	delete(r.h.invitations, i.Staff)
	staff.PasswordHash, staff.SealedTOTP, staff.TOTPStep, staff.TOTPSince = c.PasswordHash, c.SealedTOTP, c.TOTPStep, now
	staff.Epoch++
	r.h.staff[staff.ID] = staff
	r.h.keys = slices.DeleteFunc(r.h.keys, func(k gateway.Passkey) bool { return k.Staff == staff.ID })
	if c.Passkey != nil {
		r.h.keys = append(r.h.keys, *c.Passkey)
	}
	return r.note(audit)
}

func (r deskAccounts) UseTOTPStep(_ context.Context, id gateway.StaffID, step int64, sealed []byte) error {
	s := r.h.staff[id]
	if s.TOTPStep >= step || !bytes.Equal(s.SealedTOTP, sealed) {
		return gateway.NewError(gateway.CodeSecondFactor, nil)
	}
	s.TOTPStep = step
	r.h.staff[id] = s
	return nil
}

func (r deskAccounts) AddPasskey(ctx context.Context, p gateway.Passkey, most int, first bool, others gateway.OtherSessions, audit ...gateway.AuditEntry) error {
	if staff, _ := r.StaffByID(ctx, p.Staff); first && staff.HasFactor() {
		return gateway.NewError(gateway.CodeForbidden, nil)
	}
	if len(r.h.keysOf(p.Staff)) >= most {
		return gateway.NewError(gateway.CodePasskey, nil)
	}
	r.endOthers(p.Staff, others)
	r.h.keys = append(r.h.keys, p)
	return r.note(audit)
}

func (r deskAccounts) RemovePasskey(_ context.Context, staff gateway.StaffID, id []byte, keepOne bool, others gateway.OtherSessions, audit ...gateway.AuditEntry) error {
	if keepOne && len(r.h.keysOf(staff)) <= 1 {
		return gateway.NewError(gateway.CodeForbidden, nil)
	}
	before := len(r.h.keys)
	r.h.keys = slices.DeleteFunc(r.h.keys, func(k gateway.Passkey) bool { return k.Staff == staff && bytes.Equal(k.ID, id) })
	if len(r.h.keys) == before {
		return gateway.NewError(gateway.CodeNotFound, nil)
	}
	r.endOthers(staff, others)
	return r.note(audit)
}

func (r deskAccounts) endOthers(staff gateway.StaffID, others gateway.OtherSessions) {
	for _, d := range r.h.deskSessions {
		if d.Staff == staff && d.ID != others.Keep {
			r.h.ended[d.ID] = true
		}
	}
}

func (r deskAccounts) Passkeys(_ context.Context, staff gateway.StaffID) ([]gateway.Passkey, error) {
	return r.h.keysOf(staff), nil
}

func (r deskAccounts) UsePasskey(context.Context, gateway.Passkey) error { return nil }

func (r deskAccounts) BeginSession(_ context.Context, s gateway.DeskSession, fresh gateway.AuditEntry, audit ...gateway.AuditEntry) (bool, error) {
	first := true
	s.Fresh = true
	for _, d := range r.h.deskSessions {
		if d.Staff == s.Staff {
			first = false
			s.Fresh = s.Fresh && d.Device != s.Device
		}
	}
	if s.Fresh = s.Fresh && !first; s.Fresh {
		audit = append(audit, fresh)
	}
	if err := r.note(audit); err != nil {
		return false, err
	}
	r.h.deskSessions = append(r.h.deskSessions, s)
	return s.Fresh, nil
}

func (r deskAccounts) StaffInSession(ctx context.Context, staff gateway.StaffID, session gateway.SessionID) (gateway.Staff, error) {
	for _, d := range r.h.deskSessions {
		if d.Staff == staff && d.ID == session && !r.h.ended[d.ID] {
			return r.StaffByID(ctx, staff)
		}
	}
	return gateway.Staff{}, gateway.NewError(gateway.CodeNotFound, nil)
}

func (r deskAccounts) Sessions(_ context.Context, staff gateway.StaffID, now time.Time) ([]gateway.DeskSession, error) {
	var found []gateway.DeskSession
	for _, d := range r.h.deskSessions {
		if d.Staff == staff && d.EndsAt.After(now) && !r.h.ended[d.ID] {
			found = append(found, d)
		}
	}
	return found, nil
}

func (r deskAccounts) EndSessions(_ context.Context, staff gateway.StaffID, one, keep gateway.SessionID, _ time.Time, audit ...gateway.AuditEntry) error {
	n := 0
	for _, d := range r.h.deskSessions {
		if d.Staff == staff && d.ID != keep && (one == "" || d.ID == one) && !r.h.ended[d.ID] {
			r.h.ended[d.ID] = true
			n++
		}
	}
	if one != "" && n == 0 {
		return gateway.NewError(gateway.CodeNotFound, nil)
	}
	return r.note(audit)
}

func (r deskAccounts) UntoldSessions(_ context.Context, staff gateway.StaffID, asking gateway.SessionID) ([]gateway.DeskSession, error) {
	var found []gateway.DeskSession
	for _, d := range r.h.deskSessions {
		if d.Staff == staff && d.Fresh && d.Device != r.deviceOf(asking) && !r.h.told[d.ID] {
			found = append(found, d)
		}
	}
	return found, nil
}

func (r deskAccounts) deviceOf(session gateway.SessionID) gateway.Device {
	for _, d := range r.h.deskSessions {
		if d.ID == session {
			return d.Device
		}
	}
	return gateway.Device{}
}

func (r deskAccounts) SessionsTold(_ context.Context, staff gateway.StaffID, asking gateway.SessionID, shown []gateway.SessionID, _ time.Time, audit ...gateway.AuditEntry) error {
	for _, d := range r.h.deskSessions {
		if d.Staff == staff && d.Device == r.deviceOf(asking) && d.Fresh && !r.h.told[d.ID] {
			return gateway.NewError(gateway.CodeForbidden, nil)
		}
	}
	for _, d := range r.h.deskSessions {
		if d.Staff == staff && slices.Contains(shown, d.ID) {
			r.h.told[d.ID] = true
		}
	}
	return r.note(audit)
}

// deskWords is a password's hash without hashing.
type deskWords struct{}

func (deskWords) Hash(_ context.Context, password string) (string, error) {
	return "hash:" + password, nil
}

func (deskWords) Verify(_ context.Context, hash, password string) (bool, error) {
	return hash == "hash:"+password, nil
}

// deskSecrets binds a secret to its purpose and account without sealing it.
type deskSecrets struct{}

func (deskSecrets) SealSecret(purpose string, staff gateway.StaffID, plain []byte) ([]byte, error) {
	return []byte(purpose + "|" + string(staff) + "|" + string(plain)), nil
}

func (deskSecrets) OpenSecret(purpose string, staff gateway.StaffID, sealed []byte) ([]byte, error) {
	plain, found := bytes.CutPrefix(sealed, []byte(purpose+"|"+string(staff)+"|"))
	if !found {
		return nil, gateway.NewError(gateway.CodeBlobDamaged, nil)
	}
	return plain, nil
}

// deskCeremonies takes the name of a passkey as the browser's answer, and
// checks that the state is the one it gave.
type deskCeremonies struct{}

func (deskCeremonies) BeginAdd(staff gateway.Staff, _ []gateway.Passkey) (options, state []byte, err error) {
	return []byte(`{"publicKey":{}}`), []byte("add " + staff.ID), nil
}

func (deskCeremonies) FinishAdd(staff gateway.Staff, _ []gateway.Passkey, state, answer []byte) (gateway.Passkey, error) {
	if string(state) != "add "+string(staff.ID) || string(answer) == "broken" {
		return gateway.Passkey{}, gateway.NewError(gateway.CodePasskey, nil)
	}
	return gateway.Passkey{ID: answer, Staff: staff.ID, Record: []byte("{}")}, nil
}

func (deskCeremonies) BeginUse() (options, state []byte, err error) {
	return []byte(`{"publicKey":{}}`), []byte("use"), nil
}

func (deskCeremonies) FinishUse(state, answer []byte, find func(gateway.StaffID) (gateway.Staff, []gateway.Passkey, error)) (gateway.Staff, gateway.Passkey, error) {
	id, name, _ := strings.Cut(string(answer), " ")
	staff, keys, err := find(gateway.StaffID(id))
	if err != nil {
		return gateway.Staff{}, gateway.Passkey{}, err
	}
	for _, k := range keys {
		if string(k.ID) == name && string(state) == "use" {
			return staff, gateway.Passkey{ID: k.ID, Staff: k.Staff, Record: k.Record}, nil // as the real ones do
		}
	}
	return gateway.Staff{}, gateway.Passkey{}, gateway.NewError(gateway.CodePasskey, nil)
}

// deskTries counts tries and forgets none by itself.
type deskTries struct{ h *deskHouse }

func (d deskTries) Allow(_ context.Context, kind, key string, n int, _ time.Duration) (bool, time.Duration, error) {
	if d.h.wait > 0 {
		return false, d.h.wait, nil
	}
	if d.h.tries[kind+key] >= n {
		return false, time.Minute, nil
	}
	d.h.tries[kind+key]++
	return true, 0, nil
}

func (d deskTries) Forgive(_ context.Context, kind, key string, _ int, _ time.Duration) error {
	d.h.tries[kind+key]--
	return nil
}

// decode reads an answer of JSON.
func decode(body []byte) map[string]any {
	var got map[string]any
	_ = json.Unmarshal(body, &got)
	return got
}
