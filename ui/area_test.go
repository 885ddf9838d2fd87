package ui

import (
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The administration's parts stand in groups, first what is about people, last what is set once; a group's end is marked for the
// style sheet, so that the keyboard and readers of the screen meet the parts in the order in which they are seen.
func TestTabsStandInGroups(t *testing.T) {
	t.Parallel()
	var groups []string
	group := ""
	for _, tab := range (view{Page: People{}}).Tabs().Tabs {
		group += " " + strings.TrimPrefix(tab.Word, "console.")
		if tab.Last {
			groups, group = append(groups, strings.TrimSpace(group)), ""
		}
	}
	want := []string{"people adoption", "policy networks", "applications integrations webhooks", "audit", "settings branding"}
	if !slices.Equal(groups, want) || group != "" {
		t.Errorf("the groups are %q, and %q", groups, group)
	}
	for _, tab := range (view{Page: Overview{}}).Tabs().Tabs {
		if tab.Last != (tab.Path == PathDetails) {
			t.Errorf("%s ends a group: %v", tab.Word, tab.Last)
		}
	}
}

// The tab that is marked is bolder than the rest, and each is as wide as if it were: the sheet lays the word out a second time,
// unseen and at that weight. See steady in .ci/pages/judge.js for what comes of it.
func TestTabsKeepTheirWidth(t *testing.T) {
	t.Parallel()
	css, err := fs.ReadFile(builtIn, "static/app.css")
	if err != nil {
		t.Fatal(err)
	}
	weight := func(selector string) string {
		_, rule, _ := strings.Cut(string(css), "\n"+selector+" {")
		rule, _, _ = strings.Cut(rule, "}")
		if m := regexp.MustCompile(`font-weight: (\d+);`).FindStringSubmatch(rule); m != nil {
			return m[1]
		}
		return "none"
	}
	if marked, kept := weight(".tabs [aria-current]"), weight(".tabs a::after"); marked != kept || marked == "none" {
		t.Errorf("the weight of the tab that is marked is %s, and room is kept for %s", marked, kept)
	}
	r, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range []string{"en", "de"} {
		frame := inside()
		frame.Lang = lang
		var page strings.Builder
		if err := r.Render(&page, frame, People{}); err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(`<a href="[^"]*" data-word="([^"]*)"[^>]*>([^<]*)</a>`).FindAllStringSubmatch(page.String(), -1)
		if len(found) != len((view{Page: People{}}).Tabs().Tabs) {
			t.Fatalf("%s: %d tabs were found", lang, len(found))
		}
		for _, m := range found {
			if m[1] != m[2] {
				t.Errorf("%s: a tab says %q and keeps room for %q", lang, m[2], m[1])
			}
		}
	}
}
