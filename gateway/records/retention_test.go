package records

import (
	"strings"
	"testing"
	"time"

	"dropslot/gateway"
)

const day = 24 * time.Hour

// terms are the product's, 90 days after done.
func terms(now time.Time) gateway.Terms {
	d := gateway.NewDirectory([]gateway.Office{{ID: north, Retention: 90 * day}, {ID: south, Retention: 30 * day}}, nil, nil)
	return gateway.TermsAt(now, d, gateway.DefaultLimits())
}

// goes tells whether a submission's time is over, as the list and the deed see
// it, and erases it if so.
func (w *world) goes(office gateway.OfficeID, id gateway.SubmissionID, now time.Time) bool {
	w.t.Helper()
	due, err := w.DueSubmissions(w.t.Context(), office, terms(now), "", 100)
	w.check(err, "")
	listed := false
	for _, d := range due {
		listed = listed || d.ID == id
	}
	erased, err := w.EraseDue(w.t.Context(), gateway.Due{ID: id, Office: office, Why: gateway.ErasedDone}, terms(now), entry(gateway.ActionErased, "submission:"+string(id)))
	w.check(err, "")
	if listed != erased {
		w.t.Errorf("listed %v, erased %v", listed, erased)
	}
	return erased
}

func (w *world) warn(now time.Time) int {
	w.t.Helper()
	n, err := w.WarnUnfinished(w.t.Context(), terms(now), 100, func(d gateway.Due) gateway.AuditEntry {
		return entry(gateway.ActionErasureWarned, "submission:"+string(d.ID))
	})
	w.check(err, "")
	return n
}

// settled lets the worker's queue be done with every text.
func (w *world) settled() { w.raw("UPDATE texts SET step = 'done', due_at = 0") }

func (w *world) received(n int) gateway.Link {
	w.t.Helper()
	link := w.session(north, n)
	w.page(link, noon)
	w.finish(link, noon)
	w.settled()
	return link
}

func (w *world) handled(n int) gateway.Link {
	w.t.Helper()
	link := w.received(n)
	w.check(w.HandleSubmission(w.t.Context(), []gateway.OfficeID{north}, link.Submission, "ana", gateway.HandledDelivered, "", noon), "")
	return link
}

func (w *world) legalHold(id gateway.SubmissionID) error {
	_, err := w.SaveHold(w.t.Context(), []gateway.OfficeID{north}, gateway.Hold{Submission: id, Staff: "ana", Reason: gateway.HoldAudit, At: noon},
		entry(gateway.ActionHeld, "submission:"+string(id)))
	return err
}

func TestDoneGoesAfterTheRetention(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		link := w.handled(1)
		if w.goes(north, link.Submission, noon.Add(90*day-time.Millisecond)) {
			t.Error("erased a millisecond early")
		}
		if _, err := w.EraseDue(t.Context(), gateway.Due{ID: link.Submission, Office: south}, terms(noon.Add(90*day)), entry(gateway.ActionErased, "")); err != nil {
			t.Error(err)
		}
		if w.count("submissions") != 1 {
			t.Error("erased as another office's")
		}
		if !w.goes(north, link.Submission, noon.Add(90*day)) {
			t.Error("not erased when its time was over")
		}
		if n := w.count("audit WHERE action = 'submission.erased' AND object = $1", "submission:"+string(link.Submission)); n != 1 {
			t.Errorf("%d erasures in the audit trail", n)
		}
		if w.count("tombstones WHERE emptied_at = 0 AND submission = $1", string(link.Submission)) != 1 {
			t.Error("no tombstone that tells of a full vault")
		}
	})
}

func TestWhatStillLiesAtTwilioStays(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		link := w.handled(1)
		w.raw("UPDATE texts SET submission = '" + string(link.Submission) + "', step = 'erase', due_at = 1")
		if w.goes(north, link.Submission, noon.Add(91*day)) {
			t.Error("erased while its text waits to be erased at Twilio")
		}
	})
}

