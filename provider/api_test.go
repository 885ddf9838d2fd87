package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/sallyport-id/sallyport/storage"
)

// caller is a program that calls the API: it keeps no cookies, and shows an access token unless that is empty.
type caller struct {
	t     testing.TB
	w     *world
	token string
}

// said is what the API answered.
type said struct {
	status int
	header http.Header
	body   string
}

// json reads an answer.
func (s said) json(t testing.TB) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(s.body), &v); err != nil {
		t.Fatalf("%d %q: %v", s.status, s.body, err)
	}
	return v
}

// send sends a request; pairs are headers. It may be called from several goroutines.
func (p *caller) send(method, path, body string, pairs ...string) (said, error) {
	r, err := http.NewRequestWithContext(context.Background(), method, p.w.address+path, strings.NewReader(body))
	if err != nil {
		return said{}, err
	}
	if p.token != "" {
		r.Header.Set("Authorization", "Bearer "+p.token)
	}
	if body != "" && !slices.Contains(pairs, "Content-Type") {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		r.Header.Add(pairs[i], pairs[i+1])
	}
	res, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(r)
	if err != nil {
		return said{}, err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	return said{res.StatusCode, res.Header, string(data)}, err
}

// call is send for one goroutine.
func (p *caller) call(method, path, body string, pairs ...string) said {
	p.t.Helper()
	s, err := p.send(method, path, body, pairs...)
	if err != nil {
		p.t.Fatal(err)
	}
	return s
}

// problem checks that an answer is problem details (RFC 9457) with this status and code, for programs only.
func (s said) problem(t testing.TB, what string, status int, code string) map[string]any {
	t.Helper()
	if s.status != status || s.header.Get("Content-Type") != "application/problem+json" {
		t.Fatalf("%s: %d %s %s, want %d %s", what, s.status, s.header.Get("Content-Type"), s.body, status, code)
	}
	v := s.json(t)
	if v["code"] != code || v["status"] != float64(status) || v["title"] == "" || v["detail"] == "" || v["type"] == "" || v["request"] == "" {
		t.Errorf("%s: %s, want code %s", what, s.body, code)
	}
	if s.header.Get("Cache-Control") != "no-store" || s.header.Get("Set-Cookie") != "" || s.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%s: headers %v", what, s.header)
	}
	return v
}

// machine registers a client that acts for itself, and gets a token for it.
func (w *world) machine(id, owner string, scopes ...string) *caller {
	w.t.Helper()
	secret := w.client(id, "machine", "", func(c *storage.Client) {
		c.Owner, c.Scopes, c.GrantTypes, c.RedirectURIs = owner, scopes, []string{"client_credentials"}, nil
	})
	return &caller{t: w.t, w: w, token: w.machineToken(id, secret)}
}

func (w *world) machineToken(id, secret string) string {
	w.t.Helper()
	res, err := http.PostForm(w.issuer+"/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret}})
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	var v struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(res.Body).Decode(&v); err != nil || v.AccessToken == "" {
		w.t.Fatalf("no token for %s: %d (%v)", id, res.StatusCode, err)
	}
	return v.AccessToken
}

// signedIn is an application that a user of birch signed in to, with the tokens it got.
func (w *world) signedIn(email string, scopes ...string) (*caller, *oauth2.Token) {
	w.t.Helper()
	const redirect = "https://console.example/callback"
	secret := w.client("console", "web", redirect, func(c *storage.Client) { c.Scopes = append([]string{"profile", "email"}, scopes...) })
	a := w.connect("console", secret, redirect)
	a.config.Scopes = append([]string{"openid", "offline_access"}, scopes...)
	in := a.attempt()
	_, token := in.redeem(in.begin(w.browser()).signIn(email))
	return &caller{t: w.t, w: w, token: token.AccessToken}, token
}

// TestAPITellsWhoseATokenIs: a machine's of one tenant, one of the deployment, and a user's.
func TestAPITellsWhoseATokenIs(t *testing.T) {
	w := newWorld(t)
	u := w.user("birch", "kim@birch.example", "client", func(u *storage.User) { u.Role = storage.Admin })
	user, _ := w.signedIn("kim@birch.example", "users:read")
	for name, c := range map[string]struct {
		p    *caller
		want map[string]any
	}{
		"machine of a tenant": {w.machine("robot", "birch", "users:read"), map[string]any{
			"client": map[string]any{"id": "robot", "name": "Workshop"}, "tenant": map[string]any{"id": "birch", "name": "Birch Ltd"},
			"scopes": []any{"users:read"},
		}},
		"machine of the deployment": {w.machine("operations", "", "operator"), map[string]any{
			"client": map[string]any{"id": "operations", "name": "Workshop"}, "scopes": []any{"operator"},
		}},
		"user": {user, map[string]any{
			"client": map[string]any{"id": "console", "name": "Workshop"}, "tenant": map[string]any{"id": "birch", "name": "Birch Ltd"},
			"user":   map[string]any{"id": u.ID, "account": "kim@birch.example", "name": "Robin Example", "role": "admin"},
			"scopes": []any{"openid", "offline_access", "users:read"},
		}},
	} {
		got := c.p.call(http.MethodGet, "/api/v1/me", "")
		if got.status != http.StatusOK || got.header.Get("Cache-Control") != "no-store" || got.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %v", name, got.status, got.header)
		}
		if fmt.Sprint(got.json(t)) != fmt.Sprint(c.want) {
			t.Errorf("%s: %s, want %v", name, got.body, c.want)
		}
	}
}

