package seal

import (
	"bytes"
	"crypto/rand"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"dropslot/gateway"
)

// Lengths around the borders of age's chunks.
var lengths = []int{1, 15, 16, 17, 4096, chunkPlain - 1, chunkPlain, chunkPlain + 1, 2*chunkPlain - 1, 2 * chunkPlain, 2*chunkPlain + 1, 300_001}

func TestSealedPagesOpenWithEachIdentity(t *testing.T) {
	for _, kind := range []Kind{PostQuantum, Classic} {
		t.Run(string(kind), func(t *testing.T) {
			identities, texts := pair(t, kind)
			s := newTestSealer(t, texts...)
			for _, n := range lengths {
				plain := make([]byte, n)
				rand.Read(plain)
				sealed := sealWith(t, s, plain)

				header, err := s.Check(office, sealed[:min(len(sealed), gateway.SealHeaderMax)])
				if err != nil {
					t.Fatalf("%d bytes: header refused: %v", n, err)
				}
				size, err := s.PlainSize(header, int64(len(sealed)))
				if err != nil || size != int64(n) {
					t.Errorf("%d bytes: computed %d, %v", n, size, err)
				}
				for i, id := range identities {
					got, err := openWith(NewOpener(map[gateway.OfficeID][]Identity{office: {id}}), sealed)
					if err != nil || !bytes.Equal(got, plain) {
						t.Errorf("%d bytes do not come back with identity %d: %v", n, i, err)
					}
				}
			}
		})
	}
}

func TestRecipientsThatCannotGoTogetherAreRefused(t *testing.T) {
	_, hybrid := pair(t, PostQuantum)
	_, classic := pair(t, Classic)
	many := make([]string, 0, maxRecipients+1)
	for len(many) <= maxRecipients {
		_, texts := pair(t, Classic)
		many = append(many, texts...)
	}
	secret, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		texts []string
		want  string
	}{
		"mixed":      {[]string{hybrid[0], classic[0]}, "cannot be mixed"},
		"twice":      {[]string{hybrid[0], hybrid[0]}, "twice"},
		"none":       {nil, "no recipient"},
		"too many":   {many, "at most 10"},
		"cut":        {[]string{hybrid[0][:100]}, "damaged"},
		"not one":    {[]string{"ssh-ed25519 AAAA"}, "begins with age1"},
		"plugin":     {[]string{"age1yubikey1qwerty"}, "not known"},
		"secret key": {[]string{secret.String()}, "secret key"},
	} {
		_, err := NewSealer(map[gateway.OfficeID][]string{office: test.texts})
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "office north") {
			t.Errorf("%s: error %v, want one with %q", name, err, test.want)
		}
		if err != nil && strings.Contains(err.Error(), "AGE-SECRET-KEY-PQ-1") {
			t.Errorf("%s: the error repeats the secret", name)
		}
	}
}

func TestTheMostRecipientsFitIntoTheHeader(t *testing.T) {
	var texts []string
	for len(texts) < maxRecipients {
		_, two := pair(t, PostQuantum)
		texts = append(texts, two...)
	}
	s := newTestSealer(t, texts...)
	sealed := sealWith(t, s, make([]byte, 20_000))
	if _, err := s.Check(office, sealed[:gateway.SealHeaderMax]); err != nil {
		t.Error(err)
	}
}

func TestAllFaultsOfOfficesAreToldAtOnce(t *testing.T) {
	_, err := NewSealer(map[gateway.OfficeID][]string{"south": nil, "north": {"x"}})
	if err == nil || !strings.Contains(err.Error(), "north") || !strings.Contains(err.Error(), "south") {
		t.Errorf("error %v does not name both offices", err)
	}
}

