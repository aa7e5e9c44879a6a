package twilio

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	openapi "github.com/twilio/twilio-go/rest/api/v2010"

	"dropslot/gateway"
)

// AccountState is what Twilio says of an account.
type AccountState struct {
	Status string        // "active", "suspended" or "closed"
	Skew   time.Duration // of this machine's clock against Twilio's: positive is ahead
}

// Account asks for an account, which shows that its credentials are accepted.
func (c *Client) Account(ctx context.Context, account string) (AccountState, error) {
	var found *openapi.ApiV2010Account
	this, err := c.ask(ctx, account, func(api *openapi.ApiService) (err error) {
		found, err = api.FetchAccount(account)
		return err
	})
	if err != nil {
		return AccountState{}, err
	}
	if text(found.Sid) != account {
		return AccountState{}, c.coded(&RestError{Status: this.status}, "")
	}
	state := AccountState{Status: text(found.Status)}
	if at, err := http.ParseTime(this.date); err == nil {
		state.Skew = c.config.Now().Sub(at).Round(time.Second)
	}
	return state, nil
}

// NumberSetup is where Twilio turns to about a number.
type NumberSetup struct {
	SMSURL, SMSFallbackURL, VoiceURL, StatusCallback string
	Application                                      bool // a TwiML application or a SIP trunk overrides the URLs
	OtherMethod                                      bool // one of the URLs is not posted to
}

// IncomingNumber is one of an account's numbers.
type IncomingNumber struct {
	SID   string // PN and 32 hexadecimal digits
	Setup NumberSetup
}

// IncomingNumber finds one of the offices' numbers at its account, or
// CodeNotFound: the account does not own it.
func (c *Client) IncomingNumber(ctx context.Context, number gateway.Number) (IncomingNumber, error) {
	var found *openapi.ApiV2010IncomingPhoneNumber
	_, err := c.ask(ctx, c.config.Numbers[number], func(api *openapi.ApiService) error {
		page, err := api.PageIncomingPhoneNumber((&openapi.ListIncomingPhoneNumberParams{}).SetPhoneNumber(string(number)), "", "")
		if err != nil {
			return err
		}
		for i, n := range page.IncomingPhoneNumbers {
			if text(n.PhoneNumber) == string(number) {
				found = &page.IncomingPhoneNumbers[i]
			}
		}
		return nil
	})
	if err != nil {
		return IncomingNumber{}, err
	}
	if found == nil || !isSID([]byte(text(found.Sid)), "PN") {
		return IncomingNumber{}, gateway.NewError(gateway.CodeNotFound, errors.New("the account does not own the number"))
	}
	return IncomingNumber{SID: *found.Sid, Setup: NumberSetup{
		SMSURL: text(found.SmsUrl), SMSFallbackURL: text(found.SmsFallbackUrl), VoiceURL: text(found.VoiceUrl),
		StatusCallback: text(found.StatusCallback),
		Application:    text(found.SmsApplicationSid)+text(found.VoiceApplicationSid)+text(found.TrunkSid) != "",
		OtherMethod:    !posted(found.SmsMethod, found.SmsFallbackMethod, found.VoiceMethod, found.StatusCallbackMethod),
	}}, nil
}

func posted(methods ...*string) bool {
	for _, method := range methods {
		if text(method) != http.MethodPost {
			return false
		}
	}
	return true
}

// SetNumber changes where Twilio turns to about a number; every URL is posted to.
func (c *Client) SetNumber(ctx context.Context, number gateway.Number, sid string, s NumberSetup) error {
	if !isSID([]byte(sid), "PN") {
		return gateway.NewError(gateway.CodeBadRequest, errShape)
	}
	params := (&openapi.UpdateIncomingPhoneNumberParams{}).
		SetSmsUrl(s.SMSURL).SetSmsMethod(http.MethodPost).SetSmsFallbackUrl(s.SMSFallbackURL).SetSmsFallbackMethod(http.MethodPost).
		SetVoiceUrl(s.VoiceURL).SetVoiceMethod(http.MethodPost).
		SetStatusCallback(s.StatusCallback).SetStatusCallbackMethod(http.MethodPost).
		SetSmsApplicationSid("").SetVoiceApplicationSid("").SetTrunkSid("")
	_, err := c.ask(ctx, c.config.Numbers[number], func(api *openapi.ApiService) error {
		_, err := api.UpdateIncomingPhoneNumber(sid, params)
		return err
	})
	return err
}

// MediaGuard tells whether media need a password.
type MediaGuard string

