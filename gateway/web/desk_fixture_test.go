package web

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"dropslot/gateway"
	"dropslot/templates"

	"github.com/prometheus/client_golang/prometheus"
)

// deskTime is when every test of the desk begins.
var deskTime = time.Date(2026, 11, 3, 20, 41, 0, 0, time.UTC)

const deskPassword = "correct horse battery"

// deskHouse is the desk on the real flow of submissions and pages, with fakes
// behind its ports. The sealing is none: what is in the vault is plain.
type deskHouse struct {
	mu       sync.Mutex
	now      time.Time
	dir      gateway.Directory
	staff    map[gateway.StaffID]gateway.Staff
	subs     []gateway.Submission
	pages    []gateway.Page
	said     map[gateway.SubmissionID]gateway.Correspondence
	blobs    map[gateway.BlobName][]byte
	phones   map[string]gateway.Phone
	audit    []gateway.AuditEntry
	auditErr error
	requests []gateway.RequestView
	asked    []gateway.RequestAsk
	counters []shownLink
	held     map[gateway.SubmissionID]gateway.Hold
	sendErr  error
	trail    trailFake
	figures  figuresFake
	houseAccounts
	emergencies []gateway.Emergency
	alerts      []gateway.Notice
	looks       map[lookKey]time.Time
	remarks     []gateway.Remark
	names       map[gateway.PhoneIndex][]byte
	query       gateway.InboxQuery // of the inbox, last
	blind       gateway.Blind
	changed     chan struct{}             // what streams hear
	thread      func(*gateway.ThreadRows) // fills in what a client did beside sending papers
	sessions    *memorySessions
	metrics     *prometheus.Registry
	log         bytes.Buffer
	desk        *gateway.Desk
	handoff     *gateway.Handoff
	bound       gateway.Binding // what the binder was last asked for
	bindErr     error
	handed      []gateway.HandDelivery
	leftOut     []gateway.LeftOut
	ours        []gateway.OurText
	parts       DeskParts
	handler     http.Handler
	ids         byte
}

// deskTemplates loads what every test shares.
var deskTemplates = sync.OnceValues(func() (*templates.Texts, *templates.Pages) {
	texts, err := templates.LoadTexts()
	if err != nil {
		panic(err)
	}
	pages, err := templates.LoadPages(texts)
	if err != nil {
		panic(err)
	}
	return texts, pages
})

