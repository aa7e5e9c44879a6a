package main

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dropslot/config"
	"dropslot/gateway"
)

const days = 24 * time.Hour

// keeper is the worker's retention, on the rig's clock.
func (r *rig) keeper() *gateway.Retention {
	k := r.retention()
	k.Now = r.now
	return k
}

func (r *rig) holds() *gateway.Holds {
	return &gateway.Holds{Desk: r.desk, Records: r.records, Archive: r.archive}
}

// papers lets a client send two pages, and a caseworker be done with them.
func (r *rig) papers(phone string) gateway.SubmissionID {
	r.t.Helper()
	s, b := r.session(phone)
	for i, key := range []string{"page-0000000000000001", "page-0000000000000002"} {
		if _, err := r.send(s, key, r.sealed(picture(r.t, uint8(50+i)))); err != nil {
			r.t.Fatal(err)
		}
	}
	id := s.Submission.ID
	if _, err := r.uploads.Finish(r.t.Context(), r.resume(id, b), gateway.Name{First: "Ana"}); err != nil {
		r.t.Fatal(err)
	}
	r.sql("UPDATE texts SET step = 'done', due_at = 0") // as the worker leaves them
	if err := r.house.ArchiveEnded(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	if err := r.desk.Handle(r.t.Context(), staffOf(demoOffice), id, gateway.HandledDelivered, ""); err != nil {
		r.t.Fatal(err)
	}
	return id
}

func (r *rig) pool() *sql.DB {
	db, _ := r.records.Queue()
	return db
}

func (r *rig) sql(statement string) {
	r.t.Helper()
	if _, err := r.pool().ExecContext(r.t.Context(), statement); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) rows(from string) (n int) {
	r.t.Helper()
	if err := r.pool().QueryRowContext(r.t.Context(), "SELECT COUNT(*) FROM "+from).Scan(&n); err != nil {
		r.t.Fatalf("%s: %v", from, err)
	}
	return n
}

func (r *rig) keep() {
	r.t.Helper()
	if err := r.keeper().Run(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

// erased fails the test unless nothing of the submission is left but its
// tombstones and its lines in the audit trail.
func (r *rig) erased(id gateway.SubmissionID) {
	r.t.Helper()
	if n := r.rows("submissions") + r.rows("pages") + r.rows("links") + r.rows("texts") + r.rows("senders"); n != 0 {
		r.t.Errorf("%d rows are left", n)
	}
	left := r.files(string(id))
	if len(left) != 1 || !strings.HasSuffix(left[0], "/erased") {
		r.t.Errorf("the vault holds %v, want the tombstone alone", left)
	}
	if _, err := r.desk.Submission(r.t.Context(), staffOf(demoOffice), id); !gateway.Is(err, gateway.CodeNotFound) {
		r.t.Errorf("the desk gives %v", err)
	}
	if n := r.rows("tombstones WHERE emptied_at > 0"); n != 1 {
		r.t.Errorf("%d finished tombstones in the records", n)
	}
	if n := r.rows("audit WHERE action = 'submission.erased' AND object = 'submission:" + string(id) + "'"); n == 0 {
		r.t.Error("no erasure in the audit trail")
	}
}

func (r *rig) there(id gateway.SubmissionID) {
	r.t.Helper()
	view, err := r.desk.Submission(r.t.Context(), staffOf(demoOffice), id)
	if err != nil || len(view.Pages) != 2 {
		r.t.Fatalf("the desk gives %d pages, %v", len(view.Pages), err)
	}
	for _, page := range view.Pages {
		r.opened(page.ID)
	}
}

func TestPapersGoNinetyDaysAfterDone(t *testing.T) {
	r := newRig(t)
	id := r.papers(client)
	r.keep()
	r.there(id)
	for range 12 {
		r.wait(7*days - time.Hour)
		r.keep()
	}
	r.wait(6*days + 11*time.Hour) // an hour is left
	r.keep()
	r.there(id)
	r.wait(time.Hour)
	r.keep()
	r.erased(id)
	again := r.papers(client) // the same person comes back
	r.there(again)
}

// faultyVault fails where it is told to, as a crash there would leave things.
type faultyVault struct {
	gateway.Vault
	fail func(act string, name gateway.BlobName) bool
}

var errPlug = errors.New("the plug was pulled")

func (v faultyVault) Replace(ctx context.Context, name gateway.BlobName, content []byte) error {
	if v.fail("replace", name) {
		return errPlug
	}
	return v.Vault.Replace(ctx, name, content)
}

func (v faultyVault) Remove(ctx context.Context, name gateway.BlobName) error {
	if v.fail("remove", name) {
		return errPlug
	}
	return v.Vault.Remove(ctx, name)
}

type faultyKeeper struct {
	gateway.RetentionRecords
	begin, end bool
	late       func() // what happens once it has read which holds are to be told
}

func (f faultyKeeper) UnstoredHolds(ctx context.Context, after gateway.SubmissionID, limit int) ([]gateway.Hold, error) {
	holds, err := f.RetentionRecords.UnstoredHolds(ctx, after, limit)
	if f.late != nil && len(holds) > 0 {
		f.late()
	}
	return holds, err
}

func (f faultyKeeper) StoredHold(ctx context.Context, h gateway.Hold, at time.Time) (bool, error) {
	if f.late != nil {
		return false, errPlug
	}
	return f.RetentionRecords.StoredHold(ctx, h, at)
}

func (f faultyKeeper) EraseDue(ctx context.Context, d gateway.Due, t gateway.Terms, a gateway.AuditEntry) (bool, error) {
	if f.begin {
		return false, errPlug
	}
	return f.RetentionRecords.EraseDue(ctx, d, t, a)
}

func (f faultyKeeper) Emptied(ctx context.Context, id gateway.SubmissionID, at time.Time) error {
	if f.end {
		return errPlug
	}
	return f.RetentionRecords.Emptied(ctx, id, at)
}

// An erasure that dies at any point is finished by the next run; until then
// the papers are whole, or nobody sees them.
func TestAnErasureThatDiesIsFinished(t *testing.T) {
	removals := 0
	for name, point := range map[string]struct {
		whole   bool // the papers are as before
		records faultyKeeper
		vault   func(act string, name gateway.BlobName) bool
	}{
		"before the rows are gone":              {whole: true, records: faultyKeeper{begin: true}},
		"rows gone, no tombstone in the vault":  {vault: func(act string, _ gateway.BlobName) bool { return act == "replace" }},
		"tombstone there, no object removed":    {vault: func(act string, _ gateway.BlobName) bool { return act == "remove" }},
		"some objects removed":                  {vault: func(act string, _ gateway.BlobName) bool { removals++; return act == "remove" && removals > 2 }},
		"vault empty, not noted in the records": {records: faultyKeeper{end: true}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			id := r.papers(client)
			r.wait(90 * days)
			broken := r.keeper()
			if point.vault != nil {
				broken.Vault = faultyVault{r.vault, point.vault}
				archive := *r.archive
				archive.Vault = broken.Vault
				broken.Archive = &archive
			}
			point.records.RetentionRecords = r.records
			broken.Records = point.records
			if err := broken.Run(t.Context()); !errors.Is(err, errPlug) {
				t.Fatalf("the run gave %v", err)
			}
			if point.whole {
				r.there(id)
			} else if _, err := r.desk.Submission(t.Context(), staffOf(demoOffice), id); !gateway.Is(err, gateway.CodeNotFound) {
				t.Errorf("half erased papers are shown: %v", err)
			}
			for range 2 {
				r.keep()
				r.erased(id)
			}
			if n := r.rows("audit WHERE action = 'submission.erased'"); n != 1 {
				t.Errorf("%d erasures in the audit trail, want 1", n)
			}
		})
	}
}

// backup copies a folder or file; restore puts it back over what is there.
func (r *rig) backup(path string) (restore func()) {
	r.t.Helper()
	kept := r.t.TempDir()
	if err := os.CopyFS(kept, os.DirFS(path)); err != nil {
		r.t.Fatal(err)
	}
	return func() {
		err := fs.WalkDir(os.DirFS(kept), ".", func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return errors.Join(err, os.MkdirAll(filepath.Join(path, name), 0o700))
			}
			content, err := os.ReadFile(filepath.Join(kept, name))
			return errors.Join(err, os.WriteFile(filepath.Join(path, name), content, 0o600))
		})
		if err != nil {
			r.t.Fatal(err)
		}
	}
}

