package records

import (
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"dropslot/gateway"
	"dropslot/gateway/records/recordstest"
)

// texted stores a text that came with pictures and was answered with a link.
func (w *world) texted(office gateway.OfficeID, sender gateway.PhoneIndex, pictures int) (gateway.Text, gateway.Link) {
	w.t.Helper()
	text := newText(w.t, office, sender)
	text.MediaCount = pictures
	link := newLink(w.t, office, sender, noon)
	outcome, _, err := w.ReceiveText(w.t.Context(), text, func(s gateway.Standing) (gateway.TextOutcome, error) {
		o, err := answerWith(link)(s)
		o.Keeping = gateway.Keeping{Media: gateway.MediaPending, Words: gateway.WordsPending, Step: gateway.StepCollect}
		return o, err
	})
	w.check(err, "")
	return text, *outcome.Link
}

func textedPage(t testing.TB, s gateway.Submission, text gateway.TextID, key string) gateway.Page {
	id := newID(t)
	return gateway.Page{
		ID: gateway.PageID(id), Key: gateway.PageKey(key), Submission: s.ID, Office: s.Office, Text: text,
		Blob: gateway.BlobName("submissions/" + string(s.Office) + "/" + string(s.ID) + "/page-" + id + ".age"), SealedBytes: 1200,
		PlainBytes: 1000, Sealing: gateway.SealedByServer, ReceivedAt: noon,
	}
}

// collect does what the worker does with a text's pictures.
func (w *world) collect(text gateway.Text, at time.Time, keys ...string) gateway.Submission {
	w.t.Helper()
	s, err := w.PlaceText(w.t.Context(), text.ID, gateway.SubmissionID(newID(w.t)), at)
	w.check(err, "")
	c := gateway.Collected{Text: text.ID, Office: text.Office, Submission: s.ID, Media: true, Note: []byte("sealed words"), At: at}
	for _, key := range keys {
		c.Pages = append(c.Pages, textedPage(w.t, s, text.ID, key))
	}
	unused, err := w.SaveCollected(w.t.Context(), c, gateway.DefaultLimits(), nil, entry(gateway.ActionPageReceived, "page:1"))
	w.check(err, "")
	if len(unused) > 0 {
		w.t.Fatalf("unused: %v", unused)
	}
	s, _, err = w.SubmissionPages(w.t.Context(), s.ID)
	w.check(err, "")
	return s
}

const (
	mediaOne = "ME00000000000000000000000000000001"
	mediaTwo = "ME00000000000000000000000000000002"
)

// claimed takes a text on.
func (w *world) claimed(id gateway.TextID, at time.Time) gateway.TextWork {
	w.t.Helper()
	rows, err := w.ClaimTexts(w.t.Context(), at, time.Minute, 100)
	w.check(err, "")
	for _, row := range rows {
		if row.ID == id {
			return row
		}
	}
	w.t.Fatal("the text is not due")
	return gateway.TextWork{}
}

// However many workers claim at once, each text is one worker's until its
// lease is over; the row of a worker that died comes due again.
func TestALeaseIsOneWorkers(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		other := w.another()
		for i := range 40 {
			w.text(north, phone(north, i))
		}
		var mutex sync.Mutex
		seen := map[gateway.TextID]int{}
		claim := func(store *world, at time.Time, limit int) int {
			rows, err := store.ClaimTexts(t.Context(), at, time.Minute, limit)
			if err != nil {
				t.Error(err)
			}
			mutex.Lock()
			defer mutex.Unlock()
			for _, row := range rows {
				seen[row.ID]++
			}
			return len(rows)
		}
		race(20, func(i int) error {
			store := w
			if i%2 == 0 {
				store = other
			}
			claim(store, noon, 3)
			return nil
		})
		for claim(w, noon, 10) > 0 {
		}
		if len(seen) != 40 {
			t.Errorf("%d texts were claimed", len(seen))
		}
		for id, times := range seen {
			if times != 1 {
				t.Errorf("%s was claimed %d times", id, times)
			}
		}
		if n := claim(w, noon.Add(time.Minute), 100); n != 40 {
			t.Errorf("%d texts came due after their leases", n)
		}
	})
}

