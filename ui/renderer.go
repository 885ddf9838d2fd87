package ui

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"text/template/parse"
	"time"
)

//go:embed templates/*.html templates/*.txt static/* i18n/*.json help/*/*.md
var builtIn embed.FS

// Options change what the pages look like and say.
type Options struct {
	// Override holds files that take the place of the built-in ones, one at a time: templates/NAME.html, templates/mail.txt
	// and static/NAME as a whole, i18n/LANG.json key by key, and help/LANG/TOPIC.md as a whole. A catalogue of a language that
	// is not built in adds it; what it leaves out is said in English. Nil: nothing is changed.
	Override fs.FS
	// Now tells pages how long the reader has to wait; nil is time.Now.
	Now func() time.Time
}

// content is what pages are made of. It does not change once read.
type content struct {
	words  *catalogues
	assets *assets
	// help are the guides, by language and topic.
	help map[string]map[string]*guide
	// sources are the templates as they were read, by page and the name that they define; shared ones belong to the page "".
	sources map[string]map[string]*parse.Tree
	letters lettering
}

// plain is what is built in. All renderers of a program have it in common: reading it takes longer than all else that is done
// before the first request.
var plain = sync.OnceValues(func() (*content, error) { return read(builtIn) })

// Renderer draws pages. It is safe for concurrent use.
type Renderer struct {
	*content
	now func() time.Time

	mu sync.Mutex
	// pages are ready to be drawn, by language and page: those that were asked for. With all there are in all languages a
	// server would hold megabytes that nobody looks at.
	pages map[[2]string]*template.Template
}

// shared are the templates that the pages are put together from.
var shared = []string{"layout.html", "components.html", "icons.html", "rules.html"}

// New reads all templates, catalogues and static files. Its errors name the file and what is wrong with it. With an
// Override they are of type *ThemeError, and it draws each page of the gallery once in each language, so that a slip in it is
// found now and not by a user.
func New(o Options) (*Renderer, error) {
	r := &Renderer{pages: map[[2]string]*template.Template{}, now: o.Now}
	if r.now == nil {
		r.now = time.Now
	}
	var err error
	if o.Override == nil {
		if r.content, err = plain(); err != nil {
			return nil, err
		}
		return r, nil
	}
	err = checkTheme(o.Override)
	if err == nil {
		r.content, err = read(builtIn, o.Override)
	}
	if err == nil {
		err = r.tryAll()
	}
	if err != nil {
		return nil, &ThemeError{err}
	}
	return r, nil
}

// read reads what there is to read; what stands in a later layer takes the place of an earlier one's.
func read(layers ...fs.FS) (*content, error) {
	var c content
	var err error
	if c.words, err = readCatalogues(layers...); err != nil {
		return nil, err
	}
	if c.assets, err = readAssets(layers...); err != nil {
		return nil, err
	}
	if c.help, err = readHelp(layers...); err != nil {
		return nil, err
	}
	if err = c.words.fillHelp(c.help); err != nil {
		return nil, err
	}
	sources, err := readTemplates(layers...)
	if err != nil {
		return nil, err
	}
	if c.letters, err = readLettering(sources); err != nil {
		return nil, err
	}
	if c.sources, err = parseAll(sources); err != nil {
		return nil, err
	}
	return &c, nil
}

// readTemplates returns the templates' sources by file name.
func readTemplates(layers ...fs.FS) (map[string]string, error) {
	sources := map[string]string{}
	for i, layer := range layers {
		names, err := fs.Glob(layer, "templates/*.*")
		if err != nil {
			return nil, fmt.Errorf("ui: list templates: %w", err)
		}
		for _, name := range names {
			base := path.Base(name)
			if _, known := sources[base]; i > 0 && !known {
				return nil, fmt.Errorf("ui: %s: there is no such template to override", name)
			}
			raw, err := fs.ReadFile(layer, name)
			if err != nil {
				return nil, fmt.Errorf("ui: %s: %w", name, err)
			}
			sources[base] = string(raw)
		}
	}
	return sources, nil
}

// parseAll reads the templates. What they are is the same in all languages; what their functions say is not, and whose they
// are is known when a page is put together.
func parseAll(sources map[string]string) (map[string]map[string]*parse.Tree, error) {
	var nobody Renderer
	trees := map[string]map[string]*parse.Tree{}
	for name, source := range sources {
		set := nobody.set("")
		if _, err := set.New(name).Parse(source); err != nil {
			return nil, fmt.Errorf("ui: templates/%s: %w", name, err)
		}
		page := strings.TrimSuffix(name, ".html")
		if slices.Contains(shared, name) {
			page = ""
		}
		if trees[page] == nil {
			trees[page] = map[string]*parse.Tree{}
		}
		for _, t := range set.Templates() {
			if t.Tree != nil {
				trees[page][t.Name()] = t.Tree
			}
		}
	}
	return trees, nil
}

