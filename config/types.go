package config

import (
	"fmt"
	"math"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/nyaruka/phonenumbers"
)

// Duration is a length of time, written like 90d, 4h, 15m, 30s or 1h30m
// (units: d, h, m, s).
type Duration time.Duration

var durationPart = regexp.MustCompile(`^([0-9]{1,9})([dhms])`)

var durationUnits = map[string]time.Duration{
	"d": 24 * time.Hour, "h": time.Hour, "m": time.Minute, "s": time.Second,
}

func (d *Duration) readScalar(text string) *problem {
	bad := wrong("this is no length of time", "write a number and a unit, like 90d, 4h, 15m or 30s")
	var total time.Duration
	for rest := text; rest != "" || text == ""; {
		part := durationPart.FindStringSubmatch(rest)
		if part == nil {
			return bad
		}
		n, err := strconv.ParseInt(part[1], 10, 64)
		unit := durationUnits[part[2]]
		if err != nil || n > int64((math.MaxInt64-total)/unit) {
			return bad
		}
		total += time.Duration(n) * unit
		rest = rest[len(part[0]):]
	}
	*d = Duration(total)
	return nil
}

// String gives the shortest way to write the duration in the file.
func (d Duration) String() string {
	if d == 0 {
		return "0s"
	}
	var out strings.Builder
	rest := time.Duration(d)
	for _, unit := range []string{"d", "h", "m", "s"} {
		if n := rest / durationUnits[unit]; n > 0 {
			fmt.Fprintf(&out, "%d%s", n, unit)
			rest %= durationUnits[unit]
		}
	}
	return out.String()
}

// Size is a number of bytes, written like 20MiB (units: KiB, MiB, GiB of
// 1024, or kB, MB, GB of 1000).
type Size int64

var sizePattern = regexp.MustCompile(`^([0-9]{1,9}) ?(KiB|MiB|GiB|kB|MB|GB)$`)

var sizeUnits = map[string]int64{
	"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "kB": 1e3, "MB": 1e6, "GB": 1e9,
}

func (s *Size) readScalar(text string) *problem {
	part := sizePattern.FindStringSubmatch(text)
	if part == nil {
		return wrong("this is no size", "write a number and a unit, like 20MiB or 512KiB")
	}
	n, err := strconv.ParseInt(part[1], 10, 64)
	if err != nil {
		return wrong("this is no size", "write a number and a unit, like 20MiB or 512KiB")
	}
	*s = Size(n * sizeUnits[part[2]]) // at most 1e9 * 2^30, which fits
	return nil
}

// String gives the size in the largest unit that leaves no rest.
func (s Size) String() string {
	for _, unit := range []string{"GiB", "MiB", "KiB"} {
		if n := sizeUnits[unit]; s != 0 && int64(s)%n == 0 {
			return fmt.Sprintf("%d%s", int64(s)/n, unit)
		}
	}
	return fmt.Sprintf("%d bytes", int64(s))
}

// E164 is a telephone number with country code, written like "+15551230199".
type E164 string

var e164Pattern = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

func (e *E164) readScalar(text string) *problem {
	// Possible, not valid: the 555 numbers of tests and examples are not assigned.
	number, err := phonenumbers.Parse(text, "")
	if !e164Pattern.MatchString(text) || err != nil || !phonenumbers.IsPossibleNumber(number) {
		return wrong("this is no telephone number in E.164 form",
			`write a plus sign, the country code and the number without spaces, like "+15551230199"`)
	}
	*e = E164(text)
	return nil
}

// Network is an address or a range of addresses, written like 10.0.0.7 or
// 10.0.0.0/8.
type Network netip.Prefix

func (n *Network) readScalar(text string) *problem {
	if address, err := netip.ParseAddr(text); err == nil && address.Zone() == "" {
		*n = Network(netip.PrefixFrom(address, address.BitLen()))
		return nil
	}
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return wrong("this is no network address", "write an address like 10.0.0.7 or a range like 10.0.0.0/8")
	}
	if prefix.Bits() == 0 {
		return wrong("this trusts every computer there is", "write the addresses of your own proxies only")
	}
	*n = Network(prefix.Masked())
	return nil
}

func (n Network) String() string { return netip.Prefix(n).String() }

// Address is where a listener listens, written like ":8080" or "127.0.0.1:8081".
type Address string

func (a *Address) readScalar(text string) *problem {
	bad := wrong("this is no address to listen on", `write an IP address and a port, like "127.0.0.1:8081" or ":8080"`)
	i := strings.LastIndexByte(text, ':')
	if i < 0 {
		return bad
	}
	host, port := text[:i], text[i+1:]
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(n, 10) != port {
		return bad
	}
	if host != "" && host != "localhost" {
		inner := strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
		address, err := netip.ParseAddr(inner)
		if err != nil || address.Is6() != (inner != host) {
			return bad
		}
	}
	*a = Address(text)
	return nil
}

// ParseAddress reads an address to listen on as it is written in the file.
func ParseAddress(text string) (Address, error) {
	var a Address
	if p := a.readScalar(text); p != nil {
		return "", p
	}
	return a, nil
}

// Loopback tells whether only this computer reaches the address.
func (a Address) Loopback() bool {
	host := string(a)
	if i := strings.LastIndexByte(host, ':'); i >= 0 {
		host = strings.Trim(host[:i], "[]")
	}
	return loopbackHost(host)
}

// port is what stands behind the last colon.
func (a Address) port() string { return string(a)[strings.LastIndexByte(string(a), ':')+1:] }

// loopbackHost tells whether a host name or address is this computer itself.
func loopbackHost(host string) bool {
	if host == "localhost" {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}
