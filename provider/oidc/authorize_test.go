package oidc

import (
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/provider/login"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// What can't be told to an application is told to the person, and leads nowhere.
func TestAuthorizeErrorPageNeverRedirects(t *testing.T) {
	w := newWorld(t, "")
	w.as("acme")
	for name, q := range map[string]url.Values{
		"unknown client":           ask("nobody"),
		"no client":                ask("app", "client_id", ""),
		"disabled client":          ask("off"),
		"no redirect URI":          ask("app", "redirect_uri", ""),
		"other redirect URI":       ask("app", "redirect_uri", "https://evil.example/cb"),
		"redirect URI with more":   ask("app", "redirect_uri", callback+"/more"),
		"redirect URI with query":  ask("app", "redirect_uri", callback+"?y=1"),
		"fragment":                 ask("app", "redirect_uri", callback+"#x"),
		"escaped twice":            ask("app", "redirect_uri", url.QueryEscape(callback)),
		"case":                     ask("app", "redirect_uri", "https://APP.example/cb"),
		"repeated client":          {"client_id": {"app", "app"}, "redirect_uri": {callback}},
		"repeated redirect URI":    {"client_id": {"app"}, "redirect_uri": {callback, "https://evil.example"}},
		"port on the web":          ask("app", "redirect_uri", "https://app.example:8443/cb"),
		"loopback port on the web": ask("app", "redirect_uri", "http://127.0.0.1:1/cb"),
		"localhost with a port":    ask("native", "redirect_uri", "http://localhost:99/cb"),
		"loopback, other path":     ask("native", "redirect_uri", "http://127.0.0.1:99/other"),
		"loopback, other scheme":   ask("native", "redirect_uri", "https://127.0.0.1:99/cb"),
		"loopback, user":           ask("native", "redirect_uri", "http://127.0.0.1:99@evil.example/cb"),
		"loopback, longer host":    ask("native", "redirect_uri", "http://127.0.0.1.evil.example/cb"),
		"loopback, bad port":       ask("native", "redirect_uri", "http://127.0.0.1:0/cb"),
		"loopback, large port":     ask("native", "redirect_uri", "http://127.0.0.1:65536/cb"),
	} {
		res := w.get(pathAuthorize, q)
		if res.StatusCode != http.StatusBadRequest || res.Header.Get("Location") != "" || !strings.Contains(res.body, "<h1") {
			t.Errorf("%s: %d to %q", name, res.StatusCode, res.Header.Get("Location"))
		}
	}
	for _, broken := range []string{"?client_id=%zz", "?client_id=app;redirect_uri=x"} {
		if res := w.send(http.MethodGet, pathAuthorize+broken, ""); res.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %d", broken, res.StatusCode)
		}
	}
}

func TestNativeClientsMayUseAnyLoopbackPort(t *testing.T) {
	w := newWorld(t, "")
	w.as("acme")
	for _, uri := range []string{
		"http://127.0.0.1/cb", "http://127.0.0.1:8765/cb", "http://[::1]:1/cb", "http://[::1]/cb", "http://localhost/cb", "com.example.app:/cb",
	} {
		to := w.get(pathAuthorize, ask("native", "redirect_uri", uri)).to(t)
		if !strings.HasPrefix(to.String(), uri+"?") || to.Query().Get("code") == "" {
			t.Errorf("%s: went to %s", uri, to)
		}
	}
	if got := w.login.request().FormTargets; !reflect.DeepEqual(got, []string{"com.example.app:"}) && got == nil {
		t.Errorf("form targets %q", got)
	}
}

