// Command dropslot runs the gateway and everything an operator does with it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	_ "time/tzdata" // offices' time zones, on a machine without zone files

	_ "golang.org/x/crypto/x509roots/fallback" // certificate roots, on a machine without any

	"github.com/spf13/cobra"
)

func main() {
	// Every command may hold keys or papers in memory.
	if err := harden(); err != nil {
		_, _ = fmt.Fprintf(os.Stderr, "dropslot: core dumps cannot be forbidden: %v\n", err)
		os.Exit(1)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr})
	stop()
	os.Exit(code)
}

// streams are where a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// errSilent ends a command with exit code 1 when it has said already what is wrong.
var errSilent = errors.New("")

// newRoot makes the table of commands.
func newRoot(std streams) *cobra.Command {
	root := &cobra.Command{
		Use:           "dropslot",
		Short:         "Text a number, get a link, drop documents in",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(
		newServeCommand(std),
		newDemoCommand(std),
		newCheckCommand(std),
		newKeygenCommand(std),
		newOpenCommand(std),
		newStaffCommand(std),
		newLinkCommand(std),
		newNumbersCommand(std),
		newDoctorCommand(std),
		newInitCommand(std),
		newJobsCommand(std),
		newAuditCommand(std),
		newReindexCommand(std),
	)
	root.SetIn(std.in)
	root.SetOut(std.out)
	root.SetErr(std.err)
	return root
}

// run gives the exit code: 0, or 1 when something went wrong.
func run(ctx context.Context, args []string, std streams) int {
	root := newRoot(std)
	root.SetArgs(args)
	if err := root.ExecuteContext(ctx); err != nil {
		if !errors.Is(err, errSilent) {
			_, _ = fmt.Fprintf(std.err, "dropslot: %v\n", err)
		}
		return 1
	}
	return 0
}
