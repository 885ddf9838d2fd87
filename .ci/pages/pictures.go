package main

import (
	_ "embed"
	"html/template"
	"os"
	"path/filepath"
	"strings"

	"github.com/chromedp/cdproto/emulation"
)

// shot is one way in which pictures are taken.
type shot struct {
	look
	suffix string
	script bool
}

func shots() []shot {
	return []shot{
		{wideLight, "light", true},
		{wideDark, "dark", true},
		{phone, "360", true},
		{wideLight, "without-javascript", false},
	}
}

// file is where a page's picture goes, relative to the folder.
func (s shot) file(p page) string {
	return strings.ReplaceAll(p.name, "/", "-") + "-" + s.suffix + ".jpg"
}

// paint takes the pictures of a page that is loaded.
func (j *judge) paint(t *tab, p page, lang string) error {
	for _, s := range shots() {
		if err := t.as(s.look); err != nil {
			return err
		}
		if !s.script {
			if err := t.plain(p.in(lang)); err != nil {
				return err
			}
		}
		if err := t.picture(filepath.Join(j.pictures, s.file(p))); err != nil {
			return err
		}
		if err := call(t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{}); err != nil {
			return err
		}
	}
	return nil
}

// plain loads the page again, without its JavaScript.
func (t *tab) plain(url string) error {
	if err := call(t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		return err
	}
	return t.visit(url)
}

//go:embed sheet.html
var sheet string

// bind writes index.html, which shows the pictures of all pages on one sheet.
func bind(folder string, g gallery) error {
	type row struct {
		Name  string
		Files []string
	}
	type section struct {
		Name string
		Rows []row
	}
	var sections []section
	for _, p := range g.pages {
		if len(sections) == 0 || sections[len(sections)-1].Name != p.group {
			sections = append(sections, section{Name: p.group})
		}
		r := row{Name: p.name}
		for _, s := range shots() {
			r.Files = append(r.Files, s.file(p))
		}
		last := &sections[len(sections)-1]
		last.Rows = append(last.Rows, r)
	}
	t, err := template.New("sheet").Parse(sheet)
	if err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(folder, "index.html"))
	if err != nil {
		return err
	}
	if err := t.Execute(f, map[string]any{"Sections": sections, "Count": len(g.pages)}); err != nil {
		return err
	}
	return f.Close()
}
