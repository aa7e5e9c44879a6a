package records

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"dropslot/gateway"
)

var _ gateway.AccountRecords = (*Store)(nil)

// SetRoles gives an account these roles at one office and leaves the others.
func (s *Store) SetRoles(ctx context.Context, id gateway.StaffID, office gateway.OfficeID, roles []gateway.Role, audit ...gateway.AuditEntry) error {
	_, err := write(ctx, s, "set roles", "", func(x *tx) (struct{}, error) {
		// The row is held against another admin's change at another office.
		stored, err := only(first(x, scanText[string], "UPDATE staff SET roles = roles WHERE id = $1 RETURNING roles", string(id)))
		if err != nil {
			return struct{}{}, err
		}
		all := gateway.Roles{}
		if err := json.Unmarshal([]byte(stored), &all); err != nil {
			return struct{}{}, err
		}
		_, there := all[office]
		if delete(all, office); len(roles) > 0 {
			all[office] = roles
		}
		// Another office may ask for a second factor that a session was opened
		// without, and an account without an office has nothing left to do.
		anew := !there && len(roles) > 0 || len(all) == 0
		list, err := roleList(all)
		if err != nil {
			return struct{}{}, err
		}
		if _, err := x.exec("UPDATE staff SET roles = $2, epoch = epoch + $3 WHERE id = $1", string(id), list, bit(anew)); err != nil {
			return struct{}{}, err
		}
		if err := dropInvitation(x, string(id)); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, x.append(audit...)
	})
	return err
}

// dropInvitation forgets the open link of an account that changes. Kept, it
// would open whatever the account is let see afterwards.
func dropInvitation(x *tx, staff string) error {
	_, err := x.exec("DELETE FROM invitations WHERE staff = $1", staff)
	return err
}

// holdStaff holds an account's row until the transaction ends, so that no
// other change comes between what is looked at and what is done.
func holdStaff(x *tx, id string) (gateway.Staff, error) {
	if _, err := x.exec("UPDATE staff SET roles = roles WHERE id = $1", id); err != nil {
		return gateway.Staff{}, err
	}
	return only(first(x, scanStaff, selectStaff+"WHERE id = $1", id))
}

// worksOnlyAt refuses an account that works for another office too.
func worksOnlyAt(staff gateway.Staff, offices []gateway.OfficeID) error {
	for _, office := range staff.Roles.Offices() {
		if !slices.Contains(offices, office) {
			return refuse(gateway.CodeShared)
		}
	}
	return nil
}

// SaveInvitation stores a link and forgets an older one; see the port.
func (s *Store) SaveInvitation(ctx context.Context, i gateway.Invitation, offices []gateway.OfficeID, audit ...gateway.AuditEntry) error {
	_, err := write(ctx, s, "save invitation", "", func(x *tx) (struct{}, error) {
		staff, err := holdStaff(x, string(i.Staff))
		if err == nil && !staff.DisabledAt.IsZero() {
			err = refuse(gateway.CodeSwitchedOff)
		}
		if err == nil {
			err = worksOnlyAt(staff, offices)
		}
		if err != nil {
			return struct{}{}, err
		}
		_, err = x.exec(`INSERT INTO invitations (staff, hash, kind, made_by, expires_at) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (staff) DO UPDATE SET hash = excluded.hash, kind = excluded.kind, made_by = excluded.made_by,
			expires_at = excluded.expires_at`, string(i.Staff), i.Hash[:], string(i.Kind), string(i.MadeBy), ms(i.ExpiresAt))
		if err != nil {
			return struct{}{}, err
		}
		return struct{}{}, x.append(audit...)
	})
	return err
}

const selectInvitation = "SELECT staff, hash, kind, made_by, expires_at FROM invitations "

func scanInvitation(r scanner) (i gateway.Invitation, err error) {
	return i, r.Scan((*string)(&i.Staff), fixed(i.Hash[:]), (*string)(&i.Kind), (*string)(&i.MadeBy), at(&i.ExpiresAt))
}

