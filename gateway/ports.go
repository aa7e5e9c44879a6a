package gateway

import (
	"context"
	"io"
	"time"
)

// The ports. Errors that a caller must tell apart are *Error; every other
// error means that the part behind the port is out of reach.

// LinkStore is Redis's part: fast, and it forgets. Each method is one round
// trip to one key. CodeLinkUnknown if the hash is not there.
type LinkStore interface {
	// Put stores the entry, replacing one of the same hash.
	Put(ctx context.Context, e LinkEntry) error
	// Claim binds an issued, unexpired entry to the browser and gives the
	// entry as it stands afterwards. Exactly one browser ever wins.
	Claim(ctx context.Context, hash TokenHash, browser BrowserHash, now time.Time) (LinkEntry, error)
	// Resume gives the entry and changes nothing.
	Resume(ctx context.Context, hash TokenHash) (LinkEntry, error)
	// Close marks the entry closed; one that is not there stays away.
	Close(ctx context.Context, hash TokenHash) error
}

// Limiter counts tries per key in Redis. Keys are hashed before they are stored.
type Limiter interface {
	// Allow takes one try from the bucket of this kind and key: at most n
	// tries at once, refilled evenly over per. wait is how long until the
	// next try when it is not allowed.
	Allow(ctx context.Context, kind, key string, n int, per time.Duration) (allowed bool, wait time.Duration, err error)
}

// Tries is a Limiter for tries of which only those that fail shall count. A
// try is taken before it is made, so that guesses made at once count each.
type Tries interface {
	Limiter
	// Forgive gives back one try that Allow took with the same arguments. No
	// bucket ever holds more than n.
	Forgive(ctx context.Context, kind, key string, n int, per time.Duration) error
}

// Vault is where sealed bytes rest. It never sees a plain byte.
type Vault interface {
	// Create begins an object. Nothing is there under the name until Commit,
	// which fails with CodeBlobExists if another object has it.
	Create(ctx context.Context, name BlobName) (BlobWriter, error)
	// Open opens an object, or CodeNotFound.
	Open(ctx context.Context, name BlobName) (Blob, error)
	// Remove deletes an object durably; one that is not there is fine.
	Remove(ctx context.Context, name BlobName) error
	// List calls visit for each object below a prefix ("" is everything) in
	// order of name, until visit fails.
	List(ctx context.Context, prefix BlobName, visit func(BlobInfo) error) error
	// Replace writes a small object whole, over an older one of that name.
	Replace(ctx context.Context, name BlobName, content []byte) error
	// SweepTemporary removes what unfinished writes older than the time left.
	SweepTemporary(ctx context.Context, before time.Time) (int, error)
}

// BlobWriter writes one object. Exactly one of Commit and Abort ends it;
// Abort after Commit does nothing.
type BlobWriter interface {
	io.Writer
	// Commit makes the object durable under its name: it survives a power cut.
	Commit() error
	Abort()
}

// Blob is one object, open for reading.
type Blob interface {
	io.ReaderAt
	io.Closer
	Size() int64
}

// BlobInfo is one object in a listing.
type BlobInfo struct {
	Name     BlobName
	Size     int64
	Modified time.Time
}

// Sealer seals to an office's recipients. It needs no key that opens.
type Sealer interface {
	// Seal gives a writer whose plain bytes go sealed to dst; Close ends it.
	Seal(office OfficeID, dst io.Writer) (io.WriteCloser, error)
	// Check reads the header at the start of sealed bytes and tells whether
	// it fits the office's recipients in kind and count (CodePageSeal). It
	// gives the length of the header: the payload begins there.
	Check(office OfficeID, start []byte) (headerBytes int64, err error)
	// PlainSize gives the count of plain bytes inside sealed bytes of this
	// length, CodePageSeal for a length that no sealing gives, CodePageEmpty
	// if nothing is inside.
	PlainSize(headerBytes, sealedBytes int64) (int64, error)
	// Recipients gives an office's recipients in the text form of age.
	Recipients(office OfficeID) []string
}

// SealHeaderMax bounds the header of sealed bytes: this many bytes from the
// start always hold it whole.
const SealHeaderMax = 16 << 10

// Opener opens what was sealed. Only the desk and the operator's commands have one.
type Opener interface {
	// Open gives random access to the plain bytes of a blob and their count.
	// CodeBlobDamaged if they cannot be opened.
	Open(office OfficeID, sealed io.ReaderAt, sealedBytes int64) (io.ReaderAt, int64, error)
}

// Passwords hashes and checks passwords at a bounded cost.
type Passwords interface {
	// Hash gives the PHC string of a password.
	Hash(ctx context.Context, password string) (string, error)
	// Verify tells whether the password is that of the hash. An empty hash
	// takes as long as any and is never right, so that a stopwatch does not
	// tell which accounts exist.
	Verify(ctx context.Context, hash, password string) (bool, error)
}

// PhoneBook seals phone numbers and finds them again.
type PhoneBook interface {
	Index(office OfficeID, p Phone) PhoneIndex
	Seal(p Phone) (SealedPhone, error)
	Open(s SealedPhone) (Phone, error)
}

// Wording gives the words of a text in a language of the office.
type Wording interface {
	// Text fills the office's or the catalog's text for an occasion.
	Text(office Office, language string, f Filling) (string, error)
	// Detect guesses from a client's words which of the languages they are
	// in; empty if nothing tells. The name of a language asks for it.
	Detect(words string, languages []string) string
	// Segments counts what a text is billed as.
	Segments(text string) int
}

// Filling is what a text of an occasion is filled with. What the occasion
// does not speak of is left empty.
type Filling struct {
	Occasion  Occasion
	Link      string        // URL
	TTL       time.Duration // how long the link works
	Count     int           // pages or pictures
	Reference string        // of the submission
}
