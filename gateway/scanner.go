package gateway

import (
	"context"
	"errors"
	"io"
)

// Scanner looks for viruses. It fails closed: whatever it does not call clean
// is an error.
type Scanner interface {
	// Scan reads to the end. CodeInfected if something was found,
	// CodeNotScanned if there was more than it looks through, CodeScanner if it
	// did not answer.
	Scan(ctx context.Context, content io.Reader) error
}

// scan has a page looked through before anybody sees it. A page that is
// refused leaves a row in the audit trail.
func (d *Desk) scan(ctx context.Context, who Actor, opened *OpenedPage) error {
	if d.Scanner == nil {
		return nil
	}
	if _, err := opened.Content.Seek(0, io.SeekStart); err != nil {
		return err
	}
	err := d.Scanner.Scan(ctx, opened.Content)
	if err == nil {
		_, err = opened.Content.Seek(0, io.SeekStart)
		return err
	}
	entry := who.entry(d.Now(), ActionPageScanned, "page:"+string(opened.Page.ID), opened.Page.Office)
	entry.Outcome, entry.Reason = OutcomeDenied, string(CodeOf(err))
	return errors.Join(err, d.Audit.Append(ctx, entry))
}

// mayDownload asks whether a role lets the person take papers of this office
// along; the entry is of what they wanted to do.
func (d *Desk) mayDownload(ctx context.Context, who Actor, entry AuditEntry) error {
	if d.Directory.Offices[entry.Office].Downloads(who.Staff) {
		return nil
	}
	entry.Outcome, entry.Reason = OutcomeDenied, string(CodeNoDownload)
	return errors.Join(NewError(CodeNoDownload, nil), d.Audit.Append(ctx, entry))
}
