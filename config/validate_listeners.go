package config

import (
	"net/url"
	"strings"
)

// listeners checks the addresses of the listeners this role opens.
func (v *validator) listeners() {
	listen := v.config.Listen
	opened := []struct {
		key     string
		address Address
		open    bool
	}{
		{"intake", listen.Intake, v.role.TakesPages()},
		{"desk", listen.Desk, v.role.OpensPages()},
		{"ops", listen.Ops, true},
	}
	taken := map[Address]string{}
	for _, l := range opened {
		at := path{"listen", l.key}
		if other, again := taken[l.address]; again && l.open && !strings.HasSuffix(string(l.address), ":0") {
			v.fault(at, wrong(l.key+" and "+other+" listen on the same address", "give each a port of its own"))
		}
		if l.open {
			taken[l.address] = l.key
		}
	}
	if v.role.OpensPages() && !listen.Desk.Loopback() && v.config.TLS.Mode == TLSOff {
		v.warn(path{"listen", "desk"}, wrong("the desk listens on "+string(listen.Desk)+" without TLS",
			"let it listen on 127.0.0.1 behind a proxy, or set tls"))
	}
	if !listen.Ops.Loopback() {
		v.warn(path{"listen", "ops"}, wrong("health and metrics are open to whoever reaches "+string(listen.Ops),
			"let ops listen on 127.0.0.1, or close the port in the firewall"))
	}
}

// proxies warns when something in front ends TLS and nothing tells which
// addresses it has: its own would be everybody's. Then one guesser uses up
// every client's tries, and the audit trail names the proxy.
func (v *validator) proxies() {
	if v.config.TLS.Mode != TLSOff || len(v.config.TrustedProxies) > 0 {
		return
	}
	sides := []struct {
		key, address string
		open         bool
	}{{"public_url", v.config.PublicURL, v.role.TakesPages()}, {"desk_url", v.config.DeskURL, v.role.OpensPages()}}
	for _, side := range sides {
		if u, err := url.Parse(side.address); err == nil && u.Scheme == "https" && side.open {
			v.warn(path{"trusted_proxies"}, wrong(side.key+" is https with tls off, so a proxy stands in front, and trusted_proxies names none: every browser then has the proxy's address",
				"write the proxy's address, like trusted_proxies: [127.0.0.1]"))
			return
		}
	}
}
