// Package gateway is Dropslot's domain: what a text, a link, a submission and
// a page are, which rules hold for them, and the flows that lead a paper from
// a client's phone to a caseworker's screen.
//
// The package imports the standard library alone. What it needs from outside
// (SQL, Redis, a vault, age, Twilio) it names as small interfaces in ports.go;
// the folders below and beside this one fulfill them and never meet each other.
package gateway
