//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"dropslot/gateway/twilio/twiliotest"
	"dropslot/linkstore"
)

// Numbers that no system gives out: the two users and the group they share.
const (
	intakeUser  = 61001
	deskUser    = 61002
	sharedGroup = 61000
)

const (
	twoUsersPassphrase = "five words on one paper"
	twoUsersPassword   = "four quiet words here"
)

// shared is an installation whose intake and desk run as two system users.
type shared struct {
	t               *testing.T
	folder, program string
	intake, desk    string // addresses
	environment     []string
}

// TestIntakeAndDeskAsTwoUsers sets files up as the README says, runs intake
// and desk as two users, and follows a page from a text to the desk. The
// intake's user reads everything that it needs and not the office's key.
func TestIntakeAndDeskAsTwoUsers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("running as two users needs root")
	}
	redis, stop, err := linkstore.StartEmbedded()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	fake := twiliotest.Config{Accounts: map[string]string{demoAccount: "0123456789abcdef"}}
	s := newShared(t, redis)
	fake.Numbers = map[string]twiliotest.Number{demoNumber: {Account: demoAccount, MessageURL: "http://" + s.intake + "/twilio/messages"}}
	phone := twiliotest.New(fake)
	t.Cleanup(phone.Close)

	for _, command := range []string{"check --role intake dropslot.yaml", "check --role worker dropslot.yaml"} {
		s.run(intakeUser, command)
	}
	s.run(deskUser, "check --role desk dropslot.yaml")
	key := exec.Command("cat", filepath.Join(s.folder, "keys", "north.key"))
	as(key, intakeUser)
	if out, err := key.CombinedOutput(); err == nil || !strings.Contains(string(out), "Permission denied") {
		t.Errorf("the intake's user reads north.key: %v", err)
	}
	if words, err := s.command(intakeUser, "check --role desk dropslot.yaml").CombinedOutput(); err == nil {
		t.Errorf("the intake's user runs as desk: %s", words)
	}

	// Each makes files that the other needs: records, their side files, pages, heads.
	stopIntake := s.serve(intakeUser, "intake", s.intake)
	stopDesk := s.serve(deskUser, "desk", s.desk)
	s.run(deskUser, "staff add ana --office north --password-file password -c dropslot.yaml")
	exchange, err := phone.Text(t.Context(), twiliotest.Inbound{From: demoClient, To: demoNumber, Body: "hello"})
	if err != nil || exchange.ErrorCode != 0 || len(exchange.Replies) != 1 {
		t.Fatalf("the text: %+v, %v", exchange, err)
	}
	page := picture(t, 90)
	s.send(exchange.Replies[0].Body, page)
	if got := s.open(); !bytes.Equal(got, page) {
		t.Errorf("the desk opened %d bytes, not the %d that were sent", len(got), len(page))
	}
	stopDesk()
	stopIntake()
	s.run(intakeUser, "audit verify -c dropslot.yaml")
	s.run(deskUser, "audit verify -c dropslot.yaml")
	s.run(deskUser, "reindex --reason test -c dropslot.yaml")
	s.strangersReadNothing()
}

// newShared does what the README says, with numbers for names.
func newShared(t *testing.T, redis string) *shared {
	t.Helper()
	folder, err := os.MkdirTemp("", "dropslot-two-users-") // not t.TempDir, which no other user may enter
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	s := &shared{t: t, folder: folder, program: filepath.Join(folder, "dropslot")}
	for _, own := range []*string{&s.intake, &s.desk} {
		if *own, err = freeLoopback(); err != nil {
			t.Fatal(err)
		}
	}
	itself, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s.shell("cp " + itself + " dropslot && chmod 755 dropslot")
	s.environment = []string{"PATH=" + os.Getenv("PATH"), "DROPSLOT_PASSPHRASE=" + twoUsersPassphrase}
	s.write("passphrase", twoUsersPassphrase)
	s.write("token", "0123456789abcdef")
	s.write("password", twoUsersPassword)
	s.write("dropslot.yaml", fmt.Sprintf(`public_url: http://%s
data_dir: .
listen: {intake: %q, desk: %q}
desk_url: http://%s
redis: {url: "redis://%s/0"}
records: {url: "sqlite:records/records.db"}
link_key: {file: keys/link.key}
twilio: {account_sid: %s, auth_tokens: [{file: token}]}
offices:
  north:
    name: North County Benefits
    phone: "+15551230199"
    recipients: [{file: keys/north.pub}, {file: keys/north-recovery.pub}]
    identity: {file: keys/north.key, passphrase: {file: passphrase}}
    second_factor: optional
numbers: {%q: {office: north}}
`, s.intake, s.intake, s.desk, s.desk, redis, demoAccount, demoNumber))
	s.run(0, "keygen --office north --out keys --recovery-out offline")
	s.shell(`
		chown root:$GROUP . keys && chmod 750 . keys
		install -d -o root -g $GROUP -m 2770 records vault
		chown root:$GROUP keys/link.key token && chmod 640 keys/link.key token
		chown $DESK keys/north.key passphrase password && chmod 600 keys/north.key passphrase password
		chmod 644 dropslot.yaml
	`)
	return s
}

func (s *shared) write(name, content string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.folder, name), []byte(content+"\n"), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *shared) shell(script string) {
	s.t.Helper()
	command := exec.Command("sh", "-euc", script)
	command.Dir = s.folder
	command.Env = append(os.Environ(), fmt.Sprintf("GROUP=%d", sharedGroup), fmt.Sprintf("DESK=%d", deskUser))
	if out, err := command.CombinedOutput(); err != nil {
		s.t.Fatalf("%v: %s", err, out)
	}
}

