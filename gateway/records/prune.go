package records

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"dropslot/gateway"
)

// checkpoint is where the rest of a chain begins.
type checkpoint struct {
	chain           string
	seq             int64 // of the last row that is gone
	mac             []byte
	firstAt, lastAt int64
	seal            []byte
}

const checkpointColumns = "chain, seq, mac, first_at, last_at, seal"

func scanCheckpoint(r scanner) (c checkpoint, err error) {
	err = r.Scan(&c.chain, &c.seq, &c.mac, &c.firstAt, &c.lastAt, &c.seal)
	return c, err
}

// checkpointLabel keeps these MACs apart from those of rows.
const checkpointLabel = "dropslot/audit/checkpoint/v1"

// sum is HMAC-SHA-256 over the label, the numbers as 8 bytes, and each text
// after its length in 4 bytes.
func (c checkpoint) sum(key []byte) []byte {
	encoded := []byte(checkpointLabel)
	for _, number := range []int64{c.seq, c.firstAt, c.lastAt} {
		encoded = binary.BigEndian.AppendUint64(encoded, uint64(number)) // #nosec G115 -- the bits are what counts
	}
	for _, text := range []string{c.chain, string(c.mac)} {
		encoded = binary.BigEndian.AppendUint32(encoded, uint32(len(text))) // #nosec G115 -- SQL holds no longer text
		encoded = append(encoded, text...)
	}
	h := hmac.New(sha256.New, key)
	h.Write(encoded)
	return h.Sum(nil)
}

func (c checkpoint) genuine(key []byte) bool {
	return len(c.mac) == sha256.Size && hmac.Equal(c.sum(key), c.seal)
}

func checkpointOf(q queryer, chain string) (checkpoint, bool, error) {
	return first(q, scanCheckpoint, "SELECT "+checkpointColumns+" FROM audit_checkpoints WHERE chain = $1", chain)
}

// pruneRows is how many rows one transaction takes.
const pruneRows = 500

// PruneAudit takes rows older than the trail is kept from the beginnings of
// chains. Every row is checked before it goes: of a chain with a fault nothing
// is taken, since that would remove the traces.
func (s *Store) PruneAudit(ctx context.Context, before time.Time, audit func(chain string, rows int64) gateway.AuditEntry) (int64, error) {
	// Chains are named by identifiers, which sort by the time they began at.
	young, err := gateway.FirstID(before)
	if err != nil {
		return 0, err
	}
	var pruned int64
	var failed error
	chain := ""
	for {
		next, err := read(ctx, s, "look for old audit rows", func(v view) (string, error) {
			next, _, err := first(v, scanText[string], "SELECT chain FROM audit WHERE chain > $1 AND chain < $2 ORDER BY chain LIMIT 1", chain, young)
			return next, err
		})
		if err != nil || next == "" {
			return pruned, errors.Join(failed, err)
		}
		for chain = next; ; {
			n, err := s.pruneChain(ctx, chain, before, audit)
			pruned += n
			failed = errors.Join(failed, err)
			if err != nil || n < pruneRows {
				break
			}
		}
	}
}

func (s *Store) pruneChain(ctx context.Context, chain string, before time.Time, audit func(string, int64) gateway.AuditEntry) (int64, error) {
	return write(ctx, s, "prune the audit trail", "", func(x *tx) (int64, error) {
		cut, _, err := checkpointOf(x, chain)
		if err != nil {
			return 0, err
		}
		rows, err := all(x, scanAudit, "SELECT "+auditColumns+" FROM audit WHERE chain = $1 ORDER BY seq LIMIT $2", chain, pruneRows)
		if err != nil {
			return 0, err
		}
		n, err := cut.advance(chain, rows, ms(before), s.key)
		if err != nil || n == 0 {
			return 0, err
		}
		if _, err := x.exec("DELETE FROM audit WHERE chain = $1 AND seq <= $2", chain, cut.seq); err != nil {
			return 0, err
		}
		_, err = x.exec(`INSERT INTO audit_checkpoints (`+checkpointColumns+`, pruned_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (chain) DO UPDATE SET seq = excluded.seq, mac = excluded.mac, last_at = excluded.last_at,
				seal = excluded.seal, pruned_at = excluded.pruned_at`,
			cut.chain, cut.seq, cut.mac, cut.firstAt, cut.lastAt, cut.seal, ms(x.trail.now()))
		if err != nil {
			return 0, err
		}
		return n, x.append(audit(chain, cut.seq))
	})
}

