package ui

import (
	"cmp"
	"strings"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

// Countries names countries in a language, in the order of their names. codes are ISO 3166-1 alpha-2; what is none is
// shown as it is.
func Countries(lang string, codes []string) string {
	namer := display.Regions(language.Make(lang))
	names := make([]string, 0, len(codes))
	for _, code := range codes {
		name := code
		if r, err := language.ParseRegion(code); err == nil && namer != nil {
			name = namer.Name(r)
		}
		names = append(names, name)
	}
	collate.New(language.Make(lang)).SortStrings(names)
	return strings.Join(names, comma(lang))
}

// OwnNames are the languages that there are, English first, each in its own words; their IDs are the BCP 47 tags.
func (r *Renderer) OwnNames() []Choice {
	names := make([]Choice, 0, len(r.words.langs))
	for _, tag := range r.words.langs {
		names = append(names, Choice{ID: tag, Name: cmp.Or(display.Self.Name(language.Make(tag)), tag)})
	}
	return names
}
