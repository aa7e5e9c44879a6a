package gateway_test

import (
	"bytes"
	"io"
	"math"
	"testing"

	"dropslot/gateway"
)

func TestAPictureOfVeryManyScansIsRefused(t *testing.T) {
	plain := encodeJPEG(t, noise(16, 16), 50)
	head, scans := splitAtScan(t, plain)
	for count, want := range map[int]gateway.Code{100: "", 101: gateway.CodePageDamaged} {
		page := append(append(bytes.Clone(head), bytes.Repeat(scans[:len(scans)-2], count)...), 0xff, 0xd9)
		_, clean, err := gateway.CleanPage(bytes.NewReader(page), math.MaxInt64)
		if err == nil {
			_, err = io.Copy(io.Discard, clean)
		}
		if want == "" && err != nil || want != "" && !gateway.Is(err, want) {
			t.Errorf("%d scans: %v", count, err)
		}
	}
}