func TestUnfinishedNeverGoesUnwarned(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		link := w.received(1)
		if w.goes(north, link.Submission, noon.Add(5*365*day)) {
			t.Fatal("erased unwarned")
		}
		if n := w.warn(noon.Add(60*day - time.Millisecond)); n != 0 {
			t.Error("warned early")
		}
		if n := w.warn(noon.Add(60 * day)); n != 1 {
			t.Fatal("not warned at 60 days")
		}
		if n := w.warn(noon.Add(70 * day)); n != 0 {
			t.Error("warned twice")
		}
		going, err := w.Going(t.Context(), []gateway.OfficeID{north}, terms(noon.Add(70*day)), noon.Add(77*day), 10)
		w.check(err, "")
		if len(going) != 1 || !going[0].At.Equal(noon.Add(365*day)) || going[0].Why != gateway.ErasedUnfinished {
			t.Errorf("the page tells %+v", going)
		}
		if w.goes(north, link.Submission, noon.Add(365*day-time.Millisecond)) || !w.goes(north, link.Submission, noon.Add(365*day)) {
			t.Error("not erased after a year, or before")
		}
	})
}

// A worker that was off for long warns first, however old things are; and what
// moved after its warning is warned of anew.
func TestAWarningIsVisibleForLongEnough(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		link := w.received(1)
		late := noon.Add(400 * day)
		w.warn(late)
		going, err := w.GoingOne(t.Context(), []gateway.OfficeID{north}, link.Submission, terms(late))
		w.check(err, "")
		if !going.At.Equal(late.Add(30 * day)) {
			t.Errorf("the page tells %v", going.At)
		}
		if w.goes(north, link.Submission, late.Add(30*day-time.Millisecond)) {
			t.Error("erased before the warning was out long enough")
		}
		w.raw("UPDATE submissions SET last_page_at = $1", ms(late.Add(day)))
		if w.goes(north, link.Submission, late.Add(400*day)) {
			t.Error("erased on a warning from before its last page")
		}
		if n := w.warn(late.Add(400 * day)); n != 1 {
			t.Error("not warned anew")
		}
		if !w.goes(north, link.Submission, late.Add(430*day)) {
			t.Error("not erased")
		}
	})
}

func TestWhatIsHeldStays(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		link := w.handled(1)
		w.check(w.legalHold(link.Submission), "")
		w.check(w.legalHold(link.Submission), "")
		if n := w.count("audit WHERE action = 'hold.placed'"); n != 1 {
			t.Errorf("%d holds in the audit trail, want 1", n)
		}
		_, err := w.SaveHold(t.Context(), []gateway.OfficeID{south}, gateway.Hold{Submission: link.Submission}, entry(gateway.ActionHeld, ""))
		w.check(err, gateway.CodeNotFound)
		if w.goes(north, link.Submission, noon.Add(1000*day)) {
			t.Fatal("a held one was erased")
		}
		_, err = w.ReleaseHold(t.Context(), []gateway.OfficeID{south}, link.Submission, noon, entry(gateway.ActionReleased, ""))
		w.check(err, gateway.CodeNotFound)
		held, err := w.ReleaseHold(t.Context(), []gateway.OfficeID{north}, link.Submission, noon.Add(day), entry(gateway.ActionReleased, ""))
		w.check(err, "")
		if unstored, err := w.UnstoredHolds(t.Context(), "", 10); err != nil || len(unstored) != 1 {
			t.Errorf("the vault's twin is forgotten: %v %v", unstored, err)
		}
		w.stored(held, true)
		if w.count("holds") != 0 || !w.goes(north, link.Submission, noon.Add(1000*day)) {
			t.Error("a released one stays")
		}
	})
}

