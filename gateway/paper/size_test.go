package paper

import (
	"bytes"
	"context"
	"io"
	"os"
	"runtime"
	"runtime/metrics"
	"testing"
	"time"

	"dropslot/gateway"
)

func TestAPDFFitsTheWantedSize(t *testing.T) {
	large := jpegOf(t, photograph(1100, 1500, 1), 95)
	small := jpegOf(t, corners(300, 400), 80)
	for _, most := range []int64{250_000, 600_000, 1_400_000} {
		b := bindingOf(sheetOf(1, 0, large), sheetOf(2, 90, small), sheetOf(3, 0, large), sheetOf(4, 0, pngOf(t, photograph(600, 800, 2))))
		b.MostBytes = most
		b.Cover = &gateway.Cover{Title: "Papers"}
		out := written(t, prepare(t, b))
		if int64(len(out)) > most {
			t.Errorf("%d bytes, want at most %d", len(out), most)
		}
		if int64(len(out)) < most/4 {
			t.Errorf("%d bytes of %d: more was thrown away than had to be", len(out), most)
		}
		if !bytes.Contains(out, small[len(small)/2:]) {
			t.Error("a small page was encoded anew without need")
		}
		valid(t, out)
	}
}

func TestWhatFitsPassesUntouched(t *testing.T) {
	picture := jpegOf(t, photograph(800, 600, 1), 90)
	b := bindingOf(sheetOf(1, 0, picture))
	b.MostBytes = int64(len(picture)) + 10_000
	if out := written(t, prepare(t, b)); !bytes.Contains(out, picture[len(picture)/2:]) {
		t.Error("the picture was encoded anew")
	}
}

func TestAPDFThatCannotBeSoSmallIsRefused(t *testing.T) {
	b := bindingOf(sheetOf(1, 0, jpegOf(t, photograph(1100, 1500, 1), 95)), sheetOf(2, 0, jpegOf(t, photograph(1100, 1500, 3), 95)))
	b.MostBytes = 60_000
	if _, err := NewBinder().Prepare(t.Context(), b); !gateway.Is(err, gateway.CodePDFTooBig) {
		t.Errorf("%v", err)
	}
}

// memory is what the process holds of the system beside what it gave back.
func memory() int64 {
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(samples)
	return int64(samples[0].Value.Uint64() - samples[1].Value.Uint64()) // #nosec G115 -- a size of memory
}

// peak tells by how much the memory grew at most while something was done.
func peak(do func()) int64 {
	runtime.GC()
	before, highest := memory(), int64(0)
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			highest = max(highest, memory()-before)
			select {
			case <-done:
				return
			case <-time.After(2 * time.Millisecond):
			}
		}
	}()
	do()
	close(done)
	<-ended
	return highest
}

// Sixty photographs of twelve million pixels each make one PDF within 64 MB
// more than before, also when each has to be made smaller.
func TestSixtyPhotographsInLittleMemory(t *testing.T) {
	photo, err := os.CreateTemp(t.TempDir(), "photo")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := photo.Write(jpegOf(t, photograph(4000, 3000, 1), 88)); err != nil {
		t.Fatal(err)
	}
	size, err := photo.Seek(0, io.SeekEnd)
	if err != nil {
		t.Fatal(err)
	}
	var sheets []gateway.Sheet
	for i := range 60 {
		sheets = append(sheets, gateway.Sheet{Number: i + 1, Open: func() (io.ReadCloser, error) {
			return io.NopCloser(io.NewSectionReader(photo, 0, size)), nil
		}})
	}
	for name, test := range map[string]struct{ most, growth int64 }{
		"as they are":   {0, 16 << 20},
		"at most 25 MB": {25_000_000, 64 << 20},
	} {
		chosen := sheets
		if test.most > 0 {
			chosen = sheets[:fewer(60)]
		}
		b := bindingOf(chosen...)
		b.MostBytes = test.most * int64(len(chosen)) / 60
		var written counter
		grown := peak(func() {
			pdf, err := NewBinder().Prepare(context.Background(), b)
			if err == nil {
				err = pdf.Write(context.Background(), &written)
			}
			if err != nil {
				t.Error(err)
			}
		})
		t.Logf("%s: %d pages of %d bytes to %d bytes, memory grew by %.1f MB", name, len(b.Sheets), size, written, float64(grown)/1e6)
		if grown > test.growth {
			t.Errorf("%s: memory grew by %d bytes", name, grown)
		}
	}
}

// fewer leaves out most repetitions of what takes a second each, unless
// everything is asked for: the memory is bounded by one picture either way.
func fewer(all int) int {
	if raceDetector || os.Getenv("DROPSLOT_REQUIRE_ALL") != "1" {
		return 9
	}
	return all
}
