package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"dropslot/gateway"

	"github.com/labstack/echo/v4"
)

// accountsView lists the accounts of an admin's offices, with the form that
// invites another.
type accountsView struct {
	frame
	Rows    []accountRow
	Offices []choice
	Office  string // chosen before, for a second try
	Roles   []roleChoice
	Typed   string
	Problem *problem
}

type accountRow struct {
	URL, Login, Roles, State, Tone, Factor string
	Link                                   string // that a one-time link is open, and until when
}

type roleChoice struct {
	Value, Words, Means string
	Chosen              bool
}

var roleWords = map[gateway.Role][2]string{
	gateway.RoleCaseworker: {"Caseworker", "sees papers, asks clients, hands papers over"},
	gateway.RoleSupervisor: {"Supervisor", "the same, keeps papers longer, sees figures"},
	gateway.RoleAuditor:    {"Auditor", "sees who did what, and no papers"},
	gateway.RoleAdmin:      {"Admin", "manages accounts, and sees no papers"},
}

func roleChoices(has []gateway.Role) []roleChoice {
	var choices []roleChoice
	for _, role := range gateway.AllRoles() {
		words := roleWords[role]
		choices = append(choices, roleChoice{string(role), words[0], words[1], slices.Contains(has, role)})
	}
	return choices
}

func rolesWords(roles []gateway.Role) string {
	var words []string
	for _, role := range gateway.AllRoles() {
		if slices.Contains(roles, role) {
			words = append(words, strings.ToLower(roleWords[role][0]))
		}
	}
	return strings.Join(words, ", ")
}

func (d *desk) officeName(id gateway.OfficeID) string {
	if office, known := d.Directory.Offices[id]; known {
		return office.Name
	}
	return string(id) // it left the configuration
}

// zoneOf is the time zone that a person reads times in: their first office's.
func (d *desk) zoneOf(staff gateway.Staff) *time.Location {
	for _, id := range staff.Roles.Offices() {
		if office, known := d.Directory.Offices[id]; known && office.Location != nil {
			return office.Location
		}
	}
	return time.UTC
}

func (d *desk) accounts(c echo.Context) error {
	return d.showAccounts(c, http.StatusOK, accountsView{Roles: roleChoices([]gateway.Role{gateway.RoleCaseworker})})
}

func (d *desk) showAccounts(c echo.Context, status int, view accountsView) error {
	who := actor(c)
	rows, err := d.Accounts.List(c.Request().Context(), who)
	if err != nil {
		return err
	}
	view.frame = d.frame(c, "Accounts", "accounts")
	for _, id := range who.Staff.OfficesWith(gateway.RightAccounts) {
		if office, known := d.Directory.Offices[id]; known {
			view.Offices = append(view.Offices, choice{string(id), office.Name})
		}
	}
	for _, row := range rows {
		view.Rows = append(view.Rows, d.accountRow(row, len(view.Offices) > 1))
	}
	return d.render(c, status, "accounts", view)
}

func (d *desk) accountRow(row gateway.AccountRow, named bool) accountRow {
	s := row.Staff
	var roles []string
	for _, office := range s.Roles.Offices() {
		words := rolesWords(s.Roles[office])
		if named {
			words = d.officeName(office) + ": " + words
		}
		roles = append(roles, words)
	}
	shown := accountRow{URL: "/accounts/" + string(s.ID), Login: s.Login, Roles: strings.Join(roles, "; ")}
	shown.State, shown.Tone = accountState(s)
	if row.Link.Staff != "" {
		shown.Link = "link open until " + momentOf(row.Link.ExpiresAt, d.Now(), d.zoneOf(s)).Clock
	}
	shown.Factor = factorWords(s)
	return shown
}

func accountState(s gateway.Staff) (words, tone string) {
	switch {
	case !s.DisabledAt.IsZero():
		return "disabled", "warn"
	case s.PasswordHash == "" && s.Passkeys == 0 && !s.SSO():
		return "invited", "live"
	}
	return "active", "new"
}

func factorWords(s gateway.Staff) string {
	var words []string
	if s.SSO() {
		words = append(words, "single sign-on")
	}
	if s.PasswordHash != "" {
		words = append(words, "password")
	}
	if len(s.SealedTOTP) > 0 {
		words = append(words, "app")
	}
	if s.Passkeys > 0 {
		words = append(words, "passkey")
	}
	return strings.Join(words, ", ")
}

// formRoles reads the roles that a form chose; unknown ones are refused.
func formRoles(form url.Values) ([]gateway.Role, error) {
	var roles []gateway.Role
	for _, text := range form["role"] {
		if !gateway.ValidRole(gateway.Role(text)) {
			return nil, gateway.NewError(gateway.CodeBadRequest, nil)
		}
		roles = append(roles, gateway.Role(text))
	}
	return roles, nil
}

// invite makes an account and shows its one-time link.
func (d *desk) invite(c echo.Context) error {
	form, err := deskForm(c.Request())
	if err != nil {
		return err
	}
	roles, err := formRoles(form)
	if err != nil {
		return err
	}
	office, login := gateway.OfficeID(form.Get("office")), strings.ToLower(strings.TrimSpace(form.Get("login")))
	token, err := d.Accounts.Invite(c.Request().Context(), actor(c), login, invitedRoles(office, roles))
	switch gateway.CodeOf(err) {
	case gateway.CodeBadLogin, gateway.CodeLoginTaken, gateway.CodeBadRequest:
		p := problemOf(err)
		if p.Code == gateway.CodeBadRequest {
			p.Title, p.Text = "No role is chosen", "Choose at least one."
		}
		d.note(c, p, err)
		return d.showAccounts(c, p.Status, accountsView{Problem: &p, Typed: login, Office: string(office), Roles: roleChoices(roles)})
	}
	if err != nil {
		return err
	}
	return d.showLink(c, login, token, gateway.InvitationNew)
}

// invitedRoles are none at all without a role: an office alone is no reason
// for an account.
func invitedRoles(office gateway.OfficeID, roles []gateway.Role) gateway.Roles {
	given := gateway.Roles{}
	if len(roles) == 0 {
		given[office] = nil
	}
	for _, role := range roles {
		given.Add(role, office)
	}
	return given
}

// linkView shows a one-time link, once.
type linkView struct {
	frame
	Account, URL string
	Until        moment
	Reset        bool
}

func (d *desk) showLink(c echo.Context, login string, token gateway.Token, kind gateway.InvitationKind) error {
	until := momentOf(d.Now().Add(kind.TTL()), d.Now(), d.zoneOf(actor(c).Staff))
	return d.render(c, http.StatusOK, "account-link", linkView{
		frame: d.frame(c, "Hand this link over", "accounts"), Account: login, Until: until, Reset: kind == gateway.InvitationReset,
		URL: strings.TrimSuffix(d.URL, "/") + joinPath(token),
	})
}
