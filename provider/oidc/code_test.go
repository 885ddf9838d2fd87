package oidc

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

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

// flip changes one character in the middle.
func flip(s string) string {
	i := len(s) / 2
	c := byte('A')
	if s[i] == c {
		c = 'B'
	}
	return s[:i] + string(c) + s[i+1:]
}
