package ui_test

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/sallyport-id/sallyport/ui"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

func renderer(t testing.TB) *ui.Renderer {
	t.Helper()
	r, err := ui.New(ui.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func draw(t testing.TB, r *ui.Renderer, f ui.Frame, p ui.Page) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.Render(&b, f, p); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestGallery draws every page in every state and language and reads it as a browser would.
func TestGallery(t *testing.T) {
	r := renderer(t)
	for _, lang := range r.Languages() {
		for _, s := range ui.Gallery() {
			t.Run(lang+"/"+s.Name, func(t *testing.T) {
				s.Frame.Lang = lang
				page := draw(t, r, s.Frame, s.Page)
				checkTags(t, page)
				checkDocument(t, parse(t, page), lang)
			})
		}
	}
}

// TestGalleryIsComplete holds the gallery against the templates: each page is shown, and none shown twice.
func TestGalleryIsComplete(t *testing.T) {
	var shown, names []string
	for _, s := range ui.Gallery() {
		shown = append(shown, s.Page.Template())
		if slices.Contains(names, s.Name) {
			t.Errorf("%s is there twice", s.Name)
		}
		names = append(names, s.Name)
	}
	for _, p := range []ui.Page{
		ui.SignIn{},
		ui.ChooseTenant{},
		ui.Code{},
		ui.Ways{},
		ui.SetUpIntro{},
		ui.SetUp{},
		ui.BackupCodes{},
		ui.Security{},
		ui.Rename{},
		ui.Confirm{},
		ui.Note{},
		ui.Error{},
		ui.FormPost{},
	} {
		if !slices.Contains(shown, p.Template()) {
			t.Errorf("the gallery has no %s", p.Template())
		}
	}
}

var void = []string{"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}

// checkTags finds what the forgiving parser of documents would repair: tags not closed, or closed in the wrong order.
func checkTags(t *testing.T, page string) {
	t.Helper()
	var open []string
	z := html.NewTokenizer(strings.NewReader(page))
	for {
		switch z.Next() {
		case html.ErrorToken:
			if z.Err() != io.EOF {
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
			if attr(n, "method") != "post" {
				t.Error("a form that is not posted would put what was typed into the URL")
			}
		}
	}
	if autofocus > 1 {
		t.Errorf("%d fields want the focus", autofocus)
	}
	checkReferences(t, doc, ids)
	checkFields(t, doc)
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
	for _, n := range all(doc, atom.Input) {
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
		want, known := map[string]string{
			"login": "username webauthn", "password": "current-password", "name": "off", "saved": "",
		}[id]
		if id == "code" {
			want, known = "off", true
			if attr(n, "inputmode") == "numeric" {
				want = "one-time-code"
			}
			if attr(n, "type") != "text" {
				t.Errorf("the code's field is of type %q", attr(n, "type"))
			}
		}
		if !known || attr(n, "autocomplete") != want {
			t.Errorf("field %q: autocomplete %q, want %q", id, attr(n, "autocomplete"), want)
		}
	}
}

func TestCodeFieldHasTheFocus(t *testing.T) {
	r := renderer(t)
	page := draw(t, r, ui.Frame{Lang: "en", Product: "P"}, ui.Code{Factor: ui.Factor{ID: "totp"}, Digits: 6, Action: "/a", Others: "/o", Restart: "/r"})
	want := `<input id="code" name="code" type="text" inputmode="numeric" autocomplete="one-time-code" data-digits="6" autocapitalize="none" spellcheck="false" dir="ltr" aria-describedby="code-problem" autofocus>`
	if !strings.Contains(page, want) {
		t.Errorf("no %s in\n%s", want, page)
	}
}

const hostile = `"><script>alert(1)</script><img src=x onerror=alert(1)>{{.Frame}}'`

// TestHostile puts markup into everything that a stranger or a tenant can name.
func TestHostile(t *testing.T) {
	r := renderer(t)
	frame := ui.Frame{Lang: "en", Product: hostile, Tenant: hostile, Account: hostile, Base: "/id"}
	factor := ui.Factor{ID: hostile, Name: hostile}
	pages := []ui.Page{
		ui.SignIn{Request: hostile, Login: hostile, App: hostile, Notice: ui.Say(ui.NoticeAppAsks, "app", hostile)},
		ui.ChooseTenant{Request: hostile, Proof: hostile, Tenants: []ui.Choice{{ID: hostile, Name: hostile}}},
		ui.Code{Factor: factor, Account: hostile, Prompt: hostile, Action: "/" + hostile, Others: "javascript:alert(1)", Restart: "//evil.example/"},
		ui.Code{Factor: factor, Target: hostile, Action: "/a", Others: "/o", Restart: "/r"},
		ui.Ways{Account: hostile, Ways: []ui.Way{{Factor: factor, Name: hostile, Path: "/w"}}, Restart: "/r", Support: "javascript:alert(1)"},
		ui.SetUpIntro{Account: hostile, Forced: true, Rule: hostile, App: hostile, Factors: []ui.Way{{Factor: factor, Path: "/w"}}},
		ui.SetUp{Factor: factor, Account: hostile, Key: hostile, URI: "otpauth://totp/" + hostile, QR: "/qr", Action: "/a", Cancel: "/c"},
		ui.BackupCodes{Account: hostile, Codes: []string{hostile}, Date: "2026-01-02", Action: "/a", Download: "/d", App: hostile},
		ui.Security{On: true, Required: true, Rule: hostile, Factors: []ui.CredentialRow{{
			ID: hostile, Factor: factor, Name: hostile, Created: "2026-01-02T03:04:05Z", Rename: "/r", Remove: "/r",
		}}, Notice: ui.Say(ui.NoticeFactorAdded, "name", hostile)},
		ui.Rename{Factor: factor, Name: hostile, Action: "/a", Cancel: "/c"},
		ui.AskRemoveFactor.Page("/a", "/c", "name", hostile),
		ui.Error{Title: ui.Say("error.denied.title"), Body: ui.Say("error.denied.body", "rule", hostile), Request: hostile, Next: "javascript:alert(1)"},
		ui.FormPost{App: hostile, Action: "javascript:alert(1)", Fields: []ui.Pair{{Name: hostile, Value: hostile}}},
	}
	for _, p := range pages {
		t.Run(p.Template(), func(t *testing.T) {
			page := draw(t, r, frame, p)
			checkTags(t, page)
			doc := parse(t, page)
			if n := len(all(doc, atom.Script)); n != 1 {
				t.Errorf("%d scripts", n)
			}
			for _, n := range all(doc) {
				for _, a := range n.Attr {
					if strings.HasPrefix(a.Key, "on") || strings.HasPrefix(strings.ToLower(a.Val), "javascript:") && a.Key != "value" {
						t.Errorf("<%s %s=%q>", n.Data, a.Key, a.Val)
					}
					if a.Key == "href" && strings.HasPrefix(a.Val, "//") {
						t.Errorf("%s leads to another site", a.Val)
					}
				}
			}
			if strings.Contains(page, "{{") != strings.Contains(page, "{{.Frame}}") {
				t.Error("a template action is left")
			}
		})
	}
}

func TestBaseIsPutBeforePaths(t *testing.T) {
	page := draw(t, renderer(t), ui.Frame{Lang: "en", Base: "/id", Product: "P", Account: "a"}, ui.Security{On: true, CodesLeft: 4, CodesMade: 10})
	for _, m := range regexp.MustCompile(`(?:href|action|src)="([^"#]*)"`).FindAllStringSubmatch(page, -1) {
		if !strings.HasPrefix(m[1], "/id/") {
			t.Errorf("%s is outside the issuer", m[1])
		}
	}
}

// TestNothingHalfDrawn: a page that cannot be drawn leaves nothing behind.
func TestNothingHalfDrawn(t *testing.T) {
	r := renderer(t)
	for _, p := range []ui.Page{
		ui.Note{Title: ui.Say("no.such.key")},
		ui.Error{Title: ui.Say("error.denied.title"), Body: ui.Say("error.denied.body")}, // {rule} is missing
		ui.Security{LastSignIn: "yesterday"},
		ui.SetUp{Key: "A", URI: "javascript:alert(1)"},
	} {
		var b bytes.Buffer
		if err := r.Render(&b, ui.Frame{Lang: "en"}, p); err == nil || b.Len() > 0 {
			t.Errorf("%T: %v, %d bytes written", p, err, b.Len())
		}
	}
}

func TestLanguage(t *testing.T) {
	r := renderer(t)
	for _, c := range []struct {
		want  string
		prefs []string
	}{
		{"en", nil},
		{"en", []string{"", "x", "\x00", "tlh"}},
		{"de", []string{"de-AT en"}},
		{"de", []string{"", "fr-CH, de-CH;q=0.9, en;q=0.8"}},
		{"en", []string{"en-US,en;q=0.9,de;q=0.8"}},
		{"de", []string{"gsw"}},
		{"de", []string{"fr", "de"}},
		{"en", []string{"fr", "en-GB", "de"}},
		{"en", []string{"de;q=0, en;q=0.1"}},
		{"en", []string{strings.Repeat("-", 1<<20)}},
	} {
		if got := r.Language(c.prefs...); got != c.want {
			t.Errorf("Language(%.60q) = %q, want %q", c.prefs, got, c.want)
		}
	}
	page := draw(t, r, ui.Frame{Lang: "de-CH", Product: "P"}, ui.SignIn{})
	if !strings.Contains(page, `<html lang="de" dir="ltr">`) {
		t.Error("an unknown tag should take the nearest language")
	}
}

func TestOverride(t *testing.T) {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	r, err := ui.New(ui.Options{Override: fstest.MapFS{
		"templates/note.html": file(`{{define "title"}}mine{{end}}{{define "main"}}<h1>Mine</h1>{{end}}`),
		"i18n/en.json":        file(`{"sign_in.title": "Come in"}`),
		"i18n/ar.json":        file(`{"sign_in.title": "تسجيل الدخول"}`),
		"static/app.css":      file(`body{}`),
	}})
	if err != nil {
		t.Fatal(err)
	}
	if page := draw(t, r, ui.Frame{Lang: "en"}, ui.Note{}); !strings.Contains(page, "<h1>Mine</h1>") {
		t.Error("the template was not replaced")
	}
	if page := draw(t, r, ui.Frame{Lang: "en"}, ui.SignIn{}); !strings.Contains(page, "<h1>Come in</h1>") || !strings.Contains(page, "Password") {
		t.Error("the key was not replaced, or others with it")
	}
	page := draw(t, r, ui.Frame{Lang: "ar"}, ui.SignIn{})
	if !strings.Contains(page, `<html lang="ar" dir="rtl">`) || !strings.Contains(page, "تسجيل الدخول") || !strings.Contains(page, "Password") {
		t.Error("a language was not added, or English does not help it out")
	}
	css := regexp.MustCompile(`/static/(app\.[0-9a-f]+\.css)`).FindStringSubmatch(page)[1]
	if a, ok := r.Static(css); !ok || string(a.Body) != "body{}" || a.Type != "text/css; charset=utf-8" {
		t.Errorf("the style sheet was not replaced: %v %v", a, ok)
	}
}

// TestOverrideErrors: a mistake in an override stops the start and says where it is.
func TestOverrideErrors(t *testing.T) {
	for _, c := range []struct{ name, body, want string }{
		{"templates/note.html", `{{define "title"}}`, "templates/note.html"},
		{"templates/note.html", `{{define "title"}}x{{end}}{{define "main"}}{{.Page.Nothing}}{{end}}`, "note"},
		{"templates/sign_on.html", ``, "templates/sign_on.html: there is no such template"},
		{"i18n/en.json", `{`, "i18n/en.json"},
		{"i18n/en.json", `{"sign_on.title": "x"}`, `"sign_on.title" is no key`},
		{"i18n/de.json", `{"notice.required": "{{.rul}}"}`, `"notice.required" has no placeholder {{.rul}}`},
		{"i18n/de.json", `{"notice.required": "{{if .rule}}x{{end}}"}`, "only placeholders"},
		{"i18n/german.json", `{}`, "i18n/german.json"},
		{"i18n/de_AT.json", `{}`, "de-AT.json"},
		{"static/page.html", ``, "static/page.html"},
	} {
		_, err := ui.New(ui.Options{Override: fstest.MapFS{c.name: {Data: []byte(c.body)}}})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s: %v, want %q", c.name, c.body, err, c.want)
		}
	}
}

// TestWeight: what the first visit of the sign-in page transfers, gzipped, stays under 30 KB.
func TestWeight(t *testing.T) {
	r := renderer(t)
	page := draw(t, r, ui.Frame{Lang: "de", Product: "Sallyport"}, ui.SignIn{Request: strings.Repeat("x", 1000), Login: "olga@example.com", App: "Ledger"})
	total := len(page) // sent as it is: compressing secrets together with a stranger's text leaks them (BREACH)
	sent := map[string]bool{}
	for _, m := range regexp.MustCompile(`/static/([^"]+)`).FindAllStringSubmatch(page, -1) {
		a, ok := r.Static(m[1])
		if !ok {
			t.Fatalf("no %s", m[1])
		}
		if sent[m[1]] {
			continue
		}
		sent[m[1]] = true
		if a.Gzip != nil {
			total += len(a.Gzip)
		} else {
			total += len(a.Body)
		}
	}
	if total > 30_000 {
		t.Errorf("the sign-in page weighs %d bytes", total)
	}
	t.Logf("the sign-in page weighs %d bytes", total)
}

func BenchmarkRender(b *testing.B) {
	r := renderer(b)
	for _, s := range ui.Gallery() {
		if s.Name != "sign-in-app" && s.Name != "security" {
			continue
		}
		b.Run(s.Name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := r.Render(io.Discard, s.Frame, s.Page); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func ExampleRenderer_Text() {
	r, err := ui.New(ui.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Text("de", ui.CodesUsed(1)))
	// Output: Sie haben einen Backup-Code verwendet, und nur 1 ist noch übrig. Erstellen Sie bald neue.
}
