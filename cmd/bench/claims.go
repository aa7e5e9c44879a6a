package main

import (
	"context"
	"fmt"
	"io"
	"math"
)

// claims measures the tap on a link's button, each by a browser of its own.
func claims(ctx context.Context, h *house, o options, out io.Writer) error {
	intake, err := h.startIntake(ctx)
	if err != nil {
		return err
	}
	defer intake.stop()
	tokens, err := makeTokens(h, intake, len(o.claimConnections)*o.claimCount+1)
	if err != nil {
		return err
	}
	name, err := cookieName(intake, tokens[0])
	if err != nil {
		return err
	}
	waiting := hand(tokens[1:])
	table := newTable(out)
	defer table.Flush()
	fmt.Fprintln(table, "claims: connections\tclaims/s\tp50 ms\tp99 ms\t")
	for _, connections := range o.claimConnections {
		p := plan{Connections: connections, Time: math.MaxInt64, Count: int64(o.claimCount)}
		r, err := run(intake.address, p, claimWorker(intake.address, name, waiting, nil))
		if err != nil {
			return fmt.Errorf("claims: %w\n%s", err, intake.said)
		}
		fmt.Fprintf(table, "%d\t%.0f\t%s\t%s\t\n", connections, r.perSecond(),
			ms(percentile(r.Latencies, 50)), ms(percentile(r.Latencies, 99)))
	}
	return nil
}
