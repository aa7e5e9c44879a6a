package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"dropslot/config"
	"dropslot/gateway"
)

// withParts runs an operator's command on the opened records and vault.
func withParts(ctx context.Context, std streams, path string, role config.Role, do func(*parts) error) (err error) {
	c, err := loadConfig(std, path, role)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(std.err, &slog.HandlerOptions{Level: slog.LevelWarn}))
	p, err := openParts(ctx, c, log, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	return do(p)
}

func addConfigFlag(command *cobra.Command, path *string) {
	command.Flags().StringVarP(path, "config", "c", "", "the configuration file")
	_ = command.MarkFlagRequired("config")
}

// operatorAt is the operator as an actor who may do a supervisor's work at
// some offices.
func operatorAt(offices ...gateway.OfficeID) gateway.Actor {
	return gateway.Actor{Staff: gateway.Staff{Roles: gateway.RolesIn(gateway.RoleSupervisor, offices...)}}
}

// operatorEntry is the audit row of something done at the command line.
func operatorEntry(action gateway.Action, object string) gateway.AuditEntry {
	return gateway.AuditEntry{
		At: time.Now(), Actor: gateway.ActorOperator, Action: action, Object: object, Outcome: gateway.OutcomeDone,
	}
}
