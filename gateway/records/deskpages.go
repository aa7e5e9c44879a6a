package records

import (
	"context"
	"slices"

	"dropslot/gateway"
)

// ChangePage turns, labels or moves a page; see the port.
func (s *Store) ChangePage(ctx context.Context, offices []gateway.OfficeID, id gateway.PageID, change gateway.PageChange, audit ...gateway.AuditEntry) error {
	_, err := write(ctx, s, "change page", "", func(x *tx) (struct{}, error) {
		submission, page, err := x.lockPage(offices, id)
		if err != nil {
			return struct{}{}, err
		}
		if change.Rotation != nil {
			if _, err := x.exec("UPDATE pages SET rotation = $2 WHERE id = $1", string(id), *change.Rotation); err != nil {
				return struct{}{}, err
			}
		}
		if change.Label != nil {
			if _, err := x.exec("UPDATE pages SET label = $2 WHERE id = $1", string(id), *change.Label); err != nil {
				return struct{}{}, err
			}
			if err := x.notLacked(submission, *change.Label, submission.ArrivedAt); err != nil {
				return struct{}{}, err
			}
		}
		if change.Place > 0 {
			if err := x.movePage(page, change.Place); err != nil {
				return struct{}{}, err
			}
		}
		if err := x.revise(submission.ID); err != nil {
			return struct{}{}, err
		}
		if err := x.changed(submission.Office); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, x.append(audit...)
	})
	return err
}

// lockPage finds a page that counts and locks its submission.
func (x *tx) lockPage(offices []gateway.OfficeID, id gateway.PageID) (gateway.Submission, gateway.Page, error) {
	find := func() (gateway.Page, error) {
		return only(first(x, scanPage, "SELECT "+pageColumns+" FROM pages WHERE id = $1 AND removed_at = 0 AND office IN ("+inOffices(offices)+")",
			withOffices(offices, string(id))...))
	}
	page, err := find()
	if err != nil {
		return gateway.Submission{}, page, err
	}
	submission, err := x.lockSubmission(page.Submission)
	if err != nil {
		return submission, page, err
	}
	page, err = find() // it may have been removed until the lock was had
	return submission, page, err
}

// movePage gives a page its place and numbers all of its submission anew.
func (x *tx) movePage(page gateway.Page, place int) error {
	order, err := all(x, scanText[gateway.PageID], "SELECT id FROM pages WHERE submission = $1 AND removed_at = 0 "+inOrder, string(page.Submission))
	if err != nil {
		return err
	}
	order = slices.DeleteFunc(order, func(id gateway.PageID) bool { return id == page.ID })
	order = slices.Insert(order, min(place-1, len(order)), page.ID)
	for i, id := range order {
		if _, err := x.exec("UPDATE pages SET place = $2 WHERE id = $1", string(id), i+1); err != nil {
			return err
		}
	}
	return nil
}

// revise notes that staff changed something of a submission that its manifest
// tells: one that was written, or read to be written, is out of date. Pages
// that were moved there are told of in the manifests of where they were sent.
func (x *tx) revise(id gateway.SubmissionID) error {
	_, err := x.exec(`UPDATE submissions SET revision = revision + 1, archived_at = 0 WHERE id = $1
		OR id IN (SELECT home FROM pages WHERE submission = $1 AND home <> '')`, string(id))
	return err
}
