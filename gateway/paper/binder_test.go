package paper

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dropslot/gateway"
)

// firstPixel tells for each orientation where the first row's first pixel and
// the first row's last pixel are seen (Exif 2.32, table 6): corners are
// counted clockwise from the top left.
var firstPixel = map[byte][2]int{
	1: {0, 1}, 2: {1, 0}, 3: {2, 3}, 4: {3, 2}, 5: {0, 3}, 6: {1, 2}, 7: {2, 1}, 8: {3, 0},
}

func near(a color.Color, b color.RGBA) bool {
	ar, ag, ab, _ := a.RGBA()
	for _, pair := range [][2]int{{int(ar >> 8), int(b.R)}, {int(ag >> 8), int(b.G)}, {int(ab >> 8), int(b.B)}} {
		if d := pair[0] - pair[1]; d > 40 || d < -40 {
			return false
		}
	}
	return true
}

// A page lies on paper as it was seen at the desk, whatever the phone stored
// and however staff turned it.
func TestPagesLieAsTheyAreSeen(t *testing.T) {
	picture := jpegOf(t, corners(320, 200), 92)
	var sheets []gateway.Sheet
	type wanted struct {
		orientation byte
		rotation    int
	}
	var want []wanted
	for orientation := byte(1); orientation <= 8; orientation++ {
		for rotation := 0; rotation < 360; rotation += 90 {
			sheets = append(sheets, sheetOf(len(sheets)+1, rotation, oriented(picture, orientation)))
			want = append(want, wanted{orientation, rotation})
		}
	}
	path := valid(t, written(t, prepare(t, bindingOf(sheets...))))
	for i, w := range want {
		drawn := rendered(t, path, i+1)
		size := drawn.Bounds().Size()
		across := (w.orientation >= 5) == (w.rotation%180 == 90)
		if (size.X > size.Y) != across {
			t.Errorf("orientation %d turned by %d: the paper is %v", w.orientation, w.rotation, size)
		}
		// Where the corner of the picture is seen, from the top left clockwise.
		seen := make([]color.RGBA, 4)
		turned := w.rotation / 90
		a, b := (firstPixel[w.orientation][0]+turned)%4, (firstPixel[w.orientation][1]+turned)%4
		seen[a], seen[b], seen[(a+2)%4], seen[(b+2)%4] = red, green, yellow, blue
		for corner, place := range [4]image.Point{{-1, -1}, {1, -1}, {1, 1}, {-1, 1}} {
			at := image.Pt(size.X/2+place.X*size.X/5, size.Y/2+place.Y*size.Y/5)
			if got := drawn.At(at.X, at.Y); !near(got, seen[corner]) {
				t.Errorf("orientation %d turned by %d: corner %d is %v, want %v", w.orientation, w.rotation, corner, got, seen[corner])
			}
		}
	}
}

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "testdata", "pictures", name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestEveryKindOfPictureIsDrawn(t *testing.T) {
	gray := image.NewGray(image.Rect(0, 0, 90, 120))
	clearPNG := image.NewNRGBA(image.Rect(0, 0, 90, 120)) // lets everything through
	turnedPNG := pngOf(t, corners(200, 320))
	contents := map[string][]byte{
		"cmyk.jpg": fixture(t, "cmyk.jpg"), "progressive.jpg": fixture(t, "progressive.jpg"),
		"alpha.webp": fixture(t, "alpha.webp"), "lossless.webp": fixture(t, "lossless.webp"), "lossy.webp": fixture(t, "lossy.webp"),
		"gray.jpg": jpegOf(t, gray, 80), "gray.png": pngOf(t, gray), "clear.png": pngOf(t, clearPNG), "turned.png": turnedPNG,
	}
	for name, content := range contents {
		t.Run(name, func(t *testing.T) {
			rotation := 0
			if name == "turned.png" {
				rotation = 90
			}
			pdf := prepare(t, bindingOf(sheetOf(1, rotation, content)))
			if out := pdf.LeftOut(); len(out) > 0 || pdf.Sheets() != 1 {
				t.Fatalf("left out: %v", out)
			}
			drawn := rendered(t, valid(t, written(t, pdf)), 1)
			size := drawn.Bounds().Size()
			middle := drawn.At(size.X/2-9, size.Y/2-9)
			switch name {
			case "gray.jpg", "gray.png":
				if !near(middle, color.RGBA{0, 0, 0, 255}) {
					t.Errorf("the middle is %v", middle)
				}
			case "clear.png":
				if !near(middle, color.RGBA{255, 255, 255, 255}) {
					t.Errorf("what lets through is %v, want white paper", middle)
				}
			case "turned.png": // a quarter clockwise: what was bottom left is top left
				if got := drawn.At(size.X/2-size.X/5, size.Y/2-size.Y/5); !near(got, blue) {
					t.Errorf("top left is %v, want blue", got)
				}
			}
		})
	}
}

