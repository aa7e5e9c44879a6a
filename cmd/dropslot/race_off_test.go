//go:build !race

package main

// raceDetector slows the flows down some ten times.
const raceDetector = false
