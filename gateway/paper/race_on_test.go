//go:build race

package paper

// raceDetector slows the decoding of pictures down some ten times.
const raceDetector = true
