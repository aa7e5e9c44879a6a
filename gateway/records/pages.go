package records

import (
	"context"
	"time"

	"dropslot/gateway"
)

const pageColumns = `id, page_key, submission, office, link, blob, digest, same, sealed_bytes, plain_bytes,
	sealing, label, received_at, removed_at, text, place, rotation, home, again, again_why`

var insertPage = insertInto("pages", pageColumns)

func scanPage(r scanner) (p gateway.Page, err error) {
	err = r.Scan((*string)(&p.ID), (*string)(&p.Key), (*string)(&p.Submission), (*string)(&p.Office), (*string)(&p.Link),
		(*string)(&p.Blob), fixed(p.Digest[:]), fixed(p.Same[:]), &p.SealedBytes, &p.PlainBytes,
		(*string)(&p.Sealing), &p.Label, at(&p.ReceivedAt), at(&p.RemovedAt), (*string)(&p.Text), &p.Place, &p.Rotation, (*string)(&p.Home),
		(*string)(&p.Again), (*string)(&p.AgainWhy))
	return p, err
}

func pageArgs(p gateway.Page) []any {
	return []any{
		string(p.ID), string(p.Key), string(p.Submission), string(p.Office), string(p.Link), string(p.Blob),
		p.Digest[:], p.Same[:], p.SealedBytes, p.PlainBytes, string(p.Sealing), p.Label, ms(p.ReceivedAt), ms(p.RemovedAt), string(p.Text), p.Place, p.Rotation, string(p.Home),
		string(p.Again), string(p.AgainWhy),
	}
}

// pageByKey finds a page by the key that its sender gave it, wherever it was
// moved since.
func pageByKey(q queryer, id gateway.SubmissionID, key gateway.PageKey) (gateway.Page, bool, error) {
	return first(q, scanPage, "SELECT "+pageColumns+" FROM pages WHERE "+sentHere+" AND page_key IN ($2, $3)",
		string(id), string(key), string(movedKey(id, key)))
}

// FindPage gives the page of this key, removed or not, or CodeNotFound.
func (s *Store) FindPage(ctx context.Context, id gateway.SubmissionID, key gateway.PageKey) (gateway.Page, error) {
	return read(ctx, s, "find page", func(v view) (gateway.Page, error) { return only(pageByKey(v, id, key)) })
}

type savedPage struct {
	page   gateway.Page
	stored bool
}

// SavePage stores a page whose blob is durable; see the port for what is
// checked and in which order. The time that counts is p.ReceivedAt. A removed
// key is CodePageRemoved whatever is sent with it. A link of another
// submission is CodeNotFound.
func (s *Store) SavePage(ctx context.Context, p gateway.Page, l gateway.Limits, audit ...gateway.AuditEntry) (gateway.Page, bool, error) {
	r, err := write(ctx, s, "save page", "", func(x *tx) (savedPage, error) {
		submission, link, err := x.lockSession(p.Link, p.Submission)
		if err != nil {
			return savedPage{}, err
		}
		earlier, found, err := pageByKey(x, p.Submission, p.Key)
		switch {
		case err != nil:
			return savedPage{}, err
		case found && !earlier.RemovedAt.IsZero():
			return savedPage{}, refuse(gateway.CodePageRemoved)
		case found && earlier.Same != p.Same:
			return savedPage{}, refuse(gateway.CodePageConflict)
		case found:
			return savedPage{page: earlier}, nil
		}
		_, back, err := first(x, scanInt, "SELECT 1 FROM taken_back WHERE submission = $1 AND page_key = $2", string(p.Submission), string(p.Key))
		if err == nil && back {
			err = refuse(gateway.CodePageRemoved)
		}
		if err != nil {
			return savedPage{}, err
		}
		counted := submission
		if submission.Pages >= l.LinkPages {
			if counted.Pages, err = x.countOwn(submission, link.ID); err != nil {
				return savedPage{}, err
			}
		}
		if code := refusesPage(counted, link, p, l); code != "" {
			return savedPage{}, refuse(code)
		}
		p.Office = submission.Office
		return savedPage{page: p, stored: true}, x.addPage(submission, link, p, l, audit)
	})
	return r.page, r.stored, err
}

// refusesPage tells why a session takes no more of a page; "" if it takes it.
func refusesPage(s gateway.Submission, link gateway.Link, p gateway.Page, l gateway.Limits) gateway.Code {
	switch {
	case link.State != gateway.LinkClaimed:
		return gateway.CodeLinkClosed
	case !p.ReceivedAt.Before(link.Deadline().Add(l.CommitGrace)):
		return gateway.CodeLinkExpired
	case s.State != gateway.SubmissionOpen:
		return gateway.CodeLinkClosed
	case s.Pages >= l.LinkPages:
		return gateway.CodeTooManyPages
	case s.Bytes+p.PlainBytes > l.LinkBytes:
		return gateway.CodeLinkFull
	}
	return ""
}

