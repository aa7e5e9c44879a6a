package main

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"dropslot/config"
	"dropslot/gateway"
	"dropslot/gateway/records/recordstest"
	"dropslot/gateway/seal"
	"dropslot/linkstore"
	"dropslot/templates"
)

// BenchmarkDeskPages measures whole pages of the desk as its server makes them,
// with a million submissions and as many rows of the audit trail; with -short,
// a hundredth. Run it with -benchtime 20x: a page's first answer stands
// beside the median of the others.
func BenchmarkDeskPages(b *testing.B) {
	rows := 1_000_000
	if testing.Short() {
		rows = 10_000
	}
	b.Run("sqlite", func(b *testing.B) { benchDesk(b, "sqlite:records.db", rows) })
	b.Run("postgres", func(b *testing.B) { benchDesk(b, recordstest.Postgres(b), rows) })
	b.Cleanup(recordstest.Stop)
}

func benchDesk(b *testing.B, records string, rows int) {
	h := newBenchDesk(b, records)
	began := time.Now()
	h.fill(rows)
	b.Logf("%d rows made in %s", rows, time.Since(began).Round(time.Second))
	post := func(pairs ...string) func() *httptest.ResponseRecorder {
		form := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			form.Set(pairs[i], pairs[i+1])
		}
		return func() *httptest.ResponseRecorder { return h.ask(http.MethodPost, "/audit", form) }
	}
	get := func(path string) func() *httptest.ResponseRecorder {
		return func() *httptest.ResponseRecorder { return h.ask(http.MethodGet, path, nil) }
	}
	for _, page := range []struct {
		name string
		ask  func() *httptest.ResponseRecorder
	}{
		{"inbox", get("/")},
		{"inbox done", get("/?done=1")},
		{"inbox mine", get("/?mine=1")},
		{"inbox overdue", get("/?overdue=1")},
		{"retention", get("/retention")},
		{"figures", get("/figures")},
		{"audit", post()},
		{"audit person", post("person", gateway.ActorStaff(h.staff))},
		{"audit a client", post("person", "client")},
		{"audit action", post("action", "page.viewed")},
		{"audit rare action", post("action", "hold.placed")},
		{"audit link made", post("action", "link.issued")},
		{"audit refused", post("outcome", "denied")},
		{"audit failed", post("outcome", "failed")},
		{"audit done", post("outcome", "done")},
		{"audit days", post("from", "2026-11-01", "to", "2026-11-02")},
		{"audit person and action", post("person", gateway.ActorStaff(h.staff), "action", "hold.placed")},
		{"audit client's rare action", post("person", "client", "action", "hold.placed")},
		{"audit reference", post("client", "BCDFG")},
		{"audit phone", post("client", client)},
	} {
		began := time.Now()
		page.ask()
		first := time.Since(began)
		b.Run(page.name, func(b *testing.B) {
			var took []time.Duration
			for range b.N {
				began := time.Now()
				answer := page.ask()
				took = append(took, time.Since(began))
				if answer.Code != http.StatusOK || answer.Body.Len() < 1000 {
					b.Fatalf("status %d", answer.Code)
				}
			}
			slices.Sort(took)
			b.ReportMetric(float64(first.Microseconds())/1000, "first-ms")
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "median-ms")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// deskUnderLoad is the desk with its records, and somebody signed in.
type deskUnderLoad struct {
	*parts
	b       *testing.B
	db      *sql.DB
	handler http.Handler
	staff   gateway.StaffID
	cookie  string
}

func newBenchDesk(b *testing.B, records string) *deskUnderLoad {
	b.Helper()
	redis, stop, err := linkstore.StartEmbedded()
	must(b, err)
	b.Cleanup(stop)
	place := &demoPlace{
		dir: b.TempDir(), intake: "127.0.0.1:0", desk: "127.0.0.1:0", ops: "127.0.0.1:0", phone: "127.0.0.1:1", twilio: "127.0.0.1:1",
		intakeURL: "https://docs.example.gov", deskURL: "http://127.0.0.1:1", authToken: "0123456789abcdef", password: "only for the benchmark",
	}
	keys, err := rigKeys()
	must(b, err)
	_, err = place.configure(keys, redis)
	must(b, err)
	file := filepath.Join(place.dir, "demo.yaml")
	must(b, os.WriteFile(file, []byte(place.yaml(redis)+fmt.Sprintf("records: {url: %q}\n", records)), 0o600))
	c, err := config.Load(file, config.RoleAll)
	must(b, err)
	log := slog.New(slog.DiscardHandler)
	must(b, place.addCaseworker(b.Context(), c, log))
	h := &deskUnderLoad{b: b}
	h.parts, err = openParts(b.Context(), c, log, false)
	must(b, err)
	b.Cleanup(func() { _ = h.close() })
	must(b, h.openRedis(b.Context()))
	h.db, _ = h.records.Queue()
	people, err := h.records.ListStaff(b.Context())
	must(b, err)
	h.staff = people[0].ID
	pages, err := templates.LoadPages(h.texts)
	must(b, err)
	opener := seal.NewOpener(map[gateway.OfficeID][]seal.Identity{demoOffice: {keys.identity}})
	h.handler, err = h.desk(pages, opener, rates{}.orDefault(), prometheus.NewRegistry())
	must(b, err)
	answer := h.ask(http.MethodPost, "/login", url.Values{"login": {demoLogin}, "password": {place.password}})
	for _, cookie := range answer.Result().Cookies() {
		if cookie.Name == "__Host-desk" {
			h.cookie = cookie.Name + "=" + cookie.Value
		}
	}
	if h.cookie == "" {
		b.Fatalf("not signed in: %d", answer.Code)
	}
	return h
}

func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (h *deskUnderLoad) ask(method, path string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(h.b.Context(), method, path, strings.NewReader(form.Encode()))
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Cookie", h.cookie)
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	return w
}

// manyRows begins a statement that makes rows 1 to $1.
const manyRows = " WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1) SELECT "

// number writes i with zeros before it, as long as the count of digits.
func number(digits int) string {
	return fmt.Sprintf("SUBSTR(CAST(%d + i AS TEXT), 2)", pow10(digits))
}

func pow10(n int) (p int64) {
	for p = 1; n > 0; n-- {
		p *= 10
	}
	return p
}

// fill makes what years leave: a submission a minute up to now, most of them
// done, each named; in the trail, rows of clients, staff and the worker.
func (h *deskUnderLoad) fill(rows int) {
	h.b.Helper()
	now := time.Now().UnixMilli()
	phone, err := gateway.ParsePhone(client)
	must(h.b, err)
	sealedPhone, err := h.phones.Seal(phone)
	must(h.b, err)
	name, sum := h.sealedName("Ana"), sha256.Sum256(nil)
	id, bytes16 := "'06h00000000000' || "+number(12), "CAST("+number(16)+" AS BLOB)"
	if _, dialect := h.records.Queue(); dialect != "sqlite" {
		bytes16 = "CAST(" + number(16) + " AS BYTEA)"
	}
	h.do(`INSERT INTO submissions (id, office, number, sender, phone, language, state, unfinished, opened_at, arrived_at, last_page_at, finished_at,
		pages, bytes, sealed_name, handled_at, handled_by, handled_as, handled_note, lacks, origin, staff, revision, handled, archived_at, reference, stage)`+
		manyRows+id+", '"+string(demoOffice)+"', '+15551230100', "+bytes16+", $2, 'en', CASE WHEN i % 10 < 8 THEN 'handled' ELSE 'received' END, 0, "+
		"CAST($3 AS BIGINT) - ($1 - i) * CAST(60000 AS BIGINT), CAST($3 AS BIGINT) - ($1 - i) * CAST(60000 AS BIGINT), CAST($3 AS BIGINT) - ($1 - i) * CAST(60000 AS BIGINT), CAST($3 AS BIGINT) - ($1 - i) * CAST(60000 AS BIGINT), 3, 9000000, $4, "+
		"CASE WHEN i % 10 < 8 THEN CAST($3 AS BIGINT) - ($1 - i) * CAST(60000 AS BIGINT) ELSE 0 END, '', '', '', 0, '', '', 0, CASE WHEN i % 10 < 8 THEN 1 ELSE 0 END, 1, "+
		"CASE WHEN i = 5 THEN 'BCDFG' ELSE '' END, CASE i % 3 WHEN 0 THEN 'new' WHEN 1 THEN 'open' ELSE 'waiting' END FROM n", rows, []byte(sealedPhone), now, name)
	for i := range 1000 { // those that a page shows have names of their own
		h.do("UPDATE submissions SET sealed_name = $1 WHERE id = '06h00000000000' || SUBSTR(CAST(1000000000000 + $2 AS TEXT), 2)",
			h.sealedName(fmt.Sprint("Client ", i)), rows-i)
	}
	chain, err := gateway.NewID(time.Now().Add(-time.Hour), rand.Reader)
	must(h.b, err)
	h.do("INSERT INTO audit (chain, seq, at, actor, action, object, office, origin, outcome, reason, mac)"+manyRows+
		"CAST($2 AS TEXT), i, CAST($3 AS BIGINT) - ($1 - i) * CAST(60000 AS BIGINT), CASE WHEN i % 10 < 6 THEN 'client' WHEN i % 10 < 9 THEN CAST($4 AS TEXT) ELSE 'role:worker' END, "+
		"CASE WHEN i % 10 < 3 THEN 'link.issued' WHEN i % 10 < 6 THEN 'page.received' WHEN i % 10 < 9 THEN 'page.viewed' ELSE 'twilio.erased' END, "+
		"'submission:' || "+id+", '"+string(demoOffice)+"', '', CASE WHEN i % 1000 = 7 THEN 'denied' ELSE 'done' END, '', $5 FROM n",
		rows, chain, now, gateway.ActorStaff(h.staff), sum[:])
	for i := range 150 {
		h.do(`INSERT INTO figures (office, week, texts, links, used, brought, timed, first_median, first_p90, pages, removed, retakes, waiting, waiting_ms, oldest_ms, counted_at)
			VALUES ($1, $2, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9)`, string(demoOffice), string(gateway.WeekOf(time.Now().AddDate(0, 0, -7*i), time.UTC)))
	}
	h.do("ANALYZE")
}

func (h *deskUnderLoad) sealedName(name string) []byte {
	var out bytes.Buffer
	w, err := h.sealer.Seal(demoOffice, &out)
	must(h.b, err)
	_, err = w.Write([]byte(name + "\n"))
	must(h.b, err)
	must(h.b, w.Close())
	return out.Bytes()
}

func (h *deskUnderLoad) do(statement string, args ...any) {
	h.b.Helper()
	if _, err := h.db.ExecContext(h.b.Context(), statement, args...); err != nil {
		h.b.Fatalf("%s: %v", statement[:60], err)
	}
}
