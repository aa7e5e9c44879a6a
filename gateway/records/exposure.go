package records

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"dropslot/gateway"
)

// RecordStart notes what a role is configured with and, if it seals, which
// keys each office's pages are sealed to from now on. The audit entries are
// made for what differs from the last start.
func (s *Store) RecordStart(ctx context.Context, start gateway.Start) error {
	_, err := write(ctx, s, "note the configuration", "", func(x *tx) (struct{}, error) {
		entries, err := x.configured(start)
		if err != nil {
			return struct{}{}, err
		}
		for office, keys := range start.Keys {
			changed, err := x.sealsTo(office, keys, start.At)
			if err != nil {
				return struct{}{}, err
			}
			if changed {
				entries = append(entries, start.KeysEntry(office))
			}
		}
		return struct{}{}, x.append(entries...)
	})
	return err
}

func (x *tx) configured(start gateway.Start) ([]gateway.AuditEntry, error) {
	before := map[string]string{}
	stored, found, err := first(x, scanText[string], "SELECT digests FROM configurations WHERE role = $1", start.Role)
	if err == nil && found {
		err = json.Unmarshal([]byte(stored), &before)
	}
	if err != nil {
		return nil, err
	}
	now, err := json.Marshal(start.Digests)
	if err != nil {
		return nil, err
	}
	_, err = x.exec(`INSERT INTO configurations (role, at, digests) VALUES ($1, $2, $3)
		ON CONFLICT (role) DO UPDATE SET at = excluded.at, digests = excluded.digests`, start.Role, ms(start.At), string(now))
	if !found || err != nil {
		before = nil
	}
	if entry, changed := start.ConfigEntry(before); changed {
		return []gateway.AuditEntry{entry}, err
	}
	return nil, err
}

// sealsTo ends the times of keys that went and begins those of keys that came.
// Of an office that has pages already nobody knows since when.
func (x *tx) sealsTo(office gateway.OfficeID, keys []string, now time.Time) (changed bool, err error) {
	using, err := all(x, scanText[string], "SELECT fingerprint FROM office_keys WHERE office = $1 AND until = 0", string(office))
	if err != nil {
		return false, err
	}
	since := ms(now)
	_, known, err := first(x, scanText[string], "SELECT fingerprint FROM office_keys WHERE office = $1", string(office))
	if err != nil {
		return false, err
	}
	if !known {
		if _, old, err := first(x, scanText[string], "SELECT id FROM submissions WHERE office = $1 LIMIT 1", string(office)); err != nil {
			return false, err
		} else if old {
			since = 0
		}
	}
	for _, key := range using {
		if !slices.Contains(keys, key) {
			changed = true
			if _, err := x.exec("UPDATE office_keys SET until = $3 WHERE office = $1 AND fingerprint = $2 AND until = 0", string(office), key, ms(now)); err != nil {
				return false, err
			}
		}
	}
	for _, key := range keys {
		if !slices.Contains(using, key) {
			changed = true
			_, err := x.exec("INSERT INTO office_keys (office, fingerprint, since, until) VALUES ($1, $2, $3, 0) ON CONFLICT DO NOTHING", string(office), key, since)
			if err != nil {
				return false, err
			}
		}
	}
	return changed, nil
}

// KeyTimes gives when pages of which office were sealed to a key.
func (s *Store) KeyTimes(ctx context.Context, fingerprint string) ([]gateway.KeyTime, error) {
	return read(ctx, s, "find a key", func(v view) ([]gateway.KeyTime, error) {
		return all(v, func(r scanner) (k gateway.KeyTime, err error) {
			return k, r.Scan((*string)(&k.Office), at(&k.Since), at(&k.Until))
		}, "SELECT office, since, until FROM office_keys WHERE fingerprint = $1 ORDER BY office, since", fingerprint)
	})
}

// KeyByStart gives the whole fingerprint of the key that begins so.
func (s *Store) KeyByStart(ctx context.Context, start string) (string, error) {
	return read(ctx, s, "find a key", func(v view) (string, error) {
		return only(first(v, scanText[string], "SELECT fingerprint FROM office_keys WHERE fingerprint >= $1 AND fingerprint < $1 || 'g' LIMIT 1", start))
	})
}

// Held gives at most limit submissions of an office, by identifier, that were
// there at some time of the span: not erased before it, not begun after it.
func (s *Store) Held(ctx context.Context, office gateway.OfficeID, from, to time.Time, after gateway.SubmissionID, limit int) ([]gateway.Held, error) {
	return snapshot(ctx, s, "list what was held", func(v view) ([]gateway.Held, error) {
		held, err := all(v, scanHeld, `SELECT id, opened_at, 0, sender FROM submissions WHERE office = $1 AND id > $2 AND opened_at < $3
			UNION ALL SELECT submission, 0, at, NULL FROM tombstones WHERE office = $1 AND submission > $2 AND submission < $4 AND at >= $5
			ORDER BY 1 LIMIT $6`, string(office), string(after), ms(to), firstID(to), ms(from), limit)
		if err != nil {
			return nil, err
		}
		for i := range held {
			held[i].Office = office
			held[i].Pages, err = all(v, scanHeldPage, `SELECT id, received_at, removed_at FROM pages
				WHERE submission = $1 AND received_at < $2 AND (removed_at = 0 OR removed_at >= $3) ORDER BY received_at, id`,
				string(held[i].ID), ms(to), ms(from))
			if err != nil {
				return nil, err
			}
		}
		return held, nil
	})
}

// firstID is FirstID, which reads no randomness and does not fail.
func firstID(from time.Time) string {
	id, err := gateway.FirstID(from)
	if err != nil {
		return ""
	}
	return id
}

func scanHeld(r scanner) (h gateway.Held, err error) {
	var sender []byte
	err = r.Scan((*string)(&h.ID), at(&h.OpenedAt), at(&h.ErasedAt), &sender)
	copy(h.Sender[:], sender)
	return h, err
}

func scanHeldPage(r scanner) (p gateway.HeldPage, err error) {
	return p, r.Scan((*string)(&p.ID), at(&p.ReceivedAt), at(&p.RemovedAt))
}
