package linkstore

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"dropslot/gateway"
)

// Links is gateway.LinkStore on Redis. Times are kept to the millisecond, as
// in SQL.
type Links struct {
	client redis.UniversalClient
	puts   puts
}

var _ gateway.LinkStore = (*Links)(nil)

// NewLinks makes the store on a client of Open.
func NewLinks(client redis.UniversalClient) *Links {
	return &Links{client: client, puts: puts{client: client}}
}

// Put stores the entry, replacing one of the same hash. One whose KnownTill
// has passed is dropped at once.
func (s *Links) Put(ctx context.Context, e gateway.LinkEntry) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var browser []byte
	if !e.Browser.IsZero() {
		browser = e.Browser[:]
	}
	if err := s.puts.do(ctx, &put{key: linkKey(e.Hash), args: []any{
		string(e.Link), string(e.State), e.ExpiresAt.UnixMilli(), e.KnownTill.UnixMilli(), browser,
	}}); err != nil {
		return failure("put link", err)
	}
	return nil
}

// Claim binds an issued, unexpired entry to the browser and gives the entry
// as it stands afterwards. An answer lost on the way costs nothing: the same
// browser that asks again is given the same entry.
func (s *Links) Claim(ctx context.Context, hash gateway.TokenHash, browser gateway.BrowserHash, now time.Time) (gateway.LinkEntry, error) {
	if browser.IsZero() {
		return gateway.LinkEntry{}, gateway.NewError(gateway.CodeBadRequest, errors.New("claim link: no browser"))
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	values, err := claimScript.Run(ctx, s.client, []string{linkKey(hash)}, browser[:], now.UnixMilli()).Slice()
	return readEntry("claim link", hash, values, err)
}

// Resume gives the entry and changes nothing.
func (s *Links) Resume(ctx context.Context, hash gateway.TokenHash) (gateway.LinkEntry, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	values, err := s.client.HMGet(ctx, linkKey(hash), "id", "state", "expires", "known", "browser").Result()
	return readEntry("resume link", hash, values, err)
}

// Close marks the entry closed. CodeLinkUnknown if there is none: it stays away.
func (s *Links) Close(ctx context.Context, hash gateway.TokenHash) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	closed, err := closeScript.Run(ctx, s.client, []string{linkKey(hash)}).Int()
	switch {
	case err != nil:
		return failure("close link", err)
	case closed == 0:
		return gateway.NewError(gateway.CodeLinkUnknown, nil)
	}
	return nil
}

// readEntry takes the fields id, state, expires, known and browser. Whatever
// is no link of ours counts as unknown: SQL is asked then, and what it says
// replaces the garbage.
func readEntry(act string, hash gateway.TokenHash, values []any, err error) (gateway.LinkEntry, error) {
	unknown := gateway.NewError(gateway.CodeLinkUnknown, nil)
	switch {
	case errors.Is(err, redis.Nil) || redis.HasErrorPrefix(err, "WRONGTYPE"):
		return gateway.LinkEntry{}, unknown
	case err != nil:
		return gateway.LinkEntry{}, failure(act, err)
	case len(values) != 5:
		return gateway.LinkEntry{}, unknown
	}
	var fields [5]string
	for i, v := range values {
		fields[i], _ = v.(string) // a field that is not there is nil
	}
	e := gateway.LinkEntry{Hash: hash, Link: gateway.LinkID(fields[0]), State: gateway.LinkState(fields[1])}
	expires, errExpires := strconv.ParseInt(fields[2], 10, 64)
	known, errKnown := strconv.ParseInt(fields[3], 10, 64)
	e.ExpiresAt, e.KnownTill = time.UnixMilli(expires).UTC(), time.UnixMilli(known).UTC()
	copied := copy(e.Browser[:], fields[4])
	if e.Link == "" || !storedStates[e.State] || errors.Join(errExpires, errKnown) != nil ||
		len(fields[4]) != copied || copied != 0 && copied != len(e.Browser) {
		return gateway.LinkEntry{}, unknown
	}
	return e, nil
}

var storedStates = map[gateway.LinkState]bool{
	gateway.LinkIssued: true, gateway.LinkClaimed: true, gateway.LinkClosed: true, gateway.LinkSuperseded: true,
}
