package main

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// plan bounds one run: it ends at whichever comes first.
type plan struct {
	Connections int
	Time        time.Duration
	Count       int64
}

// worker does one exchange on a connection; it is called again and again by
// one goroutine. Bytes are what it moved.
type worker func(c *connection) (bytes int64, err error)

// result is what one run gave.
type result struct {
	Took      time.Duration
	Latencies []time.Duration // sorted
	Bytes     int64
}

func (r result) perSecond() float64 { return float64(len(r.Latencies)) / r.Took.Seconds() }

// megabytes is MB (10^6 bytes) a second.
func (r result) megabytes() float64 { return float64(r.Bytes) / 1e6 / r.Took.Seconds() }

// percentile gives the latency that p of a hundred exchanges stay below.
func percentile(sorted []time.Duration, p float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(float64(len(sorted))*p/100))]
}

// run drives an address with as many workers as the plan has connections. An
// exchange that fails ends the run: a figure over failures is no figure.
func run(address string, p plan, newWorker func(n int) worker) (result, error) {
	connections := make([]*connection, p.Connections)
	for i := range connections {
		c, err := dial(address)
		if err != nil {
			return result{}, err
		}
		defer c.close()
		connections[i] = c
	}
	var (
		wait    sync.WaitGroup
		mutex   sync.Mutex
		all     result
		failed  error
		started atomic.Int64
		stop    atomic.Bool
	)
	began := time.Now()
	for i, c := range connections {
		work := newWorker(i)
		wait.Go(func() {
			own, err := drive(c, work, func() bool {
				return !stop.Load() && time.Since(began) < p.Time && started.Add(1) <= p.Count
			})
			mutex.Lock()
			defer mutex.Unlock()
			all.Latencies = append(all.Latencies, own.Latencies...)
			all.Bytes += own.Bytes
			if err != nil {
				stop.Store(true)
				failed = errors.Join(failed, err)
			}
		})
	}
	wait.Wait()
	all.Took = time.Since(began)
	slices.Sort(all.Latencies)
	if failed != nil {
		return all, fmt.Errorf("%d connections: %w", p.Connections, failed)
	}
	return all, nil
}

func drive(c *connection, work worker, more func() bool) (result, error) {
	var own result
	for more() {
		began := time.Now()
		moved, err := work(c)
		if err != nil {
			return own, err
		}
		own.Latencies = append(own.Latencies, time.Since(began))
		own.Bytes += moved
	}
	return own, nil
}

// series gathers the rounds of one thing that is measured.
type series struct {
	rounds []result
}

func (s *series) add(r result) { s.rounds = append(s.rounds, r) }

// median of a figure over the rounds.
func (s *series) median(figure func(result) float64) float64 {
	figures := make([]float64, len(s.rounds))
	for i, r := range s.rounds {
		figures[i] = figure(r)
	}
	return median(figures)
}

// latency pools all rounds.
func (s *series) latency(p float64) time.Duration {
	var all []time.Duration
	for _, r := range s.rounds {
		all = append(all, r.Latencies...)
	}
	slices.Sort(all)
	return percentile(all, p)
}

// ratio is the median of the rounds' own ratios: each round is compared with
// the floor measured right beside it.
func ratio(of, floor *series, figure func(result) float64) float64 {
	ratios := make([]float64, min(len(of.rounds), len(floor.rounds)))
	for i := range ratios {
		ratios[i] = figure(of.rounds[i]) / figure(floor.rounds[i])
	}
	return median(ratios)
}

func median(figures []float64) float64 {
	if len(figures) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(figures))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}
