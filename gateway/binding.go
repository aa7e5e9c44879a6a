package gateway

import (
	"context"
	"io"
)

// Binder makes one PDF of pictures and of PDFs. It holds few pictures in memory at
// a time, however many there are; PDFs it holds until the one is written, up to a
// bound.
type Binder interface {
	// Prepare looks at every sheet before the first byte of the PDF is made.
	// What cannot be part of it is named in what it gives. CodePDFTooBig if the
	// sheets cannot be made as small as wanted.
	Prepare(ctx context.Context, b Binding) (PDF, error)
}

// PDF is one that is ready to be written. Written twice, it is the same twice.
type PDF interface {
	// LeftOut names the sheets that are not part of it, by their numbers.
	LeftOut() []LeftOut
	// Sheets is how many are.
	Sheets() int
	Write(ctx context.Context, w io.Writer) error
}

// Binding is what a PDF is made of.
type Binding struct {
	Title      string
	Cover      *Cover // the page in front; nil for none
	Sheets     []Sheet
	MostBytes  int64 // that the PDF may have; 0 if it does not matter
	MostPixels int64 // of a picture
	// Missing words the page at the end that names what was left out. It is
	// called with at least one.
	Missing func([]LeftOut) Cover
}

// Sheet is one page of a submission on its way into a PDF.
type Sheet struct {
	Number   int  // from 1, as at the desk
	Rotation int  // clockwise degrees beyond what the picture says itself
	Aside    bool // it goes beside the PDF, and is named in it as left out
	// Open gives the plain bytes from their start. It may be called again.
	Open func() (io.ReadCloser, error)
}

// LeftOut is a sheet that is not part of a PDF.
type LeftOut struct {
	Number int
	Reason LeftOutReason
}

// LeftOutReason tells why.
type LeftOutReason string

// The reasons.
const (
	LeftOutPDF     LeftOutReason = "pdf"     // a PDF whose pages cannot be taken over
	LeftOutHEIC    LeftOutReason = "heic"    // a photograph that only Apple's devices show
	LeftOutDamaged LeftOutReason = "damaged" // a picture that cannot be read
	LeftOutAside   LeftOutReason = "aside"   // it went beside an earlier PDF of the same delivery
	LeftOutPixels  LeftOutReason = "pixels"  // more of them than are held in memory
)

// Cover is a page of words.
type Cover struct {
	Title string
	Facts []CoverFact
	Lists []CoverList
}

// CoverFact is one line of a name and a value.
type CoverFact struct{ Name, Value string }

// CoverList is a list under a title.
type CoverList struct {
	Title string
	Lines []string
}
