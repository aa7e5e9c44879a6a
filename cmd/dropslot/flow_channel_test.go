package main

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"dropslot/gateway"
	"dropslot/gateway/twilio/twiliotest"
)

func TestWhatWasTextedIsSealedAndErased(t *testing.T) {
	w := newTown(t, nil)
	first, second := picture(t, 10), picture(t, 20)
	e := w.text(client, "my pay stubs", twiliotest.Media{Content: first}, twiliotest.Media{Content: second})
	if len(e.Replies) != 1 || !strings.Contains(e.Replies[0].Body, "photos are arriving") || !strings.Contains(e.Replies[0].Body, "/c/") {
		t.Fatalf("answered: %+v", e.Replies)
	}
	w.fake.Settle()
	w.work()
	// Nothing is erased before it is durable; now it is both.
	if words, media := w.left(); media != 0 {
		t.Errorf("%d words and %d pictures are left after the first turn", words, media)
	}
	pages := w.ids("SELECT id FROM pages ORDER BY received_at, id")
	if len(pages) != 2 {
		t.Fatalf("%d pages", len(pages))
	}
	submission := gateway.SubmissionID(w.ids("SELECT id FROM submissions")[0])
	view, err := w.desk.Submission(t.Context(), staffOf(demoOffice), submission)
	if err != nil {
		t.Fatal(err)
	}
	if len(view.Notes) != 1 || view.Notes[0].Words != "my pay stubs" {
		t.Errorf("the words at the desk: %+v", view.Notes)
	}
	opened, err := w.desk.OpenPage(t.Context(), staffOf(demoOffice), gateway.PageID(pages[0]), false)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	content, err := io.ReadAll(opened.Content)
	if err != nil || !bytes.Equal(content, first) && !bytes.Equal(content, second) {
		t.Errorf("the page is not the picture: %v", err)
	}
	w.wait(2 * time.Minute)
	w.work()
	w.wait(30 * time.Minute)
	w.work()
	if words, media := w.left(); words != 0 || media != 0 {
		t.Errorf("%d words and %d pictures are left", words, media)
	}
	if n := w.count("audit WHERE action = 'twilio.erased'"); n < 5 {
		t.Errorf("%d proofs of erasure, want those of 2 pictures, the text, the answer and the word that they are saved", n)
	}
	if n := w.count("sendings WHERE occasion = 'photos-saved' AND count = 2"); n != 1 {
		t.Errorf("%d texts say that 2 photos are saved", n)
	}
	if n := w.count("texts WHERE step <> 'done'") + w.count("outgoing WHERE step <> 'done'"); n != 0 {
		t.Errorf("%d rows are not done", n)
	}
}

func TestPicturesOfABurstGetOneAnswerAndOneWord(t *testing.T) {
	w := newTown(t, nil)
	replies := 0
	for i := range 4 {
		replies += len(w.text(client, "", twiliotest.Media{Content: picture(t, uint8(30+i))}).Replies)
	}
	w.work()
	w.work()
	if replies != 1 || w.count("pages") != 4 || w.count("sendings WHERE count = 4") != 1 || w.count("submissions") != 1 {
		t.Errorf("%d answers, %d pages, %d texts, %d submissions", replies, w.count("pages"), w.count("sendings"), w.count("submissions"))
	}
}

// A message may hold more media than its webhook names.
func TestMoreThanTenPicturesAreAllKept(t *testing.T) {
	w := newTown(t, nil)
	var media []twiliotest.Media
	for i := range 13 {
		media = append(media, twiliotest.Media{Content: picture(t, uint8(10*i))})
	}
	w.text(client, "", media...)
	w.work()
	if n := w.count("pages"); n != 13 {
		t.Errorf("%d pages", n)
	}
	if _, left := w.left(); left != 0 {
		t.Errorf("%d pictures are left", left)
	}
}

func TestWhatCannotBeKeptIsToldAndErased(t *testing.T) {
	w := newTown(t, nil)
	w.text(client, "", twiliotest.Media{Content: []byte("BEGIN:VCARD"), Type: "text/vcard"})
	w.work()
	w.work()
	if w.count("pages") != 0 || w.count("sendings WHERE occasion = 'photo-not-kept'") != 1 {
		t.Errorf("%d pages, texts: %v", w.count("pages"), w.ids("SELECT occasion FROM sendings"))
	}
	if _, left := w.left(); left != 0 {
		t.Error("it is not erased")
	}
}

