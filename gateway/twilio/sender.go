package twilio

import (
	"bytes"
	"strings"

	"dropslot/gateway"
)

// The longest alphanumeric sender that the networks carry.
const maxSenderName = 11

// senderKind tells what a From is, and for a channel its prefix with the
// colon. An empty kind is none that Twilio has. A phone is told from all
// others beyond doubt; the others have no exact pattern, and which of them it
// is decides about nothing but the reason in the log.
func senderKind(from []byte) (kind gateway.SenderKind, channel string) {
	if name, address, ok := bytes.Cut(from, []byte{':'}); ok {
		if isLower(name, 20) && len(address) > 0 {
			return gateway.SenderChannel, string(from[:len(name)+1])
		}
		return "", ""
	}
	switch {
	case len(from) > 0 && from[0] == '+':
		return gateway.SenderPhone, ""
	case isDigits(from, 8):
		return gateway.SenderShortCode, ""
	case isSenderName(from):
		return gateway.SenderAlphanumeric, ""
	}
	return "", ""
}

// isSenderName tells whether a From is an alphanumeric sender: at most 11
// characters, one of them a letter.
func isSenderName(from []byte) bool {
	if len(from) == 0 || len(from) > maxSenderName {
		return false
	}
	letter := false
	for _, c := range from {
		switch {
		case 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z':
			letter = true
		case '0' <= c && c <= '9' || strings.IndexByte(" &_.-+", c) >= 0:
		default:
			return false
		}
	}
	return letter
}
