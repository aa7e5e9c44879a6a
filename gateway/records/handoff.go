package records

import (
	"context"

	"dropslot/gateway"
)

// LinkOrigins tells why each link of a submission was issued.
func (s *Store) LinkOrigins(ctx context.Context, id gateway.SubmissionID) (map[gateway.LinkID]gateway.Origin, error) {
	type issued struct {
		link   gateway.LinkID
		origin gateway.Origin
	}
	links, err := read(ctx, s, "list link origins", func(v view) ([]issued, error) {
		return all(v, func(r scanner) (i issued, err error) {
			err = r.Scan((*string)(&i.link), (*string)(&i.origin))
			return i, err
		}, "SELECT id, origin FROM links WHERE submission = $1", string(id))
	})
	origins := make(map[gateway.LinkID]gateway.Origin, len(links))
	for _, l := range links {
		origins[l.link] = l.origin
	}
	return origins, err
}

// OurTexts gives what Dropslot texted around a submission; see the port.
func (s *Store) OurTexts(ctx context.Context, id gateway.SubmissionID) ([]gateway.OurText, error) {
	return snapshot(ctx, s, "list our texts", func(v view) ([]gateway.OurText, error) {
		// An answer belongs where its text does, or where its link led.
		ours, err := all(v, func(r scanner) (o gateway.OurText, err error) {
			return o, r.Scan(at(&o.At), (*string)(&o.Occasion), (*string)(&o.State))
		}, `SELECT received_at, occasion, answer_state FROM texts WHERE occasion <> '' AND id IN (
				SELECT id FROM texts WHERE submission = $1 AND submission <> ''
				UNION SELECT t.id FROM links l JOIN texts t ON t.link = l.id AND t.link <> '' WHERE l.submission = $1)
			ORDER BY received_at, id LIMIT $2`, string(id), correspondenceMost)
		if err != nil {
			return nil, err
		}
		sent, err := all(v, func(r scanner) (o gateway.OurText, err error) {
			f := newWishFields(&o.Wish)
			err = r.Scan(append([]any{at(&o.At), (*string)(&o.Occasion), (*string)(&o.State), (*string)(&o.Staff), &o.Count}, f.fields()...)...)
			if err == nil {
				err = f.read()
			}
			return o, err
		}, "SELECT s.created_at, s.occasion, s.state, s.staff, s.count, "+wishColumns+` FROM sendings s
			LEFT JOIN wishes w ON w.link = s.link LEFT JOIN pages a ON a.id = w.page
			WHERE s.submission = $1 ORDER BY s.created_at, s.id LIMIT $2`, string(id), correspondenceMost)
		return append(ours, sent...), err
	})
}
