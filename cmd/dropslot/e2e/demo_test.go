package e2e

import (
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// TestDemo walks the demo as the README tells: text on the simulated phone,
// tap the link, photograph, sign in at the desk with what the page shows. When
// it is interrupted, nothing of it is left.
func TestDemo(t *testing.T) {
	temporary, said := t.TempDir(), &transcript{}
	demo := startProcess(t, "dropslot demo", said, []string{"TMPDIR=" + temporary}, binary, "demo")
	waitFor(t, "the demo to be ready", startTimeout, func() bool { return strings.Contains(said.String(), "Stop with Ctrl+C") })
	phone := addressAfter(t, said.String(), "in a browser:")
	desk := addressAfter(t, said.String(), "The desk:")
	if left := entries(t, temporary); len(left) != 1 {
		t.Errorf("the demo keeps its things in %q", left)
	}
	b := openBrowser(t, payStatement)

	screen := b.open("the simulated phone", screen{width: 1000, height: 700, scale: 1}, phone.Host)
	screen.visit(phone.String())
	screen.fill("input.words", "Hi, I have my papers\r")
	screen.visible("#bubbles .theirs a")
	screen.sees("North County Benefits: ")
	screen.sees("delivered")
	screen.picture("phone")
	opened := chromedp.WaitNewTarget(screen.context, func(info *target.Info) bool { return strings.Contains(info.URL, "/c/") })
	link, err := url.Parse(screen.text("#bubbles .theirs a"))
	if err != nil {
		t.Fatal(err)
	}
	screen.click("#bubbles .theirs a")

	here := &town{
		t: t, browser: b, secrets: &secrets{known: map[string]string{}},
		house: &house{t: t, public: link.Host, desk: desk.Host, said: said},
	}
	client := &person{tab: b.window("the client", phoneScreen, []string{link.Host}, chromedp.WithTargetID(<-opened)), town: here, language: "en"}
	client.reads("page.link.heading")
	client.click("main form button")
	client.inside()
	client.photographs("pay-stub")
	client.isDone("Maria Example")
	submission := client.submission()

	shown := run(screen, "read the sign-in", chromedp.Evaluate[[]string](
		`[...document.querySelectorAll(".signin code")].map((item) => item.textContent)`))
	if len(shown) != 2 {
		t.Fatalf("the page shows %q to sign in with", shown)
	}
	dana := here.caseworker(shown[0], shown[1])
	dana.sees("Maria Example")
	dana.opens(submission)
	dana.showsPicture()
	content, _ := dana.original(1)
	showsPaper(t, content, payStatement)
	dana.visit("http://" + here.desk + "/figures")
	dana.sees("Counted every minute")

	screen.expects("ERR_CONNECTION_REFUSED") // it asks for messages every second
	if err := demo.command.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	<-demo.done
	if code := demo.command.ProcessState.ExitCode(); code != 0 {
		t.Errorf("the demo ended with %d:\n%s", code, said)
	}
	if left := entries(t, temporary); len(left) > 0 {
		t.Errorf("the demo left %q", left)
	}
}

// addressAfter finds the address that stands in a text behind some words.
func addressAfter(t *testing.T, text, words string) *url.URL {
	t.Helper()
	_, rest, _ := strings.Cut(text, words)
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		t.Fatalf("no address after %q:\n%s", words, text)
	}
	address, err := url.Parse(fields[0])
	if err != nil || address.Host == "" {
		t.Fatalf("no address after %q:\n%s", words, text)
	}
	return address
}

func entries(t *testing.T, folder string) (names []string) {
	t.Helper()
	found, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range found {
		names = append(names, entry.Name())
	}
	return names
}
