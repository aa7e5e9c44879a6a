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
	"path"
	"slices"
	"time"
)

// handing is one try of a delivery.
type handing struct {
	*Deliveries
	one     *HandDelivery
	courier Courier
	partner Handover
	files   []HandedFile
	taken   *Package
	pdf     PDF    // nil if none is to be sent any more
	moves   func() // is told of every step
	renewed time.Time
}

// deliver is one try. It sends what did not arrive by an earlier one.
func (f *Deliveries) deliver(ctx context.Context, one *HandDelivery, moves func()) error {
	rule, courier := f.Handoff.Desk.Directory.Offices[one.Office].Delivery, f.Couriers[one.Office]
	if rule == nil || courier == nil {
		return GiveUp(NewError(CodeNoPartner, nil))
	}
	h := &handing{Deliveries: f, one: one, courier: courier, moves: moves, renewed: f.Handoff.Desk.Now()}
	var err error
	if h.files, err = f.noted(*one); err != nil {
		return err
	}
	one.Files = len(h.files)
	if one.Files > 0 && !slices.ContainsFunc(h.files, func(file HandedFile) bool { return !file.Arrived }) {
		return nil // the word of it was lost
	}
	if h.taken, err = f.take(ctx, *one); err != nil {
		return err
	}
	if err := h.settle(ctx, *rule); err != nil {
		return err
	}
	if h.partner, err = courier.Connect(ctx); err != nil {
		return err
	}
	defer func() { _ = h.partner.Close() }()
	if err := h.begin(ctx); err != nil {
		return err
	}
	for i := range h.files {
		if err := h.send(ctx, &h.files[i]); err != nil {
			return err
		}
	}
	return nil
}

// settle has the first try choose the files and their names. They stay: a name
// that follows a new case number or label would be a second file to the partner.
// What cannot be part of a PDF goes beside it as it is.
func (h *handing) settle(ctx context.Context, rule DeliveryRule) error {
	if len(h.files) > 0 {
		return nil
	}
	if rule.Form == DeliverPDF {
		if err := h.bind(ctx); err != nil {
			return err
		}
	}
	base := DeliveryPath(rule.Path, PathWords{
		Office: h.one.Office, Reference: h.taken.Row.Submission.ID.Reference(), Case: h.taken.caseNumber,
		Date: h.taken.local(h.one.AskedAt)[:len(time.DateOnly)],
	}) + "-" + string(h.one.ID[len(h.one.ID)-8:])
	end := ""
	if rule.Sealed {
		end = ".age"
	}
	if h.pdf != nil && h.pdf.Sheets() > 0 {
		h.files = append(h.files, HandedFile{Path: base + ".pdf" + end})
	}
	for _, p := range h.taken.Sheets {
		if h.pdf == nil || slices.ContainsFunc(h.pdf.LeftOut(), func(out LeftOut) bool { return out.Number == p.Number }) {
			h.files = append(h.files, HandedFile{Page: p.ID, Path: base + "-" + h.taken.fileName(p) + end})
		}
	}
	h.one.Files = len(h.files)
	return nil
}

// bind makes the PDF. Later tries make it once the partner wants it, of the
// pages that were in the first: one that it leaves out, because reading it takes
// too long here and now, would arrive nowhere.
func (h *handing) bind(ctx context.Context) (err error) {
	t := Take{Form: TakePDF, Cover: true}
	for _, file := range h.files {
		if file.Page != "" {
			t.Aside = append(t.Aside, file.Page)
		}
	}
	h.pdf, err = h.Handoff.PDF(ctx, h.taken, t)
	lost := func(out LeftOut) bool { return out.Reason != LeftOutAside }
	if err == nil && len(h.files) > 0 && slices.ContainsFunc(h.pdf.LeftOut(), lost) {
		h.pdf, err = nil, NewError(CodeUnavailable, errors.New("a page was part of the PDF before and is not now"))
	}
	return err
}

// begin takes away what earlier tries left half written, and notes the names
// that this one writes under: another process may be at it still.
func (h *handing) begin(ctx context.Context) error {
	for i := range h.files {
		file := &h.files[i]
		if file.Arrived || file.SHA256 != "" {
			continue
		}
		if file.Part != "" {
			if err := h.partner.Remove(file.Part); Is(err, CodePartnerDown) {
				return err // a partner that lets nobody remove is no reason to send nothing
			}
		}
		file.Part = path.Join(path.Dir(file.Path), fmt.Sprintf(".dropslot-%s-%d-%d.part", h.one.ID, i, h.one.Tries))
	}
	return h.note(ctx)
}