func newDeskHouse(t testing.TB) *deskHouse {
	t.Helper()
	zone, err := time.LoadLocation("America/Chicago")
	if err != nil {
		t.Fatal(err)
	}
	h := &deskHouse{
		now: deskTime, staff: map[gateway.StaffID]gateway.Staff{}, blobs: map[gateway.BlobName][]byte{},
		houseAccounts: newHouseAccounts(),
		phones:        map[string]gateway.Phone{}, held: map[gateway.SubmissionID]gateway.Hold{}, metrics: prometheus.NewRegistry(),
		dir: gateway.Directory{
			Offices: map[gateway.OfficeID]gateway.Office{
				"north": {ID: "north", Name: "North County Benefits", Languages: []string{"en", "es"}, Location: zone, Retention: 90 * 24 * time.Hour, SecondFactorOptional: true},
				"south": {ID: "south", Name: "South County Housing", Languages: []string{"en"}, Location: zone, Retention: 30 * 24 * time.Hour, SecondFactorOptional: true},
			},
			Numbers: map[gateway.Number]gateway.NumberRule{
				"+15551230100": {Number: "+15551230100", Office: "north"},
				"+15551230200": {Number: "+15551230200", Office: "south"},
			},
			Countries: []string{"US", "CA"},
		},
	}
	h.looks, h.names, h.blind = map[lookKey]time.Time{}, map[gateway.PhoneIndex][]byte{}, gateway.NewBlind(gateway.LinkKey{})
	h.changed, h.thread = make(chan struct{}), func(*gateway.ThreadRows) {}
	close(h.changed)
	h.sessions = &memorySessions{now: h.clock, entries: map[string]memorySession{}}
	texts, pages := deskTemplates()
	h.addStaff("ana", "north")
	h.addStaff("ben", "south")
	h.addStaff("cho", "north", "south")
	h.desk = &gateway.Desk{
		Shrinker:  deskShrinker{},
		Directory: h.dir, Limits: gateway.DefaultLimits(), Records: deskRecords{h}, Audit: deskAudit{h},
		Vault: deskVault{h: h}, Opener: plainOpener{}, Phones: deskPhones{h}, Emergencies: deskEmergencies{h}, Now: h.clock,
	}
	h.handoff = &gateway.Handoff{
		Desk: h.desk, Records: deskRecords{h}, Binder: deskBinder{h}, Words: plainWords{},
		AskName: func(ask string) string { return texts.Say("en", "asks."+ask, nil) },
	}
	h.parts = DeskParts{
		Audits: &gateway.AuditView{
			Directory: h.dir, Records: deskTrail{h}, Audit: deskAudit{h}, Phones: deskPhones{h}, Blind: h.blind, Prove: h.prove, Now: h.clock,
		},
		Figures: &gateway.FiguresView{Directory: h.dir, Records: &h.figures, Audit: deskAudit{h}, Now: h.clock, Every: time.Hour}, FiguresEvery: time.Hour,
		Desk: h.desk, Handoff: h.handoff, Deliveries: deskDeliveries{h}, Random: rand.Reader,
		Threads: &gateway.Threads{
			Directory: h.dir, Records: threadRecords{deskRecords{h}}, Audit: deskAudit{h}, Sealer: plainSealer{}, Opener: plainOpener{},
			Phones: deskPhones{h}, Blind: h.blind, Now: h.clock,
		},
		Changes:     deskChanges{h},
		Emergencies: h.flowOfEmergencies(),
		Requests:    deskRequests{h}, SignIns: h.signIns(), Accounts: h.accounts(), Sessions: h.sessions, Pages: pages,
		Static: templates.StaticHandler(), Directory: h.dir, ParsePhone: parseTestPhone,
		AskName: func(ask string) string { return texts.Say("en", "asks."+ask, nil) },
		LanguageName: func(tag string) string {
			return map[string]string{"en": "English", "es": "Spanish"}[tag]
		},
		URL: "https://desk.example.gov", Idle: 15 * time.Minute, Total: 12 * time.Hour, Now: h.clock,
		Log: slog.New(slog.NewTextHandler(&h.log, nil)), Metrics: h.metrics,
	}
	h.parts.Notices, h.parts.Mails = &gateway.NoticeDesk{Directory: h.dir, Records: &deskNotices{h: h}, Now: h.clock}, true
	h.parts.Holds = &gateway.Holds{
		Desk: h.parts.Desk.(*gateway.Desk), Records: deskHolds{h: h}, Archive: &gateway.Archive{Vault: holdVault{deskVault{h: h}}, Sealer: plainSealer{}},
	}
	h.build(t)
	return h
}

// build makes the handler anew, for tests that change a part.
func (h *deskHouse) build(t testing.TB) {
	t.Helper()
	h.metrics = prometheus.NewRegistry()
	h.parts.Metrics = h.metrics
	var err error
	if h.handler, err = NewDesk(h.parts); err != nil {
		t.Fatal(err)
	}
}

func (h *deskHouse) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *deskHouse) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

func (h *deskHouse) id() string {
	h.ids++
	id, err := gateway.NewID(deskTime, bytes.NewReader(bytes.Repeat([]byte{h.ids}, 10)))
	if err != nil {
		panic(err)
	}
	return id
}

func (h *deskHouse) addStaff(login string, offices ...gateway.OfficeID) {
	h.addRoles(login, gateway.RolesIn(gateway.RoleCaseworker, offices...))
}

