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
		Short: "Check every row of the audit trail against the heads in the vault",
		Long: `Check every row of the audit trail: that none was changed, removed, moved or
cut off. Each process keeps a chain of its own; its newest link lies in the
vault, apart from the database. Rows written after the last of these heads are
chained, but whoever can write the database and reads the link key could cut
them off unseen: the report counts them.`,
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
