package web

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"dropslot/gateway"
)

func (r deskRecords) LinkOrigins(context.Context, gateway.SubmissionID) (map[gateway.LinkID]gateway.Origin, error) {
	return map[gateway.LinkID]gateway.Origin{"": gateway.OriginText}, nil
}

func (r deskRecords) OurTexts(context.Context, gateway.SubmissionID) ([]gateway.OurText, error) {
	return r.h.ours, nil
}

// plainWords is a words book that seals nothing.
type plainWords struct{}

func (plainWords) SealWords(_ gateway.OfficeID, words string) ([]byte, error) {
	return []byte(words), nil
}
func (plainWords) OpenWords(_ gateway.OfficeID, sealed []byte) (string, error) {
	return string(sealed), nil
}

// deskBinder binds nothing: what a PDF holds is tested where it is made.
type deskBinder struct{ h *deskHouse }

func (b deskBinder) Prepare(_ context.Context, binding gateway.Binding) (gateway.PDF, error) {
	b.h.bound = binding
	return boundTest(b), b.h.bindErr
}

type boundTest struct{ h *deskHouse }

func (b boundTest) LeftOut() []gateway.LeftOut { return b.h.leftOut }
func (b boundTest) Sheets() int                { return len(b.h.bound.Sheets) - len(b.h.leftOut) }
func (b boundTest) Write(_ context.Context, w io.Writer) error {
	if _, err := io.WriteString(w, "%PDF-"); err != nil {
		return err
	}
	for _, sheet := range b.h.bound.Sheets {
		content, err := sheet.Open()
		if err != nil {
			return err
		}
		if _, err = io.Copy(w, content); err != nil {
			return err
		}
	}
	return nil
}

func taking(form string, pages ...gateway.Page) url.Values {
	values := url.Values{"form": {form}, "cover": {"1"}}
	for _, p := range pages {
		values.Add("page", string(p.ID))
	}
	return values
}

func actionsOf(entries []gateway.AuditEntry) []string {
	var said []string
	for _, e := range entries {
		said = append(said, string(e.Action)+" "+e.Object+" "+string(e.Outcome)+" "+e.Reason)
	}
	return said
}

func TestChosenPagesBecomeOnePDF(t *testing.T) {
	h := newDeskHouse(t)
	first, second, third := jpegPage(8, 8), jpegPage(9, 9), jpegPage(10, 10)
	s := h.addSubmission("north", "Maria", "+15551230142", first, second, third)
	h.pages[2].Rotation = 90
	b := h.signedIn(t, "ana")
	before := len(h.audit)
	form := taking("pdf", h.pages[2], h.pages[0])
	form.Set("size", "5")
	answer := b.post(submissionURL(s.ID)+"/export", form)
	wantStatus(t, answer, http.StatusOK)
	if want := "attachment; filename=papers-" + s.ID.Reference() + ".pdf"; answer.Header().Get("Content-Disposition") != want {
		t.Errorf("named %q, want %q", answer.Header().Get("Content-Disposition"), want)
	}
	if answer.Header().Get("Cache-Control") != "no-store" {
		t.Error("a browser may keep the papers")
	}
	if want := "%PDF-" + string(first) + string(third); answer.Body.String() != want {
		t.Error("the PDF is made of other pages")
	}
	if h.bound.MostBytes != 5_000_000 || h.bound.Sheets[1].Rotation != 90 || h.bound.Sheets[1].Number != 3 || h.bound.Cover == nil {
		t.Errorf("asked for %+v", h.bound)
	}
	want := []string{
		"submission.exported submission:" + string(s.ID) + " done pdf",
		"page.exported page:" + string(h.pages[0].ID) + " done pdf",
		"page.exported page:" + string(h.pages[2].ID) + " done pdf",
	}
	if got := actionsOf(h.audit[before:]); !slices.Equal(got, want) {
		t.Errorf("the trail tells %q, want %q", got, want)
	}
}

