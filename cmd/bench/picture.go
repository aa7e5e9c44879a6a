package main

import (
	"bytes"
	"crypto/rand"
	"image"
	"image/jpeg"
)

const (
	pageBytes    = 3_000_000 // about what a phone's photograph of a letter takes
	pictureWidth = 2048
)

// picture gives a JPEG of about pageBytes. It is noise, so that its size
// needs few pixels; no part of the way looks at more than its header.
func picture() ([]byte, error) {
	trial, err := noise(256)
	if err != nil {
		return nil, err
	}
	return noise(pageBytes * 256 / len(trial) &^ 7)
}

func noise(height int) ([]byte, error) {
	drawn := image.NewGray(image.Rect(0, 0, pictureWidth, height))
	if _, err := rand.Read(drawn.Pix); err != nil {
		return nil, err
	}
	var encoded bytes.Buffer
	err := jpeg.Encode(&encoded, drawn, &jpeg.Options{Quality: 75})
	return encoded.Bytes(), err
}
