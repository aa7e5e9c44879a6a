package e2e

import (
	"bufio"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

const cameraWidth, cameraHeight = 1280, 720

// paper is a letter as it lies on a table in front of the camera.
func paper(lines ...string) (*image.RGBA, error) {
	picture := image.NewRGBA(image.Rect(0, 0, cameraWidth, cameraHeight))
	draw.Draw(picture, picture.Bounds(), image.NewUniform(color.RGBA{92, 70, 52, 255}), image.Point{}, draw.Src)
	sheet := image.Rect(250, 20, 1030, 700)
	draw.Draw(picture, sheet, image.NewUniform(color.RGBA{246, 244, 238, 255}), image.Point{}, draw.Src)
	baseline := sheet.Min.Y + 80
	for i, line := range lines {
		file, size := goregular.TTF, 30.0
		if i == 0 {
			file, size = gobold.TTF, 44
		}
		if err := write(picture, file, size, sheet.Min.X+50, baseline, line); err != nil {
			return nil, err
		}
		baseline += int(size * 1.7)
	}
	return picture, nil
}

func write(picture draw.Image, file []byte, size float64, x, y int, line string) error {
	parsed, err := opentype.Parse(file)
	if err != nil {
		return err
	}
	face, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingFull})
	if err != nil {
		return err
	}
	defer face.Close()
	pen := font.Drawer{Dst: picture, Src: image.NewUniform(color.RGBA{30, 30, 34, 255}), Face: face, Dot: fixed.P(x, y)}
	pen.DrawString(line)
	return nil
}

// payStatement is the paper of most tests.
var payStatement = []string{
	"North Mill Bakery", "Statement of pay", "", "Employee: Maria Example", "Pay period: Oct 16 to Oct 31",
	"Hours: 71.5", "Gross pay: $1,215.50", "Net pay: $1,021.34", "", "Keep this statement for your records.",
}

// cameraFile writes what the browser's fake camera sees, over and over: the
// paper of these lines.
func cameraFile(t *testing.T, lines []string) string {
	t.Helper()
	picture, err := paper(lines...)
	if err != nil {
		t.Fatal(err)
	}
	return frameFile(t, picture)
}

// frameFile writes one frame in YUV4MPEG2, the uncompressed format that
// Chromium reads.
func frameFile(t *testing.T, picture *image.RGBA) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "camera.y4m")
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	buffered := bufio.NewWriter(file)
	fmt.Fprintf(buffered, "YUV4MPEG2 W%d H%d F10:1 Ip A1:1 C420\nFRAME\n", picture.Bounds().Dx(), picture.Bounds().Dy())
	for _, plane := range planes(picture) {
		if _, err := buffered.Write(plane); err != nil {
			t.Fatal(err)
		}
	}
	if err := buffered.Flush(); err != nil {
		t.Fatal(err)
	}
	return name
}

// planes gives Y, Cb and Cr with a color for every four pixels (4:2:0), in the
// range of video (BT.601: 16 to 235, colors to 240), which Chromium expects.
func planes(picture *image.RGBA) [3][]byte {
	bounds := picture.Bounds()
	var y, cb, cr []byte
	for row := bounds.Min.Y; row < bounds.Max.Y; row++ {
		for column := bounds.Min.X; column < bounds.Max.X; column++ {
			pixel := picture.RGBAAt(column, row)
			luma, blue, red := color.RGBToYCbCr(pixel.R, pixel.G, pixel.B)
			y = append(y, uint8(16+int(luma)*219/255))
			if row%2 == 0 && column%2 == 0 {
				cb, cr = append(cb, narrow(blue)), append(cr, narrow(red))
			}
		}
	}
	return [3][]byte{y, cb, cr}
}

func narrow(chroma uint8) uint8 { return uint8(128 + (int(chroma)-128)*224/255) }
