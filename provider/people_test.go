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

func (w *world) get(tenant, id string) storage.User {
	w.t.Helper()
	u, err := w.store.Users.Get(w.t.Context(), tenant, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return u
}

// Who types in where the administration is comes to its first part.
func TestConsoleBegins(t *testing.T) {
	w := newWorld(t)
	w.helper("acme", "olga@acme.example", storage.Owner).get("/admin").is(atPeople)
	w.browser().get("/admin").is(atSignIn)
}

// 000-2, 000-3, 000-4: one form sets the access level and the tick, saved together; ticking one user leaves the others
// alone, and the ticked one sets a second step up at the next sign-in.
func TestTickOneUser(t *testing.T) {
	w := newWorld(t)
	kim := w.user("birch", "kim@birch.example", "client")
	lee := w.user("birch", "lee@birch.example", "client")
	w.rules("birch",
		storage.Rule{Name: "This user must use 2FA", When: storage.When{Ticked: true}, Then: storage.Then{Access: "allow", Strength: "any", Unenrolled: "enrol_at_login"}},
		storage.Rule{Name: "Everyone may", Then: storage.Then{Access: "allow", TwoFactor: "optional", Strength: "any", Unenrolled: "enrol_at_login"}},
	)
	owner := w.helper("birch", "olga@birch.example", storage.Owner)
	p := owner.get(owner.get(ui.PathPeople).is(atPeople).link("/"+kim.ID)).says("Access level", "Must use two-factor authentication")
	p.submit("/"+kim.ID, "role", "admin", "type", "contractor", "require", "yes").says("The changes to kim@birch.example are saved")
	if u := w.get("birch", kim.ID); u.Role != storage.Admin || u.Type != "contractor" || !u.Require2FA {
		t.Errorf("saved: %s, %s, ticked %t", u.Role, u.Type, u.Require2FA)
	}
	if u := w.get("birch", lee.ID); u.Role != storage.Member || u.Require2FA {
		t.Errorf("another user was changed: %s, ticked %t", u.Role, u.Require2FA)
	}
	owner.get(ui.PathPeople).says("Must use 2FA", "Admin")
	i := slices.IndexFunc(w.events("birch"), func(e storage.Event) bool { return e.Action == "user.change" })
	if e := w.events("birch")[max(i, 0)]; i < 0 || e.Actor != owner.ID || e.User != kim.ID || !strings.Contains(e.Reason, "role member to admin") {
		t.Errorf("audit log: %+v", e)
	}
	w.browser().get("/account/security").signIn("kim@birch.example").is(atIntro).says("This user must use 2FA")
	w.browser().get("/account/security").signIn("lee@birch.example").is(atSecurity)
}

// Who may do what to whom: strangers, members, admins, owners, and another tenant's owner, for each operation.
func TestWhoMayManage(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	adm := w.helper("acme", "adam@acme.example", storage.Admin)
	member := w.helper("acme", "mia@acme.example", storage.Member)
	other := w.helper("birch", "otto@birch.example", storage.Owner)
	target := w.user("acme", "robin@acme.example", "staff")
	peer := w.user("acme", "peer@acme.example", "staff", func(u *storage.User) { u.Role = storage.Admin })
	for _, op := range []string{"", "/reset", "/end", "/forget", "/disable", "/enable"} {
		for name, c := range map[string]struct {
			by   *browser
			whom string
			want int
		}{
			"stranger":                {w.browser(), target.ID, http.StatusSeeOther}, // to the sign-in
			"member":                  {member.browser, target.ID, http.StatusForbidden},
			"member, herself":         {member.browser, member.ID, http.StatusForbidden},
			"admin, a member":         {adm.browser, target.ID, http.StatusSeeOther},
			"admin, an admin":         {adm.browser, peer.ID, http.StatusForbidden},
			"admin, himself":          {adm.browser, adm.ID, http.StatusForbidden},
			"admin, the owner":        {adm.browser, owner.ID, http.StatusForbidden},
			"owner, a member":         {owner.browser, target.ID, http.StatusSeeOther},
			"owner, an admin":         {owner.browser, peer.ID, http.StatusSeeOther},
			"another tenant's owner":  {other.browser, target.ID, http.StatusNotFound},
			"nobody of that name":     {owner.browser, "nobody", http.StatusNotFound},
			"another tenant's member": {owner.browser, other.ID, http.StatusNotFound},
		} {
			u, err := w.store.Users.Get(t.Context(), "acme", c.whom)
			role := string(u.Role)
			if err != nil {
				role = "member"
			}
			p, err := c.by.once(c.by.request(http.MethodPost, ui.PathPeople+"/"+c.whom+op, url.Values{"role": {role}, "type": {"staff"}}))
			if err != nil {
				t.Fatal(err)
			}
			to := p.header.Get("Location")
			if p.status != c.want || c.want == http.StatusSeeOther && strings.HasPrefix(to, "/signin") != (name == "stranger") {
				t.Errorf("%s, %q: %d to %q, want %d", name, op, p.status, to, c.want)
			}
		}
	}
	// An admin raises nobody, and nobody raises himself.
	for what, c := range map[string]struct {
		by   *helper
		whom string
		role storage.Role
		want int
	}{
		"an admin makes an admin":         {adm, target.ID, storage.Admin, http.StatusForbidden},
		"an admin raises himself":         {adm, adm.ID, storage.Owner, http.StatusForbidden},
		"a member raises herself":         {member, member.ID, storage.Owner, http.StatusForbidden},
		"an owner takes her role off":     {owner, owner.ID, storage.Member, http.StatusSeeOther}, // the rest is saved
		"another tenant's owner, robin":   {other, target.ID, storage.Owner, http.StatusNotFound},
		"another tenant's owner, herself": {other, owner.ID, storage.Member, http.StatusNotFound},
	} {
		was := w.get("acme", c.whom).Role
		p, err := c.by.once(c.by.request(http.MethodPost, ui.PathPeople+"/"+c.whom, url.Values{"role": {string(c.role)}, "type": {"staff"}}))
		if err != nil {
			t.Fatal(err)
		}
		if now := w.get("acme", c.whom).Role; p.status != c.want || now != was {
			t.Errorf("%s: %d, and %s is now %s", what, p.status, was, now)
		}
	}
	for _, bad := range []url.Values{{"role": {"emperor"}, "type": {"staff"}}, {"role": {"member"}, "type": {"wizard"}}} {
		p, err := owner.once(owner.request(http.MethodPost, ui.PathPeople+"/"+target.ID, bad))
		if err != nil || p.status < 400 {
			t.Errorf("%v is taken: %d (%v)", bad, p.status, err)
		}
	}
}

// A tenant never loses its last owner: of two who take each other's role at once, one does.
func TestOneOwnerIsLeft(t *testing.T) {
	w := newWorld(t)
	a := w.helper("acme", "olga@acme.example", storage.Owner)
	b := w.helper("acme", "otto@acme.example", storage.Owner)
	var all sync.WaitGroup
	for by, whom := range map[*helper]string{a: b.ID, b: a.ID} {
		all.Go(func() {
			if _, err := by.once(by.request(http.MethodPost, ui.PathPeople+"/"+whom, url.Values{"role": {"member"}, "type": {"staff"}})); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if x, y := w.get("acme", a.ID).Role, w.get("acme", b.ID).Role; (x == storage.Owner) == (y == storage.Owner) {
		t.Errorf("the owners are now %s and %s", x, y)
	}
}

// Nor can two owners put each other out at once.
func TestOwnersDoNotPutEachOtherOut(t *testing.T) {
	w := newWorld(t)
	a := w.helper("acme", "olga@acme.example", storage.Owner)
	b := w.helper("acme", "otto@acme.example", storage.Owner)
	var all sync.WaitGroup
	for by, whom := range map[*helper]string{a: b.ID, b: a.ID} {
		all.Go(func() {
			if _, err := by.once(by.request(http.MethodPost, ui.PathPeople+"/"+whom+"/disable", url.Values{})); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if w.get("acme", a.ID).Disabled && w.get("acme", b.ID).Disabled {
		t.Error("both owners are out")
	}
}

// A locked-out user is helped: the factors are reset, the sessions end, the devices are forgotten, access goes and comes
// back, and each is told and audited.
func TestHelpAUser(t *testing.T) {
	w := newWorld(t)
	robin, ph, _ := w.enrolled("acme", "robin@acme.example")
	remembering(w)
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	b := w.remembered("robin@acme.example", ph)
	at := ui.PathPeople + "/" + robin.ID
	owner.get(at).says("Authenticator app", "Signed in on", "1 remembered device", "10 backup codes left").
		submit("/forget").says("The devices of robin@acme.example are forgotten")
	if b.passwordIsEnough("robin@acme.example") {
		t.Error("the forgotten device is still remembered")
	}
	b = w.remembered("robin@acme.example", ph)
	owner.get(at).submit("/end").says("is signed out everywhere")
	b.get("/account/security").is(atSignIn)

	b.get("/account/security").signIn("robin@acme.example").submit("/with/totp", "code", ph.next()).is(atSecurity)
	owner.get(owner.get(at).link("/disable")).says("Take the access of robin@acme.example away?").submit("/disable").says("has no access any more")
	if p := w.browser().get("/account/security").signIn("robin@acme.example"); p.status != http.StatusUnprocessableEntity {
		t.Errorf("a disabled user signs in: %d", p.status)
	}
	owner.get(at).submit("/enable").says("has access again")
	b.get("/account/security").is(atSignIn)

	// Whoever typed too many wrong codes need not wait to set up anew.
	p := w.browser().get("/account/security").signIn("robin@acme.example").is(atCode)
	for range 5 {
		p = p.submit("/with/totp", "code", ph.wrong())
	}
	w.clock.forward(time.Second) // mails are listed by their time
	owner.get(owner.get(at).link("/reset")).says("whoever has the password then chooses it").submit("/reset").says("All second steps of robin@acme.example are off")
	if m := w.mails("robin@acme.example"); !strings.Contains(m[0].Subject, "turned off") {
		t.Errorf("the user is not told: %q", m[0].Subject)
	}
	w.browser().get("/account/security").signIn("robin@acme.example").enrol()
	var done []string
	for _, e := range w.events("acme") {
		if e.Actor == owner.ID && e.User == robin.ID {
			done = append(done, e.Action)
		}
	}
	if want := []string{"device.forgotten", "user.end_sessions", "user.disable", "user.enable", "two_factor.reset"}; !slices.Equal(done, want) {
		t.Errorf("audit log: %q, want %q", done, want)
	}
}
