package gateway

import (
	"slices"
	"time"
)

// Rules is what Decide needs to know beside the message and the standing.
type Rules struct {
	Limits    Limits
	Countries []string        // answered
	Own       map[Number]bool // all numbers of all offices
	Languages []string        // of the office, the first is its default
	Detected  string          // the language of the message's words, if they tell
}

// Decide says what happens to a message. It is pure: the same message,
// standing, rules and time give the same decision.
func Decide(m Message, s Standing, r Rules, now time.Time) Decision {
	if reason, unanswerable := senderReason(m, r); unanswerable {
		return Decision{Reason: reason, Standing: s}
	}
	switch m.Keyword() {
	case KeywordStop:
		if !s.OptedOut() {
			s.OptedOutAt = now
		}
		return Decision{Reason: ReasonStop, Standing: s}
	case KeywordStart:
		s.OptedOutAt = time.Time{}
		return Decision{Reason: ReasonStart, Standing: s}
	case KeywordHelp:
		return Decision{Reason: ReasonHelp, Standing: s}
	}
	if s.OptedOut() {
		return Decision{Reason: ReasonOptedOut, Standing: s}
	}
	s.Language = chooseLanguage(s.Language, r)
	if m.MediaCount > 0 {
		if now.Sub(s.LastPictureAnswerAt) < r.Limits.PictureBurst {
			return Decision{Reason: ReasonBurst, Standing: s}
		}
	} else if now.Sub(s.LastAnswerAt) < r.Limits.WordsPause {
		return Decision{Reason: ReasonBurst, Standing: s}
	}
	return answer(m, s, r, now)
}

// senderReason tells why a sender is never answered, if so. A number of ours
// as sender would be two robots talking to each other.
func senderReason(m Message, r Rules) (Reason, bool) {
	switch m.Sender {
	case SenderShortCode:
		return ReasonShortCode, true
	case SenderAlphanumeric:
		return ReasonAlphanumeric, true
	case SenderChannel:
		return ReasonChannel, true
	}
	switch {
	case r.Own[Number(m.From.E164())]:
		return ReasonOwnNumber, true
	case !slices.Contains(r.Countries, m.Country):
		return ReasonCountry, true
	}
	return "", false
}

func chooseLanguage(remembered string, r Rules) string {
	for _, language := range []string{r.Detected, remembered} {
		if language != "" && slices.Contains(r.Languages, language) {
			return language
		}
	}
	return r.Languages[0]
}

// answer counts an answer against the limits and chooses its occasion.
func answer(m Message, s Standing, r Rules, now time.Time) Decision {
	if now.Sub(s.HourStart) >= time.Hour {
		s.HourStart, s.HourCount = now, 0
	}
	if now.Sub(s.DayStart) >= 24*time.Hour {
		s.DayStart, s.DayCount = now, 0
	}
	if s.HourCount >= r.Limits.AnswersPerHour || s.DayCount >= r.Limits.AnswersPerDay {
		return Decision{Reason: ReasonLimit, Standing: s}
	}
	s.HourCount++
	s.DayCount++
	s.LastAnswerAt = now
	last := s.HourCount == r.Limits.AnswersPerHour || s.DayCount == r.Limits.AnswersPerDay
	occasion := OccasionLink
	switch {
	case m.MediaCount > 0 && last:
		occasion = OccasionPhotoNotKeptLast
	case m.MediaCount > 0:
		occasion = OccasionPhotoNotKept
	case last:
		occasion = OccasionLinkLast
	}
	if m.MediaCount > 0 {
		s.LastPictureAnswerAt = now
	}
	return Decision{Reason: ReasonAnswered, Occasion: occasion, Language: s.Language, Standing: s}
}

// DecideAgain tells whether a message that came before gets the same answer
// once more: soon, and while nobody claimed its link. Twilio sends a message
// again when our first answer was lost.
func DecideAgain(earlier EarlierText, l Limits, now time.Time) bool {
	return earlier.Link != nil &&
		now.Sub(earlier.ReceivedAt) < l.ReplayWindow &&
		earlier.Link.StateAt(now) == LinkIssued
}
