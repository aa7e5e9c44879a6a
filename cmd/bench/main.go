// Command bench measures what one machine carries: texts, uploads, claims and
// the inbox, on a real Redis and on SQLite that syncs every commit. Each
// figure stands beside its floor, measured in turns with it in the same run:
// on a shared machine only such ratios can be compared.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
)

// options bound every part in count and in time.
type options struct {
	roundTime          time.Duration
	rounds             int
	webhookConnections []int
	uploadConnections  []int
	uploadCount        int // pages a round, at least
	claimConnections   []int
	claimCount         int
	inboxRows          []int
}

type part struct {
	name string
	run  func(context.Context, *house, options, io.Writer) error
}

var parts = []part{
	{"webhook", webhooks},
	{"uploads", uploads},
	{"claims", claims},
	{"inbox", inbox},
}

func main() {
	if len(os.Args) == 6 && os.Args[1] == floorCommand {
		exit(serveFloor(os.Args[2], os.Args[3], os.Args[4], os.Args[5]))
	}
	exit(bench(os.Args[1:]))
}

func exit(err error) {
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func bench(args []string) error {
	o := options{
		webhookConnections: []int{1, 16, 64, 256}, uploadConnections: []int{1, 16, 64}, uploadCount: 100,
		claimConnections: []int{1, 16, 64}, claimCount: 4000, inboxRows: []int{10_000, 1_000_000},
	}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	chosen := flags.String("parts", "webhook,uploads,claims,inbox", "what to measure")
	folder := flags.String("dir", "", "an empty folder on the disk to measure; a new one in the temp folder if not given")
	flags.DurationVar(&o.roundTime, "time", 2*time.Second, "length of one round of webhooks")
	flags.IntVar(&o.rounds, "rounds", 5, "rounds of each figure and its floor, in turns")
	if err := flags.Parse(args); err != nil {
		return err
	}
	names := strings.Split(*chosen, ",")
	for _, name := range names {
		if !slices.ContainsFunc(parts, func(p part) bool { return p.name == name }) {
			return fmt.Errorf("no part is called %q", name)
		}
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	ctx, cancel = context.WithTimeout(ctx, 20*time.Minute)
	defer cancel()

	home := *folder
	if home == "" {
		made, err := os.MkdirTemp("", "dropslot-bench-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(made)
		home = made
	}
	h, err := openHouse(ctx, home)
	if err != nil {
		return err
	}
	defer h.redis.stop()
	fmt.Printf("%s, %d processors shared by load, server and Redis; %s\n\n", runtime.Version(), runtime.NumCPU(), time.Now().Format(time.DateOnly))
	for _, part := range parts {
		if slices.Contains(names, part.name) {
			if err := part.run(ctx, h, o, os.Stdout); err != nil {
				return fmt.Errorf("%s: %w", part.name, err)
			}
			fmt.Println()
		}
	}
	return nil
}

func newTable(out io.Writer) *tabwriter.Writer {
	return tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
}

// ms prints milliseconds.
func ms(d time.Duration) string {
	return fmt.Sprintf("%.2f", float64(d)/float64(time.Millisecond))
}
