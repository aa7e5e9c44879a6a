package web

import (
	"context"
	"strconv"

	"dropslot/gateway"

	"github.com/labstack/echo/v4"
)

// Deliveries is the flow of handing papers over to partners.
type Deliveries interface {
	Ask(ctx context.Context, who gateway.Actor, id gateway.SubmissionID, delivery gateway.DeliveryID, wanted []gateway.PageID) error
	Retry(ctx context.Context, who gateway.Actor, id gateway.SubmissionID, delivery gateway.DeliveryID) error
	List(ctx context.Context, id gateway.SubmissionID) ([]gateway.HandDelivery, error)
}

// deliver hands the chosen pages over, or tries a delivery again.
func (d *desk) deliver(c echo.Context) error {
	id, err := submissionID(c)
	if err != nil {
		return err
	}
	form, err := deskForm(c.Request())
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	if again := form.Get("again"); again != "" {
		if !gateway.ValidID(again) {
			return gateway.NewError(gateway.CodeBadRequest, nil)
		}
		if err := d.Deliveries.Retry(ctx, actor(c), id, gateway.DeliveryID(again)); err != nil {
			return err
		}
		return d.redirect(c, submissionURL(id)+"#handoff")
	}
	t, _, err := takeForm(form)
	if err != nil {
		return err
	}
	delivery := form.Get("delivery")
	if len(t.Pages) == 0 {
		err = gateway.NewError(gateway.CodePageMissing, nil)
		// Who may not know of the submission learns that first.
		if _, hidden := d.Desk.Submission(ctx, actor(c), id); hidden != nil {
			return hidden
		}
	} else if !gateway.ValidID(delivery) {
		err = gateway.NewError(gateway.CodeBadRequest, nil)
	} else {
		err = d.Deliveries.Ask(ctx, actor(c), id, gateway.DeliveryID(delivery), t.Pages)
	}
	if err != nil {
		return d.handoffFailed(c, id, t, err)
	}
	return d.redirect(c, submissionURL(id)+"#handoff")
}

// deliveryLine is one delivery in the panel.
type deliveryLine struct {
	ID    string
	Words string
	When  moment
	What  string // "all pages", "2 of 5 pages"
	Todo  string // why it is not there yet, and what to do
	Tone  string
	Retry bool
}

// deliveryTodo says for each fault what a caseworker can do.
var deliveryTodo = map[gateway.Code]string{
	gateway.CodePartnerDown:   "The server does not answer, or the connection broke. It is tried again by itself; if it stays, tell the person who runs Dropslot.",
	gateway.CodePartnerKey:    "The server shows another key than the agreed one, so nothing was sent. Tell the person who runs Dropslot, who has to ask the partner.",
	gateway.CodePartnerSignIn: "The server does not let us in. Tell the person who runs Dropslot.",
	gateway.CodePartnerFolder: "The server does not take files in the agreed folder. Tell the person who runs Dropslot.",
	gateway.CodeNameTaken:     "Another file has this name at the partner, and nothing is overwritten. Ask the partner, then deliver anew.",
	gateway.CodeNotFound:      "A page is not there any more. Choose pages and deliver anew.",
	gateway.CodeNoPartner:     "No partner is configured any more. Tell the person who runs Dropslot.",
}

func deliveryTodoOf(code gateway.Code) string {
	if words, known := deliveryTodo[code]; known {
		return words
	}
	p, known := deskProblems[code]
	if !known {
		p = deskProblems[gateway.CodeUnavailable]
	}
	return p.Title + ". " + p.Text
}

func triesWords(n int) string {
	if n == 1 {
		return ", after one try"
	}
	return ", after " + strconv.Itoa(n) + " tries"
}

func (d *desk) addDeliveries(c echo.Context, v *handoffView, found gateway.SubmissionView) error {
	s, rule := found.Submission, found.Office.Delivery
	if rule == nil {
		return nil
	}
	all, err := d.Deliveries.List(c.Request().Context(), s.ID)
	if err != nil {
		return err
	}
	v.Partner, v.Live, v.DeliverURL = rule.Partner, s.State == gateway.SubmissionOpen, submissionURL(s.ID)+"/deliver"
	v.Deliver = actor(c).Staff.Can(gateway.RightDeliver, s.Office)
	if v.Delivery, err = gateway.NewID(d.Now(), d.Random); err != nil {
		return err
	}
	for _, one := range all {
		line := deliveryLine{ID: string(one.ID), What: plural(len(one.Pages), "page"), Tone: "live"}
		if one.Whole == len(one.Pages) {
			line.What = "all pages"
		}
		at := one.AskedAt
		switch {
		case one.State == gateway.HandDelivered:
			line.Words, line.Tone, at = "Delivered to "+rule.Partner, "done", one.DeliveredAt
		case one.State == gateway.HandDropped:
			line.Words, line.Tone = "Not delivered: ended by the person who runs Dropslot", "done"
		case one.Fault == "":
			line.Words, v.Waiting = "On its way to "+rule.Partner, true
		default:
			line.Words, line.Tone, line.Todo, line.Retry = "Not delivered yet", "warn", deliveryTodoOf(one.Fault), v.Deliver
			if one.State == gateway.HandDead {
				line.Words = "Not delivered"
			} else {
				line.Words += triesWords(one.Tries)
				v.Waiting = true
			}
		}
		line.When = momentOf(at, d.Now(), found.Office.Location)
		v.Deliveries = append(v.Deliveries, line)
	}
	return nil
}
