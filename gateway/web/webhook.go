package web

import (
	"context"
	"log/slog"
	"net/http"
	"strings"

	"dropslot/gateway"

	"github.com/labstack/echo/v4"
)

// Channel is the seam to Twilio: it proves and reads webhooks, and writes TwiML.
type Channel interface {
	// ReadMessage reads an inbound message: verified signature, bounded body.
	// CodeForbidden until the signature is proven, then CodeBadRequest too.
	ReadMessage(r *http.Request) (gateway.Message, error)
	// ReadStatus reads what became of a text of ours, likewise; CodeNotFound
	// if it tells of no text.
	ReadStatus(r *http.Request) (gateway.Delivery, error)
	// ReadCall gives the number that was called, likewise.
	ReadCall(r *http.Request) (gateway.Number, error)
	// Reply gives the TwiML that texts body and has its fate reported to the
	// URL action; an empty body is silence.
	Reply(body, action string) []byte
	// Say gives the TwiML that speaks.
	Say(speeches []gateway.Speech) []byte
}

// Twilio texts a text/plain answer to the client: every answer below /twilio/
// is XML, also the refusals.
const twimlType = "text/xml; charset=utf-8"

func isWebhook(r *http.Request) bool {
	return r.URL.Path == "/twilio" || strings.HasPrefix(r.URL.Path, "/twilio/")
}

// receiveText answers one inbound message. A failure is a 503, upon which
// Twilio tries again or asks its fallback URL.
func (i *intake) receiveText(c echo.Context) error {
	ctx, cancel := context.WithTimeout(c.Request().Context(), backendTimeout)
	defer cancel()
	message, err := i.Channel.ReadMessage(c.Request())
	if err != nil {
		return err
	}
	answer, err := i.Inbound.Receive(ctx, message)
	if err != nil {
		return err
	}
	c.Set(toldKey, []slog.Attr{
		slog.String("text", string(answer.Text)), slog.String("office", string(i.Directory.Numbers[message.To].Office)),
		slog.String("reason", string(answer.Reason)), slog.Bool("again", answer.Again), slog.Int("media", message.MediaCount),
	})
	action := ""
	if answer.Body != "" {
		action = i.PublicURL + gateway.AnswerStatusPath(answer.Text)
	}
	return c.Blob(http.StatusOK, twimlType, i.Channel.Reply(answer.Body, action))
}

// receiveStatus notes how far a text of ours came. One that nobody knows any
// more is no fault of Twilio's: it is not asked to tell again.
func (i *intake) receiveStatus(c echo.Context) error {
	ctx, cancel := context.WithTimeout(c.Request().Context(), backendTimeout)
	defer cancel()
	delivery, err := i.Channel.ReadStatus(c.Request())
	if err == nil {
		err = i.Inbound.Deliver(ctx, delivery)
	}
	if err != nil && !gateway.Is(err, gateway.CodeNotFound) {
		return err
	}
	return i.silence(c, http.StatusOK)
}

// receiveCall tells a caller that this number takes texts.
func (i *intake) receiveCall(c echo.Context) error {
	number, err := i.Channel.ReadCall(c.Request())
	if err != nil {
		return err
	}
	speeches, err := i.Inbound.Greeting(number)
	if err != nil {
		return err
	}
	return c.Blob(http.StatusOK, twimlType, i.Channel.Say(speeches))
}

func (i *intake) silence(c echo.Context, status int) error {
	return c.Blob(status, twimlType, i.Channel.Reply("", ""))
}

// refuseWebhook says nothing to the client and the status to Twilio.
func (i *intake) refuseWebhook(c echo.Context, status int) {
	if err := i.silence(c, status); err != nil {
		i.Log.Debug("an answer to Twilio was not taken", slog.String("route", routeOf(c, i.known)))
	}
}
