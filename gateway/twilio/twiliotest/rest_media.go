package twiliotest

import (
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
	shown := []any{}
	for _, media := range m.Media {
		if empty {
			break
		}
		date := m.CreatedAt.UTC().Format(time.RFC1123Z)
		shown = append(shown, map[string]any{
			"sid": media.SID, "account_sid": call.account, "parent_sid": call.message, "content_type": media.Type,
			"date_created": date, "date_updated": date, "uri": uri + "/" + media.SID + ".json",
		})
	}
	return object(http.StatusOK, map[string]any{
		"media_list": shown, "page": 0, "page_size": 50, "start": 0, "end": max(len(shown)-1, 0),
		"next_page_uri": nil, "uri": uri + ".json",
	})
}

func (f *Fake) fetchMedia(call request) answer {
	f.lock.Lock()
	defer f.lock.Unlock()
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
