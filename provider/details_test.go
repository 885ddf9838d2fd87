package provider

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/provider/directory"
	"github.com/sallyport-id/sallyport/provider/mail"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// The pages of what an account says of its user, and of the links that confirm a new address.
const (
	atDetails       = "Your details"
	atName          = "Change your name"
	atEmail         = "Change your e-mail address"
	atPassword      = "Change your password"
	atNewNumber     = "Change your phone number"
	atOldMissing    = "Now confirm at your present address"
	atNewMissing    = "Now confirm at the new address"
	atEmailTaken    = "This address can’t be used"
	atEmailChanged  = "Your e-mail address is changed"
	robinAt, wanted = "robin@acme.example", "robin@new.example"
)

// member is a browser in which a user of acme has just signed in with password and code, and the phone that makes them.
func (w *world) member(email string) (*browser, *phone) {
	w.t.Helper()
	_, ph, _ := w.enrolled("acme", email)
	b := w.browser()
	b.get("/account/details").signIn(email).submit("/with/totp", "code", ph.next()).is(atDetails)
	return b, ph
}

// wants asks for another address, and waits until the mails are sent.
func (b *browser) wants(address string) *page {
	b.t.Helper()
	p := b.get("/account/details/email").is(atEmail).submit("/details/email", "email", address)
	b.w.p.rescue.Wait()
	b.w.clock.forward(time.Second)
	return p
}

// both are the links that were mailed last.
func (w *world) both() (toNew, toOld string) {
	w.t.Helper()
	return w.linkTo(wanted, "/email/new/"), w.linkTo(robinAt, "/email/old/")
}

// agree follows a mailed link and confirms.
func (b *browser) agree(link string) *page {
	b.t.Helper()
	return b.get(link).submit("/" + lastPart(link))
}

// robin is the user as stored, by whichever of the two addresses.
func (w *world) robin() storage.User {
	w.t.Helper()
	for _, a := range []string{robinAt, wanted} {
		users, err := w.p.local.Lookup(w.t.Context(), "acme", a)
		if err != nil {
			w.t.Fatal(err)
		}
		if len(users) == 1 && users[0].Name == "Robin Example" {
			return users[0]
		}
	}
	w.t.Fatal("robin answers to neither address")
	return storage.User{}
}

// dead fails the test unless the links are good for nothing, by GET and by POST.
func (w *world) dead(why string, links ...string) {
	w.t.Helper()
	for _, link := range links {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			b := w.browser()
			var form url.Values
			if method == http.MethodPost {
				form = url.Values{}
			}
			q, err := b.once(b.request(method, link, form))
			if err != nil || q.status != http.StatusGone {
				w.t.Errorf("%s: %s answers %d (%v)", why, method, q.status, err)
				continue
			}
			q.is(atDeadLink)
		}
	}
}

// told are the actions of a kind in acme's log, with their outcomes.
func (w *world) told(prefix string) []string {
	w.t.Helper()
	var all []string
	for _, e := range w.events("acme") {
		if strings.HasPrefix(e.Action, prefix) {
			all = append(all, strings.TrimSpace(e.Action+" "+e.Outcome+" "+e.Reason))
		}
	}
	return all
}

