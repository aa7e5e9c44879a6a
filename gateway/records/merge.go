package records

import (
	"context"
	"slices"
	"strings"

	"dropslot/gateway"
)

// movedKey is the key of a page where another page has its own: keys are
// chosen by browsers, each for one submission alone.
func movedKey(home gateway.SubmissionID, key gateway.PageKey) gateway.PageKey {
	return gateway.PageKey(home) + ":" + key
}

// Merge moves everything of one submission into another; see the port. The
// manifests follow: what a crash before them costs is that a reindex finds
// everything where it was.
func (s *Store) Merge(ctx context.Context, offices []gateway.OfficeID, from, into gateway.SubmissionID, audit ...gateway.AuditEntry) error {
	_, err := write(ctx, s, "merge submissions", "", func(x *tx) (struct{}, error) {
		a, b, err := x.lockBoth(offices, from, into)
		if err != nil || a.MergedInto == into {
			return struct{}{}, err
		}
		held, err := x.held(a.ID)
		if err != nil {
			return struct{}{}, err
		}
		if held || !mayMerge(a, b) {
			return struct{}{}, refuse(gateway.CodeNotMergeable)
		}
		if err := x.merge(a, b); err != nil {
			return struct{}{}, err
		}
		if err := x.changed(a.Office); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, x.append(audit...)
	})
	return err
}

// lockBoth locks the senders of two submissions, then both, each in order.
func (x *tx) lockBoth(offices []gateway.OfficeID, from, into gateway.SubmissionID) (a, b gateway.Submission, err error) {
	ids := []gateway.SubmissionID{from, into}
	slices.Sort(ids)
	var senders []gateway.PhoneIndex
	for _, id := range ids {
		there, err := only(submissionByID(x, id))
		if err != nil {
			return a, b, err
		}
		if !slices.Contains(offices, there.Office) {
			return a, b, notFound()
		}
		if a.Office != "" && a.Office != there.Office {
			return a, b, refuse(gateway.CodeNotMergeable)
		}
		a = there
		if !there.Sender.IsZero() {
			senders = append(senders, there.Sender)
		}
	}
	slices.SortFunc(senders, func(a, b gateway.PhoneIndex) int { return slices.Compare(a[:], b[:]) })
	for _, sender := range slices.Compact(senders) {
		if _, err := x.lockSender(a.Office, sender); err != nil {
			return a, b, err
		}
	}
	locked := map[gateway.SubmissionID]gateway.Submission{}
	for _, id := range ids {
		if locked[id], err = x.lockOf(offices, id); err != nil {
			return a, b, err
		}
	}
	return locked[from], locked[into], nil
}

// ended tells that no client adds anything any more.
func ended(s gateway.Submission) bool {
	return s.State == gateway.SubmissionReceived || s.State == gateway.SubmissionHandled
}

// held tells that a legal hold keeps a submission as it is.
func (x *tx) held(id gateway.SubmissionID) (bool, error) {
	_, found, err := first(x, scanInt, "SELECT 1 FROM holds WHERE submission = $1 AND released_at = 0", string(id))
	return found, err
}

func mayMerge(a, b gateway.Submission) bool {
	one := a.Sender == b.Sender || a.Origin.AtCounter() || b.Origin.AtCounter()
	return one && a.ID != b.ID && ended(a) && a.MergedInto == "" && takesPages(b)
}

// takesPages tells whether a caseworker may add pages: the client would not
// know of more, and what is done has its retention running.
func takesPages(s gateway.Submission) bool {
	return s.State == gateway.SubmissionReceived && s.MergedInto == ""
}

func (x *tx) merge(a, b gateway.Submission) error {
	pages, err := all(x, scanPage, "SELECT "+pageColumns+" FROM pages WHERE submission = $1 "+inOrder, string(a.ID))
	if err != nil {
		return err
	}
	for _, p := range pages {
		if err := x.placePage(p, b.ID); err != nil {
			return err
		}
	}
	from, to := string(a.ID), string(b.ID)
	for _, statement := range []string{
		// What the client lacks, unless they said so there, or sent it.
		`INSERT INTO lacks (submission, ask, reason, at) SELECT $2, k.ask, k.reason, k.at FROM lacks k WHERE k.submission = $1
			AND NOT EXISTS (SELECT 1 FROM pages p WHERE p.submission = $2 AND p.removed_at = 0 AND p.label = k.ask)
			ON CONFLICT (submission, ask) DO NOTHING`,
		"UPDATE notes SET submission = $2 WHERE submission = $1",
		"UPDATE remarks SET submission = $2 WHERE submission = $1",
		"UPDATE sendings SET submission = $2 WHERE submission = $1",
		// A link that nobody opened leads to the other, and from there to a fresh
		// one: both have ended. Whoever opened theirs finds their receipt where it was.
		"UPDATE links SET submission = $2 WHERE submission = $1 AND state = 'issued'",
	} {
		if _, err := x.exec(statement, from, to); err != nil {
			return err
		}
	}
	if _, err := x.exec("DELETE FROM lacks WHERE submission = $1", from); err != nil {
		return err
	}
	if err := x.forgetPlace(a, b); err != nil {
		return err
	}
	// Others that were merged into this one are now there as well.
	homes, err := all(x, scanText[gateway.SubmissionID], "UPDATE submissions SET merged_into = $2 WHERE merged_into = $1 AND merged_into <> '' RETURNING id", from, to)
	if err != nil {
		return err
	}
	// A case number that the other one has too, or takes over, is its own from now
	// on; a second one is still found here.
	_, err = x.exec(`UPDATE submissions SET merged_into = $2, texted_till = 0, case_index = CASE WHEN case_index =
		(SELECT COALESCE(b.case_index, submissions.case_index) FROM submissions b WHERE b.id = $2) THEN NULL ELSE case_index END WHERE id = $1`, from, to)
	if err != nil {
		return err
	}
	if err := x.takeOver(a, b); err != nil {
		return err
	}
	for _, id := range []string{from, to} {
		if _, err := x.exec(countPages, id); err != nil {
			return err
		}
	}
	for _, id := range append(homes, a.ID, b.ID) {
		if err := x.revise(id); err != nil {
			return err
		}
	}
	return nil
}

