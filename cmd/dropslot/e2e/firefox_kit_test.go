package e2e

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// firefox is one Firefox with one window, driven through Marionette: the
// protocol that every Firefox speaks and that geckodriver itself uses.
type firefox struct {
	t          *testing.T
	connection net.Conn
	reader     *bufio.Reader
	last       int
}

// firefoxSettings make it call nobody by itself, and show a picture of its
// own in place of a camera without asking.
const firefoxSettings = `user_pref("marionette.port", %s);
user_pref("media.navigator.streams.fake", true);
user_pref("media.navigator.permission.disabled", true);
user_pref("app.update.enabled", false);
user_pref("app.normandy.enabled", false);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("browser.startup.page", 0);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("toolkit.telemetry.enabled", false);
`

// openFirefox starts Firefox without a screen. It needs the program alone.
func openFirefox(t *testing.T, said *transcript) *firefox {
	t.Helper()
	path := program(t, "firefox-esr", "firefox")
	home := t.TempDir()
	profile := filepath.Join(home, "profile")
	if err := os.Mkdir(profile, 0o700); err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	_, port, _ := net.SplitHostPort(address)
	if err := os.WriteFile(filepath.Join(profile, "user.js"), fmt.Appendf(nil, firefoxSettings, port), 0o600); err != nil {
		t.Fatal(err)
	}
	p := startProcess(t, "firefox", said, []string{"HOME=" + home, "MOZ_HEADLESS=1", "MOZ_CRASHREPORTER_DISABLE=1"}, path,
		"--headless", "--marionette", "--no-remote", "--profile", profile, "about:blank")
	p.listening(t, address)
	connection, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	f := &firefox{t: t, connection: connection, reader: bufio.NewReader(connection)}
	if _, err := f.message(); err != nil { // it says who it is
		t.Fatal(err)
	}
	f.call("WebDriver:NewSession", map[string]any{"strictFileInteractability": false}, nil)
	return f
}

// message reads one message: its length, a colon, and JSON.
func (f *firefox) message() ([]byte, error) {
	if err := f.connection.SetReadDeadline(time.Now().Add(stepTimeout)); err != nil {
		return nil, err
	}
	head, err := f.reader.ReadString(':')
	if err != nil {
		return nil, err
	}
	length, err := strconv.Atoi(strings.TrimSuffix(head, ":"))
	if err != nil {
		return nil, err
	}
	body := make([]byte, length)
	_, err = io.ReadFull(f.reader, body)
	return body, err
}

// ask sends one command of WebDriver and gives what it answers.
func (f *firefox) ask(command string, parameters, result any) error {
	f.last++
	body, err := json.Marshal([]any{0, f.last, command, parameters})
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(f.connection, "%d:%s", len(body), body); err != nil {
		return err
	}
	answer, err := f.message()
	if err != nil {
		return err
	}
	var parts [4]json.RawMessage // kind, number, error, result
	if err := json.Unmarshal(answer, &parts); err != nil {
		return err
	}
	if string(parts[2]) != "null" {
		return errors.New(string(parts[2]))
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(parts[3], result)
}

func (f *firefox) call(command string, parameters, result any) {
	f.t.Helper()
	if err := f.ask(command, parameters, result); err != nil {
		f.t.Fatalf("Firefox: %s: %v\n%s", command, err, f.state())
	}
}

func (f *firefox) visit(address string) {
	f.t.Helper()
	f.call("WebDriver:Navigate", map[string]string{"url": address}, nil)
}

// read gives what an expression is in the page.
func (f *firefox) read(expression string) string {
	f.t.Helper()
	var found struct{ Value string }
	f.call("WebDriver:ExecuteScript", map[string]any{"script": "return String(" + expression + ")", "args": []any{}}, &found)
	return found.Value
}

func (f *firefox) state() string {
	var found struct{ Value string }
	_ = f.ask("WebDriver:ExecuteScript", map[string]any{"script": "return location.pathname + '\\n' + document.body.innerText", "args": []any{}}, &found)
	return found.Value
}

// holds waits until an expression is true in the page, or in the next one.
func (f *firefox) holds(what, expression string) {
	f.t.Helper()
	var found struct{ Value bool }
	for deadline := time.Now().Add(stepTimeout); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		err := f.ask("WebDriver:ExecuteScript", map[string]any{"script": "return !!(" + expression + ")", "args": []any{}}, &found)
		if err == nil && found.Value {
			return
		}
	}
	f.t.Fatalf("Firefox: waited for %s\n%s", what, f.state())
}

// element finds one by its selector.
func (f *firefox) element(selector string) string {
	f.t.Helper()
	var found struct{ Value map[string]string }
	f.call("WebDriver:FindElement", map[string]string{"using": "css selector", "value": selector}, &found)
	for _, id := range found.Value {
		return id
	}
	f.t.Fatalf("Firefox: no %s", selector)
	return ""
}

func (f *firefox) click(selector string) {
	f.t.Helper()
	f.holds(selector, fmt.Sprintf(`document.querySelector(%q)?.checkVisibility() && !document.querySelector(%q).disabled`, selector, selector))
	f.call("WebDriver:ElementClick", map[string]string{"id": f.element(selector)}, nil)
}

func (f *firefox) chooses(file string) {
	f.t.Helper()
	f.call("WebDriver:ElementSendKeys", map[string]string{"id": f.element("#file"), "text": file}, nil)
}
