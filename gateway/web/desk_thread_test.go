package web

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"dropslot/gateway"
)

func (h *deskHouse) lastAudit() gateway.AuditEntry { return h.audit[len(h.audit)-1] }

// What is new to one person is not to another, and a look makes it known.
func TestUnreadUntilLookedAt(t *testing.T) {
	h := newDeskHouse(t)
	s := h.addSubmission("north", "Maria", "+15551230142", jpegPage(8, 8))
	ana, cho := h.signedIn(t, "ana"), h.signedIn(t, "cho")
	wantText(t, ana.get("/"), "New to you", "data-unread")
	wantStatus(t, ana.get(submissionURL(s.ID)), http.StatusOK)
	wantNoText(t, ana.get("/"), "New to you")
	wantText(t, cho.get("/"), "New to you")
	h.subs[0].LastPageAt = h.clock().Add(time.Minute)
	wantText(t, ana.get("/"), "New to you")
}

func TestInboxFilterStandsInTheURL(t *testing.T) {
	h := newDeskHouse(t)
	b := h.signedIn(t, "cho")
	me := h.staffByLogin("cho").ID
	for path, want := range map[string]gateway.InboxQuery{
		"/":                             {Offices: []gateway.OfficeID{"north", "south"}},
		"/?status=waiting":              {Offices: []gateway.OfficeID{"north", "south"}, Stage: gateway.StageWaiting},
		"/?status=new&office=south":     {Offices: []gateway.OfficeID{"south"}, Stage: gateway.StageNew},
		"/?mine=1&done=1":               {Offices: []gateway.OfficeID{"north", "south"}, Stage: gateway.StageDone, Assigned: me},
		"/?office=elsewhere&status=odd": {Offices: []gateway.OfficeID{"north", "south"}},
	} {
		wantStatus(t, b.get(path), http.StatusOK)
		got := h.query
		if !slices.Equal(got.Offices, want.Offices) || got.Stage != want.Stage || got.Assigned != want.Assigned || got.Viewer != me {
			t.Errorf("%s asks for %+v", path, got)
		}
	}
	b.get("/?overdue=1&mine=1")
	if len(h.query.Overdue) != 2 {
		t.Errorf("overdue asks for %+v", h.query)
	}
	wantText(t, b.get("/?mine=1"), "Nothing here matches", `href="/?mine=1&amp;status=open"`)
}

func TestOverdueIsMarked(t *testing.T) {
	h := newDeskHouse(t)
	for id, office := range h.dir.Offices {
		office.WorkingDays, office.OverdueAfter = gateway.Workweek{time.Monday: true, time.Tuesday: true}, 1
		h.dir.Offices[id] = office
	}
	h.addSubmission("north", "Maria", "+15551230142", jpegPage(8, 8))
	b := h.signedIn(t, "ana")
	wantNoText(t, b.get("/"), ">Overdue<")
	h.pass(7 * 24 * time.Hour)
	wantText(t, h.signedIn(t, "ana").get("/"), ">Overdue<")
	h.subs[0].Stage = gateway.StageWaiting
	wantNoText(t, h.signedIn(t, "ana").get("/"), ">Overdue<")
}

