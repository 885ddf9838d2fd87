package ui_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html/atom"

	"github.com/sallyport-id/sallyport/ui"
)

// adoption is a page of so many days up to today, on each of which share says how many of how many staff had a second step.
func adoption(days int, share func(i int) ui.Share) ui.Adoption {
	p := ui.Adoption{Types: []ui.Choice{{ID: "staff"}}}
	today := time.Date(2026, time.March, 4, 0, 0, 0, 0, time.UTC)
	for i := range days {
		s := share(i)
		p.Days = append(p.Days, ui.AdoptionDay{Date: today.AddDate(0, 0, i-days+1).Format(time.DateOnly), All: s, Types: []ui.Share{s}})
	}
	return p
}

// The chart of no users, of one day, of ninety and of a year; with holes, and with types that came later.
func TestAdoptionChart(t *testing.T) {
	half := func(int) ui.Share { return ui.Share{Some: 1, Of: 2} }
	for name, c := range map[string]struct {
		page ui.Adoption
		want string
	}{
		"nothing":          {ui.Adoption{}, ""},
		"no users":         {adoption(1, func(int) ui.Share { return ui.Share{} }), ""},
		"one day":          {adoption(1, half), "M900 50.0h0"},
		"two days":         {adoption(2, half), "M890 50.0h0L900 50.0"},
		"none to all":      {adoption(3, func(i int) ui.Share { return ui.Share{Some: i, Of: 2} }), "M880 100.0h0L890 50.0L900 0.0"},
		"one third":        {adoption(1, func(int) ui.Share { return ui.Share{Some: 1, Of: 3} }), "M900 66.7h0"},
		"a day of nobody":  {adoption(3, func(i int) ui.Share { return ui.Share{Some: 1, Of: (i + 1) % 2 * 2} }), "M880 50.0h0M900 50.0h0"},
		"later than today": {ui.Adoption{Days: []ui.AdoptionDay{{Date: "not a day"}, {Date: "2026-03-04", All: ui.Share{Some: 1, Of: 1}}}}, "M900 0.0h0"},
	} {
		got := ""
		for _, line := range c.page.Chart().Lines {
			if line.N == 0 {
				got = line.Path
			}
		}
		if got != c.want {
			t.Errorf("%s: drawn as %q, want %q", name, got, c.want)
		}
	}
	for _, days := range []int{91, 400} {
		path := adoption(days, half).Chart().Lines[1].Path
		if n := strings.Count(path, "L"); !strings.HasPrefix(path, "M0 50.0h0L10 50.0") || !strings.HasSuffix(path, "L900 50.0") || n != 90 {
			t.Errorf("%d days: %d lines, %.40s…", days, n, path)
		}
	}
	// A type that was made in the meantime has a line from then on.
	p := adoption(2, half)
	p.Types = append(p.Types, ui.Choice{ID: "client"})
	p.Days[1].Types = append(p.Days[1].Types, ui.Share{Some: 0, Of: 9})
	if path := p.Chart().Lines[2].Path; path != "M900 100.0h0" {
		t.Errorf("the new type is drawn as %q", path)
	}
	// More types than can be told from one another are counted.
	for i := range 10 {
		p.Types = append(p.Types, ui.Choice{ID: fmt.Sprint("t", i)})
	}
	if c := p.Chart(); len(c.Lines) != 6 || c.Left != 7 {
		t.Errorf("%d lines, %d left", len(c.Lines), c.Left)
	}
}

func TestAdoptionBars(t *testing.T) {
	day := func(date string, n int) ui.AdoptionDay { return ui.AdoptionDay{Date: date, Messages: n} }
	for name, c := range map[string]struct {
		page    ui.Adoption
		bars    string
		top     int
		limited bool
	}{
		"none":            {ui.Adoption{Days: []ui.AdoptionDay{day("2026-03-04", 0)}, Budget: 500}, "[]", 0, false},
		"a few of many":   {ui.Adoption{Days: []ui.AdoptionDay{day("2026-03-03", 1), day("2026-03-04", 4)}, Budget: 500}, "[{892 75 25} {902 0 100}]", 4, false},
		"near the budget": {ui.Adoption{Days: []ui.AdoptionDay{day("2026-03-04", 5)}, Budget: 10}, "[{902 50 50}]", 10, true},
		"over the budget": {ui.Adoption{Days: []ui.AdoptionDay{day("2026-03-04", 20)}, Budget: 10}, "[{902 0 100}]", 20, true},
		"one of a lot":    {ui.Adoption{Days: []ui.AdoptionDay{day("2026-03-03", 1), day("2026-03-04", 1000)}}, "[{892 99 1} {902 0 100}]", 1000, false},
	} {
		if got := c.page.Chart(); fmt.Sprint(got.Bars) != c.bars || got.Top != c.top || got.Limited != c.limited {
			t.Errorf("%s: %v up to %d, limited %t", name, got.Bars, got.Top, got.Limited)
		}
	}
}

func TestSharesAreNeverRoundedUp(t *testing.T) {
	for share, want := range map[ui.Share]int{
		{}: 0, {Some: 0, Of: 5}: 0, {Some: 5, Of: 5}: 100, {Some: 999, Of: 1000}: 99, {Some: 1, Of: 1000}: 1, {Some: 1, Of: 3}: 33, {Some: 6, Of: 5}: 100,
	} {
		if got := share.Percent(); got != want {
			t.Errorf("%+v: %d, want %d", share, got, want)
		}
	}
}

// The table holds the numbers of the chart for those who can't see it, the newest first.
func TestAdoptionTableSaysTheSame(t *testing.T) {
	p := adoption(3, func(i int) ui.Share { return ui.Share{Some: i, Of: 4} })
	p.Messages = true
	p.Days[1].All, p.Days[1].Types = ui.Share{}, nil
	doc := parse(t, draw(t, renderer(t), ui.Frame{Lang: "en", Product: "P"}, p))
	var rows []string
	for _, r := range all(doc, atom.Tr) {
		rows = append(rows, text(r))
	}
	want := []string{"Day All users Staff Text messages", "4 March 2026 50% 2 of 4 50% 2 of 4 0", "3 March 2026 – – 0", "2 March 2026 0% 0 of 4 0% 0 of 4 0"}
	for i := range want {
		if !same(rows[i], want[i]) {
			t.Errorf("row %d reads %q, want %q", i, rows[i], want[i])
		}
	}
	if svg := all(doc, atom.Svg); len(svg) == 0 || attr(svg[0], "role") != "img" || attr(svg[0], "aria-label") == "" {
		t.Error("the chart has no text of its own")
	}
}

// same compares what two texts say, whatever is between their words.
func same(a, b string) bool {
	return strings.Join(strings.Fields(a), "") == strings.Join(strings.Fields(b), "")
}
