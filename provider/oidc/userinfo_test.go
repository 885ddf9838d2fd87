package oidc

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	jose "github.com/go-jose/go-jose/v4"

	"github.com/sallyport-id/sallyport/storage"
)

func TestUserInfo(t *testing.T) {
	w := newWorld(t, "")
	tokens := w.tokens("app")
	token := tokens["access_token"].(string)
	want := map[string]any{
		"sub": "ann-acme", "tenant": "acme", "name": "Ann", "preferred_username": "ann", "locale": "de",
		"email": "ann@acme.example", "email_verified": false,
	}
	for name, res := range map[string]reply{
		"GET":            w.userInfo(token),
		"scheme in caps": w.get(pathUserInfo, nil, "Authorization", "BEARER "+token),
		"POST":           w.send(http.MethodPost, pathUserInfo, "", "Authorization", "Bearer "+token),
		"body":           w.post(pathUserInfo, url.Values{"access_token": {token}}),
	} {
		if res.StatusCode != http.StatusOK || !reflect.DeepEqual(res.json(t), want) || res.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %s", name, res.StatusCode, res.body)
		}
	}
	if info := w.userInfo(w.tokens("app", "scope", "openid")["access_token"]).json(t); len(info) != 2 {
		t.Errorf("scope openid alone: %v", info)
	}
	if res := w.userInfo(w.tokens("app", "scope", "email")["access_token"]); res.StatusCode != http.StatusForbidden {
		t.Errorf("without openid: %d", res.StatusCode)
	}
	w.pass(accessLife)
	if res := w.userInfo(token); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("expired: %d", res.StatusCode)
	}
}

// hostile are things that are shown as access tokens and are none.
func (w *world) hostile(tokens map[string]any) map[string]string {
	access := tokens["access_token"].(string)
	parts := strings.Split(access, ".")
	b64 := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	stolen, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: make([]byte, 32)}, (&jose.SignerOptions{}).WithType(typeAccess))
	w.must(err)
	hmac, err := stolen.Sign([]byte(`{"iss":"` + w.issuer + `","sub":"ann-acme","aud":[1]}`))
	w.must(err)
	forged, err := hmac.CompactSerialize()
	w.must(err)
	return map[string]string{
		"ID token":        tokens["id_token"].(string),
		"refresh token":   tokens["refresh_token"].(string),
		"no signature":    parts[0] + "." + parts[1] + ".",
		"alg none":        b64(`{"alg":"none","typ":"at+jwt"}`) + "." + parts[1] + ".",
		"changed":         parts[0] + "." + flip(parts[1]) + "." + parts[2],
		"null":            parts[0] + "." + b64("null") + "." + parts[2],
		"odd audience":    parts[0] + "." + b64(`{"aud":[1]}`) + "." + parts[2],
		"HMAC":            forged,
		"garbage":         "x",
		"dots":            "..",
		"too long":        access + strings.Repeat("A", maxToken),
		"header is null":  b64("null") + "." + parts[1] + "." + parts[2],
		"header is array": b64("[]") + "." + parts[1] + "." + parts[2],
	}
}

func TestUserInfoRefusesWhatIsNoAccessToken(t *testing.T) {
	w := newWorld(t, "")
	tokens := w.tokens("app")
	for name, token := range w.hostile(tokens) {
		res := w.userInfo(token)
		if res.StatusCode != http.StatusUnauthorized || !strings.Contains(res.Header.Get("WWW-Authenticate"), `error="invalid_token"`) {
			t.Errorf("%s: %d %s %q", name, res.StatusCode, res.body, res.Header.Get("WWW-Authenticate"))
		}
	}
	token := tokens["access_token"].(string)
	for name, res := range map[string]reply{
		"nothing":    w.get(pathUserInfo, nil),
		"query":      w.get(pathUserInfo, url.Values{"access_token": {token}}),
		"post query": w.send(http.MethodPost, pathUserInfo+"?access_token="+token, ""),
		"basic":      w.get(pathUserInfo, nil, "Authorization", basic("app", secret)),
	} {
		challenge := res.Header.Get("WWW-Authenticate")
		if res.StatusCode != http.StatusUnauthorized || !strings.HasPrefix(challenge, "Bearer ") || strings.Contains(challenge, "error") {
			t.Errorf("%s: %d %q", name, res.StatusCode, challenge)
		}
	}
	for name, res := range map[string]reply{
		"twice":           w.post(pathUserInfo, url.Values{"access_token": {token}}, "Authorization", "Bearer "+token),
		"two headers":     w.get(pathUserInfo, nil, "Authorization", "Bearer "+token, "Authorization", "Bearer "+token),
		"repeated in all": w.post(pathUserInfo, url.Values{"access_token": {token, token}}),
	} {
		w.wantError(res, http.StatusBadRequest, "invalid_request")
		_ = name
	}
	if strings.Contains(w.log.String(), "panic") {
		t.Error("something panicked")
	}
}

