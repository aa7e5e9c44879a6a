package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"dropslot/config"
	"dropslot/gateway"
)

func newAuditCommand(std streams) *cobra.Command {
	command := &cobra.Command{Use: "audit", Short: "Prove the audit trail, and report from it"}
	command.AddCommand(newAuditVerifyCommand(std), newAuditEvidenceCommand(std), newAuditExposureCommand(std))
	return command
}

func newAuditVerifyCommand(std streams) *cobra.Command {
	var path string
	command := &cobra.Command{
		Use:   "verify",
		Short: "Check every entry of the audit trail against the fingerprints in the vault",
		Long: `Check every entry of the audit trail: that none was changed, removed, moved or
cut off. Each process keeps a chain of its own, and every minute a fingerprint
of its newest entry in the vault, apart from the database. Entries after the
last fingerprint are chained too, but whoever can write the database could cut
off the newest unseen: the report counts them.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withParts(cmd.Context(), std, path, config.RoleWorker, func(p *parts) error {
				heads, err := gateway.LoadHeads(cmd.Context(), p.vault)
				damaged, anyDamaged := errors.AsType[*gateway.DamagedHeads](err)
				if err != nil && !anyDamaged {
					return err
				}
				report, err := p.records.Verify(cmd.Context(), heads)
				if err != nil {
					return err
				}
				_, _ = fmt.Fprint(std.out, report.String())
				if anyDamaged {
					return damaged
				}
				if !report.OK() {
					return errSilent
				}
				return nil
			})
		},
	}
	addConfigFlag(command, &path)
	return command
}
