package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"
)

// Deliveries is the flow of handing papers over to partners. It runs at the
// desk, where pages can be opened. Every file is delivered once: the first try
// settles which files there are and their names, each is written under a name
// that only this try uses, its receipt is kept, and then it gets its final name.
type Deliveries struct {
	Handoff  *Handoff
	Records  DeliveryRecords
	Sealer   Sealer
	Couriers map[OfficeID]Courier
	Log      *slog.Logger
}

const (
	// deliveryStall is how long a try may stand still; deliveryLease when it is
	// taken for lost with its process, unless it moves: each deliveryRenewal then
	// begins the lease anew.
	deliveryStall   = 10 * time.Minute
	deliveryRenewal = time.Minute
	deliveryLease   = deliveryStall + 2*deliveryRenewal
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
		ID: delivery, Submission: id, Office: s.Office, Staff: who.Staff.ID, State: HandWaiting, AskedAt: now, DueAt: now,
	}
	if againOf(pages).Whole(pages, chosen) {
		ask.Whole = len(pages)
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

// Offices names those that have a partner, and last the empty one, which stands
// for all others.
func (f *Deliveries) Offices() []OfficeID {
	return append(slices.Sorted(maps.Keys(f.Couriers)), "")
}

// Run delivers what is due for one of the Offices, one after the other: a
// partner that stalls holds up no other. For the empty one, it ends what an
// office asked for before its partner was taken out of the configuration.
func (f *Deliveries) Run(ctx context.Context, office OfficeID) error {
	offices, others := []OfficeID{office}, office == ""
	if others {
		offices = slices.Collect(maps.Keys(f.Couriers))
	}
	for ctx.Err() == nil {
		now := f.Handoff.Desk.Now()
		one, found, err := f.Records.TakeDelivery(ctx, offices, others, now, now.Add(deliveryLease))
		if err != nil || !found {
			return err
		}
		do := f.try
		if one.State == HandDropped {
			do = f.clear
		}
		if err := do(ctx, one); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// clear takes away what a delivery left half written that was dropped. As long
// as the partner is not reached it comes again when its lease is over.
func (f *Deliveries) clear(ctx context.Context, one HandDelivery) error {
	if !f.sweep(ctx, &one) && f.Couriers[one.Office] != nil && f.Handoff.Desk.Now().Sub(one.AskedAt) < deliveryAge {
		return ctx.Err()
	}
	return f.Records.CloseDelivery(ctx, one.ID)
}

// try delivers one and stores how that ended. Its error is one of storing.
func (f *Deliveries) try(ctx context.Context, one HandDelivery) error {
	limited, cancel := context.WithCancel(ctx)
	defer cancel()
	stalled := time.AfterFunc(deliveryStall, cancel)
	defer stalled.Stop()
	err := f.deliver(limited, &one, func() { stalled.Reset(deliveryStall) })
	if ctx.Err() != nil {
		return ctx.Err() // the process stops: the lease runs out, and it begins anew
	}
	if err != nil && limited.Err() != nil {
		err = NewError(CodePartnerDown, errors.New("nothing moved for too long"))
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
	due := now.Add(deliveryPauses[min(one.Tries, len(deliveryPauses))-1])
	_, given := errors.AsType[*GiveUpError](err)
	if given || due.Sub(one.AskedAt) > deliveryAge {
		if !f.sweep(ctx, &one) {
			if err := f.forget(ctx, &one); err != nil {
				return err // it ends in the next try
			}
		}
		one.State, due = HandDead, time.Time{}
	}
	one.DueAt = due
	f.Log.WarnContext(ctx, "a delivery failed", slog.String("delivery", string(one.ID)), slog.String("code", string(one.Fault)),
		slog.Int("try", one.Tries), slog.Bool("dead", given), slog.Any("error", err))
	entry.Outcome, entry.Reason = OutcomeFailed, string(one.Fault)+", delivery:"+string(one.ID)
	return f.Records.FailDelivery(ctx, one, entry)
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
