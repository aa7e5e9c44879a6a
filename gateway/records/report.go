package records

import (
	"fmt"
	"strings"
	"time"
)

// FaultKind tells what is wrong with rows of the audit trail.
type FaultKind string

// The faults that Verify finds.
const (
	FaultChanged   FaultKind = "changed"   // the row does not fit its MAC and the row before
	FaultMissing   FaultKind = "missing"   // rows before one that is there are gone
	FaultAdded     FaultKind = "added"     // a number that was there before, or none that a chain has
	FaultRewritten FaultKind = "rewritten" // another row than the one whose head is in the vault
	FaultCut       FaultKind = "cut"       // rows up to the one whose head is in the vault are gone
	FaultForged    FaultKind = "forged"    // a checkpoint that the retention did not make
)

// Fault is one finding: rows From to To of a chain.
type Fault struct {
	Kind     FaultKind
	Chain    string
	From, To int64
}

// ChainReport is what was seen of one chain.
type ChainReport struct {
	Chain       string
	Begins      int64 // its first row: above 1 if the retention took those before it
	Rows        int64
	First, Last time.Time // of its rows
	Proven      int64     // rows up to this one are as they were when a head was kept
	Faults      int
}

// Report is the result of Verify.
type Report struct {
	Rows   int64
	Pruned int64 // rows older than the trail is kept, by checkpoints that are in order
	Chains []ChainReport
	Faults []Fault // the first ones
	More   int     // faults beyond those
	// Acknowledged are losses that an entry of a reindex has put on record,
	// and that entry is in order: a backup was restored.
	Acknowledged []Fault
}

// listedFaults bounds the memory of a report on a trail that is all wrong.
const listedFaults = 1000

// OK tells whether nothing was found but losses that are on record.
func (r Report) OK() bool { return len(r.Faults)+r.More == 0 }

// add appends a fault, or extends the last one if it goes on.
func (r *Report) add(f Fault) {
	if n := len(r.Faults); n > 0 {
		last := &r.Faults[n-1]
		if last.Chain == f.Chain && last.Kind == f.Kind && last.To+1 == f.From {
			last.To = f.To
			return
		}
	}
	if len(r.Faults) == listedFaults {
		r.More++
		return
	}
	r.Faults = append(r.Faults, f)
}

// acknowledge moves the losses of chains that are on record as lost.
func (r *Report) acknowledge(objects map[string]bool) {
	kept := r.Faults[:0]
	for _, f := range r.Faults {
		if (f.Kind == FaultCut || f.Kind == FaultRewritten) && objects[chainObject(f.Chain)] {
			r.Acknowledged = append(r.Acknowledged, f)
			continue
		}
		kept = append(kept, f)
	}
	r.Faults = kept
}

// String is the report in plain words, a line each.
func (r Report) String() string {
	var out strings.Builder
	fmt.Fprintf(&out, "Audit trail: %s in %s (each start of a process begins a chain).\n",
		entries(r.Rows), count(int64(len(r.Chains)), "chain"))
	if r.Pruned > 0 {
		fmt.Fprintf(&out, "Removed on schedule: %s older than the trail is kept; checkpoints prove where each chain goes on.\n", entries(r.Pruned))
	}
	for _, c := range r.Chains {
		fmt.Fprintf(&out, "Chain %s, %s to %s: %s. %s\n", c.Chain, stampUTC(c.First), stampUTC(c.Last), entries(c.Rows), c.proof())
	}
	for _, f := range r.Acknowledged {
		fmt.Fprintf(&out, "On record: %s A reindex has noted this loss in the trail.\n", f)
	}
	for _, f := range r.Faults {
		fmt.Fprintf(&out, "FAULT: %s\n", f)
	}
	if r.More > 0 {
		fmt.Fprintf(&out, "FAULT: and %s more.\n", count(int64(r.More), "fault"))
	}
	if r.OK() {
		out.WriteString("Result: No confirmed entry was changed, moved, added or removed, and the newer ones fit together.\n")
	} else {
		out.WriteString("Result: The trail was changed or damaged outside of Dropslot. Keep a copy of the database and of the vault as they are, and find out who could write to the database.\n")
	}
	return out.String()
}

func (c ChainReport) proof() string {
	switch {
	case c.Faults > 0 && c.Proven < c.Begins:
		return "It has faults, named apart; none of its entries is confirmed."
	case c.Faults > 0:
		return fmt.Sprintf("It has faults, named apart; entries %d to %d are confirmed by a fingerprint in the vault.", c.Begins, c.Proven)
	case c.Proven < c.Begins:
		return "The vault holds no fingerprint of it yet: its entries fit together, but removal of the newest would not show."
	case c.Proven == c.end():
		return "All are confirmed by a fingerprint in the vault."
	}
	return fmt.Sprintf("Entries %d to %d are confirmed by a fingerprint in the vault. What came after fits together (%s), but removal of the newest would not show yet.",
		c.Begins, c.Proven, entries(c.end()-c.Proven))
}

// end is the number of the last row, if none is missing.
func (c ChainReport) end() int64 { return c.Begins - 1 + c.Rows }

// String is the finding in a sentence.
func (f Fault) String() string {
	rows := fmt.Sprintf("Entry %d of chain %s", f.From, f.Chain)
	one, was := true, "was"
	if f.From != f.To {
		rows, one, was = fmt.Sprintf("Entries %d to %d of chain %s", f.From, f.To, f.Chain), false, "were"
	}
	switch f.Kind {
	case FaultChanged:
		return rows + " " + was + " changed or moved."
	case FaultMissing:
		return rows + " " + was + " removed; the entry after cannot be checked by itself."
	case FaultAdded:
		return rows + " " + was + " added or moved."
	case FaultForged:
		return "The checkpoint of chain " + f.Chain + " was not made by Dropslot: entries may have been removed."
	case FaultRewritten:
		if one {
			return rows + " is not the one whose fingerprint is in the vault: it was rewritten by somebody who has the link key."
		}
		return rows + " are not those whose fingerprints are in the vault: they were rewritten by somebody who has the link key."
	}
	return rows + " " + was + " removed from the end; the vault still holds the fingerprint of the last one."
}

func count(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func entries(n int64) string {
	if n == 1 {
		return "1 entry"
	}
	return fmt.Sprintf("%d entries", n)
}

func stampUTC(t time.Time) string { return t.Format("2006-01-02 15:04:05") + " UTC" }
