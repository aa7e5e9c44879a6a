package main

import (
	"crypto/rand"
	"fmt"
	"time"

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
	var path, office, language string
	var asked bool
	command := &cobra.Command{
		Use:   "send PHONE --office OFFICE",
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
				offices, err := p.officesNamed([]string{office})
				if err != nil {
					return err
				}
				id, err := gateway.NewID(time.Now(), rand.Reader)
				if err != nil {
					return err
				}
				requests, err := p.requests()
				if err != nil {
					return err
				}
				view, err := requests.Send(cmd.Context(), operatorAt(offices...), gateway.RequestAsk{
					ID: gateway.SendingID(id), Office: offices[0], Phone: phone, Language: language, Said: asked,
				})
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
	command.Flags().BoolVar(&asked, "client-asked", false, "the client asked you for it; needed if they texted nothing for 90 days")
	_ = command.MarkFlagRequired("office")
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
	case gateway.CodeUnasked:
		return fmt.Errorf("this phone texted the office nothing for 90 days, so no text was sent: if the client asked you for the link, say so with --client-asked")
	case gateway.CodeOptedOut:
		return fmt.Errorf("this person texted STOP: nothing may be sent until they text START to the office's number")
	}
	return err
}
