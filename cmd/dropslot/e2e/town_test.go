package e2e

import (
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"

	"dropslot/gateway/twilio/twiliotest"
)

const (
	staffLogin    = "dana"
	staffPassword = "correct horse battery staple canary"
)

// town is everything there is: a house with the three roles as processes, a
// Twilio, people's phones and one browser.
type town struct {
	*house
	t       *testing.T
	browser *browser
	twilio  *twiliotest.Fake
	redis   *redis.Client
	roles   map[string]*process
	secrets *secrets
}

// openTown starts it all, after the changes to the house if there are any.
func openTown(t *testing.T, changes ...func(*house)) *town {
	t.Helper()
	fake := twiliotest.New(twiliotest.Config{Accounts: map[string]string{accountSID: authToken}})
	api := httptest.NewServer(fake)
	t.Cleanup(api.Close)
	t.Cleanup(fake.Close)
	w := &town{t: t, house: newHouse(t, api.URL), twilio: fake, secrets: &secrets{known: map[string]string{}}}
	for _, change := range changes {
		change(w.house)
	}
	fake.Set(ourNumber, twiliotest.Number{Account: accountSID, MessageURL: "http://" + w.public + "/twilio/messages"})
	w.redis = redis.NewClient(&redis.Options{Addr: w.house.redis})
	t.Cleanup(func() { w.redis.Close() })
	// What Redis compresses on its disk could hide what is searched for there.
	if err := w.redis.ConfigSet(t.Context(), "rdbcompression", "no").Err(); err != nil {
		t.Fatal(err)
	}
	w.command(staffPassword+"\n", "staff", "add", staffLogin, "--office", "north", "-c", w.config, "--password-file", w.secretFile(staffPassword))
	w.secrets.keep("the caseworker's password", staffPassword)
	w.secrets.keep("the passphrase of the office's key", passphrase)
	w.roles = w.serve("intake", "desk", "worker")
	w.browser = openBrowser(t, payStatement)
	return w
}

// on gives the same town to a part of the test. If that fails, it tells what
// the processes complained of meanwhile.
func (w *town) on(t *testing.T) *town {
	begun := len(w.said.String())
	t.Cleanup(func() {
		for line := range strings.Lines(w.said.String()[begun:]) {
			if t.Failed() && strings.Contains(line, `"level":"ERROR"`) {
				t.Log(line)
			}
		}
	})
	part, house := *w, *w.house
	house.t = t
	part.t, part.house, part.browser = t, &house, w.browser.on(t)
	return &part
}

// secretFile keeps a secret outside of the house, where nothing is searched.
func (w *town) secretFile(secret string) string {
	w.t.Helper()
	file, err := os.CreateTemp(w.t.TempDir(), "secret")
	if err != nil {
		w.t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteString(secret + "\n"); err != nil {
		w.t.Fatal(err)
	}
	return file.Name()
}

// secrets are what may come to rest nowhere in clear: what people wrote, sent
// and hold. The value says what it is.
type secrets struct {
	mutex sync.Mutex
	known map[string]string
}

func (s *secrets) keep(what, secret string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if len(secret) < 8 {
		panic("too short to be searched for: " + what)
	}
	s.known[secret] = what
}

// keepName keeps the parts of a name that are long enough to be searched for.
func (s *secrets) keepName(parts ...string) {
	for _, part := range parts {
		if len(part) >= 8 {
			s.keep("a part of a client's name", part)
		}
	}
}

// keepPhone keeps a number in the forms in which people and programs write it.
func (s *secrets) keepPhone(e164 string) {
	national := strings.TrimPrefix(e164, "+1")
	area, exchange, line := national[:3], national[3:6], national[6:]
	for _, form := range []string{
		national, area + "-" + exchange + "-" + line, "(" + area + ") " + exchange + "-" + line, area + " " + exchange + " " + line,
	} {
		s.keep("a client's phone number", form)
	}
}
