package provider

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

const (
	atInvite  = "Invite somebody"
	atInvited = "Welcome to Acme Ltd"
)

// invite fills in the form for an invitation; pairs add to it.
func (h *helper) invite(email string, pairs ...string) *page {
	h.t.Helper()
	ask := h.get(h.get(ui.PathPeople).is(atPeople).link(ui.PathInvite)).is(atInvite)
	return ask.submit(ui.PathInvite, append([]string{"email", email, "name", "Nora Newcomer", "role", "member", "type", "client"}, pairs...)...)
}

func (w *world) byEmail(tenant, email string) storage.User {
	w.t.Helper()
	found, err := w.p.local.Lookup(w.t.Context(), tenant, email)
	if err != nil || len(found) != 1 {
		w.t.Fatalf("%d users of %s answer to %s (%v)", len(found), tenant, email, err)
	}
	return found[0]
}

// An invited user chooses a password behind the mailed link, and then signs in as everybody does: the link alone signs
// nobody in, and whom policy asks for a second step sets one up first.
func TestInvitation(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	p := owner.invite("Nora@Acme.example", "type", "staff", "role", "admin", "require", "yes").
		says("An invitation to nora@acme.example is on its way.", "Invited", "Never signed in")
	u := w.byEmail("acme", "nora@acme.example")
	if u.Password != "" || u.EmailVerified || u.Invited.IsZero() || u.Role != storage.Admin || u.Type != "staff" || !u.Require2FA || u.Name != "Nora Newcomer" {
		t.Errorf("made: %+v", u)
	}
	if strings.Contains(p.body, "Generate recovery code") {
		t.Error("a recovery code is offered for somebody without a password")
	}
	m := w.mails("nora@acme.example")
	if len(m) != 1 || !strings.Contains(m[0].Subject, "You are invited to Acme Ltd") ||
		!strings.Contains(m[0].Text, "Olga Owner (Acme Ltd) invites you") || !strings.Contains(m[0].Text, "within 7 days") {
		t.Fatalf("mails: %+v", m)
	}
	link := w.linkTo("nora@acme.example", "/invitation/")
	kept, err := w.store.Links.Get(t.Context(), "acme", storage.LinkID(storage.LinkInvitation, u.ID))
	if err != nil || strings.Contains(link, kept.Secret) || len(lastPart(link)) < len("acme")+len(u.ID)+52 {
		t.Errorf("the link %s is kept as %+v (%v)", link, kept, err)
	}

	// Before it is taken up there is no other way in, and nobody is told that there is such a user.
	before := len(w.mails("nora@acme.example"))
	w.browser().forget("nora@acme.example").is(atMailed)
	if n := len(w.mails("nora@acme.example")); n != before {
		t.Error("a mail for a forgotten password goes to an address that nobody has confirmed")
	}
	unknown := w.browser().get("/account/security").signIn("nobody@acme.example")
	invited := w.browser().get("/account/security").signIn("nora@acme.example")
	if invited.status != unknown.status || !strings.Contains(unknown.text(), "nobody@") && unknown.text() != invited.text() {
		t.Errorf("an invited user reads %d, an unknown one %d", invited.status, unknown.status)
	}

	// Programs open every link in a mail: that changes nothing.
	b := w.browser()
	for range 3 {
		w.browser().get(link).is(atInvited)
	}
	p = b.get(link).is(atInvited).says("Choose a password to take up your invitation")
	p.submit("/"+lastPart(link), "password", "short7!").is(atInvited).says("too short")
	p.submit("/"+lastPart(link), "password", "Acme Ltd").is(atInvited).says("made of your name, your address or ours")
	p.submit("/"+lastPart(link), "password", newPassword).is(atSignIn).says("Welcome. Sign in with your new password.")
	b.get("/account/security").is(atSignIn)
	u = w.byEmail("acme", "nora@acme.example")
	if !u.Invited.IsZero() || !u.EmailVerified || !u.PasswordMailed || u.Password == "" {
		t.Errorf("taken up: %+v", u)
	}
	b.get("/account/security").is(atSignIn).submit("/signin", "login", "nora@acme.example", "password", newPassword).is(atIntro).says("Staff must use two-factor authentication")

	// It works once.
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		q, err := b.once(b.request(method, link, url.Values{"password": {newPassword + "!"}}))
		if err != nil || q.status != http.StatusGone {
			t.Errorf("%s of the used link: %d (%v)", method, q.status, err)
		}
		q.is(atDeadLink)
	}
	var told []string
	for _, e := range w.events("acme") {
		if e.User == u.ID && strings.Contains(e.Action, "invit") {
			told = append(told, e.Action+" "+e.Outcome)
		}
	}
	if !slices.Equal(told, []string{"user.invite ok", "user.invitation_accepted ok"}) {
		t.Errorf("audited: %q", told)
	}
}

