package paper

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/klippa-app/go-pdfium"
	"github.com/klippa-app/go-pdfium/enums"
	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"
	"github.com/klippa-app/go-pdfium/structs"
	"golang.org/x/text/encoding/charmap"

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
	if err := settle(p, from, pages); err != nil {
		return nil, 0, err
	}
	made, err := p.FPDF_CreateNewDocument(&requests.FPDF_CreateNewDocument{})
	if err != nil {
		return nil, 0, err
	}
	if _, err := p.FPDF_ImportPages(&requests.FPDF_ImportPages{Source: from, Destination: made.Document}); err != nil {
		return nil, 0, err
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

// settle has what lies on the pages show itself: some programs leave the
// appearance of fields and notes to whoever shows them.
func settle(p pdfium.Pdfium, document references.FPDF_DOCUMENT, pages int) error {
	form, err := p.FPDFDOC_InitFormFillEnvironment(&requests.FPDFDOC_InitFormFillEnvironment{Document: document, FormFillInfo: nobodyFills})
	if err != nil {
		return err
	}
	notes := clientNotes
	var noted []requests.Page
	for i := range pages {
		loaded, err := p.FPDF_LoadPage(&requests.FPDF_LoadPage{Document: document, Index: i})
		if err != nil {
			return err
		}
		page := requests.Page{ByReference: &loaded.Page}
		// An indirect number becomes a direct one by this.
		turn, err := p.FPDFPage_GetRotation(&requests.FPDFPage_GetRotation{Page: page})
		if err != nil {
			return err
		}
		if _, err := p.FPDFPage_SetRotation(&requests.FPDFPage_SetRotation{Page: page, Rotate: turn.PageRotation}); err != nil {
			return err
		}
		count, err := p.FPDFPage_GetAnnotCount(&requests.FPDFPage_GetAnnotCount{Page: page})
		if err != nil {
			return err
		}
		if count.Count == 0 {
			if _, err := p.FPDF_ClosePage(&requests.FPDF_ClosePage{Page: loaded.Page}); err != nil {
				return err
			}
			continue
		}
		if notes -= count.Count; notes < 0 {
			return errTakesTooMuch
		}
		for i := range count.Count {
			if err := isWritable(p, form.FormHandle, page, i); err != nil {
				return err
			}
		}
		noted = append(noted, page)
	}
	if _, err := p.FPDFDOC_ExitFormFillEnvironment(&requests.FPDFDOC_ExitFormFillEnvironment{FormHandle: form.FormHandle}); err != nil {
		return err
	}
	for _, page := range noted {
		// Whatever is drawn, however small, has an appearance afterwards.
		drawn, err := p.RenderPageInDPI(&requests.RenderPageInDPI{
			Page: page, DPI: 1, Document: &document, RenderForm: true, RenderFlags: enums.FPDF_RENDER_FLAG_ANNOT,
		})
		if err != nil {
			return err
		}
		drawn.Cleanup()
		if _, err := p.FPDF_ClosePage(&requests.FPDF_ClosePage{Page: *page.ByReference}); err != nil {
			return err
		}
	}
	return nil
}

// nobodyFills is what PDFium wants of a program in which people fill in forms.
var nobodyFills = structs.FPDF_FORMFILLINFO{
	FFI_Invalidate:         func(references.FPDF_PAGE, float64, float64, float64, float64) {},
	FFI_SetCursor:          func(enums.FXCT) {},
	FFI_SetTimer:           func(int, func(int)) int { return 0 },
	FFI_KillTimer:          func(int) {},
	FFI_GetLocalTime:       func() structs.FPDF_SYSTEMTIME { return structs.FPDF_SYSTEMTIME{} },
	FFI_GetPage:            func(references.FPDF_DOCUMENT, int) *references.FPDF_PAGE { return nil },
	FFI_GetRotation:        func(references.FPDF_PAGE) enums.FPDF_PAGE_ROTATION { return 0 },
	FFI_ExecuteNamedAction: func(string) {},
}

// isWritable is errNotWhole of a field with letters that PDFium, which may have
// to write them, does not have.
func isWritable(p pdfium.Pdfium, form references.FPDF_FORMHANDLE, page requests.Page, index int) error {
	got, err := p.FPDFPage_GetAnnot(&requests.FPDFPage_GetAnnot{Page: page, Index: index})
	if err != nil {
		return err
	}
	field := got.Annotation
	kind, err := p.FPDFAnnot_GetSubtype(&requests.FPDFAnnot_GetSubtype{Annotation: field})
	if err != nil {
		return err
	}
	if kind.Subtype == enums.FPDF_ANNOT_SUBTYPE_WIDGET {
		// Each fails for fields that have no such thing.
		var words []string
		if value, err := p.FPDFAnnot_GetFormFieldValue(&requests.FPDFAnnot_GetFormFieldValue{FormHandle: form, Annotation: field}); err == nil {
			words = append(words, value.FormFieldValue)
		}
		if count, err := p.FPDFAnnot_GetOptionCount(&requests.FPDFAnnot_GetOptionCount{FormHandle: form, Annotation: field}); err == nil {
			if count.OptionCount > clientNotes {
				return errTakesTooMuch
			}
			for i := range count.OptionCount {
				chosen, err := p.FPDFAnnot_IsOptionSelected(&requests.FPDFAnnot_IsOptionSelected{FormHandle: form, Annotation: field, Index: i})
				if err != nil || !chosen.IsOptionSelected {
					continue
				}
				label, err := p.FPDFAnnot_GetOptionLabel(&requests.FPDFAnnot_GetOptionLabel{FormHandle: form, Annotation: field, Index: i})
				if err != nil {
					return err
				}
				words = append(words, label.OptionLabel)
			}
		}
		if !isLatin(strings.Join(words, " ")) {
			return errNotWhole
		}
	}
	_, err = p.FPDFPage_CloseAnnot(&requests.FPDFPage_CloseAnnot{Annotation: field})
	return err
}

func isLatin(text string) bool {
	for _, letter := range text {
		if _, latin := charmap.Windows1252.EncodeRune(letter); !latin {
			return false
		}
	}
	return true
}
