package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"dropslot/config"
	"dropslot/gateway"
	"dropslot/gateway/twilio"
)

func newNumbersCommand(std streams) *cobra.Command {
	command := &cobra.Command{
		Use:   "numbers",
		Short: "Set the offices' numbers up: at Twilio, with the carriers, on paper",
		Args:  cobra.NoArgs,
	}
	command.AddCommand(newNumbersSyncCommand(std), newNumbersRegisterCommand(std), newNumbersPosterCommand(std))
	return command
}

func newNumbersSyncCommand(std streams) *cobra.Command {
	var path string
	var apply bool
	command := &cobra.Command{
		Use:   "sync",
		Short: "Show, and with --apply set, where Twilio turns to about each number",
		Long: `Compare where Twilio turns to about each configured number with where it
should: the webhook for texts with its retries, its fallback, the voice URL and
the status callback. Nothing is changed without --apply.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := loadConfig(std, path, config.RoleWorker)
			if err != nil {
				return err
			}
			client, err := twilioClient(c)
			if err != nil {
				return err
			}
			return syncNumbers(cmd.Context(), std.out, c, client, apply)
		},
	}
	addConfigFlag(command, &path)
	command.Flags().BoolVar(&apply, "apply", false, "set what differs")
	return command
}

// wantedSetup is where Twilio should turn to. The overrides make it try twice
// more, after a refused answer too, before it asks the fallback.
func wantedSetup(publicURL string) twilio.NumberSetup {
	return twilio.NumberSetup{
		SMSURL: publicURL + "/twilio/messages#rc=2&rp=all", SMSFallbackURL: publicURL + "/twilio/messages",
		VoiceURL: publicURL + "/twilio/voice", StatusCallback: publicURL + "/twilio/status",
	}
}

// setupDiff names what differs, a line each.
func setupDiff(is, wanted twilio.NumberSetup) []string {
	var lines []string
	for _, field := range []struct{ name, is, wanted string }{
		{"a message comes in", is.SMSURL, wanted.SMSURL},
		{"primary handler fails", is.SMSFallbackURL, wanted.SMSFallbackURL},
		{"a call comes in", is.VoiceURL, wanted.VoiceURL},
		{"call status changes", is.StatusCallback, wanted.StatusCallback},
	} {
		if field.is != field.wanted {
			lines = append(lines, fmt.Sprintf("%s\n    - %s\n    + %s", field.name, field.is, field.wanted))
		}
	}
	if is.Application {
		lines = append(lines, "a TwiML application overrides these addresses\n    - application\n    + none")
	}
	if is.OtherMethod {
		lines = append(lines, "how an address is asked\n    - GET\n    + POST")
	}
	return lines
}

// syncNumbers shows each number's differences and sets them. A number that
// cannot be set is in no other's way.
func syncNumbers(ctx context.Context, out io.Writer, c *config.Config, client *twilio.Client, apply bool) error {
	wanted := wantedSetup(c.PublicURL)
	failed, differ := 0, 0
	for _, e164 := range slices.Sorted(maps.Keys(c.Numbers)) {
		number := gateway.Number(e164)
		found, err := client.IncomingNumber(ctx, number)
		if err != nil {
			failed++
			_, _ = fmt.Fprintf(out, "%s: %s\n", number, numberTrouble(err))
			continue
		}
		lines := setupDiff(found.Setup, wanted)
		if len(lines) == 0 {
			_, _ = fmt.Fprintf(out, "%s: as it should be\n", number)
			continue
		}
		differ++
		_, _ = fmt.Fprintf(out, "%s:\n", number)
		for _, line := range lines {
			_, _ = fmt.Fprintf(out, "  %s\n", line)
		}
		if !apply {
			continue
		}
		if err := client.SetNumber(ctx, number, found.SID, wanted); err != nil {
			failed++
			_, _ = fmt.Fprintf(out, "  not set: %s\n", numberTrouble(err))
			continue
		}
		_, _ = fmt.Fprintln(out, "  set")
	}
	if differ > 0 && !apply {
		_, _ = fmt.Fprintln(out, "Nothing was changed. To set what differs: add --apply")
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d numbers could not be set up", failed, len(c.Numbers))
	}
	return nil
}

// numberTrouble says what to do about a number.
func numberTrouble(err error) string {
	switch gateway.CodeOf(err) {
	case gateway.CodeNotFound:
		return "the account does not own this number: buy it there, or put its subaccount under account"
	case gateway.CodeForbidden:
		return "Twilio refuses the account's auth token: copy it again from the console"
	}
	return "Twilio cannot be reached or did not answer as it should: try again"
}
