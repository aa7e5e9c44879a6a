package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dropslot/config"
	"dropslot/gateway"
)

func newReindexCommand(std streams) *cobra.Command {
	var path, reason string
	var recordsLost bool
	command := &cobra.Command{
		Use:   "reindex --reason TEXT",
		Short: "Rebuild the records from the vault",
		Long: `Rebuild the records of submissions and pages from the vault and the offices'
identities: after the database was lost, or restored from an older backup.
What the records know already is left as it is; what was erased stays erased.

The vault tells of pages, their order and labels, the client's name and number,
what is done and since when, status, assignment, case numbers, notes, merges and
holds, as they were when the worker last wrote them there: minutes ago, if it
ran. It does not tell of accounts, links and requests, texts and what was sent,
what staff call a phone, what was looked at, notices, figures and the audit
trail: these are lost with the database. Clients text again for a new link.

Stop the intake first: a page that is just arriving could be taken twice.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if strings.TrimSpace(reason) == "" {
				return errors.New("--reason is needed: it is written into the audit trail")
			}
			return withParts(cmd.Context(), std, path, config.RoleDesk, func(p *parts) error {
				opener, err := openIdentities(p.config)
				if err != nil {
					return err
				}
				flow := &gateway.Reindex{
					Directory: p.directory, Records: p.records, Audit: p.records, Vault: p.vault, Opener: opener,
					Phones: p.phones, Now: time.Now, RecordsLost: recordsLost,
				}
				report, err := flow.Run(cmd.Context(), reason)
				tellReindexed(std, report)
				if err == nil && len(report.Damaged)+report.Missing > 0 {
					err = errSilent
				}
				return err
			})
		},
	}
	addConfigFlag(command, &path)
	command.Flags().BoolVar(&recordsLost, "records-lost", false,
		"the database lost its newest rows, as after a failover: take every page in the vault that it does not know")
	command.Flags().StringVar(&reason, "reason", "", "why, for the audit trail")
	return command
}

const notInVault = "The vault does not tell of these, so what the database lost of them stays lost: staff accounts, links and requests, texts, " +
	"names that staff gave to phones, notice settings, figures, the audit trail. Statuses and assignments are as the worker last stored them."

func tellReindexed(std streams, r gateway.ReindexReport) {
	_, _ = fmt.Fprintf(std.out, "%d submissions in the vault, %d pages restored, %d erased pages left erased\n",
		r.Submissions, r.Restored, r.Erased)
	if r.Gone+r.Held > 0 {
		_, _ = fmt.Fprintf(std.out, "%d erased submissions left erased, %d legal holds restored\n", r.Gone, r.Held)
	}
	if r.Restored > 0 {
		_, _ = fmt.Fprintln(std.out, notInVault)
	}
	if r.Skipped > 0 {
		_, _ = fmt.Fprintf(std.out, "%d page files were left out: never acknowledged, or just arriving. If the database lost its newest rows, run again with --records-lost\n", r.Skipped)
	}
	if r.LostHeads > 0 {
		_, _ = fmt.Fprintf(std.out, "%d audit chains are gone with the old database; the trail says so\n", r.LostHeads)
	}
	if r.Missing > 0 {
		_, _ = fmt.Fprintf(std.out, "%d pages are missing from the vault: restore them from the vault's backup and run again\n", r.Missing)
	}
	for _, name := range r.Damaged {
		_, _ = fmt.Fprintf(std.out, "damaged: %s: restore it from the vault's backup and run again\n", name)
	}
}
