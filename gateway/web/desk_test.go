package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"dropslot/gateway"
)

const (
	markup     = `<script>alert(1)</script>"'><img src=x onerror=alert(1)>`
	otherPhone = "+15557654321"
)

func wantStatus(t *testing.T, answer *httptest.ResponseRecorder, status int) {
	t.Helper()
	if answer.Code != status {
		t.Fatalf("status %d, want %d\n%s", answer.Code, status, answer.Body)
	}
}

func wantText(t *testing.T, answer *httptest.ResponseRecorder, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(answer.Body.String(), text) {
			t.Errorf("the page does not say %q\n%s", text, answer.Body)
		}
	}
}

func wantNoText(t *testing.T, answer *httptest.ResponseRecorder, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(answer.Body.String(), text) {
			t.Errorf("the page says %q\n%s", text, answer.Body)
		}
	}
}

func TestInboxTellsWhoSentWhatWhen(t *testing.T) {
	h := newDeskHouse(t)
	s := h.addSubmission("north", "Maria López", "+15551230142", jpegPage(8, 8), pdfPage("x"))
	answer := h.signedIn(t, "ana").get("/")
	wantStatus(t, answer, http.StatusOK)
	wantText(t, answer, "Maria López", "ending 0142", "2 pages", "complete", "7 minutes ago",
		"Tue, Nov 3, 2:34 PM CST", s.ID.Reference(), "/submissions/"+string(s.ID))
	wantNoText(t, answer, "555123", "(555) 123-0142")
}

func TestInboxMarksWhatIsNotComplete(t *testing.T) {
	h := newDeskHouse(t)
	h.addSubmission("north", "", "+15551230142", jpegPage(8, 8))
	h.subs[0].State = gateway.SubmissionOpen
	h.addSubmission("north", "", "+15551230143", jpegPage(8, 8))
	h.subs[1].Unfinished = true
	answer := h.signedIn(t, "ana").get("/")
	wantText(t, answer, "still sending", "unfinished", "No name given")
}

func TestEmptyInboxSaysHowToGetPapers(t *testing.T) {
	h := newDeskHouse(t)
	answer := h.signedIn(t, "ana").get("/")
	wantText(t, answer, "Nothing is waiting", "(555) 123-0100")
	wantNoText(t, answer, "(555) 123-0200", "South County")
	wantText(t, h.signedIn(t, "cho").get("/"), "(555) 123-0100", "(555) 123-0200", "South County Housing")
}

func TestInboxPagesByKey(t *testing.T) {
	h := newDeskHouse(t)
	for range inboxRows + 3 {
		h.addSubmission("north", "", "+15551230142", []byte("x"))
	}
	b := h.signedIn(t, "ana")
	first := b.get("/")
	if n := strings.Count(first.Body.String(), `class="row"`); n != inboxRows {
		t.Errorf("the first page lists %d", n)
	}
	_, rest, found := strings.Cut(first.Body.String(), `href="/?after=`)
	if !found {
		t.Fatal("no link to older ones")
	}
	after, _, _ := strings.Cut(rest, `"`)
	second := b.get("/?after=" + after)
	if n := strings.Count(second.Body.String(), `class="row"`); n != 3 {
		t.Errorf("the second page lists %d", n)
	}
	wantText(t, second, "Newest")
	for _, bad := range []string{"x", "1-", "-1", "1-abc", "99999999999999999999-" + string(h.subs[0].ID)} {
		wantStatus(t, b.get("/?after="+bad), http.StatusBadRequest)
	}
}

// Who works through the list goes from paper to paper, past what is done.
func TestNextInTheInbox(t *testing.T) {
	h := newDeskHouse(t)
	for i := range 4 {
		h.addSubmission("north", "", "+15551230142", []byte("x"))
		h.subs[i].ArrivedAt = h.subs[0].ArrivedAt.Add(-time.Duration(i) * time.Minute)
	}
	h.subs[2].State = gateway.SubmissionHandled
	b := h.signedIn(t, "ana")
	var walked []string
	for at := submissionURL(h.subs[0].ID); at != "/" && len(walked) < 5; {
		walked = append(walked, at)
		_, rest, found := strings.Cut(b.get(at).Body.String(), `href="/next?after=`)
		if !found {
			t.Fatalf("no way on from %s", at)
		}
		after, _, _ := strings.Cut(rest, `"`)
		answer := b.get("/next?after=" + after)
		wantStatus(t, answer, http.StatusSeeOther)
		at = answer.Header().Get("Location")
	}
	if want := []string{submissionURL(h.subs[0].ID), submissionURL(h.subs[1].ID), submissionURL(h.subs[3].ID)}; !slices.Equal(walked, want) {
		t.Errorf("walked %v, want %v", walked, want)
	}
	wantStatus(t, b.get("/next?after=x"), http.StatusBadRequest)
}