// An invitation is not at all a way past what is wrong with a link: each of these is the one page for a dead link.
func TestInvitationEnds(t *testing.T) {
	for name, end := range map[string]func(w *world, owner *helper, u storage.User, link string) string{
		"made up": func(w *world, _ *helper, u storage.User, _ string) string {
			return w.issuer + "/invitation/acme." + u.ID + "." + strings.Repeat("A", 52)
		},
		"another user's": func(w *world, owner *helper, _ storage.User, link string) string {
			owner.invite("other@acme.example")
			return strings.Replace(link, w.byEmail("acme", "nora@acme.example").ID, w.byEmail("acme", "other@acme.example").ID, 1)
		},
		"another tenant's": func(_ *world, _ *helper, _ storage.User, link string) string {
			return strings.Replace(link, "/acme.", "/birch.", 1)
		},
		"as a link for a forgotten password": func(_ *world, _ *helper, _ storage.User, link string) string {
			return strings.Replace(link, "/invitation/", "/password/", 1)
		},
		"too old": func(w *world, _ *helper, _ storage.User, link string) string {
			w.clock.forward(7 * 24 * time.Hour)
			return link
		},
		"followed by a newer one": func(w *world, owner *helper, u storage.User, link string) string {
			w.clock.forward(time.Second)
			owner.get(ui.PathPeople + "/" + u.ID).submit("/invite").says("An invitation to nora@acme.example is on its way.")
			if newer := w.linkTo("nora@acme.example", "/invitation/"); newer == link {
				w.t.Fatal("the same link again")
			}
			return link
		},
		"withdrawn": func(w *world, owner *helper, u storage.User, link string) string {
			p := owner.get(owner.get(ui.PathPeople + "/" + u.ID).link("/withdraw")).says("Withdraw the invitation of nora@acme.example?")
			p.submit("/withdraw").is(atPeople).says("The invitation of nora@acme.example is withdrawn.")
			if found, err := w.p.local.Lookup(w.t.Context(), "acme", "nora@acme.example"); err != nil || len(found) != 0 {
				w.t.Fatalf("the user is still there: %v, %v", found, err)
			}
			return link
		},
		"of a user who is kept out": func(_ *world, owner *helper, u storage.User, link string) string {
			owner.get(owner.get(ui.PathPeople + "/" + u.ID).link("/disable")).submit("/disable")
			return link
		},
		"of a user who was kept out once": func(_ *world, owner *helper, u storage.User, link string) string {
			owner.get(owner.get(ui.PathPeople + "/" + u.ID).link("/disable")).submit("/disable")
			owner.get(ui.PathPeople + "/" + u.ID).submit("/enable")
			return link
		},
		"of a user with another address": func(w *world, _ *helper, u storage.User, link string) string {
			if err := w.p.local.ChangeLogin(w.t.Context(), &u, "nora@other.example", ""); err != nil {
				w.t.Fatal(err)
			}
			return link
		},
		"of a tenant that is kept out": func(w *world, _ *helper, _ storage.User, link string) string {
			_, err := storage.Change(w.t.Context(), w.store.Tenants, storage.Global, "acme", func(t *storage.Tenant) error {
				t.Disabled = true
				return nil
			})
			if err != nil {
				w.t.Fatal(err)
			}
			w.clock.forward(10 * time.Second)
			return link
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			owner := w.helper("acme", "olga@acme.example", storage.Owner)
			owner.invite("nora@acme.example").says("is on its way")
			u := w.byEmail("acme", "nora@acme.example")
			link := end(w, owner, u, w.linkTo("nora@acme.example", "/invitation/"))
			b := w.browser()
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				q, err := b.once(b.request(method, link, url.Values{"password": {newPassword}}))
				if err != nil || q.status != http.StatusGone {
					t.Fatalf("%s: %d (%v)", method, q.status, err)
				}
				q.is(atDeadLink)
			}
			if now, err := w.store.Users.Get(t.Context(), "acme", u.ID); err == nil && (now.Password != "" || now.Invited.IsZero()) {
				t.Errorf("the user has a password: %+v", now)
			}
		})
	}
}