func TestCheckRefusesOtherKindsAndCounts(t *testing.T) {
	_, hybrid := pair(t, PostQuantum)
	_, classic := pair(t, Classic)
	s := newTestSealer(t, hybrid...)
	plain := []byte("page")
	for name, sealed := range map[string][]byte{
		"classic":        sealWith(t, newTestSealer(t, classic...), plain),
		"one too few":    sealWith(t, newTestSealer(t, hybrid[0]), plain),
		"not age at all": []byte("\xff\xd8\xff\xe0 a photograph in clear"),
		"nothing":        nil,
		"cut header":     sealWith(t, s, plain)[:1000],
	} {
		if _, err := s.Check(office, sealed); !gateway.Is(err, gateway.CodePageSeal) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := s.Check("south", nil); err == nil || gateway.Is(err, gateway.CodePageSeal) {
		t.Errorf("an unknown office is the server's fault, not the page's: %v", err)
	}
}

func TestEmptyPagesAreKnownByTheirLength(t *testing.T) {
	_, texts := pair(t, PostQuantum)
	s := newTestSealer(t, texts...)
	sealed := sealWith(t, s, nil)
	header, err := s.Check(office, sealed)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.PlainSize(header, int64(len(sealed)))
	wantCode(t, err, gateway.CodePageEmpty)
}

// Every length is either one that a plain length gives, or refused.
func TestPlainSizeKnowsAllLengths(t *testing.T) {
	const header = 200
	possible := map[int64]int64{}
	for plain := int64(1); plain < 3*chunkPlain; plain += 1 + plain%7 {
		chunks := (plain + chunkPlain - 1) / chunkPlain
		possible[header+streamNonce+plain+chunks*chunkTag] = plain
	}
	for sealed, plain := range possible {
		if got, err := PlainSize(header, sealed); err != nil || got != plain {
			t.Fatalf("%d sealed bytes: %d, %v; want %d", sealed, got, err, plain)
		}
	}
	for _, start := range []int64{0, chunkSealed, 2 * chunkSealed} {
		for extra := int64(1); extra <= chunkTag; extra++ {
			if start == 0 && extra == chunkTag {
				continue // nothing inside: another error
			}
			_, err := PlainSize(header, header+streamNonce+start+extra)
			wantCode(t, err, gateway.CodePageSeal)
		}
	}
	for _, sealed := range []int64{-1, 0, header, header + streamNonce} {
		_, err := PlainSize(header, sealed)
		wantCode(t, err, gateway.CodePageSeal)
	}
}

// ageTool gives the standard age tool: the one that CI built, or one of the
// version that is sealed with.
func ageTool(t *testing.T) string {
	t.Helper()
	if built := os.Getenv("DROPSLOT_AGE"); built != "" {
		return built
	}
	folder := t.TempDir()
	command := exec.Command("go", "install", "filippo.io/age/cmd/age@v1.3.2")
	command.Env = append(os.Environ(), "GOBIN="+folder, "GOFLAGS=-mod=mod")
	if out, err := command.CombinedOutput(); err != nil {
		if os.Getenv("DROPSLOT_REQUIRE_ALL") == "1" {
			t.Fatalf("build age: %v\n%s", err, out)
		}
		t.Skipf("the age tool cannot be built here: %v", err)
	}
	return filepath.Join(folder, "age")
}

// The standard tool opens what is sealed here, and what it seals is opened
// here: the format is age's, not ours.
func TestTheAgeToolOpensPages(t *testing.T) {
	tool, dir := ageTool(t), t.TempDir()
	identities, texts := pair(t, PostQuantum)
	var file bytes.Buffer
	if err := identities[1].WriteClear(&file, time.Unix(1_700_000_000, 0)); err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(dir, "key.txt")
	if err := os.WriteFile(key, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	plain := make([]byte, 200_000)
	rand.Read(plain)
	s := newTestSealer(t, texts...)
	open := exec.Command(tool, "-d", "-i", key)
	open.Stdin = bytes.NewReader(sealWith(t, s, plain))
	if got, err := open.Output(); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("age opens %d bytes of %d: %v", len(got), len(plain), err)
	}

	sealing := exec.Command(tool, "-r", texts[0], "-r", texts[1])
	sealing.Stdin = bytes.NewReader(plain)
	sealed, err := sealing.Output()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Check(office, sealed); err != nil {
		t.Errorf("header of the age tool: %v", err)
	}
	got, err := openWith(NewOpener(map[gateway.OfficeID][]Identity{office: identities[:1]}), sealed)
	if err != nil || !bytes.Equal(got, plain) {
		t.Errorf("what age sealed does not open: %v", err)
	}
}

func BenchmarkSeal3MB(b *testing.B) {
	_, texts := pair(b, PostQuantum)
	s := newTestSealer(b, texts...)
	piece := make([]byte, 64<<10)
	b.SetBytes(48 * int64(len(piece)))
	b.ReportAllocs()
	for b.Loop() {
		w, err := s.Seal(office, io.Discard)
		if err != nil {
			b.Fatal(err)
		}
		for range 48 {
			if _, err := w.Write(piece); err != nil {
				b.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
