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
		{ID: "late", Link: "l1", ReceivedAt: at(3)}, // put in front since
		{ID: "first", Link: "l0", ReceivedAt: at(1)}, {ID: "early", Link: "l1", ReceivedAt: at(2)},
		{ID: "third", Link: "l2", ReceivedAt: at(4)}, {ID: "texted", ReceivedAt: at(5)},
	}
	again := againOf(pages, map[LinkID]Wish{"l1": {Page: "first", Reason: AgainBlurry}, "l2": {Page: "late"}, "": {Page: "first"}})
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
