package web

import (
	"net/http"

	"dropslot/gateway"
	"dropslot/templates"

	"github.com/labstack/echo/v4"
)

// searchView shows the search and what it found. What was typed stands in no
// URL: the form is posted.
type searchView struct {
	frame
	Asked   bool
	Typed   string
	Clients []foundClient
	Rows    []inboxRow
	Problem *problem
}

type foundClient struct{ URL, Phone, Office string }

func (d *desk) searchForm(c echo.Context) error {
	return d.render(c, http.StatusOK, "search", searchView{frame: d.frame(c, "Search", "search")})
}

// searchRunes bounds what is searched for.
const searchRunes = 80

func (d *desk) search(c echo.Context) error {
	form, err := deskForm(c.Request())
	if err != nil {
		return err
	}
	who, typed := actor(c), form.Get("q")
	view := searchView{frame: d.frame(c, "Search", "search"), Asked: true, Typed: typed}
	if typed == "" || len([]rune(typed)) > searchRunes {
		p := problem{Code: gateway.CodeBadRequest, Status: http.StatusUnprocessableEntity, Title: "Nothing to search for",
			Text: "Type the whole phone number, the case number, or the reference of five letters and digits."}
		d.count(c, p.Status, p.Code)
		view.Problem, view.Asked = &p, false
		return d.render(c, p.Status, "search", view)
	}
	phone, err := d.ParsePhone(typed)
	if err != nil {
		phone = gateway.Phone{} // then it may be a case number or a reference
	}
	found, err := d.Threads.Search(c.Request().Context(), who, typed, phone)
	if err != nil {
		return err
	}
	if len(found.Clients) == 1 && len(found.Submissions) == 0 {
		return d.redirect(c, clientURL(found.Clients[0].ID))
	}
	for _, client := range found.Clients {
		view.Clients = append(view.Clients, foundClient{clientURL(client.ID), templates.FormatPhone(phone.E164()), client.Office.Name})
	}
	people := &names{d: d, c: c}
	for _, row := range found.Submissions {
		view.Rows = append(view.Rows, d.listRow(row, people, len(who.Staff.OfficesWith(gateway.RightPapers)) > 1))
	}
	return d.render(c, http.StatusOK, "search", view)
}
