package web

import (
	"bufio"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"sync"

	"dropslot/gateway"

	"github.com/labstack/echo/v4"
)

const (
	sealedType  = "application/vnd.age"
	formType    = "multipart/form-data"
	formFields  = 8   // parts before the page itself
	fieldLength = 256 // bytes of one of them
)

// mime/multipart reads its source 4 KiB at a time: through a buffer of this
// size, the connection is read in larger pieces at half the cost.
const formBuffer = 64 << 10

var formBuffers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, formBuffer) }}

// bodyMost bounds the bytes of a request that brings a page: the page, what
// sealing adds to it (16 bytes in 64 KiB and a header) or what the form does.
func bodyMost(pageBytes int64) int64 { return pageBytes + pageBytes/1024 + 64<<10 }

// receivePage takes one page: sealed by the browser as the raw body, or as a
// form that is sealed here while it streams. 201 means that it is stored,
// also when it was stored before.
func (i *intake) receivePage(c echo.Context) error {
	s, office, err := i.session(c)
	if err != nil {
		hearStranger(c)
		return err
	}
	body := newSteadyBody(c, bodyMost(i.Limits.PageBytes), i.Stall)
	kind, parameters, _ := mime.ParseMediaType(c.Request().Header.Get(echo.HeaderContentType))
	plainForm := kind == formType && !wantsJSON(c.Request())
	page, err := i.accept(c, s, office, body, kind, parameters["boundary"])
	if err == nil {
		// A page that was here before was recognized by its key, its body unread.
		// A browser that is still sending reads no answer: hear it out.
		body.drain()
		body.extend()
		if plainForm {
			return i.backWith(c, s, queryStored, string(page.Key))
		}
		return c.JSON(http.StatusCreated, map[string]bool{"stored": true})
	}
	if body.fault != nil {
		err = body.fault // the flow sees only that its reader failed
	}
	body.drain()
	if !plainForm {
		return err
	}
	if isOver(err) {
		return i.backToOver(c, s, err)
	}
	if code, r := refusalOf(err); r.notice {
		c.Set(codeKey, code)
		return i.backWith(c, s, queryProblem, string(code))
	}
	return err
}

// accept hands the page to the flow, unless too many are on their way. Its
// place is free again before a refused body is heard out.
func (i *intake) accept(c echo.Context, s gateway.Session, office gateway.Office, body *steadyBody, kind, boundary string) (gateway.Page, error) {
	if c.Request().ContentLength > bodyMost(i.Limits.PageBytes) {
		return gateway.Page{}, gateway.NewError(gateway.CodePageTooBig, nil)
	}
	end, free := i.flying.begin(s.Submission.ID, c.RealIP())
	if !free {
		return gateway.Page{}, gateway.NewError(codeBusy, nil)
	}
	defer end()
	switch kind {
	case sealedType:
		return i.acceptSealed(c, s, office, body)
	case formType:
		if office.BrowserOnly { // before a byte of the page is read
			return gateway.Page{}, gateway.NewError(gateway.CodePlainRefused, nil)
		}
		return i.acceptForm(c, s, office, body, boundary)
	}
	return gateway.Page{}, gateway.NewError(gateway.CodePageType, nil)
}

func (i *intake) acceptSealed(c echo.Context, s gateway.Session, office gateway.Office, body *steadyBody) (gateway.Page, error) {
	h := c.Request().Header
	digest, err := contentDigest(h.Values("Content-Digest"))
	if err != nil {
		return gateway.Page{}, err
	}
	return i.Uploads.AcceptSealed(c.Request().Context(), s, gateway.SealedPage{
		Key: gateway.PageKey(h.Get("Page-Id")), Label: asked(office, h.Get("Page-Label")),
		Digest: digest, Length: c.Request().ContentLength, Body: body,
	})
}

// asked drops a label that the office does not offer: no page is lost for it.
func asked(office gateway.Office, label string) string {
	if office.Asked(label) {
		return label
	}
	return ""
}

// contentDigest reads the SHA-256 of a Content-Digest field (RFC 9530): a
// dictionary of byte sequences, of which only this one is needed.
func contentDigest(values []string) (gateway.Digest, error) {
	var digest gateway.Digest
	found := false
	for member := range strings.SplitSeq(strings.Join(values, ","), ",") {
		encoded, isSHA256 := strings.CutPrefix(strings.TrimSpace(member), "sha-256=:")
		if !isSHA256 {
			continue
		}
		encoded, closed := strings.CutSuffix(encoded, ":")
		raw, err := base64.StdEncoding.Strict().DecodeString(encoded)
		if !closed || err != nil || len(raw) != len(digest) || found {
			return gateway.Digest{}, gateway.NewError(gateway.CodePageDigest, errors.New("malformed Content-Digest"))
		}
		found = true
		copy(digest[:], raw)
	}
	if !found {
		return gateway.Digest{}, gateway.NewError(gateway.CodePageDigest, errors.New("no Content-Digest"))
	}
	return digest, nil
}

// acceptForm reads a form part by part: small fields first, the page last. No
// part is ever kept, in memory or on disk.
func (i *intake) acceptForm(c echo.Context, s gateway.Session, office gateway.Office, body *steadyBody, boundary string) (gateway.Page, error) {
	if boundary == "" {
		return gateway.Page{}, gateway.NewError(gateway.CodeBadRequest, errors.New("no boundary"))
	}
	buffer := formBuffers.Get().(*bufio.Reader)
	buffer.Reset(body)
	defer func() {
		buffer.Reset(nil)
		formBuffers.Put(buffer)
	}()
	reader := multipart.NewReader(buffer, boundary)
	var key, label string
	for range formFields {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) {
			return gateway.Page{}, gateway.NewError(gateway.CodePageMissing, nil)
		}
		if err != nil {
			return gateway.Page{}, errCutShort
		}
		switch part.FormName() {
		case "key":
			key, err = field(part)
		case "label":
			label, err = field(part)
		case "page":
			if part.FileName() == "" {
				return gateway.Page{}, gateway.NewError(gateway.CodePageMissing, nil)
			}
			return i.Uploads.AcceptPlain(c.Request().Context(), s, gateway.PlainPage{
				Key: gateway.PageKey(key), Label: asked(office, label), Body: wholePart{part},
			})
		}
		if err != nil {
			return gateway.Page{}, err
		}
	}
	return gateway.Page{}, gateway.NewError(gateway.CodeBadRequest, errors.New("too many fields"))
}

func field(part *multipart.Part) (string, error) {
	value, err := io.ReadAll(io.LimitReader(part, fieldLength+1))
	switch {
	case err != nil:
		return "", errCutShort
	case len(value) > fieldLength:
		return "", gateway.NewError(gateway.CodeBadRequest, errors.New("a field is too long"))
	}
	return string(value), nil
}

// errCutShort is a body that ended before its end. It never looks like
// io.EOF or io.ErrUnexpectedEOF: half a page must not pass for a short one.
var errCutShort = gateway.NewError(gateway.CodeBadRequest, errors.New("the body ended early"))

// wholePart is a part of a form whose end counts only if its boundary came.
type wholePart struct{ part *multipart.Part }

func (w wholePart) Read(p []byte) (int, error) {
	n, err := w.part.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = errCutShort
	}
	return n, err
}
