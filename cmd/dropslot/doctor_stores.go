package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"time"

	"dropslot/config"
	"dropslot/gateway"
	"dropslot/linkstore"
)

// agreementEnds is how long before its end an agreement is told of.
const agreementEnds = 60 * 24 * time.Hour

func (r *report) agreements(c *config.Config, now time.Time) {
	if len(c.Agreements) == 0 {
		r.add(finding{advice, "no agreement is on record",
			"ask your counsel whether you need one with Twilio (such as a business associate agreement) and write it under agreements"})
	}
	for _, a := range c.Agreements {
		what := fmt.Sprintf("%s with %s, signed %s", a.Kind, a.With, a.Signed)
		until := time.Time(a.Until)
		switch {
		case until.IsZero():
			r.add(finding{verdict: fine, what: what})
		case now.After(until):
			r.add(finding{fault, what + ", ended " + a.Until.String(), "renew it, then write the new days under agreements"})
		case now.Add(agreementEnds).After(until):
			r.add(finding{advice, what + ", ends " + a.Until.String(), "renew it soon"})
		default:
			r.add(finding{verdict: fine, what: what + ", until " + a.Until.String()})
		}
	}
}

// certificateEnds is how long before its end a certificate is told of.
const certificateEnds = 14 * 24 * time.Hour

// certificate looks at what clients' browsers and Twilio are shown.
func (r *report) certificate(ctx context.Context, c *config.Config, now time.Time) {
	u, err := url.Parse(c.PublicURL)
	if err != nil || u.Scheme != "https" {
		return // the loader allows http on loopback alone
	}
	ends, err := certificateEnd(ctx, u)
	switch {
	case err != nil: // one that ended, too: verifying it says so
		r.add(finding{fault, "the certificate of " + u.Hostname() + " is not in order: " + err.Error(),
			"see that the proxy, or Dropslot where tls says so, serves a valid certificate for " + u.Hostname()})
	case now.Add(certificateEnds).After(ends):
		r.add(finding{advice, "the certificate of " + u.Hostname() + " ends " + ends.Format(time.DateOnly), "see that it is renewed by itself"})
	default:
		r.add(finding{verdict: fine, what: "the certificate of " + u.Hostname() + " holds until " + ends.Format(time.DateOnly)})
	}
}

// certificateEnd verifies what is shown as a browser does, and tells when it ends.
func certificateEnd(ctx context.Context, u *url.URL) (time.Time, error) {
	port := u.Port()
	if port == "" {
		port = "443"
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	dialer := tls.Dialer{Config: &tls.Config{MinVersion: tls.VersionTLS12}}
	connection, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return time.Time{}, err
	}
	defer func() { _ = connection.Close() }()
	return connection.(*tls.Conn).ConnectionState().PeerCertificates[0].NotAfter, nil
}

// stores looks at Redis, the vault and what still lies at Twilio.
func (r *report) stores(ctx context.Context, p *parts) {
	if r.check("Redis answers and keeps every key", p.openRedis(ctx), "see the message; Redis must be reachable and have maxmemory-policy noeviction") {
		persists, known, err := linkstore.Persists(ctx, p.redis)
		if err != nil || known && !persists {
			r.add(finding{advice, "Redis forgets everything when it restarts", "set appendonly yes: limits against guessing begin anew otherwise"})
		}
	}
	r.check("the vault takes and gives back what is written", tryVault(ctx, p.vault, time.Now()), "give the user of this role write access to the vault's folder")
	if free, err := p.vault.Free(); err == nil {
		f := finding{verdict: fine, what: fmt.Sprintf("the vault's disk has %d GiB free", free>>30)}
		if free < 10<<30 {
			f = finding{advice, fmt.Sprintf("the vault's disk has %d MiB free", free>>20), "make room: a full disk takes no more pages"}
		}
		r.add(f)
	}
	r.waiting(ctx, p, time.Now())
	r.retention(ctx, p, time.Now())
}

// tryVault writes and removes one small object.
func tryVault(ctx context.Context, v gateway.Vault, now time.Time) error {
	name := gateway.BlobName(fmt.Sprintf("doctor/probe-%d", now.UnixNano()))
	w, err := v.Create(ctx, name)
	if err != nil {
		return err
	}
	defer w.Abort()
	if _, err := w.Write([]byte("probe")); err != nil {
		return err
	}
	if err := w.Commit(); err != nil {
		return err
	}
	return v.Remove(ctx, name)
}

// waitingLong is how old what lies at Twilio may be before somebody should look.
const waitingLong = 24 * time.Hour

func (r *report) waiting(ctx context.Context, p *parts, now time.Time) {
	w, err := p.records.Waiting(ctx, now)
	if !r.check("what still lies at Twilio is known", err, "the records must be reachable") {
		return
	}
	what := fmt.Sprintf("not yet erased at Twilio: %d texts, %d texts of ours; %d given up", w.Texts, w.Outgoing, w.Dead)
	if !w.Oldest.IsZero() {
		what += "; the oldest is of " + w.Oldest.UTC().Format("2006-01-02 15:04") + " UTC"
	}
	switch {
	case w.Dead > 0:
		r.add(finding{fault, what, "see why with: dropslot jobs -c FILE; then: dropslot jobs retry --all -c FILE"})
	case !w.Oldest.IsZero() && now.Sub(w.Oldest) > waitingLong:
		r.add(finding{advice, what, "see that the worker runs (dropslot serve --role worker) and reaches Twilio"})
	default:
		r.add(finding{verdict: fine, what: what})
	}
	if w.Unknown > 0 {
		r.add(finding{advice, fmt.Sprintf("of %d texts nobody knows whether Twilio sent them", w.Unknown), "they are never sent twice; clients who miss one can text again"})
	}
	for id, office := range p.directory.Offices {
		spent, err := p.records.Spent(ctx, gateway.OfficeScope(id), gateway.Midnight(now, office.Location))
		if err != nil || office.DailySegments == 0 {
			continue
		}
		share := spent * 100 / int64(office.DailySegments)
		f := finding{verdict: fine, what: fmt.Sprintf("%s has spent %d%% of what its texts may cost today", id, share)}
		if share >= 80 {
			f.verdict, f.todo = advice, "when it is reached nobody is answered until midnight: find out why, or raise daily_spend"
		}
		r.add(f)
	}
}
