package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"dropslot/gateway"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"github.com/prometheus/client_golang/prometheus"
)

// Desk is the flow behind the inbox, a submission and its pages.
type Desk interface {
	Inbox(ctx context.Context, who gateway.Actor, f gateway.InboxFilter, after gateway.Cursor, limit int) ([]gateway.InboxRow, error)
	Submission(ctx context.Context, who gateway.Actor, id gateway.SubmissionID) (gateway.SubmissionView, error)
	PageKind(ctx context.Context, who gateway.Actor, id gateway.PageID) (gateway.PageKind, error)
	PagePlace(ctx context.Context, who gateway.Actor, id gateway.PageID) (gateway.InboxRow, gateway.PlacedPage, error)
	Preview(ctx context.Context, who gateway.Actor, id gateway.PageID) ([]byte, error)
	ChangePage(ctx context.Context, who gateway.Actor, id gateway.PageID, change gateway.PageChange) (gateway.Page, error)
	OpenPage(ctx context.Context, who gateway.Actor, id gateway.PageID, download bool) (*gateway.OpenedPage, error)
	Handle(ctx context.Context, who gateway.Actor, id gateway.SubmissionID, as gateway.HandledAs, note string) error
}

// Requests is the flow of links that caseworkers send.
type Requests interface {
	Send(ctx context.Context, who gateway.Actor, ask gateway.RequestAsk) (gateway.RequestView, error)
	Cancel(ctx context.Context, who gateway.Actor, id gateway.SendingID) (gateway.RequestView, error)
	Renew(ctx context.Context, who gateway.Actor, old, id gateway.SendingID) (gateway.RequestView, error)
	List(ctx context.Context, who gateway.Actor, limit int) ([]gateway.RequestView, error)
	Get(ctx context.Context, who gateway.Actor, id gateway.SendingID) (gateway.RequestView, error)
	Counter(ctx context.Context, who gateway.Actor, ask gateway.CounterAsk) (gateway.CounterView, error)
	CounterState(ctx context.Context, who gateway.Actor, id gateway.LinkID) (gateway.CounterView, error)
	CancelCounter(ctx context.Context, who gateway.Actor, id gateway.LinkID) (gateway.CounterView, error)
}

// SignIns is the flow of signing in and out.
type SignIns interface {
	SignIn(ctx context.Context, login, password, address string) (gateway.Staff, error)
	Needs(staff gateway.Staff) gateway.SignInStep
	Code(ctx context.Context, staff gateway.Staff, code, address string) (proven bool, err error)
	NewSetup(staff gateway.StaffID) (gateway.Setup, error)
	SetupAgain(staff gateway.StaffID, sealed []byte) (gateway.Setup, error)
	SetUpApp(ctx context.Context, who gateway.Actor, sealed []byte, code string) error
	BeginPasskey(ctx context.Context, address string) (options, state []byte, err error)
	UsePasskey(ctx context.Context, state, answer []byte, address string) (found gateway.Staff, proven bool, err error)
	BeginAddPasskey(ctx context.Context, staff gateway.Staff, address string) (options, state []byte, err error)
	AddPasskey(ctx context.Context, who gateway.Actor, name string, state, answer []byte) error
	RemovePasskey(ctx context.Context, who gateway.Actor, id []byte) error
	BeginSSO(ctx context.Context, name string, fresh bool, address string) (to string, state []byte, err error)
	FinishSSO(ctx context.Context, state []byte, answer gateway.IdentityAnswer, address string) (found gateway.Staff, proven bool, err error)
	Begin(ctx context.Context, staff gateway.Staff, a gateway.Arrival) (gateway.SessionID, error)
	Unlocked(ctx context.Context, who gateway.Actor) error
	Invited(ctx context.Context, token gateway.Token) (gateway.Invitation, gateway.Staff, error)
	Join(ctx context.Context, token gateway.Token, j gateway.Joining, address string) (gateway.Staff, error)
	Own(ctx context.Context, who gateway.Actor, session gateway.SessionID) (gateway.OwnAccount, error)
	Untold(ctx context.Context, staff gateway.StaffID, session gateway.SessionID) ([]gateway.DeskSession, error)
	Told(ctx context.Context, who gateway.Actor, session gateway.SessionID, shown []gateway.SessionID) error
	EndSession(ctx context.Context, who gateway.Actor, one, keep gateway.SessionID) error
	Confirm(ctx context.Context, who gateway.Actor, password string) error
	ChangePassword(ctx context.Context, who gateway.Actor, old, password string) error
	Staff(ctx context.Context, id gateway.StaffID, session gateway.SessionID) (gateway.Staff, error)
	SignedOut(ctx context.Context, who gateway.Actor, session gateway.SessionID) error
	// Refused notes that somebody asked for a route that their roles do not allow.
	Refused(ctx context.Context, who gateway.Actor, route string) error
}

