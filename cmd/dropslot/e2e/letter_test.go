package e2e

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"math/rand/v2"
	"strings"

	"golang.org/x/image/font/gofont/goregular"
)

// letter is a page of close print as a phone's sensor sees it: light that
// falls off to one side, and noise. The same seed gives the same words.
func letter(width, height int, seed uint64) (*image.RGBA, error) {
	picture := table(width, height)
	tall := height * 96 / 100
	wide := min(width*96/100, tall*17/22)
	sheet := image.Rect((width-wide)/2, (height-tall)/2, (width+wide)/2, (height+tall)/2)
	draw.Draw(picture, sheet, image.NewUniform(color.RGBA{244, 242, 236, 255}), image.Point{}, draw.Src)
	words := strings.Fields("the county office has looked at what you sent and needs to know how much you were paid in each week of the month before we can say what help you get next")
	random := rand.New(rand.NewPCG(seed, 1))
	size := float64(tall) / 75 // 10 points on letter paper
	for baseline := sheet.Min.Y + tall/12; baseline < sheet.Max.Y-tall/12; baseline += int(size * 1.6) {
		line := ""
		for len(line) < 66 {
			line += words[random.IntN(len(words))] + " "
		}
		if err := write(picture, goregular.TTF, size, sheet.Min.X+wide/12, baseline, line[:66]); err != nil {
			return nil, err
		}
	}
	return sensed(picture, 4, 1, random), nil
}

// sensed is a picture as a sensor gives it: noise (its deviation in steps of
// 255) and the share of light that there is.
func sensed(picture *image.RGBA, noise, light float64, random *rand.Rand) *image.RGBA {
	bounds := picture.Bounds()
	result := image.NewRGBA(bounds)
	for y := range bounds.Dy() {
		for x := range bounds.Dx() {
			at := picture.PixOffset(x, y)
			here := light * (1 - 0.25*float64(x)/float64(bounds.Dx()))
			grain := noise * random.NormFloat64()
			for channel := range 3 {
				result.Pix[at+channel] = uint8(max(0, min(255, float64(picture.Pix[at+channel])*here+grain)))
			}
			result.Pix[at+3] = 255
		}
	}
	return result
}

// blurred is a picture out of focus: a Gaussian of so many pixels.
func blurred(picture *image.RGBA, sigma float64) *image.RGBA {
	reach := int(math.Ceil(3 * sigma))
	kernel := make([]float64, 2*reach+1)
	var whole float64
	for i := range kernel {
		kernel[i] = math.Exp(-math.Pow(float64(i-reach)/sigma, 2) / 2)
		whole += kernel[i]
	}
	pass := func(from *image.RGBA, dx, dy int) *image.RGBA {
		to := image.NewRGBA(from.Bounds())
		for y := range from.Bounds().Dy() {
			for x := range from.Bounds().Dx() {
				var sums [3]float64
				for i, weight := range kernel {
					nearX := max(0, min(from.Bounds().Dx()-1, x+(i-reach)*dx))
					nearY := max(0, min(from.Bounds().Dy()-1, y+(i-reach)*dy))
					at := from.PixOffset(nearX, nearY)
					for channel := range 3 {
						sums[channel] += weight * float64(from.Pix[at+channel])
					}
				}
				at := to.PixOffset(x, y)
				for channel := range 3 {
					to.Pix[at+channel] = uint8(sums[channel] / whole)
				}
				to.Pix[at+3] = 255
			}
		}
		return to
	}
	return pass(pass(picture, 1, 0), 0, 1)
}
