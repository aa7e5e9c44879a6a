package main

import (
	"dropslot/gateway"
	"dropslot/gateway/paper"
)

// handoff builds the flow of papers that leave Dropslot.
func (p *parts) handoff(desk *gateway.Desk) *gateway.Handoff {
	return &gateway.Handoff{Desk: desk, Records: p.records, Binder: paper.NewBinder(), AskName: p.askName}
}

// askName gives the words of a label, in the language of the desk.
func (p *parts) askName(ask string) string { return p.texts.Say("en", "asks."+ask, nil) }
