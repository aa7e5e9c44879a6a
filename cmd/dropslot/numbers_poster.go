package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/nyaruka/phonenumbers"
	"github.com/spf13/cobra"
	"rsc.io/qr"
)

func newNumbersPosterCommand(std streams) *cobra.Command {
	var path, office, number, out, paper string
	var force bool
	command := &cobra.Command{
		Use:   "poster --office OFFICE --out FILE.svg",
		Short: "Draw a page to print: the number, a QR code that opens a text to it, and three steps",
		Long: `Draw a page for the office's wall and letters as SVG, which every browser
prints: the number, a QR code that opens a text to it, the office's languages,
and three steps in pictures.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			size, ok := papers[paper]
			switch {
			case !ok:
				return fmt.Errorf("there is no paper %q: write letter or a4", paper)
			case !strings.HasSuffix(out, ".svg"):
				return errors.New("the page is written as SVG: end the name after --out with .svg; a browser prints it, also to PDF")
			}
			return withOffices(std, path, office, func(p printed) error {
				chosen, err := p.choose(number)
				if err != nil {
					return err
				}
				if err := writePoster(out, p.poster(size, chosen), force); err != nil {
					return err
				}
				_, err = fmt.Fprintf(std.out, "%s is drawn: open it in a browser and print it.\n", out)
				return err
			})
		},
	}
	addConfigFlag(command, &path)
	command.Flags().StringVar(&office, "office", "", "the office whose page it is")
	command.Flags().StringVar(&number, "number", "", "the number to draw, if the office has several")
	command.Flags().BoolVar(&force, "force", false, "write over a file that exists")
	command.Flags().StringVar(&out, "out", "", "the file to write, ending in .svg")
	command.Flags().StringVar(&paper, "paper", "letter", "letter or a4")
	_ = command.MarkFlagRequired("office")
	_ = command.MarkFlagRequired("out")
	return command
}

// choose gives the number that a page shows: the named one, or the only one.
func (p printed) choose(number string) (string, error) {
	switch {
	case slices.Contains(p.numbers, number):
		return number, nil
	case number != "":
		return "", fmt.Errorf("the office has no number %s; it has %s", number, strings.Join(p.numbers, ", "))
	case len(p.numbers) > 1:
		return "", fmt.Errorf("the office has several numbers; choose the page's with --number: %s", strings.Join(p.numbers, ", "))
	}
	return p.numbers[0], nil
}

func writePoster(path, page string, force bool) error {
	how := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if force {
		how = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	f, err := os.OpenFile(path, how, publicMode) // #nosec G302 G304 -- the operator names it; it hangs on a wall
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s exists: take another name, or add --force to write over it", path)
	}
	if err != nil {
		return err
	}
	_, err = f.WriteString(page)
	return errors.Join(err, f.Close())
}

// papers are the widths and heights of paper in millimeters.
var papers = map[string][2]float64{"letter": {215.9, 279.4}, "a4": {210, 297}}

// posterWords are a page's words in one language. A language without any is
// named on the page all the same: its speakers are answered in it.
type posterWords struct {
	title, text, free, help, rates string
	steps                          [3][2]string // lines
}

var posterLanguages = map[string]posterWords{
	"en": {
		title: "Send us your papers by phone", text: "Text “Hi” to", free: "No app. No password.", help: "Questions? Call %s.",
		rates: "Message and data rates may apply. Text STOP to stop, HELP for help.",
		steps: [3][2]string{{"Text us", "from your phone"}, {"Tap the link", "that we text you"}, {"Take a photo", "of each paper"}},
	},
	"es": {
		title: "Envíenos sus papeles por teléfono", text: "Mande “Hola” al", free: "Sin aplicación. Sin contraseña.", help: "¿Preguntas? Llame al %s.",
		rates: "Pueden aplicarse tarifas de mensajes y datos. Mande STOP para parar, HELP para ayuda.",
		steps: [3][2]string{{"Mándenos un texto", "desde su teléfono"}, {"Toque el enlace", "que le mandamos"}, {"Tome una foto", "de cada papel"}},
	},
}

// spoken are the words of the first two of the office's languages that have
// any; English if none has.
func (p printed) spoken() []posterWords {
	var found []posterWords
	for _, tag := range p.office.Languages {
		if words, ok := posterLanguages[tag]; ok && len(found) < 2 {
			found = append(found, words)
		}
	}
	if len(found) == 0 {
		found = append(found, posterLanguages["en"])
	}
	return found
}

// languageNames are the office's languages, each in its own words.
func (p printed) languageNames() string {
	var names []string
	for _, tag := range p.office.Languages {
		for _, l := range p.texts.Languages() {
			if l.Tag == tag {
				names = append(names, l.Name)
			}
		}
	}
	return strings.Join(names, " · ")
}

// readable writes a telephone number as people of its country do.
func readable(e164 string) string {
	n, err := phonenumbers.Parse(e164, "")
	if err != nil {
		return e164
	}
	return phonenumbers.Format(n, phonenumbers.NATIONAL)
}

// poster lays the page out on A4, 210 by 297 mm; other paper shows it smaller.
func (p printed) poster(paper [2]float64, number string) string {
	d := &drawing{}
	d.add(`<svg xmlns="http://www.w3.org/2000/svg" width="%gmm" height="%gmm" viewBox="0 0 210 297" font-family="DejaVu Sans, Noto Sans, Verdana, Arial, sans-serif" fill="#111">`, paper[0], paper[1])
	d.add(`<title>%s: %s</title>`, escape(p.office.Name), escape(readable(number)))
	d.add(`<rect width="210" height="297" fill="#fff"/><rect x="10" y="10" width="190" height="30" rx="4" fill="#12355b"/>`)
	d.words(105, 29.5, 13, 178, `font-weight="bold" fill="#fff"`, p.office.Name)
	spoken := p.spoken()
	for i, words := range spoken {
		d.words(105, 54+float64(i)*10, 9-float64(i), 186, `font-weight="bold"`, words.title)
		d.words(148, 90+float64(i)*8, 7-float64(i), 98, "", words.text)
		d.words(105, 252+float64(i)*8, 5.5, 186, "", words.free+" "+fmt.Sprintf(words.help, readable(p.office.Phone)))
		d.words(105, 274+float64(i)*5, 3.4, 186, `fill="#444"`, words.rates)
	}
	d.words(148, 116, 14, 98, `font-weight="bold"`, readable(number))
	d.words(148, 134, 6, 98, `fill="#12355b"`, p.languageNames())
	d.code("sms:"+number, 18, 74, 70)
	d.steps(spoken)
	d.add(`</svg>`)
	return d.String()
}

// code draws a QR code with the margin that readers need.
func (d *drawing) code(text string, x, y, size float64) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return // an E.164 number always fits
	}
	const margin = 4
	d.add(`<g transform="translate(%g %g) scale(%g)" shape-rendering="crispEdges"><path fill="#000" d="`, x, y, size/float64(code.Size+2*margin))
	for row := range code.Size {
		for column := range code.Size {
			if code.Black(column, row) {
				d.add(`M%d %dh1v1h-1z`, column+margin, row+margin)
			}
		}
	}
	d.add(`"/></g>`)
}
