package twiliotest

import (
	"net/url"
	"strconv"
)

// progress leads a text through its statuses, apart from the request that
// made it: its callbacks may come before the answer is read, as Twilio's may.
func (f *Fake) progress(sid string) {
	f.lock.Lock()
	defer f.lock.Unlock()
	if f.closed {
		return
	}
	f.busy++
	go func() {
		defer f.done()
		for _, status := range f.config.Progress {
			code := 0
			if status == "delivered" {
				status, code = f.outcome(sid)
			}
			if f.ctx.Err() != nil {
				return
			}
			f.report(sid, status, code)
		}
	}()
}

// done counts a text that came to its end.
func (f *Fake) done() {
	f.lock.Lock()
	defer f.lock.Unlock()
	if f.busy--; f.busy == 0 {
		f.idle.Broadcast()
	}
}

// outcome tells whether the phone takes the text.
func (f *Fake) outcome(sid string) (string, int) {
	f.lock.Lock()
	defer f.lock.Unlock()
	if m, ok := f.find("", sid); ok && f.failing[m.phone()] != 0 {
		return "undelivered", f.failing[m.phone()]
	}
	return "delivered", 0
}

// report moves a text to a status and posts the callback. A text that was
// deleted meanwhile is reported no more.
func (f *Fake) report(sid, status string, code int) {
	f.lock.Lock()
	m, ok := f.find("", sid)
	if !ok {
		f.lock.Unlock()
		return
	}
	m.Status, m.ErrorCode = status, code
	shown, callback, token := m.copy(), m.callback, f.config.Accounts[m.Account]
	f.notify(m.phone())
	f.lock.Unlock()
	if callback == "" || token == "" {
		return
	}
	form := url.Values{
		"AccountSid": {shown.Account}, "ApiVersion": {apiVersion}, "From": {shown.From}, "To": {shown.To},
		"MessageSid": {sid}, "MessageStatus": {status}, "SmsSid": {sid}, "SmsStatus": {status},
	}
	if shown.Service != "" {
		form.Set("MessagingServiceSid", shown.Service)
	}
	if code != 0 {
		form.Set("ErrorCode", strconv.Itoa(code))
		form.Set("ErrorMessage", "The carrier did not deliver the message")
	}
	// Nobody waits for a callback's answer; Twilio retries it as it does webhooks.
	_, _ = f.call(f.ctx, token, callback, "", form)
}
