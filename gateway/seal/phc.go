package seal

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

const (
	passwordSalt = 16 // bytes, new hashes
	passwordKey  = 32

	// Bounds of what is read: a row that somebody wrote into the records
	// must not take all memory or a minute of work.
	memoryMax  = 1 << 20 // KiB
	workMax    = 4 << 20 // KiB, memory times passes
	threadsMax = 16
	saltMin    = 8
	saltMax    = 64
	keyMin     = 16
	keyMax     = 64
	phcMax     = 256 // characters
)

var errPHC = errors.New("the stored password hash is not argon2id in PHC form within bounds; set the password anew with: dropslot staff")

// check tells whether argon2 takes the cost and the bounds allow it.
func (c PasswordCost) check() error {
	if c.Threads < 1 || c.Threads > threadsMax || c.Passes < 1 || c.Passes > workMax ||
		c.Memory < 8*uint32(c.Threads) || c.Memory > memoryMax || uint64(c.Memory)*uint64(c.Passes) > workMax {
		return errors.New("the cost of passwords is out of bounds")
	}
	return nil
}

// passwordHash is a PHC string taken apart.
type passwordHash struct {
	cost PasswordCost
	salt []byte
	key  []byte
}

// String gives the PHC string: $argon2id$v=19$m=65536,t=3,p=4$salt$key.
func (h passwordHash) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.cost.Memory, h.cost.Passes, h.cost.Threads,
		canonical.EncodeToString(h.salt), canonical.EncodeToString(h.key))
}

// parsePasswordHash reads exactly what String writes: the same parts in the
// same order, numbers without leading zeros, canonical base64.
func parsePasswordHash(text string) (passwordHash, error) {
	var h passwordHash
	parts := strings.Split(text, "$")
	if len(text) > phcMax || len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" ||
		parts[2] != "v="+strconv.Itoa(argon2.Version) {
		return h, errPHC
	}
	numbers := strings.Split(parts[3], ",")
	if len(numbers) != 3 {
		return h, errPHC
	}
	memory, okMemory := phcNumber(numbers[0], "m=", 32)
	passes, okPasses := phcNumber(numbers[1], "t=", 32)
	threads, okThreads := phcNumber(numbers[2], "p=", 8)
	if !okMemory || !okPasses || !okThreads {
		return h, errPHC
	}
	h.cost = PasswordCost{Memory: uint32(memory), Passes: uint32(passes), Threads: uint8(threads)} // #nosec G115 -- bounded by phcNumber
	if h.cost.check() != nil {
		return h, errPHC
	}
	var err error
	if h.salt, err = canonical.DecodeString(parts[4]); err != nil || len(h.salt) < saltMin || len(h.salt) > saltMax {
		return h, errPHC
	}
	if h.key, err = canonical.DecodeString(parts[5]); err != nil || len(h.key) < keyMin || len(h.key) > keyMax {
		return h, errPHC
	}
	if h.String() != text {
		return h, errPHC
	}
	return h, nil
}

func phcNumber(part, prefix string, bits int) (uint64, bool) {
	digits, found := strings.CutPrefix(part, prefix)
	if !found {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, bits)
	return n, err == nil
}
