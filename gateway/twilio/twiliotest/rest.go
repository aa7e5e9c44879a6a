package twiliotest

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const apiVersion = "2010-04-01"

// maxForm bounds a request's form, in bytes.
const maxForm = 64 << 10

// answer is one answer of the REST API. Faults may drop it after the work.
type answer struct {
	status      int
	contentType string
	body        []byte
	header      http.Header
	cut         bool // the body ends in the middle
}

// request is one call of the REST API.
type request struct {
	account string
	message string // SID; empty for the list
	media   string // SID; empty for the list
	number  string // SID
	service string // SID
	form    url.Values
	r       *http.Request
}

var routes = []struct {
	method  string
	pattern *regexp.Regexp
	op      Operation
	serve   func(*Fake, request) answer
}{
	{"POST", route(`/Messages\.json`), CreateMessage, (*Fake).createMessage},
	{"GET", route(`/Messages\.json`), ListMessages, (*Fake).listMessages},
	{"GET", route(`/Messages/(?P<message>[SM]M[0-9a-f]{32})\.json`), FetchMessage, (*Fake).fetchMessage},
	{"POST", route(`/Messages/(?P<message>[SM]M[0-9a-f]{32})\.json`), UpdateMessage, (*Fake).updateMessage},
	{"DELETE", route(`/Messages/(?P<message>[SM]M[0-9a-f]{32})\.json`), DeleteMessage, (*Fake).deleteMessage},
	{"GET", route(`/Messages/(?P<message>[SM]M[0-9a-f]{32})/Media\.json`), ListMedia, (*Fake).listMedia},
	{"GET", route(`/Messages/(?P<message>[SM]M[0-9a-f]{32})/Media/(?P<media>ME[0-9a-f]{32})`), FetchMedia, (*Fake).fetchMedia},
	{"DELETE", route(`/Messages/(?P<message>[SM]M[0-9a-f]{32})/Media/(?P<media>ME[0-9a-f]{32})(\.json)?`), DeleteMedia, (*Fake).deleteMedia},
	{"GET", route(`\.json`), FetchAccount, (*Fake).fetchAccount},
	{"GET", route(`/IncomingPhoneNumbers\.json`), ListNumbers, (*Fake).listNumbers},
	{"POST", route(`/IncomingPhoneNumbers/(?P<number>PN[0-9a-f]{32})\.json`), UpdateNumber, (*Fake).updateNumber},
	{"GET", regexp.MustCompile(`^/v1/Tollfree/Verifications$`), Registrations, (*Fake).listVerifications},
	{"GET", regexp.MustCompile(`^/v1/Services/(?P<service>MG[0-9a-f]{32})/Compliance/Usa2p$`), Registrations, (*Fake).listCampaigns},
	{"GET", regexp.MustCompile(`^` + network + `(?P<account>AC[0-9a-f]{32})/(?P<message>[SM]M[0-9a-f]{32})/(?P<media>ME[0-9a-f]{32})$`), FetchMedia, (*Fake).serveMedia},
}

func route(rest string) *regexp.Regexp {
	return regexp.MustCompile(`^/` + apiVersion + `/Accounts/(?P<account>AC[0-9a-f]{32})` + rest + `$`)
}

// ServeHTTP is the REST API of api.twilio.com.
func (f *Fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// The body is read at once: the server notices that a client left only then.
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxForm))
	form, malformed := url.ParseQuery(string(body))
	if err != nil || malformed != nil {
		f.write(w, failure(http.StatusBadRequest, 20001, "The form could not be read"))
		return
	}
	for _, route := range routes {
		found := route.pattern.FindStringSubmatch(r.URL.Path)
		if found == nil || route.method != r.Method {
			continue
		}
		call := request{form: form, r: r}
		call.account, _, _ = r.BasicAuth() // where no path names it
		for name, part := range map[string]*string{
			"account": &call.account, "message": &call.message, "media": &call.media, "number": &call.number, "service": &call.service,
		} {
			if i := route.pattern.SubexpIndex(name); i > 0 {
				*part = found[i]
			}
		}
		if !f.mayAsk(call, route.op) {
			w.Header().Set("WWW-Authenticate", `Basic realm="Twilio API"`)
			f.write(w, failure(http.StatusUnauthorized, 20003, "Authenticate"))
			return
		}
		f.serve(w, call, route.op, route.serve)
		return
	}
	f.write(w, failure(http.StatusNotFound, 20404, "The requested resource was not found"))
}

