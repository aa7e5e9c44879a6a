package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"dropslot/gateway"
)

type openLine struct {
	Time   string `json:"time"`
	Action string `json:"action"`
	From   string `json:"from,omitempty"`
	// Emergency is the access that alone allowed it.
	Emergency string `json:"emergency,omitempty"`
}

type heldLine struct {
	Reference  string     `json:"reference"`
	Submission string     `json:"submission"`
	Office     string     `json:"office"`
	Begun      string     `json:"begun,omitempty"`
	Erased     string     `json:"erased,omitempty"`
	Pages      []pageLine `json:"pages"`
	Did        []openLine `json:"did,omitempty"`
}

type pageLine struct {
	Page     string     `json:"page"`
	Received string     `json:"received"`
	Removed  string     `json:"removed,omitempty"`
	Did      []openLine `json:"did,omitempty"`
}

// writeExposure writes a line for each submission, and the summary.
func (p *parts) writeExposure(ctx context.Context, std streams, flags exposureFlags, what exposed, opened map[string][]openLine) error {
	file, err := newLineFile(flags.out, "submissions.ndjson")
	if err != nil {
		return err
	}
	var pages, erased, looked, lookedPages int
	blind := gateway.NewBlind(p.key)
	err = gateway.EachHeld(ctx, p.records, what.spans, what.within, func(h gateway.Held) error {
		line := heldLine{
			Reference: h.ID.Reference(), Submission: string(h.ID), Office: string(h.Office), Begun: stamp(h.OpenedAt), Erased: stamp(h.ErasedAt),
			Pages: []pageLine{}, Did: opened["submission:"+string(h.ID)],
		}
		if !h.Sender.IsZero() { // a client's thread shows their submissions and words
			line.Did = append(line.Did, opened["client:"+string(blind.Client(h.Sender))]...)
		}
		seen := len(line.Did) > 0
		for _, page := range h.Pages {
			did := opened["page:"+string(page.ID)]
			line.Pages = append(line.Pages, pageLine{string(page.ID), stamp(page.ReceivedAt), stamp(page.RemovedAt), did})
			if len(did) > 0 {
				lookedPages++
				seen = true
			}
		}
		pages += len(h.Pages)
		if !h.ErasedAt.IsZero() {
			erased++
		}
		if seen {
			looked++
		}
		return file.add(line)
	})
	count := file.count
	if err = errors.Join(err, file.close()); err != nil {
		return err
	}
	summary := &strings.Builder{}
	fmt.Fprintf(summary, "# Exposure: %s\n\nReason: %s\n\n- %d submissions were within reach, with %d pages that are known.\n", what.title, flags.reason, count, pages)
	if erased > 0 {
		fmt.Fprintf(summary, "- %d of them are erased by now: their pages are not known any more.\n", erased)
	}
	if what.actor != "" {
		fmt.Fprintf(summary, "- Of these the account opened or changed %d, and %d pages by themselves; each is told with its time.\n", looked, lookedPages)
	}
	fmt.Fprintf(summary, "\nsubmissions.ndjson has a line for each. One reference is one client's submission; a client may have several.\n")
	for _, s := range what.spans {
		from := stamp(s.From)
		if from == "" {
			from = "the beginning"
		}
		fmt.Fprintf(summary, "\nOffice %s: %s to %s.\n", s.Office, from, stamp(s.To))
	}
	for _, note := range what.notes {
		fmt.Fprintf(summary, "\nNote: %s\n", note)
	}
	return writeSummary(std, flags.out, summary.String())
}
