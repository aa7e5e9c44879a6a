// Package web is Dropslot's face on HTTP: the intake (Twilio's webhooks and
// the client's pages), the desk of the caseworkers, and the operator's health
// and metrics. It decides nothing: flows, pages and stores are handed in, and
// each side has one place that turns an error into an answer.
package web