func TestARestoredVaultIsErasedAnew(t *testing.T) {
	r := newRig(t)
	id := r.papers(client)
	restore := r.backup(r.config.VaultFolder())
	r.wait(90 * days)
	r.keep()
	r.erased(id)
	for _, how := range []string{"over the tombstone", "without it"} {
		if how == "without it" {
			if err := os.Remove(r.file(gateway.SubmissionPrefix(demoOffice, id) + "/erased")); err != nil {
				t.Fatal(err)
			}
		}
		restore()
		if len(r.files(string(id))) < 4 {
			t.Fatal("the backup brought nothing back")
		}
		if report := r.reindex(); report.Restored != 0 {
			t.Errorf("%s: a reindex brought back %+v", how, report)
		}
		r.keep()
		r.erased(id)
	}
}

// database reads the records' file, whole, and goes on with new parts.
func (r *rig) database() ([]byte, *rig) {
	r.t.Helper()
	r.saveHeads()
	if err := r.close(); err != nil {
		r.t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(filepath.Dir(r.config.VaultFolder()), "records.db"))
	if err != nil {
		r.t.Fatal(err)
	}
	return content, r.reopened()
}

// withDatabase goes on with another file of the records, and what else is put
// back meanwhile.
func (r *rig) withDatabase(content []byte, also func()) *rig {
	r.t.Helper()
	if err := r.close(); err != nil {
		r.t.Fatal(err)
	}
	file := filepath.Join(filepath.Dir(r.config.VaultFolder()), "records.db")
	for _, side := range []string{"-wal", "-shm"} {
		_ = os.Remove(file + side)
	}
	if err := os.WriteFile(file, content, 0o600); err != nil {
		r.t.Fatal(err)
	}
	also()
	after := r.reopened()
	after.at = r.now()
	if after.rows("submissions") != 1 {
		r.t.Fatal("the backup brought nothing back")
	}
	return after
}

