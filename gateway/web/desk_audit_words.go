package web

import (
	"strings"

	"dropslot/gateway"
)

// What the trail's actions are called, in an auditor's words.
var auditWords = map[gateway.Action]string{
	gateway.ActionTextOptOut:        "Client texted STOP",
	gateway.ActionTextOptIn:         "Client texted START",
	gateway.ActionLinkIssued:        "Link made",
	gateway.ActionLinkClaimed:       "Link opened by the client",
	gateway.ActionTextSent:          "Text sent to a client",
	gateway.ActionLinkCanceled:      "Link taken back",
	gateway.ActionLinkSent:          "Link sent by staff",
	gateway.ActionLinksViewed:       "List of sent links viewed",
	gateway.ActionPageReceived:      "Page received",
	gateway.ActionPageRemoved:       "Page removed",
	gateway.ActionPageLabeled:       "Page labeled",
	gateway.ActionPagesOrdered:      "Pages put in order",
	gateway.ActionLackSaid:          "Client said what is missing",
	gateway.ActionSubmissionDone:    "Client was done",
	gateway.ActionSubmissionExpired: "Client’s time ran out",
	gateway.ActionSubmissionViewed:  "Papers viewed",
	gateway.ActionSubmissionHandled: "Papers marked done",
	gateway.ActionInboxViewed:       "Inbox viewed",
	gateway.ActionClientViewed:      "Client’s history viewed",
	gateway.ActionClientNamed:       "Client named",
	gateway.ActionSearched:          "Searched",
	gateway.ActionStageSet:          "Status changed",
	gateway.ActionAssigned:          "Papers assigned",
	gateway.ActionCaseSet:           "Case number changed",
	gateway.ActionRemarked:          "Note written",
	gateway.ActionMerged:            "Papers merged",
	gateway.ActionPageMoved:         "Page moved",
	gateway.ActionPageViewed:        "Page viewed",
	gateway.ActionPagePreviewed:     "Small picture of a page viewed",
	gateway.ActionPageDownloaded:    "Page downloaded",
	gateway.ActionPageExported:      "Page handed over",
	gateway.ActionPageScanned:       "Page refused by the virus scan",
	gateway.ActionExported:          "Papers handed over",
	gateway.ActionDeliveryAsked:     "Delivery asked for",
	gateway.ActionDelivered:         "Delivery tried",
	gateway.ActionPageTurned:        "Page rotated",
	gateway.ActionTwilioErased:      "Erased at Twilio",
	gateway.ActionTwilioAdopted:     "Missed text found at Twilio",
	gateway.ActionTwilioSwept:       "Twilio searched for leftovers",
	gateway.ActionChannelDead:       "Text given up",
	gateway.ActionStaffAdded:        "Account added",
	gateway.ActionStaffChanged:      "Account changed",
	gateway.ActionStaffInvited:      "Account invited",
	gateway.ActionStaffReset:        "Account reset",
	gateway.ActionLinkWithdrawn:     "Invitation or reset taken back",
	gateway.ActionStaffJoined:       "Account set up",
	gateway.ActionEmergencyOpened:   "Emergency access opened",
	gateway.ActionEmergencyEnded:    "Emergency access ended",
	gateway.ActionEmergencySeen:     "Emergency access acknowledged",
	gateway.ActionEmergenciesViewed: "Emergency accesses viewed",
	gateway.ActionPasswordChanged:   "Password changed",
	gateway.ActionFactorChanged:     "Authenticator app changed",
	gateway.ActionPasskeyAdded:      "Passkey added",
	gateway.ActionPasskeyRemoved:    "Passkey removed",
	gateway.ActionSessionEnded:      "Session ended",
	gateway.ActionNewBrowser:        "Signed in from a new browser",
	gateway.ActionBrowserKnown:      "New browser confirmed",
	gateway.ActionUnlocked:          "Screen unlocked",
	gateway.ActionSignedIn:          "Signed in",
	gateway.ActionSignInRefused:     "Sign-in failed",
	gateway.ActionSignedOut:         "Signed out",
	gateway.ActionRouteRefused:      "Access refused",
	gateway.ActionReindexed:         "Records rebuilt from the vault",
	gateway.ActionHeadLost:          "Loss of audit entries noted",
	gateway.ActionSwept:             "Unfinished uploads cleared",
	gateway.ActionAuditViewed:       "Audit trail viewed",
	gateway.ActionAuditDownloaded:   "Audit trail downloaded",
	gateway.ActionAuditVerified:     "Audit trail checked for tampering",
	gateway.ActionEvidence:          "Evidence report made",
	gateway.ActionExposure:          "Exposure report made",
	gateway.ActionFiguresViewed:     "Figures viewed",
	gateway.ActionConfigChanged:     "Configuration changed",
	gateway.ActionKeysChanged:       "Encryption keys changed",
	gateway.ActionErasureWarned:     "Erasure announced",
	gateway.ActionErased:            "Papers erased",
	gateway.ActionHeld:              "Legal hold placed",
	gateway.ActionReleased:          "Legal hold released",
	gateway.ActionRetentionViewed:   "Retention page viewed",
	gateway.ActionRetentionRests:    "Erasure paused: the clock jumped",
	gateway.ActionNoticesChanged:    "Notice settings changed",
	gateway.ActionAuditPruned:       "Old audit entries removed on schedule",
	gateway.ActionJobRetried:        "Job retried",
	gateway.ActionJobDropped:        "Job dropped",
	gateway.ActionStarted:           "Dropslot started",
	gateway.ActionStopped:           "Dropslot stopped",
}

// actionWords gives an action's words; of one that a later version wrote,
// "page.burned" is "Page burned".
func actionWords(a gateway.Action) string {
	if words, known := auditWords[a]; known {
		return words
	}
	words := strings.NewReplacer(".", " ", "-", " ").Replace(string(a))
	if words == "" {
		return ""
	}
	return strings.ToUpper(words[:1]) + words[1:]
}

// What the kinds of things are called that something was done to.
var objectKinds = map[string]string{
	"text": "incoming text", "sending": "text of ours", "message": "Twilio message", "media": "Twilio picture", "client": "client’s history",
}

func objectWords(object string, logins map[gateway.StaffID]string) string {
	kind, id, _ := strings.Cut(object, ":")
	switch kind {
	case "submission":
		return "papers " + gateway.SubmissionID(id).Reference()
	case "staff":
		if login := logins[gateway.StaffID(id)]; login != "" {
			return "account " + login
		}
	}
	if len(id) > 12 && kind != "route" {
		id = "…" + id[len(id)-8:]
	}
	if words, known := objectKinds[kind]; known {
		kind = words
	}
	return strings.TrimSpace(kind + " " + id)
}