// E-mail change with confirmation at both addresses (features.md, profile page): the links come from the configured issuer,
// to open them changes nothing, both must be confirmed, in any browser, and only then the address changes; the rest of
// what was signed in ends, and both addresses are told.
func TestChangeEmail(t *testing.T) {
	w := newWorld(t)
	_, ph, _ := w.enrolled("acme", robinAt)
	remembering(w)
	in := w.everywhere(robinAt, ph)
	b := w.browser()
	b.get("/account/details").signIn(robinAt).submit("/with/totp", "code", ph.next()).is(atDetails).says("Robin Example", robinAt, "Confirmed")
	w.browser().forget(robinAt)
	forgotten := w.linkTo(robinAt, "/password/")

	ask := b.get(b.get("/account/details").link("/details/email")).is(atEmail).says("Present address", robinAt)
	for typed, says := range map[string]string{
		"": "Type in an e-mail address", "robin": "That is no e-mail address", " ROBIN@acme.example ": "That is the address you have",
		"robin@new.example\r\nBcc: all@acme.example": "can’t deliver", strings.Repeat("a", 300) + "@new.example": "too long",
	} {
		if q := ask.submit("/details/email", "email", typed).is(atEmail).says(says); q.status != http.StatusUnprocessableEntity {
			t.Errorf("%q answers %d", typed, q.status)
		}
	}
	pending := b.wants("  Robin@NEW.example ").is(atDetails).says("A new address waits to be confirmed", wanted, "Waiting")
	toNew, toOld := w.both()
	if m := w.mails(robinAt)[0]; !strings.Contains(m.Text, wanted) || !strings.Contains(m.Text, w.issuer+"/not-me/") {
		t.Errorf("the mail to the present address:\n%s", m.Text)
	}
	if m := w.mails(wanted)[0]; strings.Contains(m.Text, robinAt) || strings.Contains(m.Text, "/not-me/") || strings.Contains(m.Text, "127.0.0.1 ") {
		t.Errorf("the mail to an address that may be a stranger's:\n%s", m.Text)
	}
	for range 3 { // programs open every link in a mail
		w.browser().get(toNew).is("Use robin@new.example for your account?")
		w.browser().get(toOld).is("Change your address to robin@new.example?")
	}
	pending.b.get("/account/details").says("Waiting")

	w.browser().agree(toNew).is(atOldMissing)
	w.browser().get(toNew).is(atOldMissing) // loaded again
	w.browser().get("/account").submit("/signin", "login", wanted, "password", rightPassword).is(atSignIn)
	if u := w.robin(); u.Email != robinAt {
		t.Fatalf("half a confirmation made it %s", u.Email)
	}
	w.browser().agree(toOld).is(atEmailChanged).says("Sign in with robin@new.example from now on")

	b.get("/account/details").is(atDetails).says(wanted, "Confirmed")
	if p := b.get("/account/details"); strings.Contains(p.text(), "waits to be confirmed") {
		t.Error("the change still waits")
	}
	for name, other := range map[string]*browser{"another session": in.here, "the remembered device": in.device} {
		if p := other.get("/account"); p.heading() != atSignIn {
			t.Errorf("%s lives on: %q", name, p.heading())
		}
	}
	w.browser().get("/account").submit("/signin", "login", robinAt, "password", rightPassword).is(atSignIn)
	w.browser().get("/account").signIn(wanted).submit("/with/totp", "code", ph.next()).is(atAccount)
	w.dead("after the change", toNew, toOld, forgotten)
	for _, to := range []string{robinAt, wanted} {
		if n := w.count(to, "was changed"); n != 1 {
			t.Errorf("%s was told %d times", to, n)
		}
	}
	if !strings.Contains(w.mails(robinAt)[0].Text, w.issuer+"/not-me/") {
		t.Error("the old address has no way to say that it was somebody else")
	}
	if got := w.told("email."); !slices.Equal(got, []string{
		"email.change sent", "email.change_confirmed ok new address", "email.change_confirmed ok present address", "email.changed ok",
	}) {
		t.Errorf("audited: %q", got)
	}
	// "This was not me" at the old address still locks the account.
	w.browser().agree(w.linkTo(robinAt, "/not-me/")).is(atLocked)
	b.get("/account").is(atSignIn)
}

// An address that nobody ever confirmed gets no mail; the new one is enough. Confirmed after all before the change is, it is
// asked, and the change has to begin anew.
func TestChangeEmailThatWasNeverConfirmed(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "kim@birch.example", "client", func(u *storage.User) { u.EmailVerified = false })
	b := w.browser()
	b.get("/account/details").signIn("kim@birch.example").is(atDetails).says("Not confirmed")
	b.wants("kim@new.example").is(atDetails).says("Open the link that we mailed")
	if n := len(w.mails("kim@birch.example")); n != 0 {
		t.Errorf("%d mails to an address that nobody confirmed", n)
	}
	first := w.linkTo("kim@new.example", "/email/new/")
	b.get("/account/details").submit("/email/verify")
	w.browser().agree(w.linkTo("kim@birch.example", "/verify/"))
	w.dead("the present address is confirmed by now", first)

	b.wants("kim@new.example")
	link := w.linkTo("kim@birch.example", "/email/old/")
	w.browser().agree(link).is(atNewMissing)
	w.browser().agree(w.linkTo("kim@new.example", "/email/new/")).is(atEmailChanged)
	if u := w.byEmail("birch", "kim@new.example"); !u.EmailVerified {
		t.Error("the new address is not known to be confirmed")
	}

	// Without a second step and with an address that nobody confirmed, the new address alone decides.
	w.user("birch", "lee@birch.example", "client", func(u *storage.User) { u.EmailVerified = false })
	b = w.browser()
	b.get("/account/details").signIn("lee@birch.example").is(atDetails)
	b.wants("lee@new.example")
	w.browser().agree(w.linkTo("lee@new.example", "/email/new/")).is(atEmailChanged)
	if n := len(w.mails("lee@birch.example")); n != 0 {
		t.Errorf("%d mails to the address of before", n)
	}
}

// slowMail is a mail server that takes its time.
type slowMail struct {
	mail.Sender
	hold chan struct{}
}

func (s *slowMail) Keeps() bool { return true }

func (s *slowMail) Send(ctx context.Context, m mail.Message) error {
	<-s.hold
	return s.Sender.Send(ctx, m)
}

