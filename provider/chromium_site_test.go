package provider

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"golang.org/x/oauth2"

	"github.com/sallyport-id/sallyport/storage"
)

// site is an application's web site, on another host than the issuer's, so that the browser treats the two as strangers.
type site struct {
	*app
	url string

	mu       sync.Mutex
	arrivals []arrival
}

// arrival is an authorization response as the site got it.
type arrival struct {
	method string
	values url.Values
}

const siteHeading = "Workshop"

func (w *world) site(t *testing.T) *site {
	t.Helper()
	s := &site{}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.url = server.URL
	if !strings.Contains(w.issuer, "//localhost:") {
		s.url = strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	}
	redirect := s.url + "/callback"
	secret := w.client("workshop", "web", redirect, func(c *storage.Client) { c.PostLogoutRedirectURIs = []string{s.url + "/bye"} })
	s.app = w.connect("workshop", secret, redirect)
	return s
}

// ServeHTTP implements http.Handler.
func (s *site) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/callback" {
		if err := r.ParseForm(); err != nil {
			http.Error(rw, err.Error(), http.StatusBadRequest)
			return
		}
		s.mu.Lock()
		s.arrivals = append(s.arrivals, arrival{method: r.Method, values: r.Form})
		s.mu.Unlock()
	}
	rw.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(rw, `<!doctype html><html lang="en"><title>Workshop</title><link rel="icon" href="data:,"><h1>%s</h1>`, siteHeading)
}

// reached waits until the browser is at the site with its answer, and returns that.
func (s *site) reached(b *tab) arrival {
	b.t.Helper()
	b.until("the application", `location.href.startsWith(`+quote(s.url+"/callback")+`) && document.readyState === "complete"`)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.arrivals) == 0 {
		b.t.Fatal("the browser is at the application, but no answer is")
	}
	return s.arrivals[len(s.arrivals)-1]
}

// finish redeems the code that the site got for verified tokens.
func (s *site) finish(b *tab, at *attempt) (claims, *oauth2.Token) {
	b.t.Helper()
	u, err := url.Parse(s.config.RedirectURL)
	if err != nil {
		b.t.Fatal(err)
	}
	u.RawQuery = s.reached(b).values.Encode()
	return at.redeem(&page{url: u})
}
