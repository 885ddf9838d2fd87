package provider

import (
	"slices"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/sallyport-id/sallyport/provider/login"
	"github.com/sallyport-id/sallyport/storage"
)

// strong says what every sign-in to an application has to show.
func strong(strength string) func(*storage.Client) {
	return func(c *storage.Client) { c.Strength = strength }
}

// An application that was registered with a strength gets it of everybody, whatever the tenant's policy leaves open and
// whatever less its requests ask for, and its ID tokens say so truthfully.
func TestStrengthOfAnApplication(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "kim@birch.example", "client")
	const redirect = "https://vault.example/callback"
	vault := w.connect("vault", w.client("vault", "web", redirect, strong("mfa")), redirect)
	shop := w.app()
	b := w.browser()
	plain := shop.attempt()
	if c, _ := plain.redeem(plain.begin(b).signIn("kim@birch.example")); c.ACR != login.ACRPassword {
		t.Fatalf("the other application got acr %q", c.ACR)
	}

	// The session is not enough there, and who has no factor sets one up.
	silent := vault.attempt(with("prompt", "none"))
	if q := silent.arrived(silent.begin(b)); q.Get("error") != "interaction_required" {
		t.Errorf("prompt=none: %v", q)
	}
	first := vault.attempt()
	ph, saved := first.begin(b).enrol()
	c, token := first.redeem(saved.submit("/codes", "saved", "yes"))
	if c.ACR != login.ACRTwoFactor || !slices.Equal(c.AMR, []string{"pwd", "otp", "mfa"}) {
		t.Errorf("after set-up: acr %q, amr %v", c.ACR, c.AMR)
	}

	// Birch leaves the second step off, and the requests ask for less, with and without insisting.
	w.rules("birch", storage.Rule{ID: "off", Name: "Off", Then: storage.Then{Access: "allow", TwoFactor: "off", Strength: "any", Unenrolled: "enrol_at_login", RememberDays: 14}})
	for name, options := range map[string][]oauth2.AuthCodeOption{
		"nothing": nil, "a password": {with("acr_values", login.ACRPassword)}, "a password, insisting": {essential(login.ACRPassword)},
		// Nobody here can give this one, and so it is done without.
		"more than there is": {with("acr_values", login.ACRPhishingResistant)},
	} {
		at := vault.attempt(options...)
		p := at.begin(w.browser()).signIn("kim@birch.example").is(atCode)
		c, _ := at.redeem(p.submit("/with/totp", "code", ph.next(), "remember", "yes"))
		if want := []string{"pwd", "otp", "mfa"}; !slices.Equal(c.AMR, want) {
			t.Errorf("asked for %s: amr %v, want %v", name, c.AMR, want)
		}
		if want := login.ACRTwoFactor; name != "a password" && name != "a password, insisting" && c.ACR != want {
			t.Errorf("asked for %s: acr %q, want %q", name, c.ACR, want)
		}
	}

	// A remembered device does for the policy, and is no second factor.
	w.rules("birch", storage.Rule{ID: "all", Name: "All", Then: storage.Then{Access: "allow", Strength: "any", RememberDays: 14}})
	known := w.browser()
	at := shop.attempt()
	at.redeem(at.begin(known).signIn("kim@birch.example").submit("/with/totp", "code", ph.next(), "remember", "yes"))
	known.signOut()
	at = shop.attempt()
	if c, _ := at.redeem(at.begin(known).signIn("kim@birch.example")); c.ACR != login.ACRPassword {
		t.Errorf("the remembered device gives acr %q", c.ACR)
	}
	known.signOut()
	at = vault.attempt()
	at.redeem(at.begin(known).signIn("kim@birch.example").is(atCode).submit("/with/totp", "code", ph.next()))

	// What was got with two factors is renewed with them.
	if _, err := vault.config.TokenSource(t.Context(), stale(token)).Token(); err != nil {
		t.Errorf("tokens of a sign-in with two factors are not renewed: %v", err)
	}
}

// stale makes a token that must be renewed before it is used.
func stale(token *oauth2.Token) *oauth2.Token {
	return &oauth2.Token{RefreshToken: token.RefreshToken, Expiry: time.Unix(1, 0)}
}

// An application that is made stronger gets tokens renewed only where the sign-in behind them showed as much.
func TestStrengthOfAnApplicationWasRaised(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "kim@birch.example", "client")
	a := w.app()
	at := a.attempt()
	_, token := at.redeem(at.begin(w.browser()).signIn("kim@birch.example"))
	_, err := storage.Change(t.Context(), w.store.Clients, storage.Global, "workshop", func(c *storage.Client) error {
		c.Strength = "mfa"
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	w.clock.forward(10 * time.Second)
	if got, err := a.config.TokenSource(t.Context(), stale(token)).Token(); err == nil {
		t.Errorf("renewed with a password alone: %+v", got)
	}
}

// An application for which only what resists phishing will do: a request may ask for more, and not for less.
func TestStrengthPhishingResistant(t *testing.T) {
	w := newWorld(t, atLocalhost)
	_, key, b := w.keyed("kim@birch.example", false)
	w.clock.forward(time.Second)
	setUp := b.get("/account/two-factor").submit("/account/set-up/totp")
	setUp.submit("/account/set-up", "code", w.scan(setUp).code()).is(atSecurity)
	w.user("birch", "lou@birch.example", "client")
	const redirect = "https://vault.example/callback"
	vault := w.connect("vault", w.client("vault", "web", redirect, strong("phr")), redirect)
	for name, options := range map[string][]oauth2.AuthCodeOption{
		"nothing": nil, "two factors": {with("acr_values", login.ACRTwoFactor)}, "two factors, insisting": {essential(login.ACRTwoFactor)},
	} {
		at := vault.attempt(options...)
		p := at.begin(w.browser()).signIn("kim@birch.example").is(atPasskey)
		if c, _ := at.redeem(p.submit("/with/webauthn", "code", key.get(p))); !slices.Equal(c.AMR, []string{"pwd", "hwk", "user", "mfa"}) {
			t.Errorf("asked for %s: amr %v", name, c.AMR)
		}
	}
	at := vault.attempt()
	if c, _ := at.redeem(at.begin(w.browser()).by(key)); c.ACR != login.ACRPhishingResistant {
		t.Errorf("a passkey alone: acr %q", c.ACR)
	}
	at = vault.attempt()
	if q := at.arrived(at.begin(w.browser()).signIn("lou@birch.example")); q.Get("error") != "unmet_authentication_requirements" || q.Get("code") != "" {
		t.Errorf("who has nothing that resists phishing: %v", q)
	}
	// A word that nobody can read lets nobody in.
	odd := w.connect("odd", w.client("odd", "web", redirect, strong("strongest")), redirect)
	at = odd.attempt()
	p := at.begin(w.browser()).signIn("kim@birch.example").is(atPasskey)
	if q := at.arrived(p.submit("/with/webauthn", "code", key.get(p))); q.Get("error") != "unmet_authentication_requirements" || q.Get("code") != "" {
		t.Errorf("an unknown strength: %v", q)
	}
}
