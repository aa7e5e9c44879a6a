package gateway

import (
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func phone(t *testing.T, text string) Phone {
	t.Helper()
	p, err := ParsePhone(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func testRules() Rules {
	return Rules{
		Limits: DefaultLimits(), Countries: []string{"US", "CA"},
		Own: map[Number]bool{"+15551230100": true}, Languages: []string{"en", "es"},
	}
}

func words(t *testing.T, text string) Message {
	return Message{From: phone(t, "+15551239876"), Sender: SenderPhone, Country: "US", Words: text}
}

func TestDecide(t *testing.T) {
	picture := words(t, "")
	picture.MediaCount = 2
	own, abroad := words(t, "hi"), words(t, "hi")
	own.From, abroad.Country = phone(t, "+15551230100"), "JM"
	stopAbroad := words(t, "STOP")
	stopAbroad.Country = "JM"
	advanced := words(t, "please no more")
	advanced.OptOutType = "STOP"
	ago := func(d time.Duration) time.Time { return noon.Add(-d) }

	for name, test := range map[string]struct {
		message  Message
		standing Standing
		detected string
		spent    bool
		reason   Reason
		occasion Occasion
		language string
	}{
		"a stranger's words":               {message: words(t, "hello"), reason: ReasonAnswered, occasion: OccasionGreeting, language: "en"},
		"no words at all":                  {message: words(t, ""), reason: ReasonAnswered, occasion: OccasionGreeting, language: "en"},
		"Spanish words":                    {message: words(t, "hola"), detected: "es", reason: ReasonAnswered, occasion: OccasionLink, language: "es"},
		"a remembered language":            {message: words(t, "ok"), standing: Standing{Language: "es"}, reason: ReasonAnswered, occasion: OccasionLink, language: "es"},
		"a remembered language now off":    {message: words(t, "ok"), standing: Standing{Language: "vi"}, reason: ReasonAnswered, occasion: OccasionLink, language: "en"},
		"English words":                    {message: words(t, "hello"), detected: "en", reason: ReasonAnswered, occasion: OccasionLink, language: "en"},
		"a digit of the greeting":          {message: words(t, " 2\n"), standing: Standing{LastAnswerAt: ago(5 * time.Second)}, reason: ReasonAnswered, occasion: OccasionLink, language: "es"},
		"the digit of the same language":   {message: words(t, "1"), standing: Standing{LastAnswerAt: ago(5 * time.Second)}, reason: ReasonBurst},
		"a digit that is not offered":      {message: words(t, "3"), standing: Standing{LastAnswerAt: ago(5 * time.Second)}, reason: ReasonBurst},
		"another language within a minute": {message: words(t, "en español"), detected: "es", standing: Standing{LastAnswerAt: ago(5 * time.Second)}, reason: ReasonAnswered, occasion: OccasionLink, language: "es"},
		"nothing left to spend":            {message: words(t, "hi"), spent: true, reason: ReasonCeiling},
		"pictures":                         {message: picture, reason: ReasonAnswered, occasion: OccasionPhotosArriving, language: "en"},
		"pictures soon after pictures":     {message: picture, standing: Standing{LastPictureAnswerAt: ago(9 * time.Minute)}, reason: ReasonBurst},
		"pictures long after pictures":     {message: picture, standing: Standing{LastPictureAnswerAt: ago(10 * time.Minute)}, reason: ReasonAnswered, occasion: OccasionPhotosArriving, language: "en"},
		"pictures right after words":       {message: picture, standing: Standing{LastAnswerAt: ago(time.Second)}, reason: ReasonAnswered, occasion: OccasionPhotosArriving, language: "en"},
		"words right after an answer":      {message: words(t, "hello?"), standing: Standing{LastAnswerAt: ago(59 * time.Second)}, reason: ReasonBurst},
		"words a minute after an answer":   {message: words(t, "where is it"), standing: Standing{LastAnswerAt: ago(time.Minute)}, reason: ReasonAnswered, occasion: OccasionGreeting, language: "en"},
		"the last answer of the hour":      {message: words(t, "hi"), standing: Standing{HourStart: ago(time.Minute), HourCount: 4}, reason: ReasonAnswered, occasion: OccasionLinkLast, language: "en"},
		"the last answer of the day":       {message: picture, standing: Standing{DayStart: ago(2 * time.Hour), DayCount: 19}, reason: ReasonAnswered, occasion: OccasionPhotosArrivingLast, language: "en"},
		"beyond the hour's limit":          {message: words(t, "hi"), standing: Standing{HourStart: ago(59 * time.Minute), HourCount: 5}, reason: ReasonLimit},
		"the next hour":                    {message: words(t, "hi"), standing: Standing{HourStart: ago(time.Hour), HourCount: 5}, reason: ReasonAnswered, occasion: OccasionGreeting, language: "en"},
		"beyond the day's limit":           {message: words(t, "hi"), standing: Standing{DayStart: ago(23 * time.Hour), DayCount: 20}, reason: ReasonLimit},
		"STOP":                             {message: words(t, " stop \n"), reason: ReasonStop},
		"STOPALL":                          {message: words(t, "StopAll"), reason: ReasonStop},
		"advanced opt-out":                 {message: advanced, reason: ReasonStop},
		"stop in a sentence is no keyword": {message: words(t, "please stop by"), reason: ReasonAnswered, occasion: OccasionGreeting, language: "en"},
		"START":                            {message: words(t, "UNSTOP"), standing: Standing{OptedOutAt: ago(time.Hour)}, reason: ReasonStart},
		"HELP":                             {message: words(t, "info"), reason: ReasonHelp},
		"after STOP":                       {message: words(t, "hello"), standing: Standing{OptedOutAt: ago(time.Hour)}, reason: ReasonOptedOut},
		"pictures after STOP":              {message: picture, standing: Standing{OptedOutAt: ago(time.Hour)}, reason: ReasonOptedOut},
		"one of our own numbers":           {message: own, reason: ReasonOwnNumber},
		"a country that is not answered":   {message: abroad, reason: ReasonCountry},
		"STOP from such a country":         {message: stopAbroad, reason: ReasonStop},
		"a short code":                     {message: Message{Sender: SenderShortCode, Words: "STOP"}, reason: ReasonShortCode},
		"a name as sender":                 {message: Message{Sender: SenderAlphanumeric}, reason: ReasonAlphanumeric},
		"a channel":                        {message: Message{Sender: SenderChannel}, reason: ReasonChannel},
	} {
		t.Run(name, func(t *testing.T) {
			rules := testRules()
			rules.Detected, rules.Spent = test.detected, test.spent
			d := Decide(test.message, test.standing, rules, noon)
			if d.Reason != test.reason || d.Occasion != test.occasion || d.Language != test.language {
				t.Errorf("got %s/%s/%s, want %s/%s/%s", d.Reason, d.Occasion, d.Language, test.reason, test.occasion, test.language)
			}
			if d.Answers() && !d.Standing.LastAnswerAt.Equal(noon) {
				t.Error("the answer's time is not remembered")
			}
		})
	}
}

func TestOptOutIsRememberedAndTakenBack(t *testing.T) {
	rules := testRules()
	s := Decide(words(t, "STOP"), Standing{}, rules, noon).Standing
	if !s.OptedOut() {
		t.Fatal("STOP was not remembered")
	}
	if s = Decide(words(t, "START"), s, rules, noon).Standing; s.OptedOut() {
		t.Error("START was not remembered")
	}
	abroad := words(t, "STOP")
	abroad.Country = "JM"
	if s = Decide(abroad, s, rules, noon).Standing; !s.OptedOut() {
		t.Error("STOP from a country that is not answered was not remembered")
	}
}

// However a sender writes, the answers stay within both limits.
func TestNoRhythmOfTextsBeatsTheLimits(t *testing.T) {
	rules := testRules()
	var s Standing
	var answers []time.Time
	for now := noon; now.Before(noon.Add(72 * time.Hour)); now = now.Add(61 * time.Second) {
		m := words(t, "hi")
		if now.Unix()%3 == 0 {
			m.MediaCount = 1
		}
		d := Decide(m, s, rules, now)
		s = d.Standing
		if d.Answers() {
			answers = append(answers, now)
		}
	}
	// Fixed windows admit at most twice the limit in a window laid anywhere.
	for i := range answers {
		hour, day := 0, 0
		for _, at := range answers[i:] {
			if at.Sub(answers[i]) < time.Hour {
				hour++
			}
			if at.Sub(answers[i]) < 24*time.Hour {
				day++
			}
		}
		if hour > 2*rules.Limits.AnswersPerHour || day > 2*rules.Limits.AnswersPerDay {
			t.Fatalf("%d answers within an hour, %d within a day", hour, day)
		}
	}
	if want := 3 * rules.Limits.AnswersPerDay; len(answers) > want {
		t.Errorf("%d answers in three days, want at most %d", len(answers), want)
	}
}

func TestDecideAgain(t *testing.T) {
	link := func(state LinkState) *Link {
		return &Link{State: state, ExpiresAt: noon.Add(time.Hour), IdleAt: noon.Add(time.Hour), EndsAt: noon.Add(time.Hour)}
	}
	for name, test := range map[string]struct {
		link *Link
		ago  time.Duration
		want bool
	}{
		"at once":            {link(LinkIssued), 0, true},
		"within the window":  {link(LinkIssued), 10*time.Minute - time.Millisecond, true},
		"after the window":   {link(LinkIssued), 10 * time.Minute, false},
		"claimed meanwhile":  {link(LinkClaimed), time.Second, false},
		"superseded":         {link(LinkSuperseded), time.Second, false},
		"expired":            {&Link{State: LinkIssued, ExpiresAt: noon}, time.Second, false},
		"silence stays that": {nil, time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			got := DecideAgain(EarlierText{ReceivedAt: noon.Add(-test.ago), Link: test.link}, DefaultLimits(), noon)
			if got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}
