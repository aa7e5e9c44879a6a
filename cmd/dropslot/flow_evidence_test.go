package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dropslot/config"
	"dropslot/gateway"
)

// lines reads a report's file.
func lines[T any](t *testing.T, path ...string) (all []T) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(content))
	for decoder.More() {
		var line T
		if err := decoder.Decode(&line); err != nil {
			t.Fatal(err)
		}
		all = append(all, line)
	}
	return all
}

// A client sends two pages, and a caseworker opens one of them: the reports
// tell both, and no phone number.
func TestReportsTellWhatWasOpenedAndWhatCouldBe(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	dana := gateway.Staff{
		ID: gateway.StaffID(strings.Repeat("d", 26)), Login: "dana", Roles: gateway.RolesIn(gateway.RoleCaseworker, demoOffice), CreatedAt: time.Now().Add(-time.Hour),
	}
	if err := r.records.AddStaff(ctx, dana, operatorEntry(gateway.ActionStaffAdded, "staff:"+string(dana.ID))); err != nil {
		t.Fatal(err)
	}
	if err := r.tellConfiguration(ctx, config.RoleAll); err != nil {
		t.Fatal(err)
	}
	r.sql("UPDATE office_keys SET since = since - 60000") // the rig's clock runs behind by less than a second
	s, _ := r.session(client)
	first, err := r.send(s, "first-page-of-this", r.sealed(picture(t, 1)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.send(s, "second-page-of-this", r.sealed(picture(t, 2))); err != nil {
		t.Fatal(err)
	}
	opened, err := r.desk.OpenPage(ctx, gateway.Actor{Staff: dana, From: "192.0.2.9"}, first.ID, false)
	if err != nil {
		t.Fatal(err)
	}
	_ = opened.Close()
	if _, err := r.desk.OpenPage(ctx, gateway.Actor{Staff: dana}, gateway.PageID(strings.Repeat("0", 26)), false); !gateway.Is(err, gateway.CodeNotFound) {
		t.Fatal(err)
	}

	std := streams{out: io.Discard, err: io.Discard}
	key := filepath.Join(t.TempDir(), "office.pub")
	if err := os.WriteFile(key, []byte("# a comment\n"+r.sealer.Recipients(demoOffice)[0]+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	today := time.Now().UTC().Format(time.DateOnly)
	for name, flags := range map[string]exposureFlags{
		"staff": {staff: "Dana"}, "key": {key: key}, "time": {evidenceFlags: evidenceFlags{from: today, to: time.Now().UTC().AddDate(0, 0, 1).Format(time.DateOnly)}},
	} {
		flags.out, flags.reason = filepath.Join(t.TempDir(), "report"), "a lost laptop"
		if err := r.exposure(ctx, std, flags); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		held := lines[heldLine](t, flags.out, "submissions.ndjson")
		if len(held) != 1 || held[0].Reference != s.Submission.ID.Reference() || len(held[0].Pages) != 2 {
			t.Fatalf("%s: %+v", name, held)
		}
		for _, page := range held[0].Pages {
			if did := page.Page == string(first.ID) && name == "staff"; did != (len(page.Did) == 1) {
				t.Errorf("%s: page %+v", name, page)
			}
		}
		if n := r.audited("action = 'audit.exposure' AND actor = 'operator' AND reason LIKE '%a lost laptop'"); n == 0 {
			t.Errorf("%s: the report left no row", name)
		}
		noPhoneIn(t, flags.out)
		if err := r.exposure(ctx, std, flags); err == nil {
			t.Errorf("%s: a report was written over another", name)
		}
	}

	out := filepath.Join(t.TempDir(), "evidence")
	var told bytes.Buffer
	tomorrow := time.Now().UTC().AddDate(0, 0, 1).Format(time.DateOnly)
	if err := r.evidence(ctx, streams{out: &told}, evidenceFlags{from: today, to: tomorrow, out: out, reason: "the yearly audit"}); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{
		"views": "page.viewed", "refused": "page.viewed", "accounts-changed": "staff.added", "configuration": "config.changed", "other": "link.claimed",
	} {
		found := false
		for _, line := range lines[gateway.AuditLine](t, out, file+".ndjson") {
			found = found || line.Action == want
		}
		if !found {
			t.Errorf("%s.ndjson tells no %s", file, want)
		}
	}
	if accounts := lines[accountLine](t, out, "accounts.ndjson"); len(accounts) != 1 || accounts[0].Login != "dana" || !strings.Contains(accounts[0].Roles, "caseworker") {
		t.Errorf("accounts %+v", accounts)
	}
	for _, want := range []string{"| refused.ndjson | Refused | 1 |", "the yearly audit", "No confirmed entry was changed"} {
		if !strings.Contains(told.String(), want) {
			t.Errorf("the summary does not tell %q:\n%s", want, &told)
		}
	}
	noPhoneIn(t, out)
}

// noPhoneIn looks for the client's number, with and without its country code.
func noPhoneIn(t *testing.T, folder string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) == 0 {
		t.Fatalf("the report is empty: %v", err)
	}
	for _, e := range entries {
		content, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(content, []byte(client[2:])) {
			t.Errorf("%s tells the client's number", e.Name())
		}
		if info, err := e.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, %v", e.Name(), info.Mode(), err)
		}
	}
}