// set is an empty set of templates.
func (r *Renderer) set(lang string) *template.Template {
	return template.New("").Funcs(r.funcs(lang)).Funcs(r.auditFuncs(lang)).Funcs(r.helpFuncs(lang)).Funcs(r.accountFuncs(lang)).Option("missingkey=error")
}

// page is a page's template in a language, and nil where there is no such page.
func (r *Renderer) page(lang, name string) (*template.Template, error) {
	key := [2]string{lang, name}
	r.mu.Lock()
	defer r.mu.Unlock()
	if page, ok := r.pages[key]; ok || name == "" || r.sources[name] == nil {
		return page, nil
	}
	set := r.set(lang)
	wanted := []string{"layout.html"}
	for name, tree := range r.sources[name] {
		// Copies, since html/template works into them how their surroundings are escaped.
		if _, err := set.AddParseTree(name, tree.Copy()); err != nil {
			return nil, err
		}
		wanted = append(wanted, calls(tree.Root)...)
	}
	// Of the shared templates those that it comes to need.
	for len(wanted) > 0 {
		name := wanted[0]
		wanted = wanted[1:]
		tree := r.sources[""][name]
		if tree == nil || set.Lookup(name) != nil {
			continue
		}
		if _, err := set.AddParseTree(name, tree.Copy()); err != nil {
			return nil, err
		}
		wanted = append(wanted, calls(tree.Root)...)
	}
	r.pages[key] = set.Lookup("layout.html")
	return r.pages[key], nil
}

// calls are the names of the templates that stand in a list of nodes.
func calls(list *parse.ListNode) []string {
	if list == nil {
		return nil
	}
	var names []string
	branch := func(b *parse.BranchNode) { names = append(append(names, calls(b.List)...), calls(b.ElseList)...) }
	for _, n := range list.Nodes {
		switch n := n.(type) {
		case *parse.TemplateNode:
			names = append(names, n.Name)
		case *parse.IfNode:
			branch(&n.BranchNode)
		case *parse.RangeNode:
			branch(&n.BranchNode)
		case *parse.WithNode:
			branch(&n.BranchNode)
		}
	}
	return names
}

// tryAll draws the gallery into nothing.
func (r *Renderer) tryAll() error {
	for _, lang := range r.words.langs {
		for _, s := range MailGallery() {
			s.Letter.Lang = lang
			if _, err := r.Letter(s.Letter); err != nil {
				return err
			}
		}
		for _, s := range Gallery() {
			s.Frame.Lang = lang
			if err := r.Render(io.Discard, s.Frame, s.Page); err != nil {
				return err
			}
		}
		// What was tried is not kept: most of it nobody will look at.
		r.mu.Lock()
		clear(r.pages)
		r.mu.Unlock()
	}
	return nil
}

// Render draws the page. It writes nothing unless all of the page could be drawn; a language that the catalogues do
// not have is replaced by the one that fits best.
func (r *Renderer) Render(w io.Writer, f Frame, p Page) error {
	if _, known := r.words.books[f.Lang]; !known {
		f.Lang = r.Language(f.Lang)
	}
	page, err := r.page(f.Lang, p.Template())
	if err != nil {
		return fmt.Errorf("ui: prepare %s in %q: %w", p.Template(), f.Lang, err)
	}
	if page == nil {
		return fmt.Errorf("ui: there is no template for the page %q", p.Template())
	}
	var b bytes.Buffer
	if err := page.Execute(&b, view{Frame: f, Page: p, Dir: r.words.books[f.Lang].dir, assets: r.assets, names: r.OwnNames}); err != nil {
		return fmt.Errorf("ui: draw %s in %q: %w", p.Template(), f.Lang, err)
	}
	if _, err := b.WriteTo(w); err != nil {
		return fmt.Errorf("ui: write %s: %w", p.Template(), err)
	}
	return nil
}

// Text is a text in words, as mails need it. A Text that the catalogues do not have, or that lacks something to fill
// in, reads as its key: a mail about a change of somebody's account must go out all the same.
func (r *Renderer) Text(lang string, t Text) string {
	if _, known := r.words.books[lang]; !known {
		lang = r.Language(lang)
	}
	words, err := r.words.say(lang, t)
	if err != nil {
		return t.Key
	}
	return words
}

// Language chooses, of the languages that there are, the one that suits best. Each preference is a list such as
// ui_locales ("de-AT en") or an Accept-Language header ("de-AT,en;q=0.7"); the first list that fits decides. Without
// any it is English.
func (r *Renderer) Language(prefs ...string) string { return r.words.choose(prefs...) }

// Languages are the BCP 47 tags of the languages that there are, English first.
func (r *Renderer) Languages() []string { return slices.Clone(r.words.langs) }

// Static returns the static file of that public name: what follows PathStatic.
func (r *Renderer) Static(name string) (Asset, bool) {
	a, ok := r.assets.files[name]
	return a, ok
}