func TestThreadForms(t *testing.T) {
	h := newDeskHouse(t)
	s := h.addSubmission("north", "Maria", "+15551230142", jpegPage(8, 8))
	b := h.signedIn(t, "ana")
	at := submissionURL(s.ID)
	post := func(path string, form url.Values, action gateway.Action) {
		t.Helper()
		answer := b.post(at+path, form)
		wantStatus(t, answer, http.StatusSeeOther)
		if to := answer.Header().Get("Location"); to != at+"#work" {
			t.Errorf("%s leads to %s", path, to)
		}
		if last := h.lastAudit(); last.Action != action || last.Object != "submission:"+string(s.ID) || last.Office != "north" || last.From == "" {
			t.Errorf("%s left %+v", path, last)
		}
	}
	post("/stage", url.Values{"stage": {"waiting"}}, gateway.ActionStageSet)
	post("/assigned", url.Values{"to": {string(h.staffByLogin("cho").ID)}}, gateway.ActionAssigned)
	post("/case", url.Values{"case": {" 12-345 / b "}}, gateway.ActionCaseSet)
	post("/notes", url.Values{"note": {h.id()}, "words": {"Called, will send the other stub"}}, gateway.ActionRemarked)
	answer := b.get(at)
	wantText(t, answer, `<option value="waiting" selected>`, ">cho</option>", `value="12-345 / b"`, "Called, will send the other stub")
	wantText(t, b.get("/"), "Waiting for client", "cho", "Case 12-345 / b")
	for _, entry := range h.audit {
		if strings.Contains(entry.Reason, "12-345") || strings.Contains(entry.Reason, "Called") {
			t.Errorf("the trail tells what was written: %+v", entry)
		}
	}

	// What is left out is said, and nothing changes.
	before := len(h.audit)
	for path, form := range map[string]url.Values{
		"/stage": {"stage": {"done"}}, "/assigned": {"to": {string(h.staffByLogin("ben").ID)}}, "/case": {"case": {"?!"}},
		"/notes": {"note": {h.id()}, "words": {"  "}}, "/merge": {}, "/move": {"page": {string(h.pages[0].ID)}, "reference": {"XXXXX"}},
	} {
		answer := b.post(at+path, form)
		wantStatus(t, answer, http.StatusUnprocessableEntity)
		wantText(t, answer, "Not saved.")
	}
	for _, entry := range h.audit[before:] {
		if entry.Outcome == gateway.OutcomeDone && entry.Action != gateway.ActionSubmissionViewed {
			t.Errorf("refused and written: %+v", entry)
		}
	}
}

func TestMergeLeadsToTheOther(t *testing.T) {
	h := newDeskHouse(t)
	a := h.addSubmission("north", "Maria", "+15551230142", jpegPage(8, 8))
	other := h.addSubmission("north", "", "+15551230142", jpegPage(8, 8))
	stranger := h.addSubmission("north", "", "+15551230143", jpegPage(8, 8))
	b := h.signedIn(t, "ana")
	wantText(t, b.get(submissionURL(a.ID)), "Merge with other papers", `<option value="`+string(other.ID)+`">`)
	answer := b.post(submissionURL(a.ID)+"/merge", url.Values{"reference": {strings.ToLower(stranger.ID.Reference())}})
	wantStatus(t, answer, http.StatusUnprocessableEntity)
	wantText(t, answer, "can be put together only")
	b.post(submissionURL(a.ID)+"/case", url.Values{"case": {"A-1"}})
	b.post(submissionURL(other.ID)+"/case", url.Values{"case": {"B-2"}})
	answer = b.post(submissionURL(a.ID)+"/merge", url.Values{"to": {string(other.ID)}})
	wantStatus(t, answer, http.StatusSeeOther)
	if to := answer.Header().Get("Location"); to != submissionURL(other.ID)+"#work" {
		t.Errorf("leads to %s", to)
	}
	if to := b.get(submissionURL(a.ID)).Header().Get("Location"); to != submissionURL(other.ID) {
		t.Errorf("the merged one leads to %q", to)
	}
	wantText(t, b.get(submissionURL(other.ID)), `value="B-2"`, "Also A-1, of papers that were merged into these.")
}

func TestSearchKeepsWhatWasTypedOutOfURLsAndLogs(t *testing.T) {
	h := newDeskHouse(t)
	s := h.addSubmission("north", "Maria", "+15551230142", jpegPage(8, 8))
	h.addSubmission("south", "Elsewhere", "+15551230142", jpegPage(8, 8))
	b := h.signedIn(t, "ana")
	b.post(submissionURL(s.ID)+"/case", url.Values{"case": {"12-345/B"}})
	find := func(typed string) string {
		t.Helper()
		answer := b.post("/search", url.Values{"q": {typed}})
		if answer.Code == http.StatusSeeOther {
			return answer.Header().Get("Location")
		}
		wantStatus(t, answer, http.StatusOK)
		wantNoText(t, answer, "Elsewhere")
		return answer.Body.String()
	}
	client := clientURL(h.blind.Client(s.Sender))
	for _, typed := range []string{"(555) 123-0142", "+1 555 123 0142"} {
		if to := find(typed); to != client {
			t.Errorf("%s leads to %q, want %s", typed, to, client)
		}
	}
	for _, typed := range []string{"12345b", "12-345 / B", strings.ToLower(s.ID.Reference()), " " + s.ID.Reference() + " "} {
		if page := find(typed); !strings.Contains(page, submissionURL(s.ID)) {
			t.Errorf("%q is not found", typed)
		}
	}
	for _, typed := range []string{"1234", "0142", "Maria", "555", "XXXXX"} {
		if page := find(typed); !strings.Contains(page, "Nothing of your offices") {
			t.Errorf("%q finds something", typed)
		}
	}
	wantStatus(t, b.post("/search", url.Values{}), http.StatusUnprocessableEntity)
	for _, entry := range h.audit {
		if text := entry.Object + entry.Reason; strings.Contains(text, "123") && strings.Contains(text, "0142") || strings.Contains(text, "345") && !strings.Contains(text, ":") {
			t.Errorf("the trail holds what was typed: %+v", entry)
		}
	}
	if log := h.log.String(); strings.Contains(log, "0142") || strings.Contains(log, "345") {
		t.Errorf("the log holds what was typed: %s", log)
	}
}

