package oidc

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/sallyport-id/sallyport/provider/login"
)

func TestDiscoveryIsExactlyThis(t *testing.T) {
	for _, path := range []string{"", "/auth"} {
		w := newWorld(t, path)
		list := func(s ...any) []any { return s }
		want := map[string]any{
			"issuer":                                         w.issuer,
			"authorization_endpoint":                         w.issuer + "/authorize",
			"token_endpoint":                                 w.issuer + "/token",
			"userinfo_endpoint":                              w.issuer + "/userinfo",
			"introspection_endpoint":                         w.issuer + "/introspect",
			"revocation_endpoint":                            w.issuer + "/revoke",
			"end_session_endpoint":                           w.issuer + "/logout",
			"jwks_uri":                                       w.issuer + "/keys",
			"scopes_supported":                               list("openid", "profile", "email", "offline_access", "things:read", "things:write"),
			"response_types_supported":                       list("code"),
			"response_modes_supported":                       list("query", "form_post"),
			"grant_types_supported":                          list("authorization_code", "refresh_token", "client_credentials"),
			"acr_values_supported":                           list(login.ACRPassword, login.ACRTwoFactor),
			"subject_types_supported":                        list("public"),
			"id_token_signing_alg_values_supported":          list("ES256", "RS256"),
			"token_endpoint_auth_methods_supported":          list("client_secret_basic", "client_secret_post", "none"),
			"revocation_endpoint_auth_methods_supported":     list("client_secret_basic", "client_secret_post", "none"),
			"introspection_endpoint_auth_methods_supported":  list("client_secret_basic", "client_secret_post"),
			"claims_parameter_supported":                     true,
			"request_uri_parameter_supported":                false,
			"code_challenge_methods_supported":               list("S256"),
			"ui_locales_supported":                           list("en", "de"),
			"prompt_values_supported":                        list("none", "login", "select_account"),
			"authorization_response_iss_parameter_supported": true,
			"claims_supported": list("iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "azp", "at_hash", "sid", "tenant",
				"name", "preferred_username", "locale", "email", "email_verified"),
		}
		for _, at := range []string{pathDiscovery, pathMetadata} {
			res := w.get(at, nil, "Origin", "https://anywhere.example")
			if got := res.json(t); !reflect.DeepEqual(got, want) {
				t.Errorf("%s%s:\n%v\nwant\n%v", path, at, got, want)
			}
			if res.Header.Get("Cache-Control") != "public, max-age=300" || res.Header.Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("%s: %v", at, res.Header)
			}
		}
		// Every endpoint that stands there answers.
		for name, at := range want {
			if u, ok := at.(string); ok && strings.HasSuffix(name, "_endpoint") {
				method := http.MethodPost
				if name == "authorization_endpoint" || name == "end_session_endpoint" {
					method = http.MethodGet
				}
				if res := w.send(method, strings.TrimPrefix(u, w.issuer), ""); res.StatusCode == http.StatusNotFound || res.StatusCode == http.StatusMethodNotAllowed {
					t.Errorf("%s: %d", name, res.StatusCode)
				}
			}
		}
		// The place of RFC 8414 for an issuer with a path is outside of the routes.
		rec := httptest.NewRecorder()
		w.p.Metadata().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/.well-known/oauth-authorization-server/auth", nil))
		if (reply{rec.Result(), rec.Body.String()}).json(t)["issuer"] != w.issuer {
			t.Errorf("metadata: %s", rec.Body)
		}
	}
}

func TestKeysArePublic(t *testing.T) {
	w := newWorld(t, "")
	res := w.get(pathKeys, nil)
	keys, _ := res.json(t)["keys"].([]any)
	if len(keys) != 2 || res.Header.Get("Cache-Control") != "public, max-age=300" {
		t.Fatalf("%s %v", res.body, res.Header)
	}
	for _, k := range keys {
		k := k.(map[string]any)
		if k["kid"] == "" || k["use"] != "sig" || k["alg"] == "" {
			t.Errorf("%v", k)
		}
		for _, private := range []string{"d", "p", "q", "dp", "dq", "qi", "k"} {
			if _, ok := k[private]; ok {
				t.Errorf("%q is published", private)
			}
		}
	}
}

func TestCORS(t *testing.T) {
	w := newWorld(t, "")
	const home, evil = "https://spa.example", "https://evil.example"
	form := w.code("spa", "redirect_uri", home+"/cb")
	allowed := func(res reply) string {
		if res.Header.Get("Access-Control-Allow-Credentials") != "" {
			t.Error("credentials are allowed")
		}
		return res.Header.Get("Access-Control-Allow-Origin")
	}
	if got := allowed(w.post(pathToken, with(clone(form), "code", "x"), "Origin", evil)); got != "" {
		t.Errorf("another site reads %q", got)
	}
	if got := allowed(w.post(pathToken, with(clone(form), "code", "x"), "Origin", home)); got != home {
		t.Errorf("the client's site can't read an error: %q", got)
	}
	res := w.post(pathToken, form, "Origin", home, "Sec-Fetch-Site", "cross-site")
	if allowed(res) != home || res.StatusCode != http.StatusOK || res.Header.Get("Vary") != "Origin" {
		t.Errorf("%d %v", res.StatusCode, res.Header)
	}
	token := res.json(t)["access_token"].(string)
	for origin, want := range map[string]string{home: home, evil: "", "null": "", "https://spa.example.evil.example": ""} {
		if got := allowed(w.get(pathUserInfo, nil, "Authorization", "Bearer "+token, "Origin", origin)); got != want {
			t.Errorf("user info for %s: %q", origin, got)
		}
		if got := allowed(w.post(pathRevoke, url.Values{"client_id": {"spa"}, "token": {"x"}}, "Origin", origin)); got != want {
			t.Errorf("revocation for %s: %q", origin, got)
		}
	}
	w.pass(accessLife)
	if got := allowed(w.get(pathUserInfo, nil, "Authorization", "Bearer "+token, "Origin", home)); got != home {
		t.Errorf("an expired token's refusal can't be read: %q", got)
	}
	for _, path := range []string{pathToken, pathUserInfo, pathRevoke, pathKeys, pathDiscovery} {
		if res := w.send(http.MethodOptions, path, "", "Origin", home, "Access-Control-Request-Method", "POST"); res.StatusCode != http.StatusNoContent || allowed(res) != "*" {
			t.Errorf("preflight %s: %d %q", path, res.StatusCode, allowed(res))
		}
	}
	for _, res := range []reply{
		w.get(pathAuthorize, ask("spa", "redirect_uri", home+"/cb"), "Origin", home),
		w.send(http.MethodOptions, pathAuthorize, "", "Origin", home), w.send(http.MethodOptions, pathLogout, "", "Origin", home),
		w.get(pathLogout, nil, "Origin", home),
	} {
		if got := allowed(res); got != "" {
			t.Errorf("%s: %q", res.Request.URL.Path, got)
		}
	}
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	w := newWorld(t, "")
	good := w.p.c
	for name, spoil := range map[string]func(c *Config){
		"no issuer":       func(c *Config) { c.Issuer = nil },
		"relative issuer": func(c *Config) { c.Issuer = &url.URL{Path: "/x"} },
		"query":           func(c *Config) { u := *c.Issuer; u.RawQuery = "x"; c.Issuer = &u },
		"no login":        func(c *Config) { c.Login = nil },
		"no grants":       func(c *Config) { c.Store.Grants = nil },
		"locale":          func(c *Config) { c.Locales = []string{"!"} },
	} {
		c := good
		spoil(&c)
		if _, err := New(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := New(good); err != nil {
		t.Error(err)
	}
}
