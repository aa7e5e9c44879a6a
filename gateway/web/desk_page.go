package web

import (
	"encoding/hex"
	"mime"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"dropslot/gateway"

	"github.com/labstack/echo/v4"
)

// The types that are named to a browser. Whatever else a page may be leaves
// as bytes without a meaning.
var namedTypes = map[string]bool{
	"image/jpeg": true, "image/png": true, "image/webp": true, "application/pdf": true,
}

const bytesType = "application/octet-stream"

// pagePolicy is for the bytes of a page opened by themselves. `sandbox` takes
// every right of the desk's origin from them and allows no script. It has to
// be a header: the sandbox attribute of an iframe stops the PDF viewer.
const pagePolicy = "sandbox; default-src 'none'; img-src 'self'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'"

// page answers with one page's bytes, to be looked at.
func (d *desk) page(c echo.Context) error { return d.sendPage(c, false) }

// original answers with one page's bytes, to be kept.
func (d *desk) original(c echo.Context) error { return d.sendPage(c, true) }

func (d *desk) sendPage(c echo.Context, download bool) error {
	id, err := pageID(c)
	if err != nil {
		return err
	}
	opened, err := d.Desk.OpenPage(c.Request().Context(), actor(c), id, download)
	if err != nil {
		return err
	}
	defer func() { _ = opened.Close() }()

	kind, disposition := bytesType, "attachment"
	if namedTypes[opened.Type] {
		kind = opened.Type
		if opened.Inline && !download {
			disposition = "inline"
		} else if !opened.Inline {
			kind = bytesType
		}
	}
	h := c.Response().Header()
	h.Set(echo.HeaderContentType, kind)
	h.Set(echo.HeaderContentDisposition, mime.FormatMediaType(disposition, map[string]string{
		"filename": pageName(opened, c.QueryParam("n")),
	}))
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("X-Frame-Options", "SAMEORIGIN")
	d.count(c, http.StatusOK, "")
	// The ETag serves If-Range alone: a download that was cut goes on. Nothing
	// ever answers "not modified", for each look is one the audit trail knows of.
	h.Set("ETag", `"`+hex.EncodeToString(opened.Page.Digest[:16])+`"`)
	for _, name := range []string{"If-None-Match", "If-Match", "If-Modified-Since", "If-Unmodified-Since"} {
		c.Request().Header.Del(name)
	}
	http.ServeContent(c.Response(), c.Request(), "", time.Time{}, opened.Content)
	return nil
}

var extensionPattern = regexp.MustCompile(`^\.[a-z0-9]{1,5}$`)

// pageName gives the file a neutral name: nothing a client wrote is in it.
// The number is the link's word; a wrong one names a file wrongly, no more.
func pageName(p *gateway.OpenedPage, number string) string {
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || n > 999 {
		n = 1
	}
	extension := strings.ToLower(p.Extension)
	if !extensionPattern.MatchString(extension) {
		extension = ".bin"
	}
	return "page-" + p.Page.Submission.Reference() + "-" + strconv.Itoa(n) + extension
}

func pageURL(id gateway.PageID, n int) string {
	return "/pages/" + string(id) + "?n=" + strconv.Itoa(n)
}

func originalURL(id gateway.PageID, n int) string {
	return "/pages/" + string(id) + "/original?n=" + strconv.Itoa(n)
}
