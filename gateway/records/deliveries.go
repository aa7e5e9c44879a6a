package records

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"dropslot/gateway"
)

const deliveryColumns = `id, submission, office, staff, pages, whole, state, fault, tries, asked_at, due_at, delivered_at, files, sealed`

func scanDelivery(r scanner) (d gateway.HandDelivery, err error) {
	var pages string
	err = r.Scan((*string)(&d.ID), (*string)(&d.Submission), (*string)(&d.Office), (*string)(&d.Staff), &pages, &d.Whole,
		(*string)(&d.State), (*string)(&d.Fault), &d.Tries, at(&d.AskedAt), at(&d.DueAt), at(&d.DeliveredAt), &d.Files, &d.Sealed)
	if err == nil {
		err = json.Unmarshal([]byte(pages), &d.Pages)
	}
	return d, err
}

// AskDelivery stores a delivery; see the port.
func (s *Store) AskDelivery(ctx context.Context, d gateway.HandDelivery, audit ...gateway.AuditEntry) error {
	pages, err := json.Marshal(d.Pages)
	if err != nil {
		return err
	}
	_, err = write(ctx, s, "ask for a delivery", "", func(x *tx) (struct{}, error) {
		if _, err := x.lockSubmission(d.Submission); err != nil {
			return struct{}{}, err
		}
		known, err := all(x, scanText[gateway.DeliveryID],
			"SELECT id FROM deliveries WHERE id = $1 OR submission = $2 AND state = 'waiting'", string(d.ID), string(d.Submission))
		if err != nil {
			return struct{}{}, err
		}
		for _, id := range known {
			if id == d.ID {
				return struct{}{}, nil
			}
		}
		if len(known) > 0 {
			return struct{}{}, refuse(gateway.CodeSendTwice)
		}
		_, err = x.exec(insertInto("deliveries", deliveryColumns), string(d.ID), string(d.Submission), string(d.Office), string(d.Staff),
			string(pages), d.Whole, string(d.State), string(d.Fault), d.Tries, ms(d.AskedAt), ms(d.DueAt), ms(d.DeliveredAt), d.Files, solid(d.Sealed))
		if err != nil {
			return struct{}{}, err
		}
		return struct{}{}, x.append(audit...)
	})
	return err
}

// TakeDelivery takes one that is due; see the port. Of two processes that find
// the same one, the update lets one have it.
func (s *Store) TakeDelivery(ctx context.Context, offices []gateway.OfficeID, others bool, now, lease time.Time) (gateway.HandDelivery, bool, error) {
	none, among := gateway.HandDelivery{}, "IN"
	if others {
		among = "NOT IN"
	}
	due, err := read(ctx, s, "find due deliveries", func(v view) ([]gateway.HandDelivery, error) {
		return all(v, scanDelivery, "SELECT "+deliveryColumns+` FROM deliveries
			WHERE due_at > 0 AND due_at <= $1 AND office `+among+` (`+placeholders(2, max(1, len(offices)))+") ORDER BY due_at LIMIT 10",
			append([]any{ms(now)}, withOffices(offices, "")[1:]...)...)
	})
	if err != nil {
		return none, false, err
	}
	for _, d := range due {
		taken, err := write(ctx, s, "take a delivery", "", func(x *tx) (bool, error) {
			n, err := x.exec(`UPDATE deliveries SET tries = tries + CASE WHEN state = 'waiting' THEN 1 ELSE 0 END, due_at = $3, leased = 1
				WHERE id = $1 AND due_at = $2 AND state = $4`, string(d.ID), ms(d.DueAt), ms(lease), string(d.State))
			return n == 1, err
		})
		if err != nil {
			return none, false, err
		}
		if taken {
			if d.DueAt = timeOf(ms(lease)); d.State == gateway.HandWaiting {
				d.Tries++
			}
			return d, true, nil
		}
	}
	return none, false, nil
}

// underWay is the condition that a try still has the delivery: nobody retried
// or dropped it, and its lease did not run out.
const underWay = " WHERE id = $1 AND tries = $2 AND state = 'waiting'"

// NoteDelivery keeps what is known of its files.
func (s *Store) NoteDelivery(ctx context.Context, d gateway.HandDelivery) error {
	_, err := write(ctx, s, "note a delivery", "", func(x *tx) (struct{}, error) {
		n, err := x.exec("UPDATE deliveries SET sealed = $3, due_at = $4"+underWay, string(d.ID), d.Tries, solid(d.Sealed), ms(d.DueAt))
		if err == nil && n == 0 {
			err = notFound()
		}
		return struct{}{}, err
	})
	return err
}

