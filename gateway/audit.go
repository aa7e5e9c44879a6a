package gateway

import "time"

// Action is what an audit entry tells of.
type Action string

// The actions of the audit trail.
const (
	ActionTextOptOut        Action = "text.opt-out"
	ActionTextOptIn         Action = "text.opt-in"
	ActionLinkIssued        Action = "link.issued"
	ActionLinkClaimed       Action = "link.claimed"
	ActionTextSent          Action = "text.sent" // one that Dropslot sends by itself
	ActionLinkCanceled      Action = "link.canceled"
	ActionLinkSent          Action = "link.sent"
	ActionLinksViewed       Action = "links.viewed" // the list of links that staff sent
	ActionPageReceived      Action = "page.received"
	ActionPageRemoved       Action = "page.removed"
	ActionPageLabeled       Action = "page.labeled"
	ActionPagesOrdered      Action = "pages.ordered"
	ActionLackSaid          Action = "lack.said"          // what the client does not have
	ActionSubmissionDone    Action = "submission.done"    // by the client
	ActionSubmissionExpired Action = "submission.expired" // by the clock
	ActionSubmissionViewed  Action = "submission.viewed"
	ActionSubmissionHandled Action = "submission.handled"
	ActionInboxViewed       Action = "inbox.viewed"
	ActionClientViewed      Action = "client.viewed" // all of one phone at one office
	ActionClientNamed       Action = "client.named"
	ActionSearched          Action = "desk.searched" // what was typed stands nowhere
	ActionStageSet          Action = "submission.stage-set"
	ActionAssigned          Action = "submission.assigned"
	ActionCaseSet           Action = "submission.case-set"
	ActionRemarked          Action = "submission.noted"
	ActionMerged            Action = "submission.merged"
	ActionPageMoved         Action = "page.moved"
	ActionPageViewed        Action = "page.viewed"
	ActionPagePreviewed     Action = "page.previewed" // a small picture of it
	ActionPageDownloaded    Action = "page.downloaded"
	ActionPageExported      Action = "page.exported" // as part of a package; the reason is its form
	ActionPageScanned       Action = "page.scanned"  // and refused: something was found, or the scanner failed
	ActionExported          Action = "submission.exported"
	ActionDeliveryAsked     Action = "delivery.asked"
	ActionDelivered         Action = "delivery.tried" // done once the partner has it
	ActionPageTurned        Action = "page.turned"
	ActionTwilioErased      Action = "twilio.erased"         // words or a picture, with Twilio's answer
	ActionTwilioAdopted     Action = "twilio.adopted"        // a message whose webhook never came
	ActionTwilioSwept       Action = "twilio.looked-through" // for what was left there
	ActionChannelDead       Action = "channel.given-up"
	ActionStaffAdded        Action = "staff.added"
	ActionStaffChanged      Action = "staff.changed"
	ActionStaffInvited      Action = "staff.invited"
	ActionStaffReset        Action = "staff.reset"     // a one-time link was made
	ActionStaffJoined       Action = "staff.link-used" // and used
	ActionLinkWithdrawn     Action = "staff.link-canceled"
	ActionPasswordChanged   Action = "staff.new-password" // by the person
	ActionFactorChanged     Action = "staff.new-app"      // authenticator app
	ActionPasskeyAdded      Action = "staff.passkey-added"
	ActionPasskeyRemoved    Action = "staff.passkey-removed" // #nosec G101 -- a name
	ActionSessionEnded      Action = "staff.session-ended"
	ActionNewBrowser        Action = "staff.new-browser"   // signed in from one for the first time
	ActionBrowserKnown      Action = "staff.browser-known" // the person says that such a sign-in was theirs
	ActionUnlocked          Action = "staff.unlocked"      // the lock screen
	ActionSignedIn          Action = "staff.signed-in"
	ActionSignInRefused     Action = "staff.sign-in-refused"
	ActionSignedOut         Action = "staff.signed-out"
	ActionRouteRefused      Action = "desk.refused" // what the person's roles do not allow
	ActionReindexed         Action = "records.reindexed"
	ActionHeadLost          Action = "audit.head-lost" // a head in the vault whose rows a reindex found gone
	ActionSwept             Action = "vault.swept"
	ActionAuditViewed       Action = "audit.viewed"     // rows of the trail were looked at
	ActionAuditDownloaded   Action = "audit.downloaded" // or taken away
	ActionAuditVerified     Action = "audit.verified"   // with what was found
	ActionEvidence          Action = "audit.evidence"   // a report of what was done
	ActionExposure          Action = "audit.exposure"   // a report of what was within reach
	ActionFiguresViewed     Action = "figures.viewed"
	ActionConfigChanged     Action = "config.changed"      // since the last start of this role
	ActionKeysChanged       Action = "office.keys-changed" // what pages are sealed to
	ActionErasureWarned     Action = "erasure.warned"      // supervisors see that an unfinished submission goes
	ActionErased            Action = "submission.erased"
	ActionHeld              Action = "hold.placed"
	ActionReleased          Action = "hold.released"
	ActionRetentionViewed   Action = "retention.viewed"
	ActionRetentionRests    Action = "retention.rests" // the clock jumped: nothing is erased for a day
	ActionNoticesChanged    Action = "notices.changed" // how a caseworker is told
	ActionAuditPruned       Action = "audit.pruned"
	ActionEmergencyOpened   Action = "emergency.opened" // or refused
	ActionEmergencyEnded    Action = "emergency.ended"
	ActionEmergencySeen     Action = "emergency.seen"   // by somebody who watches over the office
	ActionEmergenciesViewed Action = "emergency.viewed" // with the reasons that were given
	ActionJobRetried        Action = "job.retried"
	ActionJobDropped        Action = "job.dropped"
	ActionStarted           Action = "process.started"
	ActionStopped           Action = "process.stopped"
)

// Outcome tells how an act ended.
type Outcome string

// The outcomes.
const (
	OutcomeDone   Outcome = "done"
	OutcomeDenied Outcome = "denied"
	OutcomeFailed Outcome = "failed"
)

// The actors that are no staff account.
const (
	ActorClient   = "client"
	ActorOperator = "operator" // somebody at the server's command line
)

// ActorStaff names a staff account as an actor.
func ActorStaff(id StaffID) string { return "staff:" + string(id) }

// ActorRole names a process role (intake, desk, worker) as an actor.
func ActorRole(role string) string { return "role:" + role }

// AuditEntry is one line of the audit trail. It holds no personal data of
// clients: things are named by identifier.
type AuditEntry struct {
	At      time.Time
	Actor   string
	Action  Action
	Object  string // "link:<id>", "page:<id>", ...; empty if none
	Office  OfficeID
	From    string // network address, for staff only
	Outcome Outcome
	Reason  string // a code or what the person wrote as reason
}

// AuditHead is the end of one chain at one time. Each process start begins a
// chain; the head is kept in the vault, apart from the rows.
type AuditHead struct {
	Chain string    `json:"chain"`
	Seq   int64     `json:"seq"` // rows of the chain, from 1
	MAC   []byte    `json:"mac"` // of row Seq
	At    time.Time `json:"at"`
}