func TestAuthorizeErrorsGoBack(t *testing.T) {
	w := newWorld(t, "/auth")
	long := strings.Repeat("x", maxParameter+1)
	tests := []struct {
		name string
		q    url.Values
		code string
	}{
		{"no response type", ask("app", "response_type", ""), "invalid_request"},
		{"implicit", ask("app", "response_type", "id_token token"), "unsupported_response_type"},
		{"hybrid", ask("app", "response_type", "code id_token"), "unsupported_response_type"},
		{"fragment", ask("app", "response_mode", "fragment"), "invalid_request"},
		{"machine", ask("machine"), "unauthorized_client"},
		{"no scope", ask("app", "scope", ""), "invalid_scope"},
		{"unknown scopes only", ask("app", "scope", "read"), "invalid_scope"},
		{"no challenge", ask("app", "code_challenge", "", "code_challenge_method", ""), "invalid_request"},
		{"no method", ask("app", "code_challenge_method", ""), "invalid_request"},
		{"plain", ask("app", "code_challenge_method", "plain"), "invalid_request"},
		{"plain without need", ask("plain", "code_challenge_method", "plain"), "invalid_request"},
		{"short challenge", ask("app", "code_challenge", "short"), "invalid_request"},
		{"request", ask("app", "request", "x.y.z"), "request_not_supported"},
		{"request_uri", ask("app", "request_uri", "https://x"), "request_uri_not_supported"},
		{"registration", ask("app", "registration", "{}"), "registration_not_supported"},
		{"prompt none and more", ask("app", "prompt", "none login"), "invalid_request"},
		{"unknown prompt", ask("app", "prompt", "create"), "invalid_request"},
		{"max_age", ask("app", "max_age", "soon"), "invalid_request"},
		{"negative max_age", ask("app", "max_age", "-1"), "invalid_request"},
		{"claims", ask("app", "claims", "[]"), "invalid_request"},
		{"claims of the wrong type", ask("app", "claims", `{"id_token":{"acr":"x"}}`), "invalid_request"},
		{"hint", ask("app", "id_token_hint", "a.b.c"), "invalid_request"},
		{"too long", ask("app", "nonce", long), "invalid_request"},
		{"other tenant", ask("owned", "tenant", "other"), "invalid_request"},
		{
			"acr nobody can meet", ask("app", "claims", `{"id_token":{"acr":{"essential":true,"values":["phrh"]}}}`),
			"unmet_authentication_requirements",
		},
		{"repeated", func() url.Values { q := ask("app"); q["nonce"] = []string{"a", "b"}; return q }(), "invalid_request"},
		{"repeated unknown", func() url.Values { q := ask("app"); q["foo"] = []string{"a", "b"}; return q }(), "invalid_request"},
	}
	for _, test := range tests {
		to := w.get(pathAuthorize, test.q).to(t)
		q := to.Query()
		if q.Get("error") != test.code || q.Get("state") != "st" || q.Get("iss") != w.issuer || !strings.HasPrefix(to.String(), callback+"?") {
			t.Errorf("%s: %s", test.name, to)
		}
		form := w.get(pathAuthorize, with(test.q, "response_mode", "form_post"))
		if test.name == "fragment" {
			continue
		}
		if form.StatusCode != http.StatusOK || !strings.Contains(form.body, `action="`+callback+`"`) ||
			!strings.Contains(form.body, `value="`+test.code+`"`) || !strings.Contains(form.body, `name="iss"`) {
			t.Errorf("%s by form_post: %d %s", test.name, form.StatusCode, form.body)
		}
	}
}

func TestSignInErrorsBecomeProtocolErrors(t *testing.T) {
	w := newWorld(t, "")
	for want, err := range map[string]error{
		"login_required":                    login.ErrLoginRequired,
		"interaction_required":              login.ErrInteractionRequired,
		"unmet_authentication_requirements": login.ErrUnmet,
		"access_denied":                     &web.Denied{},
		"temporarily_unavailable":           web.ErrUnavailable,
		"server_error":                      errors.New("dial tcp 10.0.0.7: connection refused"),
	} {
		w.login.set(func(s *standIn) { s.err = err })
		res := w.get(pathAuthorize, ask("app", "prompt", "none"))
		if got := res.to(t).Query(); got.Get("error") != want || strings.Contains(got.Encode(), "10.0.0.7") {
			t.Errorf("%v: %s", err, got)
		}
	}
	if !strings.Contains(w.log.String(), "10.0.0.7") {
		t.Error("the cause is not in the log")
	}
	// Who sits in front of the page reads why.
	w.login.set(func(s *standIn) { s.err = &web.Denied{Rule: "Office only"} })
	if res := w.get(pathAuthorize, ask("app")); res.StatusCode != http.StatusForbidden || res.Header.Get("Location") != "" {
		t.Errorf("denied with pages: %d", res.StatusCode)
	}
}

