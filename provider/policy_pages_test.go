package provider

import (
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// Headings of pages.
const (
	atPolicy   = "Two-factor authentication"
	atPreview  = "What this change does"
	atNetworks = "Networks"
	atRule     = "Rule"
	atNewRule  = "New rule"
	atExplain  = "Why is somebody asked?"
	atChanged  = "Somebody else was faster"
)

// filled is a form of the page with all that stands in it, as a browser would send it: what is ticked and chosen too.
func (p *page) filled(suffix string) (action string, fields url.Values) {
	p.b.t.Helper()
	var form *html.Node
	p.walk(func(n *html.Node) {
		if n.Data == "form" && attr(n, "method") == "post" && strings.HasSuffix(attr(n, "action"), suffix) {
			form = n
		}
	})
	if form == nil {
		p.b.t.Fatalf("no form posts to …%s on %s:\n%s", suffix, p.url, p.text())
	}
	fields = url.Values{}
	visit(form, func(n *html.Node) {
		name, kind := attr(n, "name"), attr(n, "type")
		switch {
		case name == "":
		case n.Data == "input" && (kind != "checkbox" || has(n, "checked")):
			fields.Add(name, attr(n, "value"))
		case n.Data == "textarea" && n.FirstChild != nil:
			fields.Add(name, strings.TrimPrefix(n.FirstChild.Data, "\n"))
		case n.Data == "select":
			var first, chosen *html.Node
			visit(n, func(o *html.Node) {
				if o.Data == "option" && first == nil {
					first = o
				}
				if o.Data == "option" && has(o, "selected") {
					chosen = o
				}
			})
			if chosen == nil {
				chosen = first
			}
			fields.Add(name, attr(chosen, "value"))
		}
	})
	return p.b.issuer + attr(form, "action"), fields
}

func has(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
}

// post sends a form as a browser would, with changes: pairs of names and values. A name with a plus before it gets one value
// more, one with a minus before it loses that value.
func (p *page) post(suffix string, pairs ...string) *page {
	p.b.t.Helper()
	return p.b.follow(p.posting(suffix, pairs...))
}

func (p *page) posting(suffix string, pairs ...string) *http.Request {
	p.b.t.Helper()
	action, fields := p.filled(suffix)
	for i := 0; i+1 < len(pairs); i += 2 {
		name, value := pairs[i], pairs[i+1]
		switch {
		case strings.HasPrefix(name, "+"):
			fields.Add(name[1:], value)
		case strings.HasPrefix(name, "-"):
			fields[name[1:]] = slices.DeleteFunc(fields[name[1:]], func(v string) bool { return v == value })
		default:
			fields.Set(name, value)
		}
	}
	return p.b.request(http.MethodPost, action, fields)
}

// ten is more than caches keep a policy for.
const ten = 10 * time.Second

// saved saves what a preview shows, and lets the caches run out.
func (p *page) saved(pairs ...string) *page {
	p.b.t.Helper()
	q := p.is(atPreview).post("/policy/save", append([]string{"do", "save"}, pairs...)...).says("The policy is saved")
	p.b.w.clock.forward(ten)
	return q
}

// 001-3, 001-4: staff must, clients need not; the owner sees what that does before it is saved, and the next sign-in of
// staff sets it up.
func TestForceStaff(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "sam@birch.example", "staff")
	w.user("birch", "kim@birch.example", "client")
	owner := w.helper("birch", "olga@birch.example", storage.Owner)
	w.browser().get("/account/security").signIn("sam@birch.example").is(atSecurity)

	p := owner.get(ui.PathPolicy).is(atPolicy).says("Staff", "Contractor", "Everyone", "Everyone may sign in")
	p = p.post("/policy", "+must", "staff").is(atPreview).
		says("New rule: Staff must use two-factor authentication", "One user has to set up two-factor authentication", "One user must use two-factor authentication then", "The account has 3 users")
	// Not saved, nothing happens.
	w.browser().get("/account/security").signIn("sam@birch.example").is(atSecurity)
	p.saved().is(atPolicy).says("Staff must use two-factor authentication", "User type: Staff")

	w.browser().get("/account/security").signIn("sam@birch.example").is(atIntro).says("Staff must use two-factor authentication")
	w.browser().get("/account/security").signIn("kim@birch.example").is(atSecurity)

	i := slices.IndexFunc(w.events("birch"), func(e storage.Event) bool { return e.Action == "policy.change" })
	if e := w.events("birch")[max(i, 0)]; i < 0 || e.Actor != owner.ID || e.Reason != `rule "Staff must use two-factor authentication" added` {
		t.Errorf("audit log: %+v", e)
	}
	// Nothing new is no change, and switched off again all is as before.
	owner.get(ui.PathPolicy).post("/policy").is(atPolicy).says("There was nothing to change")
	owner.get(ui.PathPolicy).post("/policy", "-must", "staff").says("Rule removed: Staff must use two-factor authentication", "One user is asked for less than now").saved()
	w.browser().get("/account/security").signIn("sam@birch.example").is(atSecurity)
}

