package gateway

import (
	"context"
	"log/slog"
	"slices"
)

// abandon takes away a file that is whole and did not get its name. It is
// forgotten first: one that is noted as whole and is nowhere counts as arrived.
func (h *handing) abandon(ctx context.Context, file *HandedFile) error {
	if file.SHA256 != "" {
		if _, found, err := h.partner.Size(file.Part); err != nil || !found {
			return err
		}
		file.SHA256 = ""
		if h.one.State != HandDropped { // of that nobody asks any more
			if err := h.note(ctx); err != nil {
				return err
			}
		}
	}
	if file.Part == "" {
		return nil
	}
	return h.partner.Remove(file.Part)
}

// sweep takes away what a delivery that ends here left half written, and tells
// whether nothing is left.
func (f *Deliveries) sweep(ctx context.Context, one *HandDelivery) bool {
	files, err := f.noted(*one)
	left := func(file HandedFile) bool { return !file.Arrived && file.Part != "" }
	courier := f.Couriers[one.Office]
	if err == nil && !slices.ContainsFunc(files, left) {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, deliveryRenewal)
	defer cancel()
	h := &handing{Deliveries: f, one: one, files: files}
	switch {
	case err != nil:
	case courier == nil:
		err = NewError(CodeNoPartner, nil)
	default:
		h.partner, err = courier.Connect(ctx)
	}
	if err == nil {
		defer func() { _ = h.partner.Close() }()
		for i := range h.files {
			if err == nil && left(h.files[i]) {
				err = h.abandon(ctx, &h.files[i])
			}
		}
	}
	if err != nil {
		f.Log.WarnContext(ctx, "a file that was not delivered whole may lie at the partner still: ask them to remove .dropslot-*.part",
			slog.String("delivery", string(one.ID)), slog.String("code", string(CodeOf(err))))
	}
	return err == nil
}

// forget has a retry of a delivery that ends here send anew what is not known
// to have arrived. By then the partner may have cleared up by hand, and a file
// that is noted as whole and is nowhere would count as arrived. One that did get
// its name ends the retry with CodeNameTaken, for somebody to look.
func (f *Deliveries) forget(ctx context.Context, one *HandDelivery) error {
	files, err := f.noted(*one)
	if err != nil {
		return nil //nolint:nilerr // no retry can read them either
	}
	for i := range files {
		if !files[i].Arrived {
			files[i].SHA256 = ""
		}
	}
	h := &handing{Deliveries: f, one: one, files: files}
	if err := h.note(ctx); !Is(err, CodeNotFound) { // another try, or the operator, ends it
		return err
	}
	return nil
}
