package gateway

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// occasionWords say what a text of ours was about.
var occasionWords = map[Occasion]string{
	OccasionLink:               "A link to send papers by.",
	OccasionLinkLast:           "A link to send papers by, and whom to call: the last answer for a while.",
	OccasionGreeting:           "A link to send papers by, and how to choose a language.",
	OccasionPhotosArriving:     "The texted photos are being saved; a link for more.",
	OccasionPhotosArrivingLast: "The texted photos are being saved, and whom to call: the last answer for a while.",
	OccasionRequest:            "A link, sent by a colleague.",
	OccasionReceipt:            "The receipt with the reference.",
	OccasionReminder:           "A reminder of the link.",
	OccasionAgain:              "A new link, at the client's wish.",
	OccasionRemindMe:           "The reminder that the client asked for, with a link.",
	OccasionPhotosSaved:        "The texted photos are saved.",
	OccasionPhotosPartly:       "Some texted photos are saved; a link for the others.",
	OccasionPhotoNotKept:       "The texted photo could not be kept; a link to send it by.",
	OccasionPhotoNotKeptLast:   "The texted photo could not be kept, and whom to call: the last answer for a while.",
	OccasionVoice:              "An answer to a call: text us.",
}

// Words says what a text of ours was about.
func (o Occasion) Words() string { return occasionWords[o] }

// sentWords say how far a text of ours came.
var sentWords = map[DeliveryState]string{
	"":                "sent",
	DeliverySending:   "on its way",
	DeliveryUnknown:   "may or may not have been sent",
	DeliveryQueued:    "on its way",
	DeliverySent:      "sent",
	DeliveryDelivered: "delivered",
	DeliveryFailed:    "not delivered",
	DeliveryDropped:   "not sent",
}

// said is one text of a transcript.
type said struct {
	at    time.Time
	who   string
	words string
}

// transcript tells what was texted both ways, oldest first. Whose phone it was
// is not in it, and no link: of ours the words are not kept, but what they were
// for, and what a caseworker wrote in their own.
func (h *Handoff) transcript(ctx context.Context, t *Package) (string, error) {
	s := t.Row.Submission
	theirs, err := h.Desk.Records.Correspondence(ctx, s)
	if err != nil {
		return "", err
	}
	ours, err := h.Records.OurTexts(ctx, s.ID)
	if err != nil {
		return "", err
	}
	var all []said
	for _, n := range theirs.Notes {
		words, err := openBytes(h.Desk.Opener, s.Office, n.Sealed)
		if err != nil {
			words = []byte("These words cannot be opened.")
		}
		all = append(all, said{n.At, "The client", string(words)})
	}
	for _, o := range ours {
		all = append(all, said{o.At, "We (" + sentWords[o.State] + ")", t.ourWords(o)})
	}
	slices.SortStableFunc(all, func(a, b said) int { return a.at.Compare(b.at) })
	var out strings.Builder
	fmt.Fprintf(&out, "What was texted, reference %s\n", s.ID.Reference())
	out.WriteString("Of our texts the words are not kept, but what each was for.\n")
	for _, one := range all {
		fmt.Fprintf(&out, "\n%s, %s:\n%s\n", t.clock(one.at), one.who, one.words)
	}
	if len(all) == 0 {
		out.WriteString("\nNothing.\n")
	}
	return out.String(), nil
}

func (t *Package) ourWords(o OurText) string {
	lines := []string{o.Occasion.Words()}
	if o.Occasion == OccasionReceipt {
		lines[0] += fmt.Sprintf(" Pages: %d.", o.Count)
	}
	wish := openWish(t.words, t.Row.Submission.Office, o.Wish)
	if wish.Page != "" {
		page := "one of the pages"
		if wish.Label != "" {
			page = t.askName(wish.Label)
		}
		if why := wish.Reason.Words(); why != "" {
			page += " (" + why + ")"
		}
		lines = append(lines, "Asked for once more: "+page+".")
	}
	var asks []string
	for _, ask := range wish.Asks {
		asks = append(asks, t.askName(ask))
	}
	if len(asks) > 0 {
		lines = append(lines, "Asked for: "+strings.Join(asks, ", ")+".")
	}
	if wish.Words != "" {
		lines = append(lines, "In the caseworker's words: "+wish.Words)
	}
	return strings.Join(lines, "\n")
}
