// Package linkstore is Redis: it takes what the internet throws at links
// (previews, guesses, double taps), holds limits and the desk's sessions, and
// may forget all of it at any time. What must last stands in SQL.
//
// Every script and command touches exactly one key, so that Sentinel and
// Cluster work. Nothing that stands in a key or a value opens a link, names a
// person or tells a network address: tokens are hashed, addresses and logins
// are keyed hashes.
package linkstore
