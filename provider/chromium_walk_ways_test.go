package provider

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/mfa/sms"
	"github.com/sallyport-id/sallyport/mfa/sms/outbox"
	"github.com/sallyport-id/sallyport/mfa/totp"
	"github.com/sallyport-id/sallyport/mfa/webauthn"
	"github.com/sallyport-id/sallyport/storage"
)

// newWorldOfWays is a world with every factor that there is.
func newWorldOfWays(t *testing.T, change ...func(*Config)) *world {
	t.Helper()
	w := newWorld(t, append(change, atLocalhost, func(c *Config) {
		text := sms.Factor{Sender: &outbox.Outbox{Messages: c.Store.Messages, Now: c.Now}, Countries: []string{"DE", "AT", "CH"}}
		c.Factors = []mfa.Factor{webauthn.Factor{}, totp.Factor{}, text}
	})...)
	remembering(w)
	return w
}

var messageCode = regexp.MustCompile(`#(\d{6})$`)

// ways visits the pages of the other second steps, and of the ways back in. Like all, it goes by selectors.
func (r *tour) ways() {
	r.b.t.Helper()
	u := r.w.user("acme", "robin@acme.example", "staff", func(u *storage.User) { u.EmailVerified = false })
	owner, ph, _ := r.w.enrolled("acme", "olga@acme.example")
	r.w.owner(owner)
	k := r.b.authenticator()
	r.texted("robin@acme.example")
	r.verified("robin@acme.example")
	r.passkeys("robin@acme.example", k)
	r.recovered("robin@acme.example", u.ID, ph)
	r.lost("robin@acme.example")
	r.forgotten("robin@acme.example")
	r.notMe("robin@acme.example", ph)
}

// message is the code of the newest message.
func (r *tour) message() string {
	r.b.t.Helper()
	for _, m := range r.w.mails("+491701234567") {
		if found := messageCode.FindStringSubmatch(m.Text); found != nil {
			return found[1]
		}
	}
	r.b.t.Fatal("no message was sent")
	return ""
}

// signInAnew signs in with name and password, in a browser where nobody else is.
func (r *tour) signInAnew(login string) {
	r.b.t.Helper()
	r.signOut()
	r.b.visit(r.w.issuer + "/account/security")
	r.signIn(login)
}

func (r *tour) signOut() {
	r.b.t.Helper()
	if r.b.visit(r.w.issuer + "/signout"); eval[bool](r.b, `document.querySelector(`+quote(next)+`) !== null`) {
		r.b.follow(next)
	}
}

// texted sets SMS up, signs in with it, and has the device remembered.
func (r *tour) texted(login string) {
	r.b.t.Helper()
	b := r.b
	b.visit(r.w.issuer + "/account/security")
	r.signIn(login)
	r.look("set-up-choice")
	b.follow(`form[action$="/set-up/sms"] button`)
	r.look("number")
	b.fill("#input", "+33 6 12 34 56 78").follow(next)
	r.look("number-wrong")
	b.fill("#input", "0170 1234567").follow(next)
	r.look("set-up-sms")
	r.code(r.message())
	b.click("label[for=saved]").follow(next)
	r.w.clock.forward(time.Hour)
	r.signInAnew(login)
	r.look("message")
	r.w.clock.forward(31 * time.Second)
	b.leave(chromedp.Reload()).follow(sendAgain)
	r.look("message-again")
	b.fill("#code", r.message()).click("label[for=remember]").follow(next)
	r.look("security-device")
}

// verified confirms the address by a mailed link.
func (r *tour) verified(login string) {
	r.b.t.Helper()
	r.b.visit(r.w.issuer + "/account")
	r.b.follow(`form[action$="/email/verify"] button`)
	r.look("account-mail-sent")
	r.b.visit(r.w.linkTo(login, "/verify/"))
	r.look("verify")
	r.b.follow(next)
	r.look("verified")
}

// passkeys sets one up, is refused by the browser, and goes on.
func (r *tour) passkeys(login string, k *keeper) {
	r.b.t.Helper()
	b := r.b
	b.visit(r.w.issuer + "/account/security").follow(`.actions form[action$="/set-up/webauthn"] button`)
	r.look("set-up-passkey")
	b.follow(start)
	r.look("security-passkey")
	k.present(false)
	r.signOut()
	b.visit(r.w.issuer + "/account/security")
	r.look("sign-in-passkey")
	k.known(false)
	k.present(true)
	b.click(start).until("words", `document.querySelector("#passkey-problem").innerText !== ""`)
	r.look("sign-in-passkey-cancelled")
	k.present(false)
	r.signIn(login)
	r.look("passkey")
	k.present(true)
	b.click(start).until("words", `document.querySelector(".problem").innerText !== ""`)
	r.look("passkey-cancelled")
	k.present(false)
	b.follow(`a[href$="/ways"]`)
	r.look("ways-all")
}