// TestAPIRefusesTokens: what is no access token of ours, or stands on something that is gone, is answered as RFC 6750 has
// it, and nothing else of a request counts.
func TestAPIRefusesTokens(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "kim@birch.example", "client")
	user, tokens := w.signedIn("kim@birch.example")
	elsewhere := newWorld(t).machine("robot", "birch", "users:read")
	id, _ := tokens.Extra("id_token").(string)
	parts := strings.Split(user.token, ".")
	refused := func(name, token string) {
		t.Helper()
		got := (&caller{t: t, w: w, token: token}).call(http.MethodGet, "/api/v1/me", "")
		got.problem(t, name, http.StatusUnauthorized, "error.invalid_token")
		if c := got.header.Get("WWW-Authenticate"); !strings.HasPrefix(c, `Bearer realm="`+w.issuer+`", error="invalid_token"`) {
			t.Errorf("%s: WWW-Authenticate %q", name, c)
		}
	}
	refused("ID token", id)
	refused("refresh token", tokens.RefreshToken)
	refused("of another issuer", elsewhere.token)
	refused("without its signature", parts[0]+"."+parts[1]+".")
	refused("garbage", "x")
	refused("too long", user.token+strings.Repeat("A", 8<<10))

	if got := user.call(http.MethodGet, "/api/v1/me", ""); got.status != http.StatusOK {
		t.Fatalf("a good token: %d %s", got.status, got.body)
	}
	none := &caller{t: t, w: w}
	form := url.Values{"access_token": {user.token}}.Encode()
	for name, got := range map[string]said{
		"nothing":         none.call(http.MethodGet, "/api/v1/me", ""),
		"in the query":    none.call(http.MethodGet, "/api/v1/me?access_token="+user.token, ""),
		"in a form":       none.call(http.MethodGet, "/api/v1/me", form, "Content-Type", "application/x-www-form-urlencoded"),
		"in a cookie":     none.call(http.MethodGet, "/api/v1/me", "", "Cookie", "access_token="+user.token),
		"another scheme":  none.call(http.MethodGet, "/api/v1/me", "", "Authorization", "Basic "+user.token),
		"without a word":  none.call(http.MethodGet, "/api/v1/me", "", "Authorization", "Bearer"),
		"without a space": none.call(http.MethodGet, "/api/v1/me", "", "Authorization", "Bearer"+user.token),
	} {
		got.problem(t, name, http.StatusUnauthorized, "error.token_missing")
		if c := got.header.Get("WWW-Authenticate"); c != `Bearer realm="`+w.issuer+`"` {
			t.Errorf("%s: WWW-Authenticate %q", name, c)
		}
	}
	user.call(http.MethodGet, "/api/v1/me", "", "Authorization", "Bearer "+user.token).problem(t, "twice", http.StatusBadRequest, "error.bad_request")

	w.clock.forward(10 * time.Minute)
	refused("expired", user.token)
	if strings.Contains(w.log.String(), user.token) || strings.Contains(w.log.String(), id) {
		t.Error("a token stands in the log")
	}
}

// TestAPITakesNoCookies: a browser that is signed in is nobody there, so no site can make it do something.
func TestAPITakesNoCookies(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "kim@birch.example", "client")
	b := w.browser()
	b.get("/account/security").signIn("kim@birch.example").is(atSecurity)
	p := b.get("/api/v1/me")
	if p.status != http.StatusUnauthorized || p.header.Get("Set-Cookie") != "" || p.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("with a session cookie: %d %v", p.status, p.header)
	}
	b.get("/account/security").is(atSecurity)
}

