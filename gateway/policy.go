package gateway

import (
	"slices"
	"strings"
	"time"
)

// Rules is what Decide needs to know beside the message and the standing.
type Rules struct {
	Limits    Limits
	Countries []string        // answered
	Own       map[Number]bool // all numbers of all offices
	Languages []string        // of the office, the first is its default
	Detected  string          // the language of the message's words, if they tell
	Mark      int64           // keyed hash of the words, see WordsMark; 0 if there are only pictures
	MMS       MMS             // what happens to texted pictures
	Spent     bool            // the office or the number has nothing left to spend on an answer
}

// MMS is a way to treat texted pictures.
type MMS string

// The ways to treat texted pictures.
const (
	MMSSeal    MMS = "seal"    // sealed, then erased at Twilio
	MMSDiscard MMS = "discard" // never fetched, erased at Twilio
)

// Decide says what happens to a message. It is pure: the same message,
// standing, rules and time give the same decision.
func Decide(m Message, s Standing, r Rules, now time.Time) Decision {
	if reason, unanswerable := senderReason(m, r); unanswerable {
		d := Decision{Reason: reason, Standing: s}
		if reason == ReasonCountry {
			return keyword(m, s, now, d) // who texts STOP from abroad means it, too
		}
		return d
	}
	if m.Keyword() != KeywordNone {
		return keyword(m, s, now, Decision{})
	}
	before := language(s, r)
	if told := tellLanguage(m, r); told != "" {
		s.Language = told
	}
	chosen := language(s, r)
	switch {
	case s.OptedOut():
		return Decision{Reason: ReasonOptedOut, Standing: s}
	case m.MediaCount > 0 && now.Sub(s.LastPictureAnswerAt) < r.Limits.PictureBurst:
		return Decision{Reason: ReasonBurst, Standing: s}
	case m.MediaCount == 0 && now.Sub(s.LastAnswerAt) < r.Limits.WordsPause && chosen == before:
		return Decision{Reason: ReasonBurst, Standing: s} // who asks for another language is not made to wait
	case looping(s, r, now):
		return Decision{Reason: ReasonLoop, Standing: s}
	}
	return answer(m, s, r, now)
}

// keyword is what happens to a word that Twilio itself answers; any other
// message gets the decision given.
func keyword(m Message, s Standing, now time.Time, otherwise Decision) Decision {
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
	return otherwise
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

// language is what the sender is answered in.
func language(s Standing, r Rules) string {
	if s.Language != "" && slices.Contains(r.Languages, s.Language) {
		return s.Language
	}
	return r.Languages[0]
}

// tellLanguage gives the language that a message asks for: the digit that the
// greeting offers, or the one its words are in; empty if nothing tells.
func tellLanguage(m Message, r Rules) string {
	if digit := strings.TrimSpace(m.Words); len(digit) == 1 {
		if i := int(digit[0]) - '1'; i >= 0 && i < len(r.Languages) && len(r.Languages) > 1 {
			return r.Languages[i]
		}
	}
	if slices.Contains(r.Languages, r.Detected) {
		return r.Detected
	}
	return ""
}

// Who was answered the same words this often within a day, without opening a
// link, is a robot, or cannot be helped by another link.
const (
	sameWordsMost = 2
	sameWordsTime = 24 * time.Hour
)

func looping(s Standing, r Rules, now time.Time) bool {
	return r.Mark != 0 && r.Mark == s.LastWords && s.SameWords >= sameWordsMost && now.Sub(s.LastAnswerAt) < sameWordsTime
}

// inWindows begins anew the windows that are over.
func (s Standing) inWindows(now time.Time) Standing {
	if now.Sub(s.HourStart) >= time.Hour {
		s.HourStart, s.HourCount = now, 0
	}
	if now.Sub(s.DayStart) >= 24*time.Hour {
		s.DayStart, s.DayCount = now, 0
	}
	return s
}

// Count counts a text of ours that is no answer against the sender's limits,
// or gives false beyond them. The last place of each window is left to an
// answer, the one that names the telephone.
func (s Standing) Count(l Limits, now time.Time) (Standing, bool) {
	s = s.inWindows(now)
	if s.HourCount+1 >= l.AnswersPerHour || s.DayCount+1 >= l.AnswersPerDay {
		return s, false
	}
	s.HourCount++
	s.DayCount++
	return s, true
}

// answer counts an answer against the limits and chooses its occasion.
func answer(m Message, s Standing, r Rules, now time.Time) Decision {
	s = s.inWindows(now)
	switch {
	case s.HourCount >= r.Limits.AnswersPerHour || s.DayCount >= r.Limits.AnswersPerDay:
		return Decision{Reason: ReasonLimit, Standing: s}
	case r.Spent:
		return Decision{Reason: ReasonCeiling, Standing: s}
	}
	if r.Mark != 0 && r.Mark == s.LastWords && now.Sub(s.LastAnswerAt) < sameWordsTime {
		s.SameWords++
	} else {
		s.LastWords, s.SameWords = r.Mark, 1
	}
	s.HourCount++
	s.DayCount++
	s.LastAnswerAt = now
	if m.MediaCount > 0 {
		s.LastPictureAnswerAt = now
	}
	last := s.HourCount == r.Limits.AnswersPerHour || s.DayCount == r.Limits.AnswersPerDay ||
		r.Mark != 0 && s.SameWords == sameWordsMost
	return Decision{Reason: ReasonAnswered, Occasion: occasion(m, s, r, last), Language: language(s, r), Standing: s}
}

// occasion chooses what an answer says.
func occasion(m Message, s Standing, r Rules, last bool) Occasion {
	plain, final := OccasionLink, OccasionLinkLast
	switch {
	case m.MediaCount > 0 && r.MMS == MMSDiscard:
		plain, final = OccasionPhotoNotKept, OccasionPhotoNotKeptLast
	case m.MediaCount > 0:
		plain, final = OccasionPhotosArriving, OccasionPhotosArrivingLast
	case s.Language == "" && len(r.Languages) > 1:
		plain = OccasionGreeting
	}
	if last {
		return final
	}
	return plain
}

// Keep says what happens to what a message holds. Whom Dropslot never answers
// has nothing kept; what they sent is erased at Twilio all the same.
func Keep(m Message, reason Reason, mms MMS, sealWords bool) Keeping {
	k := Keeping{Media: MediaNone, Words: WordsNotKept, Step: StepErase}
	keeps := !unkept[reason]
	if m.MediaCount > 0 {
		k.Media = MediaNotKept
		if keeps && mms == MMSSeal {
			k.Media, k.Step = MediaPending, StepCollect
		}
	}
	switch {
	case strings.TrimSpace(m.Words) == "" && m.Sender == SenderPhone:
		k.Words = WordsNone
	case keeps && sealWords:
		k.Words, k.Step = WordsPending, StepCollect
	}
	return k
}

// unkept are the reasons for which nothing of a message is kept: keywords, and
// senders that are no client's phone.
var unkept = map[Reason]bool{
	ReasonStop: true, ReasonStart: true, ReasonHelp: true, ReasonCountry: true, ReasonOwnNumber: true,
	ReasonShortCode: true, ReasonAlphanumeric: true, ReasonChannel: true,
}

// DecideAgain tells whether a message that came before gets the same answer
// once more: soon, and while nobody claimed its link. Twilio sends a message
// again when our first answer was lost.
func DecideAgain(earlier EarlierText, l Limits, now time.Time) bool {
	return earlier.Link != nil &&
		now.Sub(earlier.ReceivedAt) < l.ReplayWindow &&
		earlier.Link.StateAt(now) == LinkIssued
}
