package records

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"dropslot/gateway"
)

func (w *world) prune(before time.Time) (int64, error) {
	w.t.Helper()
	return w.PruneAudit(w.t.Context(), before, func(chain string, rows int64) gateway.AuditEntry {
		e := entry(gateway.ActionAuditPruned, "chain:"+chain)
		e.At, e.Reason = before, fmt.Sprintf("rows up to %d", rows)
		return e
	})
}

// aged makes a trail of an old chain that ended, an old one that goes on, and
// the world's own, and gives the heads.
func (w *world) aged() (heads []gateway.AuditHead) {
	w.t.Helper()
	ended := w.another()
	list := ended.append(7)
	heads = append(heads, list[6])
	return append(heads, w.append(10)[9])
}

func TestThePrunedTrailIsStillProven(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		heads := w.aged()
		// The ended chain has rows until second 6, the other until second 9.
		n, err := w.prune(noon.Add(7 * time.Second))
		if err != nil || n != 14 {
			t.Fatalf("%d rows went, %v", n, err)
		}
		report, err := w.Verify(t.Context(), heads)
		if err != nil || !report.OK() || report.Pruned != 14 || len(report.Chains) != 1 {
			t.Fatalf("%v\n%s", err, report)
		}
		if c := report.Chains[0]; c.Begins != 8 || c.Proven != 10 || c.Rows != 5 { // 8, 9, 10 and two notes of the pruning
			t.Errorf("%+v", c)
		}
		if !strings.Contains(report.String(), "Removed on schedule: 14 entries") || !strings.Contains(report.String(), "Entries 8 to 10 are confirmed") {
			t.Error(report)
		}
		if lost, err := w.LostHeads(t.Context(), heads); err != nil || len(lost) != 0 {
			t.Errorf("what was pruned passes as lost: %v %v", lost, err)
		}
		for i, want := range []bool{true, false} {
			if gone, err := w.PrunedHead(t.Context(), heads[i]); err != nil || gone != want {
				t.Errorf("head %d: %v %v", i, gone, err)
			}
		}
		if n, err := w.prune(noon.Add(7 * time.Second)); err != nil || n != 0 {
			t.Errorf("a second time %d went, %v", n, err)
		}
		n, err = w.prune(noon.Add(9 * time.Second))
		if err != nil || n != 2 { // row 10 is of second 9; older notes that lie behind it wait for it
			t.Errorf("%d went, %v", n, err)
		}
		w.proven()
	})
}

// A pruned trail betrays tampering as a whole one does.
func TestTamperingWithAPrunedTrailIsFound(t *testing.T) {
	for name, test := range map[string]struct {
		sql  string
		want FaultKind
	}{
		"one more row taken":         {"DELETE FROM audit WHERE seq = 8", FaultMissing},
		"a checkpoint moved":         {"UPDATE audit_checkpoints SET seq = seq + 1", FaultForged},
		"a checkpoint's MAC changed": {"UPDATE audit_checkpoints SET mac = seal", FaultForged},
		"a checkpoint taken":         {"DELETE FROM audit_checkpoints", FaultMissing},
		"the first row changed":      {"UPDATE audit SET reason = 'x' WHERE seq = 8", FaultChanged},
		"a row put before":           {"UPDATE audit SET seq = 3 WHERE seq = 8", FaultAdded},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, w *world) {
				heads := w.append(10)
				if n, err := w.prune(noon.Add(7 * time.Second)); err != nil || n != 7 {
					t.Fatalf("%d went, %v", n, err)
				}
				w.raw(test.sql)
				report, err := w.Verify(t.Context(), heads[9:])
				if err != nil || report.OK() || report.Faults[0].Kind != test.want {
					t.Errorf("%v\n%s", err, report)
				}
			})
		})
	}
}

// Pruning must not remove the traces of tampering.
func TestAFaultyChainIsNotPruned(t *testing.T) {
	for name, sql := range map[string]string{
		"changed":    "UPDATE audit SET reason = 'x' WHERE seq = 3",
		"missing":    "DELETE FROM audit WHERE seq = 2",
		"checkpoint": "UPDATE audit_checkpoints SET last_at = 7",
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, w *world) {
				w.append(8)
				if strings.Contains(sql, "checkpoints") {
					if _, err := w.prune(noon.Add(time.Second)); err != nil {
						t.Fatal(err)
					}
				}
				w.raw(sql)
				before := w.count("audit")
				if n, err := w.prune(noon.Add(time.Hour)); err == nil || n != 0 || !strings.Contains(err.Error(), "audit verify") {
					t.Errorf("%d went, %v", n, err)
				}
				if after := w.count("audit"); after != before {
					t.Errorf("of %d rows %d are left", before, after)
				}
			})
		})
	}
}

// A long chain goes in batches, each with its checkpoint, however often the
// work dies between two.
func TestALongChainGoesInBatches(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		old := w.another()
		many := make([]gateway.AuditEntry, 2*pruneRows+3)
		for i := range many {
			many[i] = entry(gateway.ActionInboxViewed, "")
		}
		w.check(old.Append(t.Context(), many...), "")
		head, _, err := old.Head(t.Context())
		w.check(err, "")
		n, err := w.prune(noon.Add(time.Second))
		if err != nil || n != int64(len(many)) {
			t.Fatalf("%d went, %v", n, err)
		}
		if n := w.count("audit WHERE action = 'audit.pruned'"); n != 3 {
			t.Errorf("%d notes of it, want one for each batch", n)
		}
		report, err := w.Verify(t.Context(), []gateway.AuditHead{head})
		if err != nil || !report.OK() {
			t.Fatalf("%v\n%s", err, report)
		}
		// The process goes on: its next row follows the checkpoint.
		w.check(old.Append(t.Context(), entry(gateway.ActionInboxViewed, "")), "")
		w.proven(old.Store)
	})
}
