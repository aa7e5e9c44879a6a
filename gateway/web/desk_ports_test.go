package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"slices"
	"strings"
	"time"

	"dropslot/gateway"
)

// The ports.

type deskRecords struct{ h *deskHouse }

func (r deskRecords) Inbox(_ context.Context, q gateway.InboxQuery) ([]gateway.InboxEntry, error) {
	var found []gateway.InboxEntry
	r.h.query = q
	for _, s := range r.h.subs {
		older := q.After.ID == "" || s.ArrivedAt.Before(q.After.ArrivedAt)
		done := s.State == gateway.SubmissionHandled
		staged := q.Stage == "" || q.Stage == gateway.StageDone || q.Stage == s.Stage
		if slices.Contains(q.Offices, s.Office) && done == (q.Stage == gateway.StageDone) && staged && older {
			found = append(found, gateway.InboxEntry{Submission: s, LookedAt: r.h.looks[lookKey{q.Viewer, s.ID}]})
		}
	}
	return found[:min(q.Limit, len(found))], nil
}

func (r deskRecords) find(offices []gateway.OfficeID, id gateway.SubmissionID) (*gateway.Submission, error) {
	for i := range r.h.subs {
		if s := &r.h.subs[i]; s.ID == id && slices.Contains(offices, s.Office) {
			return s, nil
		}
	}
	return nil, gateway.NewError(gateway.CodeNotFound, nil)
}

func (r deskRecords) Submission(_ context.Context, offices []gateway.OfficeID, id gateway.SubmissionID) (gateway.Submission, []gateway.Page, error) {
	s, err := r.find(offices, id)
	if err != nil {
		return gateway.Submission{}, nil, err
	}
	return *s, r.h.pagesOf(id), nil
}

func (r deskRecords) Correspondence(_ context.Context, s gateway.Submission) (gateway.Correspondence, error) {
	return r.h.said[s.ID], nil
}

func (r deskRecords) Page(_ context.Context, offices []gateway.OfficeID, id gateway.PageID) (gateway.Page, error) {
	for _, p := range r.h.pages {
		if p.ID == id && slices.Contains(offices, p.Office) {
			return p, nil
		}
	}
	return gateway.Page{}, gateway.NewError(gateway.CodeNotFound, nil)
}

func (r deskRecords) ChangePage(_ context.Context, offices []gateway.OfficeID, id gateway.PageID, change gateway.PageChange, audit ...gateway.AuditEntry) error {
	for i := range r.h.pages {
		p := &r.h.pages[i]
		if p.ID != id || !slices.Contains(offices, p.Office) {
			continue
		}
		if change.Rotation != nil {
			p.Rotation = *change.Rotation
		}
		if change.Label != nil {
			p.Label = *change.Label
		}
		if change.Place > 0 {
			moved := *p
			r.h.pages = slices.Insert(slices.Delete(r.h.pages, i, i+1), min(change.Place-1, len(r.h.pages)-1), moved)
		}
		r.h.audit = append(r.h.audit, audit...)
		return nil
	}
	return gateway.NewError(gateway.CodeNotFound, nil)
}

func (r deskRecords) HandleSubmission(_ context.Context, offices []gateway.OfficeID, id gateway.SubmissionID, by gateway.StaffID, as gateway.HandledAs, note string, at time.Time, audit ...gateway.AuditEntry) error {
	s, err := r.find(offices, id)
	if err != nil {
		return err
	}
	if s.State == gateway.SubmissionOpen {
		return gateway.NewError(gateway.CodeForbidden, nil)
	}
	s.State, s.HandledBy, s.HandledAs, s.HandledNote, s.HandledAt = gateway.SubmissionHandled, by, as, note, at
	r.h.audit = append(r.h.audit, audit...)
	return nil
}

func (r deskRecords) Requests(context.Context, []gateway.OfficeID, int) ([]gateway.RequestRow, error) {
	return nil, nil
}

func (r deskRecords) Request(context.Context, []gateway.OfficeID, gateway.SendingID) (gateway.RequestRow, error) {
	return gateway.RequestRow{}, gateway.NewError(gateway.CodeNotFound, nil)
}

func (r deskRecords) CounterLink(context.Context, []gateway.OfficeID, gateway.LinkID) (gateway.CounterRow, error) {
	return gateway.CounterRow{}, gateway.NewError(gateway.CodeNotFound, nil)
}

type deskAudit struct{ h *deskHouse }

func (a deskAudit) Append(_ context.Context, entries ...gateway.AuditEntry) error {
	a.h.mu.Lock()
	defer a.h.mu.Unlock()
	if a.h.auditErr != nil {
		return a.h.auditErr
	}
	a.h.audit = append(a.h.audit, entries...)
	return nil
}

func (a deskAudit) Head(context.Context) (gateway.AuditHead, bool, error) {
	return gateway.AuditHead{}, false, nil
}

func (a deskAudit) LostHeads(context.Context, []gateway.AuditHead) ([]gateway.AuditHead, error) {
	return nil, nil
}

type deskVault struct {
	gateway.Vault
	h *deskHouse
}

func (v deskVault) Open(_ context.Context, name gateway.BlobName) (gateway.Blob, error) {
	content, found := v.h.blobs[name]
	if !found {
		return nil, gateway.NewError(gateway.CodeNotFound, nil)
	}
	return memoryBlob{bytes.NewReader(content)}, nil
}

type memoryBlob struct{ *bytes.Reader }

func (b memoryBlob) Size() int64 { return b.Reader.Size() }
func (memoryBlob) Close() error  { return nil }

type plainOpener struct{}

func (plainOpener) Open(_ gateway.OfficeID, sealed io.ReaderAt, n int64) (io.ReaderAt, int64, error) {
	return sealed, n, nil
}

