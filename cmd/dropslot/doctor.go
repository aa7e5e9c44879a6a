package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"dropslot/config"
)

func newDoctorCommand(std streams) *cobra.Command {
	var path, role string
	command := &cobra.Command{
		Use:   "doctor -c FILE",
		Short: "Look at everything that Dropslot needs, and say what to do",
		Long: `Look at the keys, Redis, the records, the vault, certificates, Twilio and its
numbers, the agreements on record, and what still lies at Twilio. Each line says
whether all is well and, if not, what to do. The exit code is 1 if something
must be mended.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			which, err := config.ParseRole(role)
			if err != nil {
				return err
			}
			c, err := loadConfig(std, path, which)
			if err != nil {
				return err
			}
			return doctor(cmd.Context(), std, c, which)
		},
	}
	addConfigFlag(command, &path)
	command.Flags().StringVar(&role, "role", string(config.RoleWorker), "the role whose keys are looked at too: worker, intake, desk or all")
	return command
}

// verdict is how one look ended.
type verdict string

const (
	fine   verdict = "ok"
	advice verdict = "look" // works, but somebody should look
	fault  verdict = "FAULT"
)

// finding is one line of the report; todo is empty where all is well.
type finding struct {
	verdict    verdict
	what, todo string
}

// report gathers findings and prints each at once: a look may take a while.
type report struct {
	out    io.Writer
	faults int
}

func (r *report) add(f finding) {
	if f.verdict == fault {
		r.faults++
	}
	_, _ = fmt.Fprintf(r.out, "%-5s  %s\n", f.verdict, f.what)
	if f.todo != "" {
		_, _ = fmt.Fprintf(r.out, "       %s\n", f.todo)
	}
}

// check is a look that fails with one fault or is fine.
func (r *report) check(what string, err error, todo string) bool {
	if err != nil {
		r.add(finding{fault, what + ": " + err.Error(), todo})
		return false
	}
	r.add(finding{verdict: fine, what: what})
	return true
}

// doctorPatience bounds all looks together.
const doctorPatience = 2 * time.Minute

func doctor(ctx context.Context, std streams, c *config.Config, role config.Role) error {
	ctx, cancel := context.WithTimeout(ctx, doctorPatience)
	defer cancel()
	r := &report{out: std.out}
	r.add(finding{verdict: fine, what: "the configuration is in order for the role " + string(role)})
	for _, warning := range c.Warnings.Lines() {
		r.add(finding{verdict: advice, what: warning})
	}
	if role.OpensPages() {
		_, err := openIdentities(c)
		r.check("identities open and belong to the recipients", err, "make keys with dropslot keygen, or correct the paths and passphrases")
		r.partners(ctx, c)
		r.singleSignOn(ctx, c)
	}
	r.agreements(c, time.Now())
	r.certificate(ctx, c, time.Now())
	p, err := openParts(ctx, c, slog.New(slog.DiscardHandler), true)
	if r.check("records and vault open", err, "see the message; the records' database and the vault's folder must be reachable from this machine") {
		r.stores(ctx, p)
		err = p.close()
	}
	r.mail(ctx, c)
	if client, failed := twilioClient(c); r.check("the Twilio account is configured", failed, "correct twilio in the configuration") {
		r.twilio(ctx, c, client)
	}
	if r.faults > 0 {
		return fmt.Errorf("%d faults: see above for what to do", r.faults)
	}
	return err
}
