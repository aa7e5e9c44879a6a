//go:build !race

package paper

// raceDetector slows the flows down some ten times.
const raceDetector = false
