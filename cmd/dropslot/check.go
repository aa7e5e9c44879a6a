package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"dropslot/config"
	"dropslot/gateway"
	"dropslot/templates"
)

func newCheckCommand(std streams) *cobra.Command {
	var role string
	var example, schema bool
	command := &cobra.Command{
		Use:   "check FILE",
		Short: "Tell everything that is wrong with a configuration file, and show the texts that clients get",
		Long: "check reads FILE as serve does and tells every fault with its line and column,\n" +
			"then builds what serve builds of it: an office's identity is opened with its\n" +
			"passphrase and has to fit its recipients. No database, Redis or network is used.\n" +
			"Then it prints each text that clients get, filled, with the segments it costs.\n" +
			"The exit code is 0 if serve would accept the file, else 1.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			switch {
			case example:
				return printAll(std.out, config.Example())
			case schema:
				return printAll(std.out, config.Schema())
			case len(args) == 0:
				return errors.New("name the file to check, or add --example for one to begin with")
			}
			which, err := config.ParseRole(role)
			if err != nil {
				return err
			}
			return check(std, args[0], which)
		},
	}
	command.Flags().StringVar(&role, "role", string(config.RoleAll), "the role whose secrets must be there: all, intake, desk or worker")
	command.Flags().BoolVar(&example, "example", false, "print an example file with every key explained")
	command.Flags().BoolVar(&schema, "schema", false, "print the JSON Schema that editors check a file with")
	command.MarkFlagsMutuallyExclusive("example", "schema")
	return command
}

func printAll(w io.Writer, text string) error {
	_, err := io.WriteString(w, text)
	return err
}

func check(std streams, file string, role config.Role) error {
	c, err := loadConfig(std, file, role)
	if err != nil {
		return err
	}
	for _, line := range c.Warnings.Lines() {
		_, _ = fmt.Fprintln(std.err, "warning: "+line)
	}
	p, err := newParts(c, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	if err := p.tryRole(role); err != nil {
		return err
	}
	var report strings.Builder
	fmt.Fprintf(&report, "%s is in order for the role %s.\n", file, role)
	if c.SingleSignOn != nil {
		fmt.Fprintf(&report, "Single sign-on: the redirect address to register at the provider is %s\n", ssoRedirect(c))
	}
	if err := reportTexts(&report, p.texts, c); err != nil {
		return err
	}
	return printAll(std.out, report.String())
}

// tryRole builds what serve builds for the role before it opens anything, and
// gives every fault.
func (p *parts) tryRole(role config.Role) error {
	var faults []error
	try := func(_ any, err error) { faults = append(faults, err) }
	try(templates.LoadPages(p.texts))
	try(tlsFor(p.config))
	if role.TakesPages() {
		try(p.channel())
	}
	if role.OpensPages() {
		try(p.texter())
		try(openIdentities(p.config))
	}
	return errors.Join(faults...)
}

// sampleToken has the length of every token and is none.
var sampleToken = strings.Repeat("x", gateway.TokenLength)

// reportTexts prints what each office's clients get, as the server would say
// it, in every language of the office.
func reportTexts(w io.Writer, texts *templates.Texts, c *config.Config) error {
	words, directory := wordingOf(texts, c), directoryOf(c)
	for _, id := range c.OfficeIDs() {
		office := directory.Offices[gateway.OfficeID(id)]
		number, _ := directory.NumberOf(office.ID)
		_, _ = fmt.Fprintf(w, "\nWhat clients of %s (%s) get; each segment is paid for, at $%s (twilio.price); at most $%s a day (daily_spend):\n",
			id, office.Name, c.Twilio.Price, c.Offices[id].DailySpend)
		for _, language := range office.Languages {
			for _, occasion := range occasionsOf(office) {
				filling := sampleOf(c, occasion, number)
				if err := reportText(w, words, office, language, filling, c); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// occasionsOf are the occasions on which an office's clients are texted, and spoken to.
func occasionsOf(office gateway.Office) (list []gateway.Occasion) {
	for _, key := range templates.MessageKeys() {
		occasion := gateway.Occasion(key)
		if occasion == gateway.OccasionGreeting && len(office.Languages) < 2 {
			continue // there is no language to choose
		}
		list = append(list, occasion)
	}
	return list
}

// sampleOf fills a text as the server would.
func sampleOf(c *config.Config, occasion gateway.Occasion, number gateway.NumberRule) gateway.Filling {
	if occasion == gateway.OccasionVoice {
		return gateway.Filling{Occasion: occasion}
	}
	ttl := number.LinkTTL
	if occasion == gateway.OccasionRequest {
		ttl = limitsOf(c).RequestTTL
	}
	return gateway.Filling{Occasion: occasion, Link: c.PublicURL + "/c/" + sampleToken, TTL: ttl, Count: 3, Reference: "7K3PW"}
}

func reportText(w io.Writer, words wording, office gateway.Office, language string, filling gateway.Filling, c *config.Config) error {
	text, err := words.Text(office, language, filling)
	if err != nil {
		return err
	}
	if filling.Occasion == gateway.OccasionVoice {
		_, err = fmt.Fprintf(w, "  %s %s: said to a caller\n    %s\n", language, filling.Occasion, text)
		return err
	}
	s := templates.CountSegments(text)
	count := "1 segment"
	if s.Count != 1 {
		count = fmt.Sprintf("%d SEGMENTS, more than one: shorten it", s.Count)
	}
	if s.Encoding == templates.UCS2 {
		count += fmt.Sprintf(" (%s is not in GSM-7)", strings.Join(templates.Beyond(text), " "))
	}
	_, err = fmt.Fprintf(w, "  %s %s: %s, %s, %d units, $%.2f a thousand\n    %s\n",
		language, filling.Occasion, count, s.Encoding, s.Units, 1000*float64(s.Count)*c.Twilio.Price.Float(), text)
	return err
}
