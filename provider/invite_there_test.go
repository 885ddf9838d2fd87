package provider

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// imported is a member of acme as files without password hashes bring them in: there is no password, and nobody has confirmed
// the address.
func (w *world) imported(email string, change ...func(*storage.User)) storage.User {
	w.t.Helper()
	u := storage.User{Key: storage.Key{Tenant: "acme"}, Email: email, Name: "Kim Lund", Role: storage.Member, Type: "staff"}
	for _, f := range change {
		f(&u)
	}
	if err := w.p.local.Create(w.t.Context(), &u, ""); err != nil {
		w.t.Fatal(err)
	}
	return u
}

// Who was brought in from a file without a password has no way in, not even by "Forgot your password?", until an owner or
// admin sends an invitation. What follows is as for everybody who is invited.
func TestInvitePeopleWithoutPassword(t *testing.T) {
	w := newWorld(t)
	robot := w.machine("robot", "acme", admin.ScopeUsersWrite)
	s := robot.call(http.MethodPost, "/api/v1/tenants/acme/users/import", "email,name\nkim@acme.example,Kim Lund\n", "Content-Type", "text/csv")
	if s.status != http.StatusOK {
		t.Fatalf("import: %d %s", s.status, s.body)
	}
	u := w.byEmail("acme", kimAt)
	w.browser().forget(kimAt)
	if n := len(w.mails(kimAt)); n != 0 {
		t.Fatalf("%d mails to an address that nobody has confirmed", n)
	}
	adm := w.helper("acme", "adam@acme.example", storage.Admin)
	adm.get(ui.PathPeople+"/"+u.ID).says("There is no password yet.", "An invitation leads to choosing one.", "Never signed in").
		submit("/invite").says("An invitation to kim@acme.example is on its way.", "The invitation is good until")
	if got := w.told("user.invit"); !slices.Equal(got, []string{"user.invite ok"}) {
		t.Errorf("audited: %q", got)
	}
	adm.get(ui.PathPeople + "?state=invited").says(kimAt)
	link := w.linkTo(kimAt, "/invitation/")
	w.browser().get(link).is(atInvited).submit("/"+lastPart(link), "password", newPassword).is(atSignIn)
	now := w.get("acme", u.ID)
	if !now.Invited.IsZero() || !now.EmailVerified || !now.PasswordMailed || now.Password == "" || now.ByInvitation {
		t.Errorf("taken up: %+v", now)
	}
	w.dead("used once", link)
	w.browser().get("/account/security").submit("/signin", "login", kimAt, "password", newPassword).is(atIntro)
	p, err := adm.once(adm.request(http.MethodPost, ui.PathPeople+"/"+u.ID+"/invite", url.Values{}))
	if err != nil || p.status != http.StatusUnprocessableEntity {
		t.Errorf("with a password: %d (%v)", p.status, err)
	}
	if p := adm.get(ui.PathPeople + "/" + u.ID); strings.Contains(p.text(), "Send an invitation") {
		t.Error("an invitation is offered to somebody who has a password")
	}
}

// The second step that a file brought along is asked for after the invitation, as ever: the mailbox alone lets nobody in.
func TestInvitedWithImportedStep(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	u, ph, _ := w.enrolled("acme", kimAt)
	changeIn(w, w.store.Users, "acme", u.ID, func(u *storage.User) {
		u.Password, u.PasswordSet, u.EmailVerified = "", time.Time{}, false
	})
	owner.get(ui.PathPeople + "/" + u.ID).submit("/invite").says("is on its way")
	link := w.linkTo(kimAt, "/invitation/")
	b := w.browser()
	b.get(link).submit("/"+lastPart(link), "password", newPassword).is(atSignIn)
	b.get("/account/security").submit("/signin", "login", kimAt, "password", newPassword).is(atCode).submit("/with/totp", "code", ph.next()).is(atSecurity)
}

