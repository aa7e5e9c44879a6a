package records

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"io"
	"time"

	"dropslot/gateway"
)

// chain is the end of an audit chain: the next row follows it. The zero chain
// has no name yet; the first row begins it.
type chain struct {
	id  string
	seq int64 // of the last row
	mac [sha256.Size]byte
	at  int64 // of the last row
}

// auditRow is an entry as it is stored.
type auditRow struct {
	chain string
	seq   int64
	at    int64
	gateway.AuditEntry
	mac []byte
}

// trail makes rows. Only the writer uses it.
type trail struct {
	key    []byte
	now    func() time.Time
	random io.Reader
	sum    hash.Hash
}

const auditColumns = "chain, seq, at, actor, action, object, office, origin, outcome, reason, mac"

var insertAudit = insertMany("audit", auditColumns, "")

// append writes entries as the next rows of this process's chain. The chain
// moves on only if the transaction commits.
func (x *tx) append(entries ...gateway.AuditEntry) error {
	values := make([]any, 0, insertAudit.width*len(entries))
	for _, e := range entries {
		row, err := x.trail.next(&x.chain, e)
		if err != nil {
			return err
		}
		values = append(values, row.chain, row.seq, row.at, row.Actor, string(row.Action), row.Object,
			string(row.Office), row.From, string(row.Outcome), row.Reason, row.mac)
	}
	_, err := x.execMany(insertAudit, values)
	return err
}

// next makes the row that follows a chain and moves the chain on.
func (t *trail) next(c *chain, e gateway.AuditEntry) (auditRow, error) {
	if c.id == "" {
		id, err := gateway.NewID(t.now(), t.random)
		if err != nil {
			return auditRow{}, err
		}
		*c = chain{id: id}
	}
	if e.At.IsZero() {
		e.At = t.now()
	}
	row := auditRow{chain: c.id, seq: c.seq + 1, at: ms(e.At), AuditEntry: e}
	if t.sum == nil {
		t.sum = hmac.New(sha256.New, t.key)
	}
	mac := row.sum(t.sum, c.mac)
	row.mac = mac[:]
	c.seq, c.mac, c.at = row.seq, mac, row.at
	return row, nil
}

// auditLabel keeps these MACs apart from any other use of the key.
const auditLabel = "dropslot/audit/v1"

// sum is HMAC-SHA-256(key, previous MAC ‖ label ‖ fields): numbers as 8 bytes,
// each text after its length in 4 bytes (big endian), so that no two rows have
// the same encoding. The MAC before a chain's first row is 32 zero bytes.
func (r auditRow) sum(h hash.Hash, previous [sha256.Size]byte) (mac [sha256.Size]byte) {
	encoded := make([]byte, 0, 256)
	encoded = append(encoded, previous[:]...)
	for _, number := range []int64{r.seq, r.at} {
		encoded = binary.BigEndian.AppendUint64(encoded, uint64(number)) // #nosec G115 -- the bits are what counts
	}
	for _, text := range []string{
		auditLabel, r.chain, r.Actor, string(r.Action), r.Object, string(r.Office), r.From, string(r.Outcome), r.Reason,
	} {
		encoded = binary.BigEndian.AppendUint32(encoded, uint32(len(text))) // #nosec G115 -- SQL holds no longer text
		encoded = append(encoded, text...)
	}
	h.Reset()
	h.Write(encoded)
	h.Sum(mac[:0])
	return mac
}

// Append writes entries, and returns nil only once they are durable.
func (s *Store) Append(ctx context.Context, entries ...gateway.AuditEntry) error {
	_, err := write(ctx, s, "append to the audit trail", "", func(x *tx) (struct{}, error) {
		return struct{}{}, x.append(entries...)
	})
	return err
}

// Head gives the end of this process's chain; false while it has no row. It
// moves only with a commit.
func (s *Store) Head(context.Context) (gateway.AuditHead, bool, error) {
	c := s.writer.head.Load()
	if c == nil {
		return gateway.AuditHead{}, false, nil
	}
	return gateway.AuditHead{Chain: c.id, Seq: c.seq, MAC: c.mac[:], At: timeOf(c.at)}, true, nil
}

// LostHeads gives the heads whose row is not there as it was, unless an
// `audit.head-lost` entry of a reindex acknowledges their chain.
func (s *Store) LostHeads(ctx context.Context, heads []gateway.AuditHead) ([]gateway.AuditHead, error) {
	var lost []gateway.AuditHead
	for _, head := range heads {
		gone, err := read(ctx, s, "look for an audit head", func(v view) (bool, error) { return s.isLost(v, head) })
		if err != nil {
			return nil, err
		}
		if gone {
			lost = append(lost, head)
		}
	}
	return lost, nil
}

func (s *Store) isLost(v view, head gateway.AuditHead) (bool, error) {
	mac, found, err := first(v, scanBytes, "SELECT mac FROM audit WHERE chain = $1 AND seq = $2", head.Chain, head.Seq)
	if err != nil || found && hmac.Equal(mac, head.MAC) {
		return false, err
	}
	if pruned, err := s.prunedTo(v, head); err != nil || pruned {
		return false, err
	}
	_, acknowledged, err := first(v, scanBytes,
		"SELECT mac FROM audit WHERE action = 'audit.head-lost' AND object = $1 LIMIT 1", chainObject(head.Chain))
	return !acknowledged, err
}

// chainObject is how an entry of a reindex names a chain.
func chainObject(chain string) string { return "chain:" + chain }

func scanBytes(r scanner) (b []byte, err error) {
	err = r.Scan(&b)
	return b, err
}
