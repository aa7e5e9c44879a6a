package twilio

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

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
	if !ok || read.SID != message {
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
	read.CreatedAt, _ = time.Parse(time.RFC1123Z, made)
	return read, true
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

const (
	// pageSize keeps a page of Twilio's lists well below maxAnswer.
	pageSize = 200
	// maxPages bounds a list: a next_page_uri that never ends is a fault.
	maxPages = 5000
)

// pages asks for the pages of a list until there is no more. Of the address of
// the next page only its place in the list is taken, so that no answer can
// lead elsewhere.
func (c *Client) pages(ctx context.Context, account string, page func(api *openapi.ApiService, token, number string) (next *string, err error), seen func() error) error {
	token, number := "", ""
	for range maxPages {
		var next *string
		_, err := c.ask(ctx, account, func(api *openapi.ApiService) (err error) {
			next, err = page(api, token, number)
			return err
		})
		if err != nil {
			return err
		}
		if err := seen(); err != nil {
			return err
		}
		if text(next) == "" {
			return nil
		}
		u, err := url.Parse(*next)
		if err != nil || u.Query().Get("PageToken") == "" && u.Query().Get("Page") == "" {
			return c.coded(&RestError{Status: http.StatusOK}, "")
		}
		token, number = u.Query().Get("PageToken"), u.Query().Get("Page")
	}
	return c.coded(&RestError{Status: http.StatusOK}, "")
}

// Media lists all of a message's media; see the port.
func (c *Client) Media(ctx context.Context, account, message string) ([]gateway.TwilioMedia, error) {
	if err := checkMessage(account, message); err != nil {
		return nil, err
	}
	var list []gateway.TwilioMedia
	var shown []openapi.ApiV2010Media
	err := c.pages(ctx, account, func(api *openapi.ApiService, token, number string) (*string, error) {
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
			list = append(list, gateway.TwilioMedia{SID: *m.Sid, Type: text(m.ContentType)})
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
	if read, ok := readMessage(m); !ok || read.SID != message || read.Words != "" {
		return gateway.Erasure{}, c.coded(&RestError{Status: this.status}, "")
	}
	return gateway.Erasure{SID: message, Answer: strconv.Itoa(this.status)}, nil
}

// List visits the messages from and to a number; see the port. Twilio filters
// by the day that a message was sent; the time is compared here.
func (c *Client) List(ctx context.Context, number gateway.Number, since, until time.Time, visit func(gateway.TwilioMessage) error) error {
	account, ok := c.config.Numbers[number]
	if !ok {
		return gateway.NewError(gateway.CodeBadRequest, errors.New("the number is not configured"))
	}
	for _, to := range []bool{true, false} {
		params := (&openapi.ListMessageParams{}).SetPageSize(pageSize).SetDateSentAfter(since.AddDate(0, 0, -1))
		if to {
			params.SetTo(string(number))
		} else {
			params.SetFrom(string(number))
		}
		if err := c.list(ctx, account, params, func(m gateway.TwilioMessage) error {
			if m.CreatedAt.Before(since) || !m.CreatedAt.Before(until) || m.Account != account {
				return nil
			}
			return visit(m)
		}); err != nil {
			return err
		}
	}
	return nil
}

func (c *Client) list(ctx context.Context, account string, params *openapi.ListMessageParams, visit func(gateway.TwilioMessage) error) error {
	var shown []openapi.ApiV2010Message
	return c.pages(ctx, account, func(api *openapi.ApiService, token, number string) (*string, error) {
		answer, err := api.PageMessage(params, token, number)
		if err != nil {
			return nil, err
		}
		shown = answer.Messages
		return answer.NextPageUri, nil
	}, func() error {
		for i := range shown {
			m, ok := readMessage(&shown[i])
			if !ok {
				return c.coded(&RestError{Status: http.StatusOK}, "")
			}
			if err := visit(m); err != nil {
				return err
			}
		}
		return nil
	})
}

var errFound = errors.New("found")

// Find looks for a text of ours whose answer was lost; see the port.
func (c *Client) Find(ctx context.Context, t gateway.OutgoingText, since time.Time) (sid string, state gateway.DeliveryState, found bool, err error) {
	account, ok := c.config.Numbers[t.From]
	if !ok {
		return "", "", false, gateway.NewError(gateway.CodeBadRequest, errors.New("the number is not configured"))
	}
	params := (&openapi.ListMessageParams{}).SetPageSize(pageSize).SetFrom(string(t.From)).SetTo(t.To.E164())
	err = c.list(ctx, account, params, func(m gateway.TwilioMessage) error {
		if m.Inbound || m.Words != t.Body || m.CreatedAt.Before(since.Truncate(time.Second)) {
			return nil
		}
		sid, state = m.SID, m.State
		return errFound
	})
	if errors.Is(err, errFound) {
		return sid, state, true, nil
	}
	return "", "", false, err
}
