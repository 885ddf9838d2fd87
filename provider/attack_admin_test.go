package provider

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// allScopes are those that a tenant's own clients can be given.
func allScopes() []string {
	var all []string
	for _, s := range admin.Scopes() {
		all = append(all, s.Name)
	}
	return all
}

// An application that a rule asks no second step for gets no token that administers: the API asks what our own pages ask.
func TestAttackAPIByALaxApplication(t *testing.T) {
	w := newWorld(t)
	w.helper("acme", "olga@acme.example", storage.Owner)
	acme := w.tenantOf("acme")
	w.rules("acme", append([]storage.Rule{{
		Name: "The console asks nothing more", When: storage.When{Clients: []string{"console"}},
		Then: storage.Then{Access: "allow", TwoFactor: "off", Strength: "any"},
	}}, acme.Rules...)...)
	thief, _ := w.signedIn("olga@acme.example", "users:read", "users:write") // the password is enough for that one
	thief.call(http.MethodGet, "/api/v1/tenants/acme/users", "").problem(t, "reads", http.StatusForbidden, "error.denied")
	thief.call(http.MethodPost, "/api/v1/tenants/acme/users", `{"email":"mine@acme.example","role":"owner"}`).
		problem(t, "makes an owner", http.StatusForbidden, "error.denied")
}

// A program makes nobody more mighty than itself: an owner whose password it knows could do all that its token is not
// good for. The same holds for programs that act for an owner, and for taking over those whom it may not make.
func TestAttackProgramMakesAnOwner(t *testing.T) {
	w := newWorld(t)
	olga := w.user("birch", "olga@birch.example", "client", func(u *storage.User) { u.Role = storage.Owner })
	kim := w.user("birch", "kim@birch.example", "client")
	ofOwner, _ := w.signedIn("olga@birch.example", "users:write")
	const users = "/api/v1/tenants/birch/users"
	for name, p := range map[string]*caller{"machine": w.machine("robot", "birch", "users:write"), "an owner's": ofOwner} {
		for _, role := range []string{"owner", "admin"} {
			p.call(http.MethodPost, users, `{"email":"mine@birch.example","password":"`+newPassword+`","role":"`+role+`"}`).
				refuses(t, http.StatusUnprocessableEntity, "role", "beyond")
			p.call(http.MethodPost, "/api/v1/tenants/birch/invitations", `{"email":"mine@birch.example","role":"`+role+`"}`).
				refuses(t, http.StatusUnprocessableEntity, "role", "beyond")
			p.call(http.MethodPatch, users+"/"+kim.ID, `{"role":"`+role+`"}`).refuses(t, http.StatusUnprocessableEntity, "role", "beyond")
		}
		if s := p.call(http.MethodPost, users, `{"email":"`+strings.ReplaceAll(name, "'s", "")[:2]+`@birch.example"}`); s.status != http.StatusCreated {
			t.Errorf("%s makes a member: %d %s", name, s.status, s.body)
		}
	}
	mighty := w.machine("mighty", "birch", allScopes()...)
	if s := mighty.call(http.MethodPatch, users+"/"+kim.ID, `{"role":"owner"}`); s.status != http.StatusOK {
		t.Fatalf("with all scopes: %d %s", s.status, s.body)
	}
	// The last owner stays, whoever asks but operators.
	mighty.call(http.MethodPost, users+"/"+olga.ID+"/disable", "")
	for what, s := range map[string]said{
		"disable": mighty.call(http.MethodPost, users+"/"+kim.ID+"/disable", ""),
		"demote":  mighty.call(http.MethodPatch, users+"/"+kim.ID, `{"role":"member"}`),
		"delete":  mighty.call(http.MethodDelete, users+"/"+kim.ID, ""),
	} {
		t.Log(what)
		s.refuses(t, http.StatusUnprocessableEntity, "user", "last_owner")
	}
	if s := w.machine("operations", "", "operator", "users:write").call(http.MethodPost, users+"/"+kim.ID+"/disable", ""); s.status != http.StatusOK {
		t.Errorf("an operator: %d %s", s.status, s.body)
	}
}

// Who may change the account's settings does not change its policy by the way, and who does is told of.
func TestAttackPolicyThroughTheSettings(t *testing.T) {
	w := newWorld(t)
	w.user("acme", "olga@acme.example", "client", func(u *storage.User) { u.Role = storage.Owner })
	p := w.machine("robot", "acme", "tenant:write", "tenant:read")
	p.call(http.MethodPatch, "/api/v1/tenants/acme", `{"require_2fa":[]}`).
		problem(t, "without policy:write", http.StatusForbidden, "error.forbidden")
	if rules := w.tenantOf("acme").Rules; len(rules) != 2 {
		t.Fatalf("the policy was changed: %+v", rules)
	}
	p = w.machine("governor", "acme", "tenant:write", "policy:write")
	w.clock.forward(time.Second)
	if s := p.call(http.MethodPatch, "/api/v1/tenants/acme", `{"require_2fa":[],"email_reset":"on","support":"help@acme.example"}`); s.status != http.StatusOK {
		t.Fatalf("%d %s", s.status, s.body)
	}
	var said []string
	for _, e := range w.events("acme") {
		if e.Actor == "governor" && e.Outcome == "ok" && !strings.HasPrefix(e.Action, "token.") {
			said = append(said, e.Action+": "+e.Reason)
		}
	}
	all := strings.Join(said, "\n")
	for _, word := range []string{"Staff must use two-factor authentication", "email_reset members to on", "support"} {
		if !strings.Contains(all, word) {
			t.Errorf("the log does not tell of %q: %s", word, all)
		}
	}
	if m := w.mails("olga@acme.example"); len(m) != 1 || !strings.Contains(m[0].Subject, "rules") {
		t.Errorf("the owner is not told: %d mails", len(m))
	}
}

