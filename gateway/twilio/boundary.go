package twilio

import "bytes"

// Twilio signs keys and values run together without anything between them. So
// one signature fits several forms: `Body=see&Dear=` reads like
// `Body=seeDear`. Each check here makes sure that a form which was cut up
// anew either is refused or means the same.
//
// Keys begin with a letter, the keys that matter are required or have values
// of an exact pattern, and parameters are signed in the order of their keys.
// What is left to a forger are the texts that people write: the body, a
// profile name, a caller's name. A name of ours in such a text could be taken
// for the parameter itself.

// single tells whether the name stands in the signed text, from place start
// to end, only where a parameter's key ends with it.
func (f *form) single(name string, start, end int) bool {
	count := bytes.Count(f.signed[start:end], []byte(name))
	if count == 0 {
		return true
	}
	for _, p := range f.params {
		if p.start >= start && p.end <= end && bytes.HasSuffix(f.signed[p.start:p.middle], []byte(name)) {
			count--
		}
	}
	return count <= 0
}

// dialed tells whether from place start on the name is followed by a plus
// sign, as a phone number begins, only where a parameter's key ends with it.
func (f *form) dialed(name string, start int) bool {
	count := bytes.Count(f.signed[start:], []byte(name+"+"))
	for _, p := range f.params {
		if count == 0 {
			break
		}
		if p.start >= start && p.middle < p.end && f.signed[p.middle] == '+' &&
			bytes.HasSuffix(f.signed[p.start:p.middle], []byte(name)) {
			count--
		}
	}
	return count == 0
}

// messageIsSingular tells whether a message's form can be read in one way
// only, as far as the reading matters.
func (f *form) messageIsSingular() bool {
	account, _ := f.find("AccountSid")
	body, _ := f.find("Body")
	from, ok := f.find("From")
	if !ok || !f.single("AccountSid", 0, f.params[body].start) || !f.bodyBegins(account, body) || !f.dialed("From", 0) {
		return false
	}
	start := f.params[from].start
	for _, name := range []string{"MessageSid", "NumMedia", "OptOutType"} {
		if !f.single(name, start, len(f.signed)) {
			return false
		}
	}
	return f.dialed("To", start) && f.geographyIsPlain(from)
}

// geographyIsPlain tells whether the parameters after From that begin with its
// name (the sender's city, state and so on) hold that name in their keys alone:
// one of their values could otherwise be the true From.
func (f *form) geographyIsPlain(from int) bool {
	end, _ := f.find("MessageSid")
	if end <= from {
		return false
	}
	name, named := []byte("From"), 0
	for _, p := range f.params[from:end] {
		named += bytes.Count(f.signed[p.start:p.middle], name)
	}
	return bytes.Count(f.signed[f.params[from].start:f.params[end].start], name) <= named
}

// bodyBegins tells whether the body can begin at one place only. What is
// signed before it ends in an exact pattern, unless Twilio adds a parameter
// there; then the text must not hold the body's name again.
func (f *form) bodyBegins(account, body int) bool {
	if before := body - 1; before == account || string(f.key(before)) == "ApiVersion" {
		return true
	}
	end := len(f.signed)
	if from, ok := f.find("From"); ok {
		end = f.params[from].start
	}
	return f.single("Body", f.params[account].start, end)
}

// words gives what the client wrote: all that is signed between the name of
// the body and From, up to a fallback's ErrorCode. A parameter that Twilio may
// one day put there counts as part of the words, as the signature cannot tell
// it from them: at worst the words of every text get longer. And a client who
// writes "ErrorCode11200" is not read beyond that.
func (f *form) words(body int) []byte {
	from, _ := f.find("From")
	region := f.signed[f.params[body].middle:f.params[from].start]
	if i := errorAt(region); i >= 0 {
		return region[:i]
	}
	return region
}

// errorAt finds what reads like the parameter ErrorCode; -1 if nothing does.
func errorAt(text []byte) int {
	name := []byte("ErrorCode")
	for start := 0; ; {
		i := bytes.Index(text[start:], name)
		if i < 0 {
			return -1
		}
		i += start
		start = i + len(name)
		if start < len(text) && '0' <= text[start] && text[start] <= '9' {
			return i
		}
	}
}
