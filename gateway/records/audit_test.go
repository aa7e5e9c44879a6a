package records

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dropslot/gateway"
)

// append writes entries, one transaction each, and gives the head after each.
func (w *world) append(n int) (heads []gateway.AuditHead) {
	w.t.Helper()
	for i := range n {
		e := entry(gateway.ActionPageViewed, fmt.Sprintf("page:%d", i))
		e.At, e.From, e.Reason = noon.Add(time.Duration(i)*time.Second), "192.0.2.1", "because"
		w.check(w.Append(w.t.Context(), e), "")
		head, ok, err := w.Head(w.t.Context())
		if err != nil || !ok {
			w.t.Fatalf("head: %v %v", ok, err)
		}
		heads = append(heads, head)
	}
	return heads
}

func TestHeadFollowsTheRows(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		if _, ok, err := w.Head(t.Context()); ok || err != nil {
			t.Errorf("an empty chain has a head: %v", err)
		}
		heads := w.append(3)
		for i, head := range heads {
			if head.Seq != int64(i+1) || head.Chain != heads[0].Chain || len(head.MAC) != 32 {
				t.Errorf("head %d: %+v", i, head)
			}
		}
		many := make([]gateway.AuditEntry, 3*manyRows+1)
		for i := range many {
			many[i] = entry(gateway.ActionInboxViewed, "")
		}
		many[0].At = time.Time{} // the Store's clock
		w.check(w.Append(t.Context(), many...), "")
		report := w.proven()
		if report.Rows != int64(3+len(many)) || len(report.Chains) != 1 || report.Chains[0].Proven != report.Rows {
			t.Errorf("report %+v", report)
		}
		if n := w.count("audit WHERE at < $1", ms(noon)); n != 0 {
			t.Error("a row has no time")
		}
	})
}

// What somebody with access to the database, and not to the key, can do.
func TestTamperingIsFound(t *testing.T) {
	type test struct {
		name string
		sql  []string
		want []Fault // without the chain; nil is no fault
	}
	tests := []test{
		{name: "nothing"},
		{"middle row deleted", []string{"DELETE FROM audit WHERE seq = 4"}, []Fault{{Kind: FaultMissing, From: 4, To: 4}}},
		{"three rows deleted", []string{"DELETE FROM audit WHERE seq IN (3, 4, 5)"}, []Fault{{Kind: FaultMissing, From: 3, To: 5}}},
		{"first row deleted", []string{"DELETE FROM audit WHERE seq = 1"}, []Fault{{Kind: FaultMissing, From: 1, To: 1}}},
		{
			"first row deleted, the rest moved up",
			[]string{"DELETE FROM audit WHERE seq = 1", "UPDATE audit SET seq = seq + 100", "UPDATE audit SET seq = seq - 101"},
			[]Fault{{Kind: FaultChanged, From: 1, To: 9}},
		},
		{
			"rows swapped",
			[]string{"UPDATE audit SET seq = 99 WHERE seq = 4", "UPDATE audit SET seq = 4 WHERE seq = 5", "UPDATE audit SET seq = 5 WHERE seq = 99"},
			[]Fault{{Kind: FaultChanged, From: 4, To: 6}},
		},
		{"row rewritten with another's MAC", []string{"UPDATE audit SET object = 'page:9', mac = (SELECT mac FROM audit WHERE seq = 2) WHERE seq = 3"},
			[]Fault{{Kind: FaultChanged, From: 3, To: 4}}},
		{"end cut below the head", []string{"DELETE FROM audit WHERE seq > 4"}, []Fault{{Kind: FaultCut, From: 5, To: 6}}},
		{"end cut above the head", []string{"DELETE FROM audit WHERE seq > 6"}, nil},
		{"everything deleted", []string{"DELETE FROM audit"}, []Fault{{Kind: FaultCut, From: 1, To: 6}}},
		{"row numbered 0", []string{"UPDATE audit SET seq = 0 WHERE seq = 1"},
			[]Fault{{Kind: FaultAdded, From: 0, To: 0}, {Kind: FaultMissing, From: 1, To: 1}}},
		{"MAC emptied", []string{"UPDATE audit SET mac = EMPTY WHERE seq = 10"}, []Fault{{Kind: FaultChanged, From: 10, To: 10}}},
	}
	for _, column := range []string{"actor", "action", "object", "office", "origin", "outcome", "reason"} {
		tests = append(tests, test{column + " changed", []string{"UPDATE audit SET " + column + " = 'x' WHERE seq = 5"},
			[]Fault{{Kind: FaultChanged, From: 5, To: 5}}})
	}
	tests = append(tests,
		test{"time changed", []string{"UPDATE audit SET at = at + 1 WHERE seq = 5"}, []Fault{{Kind: FaultChanged, From: 5, To: 5}}},
		test{"text moved to the next field", []string{"UPDATE audit SET actor = 'clientp', action = 'age.viewed' WHERE seq = 5"},
			[]Fault{{Kind: FaultChanged, From: 5, To: 5}}},
		test{"moved to a chain of its own", []string{"UPDATE audit SET chain = 'zz' WHERE seq = 10"}, []Fault{{Kind: FaultMissing, From: 1, To: 9}}},
	)
	onBoth(t, func(t *testing.T, w *world) {
		heads := w.append(10)
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				w.raw("CREATE TABLE saved AS SELECT * FROM audit")
				for _, statement := range test.sql {
					w.raw(strings.ReplaceAll(statement, "EMPTY", w.emptyBytes()))
				}
				report, err := w.Verify(t.Context(), heads[5:6])
				w.check(err, "")
				for i := range report.Faults {
					report.Faults[i].Chain = ""
				}
				if diff := cmp.Diff(test.want, report.Faults); diff != "" {
					t.Errorf("faults:\n%s\n%s", diff, report)
				}
				if report.OK() != (test.want == nil) {
					t.Errorf("OK is %v", report.OK())
				}
				w.raw("DELETE FROM audit")
				w.raw("INSERT INTO audit SELECT * FROM saved")
				w.raw("DROP TABLE saved")
			})
		}
		if report := w.proven(); report.Rows != 10 {
			t.Errorf("%d rows", report.Rows)
		}
	})
}

