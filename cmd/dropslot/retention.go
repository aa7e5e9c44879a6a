package main

import (
	"time"

	"dropslot/gateway"
)

// retention builds the flow of what goes when its time is over.
func (p *parts) retention() *gateway.Retention {
	return &gateway.Retention{
		Directory: p.directory, Limits: p.limits, Records: p.records, Audit: p.records, Vault: p.vault, Archive: p.archive,
		Now: time.Now, Log: p.log,
	}
}
