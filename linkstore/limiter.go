package linkstore

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"dropslot/gateway"
)

// Limiter is gateway.Tries on Redis: the buckets are shared by all
// processes, and a Redis that forgot gives everybody a full one.
type Limiter struct {
	client redis.UniversalClient
	subkey []byte
	now    func() time.Time
}

var _ gateway.Tries = (*Limiter)(nil)

// NewLimiter makes the limiter on a client of Open. subkey is
// LinkKey.Subkey(SubkeyLimits); the clocks of all processes should agree to
// within a second or so.
func NewLimiter(client redis.UniversalClient, subkey []byte, now func() time.Time) *Limiter {
	return &Limiter{client: client, subkey: subkey, now: now}
}

// Allow takes one try from the bucket of this kind and key: at most n at
// once, refilled evenly over per. A try that is refused costs nothing. kind
// is a constant of the program and stands in Redis in clear; key does not.
func (l *Limiter) Allow(ctx context.Context, kind, key string, n int, per time.Duration) (allowed bool, wait time.Duration, err error) {
	micros, err := l.run(ctx, allowScript, kind, key, n, per)
	return err == nil && micros == 0, time.Duration(micros) * time.Microsecond, err
}

// Forgive gives back one try that Allow took with the same arguments. A
// bucket that was filled up meanwhile stays full.
func (l *Limiter) Forgive(ctx context.Context, kind, key string, n int, per time.Duration) error {
	_, err := l.run(ctx, forgiveScript, kind, key, n, per)
	return err
}

func (l *Limiter) run(ctx context.Context, script *redis.Script, kind, key string, n int, per time.Duration) (int64, error) {
	if n < 1 || per < time.Microsecond {
		return 0, gateway.NewError(gateway.CodeBadRequest, errors.New("limit: at least one try in some time is needed"))
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	interval := max(per.Microseconds()/int64(n), 1)
	answer, err := script.Run(ctx, l.client, []string{limitKey(l.subkey, kind, key)}, l.now().UnixMicro(), interval, n).Int64()
	if err != nil {
		return 0, failure("limit", err)
	}
	return answer, nil
}
