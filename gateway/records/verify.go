package records

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"hash"
	"slices"

	"dropslot/gateway"
)

// Verify reads the whole audit trail, row by row, and checks it against the
// key and against the heads that were kept in the vault. It finds every row
// that was changed, taken away, moved or added without the key, and every end
// that was cut off below a head; even with the key, nothing below a head can
// be rewritten unseen. Its memory grows with the number of chains and heads,
// not of rows.
func (s *Store) Verify(ctx context.Context, heads []gateway.AuditHead) (Report, error) {
	v := newVerifier(s.key, heads)
	tx, err := s.readers.BeginTx(ctx, s.dialect.view()) // the retention may be at work
	if err != nil {
		return Report{}, describe("read the audit trail", err)
	}
	defer func() { _ = tx.Rollback() }()
	if err := v.begin(view{ctx: ctx, from: tx}, s.key); err != nil {
		return Report{}, describe("read the audit trail", err)
	}
	rows, err := tx.QueryContext(ctx, "SELECT "+auditColumns+" FROM audit ORDER BY chain, seq")
	if err != nil {
		return Report{}, describe("read the audit trail", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		row, err := scanAudit(rows)
		if err != nil {
			return Report{}, describe("read the audit trail", err)
		}
		v.row(row)
	}
	if err := rows.Err(); err != nil {
		return Report{}, describe("read the audit trail", err)
	}
	return v.finish(), nil
}

func scanAudit(r scanner) (row auditRow, err error) {
	err = r.Scan(&row.chain, &row.seq, &row.at, &row.Actor, (*string)(&row.Action), &row.Object, (*string)(&row.Office),
		&row.From, (*string)(&row.Outcome), &row.Reason, &row.mac)
	return row, err
}

// verifier holds where the reading stands: the chain at hand and what was
// found so far.
type verifier struct {
	sum    hash.Hash
	heads  map[string][]gateway.AuditHead // by chain, in order of rows; taken out when the chain was read
	cuts   map[string]checkpoint          // by chain, whose seals are right
	report Report

	current  ChainReport
	expected int64 // of the row that comes next
	previous [sha256.Size]byte
	known    bool  // previous is the MAC of the row before
	clean    int64 // rows before this one are without a fault; 0 while all are
	matched  int64 // the last row that a head bears out

	acknowledged map[string]bool // chains that a reindex found lost, by entries that are in order
}

func newVerifier(key []byte, heads []gateway.AuditHead) *verifier {
	v := &verifier{
		sum: hmac.New(sha256.New, key), heads: map[string][]gateway.AuditHead{}, cuts: map[string]checkpoint{},
		acknowledged: map[string]bool{},
	}
	for _, head := range heads {
		v.heads[head.Chain] = append(v.heads[head.Chain], head)
	}
	for _, ofChain := range v.heads {
		slices.SortFunc(ofChain, func(a, b gateway.AuditHead) int { return cmp.Compare(a.Seq, b.Seq) })
	}
	return v
}

func (v *verifier) row(r auditRow) {
	if r.chain != v.current.Chain {
		v.endChain()
		v.current = ChainReport{Chain: r.chain, Begins: 1, First: timeOf(r.at)}
		v.expected, v.previous, v.known, v.clean, v.matched = 1, [sha256.Size]byte{}, true, 0, 0
		v.beginAtCheckpoint(r.chain)
	}
	v.report.Rows++
	v.current.Rows++
	v.current.Last = timeOf(r.at)
	switch {
	case r.seq > v.expected:
		v.fault(FaultMissing, v.expected, r.seq-1)
		v.known = false
	case r.seq < v.expected:
		v.fault(FaultAdded, r.seq, r.seq)
		v.known = false
	}
	fits := !v.known || v.fits(r)
	v.known = copy(v.previous[:], r.mac) == sha256.Size
	v.expected = max(v.expected, r.seq+1)
	v.compareHeads(r, fits)
}

// fits compares the row's MAC with what it must be after the row before. The
// next row is checked against the stored MAC, so that one changed row is one
// fault and not the fault of all that follow.
func (v *verifier) fits(r auditRow) bool {
	mac := r.sum(v.sum, v.previous)
	if !hmac.Equal(mac[:], r.mac) {
		v.fault(FaultChanged, r.seq, r.seq)
		return false
	}
	if r.Action == gateway.ActionHeadLost {
		v.acknowledged[r.Object] = true
	}
	return true
}

func (v *verifier) compareHeads(r auditRow, fits bool) {
	waiting := v.heads[r.chain]
	for len(waiting) > 0 && waiting[0].Seq <= r.seq {
		head := waiting[0]
		waiting = waiting[1:]
		switch {
		case head.Seq < r.seq: // its row is missing, which was said already
		case hmac.Equal(head.MAC, r.mac):
			v.matched = r.seq
		case fits: // otherwise it was said already
			v.fault(FaultRewritten, head.Seq, head.Seq)
		}
	}
	v.heads[r.chain] = waiting
}

func (v *verifier) endChain() {
	if v.current.Chain == "" {
		return
	}
	if waiting := v.heads[v.current.Chain]; len(waiting) > 0 {
		v.fault(FaultCut, v.expected, waiting[len(waiting)-1].Seq)
	}
	delete(v.heads, v.current.Chain)
	v.current.Proven = v.matched
	if v.clean > 0 {
		v.current.Proven = min(v.matched, v.clean-1)
	}
	v.report.Chains = append(v.report.Chains, v.current)
	v.current = ChainReport{}
}

func (v *verifier) fault(kind FaultKind, from, to int64) {
	if v.clean == 0 || from < v.clean {
		v.clean = max(from, 1)
	}
	v.current.Faults++
	v.report.add(Fault{Kind: kind, Chain: v.current.Chain, From: from, To: to})
}

// finish names the chains of which nothing is left, and sets apart what a
// reindex has acknowledged: an entry in order says so.
func (v *verifier) finish() Report {
	v.endChain()
	gone := make([]string, 0, len(v.heads))
	for chain := range v.heads {
		gone = append(gone, chain)
	}
	slices.Sort(gone)
	for _, chain := range gone {
		waiting := v.heads[chain]
		if cut := v.cuts[chain].seq; waiting[len(waiting)-1].Seq > cut {
			v.report.add(Fault{Kind: FaultCut, Chain: chain, From: cut + 1, To: waiting[len(waiting)-1].Seq})
		}
	}
	v.report.acknowledge(v.acknowledged)
	return v.report
}
