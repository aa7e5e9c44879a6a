package linkstore

import (
	"context"
	"sync"

	"github.com/redis/go-redis/v9"
)

// puts gathers what is put at the same time: the links of a crowd go to Redis
// in one round trip, for a fifth of the webhook's time.
type puts struct {
	client redis.UniversalClient

	mutex   sync.Mutex
	waiting []*put
	running bool
}

// put is one run of put.lua that waits for its answer.
type put struct {
	key  string
	args []any
	done chan error // of one
}

// do waits for the answer, or for the context. A put that the context gave up
// may still be made, like one whose answer is lost on the way.
func (p *puts) do(ctx context.Context, one *put) error {
	one.done = make(chan error, 1)
	p.mutex.Lock()
	p.waiting = append(p.waiting, one)
	if !p.running {
		p.running = true
		go p.run()
	}
	p.mutex.Unlock()
	select {
	case err := <-one.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// run makes what waits until nothing does.
func (p *puts) run() {
	for {
		p.mutex.Lock()
		batch := p.waiting
		p.waiting = nil
		p.running = len(batch) > 0
		p.mutex.Unlock()
		if len(batch) == 0 {
			return
		}
		p.make(batch)
	}
}

func (p *puts) make(batch []*put) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if len(batch) == 1 {
		batch[0].done <- p.alone(ctx, batch[0])
		return
	}
	// A Redis that was restarted knows no scripts: it is told once, not by each.
	forgotten := p.together(ctx, batch)
	if len(forgotten) > 0 && putScript.Load(ctx, p.client).Err() == nil {
		forgotten = p.together(ctx, forgotten)
	}
	for _, one := range forgotten {
		one.done <- p.alone(ctx, one)
	}
}

// together makes puts in one round trip, and gives those back for which Redis
// did not know the script.
func (p *puts) together(ctx context.Context, batch []*put) (forgotten []*put) {
	answers := make([]*redis.Cmd, len(batch))
	_, _ = p.client.Pipelined(ctx, func(pipe redis.Pipeliner) error { // each answer holds its own error
		for i, one := range batch {
			answers[i] = putScript.EvalSha(ctx, pipe, []string{one.key}, one.args...)
		}
		return nil
	})
	for i, one := range batch {
		err := answers[i].Err()
		if redis.HasErrorPrefix(err, "NOSCRIPT") {
			forgotten = append(forgotten, one)
			continue
		}
		one.done <- err
	}
	return forgotten
}

func (p *puts) alone(ctx context.Context, one *put) error {
	return putScript.Run(ctx, p.client, []string{one.key}, one.args...).Err()
}