func TestAuthorizeAsksForTheSignInThatWasAsked(t *testing.T) {
	w := newWorld(t, "")
	w.as("acme")
	idToken := w.tokens("app")["id_token"].(string)
	w.login.set(func(s *standIn) { s.user = nil })
	age, zero := 60, 0
	tests := []struct {
		name    string
		changes []string
		want    func(r login.Request) bool
	}{
		{"nothing", nil, func(r login.Request) bool {
			return !r.None && !r.Login && r.MaxAge == nil && r.ACR == nil && r.Client == "app" && r.App == "The App"
		}},
		{"none", []string{"prompt", "none"}, func(r login.Request) bool { return r.None && !r.Login }},
		{"login", []string{"prompt", "login"}, func(r login.Request) bool { return r.Login }},
		{"select_account", []string{"prompt", "select_account"}, func(r login.Request) bool { return r.Login }},
		{"consent", []string{"prompt", "consent"}, func(r login.Request) bool { return !r.Login && !r.None }},
		{"consent and login", []string{"prompt", "consent login"}, func(r login.Request) bool { return r.Login }},
		{"max_age", []string{"max_age", "60"}, func(r login.Request) bool { return *r.MaxAge == age }},
		{"max_age 0", []string{"max_age", "0"}, func(r login.Request) bool { return *r.MaxAge == zero }},
		{"huge max_age", []string{"max_age", "9999999999999"}, func(r login.Request) bool { return *r.MaxAge > 0 }},
		{"acr_values", []string{"acr_values", "a b"}, func(r login.Request) bool {
			return reflect.DeepEqual(r.ACR, []string{"a", "b"}) && !r.Essential
		}},
		{"acr claim", []string{"claims", `{"id_token":{"acr":{"value":"a"}}}`, "acr_values", "b"}, func(r login.Request) bool {
			return reflect.DeepEqual(r.ACR, []string{"a", "b"}) && !r.Essential
		}},
		{
			"essential acr",
			[]string{"claims", `{"id_token":{"acr":{"essential":true,"values":["x","` + login.ACRTwoFactor + `"]}}}`, "acr_values", "b"},
			func(r login.Request) bool {
				return reflect.DeepEqual(r.ACR, []string{"x", login.ACRTwoFactor}) && r.Essential
			},
		},
		{"hint", []string{"id_token_hint", idToken}, func(r login.Request) bool { return r.Subject == "ann-acme" && r.Tenant == "acme" }},
		{"sub", []string{"claims", `{"userinfo":{"sub":{"value":"joe"}}}`}, func(r login.Request) bool { return r.Subject == "joe" }},
		{"login_hint", []string{"login_hint", "ann@x"}, func(r login.Request) bool { return r.Hint == "ann@x" }},
		{"ui_locales", []string{"ui_locales", "de en"}, func(r login.Request) bool { return r.Locales == "de en" }},
		{"tenant", []string{"tenant", "acme"}, func(r login.Request) bool { return r.Tenant == "acme" }},
		{"targets", nil, func(r login.Request) bool { return reflect.DeepEqual(r.FormTargets, []string{"https://app.example"}) }},
	}
	for _, test := range tests {
		w.get(pathAuthorize, ask("app", test.changes...)).to(t)
		if r := w.login.request(); !test.want(r) {
			t.Errorf("%s: %+v", test.name, r)
		}
	}
	w.get(pathAuthorize, ask("owned")).to(t)
	if r := w.login.request(); r.Tenant != "acme" {
		t.Errorf("client of a tenant: %+v", r)
	}
}

func TestIDTokenHint(t *testing.T) {
	w := newWorld(t, "")
	tokens := w.tokens("app")
	w.login.set(func(s *standIn) { s.user = nil })
	for name, q := range map[string]url.Values{
		"other client's": ask("es", "id_token_hint", tokens["id_token"].(string)),
		"access token":   ask("app", "id_token_hint", tokens["access_token"].(string)),
		"changed":        ask("app", "id_token_hint", tokens["id_token"].(string)+"A"),
		"contradiction":  ask("app", "id_token_hint", tokens["id_token"].(string), "claims", `{"id_token":{"sub":{"value":"joe"}}}`),
	} {
		if got := w.get(pathAuthorize, q).to(t).Query().Get("error"); got != "invalid_request" {
			t.Errorf("%s: %q", name, got)
		}
	}
	w.pass(12 * time.Hour)
	if to := w.get(pathAuthorize, ask("app", "id_token_hint", tokens["id_token"].(string))).to(t); to.Path != "/signin" {
		t.Errorf("expired hint: %s", to)
	}
}

