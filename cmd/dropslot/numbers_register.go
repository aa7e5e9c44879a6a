package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"dropslot/config"
	"dropslot/gateway"
	"dropslot/templates"
)

func newNumbersRegisterCommand(std streams) *cobra.Command {
	var path, office string
	command := &cobra.Command{
		Use:   "register",
		Short: "Print what the carriers' registration of the numbers asks for",
		Long: `Print what the registration with the carriers asks for, an office after the
other, filled from the configuration: the A2P 10DLC brand and campaign of local
numbers, or the verification of toll-free ones. Copy it into the Twilio console
(Messaging, Regulatory Compliance). What stands in [brackets] only you know.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return withOffices(std, path, office, func(p printed) error {
				return p.register(std.out)
			})
		},
	}
	addConfigFlag(command, &path)
	command.Flags().StringVar(&office, "office", "", "this office alone")
	return command
}

// printed is an office whose papers are made.
type printed struct {
	config  *config.Config
	words   wording
	texts   *templates.Texts
	office  gateway.Office
	numbers []string
}

// withOffices does it for the named office, or for each one.
func withOffices(std streams, path, name string, do func(printed) error) error {
	c, err := loadConfig(std, path, config.RoleWorker)
	if err != nil {
		return err
	}
	texts, err := templates.LoadTexts()
	if err != nil {
		return err
	}
	if _, known := c.Offices[name]; name != "" && !known {
		return fmt.Errorf("there is no office %q; the file has %s", name, strings.Join(c.OfficeIDs(), ", "))
	}
	directory := directoryOf(c)
	for _, id := range c.OfficeIDs() {
		if name != "" && name != id {
			continue
		}
		p := printed{config: c, words: wordingOf(texts, c), texts: texts, office: directory.Offices[gateway.OfficeID(id)]}
		for number, n := range c.Numbers {
			if n.Office == id {
				p.numbers = append(p.numbers, string(number))
			}
		}
		slices.Sort(p.numbers)
		if len(p.numbers) == 0 {
			return fmt.Errorf("the office %s has no number: add one under numbers", id)
		}
		if err := do(p); err != nil {
			return err
		}
	}
	return nil
}

// registration has the office's name, its telephone, its numbers, the public
// URL, its domain and the samples.
const registration = `== %[1]s: %[3]s ==

Who sends
  Legal name           [as on the IRS letter that gave the EIN]
  EIN                  [9 digits]
  Kind                 [government, or the kind of organization]
  Address, website     [of the office]
  Contact              [name, title, work email, telephone]
  Telephone of support %[2]s

What is sent
  Use case             Low Volume Mixed, or Government Services if Twilio offers it
  Volume               [texts a month]
  Description          %[1]s gives each person who texts this number, or who asked
    for it at the office, a private link to send documents for their case: one
    answer per text at most. There may follow: a receipt, word of what became of
    photos that were texted, one reminder (another if the person asks for it), and
    a new link when the person asks for one. No marketing, no lists, no lending, no affiliates.
  Links in texts       yes, on %[4]s alone; no shortener
  Telephone numbers    yes, %[2]s
  Age-gated content    no

Sample messages: all that are ever sent, the most telling first
%[5]s
How people agree (opt-in)
  A person texts first: the number stands on posters and letters of the office
  with the words below. Or a person asks a caseworker, in person or by telephone,
  to text a link, and the caseworker records the request.
    "Text this number to get a link for sending papers to %[1]s. Message
    frequency depends on your texts. Message and data rates may apply. Text
    STOP to stop, HELP for help. Privacy: [URL of the privacy policy]"
  Picture of the opt-in: the office's poster (dropslot numbers poster), put on
  the web where the reviewers can see it: [URL]

STOP and HELP
  STOP, STOPALL, UNSUBSCRIBE, CANCEL, END, QUIT, REVOKE, OPTOUT stop all texts;
  START, YES, UNSTOP begin again; HELP, INFO give help. Twilio answers them.
  Words to set in the console (Advanced Opt-Out), if its own are not enough:
    STOP  "%[1]s: you get no more texts from this number. Text START to begin again."
    START "%[1]s: you can text this number again to get a link for your papers. Text STOP to stop."
    HELP  "%[1]s: text this number to get a link for your papers. Call %[2]s. Msg & data rates may apply. Text STOP to stop."

Privacy text, for the office's website: [URL of the privacy policy]
  "When you text %[1]s, we use your telephone number to answer you and to put
  your papers into your case. We do not share or sell telephone numbers or the
  consent to be texted, with third parties or affiliates for their marketing or
  promotion. Text STOP at any time to end texts, HELP for help, or call
  %[2]s. Message and data rates may apply."

`

func (p printed) register(out io.Writer) error {
	samples, err := p.samples()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, registration, p.office.Name, readable(p.office.Phone), strings.Join(p.numbers, ", "), p.config.PublicURL, samples)
	return err
}

// sampled come first among the samples: a form may take no more than five.
var sampled = []gateway.Occasion{
	gateway.OccasionLink, gateway.OccasionRequest, gateway.OccasionReceipt, gateway.OccasionReminder, gateway.OccasionPhotosSaved,
}

// samples are all of the office's texts, as its clients get them.
func (p printed) samples() (string, error) {
	rest := slices.DeleteFunc(occasionsOf(p.office), func(o gateway.Occasion) bool {
		return o == gateway.OccasionVoice || slices.Contains(sampled, o)
	})
	var out strings.Builder
	number, _ := directoryOf(p.config).NumberOf(p.office.ID)
	for _, language := range p.office.Languages {
		for _, occasion := range slices.Concat(sampled, rest) {
			text, err := p.words.Text(p.office, language, sampleOf(p.config, occasion, number))
			if err != nil {
				return "", err
			}
			fmt.Fprintf(&out, "  %s: %s\n", language, text)
		}
	}
	return out.String(), nil
}
