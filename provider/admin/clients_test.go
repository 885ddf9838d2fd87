package admin_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

func TestRedirectURIs(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		uri   string
		types string
	}{
		{"https://app.example/cb", "web native browser"},
		{"https://app.example/cb?x=1", "web native browser"},
		{"http://127.0.0.1:4711/cb", "web native browser"},
		{"http://[::1]/cb", "web native browser"},
		{"http://localhost:3000/cb", "web native browser"},
		{"com.example.app:/cb", "native"},
		{"com.example.app://host/cb", ""},
		{"myapp:/cb", ""},
		{"http://app.example/cb", ""},
		{"http://127.0.0.1.evil.example/cb", ""},
		{"https://app.example/cb#", ""},
		{"https://app.example/cb#x", ""},
		{"https://user@app.example/cb", ""},
		{"https://*.example/cb", ""},
		{"https:///cb", ""},
		{"https://app.example/ cb", ""},
		{"https://app.example/\x00", ""},
		{"https://äpp.example/", ""},
		{"/cb", ""},
		{"", ""},
		{"javascript:alert(1)", ""},
		{"data:text/html,x", ""},
		{"https://app.example/" + strings.Repeat("a", 2048), ""},
	} {
		for _, kind := range []string{admin.Web, admin.Native, admin.Browser} {
			_, _, err := w.CreateClient(t.Context(), web.Operator(), "", admin.NewClient{Name: "App", Type: kind, RedirectURIs: []string{c.uri}})
			if slices.Contains(strings.Fields(c.types), kind) {
				if err != nil {
					t.Errorf("%s %q: %v", kind, c.uri, err)
				}
				continue
			}
			refused(t, err, web.ErrInvalid, "redirect_uris")
			_, _, err = w.CreateClient(t.Context(), web.Operator(), "", admin.NewClient{
				Name: "App", Type: kind, RedirectURIs: []string{"https://app.example/"}, PostLogoutRedirectURIs: []string{c.uri},
			})
			refused(t, err, web.ErrInvalid, "post_logout_redirect_uris")
		}
	}
}

func TestClientFieldsAreChecked(t *testing.T) {
	w := newWorld(t)
	good := admin.NewClient{Name: "App", Type: admin.Web, RedirectURIs: []string{"https://app.example/"}}
	for where, change := range map[string]func(*admin.NewClient){
		"name":                         func(c *admin.NewClient) { c.Name = " " },
		"type":                         func(c *admin.NewClient) { c.Type = "" },
		"redirect_uris":                func(c *admin.NewClient) { c.Type = admin.Machine },
		"id_token_signed_response_alg": func(c *admin.NewClient) { c.IDTokenAlg = "none" },
		"scopes":                       func(c *admin.NewClient) { c.Scopes = []string{"a b"} },
		"tags":                         func(c *admin.NewClient) { c.Tags = []string{"A"} },
		"no_pkce":                      func(c *admin.NewClient) { c.Type, c.NoPKCE = admin.Browser, true },
	} {
		in := good
		change(&in)
		_, _, err := w.CreateClient(t.Context(), web.Operator(), "", in)
		refused(t, err, web.ErrInvalid, where)
	}
	_, _, err := w.CreateClient(t.Context(), web.Operator(), "nowhere", good)
	refused(t, err, storage.ErrNotFound, "tenant")
	if all, err := w.Clients(t.Context(), web.Operator(), "", admin.Page{}); err != nil || len(all) != 0 {
		t.Errorf("%+v, %v", all, err)
	}
	for _, kind := range []string{admin.Native, admin.Browser} {
		in := good
		in.Type = kind
		c, secret, err := w.CreateClient(t.Context(), web.Operator(), "", in)
		if err != nil || secret != "" || len(c.Secrets) != 0 {
			t.Errorf("%s: %+v, %q, %v", kind, c, secret, err)
		}
		_, _, err = w.RotateSecret(t.Context(), web.Operator(), c.ID, 0)
		refused(t, err, web.ErrInvalid, "client")
	}
}

// token asks for a token as a machine does (RFC 6749, section 4.4) and returns the status.
func (w *world) token(client, secret string) int {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.issuer+"/token",
		strings.NewReader(url.Values{"grant_type": {"client_credentials"}, "scope": {"reports"}}.Encode()))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(url.QueryEscape(client), url.QueryEscape(secret))
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode
}

// cacheTime is more than the protocol goes on with a client that it has read.
const cacheTime = 10 * time.Second

func TestSecretsWorkWhileTheyAreRotatedAndNoLonger(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	c, first, err := w.CreateClient(ctx, web.Operator(), "", admin.NewClient{Name: "Reports", Type: admin.Machine, Scopes: []string{"reports"}})
	if err != nil {
		t.Fatal(err)
	}
	check := func(when string, works ...string) {
		t.Helper()
		w.forward(cacheTime)
		for _, secret := range works {
			want := http.StatusOK
			if s, no := strings.CutPrefix(secret, "not "); no {
				secret, want = s, http.StatusUnauthorized
			}
			if got := w.token(c.ID, secret); got != want {
				t.Errorf("%s: status %d, want %d", when, got, want)
			}
		}
	}
	check("at first", first, "not x", "not ")
	rotate := func(grace time.Duration) string {
		t.Helper()
		v, secret, err := w.RotateSecret(ctx, web.Operator(), c.ID, grace)
		if err != nil {
			t.Fatal(err)
		}
		if len(v.Secrets) > 2 {
			t.Errorf("%d secrets", len(v.Secrets))
		}
		return secret
	}
	second := rotate(time.Hour)
	check("while rotating", first, second)
	third := rotate(time.Hour)
	check("rotated again", "not "+first, second, third)
	w.forward(time.Hour)
	check("after the grace", "not "+second, third)
	fourth := rotate(0)
	check("without grace", "not "+third, fourth)
	if _, err := w.SetClientDisabled(ctx, web.Operator(), c.ID, true); err != nil {
		t.Fatal(err)
	}
	check("disabled", "not "+fourth)
	if _, err := w.SetClientDisabled(ctx, web.Operator(), c.ID, false); err != nil {
		t.Fatal(err)
	}
	check("enabled", fourth)
	if err := w.DeleteClient(ctx, web.Operator(), c.ID); err != nil {
		t.Fatal(err)
	}
	check("deleted", "not "+fourth)
	kept, err := w.store.Events.List(ctx, storage.Query{Tenant: storage.Global})
	if err != nil {
		t.Fatal(err)
	}
	log, err := json.Marshal(kept)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{first, second, third, fourth} {
		if strings.Contains(string(log), secret) {
			t.Error("a secret is in the audit log")
		}
	}
	for _, grace := range []time.Duration{-1, admin.MaxGrace + 1} {
		_, _, err := w.RotateSecret(ctx, web.Operator(), c.ID, grace)
		refused(t, err, web.ErrInvalid, "grace")
	}
}
