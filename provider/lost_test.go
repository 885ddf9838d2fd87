package provider

import (
	"net/http"
	"strings"
	"testing"
)

// An old bookmark, a slip of the finger, a page of a refused form that is opened anew: what there is not is told on a page like
// all others, in the reader's language, with a way on. Outside of our folders the app answers that we are mounted in.
func TestUnknownAddresses(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "robin@birch.example", "client")
	b := w.browser()
	b.get("/account").signIn("robin@birch.example").is(atAccount)
	ask := func(method, path, accept string) *page {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, w.issuer+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept", accept)
		req.Header.Set("Accept-Language", "de")
		p, err := b.once(req)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	for _, path := range []string{
		"/account/nowhere", "/account/details/nowhere/at/all", "/admin/nowhere", "/signin/a/b/c/d", "/help/nowhere/else", "/account/%00", "/account//evil.example/",
		"/account/devices/forget", "/account/details/language", // where only forms are sent to
	} {
		p := ask(http.MethodGet, path, "text/html")
		want := http.StatusNotFound
		if strings.HasSuffix(path, "/forget") || strings.HasSuffix(path, "/language") {
			if want = http.StatusMethodNotAllowed; p.header.Get("Allow") != "OPTIONS, POST" {
				t.Errorf("%s takes %q", path, p.header.Get("Allow"))
			}
		}
		if p.status != want || p.heading() != "Diese Seite gibt es nicht" || !strings.Contains(p.text(), "robin@birch.example") {
			t.Errorf("%s answers %d %q", path, p.status, p.text())
			continue
		}
		b.get(p.link("/account")).is(atAccount)
	}
	for _, path := range []string{"/admin/people/?role=owner", "/account/security//"} {
		p := ask(http.MethodGet, path, "text/html")
		if want := strings.Replace(strings.TrimRight(path, "/"), "/?", "?", 1); p.status != http.StatusSeeOther || p.header.Get("Location") != want {
			t.Errorf("%s answers %d to %q", path, p.status, p.header.Get("Location"))
		}
	}
	for _, accept := range []string{"application/json", "application/problem+json"} {
		p := ask(http.MethodGet, "/account/nowhere", accept)
		if p.status != http.StatusNotFound || p.header.Get("Content-Type") != "application/problem+json" || !strings.Contains(p.body, "error.not_found") {
			t.Errorf("a program that takes %s reads %d %s", accept, p.status, p.body)
		}
	}
	if p := ask(http.MethodPost, "/account/nowhere", "text/html"); p.status != http.StatusNotFound {
		t.Errorf("a form that is sent nowhere: %d", p.status)
	}
	// The app around us has folders of its own.
	for _, path := range []string{"/elsewhere", "/elsewhere/", "/.well-known/other"} {
		if p := ask(http.MethodGet, path, "text/html"); p.status != http.StatusNotFound || p.body != "{\"message\":\"Not Found\"}\n" {
			t.Errorf("%s answers %d %s", path, p.status, p.body)
		}
	}
}
