package main

import (
	"context"
	"fmt"
	"time"

	"dropslot/config"
	"dropslot/gateway"
	"dropslot/gateway/scan"
)

// partners looks at the servers that papers are handed over to, and at the
// virus scanner. The desk alone has the keys.
func (r *report) partners(ctx context.Context, c *config.Config) {
	couriers, err := couriersOf(c)
	if !r.check("the keys for partners can be read", err, "correct deliver in the configuration") {
		return
	}
	for _, id := range c.OfficeIDs() {
		courier, there := couriers[gateway.OfficeID(id)]
		if !there {
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
		partner, err := courier.Connect(ctx)
		if err == nil {
			_, _, err = partner.Size(".")
			_ = partner.Close()
		}
		cancel()
		what := c.Offices[id].Deliver.Name + " takes the sign-in of office " + id + " at " + c.Offices[id].Deliver.Host
		r.check(what, err, partnerTodo[gateway.CodeOf(err)])
	}
	if c.Scan.Clamd != "" {
		r.clamd(ctx, c.Scan.Clamd, limitsOf(c).PageBytes)
	}
}

// clamd has the scanner look through as much as the largest page may hold.
func (r *report) clamd(ctx context.Context, address string, page int64) {
	scanner, err := scan.New(address)
	if err == nil {
		err = scanner.Ping(ctx)
	}
	if !r.check("the virus scanner answers at "+address, err, "start clamd, or correct scan.clamd; until then no page can be opened") {
		return
	}
	const raise = "in clamd.conf, set StreamMaxLength, MaxFileSize and MaxScanSize to at least page_size and AlertExceedsMax to yes; until then larger pages cannot be opened"
	most, err := scanner.Most(ctx, page)
	switch {
	case err != nil:
		r.check("clamd looks through as much as the largest page", err, raise)
	case most < page:
		r.add(finding{fault, "clamd takes at most " + mebibytes(most) + ", and a page may have " + mebibytes(page), raise})
	default:
		r.add(finding{verdict: fine, what: "clamd looks through as much as the largest page, " + mebibytes(page) + ", if its AlertExceedsMax is on"})
	}
}

var partnerTodo = map[gateway.Code]string{
	gateway.CodePartnerDown:   "see that the server can be reached from here and offers SFTP",
	gateway.CodePartnerKey:    "ask the partner, by telephone, whether the host key was changed; only then write the new one under deliver.host_key",
	gateway.CodePartnerSignIn: "ask the partner whether the user and the key (or password) are still good",
	gateway.CodePartnerFolder: "ask the partner for the right to list the first folder",
}

// mebibytes writes a size as the configuration does.
func mebibytes(n int64) string {
	if n%(1<<20) == 0 {
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}
