package main

import (
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
	"golang.org/x/net/html"
)

// Numbers that are nobody's (set aside by ACMA for drama).
const (
	oneNumber     = "+61 491 570 156"
	anotherNumber = "+61 491 570 157"
)

// outbox waits until the outbox shows a text, which some mails take a moment for, and returns what a pattern finds first.
func (d *demo) outbox(t *testing.T, to, pattern string) string {
	t.Helper()
	find := regexp.MustCompile(pattern)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	var b *browser
	for end := time.Now().Add(patience); time.Now().Before(end); <-tick.C {
		b = newBrowser(t).open(d.Outbox)
		for m := range strings.SplitSeq(html.UnescapeString(b.text), "<article") {
			if found := find.FindStringSubmatch(m); found != nil && strings.Contains(m, "to "+to) {
				return found[1]
			}
		}
	}
	t.Fatalf("nothing like %s to %s in the outbox:\n%s", pattern, to, b.text)
	return ""
}

const sentCode = `<p class="code">(\d{6})</p>`

// setUpSMS goes on from the choice of a second step, and returns a backup code.
func (b *browser) setUpSMS(d *demo, number string) (backup string) {
	b.t.Helper()
	b.press("/set-up/sms", nil).submit(map[string]string{"input": number})
	b.submit(map[string]string{"code": d.outbox(b.t, strings.ReplaceAll(number, " ", ""), sentCode)})
	found := regexp.MustCompile(`<code>([0-9a-z-]{29})</code>`).FindStringSubmatch(b.sees("Save your backup codes").text)
	if found == nil {
		b.t.Fatal("no backup codes")
	}
	b.submit(map[string]string{"saved": "yes"})
	return found[1]
}

// again signs out of everything and in again, as far as the password.
func (b *browser) again(d *demo, login, password string) *browser {
	b.t.Helper()
	b.open(d.App).press("/signout", nil)
	return b.open(d.App+"/signin").signIn(login, password)
}

func TestDemoShowsEveryWayInAndBackIn(t *testing.T) {
	d := startDemo(t)
	if u, err := url.Parse(d.Issuer); err != nil || u.Hostname() != "localhost" {
		t.Errorf("issuer %s, for which browsers make no passkeys", d.Issuer)
	}
	const password = "cedar-workbench-7164"
	const login = "sam@northwind.example"
	sam := newBrowser(t).open(d.App+"/signin").sees("Sign in with a passkey").signIn(login, password)
	sam.sees("Passkey", "Authenticator app", "Text message")
	backup := sam.setUpSMS(d, oneNumber)
	sam.sees("Hello, Sam Okafor", "a code by text message")
	t.Run("backup code", func(t *testing.T) {
		sam.again(d, login, password).choose("/ways").sees("•••• 156").choose("/with/backup")
		sam.submit(map[string]string{"code": backup}).sees("Hello, Sam Okafor", "Two factors")
	})
	t.Run("recovery code of the owner", func(t *testing.T) { d.helped(t, sam, login, password) })
	t.Run("remembered device", d.remembered)
	t.Run("forgotten password", d.forgotten)
	resident(t, d.pid)
}

// helped hands sam a recovery code.
func (d *demo) helped(t *testing.T, sam *browser, login, password string) {
	olga := newBrowser(t).open(d.Issuer+"/admin/people").signIn("olga@northwind.example", "walnut-drawer-4821")
	olga.setUpSMS(d, anotherNumber)
	olga.sees("People", login).open(d.Issuer+"/admin/people?find="+url.QueryEscape(login)).press("/recovery-code", nil)
	found := regexp.MustCompile(`<code>([0-9a-z-]+)</code>`).FindStringSubmatch(olga.sees("Recovery code for Sam Okafor").text)
	if found == nil {
		t.Fatal("no recovery code")
	}
	d.outbox(t, login, "(Olga Brandt made a recovery code)")
	sam.again(d, login, password).choose("/ways").choose("/with/recovery").submit(map[string]string{"code": found[1]})
	if !strings.HasPrefix(sam.at.String(), d.Issuer) {
		t.Errorf("at %s, and not at the set-up of a new second step", sam.at)
	}
	sam.sees("Choose your second step")
}

func (d *demo) remembered(t *testing.T) {
	const login, password = "clara@weiss.example", "oaken-staircase-2957"
	b := newBrowser(t).open(d.App+"/signin?second-step").signIn(login, password).press("/set-up/totp", nil)
	found := regexp.MustCompile(`secret=([A-Z2-7]{32})`).FindStringSubmatch(b.text)
	if found == nil {
		t.Fatalf("no key:\n%s", b.text)
	}
	now := time.Now()
	code := func(at time.Time) string {
		c, err := totp.GenerateCode(found[1], at)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	// One step of the app's for the set-up, and the next for the sign-in.
	b.submit(map[string]string{"code": code(now)}).submit(map[string]string{"saved": "yes"}).sees("Hello, Clara Weiss")
	b.again(d, login, password).submit(map[string]string{"code": code(now.Add(30 * time.Second)), "remember": "yes"})
	b.sees("Hello, Clara Weiss", "Two factors")
	b.again(d, login, password).sees("Hello, Clara Weiss", "A password alone")
	newBrowser(t).open(d.App+"/signin").signIn(login, password).sees("6-digit code")
}

func (d *demo) forgotten(t *testing.T) {
	const login, chosen = "paul@novak.example", "copper-kettle-whistle-2208"
	b := newBrowser(t).open(d.App + "/signin").choose("/forgot").submit(map[string]string{"login": login}).sees("Look into your mail")
	// The mail in HTML leads to the same, and nothing in it runs: it is shown within a sandbox.
	link := d.outbox(t, login, `href="([^"]+/password/[^"]+)"`)
	r, err := b.http.Get(d.App + d.outbox(t, login, `href="(/outbox/[^"]+)"`))
	if err != nil {
		t.Fatal(err)
	}
	policy := r.Header.Get("Content-Security-Policy")
	if b.took(r, nil); !strings.HasPrefix(policy, "sandbox; default-src 'none'; style-src 'unsafe-inline'") || !strings.Contains(b.text, `href="`+link+`"`) {
		t.Errorf("the mail in HTML, under the policy %q:\n%s", policy, b.text)
	}
	if b.open(d.Outbox + "/unknown"); !strings.Contains(b.text, "This mail is gone") {
		t.Errorf("a mail that there is not: %s", b.text)
	}
	b.open(link)
	b.submit(map[string]string{"password": chosen})
	newBrowser(t).open(d.App+"/signin").signIn(login, "silver-rowboat-1786").sees("Password")
	newBrowser(t).open(d.App+"/signin").signIn(login, chosen).sees("Hello, Paul Novak")
}
