package e2e

import (
	"crypto/sha256"
	"database/sql"
	"strings"
	"time"

	"github.com/chromedp/chromedp"
	_ "modernc.org/sqlite"
)

// refusedKindly are the links that open nothing any more: each page says what
// happened and offers a text for a new link.
func refusedKindly(w *town) {
	taken := w.newPerson("Tom")
	taken.asks("Hi, may I have the link please")
	taken.enters()
	later := taken.otherPhone("Tom's sister")
	later.refused("page.problem.link-taken", "409")
	taken.photographs("other")
	taken.isDone("")
	later.refused("page.problem.link-closed", "409")
	taken.visit(taken.link) // whoever sent the papers gets the receipt
	taken.reads("page.receipt.heading")

	late := w.newPerson("Lou")
	late.asks("Hi, may I have the link please")
	w.rewind(late.link, 5*time.Hour)
	late.refused("page.problem.link-expired", "410")
	late.picture("expired")

	slow := w.newPerson("Sol")
	slow.asks("Hi, may I have the link please")
	slow.visit(slow.link)
	slow.visible("main form button")
	w.rewind(slow.link, 5*time.Hour)
	slow.expects("410")
	slow.clickThrough("main form button")
	slow.offersText("page.problem.link-expired")

	newer := w.newPerson("Nan")
	newer.asks("Hi, may I have the link please")
	old := newer.link
	w.query(`UPDATE senders SET last_answer_at = 0`)
	newer.asks("It did not work, please send it again")
	elder := newer.otherPhone("Nan's tablet")
	elder.link = old
	elder.refused("page.problem.link-superseded", "410")
	newer.enters()

	unknown := taken.otherPhone("a guesser")
	unknown.link = "http://" + w.public + "/c/" + strings.Repeat("a", 26)
	unknown.refused("page.problem.link-unknown", "404")
}

// timeIsOver is a person who sent a page and never said that it was all: the
// page tells so, and the caseworker has what came.
func timeIsOver(w *town) {
	gus := w.newPerson("Gus")
	gus.asks("Hello, I have to send my pay stub")
	gus.enters()
	gus.photographs("pay-stub")
	submission := gus.submission()
	w.rewind(gus.link, 3*time.Hour)
	gus.shoots()
	gus.expects("410", "409")
	gus.clickThrough("#send")
	gus.reads("page.receipt.over")
	gus.offersText("page.receipt.pages", "count", "1")

	dana := w.dana()
	dana.opens(submission)
	dana.showsPicture()
	dana.sees("1 of 1")
}

// refused opens a link that has to be refused kindly.
func (p *person) refused(key, status string) {
	p.t.Helper()
	p.expects(status)
	p.visit(p.link)
	p.offersText(key)
}

// offersText waits for the words of a key and a button that texts the office for a link.
func (p *person) offersText(key string, pairs ...string) {
	p.t.Helper()
	p.reads(key, pairs...)
	p.sees(officePhone)
	address := run(p.tab, "find the button that texts", chromedp.AttributeValue(chromedp.CSS(`a.button[href^="sms:"]`), "href"))
	if !strings.HasPrefix(address.Value, "sms:"+ourNumber+"?") || !strings.Contains(address.Value, "body=Please") {
		p.t.Errorf("the button leads to %q", address.Value)
	}
}

// rewind lets a link grow older by some hours, as if they had passed.
func (w *town) rewind(link string, by time.Duration) {
	w.t.Helper()
	token := link[strings.LastIndex(link, "/")+1:]
	hash := sha256.Sum256([]byte(token))
	milliseconds := by.Milliseconds()
	w.query(`UPDATE links SET issued_at = issued_at - ?1, expires_at = expires_at - ?1,
		claimed_at = max(0, claimed_at - ?1), idle_at = max(0, idle_at - ?1), ends_at = max(0, ends_at - ?1)
		WHERE hash = ?2`, milliseconds, hash[:])
}

func (h *house) database() string {
	return "file:" + h.path("data", "records.db") + "?_pragma=busy_timeout(10000)"
}

// query changes the records behind Dropslot's back.
func (w *town) query(text string, values ...any) {
	w.t.Helper()
	db, err := sql.Open("sqlite", w.database())
	if err != nil {
		w.t.Fatal(err)
	}
	defer db.Close()
	result, err := db.ExecContext(w.t.Context(), text, values...)
	if err != nil {
		w.t.Fatal(err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		w.t.Fatalf("%d rows changed, %v", n, err)
	}
}