// Another site's POST comes without our cookies, so the browser is sent on by GET, with the same parameters.
func TestAuthorizeByPost(t *testing.T) {
	w := newWorld(t, "/auth")
	w.as("acme")
	q := ask("app", "state", "a b&c")
	to := w.post(pathAuthorize, q, "Origin", "https://app.example", "Sec-Fetch-Site", "cross-site").to(t)
	if to.Path != "/auth/authorize" || !reflect.DeepEqual(to.Query(), q) {
		t.Fatalf("sent on to %s", to)
	}
	back := w.get(pathAuthorize, to.Query()).to(t).Query()
	if back.Get("state") != "a b&c" || back.Get("code") == "" || back.Get("iss") != w.issuer {
		t.Errorf("answer %v", back)
	}
	if res := w.post(pathAuthorize, url.Values{"state": {strings.Repeat("x", maxBody)}}); res.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("large body: %d", res.StatusCode)
	}
}

func TestFormPost(t *testing.T) {
	w := newWorld(t, "")
	w.as("acme")
	res := w.get(pathAuthorize, ask("app", "response_mode", "form_post", "state", `"><script>`))
	if res.StatusCode != http.StatusOK || strings.Contains(res.body, "<script>") || !strings.Contains(res.body, `name="code"`) {
		t.Errorf("%d %s", res.StatusCode, res.body)
	}
	if csp := res.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "form-action 'self' https://app.example;") {
		t.Errorf("policy %q", csp)
	}
	// A query that was registered stays as it was.
	to := w.get(pathAuthorize, ask("app", "redirect_uri", callback+"?x=1")).to(t)
	if !strings.HasPrefix(to.String(), callback+"?x=1&code=") {
		t.Errorf("went to %s", to)
	}
}

// A stranger at the authorization endpoint leaves no trace in storage.
func TestAuthorizeWritesNothing(t *testing.T) {
	w := newWorld(t, "")
	w.p.c.Store.Grants = nil
	for _, q := range []url.Values{ask("app"), ask("app", "prompt", "none"), ask("nobody"), ask("app", "scope", "")} {
		w.get(pathAuthorize, q)
	}
	if events := w.events(storage.Global); len(events) != 0 {
		t.Errorf("events %q", events)
	}
	if to := w.get(pathAuthorize, ask("app")).to(t); to.Path != "/signin" {
		t.Errorf("went to %s", to)
	}
}

// The provider does not trust that the sign-in did what was asked.
func TestFinishGivesNoCodeForLess(t *testing.T) {
	w := newWorld(t, "")
	w.as("acme")
	for want, q := range map[string]url.Values{
		"login_required": ask("app", "claims", `{"id_token":{"sub":{"value":"joe"}}}`),
		"access_denied":  ask("app", "tenant", "other"),
		"unmet_authentication_requirements": ask("app", "claims",
			`{"id_token":{"acr":{"essential":true,"value":"`+login.ACRPassword+`"}}}`),
	} {
		if got := w.get(pathAuthorize, q).to(t).Query(); got.Get("error") != want || got.Has("code") {
			t.Errorf("want %s, got %v", want, got)
		}
	}
	w.as("other")
	if got := w.get(pathAuthorize, ask("owned")).to(t).Query(); got.Get("error") != "access_denied" {
		t.Errorf("user of another tenant: %v", got)
	}
	// The client became a tenant's own while the sign-in lay open.
	w.login.set(func(s *standIn) { s.user = nil })
	w.get(pathAuthorize, ask("app"))
	change(w, w.store.Clients, storage.Global, "app", func(c *storage.Client) { c.Owner = "acme" })
	res, err := w.p.Finish(t.Context(), &web.Actor{}, w.outcome(w.login.request(), w.user("other")))
	if err != nil || !strings.Contains(res.To, "error=access_denied") || strings.Contains(res.To, "code=") {
		t.Errorf("%q %v", res.To, err)
	}
}

func TestFailAnswersTheApplication(t *testing.T) {
	w := newWorld(t, "")
	w.get(pathAuthorize, ask("app")).to(t)
	by := &web.Actor{Request: "r1"}
	res, err := w.p.Fail(t.Context(), by, w.login.request(), login.ErrUnmet)
	if err != nil || !strings.Contains(res.To, "error=unmet_authentication_requirements") || !strings.Contains(res.To, "state=st") {
		t.Errorf("%q %v", res.To, err)
	}
	// What the request leans on is looked up again: hours may have passed.
	change(w, w.store.Clients, storage.Global, "app", func(c *storage.Client) { c.RedirectURIs = []string{"https://new.example/"} })
	if res, err := w.p.Fail(t.Context(), by, w.login.request(), login.ErrUnmet); err == nil {
		t.Errorf("sent to a redirect URI that is no longer registered: %q", res.To)
	}
}
