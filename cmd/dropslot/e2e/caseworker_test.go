package e2e

import (
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/chromedp/chromedp"
)

// caseworker is somebody at the desk.
type caseworker struct {
	*tab
	town *town
}

// dana signs in at the desk, in a window of its own.
func (w *town) dana() *caseworker { w.t.Helper(); return w.caseworker(staffLogin, staffPassword) }

func (w *town) caseworker(login, password string) *caseworker {
	w.t.Helper()
	c := &caseworker{tab: w.browser.open("the caseworker", desktopScreen, w.desk), town: w}
	c.visit("http://" + w.desk + "/")
	c.signIn(login, password)
	w.secrets.keep("the secret in the desk's cookie", c.cookie("__Host-desk"))
	return c
}

func (c *caseworker) signIn(login, password string) {
	c.t.Helper()
	c.fill("#login", login)
	c.fill("#password", password+"\r")
	c.visible(".out")
	// Windows of others signed in to the same account: the page asks about them first.
	at, err := url.Parse(c.location())
	if err != nil {
		c.t.Fatal(err)
	}
	if next := at.Query().Get("next"); at.Path == "/account" && next != "" {
		c.clickThrough(`main a[href="` + next + `"]`)
		c.visible(".out")
	}
}

// opens finds a submission in the inbox, opens it from there, and waits until
// its first page is shown.
func (c *caseworker) opens(submission string) {
	c.t.Helper()
	c.visit("http://" + c.town.desk + "/")
	c.click(`a.row[href$="` + submission + `"]`)
	c.visible("[data-stage]")
}

// showsPicture waits until the viewer shows a whole picture.
func (c *caseworker) showsPicture() {
	c.t.Helper()
	c.visible("[data-stage] img")
	c.holds("the picture", `(() => { const i = document.querySelector("[data-stage] img"); return !!i && i.complete && i.naturalWidth > 0 })()`)
}

// original gives the bytes that the desk serves when a page is downloaded,
// and the name and type under which it does.
func (c *caseworker) original(page int) (content []byte, header http.Header) {
	c.t.Helper()
	links := run(c.tab, "find the originals", chromedp.Evaluate[[]string](
		`[...document.querySelectorAll("[data-pages] a[data-page]")].map((a) => a.dataset.original)`))
	if page < 1 || page > len(links) {
		c.t.Fatalf("the desk lists %d pages", len(links))
	}
	response, content := c.get(links[page-1])
	if response.StatusCode != http.StatusOK {
		c.t.Fatalf("the original: %s", response.Status)
	}
	return content, response.Header
}

// get asks the desk for a path as the window would.
func (c *caseworker) get(path string) (*http.Response, []byte) {
	c.t.Helper()
	request, err := http.NewRequestWithContext(c.t.Context(), http.MethodGet, "http://"+c.town.desk+path, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	request.Header.Set("Cookie", "__Host-desk="+c.cookie("__Host-desk"))
	response, err := newTransport().Do(request)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return response, content
}

// marksDone says what became of the papers and finds them under "Done".
func (c *caseworker) marksDone(submission string) {
	c.t.Helper()
	c.click(`input[name=as][value=delivered]`)
	c.clickThrough(".card.done button[type=submit]")
	c.sees("by " + staffLogin)
	c.visit("http://" + c.town.desk + "/")
	if strings.Contains(run(c.tab, "read the inbox", chromedp.OuterHTML(chromedp.CSS("main"))), submission) {
		c.t.Error("what was marked done is still in the inbox")
	}
	c.visit("http://" + c.town.desk + "/?done=1")
	c.visible(`a.row[href$="` + submission + `"]`)
}
