package seal

import (
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"filippo.io/age"

	"dropslot/gateway"
)

var _ gateway.Opener = (*Opener)(nil)

// ErrOtherKey tells that no identity at hand fits the sealed bytes.
var ErrOtherKey = errors.New("sealed to another key")

// errDamaged stands for every fault of sealed bytes: what age says of one may
// repeat bytes of the file.
var errDamaged = errors.New("sealed bytes are damaged")

// Opener opens what was sealed to offices. It holds their secret keys.
type Opener struct {
	offices map[gateway.OfficeID][]age.Identity
}

// NewOpener takes the identities of each office; several while rotating.
func NewOpener(offices map[gateway.OfficeID][]Identity) *Opener {
	o := &Opener{offices: make(map[gateway.OfficeID][]age.Identity, len(offices))}
	for office, identities := range offices {
		for _, identity := range identities {
			o.offices[office] = append(o.offices[office], identity.keys...)
		}
	}
	return o
}

// String keeps secret keys out of what is printed.
func (*Opener) String() string { return "[opener]" }

// GoString keeps secret keys out of what is printed.
func (*Opener) GoString() string { return "[opener]" }

// Open gives random access to the plain bytes of a blob and their count. It
// opens the last chunk, so that a blob that was cut is noticed here; each
// other chunk is proven when it is read. Both are gateway.CodeBlobDamaged when
// they fail, wrapping ErrOtherKey if no identity fits. An error of sealed
// itself is handed on as it is. The reader may be used concurrently.
func (o *Opener) Open(office gateway.OfficeID, sealed io.ReaderAt, sealedBytes int64) (io.ReaderAt, int64, error) {
	keys := o.offices[office]
	if len(keys) == 0 {
		return nil, 0, fmt.Errorf("office %q has no identity here", office)
	}
	source := &source{from: sealed}
	plain, size, err := age.DecryptReaderAt(source, sealedBytes, keys...)
	if err != nil {
		return nil, 0, source.explain(err)
	}
	return &opened{plain: plain, size: size, source: source}, size, nil
}

// source remembers the errors of what it reads from, so that a disk that
// fails is not taken for a file that was tampered with.
type source struct {
	from   io.ReaderAt
	failed atomic.Pointer[error]
}

func (s *source) ReadAt(b []byte, offset int64) (int, error) {
	n, err := s.from.ReadAt(b, offset)
	if err != nil && !errors.Is(err, io.EOF) {
		s.failed.CompareAndSwap(nil, &err)
	}
	return n, err
}

func (s *source) explain(err error) error {
	if failed := s.failed.Load(); failed != nil {
		return fmt.Errorf("read sealed bytes: %w", *failed)
	}
	if errors.Is(err, age.ErrIncorrectIdentity) {
		return gateway.NewError(gateway.CodeBlobDamaged, ErrOtherKey)
	}
	return gateway.NewError(gateway.CodeBlobDamaged, errDamaged)
}

// opened is a blob's plain bytes.
type opened struct {
	plain  io.ReaderAt
	size   int64
	source *source
}

func (o *opened) ReadAt(b []byte, offset int64) (int, error) {
	if offset < 0 {
		return 0, errors.New("negative offset")
	}
	if offset >= o.size {
		return 0, io.EOF
	}
	n, err := o.plain.ReadAt(b, offset)
	if err != nil && !errors.Is(err, io.EOF) {
		err = o.source.explain(err)
	}
	return n, err
}
