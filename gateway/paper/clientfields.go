package paper

import (
	"strings"

	"github.com/klippa-app/go-pdfium"
	"github.com/klippa-app/go-pdfium/enums"
	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"
	"github.com/klippa-app/go-pdfium/structs"
	"golang.org/x/text/encoding/charmap"
)

// field is what was filled in somewhere on a page.
type field struct {
	words string
	look  string // before PDFium drew it
}

// settle has what lies on the pages show itself: some programs leave the
// appearance of fields and notes to whoever shows them. It counts what the pages
// themselves draw.
func settle(p pdfium.Pdfium, document references.FPDF_DOCUMENT, pages int) (drawn []int, err error) {
	form, err := p.FPDFDOC_InitFormFillEnvironment(&requests.FPDFDOC_InitFormFillEnvironment{Document: document, FormFillInfo: nobodyFills})
	if err != nil {
		return nil, err
	}
	notes := clientNotes
	filled := make([][]field, pages)
	drawn = make([]int, pages)
	for i := range pages {
		page := requests.Page{ByIndex: &requests.PageByIndex{Document: document, Index: i}}
		if drawn[i], err = unfold(p, page); err != nil {
			return nil, err
		}
		count, err := p.FPDFPage_GetAnnotCount(&requests.FPDFPage_GetAnnotCount{Page: page})
		if err != nil {
			return nil, err
		}
		if notes -= count.Count; notes < 0 {
			return nil, errTakesTooMuch
		}
		for n := range count.Count {
			found, err := fieldOf(p, form.FormHandle, page, n)
			if err != nil {
				return nil, err
			}
			filled[i] = append(filled[i], found)
		}
	}
	if _, err := p.FPDFDOC_ExitFormFillEnvironment(&requests.FPDFDOC_ExitFormFillEnvironment{FormHandle: form.FormHandle}); err != nil {
		return nil, err
	}
	for i, fields := range filled {
		if len(fields) > 0 {
			page := requests.Page{ByIndex: &requests.PageByIndex{Document: document, Index: i}}
			if err := dress(p, document, page, fields); err != nil {
				return nil, err
			}
		}
	}
	return drawn, nil
}