// Early on, Twilio does not know what it announced. That proves nothing.
func TestAnEarlyNotFoundProvesNothing(t *testing.T) {
	w := newTown(t, nil)
	w.fake.Break(twiliotest.Fault{Kind: twiliotest.NoMediaYet, Times: 3})
	w.fake.Break(twiliotest.Fault{Kind: twiliotest.NotFoundYet, Times: 6})
	w.text(client, "here", twiliotest.Media{Content: picture(t, 1)})
	for range 15 {
		w.work()
		w.wait(3 * time.Minute)
	}
	if w.count("pages") != 1 || w.count("notes") != 1 {
		t.Errorf("%d pages, %d notes", w.count("pages"), w.count("notes"))
	}
	if _, left := w.left(); left != 0 {
		t.Error("it is not erased")
	}
}

// Twilio refuses for a while (20009), then lets go.
func TestErasingWaitsUntilAMessageIsFinal(t *testing.T) {
	w := newTown(t, nil)
	w.fake.Break(twiliotest.Fault{Kind: twiliotest.NotFinal, Times: 4})
	w.text(client, "hello")
	for range 12 {
		w.work()
		w.wait(4 * time.Minute)
	}
	if words, _ := w.left(); words != 0 {
		t.Errorf("%d words are left; faults: %v", words, w.ids("SELECT fault FROM texts"))
	}
}

func TestARedirectedDeletionIsNone(t *testing.T) {
	for _, kind := range []twiliotest.Kind{twiliotest.DeleteRedirected, twiliotest.DeleteNotModified} {
		w := newTown(t, nil)
		w.fake.Break(twiliotest.Fault{Kind: kind, Times: 1})
		w.text(client, "", twiliotest.Media{Content: picture(t, 1)})
		w.work()
		if _, left := w.left(); left != 1 || w.count("audit WHERE action = 'twilio.erased' AND object LIKE 'media:%'") != 0 {
			t.Errorf("%s: %d left, or a proof of what was not erased", kind, left)
		}
		w.wait(time.Minute)
		w.work()
		if _, left := w.left(); left != 0 {
			t.Errorf("%s: %d left", kind, left)
		}
	}
}

func TestDiscardedPicturesAreNeverFetched(t *testing.T) {
	w := newTown(t, nil)
	rule := w.directory.Numbers[demoNumber]
	rule.MMS, rule.Words = gateway.MMSDiscard, false
	w.directory.Numbers[demoNumber] = rule
	e := w.text(client, "secret words", twiliotest.Media{Content: picture(t, 1)})
	if !strings.Contains(e.Replies[0].Body, "did not keep your photo") {
		t.Errorf("answered %q", e.Replies[0].Body)
	}
	w.work()
	if words, media := w.left(); media != 0 || w.count("pages")+w.count("notes") != 0 {
		t.Errorf("%d pictures, %d words left; %d pages, %d notes", media, words, w.count("pages"), w.count("notes"))
	}
}

// The answer to a sending is lost: it is found in Twilio's list, never sent again.
func TestALostAnswerIsLookedForAndNeverSentAgain(t *testing.T) {
	w := newTown(t, nil)
	w.text(client, "", twiliotest.Media{Content: picture(t, 1)})
	w.fake.Break(twiliotest.Fault{Kind: twiliotest.Cut, On: twiliotest.CreateMessage, Times: 1})
	w.down.Store(true) // nor does a callback tell
	w.work()
	if w.count("sendings WHERE state = 'unknown'") != 1 {
		t.Fatalf("states: %v", w.ids("SELECT state FROM sendings"))
	}
	w.wait(time.Minute)
	w.work()
	w.down.Store(false)
	sent := 0
	for _, m := range w.fake.Outbox(client) {
		if m.Direction == twiliotest.FromAPI {
			sent++
		}
	}
	if sent != 1 || w.count("sendings WHERE state = 'unknown'") != 0 {
		t.Errorf("sent %d times, states %v", sent, w.ids("SELECT state FROM sendings"))
	}
}

