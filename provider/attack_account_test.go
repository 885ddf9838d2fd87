package provider

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// midst has something else happen once, in the midst of a request: before it writes a record that is awaited to a table.
type midst[T any] struct {
	storage.Table[T]
	awaited func(*T) bool
	once    sync.Once
	happens func()
}

func (m *midst[T]) happen(t *T) {
	if m.happens != nil && m.awaited(t) {
		m.once.Do(m.happens)
	}
}

func (m *midst[T]) Insert(ctx context.Context, t *T) error {
	m.happen(t)
	return m.Table.Insert(ctx, t)
}

func (m *midst[T]) Replace(ctx context.Context, t *T) error {
	m.happen(t)
	return m.Table.Replace(ctx, t)
}

// Two are signed in who know the password. While the thief's change of it is checked, which takes a while, the user changes
// it, or signs the thief out: what the thief began must not come after, and undo it.
func TestAttackPasswordOfAMomentAgo(t *testing.T) {
	const thiefs = "a password that the thief has chosen"
	for name, c := range map[string]struct {
		saves func(*browser)
		want  string
	}{
		"the user is slower": {func(*browser) {}, thiefs},
		"the user has changed it": {func(b *browser) {
			b.get("/account/details/password").is(atPassword).submit("/details/password", "current", rightPassword, "password", newPassword).is(atDetails)
		}, newPassword},
		"the user has signed the thief out": {func(b *browser) {
			b.get("/account/devices/end-others").submit("/end-others").is(atDevices)
		}, rightPassword},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.user("birch", "kim@birch.example", "client")
			here, thief := w.browser(), w.browser()
			for _, b := range []*browser{here, thief} {
				b.get("/account/details").signIn("kim@birch.example").is(atDetails)
			}
			check, own := w.p.account.CheckPassword, here.session()
			w.p.account.CheckPassword = func(ctx context.Context, by *web.Actor, p credential.Person, password string) error {
				err := check(ctx, by, p, password)
				if by.Session.ID != own {
					c.saves(here)
				}
				return err
			}
			ask := thief.get("/account/details/password").is(atPassword)
			if _, err := thief.once(ask.request("/details/password", "current", rightPassword, "password", thiefs)); err != nil {
				t.Fatal(err)
			}
			for _, password := range []string{rightPassword, newPassword, thiefs} {
				p := w.browser().get("/account").submit("/signin", "login", "kim@birch.example", "password", password)
				if in := p.heading() == atAccount; in != (password == c.want) {
					t.Errorf("%q signs in: %t", password, in)
				}
			}
			for _, e := range w.events("birch") {
				if by := strings.HasPrefix(e.Action, "password.changed"); by && c.want == rightPassword {
					t.Errorf("the log has a change that there was none of: %+v", e)
				}
			}
		})
	}
}

