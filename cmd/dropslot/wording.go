package main

import (
	"slices"

	"github.com/nyaruka/phonenumbers"

	"dropslot/config"
	"dropslot/gateway"
	"dropslot/templates"
)

// wording gives the flows their words: the catalogs, with what an office
// wrote itself laid over them.
type wording struct {
	texts *templates.Texts
	own   map[gateway.OfficeID]map[string]map[string]string
}

var _ gateway.Wording = wording{}

func wordingOf(texts *templates.Texts, c *config.Config) wording {
	w := wording{texts: texts, own: map[gateway.OfficeID]map[string]map[string]string{}}
	for id, office := range c.Offices {
		w.own[gateway.OfficeID(id)] = office.Texts
	}
	return w
}

func (w wording) Text(o gateway.Office, language string, f gateway.Filling) (string, error) {
	vars := w.texts.Vars(language, string(f.Occasion), templates.Filling{
		Office: o.Name, Phone: o.Phone, Link: f.Link, TTL: f.TTL, Languages: o.Languages, Count: f.Count, Reference: f.Reference,
	})
	return w.texts.SMS(language, string(f.Occasion), vars, w.own[o.ID])
}

func (w wording) Segments(text string) int { return templates.CountSegments(text).Count }

func (w wording) Detect(words string, languages []string) string {
	return w.texts.Detect(words, languages)
}

// phoneParser reads a number as a person types it. One without a country code
// is taken as one of the first country.
func phoneParser(countries []string) func(string) (gateway.Phone, error) {
	return func(text string) (gateway.Phone, error) {
		number, err := phonenumbers.Parse(text, countries[0])
		if err != nil || !phonenumbers.IsPossibleNumber(number) {
			return gateway.Phone{}, gateway.NewError(gateway.CodeBadPhone, nil)
		}
		country := phonenumbers.GetRegionCodeForNumber(number)
		if country == "" { // a number that no plan lists, such as a 555 one
			country = phonenumbers.GetRegionCodeForCountryCode(int(number.GetCountryCode()))
		}
		if !slices.Contains(countries, country) {
			return gateway.Phone{}, gateway.NewError(gateway.CodeCountry, nil)
		}
		return gateway.ParsePhone(phonenumbers.Format(number, phonenumbers.E164))
	}
}
