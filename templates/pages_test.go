package templates

import (
	"bytes"
	"strings"
	"testing"
)

func loadedPages(t *testing.T) *Pages {
	t.Helper()
	pages, err := LoadPages(loaded(t))
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

// A page that fails half way must not leave half of it with a client.
func TestNothingIsWrittenWhenAPageFails(t *testing.T) {
	pages := loadedPages(t)
	var out bytes.Buffer
	if err := pages.Client(&out, "link", "en", map[string]string{}); err == nil {
		t.Error("a page without its data was rendered")
	}
	if err := pages.Client(&out, "nothing", "en", nil); err == nil {
		t.Error("a page that is not there was rendered")
	}
	if err := pages.Desk(&out, "nothing", nil); err == nil {
		t.Error("a desk page that is not there was rendered")
	}
	if out.Len() != 0 {
		t.Errorf("this was written: %q", out.String())
	}
}

func TestEveryLanguageHasEveryPage(t *testing.T) {
	pages := loadedPages(t)
	for language, own := range pages.client {
		for _, name := range []string{"home", "link", "send", "receipt", "problem"} {
			if own[name] == nil {
				t.Errorf("%s lacks the page %s", language, name)
			}
		}
	}
}

// The words come from catalogs and configurations: neither writes HTML.
func TestCallableEscapes(t *testing.T) {
	got := string(callable(PhoneLink{E164: `+1"><b>`, Display: "(555) <b>"}, func(standIn string) string {
		return "<i>Call</i> " + standIn + " or " + standIn
	}))
	if strings.Contains(got, "<b>") || strings.Contains(got, "<i>") || strings.Count(got, `<a class="phone"`) != 2 {
		t.Errorf("%s", got)
	}
}

func TestANumberStaysInOnePiece(t *testing.T) {
	got := string(inOnePiece(PhoneLink{Display: "(555) <b>"}, "<i>Text</i> "+standIn))
	if strings.Contains(got, "<b>") || strings.Contains(got, "<i>") || !strings.HasSuffix(got, `<bdi class="number" dir="ltr">(555) &lt;b&gt;</bdi>`) {
		t.Errorf("%s", got)
	}
}