// An invitation that is too old can be sent again, and one that was withdrawn by somebody else is gone for whoever comes
// second.
func TestInvitationAgain(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	owner.invite("nora@acme.example")
	u := w.byEmail("acme", "nora@acme.example")
	at := ui.PathPeople + "/" + u.ID
	w.clock.forward(8 * 24 * time.Hour)
	owner = w.again(owner)
	p := owner.get(ui.PathPeople+"?state=invited").is(atPeople).says("nora@acme.example", "Invitation expired")
	if strings.Contains(p.text(), "Olga Owner") {
		t.Error("the list of invitations has somebody else")
	}
	owner.get(at).says("The invitation expired on").submit("/invite").says("is on its way", "The invitation is good until")
	for range 2 {
		w.clock.forward(time.Second)
		owner.get(at).submit("/invite").says("is on its way")
	}
	owner.get(at).submit("/invite").says("Too many invitations were sent lately.", "can go out in 60 minutes")
	b := w.browser()
	b.get(w.linkTo("nora@acme.example", "/invitation/")).is(atInvited).submit("/"+lastPart(w.linkTo("nora@acme.example", "/invitation/")), "password", newPassword).is(atSignIn)
	for late, want := range map[string]int{"/invite": http.StatusUnprocessableEntity, "/withdraw": http.StatusNotFound} {
		q, err := owner.once(owner.request(http.MethodPost, at+late, url.Values{}))
		if err != nil || q.status != want {
			t.Errorf("%s of an invitation that was taken up: %d (%v)", late, q.status, err)
		}
	}
	if now := w.get("acme", u.ID); now.Password == "" {
		t.Error("the user who took it up is gone")
	}
	owner.get(ui.PathPeople + "?state=invited").is(atPeople).says("Nobody answers to that.")
}

// again signs a helper in once more.
func (w *world) again(h *helper) *helper {
	w.t.Helper()
	b := w.browser()
	b.get("/account/security").signIn(h.Email).submit("/with/totp", "code", h.phone.next()).is(atSecurity)
	return &helper{User: h.User, browser: b, phone: h.phone}
}

// One link, twenty at once: one password is set, one event is written, and the others are told that the link is dead.
func TestOneInvitationTwentyTimes(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	owner.invite("nora@acme.example")
	link := w.linkTo("nora@acme.example", "/invitation/")
	const n = 20
	requests, browsers := make([]*http.Request, n), make([]*browser, n)
	for i := range n {
		browsers[i] = w.browser()
		requests[i] = browsers[i].get(link).is(atInvited).request("/"+lastPart(link), "password", newPassword+strings.Repeat("x", i))
	}
	var mu sync.Mutex
	won := -1
	together(t, n, func(i int) error {
		p, err := browsers[i].once(requests[i])
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		switch {
		case p.status == http.StatusSeeOther && won < 0:
			won = i
		case p.status != http.StatusGone:
			t.Errorf("a second use answers %d to %q", p.status, p.header.Get("Location"))
		}
		return nil
	})
	if won < 0 {
		t.Fatal("nobody could use the link")
	}
	w.browser().get("/account/security").submit("/signin", "login", "nora@acme.example", "password", newPassword+strings.Repeat("x", won)).is(atSecurity)
	accepted := 0
	for _, e := range w.events("acme") {
		if e.Action == "user.invitation_accepted" && e.Outcome == "ok" {
			accepted++
		}
	}
	if accepted != 1 {
		t.Errorf("%d events of one invitation", accepted)
	}
}

