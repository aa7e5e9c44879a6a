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
	"github.com/klippa-app/go-pdfium/responses"
	"golang.org/x/text/encoding/charmap"

	"dropslot/gateway"
)

const (
	clientPages   = 500     // of one PDF at most
	clientNotes   = 5_000   // annotations and fields of one PDF at most
	clientObjects = 200_000 // of one PDF at most
	// clientBytes bounds the PDFs of one hand-off: they are held until it is written.
	clientBytes = 64 << 20
	// clientTime bounds the reading for one hand-off: a proxy waits a minute for
	// the first byte. 200 pages take about half a second.
	clientTime = 25 * time.Second
)

// errNotWhole is of a PDF whose pages alone are not all that it shows, as far as
// can be known. It stays a file of its own.
var errNotWhole = errors.New("the PDF's pages are not all of it")

// allowance is what the PDFs of one hand-off may still take.
type allowance struct {
	time  time.Duration
	bytes int
}

// bring takes the pages of a client's PDF over. errNotWhole or
// errTakesTooMuch if it must stay a file of its own; whatever else it fails with
// is none of the PDF's.
func (s *sandbox) bring(ctx context.Context, sheet gateway.Sheet, left *allowance) (*clientPDF, error) {
	if left.time <= 0 {
		return nil, errTakesTooMuch
	}
	var found *clientPDF
	var outside error // what is not the PDF's fault
	began := time.Now()
	err := s.run(ctx, left.time, func(p pdfium.Pdfium) error {
		began = time.Now()
		var content []byte
		if content, outside = contentOf(sheet); outside != nil {
			return outside
		}
		anew, err := writtenAnew(p, content, left.bytes)
		if err != nil {
			return errors.Join(errNotWhole, err)
		}
		found, err = readClient(anew, sheet.Rotation)
		return err
	})
	left.time -= time.Since(began)
	if outside != nil {
		return nil, outside
	}
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

// writtenAnew has PDFium make a PDF of a PDF's pages, with what was filled into
// forms and drawn onto them as part of the pages.
func writtenAnew(p pdfium.Pdfium, content []byte, most int) ([]byte, error) {
	opened, err := p.OpenDocument(&requests.OpenDocument{File: &content})
	if err != nil {
		return nil, err
	}
	from := opened.Document
	pages, err := pagesOf(p, from)
	if err != nil {
		return nil, err
	}
	notes := clientNotes
	for i := range pages {
		if err := flatten(p, from, i, &notes); err != nil {
			return nil, err
		}
	}
	made, err := p.FPDF_CreateNewDocument(&requests.FPDF_CreateNewDocument{})
	if err != nil {
		return nil, err
	}
	if _, err := p.FPDF_ImportPages(&requests.FPDF_ImportPages{Source: from, Destination: made.Document}); err != nil {
		return nil, err
	}
	anew := &bounded{most: most}
	_, err = p.FPDF_SaveAsCopy(&requests.FPDF_SaveAsCopy{Document: made.Document, Flags: requests.SaveFlagNoIncremental, FileWriter: anew})
	return anew.Bytes(), errors.Join(err, anew.failed)
}

// bounded is a buffer that is full at some time.
type bounded struct {
	bytes.Buffer
	most   int
	failed error
}

func (b *bounded) Write(piece []byte) (int, error) {
	if b.Len()+len(piece) > b.most {
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

// settle writes into a page what it may have from those above it: PDFium's
// flattening takes a page without a size of its own for one of letter size.
func settle(p pdfium.Pdfium, page requests.Page) error {
	box, err := p.FPDF_GetPageBoundingBox(&requests.FPDF_GetPageBoundingBox{Page: page})
	if err != nil {
		return err
	}
	r := box.Rect
	if !(r.Right > r.Left && r.Top > r.Bottom) { // also what is no number
		return errNotWhole
	}
	_, err = p.FPDFPage_SetMediaBox(&requests.FPDFPage_SetMediaBox{Page: page, Left: r.Left, Bottom: r.Bottom, Right: r.Right, Top: r.Top})
	if err != nil {
		return err
	}
	_, err = p.FPDFPage_SetCropBox(&requests.FPDFPage_SetCropBox{Page: page, Left: r.Left, Bottom: r.Bottom, Right: r.Right, Top: r.Top})
	if err != nil {
		return err
	}
	turn, err := p.FPDFPage_GetRotation(&requests.FPDFPage_GetRotation{Page: page})
	if err != nil {
		return err
	}
	_, err = p.FPDFPage_SetRotation(&requests.FPDFPage_SetRotation{Page: page, Rotate: turn.PageRotation})
	return err
}

// flatten makes part of a page what lies on it.
func flatten(p pdfium.Pdfium, document references.FPDF_DOCUMENT, index int, left *int) error {
	loaded, err := p.FPDF_LoadPage(&requests.FPDF_LoadPage{Document: document, Index: index})
	if err != nil {
		return err
	}
	page := requests.Page{ByReference: &loaded.Page}
	if err := settle(p, page); err != nil {
		return err
	}
	count, err := p.FPDFPage_GetAnnotCount(&requests.FPDFPage_GetAnnotCount{Page: page})
	if err != nil {
		return err
	}
	if *left -= count.Count; *left < 0 {
		return errTakesTooMuch
	}
	if count.Count > 0 {
		// Drawn once, however small, everything on the page gets the appearance
		// that some programs leave to whoever shows it.
		drawn, err := p.RenderPageInDPI(&requests.RenderPageInDPI{
			Page: page, DPI: 1, Document: &document, RenderForm: true, RenderFlags: enums.FPDF_RENDER_FLAG_ANNOT,
		})
		if err != nil {
			return err
		}
		drawn.Cleanup()
	}
	for i := range count.Count {
		if err := appears(p, page, i); err != nil {
			return err
		}
	}
	done, err := p.FPDFPage_Flatten(&requests.FPDFPage_Flatten{Page: page})
	if err != nil {
		return err
	}
	if done.Result == responses.FPDFPage_FlattenResultFail {
		return errNotWhole
	}
	_, err = p.FPDF_ClosePage(&requests.FPDF_ClosePage{Page: loaded.Page})
	return err
}

// appears is errNotWhole if something on a page has no appearance that can be
// made part of it.
func appears(p pdfium.Pdfium, page requests.Page, index int) error {
	got, err := p.FPDFPage_GetAnnot(&requests.FPDFPage_GetAnnot{Page: page, Index: index})
	if err != nil {
		return err
	}
	note := got.Annotation
	kind, err := p.FPDFAnnot_GetSubtype(&requests.FPDFAnnot_GetSubtype{Annotation: note})
	if err != nil {
		return err
	}
	has := func(key string) bool {
		answer, failed := p.FPDFAnnot_HasKey(&requests.FPDFAnnot_HasKey{Annotation: note, Key: key})
		err = errors.Join(err, failed)
		return failed == nil && answer.HasKey
	}
	shown := has("AP")
	switch kind.Subtype {
	case enums.FPDF_ANNOT_SUBTYPE_LINK, enums.FPDF_ANNOT_SUBTYPE_POPUP:
	case enums.FPDF_ANNOT_SUBTYPE_WIDGET:
		// PDFium writes Latin letters alone into a field that it draws itself.
		value, failed := p.FPDFAnnot_GetStringValue(&requests.FPDFAnnot_GetStringValue{Annotation: note, Key: "V"})
		if err = errors.Join(err, failed); err != nil {
			return err
		}
		if !isLatin(value.Value) || !shown && (has("V") || has("Parent")) {
			return errors.Join(errNotWhole, err)
		}
	default:
		if !shown {
			return errors.Join(errNotWhole, err)
		}
	}
	_, closed := p.FPDFPage_CloseAnnot(&requests.FPDFPage_CloseAnnot{Annotation: note})
	return errors.Join(err, closed)
}

func isLatin(text string) bool {
	for _, letter := range text {
		if _, latin := charmap.Windows1252.EncodeRune(letter); !latin {
			return false
		}
	}
	return true
}
