package provider

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// reader follows guides of the help: what stands there in bold is found on the page that the reader has come to, and
// links, buttons, boxes and choices among it are used. So a guide that is not true, or not complete, leads nowhere.
type reader struct {
	*browser
	at *page
	// types says what is typed into a field, by its name.
	types map[string]func() string
	// does is what a step says in words that stand on no page ("choose the person"), by the step's number.
	does map[int]func()
	// which is, by the step's number, which of several things of one name is meant, from 0.
	which map[int]int
	// looks are labels that a step only mentions, by the names of what they label.
	looks []string
	// chosen is what was typed, ticked and chosen since the page was opened, in the order of the fields.
	chosen map[*html.Node]string
}

// follow goes through the steps of a guide below its n-th heading that has steps, from 0.
func (r *reader) follow(topic string, n int) *page {
	r.t.Helper()
	guide := r.browser.get(ui.PathGuide(topic))
	var lists []*html.Node
	guide.walk(func(n *html.Node) {
		if n.Data == "ol" {
			lists = append(lists, n)
		}
	})
	step := 0
	for li := range lists[n].ChildNodes() {
		if li.Data != "li" {
			continue
		}
		step++
		visit(li, func(n *html.Node) {
			switch {
			case n.Data == "a" && strings.HasPrefix(attr(n, "href"), "../"):
				to, err := guide.url.Parse(attr(n, "href"))
				if err != nil {
					r.t.Fatal(err)
				}
				r.open(r.browser.get(to.String()))
			case n.Data == "strong":
				r.use(step, words(n))
			}
		})
		if do := r.does[step]; do != nil {
			do()
		}
	}
	return r.at
}

func (r *reader) open(p *page) {
	if p.status >= 400 {
		r.t.Fatalf("%s answered %d:\n%s", p.url, p.status, p.text())
	}
	r.at, r.chosen = p, map[*html.Node]string{}
}

// words are what a node says, as guides write it.
func words(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			b.WriteString(c.Data + " ")
		}
	}
	return strings.ReplaceAll(plain.Replace(strings.Join(strings.Fields(b.String()), " ")), "\u00ad", "")
}

// use finds the words on the page, as those of something to press or to fill in if there is such a thing, and does so.
func (r *reader) use(step int, label string) {
	r.t.Helper()
	says := regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(label), "…", ".+") + "$")
	var read, press *html.Node
	before := r.which[step]
	r.at.walk(func(n *html.Node) {
		if press != nil || !says.MatchString(words(n)) {
			return
		}
		read = n
		// It may be the inside of a row that is a button, or of a box's label.
		for up := n; press == nil && up != nil; up = up.Parent {
			if slices.Contains([]string{"a", "button", "label", "option"}, up.Data) && !has(up, "hidden") {
				if before--; before < 0 || has(up, "aria-current") {
					press = up
				}
				return
			}
		}
	})
	switch {
	case read == nil:
		r.t.Fatalf("step %d: %q is not on %s (%d):\n%s", step, label, r.at.url, r.at.status, r.at.text())
	case press == nil || has(press, "aria-current"):
	case press.Data == "a" && !has(press, "download"):
		r.open(r.browser.get(attr(press, "href")))
	case press.Data == "button" && attr(press, "type") != "button":
		r.send(press)
	case press.Data == "label":
		r.fill(step, attr(press, "for"))
	case press.Data == "option":
		r.chosen[press.Parent] = attr(press, "value")
	}
}

// fill types into the field of a label, or ticks it.
func (r *reader) fill(step int, id string) {
	r.t.Helper()
	r.at.walk(func(n *html.Node) {
		name := attr(n, "name")
		if attr(n, "id") != id || n.Data != "input" || slices.Contains(r.looks, name) {
			return
		}
		if kind := attr(n, "type"); kind == "checkbox" || kind == "radio" {
			r.chosen[n] = attr(n, "value")
			return
		}
		types := r.types[name]
		if types == nil {
			r.t.Fatalf("step %d: what is to be typed into %q?", step, name)
		}
		r.chosen[n] = types()
	})
}

