package provider

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// browser is a browser with JavaScript off: it keeps cookies, follows redirects within the issuer, reads pages and
// sends their forms.
type browser struct {
	t      testing.TB
	w      *world
	issuer string
	client *http.Client
	// lang is the Accept-Language it sends.
	lang string
}

func (w *world) browser() *browser {
	w.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	b := &browser{t: w.t, w: w, issuer: w.issuer, lang: "en"}
	b.client = &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return b
}

// page is what a browser shows.
type page struct {
	b      *browser
	status int
	header http.Header
	url    *url.URL
	body   string
	root   *html.Node
}

// get opens a path of the issuer or an absolute URL, and follows redirects until a page, or an address outside.
func (b *browser) get(to string) *page {
	b.t.Helper()
	return b.follow(b.request(http.MethodGet, to, nil))
}

func (b *browser) request(method, to string, form url.Values) *http.Request {
	b.t.Helper()
	if strings.HasPrefix(to, "/") {
		to = b.issuer + to
	}
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(b.t.Context(), method, to, body)
	if err != nil {
		b.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", b.issuer)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
	r.Header.Set("Accept", "text/html")
	r.Header.Set("Accept-Language", b.lang)
	return r
}

func (b *browser) follow(r *http.Request) *page {
	b.t.Helper()
	for range 10 {
		p, err := b.once(r)
		if err != nil {
			b.t.Fatal(err)
		}
		to := p.header.Get("Location")
		if to == "" {
			return p
		}
		next, err := r.URL.Parse(to)
		if err != nil {
			b.t.Fatal(err)
		}
		if !strings.HasPrefix(next.String(), b.issuer) {
			p.url = next
			return p
		}
		r = b.request(http.MethodGet, next.String(), nil)
	}
	b.t.Fatalf("too many redirects, last to %s", r.URL)
	return nil
}

// once sends one request and reads its answer. It may be called from several goroutines.
func (b *browser) once(r *http.Request) (*page, error) {
	res, err := b.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	p := &page{b: b, status: res.StatusCode, header: res.Header, url: r.URL, body: string(data)}
	if strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") {
		if p.root, err = html.Parse(strings.NewReader(p.body)); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// form finds the form that posts to a path ending so (or the only one) and returns where it leads and what it holds.
func (p *page) form(suffix string) (action string, fields url.Values) {
	p.b.t.Helper()
	var found []*html.Node
	var main *html.Node
	p.walk(func(n *html.Node) {
		if n.Data == "main" {
			main = n
		}
	})
	if main == nil {
		p.b.t.Fatalf("no main on %s (%d):\n%s", p.url, p.status, p.body)
	}
	visit(main, func(n *html.Node) {
		if n.Data == "form" && attr(n, "method") == "post" {
			if u, err := p.url.Parse(attr(n, "action")); err == nil && strings.HasSuffix(u.Path, suffix) {
				found = append(found, n)
			}
		}
	})
	if len(found) != 1 {
		p.b.t.Fatalf("%d forms post to …%s on %s:\n%s", len(found), suffix, p.url, p.text())
	}
	u, err := p.url.Parse(attr(found[0], "action"))
	if err != nil {
		p.b.t.Fatal(err)
	}
	fields = url.Values{}
	visit(found[0], func(n *html.Node) {
		if n.Data == "input" && attr(n, "name") != "" && attr(n, "type") != "checkbox" && attr(n, "type") != "radio" {
			fields.Set(attr(n, "name"), attr(n, "value"))
		}
	})
	return u.String(), fields
}

// submit sends a form of the page, with pairs of names and values filled in, and follows where it leads.
func (p *page) submit(suffix string, pairs ...string) *page {
	p.b.t.Helper()
	return p.b.follow(p.request(suffix, pairs...))
}

// request is the request that submit sends.
func (p *page) request(suffix string, pairs ...string) *http.Request {
	p.b.t.Helper()
	action, fields := p.form(suffix)
	for i := 0; i+1 < len(pairs); i += 2 {
		fields.Set(pairs[i], pairs[i+1])
	}
	return p.b.request(http.MethodPost, action, fields)
}

// link is where the link whose address ends so leads.
func (p *page) link(suffix string) string {
	p.b.t.Helper()
	var to string
	p.walk(func(n *html.Node) {
		if n.Data == "a" && strings.HasSuffix(strings.SplitN(attr(n, "href"), "?", 2)[0], suffix) {
			to = attr(n, "href")
		}
	})
	if to == "" {
		p.b.t.Fatalf("no link to …%s on %s:\n%s", suffix, p.url, p.text())
	}
	return to
}

func (p *page) walk(f func(*html.Node)) {
	p.b.t.Helper()
	if p.root == nil {
		p.b.t.Fatalf("%s answered %d with %q, not a page: %s", p.url, p.status, p.header.Get("Content-Type"), p.body)
	}
	visit(p.root, f)
}

func visit(n *html.Node, f func(*html.Node)) {
	if n.Type == html.ElementNode {
		f(n)
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		visit(c, f)
	}
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// text is the page as it reads.
func (p *page) text() string {
	var b strings.Builder
	var read func(*html.Node)
	read = func(n *html.Node) {
		if n.Type == html.ElementNode && (n.Data == "head" || n.Data == "script" || n.Data == "svg") {
			return
		}
		if n.Type == html.TextNode {
			if s := strings.Join(strings.Fields(n.Data), " "); s != "" {
				fmt.Fprintln(&b, s)
			}
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			read(c)
		}
	}
	if p.root != nil {
		read(p.root)
	}
	return plain.Replace(b.String())
}

// plain undoes the typography that keeps words together.
var plain = strings.NewReplacer("\u2011", "-", "\u00a0", " ", "\u202f", " ")

// heading is the page's one h1.
func (p *page) heading() string {
	p.b.t.Helper()
	var h []string
	p.walk(func(n *html.Node) {
		if n.Data == "h1" {
			var b strings.Builder
			for c := n.FirstChild; c != nil; c = c.NextSibling {
				if c.Type == html.TextNode {
					b.WriteString(c.Data)
				}
			}
			h = append(h, plain.Replace(strings.TrimSpace(b.String())))
		}
	})
	if len(h) != 1 {
		p.b.t.Fatalf("%d h1 on %s", len(h), p.url)
	}
	return h[0]
}

// is fails the test unless the page has this heading; say what it is for.
func (p *page) is(heading string) *page {
	p.b.t.Helper()
	if got := p.heading(); got != heading {
		p.b.t.Fatalf("%s (%d) is %q, want %q:\n%s", p.url, p.status, got, heading, p.text())
	}
	return p
}

// says fails the test unless the page says all of it.
func (p *page) says(words ...string) *page {
	p.b.t.Helper()
	text := strings.Join(strings.Fields(p.text()), " ")
	for _, w := range words {
		if !strings.Contains(text, w) {
			p.b.t.Fatalf("%s (%d) does not say %q:\n%s", p.url, p.status, w, p.text())
		}
	}
	return p
}
