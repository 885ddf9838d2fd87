package provider

import (
	"context"
	"encoding/base32"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"github.com/pquerna/otp/totp"
	"golang.org/x/net/html"
	"golang.org/x/oauth2"
)

// app is a relying party that we did not write: coreos/go-oidc with golang.org/x/oauth2.
type app struct {
	t        testing.TB
	w        *world
	config   oauth2.Config
	verifier *gooidc.IDTokenVerifier
	provider *gooidc.Provider
}

func (w *world) app() *app {
	w.t.Helper()
	const redirect = "https://app.example/callback"
	secret := w.client("workshop", "web", redirect)
	return w.connect("workshop", secret, redirect)
}

func (w *world) connect(id, secret, redirect string) *app {
	w.t.Helper()
	provider, err := gooidc.NewProvider(context.Background(), w.issuer)
	if err != nil {
		w.t.Fatal(err)
	}
	return &app{
		t: w.t, w: w, provider: provider,
		config: oauth2.Config{
			ClientID: id, ClientSecret: secret, RedirectURL: redirect, Endpoint: provider.Endpoint(),
			Scopes: []string{"openid", "profile", "email", "offline_access"},
		},
		verifier: provider.Verifier(&gooidc.Config{ClientID: id, Now: w.clock.Now, SupportedSigningAlgs: []string{"ES256", "RS256"}}),
	}
}

// attempt is one sign-in as the application sees it.
type attempt struct {
	a                      *app
	state, nonce, verifier string
	url                    string
}

func (a *app) attempt(options ...oauth2.AuthCodeOption) *attempt {
	t := &attempt{a: a, state: "state-" + oauth2.GenerateVerifier(), nonce: "nonce-" + oauth2.GenerateVerifier(), verifier: oauth2.GenerateVerifier()}
	options = append(options, oauth2.S256ChallengeOption(t.verifier), oauth2.SetAuthURLParam("nonce", t.nonce))
	t.url = a.config.AuthCodeURL(t.state, options...)
	return t
}

// begin opens the sign-in in a browser.
func (t *attempt) begin(b *browser) *page {
	t.a.t.Helper()
	return b.get(t.url)
}

// code reads the authorization code out of the address that a browser was sent to.
func (t *attempt) code(p *page) string {
	t.a.t.Helper()
	q := t.arrived(p)
	if q.Get("code") == "" {
		t.a.t.Fatalf("no code: %v", q)
	}
	return q.Get("code")
}

// arrived checks that the browser is at the application, with its state and our issuer.
func (t *attempt) arrived(p *page) url.Values {
	t.a.t.Helper()
	if !strings.HasPrefix(p.url.String(), t.a.config.RedirectURL) {
		t.a.t.Fatalf("not at the application but at %s (%d):\n%s", p.url, p.status, p.text())
	}
	q := p.url.Query()
	if q.Get("state") != t.state || q.Get("iss") != t.a.w.issuer {
		t.a.t.Fatalf("state %q and issuer %q, want %q and %q", q.Get("state"), q.Get("iss"), t.state, t.a.w.issuer)
	}
	return q
}

// claims are what the application learns from the ID token.
type claims struct {
	Subject  string   `json:"sub"`
	ACR      string   `json:"acr"`
	AMR      []string `json:"amr"`
	AuthTime int64    `json:"auth_time"`
	SID      string   `json:"sid"`
	Tenant   string   `json:"tenant"`
	Nonce    string   `json:"nonce"`
}

// redeem exchanges the code for verified tokens.
func (t *attempt) redeem(p *page) (claims, *oauth2.Token) {
	t.a.t.Helper()
	token, err := t.a.config.Exchange(context.Background(), t.code(p), oauth2.VerifierOption(t.verifier))
	if err != nil {
		t.a.t.Fatal(err)
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		t.a.t.Fatal("no ID token")
	}
	id, err := t.a.verifier.Verify(context.Background(), raw)
	if err != nil {
		t.a.t.Fatal(err)
	}
	if err := id.VerifyAccessToken(token.AccessToken); err != nil {
		t.a.t.Fatal(err)
	}
	var c claims
	if err := id.Claims(&c); err != nil {
		t.a.t.Fatal(err)
	}
	if c.Nonce != t.nonce {
		t.a.t.Fatalf("nonce %q, want %q", c.Nonce, t.nonce)
	}
	return c, token
}

// phone is an authenticator app.
type phone struct {
	t      testing.TB
	w      *world
	secret string
	// guessed counts the wrong codes so far.
	guessed int
}

// scan reads the key off a set-up page.
func (w *world) scan(p *page) *phone {
	w.t.Helper()
	var uri string
	p.walk(func(n *html.Node) {
		if n.Data == "a" && strings.HasPrefix(attr(n, "href"), "otpauth://") {
			uri = attr(n, "href")
		}
	})
	u, err := url.Parse(uri)
	if err != nil || uri == "" {
		w.t.Fatalf("no otpauth link on %s (%v):\n%s", p.url, err, p.text())
	}
	secret := u.Query().Get("secret")
	if raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret); err != nil || len(raw) != 20 {
		w.t.Fatalf("the secret has %d bytes, want 160 bits (%v)", len(raw), err)
	}
	return &phone{t: w.t, w: w, secret: secret}
}

// code is what the app shows now, or that far from now.
func (ph *phone) code(off ...time.Duration) string {
	ph.t.Helper()
	at := ph.w.clock.Now()
	for _, d := range off {
		at = at.Add(d)
	}
	code, err := totp.GenerateCode(ph.secret, at)
	if err != nil {
		ph.t.Fatal(err)
	}
	return code
}

// next waits for the next code: one code signs in once.
func (ph *phone) next() string {
	ph.w.clock.forward(30 * time.Second)
	return ph.code()
}

// wrong is a code that is not right now, nor near by, and another one each time.
func (ph *phone) wrong() string {
	for {
		guess := fmt.Sprintf("%06d", ph.guessed*111)
		ph.guessed++
		right := false
		for step := -45; step <= 45; step++ {
			right = right || ph.code(time.Duration(step)*30*time.Second) == guess
		}
		if !right {
			return guess
		}
	}
}

// Headings of pages.
const (
	atSignIn   = "Sign in"
	atCode     = "Enter the code from your app"
	atIntro    = "Turn on two-factor authentication"
	atCodes    = "Save your backup codes"
	atAccount  = "Your account"
	atDevices  = "Devices"
	atActivity = "Activity"
	atApps     = "Your applications"
	atSecurity = "Security"
	atRecovery = "Enter a recovery code"
)

// signIn types in name and password.
func (p *page) signIn(login string) *page {
	p.b.t.Helper()
	return p.is(atSignIn).submit("/signin", "login", login, "password", rightPassword)
}

// enrol goes through the set-up that a sign-in asks for, until the backup codes are shown.
func (p *page) enrol() (*phone, *page) {
	p.b.t.Helper()
	setUp := p.is(atIntro).submit("/set-up/totp")
	ph := p.b.w.scan(setUp)
	return ph, setUp.submit("/set-up", "code", ph.code()).is(atCodes)
}

// codes reads the backup codes off their page.
func (p *page) codes() []string {
	p.b.t.Helper()
	file := p.b.get(p.link("/codes.txt"))
	return strings.Fields(file.body)
}