// Somebody who has the key can write rows that fit, but not below a head.
func TestRewritingWithTheKeyIsFoundByHeads(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		heads := w.append(6)
		w.raw("DELETE FROM audit")
		forger := &trail{key: testKey}
		c := chain{id: heads[0].Chain}
		for i := range 6 {
			row, err := forger.next(&c, entry(gateway.ActionPageViewed, fmt.Sprintf("other:%d", i)))
			w.check(err, "")
			w.raw("INSERT INTO audit ("+auditColumns+") VALUES ("+placeholders(1, 11)+")", row.chain, row.seq, row.at, row.Actor,
				string(row.Action), row.Object, string(row.Office), row.From, string(row.Outcome), row.Reason, row.mac)
		}
		report, err := w.Verify(t.Context(), nil)
		w.check(err, "")
		if !report.OK() || report.Chains[0].Proven != 0 {
			t.Errorf("without heads: %s", report)
		}
		report, err = w.Verify(t.Context(), heads[3:4])
		w.check(err, "")
		if len(report.Faults) != 1 || report.Faults[0].Kind != FaultRewritten || report.Faults[0].From != 4 {
			t.Errorf("with a head: %s", report)
		}
	})
}

func TestVerifyWithAnotherKey(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.append(3)
		o := options()
		o.AuditKey = []byte(strings.Repeat("x", 32))
		s, err := Open(t.Context(), w.url, o)
		w.check(err, "")
		defer s.Close()
		report, err := s.Verify(t.Context(), nil)
		w.check(err, "")
		if len(report.Faults) != 1 || report.Faults[0].To != 3 {
			t.Errorf("report %s", report)
		}
	})
}

