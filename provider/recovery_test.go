package provider

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/html"
	"golang.org/x/oauth2"

	"github.com/sallyport-id/sallyport/provider/login"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

const atPeople = "People"

// helper is a user of a role who is signed in, with a second step that is fresh.
type helper struct {
	storage.User
	*browser
	phone *phone
}

// helper signs in somebody who may help others, or would like to.
func (w *world) helper(tenant, email string, role storage.Role) *helper {
	w.t.Helper()
	u, ph, _ := w.enrolled(tenant, email)
	u, err := storage.Change(w.t.Context(), w.store.Users, tenant, u.ID, func(o *storage.User) error {
		o.Role, o.Name = role, "Olga Owner"
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	b := w.browser()
	b.get("/account/security").signIn(email).submit("/with/totp", "code", ph.next()).is(atSecurity)
	return &helper{User: u, browser: b, phone: ph}
}

// handOut makes a recovery code on the People page, and proves a second step before where that is asked for.
func (h *helper) handOut(u storage.User) (string, *page) {
	h.t.Helper()
	p := h.get(ui.PathPeople)
	if p.heading() == atSignIn {
		p = p.signIn(h.Email).submit("/with/totp", "code", h.phone.next())
	}
	p = p.is(atPeople).submit("/" + u.ID + "/recovery-code")
	if p.heading() == atCode {
		p = p.submit("/with/totp", "code", h.phone.next()).is(atPeople).submit("/" + u.ID + "/recovery-code")
	}
	code := p.recoveryCode()
	return code, p
}

func (p *page) recoveryCode() string {
	p.b.t.Helper()
	code := ""
	p.walk(func(n *html.Node) {
		if attr(n, "id") == "recovery" {
			code = attr(n, "value")
		}
	})
	if code == "" {
		p.b.t.Fatalf("no recovery code on %s (%d):\n%s", p.url, p.status, p.text())
	}
	return code
}

// recover goes from the second step to the page of the recovery code, as the help pages say: by way of the backup codes.
func (p *page) recover() *page {
	p.b.t.Helper()
	backup := p.b.get(p.b.get(p.link("/ways")).link("/with/backup")).is("Enter a backup code")
	return p.b.get(backup.link("/with/recovery")).is(atRecovery)
}

// 002-12, 002-13: the owner makes a recovery code after a fresh second step. It is shown once, with its time and "works
// once"; the user is told by mail. 002-14, 002-15, 002-16: Password → 2FA page → Use a backup code → Use a recovery code
// → in, for a user who lost device and codes. It lands on set-up with a banner that says why; leaving without set-up
// means another recovery code next time.
func TestRecoveryCode(t *testing.T) {
	w := newWorld(t)
	robin, _, _ := w.enrolled("acme", "robin@acme.example")
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	w.clock.forward(11 * time.Minute)
	p := owner.get(owner.get("/account/security").is(atSecurity).link(ui.PathPeople)).is(atPeople).says("robin@acme.example", "2FA on")
	stale := p.submit("/" + robin.ID + "/recovery-code").is(atCode) // the second step is not fresh
	if len(w.mails("robin@acme.example")) != 1 {
		t.Fatal("a code was made without a fresh second step")
	}
	stale.submit("/with/totp", "code", owner.phone.next()).is(atPeople)
	code, shown := owner.handOut(robin)
	shown.is("Recovery code for Robin Example").says("It works once.", "It expires on", w.clock.Now().Add(time.Hour).UTC().Format("15:04"))
	if shown.header.Get("Cache-Control") != "no-store" {
		t.Errorf("the page may be kept: %q", shown.header.Get("Cache-Control"))
	}
	if again := owner.get(ui.PathPeople).says("Recovery code valid until"); strings.Contains(again.body, code) {
		t.Error("the code is shown a second time")
	}
	m := w.mails("robin@acme.example")[0]
	if !strings.Contains(m.Subject, "recovery code was made") || !strings.Contains(m.Text, "Olga Owner made a recovery code") || strings.Contains(m.Text, code) {
		t.Errorf("the user was told: %q\n%s", m.Subject, m.Text)
	}

	w.clock.forward(time.Second)
	b := w.browser()
	at := w.app().attempt()
	intro := at.begin(b).signIn("robin@acme.example").is(atCode).recover().submit("/with/recovery", "code", " "+strings.ToLower(code)+" ")
	intro.is(atIntro).says("You came in with a recovery code, and it worked this one time", "Not now")
	if m := w.mails("robin@acme.example")[0]; !strings.Contains(m.Subject, "recovery code was used") {
		t.Errorf("the last mail is %q", m.Subject)
	}
	c, _ := at.redeem(intro.submit("/later"))
	if c.ACR != login.ACRPassword || !slices.Equal(c.AMR, []string{"pwd"}) {
		t.Errorf("acr %q, amr %v of a sign-in by recovery code", c.ACR, c.AMR)
	}
	b.get("/account/security").is(atSecurity)

	q := w.browser().get("/account/security").signIn("robin@acme.example").is(atCode).recover()
	q.submit("/with/recovery", "code", code).is(atRecovery).says("That code has already been used")
	code, _ = owner.handOut(robin)
	q.submit("/with/recovery", "code", code).is(atIntro)

	var told []string
	for _, e := range w.events("acme") {
		if e.User == robin.ID && (e.Factor == "recovery" || strings.HasPrefix(e.Action, "recovery.")) {
			told = append(told, e.Action+" "+e.Outcome)
			if e.Action == "recovery.made" && e.Actor != owner.ID {
				t.Errorf("made by %q", e.Actor)
			}
		}
	}
	want := []string{"recovery.made ok", "sign_in.factor ok", "sign_in.factor refused", "recovery.made ok", "sign_in.factor ok"}
	if !slices.Equal(told, want) {
		t.Errorf("audited %q, want %q", told, want)
	}
}

// 002-15, 002-16: after a recovery code the set-up works at once, and gives new backup codes: the old ones were lost.
func TestSetUpAfterRecovery(t *testing.T) {
	w := newWorld(t)
	robin, _, lost := w.enrolled("acme", "robin@acme.example")
	code, _ := w.helper("acme", "olga@acme.example", storage.Owner).handOut(robin)
	at := w.app().attempt()
	intro := at.begin(w.browser()).signIn("robin@acme.example").recover().submit("/with/recovery", "code", code)
	ph, saved := intro.enrol()
	fresh := saved.codes()
	if len(fresh) != 10 || slices.ContainsFunc(fresh, func(c string) bool { return slices.Contains(lost, c) }) {
		t.Errorf("backup codes after recovery: %v", fresh)
	}
	if c, _ := at.redeem(saved.submit("/codes", "saved", "yes")); c.ACR != login.ACRTwoFactor || !slices.Equal(c.AMR, []string{"pwd", "otp", "mfa"}) {
		t.Errorf("acr %q, amr %v", c.ACR, c.AMR)
	}
	p := w.browser().get("/account/security").signIn("robin@acme.example").is(atCode)
	backup := p.b.get(p.url.Path + "/with/backup")
	backup.submit("/with/backup", "code", lost[0]).says("That code isn’t right")
	backup.submit("/with/backup", "code", fresh[0]).is(atSecurity)
	w.browser().get("/account/security").signIn("robin@acme.example").is(atCode).submit("/with/totp", "code", ph.next()).is(atSecurity)
}

// 002-14, 002-18: under recovery_code_only a user without a factor, new to an account where 2FA is forced, gets in by a
// recovery code alone, and sets up.
func TestRecoveryCodeOnly(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	w.rules("acme", storage.Rule{
		Name: "Staff must use two-factor authentication", Then: storage.Then{Access: "allow", Strength: "any"}, // unenrolled: recovery_code_only, as the strictest says
	})
	robin := w.user("acme", "robin@acme.example", "staff")
	p := w.browser().get("/account/security").signIn("robin@acme.example").is(atRecovery)
	p.walk(func(n *html.Node) {
		if strings.Contains(attr(n, "action"), "/set-up") {
			t.Error("the page leads to a set-up")
		}
	})
	// That nobody made a code yet is not for the page to tell.
	p.submit("/with/recovery", "code", "AAAA-BBBB-CCCC-DDDD").is(atRecovery).says("That code isn’t right")
	if q := p.b.follow(p.b.request(http.MethodPost, p.url.String()+"/set-up/totp", url.Values{})); q.heading() != atRecovery {
		t.Errorf("a set-up without the code leads to %q", q.heading())
	}
	code, _ := owner.handOut(robin)
	intro := p.submit("/with/recovery", "code", code).is(atIntro).says("You came in with a recovery code")
	intro.submit("/later").is(atSecurity)

	// Without a set-up, another one is needed.
	p = w.browser().get("/account/security").signIn("robin@acme.example").is(atRecovery)
	p.submit("/with/recovery", "code", code).says("That code has already been used")
	code, _ = owner.handOut(robin)
	at := w.app().attempt()
	ph, saved := at.begin(w.browser()).signIn("robin@acme.example").is(atRecovery).submit("/with/recovery", "code", code).enrol()
	if n := len(saved.codes()); n != 10 {
		t.Errorf("%d backup codes", n)
	}
	if c, _ := at.redeem(saved.submit("/codes", "saved", "yes")); c.ACR != login.ACRTwoFactor {
		t.Errorf("acr %q", c.ACR)
	}
	w.browser().get("/account/security").signIn("robin@acme.example").is(atCode).submit("/with/totp", "code", ph.next()).is(atSecurity)
}

// 002-12, 002-13: owners only, never for oneself, and another tenant's user is not there. Unlocking: owners all, admins
// members.
func TestWhoMayHandOutRecoveryCodes(t *testing.T) {
	w := newWorld(t)
	robin, _, _ := w.enrolled("acme", "robin@acme.example")
	gone := w.user("acme", "gone@acme.example", "client", func(u *storage.User) { u.Disabled = true })
	kim := w.user("birch", "kim@birch.example", "client")
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	adm := w.helper("acme", "adam@acme.example", storage.Admin)
	member := w.helper("acme", "mia@acme.example", storage.Member)
	other := w.helper("birch", "otto@birch.example", storage.Owner)
	for name, c := range map[string]struct {
		by   *helper
		whom storage.User
		want int
	}{
		"owner":                           {owner, robin, http.StatusOK},
		"owner, for an admin":             {owner, adm.User, http.StatusOK},
		"owner, for herself":              {owner, owner.User, http.StatusForbidden},
		"owner, for a disabled user":      {owner, gone, http.StatusForbidden},
		"owner, of another tenant":        {other, robin, http.StatusNotFound},
		"owner, another tenant's user":    {owner, kim, http.StatusNotFound},
		"owner, nobody":                   {owner, storage.User{Key: storage.Key{ID: "nobody"}}, http.StatusNotFound},
		"admin":                           {adm, robin, http.StatusForbidden},
		"admin, for himself":              {adm, adm.User, http.StatusForbidden},
		"member":                          {member, robin, http.StatusForbidden},
		"member, for herself":             {member, member.User, http.StatusForbidden},
		"member, another tenant's member": {member, kim, http.StatusForbidden},
	} {
		p, err := c.by.once(c.by.request(http.MethodPost, ui.PathPeople+"/"+c.whom.ID+"/recovery-code", url.Values{}))
		if err != nil {
			t.Fatal(err)
		}
		if p.status != c.want {
			t.Errorf("%s: %d, want %d:\n%s", name, p.status, c.want, p.text())
		}
		for _, act := range []string{"/recovery-code/revoke", "/unlock"} {
			p, err := c.by.once(c.by.request(http.MethodPost, ui.PathPeople+"/"+c.whom.ID+act, url.Values{}))
			if err != nil {
				t.Fatal(err)
			}
			allowed := c.by == owner || act == "/unlock" && c.by == adm && c.whom.ID == robin.ID
			if act == "/unlock" && c.by == owner && c.want == http.StatusForbidden {
				continue // she may let a disabled colleague's lock go, and her own
			}
			if ok := p.status == http.StatusSeeOther; ok != (allowed && (c.want == http.StatusOK || c.by == adm)) {
				t.Errorf("%s, %s: %d", name, act, p.status)
			}
		}
	}
	// The pages offer what can be done, and nothing else.
	for by, want := range map[*helper]int{owner: 3, adm: 0} {
		forms := 0
		p := by.get(ui.PathPeople).is(atPeople)
		p.walk(func(n *html.Node) {
			if n.Data == "form" && strings.HasSuffix(attr(n, "action"), "/recovery-code") {
				forms++
			}
		})
		if forms != want {
			t.Errorf("%s is offered %d recovery codes, want %d", by.Email, forms, want)
		}
		if strings.Contains(p.text(), "birch.example") {
			t.Error("another tenant's users are listed")
		}
	}
	if p := member.get(ui.PathPeople); p.status != http.StatusForbidden || strings.Contains(p.body, "robin@") {
		t.Errorf("the page answers a member with %d", p.status)
	}
	if p := member.get("/account/security").is(atSecurity); strings.Contains(p.body, ui.PathPeople) {
		t.Error("a member is led to the page")
	}
}

// Numbers of security.md, recovery code: 60 minutes, one alive per user, revocable; of this user only, and only behind
// the password.
func TestRecoveryCodeEnds(t *testing.T) {
	w := newWorld(t)
	robin, _, _ := w.enrolled("acme", "robin@acme.example")
	kim, _, _ := w.enrolled("acme", "kim@acme.example")
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	open := func(email string) *page {
		t.Helper()
		return w.browser().get("/account/security").signIn(email).is(atCode).recover()
	}
	older, _ := owner.handOut(robin)
	newer, shown := owner.handOut(robin)
	p := open("robin@acme.example")
	p.submit("/with/recovery", "code", older).is(atRecovery).says("That code isn’t right")

	// Another user's, and another browser that has shown no password.
	kims, _ := owner.handOut(kim)
	p.submit("/with/recovery", "code", kims).says("That code isn’t right")
	stranger := w.browser()
	stranger.get("/account/security").is(atSignIn)
	if q := stranger.follow(stranger.request(http.MethodPost, p.url.String(), url.Values{"code": {newer}})); q.status != http.StatusForbidden {
		t.Errorf("the code without the password answers %d", q.status)
	}
	half := w.browser().get("/account/security").is(atSignIn)
	half.submit("/signin", "login", "robin@acme.example", "password", newer).is(atSignIn)

	// Revoked, on its page and on the list.
	shown.submit("/recovery-code/revoke").says("The recovery code of robin@acme.example no longer works")
	p.submit("/with/recovery", "code", newer).says("That code isn’t right")
	code, _ := owner.handOut(robin)
	owner.get(ui.PathPeople).submit("/" + robin.ID + "/recovery-code/revoke")
	if again := owner.get(ui.PathPeople); strings.Contains(again.body, robin.ID+"/recovery-code/revoke") {
		t.Error("offers to revoke what is revoked")
	}
	w.clock.forward(16 * time.Minute) // the wrong ones count
	open("robin@acme.example").submit("/with/recovery", "code", code).says("That code isn’t right")

	code, _ = owner.handOut(robin)
	w.clock.forward(time.Hour - time.Second)
	p = open("robin@acme.example")
	w.clock.forward(time.Second)
	if q := p.submit("/with/recovery", "code", code).is(atRecovery); q.status != http.StatusUnprocessableEntity {
		t.Errorf("after an hour: %d", q.status)
	}
	code, _ = owner.handOut(robin)
	w.clock.forward(time.Hour - time.Second)
	open("robin@acme.example").submit("/with/recovery", "code", code).is(atIntro)
}

// Wrong codes: wrong recovery codes count in the same five as all others.
func TestWrongRecoveryCodesCount(t *testing.T) {
	w := newWorld(t)
	robin, ph, _ := w.enrolled("acme", "robin@acme.example")
	code, _ := w.helper("acme", "olga@acme.example", storage.Owner).handOut(robin)
	p := w.browser().get("/account/security").signIn("robin@acme.example").is(atCode)
	for range 2 {
		p.submit("/with/totp", "code", ph.wrong()).is(atCode)
	}
	rec := p.recover()
	for _, guess := range []string{"AAAA-AAAA-AAAA-AAAA", "BBBB-BBBB-BBBB-BBBB", "CCCC-CCCC-CCCC-CCCC"} {
		if q := rec.submit("/with/recovery", "code", guess); q.status != http.StatusUnprocessableEntity {
			t.Fatalf("%s answers %d", guess, q.status)
		}
	}
	if q := rec.submit("/with/recovery", "code", code); q.status != http.StatusTooManyRequests || q.header.Get("Retry-After") != "900" {
		t.Errorf("the right code after five wrong ones: %d, Retry-After %q", q.status, q.header.Get("Retry-After"))
	}
	// The owner makes a new one; the pause stays, as a thief with the password may have made it.
	w.clock.forward(15 * time.Minute)
	w.browser().get("/account/security").signIn("robin@acme.example").recover().submit("/with/recovery", "code", code).is(atIntro)
}

// Not offered after a recovery code (004-6), and not taken where it was not offered.
func TestNotRememberedAfterRecovery(t *testing.T) {
	w := newWorld(t)
	robin, _, _ := w.enrolled("acme", "robin@acme.example")
	remembering(w)
	code, _ := w.helper("acme", "olga@acme.example", storage.Owner).handOut(robin)
	b := w.browser()
	rec := b.get("/account/security").signIn("robin@acme.example").is(atCode).says("Don’t ask again").recover()
	if strings.Contains(rec.text(), "Don’t ask again") {
		t.Error("offered with a recovery code")
	}
	rec.submit("/with/recovery", "code", code, "remember", "yes").submit("/later").is(atSecurity)
	if kept, err := w.store.Devices.List(t.Context(), storage.Query{Tenant: "acme"}); err != nil || len(kept) != 0 {
		t.Errorf("%d devices are remembered (%v)", len(kept), err)
	}
	if b.passwordIsEnough("robin@acme.example") {
		t.Error("remembered after a recovery code")
	}
}

// An application that insists on a second factor gets one: the recovery code is none, and the set-up can't be put off.
func TestRecoveryIsNoEssentialSecondFactor(t *testing.T) {
	w := newWorld(t)
	robin, _, _ := w.enrolled("acme", "robin@acme.example")
	code, _ := w.helper("acme", "olga@acme.example", storage.Owner).handOut(robin)
	at := w.app().attempt(essential(login.ACRTwoFactor))
	intro := at.begin(w.browser()).signIn("robin@acme.example").recover().submit("/with/recovery", "code", code).is(atIntro)
	if strings.Contains(intro.text(), "Not now") {
		t.Error("the set-up can be put off")
	}
	flow := intro.url.String()
	if q := intro.b.follow(intro.b.request(http.MethodPost, flow+"/later", url.Values{})); q.heading() != atIntro {
		t.Errorf("put off all the same: %q at %s", q.heading(), q.url)
	}
	_, saved := intro.enrol()
	if c, _ := at.redeem(saved.submit("/codes", "saved", "yes")); c.ACR != login.ACRTwoFactor {
		t.Errorf("acr %q", c.ACR)
	}
}

// 20 sign-ins at once with one recovery code: one gets in.
func TestOneRecoveryCodeTwentyTimes(t *testing.T) {
	w := newWorld(t)
	robin, _, _ := w.enrolled("acme", "robin@acme.example")
	code, _ := w.helper("acme", "olga@acme.example", storage.Owner).handOut(robin)
	var requests []*http.Request
	var browsers []*browser
	for range 20 {
		p := w.browser().get("/account/security").signIn("robin@acme.example").recover()
		browsers, requests = append(browsers, p.b), append(requests, p.request("/with/recovery", "code", code))
	}
	together(t, len(requests), func(i int) error {
		_, err := browsers[i].once(requests[i])
		return err
	})
	in := 0
	for i, b := range browsers {
		if p := b.get(strings.TrimSuffix(requests[i].URL.Path, "/with/recovery")); p.heading() == atIntro {
			in++
		}
	}
	if in != 1 {
		t.Errorf("%d of 20 got in by one recovery code", in)
	}
}

// Two owners who make a code for the same user at once leave one that works.
func TestRecoveryCodesMadeAtOnce(t *testing.T) {
	w := newWorld(t)
	robin, _, _ := w.enrolled("acme", "robin@acme.example")
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	request := owner.get(ui.PathPeople).request("/" + robin.ID + "/recovery-code")
	var mu sync.Mutex
	made := map[string]bool{}
	together(t, 4, func(int) error {
		p, err := owner.once(owner.request(http.MethodPost, request.URL.String(), url.Values{}))
		if err != nil || p.status != http.StatusOK {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		made[p.recoveryCode()] = true
		return nil
	})
	works := 0
	for code := range made {
		p := w.browser().get("/account/security").signIn("robin@acme.example").recover()
		if q := p.submit("/with/recovery", "code", code); q.heading() == atIntro {
			works++
		}
	}
	if len(made) == 0 || works != 1 {
		t.Errorf("of %d codes made at once %d work", len(made), works)
	}
}

// What an owner's code let in stays for as long as a session would: renewed tokens end after 24 h.
func TestRecoveredTokensEnd(t *testing.T) {
	w := newWorld(t)
	robin, _, _ := w.enrolled("acme", "robin@acme.example")
	code, _ := w.helper("acme", "olga@acme.example", storage.Owner).handOut(robin)
	a := w.app()
	at := a.attempt()
	_, token := at.redeem(at.begin(w.browser()).signIn("robin@acme.example").recover().submit("/with/recovery", "code", code).submit("/later"))
	renew := func() (*oauth2.Token, error) {
		return a.config.TokenSource(t.Context(), &oauth2.Token{RefreshToken: token.RefreshToken}).Token()
	}
	w.clock.forward(23 * time.Hour)
	next, err := renew()
	if err != nil {
		t.Fatal("within 24 h:", err)
	}
	token = next
	w.clock.forward(time.Hour)
	if _, err := renew(); err == nil || !strings.Contains(err.Error(), "invalid_grant") {
		t.Errorf("after 24 h: %v", err)
	}
}

// The operator, where no owner can: admin.RecoveryCode, RevokeRecoveryCode and Unlock.
func TestOperatorsRecoveryCode(t *testing.T) {
	w := newWorld(t)
	robin, _, _ := w.enrolled("acme", "robin@acme.example")
	ops := w.p.Admin()
	older, err := ops.MakeRecoveryCode(t.Context(), web.Operator(), "acme", "robin@acme.example")
	if err != nil || !older.Expires.Equal(w.clock.Now().Add(time.Hour)) {
		t.Fatalf("until %v (%v)", older.Expires, err)
	}
	if err := ops.RevokeRecoveryCode(t.Context(), web.Operator(), "acme", robin.ID); err != nil {
		t.Fatal(err)
	}
	var refused *web.Invalid
	if err := ops.RevokeRecoveryCode(t.Context(), web.Operator(), "acme", robin.ID); !errors.As(err, &refused) || !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("revoked twice: %v", err)
	}
	if _, err := ops.MakeRecoveryCode(t.Context(), web.Operator(), "birch", robin.ID); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("another tenant's user: %v", err)
	}
	made, err := ops.MakeRecoveryCode(t.Context(), web.Operator(), "acme", robin.ID)
	if err != nil {
		t.Fatal(err)
	}
	if n := w.count("robin@acme.example", "recovery code was made"); n != 2 {
		t.Errorf("%d mails tell of two codes", n)
	}
	p := w.browser().get("/account/security").signIn("robin@acme.example").recover()
	p.submit("/with/recovery", "code", older.Code).says("That code isn’t right")
	p.submit("/with/recovery", "code", made.Code).is(atIntro)

	lock(t, w, robin)
	w.browser().get("/account/security").signIn("robin@acme.example").is(atSignIn)
	if u, err := ops.Unlock(t.Context(), web.Operator(), "acme", "robin@acme.example"); err != nil || !u.Locked.IsZero() {
		t.Fatalf("%+v (%v)", u, err)
	}
	w.browser().get("/account/security").signIn("robin@acme.example").is(atCode)
	actions := map[string]int{}
	for _, e := range w.events("acme") {
		if e.Actor == "operator" {
			actions[e.Action+" "+e.Outcome]++
		}
	}
	if actions["recovery.made ok"] != 2 || actions["recovery.revoked ok"] != 1 || actions["user.unlock ok"] != 1 {
		t.Errorf("audited: %v", actions)
	}
}

// lock locks a user as "this was not me" does.
func lock(t *testing.T, w *world, u storage.User) {
	t.Helper()
	_, err := storage.Change(t.Context(), w.store.Users, u.Tenant, u.ID, func(o *storage.User) error {
		o.Locked = w.clock.Now()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
