package records

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"dropslot/gateway"
)

// wishColumns are those of a wish w, joined to its page a.
const wishColumns = "COALESCE(w.asks, '[]'), COALESCE(w.words, ''), COALESCE(w.page, ''), COALESCE(w.reason, ''), COALESCE(a.label, '')"

// wishFields reads them.
type wishFields struct {
	into  *gateway.Wish
	asks  string
	words []byte
}

func newWishFields(into *gateway.Wish) *wishFields { return &wishFields{into: into} }

func (f *wishFields) fields() []any {
	return []any{&f.asks, &f.words, (*string)(&f.into.Page), (*string)(&f.into.Reason), &f.into.Label}
}

func (f *wishFields) read() error {
	if len(f.words) > 0 {
		f.into.Sealed = f.words
	}
	if err := json.Unmarshal([]byte(f.asks), &f.into.Asks); err != nil {
		return fmt.Errorf("read what a link asks for: %w", err)
	}
	return nil
}

func wishOf(q queryer, link gateway.LinkID) (gateway.Wish, bool, error) {
	return first(q, func(r scanner) (w gateway.Wish, err error) {
		f := newWishFields(&w)
		if err = r.Scan(f.fields()...); err != nil {
			return w, err
		}
		return w, f.read()
	}, "SELECT "+wishColumns+" FROM wishes w LEFT JOIN pages a ON a.id = w.page WHERE w.link = $1", string(link))
}

func (x *tx) insertWish(link gateway.LinkID, w gateway.Wish) error {
	if w.IsZero() {
		return nil
	}
	asks, err := json.Marshal(w.Asks)
	if err != nil {
		return err
	}
	if w.Asks == nil {
		asks = []byte("[]")
	}
	_, err = x.exec("INSERT INTO wishes (link, asks, words, page, reason) VALUES ($1, $2, $3, $4, $5)",
		string(link), string(asks), solid(w.Sealed), string(w.Page), string(w.Reason))
	return err
}

// copyWish has a link that comes in place of another ask for the same.
func (x *tx) copyWish(from, to gateway.LinkID) error {
	_, err := x.exec("INSERT INTO wishes (link, asks, words, page, reason) SELECT $2, asks, words, page, reason FROM wishes WHERE link = $1",
		string(from), string(to))
	return err
}

// askedFor refuses a text to somebody who wrote nothing since then.
func (x *tx) askedFor(l gateway.Link, since time.Time) error {
	if since.IsZero() {
		return nil
	}
	_, found, err := first(x, scanInt, "SELECT received_at FROM texts WHERE office = $1 AND sender = $2 AND received_at >= $3 LIMIT 1",
		string(l.Office), l.Sender[:], ms(since))
	if err == nil && !found {
		err = refuse(gateway.CodeUnasked)
	}
	return err
}

// openForPage opens a submission again, also one that was done, for the link
// that asks for one of its pages once more. The row is locked.
func (x *tx) openForPage(l gateway.Link) (bool, error) {
	n, err := x.exec(`UPDATE submissions SET state = 'open', unfinished = 0, finished_at = 0, archived_at = 0,
		handled = 0, handled_at = 0, handled_by = '', handled_as = '', handled_note = ''
		WHERE id = $1 AND EXISTS (SELECT 1 FROM wishes w JOIN pages p ON p.id = w.page WHERE w.link = $2 AND p.submission = $1)`,
		string(l.Submission), string(l.ID))
	if err == nil && n == 1 {
		err = x.changed(l.Office)
	}
	return n == 1, err
}

// countOwn gives how many pages count against a link: those of a link that asks
// for a page once more, else all of the submission.
func (x *tx) countOwn(s gateway.Submission, link gateway.LinkID) (int, error) {
	wish, _, err := wishOf(x, link)
	if err != nil || wish.Page == "" {
		return s.Pages, err
	}
	n, _, err := first(x, scanInt, "SELECT COUNT(*) FROM pages WHERE submission = $1 AND link = $2 AND removed_at = 0", string(s.ID), string(link))
	return int(n), err
}

// countSent gives how many pages a receipt speaks of. CodeNoPages if a link
// that asks for a page once more brought none, whatever was there before.
func (x *tx) countSent(s gateway.Submission, l gateway.Link) (int, error) {
	n, err := x.countOwn(s, l.ID)
	if err != nil || n > 0 {
		return n, err
	}
	if wish, _, err := wishOf(x, l.ID); err != nil || wish.Page == "" {
		return n, err
	}
	return n, refuse(gateway.CodeNoPages)
}

// CancelLink takes back the link of a sending; see the port.
func (s *Store) CancelLink(ctx context.Context, offices []gateway.OfficeID, id gateway.SendingID, at time.Time, audit ...gateway.AuditEntry) ([]gateway.Link, error) {
	return write(ctx, s, "cancel link", "", func(x *tx) ([]gateway.Link, error) {
		link, err := only(first(x, scanLink, "SELECT "+qualified("l", linkColumns)+` FROM sendings s JOIN links l ON l.id = s.link
			WHERE s.id = $1 AND s.occasion = 'request' AND s.office IN (`+inOffices(offices)+")", withOffices(offices, string(id))...))
		if err != nil {
			return nil, err
		}
		// The sender's row first, as everywhere: a claim waits for this or is
		// waited for, and so does a link that somebody has texted instead.
		if _, err := x.lockSender(link.Office, link.Sender); err != nil {
			return nil, err
		}
		row, err := all(x, scanLink, "SELECT "+linkColumns+" FROM links WHERE id = $1 OR root = $1 AND root <> ''", string(link.First()))
		if err != nil {
			return nil, err
		}
		taken, err := x.takeBack(row, at)
		if err != nil {
			return nil, err
		}
		// Instead of those that are over none may be texted either.
		_, err = x.exec("UPDATE links SET canceled_at = $2 WHERE (id = $1 OR root = $1 AND root <> '') AND state <> 'closed' AND canceled_at = 0",
			string(link.First()), ms(at))
		if err != nil {
			return nil, err
		}
		return taken, x.append(audit...)
	})
}

// takeBack ends those of some links that something could come through, and
// gives them. CodeLinkClosed if there is none.
func (x *tx) takeBack(links []gateway.Link, at time.Time) (taken []gateway.Link, err error) {
	for _, l := range links {
		switch l.StateAt(at) {
		case gateway.LinkIssued:
			l.State = gateway.LinkSuperseded
		case gateway.LinkClaimed:
			l.State = gateway.LinkClosed
		default:
			continue
		}
		l.CanceledAt = timeOf(ms(at))
		if _, err := x.exec("UPDATE links SET state = $2, canceled_at = $3 WHERE id = $1", string(l.ID), string(l.State), ms(at)); err != nil {
			return nil, err
		}
		taken = append(taken, l)
	}
	if len(taken) == 0 {
		err = refuse(gateway.CodeLinkClosed)
	}
	return taken, err
}

// NoteCamera remembers that a page's camera ran, the first time.
func (s *Store) NoteCamera(ctx context.Context, link gateway.LinkID, at time.Time) error {
	_, err := write(ctx, s, "note camera", "", func(x *tx) (struct{}, error) {
		_, err := x.exec("UPDATE links SET camera_at = $2 WHERE id = $1 AND camera_at = 0 AND state = 'claimed'", string(link), ms(at))
		return struct{}{}, err
	})
	return err
}
