package web

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"dropslot/gateway"

	"github.com/labstack/echo/v4"
)

// problem is what a caseworker reads when something did not work: what
// happened and what to do next.
type problem struct {
	Code   gateway.Code  `json:"code"`
	Status int           `json:"-"`
	Title  string        `json:"title"`
	Text   string        `json:"text"`
	thread bool          // belongs beside the thread's forms
	Wait   time.Duration `json:"-"` // before another try makes sense; 0 if unknown
}

// codeMethod is for a path that exists and a method that it does not take.
const codeMethod gateway.Code = "method"

var deskProblems = map[gateway.Code]problem{
	gateway.CodeUnavailable: {Status: http.StatusServiceUnavailable, Title: "This does not work right now",
		Text: "A part of Dropslot is out of reach. Nothing was lost. Try again in a minute; if it stays, tell the person who runs Dropslot."},
	gateway.CodeBadRequest: {Status: http.StatusBadRequest, Title: "That request was not complete",
		Text: "Go back, load the page again and try once more."},
	codeMethod: {Status: http.StatusMethodNotAllowed, Title: "That request was not complete",
		Text: "Go back, load the page again and try once more."},
	gateway.CodeForbidden: {Status: http.StatusForbidden, Title: "This was refused",
		Text: "The request did not come from a Dropslot page, or it is not allowed for your account. Open the inbox and try from there."},
	gateway.CodeNotFound: {Status: http.StatusNotFound, Title: "Nothing here for you",
		Text: "It does not exist, or it belongs to an office you do not work for. Go back to the inbox."},
	gateway.CodeTooManyTries: {Status: http.StatusTooManyRequests, Title: "Too many tries",
		Text: "To keep guessers out, signing in is paused for a while. Then try again, or ask an admin of your office for a new link to your account."},
	gateway.CodeSignIn: {Status: http.StatusUnauthorized, Title: "Not signed in",
		Text: "Name or password is not right. Check both, with an eye on the caps-lock key. If you forgot the password, ask an admin of your office for a new link to your account."},
	gateway.CodeSecondFactor: {Status: http.StatusUnprocessableEntity, Title: "That code is not right",
		Text: "Type the six digits that the app shows now. Each code works once: wait for the next one if you used this one already. If codes never work, check that the phone’s clock is set by the network."},
	gateway.CodePasskey: {Status: http.StatusUnprocessableEntity, Title: "The passkey was not accepted",
		Text: "Try once more, or sign in another way. If you lost the device with the passkey, ask an admin of your office for a new link to your account."},
	gateway.CodeWeakPassword: {Status: http.StatusUnprocessableEntity, Title: "This password is too easy to guess",
		Text: "Take 15 characters or more that are not your name, your office’s name or a pattern. Four or five words that have nothing to do with each other are easy to remember and hard to guess."},
	codeTypedTwice: {Status: http.StatusUnprocessableEntity, Title: "The two passwords are not the same",
		Text: "Type the new password twice."},
	codeNotRecent: {Status: http.StatusUnprocessableEntity, Title: "Sign in again first",
		Text: "Nothing was changed. Sign out and sign in again; for 15 minutes you can then change how you sign in. So nobody can do it at a desk that you left."},
	codeWrongPassword: {Status: http.StatusUnprocessableEntity, Title: "The password is not right",
		Text: "Nothing was changed. Type the password that you use now."},
	gateway.CodeInvitation: {Status: http.StatusGone, Title: "This link does not work any more",
		Text: "It was used, it is too old, a newer one was made, or another person’s link was opened in this browser. If your account is set up already, sign in. Otherwise open the link once more, or ask an admin of your office for a new one."},
	gateway.CodeBadLogin: {Status: http.StatusUnprocessableEntity, Title: "That is no sign-in name",
		Text: "Take 2 to 64 letters, digits or . _ @ + - such as an e-mail address."},
	gateway.CodeLoginTaken: {Status: http.StatusUnprocessableEntity, Title: "There is an account of this name",
		Text: "Take another name. If the same person is to work for your office too, ask the person who runs Dropslot to add your office to the account."},
	gateway.CodeShared: {Status: http.StatusUnprocessableEntity, Title: "This account works for another office too",
		Text: "You can change its roles at your office. For a new link, or to switch it off everywhere, ask the person who runs Dropslot."},
	gateway.CodeSwitchedOff: {Status: http.StatusUnprocessableEntity, Title: "This account is switched off",
		Text: "Switch it on again first, then make the link."},
	gateway.CodeSSO: {Status: http.StatusForbidden, Title: "Your organization’s sign-in did not let you in",
		Text: "Try once more. If it stays, tell the person who runs Dropslot, and say when you tried: what was wrong stands in the log."},
	gateway.CodeSSODown: {Status: http.StatusServiceUnavailable, Title: "Your organization’s sign-in does not answer",
		Text: "Nothing was lost. Try again in a minute; if it stays, tell the person who runs Dropslot. Who has a password or passkey of Dropslot’s own can sign in with it."},
	gateway.CodeSSOLate: {Status: http.StatusBadRequest, Title: "That sign-in is over",
		Text: "It took too long, it was used already, or it began in another browser. Begin again here."},
	gateway.CodeSSOGroup: {Status: http.StatusForbidden, Title: "You have no work here yet",
		Text: "Your organization knows you, but you are in none of the groups that work with Dropslot. Ask whoever manages the groups at your organization, or the person who runs Dropslot, which one you need."},
	gateway.CodeSSOSecond: {Status: http.StatusForbidden, Title: "A second step is missing",
		Text: "Your office asks for a second step beside the password, and your organization’s sign-in did not ask you for one. Set it up there, or ask the person who runs Dropslot."},
	gateway.CodeSSOOff: {Status: http.StatusForbidden, Title: "Your account here is switched off",
		Text: "Ask an admin of your office, or the person who runs Dropslot, to switch it on again."},
	gateway.CodeSSOAccount: {Status: http.StatusUnprocessableEntity, Title: "This account signs in through the organization",
		Text: "Its roles come from its groups there, and so do its password and second step. Here it can only be switched off and on."},
	gateway.CodeOwnAccount: {Status: http.StatusUnprocessableEntity, Title: "This is your own account",
		Text: "Another admin, or the person who runs Dropslot, has to do this."},

	gateway.CodeEmergencyReason: {Status: http.StatusUnprocessableEntity, Title: "Say what the emergency is",
		Text: "Nothing was opened. Write why it cannot wait, in up to 500 characters."},
	gateway.CodeNoFactor: {Status: http.StatusForbidden, Title: "Your account needs a second step first",
		Text: "Nothing was opened. This office lets nobody in by a password alone. Call the office now. For the next time, set up an authenticator app or a passkey under your account: a day later it counts here, once you signed in with it."},

	gateway.CodeBadAddress: {Status: http.StatusUnprocessableEntity, Title: "Not an e-mail address",
		Text: "Type your address at work, like ana@example.gov, or leave it empty and choose “Only what is told at once”."},
	gateway.CodeBadPhone: {Status: http.StatusUnprocessableEntity, Title: "Not a phone number",
		Text: "Type the client's mobile number with its area code, like (555) 123-0100, or with a plus sign and the country code."},
	gateway.CodeCountry: {Status: http.StatusUnprocessableEntity, Title: "A number of another country",
		Text: "Dropslot does not send texts to this country. Ask the client for another mobile number."},
	gateway.CodeOptedOut: {Status: http.StatusUnprocessableEntity, Title: "This phone texted STOP",
		Text: "No text may be sent to it. Ask the client to text START to your office's number; then send the link again."},
	gateway.CodeLinkWorks: {Status: http.StatusConflict, Title: "That link still works",
		Text: "The client can open the link that was sent. Take it back first if it went to the wrong phone."},
	gateway.CodeUnasked: {Status: http.StatusUnprocessableEntity, Title: "Did the client ask for it?",
		Text: "This phone texted your office nothing in the last 90 days, so no text was sent. If the client asked you for the link, tick “The client asked me” and send it; that you said so is kept."},
	gateway.CodeWordsLong: {Status: http.StatusUnprocessableEntity, Title: "Your words are too long",
		Text: "Write at most 200 characters: what to photograph, and what has to be seen on it."},
	gateway.CodeReasonMissing: {Status: http.StatusUnprocessableEntity, Title: "Say what is wrong with the page",
		Text: "Choose a reason, or choose “In my own words” and write it. The client reads it."},
	gateway.CodeNoPhone: {Status: http.StatusUnprocessableEntity, Title: "No phone to text",
		Text: "These papers came from the counter, not from a phone. Make a new code under “At the counter”, or send a link to the client's number."},
	gateway.CodeCeiling: {Status: http.StatusUnprocessableEntity, Title: "No more texts can be sent for now",
		Text: "What your office may spend on texts today, or the number sends in an hour, is reached. Call the client, or ask the person who runs Dropslot to raise daily_spend or number_per_hour."},
	gateway.CodeSendFailed: {Status: http.StatusBadGateway, Title: "The text was refused",
		Text: "Check the number and try again. If it is right, ask the client to text your office's number instead."},
	gateway.CodeSendUnknown: {Status: http.StatusBadGateway, Title: "The text may or may not have been sent",
		Text: "Ask the client whether it arrived before you send another one."},

	codeClient: {Status: http.StatusUnprocessableEntity, Title: "No reference and no phone number",
		Text: "Type the five letters and digits of a submission's reference, or a whole phone number with its area code."},
	codeDay: {Status: http.StatusUnprocessableEntity, Title: "Not a date",
		Text: "Write a day as year-month-day, like 2026-11-23."},
	codeProving: {Status: http.StatusConflict, Title: "A check is under way",
		Text: "Somebody started one already, and it reads the whole trail. Wait a minute and try again."},

	gateway.CodePagePixels: {Status: http.StatusUnprocessableEntity, Title: "This picture is too large to show",
		Text: "It has more pixels than any document needs. Download the original only if you expect it; else ask the client to send the page again."},
	gateway.CodeBlobDamaged: {Status: http.StatusUnprocessableEntity, Title: "This page is damaged",
		Text: "What is stored is not what the client sent, so it is not shown. Tell the person who runs Dropslot, and ask the client to send the page again."},
	gateway.CodePageMissing: {Status: http.StatusUnprocessableEntity, Title: "No page is chosen",
		Text: "Choose at least one page."},
	gateway.CodeSendTwice: {Status: http.StatusConflict, Title: "A delivery is under way",
		Text: "These papers are being handed over already. Wait until that is done, or try it again below."},
	gateway.CodePDFTooBig: {Status: http.StatusUnprocessableEntity, Title: "That many pages do not fit into this size",
		Text: "Made any smaller, print could not be read. Choose fewer pages or a larger size, or make several PDFs."},
	gateway.CodeNoDownload: {Status: http.StatusForbidden, Title: "Your role may not download papers",
		Text: "You can look at them here. Ask a colleague who may, or the person who runs Dropslot."},
	gateway.CodeInfected: {Status: http.StatusUnprocessableEntity, Title: "The virus scanner stopped this",
		Text: "It found something in a page, so nothing of it is shown or handed on. Do not ask for the same file again: ask the client to photograph the paper, and tell the person who runs Dropslot."},
	gateway.CodeScanner: {Status: http.StatusServiceUnavailable, Title: "The virus scanner does not answer",
		Text: "Nothing is shown or handed on unscanned. Nothing was lost. Try again in a minute; if it stays, tell the person who runs Dropslot."},
	gateway.CodeNotScanned: {Status: http.StatusUnprocessableEntity, Title: "This file is too large for the virus scanner",
		Text: "It was not looked through to its end, so it is neither shown nor handed on. Tell the person who runs Dropslot, who can raise the scanner's limits, or ask the client for a smaller file."},
	gateway.CodePageSeal: {Status: http.StatusUnprocessableEntity, Title: "This page cannot be opened",
		Text: "It is not sealed to a key of your office. Tell the person who runs Dropslot, and ask the client to send the page again."},
}