// send sends the form of a button as a browser would.
func (r *reader) send(button *html.Node) {
	r.t.Helper()
	form := button.Parent
	for form != nil && form.Data != "form" {
		form = form.Parent
	}
	if form == nil {
		r.t.Fatalf("%q is in no form on %s", words(button), r.at.url)
	}
	fields := url.Values{}
	visit(form, func(n *html.Node) {
		name, kind := attr(n, "name"), attr(n, "type")
		value, chosen := r.chosen[n]
		switch {
		case name == "" || n.Data == "button" && n != button:
		case n.Data == "button", chosen && value != "":
			fields.Add(name, first(value, attr(n, "value")))
		case n.Data == "input" && (kind != "checkbox" && kind != "radio" || has(n, "checked")):
			fields.Add(name, attr(n, "value"))
		case n.Data == "select":
			visit(n, func(o *html.Node) {
				if o.Data == "option" && (has(o, "selected") || !fields.Has(name)) {
					fields.Set(name, attr(o, "value"))
				}
			})
		}
	})
	to, err := r.at.url.Parse(attr(form, "action"))
	if err != nil {
		r.t.Fatal(err)
	}
	r.open(r.browser.follow(r.browser.request(http.MethodPost, to.String(), fields)))
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func says(words string) func() string { return func() string { return words } }

// inBoth runs a story in English and in German.
func inBoth(t *testing.T, story func(t *testing.T, lang string)) {
	t.Helper()
	for _, lang := range []string{"en", "de"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			story(t, lang)
		})
	}
}

// Every link of the help leads somewhere: the guides to each other, and to pages that are there for an owner.
func TestHelpLeadsSomewhere(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	stranger := w.browser()
	seen := map[string]bool{}
	for _, lang := range []string{"en", "de"} {
		owner.lang, stranger.lang = lang, lang
		index := stranger.get(ui.PathHelp)
		if index.status != http.StatusOK || index.header.Get("Set-Cookie") != "" && strings.Contains(index.header.Get("Set-Cookie"), "session") {
			t.Fatalf("the help answers strangers %d", index.status)
		}
		for _, topic := range ui.Topics() {
			guide := stranger.get(ui.PathGuide(topic))
			guide.walk(func(n *html.Node) {
				to, err := guide.url.Parse(attr(n, "href"))
				if n.Data != "a" || err != nil || seen[to.String()] || !strings.HasPrefix(to.String(), w.issuer) {
					return
				}
				seen[to.String()] = true
				if p := owner.get(to.Path); p.status != http.StatusOK || p.heading() == atSignIn {
					t.Errorf("%s leads to %s, which answers %d", topic, to.Path, p.status)
				}
			})
		}
	}
	if p := stranger.get(ui.PathHelp + "/no-such-guide"); p.status != http.StatusNotFound {
		t.Errorf("a guide that is not there answers %d", p.status)
	}
}

// enters opens the page that a user is at after the password, in the story's language.
func (r *reader) enters(email string) *reader {
	r.t.Helper()
	r.types["password"] = says(rightPassword)
	r.open(r.get(ui.PathAccount))
	action, fields := r.at.form("/signin")
	fields.Set("login", email)
	fields.Set("password", rightPassword)
	r.open(r.browser.follow(r.browser.request(http.MethodPost, action, fields)))
	return r
}

// reader is somebody with a browser of that language, who knows what to type into some fields, by their names.
func (w *world) reader(lang string, types map[string]func() string) *reader {
	if types == nil {
		types = map[string]func() string{}
	}
	r := &reader{browser: w.browser(), types: types, does: map[int]func(){}}
	r.lang = lang
	return r
}

// The guide to authenticator apps: set one up, sign in with it as the guide to signing in says, and turn it off again.
func TestGuideToApps(t *testing.T) {
	inBoth(t, func(t *testing.T, lang string) {
		w := newTexting(t)
		u := w.user("birch", "kim@birch.example", "client")
		var ph *phone
		r := w.reader(lang, map[string]func() string{"code": func() string { return ph.code() }}).enters(u.Email)
		r.does[2] = func() { ph = w.scan(r.at) }
		r.follow("set-up-an-app", 0)
		if got := w.credentials(u); got == 0 {
			t.Fatal("nothing was set up")
		}

		again := w.reader(lang, map[string]func() string{"login": says(u.Email), "password": says(rightPassword), "code": func() string { return ph.next() }})
		again.open(again.get(ui.PathAccount))
		if p := again.follow("signing-in", 0); p.url.Path != ui.PathAccount {
			t.Fatalf("signed in, and at %s:\n%s", p.url, p.text())
		}
		w.reader(lang, nil).enters(u.Email).follow("signing-in", 1)

		delete(r.does, 2)
		r.follow("set-up-an-app", 1)
		if got := w.credentials(u); got != 0 {
			t.Errorf("%d credentials are left", got)
		}
	})
}

