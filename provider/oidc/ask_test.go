package oidc

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"

	"github.com/sallyport-id/sallyport/storage"
)

// reply is an answer that was read to its end.
type reply struct {
	*http.Response
	body string
}

func (r reply) json(t testing.TB) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(r.body), &v); err != nil {
		t.Fatalf("%d %q: %v", r.StatusCode, r.body, err)
	}
	return v
}

// to is where a redirect leads.
func (r reply) to(t testing.TB) *url.URL {
	t.Helper()
	u, err := r.Location()
	if err != nil || r.StatusCode != http.StatusSeeOther {
		t.Fatalf("no redirect: %d %v\n%s", r.StatusCode, err, r.body)
	}
	return u
}

// do sends a request and follows nothing.
func (w *world) do(r *http.Request) reply {
	w.Helper()
	c := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := c.Do(r)
	w.must(err)
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	w.must(err)
	return reply{res, string(data)}
}

func (w *world) get(path string, q url.Values, header ...string) reply {
	w.Helper()
	if len(q) > 0 {
		path += "?" + q.Encode()
	}
	return w.send(http.MethodGet, path, "", header...)
}

func (w *world) post(path string, form url.Values, header ...string) reply {
	w.Helper()
	return w.send(http.MethodPost, path, form.Encode(), append([]string{"Content-Type", "application/x-www-form-urlencoded"}, header...)...)
}

func (w *world) send(method, path, body string, header ...string) reply {
	w.Helper()
	r, err := http.NewRequestWithContext(w.Context(), method, w.issuer+path, strings.NewReader(body))
	w.must(err)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	return w.do(r)
}

// ask is an authorization request that is right, with changes: a name and its value, an empty value to leave it out.
func ask(client string, changes ...string) url.Values {
	q := url.Values{
		"client_id": {client}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {"openid profile email offline_access"},
		"state": {"st"}, "nonce": {"no"}, "code_challenge": {oidc.NewSHACodeChallenge(verifier)}, "code_challenge_method": {"S256"},
	}
	return with(q, changes...)
}

func with(q url.Values, changes ...string) url.Values {
	for i := 0; i+1 < len(changes); i += 2 {
		q.Del(changes[i])
		if changes[i+1] != "" {
			q.Set(changes[i], changes[i+1])
		}
	}
	return q
}

// code has ann of acme sign in to a client, and returns what its code is redeemed with.
func (w *world) code(client string, changes ...string) url.Values {
	w.Helper()
	w.as("acme")
	q := ask(client, changes...)
	code := w.get(pathAuthorize, q).to(w).Query().Get("code")
	if code == "" {
		w.Fatal("no code")
	}
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {q.Get("redirect_uri")},
		"code_verifier": {verifier}, "client_id": {client},
	}
	if client != "spa" && client != "native" {
		form.Set("client_secret", secret)
	}
	return form
}

// tokens redeems a code.
func (w *world) tokens(client string, changes ...string) map[string]any {
	w.Helper()
	res := w.post(pathToken, w.code(client, changes...))
	if res.StatusCode != http.StatusOK {
		w.Fatalf("token endpoint: %d %s", res.StatusCode, res.body)
	}
	return res.json(w)
}

func (w *world) refresh(client, token string, changes ...string) reply {
	w.Helper()
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}, "client_id": {client}}
	if client != "spa" {
		form.Set("client_secret", secret)
	}
	return w.post(pathToken, with(form, changes...))
}

func (w *world) userInfo(token any) reply {
	w.Helper()
	return w.get(pathUserInfo, nil, "Authorization", "Bearer "+token.(string))
}

// active asks an API's question.
func (w *world) active(client string, token any) bool {
	w.Helper()
	res := w.post(pathIntrospect, url.Values{"token": {token.(string)}, "client_id": {client}, "client_secret": {secret}})
	if res.StatusCode != http.StatusOK {
		w.Fatalf("introspection: %d %s", res.StatusCode, res.body)
	}
	return res.json(w)["active"].(bool)
}

func (w *world) wantError(res reply, status int, code string) {
	w.Helper()
	if res.StatusCode != status || res.json(w)["error"] != code {
		w.Errorf("got %d %s, want %d %s", res.StatusCode, res.body, status, code)
	}
	if res.Header.Get("Cache-Control") != "no-store" {
		w.Errorf("Cache-Control is %q", res.Header.Get("Cache-Control"))
	}
}

// events are the actions in a tenant's audit log.
func (w *world) events(tenant string) []string {
	w.Helper()
	events, err := w.store.Events.List(w.Context(), storage.Query{Tenant: tenant})
	w.must(err)
	var actions []string
	for _, e := range events {
		actions = append(actions, e.Action+" "+e.Outcome)
	}
	return actions
}

func (w *world) wantEvent(tenant, event string) {
	w.Helper()
	if events := w.events(tenant); !slices.Contains(events, event) {
		w.Errorf("no event %q among %q", event, events)
	}
}

// peek reads a JWT's header and claims without checking it.
func peek(t testing.TB, token any) (head, claims map[string]any) {
	t.Helper()
	parts := strings.Split(token.(string), ".")
	for i, v := range []*map[string]any{&head, &claims} {
		data, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err == nil {
			err = json.Unmarshal(data, v)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return head, claims
}

// change rewrites a record behind the provider's back, and lets the caches forget it.
func change[T any, P storage.Row[T]](w *world, table storage.Table[T], tenant, id string, f func(*T)) {
	w.Helper()
	_, err := storage.Change[T, P](w.Context(), table, tenant, id, func(v *T) error { f(v); return nil })
	w.must(err)
	w.pass(time.Second)
}

func basic(client, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(client)+":"+url.QueryEscape(secret)))
}

func randomText() string { return rand.Text() }
