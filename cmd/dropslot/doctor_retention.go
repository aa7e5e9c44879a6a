package main

import (
	"context"
	"fmt"
	"time"

	"dropslot/config"
	"dropslot/gateway"
)

// retentionLate is how long the last run of the retention may lie back: it runs
// every hour.
const retentionLate = 26 * time.Hour

func (r *report) retention(ctx context.Context, p *parts, now time.Time) {
	st, err := p.records.RetentionState(ctx, gateway.TermsAt(now, p.directory, p.limits))
	if !r.check("what is due for erasure is known", err, "the records must be reachable") {
		return
	}
	const worker = "see that the worker runs (dropslot serve --role worker) and what its log says of retention"
	f := finding{verdict: fine, what: "the retention ran last at " + utc(st.DoneAt)}
	switch {
	case now.Before(st.RestsTill):
		f = finding{advice, "the retention rests until " + utc(st.RestsTill) + ": its clock jumped, or it was off for long",
			"see that this machine's time is right; it goes on by itself"}
	case st.DoneAt.IsZero():
		f = finding{advice, "the retention has not run yet", worker}
	case now.Sub(st.DoneAt) > retentionLate:
		f = finding{fault, f.what, worker}
	}
	r.add(f)
	f = finding{verdict: fine, what: fmt.Sprintf("due for erasure: %d submissions, %d erased ones still in the vault; %d under legal hold", st.Overdue, st.Full, st.Held)}
	if st.Overdue+st.Full > 0 {
		f.verdict, f.todo = advice, "the next run erases them within the hour; if they stay, "+worker
	}
	r.add(f)
}

func utc(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") + " UTC" }

// mail tells whether the mail server takes us; nothing is sent.
func (r *report) mail(ctx context.Context, c *config.Config) {
	if c.SMTP == nil {
		r.add(finding{verdict: fine, what: "no mail server is configured: nobody is told by e-mail"})
		return
	}
	mailer, err := mailerOf(c)
	if err == nil {
		ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		err = mailer.Reach(ctx)
	}
	r.check("the mail server "+c.SMTP.Host+" takes the connection", err, "see smtp in the configuration: host, port, tls, username and password")
}
