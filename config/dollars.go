package config

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Dollars is an amount of US dollars in millionths, written like 25 or 0.0113.
type Dollars int64

const dollar = 1_000_000

var dollarsPattern = regexp.MustCompile(`^([0-9]{1,6})(?:\.([0-9]{1,6}))?$`)

func (d *Dollars) readScalar(text string) *problem {
	parts := dollarsPattern.FindStringSubmatch(text)
	bad := wrong("this is no amount of dollars", "write a number above zero, like 25 or 0.0113")
	if parts == nil {
		return bad
	}
	whole, _ := strconv.ParseInt(parts[1], 10, 64)
	rest, _ := strconv.ParseInt((parts[2] + "000000")[:6], 10, 64)
	if *d = Dollars(whole*dollar + rest); *d == 0 {
		return bad
	}
	return nil
}

// Float is the amount in dollars, for people to read.
func (d Dollars) Float() float64 { return float64(d) / dollar }

// String gives the shortest way to write the amount.
func (d Dollars) String() string {
	text := fmt.Sprintf("%d.%06d", d/dollar, d%dollar)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}