// A worker that was away longer than its lease changes nothing in a row that
// another has taken on, and loses no proof of what it erased.
func TestAWorkerWhoseLeaseIsOverChangesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		text, _ := w.texted(north, phone(north, 1), 0)
		w.collect(text, noon)
		slow := w.claimed(text.ID, noon)
		fast := w.claimed(text.ID, noon.Add(time.Minute))
		late := gateway.Postponed{Step: gateway.StepCollect, DueAt: noon, Tries: 1, Fault: gateway.CodeUnavailable}
		unchanged := func(after string) {
			t.Helper()
			if w.count("texts WHERE step = 'erase' AND tries = 0 AND erased_at = 0 AND due_at = "+strconv.FormatInt(fast.Lease.UnixMilli(), 10)) != 1 {
				t.Errorf("%s changed the row", after)
			}
		}
		waiting := w.count("river_job")
		jobs := []gateway.Job{{Kind: gateway.JobTellPhotos, Subject: "S", RunAt: noon}}
		w.check(w.PostponeText(t.Context(), slow, late, jobs, entry(gateway.ActionChannelDead, "text:1")), "")
		unchanged("putting it off")
		if n := w.count("audit WHERE action = 'channel.dead'") + w.count("river_job") - waiting; n != 0 {
			t.Errorf("%d things followed from it all the same", n)
		}
		w.check(w.CollectAgain(t.Context(), slow, noon), "")
		unchanged("sending it back")
		w.check(w.FinishText(t.Context(), slow, noon, entry(gateway.ActionTwilioErased, "message:SM1")), "")
		unchanged("finishing it")
		if w.count("audit WHERE action = 'twilio.erased'") != 1 {
			t.Error("the proof is lost")
		}
		w.check(w.FinishText(t.Context(), fast, noon), "")
		if w.count("texts WHERE step = 'done'") != 1 {
			t.Error("the one that has it cannot finish it")
		}
	})
}

func TestPicturesAndPagesOfADayAreOneSubmission(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		text, link := w.texted(north, phone(north, 1), 2)
		s := w.collect(text, noon, mediaOne, mediaTwo)
		if s.ID != link.Submission || s.Pages != 2 || s.State != gateway.SubmissionReceived || !s.ArrivedAt.Equal(noon) {
			t.Fatalf("after the pictures: %+v", s)
		}
		claimed := w.claim(link, browser(1), noon.Add(time.Hour))
		if claimed.Submission != s.ID {
			t.Fatal("the link leads elsewhere")
		}
		w.page(claimed, noon.Add(time.Hour))
		s, pages, err := w.SubmissionPages(t.Context(), s.ID)
		w.check(err, "")
		if s.State != gateway.SubmissionOpen || len(pages) != 3 {
			t.Errorf("with a page of the link: %s, %d pages", s.State, len(pages))
		}
		w.finish(claimed, noon.Add(2*time.Hour))
		later, _ := w.texted(north, phone(north, 1), 1)
		again := w.collect(later, noon.Add(3*time.Hour), "ME00000000000000000000000000000003")
		if again.ID != s.ID || again.Pages != 4 || again.State != gateway.SubmissionReceived {
			t.Errorf("a picture after the end: %+v", again)
		}
		if n := w.count("submissions WHERE archived_at = 0"); n != 1 {
			t.Error("the manifest is not written anew")
		}
	})
}

func TestPicturesOfAnotherDayAreAnotherSubmission(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		text, _ := w.texted(north, phone(north, 1), 1)
		first := w.collect(text, noon, mediaOne)
		next, link := w.texted(north, phone(north, 1), 1)
		second := w.collect(next, noon.Add(25*time.Hour), mediaTwo)
		if second.ID == first.ID {
			t.Fatal("a day later they join the same submission")
		}
		// The unclaimed link leads where the new pictures are.
		claimed := w.claim(link, browser(1), noon.Add(3*time.Hour))
		if claimed.Submission != second.ID {
			t.Error("the link does not lead to the newer pictures")
		}
	})
}

func TestPicturesAfterTheCaseworkersDoneComeAnew(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		text, _ := w.texted(north, phone(north, 1), 1)
		first := w.collect(text, noon, mediaOne)
		w.check(w.HandleSubmission(t.Context(), []gateway.OfficeID{north}, first.ID, "ana", gateway.HandledDelivered, "", noon), "")
		next, _ := w.texted(north, phone(north, 1), 1)
		if s := w.collect(next, noon.Add(time.Hour), mediaTwo); s.ID == first.ID || s.State != gateway.SubmissionReceived {
			t.Errorf("they joined what was done: %+v", s)
		}
	})
}

