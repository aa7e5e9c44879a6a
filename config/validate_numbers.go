package config

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nyaruka/phonenumbers"
)

var (
	accountPattern = regexp.MustCompile(`^AC[0-9a-f]{32}$`)
	servicePattern = regexp.MustCompile(`^MG[0-9a-f]{32}$`)
	tokenPattern   = regexp.MustCompile(`^[0-9A-Za-z]+$`)
)

func (v *validator) twilio() {
	t, at := &v.config.Twilio, path{"twilio"}
	v.account(t.AccountSID, t.AuthTokens, at, "account_sid")
	if v.document.has(at.to("price")) && t.Price > dollar {
		v.fault(at.to("price"), wrong("this is no price of a text's segment", "write dollars, like 0.0113"))
	}
	if !v.document.has(at.to("api_url")) {
		return
	}
	u, err := url.Parse(t.APIURL)
	switch {
	case err != nil || u.Host == "" || u.User != nil || (u.Scheme != "https" && u.Scheme != "http"):
		v.fault(at.to("api_url"), wrong("api_url is no web address", "take it out: it is for tests against a fake, like http://127.0.0.1:9999"))
	case strings.TrimSuffix(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		v.fault(at.to("api_url"), wrong("api_url has something behind the host name", "write scheme and host only, like "+u.Scheme+"://"+u.Host))
	case u.Scheme == "http" && !loopbackHost(u.Hostname()):
		v.fault(at.to("api_url"), wrong("api_url is http, and the auth token would go over the net in clear", "take it out, or write https://"))
	default:
		v.warn(at.to("api_url"), wrong("texts go to api_url instead of Twilio", "take it out unless this is a test"))
	}
}

// account checks a SID and its auth tokens. Neither is repeated in a
// message: a token may stand where the SID belongs.
func (v *validator) account(sid string, tokens []Secret, at path, sidKey string) {
	if v.document.has(at.to(sidKey)) && !accountPattern.MatchString(sid) {
		v.fault(at.to(sidKey), wrong("this is no account SID", "copy it from the Twilio console: AC and 32 hexadecimal digits in lower case"))
	}
	here := at.to("auth_tokens")
	if v.document.has(here) && len(tokens) == 0 {
		v.fault(here, wrong("auth_tokens is empty", "write [{env: TWILIO_AUTH_TOKEN}]"))
	}
	for i := range tokens {
		entry := here.to(strconv.Itoa(i))
		v.resolve(&tokens[i], entry)
		if tokens[i].IsSet() && !tokenPattern.MatchString(tokens[i].Reveal()) {
			v.fault(entry, wrong("the auth token holds more than letters and digits", "copy it again from the Twilio console"))
		}
	}
}

func (v *validator) countries() {
	at := path{"countries"}
	if v.document.has(at) && len(v.config.Countries) == 0 {
		v.fault(at, wrong("countries is empty, so nobody would be answered", "write at least one, like [US]"))
	}
	supported := phonenumbers.GetSupportedRegions()
	for i, country := range v.config.Countries {
		here := at.to(strconv.Itoa(i))
		if !supported[country] {
			v.fault(here, wrong("this is no country", "write two capital letters (ISO 3166-1), like US"))
		} else if slices.Contains(v.config.Countries[:i], country) {
			v.fault(here, wrong("the country "+country+" is named twice", "take one of the two out"))
		}
	}
}

const (
	minLinkTTL = Duration(5 * time.Minute)
	maxLinkTTL = Duration(14 * 24 * time.Hour)
)

func (v *validator) numbers() {
	at := path{"numbers"}
	if v.document.has(at) && len(v.config.Numbers) == 0 {
		v.fault(at, wrong("there is no number", `write at least one, like "+15551230100": {office: north}`))
	}
	for _, e164 := range sortedKeys(v.config.Numbers) {
		here, number := at.to(string(e164)), v.config.Numbers[e164]
		if _, known := v.config.Offices[number.Office]; !known && v.document.has(here.to("office")) {
			v.fault(here.to("office"), wrong("there is no office "+shown(number.Office),
				"write one of: "+strings.Join(v.config.OfficeIDs(), ", ")))
		}
		if number.MMS != Seal && number.MMS != Discard {
			v.fault(here.to("mms"), wrong("this is no way to treat texted pictures", "write seal or discard"))
		}
		if office := v.config.Offices[number.Office]; office != nil && office.Sealing == BrowserOnly && number.MMS == Seal {
			v.fault(here.to("mms"), wrong("the office's papers are sealed on the phone alone, and texted pictures never are", "write mms: discard here, or sealing: browser-or-server at the office"))
		}
		if number.Words != Seal && number.Words != Discard {
			v.fault(here.to("words"), wrong("this is no way to treat the words of a text", "write seal or discard"))
		}
		if v.document.has(here.to("pace")) && number.Pace > Duration(time.Minute) {
			v.fault(here.to("pace"), wrong("pace is longer than a minute", "write 1s for a long code"))
		}
		if number.MessagingService != "" && !servicePattern.MatchString(number.MessagingService) {
			v.fault(here.to("messaging_service"), wrong("this is no SID of a messaging service", "copy it from the Twilio console: MG and 32 hexadecimal digits in lower case"))
		}
		v.linkTTL(number.LinkTTL, here.to("link_ttl"))
		if number.Account != nil {
			v.account(number.Account.SID, number.Account.AuthTokens, here.to("account"), "sid")
			if sid := number.Account.SID; sid != "" && sid == v.config.Twilio.AccountSID {
				v.fault(here.to("account", "sid"), wrong("this is the account under twilio, no subaccount", "take account out here"))
			}
		}
	}
}

func (v *validator) linkTTL(ttl Duration, at path) {
	if v.document.has(at) && (ttl < minLinkTTL || ttl > maxLinkTTL) {
		v.fault(at, wrong("a link lives at least 5m and at most 14d", "write a time between the two, like 4h"))
	}
}
