package gateway

import "strings"

// AuditLine is a row of the audit trail as files for people and programs hold
// it, one JSON object a line.
type AuditLine struct {
	Time      string `json:"time"` // RFC 3339, UTC, milliseconds
	Office    string `json:"office,omitempty"`
	Actor     string `json:"actor"`
	Login     string `json:"login,omitempty"` // of a staff actor, if the account is there
	Action    string `json:"action"`
	Object    string `json:"object,omitempty"`
	Reference string `json:"reference,omitempty"` // of a submission
	Outcome   string `json:"outcome"`
	From      string `json:"from,omitempty"`
	Reason    string `json:"reason,omitempty"`
	Chain     string `json:"chain"`
	Row       int64  `json:"row"`
}

// AuditLineOf writes a row with the logins of staff by account.
func AuditLineOf(r AuditRow, logins map[StaffID]string) AuditLine {
	account, _ := strings.CutPrefix(r.Actor, ActorStaff(""))
	line := AuditLine{
		Time: r.At.UTC().Format("2006-01-02T15:04:05.000Z"), Office: string(r.Office), Actor: r.Actor, Login: logins[StaffID(account)],
		Action: string(r.Action), Object: r.Object, Outcome: string(r.Outcome), From: r.From, Reason: r.Reason, Chain: r.Chain, Row: r.Seq,
	}
	if id, is := strings.CutPrefix(r.Object, "submission:"); is {
		line.Reference = SubmissionID(id).Reference()
	}
	return line
}
