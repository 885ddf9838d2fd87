package oidc

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/provider/login"
	"github.com/sallyport-id/sallyport/storage"
)

func TestTokens(t *testing.T) {
	w := newWorld(t, "/auth")
	for client, alg := range map[string]string{"app": "RS256", "es": "ES256"} {
		tokens := w.tokens(client)
		if tokens["token_type"] != "Bearer" || tokens["expires_in"] != 600.0 || tokens["scope"] != "openid profile email offline_access" {
			t.Errorf("%s: %v", client, tokens)
		}
		now, authTime := float64(w.clock().Unix()), float64(w.clock().Add(-time.Minute).Unix())
		head, c := peek(t, tokens["access_token"])
		if head["typ"] != "at+jwt" || head["alg"] != alg || head["kid"] == "" {
			t.Errorf("%s: access token header %v", client, head)
		}
		jti, _ := c["jti"].(string)
		delete(c, "jti")
		shared := map[string]any{
			"iss": w.issuer, "sub": "ann-acme", "iat": now, "exp": now + 600, "auth_time": authTime, "acr": login.ACRTwoFactor,
			"amr": []any{"pwd", "otp", "mfa"}, "sid": "sid-ann-acme", "tenant": "acme",
		}
		want := mapWith(shared, map[string]any{
			"aud": []any{w.issuer}, "client_id": client, "scope": "openid profile email offline_access",
		})
		if !reflect.DeepEqual(c, want) || jti == "" {
			t.Errorf("%s: access token\n%v\nwant\n%v", client, c, want)
		}
		head, c = peek(t, tokens["id_token"])
		if head["typ"] != "JWT" || head["alg"] != alg {
			t.Errorf("%s: ID token header %v", client, head)
		}
		hash := c["at_hash"]
		delete(c, "at_hash")
		want = mapWith(shared, map[string]any{"aud": []any{client}, "azp": client, "nonce": "no"})
		if !reflect.DeepEqual(c, want) || hash == "" {
			t.Errorf("%s: ID token\n%v\nwant\n%v", client, c, want)
		}
	}
	if _, ok := w.tokens("app", "scope", "profile")["id_token"]; ok {
		t.Error("ID token without scope openid")
	}
	if tokens := w.tokens("limited", "scope", "openid profile email read offline_access"); tokens["scope"] != "openid profile" || tokens["refresh_token"] != nil {
		t.Errorf("limited client got %v", tokens)
	}
}

func mapWith(maps ...map[string]any) map[string]any {
	all := map[string]any{}
	for _, m := range maps {
		for k, v := range m {
			all[k] = v
		}
	}
	return all
}

func TestClaimsAskedForByName(t *testing.T) {
	w := newWorld(t, "")
	tokens := w.tokens("app", "scope", "openid", "claims", `{"id_token":{"email":null,"email_verified":{"essential":true},"phone":null},"userinfo":{"name":null}}`)
	_, c := peek(t, tokens["id_token"])
	if c["email"] != "ann@acme.example" || c["email_verified"] != false || c["name"] != nil {
		t.Errorf("ID token %v", c)
	}
	info := w.userInfo(tokens["access_token"]).json(t)
	if info["name"] != "Ann" || info["email"] != nil {
		t.Errorf("user info %v", info)
	}
	// A client that may not have the scope does not get its claims by another door.
	_, c = peek(t, w.tokens("limited", "scope", "openid", "claims", `{"id_token":{"email":null}}`)["id_token"])
	if c["email"] != nil {
		t.Errorf("limited client's ID token %v", c)
	}
}

// Whoever is disabled gets nothing more, at any endpoint.
func TestDisabled(t *testing.T) {
	disable := map[string]func(w *world){
		"user": func(w *world) {
			change(w, w.store.Users, "acme", "ann-acme", func(u *storage.User) { u.Disabled = true })
		},
		"tenant": func(w *world) {
			change(w, w.store.Tenants, storage.Global, "acme", func(t *storage.Tenant) { t.Disabled = true })
		},
		"client": func(w *world) {
			change(w, w.store.Clients, storage.Global, "app", func(c *storage.Client) { c.Disabled = true })
		},
	}
	for name, f := range disable {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "")
			tokens := w.tokens("app")
			form := w.code("app")
			f(w)
			status, code := http.StatusBadRequest, "invalid_grant"
			if name == "client" {
				status, code = http.StatusUnauthorized, "invalid_client"
			}
			w.wantError(w.post(pathToken, form), status, code)
			w.wantError(w.refresh("app", tokens["refresh_token"].(string)), status, code)
			if res := w.userInfo(tokens["access_token"]); res.StatusCode != http.StatusUnauthorized {
				t.Errorf("user info: %d", res.StatusCode)
			}
			if w.active("es", tokens["access_token"]) {
				t.Error("introspection calls the token active")
			}
		})
	}
}