// The guide to text messages: set them up, and sign in.
func TestGuideToTextMessages(t *testing.T) {
	inBoth(t, func(t *testing.T, lang string) {
		w := newTexting(t)
		u := w.user("birch", "kim@birch.example", "client")
		types := map[string]func() string{"input": says("+61 491 570 156"), "code": func() string { return w.codes("+61491570156")[0] }}
		w.reader(lang, types).enters(u.Email).follow("text-messages", 0)
		w.clock.forward(time.Minute)
		if p := w.reader(lang, types).enters(u.Email).follow("text-messages", 1); p.url.Path != ui.PathAccount {
			t.Fatalf("at %s:\n%s", p.url, p.text())
		}
	})
}

// The guide to passkeys: set one up, and sign in with it alone. What the script does is done by an authenticator.
func TestGuideToPasskeys(t *testing.T) {
	inBoth(t, func(t *testing.T, lang string) {
		w := newWorld(t, atLocalhost)
		u := w.user("birch", "kim@birch.example", "client")
		device := w.authenticator(true)
		r := w.reader(lang, nil).enters(u.Email)
		r.does[3] = func() { r.open(r.at.submit("/account/set-up", "code", device.create(r.at))) }
		r.follow("passkeys", 0)
		if got := w.credentials(u); got == 0 {
			t.Fatal("nothing was set up")
		}
		again := w.reader(lang, nil)
		again.looks = []string{"login"}
		again.open(again.get(ui.PathAccount))
		again.does[2] = func() {
			d := again.at.discover()
			again.open(again.at.submit("/signin/passkey", "state", d.State, "answer", device.sign(string(d.Options))))
		}
		if p := again.follow("passkeys", 1); p.url.Path != ui.PathAccount {
			t.Fatalf("at %s:\n%s", p.url, p.text())
		}
	})
}

// The guide to backup codes: keep them, sign in with one, make new ones.
func TestGuideToBackupCodes(t *testing.T) {
	inBoth(t, func(t *testing.T, lang string) {
		w := newWorld(t)
		u := w.user("acme", "robin@acme.example", "staff")
		r := w.reader(lang, nil).enters(u.Email)
		setUp := r.at.submit("/set-up/totp")
		r.open(setUp.submit("/set-up", "code", w.scan(setUp).code()))
		codes := r.at.codes()
		if p := r.follow("backup-codes", 0); p.url.Path != ui.PathAccount || len(codes) != 10 {
			t.Fatalf("%d codes, and at %s:\n%s", len(codes), p.url, p.text())
		}
		again := w.reader(lang, map[string]func() string{"code": says(codes[3])}).enters(u.Email)
		if p := again.follow("backup-codes", 1); !strings.HasPrefix(p.url.Path, ui.PathAccount) {
			t.Fatalf("at %s:\n%s", p.url, p.text())
		}
		again.follow("backup-codes", 2)
		if made := again.at.codes(); slices.Contains(made, codes[0]) || len(made) != 10 {
			t.Errorf("the new codes are %v", made)
		}
	})
}

// The guide to recovery codes: an owner makes one, and a user signs in with it, who goes on without a second step.
func TestGuideToRecoveryCodes(t *testing.T) {
	inBoth(t, func(t *testing.T, lang string) {
		w := newWorld(t)
		robin, _, _ := w.enrolled("acme", "robin@acme.example")
		owner := w.helper("acme", "olga@acme.example", storage.Owner)
		owner.lang = lang
		o := &reader{browser: owner.browser}
		code := o.follow("recovery-codes", 1).recoveryCode()
		r := w.reader(lang, map[string]func() string{"code": says(code)}).enters(robin.Email)
		if p := r.follow("recovery-codes", 0); !strings.HasPrefix(p.url.Path, ui.PathAccount) {
			t.Fatalf("at %s:\n%s", p.url, p.text())
		}
	})
}

