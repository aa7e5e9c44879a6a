package e2e

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dropslot/gateway/records/recordstest"
	"dropslot/gateway/twilio/twiliotest"
)

// onPostgres moves the house's records from SQLite to a Postgres.
func (h *house) onPostgres() {
	h.t.Helper()
	h.edit(h.config, h.config, "sqlite:records.db", recordstest.Postgres(h.t))
}

// edit copies a configuration with some words replaced.
func (h *house) edit(from, to string, oldNew ...string) {
	h.t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		h.t.Fatal(err)
	}
	for i := 0; i < len(oldNew); i += 2 {
		if !strings.Contains(string(text), oldNew[i]) {
			h.t.Fatalf("the configuration has no %q", oldNew[i])
		}
	}
	if err := os.WriteFile(to, []byte(strings.NewReplacer(oldNew...).Replace(string(text))), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

// publicEnvironment is what a process gets that must not open documents.
func (h *house) publicEnvironment() []string {
	return []string{"E2E_AUTH_TOKEN=" + authToken, "TMPDIR=" + h.path("tmp")}
}

// intake starts an intake on an address of its own, without the passphrase.
// On one machine each needs its own listeners; the rest of the file is the same.
func (h *house) intake(name, address string) *process {
	h.t.Helper()
	config := h.path("dropslot-" + name + ".yaml")
	h.edit(h.config, config, "intake: \""+h.public+"\"", "intake: \""+address+"\"")
	p := startProcess(h.t, name, h.said, h.publicEnvironment(), binary,
		"serve", "-c", config, "--role", "intake", "--ops", freeAddress(h.t))
	p.listening(h.t, address)
	return p
}

// exitCode waits for the end of a process.
func (p *process) exitCode(t *testing.T) int {
	t.Helper()
	select {
	case <-p.done:
		return p.command.ProcessState.ExitCode()
	case <-time.After(stopTimeout):
		t.Fatalf("%s does not end", p.name)
		return -1
	}
}

// fails runs a command that has to end with exit code 1, and gives its words.
func (h *house) fails(args ...string) string {
	h.t.Helper()
	command := exec.Command(binary, args...)
	command.Env = append(os.Environ(), h.environment()...)
	out, err := command.CombinedOutput()
	_, _ = h.said.Write(out)
	if err == nil || command.ProcessState.ExitCode() != 1 {
		h.t.Errorf("dropslot %s: %v, want exit code 1\n%s", args[0], err, out)
	}
	return string(out)
}

// TestRolesApartShareOnePostgresAndOneRedis runs two intakes, a desk and a
// worker as processes of their own. One client's text, claim and pages meet
// another intake each time; an intake is killed and one is stopped in the
// middle of an upload. The key that opens pages is on disk only while the
// desk starts.
func TestRolesApartShareOnePostgresAndOneRedis(t *testing.T) {
	fake := newTwilio(t)
	h := newHouse(t, fake.url)
	h.onPostgres()
	h.addStaff()
	key, away := h.path("data", "keys", "north.key"), h.path("offline", "north.key")
	rename(t, key, away)
	if words := h.fails("serve", "-c", h.config, "--role", "desk"); !strings.Contains(words, "north.key") {
		t.Errorf("a desk without its key says: %s", words)
	}
	addressB := freeAddress(t)
	a, b := h.intake("intake-a", h.public), h.intake("intake-b", addressB)
	rename(t, away, key)
	others := h.serve("desk", "worker")
	rename(t, key, away)

	// The last two are long enough that half of them is on disk at once.
	pages := sealedPages(t, h)[:3]
	for _, letter := range []string{"a", "b"} {
		pages = append(pages, sealPage(t, h, []byte("%PDF-1.7\n"+strings.Repeat(letter, 1<<20))))
	}
	atA := &client{base: "http://" + h.public, from: randomAddress(), http: newTransport()}
	atB := &client{base: "http://" + addressB, from: atA.from, http: newTransport()}
	answer, err := atA.deliver(t.Context(), h.public, newText("Hello"))
	if err != nil {
		t.Fatal(err)
	}
	token, err := tokenIn(answer)
	if err != nil {
		t.Fatal(err)
	}
	if err := atB.claim(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	atA.cookie, atA.send = atB.cookie, atB.send
	atA.sends(t, "first-page-0000000001", pages[0])
	atB.sends(t, "second-page-000000001", pages[1])

	// The power of intake B fails while a page arrives; B starts again, and
	// the browser sends the page once more.
	cut := h.beginUpload(atB, "third-page-0000000001", pages[3])
	b.kill()
	if cut.finish() == nil {
		t.Error("a page was acknowledged by an intake that was killed before its end")
	}
	b = h.intake("intake-b", addressB)
	atB.sends(t, "third-page-0000000001", pages[3])

	// Intake A is stopped while a page arrives: the page comes first.
	slow := h.beginUpload(atA, "fourth-page-000000001", pages[4])
	terminate(t, a)
	waitFor(t, "intake A to take no more connections", startTimeout, func() bool {
		connection, err := net.DialTimeout("tcp", h.public, time.Second)
		if err == nil {
			connection.Close()
		}
		return err != nil
	})
	if err := slow.finish(); err != nil {
		t.Errorf("an intake that stops does not let an upload finish: %v", err)
	}
	if code := a.exitCode(t); code != 0 {
		t.Errorf("a stopped intake ends with exit code %d, want 0", code)
	}

	a = h.intake("intake-a", h.public)
	response, _, err := atA.do(t.Context(), http.MethodPost, atA.send+"/done", nil, nil)
	if err != nil || response.StatusCode != http.StatusSeeOther {
		t.Fatalf("done: %v %v", response, err)
	}
	submission := filepath.Base(atA.send)
	ann := h.deskClient()
	ann.opens(submission, pages[0], pages[1], pages[3], pages[4])

	// The session is in Redis: a desk that starts again knows it.
	terminate(t, others["desk"])
	if code := others["desk"].exitCode(t); code != 0 {
		t.Errorf("a stopped desk ends with exit code %d, want 0", code)
	}
	rename(t, away, key)
	others["desk"] = h.serve("desk")["desk"]
	ann.opens(submission, pages[0], pages[1], pages[3], pages[4])

	h.sendsALink(fake, atB, ann, pages[2])
	for name, p := range map[string]*process{"intake a": a, "intake b": b, "desk": others["desk"], "worker": others["worker"]} {
		terminate(t, p)
		if code := p.exitCode(t); code != 0 {
			t.Errorf("%s ends with exit code %d, want 0", name, code)
		}
	}
	h.command("", "audit", "verify", "-c", h.config)
}

// sendsALink has the operator text a link, and follows it through to the desk.
func (h *house) sendsALink(fake *twilioAccount, atB *client, ann *deskClient, page sealedPage) {
	h.t.Helper()
	const phone = "+13125550147"
	said := h.command("", "link", "send", phone, "--office", "north", "--client-asked", "-c", h.config)
	if !strings.Contains(said, "ends in 0147") || strings.Contains(said, phone) {
		h.t.Errorf("link send says: %s", said)
	}
	fake.Settle()
	sent := fake.Outbox(phone)
	if len(sent) != 1 || sent[0].Status != "delivered" {
		h.t.Fatalf("the phone has %+v", sent)
	}
	if list := ann.see("/requests"); !strings.Contains(list, "The text is on the phone.") {
		h.t.Errorf("the desk does not know that the text arrived:\n%s", list)
	}
	token, err := tokenIn(sent[0].Body)
	if err != nil {
		h.t.Fatal(err)
	}
	c := &client{base: atB.base, from: randomAddress(), http: atB.http}
	if err := c.claim(h.t.Context(), token); err != nil {
		h.t.Fatal(err)
	}
	c.sends(h.t, "requested-page-000001", page)
	if list := ann.see("/requests"); !strings.Contains(list, "Page 1 received.") {
		h.t.Errorf("the desk does not know that a page arrived:\n%s", list)
	}
	ann.opens(filepath.Base(c.send), page)
}

// TestServeRefusesARedisThatEvicts: with any policy but noeviction links
// vanish silently.
func TestServeRefusesARedisThatEvicts(t *testing.T) {
	h := newHouse(t, nowhere)
	h.redisCommand("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
	words := h.fails("serve", "-c", h.config, "--role", "intake")
	if !strings.Contains(words, "allkeys-lru") || !strings.Contains(words, "noeviction") {
		t.Errorf("serve says: %s", words)
	}
}

// twilioAccount is a fake Twilio and the address of its API.
type twilioAccount struct {
	*twiliotest.Fake
	url string
}

func newTwilio(t *testing.T) *twilioAccount {
	t.Helper()
	fake := twiliotest.New(twiliotest.Config{
		Accounts: map[string]string{accountSID: authToken},
		Numbers:  map[string]twiliotest.Number{ourNumber: {Account: accountSID}},
	})
	t.Cleanup(fake.Close)
	server := httptest.NewServer(fake)
	t.Cleanup(server.Close)
	return &twilioAccount{Fake: fake, url: server.URL}
}

// sends sends a page, which has to be taken.
func (c *client) sends(t *testing.T, key string, page sealedPage) {
	t.Helper()
	if status, err := c.upload(t.Context(), key, page.header, page.sealed); err != nil || status != http.StatusCreated {
		t.Fatalf("page %s: %d %v", key, status, err)
	}
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}