// TestAPITokensEnd: a token is good for no longer than what it stands on.
func TestAPITokensEnd(t *testing.T) {
	for name, end := range map[string]func(w *world, token *oauth2.Token){
		"revoked": func(w *world, token *oauth2.Token) {
			res, err := http.PostForm(w.issuer+"/revoke", url.Values{
				"token": {token.AccessToken}, "client_id": {"console"}, "client_secret": {"the-secret-of-an-application-in-a-test"},
			})
			if err != nil {
				w.t.Fatal(err)
			}
			defer res.Body.Close()
			if res.StatusCode != http.StatusOK {
				w.t.Fatalf("revocation answers %d", res.StatusCode)
			}
		},
		"user disabled": func(w *world, _ *oauth2.Token) {
			w.changeUser("kim@birch.example", func(u *storage.User) { u.Disabled = true })
		},
		"user locked": func(w *world, _ *oauth2.Token) {
			w.changeUser("kim@birch.example", func(u *storage.User) { u.Locked = w.clock.Now() })
		},
		"tenant disabled": func(w *world, _ *oauth2.Token) {
			change(w, w.store.Tenants, "birch", func(t *storage.Tenant) { t.Disabled = true })
		},
		"client disabled": func(w *world, _ *oauth2.Token) {
			change(w, w.store.Clients, "console", func(c *storage.Client) { c.Disabled = true })
		},
		"client given to another tenant": func(w *world, _ *oauth2.Token) {
			change(w, w.store.Clients, "console", func(c *storage.Client) { c.Owner = "acme" })
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.user("birch", "kim@birch.example", "client")
			p, token := w.signedIn("kim@birch.example")
			if got := p.call(http.MethodGet, "/api/v1/me", ""); got.status != http.StatusOK {
				t.Fatalf("before: %d %s", got.status, got.body)
			}
			end(w, token)
			p.call(http.MethodGet, "/api/v1/me", "").problem(t, "after", http.StatusUnauthorized, "error.invalid_token")
		})
	}
}

