package oidc

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/storage"
)

const bye = "https://app.example/bye"

// browser is the session cookie of ann of acme.
func browser(sid string) []string { return []string{"Cookie", "sallyport-session=" + sid} }

func TestLogoutWithTheSessionsIDToken(t *testing.T) {
	w := newWorld(t, "")
	sid := w.session("acme")
	online, offline := w.tokens("app", "scope", "openid"), w.tokens("app")
	w.pass(30 * time.Minute) // an ID token that has expired is still a hint
	res := w.get(pathLogout, url.Values{"id_token_hint": {online["id_token"].(string)}, "post_logout_redirect_uri": {bye}, "state": {"a b"}}, browser(sid)...)
	if to := res.to(t); to.String() != bye+"?state=a+b" {
		t.Errorf("went to %s", to)
	}
	if cookie := strings.Join(res.Header.Values("Set-Cookie"), "\n"); !strings.Contains(cookie, "session=;") || !strings.Contains(cookie, "Max-Age=0") {
		t.Errorf("cookie %q", cookie)
	}
	if _, err := w.store.Sessions.Get(t.Context(), "acme", sid); err == nil {
		t.Error("the session is still there")
	}
	w.wantEvent("acme", "sign_out ok")
	// What came with the session ends with it; offline access does not.
	if w.active("app", online["access_token"]) {
		t.Error("the access token is still active")
	}
	if res := w.refresh("app", offline["refresh_token"].(string)); res.StatusCode != http.StatusOK {
		t.Errorf("offline access: %d %s", res.StatusCode, res.body)
	}
}

func TestLogoutEndsTheGrantsOfTheSession(t *testing.T) {
	w := newWorld(t, "")
	sid := w.session("acme")
	tokens := w.tokens("app", "scope", "openid")
	w.get(pathLogout, url.Values{"id_token_hint": {tokens["id_token"].(string)}}, browser(sid)...)
	if res := w.userInfo(tokens["access_token"]); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("user info after sign-out: %d", res.StatusCode)
	}
}

var hidden = regexp.MustCompile(`name="([a-z_]+)" value="([^"]*)"`)

// Nobody is signed out by a link alone.
func TestLogoutAsksFirst(t *testing.T) {
	w := newWorld(t, "/auth")
	sid := w.session("acme")
	w.as("other")
	other := w.post(pathToken, url.Values{
		"grant_type": {"authorization_code"}, "code": {w.get(pathAuthorize, ask("app")).to(t).Query().Get("code")},
		"redirect_uri": {callback}, "code_verifier": {verifier}, "client_id": {"app"}, "client_secret": {secret},
	}).json(t)["id_token"].(string)
	before := w.tokens("app")["id_token"].(string)
	w.must(w.store.Sessions.Insert(t.Context(), &storage.Session{
		Key: storage.Key{Tenant: "acme", ID: "later", Expires: w.clock().Add(time.Hour)}, User: "ann-acme",
	}))
	if res := w.get(pathLogout, url.Values{"id_token_hint": {before}}, browser("later")...); res.StatusCode != http.StatusOK || !strings.Contains(res.body, pathLogoutYes) {
		t.Errorf("with an ID token of another session of hers: %d", res.StatusCode)
	}
	for name, q := range map[string]url.Values{
		"nothing":           {},
		"client only":       {"client_id": {"app"}, "post_logout_redirect_uri": {bye}, "state": {"x"}},
		"another's session": {"id_token_hint": {other}, "post_logout_redirect_uri": {bye}},
	} {
		res := w.get(pathLogout, q, browser(sid)...)
		if res.StatusCode != http.StatusOK || !strings.Contains(res.body, `action="/auth/logout/confirm"`) {
			t.Errorf("%s: %d %s", name, res.StatusCode, res.body)
		}
		if _, err := w.store.Sessions.Get(t.Context(), "acme", sid); err != nil {
			t.Fatalf("%s: signed out", name)
		}
		if name != "client only" {
			continue
		}
		form := url.Values{}
		for _, m := range hidden.FindAllStringSubmatch(res.body, -1) {
			form.Set(m[1], m[2])
		}
		if form.Get("client_id") != "app" || !strings.Contains(res.Header.Get("Content-Security-Policy"), "form-action 'self' https://app.example;") {
			t.Errorf("form %v under %q", form, res.Header.Get("Content-Security-Policy"))
		}
		// Another site can't say yes.
		if res := w.post(pathLogoutYes, form, append(browser(sid), "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example")...); res.StatusCode != http.StatusForbidden {
			t.Errorf("yes from another site: %d", res.StatusCode)
		}
		yes := w.post(pathLogoutYes, form, browser(sid)...)
		if to := yes.to(t); to.String() != bye+"?state=x" {
			t.Errorf("went to %s", to)
		}
		if _, err := w.store.Sessions.Get(t.Context(), "acme", sid); err == nil {
			t.Error("yes did not sign out")
		}
		w.session("acme")
	}
}

