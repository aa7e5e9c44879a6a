package templates

import (
	"bytes"
	"embed"
	"fmt"
	"html"
	"html/template"
	"io"
	"io/fs"
	"path"
	"strings"
)

//go:embed all:html
var htmlFiles embed.FS

// Pages are the HTML pages, parsed once at start. A folder below html holds
// one kind of page: layout.html defines "layout" and asks for "title" and
// "content"; files that begin with an underscore hold parts for all; every
// other file is one page.
type Pages struct {
	client map[string]map[string]*template.Template // by language, then by page
	desk   map[string]*template.Template            // by page
	demo   map[string]*template.Template            // by page
}

// LoadPages parses every page, the client's once for each language of t. An
// error is a fault in a template, never in a configuration.
func LoadPages(t *Texts) (*Pages, error) {
	p := &Pages{client: make(map[string]map[string]*template.Template)}
	var err error
	for _, language := range t.Languages() {
		p.client[language.Tag], err = parseFolder("html/client", clientFunctions(t, language.Tag))
		if err != nil {
			return nil, err
		}
	}
	english := template.FuncMap{"asset": assetOrFail}
	if p.desk, err = parseFolder("html/desk", english); err != nil {
		return nil, err
	}
	if p.demo, err = parseFolder("html/demo", english); err != nil {
		return nil, err
	}
	return p, nil
}

// Client writes one page of the client's side. data is what that page's file
// says it needs. Nothing is written if the page cannot be rendered.
func (p *Pages) Client(w io.Writer, name, language string, data any) error {
	pages, known := p.client[language]
	if !known {
		pages = p.client["en"]
	}
	return render(w, pages[name], name, data)
}

// Desk writes one page of the desk, which speaks English. Nothing is written
// if the page cannot be rendered.
func (p *Pages) Desk(w io.Writer, name string, data any) error {
	return render(w, p.desk[name], name, data)
}

// Demo writes one page of the demo.
func (p *Pages) Demo(w io.Writer, name string, data any) error {
	return render(w, p.demo[name], name, data)
}

func render(w io.Writer, page *template.Template, name string, data any) error {
	if page == nil {
		return fmt.Errorf("no page named %q", name)
	}
	var buffer bytes.Buffer
	if err := page.ExecuteTemplate(&buffer, "layout", data); err != nil {
		return fmt.Errorf("render page %s: %w", name, err)
	}
	_, err := buffer.WriteTo(w)
	return err
}

func parseFolder(folder string, functions template.FuncMap) (map[string]*template.Template, error) {
	files, err := fs.Glob(htmlFiles, folder+"/*.html")
	if err != nil {
		return nil, err
	}
	shared := template.New("layout").Funcs(functions).Option("missingkey=error")
	var pages []string
	for _, file := range files {
		base := path.Base(file)
		if base != "layout.html" && !strings.HasPrefix(base, "_") {
			pages = append(pages, file)
			continue
		}
		if shared, err = shared.ParseFS(htmlFiles, file); err != nil {
			return nil, fmt.Errorf("parse %s: %w", file, err)
		}
	}
	parsed := make(map[string]*template.Template, len(pages))
	for _, file := range pages {
		page, err := shared.Clone()
		if err != nil {
			return nil, err
		}
		if page, err = page.ParseFS(htmlFiles, file); err != nil {
			return nil, fmt.Errorf("parse %s: %w", file, err)
		}
		parsed[strings.TrimSuffix(path.Base(file), ".html")] = page
	}
	return parsed, nil
}

// clientFunctions are what the client's pages may call:
//
//	say KEY [VARS]        the catalog's words
//	call KEY PHONE [VARS] the same, with {phone} as a link that dials
//	show KEY PHONE [VARS] the same, with {number} in one piece
//	asset NAME            the URL of a static file
func clientFunctions(t *Texts, language string) template.FuncMap {
	return template.FuncMap{
		"asset": assetOrFail,
		"say": func(key string, vars ...Vars) string {
			return t.Say(language, key, merged(vars))
		},
		"call": func(key string, phone PhoneLink, vars ...Vars) template.HTML {
			return callable(phone, func(standIn string) string {
				all := merged(vars)
				all["phone"] = standIn
				return t.Say(language, key, all)
			})
		},
		"show": func(key string, number PhoneLink, vars ...Vars) template.HTML {
			all := merged(vars)
			all["number"] = standIn
			return inOnePiece(number, t.Say(language, key, all))
		},
	}
}

// PhoneLink is a telephone number as a page shows it.
type PhoneLink struct {
	E164    string // what is dialed
	Display string // what is read
}

// unbroken keeps a number on one line, and its digits from left to right, where
// words are nothing but text: U+2066 and U+2069 set it apart from a text that
// runs the other way (UAX #9), U+00A0 and U+2060 allow no line to end (UAX #14).
var unbroken = strings.NewReplacer(" ", "\u00a0", "-", "-\u2060")

// Text is the number as a part of plain words.
func (p PhoneLink) Text() string { return "\u2066" + unbroken.Replace(p.Display) + "\u2069" }

// standIn is a character that no catalog holds: where a number will stand.
const standIn = "\uE000"

// inOnePiece escapes the words and puts the number in: its digits run from
// left to right also where the words do not, and a line ends before or after it.
func inOnePiece(number PhoneLink, words string) template.HTML {
	piece := `<bdi class="number" dir="ltr">` + html.EscapeString(number.Display) + `</bdi>`
	return template.HTML(strings.ReplaceAll(html.EscapeString(words), standIn, piece)) // #nosec G203 -- both are escaped
}

// callable escapes the words and puts a tel: link where the number stands.
func callable(phone PhoneLink, say func(standIn string) string) template.HTML {
	link := fmt.Sprintf(`<a class="phone" dir="ltr" href="tel:%s">%s</a>`,
		html.EscapeString(phone.E164), html.EscapeString(phone.Display))
	words := html.EscapeString(say(standIn))
	return template.HTML(strings.ReplaceAll(words, standIn, link)) // #nosec G203 -- every part is escaped above
}

func merged(vars []Vars) Vars {
	all := make(Vars)
	for _, v := range vars {
		for name, value := range v {
			all[name] = value
		}
	}
	return all
}

func assetOrFail(name string) (string, error) {
	url := Asset(name)
	if url == "" {
		return "", fmt.Errorf("no static file named %q", name)
	}
	return url, nil
}
