package main

import (
	"context"
	"errors"
	"time"

	"dropslot/gateway"
	"dropslot/gateway/jobs"
)

// figuresEvery is how often the figures are counted.
const figuresEvery = time.Hour

// prove checks the audit trail against the heads in the vault.
func (p *parts) prove(ctx context.Context) (gateway.AuditProof, error) {
	heads, err := gateway.LoadHeads(ctx, p.vault)
	damaged, anyDamaged := errors.AsType[*gateway.DamagedHeads](err)
	if err != nil && !anyDamaged {
		return gateway.AuditProof{}, err
	}
	report, err := p.records.Verify(ctx, heads)
	if err != nil {
		return gateway.AuditProof{}, err
	}
	proof := report.Proof()
	if anyDamaged {
		proof.OK = false
		proof.Faults = append(proof.Faults, damaged.Error())
	}
	return proof, nil
}

// audits builds the flow of who looks into what was done.
func (p *parts) audits() *gateway.AuditView {
	return &gateway.AuditView{
		Directory: p.directory, Records: p.records, Audit: p.records, Phones: p.phones, Prove: p.prove, Now: time.Now,
	}
}

// figures builds the flow of who looks at counts.
func (p *parts) figures() *gateway.FiguresView {
	return &gateway.FiguresView{Directory: p.directory, Records: p.records, Audit: p.records, Now: time.Now}
}

// countFigures is the periodic job that counts.
func (p *parts) countFigures() jobs.Periodic {
	counting := &gateway.Counting{Directory: p.directory, Records: p.records, Now: time.Now}
	return jobs.Periodic{Name: "figures", Every: figuresEvery, Run: counting.Run}
}
