package ui_test

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

var void = []string{"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}

// checkTags finds what the forgiving parser of documents would repair: tags not closed, or closed in the wrong order.
func checkTags(t *testing.T, page string) {
	t.Helper()
	var open []string
	z := html.NewTokenizer(strings.NewReader(page))
	for {
		switch z.Next() {
		case html.ErrorToken:
			if !errors.Is(z.Err(), io.EOF) {
				t.Error(z.Err())
			}
			if len(open) > 0 {
				t.Errorf("not closed: %v", open)
			}
			return
		case html.StartTagToken:
			token := z.Token()
			seen := map[string]bool{}
			for _, a := range token.Attr {
				if seen[a.Key] {
					t.Errorf("<%s> has %q twice", token.Data, a.Key)
				}
				seen[a.Key] = true
			}
			if !slices.Contains(void, token.Data) {
				open = append(open, token.Data)
			}
		case html.EndTagToken:
			name := z.Token().Data
			if len(open) == 0 || open[len(open)-1] != name {
				t.Fatalf("</%s> closes nothing: %v", name, open)
			}
			open = open[:len(open)-1]
		}
	}
}

func parse(t testing.TB, page string) *html.Node {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func all(doc *html.Node, a ...atom.Atom) []*html.Node {
	var found []*html.Node
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode && (len(a) == 0 || slices.Contains(a, n.DataAtom)) {
			found = append(found, n)
		}
	}
	return found
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

// checkDocument holds one page against ui.md.
func checkDocument(t *testing.T, doc *html.Node, lang string) {
	t.Helper()
	root := all(doc, atom.Html)[0]
	if attr(root, "lang") != lang || attr(root, "dir") != "ltr" {
		t.Errorf("lang %q, dir %q", attr(root, "lang"), attr(root, "dir"))
	}
	titles := slices.DeleteFunc(all(doc, atom.Title), func(n *html.Node) bool { return n.Parent.DataAtom != atom.Head })
	if len(titles) != 1 || len(text(titles[0])) < len("· Sallyport")+3 {
		t.Errorf("want one title that says something, got %d", len(titles))
	}
	if h := all(doc, atom.H1); len(h) != 1 || text(h[0]) == "" {
		t.Errorf("want one h1, got %d", len(h))
	}
	if m := all(doc, atom.Main); len(m) != 1 || attr(m[0], "id") != "main" {
		t.Error("want one main, where the skip link leads")
	}
	ids := map[string]bool{}
	autofocus := 0
	for _, n := range all(doc) {
		if id := attr(n, "id"); id != "" {
			if ids[id] {
				t.Errorf("id %q is there twice", id)
			}
			ids[id] = true
		}
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" {
				t.Errorf("<%s %s>: the Content-Security-Policy forbids it", n.Data, a.Key)
			}
			if a.Key == "autofocus" {
				autofocus++
			}
			if (a.Key == "href" || a.Key == "action" || a.Key == "src") && (a.Val == "" || strings.Contains(a.Val, "ZgotmplZ")) {
				t.Errorf("<%s %s=%q> leads nowhere", n.Data, a.Key, a.Val)
			}
		}
		checkElement(t, n)
	}
	if autofocus > 1 {
		t.Errorf("%d fields want the focus", autofocus)
	}
	checkReferences(t, doc, ids)
	checkFields(t, doc)
}

// checkElement holds one element against the Content-Security-Policy and what readers of the screen need.
func checkElement(t *testing.T, n *html.Node) {
	t.Helper()
	switch n.DataAtom {
	case atom.Style:
		t.Error("the Content-Security-Policy forbids <style>")
	case atom.Script:
		if attr(n, "src") == "" || text(n) != "" {
			t.Error("the Content-Security-Policy forbids scripts in the page")
		}
	case atom.Img:
		if !slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "alt" }) {
			t.Error("a picture without alt")
		}
	case atom.Button, atom.A:
		if text(n) == "" && attr(n, "aria-label") == "" {
			t.Errorf("<%s> without words", n.Data)
		}
	case atom.Form:
		if attr(n, "method") != "post" && attr(n, "role") != "search" {
			t.Error("a form that is not posted would put what was typed into the URL")
		}
	}
}

// checkReferences finds labels, descriptions and links to ids that are not there.
func checkReferences(t *testing.T, doc *html.Node, ids map[string]bool) {
	t.Helper()
	for _, n := range all(doc) {
		for _, name := range []string{"for", "aria-describedby", "aria-labelledby", "aria-controls", "data-copy", "data-reveal"} {
			for _, id := range strings.Fields(attr(n, name)) {
				if !ids[id] {
					t.Errorf("<%s %s=%q>: there is no such id", n.Data, name, id)
				}
			}
		}
		if href := attr(n, "href"); strings.HasPrefix(href, "#") && !ids[href[1:]] {
			t.Errorf("%s leads nowhere", href)
		}
	}
}

// checkFields holds each field to a label, to what password managers look for, and to no limit that breaks pasting.
func checkFields(t *testing.T, doc *html.Node) {
	t.Helper()
	labels := map[string]string{}
	for _, l := range all(doc, atom.Label) {
		labels[attr(l, "for")] = text(l)
	}
	for _, n := range all(doc, atom.Input, atom.Textarea) {
		if attr(n, "type") == "hidden" {
			continue
		}
		id := attr(n, "id")
		if id == "" || labels[id] == "" {
			t.Errorf("field %q has no label", attr(n, "name"))
		}
		for _, a := range n.Attr {
			if a.Key == "maxlength" || a.Key == "pattern" {
				t.Errorf("field %q has a %s", id, a.Key)
			}
		}
		if attr(n, "aria-invalid") != "" {
			var said string
			for _, d := range all(doc, atom.Div) {
				if attr(d, "id") == id+"-problem" && attr(d, "aria-live") == "polite" {
					said = text(d)
				}
			}
			if said == "" || !strings.Contains(attr(n, "aria-describedby"), id+"-problem") {
				t.Errorf("field %q is wrong and nothing says why", id)
			}
		}
		want := map[string][]string{
			"login": {"username webauthn", "username"}, "password": {"current-password", "new-password"}, "account": {"username"},
			"name": {"off", "name"}, "email": {"off", "email"}, "current": {"current-password"}, "saved": {""}, "remember": {""}, "require": {""}, "role": {""}, "type": {""}, "find": {"off"}, "user": {"off"}, "by": {"off"}, "text": {"off"}, "address": {"off"}, "from": {"off"}, "until": {"off"}, "days": {"off"}, "other_scopes": {"off"}, "tags": {"off"}, "url": {"off"},
			"description": {"off"}, "other_events": {"off"}, "input": {"off"}, "code": {"off"},
		}[id]
		if want == nil { // a field of the console
			want = []string{"off"}
			if kind := attr(n, "type"); kind == "checkbox" || kind == "radio" {
				want = []string{""}
			}
		}
		switch {
		case attr(n, "type") == "checkbox" || attr(n, "type") == "file":
			want = []string{""}
		case n.DataAtom == atom.Textarea:
			want = []string{"off"}
		case id == "code" && attr(n, "inputmode") == "numeric":
			want = []string{"one-time-code"}
		case id == "input" && attr(n, "type") == "tel":
			want = []string{"tel"}
		}
		if id == "code" && attr(n, "type") != "text" {
			t.Errorf("the code's field is of type %q", attr(n, "type"))
		}
		if !slices.Contains(want, attr(n, "autocomplete")) {
			t.Errorf("field %q: autocomplete %q, want one of %q", id, attr(n, "autocomplete"), want)
		}
	}
}