type deskPhones struct{ h *deskHouse }

func (p deskPhones) Index(office gateway.OfficeID, phone gateway.Phone) gateway.PhoneIndex {
	sum := sha256.Sum256([]byte(string(office) + phone.E164()))
	return gateway.PhoneIndex(sum[:16])
}

func (p deskPhones) Seal(phone gateway.Phone) (gateway.SealedPhone, error) {
	return gateway.SealedPhone("sealed:" + phone.E164()), nil
}

func (p deskPhones) Open(s gateway.SealedPhone) (gateway.Phone, error) {
	phone, known := p.h.phones[string(s)]
	if !known {
		return gateway.Phone{}, gateway.NewError(gateway.CodeBadPhone, nil)
	}
	return phone, nil
}

func parseTestPhone(text string) (gateway.Phone, error) {
	digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, text)
	if len(digits) == 10 {
		digits = "1" + digits
	}
	return gateway.ParsePhone("+" + digits)
}

type deskRequests struct{ h *deskHouse }

func (r deskRequests) Send(ctx context.Context, who gateway.Actor, ask gateway.RequestAsk) (gateway.RequestView, error) {
	id, office, p := ask.ID, ask.Office, ask.Phone
	if ask.Page != "" {
		page, err := deskRecords(r).Page(ctx, who.Staff.OfficesWith(gateway.RightAsk), ask.Page)
		if err != nil {
			return gateway.RequestView{}, err
		}
		office = page.Office
	}
	if before, err := r.Get(ctx, who, id); err == nil {
		return before, nil
	}
	r.h.asked = append(r.h.asked, ask)
	if r.h.sendErr != nil {
		return gateway.RequestView{}, r.h.sendErr
	}
	if !who.Staff.Can(gateway.RightAsk, office) {
		return gateway.RequestView{}, gateway.NewError(gateway.CodeForbidden, nil)
	}
	view := gateway.RequestView{
		ID: id, Office: r.h.dir.Offices[office], LastFour: p.LastFour(),
		State: gateway.DeliveryQueued, CreatedAt: r.h.clock(),
	}
	r.h.requests = append([]gateway.RequestView{view}, r.h.requests...)
	return view, nil
}

func (r deskRequests) Cancel(ctx context.Context, who gateway.Actor, id gateway.SendingID) (gateway.RequestView, error) {
	found, err := r.Get(ctx, who, id)
	if err != nil {
		return found, err
	}
	for i := range r.h.requests {
		if r.h.requests[i].ID == id {
			r.h.requests[i].Ended, r.h.requests[i].CanCancel = gateway.RequestCanceled, false
		}
	}
	return r.Get(ctx, who, id)
}

func (r deskRequests) Renew(ctx context.Context, who gateway.Actor, old, id gateway.SendingID) (gateway.RequestView, error) {
	found, err := r.Get(ctx, who, old)
	if err != nil {
		return found, err
	}
	found.ID, found.Ended, found.CanCancel = id, gateway.RequestRuns, true
	r.h.requests = append([]gateway.RequestView{found}, r.h.requests...)
	return found, nil
}

func (r deskRequests) List(_ context.Context, who gateway.Actor, limit int) ([]gateway.RequestView, error) {
	var found []gateway.RequestView
	for _, v := range r.h.requests {
		if who.Staff.Can(gateway.RightAsk, v.Office.ID) && len(found) < limit {
			found = append(found, v)
		}
	}
	return found, nil
}

func (r deskRequests) Get(ctx context.Context, who gateway.Actor, id gateway.SendingID) (gateway.RequestView, error) {
	found, _ := r.List(ctx, who, 1000)
	for _, v := range found {
		if v.ID == id {
			return v, nil
		}
	}
	return gateway.RequestView{}, gateway.NewError(gateway.CodeNotFound, nil)
}

func (r deskRequests) Counter(_ context.Context, who gateway.Actor, ask gateway.CounterAsk) (gateway.CounterView, error) {
	if !who.Staff.Can(gateway.RightAsk, ask.Office) {
		return gateway.CounterView{}, gateway.NewError(gateway.CodeForbidden, nil)
	}
	view := gateway.CounterView{
		ID: gateway.LinkID(r.h.id()), Office: r.h.dir.Offices[ask.Office], Origin: ask.Origin,
		URL: "https://docs.example.gov/c/abcdefghijklmnopqrstuvwxyz", ExpiresAt: r.h.clock().Add(gateway.CounterTTL),
		Submission: gateway.SubmissionID(r.h.id()), CanCancel: true,
	}
	r.h.counters = append(r.h.counters, shownLink{view, who.Staff.ID, ask})
	return view, nil
}

func (r deskRequests) CounterState(_ context.Context, who gateway.Actor, id gateway.LinkID) (gateway.CounterView, error) {
	for _, made := range r.h.counters {
		if made.view.ID == id && made.by == who.Staff.ID && who.Staff.Can(gateway.RightAsk, made.view.Office.ID) {
			return made.view, nil
		}
	}
	return gateway.CounterView{}, gateway.NewError(gateway.CodeNotFound, nil)
}

func (r deskRequests) CancelCounter(ctx context.Context, who gateway.Actor, id gateway.LinkID) (gateway.CounterView, error) {
	if _, err := r.CounterState(ctx, who, id); err != nil {
		return gateway.CounterView{}, err
	}
	for i := range r.h.counters {
		if v := &r.h.counters[i].view; v.ID == id {
			v.Ended, v.CanCancel, v.URL = gateway.RequestCanceled, false, ""
		}
	}
	return r.CounterState(ctx, who, id)
}

type shownLink struct {
	view gateway.CounterView
	by   gateway.StaffID
	ask  gateway.CounterAsk
}
