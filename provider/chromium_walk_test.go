package provider

import (
	"net/url"
	"strings"

	"github.com/chromedp/chromedp"
	"golang.org/x/oauth2"

	"github.com/sallyport-id/sallyport/storage"
)

// tour visits every page that there is, each as users get there, and calls look at each. It goes by selectors, so it
// works in every language.
type tour struct {
	b    *tab
	w    *world
	s    *site
	look func(name string)
}

// next is the button that leads on.
const next = "main form .button"

func (r *tour) signIn(login string) {
	r.b.t.Helper()
	r.b.fill("#login", login).fill("#password", rightPassword).follow(next)
}

// again sends a form that the browser would hold back, as a browser of old would not.
func (r *tour) again() {
	r.b.t.Helper()
	eval[chromedp.Void](r.b, `document.querySelectorAll("[required]").forEach((e) => e.removeAttribute("required"))`)
	r.b.follow(next)
}

// all takes the whole tour.
func (r *tour) all() {
	r.b.t.Helper()
	r.w.user("acme", "robin.with-a-rather-long-name@acme.example", "staff")
	r.w.user("birch", "robin.with-a-rather-long-name@acme.example", "client")
	r.w.user("birch", "kim@birch.example", "client")
	ph := r.first("robin.with-a-rather-long-name@acme.example")
	r.second("robin.with-a-rather-long-name@acme.example", ph)
	r.account()
	r.withoutSecondStep("kim@birch.example")
	r.failures()
}

// first signs a new member of staff in, who has an account with two tenants.
func (r *tour) first(login string) *phone {
	r.b.t.Helper()
	b := r.b
	at := r.s.attempt()
	b.visit(at.url)
	r.look("sign-in")
	b.fill("#login", login).fill("#password", "not it").follow(next)
	r.look("sign-in-wrong")
	r.signIn(login)
	r.look("choose-tenant")
	b.follow(`button[value=acme]`)
	r.look("set-up-intro")
	b.follow(next)
	r.look("set-up")
	ph := &phone{t: b.t, w: r.w, secret: eval[string](b, `document.querySelector("#key").value`)}
	r.code(ph.wrong())
	r.look("set-up-wrong")
	r.code(ph.code())
	r.look("backup-codes")
	r.again()
	r.look("backup-codes-wrong")
	b.click("label[for=saved]").follow(next)
	r.s.finish(b, at)
	return ph
}

// code answers a page that asks for one.
func (r *tour) code(code string) {
	r.b.t.Helper()
	if eval[bool](r.b, `document.querySelector("#code-self").hidden`) { // JavaScript is off
		r.b.fill("#code", code).follow(next)
		return
	}
	r.b.enter(code)
}

// second signs the same user in again, and takes the way by a backup code. The answer is posted.
func (r *tour) second(login string, ph *phone) {
	r.b.t.Helper()
	b := r.b
	at := r.s.attempt(oauth2.SetAuthURLParam("prompt", "login"), oauth2.SetAuthURLParam("response_mode", "form_post"))
	b.visit(at.url)
	r.look("sign-in-again")
	r.signIn(login)
	b.follow(`button[value=acme]`)
	r.look("code")
	r.code(ph.wrong())
	r.look("code-wrong")
	b.follow(`a[href$="/ways"]`)
	r.look("ways")
	b.follow(`a[href$="/with/backup"]`)
	r.look("backup-code")
	b.fill("#code", "aaaa-aaaa").follow(next)
	r.look("backup-code-wrong")
	b.follow(`a[href$="/ways"]`).follow(`a[href$="/with/totp"]`)
	b.javascript(false) // or the page with the answer is gone at once
	b.fill("#code", ph.next()).follow(next)
	r.look("form-post")
	b.follow(next)
	r.s.finish(b, at)
	b.javascript(true)
}

// account visits the pages of a signed-in user with a second step.
func (r *tour) account() {
	r.b.t.Helper()
	b := r.b
	b.visit(r.w.issuer + "/account/security")
	r.look("security")
	b.follow(`a[href$="/rename"]`)
	r.look("rename")
	eval[chromedp.Void](b, `document.querySelector("#name").value = ""`)
	r.again()
	r.look("rename-wrong")
	b.visit(r.w.issuer + "/account/security").follow(`a[href$="/codes/new"]`)
	r.look("new-codes")
	// The last factor that policy requires has no link to remove it, and whoever has the address is told why.
	rename := eval[string](b.visit(r.w.issuer+"/account/security"), `document.querySelector('a[href$="/rename"]').href`)
	b.visit(strings.TrimSuffix(rename, "/rename") + "/remove")
	r.look("remove-required")
	b.follow(`main a.button[href$="/account"]`)
	r.w.rules("acme", storage.Rule{Name: "Everyone", Then: storage.Then{Access: "allow", TwoFactor: "optional", Strength: "any"}})
	b.visit(r.w.issuer + "/account/security").follow(`a[href$="/remove"]`)
	r.look("remove")
	b.visit(r.w.issuer + "/signout")
	r.look("sign-out")
	b.follow(next)
	r.look("signed-out")
}

// withoutSecondStep visits the pages of a user who may turn the second step on.
func (r *tour) withoutSecondStep(login string) {
	r.b.t.Helper()
	b := r.b
	b.visit(r.w.issuer + "/account/security")
	r.signIn(login)
	r.look("security-off")
	b.follow(`a[href$="/account/two-factor"]`)
	r.look("turn-on")
	b.visit(r.w.issuer + "/signout").follow(next)
}

// failures visits the pages that say why something can't be done.
func (r *tour) failures() {
	r.b.t.Helper()
	b := r.b
	q := url.Values{"client_id": {"nobody"}, "response_type": {"code"}, "redirect_uri": {"https://nobody.example/"}}
	b.visit(r.w.issuer + "/authorize?" + q.Encode())
	r.look("unknown-application")
	b.visit(r.w.issuer + "/signin/acme.gone")
	r.look("expired")
}