// A backup was restored: the vault's heads know of rows that are gone. A
// reindex puts that on record, and the sweep may work again.
func TestLostHeads(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		heads := w.append(6)
		other := w.another()
		gone := other.append(3)[2]
		all := []gateway.AuditHead{heads[3], gone}
		lost, err := w.LostHeads(t.Context(), all)
		w.check(err, "")
		if len(lost) != 0 {
			t.Fatalf("lost %+v", lost)
		}
		w.raw("DELETE FROM audit WHERE chain = $1", gone.Chain)
		lost, err = w.LostHeads(t.Context(), all)
		w.check(err, "")
		if diff := cmp.Diff([]gateway.AuditHead{gone}, lost); diff != "" {
			t.Fatalf("lost:\n%s", diff)
		}
		forged := heads[5]
		forged.MAC = make([]byte, 32)
		lost, err = w.LostHeads(t.Context(), []gateway.AuditHead{forged})
		w.check(err, "")
		if len(lost) != 1 {
			t.Error("a head of another row was not missed")
		}

		w.check(w.Append(t.Context(), entry(gateway.ActionHeadLost, "chain:"+gone.Chain)), "")
		lost, err = w.LostHeads(t.Context(), all)
		w.check(err, "")
		if len(lost) != 0 {
			t.Errorf("acknowledged and still lost: %+v", lost)
		}
		report, err := w.Verify(t.Context(), all)
		w.check(err, "")
		if !report.OK() || len(report.Acknowledged) != 1 || !strings.Contains(report.String(), "On record: Entries 1 to 3 of chain "+gone.Chain) {
			t.Errorf("report %s", report)
		}
		// An acknowledgement that was not written with the key counts for nothing.
		w.raw("UPDATE audit SET reason = 'x' WHERE action = 'audit.head-lost'")
		report, err = w.Verify(t.Context(), all)
		w.check(err, "")
		if len(report.Faults) != 2 || len(report.Acknowledged) != 0 {
			t.Errorf("report %s", report)
		}
	})
}

func TestReportReads(t *testing.T) {
	w := openWorld(t, readySQLite(t))
	heads := w.append(6)
	report, err := w.Verify(t.Context(), heads[3:4])
	w.check(err, "")
	want := `Audit trail: 6 entries in 1 chain (each start of a process begins a chain).
Chain ` + heads[0].Chain + `, 2026-11-22 12:00:00 UTC to 2026-11-22 12:00:05 UTC: 6 entries. Entries 1 to 4 are confirmed by a fingerprint in the vault. What came after fits together (2 entries), but removal of the newest would not show yet.
Result: No confirmed entry was changed, moved, added or removed, and the newer ones fit together.
`
	if diff := cmp.Diff(want, report.String()); diff != "" {
		t.Error(diff)
	}
	w.raw("DELETE FROM audit WHERE seq IN (2, 6)")
	report, err = w.Verify(t.Context(), heads[5:])
	w.check(err, "")
	for _, words := range []string{
		"FAULT: Entry 2 of chain " + heads[0].Chain + " was removed; the entry after cannot be checked by itself.\n",
		"FAULT: Entry 6 of chain " + heads[0].Chain + " was removed from the end; the vault still holds the fingerprint of the last one.\n",
		"none of its entries is confirmed", "Result: The trail was changed or damaged outside of Dropslot.",
	} {
		if !strings.Contains(report.String(), words) {
			t.Errorf("%q is missing in:\n%s", words, report)
		}
	}
}

// Whatever is refused leaves no trace in the audit trail, and the chain goes
// on without a gap, also when refused and done share a transaction.
func TestRefusedWritesLeaveNoGap(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		link := w.session(north, 1)
		limits := gateway.DefaultLimits()
		limits.LinkPages = 5
		errs := race(40, func(int) error {
			_, _, err := w.SavePage(t.Context(), newPage(t, link, noon), limits, entry(gateway.ActionPageReceived, ""))
			return err
		})
		if err := errors.Join(errs...); !gateway.Is(err, gateway.CodeTooManyPages) {
			t.Fatalf("error is %v", err)
		}
		if report := w.proven(); report.Rows != 2+5 {
			t.Errorf("%d rows, want 7", report.Rows)
		}
	})
}
