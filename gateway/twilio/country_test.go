package twilio

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/nyaruka/phonenumbers"

	"dropslot/gateway"
)

func phoneOf(tb testing.TB, e164 string) gateway.Phone {
	tb.Helper()
	p, err := gateway.ParsePhone(e164)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func TestCountry(t *testing.T) {
	r := newRegions()
	tests := map[string]string{
		"+13125550142": "US", "+12125551234": "US", "+19075551234": "US", "+18085551234": "US",
		"+15551230101": "US", "+15555550100": "US", // fiction and tests: no country's plan lists 555
		"+14165551234": "CA", "+16045551234": "CA", "+18675551234": "CA",
		"+18765551234": "JM", "+16585551234": "JM", "+18095551234": "DO", "+18295551234": "DO", "+18495551234": "DO",
		"+12425551234": "BS", "+12465551234": "BB", "+12645551234": "AI", "+12685551234": "AG", "+12845551234": "VG",
		"+13455551234": "KY", "+14415551234": "BM", "+14735551234": "GD", "+16495551234": "TC", "+16645551234": "MS",
		"+17215551234": "SX", "+17585551234": "LC", "+17675551234": "DM", "+17845551234": "VC", "+18685551234": "TT",
		"+18695551234": "KN", "+17875551234": "PR", "+19395551234": "PR", "+13405551234": "VI", "+16715551234": "GU",
		"+16845551234": "AS", "+16705551234": "MP",
		"+18005551234": "US", "+18885551234": "US",
		"+525512345678": "MX", "+50212345678": "GT", "+442071838750": "GB", "+441481960194": "GG",
		"+79161234567": "RU", "+77011234567": "KZ", "+390612345678": "IT", "+84912345678": "VN",
		"+80012345678": "", "+8835100012345": "", // of no country
		"+99912345678": "", // no calling code
	}
	for number, want := range tests {
		for range 2 { // asked for the first time, and kept
			if got := r.of(phoneOf(t, number)); got != want {
				t.Errorf("%s: got %q, want %q", number, got, want)
			}
		}
	}
}

// TestCountryAgreesWithLibrary: for numbers that the library knows, the short
// way says what the library says.
func TestCountryAgreesWithLibrary(t *testing.T) {
	r := newRegions()
	random := rand.New(rand.NewPCG(7, 8))
	checked := 0
	check := func(number string) {
		parsed, err := phonenumbers.Parse(number, "")
		if err != nil || !phonenumbers.IsValidNumber(parsed) {
			return
		}
		want := phonenumbers.GetRegionCodeForNumber(parsed)
		if want == worldRegion {
			want = ""
		}
		checked++
		if got := r.of(phoneOf(t, number)); got != want {
			t.Errorf("%s: got %q, the library says %q", number, got, want)
		}
	}
	for range 3000 {
		check(fmt.Sprintf("+1%03d%03d%04d", 200+random.IntN(800), 200+random.IntN(800), random.IntN(10000)))
	}
	for region := range phonenumbers.GetSupportedRegions() {
		if example := phonenumbers.GetExampleNumberForType(region, phonenumbers.MOBILE); example != nil {
			check(phonenumbers.Format(example, phonenumbers.E164))
		}
	}
	if checked < 500 {
		t.Errorf("only %d numbers were valid: the test tests little", checked)
	}
}

func BenchmarkCountry(b *testing.B) {
	r := newRegions()
	p := phoneOf(b, testPhone)
	b.ReportAllocs()
	for b.Loop() {
		r.of(p)
	}
}
