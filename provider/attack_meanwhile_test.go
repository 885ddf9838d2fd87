package provider

import (
	"context"
	"net/http"
	"testing"

	"golang.org/x/oauth2"

	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// between is a table that does something once, right before a record is replaced that fits.
type between[T any] struct {
	storage.Table[T]
	fits func(*T) bool
	do   func()
}

func (b *between[T]) Replace(ctx context.Context, o *T) error {
	if do := b.do; do != nil && b.fits(o) {
		b.do = nil
		do()
	}
	return b.Table.Replace(ctx, o)
}

// An application asks for a code without a question, over and over: also at the very moment at which its access ends.
func TestAttackAccessThatEndsMeanwhile(t *testing.T) {
	h := &between[storage.Session]{fits: func(o *storage.Session) bool { return len(o.Ended) > 0 }}
	w := newWorld(t, func(c *Config) {
		h.Table = c.Store.Sessions
		c.Store.Sessions = h
	})
	_, ph, _ := w.enrolled("birch", robinBirch)
	a := w.app()
	b := w.browser()
	at := a.attempt()
	_, token := at.redeem(at.begin(b).signIn(robinBirch).submit("/with/totp", "code", ph.next()))
	ask := b.get(b.get("/account/applications").is(atApps).link("/workshop/revoke"))
	var anew *oauth2.Token
	h.do = func() {
		at := a.attempt(oauth2.SetAuthURLParam("prompt", "none"))
		_, anew = at.redeem(at.begin(b))
	}
	ask.submit("/workshop/revoke").is(atApps).says("has no access")
	a.dead("from before", token)
	if anew == nil {
		t.Fatal("it came too late to be of interest")
	}
	a.dead("got in between", anew)
}

const robinBirch = "robin@birch.example"

// An invitation went to a stranger by a slip, who takes it up while the owner corrects the address: the account that the stranger
// has by now must not become somebody else's by its address.
func TestAttackInvitationTakenUpMeanwhile(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	owner.invite("stranger@acme.example", "role", "admin")
	u := w.byEmail("acme", "stranger@acme.example")
	link := w.linkTo(u.Email, "/invitation/")
	ask := owner.get(owner.get(ui.PathPeople + "/" + u.ID).link("/email")).is(atPersonEmail).says("We send the invitation to the new address")
	stranger := w.browser()
	stranger.get(link).submit("/"+lastPart(link), "password", newPassword).is(atSignIn)
	if p := ask.submit("/email", "email", "nora@acme.example"); p.status != http.StatusConflict {
		t.Errorf("the correction answers %d:\n%s", p.status, p.text())
	}
	if now := w.get("acme", u.ID); now.Email != u.Email {
		t.Errorf("the stranger is %s now", now.Email)
	}
}

// The link for a forgotten password is followed in the old mailbox while an owner gives the user another address.
func TestAttackOldMailboxMeanwhile(t *testing.T) {
	h := &between[storage.User]{fits: func(u *storage.User) bool { return u.PasswordMailed }}
	w := newWorld(t, func(c *Config) {
		h.Table = c.Store.Users
		c.Store.Users = h
	})
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	u := w.user("acme", kimAt, "client")
	thief := w.browser()
	thief.forget(kimAt)
	link := w.linkTo(kimAt, "/password/")
	form := thief.get(link)
	h.do = func() { owner.moves(u, kimNew).says("The e-mail address is kim.lund@acme.example now.") }
	if p := form.submit("/"+lastPart(link), "password", newPassword); p.status != http.StatusGone {
		t.Errorf("the link answers %d %q", p.status, p.heading())
	}
	thief.get("/account").submit("/signin", "login", kimNew, "password", newPassword).is(atSignIn)
}
