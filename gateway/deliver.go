package gateway

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"path"
	"slices"
	"strings"
	"time"
)

// Deliveries is the flow of handing papers over to partners. It runs at the
// desk, where pages can be opened. Every file is delivered once: it is written
// under a name that only this delivery uses, its receipt is kept, and then it
// gets its final name. A try after a crash finds the final name with the bytes
// of the receipt and sends it no more.
type Deliveries struct {
	Handoff  *Handoff
	Records  DeliveryRecords
	Sealer   Sealer
	Couriers map[OfficeID]Courier
	Log      *slog.Logger
}

const (
	// deliveryTime is what a try may take; deliveryLease when it is taken for
	// lost with its process.
	deliveryTime  = 10 * time.Minute
	deliveryLease = deliveryTime + 2*time.Minute
	// deliveryAge is how long a delivery is tried.
	deliveryAge = 14 * 24 * time.Hour
)

// deliveryPauses are those after each failed try; the last one stays.
var deliveryPauses = []time.Duration{
	30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour,
}

// Ask queues the delivery of the chosen pages. The identifier makes the same
// form sent twice one delivery. CodeForbidden while the client may add pages.
func (f *Deliveries) Ask(ctx context.Context, who Actor, id SubmissionID, delivery DeliveryID, wanted []PageID) error {
	d, object := f.Handoff.Desk, "submission:"+string(id)
	s, pages, err := d.Records.Submission(ctx, who.Staff.OfficesWith(RightDeliver), id)
	if err != nil {
		return d.denied(ctx, who, ActionDeliveryAsked, object, err)
	}
	if d.Directory.Offices[s.Office].Delivery == nil {
		return NewError(CodeNotFound, errors.New("the office has no partner"))
	}
	if s.State == SubmissionOpen {
		return NewError(CodeForbidden, nil)
	}
	chosen, err := choose(pages, wanted)
	if err != nil {
		return err
	}
	now := d.Now()
	ask := HandDelivery{
		ID: delivery, Submission: id, Office: s.Office, Staff: who.Staff.ID, Whole: len(chosen) == len(pages),
		State: HandWaiting, AskedAt: now, DueAt: now,
	}
	for _, p := range chosen {
		ask.Pages = append(ask.Pages, p.ID)
	}
	entry := who.entry(now, ActionDeliveryAsked, object, s.Office)
	entry.Reason = "delivery:" + string(delivery)
	return f.Records.AskDelivery(ctx, ask, entry)
}

// Retry lets a delivery begin now.
func (f *Deliveries) Retry(ctx context.Context, who Actor, id SubmissionID, delivery DeliveryID) error {
	d := f.Handoff.Desk
	s, _, err := d.Records.Submission(ctx, who.Staff.OfficesWith(RightDeliver), id)
	if err != nil {
		return d.denied(ctx, who, ActionDeliveryAsked, "submission:"+string(id), err)
	}
	entry := who.entry(d.Now(), ActionDeliveryAsked, "submission:"+string(id), s.Office)
	entry.Reason = "again, delivery:" + string(delivery)
	return f.Records.RetryDelivery(ctx, who.Staff.OfficesWith(RightDeliver), id, delivery, d.Now(), entry)
}

// List gives the deliveries of a submission that the person was let see.
func (f *Deliveries) List(ctx context.Context, id SubmissionID) ([]HandDelivery, error) {
	return f.Records.Deliveries(ctx, id)
}

