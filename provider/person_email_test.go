package provider

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

const (
	atPersonEmail = "Change an e-mail address"
	kimAt, kimNew = "kim@acme.example", "kim.lund@acme.example"
)

// moves opens a user's page and the one for another address, and types that in.
func (h *helper) moves(u storage.User, to string) *page {
	h.t.Helper()
	ask := h.get(h.get(ui.PathPeople + "/" + u.ID).link("/email")).is(atPersonEmail)
	return ask.submit("/email", "email", to)
}

// oneLine is what a mail says, however its lines are broken.
func oneLine(m storage.Message) string { return strings.Join(strings.Fields(m.Text), " ") }

// An owner corrects a user's address: it is what the user signs in with from then on, and what is signed in stays so. Nobody
// has confirmed it, so that no way back in goes there, until the user does; both mailboxes are told.
func TestOwnerChangesEmail(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	u, ph, _ := w.enrolled("acme", kimAt)
	b := w.browser()
	b.get("/account/details").signIn(kimAt).submit("/with/totp", "code", ph.next()).is(atDetails)

	before := len(w.mails(kimAt))
	ask := owner.get(owner.get(ui.PathPeople+"/"+u.ID).link("/email")).is(atPersonEmail).
		says(kimAt, "We tell both addresses", "It counts as not confirmed", "Links that we mailed before stop working")
	for typed, says := range map[string]string{
		"": "Type in an e-mail address", "kim": "That is no e-mail address", "OLGA@acme.example": "Somebody here has that address already",
		"kim@new.example\r\nBcc: all@acme.example": "can’t deliver", strings.Repeat("a", 300) + "@new.example": "too long",
	} {
		p := ask.submit("/email", "email", typed).is(atPersonEmail).says(says)
		if p.status != http.StatusUnprocessableEntity || strings.Contains(p.body, owner.ID) {
			t.Errorf("%q: %d", typed, p.status)
		}
	}
	// The present one again is no change: it stays confirmed, and nobody is told.
	ask.submit("/email", "email", " KIM@acme.example ").says("The e-mail address is kim@acme.example now.")
	if now := w.get("acme", u.ID); !now.EmailVerified || len(w.told("user.change")) != 0 || len(w.mails(kimAt)) != before {
		t.Errorf("nothing was to change: %+v, %q", now, w.told("user.change"))
	}

	owner.moves(u, "Kim.Lund@acme.example").says("The e-mail address is kim.lund@acme.example now.", "The e-mail address is not confirmed.")
	now := w.get("acme", u.ID)
	if now.Email != kimNew || now.EmailVerified || now.Login != u.Login || now.Password != u.Password {
		t.Errorf("now %+v", now)
	}
	if got := w.told("user.change"); !slices.Equal(got, []string{"user.change ok email"}) {
		t.Errorf("audited: %q", got)
	}
	old, fresh := w.mails(kimAt), w.mails(kimNew)
	if len(old) != before+1 || !strings.Contains(oneLine(old[0]), "Olga Owner changed the e-mail address of your account from kim@acme.example to kim.lund@acme.example") ||
		!strings.Contains(oneLine(old[0]), "ask an owner of your account") || strings.Contains(old[0].Text, "/not-me/") {
		t.Errorf("the old mailbox reads %s", old[0].Text)
	}
	if len(fresh) != 1 || !strings.Contains(oneLine(fresh[0]), "Please confirm it once you are signed in") || len(mailedLink.FindAllString(fresh[0].Text, -1)) != 0 ||
		strings.Contains(fresh[0].Text, "127.0.0.1") {
		t.Errorf("the new mailbox reads %s", fresh[0].Text)
	}

	// What was signed in goes on; the old name leads nowhere, and no mail leads in by the new one yet.
	b.get("/account/details").is(atDetails).says(kimNew, "Not confirmed")
	if q := w.browser().get("/account").signIn(kimAt); q.heading() != atSignIn {
		t.Errorf("the old address leads to %q", q.heading())
	}
	w.browser().forget(kimNew)
	if n := len(w.mails(kimNew)); n != 1 {
		t.Errorf("%d mails to an address that nobody has confirmed", n)
	}
	w.browser().get("/account").signIn(kimNew).submit("/with/totp", "code", ph.next()).is(atAccount)
	// Signed in, the user confirms it.
	b.get("/account/details").submit("/email/verify")
	b.get(w.linkTo(kimNew, "/verify/")).submit("/" + lastPart(w.linkTo(kimNew, "/verify/")))
	if now := w.get("acme", u.ID); !now.EmailVerified {
		t.Error("the user can't confirm the address")
	}
	if p := owner.get(ui.PathPeople + "/" + u.ID); strings.Contains(p.text(), "is not confirmed") {
		t.Error("confirmed, the page still says that it is not")
	}
}

