package twiliotest

import (
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// The lengths of a list's pages.
const (
	pageSize    = 50
	maxPageSize = 1000
)

// paging reads how long a page is and which one is asked for.
func paging(query url.Values) (size, page int) {
	size = pageSize
	if n, err := strconv.Atoi(query.Get("PageSize")); err == nil && n > 0 {
		size = min(n, maxPageSize)
	}
	if n, err := strconv.Atoi(query.Get("Page")); err == nil && n > 0 {
		page = n
	}
	return size, page
}

// following is the query of the page after this one.
func following(query url.Values, size, page int, token string) string {
	query.Set("PageSize", strconv.Itoa(size))
	query.Set("Page", strconv.Itoa(page+1))
	if token != "" {
		query.Set("PageToken", token)
	}
	return query.Encode()
}

// sent is a time that messages are asked for by: an instant, or a day of UTC.
type sent struct{ from, to time.Time }

func parseSent(text string) (sent, bool) {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return sent{at, at.Add(time.Second)}, true
	}
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return sent{day, day.AddDate(0, 0, 1)}, true
	}
	return sent{}, false
}

// sentWithin reads the query's DateSent, DateSent> and DateSent<. All three
// are inclusive; false means that one is no date. Twilio ignores such a one
// and lists everything: a client that erases what is listed must never meet
// that by surprise, so the fake refuses it.
func sentWithin(query url.Values) (sent, bool) {
	all := sent{from: time.Time{}, to: time.Unix(1<<40, 0)}
	for key, values := range query {
		if !strings.HasPrefix(key, "DateSent") {
			continue
		}
		at, ok := parseSent(values[0])
		if !ok {
			return sent{}, false
		}
		switch key {
		case "DateSent":
			all = at
		case "DateSent>":
			all.from = at.from
		case "DateSent<":
			all.to = at.to
		}
	}
	return all, true
}

// listMessages gives the newest first, by PageSize and PageToken, and of one
// From or To or of some time if the query says so. A message that is deleted
// while somebody turns the pages moves none of the others.
func (f *Fake) listMessages(call request) answer {
	query := call.r.URL.Query()
	size, page := paging(query)
	within, ok := sentWithin(query)
	if !ok {
		return failure(http.StatusBadRequest, 20001, "DateSent is no date")
	}
	before := math.MaxInt
	if token := query.Get("PageToken"); token != "" {
		n, err := strconv.Atoi(strings.TrimPrefix(token, "PA"))
		if err != nil {
			return failure(http.StatusBadRequest, 20001, "The PageToken is not ours")
		}
		before = n
	}
	from, to := query.Get("From"), query.Get("To")
	want := func(m *message) bool {
		return m.Account == call.account && (from == "" || m.From == from) && (to == "" || m.To == to) &&
			!m.CreatedAt.Before(within.from) && m.CreatedAt.Before(within.to)
	}
	f.lock.Lock()
	defer f.lock.Unlock()
	phone := ""
	for _, side := range []string{from, to} {
		if _, ours := f.config.Numbers[side]; side != "" && !ours {
			phone = side
		}
	}
	found := f.messages.newest(phone, before, size+1, want)
	shown := []any{}
	for _, m := range found[:min(size, len(found))] {
		shown = append(shown, resource(m.copy(), m.named))
	}
	uri := "/" + apiVersion + "/Accounts/" + call.account + "/Messages.json"
	var next any
	if len(found) > size {
		next = uri + "?" + following(query, size, page, "PA"+strconv.Itoa(found[size-1].serial))
	}
	return object(http.StatusOK, map[string]any{
		"messages": shown, "page": page, "page_size": size, "start": page * size, "end": max(page*size+len(shown)-1, 0),
		"first_page_uri": uri + "?PageSize=" + strconv.Itoa(size), "next_page_uri": next, "uri": uri,
	})
}