// What was found out about the guard of media.
const (
	MediaGuarded MediaGuard = "guarded"
	MediaOpen    MediaGuard = "open" // whoever has the address gets the picture
	MediaUnknown MediaGuard = ""     // no picture lies there to try it with
)

// MediaGuard asks for a picture without credentials, if one lies there.
func (c *Client) MediaGuard(ctx context.Context, number gateway.Number) (MediaGuard, error) {
	now := c.config.Now()
	guard := MediaUnknown
	tried := 0
	err := c.List(ctx, number, now.AddDate(0, 0, -7), now, func(m gateway.TwilioMessage) error {
		if !m.Inbound || m.MediaCount == 0 {
			return nil
		}
		if tried++; tried > 20 {
			return errEnough
		}
		list, err := c.Media(ctx, m.Account, m.SID)
		if err != nil || len(list) == 0 {
			return nil //nolint:nilerr // the next one may tell
		}
		status, err := c.anonymous(ctx, m.Account, m.SID, list[0].SID)
		if err != nil {
			return err
		}
		switch {
		case status == http.StatusUnauthorized || status == http.StatusForbidden:
			guard = MediaGuarded
		case status == http.StatusOK || isRedirect(status):
			guard = MediaOpen
		default:
			return nil // erased meanwhile, or Twilio is not well: the next one may tell
		}
		return errEnough
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return guard, err
}

func (c *Client) anonymous(ctx context.Context, account, message, media string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	address := *c.base
	address.Path = messagePath(account, message) + "/Media/" + media
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
	if err != nil {
		return 0, err
	}
	answer, err := c.config.Transport.RoundTrip(request)
	if err != nil {
		return 0, c.coded(&RestError{}, "")
	}
	_ = answer.Body.Close() // not read: a picture may be in it
	return answer.StatusCode, nil
}

// Registration is what Twilio says of a number's registration with the
// carriers; empty if it says nothing.
func (c *Client) Registration(ctx context.Context, number gateway.Number, sid string) (string, error) {
	if service := c.config.Services[number]; service != "" {
		var answer struct {
			Compliance []struct {
				Status string `json:"campaign_status"`
			} `json:"compliance"`
		}
		err := c.messaging(ctx, number, "/v1/Services/"+service+"/Compliance/Usa2p", nil, &answer)
		if err != nil || len(answer.Compliance) == 0 {
			return "", err
		}
		return stateWord(answer.Compliance[0].Status), nil
	}
	if !tollFree(number) {
		return "", nil
	}
	var answer struct {
		Verifications []struct {
			Status string `json:"status"`
			Number string `json:"tollfree_phone_number_sid"`
		} `json:"verifications"`
	}
	err := c.messaging(ctx, number, "/v1/Tollfree/Verifications", url.Values{"TollfreePhoneNumberSid": {sid}}, &answer)
	for _, v := range answer.Verifications {
		if v.Number == sid {
			return stateWord(v.Status), nil
		}
	}
	return "", err
}

// stateWord keeps a word of a state, such as in_review, and nothing else.
func stateWord(text string) string {
	if len(text) > 40 || !isAlphanumeric(strings.ReplaceAll(text, "_", "")) {
		return ""
	}
	return strings.ToLower(text)
}

// tollFree: the toll-free area codes of the North American numbering plan.
func tollFree(n gateway.Number) bool {
	for _, area := range []string{"800", "833", "844", "855", "866", "877", "888"} {
		if strings.HasPrefix(string(n), "+1"+area) {
			return true
		}
	}
	return false
}

// messaging asks Twilio's messaging API, which twilio-go is not imported for.
func (c *Client) messaging(ctx context.Context, number gateway.Number, path string, query url.Values, into any) error {
	address := *c.base
	if address.Host == "api.twilio.com" {
		address.Host = "messaging.twilio.com"
	}
	address.Path, address.RawQuery = path, query.Encode()
	account := c.config.Numbers[number]
	err := errUnknownAccount
	for _, token := range c.config.Accounts[account] {
		if err = c.messagingWith(ctx, address.String(), account, token, into); !gateway.Is(err, gateway.CodeForbidden) {
			break
		}
	}
	return err
}

func (c *Client) messagingWith(ctx context.Context, address, account string, token AuthToken, into any) error {
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	request.SetBasicAuth(account, token.secret)
	answer, err := c.config.Transport.RoundTrip(request)
	if err != nil {
		return c.coded(&RestError{}, "")
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK || json.NewDecoder(io.LimitReader(answer.Body, maxAnswer)).Decode(into) != nil {
		return c.coded(&RestError{Status: answer.StatusCode}, answer.Header.Get("Retry-After"))
	}
	return nil
}