// Same answer: whether the new address is somebody else's shows neither in the answer, nor in its status, nor on the page
// afterwards, nor in the time it takes, for the answer is there before anybody has looked. Its owner hears of it.
func TestChangeEmailToOneThatIsTaken(t *testing.T) {
	slow := &slowMail{hold: make(chan struct{})}
	w := newWorld(t, func(c *Config) {
		slow.Sender = c.Mail
		c.Mail = slow
	})
	w.user("acme", "taken@acme.example", "staff")
	w.user("acme", robinAt, "client")
	b := w.browser()
	b.get("/account/details").signIn(robinAt).is(atDetails)
	answers := map[string]string{}
	for _, address := range []string{"taken@acme.example", "isfree@acme.example"} {
		p := b.get("/account/details/email").is(atEmail).submit("/details/email", "email", " "+strings.ToUpper(address))
		p.is(atDetails)
		plain := strings.ReplaceAll(p.body, address, "ADDRESS")
		answers[address] = fmt.Sprint(p.status, len(plain), plain)
		w.clock.forward(time.Second)
	}
	if answers["taken@acme.example"] != answers["isfree@acme.example"] {
		t.Errorf("the answers differ:\n%s\n%s", answers["taken@acme.example"], answers["isfree@acme.example"])
	}
	close(slow.hold)
	w.p.rescue.Wait()
	w.clock.forward(time.Second)
	m := w.mails("taken@acme.example")
	if len(m) != 1 || !strings.Contains(m[0].Subject, "tried to use your address") || mailedLink.MatchString(strings.ReplaceAll(m[0].Text, "127.0.0.1", "")) ||
		strings.Contains(m[0].Text, robinAt) || strings.Contains(m[0].Text, "Firefox") {
		t.Errorf("the owner of the address is told %+v", m)
	}
	// The present address agrees, and nothing comes of it.
	b.wants("taken@acme.example")
	w.browser().agree(w.linkTo(robinAt, "/email/old/")).is(atNewMissing)
	if u := w.robin(); u.Email != robinAt {
		t.Errorf("robin is %s", u.Email)
	}
	b.get("/account/details").says("Waiting").submit("/details/email/cancel").is(atDetails).says("The change was cancelled")
}

