package records

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"dropslot/gateway"
	"dropslot/gateway/records/recordstest"
)

func TestMain(m *testing.M) {
	code := m.Run()
	recordstest.Stop()
	os.Exit(code)
}

const (
	north gateway.OfficeID = "north"
	south gateway.OfficeID = "south"
)

var (
	noon    = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	testKey = []byte("0123456789abcdef0123456789abcdef")
)

// world is a Store with what tests need around it. Its clock stands still.
type world struct {
	*Store
	t   testing.TB
	url string
}

// onBoth runs a test on SQLite and on Postgres.
func onBoth(t *testing.T, test func(t *testing.T, w *world)) {
	t.Run("sqlite", func(t *testing.T) {
		test(t, openWorld(t, readySQLite(t)))
	})
	t.Run("postgres", func(t *testing.T) {
		test(t, openWorld(t, recordstest.PostgresReady(t, prepare)))
	})
}

// sqliteURL is where there are no records yet.
func sqliteURL(t testing.TB) string {
	return "sqlite:" + filepath.Join(t.TempDir(), "records.db")
}

// readySQLite is where there are empty records.
func readySQLite(t testing.TB) string { return recordstest.SQLiteReady(t, prepare) }

// prepare makes records that tests get copies of.
func prepare(url string) error {
	s, err := Open(context.Background(), url, options())
	if err != nil {
		return err
	}
	return s.Close()
}

func openWorld(t testing.TB, url string) *world {
	t.Helper()
	return openWorldWith(t, url, options())
}