// An address that nobody had confirmed is not told of the change: it may be a stranger's. Where the tenant names whom to ask,
// the mail does so too.
func TestOwnerChangesEmailTellsWhom(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	stranger := w.user("acme", kimAt, "staff", func(u *storage.User) { u.EmailVerified = false })
	owner.get(owner.get(ui.PathPeople + "/" + stranger.ID).link("/email")).says("We tell the new address")
	owner.moves(stranger, kimNew).says("The e-mail address is")
	if n := len(w.mails(kimAt)); n != 0 {
		t.Errorf("%d mails to an address that nobody has confirmed", n)
	}
	change(w, w.store.Tenants, "acme", func(t *storage.Tenant) { t.Settings.Support = "help@acme.example" })
	w.clock.forward(10 * time.Second)
	known := w.user("acme", "ida@acme.example", "staff")
	owner.moves(known, "ida.sund@acme.example").says("The e-mail address is")
	if m := w.mails("ida@acme.example"); len(m) == 0 || !strings.Contains(oneLine(m[0]), "ask help@acme.example") {
		t.Errorf("the old mailbox reads %s", m[0].Text)
	}
	// However often addresses change, a stranger's mailbox gets a few of these in an hour.
	for i := range 5 {
		u := w.user("acme", fmt.Sprintf("n%d@acme.example", i), "staff")
		owner.moves(u, "victim@new.example").says("The e-mail address is")
		owner.moves(u, fmt.Sprintf("m%d@acme.example", i)).says("The e-mail address is")
	}
	if n := len(w.mails("victim@new.example")); n != 3 {
		t.Errorf("%d mails of strangers' doing", n)
	}
	// Who had a user name only gets an address beside it.
	named := w.user("acme", "", "staff", func(u *storage.User) { u.Login, u.EmailVerified = "nils", false })
	owner.get(owner.get(ui.PathPeople + "/" + named.ID).link("/email")).says("No e-mail address yet")
	owner.moves(named, "nils@acme.example").says("The e-mail address is nils@acme.example now.")
	if now := w.get("acme", named.ID); now.Login != "nils" || now.Email != "nils@acme.example" {
		t.Errorf("now %+v", now)
	}
}

// Whoever holds the old mailbox holds nothing any more: every link that was mailed there is dead, and a change of the user's
// own ends; even where the address comes back.
func TestOwnerChangesEmailEndsLinks(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	u, ph, _ := w.enrolled("acme", robinAt)
	b := w.browser()
	b.get("/account/details").signIn(robinAt).submit("/with/totp", "code", ph.next()).is(atDetails)
	b.wants(wanted)
	toNew, toOld := w.both()
	w.browser().forget(robinAt)
	links := []string{toNew, toOld, w.linkTo(robinAt, "/password/")}
	for _, purpose := range storage.Purposes() {
		if _, err := w.store.Links.Get(t.Context(), "acme", storage.LinkID(purpose, u.ID)); err == nil {
			continue
		}
		l := storage.Link{Key: storage.Key{Tenant: "acme", ID: storage.LinkID(purpose, u.ID)}, User: u.ID, Secret: "x", Created: w.clock.Now()}
		if err := w.store.Links.Insert(t.Context(), &l); err != nil {
			t.Fatal(err)
		}
	}
	owner.moves(u, "robin@other.example").says("The e-mail address is robin@other.example now.")
	w.dead("after an owner's change", links...)
	for _, purpose := range storage.Purposes() {
		if _, err := w.store.Links.Get(t.Context(), "acme", storage.LinkID(purpose, u.ID)); err == nil {
			t.Errorf("the link for %s is still kept", purpose)
		}
	}
	if p := b.get("/account/details").is(atDetails); strings.Contains(p.text(), wanted) {
		t.Error("the user's own change still waits")
	}
	w.clock.forward(time.Second)
	owner.moves(w.get("acme", u.ID), robinAt).says("The e-mail address is robin@acme.example now.")
	w.dead("with the old address back", links...)
	if now := w.get("acme", u.ID); now.EmailVerified {
		t.Error("an address that was confirmed once counts as confirmed without being asked")
	}
}

