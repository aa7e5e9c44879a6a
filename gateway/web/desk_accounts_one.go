package web

import (
	"net/http"
	"net/url"

	"dropslot/gateway"

	"github.com/labstack/echo/v4"
)

// oneAccountView is one account, with what an admin may do about it.
type oneAccountView struct {
	frame
	Account               accountRow
	Disabled, Own, Shared bool
	Away                  bool // signs in through the organization
	Since                 moment
	Link                  moment // until when a one-time link works; empty if there is none
	Offices               []officeRoles
	Problem               *problem
	Said                  bool
}

type officeRoles struct {
	ID, Name string
	Roles    []roleChoice
}

func accountID(c echo.Context) (gateway.StaffID, error) {
	if id := c.Param("id"); gateway.ValidID(id) {
		return gateway.StaffID(id), nil
	}
	return "", gateway.NewError(gateway.CodeNotFound, nil)
}

func (d *desk) oneAccount(c echo.Context) error { return d.showOneAccount(c, http.StatusOK, nil) }

func (d *desk) showOneAccount(c echo.Context, status int, p *problem) error {
	id, err := accountID(c)
	if err != nil {
		return err
	}
	who := actor(c)
	row, err := d.Accounts.Account(c.Request().Context(), who, id)
	if err != nil {
		return err
	}
	view := oneAccountView{
		frame: d.frame(c, row.Staff.Login, "accounts"), Account: d.accountRow(row, true), Own: row.Own, Shared: row.Shared, Away: row.Staff.SSO(),
		Disabled: !row.Staff.DisabledAt.IsZero(), Problem: p, Said: c.QueryParam("done") == "1",
		Since: momentOf(row.Staff.CreatedAt, d.Now(), d.zoneOf(who.Staff)),
	}
	if row.Link.Staff != "" {
		view.Link = momentOf(row.Link.ExpiresAt, d.Now(), d.zoneOf(who.Staff))
	}
	for _, office := range who.Staff.OfficesWith(gateway.RightAccounts) {
		view.Offices = append(view.Offices, officeRoles{string(office), d.officeName(office), roleChoices(row.Staff.Roles[office])})
	}
	return d.render(c, status, "account-one", view)
}

// changeAccount does something about an account and shows it again.
func (d *desk) changeAccount(c echo.Context, act func(gateway.StaffID, url.Values) error) error {
	id, err := accountID(c)
	if err != nil {
		return err
	}
	form, err := deskForm(c.Request())
	if err != nil {
		return err
	}
	err = act(id, form)
	switch gateway.CodeOf(err) {
	case gateway.CodeOwnAccount, gateway.CodeShared, gateway.CodeSwitchedOff, gateway.CodeSSOAccount, gateway.CodeInvitation:
		p := problemOf(err)
		d.note(c, p, err)
		return d.showOneAccount(c, p.Status, &p)
	}
	if err != nil || c.Response().Committed {
		return err
	}
	return d.redirect(c, "/accounts/"+string(id)+"?done=1")
}

func (d *desk) setRoles(c echo.Context) error {
	return d.changeAccount(c, func(id gateway.StaffID, form url.Values) error {
		roles, err := formRoles(form)
		if err != nil {
			return err
		}
		err = d.Accounts.SetRoles(c.Request().Context(), actor(c), id, gateway.OfficeID(form.Get("office")), roles)
		if err == nil && len(roles) == 0 {
			return d.redirect(c, "/accounts") // the account may be out of the admin's sight now
		}
		return err
	})
}

func (d *desk) resetAccount(c echo.Context) error {
	return d.changeAccount(c, func(id gateway.StaffID, _ url.Values) error {
		token, kind, err := d.Accounts.Reset(c.Request().Context(), actor(c), id)
		if err != nil {
			return err
		}
		row, err := d.Accounts.Account(c.Request().Context(), actor(c), id)
		if err != nil {
			return err
		}
		return d.showLink(c, row.Staff.Login, token, kind)
	})
}

func (d *desk) cancelAccountLink(c echo.Context) error {
	return d.changeAccount(c, func(id gateway.StaffID, _ url.Values) error {
		return d.Accounts.CancelLink(c.Request().Context(), actor(c), id)
	})
}

func (d *desk) setAccountState(c echo.Context) error {
	return d.changeAccount(c, func(id gateway.StaffID, form url.Values) error {
		return d.Accounts.Disable(c.Request().Context(), actor(c), id, form.Get("state") == "off")
	})
}
