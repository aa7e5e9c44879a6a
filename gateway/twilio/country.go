package twilio

import (
	"sync/atomic"

	"github.com/nyaruka/phonenumbers"

	"dropslot/gateway"
)

// regions tells the country of a phone number. The library needs some 20
// microseconds a number, ten times the rest of a webhook, so its answers are
// kept where a prefix decides: the calling code alone in most of the world,
// and the area code under +1, which some 25 countries share.
type regions struct {
	single [1000]string                      // by calling code; empty where several countries share it
	areas  [1000]atomic.Pointer[areaCountry] // under +1, by area code
}

type areaCountry struct{ region string }

// The library's name for a calling code of no country.
const worldRegion = "001"

const northAmerica = 1

func newRegions() *regions {
	r := &regions{}
	for code := range phonenumbers.GetSupportedCallingCodes() {
		shared := phonenumbers.GetRegionCodesForCountryCode(code)
		if len(shared) == 1 && shared[0] != worldRegion {
			r.single[code] = shared[0]
		}
	}
	return r
}

// of gives the ISO 3166-1 alpha-2 code of the phone's country, or an empty
// string for a number of none. A number that no country's plan lists, such as
// the +1 555 01xx numbers of tests and films, counts as the calling code's
// main country.
func (r *regions) of(p gateway.Phone) string {
	digits := p.E164()[1:]
	if digits[0] == '1' {
		return r.northAmerican(digits)
	}
	code := 0
	for i := range 3 {
		code = 10*code + int(digits[i]-'0')
		if region := r.single[code]; region != "" {
			return region
		}
		if len(phonenumbers.GetRegionCodesForCountryCode(code)) > 1 {
			return listed(p.E164(), code)
		}
	}
	return ""
}

// sender tells what a From is, as the webhook does; what has no shape that is
// known counts as a channel's, which is never answered.
func (r *regions) sender(from string) (gateway.SenderKind, gateway.Phone, string) {
	kind, _ := senderKind([]byte(from))
	switch kind {
	case "":
		return gateway.SenderChannel, gateway.Phone{}, ""
	case gateway.SenderPhone:
		phone, err := gateway.ParsePhone(from)
		if err != nil {
			return gateway.SenderChannel, gateway.Phone{}, ""
		}
		return kind, phone, r.of(phone)
	}
	return kind, gateway.Phone{}, ""
}

// northAmerican decides by the area code, with a number that is valid in any
// of them: area codes are never split between countries.
func (r *regions) northAmerican(digits string) string {
	if len(digits) != 11 {
		return listed("+"+digits, northAmerica)
	}
	area := int(digits[1]-'0')*100 + int(digits[2]-'0')*10 + int(digits[3]-'0')
	if kept := r.areas[area].Load(); kept != nil {
		return kept.region
	}
	region := listed("+"+digits[:4]+"2345678", northAmerica)
	r.areas[area].Store(&areaCountry{region: region})
	return region
}

// listed asks the library.
func listed(e164 string, code int) string {
	region := ""
	if number, err := phonenumbers.Parse(e164, ""); err == nil {
		region = phonenumbers.GetRegionCodeForNumber(number)
	}
	if region == "" {
		region = phonenumbers.GetRegionCodeForCountryCode(code)
	}
	if region == worldRegion || region == "ZZ" {
		return ""
	}
	return region
}
