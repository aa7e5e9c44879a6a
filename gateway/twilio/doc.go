// Package twilio is the channel to the clients' phones: it checks and reads
// Twilio's signed webhooks, writes the TwiML that answers them, and sends the
// texts that Dropslot sends by itself. It is the only importer of twilio-go.
//
// Nothing in this package logs, and no error of it holds a phone number, the
// words of a text or an auth token.
package twilio
