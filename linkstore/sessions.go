package linkstore

import (
	"context"
	"errors"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/redis/go-redis/v9"
)

// Sessions keeps the desk's sessions for scs, and what waits for a browser's
// answer in the middle of a sign-in: challenges of passkeys, and the nonce and
// verifier of a sign-in through the organization, for minutes. What an entry is
// named by stands in Redis only as its SHA-256: who reads Redis cannot sign in
// with what stands there. A session holds identifiers of an account and of the
// sign-in, times, where the sign-in leads and a hash that ends with the
// password; no name and no password.
type Sessions struct{ client redis.UniversalClient }

var _ scs.CtxStore = (*Sessions)(nil)

// NewSessions makes the store on a client of Open.
func NewSessions(client redis.UniversalClient) *Sessions { return &Sessions{client: client} }

// FindCtx gives the data of a session; found is false for one that is not
// there, is over, or is nothing that this store wrote.
func (s *Sessions) FindCtx(ctx context.Context, token string) (data []byte, found bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	data, err = s.client.Get(ctx, sessionKey(token)).Bytes()
	switch {
	case errors.Is(err, redis.Nil) || redis.HasErrorPrefix(err, "WRONGTYPE"):
		return nil, false, nil
	case err != nil:
		return nil, false, failure("find session", err)
	}
	return data, true, nil
}

// TakeCtx gives the data of an entry and removes it: of two who ask at once,
// one gets it.
func (s *Sessions) TakeCtx(ctx context.Context, token string) (data []byte, found bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	data, err = s.client.GetDel(ctx, sessionKey(token)).Bytes()
	switch {
	case errors.Is(err, redis.Nil) || redis.HasErrorPrefix(err, "WRONGTYPE"):
		return nil, false, nil
	case err != nil:
		return nil, false, failure("take session", err)
	}
	return data, true, nil
}

// CommitCtx stores a session until its expiry.
func (s *Sessions) CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := s.client.SetArgs(ctx, sessionKey(token), data, redis.SetArgs{ExpireAt: expiry}).Err(); err != nil {
		return failure("store session", err)
	}
	return nil
}

// DeleteCtx ends a session; one that is not there is fine.
func (s *Sessions) DeleteCtx(ctx context.Context, token string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := s.client.Del(ctx, sessionKey(token)).Err(); err != nil {
		return failure("end session", err)
	}
	return nil
}

// Find is FindCtx without a context, which scs.Store asks for.
func (s *Sessions) Find(token string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), token)
}

// Commit is CommitCtx without a context, which scs.Store asks for.
func (s *Sessions) Commit(token string, data []byte, expiry time.Time) error {
	return s.CommitCtx(context.Background(), token, data, expiry)
}

// Delete is DeleteCtx without a context, which scs.Store asks for.
func (s *Sessions) Delete(token string) error { return s.DeleteCtx(context.Background(), token) }
