package scan

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"dropslot/gateway"
	"dropslot/gateway/scan/scantest"
)

func scannerAt(t *testing.T, address string) *Clamd {
	t.Helper()
	c, err := New(address)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestARealScanner(t *testing.T) {
	unix, tcp := scantest.Start(t, "1M", "512K")
	for _, address := range []string{unix, tcp} {
		c := scannerAt(t, address)
		for name, test := range map[string]struct {
			content io.Reader
			want    gateway.Code
		}{
			"clean":                     {strings.NewReader("a letter"), ""},
			"empty":                     {strings.NewReader(""), ""},
			"exactly one piece":         {bytes.NewReader(make([]byte, piece)), ""},
			"infected":                  {strings.NewReader("a letter with " + scantest.Marker), gateway.CodeInfected},
			"more than a stream may be": {bytes.NewReader(make([]byte, 5<<20)), gateway.CodeNotScanned},
			"more than is looked through": {io.MultiReader(bytes.NewReader(bytes.Repeat([]byte("text "), 140_000)), strings.NewReader(scantest.Marker)),
				gateway.CodeNotScanned},
		} {
			err := c.Scan(t.Context(), test.content)
			if test.want == "" && err != nil || test.want != "" && !gateway.Is(err, test.want) {
				t.Errorf("%s, %s: %v, want %q", address, name, err, test.want)
			}
		}
	}
}

func TestHowMuchAScannerLooksThrough(t *testing.T) {
	unix, _ := scantest.Start(t, "3M", "2M")
	for wanted, want := range map[int64]int64{1 << 20: 1 << 20, 3<<20 + 5: 2 << 20, 8 << 20: 2 << 20} {
		got, err := scannerAt(t, unix).Most(t.Context(), wanted)
		if err != nil || got > want || got < want-piece {
			t.Errorf("of %d bytes it takes %d, want %d; %v", wanted, got, want, err)
		}
	}
	if _, err := scannerAt(t, "unix:/nowhere/clamd.sock").Most(t.Context(), 1<<20); !gateway.Is(err, gateway.CodeScanner) {
		t.Errorf("no socket: %v", err)
	}
}

func TestAScannerThatDoesNotAnswerPassesNothing(t *testing.T) {
	answers := map[string]string{
		"nothing": "", "half a verdict": "stream:", "an error": "INSTREAM: something ERROR\x00", "a trick": "stream: OK FOUND OK\x00",
		"another OK": "OK\x00",
	}
	for name, answer := range answers {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = io.ReadFull(conn, make([]byte, len("zINSTREAM\x00")+4+5+4))
			_, _ = io.WriteString(conn, answer)
			_ = conn.Close()
		}()
		err = scannerAt(t, "tcp:"+listener.Addr().String()).Scan(t.Context(), strings.NewReader("paper"))
		if !gateway.Is(err, gateway.CodeScanner) {
			t.Errorf("%s: %v", name, err)
		}
		_ = listener.Close()
	}
	if err := scannerAt(t, "unix:/nowhere/clamd.sock").Scan(t.Context(), strings.NewReader("x")); !gateway.Is(err, gateway.CodeScanner) {
		t.Errorf("no socket: %v", err)
	}
}

func TestAScannerThatFallsSilentIsLeft(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := scannerAt(t, "tcp:"+listener.Addr().String()).Scan(ctx, strings.NewReader("x")); !gateway.Is(err, gateway.CodeScanner) {
		t.Errorf("%v", err)
	}
}

func TestWhatCannotBeReadIsNotTheScannersFault(t *testing.T) {
	unix, _ := scantest.Start(t, "1M", "512K")
	gone := errors.New("the disk is gone")
	err := scannerAt(t, unix).Scan(t.Context(), io.MultiReader(strings.NewReader("x"), failing{gone}))
	if !errors.Is(err, gone) || gateway.Is(err, gateway.CodeScanner) {
		t.Errorf("%v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestAddressesOfClamd(t *testing.T) {
	for _, bad := range []string{"", "/run/clamd.sock", "unix:", "udp:1.2.3.4:1"} {
		if _, err := New(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