// Accounts is the flow of an admin who manages accounts.
type Accounts interface {
	List(ctx context.Context, who gateway.Actor) ([]gateway.AccountRow, error)
	Account(ctx context.Context, who gateway.Actor, id gateway.StaffID) (gateway.AccountRow, error)
	Invite(ctx context.Context, who gateway.Actor, login string, roles gateway.Roles) (gateway.Token, error)
	Reset(ctx context.Context, who gateway.Actor, id gateway.StaffID) (gateway.Token, gateway.InvitationKind, error)
	CancelLink(ctx context.Context, who gateway.Actor, id gateway.StaffID) error
	Disable(ctx context.Context, who gateway.Actor, id gateway.StaffID, off bool) error
	SetRoles(ctx context.Context, who gateway.Actor, id gateway.StaffID, office gateway.OfficeID, roles []gateway.Role) error
}

// DeskPages renders the desk's pages. Nothing is written to w unless the
// whole page could be rendered.
type DeskPages interface {
	Desk(w io.Writer, name string, data any) error
}

// A form of the desk holds a phone number or a password: nothing near this.
const deskFormBytes = 64 << 10

// DeskParts is what the caseworkers' side is made of.
type DeskParts struct {
	Desk    Desk
	Handoff Handoff
	// Deliveries hands papers over to partners.
	Deliveries Deliveries
	Random     io.Reader
	Requests   Requests
	Holds      Holds
	Notices    Notices
	Mails      bool // the configuration names a mail server
	SignIns    SignIns
	SSO        string // what staff call the provider that they sign in through; empty if there is none
	Accounts   Accounts
	Threads    Threads
	Changes    Changes
	Audits     Audits
	Figures    Figures
	// FiguresEvery is the time from one count of the figures to the next.
	FiguresEvery time.Duration
	// Emergencies lets look at another office's papers.
	Emergencies Emergencies
	// Sessions keeps sessions where every desk process finds them. It sees
	// hashes of session tokens, never a token.
	Sessions  SessionStore
	Pages     DeskPages
	Static    http.Handler // serves the paths below /static/
	Directory gateway.Directory
	// ParsePhone reads a number as a person types it; CodeBadPhone, CodeCountry.
	ParsePhone func(text string) (gateway.Phone, error)
	// AskName gives the English words of a key of an office's asks.
	AskName func(ask string) string
	// LanguageName gives the name of a language by its BCP 47 tag.
	LanguageName func(tag string) string
	// URL is how browsers reach the desk: https, or http on a loopback address.
	URL            string
	TrustedProxies []netip.Prefix
	Idle           time.Duration // a session ends after this much silence
	Total          time.Duration // and after this long in any case
	Now            func() time.Time
	Log            *slog.Logger
	Metrics        prometheus.Registerer
}

type desk struct {
	DeskParts
	sessions *deskSessions
	streams  streams
	answers  *prometheus.CounterVec
	known    map[string]bool // the paths of the table of routes
	shown    []string        // those of its pages
}

