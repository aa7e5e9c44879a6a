package config

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/language"
)

var (
	officePattern = regexp.MustCompile(`^[a-z][a-z0-9-]{0,30}$`)
	askPattern    = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)
)

const maxNameRunes = 60

// ValidOffice tells whether a short name of an office has the allowed shape:
// it keys the file, and names key files and folders of the vault.
func ValidOffice(id string) bool { return officePattern.MatchString(id) }

func (v *validator) offices() {
	at := path{"offices"}
	if v.document.has(at) && len(v.config.Offices) == 0 {
		v.fault(at, wrong("there is no office", "write at least one below offices"))
	}
	for _, id := range v.config.OfficeIDs() {
		here, office := at.to(id), v.config.Offices[id]
		if !ValidOffice(id) {
			v.faultKey(here, wrong("this is no short name of an office", "write lowercase letters, digits and hyphens, like north"))
		}
		v.officeName(office, here)
		v.recipients(office, here.to("recipients"))
		v.identity(office, here)
		v.languages(office, here)
		v.schedule(office, here)
		if v.document.has(here.to("daily_spend")) && office.DailySpend < v.config.Twilio.Price {
			v.fault(here.to("daily_spend"), wrong("daily_spend does not pay for one text", "write dollars, like 25"))
		}
		v.asks(office, here)
		v.photos(office, here)
		v.texts(office, here)
		v.webhooks(office, here)
		v.download(office, here)
		v.deliver(office, here)
		v.emergencyAccess(office, here.to("emergency_access"))
		if len(v.config.NumbersOf(id)) == 0 {
			v.faultKey(here, wrong("no number belongs to the office "+id, `write one below numbers, like "+15551230100": {office: `+id+`}`))
		}
	}
}

func (v *validator) officeName(office *Office, at path) {
	here := at.to("name")
	if !v.document.has(here) {
		return
	}
	switch name := office.Name; {
	case strings.TrimSpace(name) == "":
		v.fault(here, wrong("name is empty", "write the name that clients know"))
	case name != strings.TrimSpace(name) || strings.ContainsFunc(name, unicode.IsControl):
		v.fault(here, wrong("name has spaces around it or a line break in it", "write it on one line"))
	case len([]rune(name)) > maxNameRunes:
		v.fault(here, wrong("name is longer than 60 characters and would fill every text", "write a shorter one; 25 or fewer is best"))
	case strings.ContainsAny(name, "{}<>"):
		v.fault(here, wrong("name has a bracket or brace in it", "write it without"))
	}
	if _, own := v.config.Numbers[office.Phone]; own && office.Phone != "" {
		v.warn(at.to("phone"), wrong("phone is one of the numbers that take texts, where nobody answers a call",
			"write the telephone of a person"))
	}
}

// identity checks what the desk opens documents with. The file itself is
// opened by the command, for it takes its time.
func (v *validator) identity(office *Office, at path) {
	here := at.to("identity")
	if !v.role.OpensPages() {
		return
	}
	if !v.document.has(here) {
		v.faultKey(here, wrong("the key identity is missing; the role "+string(v.role)+" needs it",
			"write identity: {file: keys/NAME.key, passphrase: {env: NAME_PASSPHRASE}}"))
		return
	}
	switch {
	case v.document.unread[v.document.at(here)]:
		return
	case office.Identity.File != "":
		if p := checkPrivate(office.Identity.File, ownerAlone); p != nil {
			v.fault(here.to("file"), p)
		}
	case v.document.has(here.to("file")):
		v.fault(here.to("file"), wrong("file is empty", "name the identity file, like keys/north.key"))
	default:
		v.faultKey(here, wrong("the key file is missing", "write file: keys/north.key"))
	}
	if !v.document.has(here.to("passphrase")) {
		v.faultKey(here, wrong("the key passphrase is missing", "write passphrase: {env: NORTH_PASSPHRASE} or {file: PATH}"))
	}
	v.resolve(&office.Identity.Passphrase, here.to("passphrase"))
}

func (v *validator) languages(office *Office, at path) {
	here := at.to("languages")
	if v.document.has(here) && len(office.Languages) == 0 {
		v.fault(here, wrong("languages is empty", "write at least one, like [en, es]"))
	}
	for i, tag := range office.Languages {
		entry := here.to(strconv.Itoa(i))
		// Raw, since what replaces old tags makes fil of tl.
		parsed, err := language.Raw.Parse(tag)
		switch {
		case err != nil || parsed.String() != tag:
			v.fault(entry, wrong("this is no language", "write its tag (BCP 47), like en or es"))
		case slices.Contains(office.Languages[:i], tag):
			v.fault(entry, wrong("the language "+tag+" is named twice", "take one of the two out"))
		case v.catalog != nil && !v.catalog.HasLanguage(tag):
			v.fault(entry, wrong("there are no texts in the language "+tag, "write one of those that templates/text holds, like en or es"))
		case v.catalog != nil && v.catalog.IsDraft(tag):
			v.warn(entry, wrong("the texts and pages in the language "+tag+" are a draft",
				"have a native reader look at them (dropslot check prints the texts) before clients do"))
		}
	}
}

