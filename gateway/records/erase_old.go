package records

import (
	"context"
	"slices"

	"dropslot/gateway"
)

// oldStep is how many rows one look at old ones reads. Looking locks nothing;
// only what goes is written, and looked at once more for that.
const oldStep = 1000

// What a row b has to be like to go.
const (
	// ofNobody is true of one of links or sendings whose submission there is not.
	ofNobody = "NOT EXISTS (SELECT 1 FROM submissions o WHERE o.id = b.submission)"
	// textOfNobody is true of a text that is done with, and belongs to nothing.
	textOfNobody = `b.due_at = 0 AND (b.step = 'done' OR LENGTH(b.phone) > 0 OR b.submission <> '' OR b.link <> '')
		AND ` + ofNobody + ` AND NOT EXISTS (SELECT 1 FROM links l JOIN submissions o ON o.id = l.submission WHERE l.id = b.link)
		AND NOT EXISTS (SELECT 1 FROM notes n JOIN submissions o ON o.id = n.submission WHERE n.text = b.id)`
	// moreThanStop is true of a sender of whom more is known than that they texted STOP.
	moreThanStop = "(b.opted_out_at = 0 OR b.language <> '' OR b.day_start > 0 OR b.link <> '' OR b.submission <> '')"
)

// EraseOldRows erases rows that brought nothing; see the port. What belongs to
// a submission goes with it. No index tells how old a row is, which would cost
// the webhook a write: the identifiers of texts, links and sendings begin with
// the time, so that no younger row is read, and the other tables are gone
// through once.
func (s *Store) EraseOldRows(ctx context.Context, t gateway.Terms, most int) (int, error) {
	before := t.Now.Add(-t.Rows)
	first, err := gateway.FirstID(before)
	if err != nil {
		return 0, err
	}
	if err := s.forgetReasons(ctx, t); err != nil {
		return 0, err
	}
	gone := 0
	for _, erase := range []func(most int) (int, error){
		func(most int) (int, error) {
			return eraseOld(ctx, s, "texts", textOfNobody, first, most, (*tx).dropTexts)
		},
		func(most int) (int, error) {
			return eraseOld(ctx, s, "links", ofNobody, first, most, (*tx).dropLinks)
		},
		func(most int) (int, error) {
			return eraseOld(ctx, s, "sendings", ofNobody, first, most, (*tx).dropSendings)
		},
	} {
		n, err := erase(most - gone)
		if gone += n; err != nil || gone >= most {
			return gone, err
		}
	}
	for _, erase := range []func() error{
		func() error {
			return forgetOld(ctx, s, "senders", "b.last_answer_at < $4 AND "+moreThanStop+" AND "+nothingLeft, ms(before))
		},
		func() error { return forgetOld(ctx, s, "clients", nothingLeft) },
		func() error { return dropOldCounts(ctx, s, ms(before)) },
	} {
		if err := erase(); err != nil {
			return gone, err
		}
	}
	return gone, nil
}

// lookOld tells of rows between two identifiers whether they go.
func lookOld(table, which string) string {
	return "SELECT b.id, CASE WHEN " + which + " THEN TRUE ELSE FALSE END FROM " + table +
		" b WHERE b.id > $1 AND b.id < $2 ORDER BY b.id LIMIT $3"
}

// eraseOld erases at most so many rows of a table whose identifiers come
// before the first that is young enough to stay.
func eraseOld[ID ~string](ctx context.Context, s *Store, table, which, young string, most int, drop func(*tx, []ID) error) (gone int, err error) {
	type row struct {
		id   ID
		goes bool
	}
	scan := func(r scanner) (o row, err error) { return o, r.Scan(&o.id, &o.goes) }
	var after ID
	for {
		rows, err := read(ctx, s, "look for old "+table, func(v view) ([]row, error) {
			return all(v, scan, lookOld(table, which), string(after), young, oldStep)
		})
		if err != nil || len(rows) == 0 {
			return gone, err
		}
		after = rows[len(rows)-1].id
		var ids []ID
		for _, o := range rows {
			if o.goes && gone+len(ids) < most {
				ids = append(ids, o.id)
			}
		}
		for part := range slices.Chunk(ids, idsAtOnce) {
			n, err := write(ctx, s, "erase old "+table, "", func(x *tx) (int, error) {
				still, err := all(x, scanText[ID], "SELECT b.id FROM "+table+" b WHERE b.id IN ("+placeholders(1, len(part))+") AND "+which, texts(part)...)
				if err != nil {
					return 0, err
				}
				return len(still), drop(x, still)
			})
			if gone += n; err != nil {
				return gone, err
			}
		}
		if gone >= most || len(rows) < oldStep {
			return gone, nil
		}
	}
}

// forgetOld goes through the senders, or what staff call them, and forgets
// those of whom nothing is left. The condition's own arguments begin at $4.
func forgetOld(ctx context.Context, s *Store, table, which string, args ...any) error {
	type row struct {
		office string
		sender []byte
		goes   bool
	}
	scan := func(r scanner) (o row, err error) { return o, r.Scan(&o.office, &o.sender, &o.goes) }
	last := row{sender: []byte{}}
	for {
		rows, err := read(ctx, s, "look for old "+table, func(v view) ([]row, error) {
			return all(v, scan, "SELECT b.office, b.sender, CASE WHEN "+which+" THEN TRUE ELSE FALSE END FROM "+table+
				" b WHERE (b.office, b.sender) > ($1, $2) ORDER BY b.office, b.sender LIMIT $3",
				append([]any{last.office, last.sender, oldStep}, args...)...)
		})
		if err != nil || len(rows) == 0 {
			return err
		}
		last = rows[len(rows)-1]
		goes := slices.DeleteFunc(rows, func(o row) bool { return !o.goes })
		for part := range slices.Chunk(goes, idsAtOnce) {
			_, err := write(ctx, s, "forget old "+table, "", func(x *tx) (int, error) {
				for _, o := range part {
					if err := x.forgetSender(gateway.OfficeID(o.office), o.sender); err != nil {
						return 0, err
					}
				}
				return 0, nil
			})
			if err != nil {
				return err
			}
		}
	}
}

// dropOldCounts drops what is long erased at Twilio, and what was spent.
func dropOldCounts(ctx context.Context, s *Store, before int64) error {
	after := ""
	for {
		sids, err := read(ctx, s, "look for old answers", func(v view) ([]string, error) {
			return all(v, scanText[string], "SELECT sid FROM outgoing WHERE sid > $1 AND step = 'done' AND learned_at < $2 ORDER BY sid LIMIT $3",
				after, before, idsAtOnce)
		})
		if err != nil {
			return err
		}
		_, err = write(ctx, s, "drop old answers", "", func(x *tx) (int64, error) {
			if len(sids) == 0 {
				return x.exec("DELETE FROM budgets WHERE begins < $1", before)
			}
			return x.exec("DELETE FROM outgoing WHERE step = 'done' AND sid IN ("+placeholders(1, len(sids))+")", texts(sids)...)
		})
		if err != nil || len(sids) == 0 {
			return err
		}
		after = sids[len(sids)-1]
	}
}
