package records

import (
	"fmt"
	"strings"

	"dropslot/gateway"
)

// Proof is the report for people at the desk.
func (r Report) Proof() gateway.AuditProof {
	p := gateway.AuditProof{OK: r.OK(), Rows: r.Rows, Chains: len(r.Chains), Pruned: r.Pruned}
	for _, c := range r.Chains {
		p.Proven += max(c.Proven-c.Begins+1, 0)
		line := fmt.Sprintf("Chain %s, %s to %s: %s. %s", c.Chain, stampUTC(c.First), stampUTC(c.Last), entries(c.Rows), c.proof())
		if c.Faults == 0 && c.Proven < c.end() {
			p.Open = append(p.Open, line)
		} else {
			p.Closed = append(p.Closed, line)
		}
	}
	for _, f := range r.Faults {
		p.Faults = append(p.Faults, f.String())
	}
	if r.More > 0 {
		p.Faults = append(p.Faults, fmt.Sprintf("And %s more.", count(int64(r.More), "fault")))
	}
	for _, f := range r.Acknowledged {
		p.OnRecord = append(p.OnRecord, f.String())
	}
	// The last line of the report is its result.
	lines := strings.Split(strings.TrimSpace(r.String()), "\n")
	p.Result = strings.TrimPrefix(lines[len(lines)-1], "Result: ")
	return p
}
