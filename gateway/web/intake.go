package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"dropslot/gateway"
	"dropslot/templates"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"github.com/prometheus/client_golang/prometheus"
)

// Inbound is the flow of texts and calls that arrive.
type Inbound interface {
	Receive(ctx context.Context, m gateway.Message) (gateway.Answer, error)
	Deliver(ctx context.Context, d gateway.Delivery) error
	Greeting(to gateway.Number) ([]gateway.Speech, error)
}

// Claims is the flow of a link that is looked at and claimed.
type Claims interface {
	Look(ctx context.Context, t gateway.Token, b gateway.Browser) (gateway.LinkView, error)
	Claim(ctx context.Context, t gateway.Token, b gateway.Browser) (gateway.LinkView, error)
	Again(ctx context.Context, t gateway.Token) (gateway.LinkView, error)
	AgainFor(ctx context.Context, s gateway.Session) error
}

// Uploads is the flow of pages into a claimed submission.
type Uploads interface {
	Session(ctx context.Context, id gateway.SubmissionID, b gateway.Browser) (gateway.Session, gateway.Office, error)
	AcceptSealed(ctx context.Context, s gateway.Session, p gateway.SealedPage) (gateway.Page, error)
	AcceptPlain(ctx context.Context, s gateway.Session, p gateway.PlainPage) (gateway.Page, error)
	Remove(ctx context.Context, s gateway.Session, key gateway.PageKey) error
	Label(ctx context.Context, s gateway.Session, key gateway.PageKey, label string) error
	Order(ctx context.Context, s gateway.Session, keys []gateway.PageKey) error
	Lack(ctx context.Context, s gateway.Session, ask string, reason gateway.LackReason) error
	Camera(ctx context.Context, s gateway.Session) error
	Finish(ctx context.Context, s gateway.Session, name gateway.Name) (gateway.Submission, error)
}

// ClientPages renders the client's pages. Nothing is written to w unless the
// whole page could be rendered.
type ClientPages interface {
	Client(w io.Writer, name, language string, data any) error
}

// Words gives the catalogs' words. An unknown language falls back to English.
type Words interface {
	Languages() []templates.Language
	Say(language, key string, vars templates.Vars) string
}

// DefaultStall is how long an upload may bring no byte before it is ended.
const DefaultStall = time.Minute

// A page shows an error, and Twilio gets its 503, at the latest after this
// long when SQL or Redis does not answer.
const backendTimeout = 1500 * time.Millisecond

// IntakeParts is what the public side is made of.
type IntakeParts struct {
	Channel    Channel
	Inbound    Inbound
	Claims     Claims
	Uploads    Uploads
	Recipients func(gateway.OfficeID) []string // of an office, in the text form of age
	Directory  gateway.Directory
	Limits     gateway.Limits
	Limiter    gateway.Limiter
	Pages      ClientPages
	Words      Words
	Static     http.Handler // serves the paths below /static/
	// PublicURL is what every link begins with and Twilio signs, without a
	// slash at its end.
	PublicURL      string
	TrustedProxies []netip.Prefix
	Stall          time.Duration // 0 means DefaultStall
	Now            func() time.Time
	Random         io.Reader
	Log            *slog.Logger
	Metrics        prometheus.Registerer
}

type intake struct {
	IntakeParts
	answers *prometheus.CounterVec
	seconds *prometheus.HistogramVec
	known   map[string]bool // the paths of the table of routes
	flying  *inFlight
}

