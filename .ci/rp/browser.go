package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/html"
)

// browser is a browser without JavaScript: it keeps cookies, follows redirects, reads pages and sends their forms.
type browser struct{ client *http.Client }

func newBrowser() (*browser, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	return &browser{&http.Client{Jar: jar, Timeout: 30 * time.Second}}, nil
}

// page is what a browser shows.
type page struct {
	url    *url.URL
	status int
	body   []byte
	root   *html.Node
}

// open goes to an address and follows where it leads.
func (b *browser) open(ctx context.Context, to string) (*page, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, to, http.NoBody)
	if err != nil {
		return nil, err
	}
	return b.do(r)
}

func (b *browser) do(r *http.Request) (*page, error) {
	r.Header.Set("Accept", "text/html")
	r.Header.Set("Accept-Language", "en")
	r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
	res, err := b.client.Do(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(res.Body)
	if err = errors.Join(err, res.Body.Close()); err != nil {
		return nil, err
	}
	p := &page{url: res.Request.URL, status: res.StatusCode, body: body}
	if strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") {
		if p.root, err = html.Parse(strings.NewReader(string(body))); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// submit fills in the one form that has these fields, and sends it. values are pairs of names and values.
func (b *browser) submit(ctx context.Context, p *page, values ...string) (*page, error) {
	fill := url.Values{}
	for i := 0; i+1 < len(values); i += 2 {
		fill.Set(values[i], values[i+1])
	}
	var forms []*html.Node
	for _, f := range p.all("form") {
		fields := hold(f)
		fits := attr(f, "method") == "post"
		for name := range fill {
			fits = fits && fields.Has(name)
		}
		if fits && within(f, "main") {
			forms = append(forms, f)
		}
	}
	if len(forms) != 1 {
		return nil, fmt.Errorf("%d forms have the fields %q, want one, on %s", len(forms), fill, p)
	}
	to, err := p.url.Parse(attr(forms[0], "action"))
	if err != nil {
		return nil, err
	}
	fields := hold(forms[0])
	for name, v := range fill {
		fields[name] = v
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), strings.NewReader(fields.Encode()))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", to.Scheme+"://"+to.Host)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.do(r)
}

// hold are the fields of a form, with what stands in them.
func hold(form *html.Node) url.Values {
	v := url.Values{}
	for n := range form.Descendants() {
		if n.Type == html.ElementNode && n.Data == "input" && attr(n, "name") != "" {
			v.Set(attr(n, "name"), attr(n, "value"))
		}
	}
	return v
}

// all are the elements of a name.
func (p *page) all(name string) []*html.Node {
	var found []*html.Node
	if p.root == nil {
		return nil
	}
	for n := range p.root.Descendants() {
		if n.Type == html.ElementNode && n.Data == name {
			found = append(found, n)
		}
	}
	return found
}

func within(n *html.Node, name string) bool {
	for a := range n.Ancestors() {
		if a.Data == name {
			return true
		}
	}
	return false
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// String tells what the page is and says.
func (p *page) String() string {
	text := string(p.body)
	if p.root != nil {
		var words []string
		for n := range p.root.Descendants() {
			if n.Type == html.TextNode && !within(n, "head") && !within(n, "svg") {
				words = append(words, strings.Fields(n.Data)...)
			}
		}
		text = strings.Join(words, " ")
	}
	return fmt.Sprintf("%s (%d): %s", p.url, p.status, text)
}
