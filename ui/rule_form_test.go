package ui_test

import (
	"strings"
	"testing"

	"github.com/sallyport-id/sallyport/ui"
)

// What few rules ask for is folded away, but never what is filled in, nor a problem.
func TestRareConditionsAreFolded(t *testing.T) {
	r := renderer(t)
	for name, c := range map[string]struct {
		form ui.RuleForm
		open bool
	}{
		"new":                   {ui.RuleForm{New: true}, false},
		"a plan":                {ui.RuleForm{Plans: "team"}, true},
		"an integration":        {ui.RuleForm{Integrations: "financial"}, true},
		"a beginning":           {ui.RuleForm{From: "2026-03-04T14:03"}, true},
		"an end":                {ui.RuleForm{Until: "2026-03-04T14:03"}, true},
		"a problem in it":       {ui.RuleForm{Wrong: "rules.when.until", Problem: ui.Invalid("rules.when.until", "order")}, true},
		"a problem out of it":   {ui.RuleForm{Wrong: "rules.when.networks", Problem: ui.Invalid("rules.when.networks", "syntax")}, false},
		"a condition out of it": {ui.RuleForm{Tags: "finance"}, false},
	} {
		page := draw(t, r, ui.Frame{Lang: "en"}, c.form)
		if open := strings.Contains(page, `<details class="fold" open>`); open != c.open || !open && !strings.Contains(page, `<details class="fold">`) {
			t.Errorf("%s: open is %t, want %t", name, open, c.open)
		}
	}
}
