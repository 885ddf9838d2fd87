package ui

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"math"
	"regexp"
	"strings"
	"testing"
)

// pairsOfAccent are the pairs in which a tenant's accent has a part; see TestContrast for those of our own colours.
var pairsOfAccent = [...][2]string{
	{"text", "accent-soft"},
	{"muted", "accent-soft"},
	{"text", "glow"},
	{"muted", "glow"},
	{"accent", "ground"},
	{"accent", "surface"},
	{"accent", "raised"},
	{"accent", "accent-soft"},
	{"accent", "glow"},
	{"accent-strong", "ground"},
	{"accent-strong", "surface"},
	{"accent-strong", "raised"},
	{"accent-strong", "accent-soft"},
	{"accent-strong", "glow"},
	{"on-accent", "accent"},
	{"on-accent", "accent-strong"},
}

var declared = regexp.MustCompile(`--([a-z-]+): ?(#[0-9a-f]{6})`)

// schemes are the tokens of app.css, light and dark.
func schemes(t testing.TB) map[string]map[string]string {
	t.Helper()
	raw, err := fs.ReadFile(builtIn, "static/app.css")
	if err != nil {
		t.Fatal(err)
	}
	light, rest, _ := strings.Cut(string(raw), "@media (prefers-color-scheme: dark)")
	dark, _, _ := strings.Cut(rest, "\n}\n")
	return map[string]map[string]string{"light": declarations(light), "dark": declarations(dark)}
}

func declarations(css string) map[string]string {
	tokens := map[string]string{}
	for _, m := range declared.FindAllStringSubmatch(css, -1) {
		tokens[m[1]] = m[2]
	}
	return tokens
}

// sheetOf are the tokens that an accent's style sheet puts in the place of ours.
func sheetOf(t testing.TB, colour string) map[string]map[string]string {
	t.Helper()
	a, ok := NewAccent(colour)
	asset, found := AccentStyle(strings.TrimPrefix(AccentPath(a.Chosen), PathBrand))
	if !ok || !found {
		t.Fatalf("%s is no accent", colour)
	}
	light, dark, ok := strings.Cut(string(asset.Body), "@media (prefers-color-scheme: dark)")
	whole, forced, ok2 := strings.Cut(dark, ".scheme-dark")
	if !ok || !ok2 || fmt.Sprint(declarations(whole)) != fmt.Sprint(declarations(forced)) {
		t.Fatalf("%s: %s", colour, asset.Body)
	}
	return map[string]map[string]string{"light": declarations(light), "dark": declarations(dark)}
}

// holds checks one colour: everything that is put in the place of our accent can be read on everything it stands on.
func holds(t *testing.T, ours map[string]map[string]string, colour string) {
	t.Helper()
	for scheme, theirs := range sheetOf(t, colour) {
		if len(theirs) != 5 {
			t.Fatalf("%s, %s: %v", colour, scheme, theirs)
		}
		token := func(name string) string {
			if c, ok := theirs[name]; ok {
				return c[1:]
			}
			return ours[scheme][name][1:]
		}
		for _, p := range pairsOfAccent {
			if got := contrast(t, token(p[0]), token(p[1])); got < 4.5 {
				t.Errorf("%s, %s: %s (%s) on %s (%s) has %.3f", colour, scheme, p[0], token(p[0]), p[1], token(p[1]), got)
			}
		}
		if theirs["accent"] == theirs["accent-strong"] {
			t.Errorf("%s, %s: a hovered button looks like any other", colour, scheme)
		}
	}
}

// Whatever colour a tenant chooses, all that is made of it keeps WCAG 2.2 AA, on light pages and on dark ones: tried with
// colours all over sRGB, its corners and edges among them.
func TestAccent(t *testing.T) {
	ours := schemes(t)
	const step = 0x11
	for r := 0; r <= 0xff; r += step {
		for g := 0; g <= 0xff; g += step {
			for b := 0; b <= 0xff; b += step {
				holds(t, ours, fmt.Sprintf("#%02x%02x%02x", r, g, b))
			}
		}
	}
}

