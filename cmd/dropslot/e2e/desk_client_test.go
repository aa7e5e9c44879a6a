package e2e

import (
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
)

// deskClient is a caseworker's browser without a screen.
type deskClient struct {
	t       *testing.T
	base    string // http://host:port of the desk
	session string // the cookie's value
	http    *http.Client
}

const (
	deskLogin    = "ann"
	deskPassword = "four quiet words here"
)

// addStaff makes the account that the client signs in with.
func (h *house) addStaff() {
	h.t.Helper()
	file := h.path("password")
	if err := os.WriteFile(file, []byte(deskPassword+"\n"), 0o600); err != nil {
		h.t.Fatal(err)
	}
	h.command("", "staff", "add", deskLogin, "--office", "north", "--password-file", file, "-c", h.config)
}

// deskClient signs in at the desk.
func (h *house) deskClient() *deskClient {
	h.t.Helper()
	d := &deskClient{t: h.t, base: "http://" + h.desk, http: newTransport()}
	response, _ := d.do(http.MethodPost, "/login", url.Values{"login": {deskLogin}, "password": {deskPassword}})
	for _, cookie := range response.Cookies() {
		if cookie.Name == "__Host-desk" {
			d.session = cookie.Value
		}
	}
	if response.StatusCode != http.StatusSeeOther || d.session == "" {
		h.t.Fatalf("the sign-in: %s", response.Status)
	}
	return d
}

// do sends one request and gives the whole answer.
func (d *deskClient) do(method, path string, form url.Values) (*http.Response, []byte) {
	d.t.Helper()
	request, err := http.NewRequestWithContext(d.t.Context(), method, d.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		d.t.Fatal(err)
	}
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if d.session != "" {
		request.Header.Set("Cookie", "__Host-desk="+d.session)
	}
	response, err := d.http.Do(request)
	if err != nil {
		d.t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return response, content
}

// see gives a page of the desk, which has to be there.
func (d *deskClient) see(path string) string {
	d.t.Helper()
	response, content := d.do(http.MethodGet, path, nil)
	if response.StatusCode != http.StatusOK {
		d.t.Fatalf("the desk's %s: %s", path, response.Status)
	}
	return string(content)
}

var pageLink = regexp.MustCompile(`data-src="(/pages/[0-9a-z]+)`)

// opens looks a submission up in the inbox, opens its pages in their order,
// and compares them with what was sent.
func (d *deskClient) opens(submission string, sent ...sealedPage) {
	d.t.Helper()
	if inbox := d.see("/"); !strings.Contains(inbox, "/submissions/"+submission) {
		d.t.Fatalf("the inbox does not show the submission:\n%s", inbox)
	}
	links := pageLink.FindAllStringSubmatch(d.see("/submissions/"+submission), -1)
	if len(links) != len(sent) {
		d.t.Fatalf("the desk shows %d pages, want %d", len(links), len(sent))
	}
	for i, link := range links {
		if opened := d.see(link[1]); opened != string(sent[i].plain) {
			d.t.Errorf("page %d opens as something else than was sent", i+1)
		}
	}
}
