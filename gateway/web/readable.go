package web

import "strings"

// readableNumber writes a North American number as people there write it;
// every other number stays in E.164.
func readableNumber(e164 string) string {
	digits, american := strings.CutPrefix(e164, "+1")
	if !american || len(digits) != 10 {
		return e164
	}
	return "(" + digits[:3] + ") " + digits[3:6] + "-" + digits[6:]
}