func TestTokenEndpointTakesFormsOnly(t *testing.T) {
	w := newWorld(t, "")
	form := w.code("app")
	twice := clone(form)
	twice["code"] = append(twice["code"], "x")
	const kind = "application/x-www-form-urlencoded"
	for name, res := range map[string]reply{
		"query":      w.send(http.MethodPost, pathToken+"?"+form.Encode(), "", "Content-Type", kind),
		"both":       w.send(http.MethodPost, pathToken+"?code=x", form.Encode(), "Content-Type", kind),
		"repeated":   w.post(pathToken, twice),
		"JSON":       w.send(http.MethodPost, pathToken, `{"grant_type":"authorization_code"}`, "Content-Type", "application/json"),
		"no type":    w.send(http.MethodPost, pathToken, form.Encode()),
		"too large":  w.post(pathToken, with(clone(form), "x", strings.Repeat("x", maxBody))),
		"not text":   w.post(pathToken, with(clone(form), "x", "\xff")),
		"no code":    w.post(pathToken, with(clone(form), "code", "")),
		"no grant":   w.post(pathToken, with(clone(form), "grant_type", "")),
		"empty body": w.send(http.MethodPost, pathToken, ""),
	} {
		if res.StatusCode != http.StatusBadRequest || res.json(t)["error"] != "invalid_request" || res.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %s %q", name, res.StatusCode, res.body, res.Header.Get("Cache-Control"))
		}
	}
	if res := w.get(pathToken, form); res.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d %s", res.StatusCode, res.body)
	}
	for _, grant := range []string{
		"password", "implicit", "urn:ietf:params:oauth:grant-type:device_code", "urn:ietf:params:oauth:grant-type:jwt-bearer",
		"urn:ietf:params:oauth:grant-type:token-exchange",
	} {
		res := w.post(pathToken, with(clone(form), "grant_type", grant, "assertion", "x.y.z", "device_code", "x", "subject_token", "x"))
		if code := res.json(t)["error"]; res.StatusCode != http.StatusBadRequest || code != "unsupported_grant_type" && code != "unauthorized_client" {
			t.Errorf("%s: %d %s", grant, res.StatusCode, res.body)
		}
	}
	if res := w.post(pathToken, form); res.StatusCode != http.StatusOK {
		t.Errorf("the code was spent: %d %s", res.StatusCode, res.body)
	}
}

// brokenGrants fails as a database does.
type brokenGrants struct{ storage.Table[storage.Grant] }

func (brokenGrants) Get(context.Context, string, string) (storage.Grant, error) {
	return storage.Grant{}, errors.New("pq: password authentication failed for 10.0.0.7")
}

func TestStorageErrorsStayInTheLog(t *testing.T) {
	w := newWorld(t, "")
	tokens := w.tokens("app")
	form := w.code("app")
	w.p.c.Store.Grants = brokenGrants{w.store.Grants}
	bearer := []string{"Authorization", "Bearer " + tokens["access_token"].(string)}
	for name, res := range map[string]reply{
		"code":          w.post(pathToken, form),
		"refresh":       w.refresh("app", tokens["refresh_token"].(string)),
		"user info":     w.get(pathUserInfo, nil, bearer...),
		"introspection": w.post(pathIntrospect, url.Values{"token": {tokens["access_token"].(string)}, "client_id": {"app"}, "client_secret": {secret}}),
		"revocation":    w.post(pathRevoke, url.Values{"token": {tokens["refresh_token"].(string)}, "client_id": {"app"}, "client_secret": {secret}}),
	} {
		if res.StatusCode != http.StatusServiceUnavailable || res.json(t)["error"] != "server_error" || strings.Contains(res.body, "10.0.0.7") {
			t.Errorf("%s: %d %s", name, res.StatusCode, res.body)
			continue
		}
		_, id, _ := strings.Cut(res.json(t)["error_description"].(string), "request ")
		if id == "" || !strings.Contains(w.log.String(), id) {
			t.Errorf("%s: request %q is not in the log", name, id)
		}
	}
}

// Nothing that opens a door stands in the log, the audit log or the database.
func TestSecretsAreKeptNowhere(t *testing.T) {
	w := newWorld(t, "")
	form := w.code("app")
	tokens := w.post(pathToken, form).json(t)
	w.refresh("es", tokens["refresh_token"].(string))
	w.post(pathToken, form)
	kept := w.log.String() + engineLog.String()
	for _, table := range []string{"acme", storage.Global} {
		events, err := w.store.Events.List(t.Context(), storage.Query{Tenant: table})
		w.must(err)
		grants, err := w.store.Grants.List(t.Context(), storage.Query{Tenant: table})
		w.must(err)
		for _, e := range events {
			kept += e.Reason + e.Actor + e.Rule + e.Factor
		}
		for _, g := range grants {
			kept += g.Code + g.Refresh + g.ID + g.Nonce
		}
	}
	for _, canary := range []string{form.Get("code"), tokens["refresh_token"].(string), tokens["access_token"].(string), secret, verifier} {
		if strings.Contains(kept, canary) {
			t.Errorf("%q is kept", canary)
		}
	}
}

func clone(v url.Values) url.Values {
	c := url.Values{}
	for name, values := range v {
		c[name] = append([]string(nil), values...)
	}
	return c
}