// NewIntake makes the public side: Twilio's webhooks and the client's pages.
// The server it runs in should have a ReadTimeout and a WriteTimeout: uploads
// extend both for themselves while bytes arrive.
func NewIntake(parts IntakeParts) (http.Handler, error) {
	base, err := url.Parse(parts.PublicURL)
	if err != nil || base.Host == "" {
		return nil, errors.New("the intake needs its public URL")
	}
	if parts.Stall == 0 {
		parts.Stall = DefaultStall
	}
	i := &intake{IntakeParts: parts, known: make(map[string]bool), flying: newInFlight(uploadsEach, uploadsInAll)}
	if err := i.registerMetrics(); err != nil {
		return nil, err
	}
	// Webhooks carry a signature.
	ownOrigin, err := sameOrigin(base, isWebhook)
	if err != nil {
		return nil, err
	}

	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.IPExtractor = clientAddress(parts.TrustedProxies)
	e.HTTPErrorHandler = i.fail
	e.Use(i.observe, secureHeaders(intakePolicy, intakePermissions, base.Scheme == "https"),
		middleware.RecoverWithConfig(middleware.RecoverConfig{LogErrorFunc: i.panicked}), ownOrigin)
	for _, r := range i.routes() {
		i.known[r.path] = true
		e.Add(r.method, r.path, r.handle)
		if r.method == http.MethodGet {
			e.Add(http.MethodHead, r.path, r.handle)
		}
	}
	return e, nil
}

type intakeRoute struct {
	method, path string
	handle       echo.HandlerFunc
}

// routes is the whole public surface. A GET answers HEAD alike and changes nothing.
func (i *intake) routes() []intakeRoute {
	return []intakeRoute{
		{http.MethodPost, "/twilio/messages", i.receiveText},
		{http.MethodPost, "/twilio/status", i.receiveStatus},
		{http.MethodPost, "/twilio/voice", i.receiveCall},
		{http.MethodGet, "/c/:token", i.showLink},
		{http.MethodPost, "/c/:token", i.claimLink},
		{http.MethodPost, "/c/:token/again", i.sendAgain},
		{http.MethodGet, "/send/:id", compressed(i.showSend)},
		{http.MethodPost, "/send/:id/pages", i.receivePage},
		{http.MethodDelete, "/send/:id/pages/:page", i.removePage},
		{http.MethodPost, "/send/:id/pages/:page/remove", i.removePage},
		{http.MethodPost, "/send/:id/pages/:page/label", i.labelPage},
		{http.MethodPost, "/send/:id/order", i.orderPages},
		{http.MethodPost, "/send/:id/lacks", i.sayLack},
		{http.MethodPost, "/send/:id/camera", i.cameraRuns},
		{http.MethodPost, "/send/:id/done", i.finish},
		{http.MethodGet, "/send/:id/receipt", i.showReceipt},
		{http.MethodPost, "/send/:id/again", i.sendAgainFor},
		{http.MethodGet, "/static/*", i.static},
		{http.MethodGet, "/robots.txt", i.robots},
		{http.MethodGet, "/", i.showHome},
	}
}

func (i *intake) registerMetrics() error {
	i.answers = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "dropslot_intake_answers_total",
		Help: "Answers of the intake by route, status and error code.",
	}, []string{"route", "status", "code"})
	i.seconds = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "dropslot_intake_seconds",
		Help:    "Time from a request's header to the end of its answer, by route.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2, 5, 15, 60, 300, 1800},
	}, []string{"route"})
	for _, c := range []prometheus.Collector{i.answers, i.seconds} {
		if err := i.Metrics.Register(c); err != nil {
			return fmt.Errorf("register the intake's metrics: %w", err)
		}
	}
	return nil
}

// panicked keeps the stack in the log and the value out of it: a panic's
// value may quote what a person sent.
func (i *intake) panicked(c echo.Context, _ error, stack []byte) error {
	i.Log.Error("a request failed", slog.String("route", routeOf(c, i.known)), slog.String("stack", string(stack)))
	return errIntakePanic
}

func (i *intake) static(c echo.Context) error {
	c.Response().Header().Del(echo.HeaderCacheControl) // the handler's own: hashed names never change
	i.Static.ServeHTTP(c.Response(), c.Request())
	return nil
}

func (i *intake) robots(c echo.Context) error {
	return c.String(http.StatusOK, "User-agent: *\nDisallow: /\n")
}

func (i *intake) showHome(c echo.Context) error {
	setScene(c, scene{path: "/"})
	return i.render(c, http.StatusOK, "home", i.view(c))
}
