// Package notify hands notices over: by e-mail to a server, by signed HTTP
// requests to the hooks that the configuration names.
package notify
