package main

import (
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dropslot/config"
	"dropslot/gateway"
	"dropslot/gateway/passkeys"
	"dropslot/gateway/seal"
)

// passwordsAtOnce bounds the memory of argon2id: each check takes 64 MiB.
const passwordsAtOnce = 2

// signIns builds the flow of signing in, which the desk alone serves.
func (p *parts) signIns() (*gateway.SignIns, error) {
	passwords, err := seal.NewPasswords(seal.DefaultPasswordCost(), passwordsAtOnce, rand.Reader)
	if err != nil {
		return nil, err
	}
	secrets, err := seal.NewSecrets(p.key, rand.Reader)
	if err != nil {
		return nil, err
	}
	ceremonies, err := passkeys.New(p.config.DeskURL)
	if err != nil {
		return nil, err
	}
	var through *gateway.SingleSignOn
	if p.config.SingleSignOn != nil {
		through = p.singleSignOn()
	}
	return &gateway.SignIns{
		SSO:       through,
		Directory: p.directory, Records: p.records, Audit: p.records, Passwords: passwords, Secrets: secrets,
		Ceremonies: ceremonies, Limiter: p.limiter, Now: time.Now, Random: rand.Reader,
		Total: time.Duration(p.config.Limits.DeskTotal), Emergencies: p.emergencies(nil),
	}, nil
}

// accounts builds the flow of managing accounts.
func (p *parts) accounts() *gateway.Accounts {
	return &gateway.Accounts{Directory: p.directory, Records: p.records, Audit: p.records, Now: time.Now, Random: rand.Reader}
}

// everywhere is the operator as an admin of every office.
func (p *parts) everywhere(more gateway.Roles) gateway.Actor {
	roles := gateway.Roles{}
	for office := range p.directory.Offices {
		roles.Add(gateway.RoleAdmin, office)
	}
	for office := range more { // one that left the configuration
		roles.Add(gateway.RoleAdmin, office)
	}
	return gateway.Actor{Staff: gateway.Staff{Roles: roles}}
}

func newStaffInviteCommand(std streams) *cobra.Command {
	var flags staffFlags
	command := &cobra.Command{
		Use:   "invite LOGIN --office OFFICE [--role ROLE]",
		Short: "Make an account and a one-time link by which its person sets it up",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withParts(cmd.Context(), std, flags.config, config.RoleWorker, func(p *parts) error {
				roles, err := p.rolesNamed(flags.roles, flags.offices)
				if err != nil {
					return err
				}
				token, err := p.accounts().Invite(cmd.Context(), p.everywhere(nil), args[0], roles)
				switch {
				case gateway.Is(err, gateway.CodeBadLogin):
					return fmt.Errorf("%q is no login: write 2 to 64 letters, digits or . _ @ + -", args[0])
				case gateway.Is(err, gateway.CodeLoginTaken):
					return fmt.Errorf("there is an account %s already: `dropslot staff reset` makes a new link for it", strings.ToLower(args[0]))
				case err != nil:
					return err
				}
				return p.tellLink(std, token, gateway.InvitationTTL)
			})
		},
	}
	addConfigFlag(command, &flags.config)
	command.Flags().StringSliceVar(&flags.offices, "office", nil, "an office the person works for; may be given several times")
	command.Flags().StringSliceVar(&flags.roles, "role", []string{string(gateway.RoleCaseworker)}, rolesHelp)
	_ = command.MarkFlagRequired("office")
	return command
}

func newStaffResetCommand(std streams) *cobra.Command {
	var path string
	command := &cobra.Command{
		Use:   "reset LOGIN",
		Short: "Make a one-time link for who lost the password, the phone or the passkey",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withParts(cmd.Context(), std, path, config.RoleWorker, func(p *parts) error {
				staff, err := p.records.StaffByLogin(cmd.Context(), strings.ToLower(args[0]))
				if gateway.Is(err, gateway.CodeNotFound) {
					return fmt.Errorf("there is no account %q: `dropslot staff list` shows them all", args[0])
				}
				if err != nil {
					return err
				}
				token, kind, err := p.accounts().Reset(cmd.Context(), p.everywhere(staff.Roles), staff.ID)
				switch {
				case gateway.Is(err, gateway.CodeSSOAccount):
					return fmt.Errorf("%s signs in through the organization, which is where its password is", staff.Login)
				case gateway.Is(err, gateway.CodeSwitchedOff):
					return fmt.Errorf("%s is switched off: `dropslot staff change --enable` first", staff.Login)
				case gateway.Is(err, gateway.CodeNotFound):
					return fmt.Errorf("%s has no role at any office: give one with `dropslot staff change` first", staff.Login)
				case err != nil:
					return err
				}
				return p.tellLink(std, token, kind.TTL())
			})
		},
	}
	addConfigFlag(command, &path)
	return command
}

func (p *parts) tellLink(std streams, token gateway.Token, ttl time.Duration) error {
	_, err := fmt.Fprintf(std.out, `Give this link to that person alone. It works once, for %d hours:

    %s/join/%s
`, int(ttl.Hours()), strings.TrimSuffix(p.config.DeskURL, "/"), token.Reveal())
	return err
}

// factorsOf tells what an account signs in by.
func factorsOf(s gateway.Staff) string {
	if s.SSO() {
		return "single sign-on"
	}
	var by []string
	if s.PasswordHash != "" {
		by = append(by, "password")
	}
	if len(s.SealedTOTP) > 0 {
		by = append(by, "app")
	}
	if s.Passkeys > 0 {
		by = append(by, "passkey")
	}
	if len(by) == 0 {
		return "invited"
	}
	return strings.Join(by, ", ")
}