// A thief who is signed in has the account's address, which nobody ever confirmed, changed to one of his own. When the
// session that asked is ended, the link that was mailed to him ends too: on the page of sessions, or in the moment in which
// the link is made.
func TestAttackAddressFromAnEndedSession(t *testing.T) {
	const thiefs = "thief@elsewhere.example"
	begun := func(t *testing.T) (w *world, links *midst[storage.Link], here, thief *browser) {
		links = &midst[storage.Link]{awaited: func(l *storage.Link) bool { return l.Email != nil }}
		w = newWorld(t, func(c *Config) { links.Table, c.Store.Links = c.Store.Links, links })
		w.user("birch", "kim@birch.example", "client", func(u *storage.User) { u.EmailVerified = false })
		here, thief = w.browser(), w.browser()
		for _, b := range []*browser{here, thief} {
			b.get("/account/details").signIn("kim@birch.example").is(atDetails)
		}
		return w, links, here, thief
	}
	t.Run("afterwards", func(t *testing.T) {
		w, _, here, thief := begun(t)
		thief.wants(thiefs).is(atDetails)
		link := w.linkTo(thiefs, "/email/new/")
		here.get("/account/devices").submit("/sessions/" + thief.session() + "/end").is(atDevices)
		w.dead("the session that asked has ended", link)
	})
	t.Run("another session", func(t *testing.T) {
		w, _, here, other := begun(t)
		here.wants(wanted).is(atDetails)
		link := w.linkTo(wanted, "/email/new/")
		here.get("/account/devices").submit("/sessions/" + other.session() + "/end").is(atDevices)
		w.browser().agree(link).is(atEmailChanged)
	})
	t.Run("in the moment", func(t *testing.T) {
		w, links, here, thief := begun(t)
		links.happens = func() { here.get("/account/devices/end-others").submit("/end-others").is(atDevices) }
		ask := thief.get("/account/details/email").is(atEmail)
		if _, err := thief.once(ask.request("/details/email", "email", thiefs)); err != nil {
			t.Fatal(err)
		}
		w.p.rescue.Wait()
		if mails := w.mails(thiefs); len(mails) > 0 {
			w.dead("the session that asked has ended", w.linkTo(thiefs, "/email/new/"))
		}
		if l, err := w.p.rescue.PendingEmail(t.Context(), &web.Actor{User: ptr(w.byEmail("birch", "kim@birch.example"))}); err != nil || l != nil {
			t.Errorf("a change waits: %+v, %v", l, err)
		}
	})
}

func ptr[T any](t T) *T { return &t }

// What others did to an account its user may know, and who, but not from where: a member learns no addresses of owners,
// admins and programs, which may be those of their homes.
func TestAttackWhereTheOwnerLives(t *testing.T) {
	w := somewhere(t)
	robin, ph, _ := w.enrolled("birch", "robin@birch.example")
	owner := w.helper("birch", "olga@birch.example", storage.Owner)
	atHome := w.signedInAt("203.0.113.99", "olga@birch.example", owner.phone)
	atHome.get(ui.PathPeople+"/"+robin.ID).submit("/"+robin.ID, "role", "member", "type", "client")
	stranger := w.browserAt("203.0.113.66")
	stranger.get("/account").is(atSignIn).submit("/signin", "login", "robin@birch.example", "password", "wrong")
	b := w.signedInAt("198.51.100.7", "robin@birch.example", ph)
	p := b.get("/account/activity").is(atActivity).says("Olga Owner changed your account", "203.0.113.66", "198.51.100.7")
	if strings.Contains(p.body, "203.0.113.99") {
		t.Errorf("it says where the owner was:\n%s", strings.Join(p.rows(), "\n"))
	}
	r := b.request(http.MethodGet, "/account/activity", nil)
	r.Header.Set("Accept", "application/json")
	if q, err := b.once(r); err != nil || !strings.Contains(q.body, "203.0.113.66") || strings.Contains(q.body, "203.0.113.99") {
		t.Errorf("as JSON: %v\n%s", err, q.body)
	}
}

var (
	// plainMail is what every mail program takes for an address to write to, linked is what some take for one to open.
	plainMail = regexp.MustCompile(`[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+`)
	linked    = regexp.MustCompile(`(?i)//|www\.|[\p{L}\p{N}]\.\p{L}{2}`)
)

// Whoever found a browser signed in wants an address that mail programs make a link of, and has us mail it to the user,
// beside our own links and in our name.
func TestAttackLinkByAddress(t *testing.T) {
	w := newWorld(t)
	for i, address := range []string{
		"www.evil.example/login?x=@new.example", "evil.example/x@new.example", "evil.example?x@new.example", "evil.example#x@new.example",
		"evil.example'x@new.example", "o'brien@new.example",
	} {
		email := fmt.Sprintf("user%d@acme.example", i)
		b, _ := w.member(email)
		b.wants(address).is(atDetails)
		for _, m := range w.mails(email)[:1] {
			if m.Subject != "Change the address of your Acme Ltd account?" {
				t.Fatalf("%s: %q", address, m.Subject)
			}
			for part, text := range map[string]string{"text": m.Text, "HTML": m.HTML[strings.Index(m.HTML, "<body"):]} {
				text = regexp.MustCompile(`(?s)<[^>]*>`).ReplaceAllString(text, " ")
				text = plainMail.ReplaceAllString(mailedLink.ReplaceAllString(text, ""), "")
				if found := linked.FindString(text); found != "" {
					t.Errorf("%s: the %s leads to %q:\n%s", address, part, found, text)
				}
			}
			if !strings.Contains(m.Text, "new") || strings.Contains(address, "brien") && !strings.Contains(m.Text, "brien") {
				t.Errorf("%s: it does not say which address:\n%s", address, m.Text)
			}
		}
	}
}

