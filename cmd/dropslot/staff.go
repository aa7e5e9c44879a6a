package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"dropslot/config"
	"dropslot/gateway"
	"dropslot/gateway/seal"
)

func newStaffCommand(std streams) *cobra.Command {
	command := &cobra.Command{Use: "staff", Short: "Add, invite, reset, change and list the accounts of the desk"}
	command.AddCommand(newStaffAddCommand(std), newStaffInviteCommand(std), newStaffResetCommand(std),
		newStaffChangeCommand(std), newStaffListCommand(std))
	return command
}

type staffFlags struct {
	config, passwordFile string
	offices, roles       []string
	password             bool
	disable, enable      bool
}

func newStaffAddCommand(std streams) *cobra.Command {
	var flags staffFlags
	command := &cobra.Command{
		Use:   "add LOGIN --office OFFICE [--role ROLE]",
		Short: "Make an account for a caseworker",
		Long: `Make an account for a caseworker. The password is asked for, or read from the
first line of --password-file. It needs 15 characters or more: four or five
words are easy to remember and hard to guess.

A caseworker and a supervisor see papers; an auditor sees the audit trail; an
admin manages accounts. Several roles may be given, and OFFICE:ROLE gives a
role at one office alone.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withParts(cmd.Context(), std, flags.config, config.RoleWorker, func(p *parts) error {
				roles, err := p.rolesNamed(flags.roles, flags.offices)
				if err != nil {
					return err
				}
				login := strings.ToLower(args[0])
				if !gateway.ValidLogin(login) {
					return fmt.Errorf("%q is no login: write 2 to 64 letters, digits or . _ @ + -", args[0])
				}
				hash, err := p.askPasswordHash(cmd, std, flags.passwordFile, login, roles)
				if err != nil {
					return err
				}
				now := time.Now()
				id, err := gateway.NewID(now, rand.Reader)
				if err != nil {
					return err
				}
				staff := gateway.Staff{ID: gateway.StaffID(id), Login: login, PasswordHash: hash, Roles: roles, CreatedAt: now}
				entry := operatorEntry(gateway.ActionStaffAdded, "staff:"+id)
				entry.Reason = roles.String()
				err = p.records.AddStaff(cmd.Context(), staff, entry)
				if gateway.Is(err, gateway.CodeBadRequest) {
					return fmt.Errorf("there is an account %s already: change it with `dropslot staff change`", login)
				}
				if err == nil {
					_, err = fmt.Fprintf(std.out, "%s may sign in at %s\n", login, p.config.DeskURL)
				}
				return err
			})
		},
	}
	command.Flags().StringSliceVar(&flags.offices, "office", nil, "an office the person works for; may be given several times")
	command.Flags().StringSliceVar(&flags.roles, "role", []string{string(gateway.RoleCaseworker)}, rolesHelp)
	addStaffFlags(command, &flags)
	_ = command.MarkFlagRequired("office")
	return command
}

func newStaffChangeCommand(std streams) *cobra.Command {
	var flags staffFlags
	command := &cobra.Command{
		Use:   "change LOGIN",
		Short: "Give an account a new password or other offices, or switch it off",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			flags.password = flags.password || flags.passwordFile != ""
			if len(flags.offices) == 0 && !flags.password && !flags.disable && !flags.enable {
				return errors.New("say what is to change: --office, --password, --disable or --enable")
			}
			return withParts(cmd.Context(), std, flags.config, config.RoleWorker, func(p *parts) error {
				return changeStaff(cmd, std, p, strings.ToLower(args[0]), flags)
			})
		},
	}
	command.Flags().StringSliceVar(&flags.offices, "office", nil, "the offices the person works for from now on, in the roles of --role")
	command.Flags().StringSliceVar(&flags.roles, "role", []string{string(gateway.RoleCaseworker)}, rolesHelp)
	command.Flags().BoolVar(&flags.password, "password", false, "ask for a new password")
	command.Flags().BoolVar(&flags.disable, "disable", false, "the account may not sign in any more, and is signed out")
	command.Flags().BoolVar(&flags.enable, "enable", false, "the account may sign in again")
	command.MarkFlagsMutuallyExclusive("disable", "enable")
	addStaffFlags(command, &flags)
	return command
}

// changeStaff notes in the audit trail what it changes; the account is read
// for its identifier alone, so that two changes at once both hold.
func changeStaff(cmd *cobra.Command, std streams, p *parts, login string, flags staffFlags) error {
	staff, err := p.records.StaffByLogin(cmd.Context(), login)
	if gateway.Is(err, gateway.CodeNotFound) {
		return fmt.Errorf("there is no account %q: `dropslot staff list` shows them all", login)
	}
	if err != nil {
		return err
	}
	if staff.SSO() && (flags.password || len(flags.offices) > 0) {
		return fmt.Errorf("%s signs in through the organization: its password and groups there decide; only --disable and --enable are for here", login)
	}
	var change gateway.StaffChange
	var told []string
	if len(flags.offices) > 0 {
		if change.Roles, err = p.rolesNamed(flags.roles, flags.offices); err != nil {
			return err
		}
		change.EndsAt = time.Now() // no session goes on with what was
		told = append(told, change.Roles.String())
	}
	if flags.password {
		hash, err := p.askPasswordHash(cmd, std, flags.passwordFile, login, staff.Roles)
		if err != nil {
			return err
		}
		change.PasswordHash, change.EndsAt = &hash, time.Now()
		told = append(told, "new password")
	}
	if flags.disable || flags.enable {
		at, state := time.Time{}, "enabled"
		if flags.disable {
			at, state = time.Now(), "disabled"
			change.EndsAt = at
		}
		change.DisabledAt = &at
		told = append(told, state)
	}
	entry := operatorEntry(gateway.ActionStaffChanged, "staff:"+string(staff.ID))
	entry.Reason = strings.Join(told, ", ")
	return p.records.ChangeStaff(cmd.Context(), login, change, entry)
}

func newStaffListCommand(std streams) *cobra.Command {
	var flags staffFlags
	command := &cobra.Command{
		Use:   "list",
		Short: "List the accounts",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withParts(cmd.Context(), std, flags.config, config.RoleWorker, func(p *parts) error {
				all, err := p.records.ListStaff(cmd.Context())
				for _, s := range all {
					state := "active"
					if !s.DisabledAt.IsZero() {
						state = "disabled"
					}
					_, _ = fmt.Fprintf(std.out, "%s\t%s\t%s\t%s\n", s.Login, state, s.Roles, factorsOf(s))
				}
				return err
			})
		},
	}
	addConfigFlag(command, &flags.config)
	return command
}

func addStaffFlags(command *cobra.Command, flags *staffFlags) {
	addConfigFlag(command, &flags.config)
	command.Flags().StringVar(&flags.passwordFile, "password-file", "", "read the password from the first line of this file")
}

const rolesHelp = "caseworker, supervisor, auditor or admin at these offices, or OFFICE:ROLE; may be given several times"

// rolesNamed reads roles that somebody typed: each holds at all the offices,
// OFFICE:ROLE at that one.
func (p *parts) rolesNamed(roles, offices []string) (gateway.Roles, error) {
	named, err := p.officesNamed(offices)
	if err != nil {
		return nil, err
	}
	given := gateway.Roles{}
	for _, text := range roles {
		at, role := named, gateway.Role(text)
		if office, name, found := strings.Cut(text, ":"); found {
			if at, err = p.officesNamed([]string{office}); err != nil {
				return nil, err
			}
			role = gateway.Role(name)
		}
		if !gateway.ValidRole(role) {
			return nil, fmt.Errorf("there is no role %q: write one of %v", role, gateway.AllRoles())
		}
		for _, office := range at {
			given.Add(role, office)
		}
	}
	return given, nil
}

// officesNamed checks names of offices that somebody typed.
func (p *parts) officesNamed(names []string) ([]gateway.OfficeID, error) {
	var offices []gateway.OfficeID
	for _, name := range names {
		id := gateway.OfficeID(name)
		if _, known := p.directory.Offices[id]; !known {
			return nil, fmt.Errorf("the configuration names no office %q; it names %v", name, p.config.OfficeIDs())
		}
		if !slices.Contains(offices, id) {
			offices = append(offices, id)
		}
	}
	return offices, nil
}

func (p *parts) askPasswordHash(cmd *cobra.Command, std streams, file, login string, roles gateway.Roles) (string, error) {
	password, err := readNewSecret(std, file, "Password (15 characters or more): ")
	if err != nil {
		return "", err
	}
	if utf8.RuneCountInString(password) < gateway.PasswordLength {
		return "", errors.New("the password is too short: take 15 characters or more, such as four or five words")
	}
	names := []string{login}
	for _, office := range roles.Offices() {
		names = append(names, p.directory.Offices[office].Name)
	}
	if err := gateway.CheckPassword(password, names...); err != nil {
		return "", errors.New("the password is too easy to guess: take four or five words that have nothing to do with each other or with the name")
	}
	passwords, err := seal.NewPasswords(seal.DefaultPasswordCost(), 1, rand.Reader)
	if err != nil {
		return "", err
	}
	return passwords.Hash(cmd.Context(), password)
}
