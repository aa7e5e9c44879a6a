package main

import (
	"strings"
	"testing"

	"dropslot/gateway"
)

// The simulated phone names every reason for a silence, with today's limits.
func TestSilenceIsExplained(t *testing.T) {
	got := silenceWords(gateway.DefaultLimits())
	for _, want := range []string{"1m after an answer", "10m to more pictures", "5 answers in an hour or 20 in a day", "HELP", "START", "STOP"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q does not say %q", got, want)
		}
	}
}
