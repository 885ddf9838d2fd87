package ui

import (
	"io/fs"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestContrast computes the contrast of each pair of tokens that stand on one another (WCAG 2.2, 1.4.3 and 1.4.11).
func TestContrast(t *testing.T) {
	raw, err := fs.ReadFile(builtIn, "static/app.css")
	if err != nil {
		t.Fatal(err)
	}
	light, rest, ok := strings.Cut(string(raw), "@media (prefers-color-scheme: dark)")
	if !ok {
		t.Fatal("there is no dark scheme")
	}
	dark, _, _ := strings.Cut(rest, "\n}\n")
	const words, shapes = 4.5, 3
	pairs := []struct {
		front, ground string
		least         float64
	}{
		{"text", "ground", words},
		{"text", "surface", words},
		{"text", "raised", words},
		{"text", "glow", words},
		{"text", "accent-soft", words},
		{"text", "good-soft", words},
		{"text", "warn-soft", words},
		{"muted", "ground", words},
		{"muted", "surface", words},
		{"muted", "raised", words},
		{"muted", "glow", words},
		{"accent", "ground", words},
		{"accent", "surface", words},
		{"accent", "accent-soft", words},
		{"accent", "raised", words},
		{"accent", "glow", words},
		{"accent-strong", "surface", words},
		{"accent-strong", "ground", words},
		{"on-accent", "accent", words},
		{"on-accent", "accent-strong", words},
		{"on-bad", "bad", words},
		{"on-bad", "bad-strong", words},
		{"good", "good-soft", words},
		{"warn", "warn-soft", words},
		{"warn", "surface", words},
		{"bad", "bad-soft", words},
		{"bad", "surface", words},
		{"bad", "raised", words},
		{"edge", "surface", shapes},
		{"edge", "ground", shapes},
	}
	for scheme, css := range map[string]string{"light": light, "dark": dark} {
		tokens := map[string]string{}
		for _, m := range regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6});`).FindAllStringSubmatch(css, -1) {
			tokens[m[1]] = m[2]
		}
		for _, p := range pairs {
			if got := contrast(t, tokens[p.front], tokens[p.ground]); got < p.least {
				t.Errorf("%s: %s on %s has %.2f, needs %.1f", scheme, p.front, p.ground, got, p.least)
			}
		}
	}
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// luminance is WCAG's relative luminance.
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	n, err := strconv.ParseUint(hex, 16, 24)
	if err != nil {
		t.Fatalf("colour %q: %v", hex, err)
	}
	channel := func(shift uint) float64 {
		c := float64(n>>shift&0xff) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*channel(16) + 0.7152*channel(8) + 0.0722*channel(0)
}

// TestSchemes: what shows a scheme within a page of the other shows that very scheme.
func TestSchemes(t *testing.T) {
	raw, err := fs.ReadFile(builtIn, "static/app.css")
	if err != nil {
		t.Fatal(err)
	}
	between := func(from, to string) string {
		_, rest, ok := strings.Cut(string(raw), from)
		block, _, ok2 := strings.Cut(rest, to)
		if !ok || !ok2 {
			t.Fatalf("nothing between %q and %q", from, to)
		}
		return strings.Join(strings.Fields(block), " ")
	}
	media, shown := between("@media (prefers-color-scheme: dark) {\n\t:root {", "}"), between("\n.scheme-dark {", "}")
	if media != shown || len(declarations(media)) < 20 {
		t.Errorf("the dark scheme is\n%s\nand is shown as\n%s", media, shown)
	}
}

// onPaper are the rules for print, which stand by themselves or within a component.
var onPaper = regexp.MustCompile(`(?ms)^(?:@media print \{\n.*?\n\}\n|\t@media print \{\n.*?\n\t\}\n)`)

// TestStyleSheet: colours come from tokens (but for the ground of QR codes and logos, and the printed sheet), and sides are logical, so that
// right-to-left needs no second sheet.
func TestStyleSheet(t *testing.T) {
	raw, err := fs.ReadFile(builtIn, "static/app.css")
	if err != nil {
		t.Fatal(err)
	}
	css := string(raw)
	_, rules, _ := strings.Cut(css, "*,\n*::before")
	screen := onPaper.ReplaceAllString(rules, "")
	if found := regexp.MustCompile(`#[0-9a-f]{3,8}\b`).FindAllString(screen, -1); len(found) != 2 || found[0] != "#fff" || found[1] != "#fff" {
		t.Errorf("colours that are no tokens: %v", found)
	}
	if found := regexp.MustCompile(`(?m)^\s*(?:(?:margin|padding|border)-(?:left|right|top|bottom)|left|right|float|text-align: (?:left|right))\b.*`).FindAllString(rules, -1); found != nil {
		t.Errorf("sides that don't turn round: %v", found)
	}
	used := map[string]bool{}
	for _, m := range regexp.MustCompile(`var\(--([a-z-]+)\)`).FindAllStringSubmatch(css, -1) {
		used[m[1]] = true
		if !strings.Contains(css, "--"+m[1]+":") {
			t.Errorf("there is no token %s", m[1])
		}
	}
	for _, m := range regexp.MustCompile(`--([a-z-]+):`).FindAllStringSubmatch(css, -1) {
		if !used[m[1]] {
			t.Errorf("nothing uses the token %s", m[1])
		}
	}
	for _, query := range []string{"prefers-reduced-motion", "forced-colors", "@media print", "pointer: coarse", ":focus-visible"} {
		if !strings.Contains(css, query) {
			t.Errorf("nothing is said for %s", query)
		}
	}
	if strings.Contains(css, "url(") || strings.Contains(css, "@import") {
		t.Error("the style sheet loads something")
	}
}