// OpenInvitations lists the links that work at a time.
func (s *Store) OpenInvitations(ctx context.Context, now time.Time) ([]gateway.Invitation, error) {
	return read(ctx, s, "list invitations", func(v view) ([]gateway.Invitation, error) {
		return all(v, scanInvitation, selectInvitation+"WHERE expires_at > $1 ORDER BY staff", ms(now))
	})
}

// CancelInvitation forgets an account's link; see the port.
func (s *Store) CancelInvitation(ctx context.Context, staff gateway.StaffID, offices []gateway.OfficeID, audit ...gateway.AuditEntry) error {
	_, err := write(ctx, s, "cancel invitation", "", func(x *tx) (struct{}, error) {
		account, err := holdStaff(x, string(staff))
		if err == nil {
			err = worksOnlyAt(account, offices)
		}
		if err != nil {
			return struct{}{}, err
		}
		n, err := x.exec("DELETE FROM invitations WHERE staff = $1", string(staff))
		if err == nil && n == 0 {
			err = notFound()
		}
		if err != nil {
			return struct{}{}, err
		}
		return struct{}{}, x.append(audit...)
	})
	return err
}

// Invitation finds a link that still works, with its account.
func (s *Store) Invitation(ctx context.Context, hash gateway.TokenHash, now time.Time) (gateway.Invitation, gateway.Staff, error) {
	var staff gateway.Staff
	found, err := snapshot(ctx, s, "find invitation", func(v view) (gateway.Invitation, error) {
		found, err := only(first(v, scanInvitation, selectInvitation+"WHERE hash = $1 AND expires_at > $2", hash[:], ms(now)))
		if err != nil {
			return found, err
		}
		staff, err = only(first(v, scanStaff, selectStaff+"WHERE id = $1", string(found.Staff)))
		return found, err
	})
	return found, staff, err
}

// AcceptInvitation uses a link up; see the port.
func (s *Store) AcceptInvitation(ctx context.Context, hash gateway.TokenHash, now time.Time, c gateway.Credentials, audit ...gateway.AuditEntry) error {
	_, err := write(ctx, s, "accept invitation", "", func(x *tx) (struct{}, error) {
		// The account's row first, as whoever changes it does.
		id, err := only(first(x, scanText[string], "SELECT staff FROM invitations WHERE hash = $1", hash[:]))
		if err != nil {
			return struct{}{}, err
		}
		staff, err := holdStaff(x, id)
		if err == nil && !staff.DisabledAt.IsZero() {
			err = notFound()
		}
		if err != nil {
			return struct{}{}, err
		}
		n, err := x.exec("DELETE FROM invitations WHERE hash = $1 AND expires_at > $2", hash[:], ms(now))
		if err == nil && n == 0 {
			err = notFound()
		}
		if err != nil {
			return struct{}{}, err
		}
		_, err = x.exec("UPDATE staff SET password_hash = $2, totp = $3, totp_step = $4, totp_since = $5, epoch = epoch + 1 WHERE id = $1",
			id, c.PasswordHash, solid(c.SealedTOTP), c.TOTPStep, ms(now))
		if err != nil {
			return struct{}{}, err
		}
		if _, err := x.exec("DELETE FROM passkeys WHERE staff = $1", id); err != nil {
			return struct{}{}, err
		}
		if _, err := x.exec("UPDATE desk_sessions SET ended_at = $2 WHERE staff = $1 AND ended_at = 0", id, ms(now)); err != nil {
			return struct{}{}, err
		}
		if c.Passkey != nil {
			if err := addPasskey(x, *c.Passkey); err != nil {
				return struct{}{}, err
			}
		}
		return struct{}{}, x.append(audit...)
	})
	return err
}

// UseTOTPStep remembers the step of a code, so that it works once; see the port.
func (s *Store) UseTOTPStep(ctx context.Context, id gateway.StaffID, step int64, sealed []byte) error {
	_, err := write(ctx, s, "use code", "", func(x *tx) (struct{}, error) {
		n, err := x.exec("UPDATE staff SET totp_step = $2 WHERE id = $1 AND totp_step < $2 AND totp = $3", string(id), step, solid(sealed))
		if err == nil && n == 0 {
			err = refuse(gateway.CodeSecondFactor)
		}
		return struct{}{}, err
	})
	return err
}

