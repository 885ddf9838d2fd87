package ui

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
	"unicode/utf8"

	"golang.org/x/net/html"
)

func letters(t testing.TB) *Renderer {
	t.Helper()
	r, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// htmlLinks are where the elements of an HTML part lead, and htmlText its words. It fails for what no mail of ours may hold:
// anything that is fetched, run or sent.
func htmlParts(t testing.TB, page string) (links []string, words string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for n := range doc.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data != "style" && n.Parent.Data != "title" {
			b.WriteString(n.Data + " ")
		}
		if n.Type != html.ElementNode {
			continue
		}
		if !slices.Contains([]string{
			"html", "head", "meta", "title", "style", "body", "main", "table", "tbody", "tr", "td", "th", "h1", "p", "br", "a",
		}, n.Data) {
			t.Errorf("<%s> in a mail", n.Data)
		}
		for _, a := range n.Attr {
			switch {
			case a.Key == "href" && n.Data == "a":
				links = append(links, a.Val)
			case slices.Contains([]string{"href", "src", "srcset", "background", "action", "http-equiv"}, a.Key), strings.HasPrefix(a.Key, "on"),
				strings.Contains(strings.ToLower(a.Val), "url("), strings.Contains(a.Val, "Zgot"):
				t.Errorf("<%s %s=%q> in a mail", n.Data, a.Key, a.Val)
			}
		}
		if n.Data == "style" && regexp.MustCompile(`(?i)url\(|@import|zgot|expression`).MatchString(n.FirstChild.Data) {
			t.Errorf("the style fetches something, or is broken: %s", n.FirstChild.Data)
		}
	}
	return links, strings.Join(strings.Fields(b.String()), " ")
}

// Each mail in each language, with all that it can say and as little as it may: both parts say the same, have the same links
// and no others, and the text reads well by itself.
func TestMails(t *testing.T) {
	r := letters(t)
	raw := regexp.MustCompile(`mail\.[a-z_]+|\{\{|<no value>|%!`)
	link := regexp.MustCompile(`https?://\S+`)
	for _, lang := range r.Languages() {
		for _, s := range MailGallery() {
			t.Run(lang+"/"+s.Name, func(t *testing.T) {
				l := s.Letter
				l.Lang = lang
				d, err := r.Letter(l)
				if err != nil {
					t.Fatal(err)
				}
				for _, part := range []string{d.Subject, d.Text, d.HTML} {
					if found := raw.FindString(part); found != "" || part == "" {
						t.Errorf("%q in\n%s", found, part)
					}
				}
				if n := utf8.RuneCountInString(d.Subject); strings.ContainsAny(d.Subject, "\n\r") || n > 120 || s.Name != "long" && n > 90 {
					t.Errorf("the subject is of %d characters: %s", n, d.Subject)
				}
				links, words := htmlParts(t, d.HTML)
				if inText := link.FindAllString(d.Text, -1); !slices.Equal(inText, links) {
					t.Errorf("links %q in the text, %q in HTML", inText, links)
				}
				if !strings.Contains(d.HTML, `<html lang="`+lang+`" dir="ltr">`) {
					t.Error("the HTML does not say its language")
				}
				for _, line := range strings.Split(strings.TrimSuffix(d.Text, "\n"), "\n") {
					if n := utf8.RuneCountInString(line); n > lineWidth && strings.Contains(line, " ") {
						t.Errorf("a line of %d: %s", n, line)
					}
					if strings.Contains(line, "://") && link.FindString(line) != line {
						t.Errorf("a link that is not alone on its line: %s", line)
					}
					if trimmed := strings.TrimRight(line, " "); trimmed != line && line != "-- " {
						t.Errorf("a line that ends with spaces: %q", line)
					}
					for _, word := range strings.Fields(strings.TrimSuffix(line, ":")) {
						if !strings.Contains(words+" "+strings.Join(links, " "), strings.TrimSuffix(word, ":")) && word != "--" {
							t.Errorf("%q is in the text alone:\n%s\n%s", word, d.Text, words)
						}
					}
				}
				if strings.Contains(d.Text, "\n\n\n") || !strings.HasSuffix(d.Text, "\n") || strings.Count(d.Text, "\n-- \n") != 1 {
					t.Errorf("the text is untidy:\n%q", d.Text)
				}
			})
		}
	}
}