func TestWhatIsLeftOutIsNamedInThePDFItself(t *testing.T) {
	good := jpegOf(t, corners(200, 300), 80)
	tooMany := pngOf(t, image.NewPaletted(image.Rect(0, 0, 6000, 4000), color.Palette{color.Black, color.White}))
	pdf := prepare(t, bindingOf(
		sheetOf(1, 0, good), sheetOf(3, 0, fixture(t, "page.heic")),
		sheetOf(4, 0, good[:len(good)/2]), sheetOf(5, 0, []byte("<svg>")), sheetOf(6, 0, tooMany),
	))
	want := []gateway.LeftOut{
		{Number: 3, Reason: gateway.LeftOutHEIC}, {Number: 4, Reason: gateway.LeftOutDamaged},
		{Number: 5, Reason: gateway.LeftOutDamaged}, {Number: 6, Reason: gateway.LeftOutPixels},
	}
	if got := pdf.LeftOut(); len(got) != len(want) {
		t.Fatalf("left out: %v", got)
	}
	for i, got := range pdf.LeftOut() {
		if got != want[i] {
			t.Errorf("left out: %v, want %v", got, want[i])
		}
	}
	text := words(t, valid(t, written(t, pdf)))
	for _, line := range []string{"Page 3: heic", "Page 4: damaged", "Page 6: pixels"} {
		if !strings.Contains(text, line) {
			t.Errorf("the PDF does not say %q:\n%s", line, text)
		}
	}
}

func TestTheCoverIsReadable(t *testing.T) {
	b := bindingOf(sheetOf(1, 0, jpegOf(t, corners(200, 300), 80)))
	b.Cover = &gateway.Cover{
		Title: "Papers (K7M2Q)",
		Facts: []gateway.CoverFact{{Name: "Office", Value: "Cañón County \\ Benefits"}, {Name: "Case number", Value: strings.Repeat("A-12345678 ", 20)}},
		Lists: []gateway.CoverList{{Title: "Pages"}},
	}
	for range 90 {
		b.Cover.Lists[0].Lines = append(b.Cover.Lists[0].Lines, "a pay stub, received November 3, 2026, with a long label that does not fit on one line of the page and goes on")
	}
	b.Cover.Lists = append(b.Cover.Lists, gateway.CoverList{Title: "The end", Lines: []string{strings.Repeat("W", 300)}})
	path := valid(t, written(t, prepare(t, b)))
	text := words(t, path)
	for _, want := range []string{"Papers (K7M2Q)", `Cañón County \ Benefits`, "The end"} {
		if !strings.Contains(text, want) {
			t.Errorf("the cover does not say %q", want)
		}
	}
	if n := strings.Count(text, "a pay stub"); n != 90 {
		t.Errorf("%d of 90 pages are listed", n)
	}
	if n := strings.Count(text, "W"); n != 300 {
		t.Errorf("%d letters of 300 are on paper", n)
	}
	// Nothing stands in the margin, where it would be cut off.
	first := rendered(t, path, 1)
	for y := range first.Bounds().Dy() {
		for x := first.Bounds().Dx() - 40; x < first.Bounds().Dx(); x++ {
			if !near(first.At(x, y), color.RGBA{255, 255, 255, 255}) {
				t.Fatalf("there is ink at %d,%d", x, y)
			}
		}
	}
}

func TestTheSamePDFIsWrittenTwice(t *testing.T) {
	pdf := prepare(t, bindingOf(sheetOf(1, 0, jpegOf(t, corners(200, 300), 80)), sheetOf(2, 0, pngOf(t, corners(300, 200)))))
	if !bytes.Equal(written(t, pdf), written(t, pdf)) {
		t.Error("the second differs")
	}
}

func TestWhereAPhotographWasTakenStaysBehind(t *testing.T) {
	picture := jpegOf(t, corners(200, 300), 80)
	comment := append([]byte{0xff, 0xfe, 0, 2 + 6}, "secret"...)
	tagged := bytes.Join([][]byte{picture[:2], comment, picture[2:], []byte("appended secret")}, nil)
	if out := written(t, prepare(t, bindingOf(sheetOf(1, 0, tagged)))); bytes.Contains(out, []byte("secret")) {
		t.Error("what is no picture went along")
	}
}

func TestAFileThatCannotBeReadIsNoPageThatIsLeftOut(t *testing.T) {
	down := errors.New("the disk is gone")
	sheet := gateway.Sheet{Number: 1, Open: func() (io.ReadCloser, error) { return nil, down }}
	if _, err := NewBinder().Prepare(t.Context(), bindingOf(sheet)); !errors.Is(err, down) {
		t.Errorf("%v", err)
	}
	picture := pngOf(t, photograph(300, 200, 1))
	half := gateway.Sheet{Number: 1, Open: func() (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(bytes.NewReader(picture[:len(picture)/2]), failing{down})), nil
	}}
	if _, err := NewBinder().Prepare(t.Context(), bindingOf(half)); !errors.Is(err, down) {
		t.Errorf("half a file: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
