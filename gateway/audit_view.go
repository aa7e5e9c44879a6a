package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// AuditView is the flow of somebody who looks into what was done. Looking is
// itself written down, before anything is shown.
type AuditView struct {
	Directory Directory
	Records   AuditRecords
	Audit     AuditTrail
	Phones    PhoneBook
	Blind     Blind
	// Prove checks the whole trail against the heads in the vault.
	Prove func(ctx context.Context) (AuditProof, error)
	Now   func() time.Time

	proving sync.Mutex
}

// AuditProof is what a verification of the trail found.
type AuditProof struct {
	OK       bool
	At       time.Time
	Rows     int64
	Pruned   int64    // rows that the retention took, by checkpoints that are in order
	Proven   int64    // of these, borne out by a head in the vault
	Chains   int      // each start of a process begins one
	Faults   []string // sentences
	OnRecord []string // losses that a reindex has noted, sentences
	Open     []string // chains with rows after the last head, sentences
	Closed   []string // the other chains, sentences
	Result   string
}

// AuditSearch is what somebody asks of the trail. What is empty is not asked for.
type AuditSearch struct {
	Office    OfficeID // empty: every office whose trail the person may see
	Actor     string
	Action    Action
	Outcome   Outcome
	Reference string // of a client's submission
	Phone     Phone  // of a client
	From, To  time.Time
}

// auditStep is how many rows a download reads at once.
const auditStep = 1000

// Rows gives at most limit rows before the cursor, newest first.
func (a *AuditView) Rows(ctx context.Context, who Actor, s AuditSearch, before AuditCursor, limit int) ([]AuditRow, error) {
	q, err := a.enter(ctx, who, s, ActionAuditViewed, "")
	if err != nil {
		return nil, err
	}
	return a.Records.AuditRows(ctx, q, before, limit)
}

// Each hands on every row up to now, newest first, some at a time.
func (a *AuditView) Each(ctx context.Context, who Actor, s AuditSearch, form string, visit func([]AuditRow) error) error {
	if now := a.Now(); s.To.IsZero() || s.To.After(now) {
		s.To = now
	}
	q, err := a.enter(ctx, who, s, ActionAuditDownloaded, "as "+form)
	if err != nil {
		return err
	}
	return EachAuditRow(ctx, a.Records, q, visit)
}

// EachAuditRow hands on every row of a query, newest first, some at a time.
func EachAuditRow(ctx context.Context, records AuditRecords, q AuditQuery, visit func([]AuditRow) error) error {
	var before AuditCursor
	for {
		rows, err := records.AuditRows(ctx, q, before, auditStep)
		if err != nil {
			return err
		}
		if len(rows) > 0 {
			if err := visit(rows); err != nil {
				return err
			}
			before = rows[len(rows)-1].Cursor()
		}
		if len(rows) < auditStep {
			return nil
		}
	}
}

// enter asks for permission, finds what belongs to a client, and writes down
// who looks for what.
func (a *AuditView) enter(ctx context.Context, who Actor, s AuditSearch, action Action, more string) (AuditQuery, error) {
	offices := who.Staff.OfficesWith(RightAudit)
	whole := len(offices) > 0 && len(offices) >= len(a.Directory.Offices)
	if s.Office != "" {
		if !slices.Contains(offices, s.Office) {
			return AuditQuery{}, a.refused(ctx, who, action)
		}
		offices, whole = []OfficeID{s.Office}, false
	}
	if len(offices) == 0 {
		return AuditQuery{}, a.refused(ctx, who, action)
	}
	people, err := a.peopleOf(ctx, offices)
	if err != nil {
		return AuditQuery{}, err
	}
	q := AuditQuery{
		Offices: offices, People: people, Whole: whole,
		Actor: s.Actor, Action: s.Action, Outcome: s.Outcome, From: s.From, To: s.To,
	}
	if s.Reference != "" || !s.Phone.IsZero() {
		phones := map[OfficeID]PhoneIndex{}
		for _, office := range offices {
			if !s.Phone.IsZero() {
				phones[office] = a.Phones.Index(office, s.Phone)
			}
		}
		objects, senders, err := a.Records.ClientObjects(ctx, offices, s.Reference, phones)
		if err != nil {
			return AuditQuery{}, err
		}
		for _, sender := range phones { // also of who has sent nothing yet
			if !slices.Contains(senders, sender) {
				senders = append(senders, sender)
			}
		}
		for _, sender := range senders {
			objects = append(objects, "client:"+string(a.Blind.Client(sender))) // what the desk calls the client
		}
		q.Objects = objects
	}
	entry := who.entry(a.Now(), action, "", s.Office)
	if len(offices) == 1 {
		entry.Office = offices[0]
	}
	entry.Reason = q.words(more)
	return q, a.Audit.Append(ctx, entry)
}

