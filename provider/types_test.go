package provider

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

const atTypes = "User types"

// types are the IDs of a tenant's user types, in their order.
func (w *world) types(tenant string) []string {
	w.t.Helper()
	t, err := w.store.Tenants.Get(w.t.Context(), storage.Global, tenant)
	if err != nil {
		w.t.Fatal(err)
	}
	return t.UserTypes
}

// A tenant adds, renames, orders and removes user types. What people read changes everywhere, and what rules and users hold
// of a type stays.
func TestUserTypes(t *testing.T) {
	w := newWorld(t)
	robin := w.user("acme", "robin@acme.example", "staff")
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	p := owner.get(owner.get(ui.PathPeople).link(ui.PathUserTypes)).is(atTypes).says("Staff", "2 people", "1 with two-factor authentication", "contractor")

	p = p.submit(ui.PathUserTypes, "name", "Bücher & Co").is(atTypes).says("The user type “Bücher & Co” is added.")
	if got := w.types("acme"); !slices.Equal(got, []string{"staff", "client", "contractor", "b-cher-co"}) {
		t.Fatalf("types: %q", got)
	}
	p = p.submit(ui.PathUserTypes, "name", "Ψ").says("is added")
	p = p.submit("/b-cher-co/up").is(atTypes)
	p.submit("/client/down").is(atTypes)
	if got := w.types("acme"); !slices.Equal(got, []string{"staff", "b-cher-co", "client", "contractor", "type"}) {
		t.Errorf("ordered: %q", got)
	}
	p = owner.get(owner.get(ui.PathUserTypes).link("/staff")).is("Rename “Staff”").submit("/staff", "name", "Employees").is(atTypes).
		says("The user type “Employees” is saved.")
	if strings.Contains(p.text(), "Staff") {
		t.Errorf("the old name is still there:\n%s", p.text())
	}
	// At once, everywhere: in lists, filters and forms, and not for the other tenant.
	owner.get(ui.PathPeople).says("Member · Employees")
	owner.get(ui.PathPeople+"/"+robin.ID).says("Employees").submit("/"+robin.ID, "role", "member", "type", "b-cher-co").says("are saved")
	owner.get(ui.PathPeople).says("Member · Bücher & Co")
	owner.get(ui.PathInvite).says("Employees", "Ψ")
	owner.get(ui.PathPolicy).says("Employees", "Ψ")
	owner.get(ui.PathRules+"/new").says("Employees", "Ψ")
	w.helper("birch", "otto@birch.example", storage.Owner).get(ui.PathPeople).says("Staff")
	// The rule about the type goes on.
	owner.get(ui.PathPeople+"/"+robin.ID).submit("/"+robin.ID, "role", "member", "type", "staff").says("are saved")
	w.browser().get("/account/security").signIn("robin@acme.example").is(atIntro).says("Staff must use two-factor authentication")

	// Removed is what nobody has.
	owner.get(owner.get(ui.PathUserTypes).link("/staff/remove")).says("Remove the user type “Employees”?").submit("/staff/remove").is(atTypes).
		says("“Employees” can’t be removed: there are people of that type.")
	if _, err := storage.Change(t.Context(), w.store.Tenants, storage.Global, "acme", func(a *storage.Tenant) error {
		a.Rules = append([]storage.Rule{{Name: "Contractors stay out", When: storage.When{UserTypes: []string{"contractor"}}, Then: storage.Then{Access: "deny"}}}, a.Rules...)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	owner.get(ui.PathUserTypes + "/contractor/remove").submit("/remove").says("“Contractor” can’t be removed: a rule is about it.")
	owner.get(ui.PathUserTypes + "/b-cher-co/remove").submit("/remove").says("The user type “Bücher & Co” is removed.")
	owner.get(ui.PathUserTypes+"/staff").submit("/staff", "name", "").is(atTypes).says("The user type “Staff” is saved.")
	a, err := w.store.Tenants.Get(t.Context(), storage.Global, "acme")
	if err != nil || !slices.Equal(a.UserTypes, []string{"staff", "client", "contractor", "type"}) || len(a.TypeNames) != 1 || a.TypeNames["type"] != "Ψ" {
		t.Errorf("left: %q, %v (%v)", a.UserTypes, a.TypeNames, err)
	}
	var done []string
	for _, e := range w.events("acme") {
		if strings.HasPrefix(e.Action, "user_type.") && e.Outcome == "ok" {
			done = append(done, strings.TrimPrefix(e.Action, "user_type.")+" "+e.Reason)
		}
	}
	want := []string{
		"add b-cher-co", "add type", "change b-cher-co", "change client", "change staff", "remove b-cher-co", "change staff",
	}
	if !slices.Equal(done, want) {
		t.Errorf("audited: %q\nwant     %q", done, want)
	}
}

// What can't be a name is refused beside the field, and who may not change types can't.
func TestUserTypesRefused(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	for name, says := range map[string]string{
		"":                         "Type in a name.",
		"staff":                    "There is one of that name already.",
		"CLIENT":                   "There is one of that name already.",
		strings.Repeat("long ", 9): "not too long",
		"a\u202eb":                 "Type in a name of one line",
	} {
		if p := owner.get(ui.PathUserTypes).submit(ui.PathUserTypes, "name", name).is(atTypes).says(says); p.status != http.StatusUnprocessableEntity {
			t.Errorf("%q answers %d", name, p.status)
		}
	}
	owner.get(ui.PathUserTypes+"/client").submit("/client", "name", "Staff").says("There is one of that name already.")
	for range 17 {
		owner.get(ui.PathUserTypes).submit(ui.PathUserTypes, "name", "Ω"+strings.Repeat("ω", len(w.types("acme"))))
	}
	if p := owner.get(ui.PathUserTypes).submit(ui.PathUserTypes, "name", "One more"); p.status != http.StatusUnprocessableEntity || len(w.types("acme")) != 20 {
		t.Errorf("the 21st type: %d, there are %d", p.status, len(w.types("acme")))
	}
	for name, c := range map[string]struct {
		by   *browser
		want int
	}{
		"stranger":               {w.browser(), http.StatusSeeOther},
		"member":                 {w.helper("acme", "mia@acme.example", storage.Member).browser, http.StatusForbidden},
		"admin":                  {w.helper("acme", "adam@acme.example", storage.Admin).browser, http.StatusSeeOther},
		"another tenant's owner": {w.helper("birch", "otto@birch.example", storage.Owner).browser, http.StatusNotFound},
	} {
		for path, form := range map[string]url.Values{"/type-9": {"name": {"Renamed by " + name}}, "/type-9/up": {}, "/type-9/remove": {}} {
			if name == "admin" && path == "/type-9/remove" {
				continue
			}
			p, err := c.by.once(c.by.request(http.MethodPost, ui.PathUserTypes+path, form))
			if err != nil || p.status != c.want || c.want == http.StatusSeeOther && strings.HasPrefix(p.header.Get("Location"), "/signin") != (name == "stranger") {
				t.Errorf("%s, %s: %d to %q, want %d (%v)", name, path, p.status, p.header.Get("Location"), c.want, err)
			}
		}
	}
	if !slices.Contains(w.types("acme"), "type-9") {
		t.Error("a type is gone")
	}
}

// A server that still holds the tenant as it was shows the types there are beside a policy, not those that there were: who
// saves the switches would else take one off without having seen it.
func TestUserTypesOfAnotherServer(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	owner.get(ui.PathPolicy)
	stored, err := w.store.Tenants.Get(t.Context(), storage.Global, "acme")
	if err != nil {
		t.Fatal(err)
	}
	stored.UserTypes = append(stored.UserTypes, "apprentice")
	stored.TypeNames = map[string]string{"apprentice": "Apprentices"}
	if err := w.store.Tenants.Replace(t.Context(), &stored); err != nil {
		t.Fatal(err)
	}
	owner.get(ui.PathPolicy).says("Apprentices")
	owner.get(ui.PathRules + "/new").says("Apprentices")
}
