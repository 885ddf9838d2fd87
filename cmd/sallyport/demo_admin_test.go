package main

import (
	"strings"
	"testing"
	"time"
)

// The path that the terminal suggests: the owner demands a second step of clients, and a client sets one up.
func TestDemoShowsTheOwnersSide(t *testing.T) {
	d := startDemo(t)
	if out, err := d.example(t); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	olga := newBrowser(t).open(d.App).sees("olga@northwind.example", "clara@weiss.example").choose(d.Issuer, "/admin/people")
	olga.signIn("olga@northwind.example", "walnut-drawer-4821").setUpSMS(d, anotherNumber)
	olga.sees("People").choose("/admin/policy").sees("Staff must use two-factor authentication")
	t.Run("what would cut a program off is told", func(t *testing.T) {
		olga.submit(map[string]string{"must": "everyone"}).sees(d.Program.Name, "127.0.0.1")
	})
	t.Run("clients must", func(t *testing.T) {
		olga.open(d.Issuer + "/admin/policy").submit(map[string]string{"must": "client"}).sees("What this change does")
		olga.press("/save", map[string]string{"do": "save"}).sees("The policy is saved", "Clients must use two-factor authentication")
		clara := d.asked(t, "clara@weiss.example", "oaken-staircase-2957")
		clara.sees("Clients must use two-factor authentication").setUpSMS(d, oneNumber)
		clara.sees("Hello, Clara Weiss", "two factors")
	})
	resident(t, d.pid)
}

// asked signs somebody in until that is not enough: what is known of a tenant may be some seconds old.
func (d *demo) asked(t *testing.T, login, password string) *browser {
	t.Helper()
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); time.Now().Before(end); <-tick.C {
		if b := newBrowser(t).open(d.App+"/signin").signIn(login, password); strings.HasPrefix(b.at.String(), d.Issuer) {
			return b
		}
	}
	t.Fatalf("%s gets in with the password alone", login)
	return nil
}
