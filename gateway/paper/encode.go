package paper

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"runtime"

	"golang.org/x/image/draw"
)

// rung is one way to encode a picture: pixels of its long side, and JPEG's
// quality. perPixel is what a photographed page then takes in bytes a pixel
// (measured on photographs of letters), to begin at a rung that is likely to do.
type rung struct {
	longSide, quality int
	perPixel          float64
}

// ladder goes from hardly visible loss to the least at which print of 10 points
// can be read.
var ladder = []rung{
	{3000, 80, .30}, {2400, 75, .24}, {2000, 70, .21}, {1700, 60, .17}, {1400, 50, .14}, {1200, 45, .13}, {1000, 40, .12},
}

// pixelBytes is what a decoder holds for each pixel.
func pixelBytes(model color.Model) int64 {
	switch model {
	case color.GrayModel:
		return 1
	case color.YCbCrModel:
		return 3
	case color.NRGBA64Model, color.RGBA64Model:
		return 8
	}
	return 4
}

// encode gives a JPEG of at most so many bytes, or the smallest that is made.
// 0 asks for the first rung.
func encode(decoded image.Image, most int64) ([]byte, error) {
	// What was decoded before is garbage by now; collected here, one picture is
	// held at a time.
	defer runtime.GC()
	size := decoded.Bounds().Size()
	var made bytes.Buffer
	for i, r := range ladder {
		scaled := fit(size, r.longSide)
		last := i == len(ladder)-1
		if guess := float64(scaled.X*scaled.Y) * r.perPixel; most > 0 && !last && guess > 1.5*float64(most) {
			continue
		}
		made.Reset()
		if err := jpeg.Encode(&made, flat(decoded, scaled), &jpeg.Options{Quality: r.quality}); err != nil {
			return nil, err
		}
		if most == 0 || last || int64(made.Len()) <= most {
			break
		}
	}
	return bytes.Clone(made.Bytes()), nil
}

// fit gives the size with a long side of at most so many pixels.
func fit(size image.Point, longSide int) image.Point {
	long := max(size.X, size.Y)
	if long <= longSide {
		return size
	}
	return image.Pt(max(1, size.X*longSide/long), max(1, size.Y*longSide/long))
}

// flat scales a picture and lays it on white, where it lets something through.
func flat(decoded image.Image, size image.Point) image.Image {
	if solid, ok := decoded.(interface{ Opaque() bool }); ok && solid.Opaque() && size == decoded.Bounds().Size() {
		return decoded
	}
	area := image.Rectangle{Max: size}
	var onto draw.Image = image.NewRGBA(area)
	if _, gray := decoded.(*image.Gray); gray {
		onto = image.NewGray(area)
	}
	draw.Draw(onto, area, image.White, image.Point{}, draw.Src)
	draw.ApproxBiLinear.Scale(onto, area, decoded, decoded.Bounds(), draw.Over, nil)
	return onto
}
