package config

import (
	"testing"
	"time"
)

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"90d": 90 * 24 * time.Hour, "4h": 4 * time.Hour, "15m": 15 * time.Minute, "30s": 30 * time.Second,
		"1h30m": 90 * time.Minute, "1d12h": 36 * time.Hour, "0s": 0,
	} {
		var d Duration
		if p := d.readScalar(text); p != nil || time.Duration(d) != want {
			t.Errorf("%q: %v, %v", text, d, p)
			continue
		}
		var again Duration
		if p := again.readScalar(d.String()); p != nil || again != d {
			t.Errorf("%q is written as %q, which reads as %v", text, d.String(), again)
		}
	}
	for _, text := range []string{"", "4", "h", "4 h", "-4h", "4.5h", "4w", "999999999d", "99999d99999d9", "1h 30m", "4H"} {
		var d Duration
		if p := d.readScalar(text); p == nil {
			t.Errorf("%q was read as %v", text, d)
		}
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]Size{"20MiB": 20 << 20, "512KiB": 512 << 10, "1GiB": 1 << 30, "20MB": 20e6, "1 kB": 1000} {
		var s Size
		if p := s.readScalar(text); p != nil || s != want {
			t.Errorf("%q: %d, %v", text, int64(s), p)
		}
	}
	for _, text := range []string{"", "20", "MiB", "20 mib", "-1MiB", "1.5GiB", "20M", "99999999999GiB"} {
		var s Size
		if p := s.readScalar(text); p == nil {
			t.Errorf("%q was read as %d", text, int64(s))
		}
	}
}

func TestAddresses(t *testing.T) {
	for text, loopback := range map[string]bool{
		":8080": false, "0.0.0.0:80": false, "127.0.0.1:8081": true, "127.9.9.9:0": true,
		"[::1]:8081": true, "[::]:8081": false, "localhost:80": true, "10.0.0.1:65535": false,
	} {
		var a Address
		if p := a.readScalar(text); p != nil || a.Loopback() != loopback {
			t.Errorf("%q: loopback %v, %v", text, a.Loopback(), p)
		}
	}
	for _, text := range []string{"", "8080", "127.0.0.1", ":65536", ":-1", ":080", "::1:80", "[127.0.0.1]:80", "host.example:80", ":http", "[::1]"} {
		var a Address
		if p := a.readScalar(text); p == nil {
			t.Errorf("%q was accepted", text)
		}
	}
}

func TestNetworks(t *testing.T) {
	for text, want := range map[string]string{
		"10.0.0.7": "10.0.0.7/32", "10.1.2.3/8": "10.0.0.0/8", "::1": "::1/128", "fd00::/8": "fd00::/8",
	} {
		var n Network
		if p := n.readScalar(text); p != nil || n.String() != want {
			t.Errorf("%q: %v, %v", text, n, p)
		}
	}
	for _, text := range []string{"", "10.0.0", "0.0.0.0/0", "::/0", "fe80::1%eth0", "proxy"} {
		var n Network
		if p := n.readScalar(text); p == nil {
			t.Errorf("%q was read as %v", text, n)
		}
	}
}

// Reading never panics, whatever the file holds.
func FuzzParse(f *testing.F) {
	f.Add([]byte(Example()))
	f.Add([]byte("a: &a {b: *a}\nredis: *a\n"))
	f.Add([]byte("offices: {north: {recipients: [5, {file: }], texts: {en: [x]}}}\nnumbers: {[a]: b, ? {c: d} : e}"))
	file := f.TempDir() + "/dropslot.yaml"
	f.Fuzz(func(t *testing.T, content []byte) {
		if _, err := loadContent(file, content, RoleAll); err == nil {
			t.Error("a file without keys loaded")
		}
	})
}