func TestTheCoverTellsWhatThePackageIs(t *testing.T) {
	h := newDeskHouse(t)
	s := h.addSubmission("north", "Maria", "+15551230142", jpegPage(8, 8), jpegPage(9, 9))
	h.subs[0].Lacks = []gateway.Lack{{Ask: "pay-stub", Reason: gateway.LackCannot, At: deskTime}}
	b := h.signedIn(t, "ana")
	wantStatus(t, b.post(submissionURL(s.ID)+"/export", taking("pdf", h.pages[1])), http.StatusOK)
	var said strings.Builder
	for _, f := range h.bound.Cover.Facts {
		said.WriteString(f.Name + ": " + f.Value + "\n")
	}
	for _, l := range h.bound.Cover.Lists {
		said.WriteString(l.Title + "\n" + strings.Join(l.Lines, "\n") + "\n")
	}
	for _, want := range []string{
		"Office: North County Benefits", "Reference: " + s.ID.Reference(), "Pages (1 of the 2 that came)",
		"2. Pay stub, received Tue, Nov 3, 2026, 2:35 PM CST", "Pay stub: the client cannot get it",
	} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("the cover does not say %q:\n%s", want, &said)
		}
	}
	if strings.Contains(said.String(), "0142") {
		t.Error("the cover tells the phone number")
	}
	form := taking("pdf", h.pages[1])
	form.Del("cover")
	wantStatus(t, b.post(submissionURL(s.ID)+"/export", form), http.StatusOK)
	if h.bound.Cover != nil {
		t.Error("a cover that nobody wanted")
	}
}

func TestAPDFIsNeverSilentAboutWhatItLeavesOut(t *testing.T) {
	h := newDeskHouse(t)
	s := h.addSubmission("north", "", "+15551230142", jpegPage(8, 8), pdfPage("x"), heicPage)
	h.leftOut = []gateway.LeftOut{{Number: 2, Reason: gateway.LeftOutPDF}, {Number: 3, Reason: gateway.LeftOutHEIC}}
	b := h.signedIn(t, "ana")
	answer := b.post(submissionURL(s.ID)+"/export", taking("pdf", h.pages...))
	wantStatus(t, answer, http.StatusUnprocessableEntity)
	wantText(t, answer, "Page 2 is a PDF that cannot be put", `name="without" value="2"`, "Page 3 is a HEIC photo", "The ZIP holds every chosen page", `value="pdf-without"`)
	if strings.Count(answer.Body.String(), " checked") < 3 {
		t.Error("the choice was forgotten")
	}
	if last := h.audit[len(h.audit)-2:]; last[0].Action != gateway.ActionExported || last[0].Outcome != gateway.OutcomeFailed {
		t.Errorf("the trail tells that it left: %+v", last)
	}
	without := taking("pdf-without", h.pages...)
	without["without"] = []string{"2"} // and of the third nobody was told
	wantStatus(t, b.post(submissionURL(s.ID)+"/export", without), http.StatusUnprocessableEntity)
	without.Add("without", "3")
	answer = b.post(submissionURL(s.ID)+"/export", without)
	wantStatus(t, answer, http.StatusOK)
	if page := h.bound.Missing(h.leftOut); !strings.Contains(strings.Join(page.Lists[0].Lines, " "), "Page 2 is a PDF") {
		t.Errorf("the last page says %v", page)
	}

	h.leftOut = append(h.leftOut, gateway.LeftOut{Number: 1, Reason: gateway.LeftOutDamaged})
	without.Add("without", "1")
	answer = b.post(submissionURL(s.ID)+"/export", without)
	wantStatus(t, answer, http.StatusUnprocessableEntity)
	wantNoText(t, answer, `value="pdf-without"`)
}

func TestWhatCannotBeTakenIsSaidWhereItWasChosen(t *testing.T) {
	h := newDeskHouse(t)
	s := h.addSubmission("north", "", "+15551230142", jpegPage(8, 8), jpegPage(9, 9))
	other := h.addSubmission("north", "", "+15551230143", jpegPage(8, 8))
	b := h.signedIn(t, "ana")
	export := submissionURL(s.ID) + "/export"
	answer := b.post(export, taking("pdf"))
	wantStatus(t, answer, http.StatusUnprocessableEntity)
	wantText(t, answer, "Choose at least one page")
	answer = b.get(submissionURL(s.ID) + "/print")
	wantStatus(t, answer, http.StatusUnprocessableEntity)
	h.bindErr = gateway.NewError(gateway.CodePDFTooBig, nil)
	form := taking("pdf", h.pages[0])
	form.Set("size", "10")
	answer = b.post(export, form)
	wantStatus(t, answer, http.StatusUnprocessableEntity)
	wantText(t, answer, "do not fit into this size", "1 of 2", `value="10" selected`)
	form.Set("size", "7")
	wantStatus(t, b.post(export, form), http.StatusBadRequest)
	wantStatus(t, b.post(export, taking("doc", h.pages[0])), http.StatusBadRequest)
	wantStatus(t, b.post(export, taking("zip", h.pagesOf(other.ID)[0])), http.StatusNotFound)
}