const passkeyColumns = "id, staff, name, record, added_at, used_at" // #nosec G101 -- names of columns

func addPasskey(x *tx, p gateway.Passkey) error {
	n, err := x.exec(insertInto("passkeys", passkeyColumns)+" ON CONFLICT (id) DO NOTHING",
		p.ID, string(p.Staff), p.Name, solid(p.Record), ms(p.AddedAt), ms(p.UsedAt))
	if err == nil && n == 0 {
		err = refuse(gateway.CodePasskey)
	}
	return err
}

// AddPasskey stores one; see the port.
func (s *Store) AddPasskey(ctx context.Context, p gateway.Passkey, most int, first bool, others gateway.OtherSessions, audit ...gateway.AuditEntry) error {
	_, err := write(ctx, s, "add passkey", "", func(x *tx) (struct{}, error) {
		// The account is held: two at once would be counted one each.
		account, err := holdStaff(x, string(p.Staff))
		if err == nil && account.Passkeys >= most {
			err = refuse(gateway.CodePasskey)
		}
		if err == nil && first && account.HasFactor() {
			err = refuse(gateway.CodeForbidden)
		}
		if err == nil {
			err = addPasskey(x, p)
		}
		if err == nil {
			err = endOthers(x, string(p.Staff), others)
		}
		if err != nil {
			return struct{}{}, err
		}
		return struct{}{}, x.append(audit...)
	})
	return err
}

// RemovePasskey removes one of an account; see the port.
func (s *Store) RemovePasskey(ctx context.Context, staff gateway.StaffID, id []byte, keepOne bool, others gateway.OtherSessions, audit ...gateway.AuditEntry) error {
	_, err := write(ctx, s, "remove passkey", "", func(x *tx) (struct{}, error) {
		// The account is held: two removals at once would take the last two.
		account, err := holdStaff(x, string(staff))
		if err == nil && keepOne && account.Passkeys <= 1 {
			err = refuse(gateway.CodeForbidden)
		}
		if err != nil {
			return struct{}{}, err
		}
		n, err := x.exec("DELETE FROM passkeys WHERE id = $1 AND staff = $2", solid(id), string(staff))
		if err == nil && n == 0 {
			err = notFound()
		}
		if err == nil {
			err = endOthers(x, string(staff), others)
		}
		if err != nil {
			return struct{}{}, err
		}
		return struct{}{}, x.append(audit...)
	})
	return err
}

// endOthers ends an account's sessions but for the one that changed its way to
// sign in.
func endOthers(x *tx, staff string, o gateway.OtherSessions) error {
	_, err := x.exec("UPDATE desk_sessions SET ended_at = $2 WHERE ended_at = 0 AND staff = $1 AND id <> $3", staff, ms(o.At), string(o.Keep))
	return err
}

// Passkeys lists those of an account, oldest first.
func (s *Store) Passkeys(ctx context.Context, staff gateway.StaffID) ([]gateway.Passkey, error) {
	return read(ctx, s, "list passkeys", func(v view) ([]gateway.Passkey, error) {
		return all(v, func(r scanner) (p gateway.Passkey, err error) {
			return p, r.Scan(&p.ID, (*string)(&p.Staff), &p.Name, &p.Record, at(&p.AddedAt), at(&p.UsedAt))
		}, "SELECT "+passkeyColumns+" FROM passkeys WHERE staff = $1 ORDER BY added_at, id", string(staff))
	})
}

// UsePasskey keeps the counter of a passkey that was used.
func (s *Store) UsePasskey(ctx context.Context, p gateway.Passkey) error {
	_, err := write(ctx, s, "use passkey", "", func(x *tx) (struct{}, error) {
		n, err := x.exec("UPDATE passkeys SET record = $3, used_at = $4 WHERE id = $1 AND staff = $2",
			p.ID, string(p.Staff), solid(p.Record), ms(p.UsedAt))
		if err == nil && n == 0 {
			err = refuse(gateway.CodePasskey) // removed meanwhile
		}
		return struct{}{}, err
	})
	return err
}
