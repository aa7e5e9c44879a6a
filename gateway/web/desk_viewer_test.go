package web

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"dropslot/gateway"
)

// Without JavaScript pages are turned, labeled and moved by forms that lead
// back to the page.
func TestPagesAreChangedByForms(t *testing.T) {
	h := newDeskHouse(t)
	s := h.addSubmission("north", "Maria", "+15551230142", jpegPage(8, 8), pdfPage("x"), jpegPage(9, 9))
	first, second := h.pages[0], h.pages[1]
	north := h.dir.Offices["north"]
	north.Asks = []string{"photo-id", "pay-stub"}
	h.dir.Offices["north"] = north
	b := h.signedIn(t, "ana")
	post := func(page gateway.Page, what, field, value, lands string) {
		t.Helper()
		h.audit = nil
		answer := b.post("/pages/"+string(page.ID)+"/"+what, url.Values{field: {value}, "n": {"1"}})
		wantStatus(t, answer, http.StatusSeeOther)
		if got := answer.Header().Get("Location"); got != submissionURL(s.ID)+"?page="+lands {
			t.Errorf("%s leads to %s", what, got)
		}
		if len(h.audit) != 1 || h.audit[0].Object != "page:"+string(page.ID) || h.audit[0].Reason == "" {
			t.Errorf("%s: audit %+v", what, h.audit)
		}
	}
	post(first, "rotation", "rotation", "90", "1")
	wantText(t, b.get(submissionURL(s.ID)), `data-rotation="90" alt="Page 1, Photo ID"`, `value="180" data-rotate`, `value="0" data-rotate-left`)
	post(first, "label", "label", "pay-stub", "1")
	wantText(t, b.get(submissionURL(s.ID)), `alt="Page 1, Pay stub"`)
	post(first, "place", "place", "2", "2")
	if h.pages[0].ID != second.ID || h.pages[1].ID != first.ID || h.pages[1].Rotation != 90 {
		t.Errorf("order %v", h.pages)
	}
	for _, wrong := range []struct{ what, field, value string }{
		{"rotation", "rotation", "45"}, {"rotation", "rotation", "360"}, {"rotation", "rotation", "-90"}, {"rotation", "rotation", ""},
		{"label", "label", "passport"}, {"place", "place", "0"}, {"place", "place", "first"},
	} {
		h.audit = nil
		answer := b.post("/pages/"+string(first.ID)+"/"+wrong.what, url.Values{wrong.field: {wrong.value}})
		if answer.Code != http.StatusBadRequest || len(h.audit) != 0 {
			t.Errorf("%+v: %d, audit %v", wrong, answer.Code, h.audit)
		}
	}
	b.header.Set("Accept", "application/json")
	wantStatus(t, b.post("/pages/"+string(first.ID)+"/rotation", url.Values{"rotation": {"270"}}), http.StatusNoContent)
}

// What the browser can show is told without opening the page; who may not see
// it learns nothing, and leaves a line.
func TestPageKinds(t *testing.T) {
	h := newDeskHouse(t)
	h.addSubmission("north", "", "+15551230142", jpegPage(8, 8), pdfPage("x"), heicPage, svgPage)
	b := h.signedIn(t, "ana")
	h.audit = nil
	for i, kind := range []string{"picture", "pdf", "heic", "other"} {
		wantText(t, b.get("/pages/"+string(h.pages[i].ID)+"/kind"), `{"kind":"`+kind+`"}`)
	}
	if len(h.audit) != 0 {
		t.Errorf("audit %+v", h.audit)
	}
	wantStatus(t, h.signedIn(t, "ben").get("/pages/"+string(h.pages[0].ID)+"/kind"), http.StatusNotFound)
	if last := h.audit[len(h.audit)-1]; last.Outcome != gateway.OutcomeDenied || last.Action != gateway.ActionPageViewed {
		t.Errorf("audit %+v", last)
	}
}

// Two pages, and faint print, without JavaScript.
func TestViewerWithoutScript(t *testing.T) {
	h := newDeskHouse(t)
	s := h.addSubmission("north", "", "+15551230142", jpegPage(8, 8), pdfPage("x"), heicPage)
	b := h.signedIn(t, "ana")
	page := b.get(submissionURL(s.ID) + "?page=1&beside=2&brightness=150&contrast=75")
	wantText(t, page, `<iframe src="`+pageURL(h.pages[1].ID, 2), `data-brightness="150" data-contrast="75"`, `alt="Page 1, Photo ID"`)
	if n := strings.Count(page.Body.String(), "data-stage"); n != 2 {
		t.Errorf("%d stages", n)
	}
	page = b.get(submissionURL(s.ID) + "?page=3&beside=3&brightness=9999&contrast=x")
	wantText(t, page, "This is a HEIC photo", `data-brightness="100" data-contrast="100"`)
	if n := strings.Count(page.Body.String(), "data-stage"); n != 1 {
		t.Errorf("a page beside itself: %d stages", n)
	}
}

func TestSignOutClearsWhatTheBrowserKept(t *testing.T) {
	h := newDeskHouse(t)
	answer := h.signedIn(t, "ana").post("/logout", nil)
	if got := answer.Header().Get("Clear-Site-Data"); got != `"cache"` {
		t.Errorf("Clear-Site-Data %q", got)
	}
}