func unzipped(t *testing.T, content []byte) map[string]string {
	t.Helper()
	archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range archive.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		plain, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files[f.Name] = string(plain)
	}
	return files
}

func TestAZIPHoldsOriginalsAndSaysWhatTheyAre(t *testing.T) {
	h := newDeskHouse(t)
	contents := [][]byte{jpegPage(8, 8), pdfPage("x"), heicPage, svgPage}
	s := h.addSubmission("north", "Maria", "+15551230142", contents...)
	h.said = map[gateway.SubmissionID]gateway.Correspondence{s.ID: {Notes: []gateway.Note{{At: deskTime, Sealed: []byte("here is my stub")}}}}
	h.ours = []gateway.OurText{
		{At: deskTime.Add(-time.Hour), Occasion: gateway.OccasionLink, State: gateway.DeliveryDelivered},
		{At: deskTime.Add(time.Minute), Occasion: gateway.OccasionRequest, State: gateway.DeliveryFailed, Wish: gateway.Wish{
			Asks: []string{"pay-stub"}, Page: "p", Reason: gateway.AgainBlurry, Label: "photo-id", Sealed: []byte("both sides, please"),
		}},
	}
	b := h.signedIn(t, "ana")
	form := taking("zip", h.pages...)
	form.Set("transcript", "1")
	answer := b.post(submissionURL(s.ID)+"/export", form)
	wantStatus(t, answer, http.StatusOK)
	files := unzipped(t, answer.Body.Bytes())
	names := []string{"01-photo-id.jpg", "02-pay-stub.pdf", "03-benefit-letter.heic", "04.bin"}
	rows, err := csv.NewReader(strings.NewReader(files["manifest.csv"])).ReadAll()
	if err != nil || len(rows) != 5 {
		t.Fatalf("manifest: %v %q", err, rows)
	}
	for i, name := range names {
		if files[name] != string(contents[i]) {
			t.Errorf("%s is not what was sent", name)
		}
		sum := sha256.Sum256(contents[i])
		row := rows[i+1]
		if row[0] != name || row[7] != hex.EncodeToString(sum[:]) || row[4] != "link texted to the client" || !strings.HasPrefix(row[3], "2026-11-03T14:3") {
			t.Errorf("the manifest says %q", row)
		}
	}
	rest := files["transcript.txt"]
	for _, want := range []string{
		"1:41 PM CST, We (delivered):\nA link to send papers by.", "Tue, Nov 3, 2026, 2:41 PM CST, The client:\nhere is my stub",
		"2:42 PM CST, We (not delivered):\nA link, sent by a colleague.\nAsked for once more: Photo ID (blurry).\nAsked for: Pay stub.\nIn the caseworker's words: both sides, please\n",
	} {
		i := strings.Index(rest, want)
		if i < 0 {
			t.Fatalf("the transcript does not say, in order, %q:\n%s", want, files["transcript.txt"])
		}
		rest = rest[i:]
	}
	for name, content := range files {
		if strings.Contains(content, "0142") || strings.Contains(name, "Maria") {
			t.Errorf("%s tells whose phone it was", name)
		}
	}
	form.Del("transcript")
	if _, there := unzipped(t, b.post(submissionURL(s.ID)+"/export", form).Body.Bytes())["transcript.txt"]; there {
		t.Error("a transcript that nobody wanted")
	}
}