// FinishDelivery stores the receipt; see the port.
func (s *Store) FinishDelivery(ctx context.Context, d gateway.HandDelivery, audit ...gateway.AuditEntry) error {
	_, err := write(ctx, s, "finish a delivery", "", func(x *tx) (struct{}, error) {
		if _, err := x.lockSubmission(d.Submission); err != nil {
			return struct{}{}, err
		}
		n, err := x.exec("UPDATE deliveries SET state = 'delivered', fault = '', due_at = 0, leased = 0, delivered_at = $3, files = $4 WHERE id = $1 AND tries = $2 AND state IN ('waiting', 'dropped')",
			string(d.ID), d.Tries, ms(d.DeliveredAt), d.Files)
		if err != nil {
			return struct{}{}, err
		}
		if d.Whole > 0 && n == 1 {
			_, err = x.exec(`UPDATE submissions SET state = 'handled', handled = 1, handled_at = $2, handled_by = $3,
				handled_as = $4, handled_note = '' WHERE id = $1 AND state = 'received' AND pages = $5`,
				string(d.Submission), ms(d.DeliveredAt), string(d.Staff), string(gateway.HandledExported), d.Whole)
			if err == nil {
				err = x.changedOf(d.Submission)
			}
			if err != nil {
				return struct{}{}, err
			}
		}
		return struct{}{}, x.append(audit...)
	})
	return err
}

// FailDelivery stores why a try failed.
func (s *Store) FailDelivery(ctx context.Context, d gateway.HandDelivery, audit ...gateway.AuditEntry) error {
	_, err := write(ctx, s, "note a failed delivery", "", func(x *tx) (struct{}, error) {
		n, err := x.exec("UPDATE deliveries SET state = $3, fault = $4, due_at = $5, leased = 0"+underWay,
			string(d.ID), d.Tries, string(d.State), string(d.Fault), ms(d.DueAt))
		if err != nil || n == 0 {
			return struct{}{}, err
		}
		return struct{}{}, x.append(audit...)
	})
	return err
}

// RetryDelivery makes one due now; see the port.
func (s *Store) RetryDelivery(ctx context.Context, offices []gateway.OfficeID, submission gateway.SubmissionID, id gateway.DeliveryID, now time.Time, audit ...gateway.AuditEntry) error {
	_, err := write(ctx, s, "retry a delivery", "", func(x *tx) (struct{}, error) {
		args := append(withOffices(offices, string(id)), string(submission), ms(now))
		n := len(args)
		if err := x.resting(id, now); err != nil {
			return struct{}{}, err
		}
		changed, err := x.exec("UPDATE deliveries SET state = 'waiting', due_at = "+placeholders(n, 1)+` WHERE id = $1
			AND office IN (`+inOffices(offices)+") AND submission = "+placeholders(n-1, 1)+" AND state IN ('waiting', 'dead') AND fault <> ''", args...)
		if err == nil && changed == 0 {
			err = notFound()
		}
		if err != nil {
			return struct{}{}, err
		}
		return struct{}{}, x.append(audit...)
	})
	return err
}

// CloseDelivery notes that nothing of a dropped one is left to be done.
func (s *Store) CloseDelivery(ctx context.Context, id gateway.DeliveryID) error {
	_, err := write(ctx, s, "close a delivery", "", func(x *tx) (struct{}, error) {
		_, err := x.exec("UPDATE deliveries SET due_at = 0, leased = 0 WHERE id = $1 AND state = 'dropped'", string(id))
		return struct{}{}, err
	})
	return err
}

// resting refuses with CodeSendTwice while a try has the delivery: a second one
// beside it would send twice. The row is locked.
func (x *tx) resting(id gateway.DeliveryID, now time.Time) error {
	under, _, err := first(x, scanInt, `UPDATE deliveries SET leased = leased WHERE id = $1
		RETURNING CASE WHEN leased = 1 AND state = 'waiting' AND due_at > $2 THEN 1 ELSE 0 END`, string(id), ms(now))
	if err == nil && under == 1 {
		err = refuse(gateway.CodeSendTwice)
	}
	return err
}