// problemOf gives the words for an error. A code without words of its own is
// none that a caseworker can do anything about.
func problemOf(err error) problem {
	code := gateway.CodeOf(err)
	if h, ok := errors.AsType[*echo.HTTPError](err); ok {
		code = codeOfStatus(h.Code)
	}
	p, ok := deskProblems[code]
	if !ok {
		p = deskProblems[gateway.CodeUnavailable]
	}
	p.Code = code
	if tries, ok := errors.AsType[gateway.TooManyTries](err); ok && tries.Wait > 0 {
		p.Wait = tries.Wait
		p.Text = fmt.Sprintf("To keep guessers out, signing in is paused. Try again in %s, or ask an admin of your office for a new link to your account.", waitWords(tries.Wait))
	}
	return p
}

// codeOfStatus reads the router's own errors.
func codeOfStatus(status int) gateway.Code {
	switch status {
	case http.StatusNotFound:
		return gateway.CodeNotFound
	case http.StatusMethodNotAllowed:
		return codeMethod
	}
	if status < http.StatusInternalServerError {
		return gateway.CodeBadRequest
	}
	return gateway.CodeUnavailable
}

// waitWords rounds up: who waits that long is let in.
func waitWords(wait time.Duration) string {
	if wait <= time.Minute {
		return plural(int(math.Ceil(wait.Seconds())), "second")
	}
	return plural(int(math.Ceil(wait.Minutes())), "minute")
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

func (p problem) setRetryAfter(c echo.Context) {
	if p.Wait > 0 {
		c.Response().Header().Set(echo.HeaderRetryAfter, strconv.Itoa(int(math.Ceil(p.Wait.Seconds()))))
	}
}

type problemView struct {
	frame
	Problem problem
	// InEmergency leads who was refused papers to the page of emergencies; empty
	// if nothing there is for them.
	InEmergency string
}

// emergencyWay is where somebody goes who was refused something and may open an
// office's papers in an emergency. What they asked for may be of any office, or
// not exist: it is all the same from here.
func emergencyWay(c echo.Context, f frame, code gateway.Code) string {
	if !f.Emergency.May || code != gateway.CodeNotFound && code != gateway.CodeForbidden {
		return ""
	}
	if c.Request().Method != http.MethodGet {
		return "/emergency"
	}
	return "/emergency?" + url.Values{"next": {localPath(c.Request().URL.RequestURI())}}.Encode()
}

// fail is the one place where an error of the desk becomes an answer, a log
// line and a count. The person reads the words of its code and nothing else.
func (d *desk) fail(err error, c echo.Context) {
	p := problemOf(err)
	d.note(c, p, err)
	if c.Response().Committed {
		return
	}
	p.setRetryAfter(c)
	h := c.Response().Header()
	for _, name := range []string{echo.HeaderContentDisposition, echo.HeaderContentLength, "Content-Range", "Accept-Ranges"} {
		h.Del(name)
	}
	h.Set("Content-Security-Policy", deskPolicy)
	h.Set("X-Frame-Options", "DENY")
	if wantsJSON(c.Request()) {
		err = c.JSON(p.Status, map[string]problem{"problem": p})
	} else {
		f := d.frame(c, p.Title, "")
		err = d.render(c, p.Status, "error", problemView{frame: f, Problem: p, InEmergency: emergencyWay(c, f, p.Code)})
	}
	if err != nil {
		d.Log.Error("the desk could not show an error", "route", routeOf(c, d.known), "err", err)
		_ = c.String(p.Status, p.Title+". "+p.Text)
	}
}

// note logs and counts. Refusals are everyday; what is out of reach is not.
func (d *desk) note(c echo.Context, p problem, err error) {
	d.count(c, p.Status, p.Code)
	if errors.Is(err, context.Canceled) && c.Request().Context().Err() != nil {
		return // the browser went away
	}
	attrs := []any{"route", routeOf(c, d.known), "code", string(p.Code), "status", p.Status}
	if p.Status >= http.StatusInternalServerError || p.Code == gateway.CodeBlobDamaged || p.Code == gateway.CodePageSeal {
		d.Log.Error("the desk could not answer", append(attrs, "err", err)...)
		return
	}
	d.Log.Info("the desk refused", attrs...)
}
