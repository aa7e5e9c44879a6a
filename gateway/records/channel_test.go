package records

import (
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
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

// picture saves a picture of a text as the worker does.
func (w *world) picture(p gateway.Page, refused gateway.Code, l gateway.Limits) bool {
	w.t.Helper()
	stored, err := w.SavePicture(w.t.Context(), p, refused, l, func(refused gateway.Code) gateway.AuditEntry {
		e := entry(gateway.ActionPageReceived, "media:"+string(p.Key))
		if refused != "" {
			e.Outcome, e.Reason = gateway.OutcomeDenied, string(refused)
		}
		return e
	})
	w.check(err, "")
	return stored
}

// collect does what the worker does with what a text holds.
func (w *world) collect(text gateway.Text, at time.Time, keys ...string) gateway.Submission {
	w.t.Helper()
	s, err := w.PlaceText(w.t.Context(), text.ID, gateway.SubmissionID(newID(w.t)), at)
	w.check(err, "")
	for _, key := range keys {
		p := textedPage(w.t, s, text.ID, key)
		p.ReceivedAt = at
		if !w.picture(p, "", gateway.DefaultLimits()) {
			w.t.Fatalf("%s is not stored", key)
		}
	}
	w.check(w.SaveNote(w.t.Context(), text.ID, []byte("sealed words")), "")
	work, err := write(w.t.Context(), w.Store, "look", "", func(x *tx) (gateway.TextWork, error) { return x.workByID(text.ID) })
	w.check(err, "")
	w.check(w.FinishCollecting(w.t.Context(), work, 0, at, nil), "")
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
		if n := w.count("audit WHERE action = 'channel.given-up'") + w.count("river_job") - waiting; n != 0 {
			t.Errorf("%d things followed from it all the same", n)
		}
		w.check(w.FinishCollecting(t.Context(), slow, 1, noon, jobs), "")
		unchanged("ending its collecting")
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

// The link may be opened while the pictures are still being fetched.
func TestPicturesUnderWayAndPagesAreOneSubmission(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		text, link := w.texted(north, phone(north, 1), 1)
		s, err := w.PlaceText(t.Context(), text.ID, gateway.SubmissionID(newID(t)), noon)
		w.check(err, "")
		if claimed := w.claim(link, browser(1), noon.Add(time.Hour)); claimed.Submission != s.ID {
			t.Error("the pages go elsewhere")
		}
		if s = w.collect(text, noon.Add(2*time.Hour), mediaOne); s.ID != link.Submission || s.State != gateway.SubmissionOpen {
			t.Errorf("the pictures arrive at %+v", s)
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

// A client returns with several texts at once: all name what was handled long
// ago, and are one submission.
func TestABurstAfterTheCaseworkersDoneIsOneSubmission(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		text, _ := w.texted(north, phone(north, 1), 1)
		first := w.collect(text, noon, mediaOne)
		w.check(w.HandleSubmission(t.Context(), []gateway.OfficeID{north}, first.ID, "ana", gateway.HandledDelivered, "", noon), "")
		var burst []gateway.Text
		for range 3 {
			text, link := w.texted(north, phone(north, 1), 1)
			if link.Submission != first.ID {
				t.Fatal("the texts name something else")
			}
			burst = append(burst, text)
		}
		places := map[gateway.SubmissionID]bool{}
		for i, text := range burst {
			s := w.collect(text, noon.Add(time.Hour), fmt.Sprintf("ME%032d", 10+i))
			places[s.ID] = true
		}
		if len(places) != 1 || places[first.ID] {
			t.Errorf("%d submissions", len(places))
		}
	})
}

// Two workers fetched the same pictures because a lease ran out: each picture
// is one page with one entry in the audit trail, and the later worker's blobs
// are nobody's.
func TestAPictureIsSealedOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		text, _ := w.texted(north, phone(north, 1), 1)
		s := w.collect(text, noon, mediaOne)
		if w.picture(textedPage(t, s, text.ID, mediaOne), "", gateway.DefaultLimits()) {
			t.Error("the later worker's page is stored")
		}
		if w.picture(textedPage(t, s, text.ID, mediaOne), gateway.CodePageType, gateway.DefaultLimits()) {
			t.Error("a page is refused afterwards")
		}
		// Nor does it matter that the later worker placed the text elsewhere.
		w.check(w.HandleSubmission(t.Context(), []gateway.OfficeID{north}, s.ID, "ana", gateway.HandledDelivered, "", noon), "")
		elsewhere, err := w.PlaceText(t.Context(), text.ID, gateway.SubmissionID(newID(t)), noon)
		w.check(err, "")
		if elsewhere.ID == s.ID || w.picture(textedPage(t, elsewhere, text.ID, mediaOne), "", gateway.DefaultLimits()) {
			t.Error("the page is stored in another submission too")
		}
		w.check(w.SaveNote(t.Context(), text.ID, []byte("again")), "")
		if pages, notes, told := w.count("pages"), w.count("notes"), w.count("audit WHERE action = 'page.received'"); pages != 1 || notes != 1 || told != 1 {
			t.Errorf("%d pages, %d notes, %d entries", pages, notes, told)
		}
		// More pictures are found when the text is to be erased.
		w.check(w.CollectAgain(t.Context(), w.claimed(text.ID, noon), noon), "")
		w.picture(textedPage(t, elsewhere, text.ID, mediaTwo), "", gateway.DefaultLimits())
		w.check(w.FinishCollecting(t.Context(), w.claimed(text.ID, noon), 0, noon, nil), "")
		if w.count("texts WHERE kept = 2 AND media = 'sealed' AND step = 'erase'") != 1 {
			t.Error("what was collected again is not counted")
		}
		decided, err := w.TextPictures(t.Context(), text.ID)
		w.check(err, "")
		if slices.Sort(decided); !slices.Equal(decided, []string{mediaOne, mediaTwo}) {
			t.Errorf("decided: %v", decided)
		}
	})
}

func TestManyWorkersSealAPictureOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		text, _ := w.texted(north, phone(north, 1), 1)
		s, err := w.PlaceText(t.Context(), text.ID, gateway.SubmissionID(newID(t)), noon)
		w.check(err, "")
		var stored atomic.Int32
		for _, err := range race(8, func(int) error {
			ok, err := w.SavePicture(t.Context(), textedPage(t, s, text.ID, mediaOne), "", gateway.DefaultLimits(),
				func(gateway.Code) gateway.AuditEntry { return entry(gateway.ActionPageReceived, "page:1") })
			if ok {
				stored.Add(1)
			}
			return err
		}) {
			w.check(err, "")
		}
		if n := stored.Load(); n != 1 || w.count("pages") != 1 || w.count("submissions WHERE pages = 1") != 1 || w.count("audit WHERE action = 'page.received'") != 1 {
			t.Errorf("stored %d times, %d pages", n, w.count("pages"))
		}
	})
}

// A reindex brought a page back without the text that it came with.
func TestAPictureThatAReindexBroughtBackIsKnown(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		text, _ := w.texted(north, phone(north, 1), 1)
		s := w.collect(text, noon, mediaOne)
		w.raw("UPDATE pages SET text = ''")
		if w.picture(textedPage(t, s, text.ID, mediaOne), "", gateway.DefaultLimits()) || w.count("pages") != 1 {
			t.Error("it is stored twice")
		}
		if decided, err := w.TextPictures(t.Context(), text.ID); err != nil || !slices.Equal(decided, []string{mediaOne}) {
			t.Errorf("decided: %v, %v", decided, err)
		}
	})
}

// What is not kept is known by its SID, and the audit trail says why.
func TestWhatIsRefusedIsKnownByItsSID(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		text, _ := w.texted(north, phone(north, 1), 4)
		s, err := w.PlaceText(t.Context(), text.ID, gateway.SubmissionID(newID(t)), noon)
		w.check(err, "")
		limits := gateway.DefaultLimits()
		limits.LinkPages = 1
		const vcard = "ME00000000000000000000000000000003"
		if !w.picture(textedPage(t, s, text.ID, mediaOne), "", limits) || w.picture(textedPage(t, s, text.ID, mediaTwo), "", limits) {
			t.Error("the cap does not hold")
		}
		for range 2 {
			if w.picture(gateway.Page{Key: vcard, Submission: s.ID, Office: north, Text: text.ID}, gateway.CodePageType, limits) {
				t.Error("what is refused is stored")
			}
		}
		w.check(w.FinishCollecting(t.Context(), w.claimed(text.ID, noon), 1, noon, nil), "")
		if w.count("texts WHERE media = 'partly' AND kept = 1 AND refused = 3 AND step = 'erase'") != 1 {
			t.Error("the counts are wrong")
		}
		decided, err := w.TextPictures(t.Context(), text.ID)
		w.check(err, "")
		if slices.Sort(decided); !slices.Equal(decided, []string{mediaOne, mediaTwo, vcard}) {
			t.Errorf("decided: %v", decided)
		}
		for outcome, want := range map[string]int{
			"'done' AND object = 'media:" + mediaOne + "'":                                 1,
			"'denied' AND object = 'media:" + mediaTwo + "' AND reason = 'too-many-pages'": 1,
			"'denied' AND object = 'media:" + vcard + "' AND reason = 'page-type'":         1,
			"'done'":   1,
			"'denied'": 2,
		} {
			if n := w.count("audit WHERE action = 'page.received' AND outcome = " + outcome); n != want {
				t.Errorf("%d entries with outcome = %s", n, outcome)
			}
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
		if err := db.QueryRowContext(t.Context(), "EXPLAIN QUERY PLAN "+countUnknown, 1, 2).Scan(&id, &parent, &unused, &plan); err != nil || !strings.Contains(plan, "sendings_unknown") {
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
