package records

import (
	"context"

	"dropslot/gateway"
)

const linkColumns = `id, nonce, hash, office, number, sender, phone, submission, language, origin,
	issued_at, expires_at, state, browser, claimed_at, idle_at, ends_at, canceled_at, root`

var insertLinks = insertMany("links", linkColumns, "")

var supersedeLinks = newMany(1, func(rows int) string {
	return "UPDATE links SET state = 'superseded' WHERE state = 'issued' AND id IN (" + placeholders(1, rows) + ")"
})

func linkFields(l *gateway.Link) []any {
	return []any{
		(*string)(&l.ID), fixed(l.Nonce[:]), fixed(l.Hash[:]), (*string)(&l.Office), (*string)(&l.Number),
		fixed(l.Sender[:]), (*[]byte)(&l.Phone), (*string)(&l.Submission), &l.Language, (*string)(&l.Origin),
		at(&l.IssuedAt), at(&l.ExpiresAt), (*string)(&l.State), fixed(l.Browser[:]), at(&l.ClaimedAt),
		at(&l.IdleAt), at(&l.EndsAt), at(&l.CanceledAt), (*string)(&l.Root),
	}
}

func scanLink(r scanner) (l gateway.Link, err error) {
	err = r.Scan(linkFields(&l)...)
	return l, err
}

func linkByID(q queryer, id gateway.LinkID) (gateway.Link, bool, error) {
	return first(q, scanLink, "SELECT "+linkColumns+" FROM links WHERE id = $1", string(id))
}

func linkByHash(q queryer, hash gateway.TokenHash) (gateway.Link, bool, error) {
	return first(q, scanLink, "SELECT "+linkColumns+" FROM links WHERE hash = $1", hash[:])
}

// issue supersedes the sender's newest link if nobody claimed it yet, and
// stores the new one. The sender's row is locked.
func (x *tx) issue(l gateway.Link, newest gateway.LinkID) error {
	if newest != "" {
		if _, err := x.execMany(supersedeLinks, []any{string(newest)}); err != nil {
			return err
		}
	}
	_, err := x.execMany(insertLinks, appendLink(nil, &l))
	return err
}

// appendLink appends the values of a link's row.
func appendLink(row []any, l *gateway.Link) []any {
	return append(row, string(l.ID), l.Nonce[:], l.Hash[:], string(l.Office), string(l.Number),
		l.Sender[:], solid(l.Phone), string(l.Submission), l.Language, string(l.Origin), ms(l.IssuedAt), ms(l.ExpiresAt),
		string(l.State), unlessZero(l.Browser[:], l.Browser.IsZero()), ms(l.ClaimedAt), ms(l.IdleAt), ms(l.EndsAt), ms(l.CanceledAt), string(l.Root))
}

// LinkByHash finds a link by its token's hash, or CodeLinkUnknown.
func (s *Store) LinkByHash(ctx context.Context, hash gateway.TokenHash) (gateway.Link, error) {
	return read(ctx, s, "find link", func(v view) (gateway.Link, error) {
		l, found, err := linkByHash(v, hash)
		if err == nil && !found {
			err = refuse(gateway.CodeLinkUnknown)
		}
		return l, err
	})
}

// claimLink is what decides a race: of all who try, one finds the row still issued.
const claimLink = `UPDATE links SET state = 'claimed', browser = $2, claimed_at = $3, idle_at = $4, ends_at = $5
	WHERE id = $1 AND state = 'issued' AND expires_at > $3
	RETURNING ` + linkColumns

// ClaimLink binds the link to the browser if it may still be claimed, and
// gives it as it stands afterwards; see the port. Entries that name no office
// get the link's.
func (s *Store) ClaimLink(ctx context.Context, hash gateway.TokenHash, c gateway.Claim, audit ...gateway.AuditEntry) (gateway.Link, error) {
	return write(ctx, s, "claim link", "", func(x *tx) (gateway.Link, error) {
		link, found, err := linkByHash(x, hash)
		if err != nil {
			return link, err
		}
		if !found {
			return link, refuse(gateway.CodeLinkUnknown)
		}
		if link.StateAt(c.At) != gateway.LinkIssued {
			return link, nil
		}
		return x.claim(link, c, audit)
	})
}

// forgetWords: who opens a link is no robot.
const forgetWords = "UPDATE senders SET last_words = 0, same_words = 0 WHERE office = $1 AND sender = $2 AND same_words > 0"

func (x *tx) claim(link gateway.Link, c gateway.Claim, audit []gateway.AuditEntry) (gateway.Link, error) {
	// The sender's row first, as everywhere: a text that supersedes this link
	// waits for it, or is waited for. A link shown at the desk has no sender.
	if !link.Sender.IsZero() {
		if _, err := x.lockSender(link.Office, link.Sender); err != nil {
			return link, err
		}
	}
	claimed, won, err := first(x, scanLink, claimLink, string(link.ID), c.Browser[:], ms(c.At), ms(c.IdleAt), ms(c.EndsAt))
	if err != nil {
		return link, err
	}
	if !won {
		link, _, err = linkByID(x, link.ID)
		return link, err
	}
	if claimed, err = x.openSubmission(claimed, c.Fresh); err != nil {
		return link, err
	}
	if _, err := x.exec(forgetWords, string(link.Office), link.Sender[:]); err != nil {
		return link, err
	}
	for _, entry := range audit {
		if entry.Office == "" {
			entry.Office = claimed.Office
		}
		if entry.Object == "" {
			entry.Object = "link:" + string(claimed.ID)
		}
		if err := x.append(entry); err != nil {
			return link, err
		}
	}
	return claimed, nil
}

// openSubmission makes the submission of a link that was just claimed. One
// that ended meanwhile is left alone: the link moves to a fresh one, and so
// does the next link of that sender.
func (x *tx) openSubmission(l gateway.Link, fresh gateway.SubmissionID) (gateway.Link, error) {
	state, err := x.insertSubmission(l)
	if err != nil || state == gateway.SubmissionOpen {
		return l, err
	}
	if joined, err := x.openForPage(l); joined || err != nil {
		return l, err
	}
	// Pictures that the sender texted a while ago wait for the pages.
	reopened, err := x.exec(`UPDATE submissions SET state = 'open', unfinished = 0, finished_at = 0, archived_at = 0
		WHERE id = $1 AND handled = 0 AND merged_into = '' AND texted_till > $2`, string(l.Submission), ms(l.ClaimedAt))
	if err != nil || reopened == 1 {
		return l, err
	}
	l.Submission = fresh
	if _, err := x.exec("UPDATE links SET submission = $2 WHERE id = $1", string(l.ID), string(fresh)); err != nil {
		return l, err
	}
	_, err = x.exec("UPDATE senders SET submission = $4 WHERE office = $1 AND sender = $2 AND link = $3",
		string(l.Office), l.Sender[:], string(l.ID), string(fresh))
	if err != nil {
		return l, err
	}
	_, err = x.insertSubmission(l)
	return l, err
}
