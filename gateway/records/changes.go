package records

import (
	"context"
	"slices"
	"time"

	"dropslot/gateway"
)

// changed counts that lists of these offices show something else now. It locks
// last of all, so that writers of one office wait here for each other and
// never in a ring.
func (x *tx) changed(offices ...gateway.OfficeID) error {
	for _, office := range slices.Compact(slices.Sorted(slices.Values(offices))) {
		_, err := x.exec(`INSERT INTO desk_changes (office, n) VALUES ($1, 1)
			ON CONFLICT (office) DO UPDATE SET n = desk_changes.n + 1`, string(office))
		if err != nil {
			return err
		}
	}
	return nil
}

// changedOf is changed for the office of a submission.
func (x *tx) changedOf(id gateway.SubmissionID) error {
	office, err := only(first(x, scanText[gateway.OfficeID], "SELECT office FROM submissions WHERE id = $1", string(id)))
	if err != nil {
		return err
	}
	return x.changed(office)
}

func officesOf(list []gateway.Submission) []gateway.OfficeID {
	var offices []gateway.OfficeID
	for _, s := range list {
		offices = append(offices, s.Office)
	}
	return offices
}

// DeskChanges gives how often the lists of each office changed.
func (s *Store) DeskChanges(ctx context.Context) (map[gateway.OfficeID]int64, error) {
	type count struct {
		office gateway.OfficeID
		n      int64
	}
	return read(ctx, s, "look for changes", func(v view) (map[gateway.OfficeID]int64, error) {
		rows, err := all(v, func(r scanner) (c count, err error) {
			return c, r.Scan((*string)(&c.office), &c.n)
		}, "SELECT office, n FROM desk_changes")
		counts := make(map[gateway.OfficeID]int64, len(rows))
		for _, c := range rows {
			counts[c.office] = c.n
		}
		return counts, err
	})
}

// answered ends the waiting for a client: something of theirs came, here or in
// another submission of theirs.
func (x *tx) answered(s gateway.Submission, at time.Time) error {
	_, err := x.exec(`UPDATE submissions SET stage = 'open', turn_at = $4
		WHERE office = $1 AND (sender = $2 AND LENGTH(sender) > 0 OR id = $3) AND stage = 'waiting' AND handled = 0`,
		string(s.Office), unlessZero(s.Sender[:], s.Sender.IsZero()), string(s.ID), ms(at))
	return err
}

// heard notes that words of a client came.
func (x *tx) heard(t gateway.TextWork) error {
	_, err := x.exec("UPDATE submissions SET news_at = $2 WHERE id = $1 AND news_at < $2", string(t.Submission), ms(t.ReceivedAt))
	if err != nil {
		return err
	}
	if err := x.answered(gateway.Submission{ID: t.Submission, Office: t.Office, Sender: t.Sender}, t.ReceivedAt); err != nil {
		return err
	}
	return x.changed(t.Office)
}