// Deliveries lists those of a submission.
func (s *Store) Deliveries(ctx context.Context, submission gateway.SubmissionID) ([]gateway.HandDelivery, error) {
	return read(ctx, s, "list deliveries", func(v view) ([]gateway.HandDelivery, error) {
		return all(v, scanDelivery, "SELECT "+deliveryColumns+" FROM deliveries WHERE submission = $1 ORDER BY asked_at, id", string(submission))
	})
}

// DeliveryBoard shows the deliveries that are not done, for `dropslot jobs`.
func (s *Store) DeliveryBoard(now func() time.Time) gateway.JobBoard { return deliveryBoard{s, now} }

type deliveryBoard struct {
	store *Store
	now   func() time.Time
}

var _ gateway.JobBoard = deliveryBoard{}

// boardDelivery is what deliveries are listed as, before the colon.
const boardDelivery = "delivery"

const selectBoardDelivery = "SELECT id, submission, state, due_at, tries, fault, asked_at FROM deliveries"

func scanBoardDelivery(r scanner) (row gateway.JobRow, err error) {
	var state gateway.HandState
	err = r.Scan(&row.ID, &row.Subject, (*string)(&state), at(&row.NextAt), &row.Tries, &row.Fault, at(&row.Since))
	row.ID, row.Kind = boardDelivery+":"+row.ID, boardDelivery
	switch {
	case state == gateway.HandDead:
		row.State = gateway.JobDead
	case state == gateway.HandDelivered:
		row.State = gateway.JobDone
	case state == gateway.HandDropped:
		row.State = gateway.JobDropped
	case row.Fault != "":
		row.State = gateway.JobFailing
	default:
		row.State = gateway.JobWaiting
	}
	return row, err
}

// List gives the deliveries, the dead and failing first.
func (b deliveryBoard) List(ctx context.Context, done bool) (rows []gateway.JobRow, more int, err error) {
	where := " WHERE state IN ('waiting', 'dead')"
	if done {
		where = ""
	}
	rows, err = read(ctx, b.store, "list deliveries", func(v view) ([]gateway.JobRow, error) {
		total, _, err := first(v, scanInt, "SELECT COUNT(*) FROM deliveries"+where)
		if err != nil {
			return nil, err
		}
		more = max(0, int(total)-boardMost)
		return all(v, scanBoardDelivery, selectBoardDelivery+where+` ORDER BY CASE state WHEN 'dead' THEN 0 WHEN 'waiting' THEN 1 ELSE 2 END,
			CASE WHEN fault <> '' THEN 0 ELSE 1 END, asked_at DESC LIMIT $1`, boardMost)
	})
	return rows, more, err
}

// Retry makes a delivery due now.
func (b deliveryBoard) Retry(ctx context.Context, id string) error {
	return b.change(ctx, id, "state = 'waiting', due_at = $2", func(x *tx, key string) error {
		return x.resting(gateway.DeliveryID(key), b.now())
	}, ms(b.now()))
}

// Drop ends a delivery. What arrived at the partner stays there; what it left
// half written the desk takes away, once a try that is under way has ended.
func (b deliveryBoard) Drop(ctx context.Context, id string) error {
	return b.change(ctx, id, "state = 'dropped', due_at = CASE WHEN tries = 0 THEN 0 WHEN leased = 1 THEN due_at ELSE $2 END",
		func(*tx, string) error { return nil }, ms(b.now()))
}

func (b deliveryBoard) change(ctx context.Context, id, set string, may func(*tx, string) error, args ...any) error {
	kind, key, _ := strings.Cut(id, ":")
	if kind != boardDelivery {
		return notFound()
	}
	_, err := write(ctx, b.store, "change a delivery", "", func(x *tx) (struct{}, error) {
		if err := may(x, key); err != nil {
			return struct{}{}, err
		}
		n, err := x.exec("UPDATE deliveries SET "+set+" WHERE id = $1 AND state IN ('waiting', 'dead')", append([]any{key}, args...)...)
		if err == nil && n == 0 {
			err = notFound()
		}
		return struct{}{}, err
	})
	return err
}

// Count counts what is not done.
func (b deliveryBoard) Count(ctx context.Context) ([]gateway.JobCount, error) {
	return read(ctx, b.store, "count deliveries", func(v view) ([]gateway.JobCount, error) {
		return all(v, func(r scanner) (c gateway.JobCount, err error) {
			err = r.Scan((*string)(&c.State), &c.Count)
			c.Kind = boardDelivery
			return c, err
		}, "SELECT state, COUNT(*) FROM deliveries WHERE state IN ('waiting', 'dead') GROUP BY state")
	})
}
