package ui

import (
	"slices"
	"strings"
	"testing"
)

// Every event that can be about a user is either said to that user in words of its own, or kept from the activity on purpose:
// a new one has to decide.
func TestEveryEventOfAUserIsDecidedOn(t *testing.T) {
	about := []string{"sign_in", "sign_out", "session.", "application.", "factor.", "two_factor.", "codes.", "device.", "recovery.", "password.", "email.", "user."}
	seen := 0
	for _, s := range sentences {
		key := strings.TrimSuffix(strings.TrimPrefix(s, "event."), ".own")
		if !slices.ContainsFunc(about, func(begin string) bool { return strings.HasPrefix(key, begin) }) {
			continue
		}
		seen++
		said := slices.Contains(activities[:], "activity."+key) || slices.Contains(activities[:], "activity."+key+".other")
		if said == slices.Contains(quiet[:], "event."+key) {
			t.Errorf("%s: said to the user: %t; it is to be either said or quiet", key, said)
		}
	}
	if seen < 40 {
		t.Errorf("only %d events are about users: the search is broken", seen)
	}
	for _, q := range quiet {
		if !slices.Contains(sentences[:], q) {
			t.Errorf("%s is quiet, and there is no such event", q)
		}
	}
}

func TestActivitySentences(t *testing.T) {
	r, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	app := Factor{ID: "totp", Name: "Authenticator app"}
	for _, c := range []struct {
		lang string
		row  ActivityRow
		want string
	}{
		{"en", ActivityRow{Action: "sign_in", Outcome: "ok", Own: true, Factor: Factor{ID: "webauthn"}}, "You signed in with a passkey"},
		{"de", ActivityRow{Action: "sign_in", Outcome: "ok", Own: true, Factor: Factor{ID: "password"}}, "Sie haben sich mit Ihrem Passwort angemeldet"},
		{"en", ActivityRow{Action: "sign_in", Outcome: "ok", Own: true, Factor: Factor{ID: "device"}}, "You signed in on a remembered device"},
		{"en", ActivityRow{Action: "sign_in", Outcome: "ok", Own: true, Factor: Factor{ID: "pigeon", Name: "Carrier pigeon"}}, "You signed in"},
		{"en", ActivityRow{Action: "sign_in", Outcome: "ok", Own: true}, "You signed in"},
		{"en", ActivityRow{Action: "sign_in", Outcome: "refused", Own: true, Factor: app}, "A sign-in with your password was refused"},
		{"en", ActivityRow{Action: "sign_in.password", Outcome: "refused", Own: true}, "A wrong password was typed in for your account"},
		{"en", ActivityRow{Action: "two_factor.reset", Outcome: "ok", Own: true}, "You took off all second steps by a mailed link"},
		{"en", ActivityRow{Action: "two_factor.reset", Outcome: "ok", Who: "Olga"}, "Olga took off all your second steps"},
		{"de", ActivityRow{Action: "user.change", Outcome: "ok", Who: AuditOperator}, "Ein Betreiber hat Ihr Konto geändert"},
		{"en", ActivityRow{Action: "user.change", Outcome: "ok"}, "Somebody changed your account"},
		{"en", ActivityRow{Action: "factor.removed", Outcome: "ok", Own: true, Factor: app}, "You removed a second step: Authenticator app"},
		{"en", ActivityRow{Action: "application.revoked", Outcome: "ok", Own: true, App: "Ledger"}, "You ended the access of Ledger"},
		// What somebody else's program wrote reads as in the audit log, whatever it calls itself.
		{"en", ActivityRow{Action: "kettle.boil", Outcome: "ok", Own: true}, "You: kettle.boil"},
		{"en", ActivityRow{Action: "you", Outcome: "ok", Who: "o"}, "o: you"},
		{"en", ActivityRow{Action: "title", Outcome: "ok", Own: true}, "You: title"},
	} {
		if got, err := r.activity(c.lang, c.row); err != nil || got != c.want {
			t.Errorf("%s %+v reads %q, want %q (%v)", c.lang, c.row, got, c.want, err)
		}
	}
}

func TestInActivity(t *testing.T) {
	for event, want := range map[[2]string]bool{
		{"sign_in", "ok"}: true, {"sign_in", "refused"}: true, {"sign_in.password", "ok"}: false, {"sign_in.password", "refused"}: true,
		{"sign_in.factor", "ok"}: false, {"factor.sent", "ok"}: false, {"two_factor.lost", "sent"}: true, {"recovery.made", "ok"}: true,
		{"token.refresh", "refused"}: false, {"token.refresh.reuse", "refused"}: true, {"token.revoke", "ok"}: false,
		{"hook.sign_in.before", "refused"}: false, {"kettle.boil", "ok"}: true,
	} {
		if got := InActivity(event[0], event[1]); got != want {
			t.Errorf("%v: %t", event, got)
		}
	}
}

// Whoever is kept from what is behind a path goes on at the page that leads there.
func TestTabOf(t *testing.T) {
	for path, want := range map[string]string{
		"/account": "/account", "/account?notice=x": "/account", "/account/devices/sessions/s1/end": "/account/devices",
		"/account/devices": "/account/devices", "/account/devicesx": "/account/security", "/account/set-up/totp": "/account/security",
		"/account/applications/a/revoke": "/account/applications", "/admin/people/u1/reset": "/admin/people", "/admin/audit?x=y/z": "/admin/audit",
		"/admin/invite": "/admin/people", "/admin/invite?role=owner": "/admin/people", "/admin/types/t/remove": "/admin/types",
		"/signin": "/account", "/": "/account",
	} {
		if got := TabOf(path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

// No part is in two areas: a page says which part it is in, and that tells the area.
func TestPartsAreOfOneArea(t *testing.T) {
	seen := map[string]bool{}
	for _, a := range areas() {
		for _, p := range slices.Concat(a.groups...) {
			if seen[p.ID] {
				t.Errorf("%s is there twice", p.ID)
			}
			seen[p.ID] = true
		}
	}
}
