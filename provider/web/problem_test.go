package web

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/sallyport-id/sallyport/ui"
)

// A hook's refusal is told in its own words where it has any, and is no internal error where it has none.
func TestHookedIsExplained(t *testing.T) {
	for reason, want := range map[string]ui.Error{
		"closed on Sundays": {Title: ui.Say("error.hook.title"), Body: ui.Say("error.hook.body", "reason", "closed on Sundays")},
		"":                  {Title: ui.Say("error.hook.title"), Body: ui.Say("error.hook.no_reason")},
	} {
		p, known := explain(fmt.Errorf("sign-in: %w", &Hooked{Reason: reason}))
		if !known || p.status != http.StatusForbidden || fmt.Sprint(p.page) != fmt.Sprint(want) {
			t.Errorf("%q: %t, %+v; want %+v", reason, known, p, want)
		}
	}
}
