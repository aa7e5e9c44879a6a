package twilio

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	openapi "github.com/twilio/twilio-go/rest/api/v2010"

	"dropslot/gateway"
)

const (
	// pageSize keeps a page of Twilio's lists below maxAnswer.
	pageSize = 200
	// maxPages bounds a list: a next_page_uri that never ends is a fault.
	maxPages = 10_000
	// longList is how often each page of a long list is asked for: a hundred
	// pages would seldom come to their end if one of them ended them.
	longList = 5
)

// pageCall asks for one page and gives the address of the next.
type pageCall func(api *openapi.ApiService, token, number string) (next *string, err error)

// pages asks for the pages of the list at path until there is no more.
func (c *Client) pages(ctx context.Context, account, path string, tries int, page pageCall, seen func() error) error {
	var place listPlace
	been := map[listPlace]bool{}
	for range maxPages {
		next, err := c.page(ctx, account, place, tries, page)
		if err != nil {
			return err
		}
		if err := seen(); err != nil {
			return err
		}
		if text(next) == "" {
			return nil
		}
		been[place] = true
		var ok bool
		if place, ok = c.nextPage(*next, path); !ok || been[place] {
			break
		}
	}
	return c.coded(&RestError{Status: http.StatusOK, Reason: "the list leads elsewhere or does not end"}, "")
}

// page asks for one page, again after a pause if Twilio is not well.
func (c *Client) page(ctx context.Context, account string, place listPlace, tries int, ask pageCall) (next *string, err error) {
	for try := 1; ; try++ {
		_, err = c.ask(ctx, account, func(api *openapi.ApiService) (err error) {
			next, err = ask(api, place.token, place.number)
			return err
		})
		failed, ok := errors.AsType[*RestError](err)
		if err == nil || !ok || gateway.Is(err, gateway.CodeForbidden) || try >= tries {
			return next, err
		}
		if c.config.Wait(ctx, min(max(failed.Wait, time.Second), maxPause)) != nil {
			return nil, err
		}
	}
}

// listPlace is where a page begins.
type listPlace struct{ token, number string }

// nextPage reads the address of the next page, which must be that of the same
// list on the same host. The request is made with the place alone: whatever
// the address says, the credentials go nowhere else.
func (c *Client) nextPage(address, path string) (listPlace, bool) {
	u, err := url.Parse(address)
	if err != nil || u.Path != path || u.User != nil || u.Fragment != "" ||
		(u.Scheme != "" || u.Host != "") && (u.Scheme != c.base.Scheme || u.Host != c.base.Host) {
		return listPlace{}, false
	}
	query, err := url.ParseQuery(u.RawQuery)
	place := listPlace{token: query.Get("PageToken"), number: query.Get("Page")}
	ok := err == nil && place != listPlace{} && isPageToken(place.token) && (place.number == "" || isDigits([]byte(place.number), 9))
	return place, ok
}

// isPageToken holds back what twilio-go would change in a query.
func isPageToken(token string) bool {
	for _, c := range []byte(token) {
		if !isAlphanumeric(string(c)) && c != '-' && c != '_' {
			return false
		}
	}
	return len(token) <= 256
}

// List visits the messages from and to a number; see the port. Twilio filters
// by when a message was sent, up to some hours after it was made, and knows no
// such time of one that still waits. So it is asked for a day more on the side
// of the past, and the time of making is compared here. A message that a
// number sent to itself, or that slid onto the next page, is visited once.
func (c *Client) List(ctx context.Context, number gateway.Number, since, until time.Time, visit func(gateway.TwilioMessage) error) error {
	account, ok := c.config.Numbers[number]
	if !ok {
		return gateway.NewError(gateway.CodeBadRequest, errors.New("the number is not configured"))
	}
	visited := map[string]bool{}
	var unreadable error
	for _, to := range []bool{true, false} {
		params := (&openapi.ListMessageParams{}).SetPageSize(pageSize).SetDateSentAfter(since.AddDate(0, 0, -1))
		if to {
			params.SetTo(string(number))
		} else {
			params.SetFrom(string(number))
		}
		if err := c.list(ctx, account, longList, params, func(m gateway.TwilioMessage) error {
			if m.CreatedAt.Before(since) || !m.CreatedAt.Before(until) || m.Account != account || visited[m.SID] {
				return nil
			}
			visited[m.SID] = true
			if m.Inbound {
				m.Sender, m.Phone, m.Country = c.regions.sender(m.From)
			}
			return visit(m)
		}, func(err error) error {
			unreadable = cmp.Or(unreadable, err)
			return nil
		}); err != nil {
			return err
		}
	}
	return unreadable
}

// list visits what can be read; an error of unread ends it at what cannot.
func (c *Client) list(ctx context.Context, account string, tries int, params *openapi.ListMessageParams, visit func(gateway.TwilioMessage) error, unread func(error) error) error {
	var shown []openapi.ApiV2010Message
	return c.pages(ctx, account, messagesPath(account)+".json", tries, func(api *openapi.ApiService, token, number string) (*string, error) {
		answer, err := api.PageMessage(params, token, number)
		if err != nil {
			return nil, err
		}
		shown = answer.Messages
		return answer.NextPageUri, nil
	}, func() error {
		for i := range shown {
			var err error
			if m, ok := readMessage(&shown[i]); ok {
				err = visit(m)
			} else {
				err = unread(c.coded(&RestError{Status: http.StatusOK}, ""))
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// trialPrefix is what Twilio puts before each text of a trial account.
const trialPrefix = "Sent from your Twilio trial account - "

// errEnough ends a list early.
var errEnough = errors.New("enough")

// Find looks for a text of ours whose answer was lost; see the port. Twilio
// lists the newest first, and by the time of sending it would not find what
// still waits for it: no filter by time.
func (c *Client) Find(ctx context.Context, t gateway.OutgoingText, since time.Time) (sid string, state gateway.DeliveryState, found bool, err error) {
	account, ok := c.config.Numbers[t.From]
	if !ok {
		return "", "", false, gateway.NewError(gateway.CodeBadRequest, errors.New("the number is not configured"))
	}
	params := (&openapi.ListMessageParams{}).SetPageSize(pageSize).SetFrom(string(t.From)).SetTo(t.To.E164())
	since = since.Truncate(time.Second) // Twilio tells no fractions
	err = c.list(ctx, account, 1, params, func(m gateway.TwilioMessage) error {
		switch {
		case m.CreatedAt.Before(since.AddDate(0, 0, -1)):
			return errEnough
		case m.Inbound || m.CreatedAt.Before(since) || strings.TrimSpace(strings.TrimPrefix(m.Words, trialPrefix)) != strings.TrimSpace(t.Body):
			return nil
		}
		sid, state, found = m.SID, cmp.Or(m.State, gateway.DeliveryQueued), true
		return errEnough
	}, func(err error) error { return err }) // it may be the one
	if errors.Is(err, errEnough) {
		err = nil
	}
	if err != nil {
		return "", "", false, err
	}
	return sid, state, found, nil
}
