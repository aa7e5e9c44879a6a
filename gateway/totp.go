package gateway

import (
	"crypto/hmac"
	"crypto/sha1" // #nosec G505 -- what authenticator apps speak (RFC 6238); HMAC-SHA-1 is not broken
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// TOTPSecretSize is the length of a secret in bytes, as RFC 4226 recommends.
const TOTPSecretSize = 20

const totpPeriod = 30 // seconds a code

// TOTPCode gives the six digits of a step (RFC 6238, RFC 4226 section 5.3).
func TOTPCode(secret []byte, step int64) string {
	mac := hmac.New(sha1.New, secret)
	_ = binary.Write(mac, binary.BigEndian, step)
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 0x0f
	n := binary.BigEndian.Uint32(sum[at:at+4]) & 0x7fffffff
	return fmt.Sprintf("%06d", n%1_000_000)
}

// TOTPStep finds the step that a code belongs to: the present one, or its
// neighbors, since clocks differ and people type slowly; false if none. A
// step up to the last used one does not count: a code works once.
func TOTPStep(secret []byte, code string, now time.Time, last int64) (int64, bool) {
	code = strings.Join(strings.Fields(code), "")
	present := now.Unix() / totpPeriod
	for step := present - 1; step <= present+1; step++ {
		if step > last && subtle.ConstantTimeCompare([]byte(TOTPCode(secret, step)), []byte(code)) == 1 {
			return step, true
		}
	}
	return 0, false
}

// TOTPText is the secret as a person types it into an app.
func TOTPText(secret []byte) string {
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
}

// TOTPURL is what the QR code of a secret says.
func TOTPURL(secret []byte, login string) string {
	return (&url.URL{
		Scheme: "otpauth", Host: "totp", Path: "/Dropslot:" + login,
		RawQuery: url.Values{"secret": {TOTPText(secret)}, "issuer": {"Dropslot"}}.Encode(),
	}).String()
}
