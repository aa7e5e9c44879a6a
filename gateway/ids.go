package gateway

import (
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
)

// The identifiers of things. Each is 26 lowercase base32hex characters (16
// bytes: 48 bits of Unix milliseconds, 80 random bits), so that sorting by
// identifier sorts by time. An identifier is no secret and opens nothing.
type (
	// OfficeID is an office's key in the configuration file.
	OfficeID string
	// TextID names one inbound SMS or MMS.
	TextID string
	// LinkID names one link.
	LinkID string
	// SubmissionID names what one link (or several of one sender) brought in.
	SubmissionID string
	// PageID names one stored page.
	PageID string
	// SendingID names one text that Dropslot sends by itself.
	SendingID string
	// StaffID names one staff account.
	StaffID string
)

var (
	sortable  = base32.HexEncoding.WithPadding(base32.NoPadding)
	idPattern = regexp.MustCompile(`^[0-9a-v]{26}$`)
)

// NewID makes an identifier from the time and 10 bytes of randomness.
func NewID(now time.Time, random io.Reader) (string, error) {
	var raw [16]byte
	binary.BigEndian.PutUint64(raw[:8], uint64(now.UnixMilli())<<16) // #nosec G115 -- times after 1970
	if _, err := io.ReadFull(random, raw[6:]); err != nil {
		return "", fmt.Errorf("read randomness: %w", err)
	}
	return strings.ToLower(sortable.EncodeToString(raw[:])), nil
}

// FirstID is at or before every identifier of NewID from a time on, and after
// every earlier one, in the order of text.
func FirstID(from time.Time) (string, error) { return NewID(from, zeros{}) }

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// ValidID tells whether text has the shape of an identifier of NewID.
func ValidID(text string) bool { return idPattern.MatchString(text) }

// Letters of a reference: no vowels, nothing that is misheard or misread.
const referenceAlphabet = "23456789BCDFGHJKMNPQRTVWXY"

// Reference is the short name that a client can say on the telephone, five
// characters made from the random part of the identifier. It opens nothing
// and two submissions may share one.
func (id SubmissionID) Reference() string {
	raw, err := sortable.DecodeString(strings.ToUpper(string(id)))
	if err != nil || len(raw) != 16 {
		return "?????"
	}
	n := binary.BigEndian.Uint64(raw[8:])
	var out [5]byte
	for i := range out {
		out[i] = referenceAlphabet[n%uint64(len(referenceAlphabet))]
		n /= uint64(len(referenceAlphabet))
	}
	return string(out[:])
}