func TestAPhonesNameIsRemembered(t *testing.T) {
	h := newDeskHouse(t)
	s := h.addSubmission("north", "", "+15551230142", jpegPage(8, 8))
	b := h.signedIn(t, "ana")
	client := clientURL(h.blind.Client(s.Sender))
	wantText(t, b.get(submissionURL(s.ID)), `href="`+client+`"`)
	answer := b.post(client+"/name", url.Values{"name": {"Rosa, daughter's phone"}})
	wantStatus(t, answer, http.StatusSeeOther)
	wantText(t, b.get(client), "Rosa, daughter&#39;s phone", "ending 0142")
	wantText(t, b.get(submissionURL(s.ID)), "Rosa, daughter&#39;s phone")
	wantStatus(t, b.get("/clients/"+strings.Repeat("0", 26)), http.StatusNotFound)
	wantStatus(t, b.get("/clients/+15551230142"), http.StatusNotFound)
	if strings.Contains(client, "5551230142") {
		t.Error("the phone stands in the URL")
	}
}

// A client's thread has one line for each link, with what is true of it.
func TestThreadTellsHowFarALinkCame(t *testing.T) {
	h := newDeskHouse(t)
	s := h.addSubmission("north", "Maria", "+15551230142", jpegPage(8, 8))
	at := func(minutes int) time.Time { return deskTime.Add(time.Duration(minutes-60) * time.Minute) }
	h.thread = func(rows *gateway.ThreadRows) {
		rows.Texts = []gateway.ThreadText{{
			ID: "t1", Link: "l1", ReceivedAt: at(0), ErasedAt: at(1), AnswerState: gateway.DeliveryDelivered, AnswerAt: at(2), Submission: s.ID,
		}, {ID: "t2", Link: "l2", ReceivedAt: at(-90), AnswerState: gateway.DeliveryFailed, AnswerError: 30003, AnswerAt: at(-89)}}
		rows.Links = []gateway.Link{
			{ID: "l1", Submission: s.ID, IssuedAt: at(0), ClaimedAt: at(3), State: gateway.LinkClosed},
			{ID: "l2", IssuedAt: at(-90), State: gateway.LinkSuperseded},
		}
		rows.Pages = []gateway.ThreadPages{{Submission: s.ID, Link: "l1", Pages: []gateway.PageID{"p1", "p2"}, First: at(4), Last: at(5)}}
		rows.Looks = []gateway.ThreadLook{{Submission: s.ID, Staff: h.staffByLogin("cho").ID, First: at(6), Last: at(6)}}
		rows.Again, rows.Places = map[gateway.LinkID]gateway.Wish{"l1": {Page: "p0", Reason: gateway.AgainBlurry}}, map[gateway.PageID]int{"p0": 2}
		cho := h.staffByLogin("cho").ID
		rows.Takes = []gateway.ThreadTake{
			{Staff: cho, At: at(6), Form: gateway.TakePDF, Pages: []gateway.PageID{"p2"}},
			{Staff: cho, At: at(7), Form: gateway.TakePDF, Pages: []gateway.PageID{"p1", "p2"}}, // the first one is told
			{Staff: cho, At: at(7), Form: gateway.TakeZIP, Pages: []gateway.PageID{"elsewhere"}},
		}
		rows.Handed = []gateway.HandDelivery{
			{Pages: []gateway.PageID{"p1", "p2"}, State: gateway.HandDead, Fault: gateway.CodePartnerKey, AskedAt: at(6)},
			{Pages: []gateway.PageID{"p1", "p2"}, State: gateway.HandDelivered, AskedAt: at(6), DeliveredAt: at(7)},
		}
		rows.Notes = []gateway.Note{{Text: "t1", At: at(0), Sealed: []byte("here are my papers")}}
	}
	office := h.dir.Offices["north"]
	office.Delivery = &gateway.DeliveryRule{Partner: "State portal"}
	h.dir.Offices["north"] = office
	h.subs[0].State, h.subs[0].HandledAs, h.subs[0].HandledAt = gateway.SubmissionHandled, gateway.HandledExported, at(7)
	answer := h.signedIn(t, "ana").get(clientURL(h.blind.Client(s.Sender)))
	body := answer.Body.String()
	for _, words := range []string{"texted", "erased at Twilio", "link sent", "delivered", "opened", "2 pages: new picture of page 2 (blurry)", "viewed by cho",
		"1 of them exported as one PDF by cho", "not handed over to State portal", ">handed over to State portal", "given to another system"} {
		i := strings.Index(body, words)
		if i < 0 {
			t.Fatalf("missing or out of order: %q in\n%s", words, answer.Body)
		}
		body = body[i:]
	}
	wantNoText(t, answer, "ZIP", "exported as one PDF by cho</li><li>exported")
	wantText(t, answer, "here are my papers", "not delivered: The phone is switched off", "a newer link replaced it")
}

