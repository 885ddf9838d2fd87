package oidc

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/provider/web"
)

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

// A client that is stuck with a dead token and tries for ever does not fill it either.
func TestDeadTokensDoNotFillTheLog(t *testing.T) {
	w := newWorld(t, "")
	token := w.tokens("app")["refresh_token"].(string)
	w.must(w.p.EndUser(t.Context(), "acme", "ann-acme", ""))
	before := len(w.events("acme"))
	for range 10 {
		w.wantError(w.refresh("app", token), http.StatusBadRequest, "invalid_grant")
	}
	if n := len(w.events("acme")) - before; n != 1 {
		t.Errorf("%d events", n)
	}
}
