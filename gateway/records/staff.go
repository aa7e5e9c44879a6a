package records

import (
	"context"
	"encoding/json"

	"dropslot/gateway"
)

const staffColumns = "id, login, password_hash, roles, created_at, disabled_at"

func scanStaff(r scanner) (s gateway.Staff, err error) {
	var roles string
	err = r.Scan((*string)(&s.ID), &s.Login, &s.PasswordHash, &roles, at(&s.CreatedAt), at(&s.DisabledAt))
	if err != nil {
		return s, err
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

// AddStaff stores an account; CodeBadRequest if the login is taken.
func (s *Store) AddStaff(ctx context.Context, staff gateway.Staff, audit ...gateway.AuditEntry) error {
	roles, err := roleList(staff.Roles)
	if err != nil {
		return describe("add staff", err)
	}
	_, err = write(ctx, s, "add staff", "", func(x *tx) (struct{}, error) {
		n, err := x.exec(insertInto("staff", staffColumns)+" ON CONFLICT (login) DO NOTHING", string(staff.ID), staff.Login,
			staff.PasswordHash, roles, ms(staff.CreatedAt), ms(staff.DisabledAt))
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
	_, err := write(ctx, s, "change staff", "", func(x *tx) (struct{}, error) {
		n, err := x.exec(`UPDATE staff SET password_hash = COALESCE($2, password_hash), roles = COALESCE($3, roles),
			disabled_at = COALESCE($4, disabled_at) WHERE login = $1`, login, change.PasswordHash, roles, disabled)
		if err != nil {
			return struct{}{}, err
		}
		if n == 0 {
			return struct{}{}, notFound()
		}
		return struct{}{}, x.append(audit...)
	})
	return err
}

// StaffByLogin finds an account, or CodeNotFound.
func (s *Store) StaffByLogin(ctx context.Context, login string) (gateway.Staff, error) {
	return read(ctx, s, "find staff", func(v view) (gateway.Staff, error) {
		return only(first(v, scanStaff, "SELECT "+staffColumns+" FROM staff WHERE login = $1", login))
	})
}

// StaffByID finds an account, or CodeNotFound.
func (s *Store) StaffByID(ctx context.Context, id gateway.StaffID) (gateway.Staff, error) {
	return read(ctx, s, "find staff", func(v view) (gateway.Staff, error) {
		return only(first(v, scanStaff, "SELECT "+staffColumns+" FROM staff WHERE id = $1", string(id)))
	})
}

// ListStaff lists all accounts by login.
func (s *Store) ListStaff(ctx context.Context) ([]gateway.Staff, error) {
	return read(ctx, s, "list staff", func(v view) ([]gateway.Staff, error) {
		return all(v, scanStaff, "SELECT "+staffColumns+" FROM staff ORDER BY login")
	})
}
