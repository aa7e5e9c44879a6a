package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"dropslot/config"
	"dropslot/gateway"
)

func staffOf(offices ...gateway.OfficeID) gateway.Actor {
	return gateway.Actor{Staff: gateway.Staff{ID: "0000000000000000000000staf", Roles: gateway.RolesIn(gateway.RoleSupervisor, offices...)}, From: "192.0.2.1"}
}

// opened reads a page at the desk.
func (r *rig) opened(id gateway.PageID) []byte {
	r.t.Helper()
	page, err := r.desk.OpenPage(r.t.Context(), staffOf(demoOffice), id, false)
	if err != nil {
		r.t.Fatalf("open page: %v", err)
	}
	defer func() { _ = page.Close() }()
	content, err := io.ReadAll(page.Content)
	if err != nil {
		r.t.Fatal(err)
	}
	return content
}

func TestAPageIsStoredOnceHoweverOftenItIsSent(t *testing.T) {
	r := newRig(t)
	s, b := r.session(client)
	plain := picture(t, 20)
	sealed := r.sealed(plain)
	first, err := r.send(s, "page-0000000000000001", sealed)
	if err != nil {
		t.Fatal(err)
	}
	again, err := r.send(s, "page-0000000000000001", sealed) // its 201 was lost
	if err != nil || again.ID != first.ID {
		t.Errorf("the retry: got %v", err)
	}
	if _, err := r.send(s, "page-0000000000000001", r.sealed(plain)); !gateway.Is(err, gateway.CodePageConflict) {
		t.Errorf("another page under the same key: got %v", err)
	}
	if s = r.resume(s.Submission.ID, b); len(s.Pages) != 1 {
		t.Fatalf("%d pages, want 1", len(s.Pages))
	}
	if !bytes.Equal(r.opened(first.ID), plain) {
		t.Error("the desk opens something else than was sent")
	}
	if err := r.uploads.Remove(t.Context(), s, "page-0000000000000002"); !gateway.Is(err, gateway.CodePageUnknown) {
		t.Errorf("the removal of what never came: got %v", err)
	}
	if err := r.uploads.Remove(t.Context(), s, first.Key); err != nil {
		t.Fatal(err)
	}
	if _, err := r.send(s, "page-0000000000000001", sealed); !gateway.Is(err, gateway.CodePageRemoved) {
		t.Errorf("a removed page sent again: got %v", err)
	}
	if files := r.files("page-"); len(files) != 1 || !strings.Contains(files[0], "erased-page-") {
		t.Errorf("after the removal the vault holds %v, want a tombstone alone", files)
	}
}

