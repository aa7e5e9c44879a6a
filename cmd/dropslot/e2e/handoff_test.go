package e2e

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	downloads "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/chromedp"

	"dropslot/gateway/sftp/sftptest"
)

// withPartner lets the office hand papers over to a real sshd.
func withPartner(t *testing.T, server *sftptest.Server) func(*house) {
	return func(h *house) {
		key := h.path("data", "keys", "partner.sftp")
		if err := os.WriteFile(key, []byte(server.Key), 0o600); err != nil {
			t.Fatal(err)
		}
		h.configure("    timezone: America/Chicago\n", fmt.Sprintf(`    timezone: America/Chicago
    deliver:
      name: State eligibility
      host: %q
      host_key: %s
      user: %s
      key: {file: keys/partner.sftp}
      path: in/{office}/{reference}-{date}
`, server.Address, server.HostKey, server.User))
	}
}

// downloads lets the browser keep what it downloads in a folder.
func (c *caseworker) downloads() string {
	c.t.Helper()
	folder := c.t.TempDir()
	c.do("keep downloads", func(ctx context.Context, _ *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, chromedp.FromContext(ctx).Browser, downloads.SetDownloadBehavior, downloads.SetDownloadBehaviorParams{
			Behavior: downloads.SetDownloadBehaviorBehaviorAllow, DownloadPath: folder, BrowserContextID: chromedp.FromContext(ctx).BrowserContextID,
		})
		return chromedp.Void{}, err
	})
	return folder
}

// downloaded waits for a file with an ending and gives its content.
func downloaded(t *testing.T, folder, ending string) (name string, content []byte) {
	t.Helper()
	waitFor(t, "a download "+ending, stepTimeout, func() bool {
		entries, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			if strings.HasSuffix(entry.Name(), ending) {
				name = entry.Name()
				content, err = os.ReadFile(filepath.Join(folder, name))
				return err == nil && len(content) > 0
			}
		}
		return false
	})
	return name, content
}

// A caseworker chooses pages, takes them along as a PDF and as a ZIP, prints
// them and hands them to the partner.
func TestPapersLeaveTheDesk(t *testing.T) {
	source := axeSource(t)
	server := sftptest.Start(t)
	w := openTown(t, withPartner(t, server))
	nora := w.newPerson("Nora")
	nora.asks("Hi, may I have the link please")
	nora.enters()
	nora.photographs("photo-id")
	nora.photographs("pay-stub")
	nora.chooses(w.file("canary-name-of-a-letter.pdf", redSheet()))
	nora.visible("#send")
	nora.sends("")
	submission := nora.submission()
	nora.isDone("Nora Rivera")

	dana := w.dana()
	folder := dana.downloads()
	dana.opens(submission)
	dana.showsPicture()
	dana.states(source, "handoff")
	dana.sees("all 3")
	dana.click("#handoff summary")
	dana.click("#handoff .choices label:nth-of-type(2) input")
	dana.sees("2 of 3")
	dana.states(source, "handoff-choosing")
	dana.click(`#handoff button[value=pdf]`)
	name, pdf := downloaded(t, folder, ".pdf")
	if !strings.HasPrefix(name, "papers-") || strings.Contains(name, "Nora") {
		t.Errorf("the PDF is called %s", name)
	}
	path := filepath.Join(t.TempDir(), "a.pdf")
	if err := os.WriteFile(path, pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	said, err := exec.Command(program(t, "qpdf"), "--show-npages", path).CombinedOutput()
	if err != nil || strings.TrimSpace(string(said)) != "3" { // the cover, the photo that was chosen and the letter's page
		t.Errorf("qpdf: %v %s", err, said)
	}
	dana.click(`#handoff button[value=zip]`)
	_, content := downloaded(t, folder, ".zip")
	archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil || len(archive.File) != 3 || archive.File[0].Name != "01-photo-id.jpg" || archive.File[2].Name != "manifest.csv" {
		t.Errorf("the ZIP: %v %v", err, archive)
	}

	dana.clickThrough(`#handoff button[formmethod=get]`)
	dana.sees("Print 1 page")
	dana.sees("Page 3 is a PDF")
	dana.holds("the picture on paper", `(() => { const i = document.querySelector(".paper img"); return !!i && i.complete && i.naturalWidth > 0 })()`)
	dana.states(source, "print")

	dana.visit("http://" + w.desk + "/submissions/" + submission)
	dana.clickThrough(`#handoff button[formaction$="/deliver"]`)
	waitFor(t, "the delivery", stepTimeout, func() bool {
		dana.visit("http://" + w.desk + "/submissions/" + submission)
		return strings.Contains(dana.text("#handoff"), "Delivered to State eligibility")
	})
	dana.states(source, "handoff-delivered")
	files, err := filepath.Glob(filepath.Join(server.Folder, "in/north/*.pdf"))
	if err != nil || len(files) != 1 {
		t.Errorf("at the partner lies %v", files)
	}
	dana.sees("Given to another system")
	dana.clickThrough(`#work a[href^="/clients/"]`)
	for _, step := range []string{
		"2 of them exported as one PDF by " + staffLogin, "2 of them exported as a ZIP by " + staffLogin, "2 of them opened to be printed by " + staffLogin,
		"handed over to State eligibility",
	} {
		dana.sees(step)
	}
	dana.states(source, "handoff-thread")
}

// states holds the page against axe in both schemes, and keeps pictures of it
// on a desk's screen and on a tablet.
func (c *caseworker) states(source, name string) {
	c.t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		c.prefers("prefers-color-scheme", scheme, "prefers-reduced-motion", "reduce")
		for _, size := range [][2]int64{{1280, 800}, {820, 1180}} {
			c.do("change the window", chromedp.EmulateViewport(size[0], size[1]))
			if faults := c.axe(source, allRules); len(faults) > 0 {
				c.t.Errorf("%s, %s, %d wide:\n%s", name, scheme, size[0], strings.Join(faults, "\n"))
			}
			c.picture(fmt.Sprintf("%s-%s-%d", name, scheme, size[0]))
		}
	}
	c.do("change the window back", chromedp.EmulateViewport(desktopScreen.width, desktopScreen.height))
}