func (x *tx) addPage(s gateway.Submission, link gateway.Link, p gateway.Page, l gateway.Limits, audit []gateway.AuditEntry) error {
	if _, err := x.exec(insertPage, pageArgs(p)...); err != nil {
		return err
	}
	arrived := s.ArrivedAt
	if arrived.IsZero() {
		arrived = p.ReceivedAt
	}
	_, err := x.exec("UPDATE submissions SET pages = $2, bytes = $3, arrived_at = $4, last_page_at = $5 WHERE id = $1",
		string(s.ID), s.Pages+1, s.Bytes+p.PlainBytes, ms(arrived), ms(p.ReceivedAt))
	if err != nil {
		return err
	}
	first := s.ArrivedAt.IsZero()
	s.Pages, s.ArrivedAt = s.Pages+1, arrived
	if err := x.notLacked(s, p.Label, p.ReceivedAt); err != nil {
		return err
	}
	if first || s.Stage == gateway.StageWaiting {
		if err := x.answered(s, p.ReceivedAt); err != nil {
			return err
		}
	}
	if err := x.keepAwake(link, p.ReceivedAt.Add(l.SessionIdle)); err != nil {
		return err
	}
	if err := x.changed(s.Office); err != nil {
		return err
	}
	return x.append(audit...)
}

// keepAwake moves the time until which a session waits for its client's next
// act. It ends at ends_at all the same.
func (x *tx) keepAwake(link gateway.Link, idle time.Time) error {
	if !idle.After(link.IdleAt) {
		return nil
	}
	_, err := x.exec("UPDATE links SET idle_at = $2 WHERE id = $1", string(link.ID), ms(idle))
	return err
}

// RemovePage marks a page removed while the session lives. When the last page
// goes and nothing else was said, the submission leaves the inbox until
// another one comes.
func (s *Store) RemovePage(ctx context.Context, link gateway.LinkID, id gateway.SubmissionID, key gateway.PageKey, act gateway.Act, audit ...gateway.AuditEntry) (gateway.Page, error) {
	return write(ctx, s, "remove page", "", func(x *tx) (gateway.Page, error) {
		submission, l, err := x.lockSession(link, id)
		if err != nil {
			return gateway.Page{}, err
		}
		page, err := only(pageByKey(x, id, key))
		switch {
		case err != nil || !page.RemovedAt.IsZero():
			return page, err
		}
		if code := sessionEnded(submission, l, act.At); code != "" {
			return page, refuse(code)
		}
		if page.Home != "" { // a caseworker has it elsewhere
			return page, refuse(gateway.CodeLinkClosed)
		}
		if err := x.keepAwake(l, act.IdleAt); err != nil {
			return page, err
		}
		return x.takePage(submission, page, act.At, audit)
	})
}

// RefusePage notes that a page is not to be taken; see the port.
func (s *Store) RefusePage(ctx context.Context, link gateway.LinkID, id gateway.SubmissionID, key gateway.PageKey, act gateway.Act) (bool, error) {
	return write(ctx, s, "refuse page", "", func(x *tx) (bool, error) {
		submission, l, err := x.lockSession(link, id)
		if err != nil {
			return false, err
		}
		if _, there, err := pageByKey(x, id, key); err != nil || there {
			return there, err
		}
		if code := sessionEnded(submission, l, act.At); code != "" {
			return false, refuse(code)
		}
		if err := x.keepAwake(l, act.IdleAt); err != nil {
			return false, err
		}
		_, err = x.exec("INSERT INTO taken_back (submission, page_key) VALUES ($1, $2) ON CONFLICT DO NOTHING", string(id), string(key))
		return false, err
	})
}

// sessionEnded tells why nothing may be changed any more; "" if it may.
func sessionEnded(s gateway.Submission, l gateway.Link, at time.Time) gateway.Code {
	switch {
	case l.State != gateway.LinkClaimed || s.State != gateway.SubmissionOpen:
		return gateway.CodeLinkClosed
	case l.StateAt(at) == gateway.LinkExpired:
		return gateway.CodeLinkExpired
	}
	return ""
}

func (x *tx) takePage(s gateway.Submission, p gateway.Page, at time.Time, audit []gateway.AuditEntry) (gateway.Page, error) {
	p.RemovedAt = timeOf(ms(at))
	if _, err := x.exec("UPDATE pages SET removed_at = $2 WHERE id = $1", string(p.ID), ms(at)); err != nil {
		return p, err
	}
	if s.Pages == 1 {
		s.LastPageAt = time.Time{}
		if s.LackCount == 0 {
			s.ArrivedAt = time.Time{}
		}
	}
	_, err := x.exec("UPDATE submissions SET pages = $2, bytes = $3, arrived_at = $4, last_page_at = $5 WHERE id = $1",
		string(s.ID), s.Pages-1, s.Bytes-p.PlainBytes, ms(s.ArrivedAt), ms(s.LastPageAt))
	if err != nil {
		return p, err
	}
	if err := x.changed(s.Office); err != nil {
		return p, err
	}
	return p, x.append(audit...)
}
