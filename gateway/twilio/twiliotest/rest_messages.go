package twiliotest

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"time"
	"unicode/utf16"
)

var phonePattern = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

// maxBody is the longest text, in UTF-16 units.
const maxBody = 1600

func tooLong(body string) bool { return len(utf16.Encode([]rune(body))) > maxBody }

// createMessage checks in Twilio's order and stores the text; its status
// callbacks follow the answer.
func (f *Fake) createMessage(call request) answer {
	form := call.form
	from, to, body := form.Get("From"), form.Get("To"), form.Get("Body")
	f.lock.Lock()
	service := form.Get("MessagingServiceSid")
	pool, served := f.config.Services[service]
	if service != "" && served && from == "" && len(pool.Numbers) > 0 {
		from = pool.Numbers[0]
	}
	n, known := f.config.Numbers[from]
	out := f.optedOut[pair{from, to}]
	f.lock.Unlock()
	callback := form.Get("StatusCallback")
	if callback == "" {
		callback = pool.StatusURL
	}
	switch {
	case service != "" && (!served || pool.Account != call.account):
		return failure(http.StatusBadRequest, 21701, "The Messaging Service does not exist")
	case service != "" && !slices.Contains(pool.Numbers, from):
		return failure(http.StatusBadRequest, 21704, "The Messaging Service does not have a phone number available to send a message")
	case !phonePattern.MatchString(to):
		return failure(http.StatusBadRequest, 21211, "The 'To' number "+to+" is not a valid phone number")
	case !known || n.Account != call.account:
		return failure(http.StatusBadRequest, 21660, "Mismatch between the 'From' number "+from+" and the account "+call.account)
	case to == from:
		return failure(http.StatusBadRequest, 21266, "'To' and 'From' number cannot be the same")
	case body == "":
		return failure(http.StatusBadRequest, 21602, "Message body is required")
	case tooLong(body):
		return failure(http.StatusBadRequest, 21617, "The concatenated message body exceeds the 1600 character limit")
	case out:
		return failure(http.StatusBadRequest, 21610, "Attempt to send to unsubscribed recipient")
	}
	m, err := f.add(message{
		Message: Message{
			Account: call.account, From: from, To: to, Body: body, Direction: FromAPI, Status: "queued", Service: service,
		},
		callback: callback,
	})
	if err != nil {
		return page(http.StatusInternalServerError)
	}
	f.progress(m.SID)
	return object(http.StatusCreated, resource(m, 0))
}

func (f *Fake) fetchMessage(call request) answer {
	f.lock.Lock()
	defer f.lock.Unlock()
	m, ok := f.find(call.account, call.message)
	if !ok {
		return notFound()
	}
	return object(http.StatusOK, resource(m.copy(), m.named))
}

// updateMessage redacts a message: an empty Body, and not together with a Status.
func (f *Fake) updateMessage(call request) answer {
	body, redacts := call.form["Body"]
	status, cancels := call.form["Status"]
	f.lock.Lock()
	defer f.lock.Unlock()
	m, ok := f.find(call.account, call.message)
	switch {
	case !ok:
		return notFound()
	case redacts == cancels:
		return failure(http.StatusBadRequest, 20001, "Give either an empty Body or a Status")
	case cancels && (status[0] != "canceled" || m.final()):
		return failure(http.StatusBadRequest, 30409, "The message cannot be canceled")
	case cancels:
		m.Status = "canceled"
	case body[0] != "":
		return failure(http.StatusBadRequest, 20001, "Body can only be made empty")
	case !m.final():
		return notFinal()
	default:
		m.Body = ""
	}
	f.notify(m.phone())
	return object(http.StatusOK, resource(m.copy(), m.named))
}

// deleteMessage deletes a message together with its media.
func (f *Fake) deleteMessage(call request) answer {
	f.lock.Lock()
	defer f.lock.Unlock()
	m, ok := f.find(call.account, call.message)
	if !ok {
		return notFound()
	}
	if !m.final() {
		return notFinal()
	}
	f.messages.remove(m)
	f.notify(m.phone())
	return answer{status: http.StatusNoContent}
}

// resource is a message in the API's form. named is how many media it arrived
// with: deleting them does not lower num_media.
func resource(m Message, named int) map[string]any {
	uri := "/" + apiVersion + "/Accounts/" + m.Account + "/Messages/" + m.SID
	date := m.CreatedAt.UTC().Format(time.RFC1123Z)
	shown := map[string]any{
		"sid": m.SID, "account_sid": m.Account, "from": m.From, "to": m.To, "body": m.Body,
		"direction": string(m.Direction), "status": m.Status, "error_code": nil, "error_message": nil,
		"num_media": strconv.Itoa(named), "num_segments": strconv.Itoa(segments(m.Body)), "api_version": apiVersion,
		"date_created": date, "date_updated": date, "date_sent": date, "price": nil, "price_unit": "USD",
		"messaging_service_sid": nil, "uri": uri + ".json", "subresource_uris": map[string]string{"media": uri + "/Media.json"},
	}
	if m.Service != "" {
		shown["messaging_service_sid"] = m.Service
	}
	if m.ErrorCode != 0 {
		shown["error_code"] = m.ErrorCode
	}
	return shown
}

// segments is roughly how many parts the networks make of a text: exact where
// it is plain ASCII, and as if it were UCS-2 elsewhere.
func segments(body string) int {
	units, first, further := len(utf16.Encode([]rune(body))), 160, 153
	for _, r := range body {
		if r > 0x7f {
			first, further = 70, 67
			break
		}
	}
	if units <= first {
		return 1
	}
	return (units + further - 1) / further
}
