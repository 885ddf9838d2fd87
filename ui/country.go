package ui

import (
	"cmp"
	"slices"
	"strings"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

// Countries names countries in a language, in the order of their names. codes are ISO 3166-1 alpha-2; what is none is
// shown as it is.
func Countries(lang string, codes []string) string {
	all := make([]Country, 0, len(codes))
	for _, code := range codes {
		all = append(all, Country{Code: code})
	}
	names := make([]string, 0, len(codes))
	for _, c := range named(lang, all) {
		names = append(names, c.Name)
	}
	return strings.Join(names, comma(lang))
}

// namedCountry is a country with its name in the language of a page.
type namedCountry struct {
	Country
	Name string
}

// named names countries as Countries does, in the order of their names: by their codes, Österreich (AT) would stand before
// Belgien, where nobody looks for it.
func named(lang string, countries []Country) []namedCountry {
	tag := language.Make(lang)
	namer, order := display.Regions(tag), collate.New(tag)
	all := make([]namedCountry, 0, len(countries))
	for _, c := range countries {
		name := c.Code
		if r, err := language.ParseRegion(c.Code); err == nil && namer != nil {
			name = namer.Name(r)
		}
		all = append(all, namedCountry{c, name})
	}
	slices.SortStableFunc(all, func(a, b namedCountry) int { return order.CompareString(a.Name, b.Name) })
	return all
}

// OwnNames are the languages that there are, English first, each in its own words; their IDs are the BCP 47 tags.
func (r *Renderer) OwnNames() []Choice {
	names := make([]Choice, 0, len(r.words.langs))
	for _, tag := range r.words.langs {
		names = append(names, Choice{ID: tag, Name: cmp.Or(display.Self.Name(language.Make(tag)), tag)})
	}
	return names
}