// Two workers fetched the same pictures because a lease ran out: each picture
// is one page, and the later worker's blobs are nobody's.
func TestAPictureIsSealedOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		text, _ := w.texted(north, phone(north, 1), 1)
		s := w.collect(text, noon, mediaOne)
		late := textedPage(t, s, text.ID, mediaOne)
		unused, err := w.SaveCollected(t.Context(), gateway.Collected{
			Text: text.ID, Office: north, Submission: s.ID, Media: true, Pages: []gateway.Page{late}, Note: []byte("again"), At: noon,
		}, gateway.DefaultLimits(), nil)
		w.check(err, "")
		if !slices.Equal(unused, []gateway.BlobName{late.Blob}) {
			t.Errorf("unused: %v", unused)
		}
		if n := w.count("pages"); n != 1 {
			t.Errorf("%d pages", n)
		}
		if n := w.count("notes"); n != 1 {
			t.Errorf("%d notes", n)
		}
		// More pictures are found when the text is to be erased.
		w.check(w.CollectAgain(t.Context(), w.claimed(text.ID, noon), noon), "")
		unused, err = w.SaveCollected(t.Context(), gateway.Collected{
			Text: text.ID, Office: north, Submission: s.ID, Media: true, At: noon,
			Pages: []gateway.Page{textedPage(t, s, text.ID, mediaOne), textedPage(t, s, text.ID, mediaTwo)},
		}, gateway.DefaultLimits(), nil)
		w.check(err, "")
		if len(unused) != 1 || w.count("texts WHERE kept = 2 AND media = 'sealed' AND step = 'erase'") != 1 {
			t.Errorf("collected again: %v unused", unused)
		}
	})
}

func TestCapsHoldForTextedPictures(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		text, _ := w.texted(north, phone(north, 1), 2)
		s, err := w.PlaceText(t.Context(), text.ID, gateway.SubmissionID(newID(t)), noon)
		w.check(err, "")
		limits := gateway.DefaultLimits()
		limits.LinkPages = 1
		unused, err := w.SaveCollected(t.Context(), gateway.Collected{
			Text: text.ID, Office: north, Submission: s.ID, Media: true, At: noon,
			Pages: []gateway.Page{textedPage(t, s, text.ID, mediaOne), textedPage(t, s, text.ID, mediaTwo)},
		}, limits, nil)
		w.check(err, "")
		if len(unused) != 1 || w.count("texts WHERE media = 'partly' AND kept = 1 AND refused = 1") != 1 {
			t.Errorf("unused: %v", unused)
		}
	})
}

func TestEveryAnswerIsErasedEvenTwoToOneText(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		text := newText(t, north, phone(north, 1))
		_, _, err := w.ReceiveText(t.Context(), text, answerWith(newLink(t, north, text.Sender, noon)))
		w.check(err, "")
		for _, d := range []gateway.Delivery{
			{Text: text.ID, SID: "SM1", State: gateway.DeliveryQueued, At: noon},
			{Text: text.ID, SID: "SM2", State: gateway.DeliveryDelivered, At: noon},
		} {
			w.check(w.SaveDelivery(t.Context(), d), "")
		}
		due, err := w.ClaimOutgoing(t.Context(), noon, time.Minute, 10)
		w.check(err, "")
		if len(due) != 1 || due[0].SID != "SM2" || due[0].Number != text.Number {
			t.Fatalf("due at once: %+v", due)
		}
		// A messaging service's callback names the message alone.
		w.check(w.SaveDelivery(t.Context(), gateway.Delivery{SID: "SM1", State: gateway.DeliveryDelivered, At: noon.Add(time.Second)}), "")
		second := due[0]
		due, err = w.ClaimOutgoing(t.Context(), noon.Add(time.Second), time.Minute, 10)
		w.check(err, "")
		if len(due) != 1 || due[0].SID != "SM1" {
			t.Fatalf("due after delivery: %+v", due)
		}
		w.check(w.FinishOutgoing(t.Context(), due[0], noon, entry(gateway.ActionTwilioErased, "message:SM1")), "")
		w.check(w.PostponeOutgoing(t.Context(), second, gateway.Postponed{Step: gateway.StepDead, Tries: 3, Fault: gateway.CodeForbidden}), "")
		waiting, err := w.Waiting(t.Context(), noon)
		w.check(err, "")
		if waiting.Outgoing != 0 || waiting.Dead != 1 || waiting.Texts != 1 || waiting.Oldest.IsZero() {
			t.Errorf("waiting: %+v", waiting)
		}
		w.check(w.SaveDelivery(t.Context(), gateway.Delivery{SID: "SM9", State: gateway.DeliverySent, At: noon}), gateway.CodeNotFound)
	})
}

