package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// webhooks measures signed texts of distinct senders: each makes a link.
func webhooks(ctx context.Context, h *house, o options, out io.Writer) error {
	floor, err := startFloor(ctx, h)
	if err != nil {
		return err
	}
	defer floor.stop()
	intake, err := h.startIntake(ctx)
	if err != nil {
		return err
	}
	defer intake.stop()

	table := newTable(out)
	defer table.Flush()
	fmt.Fprintln(table, "webhooks: connections\ttexts/s\tp50 ms\tp99 ms\tfloor/s\tfloor p50\tfloor p99\tratio\taim\t")
	for _, connections := range o.webhookConnections {
		p := plan{Connections: connections, Time: o.roundTime, Count: 200_000}
		var ours, floors series
		for round := range o.rounds + 1 {
			below, err := run(floor.address, p, webhookWorker(h, floor.address, nil))
			if err != nil {
				return fmt.Errorf("floor: %w", err)
			}
			above, err := run(intake.address, p, webhookWorker(h, intake.address, nil))
			if err != nil {
				return fmt.Errorf("intake: %w\n%s", err, intake.said)
			}
			if round > 0 { // the first only warms up
				floors.add(below)
				ours.add(above)
			}
		}
		fmt.Fprintf(table, "%d\t%.0f\t%s\t%s\t%.0f\t%s\t%s\t%.2f\t%s\t\n", connections,
			ours.median(result.perSecond), ms(ours.latency(50)), ms(ours.latency(99)),
			floors.median(result.perSecond), ms(floors.latency(50)), ms(floors.latency(99)),
			ratio(&ours, &floors, result.perSecond), "0.60")
	}
	peak, err := intake.peak()
	if err != nil {
		return err
	}
	fmt.Fprintf(table, "peak MB\t%.1f\t\n", float64(peak)/1e6)
	return nil
}

var (
	accepted  = []byte("<Message")
	linkStart = []byte("/c/")
)

// webhookWorker sends one text after the other; tokens takes the tokens that
// were answered, unless it is nil.
func webhookWorker(h *house, address string, tokens func(string)) func(int) worker {
	return func(int) worker {
		texts := newMessenger(h.publicURL, address)
		return func(c *connection) (int64, error) {
			request := texts.next()
			answer, err := c.exchange(request)
			if err != nil {
				return 0, err
			}
			_, token, found := bytes.Cut(answer.Body, linkStart)
			if answer.Status != 200 || !bytes.Contains(answer.Body, accepted) || !found || len(token) < tokenLength {
				return 0, fmt.Errorf("a text was answered with %d: %.300s", answer.Status, answer.Body)
			}
			if tokens != nil {
				tokens(string(token[:tokenLength]))
			}
			return int64(len(request)), nil
		}
	}
}

const tokenLength = 26

// makeTokens sends texts until there are as many links.
func makeTokens(h *house, intake *process, count int) ([]string, error) {
	gathered := make(chan string, count+64)
	p := plan{Connections: 16, Time: 2 * time.Minute, Count: int64(count)}
	if _, err := run(intake.address, p, webhookWorker(h, intake.address, func(token string) { gathered <- token })); err != nil {
		return nil, err
	}
	close(gathered)
	tokens := make([]string, 0, count)
	for token := range gathered {
		tokens = append(tokens, token)
	}
	if len(tokens) < count {
		return nil, errors.New("too few links were made in time")
	}
	return tokens, nil
}
