package provider

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// Whoever holds the mailbox alone does not get past the second step: a password that came by mail does not count beside
// a mail that takes the factors off, until a second step has stood beside it once.
func TestMailboxAloneDoesNotPassTheSecondStep(t *testing.T) {
	w := newWorld(t)
	_, ph, _ := w.enrolled("acme", "robin@acme.example")
	const mailed = "a password that came by mail"

	// The link of a reset that was asked for before the password was forgotten ends with it.
	owner := w.browser()
	p := owner.get("/account/security").signIn("robin@acme.example").is(atCode)
	owner.get(owner.get(p.link("/ways")).link("/lost")).submit("/lost")
	before := w.linkTo("robin@acme.example", "/lost/")

	thief := w.browser()
	thief.get(thief.get("/account/security").is(atSignIn).link("/forgot")).submit("/forgot", "login", "robin@acme.example")
	w.p.rescue.Wait()
	link := w.linkTo("robin@acme.example", "/password/")
	thief.get(link).submit(strings.TrimPrefix(link, w.issuer), "password", mailed).is(atSignIn)
	if q := thief.get(before); q.status != http.StatusGone {
		t.Errorf("a link of before the new password: %d", q.status)
	}
	p = thief.get("/account/security").is(atSignIn).submit("/signin", "login", "robin@acme.example", "password", mailed).is(atCode)
	ways := thief.get(p.link("/ways"))
	if strings.Contains(ways.body, `/lost"`) {
		t.Error("the mailed password is offered a mail that takes the factors off")
	}
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		q, err := thief.once(thief.request(method, p.url.Path+"/lost", url.Values{}))
		if err != nil || q.status != http.StatusNotFound {
			t.Errorf("%s …/lost: %d (%v)", method, q.status, err)
		}
	}

	// The owner of the phone signs in with the new password; from then on it counts.
	p = owner.get("/account/security").is(atSignIn).submit("/signin", "login", "robin@acme.example", "password", mailed).is(atCode)
	p.submit("/with/totp", "code", ph.next()).is(atSecurity)
	again := w.browser()
	p = again.get("/account/security").submit("/signin", "login", "robin@acme.example", "password", mailed).is(atCode)
	again.get(again.get(p.link("/ways")).link("/lost"))
}
