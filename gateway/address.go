package gateway

import "net/netip"

// AddressKey joins the network addresses that one customer of a provider has:
// of IPv6 at least a /64, of IPv4 one. Limits count by it; the audit trail
// keeps the address itself. What is no address counts as one.
func AddressKey(address string) string {
	parsed, err := netip.ParseAddr(address)
	if err != nil {
		return "unknown"
	}
	parsed = parsed.Unmap().WithZone("")
	if parsed.Is4() {
		return parsed.String()
	}
	return netip.PrefixFrom(parsed, 64).Masked().String()
}
