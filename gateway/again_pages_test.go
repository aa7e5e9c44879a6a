package gateway

import (
	"testing"
	"time"
)

// A page that came once more, twice, and once more of that: the first picture
// may stay behind, the last may not.
func TestWhatCameOnceMoreStandsForWhatItReplaces(t *testing.T) {
	at := func(minutes int) time.Time { return time.Unix(0, 0).Add(time.Duration(minutes) * time.Minute) }
	pages := []Page{
		{ID: "late", Again: "first", AgainWhy: AgainBlurry, ReceivedAt: at(3)}, // put in front since
		{ID: "first", ReceivedAt: at(1)}, {ID: "early", Again: "first", AgainWhy: AgainBlurry, ReceivedAt: at(2)},
		{ID: "third", Again: "late", ReceivedAt: at(4)}, {ID: "texted", ReceivedAt: at(5)},
	}
	again := againOf(pages)
	if len(again.By) != 2 || again.By["first"] != "late" || again.By["late"] != "third" || len(again.Wishes) != 3 || again.Wishes["early"].Reason != AgainBlurry {
		t.Errorf("%+v", again)
	}
	chosen := func(ids ...PageID) (packed []PackedPage) {
		for _, id := range ids {
			packed = append(packed, PackedPage{Page: Page{ID: id}})
		}
		return packed
	}
	if !again.Whole(pages, chosen("early", "third", "texted")) || !again.Whole(pages, chosen("first", "early", "late", "third", "texted")) {
		t.Error("nothing else is missing")
	}
	if again.Whole(pages, chosen("first", "late", "early", "texted")) || again.Whole(pages, chosen("third", "texted")) {
		t.Error("the last picture is missing, or one that nothing replaced")
	}
}
