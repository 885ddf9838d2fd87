package oidc

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/storage"
)

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

// Whoever was just handed a secret uses it at once, although what is cached of the client is older.
func TestNewSecretWorksAtOnce(t *testing.T) {
	w := newWorld(t, "")
	if res := w.machine("machine", ""); res.StatusCode != http.StatusOK {
		t.Fatalf("%d %s", res.StatusCode, res.body)
	}
	_, err := storage.Change(t.Context(), w.store.Clients, storage.Global, "machine", func(c *storage.Client) error {
		c.Secrets = []storage.ClientSecret{{Hash: w.keys.Hash(SecretPurpose, "new")}}
		return nil
	})
	w.must(err)
	res := w.post(pathToken, url.Values{"grant_type": {"client_credentials"}}, "Authorization", basic("machine", "new"))
	if res.StatusCode != http.StatusOK {
		t.Errorf("the new secret: %d %s", res.StatusCode, res.body)
	}
	// Now that the client was read again, the old one is over as well.
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
