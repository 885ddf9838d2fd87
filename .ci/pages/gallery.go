package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// pathGallery is the page that links to all others.
const pathGallery = "/dev/gallery"

// page is one page of the gallery.
type page struct {
	// name is its path below the gallery's; the gallery itself is "gallery".
	name string
	url  string
	// group is the heading below which the gallery names it.
	group string
}

// in is the page in a language.
func (p page) in(lang string) string { return p.url + "?lang=" + url.QueryEscape(lang) }

// gallery is what the gallery links to.
type gallery struct {
	pages []page
	// languages are those that pages can be shown in, the pages' own first.
	languages []string
}

// survey follows the gallery's links to all pages, and takes those in whose names match.
func survey(ctx context.Context, issuer string, only *regexp.Regexp) (gallery, error) {
	front, _, err := get(ctx, issuer+pathGallery)
	if err != nil {
		return gallery{}, err
	}
	doc, err := html.Parse(bytes.NewReader(front))
	if err != nil {
		return gallery{}, err
	}
	g := gallery{pages: []page{{name: "gallery", url: issuer + pathGallery, group: "The gallery"}}}
	group := ""
	for n := range doc.Descendants() {
		switch {
		case n.DataAtom == atom.H2:
			group = text(n)
		case n.DataAtom == atom.Option && attr(n.Parent, "name") == "lang":
			g.languages = append(g.languages, attr(n, "value"))
		case n.DataAtom == atom.A:
			to, err := url.Parse(attr(n, "href"))
			if err != nil {
				return gallery{}, err
			}
			name := to.Query().Get("page")
			if to.Path != pathGallery || name == "" || slices.ContainsFunc(g.pages, func(p page) bool { return p.name == name }) {
				continue
			}
			g.pages = append(g.pages, page{name: name, url: issuer + pathGallery + "/" + name, group: group})
		}
	}
	if len(g.languages) < 2 || len(g.pages) < 100 {
		return gallery{}, fmt.Errorf("the gallery shows %d pages in %d languages, which is not all", len(g.pages), len(g.languages))
	}
	g.pages = slices.DeleteFunc(g.pages, func(p page) bool { return !only.MatchString(p.name) })
	if len(g.pages) == 0 {
		return gallery{}, fmt.Errorf("the gallery has no page like %s", only)
	}
	return g, nil
}

// sources are the pages as they are served, in all languages. What is no HTML is left out, of the gallery too.
func (g *gallery) sources(ctx context.Context) (map[string]string, error) {
	all := map[string]string{}
	var pages []page
	for _, p := range g.pages {
		isPage := false
		for _, lang := range g.languages {
			body, kind, err := get(ctx, p.in(lang))
			if err != nil {
				return nil, err
			}
			if isPage = strings.HasPrefix(kind, "text/html"); isPage {
				all[p.name+" ("+lang+")"] = string(body)
			}
		}
		if isPage {
			pages = append(pages, p)
		}
	}
	g.pages = pages
	return all, nil
}

func get(ctx context.Context, from string) (body []byte, kind string, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, from, http.NoBody)
	if err != nil {
		return nil, "", err
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, "", err
	}
	body, err = io.ReadAll(res.Body)
	if err = errors.Join(err, res.Body.Close()); err != nil {
		return nil, "", err
	}
	if res.StatusCode != http.StatusOK {
		return nil, "", fmt.Errorf("%s: %s: %s", from, res.Status, body)
	}
	return body, res.Header.Get("Content-Type"), nil
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func text(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}