// as makes a command run as a user of the shared group, and of no other.
func as(command *exec.Cmd, user uint32) {
	if user != 0 {
		command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: sharedGroup}}
	}
}

func (s *shared) command(user uint32, line string) *exec.Cmd {
	command := exec.CommandContext(s.t.Context(), s.program, strings.Fields(line)...)
	command.Dir, command.Env = s.folder, s.environment
	as(command, user)
	return command
}

func (s *shared) run(user uint32, line string) {
	s.t.Helper()
	if out, err := s.command(user, line).CombinedOutput(); err != nil {
		s.t.Fatalf("user %d, dropslot %s: %v\n%s", user, line, err, out)
	}
}

// serve runs a role until stop is called, which lets it end by itself.
func (s *shared) serve(user uint32, role, address string) (stop func()) {
	s.t.Helper()
	ops, err := freeLoopback()
	if err != nil {
		s.t.Fatal(err)
	}
	var said bytes.Buffer
	command := s.command(user, "serve -c dropslot.yaml --role "+role+" --ops "+ops)
	command.Stderr = &said
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = 15 * time.Second
	if err := command.Start(); err != nil {
		s.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	ctx, cancel := context.WithTimeout(s.t.Context(), 30*time.Second)
	defer cancel()
	go func() {
		select {
		case err := <-ended:
			ended <- err
			cancel()
		case <-ctx.Done():
		}
	}()
	if !waitReady(ctx, "http://"+ops+"/readyz") {
		s.t.Fatalf("user %d, role %s at %s is not ready: %s", user, role, address, said.String())
	}
	return func() {
		_ = command.Process.Signal(os.Interrupt)
		if err := <-ended; err != nil {
			s.t.Errorf("the %s ended with %v: %s", role, err, said.String())
		}
	}
}

var (
	linkPattern  = regexp.MustCompile(`http://[^/ ]+/c/[a-z2-7]+`)
	keyPattern   = regexp.MustCompile(`name="key" value="([^"]+)"`)
	inboxPattern = regexp.MustCompile(`/submissions/[0-9a-z]+`)
	pagePattern  = regexp.MustCompile(`/pages/[0-9a-z]+`)
)

// browser keeps cookies as a browser does on one's own machine.
func (s *shared) browser() *http.Client {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return &http.Client{Jar: safeJar{jar}, Timeout: 30 * time.Second}
}

// safeJar takes a loopback address for safe, as browsers do.
type safeJar struct{ http.CookieJar }

func (j safeJar) SetCookies(u *url.URL, cookies []*http.Cookie) {
	j.CookieJar.SetCookies(secured(u), cookies)
}
func (j safeJar) Cookies(u *url.URL) []*http.Cookie { return j.CookieJar.Cookies(secured(u)) }

func secured(u *url.URL) *url.URL {
	safe := *u
	safe.Scheme = "https"
	return &safe
}

// send claims the link of an answer and sends one page by the plain form.
func (s *shared) send(answer string, page []byte) {
	s.t.Helper()
	b, link := s.browser(), linkPattern.FindString(answer)
	s.ask(b.Get(link))
	response, content := s.ask(b.Post(link, "application/x-www-form-urlencoded", nil))
	place, key := response.Request.URL.String(), keyPattern.FindSubmatch(content)
	if key == nil {
		s.t.Fatalf("no form for a page:\n%s", content)
	}
	var form bytes.Buffer
	parts := multipart.NewWriter(&form)
	_ = parts.WriteField("key", string(key[1]))
	file, err := parts.CreateFormFile("page", "id.png")
	if err == nil {
		_, err = file.Write(page)
	}
	if err != nil || parts.Close() != nil {
		s.t.Fatal(err)
	}
	s.ask(b.Post(place+"/pages", parts.FormDataContentType(), &form))
	s.ask(b.Post(place+"/done", "application/x-www-form-urlencoded", nil))
}

// open signs in at the desk and downloads the one page there is.
func (s *shared) open() []byte {
	s.t.Helper()
	b, desk := s.browser(), "http://"+s.desk
	_, inbox := s.ask(b.PostForm(desk+"/login", url.Values{"login": {"ana"}, "password": {twoUsersPassword}}))
	_, submission := s.ask(b.Get(desk + inboxPattern.FindString(string(inbox))))
	_, page := s.ask(b.Get(desk + pagePattern.FindString(string(submission))))
	return page
}

// ask takes an answer, which has to be a good one.
func (s *shared) ask(response *http.Response, err error) (*http.Response, []byte) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		s.t.Fatalf("%s: %s, %v\n%s", response.Request.URL.Path, response.Status, err, content)
	}
	return response, content
}

// strangersReadNothing looks at every file that was made beside the program
// and the configuration.
func (s *shared) strangersReadNothing() {
	s.t.Helper()
	for _, folder := range []string{"records", "vault", "keys"} {
		err := filepath.WalkDir(filepath.Join(s.folder, folder), func(path string, entry os.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := entry.Info()
			if err != nil {
				return err
			}
			if info.Mode().Perm()&0o007 != 0 && filepath.Ext(path) != ".pub" {
				s.t.Errorf("%s has mode %v", path, info.Mode())
			}
			if owner := info.Sys().(*syscall.Stat_t); folder != "keys" && owner.Gid != sharedGroup {
				s.t.Errorf("%s belongs to group %d", path, owner.Gid)
			}
			return nil
		})
		if err != nil {
			s.t.Error(err)
		}
	}
}