// send brings one file to its final name, unless an earlier try did.
func (h *handing) send(ctx context.Context, file *HandedFile) error {
	h.moves()
	if file.Arrived {
		return nil
	}
	size, found, err := h.partner.Size(file.Path)
	switch {
	case err != nil:
		return err
	case found && file.SHA256 != "" && file.Bytes == size: // the answer to the rename was lost, or the note of it
		_ = h.partner.Remove(file.Part) // a rename that was cut short may leave both names
		return h.arrived(ctx, file)
	case found:
		return GiveUp(NewError(CodeNameTaken, h.abandon(ctx, file)))
	}
	if file.SHA256 != "" {
		size, found, err := h.partner.Size(file.Part)
		switch {
		case err != nil:
			return err
		case !found: // it was whole, so it got its name, and the partner took it from there
			return h.arrived(ctx, file)
		case size != file.Bytes:
			file.SHA256 = ""
		}
	}
	if file.SHA256 == "" {
		if err := h.put(ctx, file); err != nil {
			_ = h.partner.Remove(file.Part) // the next try does it, if this fails
			return err
		}
	}
	if err := h.note(ctx); err != nil { // which fails if another try has it by now
		return err
	}
	if err := h.partner.Rename(file.Part, file.Path); err != nil {
		if !Is(err, CodePartnerDown) {
			_ = h.abandon(ctx, file)
		}
		return err
	}
	return h.arrived(ctx, file)
}

func (h *handing) arrived(ctx context.Context, file *HandedFile) error {
	file.Arrived = true
	return h.note(ctx)
}

// put writes a file under its name for this try.
func (h *handing) put(ctx context.Context, file *HandedFile) error {
	if file.Page == "" && h.pdf == nil {
		if err := h.bind(ctx); err != nil {
			return err
		}
	}
	return h.partner.Put(file.Part, func(w io.Writer) error {
		sum := &summed{to: w, hash: sha256.New(), before: func() error { return h.renew(ctx) }}
		sealed, err := h.courier.Seal(sum)
		if err == nil {
			err = h.write(ctx, sealed, file.Page)
		}
		if err == nil {
			err = sealed.Close()
		}
		if err == nil {
			file.Bytes, file.SHA256 = sum.bytes, hex.EncodeToString(sum.hash.Sum(nil))
		}
		return err
	})
}

// write writes the PDF, or the original of a page.
func (h *handing) write(ctx context.Context, w io.Writer, page PageID) error {
	if page == "" {
		return h.pdf.Write(ctx, w)
	}
	i := slices.IndexFunc(h.taken.Sheets, func(p PackedPage) bool { return p.ID == page })
	if i < 0 {
		return GiveUp(NewError(CodeNotFound, nil))
	}
	plain, err := h.taken.open(ctx, h.taken.Sheets[i].Page)
	if err != nil {
		return err
	}
	defer func() { _ = plain.Close() }()
	_, err = io.Copy(w, withContext(ctx, plain))
	return err
}

// renew begins the lease anew while bytes move, so that a slow line is no
// reason to begin from the start.
func (h *handing) renew(ctx context.Context) error {
	h.moves()
	if h.Handoff.Desk.Now().Sub(h.renewed) < deliveryRenewal {
		return nil
	}
	return h.lease(ctx)
}

func (h *handing) lease(ctx context.Context) error {
	h.renewed = h.Handoff.Desk.Now()
	h.one.DueAt = h.renewed.Add(deliveryLease)
	return h.Records.NoteDelivery(ctx, *h.one)
}

// note keeps what is known of the files. CodeNotFound if this try lost the
// delivery to another one, or somebody dropped it.
func (h *handing) note(ctx context.Context) error {
	plain, err := json.Marshal(h.files)
	if err != nil {
		return err
	}
	if h.one.Sealed, err = sealBytes(h.Sealer, h.one.Office, plain); err != nil {
		return err
	}
	return h.lease(ctx)
}

// summed counts and hashes what passes.
type summed struct {
	to     io.Writer
	before func() error // is asked before each write
	hash   hash.Hash
	bytes  int64
}

func (s *summed) Write(b []byte) (int, error) {
	if err := s.before(); err != nil {
		return 0, err
	}
	n, err := s.to.Write(b)
	s.hash.Write(b[:n])
	s.bytes += int64(n)
	return n, err
}
