package oidc

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/provider/login"
	"github.com/sallyport-id/sallyport/provider/web"
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
	w.wantEvent("acme", "token.code ok")
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

// The code is bound to all that it was made for, and a stranger's try does not spend it.
func TestCodeIsBound(t *testing.T) {
	w := newWorld(t, "")
	form := w.code("app")
	for name, change := range map[string][]string{
		"wrong verifier":     {"code_verifier", strings.Repeat("x", 43)},
		"no verifier":        {"code_verifier", ""},
		"other redirect URI": {"redirect_uri", callback + "?x=1"},
		"other client":       {"client_id", "es"},
		"changed code":       {"code", flip(form.Get("code"))},
		"made-up code":       {"code", randomText()},
	} {
		w.wantError(w.post(pathToken, with(clone(form), change...)), http.StatusBadRequest, "invalid_grant")
		_ = name
	}
	// Only the grant's own hash lets anybody in, the tag does not: this one could be made with our secret.
	tk, _ := w.p.read(ticketCode, form.Get("code"))
	forged, _ := w.p.issue(ticketCode, tk.tenant, tk.grant)
	w.wantError(w.post(pathToken, with(clone(form), "code", forged)), http.StatusBadRequest, "invalid_grant")
	res := w.post(pathToken, form)
	if res.StatusCode != http.StatusOK {
		t.Fatalf("after strangers' tries: %d %s", res.StatusCode, res.body)
	}
	token := res.json(t)["access_token"]
	// Nor can they end, by a second use, what its owner got for it.
	w.wantError(w.post(pathToken, with(clone(form), "code_verifier", strings.Repeat("x", 43))), http.StatusBadRequest, "invalid_grant")
	if res := w.userInfo(token); res.StatusCode != http.StatusOK {
		t.Errorf("after a second use without the verifier: %d", res.StatusCode)
	}
	w.wantEvent("acme", "token.code refused")
}

func TestVerifierWithoutChallengeIsRefused(t *testing.T) {
	w := newWorld(t, "")
	form := w.code("plain", "code_challenge", "", "code_challenge_method", "")
	w.wantError(w.post(pathToken, form), http.StatusBadRequest, "invalid_grant")
	if res := w.post(pathToken, with(form, "code_verifier", "")); res.StatusCode != http.StatusOK {
		t.Errorf("without verifier: %d %s", res.StatusCode, res.body)
	}
	// A challenge counts where it was sent, and public clients can't leave it out.
	w.wantError(w.post(pathToken, with(w.code("plain"), "code_verifier", "")), http.StatusBadRequest, "invalid_grant")
	to := w.get(pathAuthorize, ask("spa", "redirect_uri", "https://spa.example/cb", "code_challenge", "", "code_challenge_method", "")).to(t)
	if to.Query().Get("error") != "invalid_request" {
		t.Errorf("public client without challenge: %s", to)
	}
}

func TestCodeExpires(t *testing.T) {
	w := newWorld(t, "")
	form := w.code("app")
	w.pass(codeLife)
	w.wantError(w.post(pathToken, form), http.StatusBadRequest, "invalid_grant")
}

func TestCodeUsedTwiceRevokes(t *testing.T) {
	w := newWorld(t, "")
	form := w.code("app")
	tokens := w.post(pathToken, form).json(t)
	if !w.active("app", tokens["access_token"]) || !w.active("app", tokens["refresh_token"]) {
		t.Fatal("tokens are not active")
	}
	w.pass(5 * time.Minute)
	w.wantError(w.post(pathToken, form), http.StatusBadRequest, "invalid_grant")
	w.wantDead(tokens)
	w.wantEvent("acme", "token.code.reuse refused")
}

// wantDead: nothing that was given can be used any more.
func (w *world) wantDead(tokens map[string]any) {
	w.Helper()
	w.wantError(w.refresh("app", tokens["refresh_token"].(string)), http.StatusBadRequest, "invalid_grant")
	if res := w.userInfo(tokens["access_token"]); res.StatusCode != http.StatusUnauthorized {
		w.Errorf("user info: %d", res.StatusCode)
	}
	if w.active("app", tokens["access_token"]) || w.active("app", tokens["refresh_token"]) {
		w.Error("introspection calls them active")
	}
}