func TestWhatIsLeftAtTwilioIsTakenOnAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		text, _ := w.texted(north, phone(north, 1), 1)
		known, revived, err := w.ReviveText(t.Context(), text.AccountSID, text.MessageSID, noon)
		w.check(err, "")
		if !known || revived {
			t.Error("a text in the queue is left to the queue")
		}
		w.collect(text, noon, mediaOne)
		w.check(w.FinishText(t.Context(), w.claimed(text.ID, noon), noon), "")
		known, revived, err = w.ReviveText(t.Context(), text.AccountSID, text.MessageSID, noon)
		w.check(err, "")
		if !known || !revived || w.count("texts WHERE step = 'erase' AND due_at > 0") != 1 {
			t.Error("a text that was done is not erased again")
		}
		// It was proven to be erased, and is not any more once it is dropped.
		for i, want := range []bool{true, false} {
			if i == 0 {
				w.check(w.FinishText(t.Context(), w.claimed(text.ID, noon), noon), "")
			} else {
				_, _, err = w.ReviveText(t.Context(), text.AccountSID, text.MessageSID, noon)
				w.check(err, "")
				w.check(w.ChannelBoard(func() time.Time { return noon }).Drop(t.Context(), "text:"+string(text.ID)), "")
			}
			erased, err := w.ErasedText(t.Context(), text.AccountSID, text.MessageSID)
			w.check(err, "")
			if erased != want {
				t.Errorf("erased, time %d: %v", i, erased)
			}
		}
		for all, want := range map[bool]int{false: 0, true: 1} {
			rows, more, err := w.ChannelBoard(func() time.Time { return noon }).List(t.Context(), all)
			w.check(err, "")
			if len(rows) != want || more != 0 {
				t.Errorf("listed (all %v): %+v, %d more", all, rows, more)
			}
		}
		if known, _, err = w.ReviveText(t.Context(), text.AccountSID, "SM-other", noon); known || err != nil {
			t.Errorf("unknown: %v, %v", known, err)
		}
		for i, want := range []bool{true, false} {
			revived, err := w.ReviveOutgoing(t.Context(), "SM5", north, "+15551230100", noon)
			w.check(err, "")
			if revived != want {
				t.Errorf("time %d: %v", i, revived)
			}
		}
	})
}

func TestGrantsStayWithinTheirCeiling(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		other := w.another()
		var mutex sync.Mutex
		total := 0
		race(30, func(i int) error {
			store := w
			if i%2 == 0 {
				store = other
			}
			n, err := store.Grant(t.Context(), "office:north", noon, 10, 95)
			mutex.Lock()
			defer mutex.Unlock()
			total += n
			return err
		})
		spent, err := w.Spent(t.Context(), "office:north", noon)
		w.check(err, "")
		if total != 95 || spent != 95 {
			t.Errorf("%d granted, %d noted", total, spent)
		}
	})
}

// A sending of unknown fate is told of for a while, and looked up by an index.
func TestUnknownSendingsAreToldOfForAWhile(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		link := w.session(north, 1)
		w.page(link, noon)
		w.finish(link, noon)
		w.raw("UPDATE sendings SET state = 'unknown'")
		for age, want := range map[time.Duration]int64{time.Hour: 1, unknownTime: 0} {
			got, err := w.Waiting(t.Context(), noon.Add(age))
			w.check(err, "")
			if got.Unknown != want {
				t.Errorf("after %v: %d", age, got.Unknown)
			}
		}
		if w.dialect.name() != "sqlite" {
			return
		}
		db := w.database()
		defer db.Close()
		var id, parent, unused int
		var plan string
		if err := db.QueryRowContext(t.Context(), "EXPLAIN QUERY PLAN "+countUnknown, 1).Scan(&id, &parent, &unused, &plan); err != nil || !strings.Contains(plan, "sendings_unknown") {
			t.Errorf("%s, %v", plan, err)
		}
	})
}

// Whoever holds a sender and wants its text, as every other write does, is not
// waited for in a circle.
func TestAStopLocksItsSenderFirst(t *testing.T) {
	w := openWorld(t, recordstest.Postgres(t))
	w.text(north, phone(north, 1))
	db := w.database()
	defer db.Close()
	holder, err := db.BeginTx(t.Context(), nil)
	w.check(err, "")
	defer func() { _ = holder.Rollback() }()
	do := func(statement string) {
		t.Helper()
		if _, err := holder.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	do("UPDATE senders SET language = 'en'")
	var id gateway.TextID
	w.check(holder.QueryRowContext(t.Context(), "SELECT id FROM texts").Scan((*string)(&id)), "")
	ended := make(chan error)
	go func() {
		ended <- w.SaveDelivery(t.Context(), gateway.Delivery{Text: id, SID: "SM1", State: gateway.DeliveryFailed, ErrorCode: gateway.TwilioOptedOut, At: noon})
	}()
	for w.count("pg_locks WHERE NOT granted") == 0 {
		runtime.Gosched()
	}
	do("SET LOCAL lock_timeout = '300ms'")
	do("UPDATE texts SET language = 'en'")
	w.check(holder.Commit(), "")
	w.check(<-ended, "")
	if w.count("senders WHERE opted_out_at > 0") != 1 || w.count("texts WHERE answer_state = 'failed'") != 1 {
		t.Error("the STOP or the state is not remembered")
	}
}
