package records

import (
	"context"
	"time"

	"dropslot/gateway"
)

const sendingColumns = `id, link, office, number, sender, phone, submission, language, occasion, count, staff,
	state, sid, error_code, created_at, attempted_at, updated_at`

var insertSending = insertInto("sendings", sendingColumns)

func sendingFields(s *gateway.Sending) []any {
	return []any{
		(*string)(&s.ID), (*string)(&s.Link), (*string)(&s.Office), (*string)(&s.Number), fixed(s.Sender[:]),
		(*[]byte)(&s.Phone), (*string)(&s.Submission), &s.Language, (*string)(&s.Occasion), &s.Count, (*string)(&s.Staff),
		(*string)(&s.State), &s.SID, &s.ErrorCode, at(&s.CreatedAt), at(&s.AttemptedAt), at(&s.UpdatedAt),
	}
}

// IssueRequest stores a link that staff asked for and the sending that
// carries it; CodeOptedOut if nothing may be sent to that phone, CodeSendTwice
// if that very sending is there.
func (s *Store) IssueRequest(ctx context.Context, l gateway.Link, w gateway.Wish, since time.Time, out gateway.Sending, jobs []gateway.Job, audit ...gateway.AuditEntry) error {
	_, err := write(ctx, s, "issue request", "", func(x *tx) (struct{}, error) {
		return struct{}{}, x.request(l, w, since, out, jobs, audit)
	})
	return err
}

func (x *tx) request(l gateway.Link, w gateway.Wish, since time.Time, out gateway.Sending, jobs []gateway.Job, audit []gateway.AuditEntry) error {
	standing, err := x.lockSender(l.Office, l.Sender)
	if err != nil {
		return err
	}
	if standing.OptedOut() {
		return refuse(gateway.CodeOptedOut)
	}
	if err := x.askedFor(l, since); err != nil {
		return err
	}
	if err := x.issue(l, standing.Link); err != nil {
		return err
	}
	if err := x.insertWish(l.ID, w); err != nil {
		return err
	}
	stored, err := x.insertSending(out)
	if err != nil {
		return err
	}
	if !stored {
		return refuse(gateway.CodeSendTwice) // which undoes the link
	}
	standing.Link, standing.Submission = l.ID, l.Submission
	if err := x.updateSender(l.Office, l.Sender, standing); err != nil {
		return err
	}
	if err := x.enqueue(jobs...); err != nil {
		return err
	}
	return x.append(audit...)
}

// insertSending stores a sending, or gives false if there is one of this identifier.
func (x *tx) insertSending(s gateway.Sending) (bool, error) {
	n, err := x.exec(insertSending+" ON CONFLICT (id) DO NOTHING", string(s.ID), string(s.Link), string(s.Office),
		string(s.Number), unlessZero(s.Sender[:], s.Sender.IsZero()), solid(s.Phone), string(s.Submission), s.Language,
		string(s.Occasion), s.Count, string(s.Staff), string(s.State), s.SID, s.ErrorCode, ms(s.CreatedAt),
		ms(s.AttemptedAt), ms(s.UpdatedAt))
	return n == 1, err
}

// FinishSending notes Twilio's answer to a sending, or CodeNotFound. A word
// that came sooner and says more is kept.
func (s *Store) FinishSending(ctx context.Context, d gateway.Delivery, jobs []gateway.Job, audit ...gateway.AuditEntry) error {
	_, err := write(ctx, s, "finish sending", "", func(x *tx) (struct{}, error) {
		if err := x.deliver(d, sendingDelivery, string(d.Sending)); err != nil {
			return struct{}{}, err
		}
		if err := x.enqueue(jobs...); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, x.append(audit...)
	})
	return err
}

// selectRequests joins a sending to its link and to what came in through it.
// Links of later texts join the same submission, so those tell as well; what
// the submission held before does not count.
var selectRequests = "SELECT " + qualified("s", sendingColumns) + ", " + qualified("l", linkColumns) + `,
	(SELECT COUNT(*) FROM links o WHERE o.submission = l.submission AND o.claimed_at >= s.created_at),
	(SELECT COUNT(*) FROM links o WHERE o.submission = l.submission AND o.camera_at >= s.created_at),
	(SELECT COUNT(*) FROM links f WHERE f.root <> '' AND f.root = COALESCE(NULLIF(l.root, ''), l.id) AND f.id <> l.id AND f.state IN ('issued', 'claimed')),
	(SELECT COUNT(*) FROM pages p WHERE p.submission = l.submission AND p.removed_at = 0 AND p.received_at >= s.created_at),
	(SELECT COUNT(*) FROM lacks k WHERE k.submission = l.submission AND k.at >= s.created_at),
	COALESCE(b.state, ''), COALESCE(b.unfinished, 0), ` + wishColumns + `
	FROM sendings s JOIN links l ON l.id = s.link LEFT JOIN submissions b ON b.id = l.submission
	LEFT JOIN wishes w ON w.link = l.id LEFT JOIN pages a ON a.id = w.page
	WHERE s.occasion = 'request' AND `

func scanRequest(r scanner) (row gateway.RequestRow, err error) {
	var opened, camera, followed int64
	fields := append(sendingFields(&row.Sending), linkFields(&row.Link)...)
	fields = append(fields, &opened, &camera, &followed, &row.Pages, &row.Lacks, (*string)(&row.State), flag(&row.Unfinished))
	wish := newWishFields(&row.Wish)
	if err = r.Scan(append(fields, wish.fields()...)...); err != nil {
		return row, err
	}
	row.Phone, row.Submission, row.Opened, row.Camera = row.Link.Phone, row.Link.Submission, opened > 0, camera > 0
	row.Followed = followed > 0
	return row, wish.read()
}

// Requests lists links that staff sent, newest first.
func (s *Store) Requests(ctx context.Context, offices []gateway.OfficeID, limit int) ([]gateway.RequestRow, error) {
	return read(ctx, s, "list requests", func(v view) ([]gateway.RequestRow, error) {
		return perOffice(offices, limit, newerRequest, func(office gateway.OfficeID) ([]gateway.RequestRow, error) {
			return all(v, scanRequest, selectRequests+`s.office = $1
				ORDER BY s.created_at DESC, s.id DESC LIMIT $2`, string(office), limit)
		})
	})
}

func newerRequest(a, b gateway.RequestRow) int {
	if order := b.Sending.CreatedAt.Compare(a.Sending.CreatedAt); order != 0 {
		return order
	}
	return compareText(b.Sending.ID, a.Sending.ID)
}

// Request gives one of them, or CodeNotFound.
func (s *Store) Request(ctx context.Context, offices []gateway.OfficeID, id gateway.SendingID) (gateway.RequestRow, error) {
	return read(ctx, s, "find request", func(v view) (gateway.RequestRow, error) {
		return only(first(v, scanRequest, selectRequests+"s.id = $1 AND s.office IN ("+inOffices(offices)+")",
			withOffices(offices, string(id))...))
	})
}
