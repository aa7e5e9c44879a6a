package records

import (
	"context"
	"encoding/json"

	"dropslot/gateway"
)

const staffColumns = "id, login, password_hash, roles, totp, totp_step, totp_since, epoch, created_at, disabled_at, identity"

const selectStaff = "SELECT " + staffColumns + ", (SELECT COUNT(*) FROM passkeys WHERE passkeys.staff = staff.id) FROM staff "

func scanStaff(r scanner) (s gateway.Staff, err error) {
	var roles string
	var identity []byte
	err = r.Scan((*string)(&s.ID), &s.Login, &s.PasswordHash, &roles, &s.SealedTOTP, &s.TOTPStep, at(&s.TOTPSince), &s.Epoch,
		at(&s.CreatedAt), at(&s.DisabledAt), &identity, &s.Passkeys)
	if err != nil {
		return s, err
	}
	copy(s.Identity[:], identity)
	if len(s.SealedTOTP) == 0 {
		s.SealedTOTP = nil
	}
	return s, json.Unmarshal([]byte(roles), &s.Roles)
}

func roleList(roles gateway.Roles) (string, error) {
	if roles == nil {
		roles = gateway.Roles{}
	}
	list, err := json.Marshal(roles)
	return string(list), err
}

// AddStaff stores an account; CodeBadRequest if its login or identity is taken.
func (s *Store) AddStaff(ctx context.Context, staff gateway.Staff, audit ...gateway.AuditEntry) error {
	roles, err := roleList(staff.Roles)
	if err != nil {
		return describe("add staff", err)
	}
	_, err = write(ctx, s, "add staff", "", func(x *tx) (struct{}, error) {
		n, err := x.exec(insertInto("staff", staffColumns)+" ON CONFLICT DO NOTHING", string(staff.ID), staff.Login,
			staff.PasswordHash, roles, solid(staff.SealedTOTP), staff.TOTPStep, ms(staff.TOTPSince), staff.Epoch, ms(staff.CreatedAt), ms(staff.DisabledAt), identityOf(staff))
		if err != nil {
			return struct{}{}, err
		}
		if n == 0 {
			return struct{}{}, refuse(gateway.CodeBadRequest)
		}
		return struct{}{}, x.append(audit...)
	})
	return err
}

// ChangeStaff changes what the change names, by login, or CodeNotFound. Two
// changes of different things at once both hold.
func (s *Store) ChangeStaff(ctx context.Context, login string, change gateway.StaffChange, audit ...gateway.AuditEntry) error {
	var roles *string
	if change.Roles != nil {
		list, err := roleList(change.Roles)
		if err != nil {
			return describe("change staff", err)
		}
		roles = &list
	}
	var disabled *int64
	if change.DisabledAt != nil {
		at := ms(*change.DisabledAt)
		disabled = &at
	}
	var totp []byte
	var since *int64
	if change.SealedTOTP != nil {
		at := ms(change.TOTPSince)
		totp, since = solid(*change.SealedTOTP), &at
	}
	_, err := write(ctx, s, "change staff", "", func(x *tx) (struct{}, error) {
		id, err := only(first(x, scanText[string], "UPDATE staff SET roles = roles WHERE login = $1 RETURNING id", login))
		if err != nil {
			return struct{}{}, err
		}
		if change.OnlyAt != nil || change.First {
			staff, err := holdStaff(x, id)
			if err == nil && change.OnlyAt != nil {
				err = worksOnlyAt(staff, change.OnlyAt)
			}
			if err == nil && change.First && staff.HasFactor() {
				err = refuse(gateway.CodeForbidden)
			}
			if err != nil {
				return struct{}{}, err
			}
		}
		_, err = x.exec(`UPDATE staff SET password_hash = COALESCE($2, password_hash), roles = COALESCE($3, roles),
			disabled_at = COALESCE($4, disabled_at), totp = COALESCE($5, totp),
			totp_step = CASE WHEN $6 > 0 THEN $6 ELSE totp_step END, totp_since = COALESCE($8, totp_since),
			epoch = epoch + $7 WHERE id = $1`,
			id, change.PasswordHash, roles, disabled, totp, change.TOTPStep, bit(!change.EndsAt.IsZero()), since)
		if err != nil {
			return struct{}{}, err
		}
		if err := dropInvitation(x, id); err != nil {
			return struct{}{}, err
		}
		if !change.EndsAt.IsZero() {
			_, err := x.exec("UPDATE desk_sessions SET ended_at = $2 WHERE ended_at = 0 AND staff = $1", id, ms(change.EndsAt))
			if err != nil {
				return struct{}{}, err
			}
		}
		if change.Others != nil {
			if err := endOthers(x, id, *change.Others); err != nil {
				return struct{}{}, err
			}
		}
		if change.Known {
			_, err := x.exec("UPDATE desk_sessions SET told_at = $2 WHERE told_at = 0 AND staff = $1", id, ms(change.EndsAt))
			if err != nil {
				return struct{}{}, err
			}
		}
		return struct{}{}, x.append(audit...)
	})
	return err
}

// identityOf is what stands in the row: nothing for an account that signs in here.
func identityOf(staff gateway.Staff) any {
	if !staff.SSO() {
		return nil
	}
	return staff.Identity[:]
}

// StaffByIdentity finds an account of single sign-on.
func (s *Store) StaffByIdentity(ctx context.Context, hash gateway.IdentityHash) (gateway.Staff, error) {
	if hash.IsZero() {
		return gateway.Staff{}, notFound()
	}
	return read(ctx, s, "find staff", func(v view) (gateway.Staff, error) {
		return only(first(v, scanStaff, selectStaff+"WHERE identity = $1", hash[:]))
	})
}

// StaffByLogin finds an account, or CodeNotFound.
func (s *Store) StaffByLogin(ctx context.Context, login string) (gateway.Staff, error) {
	return read(ctx, s, "find staff", func(v view) (gateway.Staff, error) {
		return only(first(v, scanStaff, selectStaff+"WHERE login = $1", login))
	})
}

// StaffByID finds an account, or CodeNotFound.
func (s *Store) StaffByID(ctx context.Context, id gateway.StaffID) (gateway.Staff, error) {
	return read(ctx, s, "find staff", func(v view) (gateway.Staff, error) {
		return only(first(v, scanStaff, selectStaff+"WHERE id = $1", string(id)))
	})
}

// ListStaff lists all accounts by login.
func (s *Store) ListStaff(ctx context.Context) ([]gateway.Staff, error) {
	return read(ctx, s, "list staff", func(v view) ([]gateway.Staff, error) {
		return all(v, scanStaff, selectStaff+"ORDER BY login")
	})
}
