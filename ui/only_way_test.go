package ui_test

import (
	"strings"
	"testing"

	"github.com/sallyport-id/sallyport/ui"
)

// Where only one factor can be set up, the page speaks of that one and compares it with none that can't be had.
func TestOnlyWayToSetUp(t *testing.T) {
	r := renderer(t)
	way := func(id string) ui.Way {
		return ui.Way{Factor: ui.Factor{ID: id, Name: id}, Left: -1, Path: "/signin/f/set-up/" + id}
	}
	all := []string{
		"Here only a passkey will do", "An app is the safer choice than text messages", ">Create a passkey<", ">Get started<", "Choose your second step",
	}
	for name, c := range map[string]struct {
		ways []ui.Way
		says []string
	}{
		"a passkey": {[]ui.Way{way("webauthn")}, []string{all[0], all[2]}},
		"an app":    {[]ui.Way{way("totp")}, []string{all[1], all[3]}},
		"messages":  {[]ui.Way{way("sms")}, []string{all[3]}},
		"a choice":  {[]ui.Way{way("webauthn"), way("totp")}, []string{all[4]}},
		"nothing":   {nil, nil},
	} {
		html := draw(t, r, ui.Frame{Lang: "en", Product: "Sallyport"}, ui.SetUpIntro{Account: "olga@example.com", Forced: true, Rule: "All", Factors: c.ways})
		for _, words := range all {
			want := false
			for _, s := range c.says {
				want = want || s == words
			}
			if strings.Contains(html, words) != want {
				t.Errorf("%s: says %q: %t, want %t", name, words, !want, want)
			}
		}
	}
	for _, only := range []bool{true, false} {
		html := draw(t, r, ui.Frame{Lang: "en", Product: "Sallyport"}, ui.SetUp{Factor: ui.Factor{ID: "webauthn"}, Options: []byte(`{}`), Only: only})
		if !strings.Contains(html, "<noscript>") || strings.Contains(html, "set up something else") == only {
			t.Errorf("without JavaScript, where it is the only way: %t", only)
		}
	}
}

// A question that could not be put is no mistake of what was typed: neither the field nor the title says so.
func TestWaitingIsNoError(t *testing.T) {
	r := renderer(t)
	seen := 0
	for _, s := range ui.Gallery() {
		if s.Name != "code-sms-often" && s.Name != "code-sms-none" {
			continue
		}
		seen++
		html := draw(t, r, s.Frame, s.Page)
		if strings.Contains(html, `aria-invalid`) || strings.Contains(html, "<title>Error") || !strings.Contains(html, `class="banner warn"`) {
			t.Errorf("%s is in error, or lacks its banner", s.Name)
		}
		if strings.Contains(html, "We sent") != (s.Name == "code-sms-often") {
			t.Errorf("%s does not tell whether a code was sent", s.Name)
		}
	}
	if seen != 2 {
		t.Errorf("%d samples", seen)
	}
}
