package provider

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

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

// saved saves what a preview shows, and lets the caches run out.
func (p *page) saved(pairs ...string) *page {
	p.b.t.Helper()
	q := p.is(atPreview).post("/policy/save", append([]string{"do", "save"}, pairs...)...).says("The policy is saved")
	p.b.w.clock.forward(10 * time.Second)
	return q
}

// 001-3, 001-4: staff must, clients need not; the owner sees what that does before it is saved, and the next sign-in of
// staff sets it up.
func TestForceStaff(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "sam@birch.example", "staff")
	w.user("birch", "kim@birch.example", "client")
	owner := w.helper("birch", "olga@birch.example", storage.Owner)
	w.browser().get("/account").signIn("sam@birch.example").is(atSecurity)

	p := owner.get(ui.PathPolicy).is(atPolicy).says("Staff", "Contractor", "Everyone", "Everyone may sign in")
	p = p.post("/policy", "+must", "staff").is(atPreview).
		says("New rule: Staff must use two-factor authentication", "One user has to set up two-factor authentication", "One user must use two-factor authentication then", "The account has 3 users")
	// Not saved, nothing happens.
	w.browser().get("/account").signIn("sam@birch.example").is(atSecurity)
	p.saved().is(atPolicy).says("Staff must use two-factor authentication", "User type: Staff")

	w.browser().get("/account").signIn("sam@birch.example").is(atIntro).says("Staff must use two-factor authentication")
	w.browser().get("/account").signIn("kim@birch.example").is(atSecurity)

	i := slices.IndexFunc(w.events("birch"), func(e storage.Event) bool { return e.Action == "policy.change" })
	if e := w.events("birch")[max(i, 0)]; i < 0 || e.Actor != owner.ID || e.Reason != `rule "Staff must use two-factor authentication" added` {
		t.Errorf("audit log: %+v", e)
	}
	// Nothing new is no change, and switched off again all is as before.
	owner.get(ui.PathPolicy).post("/policy").is(atPolicy).says("There was nothing to change")
	owner.get(ui.PathPolicy).post("/policy", "-must", "staff").says("Rule removed: Staff must use two-factor authentication", "One user is asked for less than now").saved()
	w.browser().get("/account").signIn("sam@birch.example").is(atSecurity)
}
