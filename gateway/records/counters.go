package records

import (
	"context"
	"time"

	"dropslot/gateway"
)

func counterOf(q queryer, id gateway.LinkID) (gateway.Counter, bool, error) {
	return first(q, func(r scanner) (c gateway.Counter, err error) {
		return c, r.Scan((*string)(&c.Link), (*string)(&c.Staff), &c.SealedName)
	}, "SELECT link, staff, sealed_name FROM counters WHERE link = $1", string(id))
}

// Counter gives what was kept of a link that is shown at the desk.
func (s *Store) Counter(ctx context.Context, id gateway.LinkID) (gateway.Counter, error) {
	return read(ctx, s, "find what a counter link is for", func(v view) (gateway.Counter, error) { return only(counterOf(v, id)) })
}

// IssueCounter stores a link that is shown at the desk; see the port.
func (s *Store) IssueCounter(ctx context.Context, l gateway.Link, c gateway.Counter, audit ...gateway.AuditEntry) error {
	_, err := write(ctx, s, "issue counter link", "", func(x *tx) (struct{}, error) {
		if _, err := x.execMany(insertLinks, appendLink(nil, &l)); err != nil {
			return struct{}{}, err
		}
		_, err := x.exec("INSERT INTO counters (link, staff, sealed_name) VALUES ($1, $2, $3)",
			string(l.ID), string(c.Staff), solid(c.SealedName))
		if err != nil {
			return struct{}{}, err
		}
		return struct{}{}, x.append(audit...)
	})
	return err
}

var selectCounter = "SELECT " + qualified("l", linkColumns) + `, c.staff, c.sealed_name, l.camera_at,
	COALESCE(b.pages, 0), COALESCE(b.lacks, 0), COALESCE(b.state, ''), COALESCE(b.unfinished, 0)
	FROM counters c JOIN links l ON l.id = c.link LEFT JOIN submissions b ON b.id = l.submission
	WHERE l.id = $1 AND l.office IN (`

func scanCounter(r scanner) (row gateway.CounterRow, err error) {
	var camera int64
	err = r.Scan(append(linkFields(&row.Shown), (*string)(&row.Staff), &row.SealedName, &camera,
		&row.Pages, &row.Lacks, (*string)(&row.State), flag(&row.Unfinished))...)
	row.Link, row.Camera = row.Shown.ID, camera > 0
	return row, err
}

// CounterLink gives a link that is shown at the desk, or CodeNotFound.
func (s *Store) CounterLink(ctx context.Context, offices []gateway.OfficeID, id gateway.LinkID) (gateway.CounterRow, error) {
	return read(ctx, s, "find counter link", func(v view) (gateway.CounterRow, error) {
		return only(first(v, scanCounter, selectCounter+inOffices(offices)+")", withOffices(offices, string(id))...))
	})
}

// CancelCounter takes back a link that is shown at the desk; see the port. The
// row is locked: a claim waits for this or is waited for.
func (s *Store) CancelCounter(ctx context.Context, offices []gateway.OfficeID, maker gateway.StaffID, id gateway.LinkID, at time.Time, audit ...gateway.AuditEntry) (gateway.Link, error) {
	return write(ctx, s, "cancel counter link", "", func(x *tx) (gateway.Link, error) {
		args := append(withOffices(offices, string(id)), string(maker))
		link, err := only(first(x, scanLink, "UPDATE links SET state = state WHERE id = $1 AND office IN ("+inOffices(offices)+
			") AND EXISTS (SELECT 1 FROM counters c WHERE c.link = links.id AND c.staff = "+placeholders(len(args), 1)+" AND c.staff <> '') RETURNING "+linkColumns, args...))
		if err != nil {
			return link, err
		}
		taken, err := x.takeBack([]gateway.Link{link}, at)
		if err != nil {
			return link, err
		}
		return taken[0], x.append(audit...)
	})
}