// What has happened to an account is told with a way out: a link where there is one, and else words.
func TestMailSaysWhatToDo(t *testing.T) {
	r := letters(t)
	const link = "https://id.example/not-me/x"
	for lang, plain := range map[string]string{"en": "change your password now", "de": "ändern Sie jetzt Ihr Passwort"} {
		for _, kind := range Mails() {
			if !kind.form().notMe {
				continue
			}
			with, err := r.Letter(Letter{Kind: kind, Lang: lang, Product: "P", NotMe: link})
			if err != nil {
				t.Fatal(err)
			}
			without, err := r.Letter(Letter{Kind: kind, Lang: lang, Product: "P"})
			if err != nil {
				t.Fatal(err)
			}
			for what, got := range map[string][2]string{"text": {with.Text, without.Text}, "HTML": {with.HTML, without.HTML}} {
				if !strings.Contains(got[0], link) || strings.Contains(got[0], plain) {
					t.Errorf("%s %s as %s with a link: %s", lang, kind, what, got[0])
				}
				if flat := strings.Join(strings.Fields(got[1]), " "); strings.Contains(flat, "not-me") || !strings.Contains(flat, plain) {
					t.Errorf("%s %s as %s without a link: %s", lang, kind, what, flat)
				}
			}
		}
	}
}

// hostileNames are what people and tenants may call themselves, though the operations refuse most of it.
func hostileNames() []string {
	return []string{
		`"><script>alert(1)</script>`, `</style><img src=x onerror=alert(1)>`, `{{.Link}}`, `' onmouseover='alert(1)`,
		"Acme\nBcc: eve@evil.example", "a\r\n.\r\n", `javascript:alert(1)`, `&lt;b&gt;`, strings.Repeat("W", 500), `<a href="https://evil.example">`,
	}
}

// Whatever names hold, the HTML has our links alone and shows the name as it is.
func TestMailWithHostileNames(t *testing.T) {
	r := letters(t)
	for _, name := range hostileNames() {
		for _, kind := range Mails() {
			l := Letter{
				Kind: kind, Lang: "de", Product: "Sallyport", Tenant: name, Signature: name, Support: name, Account: name, Name: name, Accent: name,
				Place: name, Address: name, Browser: name, Link: "https://id.example/x", NotMe: "https://id.example/y", Time: time.Unix(0, 0),
			}
			d, err := r.Letter(l)
			if err != nil {
				t.Fatal(err)
			}
			links, words := htmlParts(t, d.HTML)
			for _, to := range links {
				if to != l.Link && to != l.NotMe {
					t.Errorf("%s with %q leads to %q", kind, name, to)
				}
			}
			if want := strings.Join(strings.Fields(name), " "); !strings.Contains(words, want) {
				t.Errorf("%s does not show %q as it is: %s", kind, name, words)
			}
		}
	}
}

// A link that is none of the web leads nowhere.
func TestMailLinksAreOfTheWeb(t *testing.T) {
	d, err := letters(t).Letter(Letter{Kind: MailVerify, Product: "P", Link: "javascript:alert(1)"})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(d.HTML, "javascript:") {
		t.Error(d.HTML)
	}
}

