package web

import (
	"context"
	"net/http"
	"slices"

	"dropslot/gateway"

	"github.com/labstack/echo/v4"
)

// wishView is what a caseworker asks for, on the client's page.
type wishView struct {
	Asks   []wishedAsk
	Again  bool // one page once more
	Label  string
	Reason gateway.AgainReason // empty if the caseworker's own words say it
	Words  string
}

type wishedAsk struct {
	Ask string
	Got bool // a page of that label is here
}

func wishOf(s gateway.Session) *wishView {
	w := s.Wish
	if w.IsZero() {
		return nil
	}
	view := &wishView{Again: w.Page != "", Label: w.Label, Reason: w.Reason, Words: w.Words}
	if w.Reason == gateway.AgainOther {
		view.Reason = gateway.AgainNone
	}
	for _, ask := range w.Asks {
		got := slices.ContainsFunc(s.Pages, func(p gateway.Page) bool { return p.Label == ask })
		view.Asks = append(view.Asks, wishedAsk{ask, got})
	}
	return view
}

// wishedFirst gives the office's labels, those that are asked for before the others.
func wishedFirst(w gateway.Wish, office gateway.Office) []string {
	wished := func(ask string) bool { return ask == w.Label || slices.Contains(w.Asks, ask) }
	asks := slices.Clone(office.Asks)
	slices.SortStableFunc(asks, func(a, b string) int {
		switch {
		case wished(a) == wished(b):
			return 0
		case wished(a):
			return -1
		}
		return 1
	})
	return asks
}

// cameraRuns notes that the page's camera runs, and nothing of what it sees.
func (i *intake) cameraRuns(c echo.Context) error {
	s, _, err := i.session(c)
	if err != nil {
		return err
	}
	err = i.change(c, s, func(ctx context.Context) error { return i.Uploads.Camera(ctx, s) })
	if err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}