// Withdrawn, an invitation takes along whom it made, and nobody else; the page says so before.
func TestWithdrawnFromSomebodyThere(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	u := w.imported(kimAt)
	at := ui.PathPeople + "/" + u.ID
	owner.get(at).submit("/invite").says("is on its way")
	link := w.linkTo(kimAt, "/invitation/")
	ask := owner.get(owner.get(at).link("/withdraw")).says("Withdraw the invitation of kim@acme.example?", "stays, without a password")
	if strings.Contains(ask.text(), "removed") {
		t.Error("it says that the account is removed")
	}
	ask.submit("/withdraw").says("The invitation of kim@acme.example is withdrawn.", "There is no password yet.")
	if now := w.get("acme", u.ID); !now.Invited.IsZero() || now.Email != kimAt || now.Name != "Kim Lund" {
		t.Errorf("now %+v", now)
	}
	w.dead("withdrawn", link)
	if got := w.told("user."); !slices.Equal(got, []string{"user.invite ok", "user.invitation_withdrawn ok"}) {
		t.Errorf("audited: %q", got)
	}
	if p := owner.get(ui.PathPeople + "?state=invited"); strings.Contains(p.text(), kimAt) {
		t.Error("the list of invitations still has it")
	}
	// Deleting is offered as for everybody who is there; for whom the invitation made it is withdrawing.
	owner.get(at).submit("/invite")
	if !strings.Contains(owner.get(at).body, u.ID+"/delete") {
		t.Error("somebody who was there before can't be deleted while invited")
	}
	owner.invite("nora@acme.example")
	nora := w.byEmail("acme", "nora@acme.example")
	if strings.Contains(owner.get(ui.PathPeople+"/"+nora.ID).body, nora.ID+"/delete") {
		t.Error("somebody whom the invitation made can be deleted beside it")
	}
	// In the API withdrawing answers alike.
	robot := w.machine("robot", "acme", admin.ScopeUsersRead, admin.ScopeUsersWrite)
	const invitations = "/api/v1/tenants/acme/invitations/"
	for id, left := range map[string]int{u.ID: http.StatusOK, nora.ID: http.StatusNotFound} {
		if s := robot.call(http.MethodDelete, invitations+id, ""); s.status != http.StatusNoContent {
			t.Errorf("withdrawn: %d %s", s.status, s.body)
		}
		if s := robot.call(http.MethodGet, "/api/v1/tenants/acme/users/"+id, ""); s.status != left {
			t.Errorf("then: %d, want %d", s.status, left)
		}
	}
	if v := robot.call(http.MethodPost, invitations+u.ID+"/send", "").json(t); v["invited"] == nil || v["by_invitation"] != nil {
		t.Errorf("sent by a program: %v", v)
	}
}

// Whose address is known has a way in by "Forgot your password?" all along; that takes the invitation up as well.
func TestForgotWhileInvited(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	u := w.imported(kimAt, func(u *storage.User) { u.EmailVerified = true })
	owner.get(ui.PathPeople + "/" + u.ID).submit("/invite").says("is on its way")
	invitation := w.linkTo(kimAt, "/invitation/")
	w.browser().forget(kimAt)
	link := w.linkTo(kimAt, "/password/")
	w.browser().get(link).submit("/"+lastPart(link), "password", newPassword).is(atSignIn)
	if now := w.get("acme", u.ID); !now.Invited.IsZero() || now.Password == "" {
		t.Errorf("now %+v", now)
	}
	w.dead("a password was set in another way", invitation)
	w.browser().get("/account/security").submit("/signin", "login", kimAt, "password", newPassword).is(atIntro)
}

// Who can't be invited: each is told why, and nothing is mailed.
func TestWhoCannotBeInvited(t *testing.T) {
	w := newWorld(t)
	robot := w.machine("robot", "acme", admin.ScopeUsersWrite)
	for code, u := range map[string]storage.User{
		"password": w.user("acme", "rob@acme.example", "staff"),
		"no_email": w.imported("", func(u *storage.User) { u.Login = "nils" }),
		"out":      w.imported("out@acme.example", func(u *storage.User) { u.Disabled = true }),
	} {
		robot.call(http.MethodPost, "/api/v1/tenants/acme/invitations/"+u.ID+"/send", "").refuses(t, http.StatusUnprocessableEntity, "user", code)
		if now := w.get("acme", u.ID); !now.Invited.IsZero() || u.Email != "" && len(w.mails(u.Email)) != 0 {
			t.Errorf("%s: %+v", code, now)
		}
	}
	// Owners and admins who have no password either: an admin invites members only.
	adm := w.helper("acme", "adam@acme.example", storage.Admin)
	high := w.imported("high@acme.example", func(u *storage.User) { u.Role = storage.Owner })
	p, err := adm.once(adm.request(http.MethodPost, ui.PathPeople+"/"+high.ID+"/invite", url.Values{}))
	if err != nil || p.status != http.StatusForbidden || !w.get("acme", high.ID).Invited.IsZero() {
		t.Errorf("an admin invites an owner: %d (%v)", p.status, err)
	}
}
