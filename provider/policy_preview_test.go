package provider

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// omits fails the test if the page says any of it.
func (p *page) omits(words ...string) *page {
	p.b.t.Helper()
	text := strings.Join(strings.Fields(p.text()), " ")
	for _, w := range words {
		if strings.Contains(text, w) {
			p.b.t.Fatalf("%s (%d) says %q:\n%s", p.url, p.status, w, p.text())
		}
	}
	return p
}

// bench is an application of birch that rules are about, with a tag.
func (w *world) bench() *app {
	w.t.Helper()
	const redirect = "https://bench.example/callback"
	secret := w.client("bench", "web", redirect, func(c *storage.Client) {
		c.Name, c.Owner, c.Tags = "Workbench", "birch", []string{"internal"}
	})
	return w.connect("bench", secret, redirect)
}

// 001-3: a rule about an application means something there only, and the preview says so: what it announces is what comes.
func TestPreviewAtAnApplication(t *testing.T) {
	w := newWorld(t, atLocalhost)
	bench := w.bench()
	w.user("birch", "kim@birch.example", "client")
	w.user("birch", "lee@birch.example", "contractor", func(u *storage.User) { u.Disabled = true })
	owner := w.helper("birch", "olga@birch.example", storage.Owner)
	newRule := func(pairs ...string) *page {
		return owner.fresh(ui.PathRules+"/new").is(atNewRule).post("/rules/new", append([]string{"name", "Workbench needs a passkey", "strength", "resistant"}, pairs...)...)
	}

	for _, pairs := range [][]string{{"+client", "bench"}, {"tags", "finance internal"}} {
		newRule(pairs...).is(atPreview).omits("nothing changes").
			says(
				"New rule: Workbench needs a passkey", "As rule 1 of 2", "Only with what resists phishing", "At Workbench 2 users are asked for more than now.",
				"One user has to set up two-factor authentication at the next sign-in.",
				"One user has to set up another second step at the next sign-in, because what is set up will not do.",
				"One user must use two-factor authentication then",
			)
	}
	first := bench.attempt()
	first.redeem(first.begin(w.browser()).signIn("kim@birch.example"))
	newRule("+client", "bench").saved()
	bench.attempt().begin(w.browser()).signIn("kim@birch.example").is(atIntro).says("Workbench needs a passkey")
	w.browser().get("/account/security").signIn("kim@birch.example").is(atSecurity)

	// A rule that names no application decides there as well once it stands before one that does: less is asked then. A
	// switch goes behind it, and means nothing there.
	rule := w.tenantOf("birch").Rules[0].ID
	p := owner.fresh(ui.PathPolicy).post("/"+rule+"/down").is(atPreview).omits("nothing changes").
		says("Rule moved up: Everyone may sign in", "At Workbench 2 users are asked for less than now.").omits("must use two-factor authentication then")
	p.saved()
	owner.get(ui.PathPolicy).post("/"+rule+"/up").says("Rule moved up: Workbench needs a passkey", "As rule 1 of 2", "At Workbench 2 users are asked for more").saved()
	owner.get(ui.PathPolicy).post("/policy", "+must", "client").says("One user is asked for more than now.").omits("At Workbench")
}

// What the rules of programs and of applications nobody can sign in to say is nothing to users; those who can't get in at an
// application any more are named.
func TestPreviewNamesWhoIsKeptOutAtAnApplication(t *testing.T) {
	w := newWorld(t)
	w.bench()
	w.client("robot", "machine", "", func(c *storage.Client) { c.Name, c.Owner = "Robot", "birch" })
	w.client("closed", "web", "https://closed.example/", func(c *storage.Client) { c.Name, c.Owner, c.Disabled = "Closed", "birch", true })
	w.user("birch", "kim@birch.example", "client")
	owner := w.helper("birch", "olga@birch.example", storage.Owner)
	form := func() *page { return owner.get(ui.PathRules + "/new").is(atNewRule) }

	form().omits("Robot").post("/rules/new", "name", "No clients at the bench", "+client", "bench", "+type", "client", "access", "deny").
		says("At Workbench One user is asked for more than now. One user gets in no more without somebody’s help.", "Who would need help", "kim@birch.example", "Save all the same")
	form().post("/rules/new", "name", "Nobody there", "+client", "closed", "access", "deny").
		says("For the 2 users of the account nothing changes", "At the moment no user meets its conditions.").omits("must use two-factor authentication then")

	// A rule about a program keeps it when it is opened and saved on the page.
	w.rules("birch", append([]storage.Rule{{ID: "r", Name: "Robots", When: storage.When{Clients: []string{"robot"}}, Then: storage.Then{Access: "allow"}}}, w.tenantOf("birch").Rules...)...)
	owner.fresh(ui.PathRules+"/r").says("Robot").post("/rules/r", "name", "Our robot").is(atPreview).saved()
	if r := w.tenantOf("birch").Rules[0]; r.Name != "Our robot" || len(r.When.Clients) != 1 {
		t.Errorf("saved as %+v", r)
	}

	m := w.machine("reader", "birch", "policy:read")
	got := m.call(http.MethodPost, "/api/v1/tenants/birch/policy/preview", `{"rules":[{"id":"bench","name":"Bench","when":{"client_tags":["internal"]},"then":{"access":"allow","strength":"any","unenrolled":"enrol_at_login"}},
		{"id":"default","name":"Everyone may sign in","when":{},"then":{"access":"allow","two_factor":"optional","strength":"any","unenrolled":"enrol_at_login"}}]}`).json(t)
	want := "map[another:0 clients:[map[client_id:bench name:Workbench]] enrol:1 less:0 locked_out:0 more:1]"
	if at := fmt.Sprint(got["applications"]); at != "["+want+"]" || got["enrol"] != 1.0 || got["more"] != 1.0 || got["no_factor"] != 1.0 ||
		fmt.Sprint(got["own_pages"]) != "map[another:0 enrol:0 less:0 locked_out:0 more:0]" {
		t.Errorf("%s is not in %v", want, got)
	}
	if r, _ := got["rules"].([]any); len(r) == 0 || !strings.Contains(fmt.Sprint(r[0]), "change:added decides:2 earlier:[] of:2 place:1") {
		t.Errorf("rules: %v", got["rules"])
	}
}

