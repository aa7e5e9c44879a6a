package gateway

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"
)

// Budget bounds what is spent on texts: an office's segments a day (in its own
// time zone) and a number's texts an hour. The records grant blocks, which are
// counted down here, so that a text costs no statement. A process that stops
// returns what is left; what a crash leaves of a block is lost, never spent twice.
type Budget struct {
	Directory Directory
	Limits    Limits
	Records   BudgetRecords
	Now       func() time.Time

	mutex  sync.Mutex // never held while the records are asked
	blocks map[string]*block
	most   sync.Map // Number: segments of its longest answer
}

// block is what was granted of a scope's window and is left. A new window
// begins with a new block: what is given back to the old one is spent by nobody.
type block struct {
	begins time.Time
	asking chan struct{} // held by whoever asks the records for more
	left   int
	spent  bool // the records grant no more in this window
}

// Taken is what Take took for one text, to be given back if it is not sent.
type Taken struct {
	OK     bool
	Renews time.Time // if not OK: when there is more to spend
	day    *block
	hour   *block
}

// A block is one of so many parts of a ceiling, in segments or texts, within
// bounds: small enough that a crash costs little, large enough that a flood of
// texts does not wait for the records each time.
const (
	budgetParts = 64
	budgetLeast = 8
	budgetMost  = 512
)

// grantPatience bounds the wait for the records, within what a webhook has.
const grantPatience = time.Second

// Take takes the segments of one text, unless the office or the number has
// spent what it may.
func (b *Budget) Take(ctx context.Context, office OfficeID, number Number, segments int) (Taken, error) {
	now := b.Now()
	settings := b.Directory.Offices[office]
	midnight, hour := Midnight(now, settings.Location), now.Truncate(time.Hour)
	day := b.block(OfficeScope(office), midnight)
	ok, err := b.take(ctx, OfficeScope(office), day, segments, settings.DailySegments)
	if err != nil || !ok {
		return Taken{Renews: midnight.AddDate(0, 0, 1)}, err
	}
	own := b.block(NumberScope(number), hour)
	ok, err = b.take(ctx, NumberScope(number), own, 1, b.Limits.NumberPerHour)
	if err != nil || !ok {
		b.mutex.Lock()
		day.left += segments
		b.mutex.Unlock()
		return Taken{Renews: hour.Add(time.Hour)}, err
	}
	return Taken{OK: true, day: day, hour: own}, nil
}

// GiveBack returns of what Take took what was not sent.
func (b *Budget) GiveBack(t Taken, segments, texts int) {
	if !t.OK {
		return
	}
	b.mutex.Lock()
	defer b.mutex.Unlock()
	t.day.left += segments
	t.hour.left += texts
}

// Close returns what is left of the blocks.
func (b *Budget) Close(ctx context.Context) error {
	b.mutex.Lock()
	blocks := b.blocks
	b.blocks = nil
	left := map[string]int{}
	for scope, own := range blocks {
		left[scope], own.left = own.left, 0
	}
	b.mutex.Unlock()
	var failed error
	for scope, n := range left {
		if n > 0 {
			_, err := b.Records.Grant(ctx, scope, blocks[scope].begins, -n, 0)
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

// OfficeScope and NumberScope name what is bounded in the records.
func OfficeScope(id OfficeID) string { return "office:" + string(id) }

// NumberScope is OfficeScope for a number.
func NumberScope(n Number) string { return "number:" + string(n) }

// block gives the block of a scope's window.
func (b *Budget) block(scope string, begins time.Time) *block {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	own := b.blocks[scope]
	if own == nil || !own.begins.Equal(begins) {
		own = &block{begins: begins, asking: make(chan struct{}, 1)}
		if b.blocks == nil {
			b.blocks = map[string]*block{}
		}
		b.blocks[scope] = own
	}
	return own
}

// take is Take for one scope. Nothing is waited for while a block lasts; then
// one asks the records for all who wait, each as long as its context allows.
func (b *Budget) take(ctx context.Context, scope string, own *block, n, most int) (bool, error) {
	if ok, known := b.spend(own, n); known {
		return ok, nil
	}
	select {
	case own.asking <- struct{}{}:
		defer func() { <-own.asking }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	if ok, known := b.spend(own, n); known {
		return ok, nil
	}
	ctx, cancel := context.WithTimeout(ctx, grantPatience)
	defer cancel()
	granted, err := b.Records.Grant(ctx, scope, own.begins, max(budgetLeast, min(most/budgetParts, budgetMost), n), most)
	if err != nil {
		return false, err
	}
	b.mutex.Lock()
	own.left += granted
	own.spent = granted == 0
	b.mutex.Unlock()
	ok, _ := b.spend(own, n)
	return ok, nil
}

// spend takes from a block; known is false while the records may grant more.
func (b *Budget) spend(own *block, n int) (ok, known bool) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if own.left < n {
		return false, own.spent
	}
	own.left -= n
	return true, true
}

// Midnight is the beginning of the day in a place.
func Midnight(now time.Time, place *time.Location) time.Time {
	if place == nil {
		place = time.UTC
	}
	y, m, d := now.In(place).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, place)
}

// reserve takes what the longest answer of a number costs, before it is known
// whether there will be one, and gives how many segments that are.
func (b *Budget) reserve(ctx context.Context, w Wording, rule NumberRule, publicURL string) (Taken, int, error) {
	most, err := b.longest(w, rule, publicURL)
	if err != nil {
		return Taken{}, 0, err
	}
	taken, err := b.Take(ctx, rule.Office, rule.Number, most)
	return taken, most, err
}

// settle gives back what was reserved too much; no segments are no answer.
func (b *Budget) settle(t Taken, reserved, segments int) {
	texts := 0
	if segments == 0 {
		texts = 1
	}
	b.GiveBack(t, reserved-segments, texts)
}

// answers are the occasions of the webhook's answers.
var answers = []Occasion{
	OccasionLink, OccasionLinkLast, OccasionGreeting, OccasionPhotosArriving, OccasionPhotosArrivingLast,
	OccasionPhotoNotKept, OccasionPhotoNotKeptLast,
}

// longest gives the segments of a number's longest answer; it is made once.
func (b *Budget) longest(w Wording, rule NumberRule, publicURL string) (int, error) {
	if known, ok := b.most.Load(rule.Number); ok {
		return known.(int), nil
	}
	office := b.Directory.Offices[rule.Office]
	link := LinkURL(publicURL, Token{text: strings.Repeat("x", TokenLength)})
	most := 1
	for _, language := range office.Languages {
		for _, o := range answers {
			text, err := w.Text(office, language, Filling{Occasion: o, Link: link, TTL: rule.LinkTTL})
			if err != nil {
				return 0, err
			}
			most = max(most, w.Segments(text))
		}
	}
	b.most.Store(rule.Number, most)
	return most, nil
}