// 002-17, 002-18: everyone must; who has set up nothing gets in with an owner's code alone, or sets it up, as it is chosen.
func TestForceEveryone(t *testing.T) {
	w := newWorld(t)
	kim := w.user("birch", "kim@birch.example", "client")
	w.user("birch", "lee@birch.example", "contractor")
	owner := w.helper("birch", "olga@birch.example", storage.Owner)
	owner.get(ui.PathPolicy).post("/policy", "+must", "everyone", "unenrolled", "recovery").
		says("2 users get in no more without somebody’s help", "kim@birch.example", "lee@birch.example", "Save all the same").saved()

	p := w.browser().get("/account/security").signIn("kim@birch.example").is(atRecovery)
	p.b.follow(p.b.request(http.MethodPost, p.url.String()+"/set-up/totp", url.Values{})).is(atRecovery)
	code, _ := owner.handOut(kim)
	p.submit("/with/recovery", "code", code).is(atIntro).says("You came in with a recovery code").submit("/later").is(atSecurity)

	// What is switched on elsewhere does the same.
	q := owner.get(ui.PathNetworks).post("/networks", "prefix", "127.0.0.0/8", "ask", "0")
	q.saved().is(atNetworks)
	for _, r := range w.tenantOf("birch").Rules {
		if r.Then.Unenrolled != "" && r.Then.TwoFactor == "" {
			t.Errorf("rule %q lets users set it up who have not", r.Name)
		}
	}

	owner.fresh(ui.PathPolicy).post("/policy", "unenrolled", "enrol").says("2 users have to set up two-factor authentication").saved()
	w.browser().get("/account/security").signIn("kim@birch.example").is(atIntro)
}

// fresh opens a page as somebody who proved a second step just now.
func (h *helper) fresh(path string) *page {
	h.t.Helper()
	h.w.clock.forward(time.Minute)
	h.signOut()
	h.get(path).signIn(h.Email).submit("/with/totp", "code", h.phone.next())
	return h.get(path)
}

