package paper

import (
	"bytes"
	"context"
	"errors"
	"io"
	"time"

	"github.com/klippa-app/go-pdfium"
	"github.com/klippa-app/go-pdfium/enums"
	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"

	"dropslot/gateway"
)

const (
	clientPages   = 500     // of one PDF at most
	clientNotes   = 5_000   // annotations and fields of one PDF at most
	clientObjects = 200_000 // of one PDF at most
	// clientBytes bounds the PDFs of one hand-off: they are held until it is written.
	clientBytes = 48 << 20
	// clientTime bounds the reading for one hand-off: a proxy waits a minute for
	// the first byte. 200 pages take about half a second.
	clientTime = 15 * time.Second
)

// errNotWhole is of a PDF whose pages alone are not all that it shows, as far as
// can be known. It stays a file of its own.
var errNotWhole = errors.New("the PDF's pages are not all of it")

// allowance is what the PDFs of one hand-off may still take.
type allowance struct {
	time  time.Duration
	bytes int
}

// part gives what a sheet becomes: a picture, or the pages of a client's PDF.
// reason tells why it is left out.
func (b *Binder) part(ctx context.Context, left *allowance, sheet gateway.Sheet, mostPixels int64) (picture, gateway.LeftOutReason, error) {
	found, reason, err := b.measured(ctx, sheet, mostPixels)
	if err != nil || reason != gateway.LeftOutPDF {
		return found, reason, err
	}
	found.client, err = b.sandbox.bring(ctx, sheet, left)
	switch {
	case errors.Is(err, errNotWhole), errors.Is(err, errTakesTooMuch):
		return found, gateway.LeftOutPDF, nil
	case err != nil:
		return found, "", err
	}
	found.passes, found.bytes = true, found.client.bytes
	return found, "", nil
}

// bring takes the pages of a client's PDF over. errNotWhole or
// errTakesTooMuch if it must stay a file of its own; whatever else it fails with
// is none of the PDF's.
func (s *sandbox) bring(ctx context.Context, sheet gateway.Sheet, left *allowance) (*clientPDF, error) {
	if left.time <= 0 {
		return nil, errTakesTooMuch
	}
	content, err := contentOf(sheet)
	if err != nil {
		return nil, err
	}
	var found *clientPDF
	err = s.run(ctx, left.time, func(p pdfium.Pdfium) error {
		began := time.Now()
		defer func() { left.time -= time.Since(began) }()
		anew, pages, err := writtenAnew(p, &content, left.bytes)
		if err != nil {
			return errors.Join(errNotWhole, err)
		}
		found, err = readClient(anew, pages, sheet.Rotation)
		return err
	})
	if err != nil {
		return nil, err
	}
	left.bytes -= len(found.file)
	return found, nil
}

func contentOf(sheet gateway.Sheet) ([]byte, error) {
	file, err := sheet.Open()
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	return io.ReadAll(file)
}

// writtenAnew has PDFium make a PDF of a PDF's pages, and counts them.
func writtenAnew(p pdfium.Pdfium, content *[]byte, most int) (anew []byte, pages int, err error) {
	opened, err := p.OpenDocument(&requests.OpenDocument{File: content})
	*content = nil // PDFium has its own copy
	if err != nil {
		return nil, 0, err
	}
	from := opened.Document
	if pages, err = pagesOf(p, from); err != nil {
		return nil, 0, err
	}
	drawn, err := settle(p, from, pages)
	if err != nil {
		return nil, 0, err
	}
	made, err := p.FPDF_CreateNewDocument(&requests.FPDF_CreateNewDocument{})
	if err != nil {
		return nil, 0, err
	}
	if _, err := p.FPDF_ImportPages(&requests.FPDF_ImportPages{Source: from, Destination: made.Document}); err != nil {
		return nil, 0, err
	}
	// PDFium leaves out all of a page's content if some of it is missing.
	for i, objects := range drawn {
		page := requests.Page{ByIndex: &requests.PageByIndex{Document: made.Document, Index: i}}
		count, err := p.FPDFPage_CountObjects(&requests.FPDFPage_CountObjects{Page: page})
		if err != nil {
			return nil, 0, err
		}
		if count.Count != objects {
			return nil, 0, errNotWhole
		}
	}
	out := &bounded{most: most}
	_, err = p.FPDF_SaveAsCopy(&requests.FPDF_SaveAsCopy{Document: made.Document, Flags: requests.SaveFlagNoIncremental, FileWriter: out})
	return bytes.Clone(out.Bytes()), pages, errors.Join(err, out.failed)
}

// bounded is a buffer that is full at some time, also if it is emptied meanwhile.
type bounded struct {
	bytes.Buffer
	most    int
	spilled int
	failed  error
}

// spill forgets what was written, but not how much.
func (b *bounded) spill() {
	b.spilled += b.Len()
	b.Reset()
}

func (b *bounded) Write(piece []byte) (int, error) {
	if b.spilled+b.Len()+len(piece) > b.most {
		b.failed = errTakesTooMuch
		return 0, b.failed
	}
	return b.Buffer.Write(piece)
}

// pagesOf counts the pages of a PDF that is nothing but pages.
func pagesOf(p pdfium.Pdfium, document references.FPDF_DOCUMENT) (int, error) {
	form, err := p.FPDF_GetFormType(&requests.FPDF_GetFormType{Document: document})
	if err != nil {
		return 0, err
	}
	files, err := p.FPDFDoc_GetAttachmentCount(&requests.FPDFDoc_GetAttachmentCount{Document: document})
	if err != nil {
		return 0, err
	}
	pages, err := p.FPDF_GetPageCount(&requests.FPDF_GetPageCount{Document: document})
	if err != nil {
		return 0, err
	}
	switch {
	case form.FormType == enums.FPDF_FORMTYPE_XFA_FULL: // a script makes its pages, in Adobe's program alone
		return 0, errNotWhole
	case files.AttachmentCount > 0: // of a portfolio the pages say only that there is more
		return 0, errNotWhole
	case pages.PageCount < 1 || pages.PageCount > clientPages:
		return 0, errNotWhole
	}
	return pages.PageCount, nil
}