func openWorldWith(t testing.TB, url string, o Options) *world {
	t.Helper()
	s, err := Open(t.Context(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return &world{Store: s, t: t, url: url}
}

// options have the patience for a machine that is busy with other things.
func options() Options {
	return Options{AuditKey: testKey, Now: func() time.Time { return noon }, Patience: time.Minute}
}

// another opens the same records as a second process would.
func (w *world) another() *world { return openWorld(w.t, w.url) }

// raw runs SQL past the Store, as somebody with access to the database could.
func (w *world) raw(statement string, args ...any) {
	w.t.Helper()
	db := w.database()
	defer db.Close()
	if _, err := db.ExecContext(w.t.Context(), statement, args...); err != nil {
		w.t.Fatalf("%s: %v", statement, err)
	}
}

func (w *world) database() *sql.DB {
	driver, address := "pgx", w.url
	if path, ok := strings.CutPrefix(w.url, "sqlite:"); ok {
		driver, address = "sqlite", "file:"+path+"?_busy_timeout=5000"
	}
	db, err := sql.Open(driver, address)
	if err != nil {
		w.t.Fatal(err)
	}
	return db
}

// count gives the number of rows that a condition holds for.
func (w *world) count(from string, args ...any) (n int) {
	w.t.Helper()
	db := w.database()
	defer db.Close()
	if err := db.QueryRowContext(w.t.Context(), "SELECT COUNT(*) FROM "+from, args...).Scan(&n); err != nil {
		w.t.Fatalf("%s: %v", from, err)
	}
	return n
}

// check fails the test unless the error has the code; "" means no error.
func (w *world) check(err error, want gateway.Code) {
	w.t.Helper()
	switch {
	case want == "" && err != nil:
		w.t.Fatalf("unexpected error: %v", err)
	case want != "" && !gateway.Is(err, want):
		w.t.Fatalf("error is %v, want code %s", err, want)
	}
}

func newID(t testing.TB) string { return newIDAt(t, noon) }

func newIDAt(t testing.TB, at time.Time) string {
	id, err := gateway.NewID(at, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func phone(office gateway.OfficeID, n int) gateway.PhoneIndex {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", office, n))
	return gateway.PhoneIndex(sum[:16])
}

func browser(n int) gateway.BrowserHash {
	return sha256.Sum256(fmt.Appendf(nil, "browser %d", n))
}

func newLink(t testing.TB, office gateway.OfficeID, sender gateway.PhoneIndex, at time.Time) gateway.Link {
	id, submission := newID(t), newID(t)
	l := gateway.Link{
		ID: gateway.LinkID(id), Hash: sha256.Sum256([]byte("token " + id)), Office: office, Number: "+15551230100",
		Sender: sender, Phone: gateway.SealedPhone("sealed " + id), Submission: gateway.SubmissionID(submission),
		Language: "es", Origin: gateway.OriginText, IssuedAt: at, ExpiresAt: at.Add(4 * time.Hour), State: gateway.LinkIssued,
	}
	copy(l.Nonce[:], "nonce of a link.")
	return l
}

func newText(t testing.TB, office gateway.OfficeID, sender gateway.PhoneIndex) gateway.Text {
	id := newID(t)
	return gateway.Text{
		ID: gateway.TextID(id), AccountSID: "AC0", MessageSID: "SM" + id, Office: office, Number: "+15551230100",
		Sender: sender, Phone: gateway.SealedPhone("sealed"), ReceivedAt: noon,
	}
}

func entry(action gateway.Action, object string) gateway.AuditEntry {
	return gateway.AuditEntry{
		At: noon, Actor: gateway.ActorClient, Action: action, Object: object, Office: north, Outcome: gateway.OutcomeDone,
	}
}

// nothingKept is what happens to what a text holds that is only erased.
var nothingKept = gateway.Keeping{Media: gateway.MediaNone, Words: gateway.WordsNotKept, Step: gateway.StepErase}

// answerWith is a decision to send a link, as the flow makes it.
func answerWith(l gateway.Link) func(gateway.Standing) (gateway.TextOutcome, error) {
	return func(s gateway.Standing) (gateway.TextOutcome, error) {
		link := l
		if s.Submission != "" {
			link.Submission = s.Submission
		}
		s.Language, s.LastAnswerAt, s.HourStart, s.DayStart = "es", noon, noon, noon
		s.HourCount++
		s.DayCount++
		s.Link, s.Submission = link.ID, link.Submission
		return gateway.TextOutcome{
			Decision: gateway.Decision{
				Reason: gateway.ReasonAnswered, Occasion: gateway.OccasionLink, Language: "es", Standing: s,
			},
			Keeping:    gateway.Keeping{Media: gateway.MediaNone, Words: gateway.WordsPending, Step: gateway.StepCollect},
			Submission: link.Submission, Link: &link, Audit: []gateway.AuditEntry{entry(gateway.ActionLinkIssued, "link:"+string(link.ID))},
		}, nil
	}
}

// text lets a sender text and be answered, and gives the link.
func (w *world) text(office gateway.OfficeID, sender gateway.PhoneIndex) gateway.Link {
	w.t.Helper()
	outcome, earlier, err := w.ReceiveText(w.t.Context(), newText(w.t, office, sender), answerWith(newLink(w.t, office, sender, noon)))
	if err != nil || earlier != nil {
		w.t.Fatalf("receive: %v, earlier %v", err, earlier)
	}
	return *outcome.Link
}

func (w *world) claim(l gateway.Link, b gateway.BrowserHash, at time.Time) gateway.Link {
	w.t.Helper()
	got, err := w.ClaimLink(w.t.Context(), l.Hash, newClaim(w.t, b, at), entry(gateway.ActionLinkClaimed, "link:"+string(l.ID)))
	w.check(err, "")
	return got
}

// finish is a client's "I'm done", with the receipt that is texted.
func finish(t testing.TB, at time.Time) gateway.Finish {
	return gateway.Finish{
		SealedName: []byte("sealed name"), At: at,
		Receipt: gateway.Sending{
			ID: gateway.SendingID(newID(t)), Occasion: gateway.OccasionReceipt, State: gateway.DeliverySending, CreatedAt: at, UpdatedAt: at,
		},
	}
}

func newClaim(t testing.TB, b gateway.BrowserHash, at time.Time) gateway.Claim {
	return gateway.Claim{
		Browser: b, At: at, IdleAt: at.Add(2 * time.Hour), EndsAt: at.Add(24 * time.Hour), Fresh: gateway.SubmissionID(newID(t)),
	}
}

// session texts and claims.
func (w *world) session(office gateway.OfficeID, n int) gateway.Link {
	w.t.Helper()
	return w.claim(w.text(office, phone(office, n)), browser(n), noon)
}

func newPage(t testing.TB, l gateway.Link, at time.Time) gateway.Page {
	id := newID(t)
	return gateway.Page{
		ID: gateway.PageID(id), Key: gateway.PageKey("key-" + id), Submission: l.Submission, Office: l.Office, Link: l.ID,
		Blob:   gateway.BlobName("submissions/" + string(l.Office) + "/" + string(l.Submission) + "/page-" + id + ".age"),
		Digest: sha256.Sum256([]byte(id)), Same: sha256.Sum256([]byte(id)), SealedBytes: 3000, PlainBytes: 1000,
		Sealing: gateway.SealedByBrowser, Label: "photo-id", ReceivedAt: at,
	}
}

func (w *world) page(l gateway.Link, at time.Time) gateway.Page {
	w.t.Helper()
	p, stored, err := w.SavePage(w.t.Context(), newPage(w.t, l, at), gateway.DefaultLimits(), entry(gateway.ActionPageReceived, ""))
	if err != nil || !stored {
		w.t.Fatalf("save page: stored %v, %v", stored, err)
	}
	return p
}

func (w *world) finish(l gateway.Link, at time.Time) gateway.Submission {
	w.t.Helper()
	s, err := w.FinishSubmission(w.t.Context(), l.ID, l.Submission, finish(w.t, at), entry(gateway.ActionSubmissionDone, ""))
	w.check(err, "")
	return s
}

// race runs a function n times at once and gives the errors.
func race(n int, run func(i int) error) []error {
	errs := make([]error, n)
	var ready, done sync.WaitGroup
	ready.Add(n)
	for i := range n {
		done.Go(func() {
			ready.Done()
			ready.Wait()
			errs[i] = run(i)
		})
	}
	done.Wait()
	return errs
}

// proven fails the test unless the audit trail is whole and bears out the head.
func (w *world) proven(stores ...*Store) Report {
	w.t.Helper()
	var heads []gateway.AuditHead
	for _, s := range append(stores, w.Store) {
		if head, ok, err := s.Head(context.Background()); err != nil {
			w.t.Fatal(err)
		} else if ok {
			heads = append(heads, head)
		}
	}
	report, err := w.Verify(w.t.Context(), heads)
	if err != nil || !report.OK() {
		w.t.Fatalf("verify: %v\n%s", err, report)
	}
	return report
}