// A stream says that something changed, and nothing else.
func TestChangesSayNothingOfClients(t *testing.T) {
	h := newDeskHouse(t)
	h.addSubmission("north", "Maria", "+15551230142", jpegPage(8, 8))
	h.changed = make(chan struct{}, 1)
	h.changed <- struct{}{}
	close(h.changed) // the process stops
	answer := h.signedIn(t, "ana").get("/changes?since=6")
	wantStatus(t, answer, http.StatusOK)
	if got := answer.Body.String(); got != "retry: 3000\n\nevent: changed\ndata: \n\n" || answer.Header().Get("Content-Type") != "text/event-stream" {
		t.Errorf("%q %s", got, answer.Header())
	}
	wantText(t, h.signedIn(t, "ana").get("/"), `data-changes="7"`)
	wantStatus(t, h.signedIn(t, "ana").get("/changes?since=x"), http.StatusBadRequest)
}

// Who opens streams without end gets no more of them, and hinders nobody else.
func TestStreamsAreBounded(t *testing.T) {
	h := newDeskHouse(t)
	ctx, end := context.WithCancel(t.Context())
	h.changed = make(chan struct{})
	ana, cho := h.signedIn(t, "ana"), h.signedIn(t, "cho")
	stream := func(ctx context.Context, b *browser) int {
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/changes", nil)
		r.Host = "desk.example.gov"
		r.AddCookie(b.cookie)
		answer := httptest.NewRecorder()
		b.handler.ServeHTTP(answer, r)
		return answer.Code
	}
	glance := func(b *browser) int {
		ctx, end := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer end()
		return stream(ctx, b)
	}
	var open sync.WaitGroup
	for range 2 * streamsOfSession {
		open.Go(func() { stream(ctx, ana) })
	}
	for deadline := time.Now().Add(30 * time.Second); glance(ana) != http.StatusTooManyRequests; {
		if time.Now().After(deadline) {
			t.Fatal("one more is open")
		}
		open.Go(func() { stream(ctx, ana) }) // in place of one that a glance kept out
	}
	if got := glance(cho); got != http.StatusOK {
		t.Errorf("another person's stream: %d", got)
	}
	end()
	open.Wait()
	if got := glance(ana); got != http.StatusOK {
		t.Errorf("after the others ended: %d", got)
	}
}

func TestDoneFromTheListLeadsBackThere(t *testing.T) {
	h := newDeskHouse(t)
	s := h.addSubmission("north", "", "+15551230142", jpegPage(8, 8))
	b := h.signedIn(t, "ana")
	for back, want := range map[string]string{"/?mine=1": "/?mine=1", "https://elsewhere.example": submissionURL(s.ID), "//elsewhere.example": submissionURL(s.ID)} {
		answer := b.post(submissionURL(s.ID)+"/handled", url.Values{"as": {"delivered"}, "back": {back}})
		if to := answer.Header().Get("Location"); to != want {
			t.Errorf("%s leads to %s", back, to)
		}
	}
}