// Two workers, and a hold that comes at the last moment: it is held or erased,
// never both.
func TestHoldAgainstErasure(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		other := w.another()
		for i := range 8 {
			link := w.handled(i)
			errs := race(3, func(side int) error {
				if side == 0 {
					return other.legalHold(link.Submission)
				}
				_, err := []*world{w, other}[side-1].EraseDue(t.Context(), gateway.Due{ID: link.Submission, Office: north}, terms(noon.Add(90*day)), entry(gateway.ActionErased, ""))
				return err
			})
			w.check(errs[1], "")
			w.check(errs[2], "")
			there := w.count("submissions WHERE id = $1", string(link.Submission)) == 1
			switch {
			case errs[0] == nil && !there:
				t.Fatal("held and erased")
			case errs[0] != nil && (there || !gateway.Is(errs[0], gateway.CodeNotFound)):
				t.Fatalf("neither: %v", errs[0])
			}
		}
	})
}

// A link that somebody may still open leads elsewhere afterwards, and never
// brings the erased submission back.
func TestAnUnopenedLinkOutlivesTheErasure(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		link := w.handled(1)
		now := noon.Add(90 * day)
		fresh := newLink(t, north, phone(north, 1), now)
		_, _, err := w.ReceiveText(t.Context(), newText(t, north, phone(north, 1)), answerWith(fresh))
		w.check(err, "")
		w.raw("UPDATE links SET issued_at = $1, expires_at = $2 WHERE id = $3", ms(now), ms(now.Add(4*time.Hour)), string(fresh.ID))
		w.settled()
		if !w.goes(north, link.Submission, now) {
			t.Fatal("not erased")
		}
		claimed := w.claim(fresh, browser(7), now.Add(time.Hour))
		if claimed.State != gateway.LinkClaimed || claimed.Submission == link.Submission {
			t.Errorf("the link leads to %+v", claimed)
		}
		if w.count("submissions WHERE id = $1", string(link.Submission)) != 0 {
			t.Error("the erased submission is back")
		}
	})
}

func TestRowsThatBroughtNothingGoAfterAYear(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.text(north, phone(north, 1)) // never opened
		kept := w.received(2)
		w.text(north, phone(north, 3))
		w.raw("UPDATE senders SET opted_out_at = 5 WHERE sender = $1", phoneBytes(3))
		w.raw("UPDATE texts SET step = 'dead', due_at = 0 WHERE sender = $1", phoneBytes(3))
		w.raw("UPDATE texts SET step = 'done', due_at = 0 WHERE step <> 'dead'")
		n, err := w.EraseOldRows(t.Context(), terms(noon.Add(365*day)), 10)
		w.check(err, "")
		if n != 0 {
			t.Errorf("%d went early", n)
		}
		for n = 1; n > 0; { // at most one at a time, and at the end none
			n, err = w.EraseOldRows(t.Context(), terms(noon.Add(365*day+time.Second)), 1)
			w.check(err, "")
			if n > 1 {
				t.Errorf("%d went at once", n)
			}
		}
		if n := w.count("links"); n != 1 || w.count("links WHERE id = $1", string(kept.ID)) != 1 {
			t.Errorf("%d links are left, want that of the papers", n)
		}
		if n := w.count("texts WHERE step = 'done'"); n != 1 {
			t.Errorf("%d texts are left, want that of the papers", n)
		}
		if w.count("texts WHERE step = 'dead' AND LENGTH(phone) = 0 AND LENGTH(sender) = 0 AND link = ''") != 1 {
			t.Error("what lies at Twilio is not told of, or with more than its SID")
		}
		if w.count("senders WHERE opted_out_at = 5 AND language = '' AND link = '' AND submission = ''") != 1 || w.count("senders") != 2 {
			t.Errorf("a STOP was forgotten, or more than that is kept: %d senders, %d texts, %d links", w.count("senders"), w.count("texts"), w.count("links"))
		}
	})
}

