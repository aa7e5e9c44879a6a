package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"dropslot/config"
	"dropslot/gateway"
)

func newLinkCommand(std streams) *cobra.Command {
	command := &cobra.Command{Use: "link", Short: "Send links"}
	command.AddCommand(newLinkSendCommand(std))
	return command
}

func newLinkSendCommand(std streams) *cobra.Command {
	var path, office, language, login string
	command := &cobra.Command{
		Use:   "send PHONE --office OFFICE --as LOGIN",
		Short: "Text a link to a client who asked for it",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withParts(cmd.Context(), std, path, config.RoleWorker, func(p *parts) error {
				if err := p.openRedis(cmd.Context()); err != nil {
					return err
				}
				phone, err := phoneParser(p.config.Countries)(args[0])
				if err != nil {
					return errorForOperator(err)
				}
				staff, err := p.records.StaffByLogin(cmd.Context(), strings.ToLower(login))
				if gateway.Is(err, gateway.CodeNotFound) {
					return fmt.Errorf("there is no account %q to send it as: `dropslot staff list` shows them all", login)
				}
				if err != nil {
					return err
				}
				requests, err := p.requests()
				if err != nil {
					return err
				}
				view, err := requests.Send(cmd.Context(), gateway.Actor{Staff: staff, From: "command line"}, gateway.OfficeID(office), phone, language)
				if err != nil {
					return errorForOperator(err)
				}
				return tellSent(std, view)
			})
		},
	}
	addConfigFlag(command, &path)
	command.Flags().StringVar(&office, "office", "", "the office that asks")
	command.Flags().StringVar(&language, "language", "", "the language of the text; the office's first if not given")
	command.Flags().StringVar(&login, "as", "", "the account that sends it, for the audit trail")
	_ = command.MarkFlagRequired("office")
	_ = command.MarkFlagRequired("as")
	return command
}

// tellSent says how far the text came, and fails when it did not leave.
func tellSent(std streams, v gateway.RequestView) error {
	switch v.State {
	case gateway.DeliveryFailed:
		return fmt.Errorf("twilio refused the text (error %d): look it up at Twilio, then call the client", v.ErrorCode)
	case gateway.DeliveryUnknown:
		return fmt.Errorf("twilio's answer was lost: the text may have been sent. Ask the client before you send another (sending %s)", v.ID)
	}
	_, err := fmt.Fprintf(std.out, "Sent to the phone that ends in %s (%s). Sending %s.\n", v.LastFour, v.State, v.ID)
	return err
}

// errorForOperator gives the words for codes that a person at the command
// line can do something about.
func errorForOperator(err error) error {
	switch gateway.CodeOf(err) {
	case gateway.CodeBadPhone:
		return fmt.Errorf("this is no phone number: write it like +15551230123")
	case gateway.CodeCountry:
		return fmt.Errorf("phones of this country are not texted: add the country under `countries:` if it should be")
	case gateway.CodeOptedOut:
		return fmt.Errorf("this person texted STOP: nothing may be sent until they text START to the office's number")
	case gateway.CodeForbidden:
		return fmt.Errorf("this account does not work for that office: give it the office with `dropslot staff change`")
	}
	return err
}
