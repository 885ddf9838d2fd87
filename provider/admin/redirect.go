package admin

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

const maxURI = 2048

// checkURI tells whether a browser may be sent to uri with an authorization response. What the code travels in must
// reach nobody else: https, or a loopback address, which never leaves the machine; for native clients a private-use
// scheme too (RFC 8252, section 7.1).
func checkURI(clientType, field, uri string) error {
	u, err := url.Parse(uri)
	switch {
	case err != nil || !u.IsAbs():
		return invalid(field, fmt.Sprintf("%q is no absolute URL", uri), "write it with its scheme, as https://app.example.com/callback")
	case len(uri) > maxURI || strings.ContainsFunc(uri, func(r rune) bool { return r <= ' ' || r > '~' }):
		return invalid(field, fmt.Sprintf("%q is too long or holds characters that no URL has", uri), "percent-encode them")
	case strings.ContainsRune(uri, '#'):
		return invalid(field, fmt.Sprintf("%q has a fragment", uri), "leave out the # and what follows (RFC 6749, section 3.1.2)")
	case u.User != nil:
		return invalid(field, fmt.Sprintf("%q holds a user name", uri), "leave it out")
	case strings.Contains(uri, "*"):
		return invalid(field, fmt.Sprintf("%q has a wildcard", uri), "register each address; they are compared character by character")
	}
	switch u.Scheme {
	case "https":
		if u.Hostname() == "" {
			return invalid(field, fmt.Sprintf("%q names no host", uri), "write it as https://app.example.com/callback")
		}
		return nil
	case "http":
		if !loopback(u.Hostname()) {
			return invalid(field, fmt.Sprintf("%q is not https", uri), "use https; plain http is for 127.0.0.1, [::1] and localhost only")
		}
		return nil
	default:
		return privateUse(clientType, field, uri, u)
	}
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

func privateUse(clientType, field, uri string, u *url.URL) error {
	switch {
	case clientType != Native:
		return invalid(field, fmt.Sprintf("%q is not https", uri), "use https; schemes of one's own are for native clients")
	case !strings.Contains(u.Scheme, "."):
		return invalid(field, fmt.Sprintf("scheme %q could be any application's", u.Scheme),
			"use a domain of yours in reverse, as com.example.app:/callback (RFC 8252, section 7.1)")
	case u.Host != "":
		return invalid(field, fmt.Sprintf("%q names a host", uri), "write it with one slash, as com.example.app:/callback")
	}
	return nil
}
