package gateway

import (
	"strings"
	"testing"
)

func TestPasswordsThatGuessersTryFirst(t *testing.T) {
	for password, good := range map[string]bool{
		"correct horse battery":           true,
		"four words are easy":             true,
		"ñandúes en la pampa":             true,
		"a-na's quiet teapot sings":       true, // the login is in it, and enough beside it
		"tooshort4you!!":                  false,
		"correct horse battery staple":    false,
		"Password Password":               false,
		"aaaaaaaaaaaaaaaaaaaa":            false,
		"abababababababababab":            false,
		"12345678901234567890":            false,
		"98765432109876543210":            false,
		"abcdefghijklmnopqrst":            false,
		"maria.lopez maria.lopez":         false,
		"North County Benefits":           false,
		"north-county-benefits 2026":      false,
		"               ":                 false,
		strings.Repeat("word ", 300):      false,
		"maria.lopez likes quiet teapots": true,
	} {
		err := CheckPassword(password, "maria.lopez", "North County Benefits")
		if (err == nil) != good || err != nil && !Is(err, CodeWeakPassword) {
			t.Errorf("%q: %v", password, err)
		}
	}
}