// TestAPIFreshSignIn: what changes something takes a user who signed in within ten minutes, as our pages do; a refreshed
// token reads, and no more (RFC 9470).
func TestAPIFreshSignIn(t *testing.T) {
	w := newWorld(t)
	u := w.user("birch", "kim@birch.example", "client", func(u *storage.User) { u.Role = storage.Owner })
	p, token := w.signedIn("kim@birch.example", "users:read", "users:write", "policy:read")
	one := "/api/v1/tenants/birch/users/" + u.ID
	if got := p.call(http.MethodPatch, one, `{"name":"Kim"}`); got.status != http.StatusOK {
		t.Fatalf("at once: %d %s", got.status, got.body)
	}
	w.clock.forward(9 * time.Minute)
	if got := p.call(http.MethodPatch, one, `{"name":"Kim K."}`); got.status != http.StatusOK {
		t.Fatalf("after nine minutes: %d %s", got.status, got.body)
	}
	res, err := http.PostForm(w.issuer+"/token", url.Values{
		"grant_type": {"refresh_token"}, "refresh_token": {token.RefreshToken}, "client_id": {"console"},
		"client_secret": {"the-secret-of-an-application-in-a-test"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var renewed struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(res.Body).Decode(&renewed); err != nil || renewed.AccessToken == "" {
		t.Fatalf("no token: %d (%v)", res.StatusCode, err)
	}
	p.token = renewed.AccessToken
	w.clock.forward(2 * time.Minute)
	got := p.call(http.MethodPatch, one, `{"name":"Mallory"}`)
	got.problem(t, "after eleven minutes", http.StatusUnauthorized, "error.insufficient_user_authentication")
	if h := got.header.Get("WWW-Authenticate"); !strings.Contains(h, `error="insufficient_user_authentication"`) || !strings.Contains(h, `max_age="600"`) {
		t.Errorf("WWW-Authenticate: %s", h)
	}
	if now := w.get("birch", u.ID).Name; now != "Kim K." {
		t.Errorf("the name is %q", now)
	}
	for what, read := range map[string]said{
		"users":   p.call(http.MethodGet, one, ""),
		"preview": p.call(http.MethodPost, "/api/v1/tenants/birch/policy/preview", `{"require_2fa":["staff"]}`),
	} {
		if read.status != http.StatusOK {
			t.Errorf("%s: %d %s", what, read.status, read.body)
		}
	}
}

// TestAPIMachinesEnd is the same for clients that act for themselves.
func TestAPIMachinesEnd(t *testing.T) {
	for name, end := range map[string]func(w *world){
		"disabled":                func(w *world) { change(w, w.store.Clients, "robot", func(c *storage.Client) { c.Disabled = true }) },
		"given to another tenant": func(w *world) { change(w, w.store.Clients, "robot", func(c *storage.Client) { c.Owner = "acme" }) },
		"given to the deployment": func(w *world) { change(w, w.store.Clients, "robot", func(c *storage.Client) { c.Owner = "" }) },
		"tenant disabled":         func(w *world) { change(w, w.store.Tenants, "birch", func(t *storage.Tenant) { t.Disabled = true }) },
		"removed": func(w *world) {
			if err := w.store.Clients.Delete(context.Background(), storage.Global, "robot"); err != nil {
				w.t.Fatal(err)
			}
			w.clock.forward(6 * time.Second)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			p := w.machine("robot", "birch", "users:read")
			if got := p.call(http.MethodGet, "/api/v1/me", ""); got.status != http.StatusOK {
				t.Fatalf("before: %d %s", got.status, got.body)
			}
			end(w)
			p.call(http.MethodGet, "/api/v1/me", "").problem(t, "after", http.StatusUnauthorized, "error.invalid_token")
		})
	}
	t.Run("scope taken away", func(t *testing.T) {
		w := newWorld(t)
		p := w.machine("robot", "birch", "users:read", "users:write")
		change(w, w.store.Clients, "robot", func(c *storage.Client) { c.Scopes = []string{"users:read"} })
		if got := p.call(http.MethodGet, "/api/v1/me", "").json(t); fmt.Sprint(got["scopes"]) != "[users:read]" {
			t.Errorf("scopes %v", got["scopes"])
		}
	})
}

// TestAPIOtherTenants: with a token of one tenant nobody learns even that another is there, by no path and with no scope;
// a token of the deployment's reaches all.
func TestAPIOtherTenants(t *testing.T) {
	w := newWorld(t)
	there := w.user("acme", "robin@acme.example", "staff")
	w.user("birch", "kim@birch.example", "client", func(u *storage.User) { u.Role = storage.Owner })
	scopes := []string{"tenant:read", "users:read", "operator"}
	owner, _ := w.signedIn("kim@birch.example", scopes...)
	robot := w.machine("robot", "birch", scopes...)
	operations := w.machine("operations", "", scopes...)
	for _, path := range []string{"", "/users", "/users/" + there.ID, "/users/robin@acme.example", "/users?text=robin"} {
		for name, p := range map[string]*caller{"owner": owner, "machine": robot} {
			theirs := p.call(http.MethodGet, "/api/v1/tenants/acme"+path, "").problem(t, name+path, http.StatusNotFound, "error.not_found")
			nobodys := p.call(http.MethodGet, "/api/v1/tenants/nowhere"+path, "").problem(t, name+path, http.StatusNotFound, "error.not_found")
			delete(theirs, "request")
			delete(nobodys, "request")
			if a, b := fmt.Sprint(theirs), strings.ReplaceAll(fmt.Sprint(nobodys), "nowhere", "acme"); a != b {
				t.Errorf("%s%s: tells a tenant that is there from one that is not:\n%s\n%s", name, path, a, b)
			}
		}
		if got := operations.call(http.MethodGet, "/api/v1/tenants/acme"+path, ""); got.status != http.StatusOK {
			t.Errorf("operator%s: %d %s", path, got.status, got.body)
		}
	}
	for name, p := range map[string]*caller{"owner": owner, "machine": robot} {
		p.call(http.MethodGet, "/api/v1/tenants", "").problem(t, name, http.StatusForbidden, "error.forbidden")
		if got := p.call(http.MethodGet, "/api/v1/tenants/birch", ""); got.status != http.StatusOK || got.json(t)["id"] != "birch" {
			t.Errorf("%s's own: %d %s", name, got.status, got.body)
		}
	}
}

// TestAPIRoles: a scope does not make anybody more than his role does.
func TestAPIRoles(t *testing.T) {
	for role, want := range map[storage.Role]int{storage.Owner: 200, storage.Admin: 200, storage.Member: 403} {
		w := newWorld(t)
		w.user("birch", "kim@birch.example", "client", func(u *storage.User) { u.Role = role })
		p, _ := w.signedIn("kim@birch.example", "users:read")
		if got := p.call(http.MethodGet, "/api/v1/tenants/birch/users", ""); got.status != want {
			t.Errorf("%s: %d %s", role, got.status, got.body)
		}
		p.call(http.MethodGet, "/api/v1/tenants/birch", "").problem(t, string(role), http.StatusForbidden, "error.insufficient_scope")
	}
}

// TestAPILists: a list is read page by page to its end, each record once.
func TestAPILists(t *testing.T) {
	w := newWorld(t)
	for i := range 7 {
		w.user("birch", fmt.Sprintf("user-%d@birch.example", i), "client")
	}
	for path, want := range map[string]int{"/api/v1/tenants/birch/users": 7, "/api/v1/tenants": 2} {
		p := &caller{t: t, w: w, token: w.machine("operations-"+fmt.Sprint(want), "", "users:read", "operator").token}
		seen, after, pages := map[any]bool{}, "", 0
		for more := true; more; pages++ {
			page := p.call(http.MethodGet, path+"?limit=2"+after, "").json(t)
			items, _ := page["items"].([]any)
			for _, item := range items {
				one, _ := item.(map[string]any)
				if seen[one["id"]] {
					t.Errorf("%s: %v twice", path, one["id"])
				}
				seen[one["id"]] = true
			}
			next, _ := page["next"].(string)
			after, more = "&after="+url.QueryEscape(next), next != ""
			if seen[next] {
				t.Errorf("%s: the cursor is an ID as it stands: %s", path, next)
			}
		}
		if len(seen) != want || pages > want/2+1 {
			t.Errorf("%s: %d of %d on %d pages", path, len(seen), want, pages)
		}
		for _, bad := range []string{"limit=0", "limit=1001", "limit=-1", "after=", "after=!", "after=a&after=b", "afters=a"} {
			p.call(http.MethodGet, path+"?"+bad, "").problem(t, bad, http.StatusBadRequest, "error.bad_request")
		}
	}
}

// TestAPIAsksPolicy: what a user's program may do hangs on the rules of today, and on where it calls from.
func TestAPIAsksPolicy(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "kim@birch.example", "client")
	p, _ := w.signedIn("kim@birch.example")
	w.rules("birch",
		storage.Rule{Name: "Office only", When: storage.When{NotNetworks: []string{"192.0.2.0/24"}}, Then: storage.Then{Access: "deny"}},
		storage.Rule{Name: "Everyone", Then: storage.Then{Access: "allow", TwoFactor: "optional", Strength: "any", Unenrolled: "enrol_at_login"}},
	)
	got := p.call(http.MethodGet, "/api/v1/me", "").problem(t, "from elsewhere", http.StatusForbidden, "error.denied")
	if detail, _ := got["detail"].(string); !strings.Contains(detail, "Office only") {
		t.Errorf("detail %q does not name the rule", detail)
	}
	p.call(http.MethodGet, "/api/v1/me", "").problem(t, "again", http.StatusForbidden, "error.denied")
	noted := 0
	for _, e := range w.events("birch") {
		if e.Action == "api.call" && e.Outcome == "refused" && e.Client == "console" && e.User != "" && e.Address == "127.0.0.1" &&
			e.Rule == "Office only" {
			noted++
		}
	}
	if noted != 1 {
		t.Errorf("%d entries in the audit log, want one a minute", noted)
	}
	w.rules("birch", storage.Rule{
		Name: "Everyone", Then: storage.Then{Access: "allow", TwoFactor: "optional", Strength: "any", Unenrolled: "enrol_at_login"},
	})
	if got := p.call(http.MethodGet, "/api/v1/me", ""); got.status != http.StatusOK {
		t.Errorf("let in again: %d %s", got.status, got.body)
	}
}

// TestAPIPaths: what nobody answers is told in the same way.
func TestAPIPaths(t *testing.T) {
	w := newWorld(t)
	p := w.machine("robot", "birch", "users:read")
	none := &caller{t: t, w: w}
	for _, path := range []string{"/api", "/api/", "/api/v1/", "/api/v2/me", "/api/v1/me/", "/api/v1/nothing", "/api/v1/%2e%2e/me"} {
		none.call(http.MethodGet, path, "").problem(t, path, http.StatusNotFound, "error.not_found")
		p.call(http.MethodDelete, path, "").problem(t, path, http.StatusNotFound, "error.not_found")
	}
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		for _, path := range []string{"/api/v1/me", "/api/v1", "/api/v1/openapi.json"} {
			got := p.call(method, path, "")
			got.problem(t, method+" "+path, http.StatusMethodNotAllowed, "error.method_not_allowed")
			if allow := got.header.Get("Allow"); allow != "GET, HEAD, OPTIONS" {
				t.Errorf("%s %s: Allow %q", method, path, allow)
			}
		}
	}
	if got := none.call(http.MethodOptions, "/api/v1/me", ""); got.status != http.StatusNoContent || got.header.Get("Allow") != "GET, HEAD, OPTIONS" ||
		got.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("OPTIONS: %d %v", got.status, got.header)
	}
	if got := p.call(http.MethodHead, "/api/v1/me", ""); got.status != http.StatusOK || got.body != "" || got.header.Get("Content-Type") != "application/json" {
		t.Errorf("HEAD: %d %v", got.status, got.header)
	}
	if got := none.call(http.MethodHead, "/api/v1/me", ""); got.status != http.StatusUnauthorized {
		t.Errorf("HEAD without a token: %d", got.status)
	}
	p.call(http.MethodGet, "/api/v1/me?verbose=1", "").problem(t, "unknown parameter", http.StatusBadRequest, "error.bad_request")
	p.call(http.MethodGet, "/api/v1/me", `{"a":1}`).problem(t, "unknown field", http.StatusBadRequest, "error.bad_request")
}