// files lists the vault's objects whose name holds a word.
func (r *rig) files(word string) []string {
	r.t.Helper()
	var names []string
	err := r.vault.List(r.t.Context(), "", func(info gateway.BlobInfo) error {
		if strings.Contains(string(info.Name), word) {
			names = append(names, string(info.Name))
		}
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return names
}

// file finds where an object lies on disk.
func (r *rig) file(name gateway.BlobName) string {
	r.t.Helper()
	found := ""
	err := filepath.WalkDir(r.config.VaultFolder(), func(path string, _ os.DirEntry, err error) error {
		if strings.HasSuffix(path, filepath.FromSlash(string(name))) {
			found = path
		}
		return err
	})
	if err != nil || found == "" {
		r.t.Fatalf("%s is nowhere on disk: %v", name, err)
	}
	return found
}

func TestAPageIsRefusedWithItsReason(t *testing.T) {
	r := newRig(t)
	s, _ := r.session(client)
	good := r.sealed(picture(t, 30))
	flipped := bytes.Clone(good)
	flipped[len(flipped)-1] ^= 1
	big := r.sealed(make([]byte, r.limits.PageBytes+1))
	for name, test := range map[string]struct {
		sealed []byte
		digest gateway.Digest
		want   gateway.Code
	}{
		"changed on the way":      {flipped, sha256.Sum256(good), gateway.CodePageDigest},
		"cut on the way":          {good[:len(good)-5], sha256.Sum256(good), gateway.CodePageDigest},
		"not sealed at all":       {picture(t, 1), sha256.Sum256(picture(t, 1)), gateway.CodePageSeal},
		"nothing inside the seal": {r.sealed(nil), sha256.Sum256(nil), gateway.CodePageEmpty},
		"no bytes":                {nil, sha256.Sum256(nil), gateway.CodePageEmpty},
		"too big":                 {big, sha256.Sum256(big), gateway.CodePageTooBig},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := r.uploads.AcceptSealed(t.Context(), s, gateway.SealedPage{
				Key: "page-000000000000000x", Digest: test.digest, Length: -1, Body: bytes.NewReader(test.sealed),
			})
			if !gateway.Is(err, test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
	_, err := r.uploads.AcceptSealed(t.Context(), s, gateway.SealedPage{
		Key: "page-000000000000000x", Digest: sha256.Sum256(good), Length: -1,
		Body: io.MultiReader(bytes.NewReader(good), iotest.ErrReader(io.ErrUnexpectedEOF)),
	})
	if err == nil {
		t.Error("a connection that broke off was taken for the end")
	}
	if files := r.files("page-"); len(files) != 0 {
		t.Errorf("refused pages left %v", files)
	}
}

func TestAPageSealedHereLosesItsMetadataAndIsKnownAgain(t *testing.T) {
	r := newRig(t)
	s, _ := r.session(client)
	plain := picture(t, 40)
	withText := append(bytes.Clone(plain), "trailing secret"...)
	send := func(content []byte) (gateway.Page, error) {
		return r.uploads.AcceptPlain(t.Context(), s, gateway.PlainPage{Key: "form-0000000000000001", Label: "photo-id", Body: bytes.NewReader(content)})
	}
	page, err := send(withText)
	if err != nil {
		t.Fatal(err)
	}
	if got := r.opened(page.ID); !bytes.Equal(got, plain) {
		t.Errorf("opened %d bytes, want the %d of the picture alone", len(got), len(plain))
	}
	if again, err := send(withText); err != nil || again.ID != page.ID {
		t.Errorf("the form sent again: got %v", err)
	}
	if _, err := send(picture(t, 41)); !gateway.Is(err, gateway.CodePageConflict) {
		t.Errorf("another picture under the same key: got %v", err)
	}
	if _, err := r.uploads.AcceptPlain(t.Context(), s, gateway.PlainPage{Key: "form-0000000000000002", Body: strings.NewReader("MZ not a picture")}); !gateway.Is(err, gateway.CodePageType) {
		t.Errorf("an unknown type: got %v", err)
	}
}

func TestTheSessionsEndIsSeenAtTheStartAndAtTheCommit(t *testing.T) {
	r := newRig(t)
	s, b := r.session(client)
	sealed := r.sealed(picture(t, 50))
	r.wait(2*time.Hour - time.Second)
	if _, err := r.send(r.resume(s.Submission.ID, b), "page-0000000000000001", sealed); err != nil {
		t.Fatalf("a second before the idle end: %v", err)
	}
	r.wait(2*time.Hour - time.Second) // the page moved the end
	late := r.resume(s.Submission.ID, b)
	slow := &slowBody{of: sealed, during: func() { r.wait(15 * time.Minute) }}
	_, err := r.uploads.AcceptSealed(t.Context(), late, gateway.SealedPage{
		Key: "page-0000000000000002", Digest: sha256.Sum256(sealed), Length: -1, Body: slow.reader(),
	})
	if err != nil {
		t.Errorf("a page that began in time and took 15 minutes: %v", err)
	}
	r.wait(3 * time.Hour)
	if _, err := r.send(r.resume(s.Submission.ID, b), "page-0000000000000003", sealed); !gateway.Is(err, gateway.CodeLinkExpired) {
		t.Errorf("after the end: got %v", err)
	}
}

// slowBody lets time pass while a body arrives.
type slowBody struct {
	of     []byte
	during func()
}

func (b *slowBody) reader() io.Reader {
	return io.MultiReader(bytes.NewReader(b.of[:len(b.of)/2]), readerFunc(func([]byte) (int, error) {
		b.during()
		return 0, io.EOF
	}), bytes.NewReader(b.of[len(b.of)/2:]))
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestCapsHoldWithAClearCode(t *testing.T) {
	r := newRig(t)
	r.uploads.Limits.LinkPages = 2
	s, b := r.session(client)
	sealed := r.sealed(picture(t, 60))
	for _, key := range []string{"page-0000000000000001", "page-0000000000000002"} {
		if _, err := r.send(s, key, sealed); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.send(s, "page-0000000000000003", sealed); !gateway.Is(err, gateway.CodeTooManyPages) { // a stale session: the records decide
		t.Errorf("the third page: got %v", err)
	}
	if _, err := r.send(r.resume(s.Submission.ID, b), "page-0000000000000004", sealed); !gateway.Is(err, gateway.CodeTooManyPages) {
		t.Errorf("the fourth page: got %v", err)
	}
	if files := r.files("/page-"); len(files) != 2 {
		t.Errorf("the vault holds %v, want two pages", files)
	}
}

// brokenPages stands for SQL that goes away after the blob is durable.
type brokenPages struct {
	gateway.SubmissionRecords
	wrote bool // whether the row was written before the answer was lost
}

func (b brokenPages) SavePage(ctx context.Context, p gateway.Page, l gateway.Limits, audit ...gateway.AuditEntry) (gateway.Page, bool, error) {
	if b.wrote {
		if _, _, err := b.SubmissionRecords.SavePage(ctx, p, l, audit...); err != nil {
			return gateway.Page{}, false, err
		}
	}
	return gateway.Page{}, false, errors.New("connection lost")
}

func TestACrashAroundTheRowLosesNothingAndLeavesNothing(t *testing.T) {
	for name, wrote := range map[string]bool{"before the row": false, "after the row, before the answer": true} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			s, b := r.session(client)
			plain := picture(t, 70)
			sealed := r.sealed(plain)
			broken := *r.uploads
			broken.Records = brokenPages{SubmissionRecords: r.records, wrote: wrote}
			_, err := broken.AcceptSealed(t.Context(), s, gateway.SealedPage{
				Key: "page-0000000000000001", Digest: sha256.Sum256(sealed), Length: -1, Body: bytes.NewReader(sealed),
			})
			if gateway.CodeOf(err) != gateway.CodeUnavailable {
				t.Fatalf("got %v", err)
			}
			page, err := r.send(s, "page-0000000000000001", sealed)
			if err != nil {
				t.Fatalf("the retry: %v", err)
			}
			r.age(25 * time.Hour)
			if err := r.house.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			if files := r.files("/page-"); len(files) != 1 {
				t.Errorf("after the sweep the vault holds %v, want one page", files)
			}
			if got := r.resume(s.Submission.ID, b); len(got.Pages) != 1 || !bytes.Equal(r.opened(page.ID), plain) {
				t.Error("the acknowledged page is not there")
			}
		})
	}
}

// age makes every object of the vault older, as time would.
func (r *rig) age(by time.Duration) {
	r.t.Helper()
	old := r.now().Add(-by)
	err := filepath.WalkDir(r.config.VaultFolder(), func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		return os.Chtimes(path, old, old)
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

func TestAnAbandonedSessionBecomesASubmissionAndAnEmptyOneDoesNot(t *testing.T) {
	r := newRig(t)
	s, _ := r.session(client)
	if _, err := r.send(s, "page-0000000000000001", r.sealed(picture(t, 80))); err != nil {
		t.Fatal(err)
	}
	r.session("+13125550143")
	r.wait(2*time.Hour + 16*time.Minute)
	if err := r.house.Expire(t.Context()); err != nil {
		t.Fatal(err)
	}
	rows, err := r.desk.Inbox(t.Context(), staffOf(demoOffice), gateway.InboxFilter{}, gateway.Cursor{}, 50)
	if err != nil || len(rows) != 1 {
		t.Fatalf("%d rows, %v; want the one with a page", len(rows), err)
	}
	if got := rows[0]; got.Submission.State != gateway.SubmissionReceived || !got.Submission.Unfinished || got.LastFour != "0142" {
		t.Errorf("got %s, unfinished=%v, %s", got.Submission.State, got.Submission.Unfinished, got.LastFour)
	}
}

func TestFinishKeepsTheNameSealedAndTheNextTextOpensAnotherSubmission(t *testing.T) {
	r := newRig(t)
	s, b := r.session(client)
	if _, err := r.uploads.Finish(t.Context(), s, gateway.Name{}); !gateway.Is(err, gateway.CodeNoPages) {
		t.Errorf("done without a page: got %v", err)
	}
	if _, err := r.send(s, "page-0000000000000001", r.sealed(picture(t, 90))); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second is a reload
		if _, err := r.uploads.Finish(t.Context(), r.resume(s.Submission.ID, b), gateway.Name{First: "  Ana\u202e  María \n"}); err != nil {
			t.Fatal(err)
		}
	}
	view, err := r.desk.Submission(t.Context(), staffOf(demoOffice), s.Submission.ID)
	if err != nil || view.Name.Whole() != "Ana María" {
		t.Errorf("name %q, %v", view.Name, err)
	}
	if _, err := r.send(r.resume(s.Submission.ID, b), "page-0000000000000002", r.sealed(picture(t, 91))); !gateway.Is(err, gateway.CodeLinkClosed) {
		t.Errorf("a page after done: got %v", err)
	}
	r.wait(time.Hour)
	next, _ := r.session(client)
	if next.Submission.ID == s.Submission.ID {
		t.Error("a text after done opened the old submission")
	}
}

func TestOfficesAreIsolatedAndTheDenialIsOnRecord(t *testing.T) {
	r := newRig(t)
	s, _ := r.session(client)
	page, err := r.send(s, "page-0000000000000001", r.sealed(picture(t, 100)))
	if err != nil {
		t.Fatal(err)
	}
	stranger := staffOf("south")
	if _, err := r.desk.Submission(t.Context(), stranger, s.Submission.ID); !gateway.Is(err, gateway.CodeNotFound) {
		t.Errorf("submission: got %v", err)
	}
	if _, err := r.desk.OpenPage(t.Context(), stranger, page.ID, false); !gateway.Is(err, gateway.CodeNotFound) {
		t.Errorf("page: got %v", err)
	}
	if rows, err := r.desk.Inbox(t.Context(), stranger, gateway.InboxFilter{}, gateway.Cursor{}, 50); err != nil || len(rows) != 0 {
		t.Errorf("inbox: %d rows, %v", len(rows), err)
	}
}

// deafTrail cannot be written.
type deafTrail struct{ gateway.AuditTrail }

func (deafTrail) Append(context.Context, ...gateway.AuditEntry) error {
	return errors.New("disk full")
}

func TestWithoutAnAuditRowNothingIsShown(t *testing.T) {
	r := newRig(t)
	s, _ := r.session(client)
	page, err := r.send(s, "page-0000000000000001", r.sealed(picture(t, 110)))
	if err != nil {
		t.Fatal(err)
	}
	r.desk.Audit = deafTrail{}
	if opened, err := r.desk.OpenPage(t.Context(), staffOf(demoOffice), page.ID, false); err == nil || opened != nil {
		t.Error("a page was shown without an audit row")
	}
	if _, err := r.desk.Inbox(t.Context(), staffOf(demoOffice), gateway.InboxFilter{}, gateway.Cursor{}, 50); err == nil {
		t.Error("the inbox was shown without an audit row")
	}
}

func TestADamagedPageIsNotShown(t *testing.T) {
	for name, damage := range map[string]func([]byte) []byte{
		"a flipped bit": func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
		"cut":           func(b []byte) []byte { return b[:len(b)-1] },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			s, _ := r.session(client)
			page, err := r.send(s, "page-0000000000000001", r.sealed(picture(t, 120)))
			if err != nil {
				t.Fatal(err)
			}
			path := r.file(page.Blob)
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, damage(content), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := r.desk.OpenPage(t.Context(), staffOf(demoOffice), page.ID, false); !gateway.Is(err, gateway.CodeBlobDamaged) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// lost starts over with an empty database beside the same vault and keys.
func (r *rig) lost() *rig {
	r.t.Helper()
	if err := r.close(); err != nil {
		r.t.Fatal(err)
	}
	folder := filepath.Dir(r.config.VaultFolder())
	matches, err := filepath.Glob(filepath.Join(folder, "records.db*"))
	if err != nil || len(matches) == 0 {
		r.t.Fatalf("no database found: %v", err)
	}
	for _, path := range matches {
		if err := os.Remove(path); err != nil {
			r.t.Fatal(err)
		}
	}
	c, err := config.Load(filepath.Join(folder, "demo.yaml"), config.RoleAll)
	if err != nil {
		r.t.Fatal(err)
	}
	return openRig(r.t, c)
}

func (r *rig) reindex() gateway.ReindexReport {
	r.t.Helper()
	flow := &gateway.Reindex{
		Directory: r.directory, Records: r.records, Audit: r.records, Vault: r.vault, Opener: r.opener, Phones: r.phones, Now: r.now,
	}
	report, err := flow.Run(r.t.Context(), "test")
	if err != nil {
		r.t.Fatal(err)
	}
	return report
}

func TestTheSweepLeavesAloneWhatIsYoungerThanADay(t *testing.T) {
	r := newRig(t)
	s, _ := r.session(client)
	w, err := r.vault.Create(t.Context(), gateway.SubmissionPrefix(demoOffice, s.Submission.ID)+"/page-underway.age")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	if _, err := w.Write([]byte("its row follows in a moment")); err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	r.age(23 * time.Hour)
	if err := r.house.Sweep(t.Context()); err != nil || len(r.files("/page-")) != 1 {
		t.Fatalf("a blob of 23 hours was swept (%v)", err)
	}
	r.age(25 * time.Hour)
	if err := r.house.Sweep(t.Context()); err != nil || len(r.files("/page-")) != 0 {
		t.Fatalf("a blob of 25 hours was left (%v)", err)
	}
}

func TestReindexGoesOnPastADamagedManifest(t *testing.T) {
	r := newRig(t)
	var damaged gateway.BlobName
	for i, phone := range []string{client, "+13125550143"} {
		s, b := r.session(phone)
		if _, err := r.send(s, "page-0000000000000001", r.sealed(picture(t, 140))); err != nil {
			t.Fatal(err)
		}
		if _, err := r.uploads.Finish(t.Context(), r.resume(s.Submission.ID, b), gateway.Name{}); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			damaged = gateway.SubmissionPrefix(demoOffice, s.Submission.ID)
		}
	}
	if err := r.house.ArchiveEnded(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, name := range r.files("manifest-") {
		if strings.HasPrefix(name, string(damaged)) {
			path := r.file(gateway.BlobName(name))
			if err := os.WriteFile(path, []byte("no age file"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	after := r.lost()
	if report := after.reindex(); report.Restored != 2 || len(report.Damaged) != 1 {
		t.Errorf("report %+v, want both pages and one damaged manifest", report)
	}
}

// A reindex beside healthy records takes nothing that is merely under way.
func TestReindexLeavesUnacknowledgedPagesAlone(t *testing.T) {
	r := newRig(t)
	s, _ := r.session(client)
	broken := *r.uploads
	broken.Records = brokenPages{SubmissionRecords: r.records}
	sealed := r.sealed(picture(t, 150))
	_, err := broken.AcceptSealed(t.Context(), s, gateway.SealedPage{
		Key: "page-0000000000000001", Digest: sha256.Sum256(sealed), Length: -1, Body: bytes.NewReader(sealed),
	})
	if err == nil {
		t.Fatal("the broken records took the page")
	}
	if report := r.reindex(); report.Restored != 0 {
		t.Errorf("report %+v, want nothing restored", report)
	}
}

func TestReindexRebuildsTheRecordsFromTheVault(t *testing.T) {
	r := newRig(t)
	s, b := r.session(client)
	plain := picture(t, 130)
	for i, key := range []string{"page-0000000000000001", "page-0000000000000002", "page-0000000000000003"} {
		if _, err := r.send(s, key, r.sealed(append(bytes.Clone(plain), byte(i)))); err != nil {
			t.Fatal(err)
		}
		r.wait(time.Second)
	}
	if err := r.uploads.Remove(t.Context(), r.resume(s.Submission.ID, b), "page-0000000000000002"); err != nil {
		t.Fatal(err)
	}
	if _, err := r.uploads.Finish(t.Context(), r.resume(s.Submission.ID, b), gateway.Name{First: "Ana"}); err != nil {
		t.Fatal(err)
	}
	if err := r.house.ArchiveEnded(t.Context()); err != nil {
		t.Fatal(err)
	}
	open, _ := r.session("+13125550143") // still sending when the database was lost
	if _, err := r.send(open, "page-0000000000000001", r.sealed(plain)); err != nil {
		t.Fatal(err)
	}

	after := r.lost()
	after.age(25 * time.Hour)
	if err := after.house.Sweep(t.Context()); !errors.Is(err, gateway.ErrRecordsBehind) {
		t.Errorf("the sweep beside an empty database: got %v", err)
	}
	if report := after.reindex(); report.Submissions != 2 || report.Restored != 3 || report.Missing+len(report.Damaged) != 0 || report.LostHeads == 0 {
		t.Errorf("report %+v", report)
	}
	if report := after.reindex(); report.Restored != 0 {
		t.Errorf("a second run restored %d pages", report.Restored)
	}
	view, err := after.desk.Submission(t.Context(), staffOf(demoOffice), s.Submission.ID)
	if err != nil {
		t.Fatal(err)
	}
	if view.Name.Whole() != "Ana" || view.LastFour != "0142" || len(view.Pages) != 2 || view.Pages[0].Label != "pay-stub" {
		t.Errorf("restored name %q, phone %s, %d pages", view.Name, view.LastFour, len(view.Pages))
	}
	if got := after.opened(view.Pages[0].ID); !bytes.Equal(got, append(bytes.Clone(plain), 0)) {
		t.Error("a restored page opens as something else")
	}
	if err := after.house.Sweep(t.Context()); err != nil {
		t.Errorf("the sweep after the reindex: %v", err)
	}
	if files := after.files("/page-"); len(files) != 3 {
		t.Errorf("the vault holds %v, want three pages", files)
	}
}

// patience notes how long a page may wait for its record.
type patience struct {
	gateway.SubmissionRecords
	given time.Duration
	first func()
}

func (p *patience) SavePage(ctx context.Context, page gateway.Page, l gateway.Limits, audit ...gateway.AuditEntry) (gateway.Page, bool, error) {
	if deadline, limited := ctx.Deadline(); limited {
		p.given = time.Until(deadline)
	}
	p.first()
	return p.SubmissionRecords.SavePage(ctx, page, l, audit...)
}

// A whole page is on the server: it waits longer for slow records than a
// webhook may, but not for ever. A line that is cut meanwhile leaves a page that
// counts, and no blob that nobody knows of.
func TestAPageThatArrivedWaitsForSlowRecords(t *testing.T) {
	r := newRig(t)
	s, _ := r.session(client)
	ctx, cut := context.WithCancel(t.Context())
	p := &patience{SubmissionRecords: r.uploads.Records, first: cut}
	r.uploads.Records = p
	sealed := r.sealed(picture(t, 20))
	page, err := r.uploads.AcceptSealed(ctx, s, gateway.SealedPage{
		Key: "page-0000000000000001", Digest: sha256.Sum256(sealed), Length: int64(len(sealed)), Body: bytes.NewReader(sealed),
	})
	if err != nil {
		t.Fatal(err)
	}
	if again, err := r.send(s, "page-0000000000000001", sealed); err != nil || again.ID != page.ID || len(r.files("/page-")) != 1 {
		t.Errorf("sent again: %v, %v, the vault holds %v", again.ID, err, r.files("/page-"))
	}
	if p.given < 10*time.Second || p.given > time.Minute {
		t.Errorf("the record may take %v", p.given)
	}
}

// landingPages lets a page come to rest just after it was looked for.
type landingPages struct {
	gateway.SubmissionRecords
	lands func()
}

func (l landingPages) RefusePage(ctx context.Context, link gateway.LinkID, id gateway.SubmissionID, key gateway.PageKey, act gateway.Act) (bool, error) {
	l.lands()
	return l.SubmissionRecords.RefusePage(ctx, link, id, key, act)
}

func TestAPageThatLandsDuringItsRemovalIsRemoved(t *testing.T) {
	r := newRig(t)
	s, b := r.session(client)
	const key = "page-0000000000000001"
	removing := *r.uploads
	removing.Records = landingPages{r.records, func() {
		if _, err := r.send(s, key, r.sealed(picture(t, 120))); err != nil {
			t.Error(err)
		}
	}}
	if err := removing.Remove(t.Context(), s, key); err != nil {
		t.Fatal(err)
	}
	if now := r.resume(s.Submission.ID, b); len(now.Pages) != 0 || len(r.files("/page-")) != 0 {
		t.Errorf("%d pages, in the vault %v", len(now.Pages), r.files("/page-"))
	}
}

// The person takes a page back while its bytes still crawl in. They come to rest
// long after the answer that there is no such page, and count for nothing.
func TestAPageThatLandsAfterItsRemovalIsNotTaken(t *testing.T) {
	r := newRig(t)
	s, b := r.session(client)
	const key = "page-0000000000000001"
	if err := r.uploads.Remove(t.Context(), s, key); !gateway.Is(err, gateway.CodePageUnknown) {
		t.Fatalf("the removal: %v", err)
	}
	r.wait(10 * time.Second)
	if _, err := r.send(s, key, r.sealed(picture(t, 120))); !gateway.Is(err, gateway.CodePageRemoved) {
		t.Errorf("the late page: %v", err)
	}
	if now := r.resume(s.Submission.ID, b); len(now.Pages) != 0 || len(r.files("/page-")) != 0 {
		t.Errorf("%d pages, in the vault %v", len(now.Pages), r.files("/page-"))
	}
}