// An admin does not keep owners out by a rule that begins tomorrow, and nobody does so with himself.
func TestAttackRuleOfTomorrow(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "olga@birch.example", "client", func(u *storage.User) { u.Role = storage.Owner })
	w.user("birch", "ada@birch.example", "client", func(u *storage.User) { u.Role = storage.Admin })
	w.browser().get("/account/security").signIn("olga@birch.example").is(atSecurity)
	ada, _ := w.signedIn("ada@birch.example", "policy:read", "policy:write")
	tomorrow := w.clock.Now().Add(24 * time.Hour).UTC().Format(time.RFC3339)
	rules := func(first string) string {
		return `{"rules":[` + first + `,{"name":"Everyone may sign in","then":{"access":"allow","two_factor":"optional","strength":"any","unenrolled":"enrol_at_login"}}]}`
	}
	for code, when := range map[string]string{
		"locks_out_owner": `"roles":["owner"],"from":"` + tomorrow + `"`,
		"locks_out_you":   `"from":"` + tomorrow + `"`,
	} {
		s := ada.call(http.MethodPatch, "/api/v1/tenants/birch/policy", rules(`{"name":"Closed","when":{`+when+`},"then":{}}`))
		s.refuses(t, http.StatusUnprocessableEntity, "policy", code)
	}
	// One that lets in until tomorrow, with nothing behind it.
	s := ada.call(http.MethodPatch, "/api/v1/tenants/birch/policy",
		`{"rules":[{"name":"Open till tomorrow","when":{"until":"`+tomorrow+`"},"then":{"access":"allow","two_factor":"optional","strength":"any"}}]}`)
	s.refuses(t, http.StatusUnprocessableEntity, "policy", "locks_out_you")
	s = ada.call(http.MethodPatch, "/api/v1/tenants/birch/policy", rules(`{"name":"No clients","when":{"roles":["member"],"from":"`+tomorrow+`"},"then":{}}`))
	if s.status != http.StatusOK {
		t.Errorf("members from tomorrow: %d %s", s.status, s.body)
	}
}

// An admin, who may know an owner's password, does not take the owner's second step away by a rule, to become the owner.
func TestAttackAdminFreesAnOwner(t *testing.T) {
	w := newWorld(t)
	w.helper("birch", "olga@birch.example", storage.Owner)
	w.user("birch", "ada@birch.example", "client", func(u *storage.User) { u.Role = storage.Admin })
	ada, _ := w.signedIn("ada@birch.example", "policy:read", "policy:write")
	const path = "/api/v1/tenants/birch/policy"
	const last = `{"name":"Everyone may sign in","then":{"access":"allow","two_factor":%q,"strength":"any","unenrolled":"enrol_at_login"}}`
	first := func(when, twoFactor string) string {
		return fmt.Sprintf(`{"rules":[{"name":"First","when":{%s},"then":{"access":"allow","two_factor":%q,"strength":"any"}},`+last+`]}`, when, twoFactor, "optional")
	}
	for what, body := range map[string]string{
		"owners":           first(`"roles":["owner"]`, "off"),
		"everybody":        first(`"networks":["127.0.0.0/8"]`, "unavailable"),
		"from elsewhere":   first(`"networks":["203.0.113.7/32"]`, "off"),
		"tomorrow":         first(`"from":"`+w.clock.Now().Add(24*time.Hour).UTC().Format(time.RFC3339)+`"`, "off"),
		"the last of them": fmt.Sprintf(`{"rules":[`+last+`]}`, "off"),
	} {
		t.Log(what)
		ada.call(http.MethodPatch, path, body).refuses(t, http.StatusUnprocessableEntity, "policy", "frees_owner")
	}
	w.browser().get("/account/security").signIn("olga@birch.example").is(atCode)
	if s := ada.call(http.MethodPatch, path, first(`"roles":["member"]`, "off")); s.status != http.StatusOK {
		t.Errorf("members: %d %s", s.status, s.body)
	}
}