func TestThePrintPageShowsPicturesAsTheyAreTurned(t *testing.T) {
	h := newDeskHouse(t)
	s := h.addSubmission("north", "Maria", "+15551230142", jpegPage(8, 8), pdfPage("x"), jpegPage(9, 9))
	h.pages[0].Rotation = 270
	b := h.signedIn(t, "ana")
	answer := b.get(submissionURL(s.ID) + "/print?" + url.Values{"page": {string(h.pages[0].ID), string(h.pages[1].ID)}}.Encode())
	wantStatus(t, answer, http.StatusOK)
	wantText(t, answer, pageURL(h.pages[0].ID, 1), `data-turn="270"`, "Page 2 is a PDF", s.ID.Reference())
	wantNoText(t, answer, pageURL(h.pages[2].ID, 3), "Maria", "0142")
	if said := strings.Join(actionsOf(h.audit), "\n"); !strings.Contains(said, "page.exported page:"+string(h.pages[0].ID)+" done print") {
		t.Errorf("the trail tells %s", said)
	}
}

func TestWithoutATrailNothingLeaves(t *testing.T) {
	h := newDeskHouse(t)
	s := h.addSubmission("north", "", "+15551230142", jpegPage(8, 8))
	b := h.signedIn(t, "ana")
	h.auditErr = errors.New("disk full")
	for _, form := range []string{"pdf", "zip"} {
		answer := b.post(submissionURL(s.ID)+"/export", taking(form, h.pages...))
		wantStatus(t, answer, http.StatusServiceUnavailable)
		if bytes.Contains(answer.Body.Bytes(), jpegPage(8, 8)) {
			t.Errorf("%s left all the same", form)
		}
	}
}

// A page that was damaged is known before the first byte; one that cannot be
// read while the package is under way breaks the connection off.
func TestADamagedPageIsNoHalfAPackage(t *testing.T) {
	h := newDeskHouse(t)
	s := h.addSubmission("north", "", "+15551230142", jpegPage(8, 8), jpegPage(9, 9))
	b := h.signedIn(t, "ana")
	blob := h.pages[1].Blob
	whole := h.blobs[blob]
	h.blobs[blob] = append(bytes.Clone(whole[:len(whole)-1]), 'x')
	answer := b.post(submissionURL(s.ID)+"/export", taking("zip", h.pages...))
	wantStatus(t, answer, http.StatusUnprocessableEntity)
	wantText(t, answer, "This page is damaged")

	h.blobs[blob] = whole
	h.bindErr = nil
	h.parts.Handoff = vanishing{h.handoff, func() { delete(h.blobs, blob) }}
	h.build(t)
	b = h.signedIn(t, "ana")
	defer func() {
		if err, _ := recover().(error); !errors.Is(err, http.ErrAbortHandler) {
			t.Error("the connection was not broken off")
		}
	}()
	b.post(submissionURL(s.ID)+"/export", taking("zip", h.pages...))
}

// vanishing loses a page after everything was proven.
type vanishing struct {
	*gateway.Handoff
	lose func()
}

func (v vanishing) ZIP(ctx context.Context, p *gateway.Package, t gateway.Take) (*gateway.ZIP, error) {
	defer v.lose()
	return v.Handoff.ZIP(ctx, p, t)
}

func TestARoleMayLookAndNotDownload(t *testing.T) {
	h := newDeskHouse(t)
	office := h.dir.Offices["north"]
	office.NoDownload = []gateway.Role{gateway.RoleCaseworker}
	h.dir.Offices["north"] = office
	s := h.addSubmission("north", "", "+15551230142", jpegPage(8, 8))
	b := h.signedIn(t, "ana")
	answer := b.get(submissionURL(s.ID))
	wantText(t, answer, "Your role may look at these papers and not download them")
	wantNoText(t, answer, `/export"`)
	wantStatus(t, b.get(pageURL(h.pages[0].ID, 1)), http.StatusOK)
	before := len(h.audit)
	for _, answer := range []func() int{
		func() int { return b.get(originalURL(h.pages[0].ID, 1)).Code },
		func() int { return b.post(submissionURL(s.ID)+"/export", taking("zip", h.pages...)).Code },
		func() int { return b.get(submissionURL(s.ID) + "/print?page=" + string(h.pages[0].ID)).Code },
	} {
		if code := answer(); code != http.StatusForbidden {
			t.Errorf("%d", code)
		}
	}
	for _, e := range h.audit[before:] {
		if e.Outcome != gateway.OutcomeDenied || e.Reason != "no-download" {
			t.Errorf("the trail tells %+v", e)
		}
	}
	if len(h.audit) != before+3 {
		t.Errorf("%d rows", len(h.audit)-before)
	}
	// Somebody who is a supervisor as well may.
	h.addRoles("sue", gateway.Roles{"north": {gateway.RoleCaseworker, gateway.RoleSupervisor}})
	wantStatus(t, h.signedIn(t, "sue").get(originalURL(h.pages[0].ID, 1)), http.StatusOK)
}

