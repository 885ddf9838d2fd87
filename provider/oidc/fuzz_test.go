package oidc

import (
	"net/url"
	"strings"
	"testing"

	"github.com/sallyport-id/sallyport/storage"
)

// A ticket that reads is one we issued, character by character.
func FuzzTicket(f *testing.F) {
	w := newWorld(f, "")
	code, _ := w.p.issue(ticketCode, "acme", "grant")
	other, _ := w.p.issue(ticketRefresh, "a.b", "grant")
	for _, seed := range []string{code, other, "", "x", code + "=", code + "\n", strings.Repeat("A", 600)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if tk, ok := w.p.read(ticketCode, text); ok != (text == code) || ok && tk != (ticket{"acme", "grant"}) {
			t.Errorf("%q reads as %v %v", text, tk, ok)
		}
		if tk, ok := w.p.read(ticketRefresh, text); ok != (text == other) || ok && tk != (ticket{"a.b", "grant"}) {
			t.Errorf("%q reads as %v %v", text, tk, ok)
		}
	})
}

// Whatever stands in an authorization request, the answer is a sign-in for the client, an error that goes to the
// registered address, or a page.
func FuzzAuthorize(f *testing.F) {
	w := newWorld(f, "")
	for _, q := range []url.Values{
		ask("app"), ask("native", "redirect_uri", "http://127.0.0.1:1/cb"), ask("app", "claims", `{"id_token":{"acr":{"values":[1,null,"x"]}}}`),
		ask("app", "prompt", "none", "max_age", "1", "ui_locales", "de xx", "id_token_hint", "e30.e30.e30"), ask("spa", "response_mode", "form_post"),
		ask("app", "claims", `{"id_token":null,"userinfo":{"sub":{"values":["a","b"]}}}`),
	} {
		f.Add(q.Encode())
	}
	f.Fuzz(func(t *testing.T, query string) {
		form, err := url.ParseQuery(query)
		if err != nil || len(form["redirect_uri"]) > 1 {
			return
		}
		client := storage.Client{Key: storage.Key{ID: "app"}, Type: "native", RedirectURIs: []string{"http://127.0.0.1/cb", callback}, GrantTypes: []string{"authorization_code"}}
		if uri := form.Get("redirect_uri"); registered(&client, client.RedirectURIs, uri) && uri != callback {
			u, err := url.Parse(uri)
			if err != nil || u.Hostname() != "127.0.0.1" || u.User != nil || u.Path != "/cb" || u.RawQuery != "" {
				t.Errorf("%q counts as registered", uri)
			}
		}
		form.Set("redirect_uri", callback)
		a, req, err := w.p.understand(t.Context(), &client, form)
		if a.RedirectURI != callback || err == nil && (req.Client != "app" || a.CodeChallenge == "" || len(a.Scopes) == 0) {
			t.Errorf("%q: %+v %+v %v", query, a, req, err)
		}
	})
}

// No token that we did not sign is believed, and none brings the process down.
func FuzzToken(f *testing.F) {
	w := newWorld(f, "")
	tokens := w.tokens("es")
	good := tokens["access_token"].(string)
	f.Add(good)
	for _, hostile := range w.hostile(tokens) {
		f.Add(hostile)
	}
	f.Fuzz(func(t *testing.T, token string) {
		c, err := w.p.verifyAccessToken(t.Context(), token)
		if err != nil {
			t.Fatal(err)
		}
		if c != nil && !strings.HasPrefix(token, good[:strings.LastIndex(good, ".")]) {
			t.Errorf("%q is believed", token)
		}
		_ = clientOf(token)
	})
}
