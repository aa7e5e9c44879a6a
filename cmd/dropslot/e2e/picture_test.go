package e2e

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"testing"

	"golang.org/x/image/draw"
)

// showsPaper fails unless a JPEG is a photograph of what the camera saw: it
// must be like the paper of these lines, and unlike a paper that says
// something else.
func showsPaper(t *testing.T, content []byte, lines []string) {
	t.Helper()
	photo, err := jpeg.Decode(bytes.NewReader(content))
	if err != nil {
		t.Fatalf("what the desk serves is no JPEG: %v", err)
	}
	if size := photo.Bounds().Size(); size != (image.Point{cameraWidth, cameraHeight}) {
		t.Errorf("the photograph has %v pixels", size)
	}
	seen, err := paper(lines...)
	if err != nil {
		t.Fatal(err)
	}
	other := make([]string, len(lines))
	for i, line := range lines {
		backwards := []rune(line)
		for a, z := 0, len(backwards)-1; a < z; a, z = a+1, z-1 {
			backwards[a], backwards[z] = backwards[z], backwards[a]
		}
		other[i] = string(backwards)
	}
	unlike, err := paper(other...)
	if err != nil {
		t.Fatal(err)
	}
	same, different := difference(photo, seen), difference(photo, unlike)
	t.Logf("the photograph differs by %.2f of 255 from what the camera saw, by %.2f from another paper", same, different)
	if same > 4 || different < 2*same {
		t.Errorf("the photograph does not show the paper")
	}
}

// difference is the mean difference of brightness of two pictures, 0 to 255.
func difference(a, b image.Image) float64 {
	bounds := b.Bounds()
	scaled := image.NewGray(bounds)
	draw.ApproxBiLinear.Scale(scaled, bounds, a, a.Bounds(), draw.Src, nil)
	var sum float64
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			one, two := scaled.GrayAt(x, y).Y, color.GrayModel.Convert(b.At(x, y)).(color.Gray).Y
			sum += max(float64(one)-float64(two), float64(two)-float64(one))
		}
	}
	return sum / float64(bounds.Dx()*bounds.Dy())
}