// TestAPIDescription: everybody may read it, caches may keep it, and it names this deployment.
func TestAPIDescription(t *testing.T) {
	w := newWorld(t)
	none := &caller{t: t, w: w}
	index := none.call(http.MethodGet, "/api/v1", "")
	links, _ := index.json(t)["links"].(map[string]any)
	if index.status != http.StatusOK || links["openapi"] != w.issuer+"/api/v1/openapi.json" || links["me"] != w.issuer+"/api/v1/me" {
		t.Fatalf("index: %d %s", index.status, index.body)
	}
	doc := none.call(http.MethodGet, "/api/v1/openapi.json", "")
	if v := doc.json(t); v["openapi"] != "3.1.0" || strings.Contains(doc.body, "id.example.com") || !strings.Contains(doc.body, w.issuer+"/token") {
		t.Errorf("the description is of another deployment: %.300s", doc.body)
	}
	for name, got := range map[string]said{"index": index, "openapi.json": doc} {
		if c := got.header.Get("Cache-Control"); c != "public, max-age=300" || got.header.Get("Set-Cookie") != "" || got.header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: %v", name, got.header)
		}
	}
	if again := none.call(http.MethodGet, "/api/v1/openapi.json", "", "If-None-Match", doc.header.Get("ETag")); again.status != http.StatusNotModified || again.body != "" {
		t.Errorf("asked again: %d", again.status)
	}
}