// NewDesk makes the caseworkers' side. The server it runs in needs timeouts:
// a write timeout must leave room for the largest page on a slow line.
func NewDesk(parts DeskParts) (http.Handler, error) {
	base, err := url.Parse(parts.URL)
	if err != nil || base.Host == "" {
		return nil, errors.New("the desk needs its public URL")
	}
	d := &desk{
		DeskParts: parts,
		sessions:  newDeskSessions(parts.Sessions, parts.Now, parts.Idle, parts.Total),
		known:     make(map[string]bool, len(deskRoutes)),
		answers: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dropslot_desk_answers_total",
			Help: "Answers of the desk by route, status and error code.",
		}, []string{"route", "status", "code"}),
	}
	if err := parts.Metrics.Register(d.answers); err != nil {
		return nil, fmt.Errorf("register the desk's metrics: %w", err)
	}

	ownOrigin, err := sameOrigin(base, nil)
	if err != nil {
		return nil, fmt.Errorf("the desk's public URL: %w", err)
	}

	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.IPExtractor = clientAddress(parts.TrustedProxies)
	e.HTTPErrorHandler = d.fail
	e.Use(middleware.RecoverWithConfig(middleware.RecoverConfig{LogErrorFunc: d.panicked}))
	e.Use(secureHeaders(deskPolicy, deskPermissions, base.Scheme == "https"), ownOrigin, d.bounded)
	for _, r := range deskRoutes {
		d.known[r.Path] = true
		if r.Method == http.MethodGet {
			d.shown = append(d.shown, r.Path)
		}
		e.Add(r.Method, r.Path, d.guard(r))
	}
	return e, nil
}

// panicked keeps the stack in the log and the value out of it: a panic's
// value may quote what a person sent.
func (d *desk) panicked(c echo.Context, _ error, stack []byte) error {
	d.Log.Error("a desk page failed", "route", routeOf(c, d.known), "stack", string(stack))
	return errDeskPanic
}

var errDeskPanic = errors.New("panic")

// render answers with a page.
func (d *desk) render(c echo.Context, status int, name string, data any) error {
	if err := d.Pages.Desk(pageWriter{c.Response(), status}, name, data); err != nil {
		return fmt.Errorf("render %s: %w", name, err)
	}
	if status < http.StatusBadRequest { // the others are counted with their code
		d.count(c, status, "")
	}
	return nil
}

func (d *desk) json(c echo.Context, status int, data any) error {
	d.count(c, status, "")
	return c.JSON(status, data)
}

// redirect answers a post: 303, so that a reload does not post again.
func (d *desk) redirect(c echo.Context, path string) error {
	d.count(c, http.StatusSeeOther, "")
	return c.Redirect(http.StatusSeeOther, path)
}

func (d *desk) count(c echo.Context, status int, code gateway.Code) {
	d.answers.WithLabelValues(routeOf(c, d.known), strconv.Itoa(status), string(code)).Inc()
}

// frame is what every page of the desk shows around its own matter.
type frame struct {
	Sight string // see sightOf; empty before the sign-in
	Title string // of the window; never a client's name, for it stays in the browser's history
	Login string // who is signed in; empty before
	SSO   string // what they call the provider that they sign in through; empty if they sign in here
	Here  string // which entry of the menu is the current one
	Idle  int    // seconds after which the page asks for the password again; 0 before the sign-in
	May   rights // what the person may do at some office
	// Emergency is access that runs, or was opened at the person's offices.
	Emergency emergencyFrame
}

// rights lets a template ask for a right by its name, as in {{if .May.Has "audit"}}.
type rights struct{ staff gateway.Staff }

func (r rights) Has(right string) bool { return r.staff.CanSomewhere(gateway.Right(right)) }

func (d *desk) frame(c echo.Context, title, here string) frame {
	f := frame{Title: title, Here: here}
	if who, ok := signedInActor(c); ok {
		f.Login, f.Idle, f.May = who.Staff.Login, int(d.Idle.Seconds()), rights{who.Staff}
		f.Sight = sightOf(who.Staff)
		if who.Staff.SSO() {
			f.SSO = cmp.Or(d.SSO, "your organization")
		}
		f.Emergency = d.emergencyFrame(c, who)
	}
	return f
}
