package provider

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/provider/login"
)

// The main job (000-5, 000-6, 000-8, 001-4, 002-6, 002-11, 003-8, 003-9): an application sends a new member of staff;
// the sign-in leads through set-up and backup codes to the application; the next one asks for the code only; a backup
// code works once.
func TestMainJob(t *testing.T) {
	w := newWorld(t)
	u := w.user("acme", "robin@acme.example", "staff")
	a := w.app()
	b := w.browser()

	first := a.attempt()
	ph, saved := first.begin(b).signIn("Robin@Acme.example").says("Staff must use two-factor authentication").enrol()
	codes := saved.codes()
	if len(codes) != 10 {
		t.Fatalf("%d backup codes, want 10", len(codes))
	}
	saved.submit("/codes").is(atCodes) // not ticked: asks again
	c, token := first.redeem(saved.submit("/codes", "saved", "yes"))
	if c.Subject != u.ID || c.Tenant != "acme" || c.ACR != login.ACRTwoFactor || !slices.Equal(c.AMR, []string{"pwd", "otp", "mfa"}) || c.SID == "" {
		t.Errorf("ID token says %+v", c)
	}
	if c.AuthTime != w.clock.Now().Unix() {
		t.Errorf("auth_time is %d, want %d", c.AuthTime, w.clock.Now().Unix())
	}
	if token.RefreshToken == "" {
		t.Error("no refresh token for offline_access")
	}

	// Another browser, some time later: the code only.
	b = w.browser()
	second := a.attempt()
	p := second.begin(b).signIn("robin@acme.example").is(atCode)
	c, _ = second.redeem(p.submit("/with/totp", "code", ph.next()))
	if c.ACR != login.ACRTwoFactor {
		t.Errorf("acr %q", c.ACR)
	}

	// The phone is lost: a backup code, once.
	b = w.browser()
	third := a.attempt()
	p = third.begin(b).signIn("robin@acme.example").is(atCode)
	ways := b.get(p.link("/ways"))
	c, _ = third.redeem(b.get(ways.link("/with/backup")).submit("/with/backup", "code", " "+strings.ToUpper(codes[3])+" "))
	if !slices.Equal(c.AMR, []string{"pwd", "otp", "mfa"}) {
		t.Errorf("amr %v", c.AMR)
	}
	if m := w.mails("robin@acme.example"); len(m) == 0 || !strings.Contains(m[0].Text, "9 codes are left") {
		t.Errorf("no mail tells of the backup code: %v", m)
	}

	b = w.browser()
	fourth := a.attempt()
	p = fourth.begin(b).signIn("robin@acme.example")
	p = b.get(b.get(p.link("/ways")).link("/with/backup"))
	p = p.submit("/with/backup", "code", codes[3])
	if p.status != 422 {
		t.Fatalf("a used backup code answers %d", p.status)
	}
	p.says("already")
	fourth.redeem(p.submit("/with/backup", "code", codes[4]))
}

// A signed-in browser goes straight to the application, and prompt=none gets an answer without a page.
func TestSingleSignOn(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "kim@birch.example", "client")
	a := w.app()
	b := w.browser()
	first := a.attempt()
	c1, _ := first.redeem(first.begin(b).signIn("kim@birch.example"))
	if c1.ACR != login.ACRPassword || !slices.Equal(c1.AMR, []string{"pwd"}) {
		t.Errorf("a password alone says acr %q, amr %v", c1.ACR, c1.AMR)
	}
	w.clock.forward(5 * time.Minute)
	second := a.attempt()
	c2, _ := second.redeem(second.begin(b))
	if c2.SID != c1.SID || c2.AuthTime != c1.AuthTime {
		t.Errorf("the second sign-in is of session %q at %d, want %q at %d", c2.SID, c2.AuthTime, c1.SID, c1.AuthTime)
	}
}
