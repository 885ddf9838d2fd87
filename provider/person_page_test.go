package provider

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// Who is the only owner who can sign in reads so, until another can: nobody else could hand out a recovery code.
func TestSoleOwnerIsTold(t *testing.T) {
	w := newWorld(t)
	olga := w.helper("birch", "olga@birch.example", storage.Owner)
	amir := w.helper("birch", "amir@birch.example", storage.Admin)
	other := w.user("birch", "ole@birch.example", "client")
	change := func(do func(*storage.User)) { w.t.Helper(); changeIn(w, w.store.Users, "birch", other.ID, do) }
	const sole = "You are the only owner"
	for _, c := range []struct {
		name string
		do   func(*storage.User)
		sole bool
	}{
		{"a member", func(*storage.User) {}, true},
		{"an owner who is kept out", func(u *storage.User) { u.Role, u.Disabled = storage.Owner, true }, true},
		{"an owner who is locked", func(u *storage.User) { u.Disabled, u.Locked = false, w.clock.Now() }, true},
		{"an owner with an open invitation", func(u *storage.User) { u.Locked, u.Invited = time.Time{}, w.clock.Now() }, true},
		{"another owner", func(u *storage.User) { u.Invited = time.Time{} }, false},
		{"an owner without a password", func(u *storage.User) { u.Password = "" }, true},
	} {
		change(c.do)
		if got := strings.Contains(olga.get(ui.PathPeople).text(), sole); got != c.sole {
			t.Errorf("%s: told is %v", c.name, got)
		}
	}
	list := olga.get(ui.PathPeople).says(sole, "nobody here can help you")
	if role := olga.get(list.linkSaying("Invite a second owner")).is("Invite somebody").chosen("role"); role != string(storage.Owner) {
		t.Errorf("the access level that is chosen is %q", role)
	}
	for name, p := range map[string]*page{
		"an admin": amir.get(ui.PathPeople), "a search": olga.get(ui.PathPeople + "?find=ole"),
	} {
		if strings.Contains(p.text(), sole) {
			t.Errorf("%s says so too", name)
		}
	}
	// An admin can't invite owners, by whatever link.
	if role := amir.get(ui.PathInvite + "?role=owner").is("Invite somebody").chosen("role"); role != string(storage.Member) {
		t.Errorf("an admin is offered the access level %q", role)
	}
}

// Owners who lost everything are not sent to an owner, who may be themselves: it is another one who helps, or the operator.
func TestWaysTellOwnersWhoHelps(t *testing.T) {
	w := newWorld(t)
	u, _, _ := w.enrolled("acme", "olga@acme.example")
	for role, says := range map[storage.Role]string{
		storage.Owner:  "ask another owner of your account, or whoever runs this service, for a recovery code",
		storage.Admin:  "ask an owner of your account for a recovery code",
		storage.Member: "ask an owner of your account for a recovery code",
	} {
		changeIn(w, w.store.Users, "acme", u.ID, func(o *storage.User) { o.Role = role })
		b := w.browser()
		b.get(b.get(ui.PathAccount).signIn(u.Email).link("/ways")).says(says)
	}
}

// The box "must use two-factor authentication" says where a rule demands it of the person already: empty, it would read as no.
func TestAlreadyRequired(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	required := storage.Then{Access: "allow", Strength: "any", Unenrolled: "enrol_at_login"}
	w.rules(
		"acme",
		storage.Rule{ID: "ticked", Name: "Ticked", When: storage.When{Ticked: true}, Then: required},
		storage.Rule{ID: "staff", Name: "Staff must use two-factor authentication", When: storage.When{UserTypes: []string{"staff"}}, Then: required},
		storage.Rule{ID: "all", Name: "Everyone may sign in", Then: storage.Then{Access: "allow", TwoFactor: "optional", Strength: "any"}},
	)
	staff := w.user("acme", "robin@acme.example", "staff")
	client := w.user("acme", "kim@acme.example", "client")
	owner.get(ui.PathPeople+"/"+staff.ID).says("Must use two-factor authentication", "Already required: Staff must use two-factor authentication.")
	owner.lang = "de"
	owner.get(ui.PathPeople + "/" + staff.ID).says("Gilt ohnehin: Für Mitarbeitende ist Zwei-Faktor-Authentisierung vorgeschrieben.")
	owner.lang = "en"
	for _, ticked := range []bool{false, true} {
		changeIn(w, w.store.Users, "acme", client.ID, func(u *storage.User) { u.Require2FA = ticked })
		if text := owner.get(ui.PathPeople + "/" + client.ID).text(); strings.Contains(text, "Already required") {
			t.Errorf("ticked is %v, and no rule requires it of clients:\n%s", ticked, text)
		}
	}
}

// cards are what can be done on a page, by the heading of the card that it stands in.
func (p *page) cards() map[string][]string {
	all := map[string][]string{}
	p.walk(func(card *html.Node) {
		if card.Data != "section" {
			return
		}
		heading := ""
		visit(card, func(n *html.Node) {
			switch {
			case n.Data == "h2":
				heading = words(n)
			case n.Data == "button", n.Data == "a" && slices.Contains(strings.Fields(attr(n, "class")), "button"):
				all[heading] = append(all[heading], words(n))
			}
		})
	})
	return all
}

// What helps a person stands apart from what keeps the person out.
func TestHelpStandsApartFromRemoval(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	robin, ph, _ := w.enrolled("acme", "robin@acme.example")
	w.browser().get(ui.PathAccount).signIn(robin.Email).submit("/with/totp", "code", ph.next())
	at := ui.PathPeople + "/" + robin.ID
	helps := []string{"Generate recovery code", "Change e-mail address", "Sign out everywhere", "Reset two-factor authentication"}
	for _, c := range []struct {
		do   func(*storage.User)
		ends []string
	}{
		{func(*storage.User) {}, []string{"Take access away", "Delete account"}},
		{func(u *storage.User) { u.Disabled = true }, []string{"Give access back", "Delete account"}},
	} {
		changeIn(w, w.store.Users, "acme", robin.ID, c.do)
		cards := owner.get(at).cards()
		if got := cards["End access"]; !slices.Equal(got, c.ends) {
			t.Errorf("access ends by %q", got)
		}
		if got := cards["Help this person"]; slices.ContainsFunc(got, func(b string) bool { return slices.Contains(c.ends, b) }) {
			t.Errorf("what helps is %q", got)
		}
		if got := cards["Help this person"]; len(c.ends) == 2 && c.ends[0] == "Take access away" && !slices.Equal(got, helps) {
			t.Errorf("what helps is %q, among the cards %q", got, slices.Sorted(maps.Keys(cards)))
		}
	}
}