// A new rule goes where it has a say unless it is put elsewhere, and then the preview tells who has it instead.
func TestNewRuleIsHeard(t *testing.T) {
	w := newWorld(t)
	w.bench()
	w.user("birch", "sam@birch.example", "staff")
	w.user("birch", "kim@birch.example", "client")
	owner := w.helper("birch", "olga@birch.example", storage.Owner)
	owner.get(ui.PathPolicy).post("/policy", "+must", "staff").saved()
	newRule := func(pairs ...string) *page {
		return owner.fresh(ui.PathRules+"/new").is(atNewRule).says("where it takes effect").post("/rules/new", append([]string{"name", "The bench"}, pairs...)...).is(atPreview)
	}
	newRule("+client", "bench").says("As rule 1 of 3").omits("decides first", "no user")
	newRule("+client", "bench", "place", "default").
		says("As rule 2 of 3", "For 2 users “Staff must use two-factor authentication” decides first. To change that, move the rule up.").omits("As it stands")
	newRule("+client", "bench", "place", "").
		says("As rule 3 of 3", "As it stands, it decides for no user. For 2 users “Staff must use two-factor authentication” decides first. For one user “Everyone may sign in” decides first.")
	newRule("+client", "bench", "+type", "contractor").says("At the moment no user meets its conditions.", "For the 3 users of the account nothing changes")
	newRule("+client", "bench", "place", "", "report", "yes").omits("decides first", "it decides for no user")
	// Single users, and a network, go before groups too.
	newRule("users", "sam@birch.example").says("As rule 1 of 3")
	newRule("+role", "owner").says("As rule 2 of 3")
	// The command line puts it there too.
	p, err := w.p.Admin().Policy(t.Context(), web.Operator(), "birch")
	if err != nil {
		t.Fatal(err)
	}
	if i := admin.Place(p.Rules, storage.Rule{When: storage.When{ClientTags: []string{"internal"}}, Then: storage.Then{Access: "allow"}}); i != 0 {
		t.Errorf("before rule %d", i+1)
	}
}

// Tags are typed in alike wherever they are.
func TestTagsWithSpacesOrCommas(t *testing.T) {
	w := newWorld(t)
	w.bench()
	owner := w.helper("birch", "olga@birch.example", storage.Owner)
	const hint = "Separate with spaces or commas."
	for typed, want := range map[string]string{"finance, internal": "[finance internal]", "finance internal": "[finance internal]", " ,finance,,internal\tx ": "[finance internal x]", "": "[]"} {
		owner.fresh(ui.PathApplications+"/bench/edit").says(hint).post("/bench/edit", "tags", typed)
		c, err := w.store.Clients.Get(t.Context(), storage.Global, "bench")
		if err != nil || fmt.Sprint(c.Tags) != want {
			t.Errorf("application, %q: %v (%v)", typed, c.Tags, err)
		}
		owner.fresh(ui.PathRules+"/new").says(hint).post("/rules/new", "name", "By tag", "tags", typed, "+role", "member").saved()
		rules := w.tenantOf("birch").Rules
		if got := fmt.Sprint(rules[0].When.ClientTags); got != want {
			t.Errorf("rule, %q: %s", typed, got)
		}
		w.rules("birch", rules[1:]...)
	}
}