func TestMarkupOfClientsIsText(t *testing.T) {
	h := newDeskHouse(t)
	s := h.addSubmission("north", markup, "+15551230142", jpegPage(8, 8))
	b := h.signedIn(t, "ana")
	for _, path := range []string{"/", submissionURL(s.ID)} {
		answer := b.get(path)
		wantText(t, answer, "&lt;script&gt;alert(1)&lt;/script&gt;")
		wantNoText(t, answer, "<script>alert", "<img src=x")
	}
}

func TestMarkupOfQueriesAndFormsIsText(t *testing.T) {
	h := newDeskHouse(t)
	b := h.signedIn(t, "ana")
	q := url.QueryEscape(markup)
	stranger := h.browser(t)
	for _, answer := range []*httptest.ResponseRecorder{
		b.get("/?after=" + q), b.get("/submissions/" + q), b.get("/pages/" + q), b.get("/nowhere/" + q),
		stranger.get("/login?next=" + q), stranger.get("/login?next=/" + q),
		stranger.post("/login", url.Values{"login": {markup}, "password": {markup}, "next": {markup}}),
		b.post("/requests", url.Values{"phone": {markup}, "language": {markup}, "office": {markup}}),
	} {
		wantNoText(t, answer, "<script>alert", "<img src=x")
		if csp := answer.Header().Get("Content-Security-Policy"); csp != deskPolicy {
			t.Errorf("policy %q", csp)
		}
	}
}

func TestMarkDone(t *testing.T) {
	h := newDeskHouse(t)
	s := h.addSubmission("north", "Maria", "+15551230142", jpegPage(8, 8))
	ana := h.signedIn(t, "ana")
	path := submissionURL(s.ID)
	wantText(t, ana.get(path), "Done starts the retention clock (90 days)", "In the case file", "Given to another system", "Not needed")

	wantStatus(t, ana.post(path+"/handled", url.Values{}), http.StatusUnprocessableEntity)
	again := ana.post(path+"/handled", url.Values{"as": {"not-needed"}, "reason": {"because"}})
	wantStatus(t, again, http.StatusUnprocessableEntity)
	wantText(t, again, "Choose why the papers are not needed", `value="not-needed" required checked`)
	wantStatus(t, ana.post(path+"/handled", url.Values{"as": {"burnt"}}), http.StatusUnprocessableEntity)
	if h.subs[0].State != gateway.SubmissionReceived {
		t.Fatal("a faulty form marked it done")
	}

	done := ana.post(path+"/handled", url.Values{"as": {"not-needed"}, "reason": {"duplicate"}})
	wantStatus(t, done, http.StatusSeeOther)
	if to := done.Header().Get("Location"); to != path {
		t.Errorf("led to %q", to)
	}
	h.pass(5 * time.Minute)
	wantText(t, h.signedIn(t, "cho").get(path), "Not needed", "We have them already", "by ana", "5 minutes ago")
	wantText(t, ana.get("/?done=1"), s.ID.Reference())
	wantNoText(t, ana.get("/"), s.ID.Reference())
}

func TestWhatIsStillComingIsNotMarkedDone(t *testing.T) {
	h := newDeskHouse(t)
	s := h.addSubmission("north", "", "+15551230142", jpegPage(8, 8))
	h.subs[0].State = gateway.SubmissionOpen
	b := h.signedIn(t, "ana")
	wantText(t, b.get(submissionURL(s.ID)), "may still add pages")
	answer := b.post(submissionURL(s.ID)+"/handled", url.Values{"as": {"delivered"}})
	wantStatus(t, answer, http.StatusConflict)
	wantText(t, answer, "Not marked done yet")
}
