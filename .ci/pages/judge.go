package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"
)

//go:embed judge.js
var judgeJS string

// tabs is how many pages are judged at once: one draws while another thinks.
const tabs = 3

// judge looks at pages with a browser.
type judge struct {
	browser context.Context
	// scripts are put into every page.
	scripts []string
	// pictures is the folder for pictures of the pages, empty where nobody wants any.
	pictures string
}

// newJudge reads axe-core.
func newJudge(browser context.Context, project, pictures string) (*judge, error) {
	axe, err := os.ReadFile(filepath.Join(project, "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		return nil, err
	}
	return &judge{browser: browser, scripts: []string{string(axe), judgeJS}, pictures: pictures}, nil
}

// all judges all pages in all languages, some at once.
func (j *judge) all(ctx context.Context, g gallery) ([]fault, error) {
	todo := make(chan func(*tab) ([]fault, error))
	found := make(chan []fault)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(todo)
		for _, p := range g.pages {
			for i, lang := range g.languages {
				one := func(t *tab) ([]fault, error) { return j.page(t, p, lang, i == 0) }
				select {
				case todo <- one:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
		}
		return nil
	})
	for range tabs {
		group.Go(func() error { return j.work(ctx, todo, found) })
	}
	var err error
	go func() {
		err = group.Wait()
		close(found)
	}()
	var faults []fault
	for some := range found {
		faults = append(faults, some...)
	}
	return faults, err
}

func (j *judge) work(ctx context.Context, todo <-chan func(*tab) ([]fault, error), found chan<- []fault) error {
	t, closeTab, err := open(j.browser, j.scripts...)
	if err != nil {
		return err
	}
	defer closeTab()
	for one := range todo {
		faults, err := one(t)
		if err != nil {
			return err
		}
		select {
		case found <- faults:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// check is what is asked of a page that is looked at in some way: functions of judge.js.
type check struct {
	look
	asks []string
}

const (
	asksAxe = `axe({ type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] })`
	// asksColours are the rules that hold in light and may not in dark: nothing but colours changes between the two.
	asksColours = `axe({ type: "rule", values: ["color-contrast", "link-in-text-block"] })`
	asksFocus   = "focus()"
)

// page judges a page in a language. In the first language it is judged by axe-core in all colours and widths, and pictures
// are taken; what other languages can change is how long words are, and in which direction they go.
func (j *judge) page(t *tab, p page, lang string, first bool) ([]fault, error) {
	checks := []check{
		{wideLight, []string{asksAxe, "structure()", "order()", "fits()", "legible()", "still()", "steady()"}},
		{smallLight, []string{"order()", "fits()", "legible()", "spaced()"}},
		{zoomedLight, []string{"order()", "fits()", "legible()"}},
	}
	if first {
		checks = []check{
			{wideLight, []string{asksAxe, "structure()", "order()", asksFocus, "fits()", "legible()", "spaced()", "still()", "steady()"}},
			{wideDark, []string{asksColours, asksFocus}},
			{zoomedDark, []string{asksColours}},
			{zoomedLight, []string{asksAxe, "order()", "fits()", "legible()"}},
			{smallLight, []string{asksAxe, "order()", asksFocus, "fits()", "legible()", "spaced()"}},
			{smallDark, []string{asksColours}},
			{forced, []string{"forced()", asksFocus}},
		}
	}
	faults, err := j.judge(t, p.name, p.in(lang), lang, checks)
	if err == nil && first && j.pictures != "" {
		err = j.paint(t, p, lang)
	}
	return faults, err
}

// judge looks at one page in several ways. It is loaded once.
func (j *judge) judge(t *tab, name, url, lang string, checks []check) ([]fault, error) {
	if err := errors.Join(t.as(checks[0].look), t.visit(url)); err != nil {
		return nil, err
	}
	var faults []fault
	for _, c := range checks {
		if err := t.as(c.look); err != nil {
			return nil, err
		}
		found, err := eval[[]fault](t, "(async () => [].concat(await judge."+strings.Join(c.asks, ", await judge.")+"))()")
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for _, f := range found {
			f.Page, f.Where = name, lang+", "+c.name
			faults = append(faults, f)
		}
	}
	return faults, nil
}