var weekdays = map[string]time.Weekday{
	"sun": time.Sunday, "mon": time.Monday, "tue": time.Tuesday, "wed": time.Wednesday,
	"thu": time.Thursday, "fri": time.Friday, "sat": time.Saturday,
}

// Workdays gives the days that the office works on, by time.Weekday.
func (o *Office) Workdays() (days [7]bool) {
	for _, name := range o.WorkingDays {
		days[weekdays[name]] = true
	}
	return days
}

func (v *validator) schedule(office *Office, at path) {
	// Local would be the zone of whatever machine runs the desk.
	if _, err := time.LoadLocation(office.Timezone); err != nil || office.Timezone == "" || office.Timezone == "Local" {
		v.fault(at.to("timezone"), wrong("this is no time zone", "write a name of the IANA list, like America/Chicago"))
	}
	for i, day := range office.WorkingDays {
		entry := at.to("working_days", strconv.Itoa(i))
		if _, known := weekdays[day]; !known {
			v.fault(entry, wrong("this is no day of the week", "write mon, tue, wed, thu, fri, sat or sun"))
		} else if slices.Contains(office.WorkingDays[:i], day) {
			v.fault(entry, wrong(day+" is named twice", "take one of the two out"))
		}
	}
	if v.document.has(at.to("working_days")) && len(office.WorkingDays) == 0 {
		v.fault(at.to("working_days"), wrong("working_days is empty", "write at least one, like [mon, tue, wed, thu, fri]"))
	}
	if v.document.has(at.to("overdue_after")) && (office.OverdueAfter < 1 || office.OverdueAfter > 60) {
		v.fault(at.to("overdue_after"), wrong("overdue_after is not between 1 and 60", "write a number of working days, like 2"))
	}
	if v.document.has(at.to("retention")) && office.Retention < Duration(24*time.Hour) {
		v.fault(at.to("retention"), wrong("retention is shorter than a day", "write 1d or more; 90d is the default"))
	}
}

func (v *validator) asks(office *Office, at path) {
	here := at.to("asks")
	if v.document.has(here) && len(office.Asks) == 0 {
		v.fault(here, wrong("asks is empty", "write what the page offers, like [photo-id, pay-stub, other]"))
	}
	for i, ask := range office.Asks {
		entry := here.to(strconv.Itoa(i))
		switch {
		case !askPattern.MatchString(ask):
			v.fault(entry, wrong("this is no name of a label", "write lowercase letters, digits and hyphens, like pay-stub"))
		case slices.Contains(office.Asks[:i], ask):
			v.fault(entry, wrong(ask+" is named twice", "take one of the two out"))
		case v.catalog != nil && !v.catalog.HasAsk(ask):
			v.fault(entry, wrong("there is no label called "+ask, "write one of photo-id, pay-stub, benefit-letter, other"))
		}
	}
}

// photos checks how pages are made and where they are sealed.
func (v *validator) photos(office *Office, at path) {
	if side := office.PhotoLongSide; side < 1000 || side > 4000 {
		v.fault(at.to("photo_long_side"), wrong("photo_long_side is not between 1000 and 4000", "write pixels, like 2400"))
	}
	if office.Sealing != BrowserOrServer && office.Sealing != BrowserOnly {
		v.fault(at.to("sealing"), wrong("sealing is neither browser-or-server nor browser-only", "write one of the two"))
	}
	if office.SecondFactor != SecondFactorRequired && office.SecondFactor != SecondFactorOptional {
		v.fault(at.to("second_factor"), wrong("second_factor is neither required nor optional", "write one of the two"))
	}
}

func (v *validator) texts(office *Office, at path) {
	here := at.to("texts")
	for _, tag := range sortedKeys(office.Texts) {
		if !slices.Contains(office.Languages, tag) {
			v.faultKey(here.to(tag), wrong("the office does not write in "+shown(tag), "add it to languages, or take these texts out"))
			continue
		}
		for _, key := range sortedKeys(office.Texts[tag]) {
			entry := here.to(tag, key)
			if v.catalog == nil || v.document.unread[v.document.at(entry)] {
				continue
			}
			if err := v.catalog.CheckText(tag, key, office.Texts[tag][key]); err != nil {
				v.faultKey(entry, wrong("the text "+shown(key)+" cannot be used", err.Error()))
			}
		}
	}
}