// mayAsk tells whether a request carries the account's password, or needs none.
func (f *Fake) mayAsk(call request, op Operation) bool {
	if strings.HasPrefix(call.r.URL.Path, network) {
		return true // its own check is the address's key
	}
	user, password, ok := call.r.BasicAuth()
	f.lock.Lock()
	token, open := f.config.Accounts[call.account], f.config.OpenMedia
	f.lock.Unlock()
	if op == FetchMedia && open {
		return true
	}
	return ok && token != "" && user == call.account && subtle.ConstantTimeCompare([]byte(password), []byte(token)) == 1
}

// serve does the work between the faults that come before and after it.
func (f *Fake) serve(w http.ResponseWriter, call request, op Operation, work func(*Fake, request) answer) {
	if fault, ok := f.take(op, Slow); ok {
		select {
		case <-time.After(fault.Delay):
		case <-call.r.Context().Done():
			panic(http.ErrAbortHandler)
		case <-f.ctx.Done():
			panic(http.ErrAbortHandler)
		}
	}
	if early, ok := f.refusal(op); ok {
		f.write(w, early)
		return
	}
	done := work(f, call)
	switch fault, _ := f.take(op, Hang, Cut, Garbled, BodyCut); fault.Kind {
	case Hang:
		var enough <-chan time.Time
		if fault.Delay > 0 {
			enough = time.After(fault.Delay)
		}
		select {
		case <-enough:
		case <-call.r.Context().Done():
		case <-f.ctx.Done():
		}
		panic(http.ErrAbortHandler)
	case Cut:
		panic(http.ErrAbortHandler)
	case Garbled:
		done = page(http.StatusOK)
	case BodyCut:
		done.cut = true
	}
	f.write(w, done)
}

// refusal gives the answer of a fault that comes instead of the work.
func (f *Fake) refusal(op Operation) (answer, bool) {
	fault, ok := f.take(op, TooMany, ServerError, NotFinal, NotFoundYet, DeleteRedirected, DeleteNotModified)
	if !ok {
		return answer{}, false
	}
	switch fault.Kind {
	case TooMany:
		a := failure(http.StatusTooManyRequests, 20429, "Too Many Requests")
		if fault.RetryAfter > 0 {
			a.header = http.Header{"Retry-After": {strconv.Itoa(int(fault.RetryAfter.Seconds()))}}
		}
		return a, true
	case NotFinal:
		return notFinal(), true
	case NotFoundYet:
		return notFound(), true
	case DeleteRedirected:
		return answer{status: http.StatusTemporaryRedirect, header: http.Header{"Location": {"/elsewhere"}}}, true
	case DeleteNotModified:
		return answer{status: http.StatusNotModified}, true
	}
	return page(http.StatusInternalServerError), true
}

func (f *Fake) write(w http.ResponseWriter, a answer) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	if a.contentType != "" {
		w.Header().Set("Content-Type", a.contentType)
	}
	if a.status != http.StatusNoContent && a.status != http.StatusNotModified {
		w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	w.WriteHeader(a.status)
	if a.cut {
		a.body = a.body[:len(a.body)/2]
	}
	_, _ = w.Write(a.body) // a client that left reads nothing more
	if a.cut {
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

func object(status int, value any) answer {
	body, err := json.Marshal(value)
	if err != nil {
		return page(http.StatusInternalServerError)
	}
	return answer{status: status, contentType: "application/json;charset=utf-8", body: body}
}

// failure is an error in Twilio's form.
func failure(status, code int, message string) answer {
	return object(status, map[string]any{
		"code": code, "message": message, "status": status,
		"more_info": fmt.Sprintf("https://www.twilio.com/docs/errors/%d", code),
	})
}

func notFound() answer {
	return failure(http.StatusNotFound, 20404, "The requested resource was not found")
}

func notFinal() answer {
	return failure(http.StatusConflict, 20009, "Cannot change this message because its delivery has not been completed")
}

// page is what stands in for the API when it is not well.
func page(status int) answer {
	return answer{status: status, contentType: "text/html", body: []byte("<!doctype html><title>Error</title><h1>Something went wrong</h1>\n")}
}
