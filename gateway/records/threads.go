package records

import (
	"context"
	"slices"
	"time"

	"dropslot/gateway"
)

// Look notes that somebody looks at a submission; see the port.
func (s *Store) Look(ctx context.Context, staff gateway.StaffID, id gateway.SubmissionID, at time.Time) error {
	_, err := write(ctx, s, "note a look", "", func(x *tx) (struct{}, error) {
		_, err := x.exec(`INSERT INTO looks (staff, submission, first_at, at) VALUES ($1, $2, $3, $3)
			ON CONFLICT (staff, submission) DO UPDATE SET at = excluded.at WHERE looks.at < excluded.at`,
			string(staff), string(id), ms(at))
		return struct{}{}, err
	})
	return err
}

func scanRemark(r scanner) (m gateway.Remark, err error) {
	return m, r.Scan((*string)(&m.ID), (*string)(&m.Submission), (*string)(&m.Staff), at(&m.At), &m.Sealed)
}

const selectRemarks = "SELECT id, submission, staff, at, sealed FROM remarks WHERE "

const clientName = "SELECT sealed_name FROM clients WHERE office = $1 AND sender = $2"

// besideMost bounds what is shown of a client who comes often.
const besideMost = 200

// Beside gives what is known of a submission beside its papers; see the port.
func (s *Store) Beside(ctx context.Context, about gateway.Submission) (gateway.Beside, error) {
	sender := unlessZero(about.Sender[:], about.Sender.IsZero())
	return snapshot(ctx, s, "look beside a submission", func(v view) (b gateway.Beside, err error) {
		b.Remarks, err = all(v, scanRemark, selectRemarks+"submission = $1 ORDER BY at, id LIMIT $2", string(about.ID), besideMost)
		if err != nil {
			return b, err
		}
		b.Home, err = all(v, scanSubmission, "SELECT "+submissionColumns+" FROM submissions WHERE merged_into = $1 AND merged_into <> '' ORDER BY id", string(about.ID))
		if err != nil || about.Sender.IsZero() {
			return b, err
		}
		if b.SealedName, _, err = first(v, scanBytes, clientName, string(about.Office), sender); err != nil {
			return b, err
		}
		b.Others, err = all(v, scanSubmission, "SELECT "+submissionColumns+` FROM submissions
			WHERE office = $1 AND sender = $2 AND arrived_at > 0 AND id <> $3 AND merged_into = ''
			ORDER BY opened_at DESC LIMIT $4`, string(about.Office), sender, string(about.ID), besideMost)
		return b, err
	})
}

// ChangeSubmission changes what the change names; see the port.
func (s *Store) ChangeSubmission(ctx context.Context, offices []gateway.OfficeID, id gateway.SubmissionID, change gateway.SubmissionChange, audit ...gateway.AuditEntry) error {
	_, err := write(ctx, s, "change submission", "", func(x *tx) (struct{}, error) {
		there, err := x.lockOf(offices, id)
		if err == nil && there.MergedInto != "" {
			err = refuse(gateway.CodeForbidden)
		}
		if err != nil {
			return struct{}{}, err
		}
		if err := x.change(there, change); err != nil {
			return struct{}{}, err
		}
		if err := x.changed(there.Office); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, x.append(audit...)
	})
	return err
}

// lockOf locks a submission of some offices and gives it.
func (x *tx) lockOf(offices []gateway.OfficeID, id gateway.SubmissionID) (gateway.Submission, error) {
	return only(first(x, scanSubmission, "UPDATE submissions SET state = state WHERE id = $1 AND office IN ("+inOffices(offices)+") RETURNING "+submissionColumns,
		withOffices(offices, string(id))...))
}

func (x *tx) change(s gateway.Submission, c gateway.SubmissionChange) error {
	if c.Assigned != nil {
		_, err := x.exec("UPDATE submissions SET assigned = $2 WHERE id = $1", string(s.ID), string(*c.Assigned))
		if err != nil {
			return err
		}
		if *c.Assigned != "" && s.Stage == gateway.StageNew && c.Stage == nil { // whoever has it works on it
			open := gateway.StageOpen
			c.Stage = &open
		}
	}
	if c.Stage != nil {
		_, err := x.exec(`UPDATE submissions SET stage = $2, handled = 0, handled_at = 0, handled_by = '', handled_as = '', handled_note = '',
			state = CASE WHEN state = 'handled' THEN 'received' ELSE state END WHERE id = $1`, string(s.ID), string(*c.Stage))
		if err != nil {
			return err
		}
	}
	if c.Stage != nil && s.State == gateway.SubmissionHandled {
		// What was done is unfinished again: a warning of long ago is none of this.
		if _, err := x.exec("DELETE FROM erasure_warnings WHERE submission = $1", string(s.ID)); err != nil {
			return err
		}
	}
	if c.Case == nil {
		return x.revise(s.ID)
	}
	var sealed, index any // NULL where there is none
	if !c.Case.Index.IsZero() {
		sealed, index = c.Case.Sealed, c.Case.Index[:]
	}
	if _, err := x.exec("UPDATE submissions SET sealed_case = $2, case_index = $3 WHERE id = $1", string(s.ID), sealed, index); err != nil {
		return err
	}
	return x.revise(s.ID)
}