type testScanner struct{ err error }

func (s testScanner) Scan(_ context.Context, r io.Reader) error {
	_, _ = io.Copy(io.Discard, r)
	return s.err
}

func TestNothingIsShownThatTheScannerDidNotPass(t *testing.T) {
	for code, words := range map[gateway.Code]string{
		gateway.CodeInfected:   "The virus scanner stopped this",
		gateway.CodeScanner:    "The virus scanner does not answer",
		gateway.CodeNotScanned: "too large for the virus scanner",
	} {
		h := newDeskHouse(t)
		content := jpegPage(8, 8)
		s := h.addSubmission("north", "", "+15551230142", content)
		h.desk.Scanner = testScanner{gateway.NewError(code, nil)}
		b := h.signedIn(t, "ana")
		page, original := b.get(pageURL(h.pages[0].ID, 1)), b.get(originalURL(h.pages[0].ID, 1))
		export := b.post(submissionURL(s.ID)+"/export", taking("zip", h.pages...))
		for _, answer := range []*bytes.Buffer{page.Body, original.Body, export.Body} {
			if !strings.Contains(answer.String(), words) || bytes.Contains(answer.Bytes(), content) {
				t.Errorf("%s: %s", code, answer)
			}
		}
		found := 0
		for _, e := range h.audit {
			if e.Action == gateway.ActionPageScanned && e.Reason == string(code) && e.Outcome == gateway.OutcomeDenied {
				found++
			}
		}
		if found != 3 {
			t.Errorf("%s: the trail tells of it %d times", code, found)
		}
	}
	h := newDeskHouse(t)
	h.addSubmission("north", "", "+15551230142", jpegPage(8, 8))
	h.desk.Scanner = testScanner{}
	if answer := h.signedIn(t, "ana").get(pageURL(h.pages[0].ID, 1)); !bytes.Equal(answer.Body.Bytes(), jpegPage(8, 8)) {
		t.Error("what is clean is not shown")
	}
}

func TestALinkForAColleagueLeadsBackAfterTheSignIn(t *testing.T) {
	h := newDeskHouse(t)
	s := h.addSubmission("north", "Maria", "+15551230142", jpegPage(8, 8))
	wantText(t, h.signedIn(t, "ana").get(submissionURL(s.ID)), `value="https://desk.example.gov`+submissionURL(s.ID)+`"`)
	stranger := h.browser(t)
	answer := stranger.get(submissionURL(s.ID))
	next, err := url.Parse(answer.Header().Get("Location"))
	if err != nil || next.Path != "/login" {
		t.Fatalf("led to %q", answer.Header().Get("Location"))
	}
	form := url.Values{"login": {"cho"}, "password": {deskPassword}, "next": {next.Query().Get("next")}}
	if answer := stranger.post("/login", form); answer.Header().Get("Location") != submissionURL(s.ID) {
		t.Errorf("the sign-in led to %q", answer.Header().Get("Location"))
	}
	wantText(t, stranger.get(submissionURL(s.ID)), "Maria")
	wantStatus(t, h.signedIn(t, "ben").get(submissionURL(s.ID)), http.StatusNotFound)
	// A session that ended under a form leads back to the page it stood on.
	answer = h.browser(t).post(submissionURL(s.ID)+"/export", taking("zip", h.pages...))
	if want := "/login?next=" + url.QueryEscape(submissionURL(s.ID)); answer.Header().Get("Location") != want {
		t.Errorf("led to %q, want %q", answer.Header().Get("Location"), want)
	}
}
