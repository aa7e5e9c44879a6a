package seal

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"filippo.io/age"
	"filippo.io/age/armor"
)

const (
	// identityFileMax bounds what is read of a file of keys, in bytes.
	identityFileMax = 64 << 10
	// scryptWorkMax bounds the work of opening an identity file (1 GiB), so
	// that a file somebody planted cannot hold the process for minutes.
	scryptWorkMax = 20
)

// DefaultWork is the work of sealing an identity, as a power of two: about a
// second and 256 MiB for each try at the passphrase. It is age's own default.
const DefaultWork = 18

// ErrPassphrase tells that the passphrase is not that of the identity file.
var ErrPassphrase = errors.New("the passphrase does not open this identity file")

// Identity is what opens sealed pages: the secret keys of one identity file.
// It prints redacted; WriteClear and WriteSealed alone give the keys away.
type Identity struct {
	keys       []age.Identity
	secrets    []string
	recipients []string
}

// NewIdentity makes a post-quantum hybrid identity. Its randomness is that of
// crypto/rand, which age takes by itself.
func NewIdentity() (Identity, error) {
	key, err := age.GenerateHybridIdentity()
	if err != nil {
		return Identity{}, fmt.Errorf("make an identity: %w", err)
	}
	return newIdentity([]age.Identity{key})
}

func newIdentity(keys []age.Identity) (Identity, error) {
	id := Identity{keys: keys}
	for _, key := range keys {
		switch key := key.(type) {
		case *age.HybridIdentity:
			id.secrets = append(id.secrets, key.String())
			id.recipients = append(id.recipients, key.Recipient().String())
		case *age.X25519Identity:
			id.secrets = append(id.secrets, key.String())
			id.recipients = append(id.recipients, key.Recipient().String())
		default:
			return Identity{}, errors.New("the identity is of a kind that is not known here")
		}
	}
	return id, nil
}

// Recipients gives the public side in age's text form, one for each key.
func (i Identity) Recipients() []string { return i.recipients }

// String keeps secret keys out of what is printed.
func (Identity) String() string { return "[identity]" }

// GoString keeps secret keys out of what is printed.
func (Identity) GoString() string { return "[identity]" }

// LogValue keeps secret keys out of logs.
func (Identity) LogValue() slog.Value { return slog.StringValue("[identity]") }

// MarshalText keeps secret keys out of what is encoded.
func (Identity) MarshalText() ([]byte, error) { return []byte("[identity]"), nil }

// WriteClear writes the identity file in clear, as age-keygen does.
func (i Identity) WriteClear(w io.Writer, created time.Time) error {
	var file strings.Builder
	fmt.Fprintf(&file, "# created: %s\n", created.UTC().Format(time.RFC3339))
	for n, secret := range i.secrets {
		fmt.Fprintf(&file, "# public key: %s\n%s\n", i.recipients[n], secret)
	}
	_, err := io.WriteString(w, file.String())
	return err
}

// WriteSealed writes the identity file sealed with a passphrase and armored,
// as the standard age tool makes and opens it. work is scrypt's, as a power of
// two: DefaultWork, or less for a passphrase that nobody could guess anyway.
func (i Identity) WriteSealed(w io.Writer, passphrase string, created time.Time, work int) error {
	if work < 1 || work > scryptWorkMax {
		return fmt.Errorf("the work of sealing is a power of two from 1 to %d", scryptWorkMax)
	}
	recipient, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return errors.New("the passphrase is empty")
	}
	recipient.SetWorkFactor(work)
	armored := armor.NewWriter(w)
	sealed, err := age.Encrypt(armored, recipient)
	if err != nil {
		return fmt.Errorf("seal the identity: %w", err)
	}
	if err := i.WriteClear(sealed, created); err != nil {
		return fmt.Errorf("seal the identity: %w", err)
	}
	if err := sealed.Close(); err != nil {
		return fmt.Errorf("seal the identity: %w", err)
	}
	return armored.Close()
}

// ReadIdentity reads an identity file that is sealed with the passphrase, or
// with an empty passphrase one in clear. A file in clear for which there is a
// passphrase is refused: somebody believes that it is sealed.
func ReadIdentity(r io.Reader, passphrase string) (Identity, error) {
	asked := false
	id, err := ReadIdentityAsking(r, func() (string, error) {
		asked = true
		if passphrase == "" {
			return "", errors.New("the identity file is sealed; its passphrase is missing")
		}
		return passphrase, nil
	})
	if err == nil && passphrase != "" && !asked {
		return Identity{}, errors.New("there is a passphrase, but the identity file lies there in clear; " +
			"seal it with: age -p -a -o SEALED CLEAR (and delete CLEAR), or take the passphrase away")
	}
	return id, err
}

// ReadIdentityAsking reads an identity file and asks for the passphrase only
// if the file is sealed. Opening it takes about a second and 256 MiB.
func ReadIdentityAsking(r io.Reader, ask func() (string, error)) (Identity, error) {
	content, err := io.ReadAll(io.LimitReader(r, identityFileMax+1))
	if err != nil {
		return Identity{}, fmt.Errorf("read the identity file: %w", err)
	}
	if len(content) > identityFileMax {
		return Identity{}, errors.New("the file is too long for an identity file")
	}
	if !isSealed(content) {
		return parseIdentity(bytes.NewReader(content))
	}
	passphrase, err := ask()
	if err != nil {
		return Identity{}, err
	}
	plain, err := openScrypt(content, passphrase)
	if err != nil {
		return Identity{}, err
	}
	return parseIdentity(plain)
}

func isSealed(content []byte) bool {
	return bytes.HasPrefix(content, []byte(headerVersion)) || isArmored(content)
}

func isArmored(content []byte) bool {
	return bytes.HasPrefix(bytes.TrimSpace(content), []byte(armor.Header))
}

func openScrypt(content []byte, passphrase string) (io.Reader, error) {
	var sealed io.Reader = bytes.NewReader(content)
	if isArmored(content) {
		sealed = armor.NewReader(bufio.NewReader(sealed))
	}
	key, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, errors.New("the passphrase is empty")
	}
	key.SetMaxWorkFactor(scryptWorkMax)
	plain, err := age.Decrypt(sealed, key)
	switch {
	case err == nil:
		return plain, nil
	case errors.Is(err, age.ErrIncorrectIdentity):
		return nil, ErrPassphrase
	}
	return nil, fmt.Errorf("the identity file is damaged, or is not sealed with a passphrase of a work factor up to %d", scryptWorkMax)
}

// parseIdentity leaves out what age says of a malformed line: it may repeat
// parts of a secret.
func parseIdentity(plain io.Reader) (Identity, error) {
	keys, err := age.ParseIdentities(io.LimitReader(plain, identityFileMax))
	if err != nil {
		return Identity{}, errors.New("the identity file is damaged or holds no identity, a line that begins with AGE-SECRET-KEY-")
	}
	return newIdentity(keys)
}