// An invitation follows the address: the old link is dead, another goes to the new mailbox, and the user is still one whom the
// invitation made. Too many are refused before anything is changed; who is kept out is sent nothing.
func TestOwnerChangesEmailOfInvited(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	owner.invite("nroa@acme.example")
	u := w.byEmail("acme", "nroa@acme.example")
	first := w.linkTo(u.Email, "/invitation/")
	w.clock.forward(12 * time.Hour)
	owner = w.again(owner)
	owner.moves(u, "nora@acme.example").says("The e-mail address is nora@acme.example now, and the invitation is on its way there.")
	w.dead("the old address's invitation", first)
	if n := len(w.mails(u.Email)); n != 1 {
		t.Errorf("the old address, which nobody confirmed, got %d mails", n)
	}
	now := w.get("acme", u.ID)
	if m := w.mails("nora@acme.example"); len(m) != 1 || !strings.Contains(m[0].Text, "Olga Owner (Acme Ltd) invites you") || !now.ByInvitation || !now.Invited.Equal(w.clock.Now()) {
		t.Errorf("mailed %+v; the user is %+v", m, now)
	}
	if got := w.told("user."); !slices.Equal(got, []string{"user.invite ok", "user.change ok email", "user.invite ok again"}) {
		t.Errorf("audited: %q", got)
	}
	owner.get(ui.PathPeople + "?state=invited").says("nora@acme.example")
	for _, to := range []string{"nora0@acme.example", "nora1@acme.example"} {
		owner.moves(now, to).says("and the invitation is on its way there.")
	}
	p := owner.moves(now, "nora2@acme.example").is(atPersonEmail).says("Too many invitations were sent lately")
	if u := w.get("acme", u.ID); p.status != http.StatusUnprocessableEntity || u.Email != "nora1@acme.example" {
		t.Errorf("refused with %d: %+v", p.status, u)
	}
	w.clock.forward(2 * time.Hour)
	owner = w.again(owner)
	owner.get(owner.get(ui.PathPeople + "/" + u.ID).link("/disable")).submit("/disable")
	owner.moves(now, "nora3@acme.example").says("The e-mail address is nora3@acme.example now.")
	if n := len(w.mails("nora3@acme.example")); n != 0 {
		t.Errorf("%d mails to somebody who is kept out", n)
	}
	owner.get(ui.PathPeople + "/" + u.ID).submit("/enable").submit("/invite").says("on its way")
	link := w.linkTo("nora3@acme.example", "/invitation/")
	w.browser().get(link).is(atInvited).submit("/"+lastPart(link), "password", newPassword).is(atSignIn)
}

