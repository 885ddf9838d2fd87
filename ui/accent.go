package ui

import (
	"encoding/hex"
	"fmt"
	"math"
	"regexp"
	"strings"
)

// Accent is a colour that a tenant chose for buttons, links and marks. What pages show is made of it: its hue and, as far as
// can be read, its lightness (WCAG 2.2, 1.4.3 and 1.4.11).
type Accent struct {
	// Chosen is the colour as it was chosen; Light and Dark are what pages of the two schemes show in its place. All are "#"
	// and six lower-case hexadecimal digits.
	Chosen, Light, Dark string
	sheet               []byte
}

var hexColour = regexp.MustCompile(`^#?(?:[0-9a-f]{6}|[0-9a-f]{3})$`)

// NewAccent reads a colour such as "#0b5d6e" or "#05e". It returns false for what is none.
func NewAccent(colour string) (Accent, bool) {
	colour = strings.ToLower(strings.TrimSpace(colour))
	if !hexColour.MatchString(colour) {
		return Accent{}, false
	}
	colour = strings.TrimPrefix(colour, "#")
	if len(colour) == 3 {
		colour = string([]byte{colour[0], colour[0], colour[1], colour[1], colour[2], colour[2]})
	}
	chosen := parseColour("#" + colour)
	light, dark := lightShades(chosen), darkShades(chosen)
	a := Accent{Chosen: chosen.String(), Light: light.accent.String(), Dark: dark.accent.String()}
	a.sheet = fmt.Appendf(nil, ":root,.scheme-light{%s}@media (prefers-color-scheme: dark){:root{%s}}.scheme-dark{%[2]s}\n", light, dark)
	return a, true
}

// Adjusted tells whether pages of the light scheme show another colour than the one that was chosen, because that one is too
// light to be read there.
func (a Accent) Adjusted() bool { return a.Light != a.Chosen }

// accentEdition stands in the names of style sheets, which browsers keep for ever: whenever the sheets come out otherwise,
// TestAccentEdition asks for the next number.
const accentEdition = ".1.css"

// AccentPath is where the style sheet stands that puts a colour into the place of our accent. It hangs on the colour alone,
// so that nothing is told of whose it is. It is empty for what is no chosen colour.
func AccentPath(chosen string) string {
	if len(chosen) != len("#rrggbb") {
		return ""
	}
	return PathBrand + chosen[1:] + accentEdition
}

// AccentStyle is the style sheet of a public name: what follows PathBrand in an AccentPath.
func AccentStyle(name string) (Asset, bool) {
	digits, ok := strings.CutSuffix(name, accentEdition)
	a, valid := NewAccent(digits)
	if !ok || !valid || a.Chosen != "#"+digits {
		return Asset{}, false
	}
	return Asset{Type: types[".css"], Body: a.sheet}, true
}

// shades are the tokens of app.css that take part of an accent, in one scheme.
type shades struct{ accent, strong, on, soft, glow colour }

// String writes them as declarations.
func (s shades) String() string {
	return fmt.Sprintf("--accent:%s;--accent-strong:%s;--on-accent:%s;--accent-soft:%s;--glow:%s", s.accent, s.strong, s.on, s.soft, s.glow)
}

// What shades have to be read on: of the grounds in app.css the darkest of the light scheme and the lightest of the dark
// one; see TestAccent. words is the least contrast of text.
const (
	words = 4.5

	lightGround, darkRaised, white = "#f4f6f7", "#1d272f", "#ffffff"
)

// How much lighter or darker a hovered button is, in OKLab's lightness from 0 to 1.
const hover = 0.08

// lightShades are an accent on light pages: dark enough to be read on all grounds, and white is read on it.
func lightShades(chosen colour) shades {
	l, c, h := chosen.oklch()
	// Grounds that hold a breath of the accent are read on by the text and the accent itself.
	soft, glow := oklch(0.95, min(c, 0.025), h), oklch(0.945, min(c, 0.02), h)
	accent := chosen
	readable := func(a colour) bool {
		return ratio(a, parseColour(lightGround)) >= words && ratio(a, soft) >= words && ratio(a, glow) >= words
	}
	for !readable(accent) && l > 0 {
		l = max(0, l-0.002)
		accent = oklch(l, c, h)
	}
	strong := oklch(max(0, l-hover), c, h)
	if l < hover { // what is nearly black has no darker shade to be seen
		strong = oklch(l+2*hover, c, h)
	}
	return shades{accent: accent, strong: strong, on: parseColour(white), soft: soft, glow: glow}
}