// An import goes on without its page, but not without who asked for it: not once the session that said yes is ended or the
// whole account is switched off, as by whoever found that somebody else is in.
func TestAttackImportOfAMomentAgo(t *testing.T) {
	const lines = 2500 // twice what is read ahead
	var file strings.Builder
	file.WriteString("email\n")
	for i := range lines {
		fmt.Fprintf(&file, "p%d@acme.example\n", i)
	}
	for name, put := range map[string]func(w *world, owner *helper){
		"the session is ended": func(w *world, owner *helper) {
			if err := w.store.Sessions.Delete(context.Background(), "acme", owner.session()); err != nil {
				w.t.Error(err)
			}
		},
		"the tenant is disabled": func(w *world, _ *helper) {
			change(w, w.store.Tenants, "acme", func(t *storage.Tenant) { t.Disabled = true })
		},
		"the tenant's rules keep the owner out": func(w *world, _ *helper) {
			change(w, w.store.Tenants, "acme", func(t *storage.Tenant) {
				t.Rules = []storage.Rule{{ID: "r", Name: "nobody", Then: storage.Then{Access: "deny"}}}
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			users := &midst[storage.User]{awaited: func(u *storage.User) bool { return strings.HasPrefix(u.Email, "p") && u.Email != "" }}
			w := newWorld(t, func(c *Config) { users.Table, c.Store.Users = c.Store.Users, users })
			owner := w.helper("acme", "olga@acme.example", storage.Owner)
			p := owner.get(ui.PathImport).upload("/import", "file", file.String()).is(atReport)
			users.happens = func() {
				put(w, owner)
				w.clock.forward(2 * time.Second)
			}
			if _, err := owner.once(p.request("/run")); err != nil {
				t.Fatal(err)
			}
			w.p.console.Wait()
			made := 0
			err := storage.Each(t.Context(), w.store.Users, storage.Query{Tenant: "acme"}, func(*storage.User) error {
				made++
				return nil
			})
			if u, e := w.store.Uploads.Get(t.Context(), "acme", owner.ID); err != nil || e != nil || made > lines || u.State != storage.UploadFailed {
				t.Errorf("it went on: %d users, and it %s (%v, %v)", made, u.State, err, e)
			}
		})
	}
}

// An application holds a code that it has not redeemed yet when the user ends its access: the code is good for nothing then.
func TestAttackCodeKeptOverRevocation(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "kim@birch.example", "client")
	a, b := w.app(), w.browser()
	at := a.attempt()
	at.redeem(at.begin(b).signIn("kim@birch.example"))
	at = a.attempt()
	code := at.code(at.begin(b))
	b.get("/account/applications/workshop/revoke").submit("/workshop/revoke").is(atApps)
	if token, err := a.config.Exchange(t.Context(), code, oauth2.VerifierOption(at.verifier)); err == nil {
		t.Errorf("the code was redeemed: %v", token)
	}
}