// What must not change an address: what a thief has, and what has become of a change since it was asked for.
func TestChangeEmailRefuses(t *testing.T) {
	t.Run("a password alone", func(t *testing.T) {
		w := newWorld(t)
		_, ph, _ := w.enrolled("birch", "kim@birch.example")
		thief := w.browser()
		code := thief.get("/account").signIn("kim@birch.example").is(atCode)
		for _, path := range []string{"/account/details", "/account/details/email", "/account/details/password", "/account/details/name"} {
			thief.get(path).is(atSignIn)
			q, err := thief.once(thief.request(http.MethodPost, path, url.Values{"email": {"thief@evil.example"}, "password": {newPassword}}))
			if err != nil || q.status != http.StatusSeeOther || !strings.HasPrefix(q.header.Get("Location"), "/signin") {
				if path != "/account/details" { // nothing is posted there
					t.Errorf("POST %s answers %d to %q (%v)", path, q.status, q.header.Get("Location"), err)
				}
			}
		}
		// A second step that is too old has to be shown again.
		code.submit("/with/totp", "code", ph.next()).is(atAccount)
		w.clock.forward(11 * time.Minute)
		thief.get("/account/details").is(atDetails)
		for _, path := range []string{"/account/details/email", "/account/details/password"} {
			thief.get(path).is(atCode)
			q, err := thief.once(thief.request(http.MethodPost, path, url.Values{"email": {"thief@evil.example"}, "current": {rightPassword}, "password": {newPassword}}))
			if err != nil || q.status != http.StatusSeeOther || !strings.HasPrefix(q.header.Get("Location"), "/signin") {
				t.Errorf("POST %s with a stale second step answers %d (%v)", path, q.status, err)
			}
		}
		if n := len(w.mails("thief@evil.example")); n != 0 {
			t.Errorf("%d mails", n)
		}
	})
	t.Run("another site", func(t *testing.T) {
		w := newWorld(t)
		b, _ := w.member(robinAt)
		b.wants(wanted)
		toNew, toOld := w.both()
		for _, path := range []string{
			"/account/details/email", "/account/details/email/cancel", "/account/details/password", "/account/details/name", "/account/details/language", toNew, toOld,
		} {
			r := b.request(http.MethodPost, path, url.Values{"email": {"thief@evil.example"}, "name": {"Thief"}, "language": {"de"}})
			r.Header.Set("Origin", "https://evil.example")
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			if q, err := b.once(r); err != nil || q.status != http.StatusForbidden {
				t.Errorf("%s answers %d (%v)", path, q.status, err)
			}
		}
		if u := w.robin(); u.Email != robinAt || u.Name != "Robin Example" || u.Locale != "" {
			t.Errorf("another site changed %+v", u)
		}
	})
	for name, then := range map[string]func(w *world, b *browser, ph *phone){
		"a newer request": func(_ *world, b *browser, _ *phone) { b.wants("other@new.example") },
		"cancelled":       func(_ *world, b *browser, _ *phone) { b.get("/account/details").submit("/details/email/cancel") },
		"half an hour":    func(w *world, _ *browser, _ *phone) { w.clock.forward(31 * time.Minute) },
		"the user was disabled": func(w *world, _ *browser, _ *phone) {
			w.edited(robinAt, func(u *storage.User) { u.Disabled = true })
		},
		"this was not me":        func(w *world, _ *browser, _ *phone) { w.browser().agree(w.linkTo(robinAt, "/not-me/")) },
		"new codes":              func(_ *world, b *browser, _ *phone) { b.get("/account/codes/new").submit("/codes/new").is(atCodes) },
		"another password":       func(_ *world, b *browser, _ *phone) { b.choose(rightPassword, newPassword).is(atDetails) },
		"administrator's change": func(w *world, _ *browser, _ *phone) { w.moved(robinAt, "office@acme.example") },
		"tampered with":          nil,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			b, ph := w.member(robinAt)
			b.wants(wanted)
			toNew, toOld := w.both()
			if then == nil {
				side := strings.Replace(toNew, "/email/new/", "/email/old/", 1)
				other := strings.Replace(toNew, "/acme.", "/birch.", 1)
				for _, path := range []string{"/verify/", "/password/", "/lost/", "/invitation/"} {
					w.dead(path, strings.Replace(toNew, "/email/new/", path, 1))
				}
				w.dead("of the other side", side, strings.Replace(toOld, "/email/old/", "/email/new/", 1))
				w.dead("of another tenant", other, toNew+"x", toNew[:len(toNew)-1], strings.TrimSuffix(toNew, lastPart(toNew))+"a.b.c")
				return
			}
			w.browser().agree(toNew).is(atOldMissing)
			then(w, b, ph)
			w.dead(name, toNew, toOld)
			if n := w.told("email.changed"); len(n) != 0 {
				t.Errorf("the address was changed all the same: %q", n)
			}
		})
	}
	t.Run("taken meanwhile", func(t *testing.T) {
		w := newWorld(t)
		b, ph := w.member(robinAt)
		b.wants(wanted)
		toNew, toOld := w.both()
		w.browser().agree(toNew).is(atOldMissing)
		w.user("acme", wanted, "staff", func(u *storage.User) { u.Name = "Somebody Else" })
		if q := w.browser().agree(toOld).is(atEmailTaken); q.status != http.StatusUnprocessableEntity {
			t.Errorf("it answers %d", q.status)
		}
		if u := w.robin(); u.Email != robinAt {
			t.Errorf("robin is %s", u.Email)
		}
		w.dead("taken", toNew, toOld)
		w.browser().get("/account").signIn(robinAt).submit("/with/totp", "code", ph.next()).is(atAccount)
	})
}

// choose changes the password on its page.
func (b *browser) choose(current, password string) *page {
	b.t.Helper()
	return b.get("/account/details/password").is(atPassword).submit("/details/password", "current", current, "password", password)
}

// edited changes a user of acme's record.
func (w *world) edited(email string, do func(*storage.User)) {
	w.t.Helper()
	changeIn(w, w.store.Users, "acme", w.byEmail("acme", email).ID, do)
}

// moved gives a user another address, as whoever runs the deployment may.
func (w *world) moved(from, to string) {
	w.t.Helper()
	u := w.byEmail("acme", from)
	if err := w.p.local.ChangeLogin(w.t.Context(), &u, to, u.Login); err != nil {
		w.t.Fatal(err)
	}
}

// Both links confirmed at the same moment, twenty times: the address changes once, and each address is told once.
func TestChangeEmailAtOnce(t *testing.T) {
	w := newWorld(t)
	b, ph := w.member(robinAt)
	b.wants(wanted)
	toNew, toOld := w.both()
	together(t, 20, func(i int) error {
		link := toNew
		if i%2 == 0 {
			link = toOld
		}
		other := w.browser()
		q, err := other.once(other.request(http.MethodPost, link, url.Values{}))
		if err == nil && q.status != http.StatusOK && q.status != http.StatusGone && q.status != http.StatusServiceUnavailable {
			t.Errorf("one answers %d", q.status)
		}
		return err
	})
	if u := w.robin(); u.Email != wanted {
		t.Fatalf("robin is %s", u.Email)
	}
	if got := w.told("email.changed"); !slices.Equal(got, []string{"email.changed ok"}) {
		t.Errorf("audited: %q", got)
	}
	for _, to := range []string{robinAt, wanted} {
		if n := w.count(to, "was changed"); n != 1 {
			t.Errorf("%s was told %d times", to, n)
		}
	}
	b.get("/account/details").is(atDetails).says(wanted)
	w.browser().get("/account").signIn(wanted).submit("/with/totp", "code", ph.next()).is(atAccount)
}

