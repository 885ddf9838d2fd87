package provider

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// 004-8: the People page names the owners and admins who have no second step, and has them reminded, one or all, at most
// once a day each.
func TestNudge(t *testing.T) {
	w := newWorld(t)
	as := func(role storage.Role, change ...func(*storage.User)) func(*storage.User) {
		return func(u *storage.User) {
			u.Role, u.Name = role, ""
			for _, f := range change {
				f(u)
			}
		}
	}
	adam := w.user("birch", "adam@birch.example", "staff", as(storage.Admin))
	w.user("birch", "anna@birch.example", "staff", as(storage.Admin))
	w.user("birch", "unproven@birch.example", "staff", as(storage.Owner, func(u *storage.User) { u.EmailVerified = false }))
	w.user("birch", "out@birch.example", "staff", as(storage.Admin, func(u *storage.User) { u.Disabled = true }))
	w.user("birch", "mia@birch.example", "staff")
	owner := w.helper("birch", "olga@birch.example", storage.Owner)
	p := owner.get(ui.PathPeople).is(atPeople).says("3 owners and admins have no second step", "adam@birch.example", "No confirmed e-mail address")
	nudge := p.text()[:strings.Index(p.text(), "Name or e-mail begins with")]
	for _, not := range []string{"mia@", "out@", "Olga Owner"} {
		if strings.Contains(nudge, not) {
			t.Errorf("%s is named:\n%s", not, nudge)
		}
	}

	remind := func(id string) *page {
		return owner.follow(owner.request(http.MethodPost, ui.PathPeople+"/"+id+"/remind", url.Values{}))
	}
	remind(adam.ID).says("A reminder to adam@birch.example is on its way.")
	m := w.mails("adam@birch.example")
	if len(m) != 1 || !strings.Contains(m[0].Subject, "set up two-factor authentication for Birch") ||
		!strings.Contains(m[0].Text, "Olga Owner asks you") || !strings.Contains(m[0].Text, w.issuer+"/account/security\n") {
		t.Fatalf("mails: %+v", m)
	}
	remind(adam.ID).says("adam@birch.example got a reminder within the last day.")
	owner.get(ui.PathPeople).submit(ui.PathPeople + "/remind").is(atPeople).says("1 reminder is on its way.")
	if a, n := len(w.mails("adam@birch.example")), len(w.mails("anna@birch.example")); a != 1 || n != 1 {
		t.Errorf("%d and %d mails", a, n)
	}
	owner.get(ui.PathPeople).submit(ui.PathPeople + "/remind").says("All of them got a reminder within the last day.")
	w.clock.forward(24*time.Hour + time.Second)
	owner = w.again(owner)
	owner.get(ui.PathPeople).submit(ui.PathPeople + "/remind").says("2 reminders are on their way.")

	// The link leads to where a second step is set up; then there is nothing to remind of.
	b := w.browser()
	p = b.get(strings.TrimPrefix(mailedLink.FindString(w.mails("adam@birch.example")[0].Text), w.issuer)).signIn("adam@birch.example").is(atSecurity)
	setUp := b.get(p.link("/account/two-factor")).is(atIntro).submit("/account/set-up/totp")
	setUp.submit("/account/set-up", "code", w.scan(setUp).code()).is(atCodes).submit("/account/codes", "saved", "yes")
	owner.get(ui.PathPeople).says("2 owners and admins have no second step")
	if p := remind(adam.ID); p.status != http.StatusUnprocessableEntity {
		t.Errorf("somebody with a second step is reminded: %d", p.status)
	}
	reminded := 0
	for _, e := range w.events("birch") {
		if e.Action == "user.remind" {
			reminded++
		}
	}
	if reminded != 4 {
		t.Errorf("%d reminders in the audit log, want 4", reminded)
	}
}

// From the page of any user without a second step, too; and who may remind whom.
func TestWhoMayRemind(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	adm := w.helper("acme", "adam@acme.example", storage.Admin)
	member := w.helper("acme", "mia@acme.example", storage.Member)
	other := w.helper("birch", "otto@birch.example", storage.Owner)
	robin := w.user("acme", "robin@acme.example", "client")
	bare := w.user("acme", "bare@acme.example", "client", func(u *storage.User) { u.Role = storage.Owner })
	unproven := w.user("acme", "unproven@acme.example", "client", func(u *storage.User) { u.EmailVerified = false })
	locked := w.user("acme", "locked@acme.example", "client", func(u *storage.User) { u.Locked = w.clock.Now() })
	for name, c := range map[string]struct {
		by   *browser
		whom string
		want int
	}{
		"stranger":               {w.browser(), robin.ID, http.StatusSeeOther},
		"member":                 {member.browser, robin.ID, http.StatusForbidden},
		"admin, an owner":        {adm.browser, bare.ID, http.StatusSeeOther},
		"owner":                  {owner.browser, robin.ID, http.StatusSeeOther},
		"owner, herself":         {owner.browser, owner.ID, http.StatusForbidden},
		"another tenant's owner": {other.browser, robin.ID, http.StatusNotFound},
		"who is kept out":        {owner.browser, locked.ID, http.StatusUnprocessableEntity},
		"who can't be reached":   {owner.browser, unproven.ID, http.StatusUnprocessableEntity},
		"nobody":                 {owner.browser, "nobody", http.StatusNotFound},
	} {
		p, err := c.by.once(c.by.request(http.MethodPost, ui.PathPeople+"/"+c.whom+"/remind", url.Values{}))
		if err != nil || p.status != c.want || c.want == http.StatusSeeOther && strings.HasPrefix(p.header.Get("Location"), "/signin") != (name == "stranger") {
			t.Errorf("%s: %d to %q, want %d (%v)", name, p.status, p.header.Get("Location"), c.want, err)
		}
	}
	for name, by := range map[string]*helper{"member": member, "admin": adm, "owner": owner} {
		p, err := by.once(by.request(http.MethodPost, ui.PathPeople+"/remind", url.Values{}))
		if err != nil || (p.status == http.StatusSeeOther) != (name != "member") {
			t.Errorf("%s reminds all: %d (%v)", name, p.status, err)
		}
	}
	if n := len(w.mails("robin@acme.example")) + len(w.mails("bare@acme.example")); n != 2 {
		t.Errorf("%d mails, want 2", n)
	}
	// Where there is nothing to remind of, or nobody to send it to, the button is not there.
	for id, there := range map[string]bool{robin.ID: true, unproven.ID: false, locked.ID: false, adm.ID: false} {
		if got := strings.Contains(owner.get(ui.PathPeople+"/"+id).body, "/remind"); got != there {
			t.Errorf("%s: the button is there: %t", id, got)
		}
	}
}
