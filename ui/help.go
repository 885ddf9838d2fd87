package ui

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/url"
	"path"
	"slices"
	"strings"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// PathHelp lists the guides of the help; each stands below it.
const PathHelp = "/help"

// helpGroup is a heading of the help's index, as a key of the catalogues, and the topics below it.
type helpGroup struct {
	Key    string
	Topics []string
}

// helpGroups are all guides that there are, in the order in which they are listed.
var helpGroups = [...]helpGroup{
	{"help.everyone", []string{"signing-in", "set-up-an-app", "passkeys", "text-messages", "backup-codes", "lost-phone", "recovery-codes", "your-account", "devices-and-activity"}},
	{"help.administrators", []string{"people", "require-two-factor", "networks", "best-practice"}},
}

// Topics are the guides of the help, in the order in which they are listed.
func Topics() []string {
	var all []string
	for _, g := range helpGroups {
		all = append(all, g.Topics...)
	}
	return all
}

// PathGuide is where the guide of a topic stands, relative to the issuer.
func PathGuide(topic string) string { return PathHelp + "/" + topic }

// factorGuides are the guides to factors, by the factors' IDs.
var factorGuides = map[string]string{
	"totp": "set-up-an-app", "sms": "text-messages", "webauthn": "passkeys", "backup": "backup-codes", "recovery": "recovery-codes",
}

// guide is what a file of the help says.
type guide struct {
	// Lang and Dir are those of the file: where a language lacks a guide, it is read in English.
	Lang, Dir string
	Title     string
	// Lead is the first paragraph, which the index shows too.
	Lead string
	// Body is the rest.
	Body template.HTML
	// anchors are the ids of its headings.
	anchors []string
	// links are the topics that it leads to, with what follows a "#".
	links []string
}

// readHelp reads help/LANG/TOPIC.md from the file systems, by language and topic; a file in a later one takes the
// earlier one's place.
func readHelp(layers ...fs.FS) (map[string]map[string]*guide, error) {
	help := map[string]map[string]*guide{}
	for _, layer := range layers {
		names, err := fs.Glob(layer, "help/*/*.md")
		if err != nil {
			return nil, fmt.Errorf("ui: list guides: %w", err)
		}
		for _, name := range names {
			lang, topic := path.Base(path.Dir(name)), strings.TrimSuffix(path.Base(name), ".md")
			if !slices.Contains(Topics(), topic) {
				return nil, fmt.Errorf("ui: %s: the help has no such topic", name)
			}
			source, err := fs.ReadFile(layer, name)
			if err != nil {
				return nil, fmt.Errorf("ui: %s: %w", name, err)
			}
			g, err := readGuide(source)
			if err != nil {
				return nil, fmt.Errorf("ui: %s: %w", name, err)
			}
			if help[lang] == nil {
				help[lang] = map[string]*guide{}
			}
			help[lang][topic] = g
		}
	}
	return help, nil
}

// readGuide draws a file: a heading, a paragraph of plain words, and what is to be told.
func readGuide(source []byte) (*guide, error) {
	md := goldmark.New(goldmark.WithParserOptions(parser.WithAutoHeadingID()))
	doc := md.Parser().Parse(text.NewReader(source), parser.WithContext(parser.NewContext(parser.WithIDs(anchors{}))))
	title, ok := doc.FirstChild().(*ast.Heading)
	if !ok || title.Level != 1 {
		return nil, errors.New("it must begin with a heading of the first level")
	}
	lead, ok := title.NextSibling().(*ast.Paragraph)
	if !ok {
		return nil, errors.New("below its heading must stand a paragraph")
	}
	g := &guide{}
	var err error
	if g.Title, err = wording(title, source); err != nil {
		return nil, err
	}
	if g.Lead, err = wording(lead, source); err != nil {
		return nil, err
	}
	doc.RemoveChild(doc, title)
	doc.RemoveChild(doc, lead)
	if err := ast.Walk(doc, g.visit); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := md.Renderer().Render(&b, source, doc); err != nil {
		return nil, err
	}
	g.Body = template.HTML(b.String()) //nolint:gosec // G203: goldmark escapes, and raw HTML and other links were refused
	return g, nil
}

// wording is what a node says that has nothing but words.
func wording(n ast.Node, source []byte) (string, error) {
	var b strings.Builder
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		t, ok := c.(*ast.Text)
		if !ok {
			return "", errors.New("the heading and the first paragraph must be plain words")
		}
		b.Write(t.Value(source))
		if t.SoftLineBreak() {
			b.WriteByte(' ')
		}
	}
	return b.String(), nil
}