// Who may change whose address: the whole table, on pages and in the API. What is refused changes nothing.
func TestWhoMayChangeEmail(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	adm := w.helper("acme", "adam@acme.example", storage.Admin)
	member := w.helper("acme", "mia@acme.example", storage.Member)
	other := w.helper("birch", "otto@birch.example", storage.Owner)
	target := w.user("acme", kimAt, "staff")
	peer := w.user("acme", "peer@acme.example", "staff", func(u *storage.User) { u.Role = storage.Owner })
	n := 0
	for _, c := range []struct {
		name string
		by   *browser
		whom string
		want int
	}{
		{"stranger", w.browser(), target.ID, http.StatusSeeOther},
		{"member", member.browser, target.ID, http.StatusForbidden},
		{"member, herself", member.browser, member.ID, http.StatusForbidden},
		{"admin", adm.browser, target.ID, http.StatusForbidden},
		{"admin, himself", adm.browser, adm.ID, http.StatusForbidden},
		{"admin, an owner", adm.browser, owner.ID, http.StatusForbidden},
		{"owner, herself", owner.browser, owner.ID, http.StatusForbidden},
		{"owner, a member", owner.browser, target.ID, http.StatusSeeOther},
		{"owner, an owner", owner.browser, peer.ID, http.StatusSeeOther},
		{"another tenant's owner", other.browser, target.ID, http.StatusNotFound},
		{"nobody of that name", owner.browser, "nobody", http.StatusNotFound},
		{"by the address", owner.browser, "peer@acme.example", http.StatusNotFound},
		{"another tenant's member", owner.browser, other.ID, http.StatusNotFound},
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			before, _ := w.store.Users.Get(t.Context(), "acme", c.whom)
			n++
			to := fmt.Sprintf("to%d@acme.example", n)
			p, err := c.by.once(c.by.request(method, ui.PathPeople+"/"+c.whom+"/email", url.Values{"email": {to}}))
			if err != nil {
				t.Fatal(err)
			}
			want := c.want
			may := c.name == "owner, a member" || c.name == "owner, an owner"
			if method == http.MethodGet && may {
				want = http.StatusOK
			}
			if p.status != want {
				t.Errorf("%s %s: %d, want %d", c.name, method, p.status, want)
			}
			after, _ := w.store.Users.Get(t.Context(), "acme", c.whom)
			if moved := after.Email != before.Email; moved != (may && method == http.MethodPost) || moved && after.Email != to {
				t.Errorf("%s %s: %s is now %s", c.name, method, before.Email, after.Email)
			}
		}
	}
	for name, h := range map[string]*helper{"admin": adm, "owner": owner} {
		for id, want := range map[string]bool{target.ID: name == "owner", h.ID: false} {
			if p := h.get(ui.PathPeople + "/" + id); strings.Contains(p.body, id+"/email") != want {
				t.Errorf("%s is offered the address of %s: %t", name, id, !want)
			}
		}
	}
	w.apiChangesEmail(target, peer)
}

// apiChangesEmail: programs change what their scopes let them, and no owner's address with less than an owner can: an
// invitation that goes to the program's own mailbox would make it that owner.
func (w *world) apiChangesEmail(target, peer storage.User) {
	w.t.Helper()
	const users = "/api/v1/tenants/acme/users/"
	robot := w.machine("robot", "acme", admin.ScopeUsersRead, admin.ScopeUsersWrite)
	robot.call(http.MethodPatch, users+peer.ID, `{"email":"mine@evil.example"}`).refuses(w.t, http.StatusUnprocessableEntity, "role", "beyond")
	robot.call(http.MethodPatch, users+target.ID, `{"email":"olga@acme.example"}`).refuses(w.t, http.StatusConflict, "email", "taken")
	robot.call(http.MethodPatch, users+target.ID, `{"email":"nobody"}`).refuses(w.t, http.StatusUnprocessableEntity, "email", "syntax")
	robot.call(http.MethodPatch, users+target.ID, `{"email":""}`).refuses(w.t, http.StatusUnprocessableEntity, "email", "missing")
	robot.call(http.MethodPatch, users+target.ID, `{"email":"api@acme.example","type":"wizard"}`).refuses(w.t, http.StatusUnprocessableEntity, "type", "")
	if now := w.get("acme", target.ID); now.Email == "api@acme.example" {
		w.t.Error("half of it was done")
	}
	got := robot.call(http.MethodPatch, users+target.ID, `{"email":"API@acme.example","name":"Kim Lund","type":"client"}`).json(w.t)
	if now := w.get("acme", target.ID); got["email"] != "api@acme.example" || got["email_verified"] != false || now.Name != "Kim Lund" || now.Type != "client" || now.Email != "api@acme.example" {
		w.t.Errorf("answered %v; the user is %+v", got, now)
	}
	who := (&grid{world: w}).callers()
	for name, want := range map[string]int{
		"a stranger": http.StatusUnauthorized, "a member": http.StatusForbidden, "an admin": http.StatusForbidden,
		"another tenant's owner": http.StatusNotFound, "an owner": http.StatusOK, "an operator": http.StatusOK,
	} {
		was := w.get("acme", target.ID).Email
		to := strings.NewReplacer(" ", "-", "'", "").Replace(name) + "@moved.example"
		s := who[name].call(http.MethodPatch, users+target.ID, `{"email":"`+to+`"}`)
		if now := w.get("acme", target.ID).Email; s.status != want || (now == to) != (want == http.StatusOK) || want != http.StatusOK && now != was {
			w.t.Errorf("%s: %d, and %s is now %s", name, s.status, was, now)
		}
	}
	own := w.byEmail("acme", "an-owner@api.example")
	who["an owner"].call(http.MethodPatch, users+own.ID, `{"email":"mine@moved.example"}`).refuses(w.t, http.StatusUnprocessableEntity, "email", "own")
	for name, c := range map[string]*caller{
		"without the scope": w.machine("reader", "acme", admin.ScopeUsersRead), "of another tenant": w.machine("foreign", "birch", admin.ScopeUsersWrite),
	} {
		if s := c.call(http.MethodPatch, users+target.ID, `{"email":"x@evil.example"}`); s.status != http.StatusForbidden && s.status != http.StatusNotFound {
			w.t.Errorf("a program %s: %d", name, s.status)
		}
	}
}