// Broken off after the address was changed, the same link does the rest: nothing that was signed in before stays so for good.
func TestChangeEmailBrokenOff(t *testing.T) {
	w := newWorld(t)
	b, ph := w.member(robinAt)
	other := w.browser()
	other.get("/account").signIn(robinAt).submit("/with/totp", "code", ph.next()).is(atAccount)
	b.wants(wanted)
	toNew, toOld := w.both()
	w.browser().agree(toNew).is(atOldMissing)
	end := w.p.rescue.EndAll
	w.p.rescue.EndAll = func(context.Context, string, string, string) error {
		return web.Unavailable("sessions", storage.ErrConflict)
	}
	if q := w.browser().agree(toOld); q.status != http.StatusServiceUnavailable {
		t.Errorf("it answers %d: %s", q.status, q.heading())
	}
	w.p.rescue.EndAll = end
	if u := w.robin(); u.Email != wanted {
		t.Fatalf("robin is %s", u.Email)
	}
	w.browser().agree(toOld).is(atEmailChanged)
	other.get("/account").is(atSignIn)
	b.get("/account").is(atAccount)
	w.dead("ended", toNew, toOld)
	if n := w.count(robinAt, "was changed"); n != 1 {
		t.Errorf("the old address was told %d times", n)
	}
}

// Two users who want the same address confirm it at the same moment: one has it then, and both can sign in.
func TestTwoConfirmOneAddress(t *testing.T) {
	w := newWorld(t)
	var links []string
	for _, email := range []string{"ann@birch.example", "ben@birch.example"} {
		w.user("birch", email, "client", func(u *storage.User) { u.EmailVerified = false })
		b := w.browser()
		b.get("/account/details").signIn(email).is(atDetails)
		b.wants("shared@birch.example")
		links = append(links, w.linkTo("shared@birch.example", "/email/new/"))
	}
	together(t, 2, func(i int) error {
		b := w.browser()
		_, err := b.once(b.request(http.MethodPost, links[i], url.Values{}))
		return err
	})
	var in []string
	for _, login := range []string{"ann@birch.example", "ben@birch.example", "shared@birch.example"} {
		p := w.browser().get("/account").submit("/signin", "login", login, "password", rightPassword)
		if p.heading() == atAccount {
			in = append(in, login)
		}
	}
	if len(in) != 2 || in[1] != "shared@birch.example" {
		t.Errorf("one can sign in by %q", in)
	}
}

// A stranger's mailbox gets no more than three such mails an hour, by however many users, and a user has no more than three
// sent. Without telling, for the answer is the same.
func TestChangeEmailOften(t *testing.T) {
	w := newWorld(t)
	const mailbox = "stranger@elsewhere.example"
	for i := range 3 {
		email := fmt.Sprintf("user%d@birch.example", i)
		w.user("birch", email, "client")
		b := w.browser()
		b.get("/account/details").signIn(email).is(atDetails)
		for range 3 {
			b.wants(mailbox).is(atDetails)
		}
		if q := b.wants(mailbox).is(atEmail).says("Too many mails were asked for"); q.status != http.StatusUnprocessableEntity {
			t.Errorf("the fourth answers %d", q.status)
		}
	}
	if n := len(w.mails(mailbox)); n != 3 {
		t.Errorf("%d mails to the stranger", n)
	}
}