// Whoever withdraws while the user takes it up: there is a user with a password, or there is none; never one who has lost
// something.
func TestWithdrawnWhileTakenUp(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	owner.invite("nora@acme.example")
	u := w.byEmail("acme", "nora@acme.example")
	link := w.linkTo("nora@acme.example", "/invitation/")
	b := w.browser()
	accept := b.get(link).request("/"+lastPart(link), "password", newPassword)
	withdraw := owner.request(http.MethodPost, ui.PathPeople+"/"+u.ID+"/withdraw", url.Values{})
	answers := make([]*page, 2)
	together(t, 2, func(i int) (err error) {
		if i == 0 {
			answers[i], err = b.once(accept)
		} else {
			answers[i], err = owner.once(withdraw)
		}
		return err
	})
	now, err := w.store.Users.Get(t.Context(), "acme", u.ID)
	switch {
	case err == nil && now.Password != "" && answers[0].status == http.StatusSeeOther && answers[1].status == http.StatusNotFound:
	case err != nil && answers[0].status == http.StatusGone && answers[1].status == http.StatusSeeOther:
	default:
		t.Errorf("taken up: %d, withdrawn: %d, the user: %+v (%v)", answers[0].status, answers[1].status, now, err)
	}
}

// The form says beside the field what is wrong, keeps what was typed, and leaves nothing behind.
func TestInvitationRefused(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	w.user("birch", "kim@birch.example", "client")
	for email, says := range map[string]string{
		"":                    "Type in an e-mail address.",
		"nora":                "That is no e-mail address.",
		"nora@":               "That is no e-mail address.",
		"Nora Newcomer":       "That is no e-mail address.",
		"OLGA@acme.example":   "Somebody here has that address already.",
		"a@b.example, c@d.ex": "characters that we can’t deliver to",
	} {
		p := owner.invite(email).is(atInvite).says(says)
		if p.status != http.StatusUnprocessableEntity || !strings.Contains(p.body, `value="Nora Newcomer"`) {
			t.Errorf("%q: %d", email, p.status)
		}
	}
	for _, bad := range [][]string{{"name", "a\u202eb"}, {"name", strings.Repeat("n", 129)}} {
		owner.invite("nora@acme.example", bad...).is(atInvite).says("Type in a name")
	}
	for _, bad := range [][]string{{"role", "emperor"}, {"type", "wizard"}} {
		if p := owner.invite("nora@acme.example", bad...); p.status != http.StatusUnprocessableEntity {
			t.Errorf("%q: %d", bad, p.status)
		}
	}
	if n := len(w.mails("nora@acme.example")); n != 0 {
		t.Errorf("%d mails", n)
	}
	// The address may be somebody's in another tenant: there nothing changes.
	owner.invite("kim@birch.example").says("is on its way")
	link := w.linkTo("kim@birch.example", "/invitation/")
	w.browser().get(link).submit("/"+lastPart(link), "password", newPassword).is(atSignIn)
	w.browser().get("/account/security").signIn("kim@birch.example").is(atSecurity).says("Birch Ltd")
	w.browser().get("/account/security").submit("/signin", "login", "kim@birch.example", "password", newPassword).is(atSecurity).says("Acme Ltd")
}

