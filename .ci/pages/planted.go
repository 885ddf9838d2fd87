package main

import (
	"context"
	_ "embed"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
)

//go:embed planted.html
var planted string

// tried has the judge look at a page with faults of every kind, and fails unless it finds each: a judge who finds nothing may be
// blind.
func (j *judge) tried(ctx context.Context, project string) error {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(planted)) // a browser that does not listen will be missed below
	}))
	defer server.Close()
	t, closeTab, err := open(j.browser, j.scripts...)
	if err != nil {
		return err
	}
	defer closeTab()
	found, err := j.judge(t, "planted", server.URL, "en", []check{
		{wideLight, []string{asksAxe, "structure()", "order()", asksFocus, "fits()", "legible()", "still()", "steady()"}},
		{wideDark, []string{asksColours}},
		{smallLight, []string{"fits()", "spaced()"}},
		{forced, []string{"forced()"}},
	})
	if err != nil {
		return err
	}
	more, err := markup(ctx, project, map[string]string{"planted (en)": planted})
	if err != nil {
		return err
	}
	found = append(found, more...)
	for _, want := range []fault{
		{Where: "en, " + wideLight.name, Rule: "color-contrast"},
		{Where: "en, " + wideDark.name, Rule: "color-contrast", Element: `<p class="night">Words that the night hides</p>`},
		{Where: "en, " + wideLight.name, Rule: "image-alt"},
		{Where: "en, " + wideLight.name, Rule: "label"},
		{Where: "en, " + wideLight.name, Rule: "target-size"},
		{Where: "en, " + wideLight.name, Rule: "one-h1"},
		{Where: "en, " + wideLight.name, Rule: "heading-levels"},
		{Where: "en, " + wideLight.name, Rule: "title"},
		{Where: "en, " + wideLight.name, Rule: "tab-order", Element: `<button tabindex="3">Read second`},
		{Where: "en, " + wideLight.name, Rule: "tab-order", Element: `<div class="reversed">Read firstRead second`},
		{Where: "en, " + wideLight.name, Rule: "focus", Element: `<input id="bare" class="bare">`},
		{Where: "en, " + wideLight.name, Rule: "legible", Element: `<div class="tight">This text is longer than its box, so tha`},
		{Where: "en, " + wideLight.name, Rule: "legible", Element: `<p class="over">Words over others`},
		{Where: "en, " + wideLight.name, Rule: "reduced-motion", Element: `<p class="turning">Turns`},
		{Where: "en, " + wideLight.name, Rule: "steady", Element: `<a href="#first" aria-current="page">The first`},
		{Where: "en, " + smallLight.name, Rule: "fits", Element: `<div class="wide">Too wide`},
		{Where: "en, " + smallLight.name, Rule: "text-spacing"},
		{Where: "en, " + forced.name, Rule: "forced-colors", Element: `<input id="bare" class="bare">`},
		{Where: "en, " + forced.name, Rule: "forced-colors", Element: `<p role="status" class="pale-ground">Told by its ground alone`},
		{Where: "markup (en)", Rule: "no-implicit-close"},
		{Where: "markup (en)", Rule: "input-missing-label"},
	} {
		if !slices.ContainsFunc(found, func(f fault) bool {
			return f.Where == want.Where && f.Rule == want.Rule && (want.Element == "" || f.Element == want.Element)
		}) {
			report(os.Stderr, found)
			return fmt.Errorf("this is all that was found on the planted page, and not %s (%s) %s", want.Rule, want.Where, want.Element)
		}
	}
	return nil
}
