package main

import (
	"context"
	"errors"
	"time"

	"dropslot/config"
	"dropslot/gateway"
	"dropslot/gateway/jobs"
)

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
		Directory: p.directory, Records: p.records, Audit: p.records, Phones: p.phones, Blind: gateway.NewBlind(p.key), Prove: p.prove, Now: time.Now,
	}
}

// tellConfiguration writes down what changed since the last start of the
// role, and what pages are sealed to from now on.
func (p *parts) tellConfiguration(ctx context.Context, role config.Role) error {
	start := gateway.Start{
		Role: string(role), At: time.Now(), Digests: p.config.Digests(p.key.Subkey(gateway.SubkeyConfig)), Keys: map[gateway.OfficeID][]string{},
	}
	if role.TakesPages() || role == config.RoleWorker { // the worker seals what was texted
		for _, office := range p.officeIDs() {
			for _, recipient := range p.sealer.Recipients(office) {
				start.Keys[office] = append(start.Keys[office], fingerprintOf(recipient))
			}
		}
	}
	return p.records.RecordStart(ctx, start)
}

// figures builds the flow of who looks at counts.
func (p *parts) figures(every time.Duration) *gateway.FiguresView {
	return &gateway.FiguresView{Directory: p.directory, Records: p.records, Audit: p.records, Now: time.Now, Every: every}
}

// countFigures is the periodic job that counts.
func (p *parts) countFigures(every time.Duration) jobs.Periodic {
	counting := &gateway.Counting{Directory: p.directory, Records: p.records, Now: time.Now}
	return jobs.Periodic{Name: "figures", Every: every, Run: counting.Run}
}