// recovered has the owner make a code, and comes in with it.
func (r *tour) recovered(login, user string, owner *phone) {
	r.b.t.Helper()
	b := r.b
	at := eval[string](b, `location.href.replace("/ways", "/with/recovery")`)
	b.visit(at)
	r.look("recovery")
	b.fill("#code", "AAAA-AAAA-AAAA-AAAA").follow(next)
	r.look("recovery-wrong")

	b.visit(r.w.issuer + "/account/security")
	r.signIn("olga@acme.example")
	b.fill("#code", owner.next()).follow(next).visit(r.w.issuer + "/admin/people")
	r.look("people")
	b.click(`details.menu:has(form[action*="` + user + `"]) summary`)
	r.look("people-menu")
	b.follow(`form[action$="` + user + `/recovery-code"] button`)
	r.look("recovery-code")
	b.follow(`form[action$="/revoke"] button`)
	r.look("person-revoked")
	b.visit(r.w.issuer + "/admin/people").click(`details.menu:has(form[action*="` + user + `"]) summary`).follow(`form[action$="` + user + `/recovery-code"] button`)
	code := eval[string](b, `document.querySelector("#recovery code").textContent`)
	b.visit(r.w.issuer + "/admin/people?find=nobody")
	r.look("people-none")

	r.signInAnew(login)
	b.visit(eval[string](b, `location.href + "/with/recovery"`)).fill("#code", code).follow(next)
	r.look("recovered")
	r.signOut()
}

// lost takes all factors off by a mailed link.
func (r *tour) lost(login string) {
	r.b.t.Helper()
	b := r.b
	r.signInAnew(login)
	b.follow(`a[href$="/ways"]`).follow(`a[href$="/lost"]`)
	r.look("lost")
	b.follow(next)
	r.look("lost-sent")
	b.visit(r.w.linkTo(login, "/lost/"))
	r.look("take-off")
	b.fill("#password", "not it").follow(next)
	r.look("take-off-wrong")
	b.fill("#password", rightPassword).follow(next)
	r.look("taken-off")
}

// forgotten chooses a new password by a mailed link.
func (r *tour) forgotten(login string) {
	r.b.t.Helper()
	b := r.b
	r.signOut()
	b.visit(r.w.issuer + "/account/security").follow(`a[href*="/forgot"]`)
	r.look("forgot")
	r.again()
	r.look("forgot-wrong")
	b.fill("#login", login).follow(next)
	r.look("forgot-sent")
	r.w.p.rescue.Wait()
	link := r.w.linkTo(login, "/password/")
	b.visit(link)
	r.look("new-password")
	b.fill("#password", "short").follow(next)
	r.look("new-password-wrong")
	b.fill("#password", rightPassword+" anew").follow(next)
	r.look("sign-in-new-password")
	b.visit(link)
	r.look("link-dead")
}

// notMe locks the account by a mailed link; the owner sees it.
func (r *tour) notMe(login string, owner *phone) {
	r.b.t.Helper()
	b := r.b
	b.visit(r.w.linkTo(login, "/not-me/"))
	r.look("not-me")
	b.follow(next)
	r.look("locked")
	r.signInAnew("olga@acme.example")
	b.fill("#code", owner.next()).follow(next).visit(r.w.issuer + "/admin/people").click("details.menu summary")
	r.look("people-locked")
	b.follow(`form[action$="/unlock"] button`)
	r.look("people-unlocked")
}

// oneTitle are the looks that may have one title: they are at the same page, or at the steps of the same set-up.
var oneTitle = [...]string{
	"message message-again",
	"number set-up-sms",
	"passkey passkey-cancelled",
	"explain explain-answer",
	"policy policy-reported",
	"preview preview-everyone",
	"networks networks-more",
	"branding branding-tried branding-logo",
	"people people-menu people-none people-locked",
	"person-revoked people-unlocked",
	"security-device security-passkey",
	"devices devices-ended devices-alone",
	"applications applications-none",
	"set-up-choice recovered",
	"sign-in-passkey sign-in-passkey-cancelled",
}

// judged fails the test unless the tour's pages are right in every way, and returns once all have been looked at.
func (r *tour) judged(lang string, walk func()) {
	r.b.t.Helper()
	titles := map[string][]string{}
	r.look = func(name string) {
		r.b.wellFormed(name, lang)
		r.b.fits(name)
		title := eval[string](r.b, `document.title`)
		titles[title] = append(titles[title], name)
	}
	walk()
	r.b.clean(r.w.issuer, r.s.url)
	for title, pages := range titles {
		if all := strings.Join(pages, " "); len(pages) > 1 && !slices.Contains(oneTitle[:], all) {
			r.b.t.Errorf("the title %q is that of %s", title, all)
		}
	}
}