// Neither the webhook nor its fallback arrived: the daily look finds the text.
func TestATextWhoseWebhookNeverCameIsAdopted(t *testing.T) {
	w := newTown(t, nil)
	w.down.Store(true)
	e := w.text(client, "are you there", twiliotest.Media{Content: picture(t, 1)})
	if len(e.Replies) != 0 || w.count("texts") != 0 {
		t.Fatal("the webhook arrived")
	}
	w.down.Store(false)
	w.wait(2 * time.Hour)
	for range 3 {
		if err := w.leftovers.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.work()
		w.wait(24 * time.Hour)
	}
	if w.count("texts WHERE reason = 'missed'") != 1 || w.count("pages") != 1 || w.count("notes") != 1 {
		t.Errorf("%d texts, %d pages, %d notes", w.count("texts"), w.count("pages"), w.count("notes"))
	}
	if _, media := w.left(); media != 0 {
		t.Error("the picture is left at Twilio")
	}
	if n := w.count("audit WHERE action = 'twilio.erased' AND object LIKE 'media:%'"); n != 1 {
		t.Errorf("%d proofs: what is gone is erased again and again", n)
	}
}

// The media of some messages cannot be listed: the others are taken on all
// the same, and the look is tried again.
func TestAMessageThatCannotBeLookedAtIsInNoOthersWay(t *testing.T) {
	w := newTown(t, nil)
	w.down.Store(true)
	for range 3 {
		w.text(client, "", twiliotest.Media{Content: picture(t, 1)})
	}
	w.down.Store(false)
	w.wait(2 * time.Hour)
	w.fake.Break(twiliotest.Fault{Kind: twiliotest.ServerError, On: twiliotest.ListMedia, Times: 1})
	if err := w.leftovers.Run(t.Context()); err == nil {
		t.Error("a look that failed says that it is done")
	}
	if n := w.count("texts WHERE reason = 'missed'"); n != 2 {
		t.Errorf("%d texts are taken on, want the 2 others", n)
	}
	if err := w.leftovers.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := w.count("texts WHERE reason = 'missed'"); n != 3 {
		t.Errorf("%d texts are taken on", n)
	}
}

// One picture that comes slowly keeps nobody else's waiting.
func TestASlowPictureKeepsNoOtherWaiting(t *testing.T) {
	w := newTown(t, nil)
	w.fake.Break(twiliotest.Fault{Kind: twiliotest.Slow, On: twiliotest.FetchMedia, Times: 1, Delay: 10 * time.Second})
	w.text(client, "", twiliotest.Media{Content: picture(t, 1)})
	w.wait(time.Minute)
	began, due := time.Now(), w.ids("SELECT due_at FROM texts")
	ended := make(chan error, 1)
	go func() { ended <- w.channel.Run(t.Context()) }()
	for slices.Equal(w.ids("SELECT due_at FROM texts"), due) && time.Since(began) < 9*time.Second {
		time.Sleep(20 * time.Millisecond) // until the slow one is taken on
	}
	time.Sleep(200 * time.Millisecond) // and asked for
	w.text("+13125550199", "", twiliotest.Media{Content: picture(t, 2)})
	w.wait(time.Minute)
	for ; w.count("pages") == 0; time.Sleep(50 * time.Millisecond) {
		if time.Since(began) > 9*time.Second {
			t.Fatal("the second person's picture waits for the first one's")
		}
	}
	if err := <-ended; err != nil || w.count("pages") != 2 {
		t.Errorf("%d pages in the end, %v", w.count("pages"), err)
	}
}

// What an operator dropped is not fetched later; it is erased all the same.
func TestWhatWasDroppedIsErasedUnseen(t *testing.T) {
	w := newTown(t, nil)
	w.text(client, "my papers", twiliotest.Media{Content: picture(t, 1)})
	board := w.records.ChannelBoard(w.now)
	for _, id := range w.ids("SELECT id FROM texts") {
		if err := board.Drop(t.Context(), "text:"+id); err != nil {
			t.Fatal(err)
		}
	}
	w.wait(2 * time.Hour)
	if err := w.leftovers.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.work()
	if n := w.count("pages") + w.count("notes"); n != 0 {
		t.Errorf("%d pieces were kept", n)
	}
	if words, media := w.left(); words+media != 0 {
		t.Errorf("%d words and %d pictures are left", words, media)
	}
}
