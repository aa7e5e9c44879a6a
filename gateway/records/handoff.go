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