// A theme changes either template and any sentence, and adds languages: one that has words for mails, from right to left if it
// is read so, and one that has none, whose readers get a whole mail in English. A slip in a template stops the start.
func TestMailTheme(t *testing.T) {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	r, err := New(Options{Override: fstest.MapFS{
		"templates/mail.txt": file("{{.Heading}} ~~ {{range .Body}}{{wrap .}}{{end}}"),
		"i18n/ar.json":       file(`{"mail.codes_new.subject": "رموز {{.product}}", "mail.codes_new.heading": "رموز", "mail.codes_new.body": "{{.account}} رموز جديدة"}`),
		"i18n/fr.json":       file(`{"sign_in.title": "Connexion"}`),
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ lang, text, html string }{
		{"ar", "رموز ~~ A رموز جديدة", `<html lang="ar" dir="rtl">`},
		{"fr", "New backup codes were made ~~ A new set of backup codes", `<html lang="en" dir="ltr">`},
	} {
		d, err := r.Letter(Letter{Kind: MailCodesNew, Lang: c.lang, Product: "P", Account: "A"})
		if err != nil {
			t.Fatal(err)
		}
		if undirected(d.Subject) != d.Subject || !strings.HasPrefix(undirected(d.Text), c.text) || !strings.Contains(d.HTML, c.html) || strings.Contains(d.HTML, `dir="rtl"`) != strings.Contains(d.HTML, `align="right"`) {
			t.Errorf("%s: %s\n%s", c.lang, d.Text, d.HTML)
		}
	}
	for name, source := range map[string]string{"templates/mail.txt": "{{.Nothing}}", "templates/mail.html": "<p>{{if}}"} {
		if _, err := New(Options{Override: fstest.MapFS{name: file(source)}}); err == nil || !strings.Contains(err.Error(), "mail") {
			t.Errorf("%s with a slip: %v", name, err)
		}
	}
	if _, err := New(Options{Override: fstest.MapFS{"templates/note.txt": file("x")}}); err == nil {
		t.Error("a template that there is not was taken")
	}
}

// The accent is read on what it stands on, and what stands on it is read, whatever the tenant chose.
func TestMailColours(t *testing.T) {
	for _, chosen := range []string{"", "#ffffff", "#000000", "#ffcc00", "#8e24aa", "#00ff00", "red"} {
		light, dark := letterColours(chosen)
		for _, c := range []struct{ on, read string }{
			{"#f4f6f7", string(light.Accent)}, {string(light.Accent), string(light.On)}, {"#0e1419", string(dark.Accent)}, {string(dark.Accent), string(dark.On)},
		} {
			if got := ratio(parseColour(c.on), parseColour(c.read)); got < words {
				t.Errorf("%q: %s on %s has a contrast of %.2f", chosen, c.read, c.on, got)
			}
		}
	}
	source, err := builtIn.ReadFile("templates/mail.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ on, read string }{
		{"#ffffff", "#14212b"}, {"#f4f6f7", "#14212b"}, {"#f4f6f7", "#526170"}, {"#171f26", "#e9eef2"}, {"#1d272f", "#e9eef2"}, {"#1d272f", "#a5b3bf"}, {"#0e1419", "#a5b3bf"},
	} {
		if !strings.Contains(string(source), c.on) || !strings.Contains(string(source), c.read) {
			t.Errorf("%s or %s is not in the template any more", c.on, c.read)
		}
		if got := ratio(parseColour(c.on), parseColour(c.read)); got < words {
			t.Errorf("%s on %s has a contrast of %.2f", c.read, c.on, got)
		}
	}
}

func FuzzWrap(f *testing.F) {
	for _, s := range []string{"", "a", strings.Repeat("word ", 40), strings.Repeat("x", 200), "a\n\nb\tc  d", strings.Repeat("漢字 ", 50)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := wrap(s, lineWidth)
		if !slices.Equal(strings.Fields(got), strings.Fields(s)) {
			t.Fatalf("%q became %q", s, got)
		}
		for _, line := range strings.Split(got, "\n") {
			if strings.Contains(line, " ") && utf8.RuneCountInString(line) > lineWidth {
				t.Fatalf("a line of %d in %q", utf8.RuneCountInString(line), got)
			}
		}
	})
}