func TestRestoredRecordsAreErasedAnew(t *testing.T) {
	r := newRig(t)
	id := r.papers(client)
	database, r := r.database()
	r.wait(90 * days)
	r.keep()
	r.erased(id)
	r.saveHeads()
	r = r.withDatabase(database, func() {})
	// Nothing but what tombstones name goes while the records may lack a hold.
	if err := r.keeper().Run(t.Context()); !errors.Is(err, gateway.ErrRecordsBehind) {
		t.Errorf("the run gave %v", err)
	}
	r.erased(id)
	if report := r.reindex(); report.Gone != 1 || report.Restored != 0 {
		t.Errorf("the reindex: %+v", report)
	}
	r.keep()
	r.erased(id)
}

// When both are older than the erasure nothing knows of it but the clock.
func TestABackupOfBothIsErasedByTheClock(t *testing.T) {
	r := newRig(t)
	id := r.papers(client)
	r.keep()
	database, r := r.database()
	vault := r.backup(r.config.VaultFolder())
	r.wait(90 * days)
	r.keep() // the worker was off for long: it looks at its clock first
	r.wait(25 * time.Hour)
	r.keep()
	r.erased(id)
	r = r.withDatabase(database, func() {
		if err := os.RemoveAll(r.config.VaultFolder()); err != nil {
			t.Fatal(err)
		}
		vault()
	})
	r.there(id)
	r.keep()
	r.wait(25 * time.Hour)
	r.keep()
	r.erased(id)
}

