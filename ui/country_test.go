package ui

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Countries to be ticked stand in the order of their names in the page's language, as where they are listed in a sentence.
func TestSettingsListCountriesByName(t *testing.T) {
	t.Parallel()
	r, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	page := Settings{Action: PathSettings}
	codes := []string{"AT", "BE", "CH", "CZ", "DE", "ES", "GB", "US"}
	for _, code := range codes {
		page.Countries = append(page.Countries, Country{Code: code, On: code == "AT"})
	}
	for lang, want := range map[string]string{
		"en": "AT BE CZ DE ES CH GB US", // Austria, Belgium, Czechia, Germany, Spain, Switzerland, United Kingdom, United States
		"de": "BE DE AT CH ES CZ US GB", // Belgien, Deutschland, Österreich, Schweiz, Spanien, Tschechien, Vereinigte Staaten, Vereinigtes Königreich
	} {
		frame := inside()
		frame.Lang = lang
		var html strings.Builder
		if err := r.Render(&html, frame, page); err != nil {
			t.Fatal(err)
		}
		var got, names []string
		for _, m := range regexp.MustCompile(`value="([A-Z]{2})"( checked)?> <span>([^<]+)</span>`).FindAllStringSubmatch(html.String(), -1) {
			got, names = append(got, m[1]), append(names, m[3])
			if ticked := m[2] != ""; ticked != (m[1] == "AT") {
				t.Errorf("%s: %s is ticked: %v", lang, m[3], ticked)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", lang, got, want)
		}
		if sentence := Countries(lang, codes); sentence != strings.Join(names, comma(lang)) {
			t.Errorf("%s: the page lists %v, and a sentence %s", lang, names, sentence)
		}
	}
	if !slices.IsSorted(codes) {
		t.Error("the codes are in an order that the page would not change")
	}
}