// The phone was stolen, and its thief stands before the second step with a code on it when the user, elsewhere, has codes go
// to another: that code signs nobody in.
func TestAttackCodeOnTheOldPhone(t *testing.T) {
	w := newTexting(t)
	u, _ := w.texted(robinAt, german, germanE)
	b := w.browser()
	b.get("/account/details").signIn(robinAt).is(atMessage).submit("/with/sms", "code", w.codes(germanE)[0]).is(atDetails)
	w.clock.forward(31 * time.Second)
	thief := w.browser().get("/account").signIn(robinAt).is(atMessage)
	stolen := w.codes(germanE)[0]
	w.clock.forward(31 * time.Second)
	setUp := b.get("/account/details/phones/"+w.credential(u).ID).is(atNewNumber).submit("/"+w.credential(u).ID, "input", british).is(atNewNumber)
	setUp.submit("/set-up", "code", w.codes(britE)[0]).is(atDetails)
	if p := thief.submit("/with/sms", "code", stolen); p.heading() == atAccount {
		t.Error("the old phone signs in")
	}
	if p := thief.b.get("/account"); p.heading() == atAccount {
		t.Error("the old phone has signed in")
	}
}

// What a shared cache or a browser's history keeps is seen by the next: no page that may hold somebody's data is kept, and
// none tells others where it was, the help for who is signed in and the pages of mailed links among them.
func TestAttackWhatIsKept(t *testing.T) {
	w := newWorld(t)
	b, _ := w.member(robinAt)
	b.wants(wanted)
	toNew, toOld := w.both()
	pages := []string{
		ui.PathHelp, ui.PathGuide("passkeys"), "/.well-known/change-password", toNew, toOld, ui.PathAccount, ui.PathSecurity, ui.PathDevices,
		ui.PathActivity, ui.PathConnected, ui.PathDetails, ui.PathPassword, "/account/details/email", "/account/details/name", "/account/devices/end-others",
	}
	for _, page := range pages {
		q, err := b.once(b.request(http.MethodGet, page, nil))
		if err != nil {
			t.Fatal(err)
		}
		if c, r := q.header.Get("Cache-Control"), q.header.Get("Referrer-Policy"); c != "no-store" || r != "no-referrer" {
			t.Errorf("%s: Cache-Control %q, Referrer-Policy %q", page, c, r)
		}
	}
}

// Help topics are names of guides, and nothing that leads to a file.
func TestAttackHelpTopics(t *testing.T) {
	w := newWorld(t)
	for _, topic := range []string{"..", "%2e%2e", "..%2f..%2fgo.mod", "passkeys.md", "en%2fpasskeys", "passkeys%00", "%3cscript%3e", "PASSKEYS"} {
		b := w.browser()
		q, err := b.once(b.request(http.MethodGet, "/help/"+topic, nil))
		if err != nil || q.status != http.StatusNotFound && q.status != http.StatusBadRequest || strings.Contains(q.body, "<script>") {
			t.Errorf("%s answers %d (%v)", topic, q.status, err)
		}
	}
}

// Lists of languages are read at every request, of anybody's: the longest that a header can hold takes no time to speak of.
func TestAttackEndlessLanguages(t *testing.T) {
	w := newWorld(t)
	for name, list := range map[string]string{
		"many": strings.Repeat("de;q=0.1,", 6000), "long": strings.Repeat("x-", 30000), "odd": strings.Repeat("zz-yyyy-xx-u-co-phonebk,", 2500),
	} {
		b := w.browser()
		r := b.request(http.MethodGet, "/help", nil)
		r.Header.Set("Accept-Language", list)
		begun := time.Now()
		q, err := b.once(r)
		if took := time.Since(begun); err != nil || took > 2*time.Second {
			t.Errorf("%s: %d after %v (%v)", name, q.status, took, err)
		} else {
			t.Logf("%s: %d after %v", name, q.status, took)
		}
		r = b.request(http.MethodGet, "/help?"+url.Values{"ui_locales": {strings.ReplaceAll(list, ",", " ")}}.Encode(), nil)
		begun = time.Now()
		if q, err = b.once(r); err != nil {
			t.Error(err)
		} else {
			t.Logf("%s: %d after %v", name, q.status, time.Since(begun))
		}
	}
}