// An admin does not let an owner's mailbox stand for the owner's second step.
func TestAttackMailboxesOfOwners(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "ada@birch.example", "client", func(u *storage.User) { u.Role = storage.Admin })
	w.user("birch", "olga@birch.example", "client", func(u *storage.User) { u.Role = storage.Owner })
	const birch = "/api/v1/tenants/birch"
	ada, _ := w.signedIn("ada@birch.example", "tenant:write")
	ada.call(http.MethodPatch, birch, `{"email_reset":"on"}`).refuses(t, http.StatusUnprocessableEntity, "email_reset", "owner")
	if s := ada.call(http.MethodPatch, birch, `{"email_reset":"off"}`); s.status != http.StatusOK {
		t.Errorf("off: %d %s", s.status, s.body)
	}
	w.machine("robot", "birch", "tenant:write").call(http.MethodPatch, birch, `{"email_reset":"on"}`)
	if s := ada.call(http.MethodPatch, birch, `{"email_reset":"on","support":"help@birch.example"}`); s.status != http.StatusOK {
		t.Errorf("it is on already: %d %s", s.status, s.body)
	}
}

// A tenant's policy does not grow, rule by rule, until each sign-in, of others too, waits for it to be read.
func TestAttackEndlessPolicy(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("birch", "olga@birch.example", storage.Owner)
	long := `{"rules":[{"name":"Plans","when":{"plans":["` + strings.Repeat("x", 201) + `"]},"then":{}}]}`
	w.machine("robot", "birch", "policy:write").call(http.MethodPatch, "/api/v1/tenants/birch/policy", long).
		refuses(t, http.StatusUnprocessableEntity, "rules.when.plans", "too_long")
	var rules []storage.Rule
	for i := range 53 {
		r := storage.Rule{ID: fmt.Sprintf("r%d", i), Name: fmt.Sprintf("Rule %d", i), Then: storage.Then{Access: "allow"}}
		for j := range 480 {
			r.When.Networks = append(r.When.Networks, fmt.Sprintf("10.%d.%d.%d/32", i, j/250, j%250))
		}
		rules = append(rules, r)
	}
	// Nor is it asked at hundreds of times to come whom a policy of before, or the new one, would lock out.
	last := w.tenantOf("birch").Rules
	robot := w.machine("clock", "birch", "policy:write")
	timed := func(n int) string {
		var all []storage.Rule
		for i := range n {
			from := w.clock.Now().Add(time.Duration(i+1) * time.Hour)
			all = append(all, storage.Rule{ID: fmt.Sprintf("t%d", i), Name: "Later", When: storage.When{From: from, Roles: []storage.Role{storage.Member}}})
		}
		all = append(all, last...)
		body, err := json.Marshal(admin.PolicyChange{Rules: &all})
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	w.rules("birch", append(slices.Clone(rules[:50]), last...)...)
	robot.call(http.MethodPatch, "/api/v1/tenants/birch/policy", timed(90)).refuses(t, http.StatusUnprocessableEntity, "rules", "many")
	w.rules("birch", last...)
	if s := robot.call(http.MethodPatch, "/api/v1/tenants/birch/policy", timed(90)); s.status != http.StatusOK {
		t.Errorf("ninety times: %d %s", s.status, s.body)
	}
	w.rules("birch", append(rules, last...)...)
	p := owner.get(ui.PathRules+"/r7").is(atRule).post("/rules/r7", "name", "Rule seven")
	if p.status != http.StatusUnprocessableEntity || w.tenantOf("birch").Rules[7].Name != "Rule 7" {
		t.Errorf("%d %s", p.status, p.text())
	}
}

// An owner does not lock himself out by making himself one of those whom a rule keeps out, nor by ticking himself where
// only a recovery code would help.
func TestAttackOwnerMakesHimselfAnother(t *testing.T) {
	w := newWorld(t)
	olga := w.user("birch", "olga@birch.example", "client", func(u *storage.User) { u.Role = storage.Owner })
	p, _ := w.signedIn("olga@birch.example", "users:write")
	all := w.tenantOf("birch").Rules
	w.rules("birch", append([]storage.Rule{
		{Name: "No contractors", When: storage.When{UserTypes: []string{"contractor"}}},
		{Name: "The ticked", When: storage.When{Ticked: true}, Then: storage.Then{Access: "allow", Strength: "any"}},
	}, all...)...)
	for _, body := range []string{`{"type":"contractor"}`, `{"require_2fa":true}`} {
		p.call(http.MethodPatch, "/api/v1/tenants/birch/users/"+olga.ID, body).
			refuses(t, http.StatusUnprocessableEntity, "policy", "locks_out_you")
	}
	if s := p.call(http.MethodPatch, "/api/v1/tenants/birch/users/"+olga.ID, `{"type":"staff"}`); s.status != http.StatusOK {
		t.Errorf("%d %s", s.status, s.body)
	}
}

// A cursor that we never gave reaches no database.
func TestAttackCursors(t *testing.T) {
	w := newWorld(t)
	p := w.machine("robot", "birch", "users:read", "clients:read", "audit:read")
	for _, forged := range []string{"\x00", "\xff\xfe", "a\nb", "\u202e"} {
		for _, list := range []string{"users", "invitations", "clients", "audit/entries"} {
			path := "/api/v1/tenants/birch/" + list + "?after=" + base64.RawURLEncoding.EncodeToString([]byte(forged))
			if s := p.call(http.MethodGet, path, ""); s.status != http.StatusBadRequest {
				t.Errorf("%q of %s: %d %s", forged, list, s.status, s.body)
			}
		}
	}
}
