package templates

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v4"
)

//go:embed text
var textFiles embed.FS

// English is the language that fills what another one lacks.
const English = "en"

// Vars are the values of the placeholders of a text, by name without braces.
type Vars map[string]string

// Language is one catalog of texts.
type Language struct {
	Tag     string // BCP 47, the name of the file
	Name    string // in the language itself
	Dir     string // ltr or rtl
	Shipped bool   // read by somebody who speaks it; other catalogs are drafts
}

// Texts are the words of Dropslot in every language, checked once at start.
type Texts struct {
	catalogs  map[string]catalog
	checked   sync.Map // see checkedNames
	languages []Language
	phones    sync.Map // what Vars made of the offices' own numbers, of which there are few
}

type catalog struct {
	language Language
	texts    map[string]string // by dotted key
	words    map[string]bool   // folded, see fold
}

// LoadTexts reads and checks every catalog, the first time; afterwards it gives
// the same Texts. An error is a fault in a catalog, never in a configuration.
func LoadTexts() (*Texts, error) { return shippedTexts() }

var shippedTexts = sync.OnceValues(func() (*Texts, error) { return loadTexts(textFiles, "text") })

func loadTexts(files fs.FS, folder string) (*Texts, error) {
	names, err := fs.Glob(files, folder+"/*.yaml")
	if err != nil {
		return nil, err
	}
	t := &Texts{catalogs: map[string]catalog{}}
	for _, name := range names {
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		c, err := parseCatalog(strings.TrimSuffix(path.Base(name), ".yaml"), content)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		t.catalogs[c.language.Tag] = c
		t.languages = append(t.languages, c.language)
	}
	if _, ok := t.catalogs[English]; !ok {
		return nil, errors.New("there is no English catalog")
	}
	slices.SortFunc(t.languages, func(a, b Language) int {
		switch English {
		case a.Tag:
			return -1
		case b.Tag:
			return 1
		}
		return strings.Compare(a.Tag, b.Tag)
	})
	return t, nil
}

// parseCatalog reads one catalog: name, dir, shipped, the list words, and
// sections of texts of any depth, which become dotted keys.
func parseCatalog(tag string, content []byte) (catalog, error) {
	c := catalog{language: Language{Tag: tag}, texts: map[string]string{}, words: map[string]bool{}}
	var file map[string]any
	if err := yaml.Load(content, &file); err != nil {
		return c, err
	}
	var head struct {
		Name    string   `yaml:"name"`
		Dir     string   `yaml:"dir"`
		Shipped bool     `yaml:"shipped"`
		Words   []string `yaml:"words"`
	}
	if err := yaml.Load(content, &head); err != nil {
		return c, err
	}
	if head.Name == "" || (head.Dir != "ltr" && head.Dir != "rtl") {
		return c, errors.New("name or dir (ltr or rtl) is missing")
	}
	c.language.Name, c.language.Dir, c.language.Shipped = head.Name, head.Dir, head.Shipped
	for _, word := range head.Words {
		c.words[fold(word)] = true
	}
	for _, key := range []string{"name", "dir", "shipped", "words"} {
		delete(file, key)
	}
	return c, c.flatten("", file)
}

func (c catalog) flatten(prefix string, section map[string]any) error {
	for key, value := range section {
		dotted := prefix + key
		switch value := value.(type) {
		case map[string]any:
			if err := c.flatten(dotted+".", value); err != nil {
				return err
			}
		case string:
			if _, err := placeholdersOf(value); err != nil {
				return fmt.Errorf("%s: %w", dotted, err)
			}
			if err := checkMessage(dotted, value); err != nil {
				return fmt.Errorf("%s: %w", dotted, err)
			}
			c.texts[dotted] = value
		default:
			return fmt.Errorf("%s: put the text in quotes", dotted)
		}
	}
	return nil
}

// Languages lists the catalogs, English first.
func (t *Texts) Languages() []Language { return slices.Clone(t.languages) }

// HasLanguage tells whether there is a catalog of exactly this tag.
func (t *Texts) HasLanguage(tag string) bool {
	_, ok := t.catalogs[tag]
	return ok
}

// IsDraft tells whether nobody who speaks the language has read its catalog.
func (t *Texts) IsDraft(tag string) bool { return !t.catalogs[tag].language.Shipped }

// HasAsk tells whether there is a label for one of the asks of an office.
func (t *Texts) HasAsk(key string) bool {
	_, ok := t.catalogs[English].texts["asks."+key]
	return ok
}

// Say gives the text of a dotted key with its placeholders filled. What the
// language lacks is said in English. A key that is nowhere, or a placeholder
// without a value, stays as it is written, so that a test sees it.
func (t *Texts) Say(language, key string, vars Vars) string {
	text, ok := t.find(language, key)
	if !ok {
		return key
	}
	return fill(text, vars)
}

// find looks in the language, then in its base language, then in English.
func (t *Texts) find(language, key string) (string, bool) {
	for tag := language; tag != ""; tag = parent(tag) {
		if text, ok := t.catalogs[tag].texts[key]; ok {
			return text, true
		}
	}
	text, ok := t.catalogs[English].texts[key]
	return text, ok
}

// parent cuts the last subtag off: es-MX, then es.
func parent(tag string) string {
	i := strings.LastIndexByte(tag, '-')
	return tag[:max(i, 0)]
}

var (
	bracesPattern      = regexp.MustCompile(`\{([^{}]*)\}`)
	placeholderPattern = regexp.MustCompile(`^[a-z][a-z_]*$`)
)

// placeholdersOf gives the placeholders of a text in order, or what is wrong
// with its braces.
func placeholdersOf(text string) ([]string, error) {
	var names []string
	for _, match := range bracesPattern.FindAllStringSubmatch(text, -1) {
		if !placeholderPattern.MatchString(match[1]) {
			return nil, fmt.Errorf("%s is no placeholder", match[0])
		}
		names = append(names, match[1])
	}
	if strings.ContainsAny(bracesPattern.ReplaceAllString(text, ""), "{}") {
		return nil, errors.New("a brace stands alone")
	}
	return names, nil
}

// fill puts the values in, in one pass: a value is never searched for
// placeholders.
func fill(text string, vars Vars) string {
	var out strings.Builder
	out.Grow(len(text) + 96)
	for {
		before, rest, found := strings.Cut(text, "{")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		name, after, closed := strings.Cut(rest, "}")
		value, known := vars[name]
		switch {
		case !closed:
			out.WriteString("{" + rest)
			return out.String()
		case known:
			out.WriteString(value)
		default:
			out.WriteString("{" + name + "}")
		}
		text = after
	}
}
