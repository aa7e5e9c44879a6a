package gateway

import (
	"context"
	"slices"
	"strings"
	"time"
)

// Start is what a role begins with: by key of the file a keyed hash of what
// stands there, and what each office's pages are sealed to if the role seals.
type Start struct {
	Role    string
	At      time.Time
	Digests map[string]string
	Keys    map[OfficeID][]string // fingerprints
}

// ConfigEntry tells which keys of the file changed since the last start, nil
// being none, and whether any did. Values are never told.
func (s Start) ConfigEntry(before map[string]string) (AuditEntry, bool) {
	entry := AuditEntry{At: s.At, Actor: ActorRole(s.Role), Action: ActionConfigChanged, Outcome: OutcomeDone}
	if before == nil {
		entry.Reason = "first start of this role"
		return entry, true
	}
	var changed []string
	for key, digest := range s.Digests {
		if before[key] != digest {
			changed = append(changed, key)
		}
	}
	for key := range before {
		if _, still := s.Digests[key]; !still {
			changed = append(changed, key)
		}
	}
	slices.Sort(changed)
	const told = 40
	if len(changed) > told {
		changed = append(changed[:told], "and more")
	}
	entry.Reason = strings.Join(changed, ", ")
	return entry, len(changed) > 0
}

// KeysEntry tells what an office's pages are sealed to from now on.
func (s Start) KeysEntry(office OfficeID) AuditEntry {
	short := make([]string, 0, len(s.Keys[office]))
	for _, key := range s.Keys[office] {
		short = append(short, key[:min(len(key), 16)])
	}
	return AuditEntry{
		At: s.At, Actor: ActorRole(s.Role), Action: ActionKeysChanged, Office: office, Outcome: OutcomeDone,
		Reason: "sealed to " + strings.Join(short, ", "),
	}
}

// ExposureRecords tells what was within reach.
type ExposureRecords interface {
	AuditRecords
	// KeyTimes gives when pages of which office were sealed to a key.
	KeyTimes(ctx context.Context, fingerprint string) ([]KeyTime, error)
	// Held gives at most limit submissions of an office, by identifier, those
	// after the given one, that were there at some time of the span.
	Held(ctx context.Context, office OfficeID, from, to time.Time, after SubmissionID, limit int) ([]Held, error)
}

// KeyTime is a time through which an office's pages were sealed to a key.
type KeyTime struct {
	Office OfficeID
	Since  time.Time // zero: from before it was recorded
	Until  time.Time // zero: still
}

// Held is a submission that was there.
type Held struct {
	ID       SubmissionID
	Office   OfficeID
	Sender   PhoneIndex // zero of what is erased, and of what no phone sent
	OpenedAt time.Time  // zero of what is erased
	ErasedAt time.Time  // zero if it is still there
	Pages    []HeldPage
}

// HeldPage is a page that was there.
type HeldPage struct {
	ID         PageID
	ReceivedAt time.Time
	RemovedAt  time.Time // by the client; zero if it is still there
}

// Reach is a time in which an office's papers were within reach.
type Reach struct {
	Office   OfficeID
	From, To time.Time
}

// heldAtOnce bounds what one query of a report reads.
const heldAtOnce = 200

// EachHeld hands on every submission that some of the spans reach, once, with
// the pages that they reach: of a key those that arrived meanwhile alone.
func EachHeld(ctx context.Context, records ExposureRecords, spans []Reach, arrivedWithin bool, visit func(Held) error) error {
	offices := map[OfficeID][]Reach{}
	for _, s := range spans {
		offices[s.Office] = append(offices[s.Office], s)
	}
	ids := make([]OfficeID, 0, len(offices))
	for id := range offices {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, office := range ids {
		if err := eachHeldOf(ctx, records, office, offices[office], arrivedWithin, visit); err != nil {
			return err
		}
	}
	return nil
}

func eachHeldOf(ctx context.Context, records ExposureRecords, office OfficeID, spans []Reach, arrivedWithin bool, visit func(Held) error) error {
	from, to := spans[0].From, spans[0].To
	for _, s := range spans {
		if s.From.Before(from) {
			from = s.From
		}
		if s.To.After(to) {
			to = s.To
		}
	}
	if arrivedWithin {
		from = time.Time{} // what was removed or erased meanwhile was sealed to it all the same
	}
	var after SubmissionID
	for {
		held, err := records.Held(ctx, office, from, to, after, heldAtOnce)
		if err != nil || len(held) == 0 {
			return err
		}
		for _, h := range held {
			after = h.ID
			h.Pages = slices.DeleteFunc(h.Pages, func(p HeldPage) bool { return !p.reached(spans, arrivedWithin) })
			if arrivedWithin && len(h.Pages) == 0 && !erasedSince(h, spans) {
				continue
			}
			if err := visit(h); err != nil {
				return err
			}
		}
	}
}

func (p HeldPage) reached(spans []Reach, arrivedWithin bool) bool {
	return slices.ContainsFunc(spans, func(s Reach) bool {
		if arrivedWithin {
			return !p.ReceivedAt.Before(s.From) && p.ReceivedAt.Before(s.To)
		}
		return p.ReceivedAt.Before(s.To) && (p.RemovedAt.IsZero() || !p.RemovedAt.Before(s.From))
	})
}

// erasedSince tells whether what is erased may have been sealed to a key: its
// pages are not known any more, but it was erased after the key was taken up.
func erasedSince(h Held, spans []Reach) bool {
	return slices.ContainsFunc(spans, func(s Reach) bool { return !h.ErasedAt.IsZero() && !h.ErasedAt.Before(s.From) })
}
