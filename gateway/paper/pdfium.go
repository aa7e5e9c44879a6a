package paper

import (
	"errors"
	"image"

	"github.com/klippa-app/go-pdfium"
	"github.com/klippa-app/go-pdfium/enums"
	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"
	"golang.org/x/text/encoding/charmap"
)

// drawPages gives the pages as JPEGs, and takes their bytes from the room.
func drawPages(p pdfium.Pdfium, content *[]byte, room *int) ([][]byte, error) {
	opened, err := p.OpenDocument(&requests.OpenDocument{File: content})
	*content = nil // PDFium has its own copy
	if err != nil {
		return nil, err
	}
	document := opened.Document
	form, err := p.FPDF_GetFormType(&requests.FPDF_GetFormType{Document: document})
	if err != nil {
		return nil, err
	}
	if form.FormType == enums.FPDF_FORMTYPE_XFA_FULL {
		return nil, errNotDrawn // its pages are made by a script that only Adobe's program runs
	}
	count, err := p.FPDF_GetPageCount(&requests.FPDF_GetPageCount{Document: document})
	if err != nil {
		return nil, err
	}
	if count.PageCount < 1 || count.PageCount > drawnPages {
		return nil, errNotDrawn
	}
	pages := make([][]byte, count.PageCount)
	for i := range pages {
		page, err := drawPage(p, document, i)
		if err != nil {
			return nil, err
		}
		if *room -= len(page); *room < 0 {
			return nil, errNotDrawn
		}
		pages[i] = page
	}
	return pages, nil
}

func drawPage(p pdfium.Pdfium, document references.FPDF_DOCUMENT, index int) ([]byte, error) {
	loaded, err := p.FPDF_LoadPage(&requests.FPDF_LoadPage{Document: document, Index: index})
	if err != nil {
		return nil, err
	}
	page := requests.Page{ByReference: &loaded.Page}
	if missing, err := lacksLetters(p, page); err != nil || missing {
		return nil, errors.Join(errNotDrawn, err)
	}
	points, err := p.GetPageSize(&requests.GetPageSize{Page: page})
	if err != nil {
		return nil, err
	}
	dpi := min(drawnDPI, drawnSide*72/max(points.Width, points.Height))
	if !(dpi >= 1) { // also what is no number
		return nil, errNotDrawn
	}
	drawn, err := p.RenderPageInDPI(&requests.RenderPageInDPI{
		Page: page, DPI: int(dpi), Document: &document, RenderForm: true, RenderFlags: enums.FPDF_RENDER_FLAG_ANNOT,
	})
	if err != nil {
		return nil, err
	}
	defer drawn.Cleanup()
	picture, ok := drawn.Result.RenderedImage.(*image.RGBA)
	if !ok {
		return nil, errNotDrawn
	}
	made, err := encode(solid(picture), 0)
	if err != nil {
		return nil, err
	}
	_, err = p.FPDF_ClosePage(&requests.FPDF_ClosePage{Page: loaded.Page})
	return made, err
}

// solid lays a picture on white: PDFium leaves paper out of a page that lets
// something through, and its colors are not multiplied by their alpha. A picture
// without colors, as most statements are, becomes a gray one: its file is a
// third smaller.
func solid(m *image.RGBA) image.Image {
	colored := false
	for i := 0; i+3 < len(m.Pix); i += 4 {
		pixel := m.Pix[i : i+4]
		if alpha := uint(pixel[3]); alpha < 0xff {
			for c := range pixel[:3] {
				pixel[c] = uint8((uint(pixel[c])*alpha + 0xff*(0xff-alpha)) / 0xff & 0xff)
			}
			pixel[3] = 0xff
		}
		colored = colored || pixel[0] != pixel[1] || pixel[0] != pixel[2]
	}
	if colored {
		return m
	}
	gray := image.NewGray(m.Rect)
	for i := range gray.Pix {
		gray.Pix[i] = m.Pix[4*i]
	}
	return gray
}

// lacksLetters tells whether a page has letters that would be drawn as nothing:
// PDFium has the Latin ones and the standard symbols, and a PDF that brings no
// letters of its own trusts that the machine has the others.
func lacksLetters(p pdfium.Pdfium, page requests.Page) (bool, error) {
	loaded, err := p.FPDFText_LoadPage(&requests.FPDFText_LoadPage{Page: page})
	if err != nil {
		return false, err
	}
	text := loaded.TextPage
	defer func() { _, _ = p.FPDFText_ClosePage(&requests.FPDFText_ClosePage{TextPage: text}) }()
	count, err := p.FPDFText_CountChars(&requests.FPDFText_CountChars{TextPage: text})
	if err != nil {
		return false, err
	}
	for i := range count.Count {
		letter, err := p.FPDFText_GetUnicode(&requests.FPDFText_GetUnicode{TextPage: text, Index: i})
		if err != nil {
			return false, err
		}
		if _, latin := charmap.Windows1252.EncodeRune(rune(letter.Unicode)); latin || letter.Unicode < ' ' { //nolint:gosec // a code point
			continue
		}
		if known, err := bringsLetters(p, text, i); err != nil || !known {
			return !known, err
		}
	}
	return false, nil
}

// bringsLetters tells whether the font of a letter can be drawn.
func bringsLetters(p pdfium.Pdfium, text references.FPDF_TEXTPAGE, index int) (bool, error) {
	object, err := p.FPDFText_GetTextObject(&requests.FPDFText_GetTextObject{TextPage: text, Index: index})
	if err != nil {
		return false, err
	}
	font, err := p.FPDFTextObj_GetFont(&requests.FPDFTextObj_GetFont{PageObject: object.TextObject})
	if err != nil {
		return false, err
	}
	embedded, err := p.FPDFFont_GetIsEmbedded(&requests.FPDFFont_GetIsEmbedded{Font: font.Font})
	if err != nil || embedded.IsEmbedded {
		return err == nil, err
	}
	name, err := p.FPDFFont_GetBaseFontName(&requests.FPDFFont_GetBaseFontName{Font: font.Font})
	return err == nil && (name.BaseFontName == "Symbol" || name.BaseFontName == "ZapfDingbats"), err
}
