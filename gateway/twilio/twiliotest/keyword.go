package twiliotest

import "strings"

// What Twilio answers by itself when the whole message is one of these words.
var keywordAnswers = map[string]string{
	"STOP":  "You have successfully been unsubscribed. You will not receive any more messages from this number. Reply START to resubscribe.",
	"START": "You have successfully been re-subscribed to messages from this number. Reply HELP for help. Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
	"HELP":  "Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
}

var keywordFamilies = map[string]string{
	"STOP": "STOP", "STOPALL": "STOP", "UNSUBSCRIBE": "STOP", "CANCEL": "STOP", "END": "STOP", "QUIT": "STOP",
	"REVOKE": "STOP", "OPTOUT": "STOP", "START": "START", "YES": "START", "UNSTOP": "START", "HELP": "HELP", "INFO": "HELP",
}

func family(body string) string { return keywordFamilies[strings.ToUpper(strings.TrimSpace(body))] }

// keyword does what Twilio does with a keyword before it calls the webhook.
// The answer is a text like every other, but nobody is told its status. START
// is answered only to those who had said STOP.
func (f *Fake) keyword(n Number, number, phone, word string) error {
	who := pair{number, phone}
	f.lock.Lock()
	was := f.optedOut[who]
	switch word {
	case "STOP":
		f.optedOut[who] = true
	case "START":
		delete(f.optedOut, who)
	}
	f.lock.Unlock()
	if word == "START" && !was || word == "STOP" && was {
		return nil
	}
	m, err := f.add(message{Message: Message{
		Account: n.Account, From: number, To: phone, Body: keywordAnswers[word], Direction: FromReply, Status: "queued",
	}})
	if err != nil {
		return err
	}
	f.progress(m.SID)
	return nil
}

// OptedOut tells whether a phone said STOP to a number.
func (f *Fake) OptedOut(number, phone string) bool {
	f.lock.Lock()
	defer f.lock.Unlock()
	return f.optedOut[pair{number, phone}]
}