// twenty sends a form 20 times at once, and returns the answers that succeeded.
func (w *world) twenty(form url.Values) []map[string]any {
	var mu sync.Mutex
	var won []map[string]any
	var all sync.WaitGroup
	start := make(chan struct{})
	for range 20 {
		all.Go(func() {
			<-start
			res := w.post(pathToken, form)
			mu.Lock()
			defer mu.Unlock()
			switch res.StatusCode {
			case http.StatusOK:
				won = append(won, res.json(w))
			case http.StatusBadRequest:
			default:
				w.Errorf("%d %s", res.StatusCode, res.body)
			}
		})
	}
	close(start)
	all.Wait()
	return won
}

func TestCodeTwentyAtOnce(t *testing.T) {
	w := newWorld(t, "")
	won := w.twenty(w.code("app"))
	if len(won) != 1 {
		t.Fatalf("%d of 20 got tokens", len(won))
	}
	w.wantDead(won[0])
}

func TestRefreshTwentyAtOnce(t *testing.T) {
	w := newWorld(t, "")
	form := url.Values{
		"grant_type": {"refresh_token"}, "refresh_token": {w.tokens("app")["refresh_token"].(string)}, "client_id": {"app"}, "client_secret": {secret},
	}
	won := w.twenty(form)
	if len(won) != 1 {
		t.Fatalf("%d of 20 got tokens", len(won))
	}
	w.wantDead(won[0])
	w.wantEvent("acme", "token.refresh.reuse refused")
}

func TestRefreshKeepsWhatTheSignInShowed(t *testing.T) {
	w := newWorld(t, "")
	first := w.tokens("app")
	w.pass(time.Hour)
	second := w.refresh("app", first["refresh_token"].(string)).json(t)
	if second["refresh_token"] == first["refresh_token"] || second["refresh_token"] == nil {
		t.Error("the refresh token did not rotate")
	}
	_, before := peek(t, first["id_token"])
	_, after := peek(t, second["id_token"])
	for _, name := range []string{"iss", "sub", "aud", "acr", "amr", "auth_time", "sid", "azp", "tenant"} {
		if !reflect.DeepEqual(before[name], after[name]) {
			t.Errorf("%s: %v, then %v", name, before[name], after[name])
		}
	}
	if after["nonce"] != nil || after["iat"] == before["iat"] {
		t.Errorf("renewed ID token %v", after)
	}
	// The older one used again ends the family, the newest with it.
	w.wantError(w.refresh("app", first["refresh_token"].(string)), http.StatusBadRequest, "invalid_grant")
	w.wantDead(second)
}

func TestRefreshScopes(t *testing.T) {
	w := newWorld(t, "")
	token := w.tokens("app", "scope", "openid email offline_access")["refresh_token"].(string)
	w.wantError(w.refresh("app", token, "scope", "openid profile"), http.StatusBadRequest, "invalid_scope")
	narrow := w.refresh("app", token, "scope", "email").json(t)
	if narrow["scope"] != "email" || narrow["id_token"] != nil {
		t.Errorf("narrowed: %v", narrow)
	}
	wide := w.refresh("app", narrow["refresh_token"].(string)).json(t)
	if wide["scope"] != "openid email offline_access" || wide["id_token"] == nil {
		t.Errorf("whole again: %v", wide)
	}
	if tokens := w.tokens("app", "scope", "openid"); tokens["refresh_token"] != nil {
		t.Error("refresh token without offline_access")
	}
	if tokens := w.tokens("plain"); tokens["refresh_token"] != nil {
		t.Error("refresh token without the grant type")
	}
}

func TestRefreshTokenIsBound(t *testing.T) {
	w := newWorld(t, "")
	form := w.code("app")
	code := form.Get("code")
	token := w.post(pathToken, form).json(t)["refresh_token"].(string)
	w.wantError(w.refresh("es", token), http.StatusBadRequest, "invalid_grant")
	w.wantError(w.refresh("app", flip(token)), http.StatusBadRequest, "invalid_grant")
	w.wantError(w.refresh("app", code), http.StatusBadRequest, "invalid_grant")
	// One that names the grant but was made up, as by somebody who read the grant's ID in a log.
	raw, err := base64.RawURLEncoding.DecodeString(token)
	w.must(err)
	copy(raw[tagSize:], make([]byte, randomSize))
	w.wantError(w.refresh("app", base64.RawURLEncoding.EncodeToString(raw)), http.StatusBadRequest, "invalid_grant")
	if res := w.refresh("app", token); res.StatusCode != http.StatusOK {
		t.Errorf("strangers ended the family: %d %s", res.StatusCode, res.body)
	}
}

