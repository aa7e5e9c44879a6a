package main

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"hash"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
)

const (
	accountSID = "AC" + "0123456789abcdef0123456789abcdef"
	authToken  = "0123456789abcdef0123456789abcdef"
	ourNumber  = "+15551230100"
)

// serial makes every message and every sender of one run of the benchmark distinct.
var serial atomic.Int64

// Area codes that are in use: numbers elsewhere may be refused as impossible.
var areaCodes = []string{"217", "224", "309", "312", "331", "618", "630", "708", "773", "815", "847"}

func senderOf(n int64) string {
	return "+1" + areaCodes[n%int64(len(areaCodes))] + strconv.FormatInt(2_000_000+n/int64(len(areaCodes))%8_000_000, 10)
}

// The parameters of a text that do not change, as Twilio sends them.
var steady = map[string]string{
	"ToCountry": "US", "ToState": "IL", "ToCity": "", "ToZip": "", "FromCountry": "US", "FromState": "IL",
	"FromCity": "CHICAGO", "FromZip": "60601", "SmsStatus": "received", "NumMedia": "0", "NumSegments": "1",
	"Body": "Hello, where can I send my papers?", "To": ourNumber, "AccountSid": accountSID, "ApiVersion": "2010-04-01",
}

// messenger makes signed webhook requests. One goroutine uses one messenger.
type messenger struct {
	url  string // as signed
	path string
	host string
	keys []string
	mac  hash.Hash
	body strings.Builder
	sum  []byte
}

func newMessenger(publicURL, address string) *messenger {
	keys := []string{"MessageSid", "SmsSid", "SmsMessageSid", "From"}
	for key := range steady {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	const path = "/twilio/messages"
	return &messenger{
		url: publicURL + path, path: path, host: address, keys: keys,
		mac: hmac.New(sha1.New, []byte(authToken)),
	}
}

// next gives the bytes of one request: a new message of a new sender.
func (m *messenger) next() []byte {
	n := serial.Add(1)
	sid := fmt.Sprintf("SM%032x", n)
	m.mac.Reset()
	m.body.Reset()
	m.mac.Write([]byte(m.url))
	for i, key := range m.keys {
		value := steady[key]
		switch key {
		case "MessageSid", "SmsSid", "SmsMessageSid":
			value = sid
		case "From":
			value = senderOf(n)
		}
		m.mac.Write([]byte(key))
		m.mac.Write([]byte(value))
		if i > 0 {
			m.body.WriteByte('&')
		}
		m.body.WriteString(key)
		m.body.WriteByte('=')
		m.body.WriteString(url.QueryEscape(value))
	}
	m.sum = m.mac.Sum(m.sum[:0])
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\n"+
		"X-Twilio-Signature: %s\r\nContent-Length: %d\r\n\r\n%s",
		m.path, m.host, base64.StdEncoding.EncodeToString(m.sum), m.body.Len(), m.body.String())
}