func (a *AuditView) refused(ctx context.Context, who Actor, action Action) error {
	entry := who.entry(a.Now(), action, "", "")
	entry.Outcome, entry.Reason = OutcomeDenied, string(CodeForbidden)
	return errors.Join(NewError(CodeForbidden, nil), a.Audit.Append(ctx, entry))
}

// words tell what was looked for, without anything that is personal.
func (q AuditQuery) words(more string) string {
	var said []string
	add := func(what, value string) {
		if value != "" {
			said = append(said, what+" "+value)
		}
	}
	add("by", q.Actor)
	add("action", string(q.Action))
	add("outcome", string(q.Outcome))
	if !q.From.IsZero() {
		add("from", q.From.UTC().Format(time.RFC3339))
	}
	if !q.To.IsZero() {
		add("to", q.To.UTC().Format(time.RFC3339))
	}
	if q.Objects != nil {
		var submissions []string
		for _, o := range q.Objects {
			if strings.HasPrefix(o, "submission:") && len(submissions) < 5 {
				submissions = append(submissions, o)
			}
		}
		add("about a client with", fmt.Sprintf("%d things %s", len(q.Objects), strings.Join(submissions, " ")))
	}
	add("", more)
	return strings.TrimSpace(strings.Join(said, ", "))
}

func (a *AuditView) peopleOf(ctx context.Context, offices []OfficeID) ([]StaffID, error) {
	staff, err := a.Records.ListStaff(ctx)
	if err != nil {
		return nil, err
	}
	var people []StaffID
	for _, s := range staff {
		if slices.ContainsFunc(s.Roles.Offices(), func(o OfficeID) bool { return slices.Contains(offices, o) }) {
			people = append(people, s.ID)
		}
	}
	return people, nil
}

// AuditChoices is what a person may choose from.
type AuditChoices struct {
	Offices []Office
	Actions []Action
	Staff   []Staff            // of these offices, by login
	Logins  map[StaffID]string // of everybody: a row may tell of who works elsewhere by now
}

// Choices gives what the search offers.
func (a *AuditView) Choices(ctx context.Context, who Actor) (AuditChoices, error) {
	c := AuditChoices{Logins: map[StaffID]string{}}
	offices := who.Staff.OfficesWith(RightAudit)
	for _, id := range offices {
		if office, known := a.Directory.Offices[id]; known {
			c.Offices = append(c.Offices, office)
		}
	}
	staff, err := a.Records.ListStaff(ctx)
	if err != nil {
		return c, err
	}
	for _, s := range staff {
		c.Logins[s.ID] = s.Login
		if slices.ContainsFunc(s.Roles.Offices(), func(o OfficeID) bool { return slices.Contains(offices, o) }) {
			c.Staff = append(c.Staff, s)
		}
	}
	c.Actions, err = a.Records.AuditActions(ctx)
	return c, err
}

// Verify checks the whole trail, of every office: the chains know none. It
// reads every row, so one at a time; CodeTooManyTries if one is under way.
func (a *AuditView) Verify(ctx context.Context, who Actor) (AuditProof, error) {
	if !who.Staff.CanSomewhere(RightAudit) {
		return AuditProof{}, a.refused(ctx, who, ActionAuditVerified)
	}
	if !a.proving.TryLock() {
		return AuditProof{}, NewError(CodeTooManyTries, nil)
	}
	defer a.proving.Unlock()
	begun := who.entry(a.Now(), ActionAuditViewed, "", "")
	begun.Reason = "to verify it"
	if err := a.Audit.Append(ctx, begun); err != nil {
		return AuditProof{}, err
	}
	proof, err := a.Prove(ctx)
	if err != nil {
		return AuditProof{}, err
	}
	found := who.entry(a.Now(), ActionAuditVerified, "", "")
	found.Reason = fmt.Sprintf("%d entries, %d confirmed by a fingerprint, %d findings", proof.Rows, proof.Proven, len(proof.Faults))
	if !proof.OK {
		found.Outcome = OutcomeFailed
	}
	proof.At = found.At
	return proof, a.Audit.Append(ctx, found)
}
