package ui_test

import (
	"strings"
	"testing"

	"golang.org/x/net/html/atom"

	"github.com/sallyport-id/sallyport/ui"
)

// Every sentence of the log is whole in every language, with what is known and with nothing.
func TestAuditSentences(t *testing.T) {
	r := renderer(t)
	for _, c := range []struct {
		lang string
		row  ui.AuditRow
		want string
	}{
		{"en", ui.AuditRow{Action: "sign_in", Outcome: "ok", Who: "a@b.c", Whom: "a@b.c", Own: true}, "a@b.c signed in"},
		{"de", ui.AuditRow{Action: "sign_in", Outcome: "ok", Who: "a@b.c"}, "a@b.c hat sich angemeldet"},
		{"en", ui.AuditRow{Action: "sign_in.password", Outcome: "refused"}, "The password for Somebody was refused"},
		{"en", ui.AuditRow{Action: "two_factor.reset", Outcome: "ok", Who: "o", Whom: "r"}, "o took all second steps of r off"},
		{"en", ui.AuditRow{Action: "two_factor.reset", Outcome: "ok", Who: "r", Whom: "r", Own: true}, "r took off all second steps by a mailed link"},
		{"en", ui.AuditRow{Action: "factor.added", Outcome: "ok", Who: "r", Factor: ui.Factor{ID: "totp", Name: "x"}}, "r set up a second step: Authenticator app"},
		{"de", ui.AuditRow{Action: "factor.added", Outcome: "ok", Who: "r", Factor: ui.Factor{ID: "pigeon", Name: "Carrier pigeon"}}, "r hat einen zweiten Schritt eingerichtet: Carrier pigeon"},
		{"en", ui.AuditRow{Action: "user.delete", Outcome: "ok", Who: ui.AuditOperator, Whom: "k7fq"}, "An operator deleted the user k7fq"},
		{"en", ui.AuditRow{Action: "user.delete", Outcome: "failed", Who: "o", Whom: "k7fq"}, "o tried: user.delete"},
		{"en", ui.AuditRow{Action: "kettle.boil", Outcome: "ok"}, "Somebody: kettle.boil"},
		{"en", ui.AuditRow{Action: "other", Outcome: "ok", Who: "o"}, "o: other"},
		{"en", ui.AuditRow{Action: "sign_in.own", Outcome: "ok", Who: "o", Own: true}, "o: sign_in.own"},
		{"en", ui.AuditRow{Action: "", Outcome: "", Who: "o"}, "o tried:"},
	} {
		c.row.Path = "/x"
		page := draw(t, r, ui.Frame{Lang: c.lang, Product: "P"}, ui.AuditEntry{Row: withTime(c.row), OfAction: "/a", Back: "/b"})
		if h := all(parse(t, page), atom.H1); text(h[0]) != c.want {
			t.Errorf("%s %+v reads %q, want %q", c.lang, c.row, text(h[0]), c.want)
		}
	}
}

// A reason is said in words where it is the program's, and as it is where it is not, whatever key it may look like.
func TestAuditReasons(t *testing.T) {
	r := renderer(t)
	for reason, want := range map[string]string{
		"problem.code_wrong": "falscher Code", "name or password": "Name oder Passwort falsch", "budget": "das Budget ist verbraucht",
		"closed on Sundays": "closed on Sundays", "notice.fresh": "notice.fresh", "reason": "reason",
	} {
		page := draw(t, r, ui.Frame{Lang: "de", Product: "P"}, ui.Audit{Action: "/a", CSV: "/c", JSONLines: "/j", Verify: "/v", Entries: []ui.AuditRow{
			withTime(ui.AuditRow{Action: "sign_in", Outcome: "refused", Reason: reason, Path: "/x"}),
		}})
		if !strings.Contains(text(parse(t, page)), "Grund: "+want) {
			t.Errorf("%q does not read %q", reason, want)
		}
	}
}

func withTime(r ui.AuditRow) ui.AuditRow {
	r.Time = "2026-03-04T14:03:22Z"
	return r
}

// Where the conditions can't be meant, nothing was looked for: the page doesn't say that no entry fits, nor offers to download
// what does.
func TestAuditConditionsRefused(t *testing.T) {
	r := renderer(t)
	for where, listed := range map[string]bool{"": true, "verify": true, "address": false, "from": false} {
		p := ui.Audit{Action: "/a", CSV: "/csv", JSONLines: "/jsonl", Verify: "/v", Filter: ui.AuditFilter{Text: "x"}, Where: where}
		if where != "" {
			p.Problem = ui.Invalid(where, "")
		}
		page := draw(t, r, ui.Frame{Lang: "en", Product: "P"}, p)
		if strings.Contains(page, "No entry fits") != listed || strings.Contains(page, "/csv") != listed || !strings.Contains(page, "Verify the log") {
			t.Errorf("a problem with %q: %s", where, text(parse(t, page)))
		}
	}
}