// TestAPISpeaksLanguages: words come from the catalogues, in English unless something else is asked for.
func TestAPISpeaksLanguages(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "kim@birch.example", "client")
	p, _ := w.signedIn("kim@birch.example")
	w.rules("birch", storage.Rule{Name: "Nobody", Then: storage.Then{Access: "deny"}})
	title := func(accept ...string) any {
		return p.call(http.MethodGet, "/api/v1/me", "", accept...).problem(t, "denied", http.StatusForbidden, "error.denied")["title"]
	}
	english, german := title(), title("Accept-Language", "de")
	if english == german || english != title("Accept-Language", "tlh") {
		t.Errorf("English %q, German %q", english, german)
	}
}

// changeUser changes a user of birch, and lets the caches run out.
func (w *world) changeUser(email string, do func(*storage.User)) {
	w.t.Helper()
	users, err := w.store.Users.List(context.Background(), storage.Query{Tenant: "birch"})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, u := range users {
		if u.Email == email {
			changeIn(w, w.store.Users, "birch", u.ID, do)
			return
		}
	}
	w.t.Fatalf("there is no %s", email)
}

// change changes a record of the deployment's, and lets the caches run out.
func change[T any, P storage.Row[T]](w *world, table storage.Table[T], id string, do func(*T)) {
	w.t.Helper()
	changeIn[T, P](w, table, storage.Global, id, do)
}

func changeIn[T any, P storage.Row[T]](w *world, table storage.Table[T], tenant, id string, do func(*T)) {
	w.t.Helper()
	_, err := storage.Change[T, P](context.Background(), table, tenant, id, func(v *T) error {
		do(v)
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.clock.forward(6 * time.Second)
}