// unfold counts what a page draws, and makes its rotation a direct number.
func unfold(p pdfium.Pdfium, page requests.Page) (objects int, err error) {
	count, err := p.FPDFPage_CountObjects(&requests.FPDFPage_CountObjects{Page: page})
	if err != nil {
		return 0, err
	}
	turn, err := p.FPDFPage_GetRotation(&requests.FPDFPage_GetRotation{Page: page})
	if err != nil {
		return 0, err
	}
	_, err = p.FPDFPage_SetRotation(&requests.FPDFPage_SetRotation{Page: page, Rotate: turn.PageRotation})
	return count.Count, err
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

// fieldOf reads what a field on a page holds; of whatever else lies there it is
// empty.
func fieldOf(p pdfium.Pdfium, form references.FPDF_FORMHANDLE, page requests.Page, index int) (found field, err error) {
	got, err := p.FPDFPage_GetAnnot(&requests.FPDFPage_GetAnnot{Page: page, Index: index})
	if err != nil {
		return field{}, nil //nolint:nilerr // a place in the list where nothing is
	}
	note := got.Annotation
	kind, err := p.FPDFAnnot_GetSubtype(&requests.FPDFAnnot_GetSubtype{Annotation: note})
	if err != nil {
		return field{}, err
	}
	if kind.Subtype == enums.FPDF_ANNOT_SUBTYPE_WIDGET {
		if found.words, err = wordsIn(p, form, note); err != nil {
			return field{}, err
		}
		found.look = lookOf(p, note)
		// A box may be ticked by a state that it has no look for.
		if state, err := p.FPDFAnnot_GetStringValue(&requests.FPDFAnnot_GetStringValue{Annotation: note, Key: "AS"}); err == nil && state.Value != "Off" {
			found.words += state.Value
		}
	}
	_, err = p.FPDFPage_CloseAnnot(&requests.FPDFPage_CloseAnnot{Annotation: note})
	return found, err
}

// wordsIn gives what a field says: its value, and the words of what is chosen.
func wordsIn(p pdfium.Pdfium, form references.FPDF_FORMHANDLE, note references.FPDF_ANNOTATION) (string, error) {
	// Each fails for fields that have no such thing.
	var words []string
	if value, err := p.FPDFAnnot_GetFormFieldValue(&requests.FPDFAnnot_GetFormFieldValue{FormHandle: form, Annotation: note}); err == nil && value.FormFieldValue != "Off" {
		words = append(words, value.FormFieldValue)
	}
	count, err := p.FPDFAnnot_GetOptionCount(&requests.FPDFAnnot_GetOptionCount{FormHandle: form, Annotation: note})
	if err == nil && count.OptionCount > clientNotes {
		return "", errTakesTooMuch
	}
	for i := 0; err == nil && i < count.OptionCount; i++ {
		chosen, err := p.FPDFAnnot_IsOptionSelected(&requests.FPDFAnnot_IsOptionSelected{FormHandle: form, Annotation: note, Index: i})
		if err != nil || !chosen.IsOptionSelected {
			continue
		}
		label, err := p.FPDFAnnot_GetOptionLabel(&requests.FPDFAnnot_GetOptionLabel{FormHandle: form, Annotation: note, Index: i})
		if err != nil {
			return "", err
		}
		words = append(words, label.OptionLabel)
	}
	return strings.Join(words, ""), nil
}

// lookOf gives what a note is drawn from; empty if there is nothing.
func lookOf(p pdfium.Pdfium, note references.FPDF_ANNOTATION) string {
	look, err := p.FPDFAnnot_GetAP(&requests.FPDFAnnot_GetAP{Annotation: note})
	if err != nil {
		return ""
	}
	return strings.TrimRight(look.Value, "\x00")
}

// dress gives everything on a page its appearance by drawing it, however small.
// Fields that are empty and look like nothing go. errNotWhole if PDFium had to
// write letters that it does not have.
func dress(p pdfium.Pdfium, document references.FPDF_DOCUMENT, page requests.Page, fields []field) error {
	drawn, err := p.RenderPageInDPI(&requests.RenderPageInDPI{
		Page: page, DPI: 1, Document: &document, RenderForm: true, RenderFlags: enums.FPDF_RENDER_FLAG_ANNOT,
	})
	if err != nil {
		return err
	}
	drawn.Cleanup()
	for i := len(fields) - 1; i >= 0; i-- {
		got, err := p.FPDFPage_GetAnnot(&requests.FPDFPage_GetAnnot{Page: page, Index: i})
		if err != nil {
			continue // a place in the list where nothing is
		}
		kind, err := p.FPDFAnnot_GetSubtype(&requests.FPDFAnnot_GetSubtype{Annotation: got.Annotation})
		if err != nil {
			return err
		}
		look := lookOf(p, got.Annotation)
		if _, err := p.FPDFPage_CloseAnnot(&requests.FPDFPage_CloseAnnot{Annotation: got.Annotation}); err != nil {
			return err
		}
		if kind.Subtype != enums.FPDF_ANNOT_SUBTYPE_WIDGET {
			continue
		}
		if look != fields[i].look && !isLatin(fields[i].words) {
			return errNotWhole
		}
		if look == "" && fields[i].words == "" {
			if _, err := p.FPDFPage_RemoveAnnot(&requests.FPDFPage_RemoveAnnot{Page: page, Index: i}); err != nil {
				return err
			}
		}
	}
	return nil
}

func isLatin(text string) bool {
	for _, letter := range text {
		if _, latin := charmap.Windows1252.EncodeRune(letter); !latin {
			return false
		}
	}
	return true
}
