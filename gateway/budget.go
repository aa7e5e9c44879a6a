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

	mutex  sync.Mutex
	blocks map[string]*block
	most   sync.Map // Number: segments of its longest answer
}

// block is what was granted of a window and is left.
type block struct {
	begins time.Time
	left   int
	spent  bool // the records grant no more in this window
}

// A block is one of so many parts of a ceiling, in segments or texts, within
// bounds: small enough that a crash costs little, large enough that a flood of
// texts does not wait for the records each time.
const (
	budgetParts = 64
	budgetLeast = 8
	budgetMost  = 512
)

// Take takes the segments of one text, or gives false if the office or the
// number has spent what it may.
func (b *Budget) Take(ctx context.Context, office OfficeID, number Number, segments int) (bool, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	now := b.Now()
	settings := b.Directory.Offices[office]
	day := Midnight(now, settings.Location)
	ok, err := b.take(ctx, OfficeScope(office), day, segments, settings.DailySegments)
	if err != nil || !ok {
		return false, err
	}
	ok, err = b.take(ctx, NumberScope(number), now.Truncate(time.Hour), 1, b.Limits.NumberPerHour)
	if err != nil || !ok {
		b.blocks[OfficeScope(office)].left += segments
	}
	return ok, err
}

// GiveBack returns what Take took for a text that was not sent, or what it
// took too much.
func (b *Budget) GiveBack(office OfficeID, number Number, segments, texts int) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if own := b.blocks[OfficeScope(office)]; own != nil {
		own.left += segments
	}
	if own := b.blocks[NumberScope(number)]; own != nil {
		own.left += texts
	}
}

// Close returns what is left of the blocks.
func (b *Budget) Close(ctx context.Context) error {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	var failed error
	for scope, own := range b.blocks {
		if own.left > 0 {
			_, err := b.Records.Grant(ctx, scope, own.begins, -own.left, 0)
			failed = errors.Join(failed, err)
		}
	}
	b.blocks = nil
	return failed
}

// OfficeScope and NumberScope name what is bounded in the records.
func OfficeScope(id OfficeID) string { return "office:" + string(id) }

// NumberScope is OfficeScope for a number.
func NumberScope(n Number) string { return "number:" + string(n) }

// take is Take for one scope. Nothing is waited for while a block lasts.
func (b *Budget) take(ctx context.Context, scope string, begins time.Time, n, most int) (bool, error) {
	if b.blocks == nil {
		b.blocks = map[string]*block{}
	}
	own := b.blocks[scope]
	if own == nil || !own.begins.Equal(begins) {
		own = &block{begins: begins}
		b.blocks[scope] = own
	}
	if own.left < n && !own.spent {
		granted, err := b.Records.Grant(ctx, scope, begins, max(budgetLeast, min(most/budgetParts, budgetMost), n), most)
		if err != nil {
			return false, err
		}
		own.left += granted
		own.spent = granted == 0
	}
	if own.left < n {
		return false, nil
	}
	own.left -= n
	return true, nil
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
// whether there will be one, and gives how many segments that are: 0 if there
// is nothing left to spend.
func (b *Budget) reserve(ctx context.Context, w Wording, rule NumberRule, publicURL string) (int, error) {
	most, err := b.longest(w, rule, publicURL)
	if err != nil {
		return 0, err
	}
	ok, err := b.Take(ctx, rule.Office, rule.Number, most)
	if err != nil || !ok {
		return 0, err
	}
	return most, nil
}

// settle gives back what was reserved too much; no segments are no answer.
func (b *Budget) settle(rule NumberRule, reserved, segments int) {
	texts := 0
	if segments == 0 {
		texts = 1
	}
	b.GiveBack(rule.Office, rule.Number, reserved-segments, texts)
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
