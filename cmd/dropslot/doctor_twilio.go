package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"dropslot/config"
	"dropslot/gateway"
	"dropslot/gateway/twilio"
)

// maxSkew is how far this machine's clock may be off before links and audit
// rows carry wrong times.
const maxSkew = 30 * time.Second

// twilio looks at the accounts and numbers as Twilio has them.
func (r *report) twilio(ctx context.Context, c *config.Config, client *twilio.Client) {
	accounts, _ := accountsOf(c)
	for _, account := range slices.Sorted(maps.Keys(accounts)) {
		state, err := client.Account(ctx, account)
		if err != nil {
			r.add(finding{fault, "Twilio account " + account + ": " + numberTrouble(err), "the account SID and the auth token belong together; the token may have been replaced"})
			continue
		}
		f := finding{verdict: fine, what: "Twilio takes the credentials of account " + account}
		if state.Status != "active" {
			f = finding{fault, "Twilio account " + account + " is " + state.Status, "ask Twilio's support; texts neither come nor go"}
		}
		r.add(f)
		if state.Skew.Abs() > maxSkew {
			r.add(finding{advice, fmt.Sprintf("this machine's clock is off by %s", state.Skew), "switch on time synchronization (NTP)"})
		}
	}
	for _, e164 := range slices.Sorted(maps.Keys(c.Numbers)) {
		r.number(ctx, c, client, gateway.Number(e164))
	}
}

func (r *report) number(ctx context.Context, c *config.Config, client *twilio.Client, n gateway.Number) {
	found, err := client.IncomingNumber(ctx, n)
	if err != nil {
		r.add(finding{fault, string(n) + ": " + numberTrouble(err), ""})
		return
	}
	if lines := setupDiff(found.Setup, wantedSetup(c.PublicURL)); len(lines) > 0 {
		r.add(finding{fault, fmt.Sprintf("%s: %d of its addresses at Twilio are not what they should be", n, len(lines)), "set them with: dropslot numbers sync --apply -c FILE"})
	} else {
		r.add(finding{verdict: fine, what: string(n) + ": Twilio turns to this Dropslot"})
	}
	guard, err := client.MediaGuard(ctx, n)
	switch {
	case err != nil:
		r.add(finding{advice, string(n) + ": whether pictures need a password could not be found out: " + numberTrouble(err), "try again"})
	case guard == twilio.MediaOpen:
		r.add(finding{fault, string(n) + ": whoever has a picture's address gets it without a password", `switch on "Enforce HTTP Auth on Media URLs" in the Twilio console (Messaging, Settings)`})
	case guard == twilio.MediaGuarded:
		r.add(finding{verdict: fine, what: string(n) + ": pictures need a password"})
	default:
		r.add(finding{advice, string(n) + ": no picture lies at Twilio to try whether pictures need a password", "text one to the number, then run doctor at once"})
	}
	status, err := client.Registration(ctx, n, found.SID)
	switch {
	case err != nil || status == "":
		r.add(finding{advice, string(n) + ": Twilio does not say whether the carriers know this number", "look in the console (Messaging, Regulatory Compliance); dropslot numbers register prints what is asked for"})
	case registered[status]:
		r.add(finding{verdict: fine, what: string(n) + ": registered with the carriers"})
	default:
		r.add(finding{fault, string(n) + ": the registration with the carriers is " + status, "carriers block texts until it is approved: see the console for what is missing"})
	}
}

// registered are the words with which Twilio says that a number is.
var registered = map[string]bool{"twilio_approved": true, "verified": true}