// Of two pictures of a page each names the other, and the new one goes along.
func TestANewPictureOfAPageIsShownAsOne(t *testing.T) {
	h := newDeskHouse(t)
	s := h.addSubmission("north", "Maria", "+15551230142", jpegPage(8, 8), jpegPage(9, 9), jpegPage(10, 10), jpegPage(11, 11))
	h.pages[2].Again, h.pages[2].AgainWhy = h.pages[1].ID, gateway.AgainBlurry
	h.pages[3].Again, h.pages[3].AgainWhy = "erased", gateway.AgainOther
	b := h.signedIn(t, "ana")
	answer := b.get(submissionURL(s.ID))
	second := string(h.pages[1].ID)
	wantText(t, answer, `new picture of page <span data-number-of="`+second+`">2</span> (blurry)<`,
		`page <span data-number-of="`+string(h.pages[2].ID)+`">3</span> came instead`, "new picture of a page that is not here any more<",
		`<span data-chosen>3 of 4</span>`, `value="`+second+`"> 2. Pay stub <span class="meta">page 3 came instead</span>`)
	// Who chose otherwise finds their choice again.
	answer = b.post(submissionURL(s.ID)+"/export", url.Values{"form": {"zip"}})
	wantText(t, answer, `<span data-chosen>0 of 4</span>`)
}

// deskShrinker stands for what decodes pictures: it tells which page it got.
type deskShrinker struct{}

func (deskShrinker) Shrink(_ context.Context, sheet gateway.Sheet, _ int64) ([]byte, error) {
	var all []byte
	for range 2 { // what decodes looks at the size first
		content, err := sheet.Open()
		if err == nil {
			all, err = io.ReadAll(content)
		}
		if err != nil {
			return nil, err
		}
	}
	var err error
	if kind, known := gateway.SniffType(all); !known || !kind.Picture {
		err = gateway.NewError(gateway.CodePageType, nil)
	}
	return fmt.Appendf(nil, "small of %d", len(all)), err
}

// A small picture is a look like any other, and no browser keeps it. What is
// no picture has none, and the list shows the page's number.
func TestASmallPictureIsALook(t *testing.T) {
	h := newDeskHouse(t)
	picture, file := jpegPage(8, 8), pdfPage("x")
	s := h.addSubmission("north", "Maria", "+15551230142", picture, file)
	ana := h.signedIn(t, "ana")
	list := ana.get(submissionURL(s.ID)).Body.String()
	small := regexp.MustCompile(`src="(/pages/[0-9a-v]{26}/small)"`).FindAllStringSubmatch(list, -1)
	if len(small) != 2 {
		t.Fatalf("%d small pictures are in the list", len(small))
	}
	before := len(h.audit)
	answer := ana.get(small[0][1])
	wantStatus(t, answer, http.StatusOK)
	if got := answer.Body.String(); got != fmt.Sprintf("small of %d", len(picture)) || answer.Header().Get("Content-Type") != "image/jpeg" ||
		!strings.Contains(answer.Header().Get("Cache-Control"), "no-store") || answer.Header().Get("Content-Security-Policy") != pagePolicy {
		t.Errorf("the answer is %q, %v", got, answer.Header())
	}
	if rows := h.audit[before:]; len(rows) != 1 || rows[0].Action != gateway.ActionPagePreviewed || rows[0].Object != "page:"+small[0][1][7:33] {
		t.Errorf("the audit trail tells %+v", rows)
	}
	wantStatus(t, ana.get(small[1][1]), http.StatusNoContent)
}

// busyShrinker has no place before nobody looks any more.
type busyShrinker struct{}

func (busyShrinker) Shrink(context.Context, gateway.Sheet, int64) ([]byte, error) {
	return nil, context.Canceled
}

// countingVault counts what is open.
type countingVault struct {
	gateway.Vault
	opened, open int
}

func (v *countingVault) Open(ctx context.Context, name gateway.BlobName) (gateway.Blob, error) {
	blob, err := v.Vault.Open(ctx, name)
	if err == nil {
		v.opened++
		v.open++
		blob = &countedBlob{Blob: blob, vault: v}
	}
	return blob, err
}

type countedBlob struct {
	gateway.Blob
	vault *countingVault
}

func (b *countedBlob) Close() error {
	b.vault.open--
	return b.Blob.Close()
}

// Of a list of fifty pages all small pictures are asked for at once: until it is
// its turn a page is not opened, proven or scanned; then it is once, and closed.
func TestASmallPictureIsOpenedWhenItIsItsTurn(t *testing.T) {
	h := newDeskHouse(t)
	h.addSubmission("north", "Maria", "+15551230142", jpegPage(8, 8), pdfPage("x"))
	vault := &countingVault{Vault: h.desk.Vault}
	h.desk.Vault = vault
	ana := h.signedIn(t, "ana")
	look := func(page gateway.Page) int {
		vault.opened = 0
		return ana.get("/pages/" + string(page.ID) + "/small").Code
	}
	for i, want := range []int{http.StatusOK, http.StatusNoContent} {
		if got := look(h.pages[i]); got != want || vault.opened != 1 || vault.open != 0 {
			t.Errorf("page %d: %d, opened %d times, and %d are open", i, got, vault.opened, vault.open)
		}
	}
	h.desk.Shrinker = busyShrinker{}
	if got := look(h.pages[0]); got < http.StatusBadRequest || vault.opened != 0 {
		t.Errorf("%d, opened %d times before its turn", got, vault.opened)
	}
}
