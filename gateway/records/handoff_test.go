package records

import (
	"testing"
	"time"

	"dropslot/gateway"
)

func TestOriginsOfLinks(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		link := w.session(north, 1)
		origins, err := w.LinkOrigins(t.Context(), link.Submission)
		if err != nil || len(origins) != 1 || origins[link.ID] != gateway.OriginText {
			t.Errorf("%v, %v", origins, err)
		}
		if none, err := w.LinkOrigins(t.Context(), "nothing"); err != nil || len(none) != 0 {
			t.Errorf("%v, %v", none, err)
		}
	})
}

// The answer to a text, the receipt, and what a caseworker asked for since.
func TestWhatWeTextedAroundASubmission(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		first := w.session(north, 1)
		page := w.page(first, noon)
		done := finish(t, noon.Add(time.Minute))
		done.Receipt.Submission, done.Receipt.Count = first.Submission, 1
		_, err := w.FinishSubmission(t.Context(), first.ID, first.Submission, done)
		w.check(err, "")
		later := noon.Add(time.Hour)
		link := newLink(t, north, phone(north, 1), later)
		link.Submission = first.Submission
		_, err = w.ask(gateway.Wish{Asks: []string{"pay-stub"}, Sealed: []byte("sealed"), Page: page.ID, Reason: gateway.AgainBlurry}, time.Time{}, link)
		w.check(err, "")
		w.session(north, 2) // somebody else's
		ours, err := w.OurTexts(t.Context(), first.Submission)
		w.check(err, "")
		if len(ours) != 3 || ours[0].Occasion != gateway.OccasionLink || ours[1].Occasion != gateway.OccasionReceipt || ours[1].Count != 1 || ours[2].Occasion != gateway.OccasionRequest {
			t.Fatalf("%+v", ours)
		}
		if wish := ours[2].Wish; !ours[2].At.Equal(later) || string(wish.Sealed) != "sealed" || wish.Label != page.Label || wish.Reason != gateway.AgainBlurry || len(wish.Asks) != 1 {
			t.Errorf("%+v", ours[2])
		}
	})
}