// Password change (features.md, profile page): the current one is asked for, the rules are those of a mailed link, the one
// there is is refused, all that was signed in but this session ends, and the user is told.
func TestChangePassword(t *testing.T) {
	w := newWorld(t)
	_, ph, _ := w.enrolled("acme", robinAt)
	remembering(w)
	in := w.everywhere(robinAt, ph)
	b := w.browser()
	b.get("/account/details").signIn(robinAt).submit("/with/totp", "code", ph.next()).is(atDetails)
	own := in.app.attempt()
	_, mine := own.redeem(own.begin(b))
	w.browser().forget(robinAt)
	forgotten := w.linkTo(robinAt, "/password/")
	ask := b.get(b.get("/account/security").says("Last changed").link("/account/details/password")).is(atPassword).says("At least 8 characters")
	if !strings.Contains(ask.body, `autocomplete="current-password"`) || !strings.Contains(ask.body, `autocomplete="new-password"`) || !strings.Contains(ask.body, `autocomplete="username"`) {
		t.Error("password managers are not told what is what")
	}
	for _, c := range []struct{ current, password, says string }{
		{"", newPassword, "Enter your current password"},
		{rightPassword + "x", newPassword, "That password isn’t right"},
		{rightPassword, "", "at least 8 characters"},
		{rightPassword, "short7!", "at least 8 characters"},
		{rightPassword, "qwertyuiop", "on lists that attackers try first"},
		{rightPassword, "robin@acme.example", "made of your name, your address or ours"},
		{rightPassword, strings.Repeat("long enough ", 11), "too long: at most 128 characters"},
		{rightPassword, rightPassword, "That is the password you have"},
	} {
		q := ask.submit("/details/password", "current", c.current, "password", c.password).is(atPassword).says(c.says)
		if q.status != http.StatusUnprocessableEntity || strings.Contains(q.body, rightPassword) {
			t.Errorf("%q, %q answers %d", c.current, c.password, q.status)
		}
	}
	in.here.get("/account").is(atAccount) // nothing has changed so far
	old := b.root()
	cookie := b.client.Jar.Cookies(old)
	ask.submit("/details/password", "current", rightPassword, "password", newPassword).is(atDetails).says("Your password was changed")

	b.get("/account/details/email").is(atEmail) // this session goes on, and as fresh as it was
	stale := w.browser()
	stale.client.Jar.SetCookies(old, cookie)
	stale.get("/account").is(atSignIn) // and a cookie that was copied before does not
	in.ended()                         // and everything elsewhere, offline access included
	in.app.alive("this session", mine)
	w.dead("after the change", forgotten)
	m := w.mails(robinAt)[0]
	if !strings.Contains(m.Subject, "password") || !strings.Contains(m.Subject, "was changed") || !strings.Contains(m.Text, w.issuer+"/not-me/") {
		t.Errorf("told: %q\n%s", m.Subject, m.Text)
	}
	w.browser().get("/account").signIn(robinAt).is(atSignIn)
	p := w.browser().get("/account").submit("/signin", "login", robinAt, "password", newPassword).is(atCode)
	p.submit("/with/totp", "code", ph.next()).is(atAccount)
	if got := w.told("password.changed"); !slices.Equal(got, []string{"password.changed refused password", "password.changed ok account page"}) {
		t.Errorf("audited: %q", got)
	}
	// Programs that keep passwords find the page.
	b.get("/.well-known/change-password").is(atPassword)
}

// A browser found signed in is no place to guess: wrong passwords count as at a sign-in. Where nothing stands behind the
// password it is longer.
func TestChangePasswordIsNoPlaceToGuess(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "kim@birch.example", "client")
	b := w.browser()
	b.get("/account/details").signIn("kim@birch.example").is(atDetails)
	ask := b.get("/account/details/password").is(atPassword).says("At least 15 characters")
	ask.submit("/details/password", "current", rightPassword, "password", "gnarled otter").is(atPassword).says("at least 15 characters")
	together(t, 30, func(i int) error {
		q, err := b.once(ask.request("/details/password", "current", fmt.Sprintf("guess %d of many", i), "password", newPassword))
		if err == nil && q.status != http.StatusUnprocessableEntity {
			t.Errorf("a guess answers %d", q.status)
		}
		return err
	})
	ask.submit("/details/password", "current", rightPassword, "password", newPassword).is(atPassword).says("Too many tries")
	w.browser().get("/account").signIn("kim@birch.example").is(atSignIn).says("Too many tries")
	w.clock.forward(time.Hour)
	w.browser().get("/account").signIn("kim@birch.example").is(atAccount)
}

// Twenty requests to change the password at once change it once.
func TestChangePasswordAtOnce(t *testing.T) {
	w := newWorld(t)
	b, _ := w.member(robinAt)
	ask := b.get("/account/details/password").is(atPassword)
	together(t, 20, func(int) error {
		_, err := b.once(ask.request("/details/password", "current", rightPassword, "password", newPassword))
		return err
	})
	if got := w.told("password.changed"); !slices.Equal(got, []string{"password.changed ok account page"}) {
		t.Errorf("audited: %q", got)
	}
	w.browser().get("/account").submit("/signin", "login", robinAt, "password", newPassword).is(atCode)
}

// Somebody who signs in with a passkey alone and has no password can set one.
func TestSetFirstPassword(t *testing.T) {
	w := newWorld(t, atLocalhost)
	u, a, _ := w.keyed("kim@birch.example", false)
	w.changeUser(u.Email, func(u *storage.User) { u.Password, u.PasswordSet = "", time.Time{} })
	b := w.browser()
	b.get("/account/details").by(a).is(atDetails).says("No password: you sign in without one")
	p := b.get(b.get("/account/security").says("No password: you sign in without one").link("/account/details/password")).is("Set a password")
	if strings.Contains(p.body, "current-password") {
		t.Error("a password is asked for that there is none of")
	}
	p.submit("/details/password", "password", newPassword).is(atDetails).says("Your password was changed")
	b.get("/account/details/password").is(atPassword)
	if q := w.browser().get("/account").submit("/signin", "login", u.Email, "password", newPassword); q.heading() == atSignIn {
		t.Errorf("the password does not sign in: %q", q.heading())
	}
}

