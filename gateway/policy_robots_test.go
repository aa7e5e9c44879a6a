package gateway

import (
	"testing"
	"time"
)

var markKey = []byte("0123456789abcdef0123456789abcdef")

// talk lets a robot answer each of our answers, after its own pause, and gives
// how many answers it got.
func talk(t *testing.T, pause time.Duration, days int, say func(n int) string) int {
	t.Helper()
	rules := testRules()
	var s Standing
	answers := 0
	for now, n := noon, 0; now.Before(noon.Add(time.Duration(days) * 24 * time.Hour)); now, n = now.Add(pause), n+1 {
		m := words(t, say(n))
		rules.Mark = WordsMark(markKey, m.Words)
		d := Decide(m, s, rules, now)
		s = d.Standing
		if !d.Answers() {
			return answers
		}
		answers++
	}
	return answers
}

func TestTwoRobotsExchangeAtMostTwoMessages(t *testing.T) {
	quoting := func(n int) string {
		return "I am driving. You wrote: north: https://docs.example.gov/c/" + string(rune('a'+n%26)) + "bcdefghijklmnopqrstuvwxyz at 12:0" + string(rune('0'+n%10))
	}
	for name, test := range map[string]struct {
		pause time.Duration
		say   func(int) string
	}{
		"at once":                 {time.Second, func(int) string { return "I am away." }},
		"after a minute":          {61 * time.Second, func(int) string { return "I am away." }},
		"after an hour":           {time.Hour, func(int) string { return "I am away." }},
		"empty":                   {2 * time.Minute, func(int) string { return "" }},
		"quoting our answer":      {2 * time.Minute, quoting},
		"with a count of its own": {2 * time.Minute, func(n int) string { return "Auto reply #" + string(rune('0'+n%10)) + "!" }},
	} {
		t.Run(name, func(t *testing.T) {
			if n := talk(t, test.pause, 3, test.say); n > 2 || n == 0 {
				t.Errorf("the robot got %d answers", n)
			}
		})
	}
}

func TestPeopleMayRepeatThemselves(t *testing.T) {
	rules := testRules()
	rules.Mark = WordsMark(markKey, "hi")
	opened := Decide(words(t, "hi"), Standing{}, rules, noon).Standing
	opened.LastWords, opened.SameWords = 0, 0 // the link was opened
	for day := 1; day < 5; day++ {
		d := Decide(words(t, "hi"), opened, rules, noon.AddDate(0, 0, day))
		if !d.Answers() {
			t.Fatalf("day %d: %s", day, d.Reason)
		}
	}
	second := Decide(words(t, "hi"), Decide(words(t, "hi"), Standing{}, rules, noon).Standing, rules, noon.Add(time.Hour))
	if second.Occasion != OccasionLinkLast {
		t.Errorf("who asks again gets %s, without the telephone", second.Occasion)
	}
	nextDay := Decide(words(t, "hi"), second.Standing, rules, noon.Add(26*time.Hour))
	if !nextDay.Answers() {
		t.Errorf("the day after: %s", nextDay.Reason)
	}
	rules.Mark = WordsMark(markKey, "where is it")
	if d := Decide(words(t, "where is it"), second.Standing, rules, noon.Add(2*time.Hour)); !d.Answers() {
		t.Errorf("other words: %s", d.Reason)
	}
}

func TestWordsMarkKnowsWordsThatComeAgain(t *testing.T) {
	same := [][2]string{
		{"I am away.", "i am AWAY"}, {"Reply 12", "reply 99!"}, {"see https://a.example/c/x now", "see https://b.example/c/y now"},
	}
	for _, pair := range same {
		if WordsMark(markKey, pair[0]) != WordsMark(markKey, pair[1]) {
			t.Errorf("%q and %q differ", pair[0], pair[1])
		}
	}
	if WordsMark(markKey, "ab c") == WordsMark(markKey, "a bc") || WordsMark(markKey, "a") == WordsMark([]byte("another key"), "a") {
		t.Error("different words, or keys, are the same")
	}
	seen := map[int64]string{}
	for _, bare := range []string{"", "1", "2", "?", "👍", "1 2"} {
		mark := WordsMark(markKey, " "+bare+"\n")
		if other, there := seen[mark]; there {
			t.Errorf("%q and %q are the same", bare, other)
		}
		seen[mark] = bare
	}
}

func TestKeepSaysWhatIsKept(t *testing.T) {
	picture := words(t, "")
	picture.MediaCount = 1
	spoken := words(t, "hi")
	channel := Message{Sender: SenderChannel}
	for name, test := range map[string]struct {
		message Message
		reason  Reason
		mms     MMS
		words   bool
		want    Keeping
	}{
		"words":               {spoken, ReasonAnswered, MMSSeal, true, Keeping{MediaNone, WordsPending, StepCollect}},
		"words not wanted":    {spoken, ReasonAnswered, MMSSeal, false, Keeping{MediaNone, WordsNotKept, StepErase}},
		"pictures":            {picture, ReasonBurst, MMSSeal, true, Keeping{MediaPending, WordsNone, StepCollect}},
		"pictures discarded":  {picture, ReasonAnswered, MMSDiscard, true, Keeping{MediaNotKept, WordsNone, StepErase}},
		"pictures after STOP": {picture, ReasonOptedOut, MMSSeal, true, Keeping{MediaPending, WordsNone, StepCollect}},
		"STOP":                {words(t, "STOP"), ReasonStop, MMSSeal, true, Keeping{MediaNone, WordsNotKept, StepErase}},
		"from abroad":         {picture, ReasonCountry, MMSSeal, true, Keeping{MediaNotKept, WordsNone, StepErase}},
		"a channel":           {channel, ReasonChannel, MMSSeal, true, Keeping{MediaNone, WordsNotKept, StepErase}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Keep(test.message, test.reason, test.mms, test.words); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}