func TestLogoutIsNoOpenRedirect(t *testing.T) {
	w := newWorld(t, "")
	sid := w.session("acme")
	tokens := w.tokens("app")
	hint := tokens["id_token"].(string)
	for name, q := range map[string]url.Values{
		"other URI":       {"id_token_hint": {hint}, "post_logout_redirect_uri": {"https://evil.example/"}},
		"redirect URI":    {"id_token_hint": {hint}, "post_logout_redirect_uri": {callback}},
		"longer":          {"id_token_hint": {hint}, "post_logout_redirect_uri": {bye + "/x"}},
		"no client":       {"post_logout_redirect_uri": {bye}},
		"unknown client":  {"client_id": {"nobody"}, "post_logout_redirect_uri": {bye}},
		"not its client":  {"client_id": {"es"}, "id_token_hint": {hint}, "post_logout_redirect_uri": {bye}},
		"changed hint":    {"id_token_hint": {flip(hint)}, "post_logout_redirect_uri": {bye}},
		"access token":    {"id_token_hint": {tokens["access_token"].(string)}, "post_logout_redirect_uri": {bye}},
		"repeated":        {"id_token_hint": {hint}, "post_logout_redirect_uri": {bye, "https://evil.example/"}},
		"no hint at all":  {"id_token_hint": {"x"}},
		"disabled client": {"client_id": {"off"}, "post_logout_redirect_uri": {bye}},
	} {
		res := w.get(pathLogout, q, browser(sid)...)
		if res.StatusCode != http.StatusBadRequest || res.Header.Get("Location") != "" {
			t.Errorf("%s: %d to %q", name, res.StatusCode, res.Header.Get("Location"))
		}
		if res := w.post(pathLogoutYes, q, browser(sid)...); name != "no hint at all" && res.StatusCode != http.StatusBadRequest {
			t.Errorf("%s, confirmed: %d", name, res.StatusCode)
		}
	}
	if _, err := w.store.Sessions.Get(t.Context(), "acme", sid); err != nil {
		t.Error("signed out by a request that was refused")
	}
}

func TestLogoutWithoutASession(t *testing.T) {
	w := newWorld(t, "")
	hint := w.tokens("app")["id_token"].(string)
	if to := w.get(pathLogout, url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {bye}}).to(t); to.String() != bye {
		t.Errorf("with a hint: %s", to)
	}
	res := w.get(pathLogout, url.Values{"client_id": {"app"}, "post_logout_redirect_uri": {bye}})
	if res.StatusCode != http.StatusOK || !strings.Contains(res.body, bye) {
		t.Errorf("without: %d %s", res.StatusCode, res.body)
	}
	if res := w.get(pathLogout, nil); res.StatusCode != http.StatusOK {
		t.Errorf("bare: %d", res.StatusCode)
	}
	// By POST, as by GET (OpenID Connect RP-Initiated Logout, section 2).
	to := w.post(pathLogout, url.Values{"id_token_hint": {hint}}, "Sec-Fetch-Site", "cross-site").to(t)
	if to.Path != pathLogout || to.Query().Get("id_token_hint") != hint {
		t.Errorf("POST: %s", to)
	}
}

func TestEndSessionGoesThroughAllPages(t *testing.T) {
	w := newWorld(t, "")
	for i := range 150 {
		w.must(w.store.Grants.Insert(t.Context(), &storage.Grant{
			Key: storage.Key{Tenant: "acme", ID: storage.NewID()}, Client: "app", User: "u", Session: "s", Revoked: i%2 == 0,
		}))
	}
	w.must(w.p.EndSession(t.Context(), "acme", "s"))
	grants, err := w.store.Grants.List(t.Context(), storage.Query{Tenant: "acme", Field: "session", Value: "s", Limit: 1000})
	w.must(err)
	for _, g := range grants {
		if !g.Revoked {
			t.Fatal("a grant is left")
		}
	}
	if len(grants) != 150 {
		t.Errorf("%d grants", len(grants))
	}
}
