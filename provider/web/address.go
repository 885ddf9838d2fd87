package web

import (
	"net/http"
	"net/netip"
	"strings"
)

// address tells where a request came from. X-Forwarded-For is believed only from a trusted proxy, and read from the
// right: whatever stands left of the first address that is not one of our proxies was written by the client.
func address(r *http.Request, trusted []netip.Prefix) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	a := peer.Addr().Unmap().WithZone("")
	if !within(trusted, a) {
		return a
	}
	var hops []string
	for _, h := range r.Header.Values("X-Forwarded-For") {
		hops = append(hops, strings.Split(h, ",")...)
	}
	for i := len(hops) - 1; i >= 0; i-- {
		hop, err := parseHop(strings.TrimSpace(hops[i]))
		if err != nil {
			return netip.Addr{}
		}
		a = hop.Unmap().WithZone("")
		if !within(trusted, a) {
			return a
		}
	}
	return a
}

// parseHop reads an address, also where a proxy wrote its port beside it.
func parseHop(hop string) (netip.Addr, error) {
	if ap, err := netip.ParseAddrPort(hop); err == nil {
		return ap.Addr(), nil
	}
	return netip.ParseAddr(strings.Trim(hop, "[]"))
}

func within(prefixes []netip.Prefix, a netip.Addr) bool {
	for _, p := range prefixes {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// Network is the neighbourhood that one attacker or one household comes from: a /24 of IPv4, a /64 of IPv6. Whoever has
// one address of it has them all.
func Network(a netip.Addr) string {
	if !a.IsValid() {
		return "unknown"
	}
	bits := 24
	if a.Is6() {
		bits = 64
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return a.String()
	}
	return p.String()
}