// Run delivers what is due, one after the other.
func (f *Deliveries) Run(ctx context.Context) error {
	offices := make([]OfficeID, 0, len(f.Couriers))
	for office := range f.Couriers {
		offices = append(offices, office)
	}
	slices.Sort(offices)
	for ctx.Err() == nil {
		now := f.Handoff.Desk.Now()
		one, found, err := f.Records.TakeDelivery(ctx, offices, now, now.Add(deliveryLease))
		if err != nil || !found {
			return err
		}
		if err := f.try(ctx, one); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// try delivers one and stores how that ended. Its error is one of storing.
func (f *Deliveries) try(ctx context.Context, one HandDelivery) error {
	limited, cancel := context.WithTimeout(ctx, deliveryTime)
	defer cancel()
	err := f.deliver(limited, &one)
	if ctx.Err() != nil {
		return ctx.Err() // the process stops: the lease runs out, and it begins anew
	}
	now := f.Handoff.Desk.Now()
	entry := AuditEntry{
		At: now, Actor: ActorRole("desk"), Action: ActionDelivered, Object: "submission:" + string(one.Submission),
		Office: one.Office, Outcome: OutcomeDone, Reason: "delivery:" + string(one.ID),
	}
	if err == nil {
		one.State, one.Fault, one.DeliveredAt, one.DueAt = HandDelivered, "", now, time.Time{}
		return f.Records.FinishDelivery(ctx, one, entry)
	}
	one.Fault = CodeOf(err)
	one.DueAt = now.Add(deliveryPauses[min(one.Tries, len(deliveryPauses))-1])
	_, given := errors.AsType[*GiveUpError](err)
	if given || one.DueAt.Sub(one.AskedAt) > deliveryAge {
		one.State, one.DueAt = HandDead, time.Time{}
	}
	f.Log.WarnContext(ctx, "a delivery failed", slog.String("delivery", string(one.ID)), slog.String("code", string(one.Fault)),
		slog.Int("try", one.Tries), slog.Bool("dead", given), slog.Any("error", err))
	entry.Outcome, entry.Reason = OutcomeFailed, string(one.Fault)+", delivery:"+string(one.ID)
	return f.Records.FailDelivery(ctx, one, entry)
}

// outgoing is one file on its way.
type outgoing struct {
	suffix string // of its name, with the extension
	write  func(context.Context, io.Writer) error
}

func (f *Deliveries) deliver(ctx context.Context, one *HandDelivery) error {
	rule, courier := f.Handoff.Desk.Directory.Offices[one.Office].Delivery, f.Couriers[one.Office]
	if rule == nil || courier == nil {
		return NewError(CodeNoPartner, nil)
	}
	taken, err := f.take(ctx, *one)
	if err != nil {
		return err
	}
	files, err := f.files(ctx, taken, rule.Form)
	if err != nil {
		return err
	}
	partner, err := courier.Connect(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = partner.Close() }()
	noted, err := f.noted(*one)
	if err != nil {
		return err
	}
	base := DeliveryPath(rule.Path, PathWords{
		Office: one.Office, Reference: taken.Row.Submission.ID.Reference(), Case: taken.caseNumber,
		Date: taken.local(one.AskedAt)[:len(time.DateOnly)],
	}) + "-" + string(one.ID[len(one.ID)-8:])
	for i, file := range files {
		name := base + file.suffix
		if rule.Sealed {
			name += ".age"
		}
		if noted, err = f.send(ctx, one, sendOne{partner, courier, noted, i, name, file}); err != nil {
			return err
		}
	}
	one.Files = len(files)
	return nil
}

// sendOne is what sending one file needs.
type sendOne struct {
	partner Handover
	courier Courier
	noted   []HandedFile
	index   int
	name    string
	file    outgoing
}

// send brings one file to its final name, unless an earlier try did.
func (f *Deliveries) send(ctx context.Context, one *HandDelivery, s sendOne) ([]HandedFile, error) {
	size, found, err := s.partner.Size(s.name)
	switch {
	case err != nil:
		return nil, err
	case found && s.index < len(s.noted) && s.noted[s.index].Path == s.name && s.noted[s.index].Bytes == size:
		return s.noted, nil // the answer to the rename was lost, or the note of it
	case found:
		return nil, GiveUp(NewError(CodeNameTaken, nil))
	}
	temporary := path.Join(path.Dir(s.name), fmt.Sprintf(".dropslot-%s-%d.part", one.ID, s.index))
	handed := HandedFile{Path: s.name}
	if err := s.partner.Put(temporary, func(w io.Writer) error {
		sum := &summed{to: w, hash: sha256.New()}
		sealed, err := s.courier.Seal(sum)
		if err == nil {
			err = s.file.write(ctx, sealed)
		}
		if err == nil {
			err = sealed.Close()
		}
		handed.Bytes, handed.SHA256 = sum.bytes, hex.EncodeToString(sum.hash.Sum(nil))
		return err
	}); err != nil {
		return nil, err
	}
	noted := append(slices.Clone(s.noted[:min(s.index, len(s.noted))]), handed)
	if err := f.note(ctx, one, noted); err != nil {
		return nil, err
	}
	return noted, s.partner.Rename(temporary, s.name)
}

// summed counts and hashes what passes.
type summed struct {
	to    io.Writer
	hash  hash.Hash
	bytes int64
}

func (s *summed) Write(b []byte) (int, error) {
	n, err := s.to.Write(b)
	s.hash.Write(b[:n])
	s.bytes += int64(n)
	return n, err
}

// take opens the pages that were chosen when the delivery was asked for. One
// that was erased since is gone: then somebody has to choose anew.
func (f *Deliveries) take(ctx context.Context, one HandDelivery) (*Package, error) {
	d := f.Handoff.Desk
	s, pages, err := d.Records.Submission(ctx, []OfficeID{one.Office}, one.Submission)
	if Is(err, CodeNotFound) {
		return nil, GiveUp(err)
	}
	if err != nil {
		return nil, err
	}
	chosen, err := choose(pages, slices.Clone(one.Pages))
	if err != nil {
		return nil, GiveUp(err)
	}
	now := d.Now()
	entries := make([]AuditEntry, 0, len(chosen))
	for _, p := range chosen {
		entries = append(entries, AuditEntry{
			At: now, Actor: ActorRole("desk"), Action: ActionPageExported, Object: "page:" + string(p.ID),
			Office: s.Office, Outcome: OutcomeDone, Reason: "delivery:" + string(one.ID),
		})
	}
	if err := d.Audit.Append(ctx, entries...); err != nil {
		return nil, err
	}
	taken := f.Handoff.pack(s)
	return taken, taken.prove(ctx, Actor{Role: "desk"}, chosen)
}

// files are what the partner gets. What cannot be part of a PDF goes beside it
// as it is.
func (f *Deliveries) files(ctx context.Context, taken *Package, form DeliveryForm) ([]outgoing, error) {
	originals := make([]outgoing, 0, len(taken.Sheets))
	for _, p := range taken.Sheets {
		originals = append(originals, outgoing{"-" + taken.fileName(p), func(ctx context.Context, w io.Writer) error {
			plain, err := taken.open(ctx, p.Page)
			if err != nil {
				return err
			}
			defer func() { _ = plain.Close() }()
			_, err = io.Copy(w, withContext(ctx, plain))
			return err
		}})
	}
	if form == DeliverOriginals {
		return originals, nil
	}
	pdf, err := f.Handoff.PDF(ctx, taken, Take{Form: TakePDF, Cover: true})
	if err != nil {
		return nil, err
	}
	var files []outgoing
	if pdf.Sheets() > 0 {
		files = append(files, outgoing{".pdf", pdf.Write})
	}
	for _, out := range pdf.LeftOut() {
		i := slices.IndexFunc(taken.Sheets, func(p PackedPage) bool { return p.Number == out.Number })
		files = append(files, originals[i])
	}
	return files, nil
}

// noted opens what earlier tries kept of their files.
func (f *Deliveries) noted(one HandDelivery) (files []HandedFile, err error) {
	if len(one.Sealed) == 0 {
		return nil, nil
	}
	plain, err := openBytes(f.Handoff.Desk.Opener, one.Office, one.Sealed)
	if err != nil {
		return nil, err
	}
	if json.Unmarshal(plain, &files) != nil {
		return nil, NewError(CodeBlobDamaged, errors.New("the receipt of a delivery is no JSON"))
	}
	return files, nil
}

func (f *Deliveries) note(ctx context.Context, one *HandDelivery, files []HandedFile) error {
	plain, err := json.Marshal(files)
	if err != nil {
		return err
	}
	if one.Sealed, err = sealBytes(f.Sealer, one.Office, plain); err != nil {
		return err
	}
	return f.Records.NoteDelivery(ctx, *one)
}

// PathWords fill the placeholders of a delivery's path.
type PathWords struct {
	Office                OfficeID
	Reference, Case, Date string
}

// DeliveryPath fills {office}, {reference}, {case} and {date} into the path of
// a rule. What a person typed is made harmless first; where there is no case
// number, the reference stands for it.
func DeliveryPath(template string, words PathWords) string {
	number := fileWord(words.Case)
	if number == "" {
		number = words.Reference
	}
	return strings.NewReplacer("{office}", string(words.Office), "{reference}", words.Reference,
		"{case}", number, "{date}", words.Date).Replace(template)
}
