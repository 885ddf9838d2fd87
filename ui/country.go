package ui

import (
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