func TestRefreshTokenLifetimes(t *testing.T) {
	w := newWorld(t, "")
	idle := w.tokens("app")["refresh_token"].(string)
	busy := w.tokens("app")["refresh_token"].(string)
	for range 4 {
		w.pass(20 * 24 * time.Hour)
		res := w.refresh("app", busy)
		if res.StatusCode != http.StatusOK {
			t.Fatalf("in use: %d %s", res.StatusCode, res.body)
		}
		busy = res.json(t)["refresh_token"].(string)
	}
	w.wantError(w.refresh("app", idle), http.StatusBadRequest, "invalid_grant")
	w.pass(10*24*time.Hour - time.Minute)
	busy = w.refresh("app", busy).json(t)["refresh_token"].(string)
	w.pass(2 * time.Minute)
	w.wantError(w.refresh("app", busy), http.StatusBadRequest, "invalid_grant")
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

func TestPolicyIsAskedAtRefresh(t *testing.T) {
	w := newWorld(t, "")
	token := w.tokens("app")["refresh_token"].(string)
	w.login.set(func(s *standIn) { s.deny = &web.Denied{Rule: "Staff"} })
	w.wantError(w.refresh("app", token), http.StatusBadRequest, "invalid_grant")
	w.wantError(w.machine("machine", ""), http.StatusBadRequest, "unauthorized_client")
	w.login.set(func(s *standIn) { s.deny = errors.New("policy can't be read") })
	if res := w.refresh("app", token); res.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("policy out of order: %d", res.StatusCode)
	}
	if res := w.machine("machine", ""); res.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("policy out of order, for a machine: %d", res.StatusCode)
	}
	// Neither spent the token.
	w.login.set(func(s *standIn) { s.deny = nil })
	if res := w.refresh("app", token); res.StatusCode != http.StatusOK {
		t.Errorf("admitted again: %d %s", res.StatusCode, res.body)
	}
}

func (w *world) machine(client, scope string) reply {
	w.Helper()
	return w.post(pathToken, with(url.Values{"grant_type": {"client_credentials"}}, "scope", scope), "Authorization", basic(client, secret))
}

func TestClientCredentials(t *testing.T) {
	w := newWorld(t, "")
	res := w.machine("machine", "read").json(t)
	if res["scope"] != "read" || res["refresh_token"] != nil || res["id_token"] != nil {
		t.Errorf("%v", res)
	}
	_, c := peek(t, res["access_token"])
	if c["sub"] != "machine" || c["client_id"] != "machine" || c["tenant"] != "acme" || c["sid"] != nil || c["acr"] != nil {
		t.Errorf("%v", c)
	}
	if all := w.machine("machine", "").json(t); all["scope"] != "read write" {
		t.Errorf("default scopes: %v", all)
	}
	w.wantEvent("acme", "token.client_credentials ok")
	for _, scope := range []string{"read admin", "openid", "offline_access", "email"} {
		w.wantError(w.machine("machine", scope), http.StatusBadRequest, "invalid_scope")
	}
	w.wantError(w.machine("app", ""), http.StatusBadRequest, "unauthorized_client")
	w.wantError(w.post(pathToken, url.Values{"grant_type": {"client_credentials"}, "client_id": {"spa"}}), http.StatusBadRequest, "unauthorized_client")
	if res := w.userInfo(res["access_token"]); res.StatusCode != http.StatusForbidden || !strings.Contains(res.Header.Get("WWW-Authenticate"), "insufficient_scope") {
		t.Errorf("user info of a machine: %d %v", res.StatusCode, res.Header)
	}
}