func (r *rig) saveHeads() {
	r.t.Helper()
	heads := gateway.Heads{Audit: r.records, Vault: r.vault}
	if err := heads.Save(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) reopened() *rig {
	r.t.Helper()
	c, err := config.Load(filepath.Join(filepath.Dir(r.config.VaultFolder()), "demo.yaml"), config.RoleAll)
	if err != nil {
		r.t.Fatal(err)
	}
	return openRig(r.t, c)
}

func TestALegalHoldSurvivesTheLossOfTheRecords(t *testing.T) {
	r := newRig(t)
	id := r.papers(client)
	if err := r.holds().Hold(t.Context(), staffOf(demoOffice), id, gateway.HoldLawsuit); err != nil {
		t.Fatal(err)
	}
	if len(r.files("/hold-")) != 1 {
		t.Fatal("the vault does not tell of the hold")
	}
	after := r.lost()
	if report := after.reindex(); report.Held != 1 {
		t.Fatalf("the reindex: %+v", report)
	}
	if report := after.reindex(); report.Held != 0 {
		t.Errorf("a second reindex: %+v", report)
	}
	after.wait(2000 * days)
	after.keep()
	after.there(id)
	rows, err := after.holds().List(t.Context(), staffOf(demoOffice))
	if err != nil || len(rows) != 1 || rows[0].Hold == nil || rows[0].Hold.Reason != gateway.HoldLawsuit || rows[0].Name.Whole() != "Ana" {
		t.Errorf("the page tells %+v, %v", rows, err)
	}
}

// A hold that the vault holds but nobody can read holds all the same, until the
// vault's backup tells more of it.
func TestADamagedHoldHolds(t *testing.T) {
	r := newRig(t)
	id := r.papers(client)
	if err := r.holds().Hold(t.Context(), staffOf(demoOffice), id, gateway.HoldLawsuit); err != nil {
		t.Fatal(err)
	}
	after := r.lost()
	twins := after.files("/hold-")
	if len(twins) != 1 {
		t.Fatalf("the vault has %v", twins)
	}
	files := []string{after.file(gateway.BlobName(twins[0]))}
	good, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	write := func(content []byte) {
		t.Helper()
		if err := os.WriteFile(files[0], content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	held := func(want gateway.HoldReason) {
		t.Helper()
		rows, err := after.holds().List(t.Context(), staffOf(demoOffice))
		if err != nil || len(rows) != 1 || rows[0].Hold == nil || rows[0].Hold.Reason != want {
			t.Errorf("the page tells %+v, %v, want %s", rows, err, want)
		}
	}
	write(good[:len(good)/2])
	if report := after.reindex(); report.Held != 1 || len(report.Damaged) != 1 {
		t.Errorf("the reindex: %+v", report)
	}
	held(gateway.HoldUnreadable)
	write(good)
	if report := after.reindex(); report.Held != 1 {
		t.Errorf("with the vault's backup: %+v", report)
	}
	held(gateway.HoldLawsuit)
}

// The records decide on a hold; the vault is told as soon as it can be.
func TestAHoldThatTheVaultMissedIsToldLater(t *testing.T) {
	r := newRig(t)
	id := r.papers(client)
	broken := r.holds()
	archive := *r.archive
	archive.Vault = faultyVault{r.vault, func(string, gateway.BlobName) bool { return true }}
	broken.Archive = &archive
	if err := broken.Hold(t.Context(), staffOf(demoOffice), id, gateway.HoldAudit); !errors.Is(err, errPlug) {
		t.Fatalf("the hold gave %v", err)
	}
	r.wait(90 * days)
	r.keep()
	r.there(id)
	if len(r.files("/hold-")) != 1 {
		t.Error("the worker did not tell the vault")
	}
	if err := broken.Release(t.Context(), staffOf(demoOffice), id); !errors.Is(err, errPlug) {
		t.Fatalf("the release gave %v", err)
	}
	r.keep()
	r.erased(id)
}

// A worker that has read of a released hold, takes its twin out of the vault
// after somebody held the papers again, and dies before it has noted that: the
// new hold's twin is there, also for a reindex right afterwards.
func TestAWorkerThatDiesWithAnOldHoldLeavesTheNewOne(t *testing.T) {
	r := newRig(t)
	id := r.papers(client)
	sam := staffOf(demoOffice)
	broken := r.holds()
	if err := broken.Hold(t.Context(), sam, id, gateway.HoldAudit); err != nil {
		t.Fatal(err)
	}
	archive := *r.archive
	archive.Vault = faultyVault{r.vault, func(string, gateway.BlobName) bool { return true }}
	broken.Archive = &archive
	if err := broken.Release(t.Context(), sam, id); !errors.Is(err, errPlug) {
		t.Fatalf("the release gave %v", err)
	}
	dying := r.keeper()
	dying.Records = faultyKeeper{RetentionRecords: r.records, late: func() {
		if err := r.holds().Hold(t.Context(), sam, id, gateway.HoldLawsuit); err != nil {
			t.Error(err)
		}
	}}
	if err := dying.Run(t.Context()); !errors.Is(err, errPlug) {
		t.Fatalf("the run gave %v", err)
	}
	after := r.lost()
	if report := after.reindex(); report.Held != 1 {
		t.Fatalf("the reindex: %+v", report)
	}
	rows, err := after.holds().List(t.Context(), sam)
	if err != nil || len(rows) != 1 || rows[0].Hold == nil || rows[0].Hold.Reason != gateway.HoldLawsuit {
		t.Errorf("the page tells %+v, %v", rows, err)
	}
	if err := after.holds().Release(t.Context(), sam, id); err != nil {
		t.Fatal(err)
	}
	if left := after.files("/hold-"); len(left) != 0 {
		t.Errorf("released, the vault holds %v", left)
	}
}

// Somebody releases papers while the one who held them still tells the vault.
func TestAHoldThatIsToldTooLateLeavesNothing(t *testing.T) {
	r := newRig(t)
	id := r.papers(client)
	slow := r.holds()
	archive := *r.archive
	archive.Vault = faultyVault{r.vault, func(act string, _ gateway.BlobName) bool {
		if act == "replace" {
			if err := r.holds().Release(t.Context(), staffOf(demoOffice), id); err != nil {
				t.Error(err)
			}
		}
		return false
	}}
	slow.Archive = &archive
	if err := slow.Hold(t.Context(), staffOf(demoOffice), id, gateway.HoldAudit); err != nil {
		t.Fatal(err)
	}
	if left := r.files("/hold-"); len(left) != 0 {
		t.Errorf("the vault says that papers are held which nobody holds: %v", left)
	}
	r.wait(90 * days)
	r.keep()
	r.erased(id)
}

// What the vault says to be held is not erased, even if the records know nothing.
func TestTheVaultsWordOnAHoldCounts(t *testing.T) {
	r := newRig(t)
	id := r.papers(client)
	if err := r.holds().Hold(t.Context(), staffOf(demoOffice), id, gateway.HoldAudit); err != nil {
		t.Fatal(err)
	}
	r.sql("DELETE FROM holds")
	r.wait(90 * days)
	if err := r.keeper().Run(t.Context()); err == nil || !strings.Contains(err.Error(), "dropslot reindex") {
		t.Errorf("the run gave %v", err)
	}
	r.there(id)
}

// A file that only has a tombstone's name erases nothing.
func TestADamagedTombstoneErasesNothing(t *testing.T) {
	r := newRig(t)
	id := r.papers(client)
	if err := r.vault.Replace(t.Context(), gateway.SubmissionPrefix(demoOffice, id)+"/erased", nil); err != nil {
		t.Fatal(err)
	}
	if err := r.keeper().Run(t.Context()); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("the run gave %v", err)
	}
	r.there(id)
}

// The vault's word also counts for what was put together with another.
func TestTheVaultsWordOnAMergedHoldCounts(t *testing.T) {
	r := newRig(t)
	a := r.papers(client)
	r.wait(time.Hour) // one phone gets no two links at once
	b := r.papers(client)
	if err := r.holds().Hold(t.Context(), staffOf(demoOffice), a, gateway.HoldAudit); err != nil {
		t.Fatal(err)
	}
	r.sql("DELETE FROM holds")
	r.sql("UPDATE submissions SET merged_into = '" + string(b) + "' WHERE id = '" + string(a) + "'")
	r.wait(90 * days)
	if err := r.keeper().Run(t.Context()); err == nil || !strings.Contains(err.Error(), "dropslot reindex") {
		t.Errorf("the run gave %v", err)
	}
	r.there(a)
	r.there(b)
}

// A run that dies when its clock has just jumped leaves the next as doubtful.
func TestTheClockIsDoubtedAfterACrash(t *testing.T) {
	r := newRig(t)
	id := r.papers(client)
	r.keep()
	r.wait(3650 * days)
	r.sql(`CREATE TRIGGER plug BEFORE INSERT ON audit WHEN NEW.action = 'retention.rests' BEGIN SELECT RAISE(FAIL, 'the plug was pulled'); END`)
	if err := r.keeper().Run(t.Context()); err == nil {
		t.Fatal("the run went through")
	}
	r.sql("DROP TRIGGER plug")
	r.wait(time.Hour)
	r.keep()
	r.there(id)
	if n := r.rows("audit WHERE action = 'retention.rests'"); n != 1 {
		t.Errorf("%d notes of it in the audit trail", n)
	}
}

// A clock that jumps years ahead would end everybody's time at once.
func TestNothingIsErasedWhileTheClockIsDoubted(t *testing.T) {
	r := newRig(t)
	id := r.papers(client)
	r.keep()
	r.wait(3650 * days)
	r.keep()
	r.there(id)
	if n := r.rows("audit WHERE action = 'retention.rests'"); n != 1 {
		t.Errorf("%d notes of it in the audit trail", n)
	}
	r.wait(23 * time.Hour)
	r.keep()
	r.there(id)
	r.wait(-3651 * days) // and is set right
	r.keep()
	r.there(id)
	r.wait(25 * time.Hour)
	r.keep()
	r.there(id)
	r.wait(90 * days)
	r.keep()
	r.wait(25 * time.Hour)
	r.keep()
	r.erased(id)
}