func (h *deskHouse) addRoles(login string, roles gateway.Roles) {
	id := gateway.StaffID(h.id())
	h.staff[id] = gateway.Staff{ID: id, Login: login, PasswordHash: "hash:" + deskPassword, Roles: roles}
}

func (h *deskHouse) staffByLogin(login string) gateway.Staff {
	for _, s := range h.staff {
		if s.Login == login {
			return s
		}
	}
	return gateway.Staff{}
}

// addSubmission stores one that is complete, with a page for each content.
func (h *deskHouse) addSubmission(office gateway.OfficeID, name, phone string, contents ...[]byte) gateway.Submission {
	p, err := gateway.ParsePhone(phone)
	if err != nil {
		panic(err)
	}
	at := deskTime.Add(-time.Duration(len(h.subs)+1) * 7 * time.Minute)
	s := gateway.Submission{
		ID: gateway.SubmissionID(h.id()), Office: office, Language: "en", State: gateway.SubmissionReceived,
		Sender: deskPhones{h}.Index(office, p), Stage: gateway.StageNew,
		Phone: gateway.SealedPhone("sealed:" + phone), SealedName: []byte(name), Pages: len(contents),
		OpenedAt: at.Add(-time.Minute), ArrivedAt: at, FinishedAt: at.Add(2 * time.Minute),
	}
	h.phones["sealed:"+phone] = p
	labels := []string{"photo-id", "pay-stub", "benefit-letter", ""}
	for i, content := range contents {
		page := gateway.Page{
			ID: gateway.PageID(h.id()), Submission: s.ID, Office: office, Digest: sha256.Sum256(content),
			SealedBytes: int64(len(content)), PlainBytes: int64(len(content)), Sealing: gateway.SealedByBrowser,
			Label: labels[i%len(labels)], ReceivedAt: at.Add(time.Duration(i) * time.Minute),
		}
		page.Blob = gateway.BlobName("p/" + string(page.ID))
		h.blobs[page.Blob] = content
		h.pages = append(h.pages, page)
	}
	h.subs = append(h.subs, s)
	return s
}

func (h *deskHouse) pagesOf(id gateway.SubmissionID) []gateway.Page {
	var found []gateway.Page
	for _, p := range h.pages {
		if p.Submission == id {
			found = append(found, p)
		}
	}
	return found
}

// browser is one browser at the desk: it keeps cookies and follows nothing.
type browser struct {
	t       testing.TB
	handler http.Handler
	cookie  *http.Cookie // of the session
	other   map[string]*http.Cookie
	header  http.Header
}

func (h *deskHouse) browser(t testing.TB) *browser {
	return &browser{t: t, handler: h.handler, header: http.Header{}, other: map[string]*http.Cookie{}}
}

func (h *deskHouse) signedIn(t testing.TB, login string) *browser {
	t.Helper()
	b := h.browser(t)
	if answer := b.post("/login", url.Values{"login": {login}, "password": {deskPassword}}); answer.Code != http.StatusSeeOther {
		t.Fatalf("sign-in of %s: %d", login, answer.Code)
	}
	return b
}

func (b *browser) do(r *http.Request) *httptest.ResponseRecorder {
	b.t.Helper()
	r.Host = "desk.example.gov"
	for name, values := range b.header {
		r.Header[name] = values
	}
	if b.cookie != nil {
		r.AddCookie(b.cookie)
	}
	for _, c := range b.other {
		r.AddCookie(c)
	}
	answer := httptest.NewRecorder()
	b.handler.ServeHTTP(answer, r)
	for _, c := range answer.Result().Cookies() {
		if c.Name != DeskCookie {
			if b.other[c.Name] = c; c.MaxAge < 0 {
				delete(b.other, c.Name)
			}
		} else if b.cookie = c; c.MaxAge < 0 {
			b.cookie = nil
		}
	}
	return answer
}

func (b *browser) get(path string) *httptest.ResponseRecorder {
	return b.do(httptest.NewRequest(http.MethodGet, path, nil))
}

func (b *browser) post(path string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.do(r)
}