// darkShades are an accent on dark pages: light enough to be read on all grounds, and a dark shade of it is read on it.
func darkShades(chosen colour) shades {
	l, c, h := chosen.oklch()
	soft := oklch(0.31, min(c, 0.035), h)
	glow := oklch(0.25, min(c, 0.03), h)
	on := oklch(0.2, min(c, 0.04), h)
	accent := chosen
	readable := func(a colour) bool {
		return ratio(a, parseColour(darkRaised)) >= words && ratio(a, soft) >= words && ratio(a, on) >= words
	}
	for !readable(accent) && l < 1 {
		l = min(1, l+0.002)
		accent = oklch(l, c, h)
	}
	strong := oklch(min(1, l+hover), c, h)
	if l > 1-hover {
		strong = oklch(l-hover, c, h)
	}
	return shades{accent: accent, strong: strong, on: on, soft: soft, glow: glow}
}

// colour is a colour of sRGB, gamma-encoded, each channel from 0 to 255.
type colour [3]uint8

func parseColour(hexadecimal string) colour {
	var c colour
	if n, err := hex.Decode(c[:], []byte(hexadecimal[1:])); err != nil || n != len(c) {
		return colour{}
	}
	return c
}

// String writes "#" and six hexadecimal digits.
func (c colour) String() string { return "#" + hex.EncodeToString(c[:]) }

// linear is a channel without its gamma (IEC 61966-2-1), from 0 to 1.
func (c colour) linear(i int) float64 {
	v := float64(c[i]) / 255
	if v <= 0.04045 {
		return v / 12.92
	}
	return math.Pow((v+0.055)/1.055, 2.4)
}

// luminance is WCAG's relative luminance, from 0 to 1.
func (c colour) luminance() float64 {
	return 0.2126*c.linear(0) + 0.7152*c.linear(1) + 0.0722*c.linear(2)
}

// ratio is WCAG's contrast ratio, from 1 to 21.
func ratio(a, b colour) float64 {
	x, y := a.luminance(), b.luminance()
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// oklch is the colour's lightness (0 to 1), chroma and hue (radians) in OKLab (CSS Color 4, section 9.2), in which shades
// of one hue look like it.
func (c colour) oklch() (l, chroma, hue float64) {
	r, g, b := c.linear(0), c.linear(1), c.linear(2)
	long := math.Cbrt(0.4122214708*r + 0.5363325363*g + 0.0514459929*b)
	middle := math.Cbrt(0.2119034982*r + 0.6806995451*g + 0.1073969566*b)
	short := math.Cbrt(0.0883024619*r + 0.2817188376*g + 0.6299787005*b)
	l = 0.2104542553*long + 0.7936177850*middle - 0.0040720468*short
	x := 1.9779984951*long - 2.4285922050*middle + 0.4505937099*short
	y := 0.0259040371*long + 0.7827717662*middle - 0.8086757660*short
	return l, math.Hypot(x, y), math.Atan2(y, x)
}

// oklch makes a colour; where sRGB has no such strong colour of that lightness, it is the strongest that there is.
func oklch(l, chroma, hue float64) colour {
	c, within := mix(l, chroma, hue)
	if within {
		return c
	}
	weak, strong := 0.0, chroma
	for range 12 {
		middle := (weak + strong) / 2
		if _, within := mix(l, middle, hue); within {
			weak = middle
		} else {
			strong = middle
		}
	}
	c, _ = mix(l, weak, hue)
	return c
}

// mix makes a colour of the three, and tells whether sRGB has it.
func mix(l, chroma, hue float64) (c colour, within bool) {
	x, y := chroma*math.Cos(hue), chroma*math.Sin(hue)
	cube := func(v float64) float64 { return v * v * v }
	long := cube(l + 0.3963377774*x + 0.2158037573*y)
	middle := cube(l - 0.1055613458*x - 0.0638541728*y)
	short := cube(l - 0.0894841775*x - 1.2914855480*y)
	within = true
	for i, v := range [...]float64{
		4.0767416621*long - 3.3077115913*middle + 0.2309699292*short,
		-1.2684380046*long + 2.6097574011*middle - 0.3413193965*short,
		-0.0041960863*long - 0.7034186147*middle + 1.7076147010*short,
	} {
		within = within && v >= -1e-4 && v <= 1+1e-4
		c[i] = encode(v)
	}
	return c, within
}

// encode puts the gamma on a channel.
func encode(v float64) uint8 {
	v = min(max(v, 0), 1)
	if v <= 0.0031308 {
		v *= 12.92
	} else {
		v = 1.055*math.Pow(v, 1/2.4) - 0.055
	}
	return uint8(math.Round(v * 255))
}
