package oidc

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/zitadel/oidc/v3/pkg/oidc"

	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// registered tells whether uri is one of those registered: the same string, character by character (RFC 9700,
// section 2.1). Native clients may listen on any port of a loopback address (RFC 8252, section 7.3); localhost is no
// such address, for it may lead elsewhere.
func registered(c *storage.Client, uris []string, uri string) bool {
	if uri == "" || strings.ContainsRune(uri, '#') {
		return false
	}
	for _, r := range uris {
		if r == uri || c.Type == typeNative && sameButPort(r, uri) {
			return true
		}
	}
	return false
}

func sameButPort(a, b string) bool {
	for _, host := range []string{"http://127.0.0.1", "http://[::1]"} {
		restA, okA := strings.CutPrefix(a, host)
		restB, okB := strings.CutPrefix(b, host)
		if okA && okB {
			pathA, okA := withoutPort(restA)
			pathB, okB := withoutPort(restB)
			return okA && okB && pathA == pathB
		}
	}
	return false
}

// withoutPort cuts a port off what follows a host. What remains is compared as it stands, so that no user name or
// further host can hide in it.
func withoutPort(rest string) (string, bool) {
	after, ok := strings.CutPrefix(rest, ":")
	if !ok {
		return rest, true
	}
	end := 0
	for end < len(after) && after[end] >= '0' && after[end] <= '9' {
		end++
	}
	port, err := strconv.ParseUint(after[:end], 10, 16)
	return after[end:], err == nil && port > 0
}

// formTarget is what a Content-Security-Policy calls the place that uri leads to.
func formTarget(uri string) string {
	u, err := url.Parse(uri)
	switch {
	case err != nil:
		return ""
	case u.Host == "":
		return u.Scheme + ":"
	case strings.HasPrefix(u.Host, "["):
		// The policy has no word for an IPv6 address; a host of any name at that port comes closest.
		if port := u.Port(); port != "" {
			return u.Scheme + "://*:" + port
		}
		return u.Scheme + ":"
	default:
		return u.Scheme + "://" + u.Host
	}
}

func formTargets(uri string) []string {
	if t := formTarget(uri); t != "" {
		return []string{t}
	}
	return nil
}

// withQuery adds parameters to a redirect URI and leaves what stands in it as it was registered.
func withQuery(uri string, params []ui.Pair) string {
	q := url.Values{}
	for _, p := range params {
		q.Set(p.Name, p.Value)
	}
	switch {
	case len(q) == 0:
		return uri
	case !strings.Contains(uri, "?"):
		return uri + "?" + q.Encode()
	case strings.HasSuffix(uri, "?"), strings.HasSuffix(uri, "&"):
		return uri + q.Encode()
	default:
		return uri + "&" + q.Encode()
	}
}

// respond is the authorization response, in the mode that was asked for (OAuth 2.0 Multiple Response Type Encoding
// Practices; Form Post Response Mode), with state and issuer (RFC 9207).
func (p *Provider) respond(client *storage.Client, a *authorization, params ...ui.Pair) web.Result {
	if a.State != "" {
		params = append(params, ui.Pair{Name: "state", Value: a.State})
	}
	params = append(params, ui.Pair{Name: "iss", Value: p.issuer})
	if a.ResponseMode != string(oidc.ResponseModeFormPost) {
		return web.Go(withQuery(a.RedirectURI, params))
	}
	return web.Result{
		Page:        ui.FormPost{App: client.Name, Action: a.RedirectURI, Fields: params},
		FormTargets: formTargets(a.RedirectURI),
	}
}

// respondError is the authorization error response (OpenID Connect Core, section 3.1.2.6).
func (p *Provider) respondError(client *storage.Client, a *authorization, e *authError) web.Result {
	return p.respond(client, a, ui.Pair{Name: "error", Value: e.code}, ui.Pair{Name: "error_description", Value: e.description})
}
