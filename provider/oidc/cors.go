package oidc

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/zitadel/oidc/v3/pkg/oidc"

	"github.com/sallyport-id/sallyport/storage"
)

// preflight lets scripts of any site ask. That gives them nothing: the same requests can be made by any program, for
// no authority in them comes from the browser, and whether the script may read the answer is decided on the answer.
func preflight(methods ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Allow-Methods", strings.Join(methods, ", "))
		h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
		h.Set("Access-Control-Max-Age", "600")
		w.WriteHeader(http.StatusNoContent)
	})
}

// cors lets scripts read the answer that run where the client has a redirect URI, never with cookies.
func (p *Provider) cors(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Origin")
		if origin := r.Header.Get("Origin"); origin != "" && origin != "null" {
			w = &corsWriter{ResponseWriter: w, allow: func() bool { return p.homeOf(r, origin) }, origin: origin}
		}
		next.ServeHTTP(w, r)
	})
}

// corsWriter decides when the answer begins, for only then the request's body has been read, and with it the client.
type corsWriter struct {
	http.ResponseWriter
	allow  func() bool
	origin string
}

// WriteHeader implements http.ResponseWriter.
func (w *corsWriter) WriteHeader(status int) {
	if w.allow() {
		w.Header().Set("Access-Control-Allow-Origin", w.origin)
		w.Header().Set("Access-Control-Expose-Headers", "WWW-Authenticate")
	}
	w.ResponseWriter.WriteHeader(status)
}

// homeOf tells whether the client that asks has a redirect URI at origin.
func (p *Provider) homeOf(r *http.Request, origin string) bool {
	id := r.PostForm.Get("client_id")
	if name, _, ok := r.BasicAuth(); ok {
		unescaped, err := url.QueryUnescape(name)
		if err != nil {
			return false
		}
		id = unescaped
	} else if _, token, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok {
		id = clientOf(token)
	}
	if id == "" {
		return false
	}
	client, err := p.clients.Get(r.Context(), storage.Global, id)
	if err != nil || client.Disabled {
		return false
	}
	for _, uri := range client.RedirectURIs {
		u, err := url.Parse(uri)
		if err == nil && u.Host != "" && u.Scheme+"://"+u.Host == origin {
			return true
		}
	}
	return false
}

// clientOf reads who an access token was issued to without checking it: an application must be able to read the
// refusal of a token that has expired, and more than that does not hang on it.
func clientOf(token string) string {
	var raw json.RawMessage
	if len(token) > maxToken {
		return ""
	}
	if _, err := oidc.ParseToken(token, &raw); err != nil {
		return ""
	}
	var c struct {
		ClientID string `json:"client_id"`
	}
	if json.Unmarshal(raw, &c) != nil {
		return ""
	}
	return c.ClientID
}
