package twiliotest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"time"
)

// listMedia gives all media of a message, also those above the ten that a
// webhook names.
func (f *Fake) listMedia(call request) answer {
	_, empty := f.take(ListMedia, NoMediaYet)
	f.lock.Lock()
	defer f.lock.Unlock()
	m, ok := f.find(call.account, call.message)
	if !ok {
		return notFound()
	}
	uri := "/" + apiVersion + "/Accounts/" + call.account + "/Messages/" + call.message + "/Media"
	held := m.Media
	if empty {
		held = nil
	}
	query := call.r.URL.Query()
	size, number := paging(query)
	begin := min(number*size, len(held))
	end := min(begin+size, len(held))
	shown := []any{}
	for _, media := range held[begin:end] {
		date := m.CreatedAt.UTC().Format(time.RFC1123Z)
		shown = append(shown, map[string]any{
			"sid": media.SID, "account_sid": call.account, "parent_sid": call.message, "content_type": media.Type,
			"date_created": date, "date_updated": date, "uri": uri + "/" + media.SID + ".json",
		})
	}
	var next any
	if end < len(held) {
		next = uri + ".json?" + following(query, size, number, "")
	}
	return object(http.StatusOK, map[string]any{
		"media_list": shown, "page": number, "page_size": size, "start": begin, "end": max(end-1, 0),
		"next_page_uri": next, "uri": uri + ".json",
	})
}

// network begins the paths at which the fake is Twilio's content network.
const network = "/content/"

// fetchMedia serves one picture or tells where it lies.
func (f *Fake) fetchMedia(call request) answer {
	f.lock.Lock()
	defer f.lock.Unlock()
	if !f.config.RedirectMedia {
		return f.content(call)
	}
	if a := f.content(call); a.status != http.StatusOK {
		return a
	}
	scheme := "http"
	if call.r.TLS != nil {
		scheme = "https"
	}
	place := scheme + "://" + call.r.Host + network + call.account + "/" + call.message + "/" + call.media + "?key=" + f.key(call)
	return answer{status: http.StatusTemporaryRedirect, header: http.Header{"Location": {place}}}
}

// serveMedia is the content network: no password, but an address that cannot
// be guessed. It refuses whoever sends it the account's password.
func (f *Fake) serveMedia(call request) answer {
	f.lock.Lock()
	defer f.lock.Unlock()
	if call.r.Header.Get("Authorization") != "" || !hmac.Equal([]byte(f.key(call)), []byte(call.r.URL.Query().Get("key"))) {
		return answer{status: http.StatusForbidden, contentType: "application/xml", body: []byte("<Error/>")}
	}
	return f.content(call)
}

// key opens one picture at the content network.
func (f *Fake) key(call request) string {
	mac := hmac.New(sha256.New, []byte(f.config.Accounts[call.account]))
	_, _ = mac.Write([]byte(call.message + call.media)) // a hash never fails
	return hex.EncodeToString(mac.Sum(nil))
}

// content gives one picture. The lock must be held.
func (f *Fake) content(call request) answer {
	m, ok := f.find(call.account, call.message)
	if !ok {
		return notFound()
	}
	for _, media := range m.Media {
		if media.SID == call.media {
			return answer{status: http.StatusOK, contentType: media.Type, body: media.Content}
		}
	}
	return notFound()
}

func (f *Fake) deleteMedia(call request) answer {
	f.lock.Lock()
	defer f.lock.Unlock()
	m, ok := f.find(call.account, call.message)
	if !ok {
		return notFound()
	}
	before := len(m.Media)
	m.Media = slices.DeleteFunc(m.Media, func(media Media) bool { return media.SID == call.media })
	if len(m.Media) == before {
		return notFound()
	}
	f.notify(m.phone())
	return answer{status: http.StatusNoContent}
}
