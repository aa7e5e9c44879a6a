package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"dropslot/gateway"
	"dropslot/gateway/twilio"
	"dropslot/gateway/twilio/twiliotest"
	"dropslot/templates"
)

// town is the rig behind a fake Twilio: webhooks really arrive over HTTP, and
// the worker's flows really ask the REST API. The worker's clock is the rig's.
type town struct {
	*rig
	fake      *twiliotest.Fake
	channel   *gateway.Channel
	sendings  *gateway.Sendings
	leftovers *gateway.Leftovers
	down      atomic.Bool // no webhook arrives
	api       string      // address of the REST API
}

// ourHost leads webhooks and callbacks for the public URL to the test's server.
type ourHost struct {
	server *url.URL
	down   *atomic.Bool
}

func (h ourHost) RoundTrip(r *http.Request) (*http.Response, error) {
	if h.down.Load() {
		return nil, errors.New("the intake is out of reach")
	}
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host = h.server.Scheme, h.server.Host
	return http.DefaultTransport.RoundTrip(r)
}

// newTown serves the intake and the fake; over is what the REST API's requests
// pass through, nil for nothing.
func newTown(t *testing.T, over func(http.Handler) http.Handler) *town {
	t.Helper()
	r := newRig(t)
	pages, err := templates.LoadPages(r.texts)
	if err != nil {
		t.Fatal(err)
	}
	handler, err := r.intake(pages, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	intake := httptest.NewServer(handler)
	t.Cleanup(intake.Close)
	at, err := url.Parse(intake.URL)
	if err != nil {
		t.Fatal(err)
	}
	webhook := r.config.PublicURL + "/twilio/messages"
	tw := &town{rig: r}
	tw.fake = twiliotest.New(twiliotest.Config{
		Accounts: map[string]string{demoAccount: r.config.Twilio.AuthTokens[0].Reveal()},
		Numbers: map[string]twiliotest.Number{demoNumber: {
			Account: demoAccount, MessageURL: webhook + "#rc=2&rp=all", FallbackURL: webhook,
		}},
		Now: r.now, Transport: ourHost{at, &tw.down},
	})
	t.Cleanup(tw.fake.Close)
	var rest http.Handler = tw.fake
	if over != nil {
		rest = over(rest)
	}
	api := httptest.NewServer(rest)
	t.Cleanup(api.Close)
	tw.api = api.URL
	accounts, numbers := accountsOf(r.config)
	client, err := twilio.NewClient(twilio.ClientConfig{
		APIURL: api.URL, Accounts: accounts, Numbers: numbers, Timeout: 500 * time.Millisecond, Now: r.now,
		Wait: func(context.Context, time.Duration) error { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	tw.channel = &gateway.Channel{
		Directory: r.directory, Limits: r.limits, Records: r.records, Twilio: client, Vault: r.vault, Sealer: r.sealer,
		Archive: r.archive, SameKey: r.key.Subkey(gateway.SubkeyPages), Now: r.now, Random: rand.Reader, Log: r.log,
	}
	tw.sendings = r.sendingsBy(client)
	tw.sendings.Limiter = atOnce{}
	tw.leftovers = &gateway.Leftovers{
		Directory: r.directory, Limits: r.limits, Records: r.records, Twilio: client, Phones: r.phones, Now: r.now,
		NewID: func(now time.Time) (string, error) { return gateway.NewID(now, rand.Reader) },
	}
	return tw
}

// atOnce keeps no number waiting.
type atOnce struct{}

func (atOnce) Allow(context.Context, string, string, int, time.Duration) (bool, time.Duration, error) {
	return true, 0, nil
}

// text lets a person text the office.
func (w *town) text(from, words string, media ...twiliotest.Media) twiliotest.Exchange {
	w.t.Helper()
	e, err := w.fake.Text(w.t.Context(), twiliotest.Inbound{From: from, To: demoNumber, Body: words, Media: media})
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

// collect lets the worker do what is due of the rows. The intake lives by the
// real clock, and the worker's is never behind it.
func (w *town) collect() {
	w.t.Helper()
	if behind := time.Since(w.now()); behind > 0 {
		w.wait(behind + time.Second)
	}
	w.tolerate(w.channel.Run(w.t.Context()))
}

// work lets the worker do what is due: the rows' queues, and the jobs that
// their transactions asked for.
func (w *town) work() {
	w.t.Helper()
	w.collect()
	for _, id := range w.ids("SELECT DISTINCT submission FROM texts WHERE media_count > 0 AND told_at = 0 AND submission <> '' AND step <> 'collect'") {
		w.tolerate(w.sendings.TellPhotos(w.t.Context(), gateway.SubmissionID(id)))
	}
	for _, id := range w.ids("SELECT id FROM sendings WHERE sid = '' AND state IN ('sending', 'unknown')") {
		w.tolerate(w.sendings.Send(w.t.Context(), gateway.SendingID(id)))
	}
	w.fake.Settle()
}

// tolerate lets pass what the queue would try again; a disk that is too slow for
// a write is among it, since the row's lease brings the row back.
func (w *town) tolerate(err error) {
	w.t.Helper()
	later := &gateway.LaterError{}
	if err != nil && !errors.As(err, &later) && !gateway.Is(err, gateway.CodeUnavailable) && !gateway.Is(err, gateway.CodeSendFailed) &&
		!gateway.Is(err, gateway.CodeNotFound) && !strings.Contains(err.Error(), "did not answer in time") {
		w.t.Fatal(err)
	}
}

func (w *town) db() *sql.DB {
	db, _ := w.records.Queue()
	return db
}

func (w *town) ids(query string) (ids []string) {
	w.t.Helper()
	rows, err := w.db().QueryContext(w.t.Context(), query)
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			w.t.Fatal(err)
		}
		ids = append(ids, id)
	}
	if err := rows.Err(); err != nil {
		w.t.Fatal(err)
	}
	return ids
}

func (w *town) count(from string) (n int) {
	w.t.Helper()
	if err := w.db().QueryRowContext(w.t.Context(), "SELECT COUNT(*) FROM "+from).Scan(&n); err != nil {
		w.t.Fatalf("%s: %v", from, err)
	}
	return n
}

// left counts what the account still holds: words of either side, and media.
func (w *town) left() (words, media int) {
	for _, m := range w.fake.Left() {
		if m.Body != "" {
			words++
		}
		media += len(m.Media)
	}
	return words, media
}
