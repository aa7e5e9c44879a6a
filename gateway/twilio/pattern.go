package twilio

// The patterns are matched by hand: a regular expression costs as much as the
// signature.

// isSID tells whether text is one of the prefixes and 32 lowercase
// hexadecimal digits.
func isSID(text []byte, prefixes ...string) bool {
	if len(text) != 34 {
		return false
	}
	known := false
	for _, prefix := range prefixes {
		known = known || string(text[:2]) == prefix
	}
	if !known {
		return false
	}
	for _, c := range text[2:] {
		if ('0' > c || c > '9') && ('a' > c || c > 'f') {
			return false
		}
	}
	return true
}

// isDigits tells whether text is 1 to most decimal digits.
func isDigits(text []byte, most int) bool {
	if len(text) == 0 || len(text) > most {
		return false
	}
	for _, c := range text {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// smallNumber reads a decimal of one or two digits without a leading zero.
func smallNumber(text []byte) (int, bool) {
	if !isDigits(text, 2) || (len(text) == 2 && text[0] == '0') {
		return 0, false
	}
	n := 0
	for _, c := range text {
		n = 10*n + int(c-'0')
	}
	return n, true
}

// isDate tells whether text is a version of the API, such as 2010-04-01.
func isDate(text []byte) bool {
	return len(text) == 10 && text[4] == '-' && text[7] == '-' &&
		isDigits(text[:4], 4) && isDigits(text[5:7], 2) && isDigits(text[8:], 2)
}

// isLower tells whether text is 1 to most of a-z and underscore.
func isLower(text []byte, most int) bool {
	if len(text) == 0 || len(text) > most {
		return false
	}
	for _, c := range text {
		if (c < 'a' || c > 'z') && c != '_' {
			return false
		}
	}
	return true
}
