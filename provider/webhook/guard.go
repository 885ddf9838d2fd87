package webhook

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
)

// ErrAddress: the target's name leads to an address that requests are not sent to.
var ErrAddress = errors.New("webhook: the address is not a public one")

// guard keeps whoever may name a URL from having requests sent into the networks that the server stands in.
type guard struct {
	// allowed are the networks that are reached although they are not public.
	allowed []netip.Prefix
	http    bool
}

func newGuard(allowed []netip.Prefix, http bool) (guard, error) {
	g := guard{http: http}
	for _, p := range allowed {
		if !p.IsValid() || p.Addr().Is4In6() {
			return g, fmt.Errorf("webhook: %s is no network", p)
		}
		g.allowed = append(g.allowed, p.Masked())
	}
	return g, nil
}

// special4 are the parts of IPv4 that are not the public Internet (IANA's special-purpose registry, RFC 6890), and
// addresses at which clouds answer their machines alone.
var special4 = [...]netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("10.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"), // carrier-grade NAT; Alibaba's metadata
	netip.MustParsePrefix("127.0.0.0/8"),
	netip.MustParsePrefix("168.63.129.16/32"), // Azure's wire server
	netip.MustParsePrefix("169.254.0.0/16"),   // link-local; most clouds' metadata
	netip.MustParsePrefix("172.16.0.0/12"),
	netip.MustParsePrefix("192.0.0.0/24"), // Oracle's metadata
	netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("192.88.99.0/24"),
	netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("224.0.0.0/4"),
	netip.MustParsePrefix("240.0.0.0/4"),
}

// global6 is all of IPv6 that is given out for public use. Loopback, ULA, link-local, multicast, and the NAT64 prefixes
// that hold an IPv4 address stand outside; special6 are the parts within that are not public or hold an IPv4 address.
var (
	global6  = netip.MustParsePrefix("2000::/3")
	special6 = [...]netip.Prefix{
		netip.MustParsePrefix("2001::/23"), // Teredo among others
		netip.MustParsePrefix("2001:db8::/32"),
		netip.MustParsePrefix("2002::/16"), // 6to4
		netip.MustParsePrefix("3fff::/20"),
	}
)

// public tells whether requests may be sent to an address.
func (g guard) public(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if within(a, g.allowed) {
		return true
	}
	if a.Is4() {
		return !within(a, special4[:])
	}
	return global6.Contains(a) && !within(a, special6[:])
}

func within(a netip.Addr, networks []netip.Prefix) bool {
	for _, p := range networks {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// control is a net.Dialer's: it sees each address just before the connection is made, so after the name was resolved.
// To look at the name, or to resolve it first, would let a name that answers differently the next time slip by.
func (g guard) control(_, address string, _ syscall.RawConn) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil || !g.public(a.Addr()) {
		return ErrAddress
	}
	return nil
}

const maxURL = 2048

// check tells early what can't be a target, in words; what counts is control. *web.Invalid.
func (g guard) check(target string) error {
	u, err := url.Parse(target)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "" || u.Opaque != "":
		return invalid("url", "it is no absolute URL", "write it as https://example.com/hooks")
	case len(target) > maxURL || strings.ContainsFunc(target, func(r rune) bool { return r <= ' ' || r > '~' }):
		return invalid("url", "it is too long or holds characters that no URL has", "percent-encode them, and write names in ASCII (xn--…)")
	case u.User != nil:
		return invalid("url", "it holds a user name", "leave it out; the signature tells the receiver who is calling")
	case strings.ContainsRune(target, '#'):
		return invalid("url", "it has a fragment", "leave out the # and what follows")
	case u.Scheme == "http" && !g.http:
		return invalid("url", "it is not https", "use https; an operator can allow plain http")
	case u.Scheme != "https" && u.Scheme != "http":
		return invalid("url", "it is neither https nor http", "use https")
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return invalid("url", "there is no port "+port, "give one from 1 to 65535, or none")
		}
	}
	return g.checkHost(strings.ToLower(strings.TrimSuffix(u.Hostname(), ".")))
}

func (g guard) checkHost(host string) error {
	refused := invalid("url", "its address is not a public one", "name a host on the Internet; an operator can allow networks")
	if a, err := netip.ParseAddr(host); err == nil {
		if !g.public(a) {
			return refused
		}
		return nil
	}
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		if !g.public(netip.AddrFrom4([4]byte{127, 0, 0, 1})) && !g.public(netip.IPv6Loopback()) {
			return refused
		}
		return nil
	}
	// 2130706433, 0x7f.1 and 127.1 are 127.0.0.1 to some resolvers (WHATWG URL, "ends in a number").
	last := host[strings.LastIndexByte(host, '.')+1:]
	if _, err := strconv.ParseUint(last, 0, 64); err == nil || strings.Trim(last, "0123456789") == "" || strings.HasPrefix(last, "0x") {
		return invalid("url", "its host is a number", "write the name, or the address in full")
	}
	return nil
}

// dialer makes the connections.
func (g guard) dialer(r *net.Resolver) *net.Dialer {
	return &net.Dialer{Timeout: dialTime, Resolver: r, Control: g.control}
}