const insertRemark = `INSERT INTO remarks (id, office, submission, staff, at, sealed) VALUES ($1, $2, $3, $4, $5, $6)
	ON CONFLICT (id) DO NOTHING`

// AddRemark stores a note by staff; see the port.
func (s *Store) AddRemark(ctx context.Context, offices []gateway.OfficeID, r gateway.Remark, audit ...gateway.AuditEntry) error {
	_, err := write(ctx, s, "add remark", "", func(x *tx) (struct{}, error) {
		there, err := x.lockOf(offices, r.Submission)
		if err == nil && there.MergedInto != "" { // nobody would read it there
			err = refuse(gateway.CodeForbidden)
		}
		if err != nil {
			return struct{}{}, err
		}
		n, err := x.exec(insertRemark, string(r.ID), string(there.Office), string(r.Submission), string(r.Staff), ms(r.At), r.Sealed)
		if err != nil || n == 0 {
			return struct{}{}, err
		}
		if err := x.revise(there.ID); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, x.append(audit...)
	})
	return err
}

// putDesk puts back what a manifest told of the desk's words.
func (x *tx) putDesk(s gateway.Submission) error {
	if s.MergedInto != "" {
		if _, err := x.exec("UPDATE submissions SET merged_into = $2 WHERE id = $1", string(s.ID), string(s.MergedInto)); err != nil {
			return err
		}
	}
	if !s.CaseIndex.IsZero() {
		_, err := x.exec("UPDATE submissions SET sealed_case = $2, case_index = $3 WHERE id = $1", string(s.ID), s.SealedCase, s.CaseIndex[:])
		if err != nil {
			return err
		}
	}
	if s.Stage.Settable() {
		if _, err := x.exec("UPDATE submissions SET stage = $2 WHERE id = $1", string(s.ID), string(s.Stage)); err != nil {
			return err
		}
	}
	if s.Assigned != "" { // nobody has it whose account is gone
		_, err := x.exec("UPDATE submissions SET assigned = $2 WHERE id = $1 AND EXISTS (SELECT 1 FROM staff WHERE id = $2)", string(s.ID), string(s.Assigned))
		if err != nil {
			return err
		}
	}
	for _, r := range s.Remarks {
		_, err := x.exec(insertRemark, string(r.ID), string(s.Office), string(s.ID), string(r.Staff), ms(r.At), r.Sealed)
		if err != nil {
			return err
		}
	}
	return nil
}

// knownSender tells whether anything of a phone is known at an office ($1, $2).
const knownSender = `SELECT 1 WHERE EXISTS (SELECT 1 FROM submissions WHERE office = $1 AND sender = $2)
	OR EXISTS (SELECT 1 FROM texts WHERE office = $1 AND sender = $2)
	OR EXISTS (SELECT 1 FROM sendings WHERE office = $1 AND sender = $2)`

// NameClient stores what staff call a phone; see the port.
func (s *Store) NameClient(ctx context.Context, offices []gateway.OfficeID, name gateway.ClientName, audit ...gateway.AuditEntry) error {
	_, err := write(ctx, s, "name client", "", func(x *tx) (struct{}, error) {
		_, found, err := first(x, scanInt, knownSender, string(name.Office), name.Sender[:])
		if err == nil && (!found || !slices.Contains(offices, name.Office)) {
			err = notFound()
		}
		if err != nil {
			return struct{}{}, err
		}
		_, err = x.exec(`INSERT INTO clients (office, sender, sealed_name, named_by, named_at) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (office, sender) DO UPDATE SET sealed_name = excluded.sealed_name, named_by = excluded.named_by, named_at = excluded.named_at`,
			string(name.Office), name.Sender[:], solid(name.Sealed), string(name.By), ms(name.At))
		if err != nil {
			return struct{}{}, err
		}
		if err := x.changed(name.Office); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, x.append(audit...)
	})
	return err
}