// visit refuses what a page can't show, notes the headings, and makes links of the names of files.
func (g *guide) visit(n ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	switch n := n.(type) {
	case *ast.RawHTML, *ast.HTMLBlock:
		return ast.WalkStop, errors.New("HTML is not shown: write Markdown")
	case *ast.Image, *ast.AutoLink:
		return ast.WalkStop, errors.New("pictures and bare addresses are not shown")
	case *ast.Heading:
		if n.Level == 1 {
			return ast.WalkStop, errors.New("only its first heading is of the first level")
		}
		if id, ok := n.AttributeString("id"); ok {
			if id, ok := id.([]byte); ok {
				g.anchors = append(g.anchors, string(id))
			}
		}
	case *ast.Link:
		return ast.WalkContinue, g.link(n)
	}
	return ast.WalkContinue, nil
}

// link checks where a link leads: to another guide, as the file's name ("passkeys.md#heading"), to a page of ours, as seen
// from PathHelp/TOPIC ("../account"), or elsewhere by https. Links are relative, so that they lead right wherever the
// issuer's path is.
func (g *guide) link(n *ast.Link) error {
	to, err := url.Parse(string(n.Destination))
	if err != nil {
		return err
	}
	name, isGuide := strings.CutSuffix(to.Path, ".md")
	switch {
	case to.Scheme == "https" && to.Host != "":
	case to.Scheme != "" || to.Host != "":
		return fmt.Errorf("the link to %s is none to a guide, to a page of ours or by https", n.Destination)
	case isGuide:
		to.Path = name
		n.Destination = []byte(to.String())
		g.links = append(g.links, to.String())
	case !strings.HasPrefix(to.Path, "../"):
		return fmt.Errorf("the link to %s is none to a guide, to a page of ours or by https", n.Destination)
	}
	return nil
}

// anchors makes ids of headings; a heading that would get another's is refused by fillHelp.
type anchors struct{}

// Generate makes the heading lower-case words and hyphens, of any script.
func (anchors) Generate(heading []byte, _ ast.NodeKind) []byte {
	return []byte(strings.Join(strings.FieldsFunc(strings.ToLower(string(heading)), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	}), "-"))
}

// Put is for ids that stand in the text.
func (anchors) Put([]byte) {}

// fillHelp gives each language all guides, in English where it lacks one, and checks where their links lead.
func (c *catalogues) fillHelp(help map[string]map[string]*guide) error {
	for lang := range help {
		if _, known := c.books[lang]; !known {
			return fmt.Errorf("ui: help/%s: there is no such language", lang)
		}
	}
	english := c.langs[0]
	for _, topic := range Topics() {
		if help[english][topic] == nil {
			return fmt.Errorf("ui: help/%s/%s.md is missing", english, topic)
		}
	}
	for _, lang := range c.langs {
		for topic, g := range help[lang] {
			g.Lang, g.Dir = lang, c.books[lang].dir
			if len(slices.Compact(slices.Sorted(slices.Values(g.anchors)))) < len(g.anchors) {
				return fmt.Errorf("ui: help/%s/%s.md: two headings are the same", lang, topic)
			}
		}
	}
	for _, lang := range c.langs {
		if help[lang] == nil {
			help[lang] = map[string]*guide{}
		}
		for _, topic := range Topics() {
			if help[lang][topic] == nil {
				help[lang][topic] = help[english][topic]
			}
		}
	}
	for lang, guides := range help {
		for topic, g := range guides {
			for _, link := range g.links {
				to, anchor, _ := strings.Cut(link, "#")
				if guides[to] == nil || anchor != "" && !slices.Contains(guides[to].anchors, anchor) {
					return fmt.Errorf("ui: help/%s/%s.md: the link to %s leads nowhere", lang, topic, link)
				}
			}
		}
	}
	return nil
}

// helpFuncs are what the templates of the help call, in one language.
func (r *Renderer) helpFuncs(lang string) template.FuncMap {
	return template.FuncMap{
		"helpGroups": func() []helpGroup { return helpGroups[:] },
		"guide": func(topic string) (*guide, error) {
			if g := r.help[lang][topic]; g != nil {
				return g, nil
			}
			return nil, fmt.Errorf("there is no guide %q", topic)
		},
		"helpPath":  func() string { return PathHelp },
		"guidePath": PathGuide,
		// factorGuide is the guide to a factor, and nothing where there is none.
		"factorGuide": func(f Factor) string { return factorGuides[f.ID] },
		// codeGuide is the guide for whoever is asked for a factor. Setting an app up is not what they want to know then.
		"codeGuide": func(f Factor) string {
			if guide := factorGuides[f.ID]; guide != "set-up-an-app" {
				return guide
			}
			return "signing-in"
		},
	}
}