func TestClientAuthentication(t *testing.T) {
	w := newWorld(t, "")
	grant := url.Values{"grant_type": {"client_credentials"}}
	post := func(changes ...string) url.Values { return with(clone(grant), changes...) }
	for name, res := range map[string]reply{
		"wrong secret":         w.post(pathToken, grant, "Authorization", basic("machine", "wrong")),
		"empty secret":         w.post(pathToken, grant, "Authorization", basic("machine", "")),
		"unknown client":       w.post(pathToken, grant, "Authorization", basic("nobody", secret)),
		"bad escape":           w.post(pathToken, grant, "Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("%zz:x"))),
		"no secret":            w.post(pathToken, post("client_id", "machine")),
		"wrong in body":        w.post(pathToken, post("client_id", "machine", "client_secret", "wrong")),
		"other name in body":   w.post(pathToken, post("client_id", "machine-es"), "Authorization", basic("machine", secret)),
		"public with a secret": w.post(pathToken, post("client_id", "spa", "client_secret", secret)),
		"disabled":             w.post(pathToken, grant, "Authorization", basic("off", secret)),
		"assertion": w.post(pathToken, post("client_id", "machine",
			"client_assertion", "x", "client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")),
	} {
		if res.StatusCode != http.StatusUnauthorized || res.json(t)["error"] != "invalid_client" || !strings.HasPrefix(res.Header.Get("WWW-Authenticate"), "Basic ") {
			t.Errorf("%s: %d %s %q", name, res.StatusCode, res.body, res.Header.Get("WWW-Authenticate"))
		}
	}
	w.wantEvent("acme", "client.authenticate refused")
	for name, res := range map[string]reply{
		"two ways":         w.post(pathToken, post("client_id", "machine", "client_secret", secret), "Authorization", basic("machine", secret)),
		"two ways, unlike": w.post(pathToken, post("client_secret", secret), "Authorization", basic("machine", secret)),
		"two headers":      w.post(pathToken, grant, "Authorization", basic("machine", secret), "Authorization", basic("machine", secret)),
		"nobody":           w.post(pathToken, grant),
	} {
		if res.StatusCode != http.StatusBadRequest || res.json(t)["error"] != "invalid_request" {
			t.Errorf("%s: %d %s", name, res.StatusCode, res.body)
		}
	}
	for name, res := range map[string]reply{
		"basic": w.machine("machine", ""),
		"post":  w.post(pathToken, post("client_id", "machine", "client_secret", secret)),
		"named": w.post(pathToken, post("client_id", "machine"), "Authorization", basic("machine", secret)),
	} {
		if res.StatusCode != http.StatusOK {
			t.Errorf("%s: %d %s", name, res.StatusCode, res.body)
		}
	}
	// Of two secrets both work, until the older one's time is over.
	change(w, w.store.Clients, storage.Global, "machine", func(c *storage.Client) {
		c.Secrets = []storage.ClientSecret{
			{Hash: c.Secrets[0].Hash, Until: w.clock().Add(time.Hour)}, {Hash: w.keys.Hash(SecretPurpose, "new")},
		}
	})
	if a, b := w.machine("machine", ""), w.post(pathToken, grant, "Authorization", basic("machine", "new")); a.StatusCode != 200 || b.StatusCode != 200 {
		t.Errorf("two secrets: %d %d", a.StatusCode, b.StatusCode)
	}
	w.pass(time.Hour)
	w.wantError(w.machine("machine", ""), http.StatusUnauthorized, "invalid_client")
}

// Anybody can fail to be a client whose ID is known; that must not fill the audit log.
func TestFailedClientAuthenticationDoesNotFillTheLog(t *testing.T) {
	w := newWorld(t, "")
	for range 10 {
		w.post(pathToken, url.Values{"grant_type": {"client_credentials"}}, "Authorization", basic("machine", randomText()))
		w.post(pathToken, url.Values{"grant_type": {"client_credentials"}}, "Authorization", basic(randomText(), "x"))
	}
	if n := len(w.events("acme")) + len(w.events(storage.Global)); n != 1 {
		t.Errorf("%d events", n)
	}
}

// A client that is stuck with a dead token and tries for ever does not fill it either.
func TestDeadTokensDoNotFillTheLog(t *testing.T) {
	w := newWorld(t, "")
	token := w.tokens("app")["refresh_token"].(string)
	w.must(w.p.EndUser(t.Context(), "acme", "ann-acme"))
	before := len(w.events("acme"))
	for range 10 {
		w.wantError(w.refresh("app", token), http.StatusBadRequest, "invalid_grant")
	}
	if n := len(w.events("acme")) - before; n != 1 {
		t.Errorf("%d events", n)
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

// flip changes one character in the middle.
func flip(s string) string {
	i := len(s) / 2
	c := byte('A')
	if s[i] == c {
		c = 'B'
	}
	return s[:i] + string(c) + s[i+1:]
}
