package provider

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/policy"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// What comes right after the password, as policy.Ask calls it. It is read off the page, or off the address of the
// application that the browser came back to.
func (p *page) asked(a *app) policy.Ask {
	p.b.t.Helper()
	if strings.HasPrefix(p.url.String(), a.config.RedirectURL) {
		switch q := p.url.Query(); {
		case q.Get("code") != "":
			return policy.AskNothing
		case q.Get("error") == "access_denied":
			return policy.AskDenied
		default:
			return policy.AskUnmet
		}
	}
	headings := map[string]policy.Ask{
		atAccount: policy.AskNothing, atCode: policy.AskPrompt, atIntro: policy.AskEnrol, atRecovery: policy.AskRecoveryCode,
		"You can’t sign in from here": policy.AskDenied,
	}
	ask, ok := headings[p.heading()]
	if !ok {
		p.b.t.Fatalf("%s (%d) is %q:\n%s", p.url, p.status, p.heading(), p.text())
	}
	return ask
}

// Every condition, and every decision: what is explained is what then happens at the sign-in, for users × addresses ×
// applications × times.
func TestExplanationsAreTrue(t *testing.T) {
	w := newWorld(t, trusting)
	begin := w.clock.Now()
	may := storage.Then{Access: "allow", TwoFactor: "optional", Strength: "any", Unenrolled: "enrol_at_login"}
	must := storage.Then{Access: "allow", Strength: "any", Unenrolled: "enrol_at_login"}
	then := func(t storage.Then, change func(*storage.Then)) storage.Then {
		change(&t)
		return t
	}
	users := map[string]storage.User{
		"kim": w.user("birch", "kim@birch.example", "client"), "sam": w.user("birch", "sam@birch.example", "staff"),
		"tic": w.user("birch", "tic@birch.example", "client", func(u *storage.User) { u.Require2FA = true }),
		"ada": w.user("birch", "ada@birch.example", "contractor", func(u *storage.User) { u.Role = storage.Admin }),
	}
	users["rob"], _, _ = w.enrolled("birch", "rob@birch.example")
	apps := map[string]*app{"": w.app()} // our own pages come back to none
	for id, change := range map[string]func(*storage.Client){
		"ledger": func(c *storage.Client) { c.Tags = []string{"money"} }, "plain": func(*storage.Client) {}, "vault": strong("mfa"),
	} {
		redirect := "https://" + id + ".example/callback"
		apps[id] = w.connect(id, w.client(id, "web", redirect, change), redirect)
	}
	change(w, w.store.Tenants, "birch", func(t *storage.Tenant) {
		t.Plan, t.Integrations = "team", []storage.Integration{{ID: "xero", Name: "Xero", Kind: "financial"}}
	})
	rule := func(id string, when storage.When, then storage.Then) storage.Rule {
		return storage.Rule{ID: id, Name: "Rule " + id, When: when, Then: then}
	}
	last := rule("last", storage.When{}, may)
	policies := map[string][]storage.Rule{
		"by type and role": {
			rule("staff", storage.When{UserTypes: []string{"staff"}}, must), rule("admins", storage.When{Roles: []storage.Role{storage.Admin, storage.Owner}}, storage.Then{}), last,
		},
		"by user and tick": {
			rule("ticked", storage.When{Ticked: true}, must), rule("kim", storage.When{Users: []string{users["kim"].ID}}, then(must, func(t *storage.Then) { t.Unenrolled = "" })), last,
		},
		"by network": {
			rule("in", storage.When{Networks: []string{"203.0.113.0/24", "2001:db8:1::/48"}}, must),
			rule("out", storage.When{NotNetworks: []string{"198.51.100.0/24", "203.0.113.0/24"}}, storage.Then{}), last,
		},
		"by application": {
			rule("plain", storage.When{Clients: []string{"plain"}}, then(may, func(t *storage.Then) { t.TwoFactor = "off" })),
			rule("money", storage.When{ClientTags: []string{"money"}}, must), last,
		},
		"by plan and integration": {
			rule("plan", storage.When{Plans: []string{"team"}, UserTypes: []string{"client"}}, then(may, func(t *storage.Then) { t.TwoFactor = "unavailable" })),
			rule("financial", storage.When{Integrations: []string{"financial"}}, must), last,
		},
		"of another plan": {rule("plan", storage.When{Plans: []string{"free"}}, storage.Then{}), rule("other", storage.When{Integrations: []string{"crm"}}, storage.Then{}), last},
		"by time": {
			rule("window", storage.When{From: begin.Add(time.Hour), Until: begin.Add(2 * time.Hour)}, must),
			rule("later", storage.When{From: begin.Add(2 * time.Hour)}, storage.Then{}), last,
		},
		"with grace":             {rule("grace", storage.When{}, then(must, func(t *storage.Then) { t.GraceUntil = begin.Add(90 * time.Minute) }))},
		"phishing-resistant":     {rule("strong", storage.When{}, then(must, func(t *storage.Then) { t.Strength = "" }))},
		"by factor":              {rule("codes", storage.When{}, then(must, func(t *storage.Then) { t.Factors = []string{"totp"} }))},
		"by a factor nobody has": {rule("pigeon", storage.When{}, then(must, func(t *storage.Then) { t.Factors = []string{"pigeon"} }))},
		"only reported":          {{ID: "trial", Name: "Trial", ReportOnly: true}, last},
		"nobody":                 {},
	}
	hours := func(n int) {
		if at := begin.Add(time.Duration(n) * time.Hour); w.clock.Now().Before(at) {
			w.clock.forward(at.Sub(w.clock.Now()) + time.Minute)
		}
	}
	for hour := range 3 {
		hours(hour)
		for name, rules := range policies {
			if hour > 0 && name != "by time" && name != "with grace" {
				continue
			}
			w.rules("birch", rules...)
			addresses := []string{"203.0.113.7", "unknown"}
			if name == "by network" {
				addresses = append(addresses, "198.51.100.7", "2001:db8:1::7", "2001:db8:2::7")
			}
			for who, u := range users {
				for _, from := range addresses {
					for client, a := range apps {
						w.explained(fmt.Sprintf("%s, %s from %s at %q after %d h", name, who, from, client, hour), u, from, client, a)
					}
				}
			}
		}
	}
}

