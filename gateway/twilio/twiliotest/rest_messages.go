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
	n, known := f.config.Numbers[from]
	out := f.optedOut[pair{from, to}]
	f.lock.Unlock()
	switch {
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
			Account: call.account, From: from, To: to, Body: body, Direction: FromAPI, Status: "queued",
		},
		callback: form.Get("StatusCallback"),
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

// listMessages gives the newest first, by PageSize and Page, and of one From
// or To if the query names it.
func (f *Fake) listMessages(call request) answer {
	query := call.r.URL.Query()
	size, page := 50, 0
	if n, err := strconv.Atoi(query.Get("PageSize")); err == nil && n > 0 {
		size = min(n, 1000)
	}
	if n, err := strconv.Atoi(query.Get("Page")); err == nil && n > 0 {
		page = n
	}
	found := f.list(func(m *message) bool {
		return m.Account == call.account && (query.Get("From") == "" || m.From == query.Get("From")) &&
			(query.Get("To") == "" || m.To == query.Get("To"))
	})
	slices.Reverse(found)
	begin := min(page*size, len(found))
	end := min(begin+size, len(found))
	shown := []any{}
	for _, m := range found[begin:end] {
		shown = append(shown, resource(m, len(m.Media)))
	}
	uri := "/" + apiVersion + "/Accounts/" + call.account + "/Messages.json"
	var next any
	if end < len(found) {
		query.Set("PageSize", strconv.Itoa(size))
		query.Set("Page", strconv.Itoa(page+1))
		next = uri + "?" + query.Encode()
	}
	return object(http.StatusOK, map[string]any{
		"messages": shown, "page": page, "page_size": size, "start": begin, "end": max(end-1, 0),
		"first_page_uri": uri + "?PageSize=" + strconv.Itoa(size), "next_page_uri": next, "uri": uri,
	})
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
	f.messages = slices.DeleteFunc(f.messages, func(other *message) bool { return other == m })
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
