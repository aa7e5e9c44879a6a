package twilio

import (
	"context"
	"net/http"
	"net/mail"
	"slices"
	"strconv"

	openapi "github.com/twilio/twilio-go/rest/api/v2010"

	"dropslot/gateway"
)

var _ gateway.TwilioMessages = (*Client)(nil)

func checkMessage(account, message string) error {
	if !isSID([]byte(account), "AC") || !isMessageSID([]byte(message)) {
		return gateway.NewError(gateway.CodeBadRequest, errShape)
	}
	return nil
}

func checkMedia(account, message, media string) error {
	if !isSID([]byte(media), "ME") {
		return gateway.NewError(gateway.CodeBadRequest, errShape)
	}
	return checkMessage(account, message)
}

func messagesPath(account string) string { return "/2010-04-01/Accounts/" + account + "/Messages" }

func messagePath(account, message string) string { return messagesPath(account) + "/" + message }

// Message fetches one message; see the port.
func (c *Client) Message(ctx context.Context, account, message string) (gateway.TwilioMessage, error) {
	if err := checkMessage(account, message); err != nil {
		return gateway.TwilioMessage{}, err
	}
	var m *openapi.ApiV2010Message
	this, err := c.ask(ctx, account, func(api *openapi.ApiService) (err error) {
		m, err = api.FetchMessage(message, nil)
		return err
	})
	if err != nil {
		return gateway.TwilioMessage{}, err
	}
	read, ok := readMessage(m)
	if !ok || read.SID != message || read.Account != account {
		return gateway.TwilioMessage{}, c.coded(&RestError{Status: this.status}, "")
	}
	return read, nil
}

// readMessage reads what Twilio says of a message; false if that is nothing.
func readMessage(m *openapi.ApiV2010Message) (gateway.TwilioMessage, bool) {
	if m == nil || m.Sid == nil || m.AccountSid == nil || m.Direction == nil || !isMessageSID([]byte(*m.Sid)) || !isSID([]byte(*m.AccountSid), "AC") {
		return gateway.TwilioMessage{}, false
	}
	read := gateway.TwilioMessage{
		Account: *m.AccountSid, SID: *m.Sid, Inbound: *m.Direction == "inbound",
		From: text(m.From), To: text(m.To), Words: text(m.Body), State: states[text(m.Status)],
	}
	if m.ErrorCode != nil {
		read.ErrorCode = *m.ErrorCode
	}
	if n, err := strconv.Atoi(text(m.NumMedia)); err == nil && n > 0 {
		read.MediaCount = n
	}
	made := text(m.DateCreated)
	if made == "" {
		made = text(m.DateSent)
	}
	at, err := mail.ParseDate(made) // RFC 2822
	if err != nil {
		return gateway.TwilioMessage{}, false
	}
	read.CreatedAt = at
	return read, true
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// Media lists all of a message's media; see the port.
func (c *Client) Media(ctx context.Context, account, message string) ([]gateway.TwilioMedia, error) {
	if err := checkMessage(account, message); err != nil {
		return nil, err
	}
	var list []gateway.TwilioMedia
	var shown []openapi.ApiV2010Media
	err := c.pages(ctx, account, messagePath(account, message)+"/Media.json", 1, func(api *openapi.ApiService, token, number string) (*string, error) {
		answer, err := api.PageMedia(message, (&openapi.ListMediaParams{}).SetPageSize(pageSize), token, number)
		if err != nil {
			return nil, err
		}
		shown = answer.MediaList
		return answer.NextPageUri, nil
	}, func() error {
		for _, m := range shown {
			if !isSID([]byte(text(m.Sid)), "ME") {
				return c.coded(&RestError{Status: http.StatusOK}, "")
			}
			medium := gateway.TwilioMedia{SID: *m.Sid, Type: text(m.ContentType)}
			if !slices.Contains(list, medium) { // pages shift while media arrive
				list = append(list, medium)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// EraseMedia deletes one of a message's media; see the port. Only a 204 is a
// deletion: twilio-go takes a redirection for one too.
func (c *Client) EraseMedia(ctx context.Context, account, message, media string) (gateway.Erasure, error) {
	if err := checkMedia(account, message, media); err != nil {
		return gateway.Erasure{}, err
	}
	this, err := c.ask(ctx, account, func(api *openapi.ApiService) error { return api.DeleteMedia(message, media, nil) })
	switch {
	case gateway.Is(err, gateway.CodeNotFound):
		return gateway.Erasure{SID: media, Answer: "404"}, nil
	case err != nil:
		return gateway.Erasure{}, err
	case this.status != http.StatusNoContent:
		return gateway.Erasure{}, c.coded(&RestError{Status: this.status}, this.retryAfter)
	}
	return gateway.Erasure{SID: media, Answer: "204"}, nil
}

// EraseBody redacts a message; see the port. It is proven by the answer, which
// shows the message without words.
func (c *Client) EraseBody(ctx context.Context, account, message string) (gateway.Erasure, error) {
	if err := checkMessage(account, message); err != nil {
		return gateway.Erasure{}, err
	}
	var m *openapi.ApiV2010Message
	this, err := c.ask(ctx, account, func(api *openapi.ApiService) (err error) {
		m, err = api.UpdateMessage(message, (&openapi.UpdateMessageParams{}).SetBody(""))
		return err
	})
	if gateway.Is(err, gateway.CodeNotFound) {
		return gateway.Erasure{SID: message, Answer: "404"}, nil
	}
	if err != nil {
		return gateway.Erasure{}, err
	}
	if read, ok := readMessage(m); !ok || read.SID != message || m.Body == nil || read.Words != "" {
		return gateway.Erasure{}, c.coded(&RestError{Status: this.status}, "")
	}
	return gateway.Erasure{SID: message, Answer: strconv.Itoa(this.status)}, nil
}
