package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"mime/multipart"
	"net/http"
	"time"

	"dropslot/config"
	"dropslot/gateway"
	"dropslot/gateway/twilio/twiliotest"
	"dropslot/templates"
)

// What a text with pictures may weigh: Twilio takes 5 MB a message.
const demoTextBytes = 6 << 20

// demoPhone is the simulated phone and the fake Twilio behind it.
type demoPhone struct {
	place  *demoPlace
	twilio *twiliotest.Fake
	pages  *templates.Pages
}

func newDemoPhone(place *demoPlace) (*demoPhone, error) {
	texts, err := templates.LoadTexts()
	if err != nil {
		return nil, err
	}
	pages, err := templates.LoadPages(texts)
	if err != nil {
		return nil, err
	}
	return &demoPhone{place: place, pages: pages, twilio: twiliotest.New(twiliotest.Config{
		Accounts: map[string]string{demoAccount: place.authToken},
		Numbers: map[string]twiliotest.Number{demoNumber: {
			Account: demoAccount, MessageURL: place.intakeURL + "/twilio/messages", VoiceURL: place.intakeURL + "/twilio/voice",
		}},
		Transport: place.transport(),
	})}, nil
}

func (d *demoPhone) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /static/", templates.StaticHandler())
	mux.HandleFunc("GET /{$}", d.show)
	mux.HandleFunc("GET /messages", d.messages)
	mux.HandleFunc("POST /text", d.text)
	return http.NewCrossOriginProtection().Handler(demoHeaders(mux))
}

func demoHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "+
			"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "same-origin")
		w.Header().Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

func (d *demoPhone) show(w http.ResponseWriter, _ *http.Request) {
	data := struct {
		OfficeName, NumberShown, Phone, DeskURL, Login, Password string
		QR                                                       template.URL
	}{
		OfficeName: "North County Benefits", NumberShown: templates.FormatPhone(demoNumber), Phone: demoClient,
		DeskURL: d.place.deskURL, Login: demoLogin, Password: d.place.password,
	}
	if d.place.secure {
		data.QR = qrForPage(d.place.phoneURL)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if err := d.pages.Demo(w, "phone", data); err != nil {
		http.Error(w, "the page could not be made", http.StatusInternalServerError)
	}
}

// demoBubble is one message as the simulated phone shows it.
type demoBubble struct {
	ID       string `json:"id"`
	Mine     bool   `json:"mine"`
	Words    string `json:"words"`
	Pictures int    `json:"pictures"`
	State    string `json:"state"`
	Silence  string `json:"silence,omitempty"`
}

func (d *demoPhone) messages(w http.ResponseWriter, _ *http.Request) {
	thread := d.twilio.Thread(demoClient)
	bubbles := make([]demoBubble, 0, len(thread))
	for i, m := range thread {
		b := demoBubble{
			ID: m.SID, Mine: m.Direction == twiliotest.FromPhone, Words: m.Body, Pictures: len(m.Media),
			State: m.CreatedAt.Local().Format("15:04"),
		}
		answered := i+1 < len(thread) && thread[i+1].Direction != twiliotest.FromPhone
		if b.Mine && !answered && time.Since(m.CreatedAt) > 2*time.Second {
			b.Silence = silenceWords(gateway.DefaultLimits())
		}
		if !b.Mine {
			b.State += " · " + m.Status
		}
		bubbles = append(bubbles, b)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(bubbles) // the page asks again in a second
}

// silenceWords tells why a text may have no answer. The phone cannot know
// which of the reasons it was, and neither does a client.
func silenceWords(l gateway.Limits) string {
	return fmt.Sprintf("No answer, on purpose: Dropslot is silent for %v after an answer and for %v to more pictures, "+
		"after %d answers in an hour or %d in a day, to HELP and START, and after STOP.",
		config.Duration(l.WordsPause), config.Duration(l.PictureBurst), l.AnswersPerHour, l.AnswersPerDay)
}

// text sends what was typed, as a signed webhook. The pictures stay in
// memory: they are the fake Twilio's media.
func (d *demoPhone) text(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, demoTextBytes)
	in, err := readDemoText(r)
	if err != nil {
		http.Error(w, "That could not be sent: pictures may weigh 5 MB together.", http.StatusBadRequest)
		return
	}
	exchange, err := d.twilio.Text(r.Context(), in)
	if err == nil && exchange.ErrorCode != 0 {
		err = fmt.Errorf("webhook answered with error %d", exchange.ErrorCode)
	}
	if err != nil {
		http.Error(w, "The webhook did not work: "+err.Error(), http.StatusBadGateway)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func readDemoText(r *http.Request) (twiliotest.Inbound, error) {
	in := twiliotest.Inbound{From: demoClient, To: demoNumber}
	parts, err := r.MultipartReader()
	if err != nil {
		return in, err
	}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return in, nil
		}
		if err != nil {
			return in, err
		}
		if err := readDemoPart(part, &in); err != nil {
			return in, err
		}
	}
}

func readDemoPart(part *multipart.Part, in *twiliotest.Inbound) error {
	content, err := io.ReadAll(part)
	switch {
	case err != nil:
		return err
	case part.FormName() == "words":
		in.Body = string(content)
	case part.FormName() == "picture" && len(content) > 0:
		in.Media = append(in.Media, twiliotest.Media{Content: content})
	}
	return nil
}