// TestLogicalProperties: nothing in the style sheet names a side of the screen, a width or a height where there is a word for
// the side of the text (CSS Logical Properties Level 1), so that pages turn round as a whole.
func TestLogicalProperties(t *testing.T) {
	raw, err := fs.ReadFile(builtIn, "static/app.css")
	if err != nil {
		t.Fatal(err)
	}
	css := regexp.MustCompile(`(?s)/\*.*?\*/`).ReplaceAllString(string(raw), "")
	side := `(?:top|right|bottom|left)`
	physical := regexp.MustCompile(`^(?:` + side + `|(?:margin|padding|border|scroll-margin|scroll-padding|inset)-` + side + `(?:-.*)?` +
		`|border-(?:top|bottom)-(?:left|right)-radius|(?:min-|max-)?(?:width|height)|float|clear)$`)
	found := 0
	for _, d := range regexp.MustCompile(`(?m)^\s*([a-z-]+):\s*([^;{}]+);`).FindAllStringSubmatch(css, -1) {
		found++
		name, value := d[1], d[2]
		switch {
		case physical.MatchString(name):
			t.Errorf("%s: %s names a side of the screen", name, value)
		case (name == "text-align" || name == "caption-side" || name == "justify-content") && regexp.MustCompile(`\b(?:left|right)\b`).MatchString(value):
			t.Errorf("%s: %s names a side of the screen", name, value)
		case (name == "margin" || name == "padding" || name == "inset" || name == "border-width") && fourSides(value):
			t.Errorf("%s: %s is another on the left than on the right", name, value)
		case strings.Contains(value, "translateX"):
			t.Errorf("%s: %s moves to one side of the screen", name, value)
		}
	}
	if found < 500 {
		t.Fatalf("only %d declarations were found", found)
	}
}

// TestClasses: every class of the style sheet is on a page of the gallery, and every class on a page has a rule, but for those
// listed here.
func TestClasses(t *testing.T) {
	raw, err := fs.ReadFile(builtIn, "static/app.css")
	if err != nil {
		t.Fatal(err)
	}
	ruled := map[string]bool{}
	css := regexp.MustCompile(`(?s)/\*.*?\*/`).ReplaceAllString(string(raw), "")
	for _, selector := range regexp.MustCompile(`[^{};]+\{`).FindAllString(css, -1) {
		for _, m := range regexp.MustCompile(`\.([a-z][a-z0-9-]*)`).FindAllStringSubmatch(selector, -1) {
			ruled[m[1]] = true
		}
	}
	if len(ruled) < 100 {
		t.Fatalf("only %d classes were found", len(ruled))
	}
	r, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]bool{}
	for _, s := range Gallery() {
		var page strings.Builder
		if err := r.Render(&page, s.Frame, s.Page); err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\sclass="([^"]*)"`).FindAllStringSubmatch(page.String(), -1) {
			for _, class := range strings.Fields(m[1]) {
				shown[class] = true
			}
		}
	}
	for class := range ruled {
		if !shown[class] {
			t.Errorf("app.css has rules for .%s, which no page of the gallery shows", class)
		}
	}
	bare := map[string]string{"again": "the script's", "line-0": "drawn as .line is", "info": "the plain tone of a banner"}
	for class := range shown {
		if _, known := bare[class]; known == ruled[class] {
			t.Errorf(".%s is on a page and has no rule", class)
		}
	}
}

// fourSides tells whether a shorthand sets the right and the left side apart.
func fourSides(value string) bool {
	parts := strings.Fields(value)
	return len(parts) == 4 && parts[1] != parts[3]
}