func (w *world) tenantOf(id string) storage.Tenant {
	w.t.Helper()
	t, err := w.store.Tenants.Get(w.t.Context(), storage.Global, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return t
}

// A rule is written, tried, enforced, moved and removed; users are named by their e-mail addresses, and what can't be is
// told beside its field.
func TestRules(t *testing.T) {
	w := newWorld(t)
	kim := w.user("birch", "kim@birch.example", "client")
	w.user("birch", "lee@birch.example", "client")
	owner := w.helper("birch", "olga@birch.example", storage.Owner)
	form := func() *page { return owner.get(owner.get(ui.PathPolicy).link("/rules/new")).is(atNewRule) }

	for says, pairs := range map[string][]string{
		"Give the rule a name":                                 {"name", " "},
		"There is no such user. That is: nobody@birch.example": {"name", "Kim", "users", "kim@birch.example\r\nnobody@birch.example"},
		"That is an address within a range":                    {"name", "Kim", "networks", "203.0.113.7/24"},
		"That is: 203.0.113.7/24":                              {"name", "Kim", "not_networks", "2001:db8::/48\n203.0.113.7/24"},
		"Give a whole number from 0 to 30.":                    {"name", "Kim", "remember_days", "31"},
		"Give a whole number":                                  {"name", "Kim", "remember_days", "many"},
		"It ends before it begins":                             {"name", "Kim", "from", "2026-03-04T14:03", "until", "2026-03-04T14:03"},
		"That is no date and time":                             {"name", "Kim", "grace", "soon"},
		"There is no such second step":                         {"name", "Kim", "factor", "pigeon"},
		"There is no such user type":                           {"name", "Kim", "type", "wizard"},
		"There is no such application":                         {"name", "Kim", "client", "nothing"},
	} {
		p := form().post("/rules/new", append([]string{"tags", "kept, as typed"}, pairs...)...)
		if p.status != http.StatusUnprocessableEntity {
			t.Errorf("%v: %d", pairs, p.status)
		}
		p.is(atNewRule).says(says)
		if _, fields := p.filled("/rules/new"); fields.Get("tags") != "kept, as typed" {
			t.Errorf("%v: what was typed is gone: %v", pairs, fields)
		}
	}

	// Only reported: nothing happens, and it is counted.
	form().post("/rules/new", "name", "Kim must", "users", "kim@birch.example").
		is(atPreview).says("New rule: Kim must", "One user has to set up").saved("do", "report").says("Kim must", "Only reported", "It would have decided no sign-in")
	w.browser().get("/account/security").signIn("kim@birch.example").is(atSecurity)
	w.browser().get("/account/security").signIn("kim@birch.example").is(atSecurity)
	w.browser().get("/account/security").signIn("lee@birch.example").is(atSecurity)
	p := owner.fresh(ui.PathPolicy).says("It would have decided 2 sign-ins of one user")

	// Enforced.
	rule := w.tenantOf("birch").Rules[0]
	if !slices.Equal(rule.When.Users, []string{kim.ID}) || rule.ReportOnly != true || rule.Name != "Kim must" {
		t.Fatalf("saved as %+v", rule)
	}
	at := p.link("/rules/" + rule.ID)
	if _, fields := owner.get(at).filled("/rules/" + rule.ID); fields.Get("users") != "kim@birch.example" || fields.Get("report") != "yes" {
		t.Errorf("the form has %v", fields)
	}
	owner.get(at).is(atRule).post("/rules/"+rule.ID, "-report", "yes", "name", "Kim must now").says("Rule changed: Kim must now").saved()
	w.browser().get("/account/security").signIn("kim@birch.example").is(atIntro).says("Kim must now")
	w.browser().get("/account/security").signIn("lee@birch.example").is(atSecurity)

	// Behind the rule for everybody it has no say any more; then it goes.
	owner.get(ui.PathPolicy).post("/"+rule.ID+"/down").says("Rule moved up: Everyone may sign in", "One user is asked for less").saved()
	w.browser().get("/account/security").signIn("kim@birch.example").is(atSecurity)
	owner.get(ui.PathPolicy).post("/"+rule.ID+"/up").says("Rule moved up: Kim must now", "As rule 1 of 2", "One user is asked for more").saved()
	owner.get(ui.PathPolicy).post("/" + rule.ID + "/delete").says("Rule removed: Kim must now").saved()
	if n := len(w.tenantOf("birch").Rules); n != 1 {
		t.Errorf("%d rules are left", n)
	}
}

// What a switch is about, and whether it forces, is the switch's; a built-in rule keeps that whatever is sent.
func TestBuiltInRules(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	at := owner.get(ui.PathPolicy).is(atPolicy).link("/rules/type-staff")
	owner.get(at).is(atRule).says("These conditions come from a switch").
		post("/rules/type-staff", "name", "Our staff", "type", "client", "access", "deny", "two_factor", "off", "report", "yes", "strength", "any", "remember_days", "7").
		says("Rule changed: Our staff").saved()
	r := w.tenantOf("acme").Rules[0]
	want := storage.Rule{
		ID: "type-staff", Name: "Our staff", When: storage.When{UserTypes: []string{"staff"}},
		Then: storage.Then{Access: "allow", Strength: "any", Unenrolled: "enrol_at_login", RememberDays: 7},
	}
	if !reflect.DeepEqual(r, want) {
		t.Errorf("saved as %+v, want %+v", r, want)
	}
	for _, bad := range []string{
		`{"rules":[{"id":"type-staff","name":"x","when":{"user_types":["client"]},"then":{"access":"allow"}}]}`,
		`{"rules":[{"id":"type-staff","name":"x","when":{"user_types":["staff"]},"then":{"access":"allow"},"report_only":true}]}`,
		`{"rules":[{"id":"everyone","name":"x","when":{},"then":{"access":"allow","two_factor":"off"}}]}`,
		`{"rules":[{"id":"everyone","name":"x","when":{},"then":{}}]}`,
		`{"rules":[{"id":"networks","name":"x","when":{"roles":["member"]},"then":{}}]}`,
		`{"rules":[{"id":"ticked","name":"x","when":{},"then":{"access":"allow"}}]}`,
	} {
		got := w.operator().call(http.MethodPatch, "/api/v1/tenants/acme/policy", bad)
		if v := got.problem(t, bad, http.StatusUnprocessableEntity, "error.invalid"); !strings.Contains(fmt.Sprint(v["errors"]), "built_in") {
			t.Errorf("%s: %s", bad, got.body)
		}
	}
}

// operator is a program that runs the deployment.
func (w *world) operator() *caller {
	w.t.Helper()
	return w.machine("operator-"+storage.NewID(), "", "operator", "policy:read", "policy:write")
}

// A draft is of one user in one tenant, for half an hour, and of the policy that it was made from.
func TestDrafts(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("birch", "olga@birch.example", storage.Owner)
	second := w.helper("birch", "otto@birch.example", storage.Owner)
	other := w.helper("acme", "olga@acme.example", storage.Owner)
	before := w.tenantOf("birch")
	preview := owner.fresh(ui.PathPolicy).post("/policy", "+must", "staff").is(atPreview)
	_, draft := preview.filled("/policy/save")
	for who, c := range map[string]struct {
		by    *helper
		draft string
		want  int
	}{
		"another owner":          {second, draft.Get("draft"), http.StatusBadRequest},
		"another tenant's owner": {other, draft.Get("draft"), http.StatusBadRequest},
		"forged":                 {owner, draft.Get("draft") + "A", http.StatusBadRequest},
		"cut":                    {owner, draft.Get("draft")[:40], http.StatusBadRequest},
		"empty":                  {owner, "", http.StatusBadRequest},
		"something else of ours": {owner, preview.url.Query().Get("notice"), http.StatusBadRequest},
	} {
		for _, path := range []string{"/policy/save", "/policy/preview"} {
			if p := c.by.follow(c.by.request(http.MethodPost, ui.PathConsole+path[1:], url.Values{"draft": {c.draft}, "do": {"save"}})); p.status != c.want {
				t.Errorf("%s, %s: %d, want %d", who, path, p.status, c.want)
			}
		}
		if p := c.by.get(ui.PathPolicy + "/preview?" + url.Values{"draft": {c.draft}}.Encode()); p.status != c.want {
			t.Errorf("%s, preview: %d, want %d", who, p.status, c.want)
		}
	}
	// Of a switch there is nothing to be reported only.
	if p := owner.follow(preview.posting("/policy/save", "do", "report")); p.status != http.StatusBadRequest {
		t.Errorf("a switch is only reported: %d", p.status)
	}
	if now := w.tenantOf("birch"); now.Version != before.Version {
		t.Fatal("the policy was changed")
	}

	// Somebody else was faster: before the preview, and before it is saved.
	form := owner.get(ui.PathPolicy)
	preview = form.post("/policy", "+must", "staff").is(atPreview)
	second.get(ui.PathPolicy).post("/policy", "+must", "client").saved()
	for _, p := range []*page{preview.post("/policy/save", "do", "save"), form.post("/policy", "+must", "staff"), owner.get(preview.url.String())} {
		if p.is(atChanged).says("nothing of yours was saved"); p.status != http.StatusConflict || p.link("/policy") != ui.PathPolicy {
			t.Errorf("%s: %d", p.url, p.status)
		}
	}
	if p, err := w.p.Admin().Policy(t.Context(), web.Operator(), "birch"); err != nil || !slices.Equal(p.Require2FA, []string{"client"}) {
		t.Errorf("must: %q (%v)", p.Require2FA, err)
	}

	// Too old.
	preview = owner.get(ui.PathPolicy).post("/policy", "+must", "staff").is(atPreview)
	w.clock.forward(31 * time.Minute)
	owner.fresh(ui.PathPolicy)
	if p := owner.follow(preview.posting("/policy/save", "do", "save")); p.status != http.StatusGone {
		t.Errorf("after 31 minutes: %d", p.status)
	}
}

// Whoever proved nothing lately does so before the preview, and comes back to it with the draft.
func TestSecondStepBeforeThePreview(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("birch", "olga@birch.example", storage.Owner)
	form := owner.get(ui.PathPolicy)
	w.clock.forward(11 * time.Minute)
	p := form.post("/policy", "+must", "staff").is(atCode)
	p.submit("/with/totp", "code", owner.phone.next()).is(atPreview).says("New rule: Staff must use").saved()
}

// A policy of half a megabyte is changed like any other: what travels is the change.
func TestManyRules(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("birch", "olga@birch.example", storage.Owner)
	var rules []storage.Rule
	for i := range 40 {
		r := storage.Rule{ID: fmt.Sprintf("r%d", i), Name: fmt.Sprintf("Rule %d", i), Then: storage.Then{Access: "allow", TwoFactor: "off"}}
		for j := range 480 {
			r.When.Networks = append(r.When.Networks, fmt.Sprintf("10.%d.%d.%d/32", i, j/250, j%250))
		}
		rules = append(rules, r)
	}
	w.rules("birch", append(rules, w.tenantOf("birch").Rules...)...)
	owner.get(ui.PathRules+"/r7").is(atRule).post("/rules/r7", "name", "Rule seven").is(atPreview).says("Rule changed: Rule seven").saved("do", "report")
	owner.get(ui.PathPolicy).post("/r7/up").says("Rule moved up: Rule seven", "As rule 7 of 41").saved()
	owner.get(ui.PathPolicy).post("/r39/delete").says("Rule removed: Rule 39").saved()
	now := w.tenantOf("birch").Rules
	if len(now) != 40 || now[6].Name != "Rule seven" || !now[6].ReportOnly || !slices.Equal(now[6].When.Networks, rules[7].When.Networks) || now[7].ID != "r6" {
		t.Errorf("%d rules, %q behind %q", len(now), now[7].ID, now[6].Name)
	}
	// Five hundred networks do not fit into an address, and go along in the page.
	var ranges []string
	for i := range 480 {
		ranges = append(ranges, "+prefix", fmt.Sprintf("192.0.%d.%d", i/250, i%250), "+called", "Shop "+storage.NewID()[:12])
	}
	p := owner.fresh(ui.PathNetworks).post("/networks", append(ranges, "restricted", "yes", "+prefix", "127.0.0.0/8")...).is(atPreview)
	if p.url.Query().Has("draft") {
		t.Errorf("the address is of %d bytes", len(p.url.String()))
	}
	p.saved().is(atNetworks)
	if n := len(w.tenantOf("birch").Networks); n != 481 {
		t.Errorf("%d networks", n)
	}
}

// An admin changes the policy like an owner, but can't lock out one, who could take it back.
func TestAdminDoesNotLockOutTheOwner(t *testing.T) {
	w := newWorld(t, trusting)
	owner := w.helper("birch", "olga@birch.example", storage.Owner)
	adm := w.helper("birch", "adam@birch.example", storage.Admin)
	owner.from("203.0.113.7").signOut()
	owner.get("/account/security").signIn(owner.Email).submit("/with/totp", "code", owner.phone.next()).is(atSecurity)
	adm.from("198.51.100.7")
	p := adm.get(ui.PathNetworks).post("/networks", "prefix", "198.51.100.0/24", "restricted", "yes").is(atPreview).
		says("would keep out olga@birch.example, an owner of the account")
	if p.status != http.StatusUnprocessableEntity {
		t.Errorf("%d", p.status)
	}
	adm.get(ui.PathNetworks).post("/networks", "prefix", "198.51.100.0/24", "+prefix", "203.0.113.0/24", "restricted", "yes").saved()
	// The owner is told by mail who changed what.
	if m := w.mails(owner.Email); len(m) == 0 || !strings.Contains(m[0].Text, "Olga Owner changed who must use two-factor authentication") {
		t.Errorf("the owner is not told: %+v", m)
	}
	if m := w.mails(adm.Email); len(m) > 0 && strings.Contains(m[0].Subject, "policy") {
		t.Errorf("whoever did it is told: %q", m[0].Subject)
	}
}

// A program changes the policy of the version that it read, all of it or nothing, and can't lock itself out either.
func TestPolicyByAProgram(t *testing.T) {
	w := newWorld(t)
	kim := w.user("birch", "kim@birch.example", "client")
	m := w.machine("robot", "birch", "policy:read", "policy:write")
	const path = "/api/v1/tenants/birch/policy"
	version := m.call(http.MethodGet, path, "").json(t)["version"]
	change := fmt.Sprintf(`{"version":%v,"require_2fa":["client"],"networks":[{"prefix":"127.0.0.1"},{"prefix":"2001:db8::/48","name":"Annex","require_2fa":true}]}`, version)

	p := m.call(http.MethodPost, path+"/preview", change).json(t)
	if p["users"] != 1.0 || p["enrol"] != 1.0 || p["no_factor"] != 1.0 || p["locked_out"] != 0.0 {
		t.Errorf("preview: %v", p)
	}
	if again := m.call(http.MethodGet, path, "").json(t)["version"]; again != version {
		t.Error("the preview changed something")
	}
	now := m.call(http.MethodPatch, path, change).json(t)
	if fmt.Sprint(now["require_2fa"], now["networks"]) != "[client] [map[prefix:127.0.0.1/32] map[name:Annex prefix:2001:db8::/48 require_2fa:true]]" {
		t.Errorf("saved: %v", now)
	}
	m.call(http.MethodPatch, path, change).problem(t, "a version of before", http.StatusConflict, "error.exists")
	v := m.call(http.MethodPatch, path, `{"restricted":true,"networks":[{"prefix":"203.0.113.0/24"}]}`).problem(t, "itself", http.StatusUnprocessableEntity, "error.invalid")
	if !strings.Contains(fmt.Sprint(v["errors"]), "locks_out_you") || !strings.Contains(fmt.Sprint(v["errors"]), "127.0.0.1") {
		t.Errorf("%v", v)
	}
	for bad, where := range map[string]string{
		`{"require_2fa":["wizard"]}`:                                   "require_2fa",
		`{"networks":[{"prefix":"203.0.113.7/24"}]}`:                   "networks",
		`{"restricted":true,"networks":[]}`:                            "networks",
		`{"rules":[{"name":"","when":{},"then":{}}]}`:                  "rules.name",
		`{"rules":[{"name":"x","when":{"users":["no"]},"then":{}}]}`:   "rules.when.users",
		`{"rules":[{"name":"x","when":{"clients":["no"]},"then":{}}]}`: "rules.when.clients",
	} {
		got := m.call(http.MethodPatch, path, bad).problem(t, bad, http.StatusUnprocessableEntity, "error.invalid")
		if !strings.Contains(fmt.Sprint(got["errors"]), "where:"+where+" ") && !strings.HasSuffix(fmt.Sprint(got["errors"]), "where:"+where+"]]") {
			t.Errorf("%s: %v", bad, got["errors"])
		}
	}
	x := m.call(http.MethodPost, path+"/explain", `{"user":"kim@birch.example","address":"127.0.0.1"}`).json(t)
	if fmt.Sprintf("%v %v", x["rule_id"], x["asked"]) != "type-client map[factors:[totp] kind:enrol]" {
		t.Errorf("explained: %v", x)
	}
	m.call(http.MethodPatch, path, `{"rules":[{"id":"trial","name":"Trial","when":{},"then":{},"report_only":true},{"id":"default","name":"The rest","when":{},"then":{"access":"allow","two_factor":"optional","strength":"any"}}]}`)
	w.clock.forward(ten)
	w.browser().get("/account/security").signIn(kim.Email).is(atSecurity)
	if r := m.call(http.MethodGet, path+"/reports", "").json(t); !strings.Contains(fmt.Sprint(r["items"]), "map[id:trial name:Trial sign_ins:1 users:1]") {
		t.Errorf("reports: %v", r)
	}
}
