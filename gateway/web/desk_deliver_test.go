package web

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"testing"
	"time"

	"dropslot/gateway"
)

type deskDeliveries struct{ h *deskHouse }

func (d deskDeliveries) Ask(_ context.Context, who gateway.Actor, id gateway.SubmissionID, delivery gateway.DeliveryID, wanted []gateway.PageID) error {
	s, err := deskRecords(d).find(who.Staff.OfficesWith(gateway.RightDeliver), id)
	if err != nil {
		return err
	}
	whole := 0
	if len(wanted) == s.Pages {
		whole = s.Pages
	}
	for _, one := range d.h.handed {
		if one.State == gateway.HandWaiting {
			return gateway.NewError(gateway.CodeSendTwice, nil)
		}
	}
	d.h.handed = append(d.h.handed, gateway.HandDelivery{
		ID: delivery, Submission: id, Pages: wanted, Whole: whole, State: gateway.HandWaiting, AskedAt: d.h.clock(),
	})
	return nil
}

func (d deskDeliveries) Retry(_ context.Context, who gateway.Actor, id gateway.SubmissionID, delivery gateway.DeliveryID) error {
	if _, err := deskRecords(d).find(who.Staff.OfficesWith(gateway.RightDeliver), id); err != nil {
		return err
	}
	for i := range d.h.handed {
		if one := &d.h.handed[i]; one.ID == delivery && one.Submission == id {
			one.State, one.Fault = gateway.HandWaiting, ""
			return nil
		}
	}
	return gateway.NewError(gateway.CodeNotFound, nil)
}

func (d deskDeliveries) List(_ context.Context, id gateway.SubmissionID) (found []gateway.HandDelivery, err error) {
	for _, one := range d.h.handed {
		if one.Submission == id {
			found = append(found, one)
		}
	}
	return found, nil
}

// partner gives the office one.
func (h *deskHouse) partner(office gateway.OfficeID) {
	o := h.dir.Offices[office]
	o.Delivery = &gateway.DeliveryRule{Partner: "State eligibility", Path: "{case}", Form: gateway.DeliverPDF}
	h.dir.Offices[office] = o
}

var deliveryField = regexp.MustCompile(`name="delivery" value="([0-9a-v]{26})"`)

func TestPapersAreDeliveredFromTheirPage(t *testing.T) {
	h := newDeskHouse(t)
	s := h.addSubmission("north", "Maria", "+15551230142", jpegPage(8, 8), jpegPage(9, 9))
	b := h.signedIn(t, "ana")
	wantNoText(t, b.get(submissionURL(s.ID)), "Deliver to")
	h.partner("north")
	page := b.get(submissionURL(s.ID))
	wantText(t, page, "Deliver to State eligibility", `formaction="`+submissionURL(s.ID)+`/deliver"`)
	id := deliveryField.FindStringSubmatch(page.Body.String())[1]
	form := url.Values{"delivery": {id}, "page": {string(h.pages[0].ID), string(h.pages[1].ID)}}
	answer := b.post(submissionURL(s.ID)+"/deliver", form)
	wantStatus(t, answer, http.StatusSeeOther)
	page = b.get(submissionURL(s.ID))
	wantText(t, page, "On its way to State eligibility", "all pages")
	wantNoText(t, page, ">Deliver to", "Try again now")
	answer = b.post(submissionURL(s.ID)+"/deliver", url.Values{"delivery": {string(s.ID)}, "page": {string(h.pages[0].ID)}})
	wantStatus(t, answer, http.StatusConflict)
	wantText(t, answer, "A delivery is under way")

	h.handed[0].Fault, h.handed[0].Tries = gateway.CodePartnerKey, 2
	page = b.get(submissionURL(s.ID))
	wantText(t, page, "Not delivered yet, after 2 tries", "another key than the agreed one", "Try again now")
	wantStatus(t, b.post(submissionURL(s.ID)+"/deliver", url.Values{"again": {id}}), http.StatusSeeOther)
	if h.handed[0].Fault != "" {
		t.Error("it was not retried")
	}
	wantStatus(t, b.post(submissionURL(s.ID)+"/deliver", url.Values{"again": {"../x"}}), http.StatusBadRequest)
	wantStatus(t, b.post(submissionURL(s.ID)+"/deliver", url.Values{"page": {string(h.pages[0].ID)}}), http.StatusBadRequest)

	h.handed[0].State, h.handed[0].DeliveredAt = gateway.HandDelivered, h.clock().Add(-9*time.Minute)
	page = b.get(submissionURL(s.ID))
	wantText(t, page, "Delivered to State eligibility", "2:32 PM CST", ">Deliver to")
	wantNoText(t, page, "Try again now")
}

func TestEveryFaultOfADeliverySaysWhatToDo(t *testing.T) {
	for _, code := range []gateway.Code{
		gateway.CodePartnerDown, gateway.CodePartnerKey, gateway.CodePartnerSignIn, gateway.CodePartnerFolder, gateway.CodeNameTaken,
		gateway.CodeNotFound, gateway.CodeNoPartner, gateway.CodeInfected, gateway.CodeScanner, gateway.CodeNotScanned,
		gateway.CodeBlobDamaged, gateway.CodeUnavailable, "anything",
	} {
		if words := deliveryTodoOf(code); len(words) < 30 {
			t.Errorf("%s: %q", code, words)
		}
	}
}

func TestWhatIsStillComingIsNotDelivered(t *testing.T) {
	h := newDeskHouse(t)
	s := h.addSubmission("north", "", "+15551230142", jpegPage(8, 8))
	h.subs[0].State = gateway.SubmissionOpen
	h.partner("north")
	page := h.signedIn(t, "ana").get(submissionURL(s.ID))
	wantText(t, page, "once the client is done")
	wantNoText(t, page, ">Deliver to")
}

func TestARoleThatMayNotDownloadMayStillDeliver(t *testing.T) {
	h := newDeskHouse(t)
	s := h.addSubmission("north", "", "+15551230142", jpegPage(8, 8))
	h.partner("north")
	office := h.dir.Offices["north"]
	office.NoDownload = []gateway.Role{gateway.RoleCaseworker}
	h.dir.Offices["north"] = office
	page := h.signedIn(t, "ana").get(submissionURL(s.ID))
	wantText(t, page, ">Deliver to State eligibility", "not download them")
	wantNoText(t, page, "One PDF", ">ZIP<")
}
