package twilio

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"sync"

	"dropslot/gateway"
)

const (
	// maxBody bounds a webhook's body in bytes; Twilio's are below 8 KiB.
	maxBody = 64 << 10
	// maxParameters bounds what is sorted; Twilio sends about 25, and two
	// more a picture.
	maxParameters = 256
	// maxKey bounds a parameter's name in bytes.
	maxKey = 128
	// firstBuffer holds most webhooks whole.
	firstBuffer = 4 << 10
)

// What keeps a form from being read comes before its signature could be
// checked: nobody has shown to be Twilio, so it is forbidden, not malformed.
var (
	errTooLarge  = gateway.NewError(gateway.CodeForbidden, errors.New("the body is above 64 KiB"))
	errMalformed = gateway.NewError(gateway.CodeForbidden, errors.New("the body is no well-formed form"))
	errRepeated  = gateway.NewError(gateway.CodeForbidden, errors.New("a parameter comes twice"))
	errCutShort  = gateway.NewError(gateway.CodeForbidden, errors.New("the body broke off"))
)

// form is one webhook's body, read strictly: what two readers could take for
// two things is refused. Its buffers are used again by later requests, so
// nothing of it may be kept after close.
type form struct {
	raw    []byte
	text   []byte      // keys and values, decoded, in the order they came
	signed []byte      // the same, sorted by key: what Twilio signs after the URL
	params []parameter // places in signed, sorted by key

	url, made, signature []byte
}

// parameter is one key and its value: buffer[start:middle] and buffer[middle:end].
type parameter struct{ start, middle, end int }

var forms = sync.Pool{New: func() any { return &form{raw: make([]byte, 0, firstBuffer)} }}

func openForm() *form { return forms.Get().(*form) }

// close overwrites what the client wrote and gives the buffers back.
func (f *form) close() {
	clear(f.raw)
	clear(f.text)
	clear(f.signed)
	if cap(f.raw) > 4*firstBuffer {
		return // a giant's buffers are not worth keeping
	}
	f.raw, f.text, f.signed, f.params = f.raw[:0], f.text[:0], f.signed[:0], f.params[:0]
	forms.Put(f)
}

// read takes the body whole, within the bound, and parses it. length is what
// the request announced, -1 if nothing.
func (f *form) read(body io.Reader, length int64) error {
	if length > maxBody {
		return errTooLarge
	}
	if body == nil {
		return errMalformed
	}
	for {
		if len(f.raw) == cap(f.raw) {
			f.raw = slices.Grow(f.raw, len(f.raw))
		}
		free := f.raw[len(f.raw):min(cap(f.raw), maxBody+1)]
		n, err := body.Read(free)
		f.raw = f.raw[:len(f.raw)+n]
		if len(f.raw) > maxBody {
			return errTooLarge
		}
		if err == io.EOF {
			return f.parse()
		}
		if err != nil {
			return errCutShort
		}
	}
}

func (f *form) parse() error {
	f.text, f.params = slices.Grow(f.text[:0], len(f.raw)), f.params[:0]
	for rest := f.raw; ; {
		pair, after, more := bytes.Cut(rest, []byte{'&'})
		if err := f.add(pair); err != nil {
			return err
		}
		if !more {
			break
		}
		rest = after
	}
	return f.sort()
}

// add decodes one key=value. A key begins with a letter, so that a number at
// the end of one value can never be read as the beginning of the next key.
func (f *form) add(pair []byte) error {
	if len(f.params) == maxParameters {
		return errMalformed
	}
	key, value, ok := bytes.Cut(pair, []byte{'='})
	if !ok || len(key) == 0 || len(key) > maxKey {
		return errMalformed
	}
	p := parameter{start: len(f.text)}
	if f.text, ok = unescape(f.text, key); !ok {
		return errMalformed
	}
	p.middle = len(f.text)
	if !isKey(f.text[p.start:p.middle]) {
		return errMalformed
	}
	if f.text, ok = unescape(f.text, value); !ok {
		return errMalformed
	}
	p.end = len(f.text)
	f.params = append(f.params, p)
	return nil
}

// sort puts the parameters into the order that is signed.
func (f *form) sort() error {
	text := f.text
	slices.SortFunc(f.params, func(a, b parameter) int {
		return bytes.Compare(text[a.start:a.middle], text[b.start:b.middle])
	})
	f.signed = slices.Grow(f.signed[:0], len(text))
	for i, p := range f.params {
		if i > 0 && bytes.Equal(text[p.start:p.middle], f.key(i-1)) {
			return errRepeated
		}
		start := len(f.signed)
		f.signed = append(f.signed, text[p.start:p.end]...)
		f.params[i] = parameter{start: start, middle: start + p.middle - p.start, end: len(f.signed)}
	}
	return nil
}

func (f *form) key(i int) []byte { return f.signed[f.params[i].start:f.params[i].middle] }

// find gives the place of a key in params, and whether it is there.
func (f *form) find(key string) (int, bool) {
	low, high := 0, len(f.params)
	for low < high {
		middle := int(uint(low+high) >> 1)
		if string(f.key(middle)) < key {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low, low < len(f.params) && string(f.key(low)) == key
}

// value gives the value of a key. It lies in the form's buffer.
func (f *form) value(key string) ([]byte, bool) {
	i, ok := f.find(key)
	if !ok {
		return nil, false
	}
	return f.signed[f.params[i].middle:f.params[i].end], true
}

// unescape appends decoded text to dst. A percent sign that no two
// hexadecimal digits follow, and a raw semicolon, which some readers take for
// an ampersand, are refused.
func unescape(dst, text []byte) ([]byte, bool) {
	for {
		i := 0
		for i < len(text) && !special[text[i]] {
			i++
		}
		dst = append(dst, text[:i]...)
		if i == len(text) {
			return dst, true
		}
		switch text[i] {
		case '+':
			dst, text = append(dst, ' '), text[i+1:]
			continue
		case ';':
			return dst, false
		}
		if i+2 >= len(text) {
			return dst, false
		}
		high, low := hexDigits[text[i+1]], hexDigits[text[i+2]]
		if high|low > 0xf {
			return dst, false
		}
		dst, text = append(dst, high<<4|low), text[i+3:]
	}
}

var special = [256]bool{'+': true, '%': true, ';': true}

// hexDigits gives the value of each hexadecimal digit; 0xff is none.
var hexDigits = func() (table [256]byte) {
	for i := range table {
		table[i] = 0xff
	}
	for i, c := range "0123456789abcdef" {
		table[c] = byte(i)
	}
	for i, c := range "ABCDEF" {
		table[c] = byte(10 + i)
	}
	return table
}()

// isKey tells whether a name is one that Twilio would give a parameter.
func isKey(key []byte) bool {
	for i, c := range key {
		letter := 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
		other := '0' <= c && c <= '9' || c == '_' || c == '-' || c == '.'
		if !letter && (i == 0 || !other) {
			return false
		}
	}
	return len(key) > 0
}