// The guide for whoever lost the phone: by other ways, by mail, and what to do once one is in.
func TestGuideToLostPhones(t *testing.T) {
	inBoth(t, func(t *testing.T, lang string) {
		w := newWorld(t)
		u, ph, _ := w.enrolled("birch", "kim@birch.example")
		w.reader(lang, nil).enters(u.Email).follow("lost-phone", 0)

		in := w.reader(lang, nil).enters(u.Email)
		in.open(in.at.submit("/with/totp", "code", ph.next()))
		in.does[1] = func() {
			add := in.browser.follow(in.browser.request(http.MethodPost, "/account/set-up/totp", url.Values{}))
			in.open(add.submit("/account/set-up", "code", w.scan(add).code()))
		}
		in.follow("lost-phone", 2)

		r := w.reader(lang, nil).enters(u.Email)
		r.open(r.get(r.at.link("/ways")))
		r.does[2] = func() { r.open(r.get(w.linkTo(u.Email, "/lost/"))) }
		r.follow("lost-phone", 1)
		if got := w.credentials(u); got != 0 {
			t.Errorf("%d credentials are left", got)
		}
	})
}

// The guide to requiring two-factor authentication: of everyone, of one person, and by recovery code only.
func TestGuideToRequiring(t *testing.T) {
	inBoth(t, func(t *testing.T, lang string) {
		w := newWorld(t)
		kim := w.user("birch", "kim@birch.example", "client")
		owner := w.helper("birch", "olga@birch.example", storage.Owner)
		owner.lang = lang
		o := &reader{browser: owner.browser, does: map[int]func(){}}
		o.does[1] = func() { o.open(o.get(ui.PathPeople + "/" + kim.ID)) }
		o.follow("require-two-factor", 1)
		if !w.get("birch", kim.ID).Require2FA {
			t.Error("the person need not use it")
		}
		o.does = nil
		o.follow("require-two-factor", 0)
		w.clock.forward(ten)
		if p := w.reader("en", nil).enters(kim.Email); p.at.heading() != atIntro {
			t.Errorf("the next sign-in is at %q", p.at.heading())
		}
		o.follow("require-two-factor", 2)
		w.clock.forward(ten)
		w.reader("en", nil).enters(kim.Email).at.says("recovery code")
	})
}

// The guide to networks: list some, ask for a second step in one, and let people sign in from these only.
func TestGuideToNetworks(t *testing.T) {
	inBoth(t, func(t *testing.T, lang string) {
		w := newWorld(t)
		owner := w.helper("birch", "olga@birch.example", storage.Owner)
		owner.lang = lang
		o := &reader{browser: owner.browser, does: map[int]func(){}}
		o.types = map[string]func() string{"prefix": says("203.0.113.0/24"), "called": says("Office")}
		o.follow("networks", 0)
		o.open(o.get(ui.PathNetworks))
		o.follow("networks", 1)
		o.open(o.get(ui.PathNetworks))
		o.does[1] = func() { o.open(o.at.post("/networks", "do", "mine")) }
		o.follow("networks", 2)
		listed := w.tenantOf("birch").Networks
		if len(listed) != 2 || listed[0] != (storage.Network{Prefix: "203.0.113.0/24", Name: "Office", Require2FA: true}) || listed[1].Prefix != "127.0.0.1/32" {
			t.Errorf("listed are %+v", listed)
		}
		w.clock.forward(ten)
		owner.get(ui.PathNetworks)
	})
}

// The guide to people: invite somebody new, somebody who came in a file, and change an address.
func TestGuideToPeople(t *testing.T) {
	inBoth(t, func(t *testing.T, lang string) {
		w := newWorld(t)
		owner := w.helper("acme", "olga@acme.example", storage.Owner)
		owner.lang = lang
		kim := w.imported(kimAt)
		o := &reader{browser: owner.browser, does: map[int]func(){}, types: map[string]func() string{
			"email": says("nora@acme.example"), "name": says("Nora Newcomer"),
		}}
		o.looks = []string{"role", "type"}
		o.follow("people", 0)
		if u := w.byEmail("acme", "nora@acme.example"); u.Invited.IsZero() || u.Name != "Nora Newcomer" {
			t.Errorf("invited: %+v", u)
		}
		o.does[1] = func() { o.open(o.get(ui.PathPeople + "/" + kim.ID)) }
		o.follow("people", 1)
		link := w.linkTo(kimAt, "/invitation/")
		w.browser().get(link).submit("/"+lastPart(link), "password", newPassword)
		o.does = map[int]func(){2: o.does[1]}
		o.types["email"] = says(kimNew)
		o.follow("people", 2)
		if u := w.get("acme", kim.ID); u.Email != kimNew || u.EmailVerified || u.Password == "" {
			t.Errorf("changed: %+v", u)
		}
	})
}