func TestIntrospection(t *testing.T) {
	w := newWorld(t, "")
	tokens := w.tokens("app")
	ask := func(client string, token any) reply {
		return w.post(pathIntrospect, url.Values{"token": {token.(string)}}, "Authorization", basic(client, secret))
	}
	a := ask("app", tokens["access_token"]).json(t)
	if a["active"] != true || a["sub"] != "ann-acme" || a["client_id"] != "app" || a["tenant"] != "acme" || a["scope"] != "openid profile email offline_access" ||
		a["token_type"] != "Bearer" || a["exp"] == nil || a["jti"] == nil || a["sid"] == nil || a["acr"] == nil {
		t.Errorf("%v", a)
	}
	if r := ask("app", tokens["refresh_token"]).json(t); r["active"] != true || r["sub"] != "ann-acme" {
		t.Errorf("refresh token: %v", r)
	}
	machine := w.machine("machine", "").json(t)["access_token"]
	if m := ask("machine", machine).json(t); m["active"] != true || m["sub"] != "machine" {
		t.Errorf("machine: %v", m)
	}
	// An API may ask about the tokens it is shown, unless they are another tenant's.
	if !w.active("machine-es", tokens["access_token"]) || !w.active("machine", tokens["access_token"]) {
		t.Error("an API is not told of another client's access token")
	}
	for name, res := range map[string]reply{
		"other tenant's API":           ask("api", tokens["access_token"]),
		"other client's refresh token": ask("es", tokens["refresh_token"]),
		"made up":                      ask("app", "x"),
	} {
		if res.StatusCode != http.StatusOK || strings.TrimSpace(res.body) != `{"active":false}` {
			t.Errorf("%s: %d %s", name, res.StatusCode, res.body)
		}
	}
	for name, token := range w.hostile(tokens) {
		if name == "refresh token" {
			continue
		}
		if res := ask("app", token); strings.TrimSpace(res.body) != `{"active":false}` {
			t.Errorf("%s: %d %s", name, res.StatusCode, res.body)
		}
	}
	form := url.Values{"token": {tokens["access_token"].(string)}}
	w.wantError(w.post(pathIntrospect, with(clone(form), "client_id", "spa")), http.StatusUnauthorized, "invalid_client")
	w.wantError(w.post(pathIntrospect, with(clone(form), "client_id", "spa", "client_secret", "x")), http.StatusUnauthorized, "invalid_client")
	w.wantError(w.post(pathIntrospect, form, "Authorization", basic("app", "wrong")), http.StatusUnauthorized, "invalid_client")
	w.wantError(w.post(pathIntrospect, form, "Authorization", "Bearer "+tokens["access_token"].(string)), http.StatusBadRequest, "invalid_request")
	next := w.refresh("app", tokens["refresh_token"].(string)).json(t)["refresh_token"]
	if w.active("app", tokens["refresh_token"]) || !w.active("app", next) {
		t.Error("a refresh token that was used is active, or the next one is not")
	}
	w.pass(accessLife)
	if w.active("app", tokens["access_token"]) || w.active("machine", machine) {
		t.Error("expired token is active")
	}
	w.pass(refreshIdle)
	if w.active("app", next) {
		t.Error("idle refresh token is active")
	}
}

func TestRevocation(t *testing.T) {
	w := newWorld(t, "")
	revoke := func(client string, token any) {
		t.Helper()
		res := w.post(pathRevoke, url.Values{"token": {token.(string)}, "token_type_hint": {"access_token"}}, "Authorization", basic(client, secret))
		if res.StatusCode != http.StatusOK {
			t.Errorf("%d %s", res.StatusCode, res.body)
		}
	}
	for _, which := range []string{"access_token", "refresh_token"} {
		tokens := w.tokens("app")
		revoke("es", tokens[which])
		revoke("app", "made up")
		revoke("app", tokens["id_token"])
		if !w.active("app", tokens["access_token"]) || !w.active("app", tokens["refresh_token"]) {
			t.Fatalf("%s: revoked by another client, or by something else", which)
		}
		revoke("app", tokens[which])
		w.wantDead(tokens)
		revoke("app", tokens[which])
	}
	machine, other := w.machine("machine", "").json(t)["access_token"], w.machine("machine", "").json(t)["access_token"]
	revoke("machine-es", machine)
	if !w.active("machine", machine) {
		t.Error("another client revoked a machine's token")
	}
	revoke("machine", machine)
	revoke("machine", machine)
	if w.active("machine", machine) || !w.active("machine", other) {
		t.Error("a machine's token is not revoked, or all are")
	}
	w.wantEvent("acme", "token.revoke ok")
	form := url.Values{"token": {"x"}}
	w.wantError(w.post(pathRevoke, form, "Authorization", basic("app", "wrong")), http.StatusUnauthorized, "invalid_client")
	w.wantError(w.post(pathRevoke, url.Values{"client_id": {"spa"}}), http.StatusBadRequest, "invalid_request")
	if res := w.post(pathRevoke, with(form, "client_id", "spa")); res.StatusCode != http.StatusOK {
		t.Errorf("public client: %d %s", res.StatusCode, res.body)
	}
}

func TestEndUserEndsOfflineAccessToo(t *testing.T) {
	w := newWorld(t, "")
	online, offline := w.tokens("app", "scope", "openid"), w.tokens("app")
	w.must(w.p.EndUser(t.Context(), "acme", "ann-acme", ""))
	if res := w.userInfo(online["access_token"]); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("online: %d", res.StatusCode)
	}
	w.wantDead(offline)
}

// A record of one tenant is no use with the tickets of another.
func TestTicketsNameTheirTenant(t *testing.T) {
	w := newWorld(t, "")
	tokens := w.tokens("app")
	tk, ok := w.p.read(ticketRefresh, tokens["refresh_token"].(string))
	if !ok || tk.tenant != "acme" {
		t.Fatalf("%v %v", tk, ok)
	}
	g, err := w.store.Grants.Get(t.Context(), tk.tenant, tk.grant)
	w.must(err)
	elsewhere := g
	elsewhere.Key = storage.Key{Tenant: "other", ID: g.ID, Expires: g.Expires}
	w.must(w.store.Grants.Insert(t.Context(), &elsewhere))
	forged, _ := w.p.issue(ticketRefresh, "other", g.ID)
	w.wantError(w.refresh("app", forged), http.StatusBadRequest, "invalid_grant")
	if res := w.refresh("app", tokens["refresh_token"].(string)); res.StatusCode != http.StatusOK {
		t.Errorf("%d %s", res.StatusCode, res.body)
	}
}