// explained holds what is explained against what happens.
func (w *world) explained(what string, u storage.User, from, client string, a *app) {
	w.t.Helper()
	q := admin.Question{User: u.ID, Client: client}
	if from != "unknown" {
		q.Address = from
	}
	x, err := w.p.Admin().ExplainPolicy(w.t.Context(), web.Operator(), "birch", q)
	if err != nil {
		w.t.Fatalf("%s: %v", what, err)
	}
	b := w.browser().from(from)
	to := "/account"
	if client != "" {
		to = a.attempt().url
	}
	if got := b.get(to).is(atSignIn).submit("/signin", "login", u.Email, "password", rightPassword).asked(a); got != x.Asked.Kind {
		w.t.Errorf("%s: %q is asked, and %q was explained, by %q", what, got, x.Asked.Kind, x.RuleID)
	}
	decides := 0
	for _, v := range x.Rules {
		if v.Decides {
			decides++
			if v.ID != x.RuleID {
				w.t.Errorf("%s: %q decides, and %q is named", what, v.ID, x.RuleID)
			}
		}
	}
	if decides > 1 || decides == 0 && x.RuleID != "" {
		w.t.Errorf("%s: %d rules decide", what, decides)
	}
}

// The page says it in a sentence, which rule it comes from, and of each rule what does not fit.
func TestExplainPage(t *testing.T) {
	w := newWorld(t)
	sam := w.user("birch", "sam@birch.example", "staff")
	lou := w.user("birch", "lou@birch.example", "client", func(u *storage.User) { u.Disabled = true })
	owner := w.helper("birch", "olga@birch.example", storage.Owner)
	w.rules("birch",
		storage.Rule{ID: "office", Name: "Office", When: storage.When{Networks: []string{"203.0.113.0/24"}, UserTypes: []string{"client"}}, Then: storage.Then{Access: "allow", TwoFactor: "off"}},
		storage.Rule{ID: "type-staff", Name: "Staff must", When: storage.When{UserTypes: []string{"staff"}}, Then: storage.Then{Access: "allow", Strength: "any", Unenrolled: "enrol_at_login"}},
		storage.Rule{ID: "default", Name: "The rest", Then: storage.Then{Access: "allow", TwoFactor: "optional", Strength: "any", RememberDays: 14}},
	)
	at := owner.get(ui.PathPolicy).link("/explain")
	ask := func(pairs ...string) *page {
		q := url.Values{}
		for i := 0; i+1 < len(pairs); i += 2 {
			q.Set(pairs[i], pairs[i+1])
		}
		return owner.get(at + "?" + q.Encode()).is(atExplain)
	}
	ask("user", "sam@birch.example", "address", "198.51.100.7").says("sam@birch.example would have to set up two-factor authentication: Authenticator app",
		"That comes from the rule “Staff must”", "Office", "Does not fit: user type network", "Decides")
	ask("user", sam.ID).says("Can’t be told", "sam@birch.example would have to set up")
	ask("user", "olga@birch.example", "address", "203.0.113.7").says("olga@birch.example would be asked for a second step: Authenticator app")
	ask("user", lou.ID).says("lou@birch.example has no access at all at the moment, whatever the rules say")
	ask("user", "nobody").says("There is no user of that name")
	ask("user", sam.ID, "address", "here").says("That is no IP address")
	ask("user", sam.ID, "at", "soon").says("That is no date and time")
	ask("user", sam.ID, "client", "nothing").says("There is no such application")
	// From a person's page.
	owner.get(owner.get(ui.PathPeople + "/" + sam.ID).link("/explain")).is(atExplain).says("sam@birch.example would have to set up")
	// Nothing is told of another tenant's user.
	stranger := w.user("acme", "peer@acme.example", "staff")
	ask("user", stranger.ID).says("There is no user of that name")
	ask("user", "peer@acme.example").says("There is no user of that name")
}