// The guide to one's own account: another password, address, phone number and language.
func TestGuideToTheAccount(t *testing.T) {
	inBoth(t, func(t *testing.T, lang string) {
		w := newTexting(t)
		u, _ := w.texted("robin@acme.example", "+61 491 570 156", "+61491570156")
		r := w.reader(lang, nil).enters(u.Email)
		r.open(r.at.submit("/with/sms", "code", w.codes("+61491570156")[0]))

		w.clock.forward(time.Minute)
		r.types = map[string]func() string{"input": says("+61 491 570 157"), "code": func() string { return w.codes("+61491570157")[0] }}
		r.follow("your-account", 3)

		r.types = map[string]func() string{"email": says("robin@new.example")}
		r.which = map[int]int{1: 1}
		r.does[2] = func() { w.p.rescue.Wait(); r.open(r.get(w.linkTo("robin@new.example", "/email/new/"))) }
		r.does[3] = func() { r.open(r.get(w.linkTo(u.Email, "/email/old/"))) }
		r.follow("your-account", 1)
		if got := w.get("acme", u.ID).Email; got != "robin@new.example" {
			t.Errorf("the address is %q", got)
		}

		w.clock.forward(time.Hour)
		r = w.reader(lang, nil).enters("robin@new.example")
		r.open(r.at.submit("/with/sms", "code", w.codes("+61491570157")[0]))
		r.types = map[string]func() string{"current": says(rightPassword), "password": says("seven walnut drawers and a lamp")}
		r.which = map[int]int{1: 2}
		r.follow("your-account", 0)
		r.which = nil
		r.follow("your-account", 4)

		changeIn(w.world, w.store.Users, "acme", u.ID, func(u *storage.User) { u.EmailVerified = false })
		r.does = map[int]func(){1: func() { r.open(r.get(w.linkTo("robin@new.example", "/verify/"))) }}
		r.follow("your-account", 2)
		if !w.get("acme", u.ID).EmailVerified {
			t.Error("the address is not confirmed")
		}
	})
}

// The guide to devices, activity and applications: take an application's access away, end a sign-in, have devices forgotten,
// and sign out everywhere else.
func TestGuideToDevices(t *testing.T) {
	inBoth(t, func(t *testing.T, lang string) {
		w := newWorld(t)
		w.rules("birch", storage.Rule{Name: "Everyone may sign in", Then: storage.Then{
			Access: "allow", TwoFactor: "optional", Strength: "any", Unenrolled: "enrol_at_login", RememberDays: 14,
		}})
		u, ph, _ := w.enrolled("birch", "robin@birch.example")
		w.remembered(u.Email, ph)
		w.remembered(u.Email, ph)
		at := w.app().attempt()
		at.redeem(at.begin(w.browser()).signIn(u.Email).submit("/with/totp", "code", ph.next()))
		r := w.reader(lang, nil).enters(u.Email)
		r.open(r.at.submit("/with/totp", "code", ph.next()))
		sessions := func() int {
			all, err := w.store.Sessions.List(t.Context(), storage.Query{Tenant: u.Tenant, Field: "user", Value: u.ID})
			if err != nil {
				t.Fatal(err)
			}
			return len(all)
		}
		r.follow("devices-and-activity", 3)
		before := sessions()
		r.which = map[int]int{2: 1} // the head of every page signs out too
		r.follow("devices-and-activity", 0)
		r.which = nil
		if got := sessions(); got != before-1 {
			t.Errorf("%d sessions before, and now %d", before, got)
		}
		r.follow("devices-and-activity", 1)
		r.follow("devices-and-activity", 2)
		if got := sessions(); got != 1 {
			t.Errorf("%d sessions are left", got)
		}
	})
}