// advance moves the checkpoint over the rows before a time, up to the first
// that is not, and gives how many it passed.
func (c *checkpoint) advance(chain string, rows []auditRow, before int64, key []byte) (n int64, err error) {
	if c.chain != "" && !c.genuine(key) {
		return 0, passed{fmt.Errorf("the checkpoint of audit chain %s is not Dropslot's: see `dropslot audit verify`", chain)}
	}
	var previous [sha256.Size]byte
	copy(previous[:], c.mac)
	sum := hmac.New(sha256.New, key)
	for _, row := range rows {
		if row.at >= before {
			break
		}
		mac := row.sum(sum, previous)
		if row.seq != c.seq+1 || !hmac.Equal(mac[:], row.mac) {
			return 0, passed{fmt.Errorf("row %d of audit chain %s is not in order, so nothing of it is pruned: see `dropslot audit verify`", row.seq, chain)}
		}
		if c.chain == "" {
			c.chain, c.firstAt = chain, row.at
		}
		previous = mac
		c.seq, c.mac, c.lastAt = row.seq, row.mac, row.at
		n++
	}
	c.seal = c.sum(key)
	return n, nil
}

// prunedTo tells whether the row of a head went with the retention.
func (s *Store) prunedTo(q queryer, head gateway.AuditHead) (bool, error) {
	cut, found, err := checkpointOf(q, head.Chain)
	if err != nil || !found || !cut.genuine(s.key) {
		return false, err
	}
	return head.Seq < cut.seq || head.Seq == cut.seq && hmac.Equal(head.MAC, cut.mac), nil
}

// PrunedHead tells whether no row of a head's chain is left.
func (s *Store) PrunedHead(ctx context.Context, head gateway.AuditHead) (bool, error) {
	left, err := exists(ctx, s, "look for rows of an audit chain", "SELECT 1 FROM audit WHERE chain = $1 LIMIT 1", head.Chain)
	return !left, err
}

// begin reads the checkpoints.
func (v *verifier) begin(from view, key []byte) error {
	cuts, err := all(from, scanCheckpoint, "SELECT "+checkpointColumns+" FROM audit_checkpoints ORDER BY chain")
	for _, cut := range cuts {
		if !cut.genuine(key) {
			v.report.add(Fault{Kind: FaultForged, Chain: cut.chain, From: 1, To: cut.seq})
			continue
		}
		v.cuts[cut.chain] = cut
		v.report.Pruned += cut.seq
	}
	return err
}

// beginAtCheckpoint lets a chain that was pruned go on where it was cut. A
// head of the very row that was cut is borne out by the checkpoint; of older
// ones nothing is left to compare.
func (v *verifier) beginAtCheckpoint(chain string) {
	cut, pruned := v.cuts[chain]
	if !pruned {
		return
	}
	v.current.Begins, v.expected = cut.seq+1, cut.seq+1
	copy(v.previous[:], cut.mac)
	waiting := v.heads[chain]
	for len(waiting) > 0 && waiting[0].Seq <= cut.seq {
		if waiting[0].Seq == cut.seq && !hmac.Equal(waiting[0].MAC, cut.mac) {
			v.fault(FaultRewritten, cut.seq, cut.seq)
		}
		waiting = waiting[1:]
	}
	v.heads[chain] = waiting
}
