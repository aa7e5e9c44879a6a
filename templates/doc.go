// Package templates holds everything that people read: the pages of clients
// and of the desk, the words of pages and texts in each language, and the
// static files, embedded in the program. It checks all of it at start, and it
// knows nothing of the gateway: whoever renders hands in what is shown.
package templates