// Twenty owners' requests at once, for one address and twenty users: one has it then, and the others keep theirs. Then twenty
// addresses for one user: the user answers to one of them, and to no other.
func TestEmailsAtOnce(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	const n = 20
	var users []storage.User
	for i := range n {
		users = append(users, w.user("acme", fmt.Sprintf("u%d@acme.example", i), "staff"))
	}
	var mu sync.Mutex
	count := map[int]int{}
	send := func(u storage.User, to string) error {
		p, err := owner.once(owner.request(http.MethodPost, ui.PathPeople+"/"+u.ID+"/email", url.Values{"email": {to}}))
		if err == nil {
			mu.Lock()
			defer mu.Unlock()
			count[p.status]++
		}
		return err
	}
	together(t, n, func(i int) error { return send(users[i], "one@acme.example") })
	if count[http.StatusSeeOther] != 1 || count[http.StatusUnprocessableEntity]+count[http.StatusServiceUnavailable] != n-1 {
		t.Errorf("answers: %v", count)
	}
	holder := w.byEmail("acme", "one@acme.example")
	for _, u := range users {
		if now := w.get("acme", u.ID); now.Email != u.Email && u.ID != holder.ID {
			t.Errorf("%s is now %s", u.Email, now.Email)
		}
	}
	clear(count)
	together(t, n, func(i int) error { return send(holder, fmt.Sprintf("many%d@acme.example", i)) })
	now := w.get("acme", holder.ID)
	for i := range n {
		name := fmt.Sprintf("many%d@acme.example", i)
		found, err := w.p.local.Lookup(t.Context(), "acme", name)
		if err != nil || len(found) != 0 && now.Email != name {
			t.Errorf("%s is answered to by %d (%v)", name, len(found), err)
		}
		claim, err := w.store.Logins.Get(t.Context(), storage.Global, name)
		if err == nil && len(claim.Users) > 0 && now.Email != name {
			t.Errorf("%s is still claimed by %+v", name, claim.Users)
		}
	}
	if count[http.StatusSeeOther] == 0 || count[http.StatusSeeOther]+count[http.StatusServiceUnavailable] != n {
		t.Errorf("answers: %v", count)
	}
}

// Where another directory keeps the users, neither is there anything to change, nor a password to be chosen here.
func TestPeopleOfAnotherDirectory(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	kim := w.imported(kimAt)
	foreign := newWorld(t, func(c *Config) { c.Store, c.Directory, c.Now = w.store, elsewhere{w.p.local}, w.clock.Now })
	b := foreign.browser()
	b.get("/account/security").signIn("olga@acme.example").submit("/with/totp", "code", owner.phone.next()).is(atSecurity)
	p := b.get(ui.PathPeople + "/" + kim.ID)
	for _, op := range []string{"/invite", "/email"} {
		if strings.Contains(p.body, kim.ID+op) {
			t.Errorf("%s is offered", op)
		}
		q, err := b.once(b.request(http.MethodPost, ui.PathPeople+"/"+kim.ID+op, url.Values{"email": {kimNew}}))
		if err != nil || q.status != http.StatusForbidden && q.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d (%v)", op, q.status, err)
		}
	}
	if now := w.get("acme", kim.ID); now.Email != kimAt || !now.Invited.IsZero() {
		t.Errorf("now %+v", now)
	}
}