// Phone change (features.md, profile page; ui.md 9): the number there is stays good until the code that went to the new one
// was right; a wrong code or a lapse changes nothing; then the new one alone is good, under the same name, and mail and the
// old phone are told.
func TestChangeNumber(t *testing.T) {
	w := newTexting(t)
	u, _ := w.texted(robinAt, german, germanE)
	signIn := func(number string) (*browser, *page) {
		w.clock.forward(20 * time.Minute) // messages are limited
		b := w.browser()
		p := b.get("/account/details").signIn(robinAt).is(atMessage)
		return b, p.submit("/with/sms", "code", w.codes(number)[0]).is(atDetails)
	}
	b, page := signIn(germanE)
	page.says("•••• 567", "Change number")
	b.get(b.get("/account/security").link("/rename")).submit("/rename", "name", "My phone")
	before := w.credential(u)
	change := b.get("/account/details").is(atDetails).says("My phone").link("/details/phones/" + before.ID)
	ask := b.get(change).is(atNewNumber).says("Codes go to •••• 567 now")
	for typed, says := range map[string]string{"": "Type it in first", "12": "That can’t be used", "+33 6 12 34 56 78": "Numbers of that country can’t be used"} {
		if q := ask.submit("/"+before.ID, "input", typed).is(atNewNumber).says(says); q.status != http.StatusUnprocessableEntity {
			t.Errorf("%q answers %d", typed, q.status)
		}
	}
	w.clock.forward(time.Minute)
	setUp := ask.submit("/"+before.ID, "input", british).is(atNewNumber).says("•••• 456")
	setUp.submit("/set-up", "code", w.other(britE)).is(atNewNumber).says("That code isn’t right")
	b.get("/account/details").says("•••• 567")

	// A lapse changes nothing either, and the old number is as good as it was.
	other, _ := signIn(germanE)
	if q := b.follow(b.request(http.MethodPost, setUp.url.String(), url.Values{"code": {w.codes(britE)[0]}})); q.heading() == atDetails {
		t.Error("a set-up that is too old was confirmed")
	}
	if got := w.credential(u); got.Note != before.Note || !got.Created.Equal(before.Created) {
		t.Error("a wrong code or a lapse changed the credential")
	}
	// Edited on the way, the page still knows which number it takes the place of.
	b, _ = signIn(germanE)
	w.clock.forward(time.Minute)
	setUp = b.get(change).is(atNewNumber).submit("/"+before.ID, "input", british).is(atNewNumber)
	b.get(setUp.link("/phones/" + before.ID)).is(atNewNumber)
	calls := w.gateway.called()
	done := setUp.submit("/set-up", "code", w.codes(britE)[0]).is(atDetails).says("Codes now go to •••• 456", "My phone")
	if strings.Contains(done.text(), "•••• 567") {
		t.Error("the old number is still there")
	}
	if w.gateway.called() != calls+1 || !strings.Contains(w.mails(germanE)[0].Text, "now go to another number") {
		t.Errorf("the old phone was not told: %q", w.mails(germanE)[0].Text)
	}
	if m := w.mails(robinAt)[0]; !strings.Contains(m.Subject, "phone number") || !strings.Contains(m.Text, "•••• 456") || !strings.Contains(m.Text, w.issuer+"/not-me/") {
		t.Errorf("told: %q\n%s", m.Subject, m.Text)
	}
	other.get("/account").is(atSignIn)
	after := w.credential(u)
	if after.Name != "My phone" || after.ID != before.ID || !after.LastUsed.IsZero() || after.Note == before.Note {
		t.Errorf("it is %+v", after)
	}
	w.clock.forward(time.Hour)
	signIn(britE)
	if got := w.told("factor.changed"); !slices.Equal(got, []string{"factor.changed ok"}) {
		t.Errorf("audited: %q", got)
	}
}

// credential is the one second step of a user's that is no stand-in.
func (w *texting) credential(u storage.User) storage.Credential {
	w.t.Helper()
	all, err := w.store.Credentials.List(w.t.Context(), storage.Query{Tenant: u.Tenant, Field: "user", Value: u.ID})
	if err != nil {
		w.t.Fatal(err)
	}
	var found []storage.Credential
	for _, c := range all {
		if c.Factor == "sms" {
			found = append(found, c)
		}
	}
	if len(found) != 1 {
		w.t.Fatalf("%d numbers, want one", len(found))
	}
	return found[0]
}

