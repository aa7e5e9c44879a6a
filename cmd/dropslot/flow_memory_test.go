package main

import (
	"bytes"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"dropslot/gateway/twilio/twiliotest"
)

// A picture of 5 MB streams from Twilio through the cleaning and the sealing
// into the vault: a worker needs well below 2 MB of memory for it, in all that
// it allocates.
func TestATextedPictureOfFiveMegabytesIsNeverHeldWhole(t *testing.T) {
	w := newTown(t, nil)
	var photo bytes.Buffer
	grain := image.NewRGBA(image.Rect(0, 0, 2400, 1800))
	source := rand.NewChaCha8([32]byte{1})
	_, _ = source.Read(grain.Pix) // noise, so that it does not compress; it never fails
	if err := jpeg.Encode(&photo, grain, &jpeg.Options{Quality: 97}); err != nil {
		t.Fatal(err)
	}
	if photo.Len() < 5<<20 {
		t.Fatalf("the picture has %d bytes", photo.Len())
	}
	w.text(client, "", twiliotest.Media{Content: picture(t, 1)}) // warms what is kept for reuse
	w.work()
	w.text(client, "", twiliotest.Media{Content: photo.Bytes()})
	w.wait(time.Minute)
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	w.collect()
	runtime.ReadMemStats(&after)
	if n := w.count("pages"); n != 2 {
		t.Fatalf("%d pages", n)
	}
	used := after.TotalAlloc - before.TotalAlloc
	t.Logf("a picture of %d KB: %d KB allocated", photo.Len()>>10, used>>10)
	if used > 2<<20 {
		t.Errorf("%d KB were allocated for it", used>>10)
	}
}
