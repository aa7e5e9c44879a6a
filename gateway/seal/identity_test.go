package seal

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"filippo.io/age/armor"
	"github.com/google/go-cmp/cmp"
)

const testWork = 10 // instead of a second and 256 MiB

func sealedIdentity(t *testing.T, passphrase string) (Identity, []byte) {
	t.Helper()
	id, err := NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := id.WriteSealed(&file, passphrase, time.Unix(1_700_000_000, 0), testWork); err != nil {
		t.Fatal(err)
	}
	return id, file.Bytes()
}

func TestIdentityFileOpensWithItsPassphraseAlone(t *testing.T) {
	id, file := sealedIdentity(t, "five words on one paper")
	if bytes.Contains(file, []byte("SECRET-KEY")) || !bytes.HasPrefix(file, []byte(armor.Header)) {
		t.Fatalf("file begins %.60q", file)
	}
	got, err := ReadIdentity(bytes.NewReader(file), "five words on one paper")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(id.Recipients(), got.Recipients()); diff != "" {
		t.Error(diff)
	}
	if _, err := ReadIdentity(bytes.NewReader(file), "five words on two papers"); !errors.Is(err, ErrPassphrase) {
		t.Errorf("another passphrase: %v", err)
	}
	if _, err := ReadIdentity(bytes.NewReader(file), ""); err == nil || !strings.Contains(err.Error(), "missing") {
		t.Errorf("no passphrase: %v", err)
	}
}

func TestWorkThatNobodyCouldOpenIsRefused(t *testing.T) {
	id, _ := sealedIdentity(t, "x")
	for _, work := range []int{0, -1, scryptWorkMax + 1} {
		if err := id.WriteSealed(io.Discard, "secret words", time.Unix(1_700_000_000, 0), work); err == nil {
			t.Errorf("work %d accepted", work)
		}
	}
}

func TestIdentityFileMayBeBinary(t *testing.T) {
	id, file := sealedIdentity(t, "secret words")
	binary, err := io.ReadAll(armor.NewReader(bytes.NewReader(file)))
	if err != nil {
		t.Fatal(err)
	}
	got, err := ReadIdentity(bytes.NewReader(binary), "secret words")
	if err != nil || !cmp.Equal(got.Recipients(), id.Recipients()) {
		t.Errorf("binary file: %v", err)
	}
}

func TestIdentityFileInClear(t *testing.T) {
	id, _ := sealedIdentity(t, "x")
	var file bytes.Buffer
	if err := id.WriteClear(&file, time.Unix(1_700_000_000, 0)); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(file.String(), "# created: 2023-11-14T22:13:20Z\n# public key: age1pq1") {
		t.Errorf("file begins %.60q", file.String())
	}
	asked := func() (string, error) { t.Error("asked for a passphrase"); return "", nil }
	got, err := ReadIdentityAsking(bytes.NewReader(file.Bytes()), asked)
	if err != nil || !cmp.Equal(got.Recipients(), id.Recipients()) {
		t.Errorf("clear file: %v", err)
	}
	if _, err := ReadIdentity(bytes.NewReader(file.Bytes()), "a passphrase"); err == nil || !strings.Contains(err.Error(), "in clear") {
		t.Errorf("the operator believes it is sealed: %v", err)
	}
}

func TestFaultsOfIdentityFilesAreToldWithoutSecrets(t *testing.T) {
	id, file := sealedIdentity(t, "secret words")
	secret := id.secrets[0]
	var heavy bytes.Buffer
	recipient, err := age.NewScryptRecipient("secret words")
	if err != nil {
		t.Fatal(err)
	}
	recipient.SetWorkFactor(testWork)
	w, err := age.Encrypt(&heavy, recipient)
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
	_, texts := pair(t, PostQuantum)
	for name, content := range map[string]string{
		"work that takes minutes": strings.Replace(heavy.String(), " 10\n", " 29\n", 1),
		"an empty sealed file":    heavy.String(),
		"a cut sealed file":       string(file[:len(file)/2]),
		"sealed to recipients":    string(sealWith(t, newTestSealer(t, texts...), []byte(secret))),
		"a damaged secret":        secret[:len(secret)-1] + "!\n",
		"a recipient":             id.recipients[0] + "\n",
		"nothing":                 "",
		"too long":                strings.Repeat("# comment\n", 10_000),
		"a plugin":                "AGE-PLUGIN-YUBIKEY-1QQQ\n",
	} {
		begin := time.Now()
		_, err := ReadIdentityAsking(strings.NewReader(content), func() (string, error) { return "secret words", nil })
		if err == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		if strings.Contains(err.Error(), secret[20:40]) || strings.Contains(err.Error(), "secret words") {
			t.Errorf("%s: the error repeats a secret", name)
		}
		if spent := time.Since(begin); spent > 5*time.Second {
			t.Errorf("%s: refused only after %v", name, spent)
		}
	}
}
