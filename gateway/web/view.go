package web

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"dropslot/gateway"
	"dropslot/templates"

	"github.com/labstack/echo/v4"
	"golang.org/x/text/language"
)

// scene is what a handler found out about a request before it answers: whose
// link it is about, and where the person can go back to.
type scene struct {
	office   gateway.Office // zero while unknown
	number   gateway.Number
	language string // of the link
	path     string // a page that a GET shows; empty if there is none
	again    string // where a new link is asked for instead of this one; empty if it works
}

const sceneKey = "intake-scene"

func setScene(c echo.Context, s scene) { c.Set(sceneKey, s) }

func sceneOf(c echo.Context) scene {
	s, _ := c.Get(sceneKey).(scene)
	return s
}

// clientView is what every client's page shows around its own matter.
type clientView struct {
	Language string
	Dir      string // ltr or rtl
	Switch   []languageLink
	Office   officeView
	Offices  []officeView // all of them, where it is not known whose client this is
	Vars     templates.Vars
	Suffix   string // "?lang=es" while the language was switched to by the URL, else empty
	Second   bool   // a way to text the office is not the main thing here
}

type officeView struct {
	Name   string
	Phone  templates.PhoneLink
	Number templates.PhoneLink // where a text brings a link; zero if unknown
	Vars   templates.Vars
}

type languageLink struct {
	Tag, Name, URL string
	Current        bool
}

func phoneLink(e164 string) templates.PhoneLink {
	return templates.PhoneLink{E164: e164, Display: templates.FormatPhone(e164)}
}

func officeViewOf(o gateway.Office, n gateway.Number) officeView {
	v := officeView{Name: o.Name, Phone: phoneLink(o.Phone)}
	if n != "" {
		v.Number = phoneLink(string(n))
		v.Vars = templates.Vars{"number": v.Number.Display}
	}
	return v
}

// view makes the frame of a page for the scene of the request.
func (i *intake) view(c echo.Context) clientView {
	s := sceneOf(c)
	all := slices.SortedFunc(maps.Values(i.Directory.Offices), func(a, b gateway.Office) int { return cmp.Compare(a.Name, b.Name) })
	if s.office.ID == "" && len(all) == 1 {
		s.office = all[0]
		rule, _ := i.Directory.NumberOf(s.office.ID)
		s.number = rule.Number
	}
	offered := i.offered(s.office, all)
	chosen, switched := i.chooseLanguage(c, offered, s.language)
	v := clientView{Language: chosen.Tag, Dir: chosen.Dir, Vars: templates.Vars{}}
	if switched {
		v.Suffix = "?lang=" + url.QueryEscape(chosen.Tag)
	}
	if s.path != "" {
		for _, l := range offered {
			v.Switch = append(v.Switch, languageLink{
				Tag: l.Tag, Name: l.Name, URL: s.path + "?lang=" + url.QueryEscape(l.Tag), Current: l.Tag == chosen.Tag,
			})
		}
	}
	if s.office.ID != "" {
		v.Office = officeViewOf(s.office, s.number)
		v.Vars["office"], v.Vars["phone"], v.Vars["number"] = v.Office.Name, v.Office.Phone.Text(), v.Office.Number.Text()
		return v
	}
	for _, o := range all {
		rule, _ := i.Directory.NumberOf(o.ID)
		v.Offices = append(v.Offices, officeViewOf(o, rule.Number))
	}
	// The words of a problem may name the office; here nobody knows which.
	v.Vars["office"] = i.Words.Say(v.Language, "page.some-office", nil)
	return v
}

// offered gives the languages of the office, or of all offices together, that
// the catalogs hold. English is what is left when there is none.
func (i *intake) offered(o gateway.Office, all []gateway.Office) []templates.Language {
	wanted := o.Languages
	if o.ID == "" {
		for _, each := range all {
			wanted = append(wanted, each.Languages...)
		}
	}
	byTag := make(map[string]templates.Language)
	for _, l := range i.Words.Languages() {
		byTag[l.Tag] = l
	}
	var offered []templates.Language
	for _, tag := range wanted {
		if l, known := byTag[tag]; known {
			offered = append(offered, l)
			delete(byTag, tag)
		}
	}
	if len(offered) == 0 {
		offered = append(offered, templates.Language{Tag: "en", Name: "English", Dir: "ltr"})
	}
	return offered
}

// chooseLanguage asks, in this order: the switch on the page (in the URL, or
// remembered in a cookie), the link, the browser, the office's order. A link
// in the office's first language may be so because nothing told; there the
// browser is heard first. switched tells whether the URL named the language.
func (i *intake) chooseLanguage(c echo.Context, offered []templates.Language, ofLink string) (chosen templates.Language, switched bool) {
	find := func(tag string) (templates.Language, bool) {
		at := slices.IndexFunc(offered, func(l templates.Language) bool { return l.Tag == tag })
		if at < 0 {
			return templates.Language{}, false
		}
		return offered[at], true
	}
	if l, ok := find(c.QueryParam("lang")); ok {
		i.setCookie(c, languageCookie, l.Tag, languageAge)
		return l, true
	}
	if cookie, err := c.Cookie(languageCookie); err == nil {
		if l, ok := find(cookie.Value); ok {
			return l, false
		}
	}
	if l, ok := find(ofLink); ok && l.Tag != offered[0].Tag {
		return l, false
	}
	return offered[preferred(c.Request().Header.Get("Accept-Language"), offered)], false
}

// preferred gives the index of the offered language that fits the header
// best; 0 if none does.
func preferred(header string, offered []templates.Language) int {
	wanted, _, err := language.ParseAcceptLanguage(header)
	if err != nil || len(wanted) == 0 {
		return 0
	}
	tags := make([]language.Tag, len(offered))
	for n, l := range offered {
		tags[n] = language.Make(l.Tag)
	}
	_, index, confidence := language.NewMatcher(tags).Match(wanted...)
	if confidence == language.No {
		return 0
	}
	return index
}

// render answers with a page.
func (i *intake) render(c echo.Context, status int, name string, data interface{ languageTag() string }) error {
	if err := i.Pages.Client(pageWriter{c.Response(), status}, name, data.languageTag(), data); err != nil {
		return fmt.Errorf("render %s: %w", name, err)
	}
	return nil
}

func (v clientView) languageTag() string { return v.Language }

// Times further ahead than this are not told: a weekday would be ambiguous.
const tellAhead = 6 * 24 * time.Hour

// until says a time in the office's zone ("today at 3:04 PM"); empty if it is
// past or too far ahead.
func (i *intake) until(v clientView, at time.Time, zone *time.Location) string {
	now := i.Now()
	if !at.After(now) || at.Sub(now) > tellAhead {
		return ""
	}
	if zone == nil {
		zone = time.UTC
	}
	at, now = at.In(zone), now.In(zone)
	vars := templates.Vars{"time": at.Format(i.Words.Say(v.Language, "page.when.clock", nil))}
	key := "page.when.weekday"
	switch daysBetween(now, at) {
	case 0:
		key = "page.when.today"
	case 1:
		key = "page.when.tomorrow"
	default:
		names := strings.Split(i.Words.Say(v.Language, "page.when.weekdays", nil), ",")
		if len(names) != 7 {
			return ""
		}
		vars["day"] = strings.TrimSpace(names[at.Weekday()])
	}
	return i.Words.Say(v.Language, key, vars)
}

// daysBetween counts midnights, whatever the clocks were set to in between.
func daysBetween(from, to time.Time) int {
	day := func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC) }
	return int(day(to).Sub(day(from)).Hours() / 24)
}