// What a customer calls himself leads nowhere: an invitation goes to strangers, under the deployment's name.
func TestInvitationHoldsOneLink(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	_, err := storage.Change(t.Context(), w.store.Users, "acme", owner.ID, func(u *storage.User) error {
		u.Name = "Win at https://evil.example/now. Or mail me@evil.example"
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	owner.invite("nora@acme.example")
	m := w.mails("nora@acme.example")[0]
	if links := mailedLink.FindAllString(m.Text, -1); len(links) != 1 || strings.Contains(m.Text, "evil.example") {
		t.Errorf("links %q in\n%s", links, m.Text)
	}
}

// Who may invite whom, send again and withdraw: the whole table.
func TestWhoMayInvite(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	adm := w.helper("acme", "adam@acme.example", storage.Admin)
	member := w.helper("acme", "mia@acme.example", storage.Member)
	other := w.helper("birch", "otto@birch.example", storage.Owner)
	owner.invite("member@acme.example")
	owner.invite("admin@acme.example", "role", "admin")
	low, high := w.byEmail("acme", "member@acme.example"), w.byEmail("acme", "admin@acme.example")
	for name, c := range map[string]struct {
		by   *browser
		role string
		want int // for an invitation to one's own tenant
		low  int // sending again to the invited member
		high int // and to the invited admin
	}{
		"stranger":               {w.browser(), "member", http.StatusSeeOther, http.StatusSeeOther, http.StatusSeeOther},
		"member":                 {member.browser, "member", http.StatusForbidden, http.StatusForbidden, http.StatusForbidden},
		"admin":                  {adm.browser, "member", http.StatusSeeOther, http.StatusSeeOther, http.StatusForbidden},
		"admin, an admin":        {adm.browser, "admin", http.StatusForbidden, http.StatusSeeOther, http.StatusForbidden},
		"admin, an owner":        {adm.browser, "owner", http.StatusForbidden, http.StatusSeeOther, http.StatusForbidden},
		"owner":                  {owner.browser, "owner", http.StatusSeeOther, http.StatusSeeOther, http.StatusSeeOther},
		"another tenant's owner": {other.browser, "owner", http.StatusSeeOther, http.StatusNotFound, http.StatusNotFound},
	} {
		w.clock.forward(time.Second)
		email := strings.NewReplacer(" ", "-", ",", "", "'", "").Replace(name) + "@new.example"
		post := func(path string, form url.Values) *page {
			p, err := c.by.once(c.by.request(http.MethodPost, path, form))
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		p := post(ui.PathInvite, url.Values{"email": {email}, "name": {"N"}, "role": {c.role}, "type": {"client"}})
		toSignIn := strings.HasPrefix(p.header.Get("Location"), "/signin")
		if p.status != c.want || c.want == http.StatusSeeOther && toSignIn != (name == "stranger") {
			t.Errorf("%s invites %s: %d to %q, want %d", name, c.role, p.status, p.header.Get("Location"), c.want)
		}
		if made, err := w.p.local.Lookup(t.Context(), "acme", email); err != nil || len(made) > 0 && !strings.HasPrefix(name, "admin") && name != "owner" {
			t.Errorf("%s has made a user of acme (%v)", name, err)
		}
		for u, want := range map[string]int{low.ID: c.low, high.ID: c.high} {
			// Too often is a notice on the user's page, and so a redirect too.
			if p := post(ui.PathPeople+"/"+u+"/invite", url.Values{}); p.status != want {
				t.Errorf("%s sends again to %s: %d, want %d", name, u, p.status, want)
			}
			g, err := c.by.once(c.by.request(http.MethodGet, ui.PathPeople+"/"+u+"/withdraw", nil))
			if want == http.StatusSeeOther && name != "stranger" {
				want = http.StatusOK
			}
			if err != nil || g.status != want {
				t.Errorf("%s asks to withdraw %s: %d, want %d (%v)", name, u, g.status, want, err)
			}
		}
	}
	for name, by := range map[string]*helper{"member": member, "admin": adm, "owner": owner} {
		p, err := by.once(by.request(http.MethodGet, ui.PathInvite, nil))
		if err != nil || (p.status == http.StatusOK) != (name != "member") {
			t.Errorf("%s sees the form: %d (%v)", name, p.status, err)
		}
	}
}
