package records

import (
	"errors"
	"log/slog"
	"testing"

	"dropslot/gateway/records/recordstest"
)

// openOld opens records whose schema is the first version's, with these rows.
func openOld(t *testing.T, url string, rows ...string) {
	t.Helper()
	d, err := dialectOf(url)
	if err != nil {
		t.Fatal(err)
	}
	db, err := d.openWriter()
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	list, err := listMigrations(migrations)
	if err != nil {
		t.Fatal(err)
	}
	o := options()
	o.Log = slog.New(slog.DiscardHandler)
	if err := migrateWith(t.Context(), d, db, o, list[:1]); err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		if _, err := db.ExecContext(t.Context(), row); err != nil {
			t.Fatalf("%s: %v", row, err)
		}
	}
}

// onBothOld gives a test addresses without records.
func onBothOld(t *testing.T, test func(t *testing.T, url string)) {
	t.Run("sqlite", func(t *testing.T) { test(t, sqliteURL(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, recordstest.Postgres(t)) })
}

const oldLink = `INSERT INTO links (id, nonce, hash, office, number, sender, phone, submission, language, origin, issued_at,
	expires_at, state, browser, claimed_at, idle_at, ends_at)
	VALUES ('l1', '', '', 'north', '+15551230100', '', '', 's', 'en', 'request', 1, 2, 'issued', '', 0, 0, 0)`

func oldSending(id, state, sid string) string {
	return `INSERT INTO sendings (id, link, office, occasion, staff, state, sid, error_code, created_at, updated_at)
		VALUES ('` + id + `', 'l1', 'north', 'request', '', '` + state + `', '` + sid + `', 0, 7, 8)`
}

// Requests that the first version sent hold links at Twilio as answers do, and
// one that it died over waits for no job.
func TestUpgradeTakesOldSendingsOn(t *testing.T) {
	onBothOld(t, func(t *testing.T, url string) {
		openOld(t, url, oldLink, oldSending("s1", "delivered", "SM1"), oldSending("s2", "sending", ""), oldSending("s3", "sending", "SM3"))
		w := openWorld(t, url)
		if n := w.count("outgoing WHERE sid IN ('SM1', 'SM3') AND sending IN ('s1', 's3') AND number = '+15551230100' AND step = 'erase' AND due_at > 0"); n != 2 {
			t.Errorf("%d old sendings are to be erased", n)
		}
		if w.count("links WHERE id = 'l1' AND origin = 'request' AND expires_at = 2 AND reminded_at = 0") != 1 {
			t.Error("an old link changed")
		}
		if n := w.count("outgoing"); n != 2 {
			t.Errorf("%d texts of ours", n)
		}
		if w.count("sendings WHERE id = 's2' AND state = 'unknown'") != 1 || w.count("sendings WHERE id = 's3' AND state = 'sending'") != 1 {
			t.Error("an old sending waits for ever, or one with a SID is doubted")
		}
	})
}

// Where there are no tables they are made, whole.
func TestKeepMakesWhatIsNotThere(t *testing.T) {
	onBothOld(t, func(t *testing.T, url string) {
		o := options()
		o.Keep = true
		s, err := Open(t.Context(), url, o)
		if err != nil {
			t.Fatalf("there were none: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		w := openWorld(t, url)
		w.raw("DELETE FROM river_migration WHERE version = (SELECT MAX(version) FROM river_migration)")
		if _, err := Open(t.Context(), url, o); !errors.Is(err, errOlder) {
			t.Errorf("the queue's schema is older: %v", err)
		}
	})
}

// Whoever only looks leaves an older Dropslot's tables to it, and says so.
func TestKeepRefusesAnOlderSchema(t *testing.T) {
	onBothOld(t, func(t *testing.T, url string) {
		openOld(t, url, oldLink, oldSending("s1", "sending", ""))
		o := options()
		o.Keep = true
		if _, err := Open(t.Context(), url, o); !errors.Is(err, errOlder) {
			t.Errorf("error is %v", err)
		}
		w := &world{t: t, url: url}
		if w.count("schema_versions") != 1 || w.count("sendings WHERE state = 'sending'") != 1 {
			t.Error("the older schema was changed")
		}
	})
}

// Who had an account before there were roles was a caseworker.
func TestUpgradeGivesRoles(t *testing.T) {
	onBothOld(t, func(t *testing.T, url string) {
		old := func(login, offices string) string {
			return `INSERT INTO staff (id, login, password_hash, offices, created_at, disabled_at)
				VALUES ('` + login + `', '` + login + `', 'hash', '` + offices + `', 1, 0)`
		}
		openOld(t, url, old("none", "[]"), old("one", `["north"]`), old("two", `["north","south-2","x"]`))
		w := openWorld(t, url)
		for login, want := range map[string]string{
			"none": "", "one": "north: caseworker", "two": "north: caseworker; south-2: caseworker; x: caseworker",
		} {
			staff, err := w.StaffByLogin(t.Context(), login)
			w.check(err, "")
			if got := staff.Roles.String(); got != want {
				t.Errorf("%s: %q, not %q", login, got, want)
			}
		}
	})
}
