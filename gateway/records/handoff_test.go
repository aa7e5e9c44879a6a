package records

import (
	"testing"

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