// The same code sent twenty times changes the number once; another user's number, and what is no number, can't be changed;
// what is sent to a new number counts as any message does.
func TestChangeNumberRefuses(t *testing.T) {
	w := newTexting(t)
	u, _ := w.texted(robinAt, german, germanE)
	other, _ := w.texted("olga@acme.example", "+49 170 765 43 21", "+491707654321")
	b := w.browser()
	p := b.get("/account/details").signIn(robinAt).is(atMessage)
	p.submit("/with/sms", "code", w.codes(germanE)[0]).is(atDetails)
	w.clock.forward(31 * time.Second)
	for _, id := range []string{w.credential(other).ID, "none"} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			q, err := b.once(b.request(method, "/account/details/phones/"+id, url.Values{"input": {british}}))
			if err != nil || q.status != http.StatusNotFound {
				t.Errorf("%s of %s answers %d (%v)", method, id, q.status, err)
			}
		}
	}
	ask := b.get("/account/details/phones/" + w.credential(u).ID).is(atNewNumber)
	setUp := ask.submit("/"+w.credential(u).ID, "input", british).is(atNewNumber)
	// The third message of an hour to one number is left for whose number it is.
	w.clock.forward(31 * time.Second)
	setUp.submit("/set-up/send-again").is(atNewNumber)
	w.clock.forward(31 * time.Second)
	if q := setUp.submit("/set-up/send-again").is(atNewNumber).says("No further code can be sent yet"); q.status != http.StatusUnprocessableEntity {
		t.Errorf("the third answers %d", q.status)
	}
	code := w.codes(britE)[0]
	together(t, 20, func(int) error {
		_, err := b.once(setUp.request("/set-up", "code", code))
		return err
	})
	if got := w.told("factor.changed"); !slices.Equal(got, []string{"factor.changed ok"}) {
		t.Errorf("audited: %q", got)
	}
	if c := w.credential(u); c.Note != "•••• 456" {
		t.Errorf("the number is %q", c.Note)
	}
}

// Details (design of the profile page): name and language are changed without more ado, and checked.
func TestChangeNameAndLanguage(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "kim@birch.example", "client", func(u *storage.User) { u.Login = "kim" })
	b := w.browser()
	page := b.get("/account/details").signIn("kim@birch.example").is(atDetails).says("User name", "kim")
	ask := b.get(page.link("/details/name")).is(atName)
	for bad, says := range map[string]string{
		"": "Type in a name", " \t": "Type in a name", "Kim\u202eevil": "characters", "Kim\nBcc: x": "characters", strings.Repeat("k", 200): "too long",
	} {
		if q := ask.submit("/details/name", "name", bad).is(atName).says(says); q.status != http.StatusUnprocessableEntity {
			t.Errorf("%q answers %d", bad, q.status)
		}
	}
	ask.submit("/details/name", "name", " Kim <b>Birch</b> ").is(atDetails).says("Your name was saved", "Kim <b>Birch</b>")
	german := b.get("/account/details").submit("/details/language", "language", "de").is("Ihre Angaben")
	german.says("Ihre Sprache wurde gespeichert", "English", "Deutsch")
	if u := w.byEmail("birch", "kim@birch.example"); u.Locale != "de" || u.Name != "Kim <b>Birch</b>" {
		t.Errorf("kept: %+v", u)
	}
	german.submit("/details/language", "language", "").is(atDetails)
	q, err := b.once(b.request(http.MethodPost, "/account/details/language", url.Values{"language": {"xx'--"}}))
	if err != nil || q.status != http.StatusBadRequest {
		t.Errorf("a language that there is none of: %d (%v)", q.status, err)
	}
	// The log holds what was changed, and nothing that was refused.
	var changed []string
	for _, e := range w.events("birch") {
		if e.Action == "user.change" {
			changed = append(changed, e.Outcome+" "+e.Reason)
		}
	}
	slices.Sort(changed)
	if !slices.Equal(changed, []string{"ok language", "ok language", "ok name"}) {
		t.Errorf("audited: %q", changed)
	}
}

// elsewhere is a directory of somebody else's.
type elsewhere struct{ directory.Directory }

// Where another directory keeps the users, their names and addresses are not ours to change.
func TestDetailsOfAnotherDirectory(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "kim@birch.example", "client")
	other := newWorld(t, func(c *Config) {
		c.Store, c.Directory = w.store, elsewhere{w.p.local}
	})
	b := other.browser()
	p := b.get("/account/details").signIn("kim@birch.example").is(atDetails)
	for _, path := range []string{"/account/details/name", "/account/details/email"} {
		if strings.Contains(p.body, path) {
			t.Errorf("%s is offered", path)
		}
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			if q, err := b.once(b.request(method, path, url.Values{"name": {"Other"}, "email": {"x@new.example"}})); err != nil || q.status != http.StatusNotFound {
				t.Errorf("%s %s answers %d (%v)", method, path, q.status, err)
			}
		}
	}
	b.get("/account/details/password").is(atPassword)
}
