package provider

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// crowd writes n users into a tenant: every second has a second step, every third is a client, every fifth a contractor,
// every thousandth an admin.
func (w *world) crowd(tenant string, n int) {
	w.t.Helper()
	first := []string{"Anna", "Bente", "Carl", "Dörte", "Émile", "Frida", "Georg"}
	last := []string{"Holm", "Iversen", "Jensen", "Öztürk", "von Lund", "Åberg"}
	one := func(i int) error {
		u := storage.User{
			Key:   storage.Key{Tenant: tenant, ID: fmt.Sprintf("u%06d", i)},
			Email: fmt.Sprintf("%s.%06d@crowd.example", strings.ToLower(first[i%2]), i), EmailVerified: true,
			Name: first[i%len(first)] + " " + last[i%len(last)], Role: storage.Member, Type: "staff", Created: w.clock.Now(), LastSignIn: w.clock.Now(),
		}
		switch {
		case i%3 == 0:
			u.Type = "client"
		case i%5 == 0:
			u.Type = "contractor"
		}
		if i%2 == 0 {
			u.Factors = []string{"totp"}
		}
		if i%1000 == 0 {
			u.Role = storage.Admin
		}
		return w.store.Users.Insert(context.Background(), &u)
	}
	// Those who write at once share the disk's time.
	const writers = 64
	var all sync.WaitGroup
	for k := range writers {
		all.Go(func() {
			for i := k; i < n; i += writers {
				if err := one(i); err != nil {
					w.t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	if w.t.Failed() {
		w.t.FailNow()
	}
}

// listed are the IDs of the users in the list of a page.
func (p *page) listed() []string {
	p.b.t.Helper()
	var ids []string
	p.walk(func(n *html.Node) {
		if n.Data != "section" || attr(n, "aria-labelledby") != "list" {
			return
		}
		visit(n, func(a *html.Node) {
			if id, ok := strings.CutPrefix(attr(a, "href"), ui.PathPeople+"/"); ok && a.Data == "a" && id != "import" && !strings.Contains(id, "/") {
				ids = append(ids, id)
			}
		})
	})
	return ids
}

// The list of people is paged, with the filter kept on the way, and each filter shows exactly those whom it describes.
func TestPeopleByFilter(t *testing.T) {
	w := newWorld(t)
	w.crowd("acme", 400)
	w.crowd("birch", 30)
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	everybody, err := w.store.Users.List(t.Context(), storage.Query{Tenant: "acme", Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []ui.Filter{
		{},
		{TwoFactor: "on"},
		{TwoFactor: "off"},
		{Type: "client"},
		{Type: "contractor", TwoFactor: "on"},
		{Role: "owner"},
		{Role: "admin", Type: "staff"},
		{Role: "member"},
		{Role: "member", TwoFactor: "off"},
		{Role: "member", Type: "contractor"},
		{Role: "member", Type: "client", TwoFactor: "off"},
		{Role: "admin", TwoFactor: "off", Type: "contractor"},
	} {
		var want []string
		for _, u := range everybody {
			if (f.Type == "" || u.Type == f.Type) && (f.Role == "" || string(u.Role) == f.Role) && (f.TwoFactor == "" || (f.TwoFactor == "on") == (len(u.Factors) > 0)) {
				want = append(want, u.ID)
			}
		}
		v := url.Values{"find": {""}, "two_factor": {f.TwoFactor}, "type": {f.Type}, "role": {f.Role}, "state": {""}}
		p := owner.get(ui.PathPeople + "?" + v.Encode()).is(atPeople)
		if f.Role == "" {
			p.says(fmt.Sprintf("%d pe", len(want))) // an index has counted them
		}
		var got []string
		for pages := 1; ; pages++ {
			rows := p.listed()
			if len(rows) > 50 || pages > 20 {
				t.Fatalf("%+v: %d rows on page %d", f, len(rows), pages)
			}
			got = append(got, rows...)
			for name, chosen := range map[string]string{"two-factor": f.TwoFactor, "type": f.Type, "role": f.Role} {
				if is := p.chosen(name); is != chosen {
					t.Errorf("%+v: page %d has %q chosen as %s", f, pages, is, name)
				}
			}
			next := p.linkSaying("Next page")
			if next == "" {
				break
			}
			p = owner.get(next).is(atPeople)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%+v: %d users, want %d:\n%q", f, len(got), len(want), got)
		}
		if len(want) > 50 {
			first := owner.get(p.linkSaying("First page"))
			if rows := first.listed(); len(rows) == 0 || rows[0] != want[0] {
				t.Errorf("%+v: the first page begins with %q", f, rows)
			}
		}
	}
	// What nobody can choose is taken for nothing.
	if rows := owner.get(ui.PathPeople + "?type=wizard&role=king&two_factor=maybe&state=dead").listed(); len(rows) != 50 {
		t.Errorf("%d rows", len(rows))
	}
}

// chosen is what a select of the page has chosen.
func (p *page) chosen(id string) (value string) {
	p.b.t.Helper()
	p.walk(func(n *html.Node) {
		if n.Data == "select" && attr(n, "id") == id {
			visit(n, func(o *html.Node) {
				for _, a := range o.Attr {
					if o.Data == "option" && a.Key == "selected" {
						value = attr(o, "value")
					}
				}
			})
		}
	})
	return value
}

// linkSaying is where the link with these words leads, or empty.
func (p *page) linkSaying(words string) (to string) {
	p.b.t.Helper()
	p.walk(func(n *html.Node) {
		if n.Data == "a" && n.FirstChild != nil && n.FirstChild.Data == words {
			to = attr(n, "href")
		}
	})
	return to
}

// People are found by how their e-mail address, user name, name or surname begins, in any case and with any accents, within
// the filter; and the page says when there are more than it shows.
func TestPeopleByText(t *testing.T) {
	w := newWorld(t)
	w.crowd("acme", 400)
	w.crowd("birch", 5)
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	w.user("acme", "", "staff", func(u *storage.User) { u.EmailVerified, u.Login, u.Name = false, "captain.nemo", "Dakkar" })
	both := w.user("acme", "ned@acme.example", "client", func(u *storage.User) { u.Login, u.Name = "harpooner", "Ned Land" })
	find := func(text string, more ...string) *page {
		v := url.Values{"find": {text}}
		for i := 0; i+1 < len(more); i += 2 {
			v.Set(more[i], more[i+1])
		}
		return owner.get(ui.PathPeople + "?" + v.Encode()).is(atPeople)
	}
	for text, want := range map[string]int{
		"anna.000004@crowd.example":   1,
		" ANNA.000004@Crowd.example ": 1,
		"anna.00000":                  5, // 0, 2, 4, 6, 8
		"captain":                     1,
		"Captain.Nemo":                1,
		"dakk":                        1,
		"harpooner":                   1,
		"ned l":                       1,
		"land ned":                    1,
		"LAND":                        1,
		"nobody":                      0,
		"olga@":                       1,
		"%":                           0,
		"_nna":                        0,
		"anna.00000*":                 0,
		`\`:                           0,
		strings.Repeat("x", 3000):     0,
	} {
		if rows := find(text).listed(); len(rows) != want {
			t.Errorf("%q finds %d, want %d: %q", text, len(rows), want, rows)
		}
	}
	if rows := find("harpooner").listed(); len(rows) != 1 || rows[0] != both.ID {
		t.Errorf("by the whole user name: %q", rows)
	}
	for _, text := range []string{"dörte öz", "DÖRTE ÖZ", "öztürk dörte", "émile"} {
		p := find(text)
		if rows := p.listed(); len(rows) == 0 || !strings.Contains(p.text(), "Dörte Öztürk") && text != "émile" {
			t.Errorf("%q finds %d", text, len(rows))
		}
	}
	if p := find("anna"); len(p.listed()) != 50 || p.linkSaying("Next page") != "" {
		t.Errorf("%d rows", len(p.listed()))
	} else {
		p.says("There are more. Type more of the name to find fewer.")
	}
	// A filter beside it: those who come late in the order are found all the same, and nobody is promised in vain.
	w.user("acme", "anna.zzz@crowd.example", "contractor", func(u *storage.User) { u.Role, u.Name = storage.Owner, "Zzz" })
	p := find("anna", "role", "owner")
	if rows := p.listed(); len(rows) != 1 || strings.Contains(p.text(), "There are more") {
		t.Errorf("the last Anna: %q:\n%s", rows, p.text())
	}
	for _, u := range find("holm", "type", "client", "two_factor", "off").listed() {
		if o := w.get("acme", u); o.Type != "client" || len(o.Factors) != 0 || !strings.HasSuffix(o.Name, "Holm") {
			t.Errorf("found: %+v", o)
		}
	}
	// The next page of what a text finds is not to be had by writing its address.
	if p := find("anna", "after", "u000100"); len(p.listed()) != 50 {
		t.Errorf("%d rows", len(p.listed()))
	}
}

// Who looks at the list: the menu offers what the reader may do, and no more.
func TestPeopleMenu(t *testing.T) {
	w := newWorld(t)
	robin, _, _ := w.enrolled("acme", "robin@acme.example")
	peer := w.user("acme", "peer@acme.example", "client", func(u *storage.User) { u.Role = storage.Admin })
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	adm := w.helper("acme", "adam@acme.example", storage.Admin)
	owner.invite("nora@acme.example")
	nora := w.byEmail("acme", "nora@acme.example")
	kim := w.imported(kimAt)
	for _, c := range []struct {
		by   *helper
		whom string
		want []string
	}{
		{owner, robin.ID, []string{"recovery-code", "email", "end", "forget", "reset", "disable", "delete"}},
		{owner, peer.ID, []string{"recovery-code", "remind", "email", "disable", "delete"}},
		{owner, owner.ID, nil},
		{owner, nora.ID, []string{"invite", "email", "disable", "withdraw"}},
		{owner, kim.ID, []string{"invite", "email", "disable", "delete"}},
		{adm, robin.ID, []string{"end", "forget", "reset", "disable"}},
		{adm, peer.ID, []string{"remind"}},
		{adm, owner.ID, nil},
		{adm, nora.ID, []string{"invite", "disable", "withdraw"}},
		{adm, kim.ID, []string{"invite", "disable"}},
	} {
		p := c.by.get(ui.PathPeople)
		var got []string
		p.walk(func(n *html.Node) {
			to := attr(n, "href") + attr(n, "action")
			if op, ok := strings.CutPrefix(to, ui.PathPeople+"/"+c.whom+"/"); ok && n.Parent.Data != "div" || ok && strings.Contains(attr(n.Parent, "class"), "menu-list") {
				if !slices.Contains(got, op) {
					got = append(got, op)
				}
			}
		})
		slices.Sort(got)
		slices.Sort(c.want)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s, %s: %q, want %q", c.by.Email, c.whom, got, c.want)
		}
	}
}

// An owner deletes a user for good, after having been asked; nobody else does.
func TestDeletePerson(t *testing.T) {
	w := newWorld(t)
	robin, ph, _ := w.enrolled("acme", "robin@acme.example")
	remembering(w)
	in := w.everywhere("robin@acme.example", ph)
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	at := ui.PathPeople + "/" + robin.ID
	for name, c := range map[string]struct {
		by   *browser
		whom string
		want int
	}{
		"stranger":               {w.browser(), robin.ID, http.StatusSeeOther},
		"member":                 {w.helper("acme", "mia@acme.example", storage.Member).browser, robin.ID, http.StatusForbidden},
		"admin":                  {w.helper("acme", "adam@acme.example", storage.Admin).browser, robin.ID, http.StatusForbidden},
		"another tenant's owner": {w.helper("birch", "otto@birch.example", storage.Owner).browser, robin.ID, http.StatusNotFound},
		"owner, herself":         {owner.browser, owner.ID, http.StatusForbidden},
		"by the address":         {owner.browser, "robin@acme.example", http.StatusNotFound},
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			p, err := c.by.once(c.by.request(method, ui.PathPeople+"/"+c.whom+"/delete", nil))
			if err != nil || p.status != c.want || c.want == http.StatusSeeOther && !strings.HasPrefix(p.header.Get("Location"), "/signin") {
				t.Errorf("%s, %s: %d, want %d (%v)", name, method, p.status, c.want, err)
			}
		}
	}
	w.get("acme", robin.ID)
	owner.get(owner.get(at).link("/delete")).says("Delete robin@acme.example?", "removed for good").submit("/delete").is(atPeople).says("robin@acme.example is deleted.")
	in.ended()
	if p := owner.get(at); p.status != http.StatusNotFound {
		t.Errorf("the page of a deleted user: %d", p.status)
	}
	if held, err := w.store.Credentials.List(t.Context(), storage.Query{Tenant: "acme", Field: "user", Value: robin.ID}); err != nil || len(held) != 0 {
		t.Errorf("%d credentials are left (%v)", len(held), err)
	}
	if p := w.browser().get("/account/security").signIn("robin@acme.example"); p.status != http.StatusUnprocessableEntity {
		t.Errorf("a deleted user signs in: %d", p.status)
	}
	w.user("acme", "robin@acme.example", "staff") // the address is free again
}

// The name is changed with the rest of the form, which comes back with what was typed where that is not right.
func TestRenamePerson(t *testing.T) {
	w := newWorld(t)
	robin := w.user("acme", "robin@acme.example", "client")
	nameless := w.user("acme", "anon@acme.example", "client", func(u *storage.User) { u.Name = "" })
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	at := ui.PathPeople + "/" + robin.ID
	owner.get(at).submit("/"+robin.ID, "role", "member", "type", "client", "name", "Robin Röntgen").says("are saved", "Robin Röntgen")
	for _, bad := range []string{"", " ", "a\u202eb", strings.Repeat("n", 129)} {
		p := owner.get(at).submit("/"+robin.ID, "role", "admin", "type", "staff", "require", "yes", "name", bad).says("Type in a name of one line")
		if p.status != http.StatusUnprocessableEntity || p.chosen("role") != "admin" || p.chosen("type") != "staff" {
			t.Errorf("%q: %d, %q and %q chosen", bad, p.status, p.chosen("role"), p.chosen("type"))
		}
	}
	if u := w.get("acme", robin.ID); u.Name != "Robin Röntgen" || u.Role != storage.Member || u.Require2FA {
		t.Errorf("saved: %+v", u)
	}
	owner.get(ui.PathPeople+"/"+nameless.ID).submit("/"+nameless.ID, "role", "member", "type", "staff").says("are saved")
	if u := w.get("acme", nameless.ID); u.Type != "staff" || u.Name != "" {
		t.Errorf("saved: %+v", u)
	}
}

// BenchmarkPeople is what the People page asks of SQLite in a tenant of 100,000 users.
func BenchmarkPeople(b *testing.B) {
	w := newWorld(b)
	w.crowd("acme", 100_000)
	operator := web.Operator()
	for _, c := range []struct {
		name string
		f    admin.Filter
		p    admin.Page
	}{
		{"FirstPage", admin.Filter{}, admin.Page{}},
		{"PageInTheMiddle", admin.Filter{}, admin.Page{After: "u050000"}},
		{"TwoFactorOff", admin.Filter{TwoFactor: "off"}, admin.Page{After: "u050000"}},
		{"TypeAndTwoFactor", admin.Filter{Type: "contractor", TwoFactor: "on"}, admin.Page{After: "u050000"}},
		{"MembersOfTypeWithout", admin.Filter{Role: storage.Member, Type: "client", TwoFactor: "off"}, admin.Page{}},
		{"AdminsWithout", admin.Filter{Role: storage.Admin, TwoFactor: "off"}, admin.Page{}},
		{"Invited", admin.Filter{State: admin.StateInvited}, admin.Page{}},
		{"SearchAddress", admin.Filter{Text: "anna.0500"}, admin.Page{}},
		{"SearchName", admin.Filter{Text: "dörte"}, admin.Page{}},
		{"SearchInFilter", admin.Filter{Text: "holm", Type: "contractor", TwoFactor: "on"}, admin.Page{}},
		{"SearchInVain", admin.Filter{Text: "anna", Role: storage.Owner}, admin.Page{}},
	} {
		c.p.Limit = 50
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := w.p.admin.FindUsers(b.Context(), operator, "acme", c.f, c.p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	for name, path := range map[string]string{
		"WholePage": "", "WholeFilter": "?type=client&two_factor=off&after=u050000", "WholeSearch": "?find=iversen&type=contractor&two_factor=off",
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if p := owner.get(ui.PathPeople + path); len(p.listed()) != 50 {
					b.Fatalf("%d rows", len(p.listed()))
				}
			}
		})
	}
	b.Run("Counts", func(b *testing.B) {
		for b.Loop() {
			w.clock.forward(time.Minute) // older numbers are not looked at
			if _, err := w.p.admin.UserTypes(b.Context(), operator, "acme"); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Unprotected", func(b *testing.B) {
		for b.Loop() {
			if _, err := w.p.admin.Unprotected(b.Context(), operator, "acme"); err != nil {
				b.Fatal(err)
			}
		}
	})
}