// Old rows that stay are passed over, however many they are, and young ones
// are not read at all.
func TestOldRowsAreFoundByTheirIdentifiers(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		const many = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1) SELECT `
		bytes := "CAST(CAST(i AS TEXT) AS " + w.dialect.types("BYTES") + ")"
		w.raw("INSERT INTO senders (office, sender, opted_out_at) "+many+"'a', "+bytes+", 1 FROM n", oldStep+5)
		w.raw(`INSERT INTO sendings (id, link, office, number, sender, phone, submission, language, occasion, count, staff, state, sid,
			error_code, created_at, attempted_at, updated_at) `+many+"'0' || CAST(i AS TEXT), '', 'north', '', "+bytes+", "+bytes+
			", $2, '', '', 0, '', 'sent', '', 0, 0, 0, 0 FROM n", oldStep+5, string(w.received(2).Submission))
		w.text(north, phone(north, 1))
		w.settled()
		_, err := w.EraseOldRows(t.Context(), terms(noon.Add(365*day+time.Second)), 10)
		w.check(err, "")
		if w.count("sendings") != oldStep+5 || w.count("senders") != oldStep+6 || w.count("texts") != 1 {
			t.Errorf("%d sendings, %d senders, %d texts are left", w.count("sendings"), w.count("senders"), w.count("texts"))
		}
		for _, table := range []string{"texts", "links", "sendings"} {
			if plan := w.explain(lookOld(table, "TRUE"), "0", "1", 10); !w.dialect.ordered() && !strings.Contains(plan, "id>? AND id<?") {
				t.Errorf("%s:\n%s", table, plan)
			}
		}
	})
}

func phoneBytes(n int) []byte { p := phone(north, n); return p[:] }

func TestTheClockIsSeen(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		see := func(now, wantBefore, wantRests, rests time.Time, audit ...gateway.AuditEntry) {
			t.Helper()
			got, err := w.SeeClock(t.Context(), now, func(before, was time.Time) (time.Time, []gateway.AuditEntry) {
				if !before.Equal(wantBefore) || !was.Equal(wantRests) {
					t.Errorf("%v: last seen at %v, rests till %v", now, before, was)
				}
				return rests, audit
			})
			if err != nil || !got.Equal(rests) {
				t.Errorf("%v: %v %v", now, got, err)
			}
		}
		see(noon, time.Time{}, time.Time{}, noon.Add(day), entry(gateway.ActionRetentionRests, ""))
		see(noon.Add(time.Hour), noon, noon.Add(day), noon.Add(day))
		if n := w.count("audit WHERE action = 'retention.rests'"); n != 1 {
			t.Errorf("%d rests in the audit trail", n)
		}
		w.check(w.RunDone(t.Context(), noon), "")
		state, err := w.RetentionState(t.Context(), terms(noon))
		if err != nil || !state.DoneAt.Equal(noon) {
			t.Errorf("%+v %v", state, err)
		}
	})
}

// What was merged or moved elsewhere stays while it is held.
func TestAHoldReachesWhereItsPagesWent(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		held, into := w.handled(1), w.handled(2)
		w.check(w.legalHold(held.Submission), "")
		late := noon.Add(1000 * day)
		w.raw("UPDATE submissions SET merged_into = '" + string(into.Submission) + "' WHERE id = '" + string(held.Submission) + "'")
		if w.goes(north, into.Submission, late) {
			t.Fatal("erased with a held one that was merged into it")
		}
		w.raw("UPDATE submissions SET merged_into = ''")
		w.raw("UPDATE pages SET home = submission, submission = '" + string(into.Submission) + "' WHERE submission = '" + string(held.Submission) + "'")
		if w.goes(north, into.Submission, late) {
			t.Fatal("erased with a page of a held one")
		}
		w.raw("DELETE FROM holds")
		if !w.goes(north, into.Submission, late) {
			t.Error("a released one stays")
		}
	})
}

// A page that came with a merge and was moved on still has its object in the
// merged one's folder: that must not go before the page does.
func TestAPageThatWasMergedAndMovedOnKeepsItsFolder(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a, page := w.arrived(north, 1, noon)
		b, _ := w.arrived(north, 1, noon)
		c, _ := w.arrived(north, 1, noon)
		w.settled()
		w.merge(a, b, "")
		w.check(w.MovePage(t.Context(), norths, page.ID, c.ID, entry(gateway.ActionPageMoved, "")), "")
		for _, id := range []gateway.SubmissionID{b.ID, c.ID} {
			w.check(w.HandleSubmission(t.Context(), norths, id, "ann", gateway.HandledDelivered, "", noon, entry(gateway.ActionSubmissionHandled, "")), "")
		}
		w.check(w.legalHold(c.ID), "")
		late := noon.Add(1000 * day)
		if w.goes(north, b.ID, late) {
			t.Error("erased while a held one shows a page of its folders")
		}
		stone := gateway.Tombstone{Submission: b.ID, Office: north, Why: gateway.ErasedDone, At: late}
		_, err := w.EraseAnew(t.Context(), stone, terms(late), entry(gateway.ActionErased, ""))
		w.check(err, gateway.CodeForbidden)
		if w.count("tombstones") != 0 {
			t.Fatal("what holds the page's object has a tombstone")
		}
		got, err := w.Page(t.Context(), norths, page.ID)
		if err != nil || got.Home != a.ID {
			t.Errorf("the page opens as %+v, %v", got, err)
		}
		w.raw("DELETE FROM holds")
		if !w.goes(north, c.ID, late) || !w.goes(north, b.ID, late) || w.count("submissions") != 0 {
			t.Error("not erased once nothing needs it")
		}
	})
}

// What was done and is reopened is warned of as anything unfinished, whatever
// was said of it before.
func TestReopenedPapersAreWarnedOfAnew(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		link := w.received(1)
		w.warn(noon.Add(60 * day))
		late := noon.Add(400 * day)
		done := noon.Add(330 * day)
		w.check(w.HandleSubmission(t.Context(), norths, link.Submission, "ann", gateway.HandledDelivered, "", done, entry(gateway.ActionSubmissionHandled, "")), "")
		there, _ := w.submission(link.Submission)
		w.setStage(there, gateway.StageOpen)
		if w.goes(north, link.Submission, late) {
			t.Fatal("erased as soon as it was reopened, on a warning from before it was done")
		}
		if n := w.warn(late); n != 1 {
			t.Error("not warned anew")
		}
		if w.goes(north, link.Submission, late.Add(30*day-time.Millisecond)) || !w.goes(north, link.Submission, late.Add(30*day)) {
			t.Error("the new warning does not hold for its time")
		}
	})
}

func (w *world) stored(h gateway.Hold, want bool) {
	w.t.Helper()
	stands, err := w.StoredHold(w.t.Context(), h, noon)
	w.check(err, "")
	if stands != want {
		w.t.Errorf("the hold of %v stands: %v", h.At, stands)
	}
}

// Each hold has a time of its own, by which the vault's twins are told apart,
// also where a clock was set back; and what is told of an old one is not taken
// for a newer one's.
func TestHoldsOfOneSubmissionAreToldApart(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		link := w.handled(1)
		w.check(w.legalHold(link.Submission), "")
		hold := func(at time.Time) gateway.Hold {
			held, err := w.SaveHold(t.Context(), norths, gateway.Hold{Submission: link.Submission, Staff: "bob", Reason: gateway.HoldLawsuit, At: at},
				entry(gateway.ActionHeld, ""))
			w.check(err, "")
			return held
		}
		first := hold(noon.Add(time.Minute)) // it is held already
		if !first.At.Equal(noon) || first.Staff != "ana" || first.Reason != gateway.HoldAudit || first.Office != north {
			t.Errorf("the hold that stands is %+v", first)
		}
		released, err := w.ReleaseHold(t.Context(), norths, link.Submission, noon.Add(time.Hour), entry(gateway.ActionReleased, ""))
		w.check(err, "")
		again := hold(noon.Add(-time.Hour))
		if !again.At.After(first.At) || again.Staff != "bob" || !again.ReleasedAt.IsZero() {
			t.Errorf("the second hold is %+v", again)
		}
		w.stored(first, false)
		w.stored(released, false)
		if unstored, err := w.UnstoredHolds(t.Context(), "", 10); err != nil || len(unstored) != 1 || !unstored[0].At.Equal(again.At) {
			t.Errorf("to be told: %+v, %v", unstored, err)
		}
		w.stored(again, true)
		if unstored, err := w.UnstoredHolds(t.Context(), "", 10); err != nil || len(unstored) != 0 {
			t.Errorf("told, and yet to be told: %+v, %v", unstored, err)
		}
	})
}

// Of a million papers the page of retention must not read all.
func TestThePageOfRetentionWalksItsIndexes(t *testing.T) {
	w := openWorld(t, readySQLite(t))
	fillInbox(w, 20_000)
	for i, want := range []string{"submissions_done (office=? AND handled_at<", "SCAN w", "SCAN h"} {
		args := []any{string(north), 10, ms(noon)}
		plan := w.explain("SELECT "+goingColumns+goingKinds[i], args[:strings.Count(goingKinds[i], "$")]...)
		if !strings.Contains(plan, want) || strings.Contains(plan, "SCAN b") {
			t.Errorf("not by %s:\n%s", want, plan)
		}
	}
}

// What a tombstone of the vault names stays while it is held, and the hold too.
func TestATombstoneTakesNothingThatIsHeld(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a, _ := w.arrived(north, 1, noon)
		b, _ := w.arrived(north, 1, noon)
		w.merge(a, b, "")
		stone := gateway.Tombstone{Submission: b.ID, Office: north, Why: gateway.ErasedDone, At: noon}
		for _, id := range []gateway.SubmissionID{a.ID, b.ID} {
			w.check(w.legalHold(id), "")
			_, err := w.EraseAnew(t.Context(), stone, terms(noon), entry(gateway.ActionErased, ""))
			w.check(err, gateway.CodeForbidden)
			if w.count("holds") != 1 || w.count("submissions") != 2 || w.count("tombstones") != 0 {
				t.Error("something is gone")
			}
			w.raw("DELETE FROM holds")
		}
		_, err := w.EraseAnew(t.Context(), stone, terms(noon), entry(gateway.ActionErased, ""))
		w.check(err, "")
		if w.count("submissions") != 0 {
			t.Error("not erased once it is released")
		}
	})
}

// Pages that go back home may meet their key there.
func TestAKeyThatIsTakenIsInNoErasuresWay(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a, first := w.arrived(north, 1, noon)
		b, second := w.arrived(north, 1, noon)
		c, _ := w.arrived(north, 1, noon)
		w.settled()
		w.raw("UPDATE pages SET page_key = 'page-of-both-00000000' WHERE id IN ($1, $2)", string(first.ID), string(second.ID))
		w.check(w.MovePage(t.Context(), norths, first.ID, c.ID, entry(gateway.ActionPageMoved, "")), "")
		w.check(w.MovePage(t.Context(), norths, second.ID, a.ID, entry(gateway.ActionPageMoved, "")), "")
		w.check(w.HandleSubmission(t.Context(), norths, c.ID, "ann", gateway.HandledDelivered, "", noon, entry(gateway.ActionSubmissionHandled, "")), "")
		if !w.goes(north, c.ID, noon.Add(90*day)) {
			t.Fatal("not erased")
		}
		if w.count("pages WHERE submission = $1 AND removed_at > 0", string(a.ID)) != 1 || w.count("pages WHERE submission = $1 AND home = $2 AND removed_at = 0", string(a.ID), string(b.ID)) != 1 {
			t.Error("the page that went is not removed at home, or another is")
		}
	})
}