func FuzzAccent(f *testing.F) {
	for _, seed := range []string{"#0b5d6e", "#FFCC00", "fff", "#12345", "red", "#00000g", "", "#0b5d6e;}", "\u0660"} {
		f.Add(seed)
	}
	ours := schemes(f)
	f.Fuzz(func(t *testing.T, typed string) {
		a, ok := NewAccent(typed)
		if !ok {
			return
		}
		for _, c := range []string{a.Chosen, a.Light, a.Dark} {
			if !regexp.MustCompile(`^#[0-9a-f]{6}$`).MatchString(c) {
				t.Fatalf("%q gives %q", typed, c)
			}
		}
		holds(t, ours, a.Chosen)
	})
}

// What is shown keeps the hue, and where it can be read as it is, it is the very colour.
func TestAccentLooksAsChosen(t *testing.T) {
	for _, c := range []struct {
		chosen, light, dark string
		adjusted            bool
	}{
		{"#0b5d6e", "#0b5d6e", "", false},
		{"0B5D6E", "#0b5d6e", "", false},
		{"#000", "#000000", "", false},
		{"#ffcc00", "", "#ffcc00", true},
		{"#fff", "", "#ffffff", true},
		{"#6b2fd6", "#6b2fd6", "", false},
	} {
		a, ok := NewAccent(c.chosen)
		if !ok {
			t.Fatalf("%s is refused", c.chosen)
		}
		if c.light != "" && a.Light != c.light || c.dark != "" && a.Dark != c.dark || a.Adjusted() != c.adjusted {
			t.Errorf("%s: %+v", c.chosen, a)
		}
		_, strength, hue := parseColour(a.Chosen).oklch()
		for _, shown := range []string{a.Light, a.Dark} {
			if _, s, h := parseColour(shown).oklch(); strength > 0.05 && s > 0.05 && math.Abs(math.Remainder(h-hue, 2*math.Pi)) > 0.1 {
				t.Errorf("%s is shown as %s, of another hue", c.chosen, shown)
			}
		}
	}
	for _, no := range []string{"", "red", "#12345", "#1234567", "rgb(1,2,3)", "#00000g", "var(--x)", "#fff}body{display:none", "１２３４５６"} {
		if a, ok := NewAccent(no); ok {
			t.Errorf("%q is a colour: %+v", no, a)
		}
	}
}

// Names of style sheets are those of AccentPath, and nothing else is served.
func TestAccentStyle(t *testing.T) {
	for _, no := range []string{"", "0b5d6e", "0b5d6e.css", "0b5d6e.2.css", "#0b5d6e.1.css", "0B5D6E.1.css", "05e.1.css", "red.1.css", "../app.css", "0b5d6e.1.css.gz"} {
		if _, ok := AccentStyle(no); ok {
			t.Errorf("%q is served", no)
		}
	}
	if AccentPath("") != "" || AccentPath("#0b5d6e") != "/brand/0b5d6e.1.css" {
		t.Errorf("paths %q, %q", AccentPath(""), AccentPath("#0b5d6e"))
	}
}

// A sheet that comes out otherwise needs another name, for browsers keep it for a year.
func TestAccentEdition(t *testing.T) {
	h := sha256.New()
	for _, c := range []string{"#0b5d6e", "#ffcc00", "#000000", "#ffffff", "#c2185b", "#6b2fd6", "#808080"} {
		a, _ := NewAccent(c)
		h.Write(a.sheet)
	}
	const want = ".1.css 19f0c9d01e223922"
	if got := accentEdition + " " + hex.EncodeToString(h.Sum(nil)[:8]); got != want {
		t.Errorf("the sheets of edition %s are others now: count accentEdition up, and write %q here", accentEdition, got)
	}
}
