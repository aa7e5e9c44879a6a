package main

import (
	"dropslot/config"
	"dropslot/gateway"
	"dropslot/gateway/paper"
	"dropslot/gateway/scan"
	"dropslot/gateway/sftp"
)

// handoff builds the flow of papers that leave Dropslot.
func (p *parts) handoff(desk *gateway.Desk) *gateway.Handoff {
	return &gateway.Handoff{Desk: desk, Records: p.records, Binder: paper.NewBinder(), Words: p.words, AskName: p.askName}
}

// askName gives the words of a label, in the language of the desk.
func (p *parts) askName(ask string) string { return p.texts.Say("en", "asks."+ask, nil) }

// scanner gives the virus scanner; nil if nothing is scanned.
func (p *parts) scanner() (gateway.Scanner, error) {
	if p.config.Scan.Clamd == "" {
		return nil, nil //nolint:nilnil // no scanner is no error
	}
	return scan.New(p.config.Scan.Clamd)
}

// delivering builds the flow of handing papers over to partners.
func (p *parts) delivering(handoff *gateway.Handoff) (*gateway.Deliveries, error) {
	couriers, err := couriersOf(p.config)
	return &gateway.Deliveries{
		Handoff: handoff, Records: p.records, Sealer: p.sealer, Couriers: couriers, Log: p.log,
	}, err
}

func couriersOf(c *config.Config) (map[gateway.OfficeID]gateway.Courier, error) {
	couriers := map[gateway.OfficeID]gateway.Courier{}
	for _, id := range c.OfficeIDs() {
		d := c.Offices[id].Deliver
		if d == nil {
			continue
		}
		courier, err := sftp.New(sftp.Config{
			Address: d.Host, User: d.User, HostKey: d.HostKey, Key: d.Key.Reveal(), Password: d.Password.Reveal(), SealTo: d.Recipients,
		})
		if err != nil {
			return nil, err
		}
		couriers[gateway.OfficeID(id)] = courier
	}
	return couriers, nil
}

func deliveryOf(o *config.Office) *gateway.DeliveryRule {
	if o.Deliver == nil {
		return nil
	}
	return &gateway.DeliveryRule{
		Partner: o.Deliver.Name, Path: o.Deliver.Path, Form: gateway.DeliveryForm(o.Deliver.Form), Sealed: len(o.Deliver.Recipients) > 0,
	}
}

func noDownloadOf(o *config.Office) (roles []gateway.Role) {
	for role, position := range o.Download {
		if position == config.Off {
			roles = append(roles, gateway.Role(role))
		}
	}
	return roles
}
