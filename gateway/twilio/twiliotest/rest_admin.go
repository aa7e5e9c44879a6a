package twiliotest

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/http"
	"slices"
)

// NumberSID is the SID of a number in every fake.
func NumberSID(number string) string {
	sum := sha256.Sum256([]byte(number))
	return "PN" + hex.EncodeToString(sum[:16])
}

func (f *Fake) fetchAccount(call request) answer {
	a := object(http.StatusOK, map[string]any{"sid": call.account, "status": "active", "type": "Full", "friendly_name": "Account"})
	a.header = http.Header{"Date": {f.config.Now().UTC().Format(http.TimeFormat)}}
	return a
}

// listNumbers gives the account's numbers in their order.
func (f *Fake) listNumbers(call request) answer {
	f.lock.Lock()
	defer f.lock.Unlock()
	query := call.r.URL.Query()
	size, page := paging(query)
	var found []any
	for _, number := range slices.Sorted(maps.Keys(f.config.Numbers)) {
		n := f.config.Numbers[number]
		if wanted := query.Get("PhoneNumber"); n.Account == call.account && (wanted == "" || wanted == number) {
			found = append(found, n.resource(number))
		}
	}
	begin := min(page*size, len(found))
	end := min(begin+size, len(found))
	uri := "/" + apiVersion + "/Accounts/" + call.account + "/IncomingPhoneNumbers.json"
	var next any
	if end < len(found) {
		next = uri + "?" + following(query, size, page, "")
	}
	return object(http.StatusOK, map[string]any{
		"incoming_phone_numbers": slices.Concat([]any{}, found[begin:end]), "page": page, "page_size": size,
		"start": begin, "end": max(end-1, 0), "next_page_uri": next, "uri": uri,
	})
}

// updateNumber sets what the form names: from then on it is what the fake does.
func (f *Fake) updateNumber(call request) answer {
	f.lock.Lock()
	defer f.lock.Unlock()
	for number, n := range f.config.Numbers {
		if NumberSID(number) != call.number || n.Account != call.account {
			continue
		}
		for name, field := range n.fields() {
			if values, ok := call.form[name]; ok {
				*field = values[0]
			}
		}
		f.config.Numbers = maps.Clone(f.config.Numbers) // it is the caller's
		f.config.Numbers[number] = n
		return object(http.StatusOK, n.resource(number))
	}
	return notFound()
}

// fields names what the API can set.
func (n *Number) fields() map[string]*string {
	return map[string]*string{
		"SmsUrl": &n.MessageURL, "SmsMethod": &n.MessageMethod, "SmsFallbackUrl": &n.FallbackURL, "SmsFallbackMethod": &n.FallbackMethod,
		"VoiceUrl": &n.VoiceURL, "VoiceMethod": &n.VoiceMethod, "StatusCallback": &n.StatusURL, "StatusCallbackMethod": &n.StatusMethod,
		"SmsApplicationSid": &n.Application,
	}
}

func (n *Number) resource(number string) map[string]any {
	method := func(set string) string {
		if set == "" {
			return http.MethodPost
		}
		return set
	}
	return map[string]any{
		"sid": NumberSID(number), "account_sid": n.Account, "phone_number": number, "friendly_name": number,
		"sms_url": n.MessageURL, "sms_method": method(n.MessageMethod),
		"sms_fallback_url": n.FallbackURL, "sms_fallback_method": method(n.FallbackMethod),
		"voice_url": n.VoiceURL, "voice_method": method(n.VoiceMethod),
		"status_callback": n.StatusURL, "status_callback_method": method(n.StatusMethod),
		"sms_application_sid": n.Application, "voice_application_sid": "", "trunk_sid": nil, "status": "in-use",
	}
}

// listVerifications is that of messaging.twilio.com, whose paths name no account.
func (f *Fake) listVerifications(call request) answer {
	f.lock.Lock()
	defer f.lock.Unlock()
	found := []any{}
	wanted := call.r.URL.Query().Get("TollfreePhoneNumberSid")
	for number, n := range f.config.Numbers {
		if n.Account == call.account && n.Verification != "" && (wanted == "" || wanted == NumberSID(number)) {
			found = append(found, map[string]any{"tollfree_phone_number_sid": NumberSID(number), "status": n.Verification})
		}
	}
	return object(http.StatusOK, map[string]any{"verifications": found, "meta": map[string]any{"key": "verifications", "next_page_url": nil}})
}

func (f *Fake) listCampaigns(call request) answer {
	f.lock.Lock()
	defer f.lock.Unlock()
	service, ok := f.config.Services[call.service]
	if !ok || service.Account != call.account {
		return notFound()
	}
	found := []any{}
	if service.Campaign != "" {
		found = append(found, map[string]any{"messaging_service_sid": call.service, "campaign_status": service.Campaign})
	}
	return object(http.StatusOK, map[string]any{"compliance": found, "meta": map[string]any{"key": "compliance", "next_page_url": nil}})
}
