package twiliotest

import "time"

// Chaos makes every kind of fault fall at random. What it does is repeatable
// as far as requests come in the same order.
type Chaos struct {
	Seed uint64
	// Odds gives the probability of each kind on every operation that it falls
	// on, 0 to 1.
	Odds map[Kind]float64
	// Slow is the delay of Slow, and Hang the time after which a connection
	// that hangs is cut; 3 ms and 50 ms if 0.
	Slow, Hang time.Duration
}

// Everything gives every kind the same probability.
func Everything(odds float64) map[Kind]float64 {
	all := map[Kind]float64{}
	for _, kind := range kinds {
		all[kind] = odds
	}
	return all
}

// roll gives the fault of the kinds that falls on the operation by chance. The
// lock must be held.
func (f *Fake) roll(op Operation, wanted []Kind) (Fault, bool) {
	for _, kind := range wanted {
		odds := f.config.Chaos.Odds[kind]
		fault := Fault{Kind: kind}
		if odds == 0 || !fault.fallsOn(op) || f.dice.Float64() >= odds {
			continue
		}
		switch kind {
		case Slow:
			fault.Delay = f.config.Chaos.Slow
			if fault.Delay == 0 {
				fault.Delay = 3 * time.Millisecond
			}
		case Hang:
			fault.Delay = f.config.Chaos.Hang
			if fault.Delay == 0 {
				fault.Delay = 50 * time.Millisecond
			}
		}
		return fault, true
	}
	return Fault{}, false
}

// Calm ends the chaos.
func (f *Fake) Calm() {
	f.lock.Lock()
	defer f.lock.Unlock()
	f.config.Chaos.Odds = nil
}

// kinds are all of them.
var kinds = []Kind{
	TooMany, ServerError, Slow, Hang, Cut, Garbled, NotFinal, NotFoundYet, NoMediaYet, DeleteRedirected,
	DeleteNotModified, DuplicateWebhook, BodyCut,
}
