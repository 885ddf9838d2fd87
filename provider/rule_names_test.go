package provider

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// TestRuleNames: the rules that come with every account are said in the reader's language wherever somebody reads of them.
// Names that somebody typed in stay as they are, and programs get what is stored.
func TestRuleNames(t *testing.T) {
	w := newWorld(t)
	w.cedar()
	owner := w.helper("cedar", "olga@cedar.example", storage.Owner)
	op, types := web.Operator(), map[string]string{"apprentice": "Azubis"}
	ctx := t.Context()
	_, err := storage.Change(ctx, w.p.config.Store.Tenants, storage.Global, "cedar", func(t *storage.Tenant) error {
		t.UserTypes, t.TypeNames = append(t.UserTypes, "apprentice"), types
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	must := []string{"staff", "client", "contractor", "apprentice", admin.Everyone}
	networks := []storage.Network{{Prefix: "127.0.0.0/8", Name: "Hier", Require2FA: true}}
	restricted := true
	p, err := w.p.admin.ChangePolicy(ctx, op, "cedar", admin.PolicyChange{Require2FA: &must, Networks: &networks, Restricted: &restricted})
	if err != nil {
		t.Fatal(err)
	}
	rules := append([]storage.Rule{{
		ID: "r-own", Name: "Interns must use two-factor authentication",
		When: storage.When{Plans: []string{"free"}}, Then: storage.Then{Access: "allow", Strength: "any", Unenrolled: "enrol_at_login"},
	}}, p.Rules...)
	if _, err = w.p.admin.ChangePolicy(ctx, op, "cedar", admin.PolicyChange{Rules: &rules}); err != nil {
		t.Fatal(err)
	}
	w.clock.forward(caches)

	owner.lang = "de"
	page := owner.get(ui.PathPolicy).is("Zwei-Faktor-Authentisierung")
	page.says(
		"Die Anmeldung ist nur aus den Netzwerken des Kontos möglich",
		"Für diese Person ist Zwei-Faktor-Authentisierung vorgeschrieben",
		"Eine verbundene Finanzanwendung macht Zwei-Faktor-Authentisierung zur Pflicht",
		"In diesem Netzwerk ist Zwei-Faktor-Authentisierung vorgeschrieben",
		"Für Mitarbeitende ist Zwei-Faktor-Authentisierung vorgeschrieben",
		"Für Kunden ist Zwei-Faktor-Authentisierung vorgeschrieben",
		"Für Auftragnehmer ist Zwei-Faktor-Authentisierung vorgeschrieben",
		"Für den Benutzertyp „Azubis“ ist Zwei-Faktor-Authentisierung vorgeschrieben",
		"Zwei-Faktor-Authentisierung ist für alle vorgeschrieben",
		"Zwei-Faktor-Authentisierung ist für alle möglich",
		"Interns must use two-factor authentication",
	)
	for _, r := range rules {
		if r.ID != "r-own" && strings.Contains(page.text(), r.Name) {
			t.Errorf("%q is said in English", r.Name)
		}
	}
	// In English it is the stored name.
	owner.lang = "en"
	english := owner.get(ui.PathPolicy)
	for _, r := range rules {
		if !strings.Contains(strings.NewReplacer("“", `"`, "”", `"`).Replace(english.text()), r.Name) {
			t.Errorf("%q is not said in English", r.Name)
		}
	}

	// Whoever is asked for something by a rule, or kept out, reads its name.
	w.user("cedar", "kim@cedar.example", "client")
	kim := w.browser()
	kim.lang = "de"
	kim.get("/account").submit("/signin", "login", "kim@cedar.example", "password", rightPassword).
		says("Ihre Organisation verlangt das: In diesem Netzwerk ist Zwei-Faktor-Authentisierung vorgeschrieben.")
	_, err = storage.Change(ctx, w.p.config.Store.Tenants, storage.Global, "cedar", func(t *storage.Tenant) error {
		t.Rules[0], t.Rules[1] = t.Rules[1], t.Rules[0]
		t.Rules[0].When.NotNetworks = []string{"192.0.2.0/24"}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	out := w.browser()
	out.lang = "de"
	out.get("/account").submit("/signin", "login", "kim@cedar.example", "password", rightPassword).
		says("Eine Regel Ihrer Organisation erlaubt es nicht: Die Anmeldung ist nur aus den Netzwerken des Kontos möglich.")

	// The log keeps what is stored.
	events := w.events("cedar")
	last := events[len(events)-1]
	if last.Rule != "Sign-in is possible from the account’s networks only" {
		t.Errorf("the audit log says %q", last.Rule)
	}
}

// TestRenamedRule: the form of a built-in rule holds the stored name and says how it is read; one that is typed in instead is
// read as it is, by everybody.
func TestRenamedRule(t *testing.T) {
	w := newWorld(t)
	w.cedar()
	owner := w.helper("cedar", "olga@cedar.example", storage.Owner)
	owner.lang = "de"
	form := owner.get(ui.PathRules + "/" + admin.RuleTicked)
	if form.status != http.StatusOK {
		t.Fatalf("the form: %d %s", form.status, form.text())
	}
	_, fields := form.form("/rules/" + admin.RuleTicked)
	if got := fields.Get("name"); got != "This user must use two-factor authentication" {
		t.Errorf("the form holds %q", got)
	}
	form.says("Diesen Namen liest jeder in der eigenen Sprache, als „Für diese Person ist Zwei-Faktor-Authentisierung vorgeschrieben“.")
	form.submit("/rules/"+admin.RuleTicked, "name", "Weil wir es wollen").
		says("Regel geändert: Weil wir es wollen").post("/policy/save", "do", "save").says("Weil wir es wollen")
}