// forgetPlace has what the sender texts next go to the other submission, or,
// where that is of another sender, to one of its own.
func (x *tx) forgetPlace(a, b gateway.Submission) error {
	if a.Sender.IsZero() {
		return nil
	}
	place := string(b.ID)
	if a.Sender != b.Sender {
		place = ""
	}
	_, err := x.exec("UPDATE senders SET submission = $4 WHERE office = $1 AND sender = $2 AND submission = $3",
		string(a.Office), a.Sender[:], string(a.ID), place)
	if err != nil {
		return err
	}
	_, err = x.exec("UPDATE texts SET submission = $4 WHERE office = $1 AND sender = $2 AND submission = $3",
		string(a.Office), a.Sender[:], string(a.ID), string(b.ID))
	return err
}

// takeOver gives the target what only the other had.
func (x *tx) takeOver(a, b gateway.Submission) error {
	if len(b.SealedName) == 0 && len(a.SealedName) > 0 {
		if _, err := x.exec("UPDATE submissions SET sealed_name = $2 WHERE id = $1", string(b.ID), a.SealedName); err != nil {
			return err
		}
	}
	if b.CaseIndex.IsZero() && !a.CaseIndex.IsZero() {
		return x.change(b, gateway.SubmissionChange{Case: &gateway.SealedCase{Sealed: a.SealedCase, Index: a.CaseIndex}})
	}
	return nil
}

// placePage puts a page into another submission, where its own order says nothing.
func (x *tx) placePage(p gateway.Page, to gateway.SubmissionID) error {
	home := p.SentTo()
	key := gateway.PageKey(strings.TrimPrefix(string(p.Key), string(home)+":"))
	_, taken, err := first(x, scanInt, "SELECT 1 FROM pages WHERE submission = $1 AND page_key = $2", string(to), string(key))
	if err != nil {
		return err
	}
	if taken {
		key = movedKey(home, key)
	}
	away := home // empty where the page comes back home
	if home == to {
		away = ""
	}
	_, err = x.exec("UPDATE pages SET submission = $2, home = $3, page_key = $4, place = 0 WHERE id = $1",
		string(p.ID), string(to), string(away), string(key))
	if err != nil {
		return err
	}
	return x.revise(home)
}

// MovePage moves a page to another submission of its office; see the port.
func (s *Store) MovePage(ctx context.Context, offices []gateway.OfficeID, id gateway.PageID, to gateway.SubmissionID, audit ...gateway.AuditEntry) error {
	_, err := write(ctx, s, "move page", "", func(x *tx) (struct{}, error) {
		page, err := only(first(x, scanPage, "SELECT "+pageColumns+" FROM pages WHERE id = $1 AND removed_at = 0", string(id)))
		if err != nil {
			return struct{}{}, err
		}
		a, b, err := x.lockBoth(offices, page.Submission, to)
		if err != nil {
			return struct{}{}, err
		}
		held, err := x.held(a.ID)
		if err != nil {
			return struct{}{}, err
		}
		// Under the lock it may be elsewhere, or there already.
		page, err = only(first(x, scanPage, "SELECT "+pageColumns+" FROM pages WHERE id = $1 AND removed_at = 0", string(id)))
		switch {
		case err != nil || page.Submission == to:
			return struct{}{}, err
		case held || page.Submission != a.ID || !ended(a) || !takesPages(b):
			return struct{}{}, refuse(gateway.CodeNotMergeable)
		}
		if err := x.placePage(page, to); err != nil {
			return struct{}{}, err
		}
		for _, changed := range []gateway.SubmissionID{a.ID, to} {
			if _, err := x.exec(countPages, string(changed)); err != nil {
				return struct{}{}, err
			}
		}
		if err := x.changed(a.Office); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, x.append(audit...)
	})
	return err
}
