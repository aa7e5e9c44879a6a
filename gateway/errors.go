package gateway

import "errors"

// Code names what went wrong, for programs, metrics and the catalogs of
// texts: the words that a person reads are `errors.<code>` of the language.
type Code string

// The codes of this package and what each means.
const (
	// CodeUnavailable: something Dropslot needs (SQL, Redis, the vault) is out of reach.
	CodeUnavailable Code = "unavailable"
	// CodeBadRequest: the request is malformed.
	CodeBadRequest Code = "bad-request"
	// CodeForbidden: known, but not allowed.
	CodeForbidden Code = "forbidden"
	// CodeNotFound: nothing there, or nothing that this person may know of.
	CodeNotFound Code = "not-found"
	// CodeTooManyTries: a limit per address or account was reached.
	CodeTooManyTries Code = "too-many-tries"

	// CodeNotMergeable: these submissions cannot be put together, or take each
	// other's pages.
	CodeNotMergeable Code = "not-mergeable"

	// CodeTooManyChanges: a session changed more in a short time than a person does.
	CodeTooManyChanges Code = "too-many-changes"

	// CodeBadPhone: not a phone number in E.164 form.
	CodeBadPhone Code = "bad-phone"
	// CodeCountry: the phone is not of a country that is answered.
	CodeCountry Code = "country"
	// CodeOptedOut: the person texted STOP; nothing may be sent to them.
	CodeOptedOut Code = "opted-out"
	// CodeSendTwice: this very text was handed over before.
	CodeSendTwice Code = "send-twice"
	// CodeUnwanted: what a text says is true no more.
	CodeUnwanted Code = "unwanted"
	// CodeSendFailed: Twilio refused a text.
	CodeSendFailed Code = "send-failed"
	// CodeSendUnknown: Twilio's answer was lost; the text may have been sent.
	CodeSendUnknown Code = "send-unknown"

	// CodeNotFinal: Twilio still moves this message and does not erase it yet.
	CodeNotFinal Code = "not-final"
	// CodeCeiling: what the office spends on texts in a day, or a number in an
	// hour, is reached.
	CodeCeiling Code = "ceiling"
	// CodeAgainSoon: a new link was texted a moment ago.
	CodeAgainSoon Code = "again-soon"
	// CodeAgainOften: new links were texted as often as one link may bring them.
	CodeAgainOften Code = "again-often"

	// CodeUnasked: a text that the client did not ask for: they texted nothing of
	// late, and no staff member says that they asked.
	CodeUnasked Code = "unasked"
	// CodeWordsLong: a caseworker's own words are above the limit.
	CodeWordsLong Code = "words-long"
	// CodeReasonMissing: a page is asked for once more without saying why.
	CodeReasonMissing Code = "reason-missing"
	// CodeNoPhone: the papers came from no phone that could be texted.
	CodeNoPhone Code = "no-phone"
	// CodeLinkWorks: a new link was asked for instead of one that still works.
	CodeLinkWorks Code = "link-works"
	// CodeLinkCanceled: a caseworker took the link back.
	CodeLinkCanceled Code = "link-canceled"

	// CodeLinkUnknown: no link has this token.
	CodeLinkUnknown Code = "link-unknown"
	// CodeLinkExpired: the link's or the claimed session's time is over.
	CodeLinkExpired Code = "link-expired"
	// CodeLinkSuperseded: a newer link was sent.
	CodeLinkSuperseded Code = "link-superseded"
	// CodeLinkClosed: the client said that they are done.
	CodeLinkClosed Code = "link-closed"
	// CodeLinkTaken: another browser claimed the link.
	CodeLinkTaken Code = "link-taken"
	// CodeNoCookie: the browser keeps no cookies.
	CodeNoCookie Code = "no-cookie"

	// CodePageTooBig: the page is above the limit for one page.
	CodePageTooBig Code = "page-too-big"
	// CodePageEmpty: the file has no content.
	CodePageEmpty Code = "page-empty"
	// CodePageType: the file is no JPEG, PNG, WebP, HEIC or PDF.
	CodePageType Code = "page-type"
	// CodePageDamaged: the picture or PDF cannot be read.
	CodePageDamaged Code = "page-damaged"
	// CodePagePixels: the picture has more pixels than any document needs.
	CodePagePixels Code = "page-pixels"
	// CodePageDigest: what arrived is not what was sent.
	CodePageDigest Code = "page-digest"
	// CodePageSeal: the page is not sealed to the office's recipients.
	CodePageSeal Code = "page-seal"
	// CodePageConflict: this Page-Id was used for another page.
	CodePageConflict Code = "page-conflict"
	// CodePageRemoved: the client removed this page.
	CodePageRemoved Code = "page-removed"
	// CodePageUnknown: the submission has no such page, or not yet.
	CodePageUnknown Code = "page-unknown"
	// CodePlainRefused: the office takes only pages that the phone sealed.
	CodePlainRefused Code = "plain-refused"
	// CodePageMissing: nothing was chosen.
	CodePageMissing Code = "page-missing"
	// CodeTooManyPages: the link holds as many pages as it may.
	CodeTooManyPages Code = "too-many-pages"
	// CodeLinkFull: the link holds as many bytes as it may.
	CodeLinkFull Code = "link-full"
	// CodeNoPages: done was said before any page arrived.
	CodeNoPages Code = "no-pages"

	// CodePDFTooBig: the chosen pages do not go into a PDF of the wanted size.
	CodePDFTooBig Code = "pdf-too-big"
	// CodeNoDownload: the person's role may look at papers, not take them along.
	CodeNoDownload Code = "no-download"
	// CodeNoPartner: the office hands papers over to nobody.
	CodeNoPartner Code = "no-partner"
	// CodePartnerDown: a partner's server does not answer, or the connection broke.
	CodePartnerDown Code = "partner-down"
	// CodePartnerKey: a partner's server has another host key than the pinned one.
	CodePartnerKey Code = "partner-key"
	// CodePartnerSignIn: a partner's server does not let Dropslot in.
	CodePartnerSignIn Code = "partner-sign-in"
	// CodePartnerFolder: a partner's server does not take files there.
	CodePartnerFolder Code = "partner-folder"
	// CodeNameTaken: another file has the name at the partner.
	CodeNameTaken Code = "name-taken"
	// CodeInfected: the virus scanner found something.
	CodeInfected Code = "infected"
	// CodeScanner: the virus scanner did not answer.
	CodeScanner Code = "scanner"
	// CodeNotScanned: the file is more than the virus scanner looks through.
	CodeNotScanned Code = "not-scanned"

	// CodeSignIn: name or password is wrong.
	CodeSignIn Code = "sign-in"
	// CodeSecondFactor: the code is wrong, too old, or was used before.
	CodeSecondFactor Code = "second-factor"
	// CodePasskey: the passkey is not one of the account, or its answer does not hold.
	CodePasskey Code = "passkey"
	// CodeWeakPassword: too short, or one that guessers try first.
	CodeWeakPassword Code = "weak-password"
	// CodeInvitation: the link to an account was used, replaced, or is too old.
	CodeInvitation Code = "invitation"
	// CodeLoginTaken: another account has this name.
	CodeLoginTaken Code = "login-taken"
	// CodeBadLogin: not the shape of a login.
	CodeBadLogin Code = "bad-login"
	// CodeShared: the account works for another office too.
	CodeShared Code = "shared-account"
	// CodeSwitchedOff: the account is disabled, and no link is made for it.
	CodeSwitchedOff Code = "switched-off"
	// CodeOwnAccount: nobody changes their own roles, or shuts themselves out.
	CodeOwnAccount Code = "own-account"
	// CodeSSO: the organization's sign-in did not let the person in, or its answer does not hold.
	CodeSSO Code = "sso"
	// CodeSSODown: the organization's sign-in cannot be reached.
	CodeSSODown Code = "sso-down"
	// CodeSSOLate: an answer that belongs to no sign-in of this browser, was used, or took too long.
	CodeSSOLate Code = "sso-late"
	// CodeSSOGroup: none of the person's groups works at an office.
	CodeSSOGroup Code = "sso-group"
	// CodeSSOSecond: an office asks for a second factor, and the provider does not say that there was one.
	CodeSSOSecond Code = "sso-second"
	// CodeSSOOff: the account is switched off here, whatever the provider says.
	CodeSSOOff Code = "sso-off"
	// CodeSSOAccount: what is asked is the organization's to do.
	CodeSSOAccount Code = "sso-account"
	// CodeBlobExists: the vault already holds an object of this name.
	CodeBlobExists Code = "blob-exists"
	// CodeBlobDamaged: a sealed object is not what the records say.
	CodeBlobDamaged Code = "blob-damaged"
)

// Error is the one error type that reaches a person. The web renders the
// words of its code; Err is for the log alone and must hold no personal data.
type Error struct {
	Code Code
	Err  error
}

// NewError makes an Error; err may be nil.
func NewError(code Code, err error) *Error { return &Error{Code: code, Err: err} }

func (e *Error) Error() string {
	if e.Err == nil {
		return string(e.Code)
	}
	return string(e.Code) + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// CodeOf gives the code of an error; any error without one is CodeUnavailable.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return CodeUnavailable
}

// Is tells whether an error has the code.
func Is(err error, code Code) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Code == code
}
