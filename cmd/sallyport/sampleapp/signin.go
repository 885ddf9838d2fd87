package sampleapp

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// begun is a sign-in that was sent to the identity provider.
type begun struct {
	browser, nonce, verifier string
	at                       time.Time
}

const (
	// signInTime is how long a sign-in may take.
	signInTime = 30 * time.Minute
	// talkTime bounds a conversation with the identity provider.
	talkTime = 10 * time.Second
	// acrTwoFactor asks for two factors.
	acrTwoFactor = "https://refeds.org/profile/mfa"
)

// discover reads the identity provider's metadata, once.
func (a *app) discover(ctx context.Context) (*oidc.Provider, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.provider != nil {
		return a.provider, nil
	}
	// The provider fetches keys later on too, so it must not hang on this request.
	p, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), &http.Client{Timeout: talkTime}), a.Issuer)
	if err == nil {
		a.provider = p
	}
	return p, err
}

func (a *app) oauth(p *oidc.Provider) *oauth2.Config {
	return &oauth2.Config{
		ClientID: a.ClientID, ClientSecret: a.ClientSecret, Endpoint: p.Endpoint(), RedirectURL: a.URL + PathCallback,
		Scopes: []string{oidc.ScopeOpenID, "profile", "email"},
	}
}

// signIn sends the browser to the identity provider: for a session of its own, or for a second step on top.
func (a *app) signIn(w http.ResponseWriter, r *http.Request) {
	p, err := a.discover(r.Context())
	if err != nil {
		a.trouble(w, r, http.StatusBadGateway, trouble{"The identity provider does not answer", "Is it still running?", err.Error()})
		return
	}
	browser := cookie(r, cookieBrowser)
	if browser == "" {
		browser = rand.Text()
		setCookie(w, cookieBrowser, browser, signInTime)
	}
	state := rand.Text()
	b := begun{browser: browser, nonce: rand.Text(), verifier: oauth2.GenerateVerifier(), at: time.Now()}
	a.mu.Lock()
	keep(a.begun, state, b)
	a.mu.Unlock()
	options := []oauth2.AuthCodeOption{oidc.Nonce(b.nonce), oauth2.S256ChallengeOption(b.verifier)}
	if r.URL.Query().Has("second-step") {
		// acr_values would be a wish (OpenID Connect Core, section 3.1.2.1); an essential claim must be met, so whoever
		// has no second step yet sets one up.
		options = append(options, oauth2.SetAuthURLParam("claims",
			`{"id_token":{"acr":{"essential":true,"values":["`+acrTwoFactor+`"]}}}`))
		if s := a.session(r); s != nil && s.twoFactor() {
			// There has been one already, which would be answer enough.
			options = append(options, oauth2.SetAuthURLParam("prompt", "login"))
		}
	}
	http.Redirect(w, r, a.oauth(p).AuthCodeURL(state, options...), http.StatusSeeOther)
}

// callback takes the authorization response.
func (a *app) callback(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	a.mu.Lock()
	b, ok := a.begun[q.Get("state")]
	delete(a.begun, q.Get("state"))
	a.mu.Unlock()
	// Without this a stranger could sign a victim in as himself.
	if !ok || b.browser != cookie(r, cookieBrowser) || time.Since(b.at) > signInTime {
		a.trouble(w, r, http.StatusBadRequest, trouble{
			"This sign-in was not begun here", "It was begun in another browser, or too long ago. Start again.", "",
		})
		return
	}
	if code := q.Get("error"); code != "" {
		a.trouble(w, r, http.StatusForbidden, trouble{"You were not signed in", "The identity provider said why:", code + ": " + q.Get("error_description")})
		return
	}
	s, err := a.redeem(r.Context(), q, b)
	if err != nil {
		a.trouble(w, r, http.StatusBadGateway, trouble{"The sign-in could not be completed", "Start again.", err.Error()})
		return
	}
	a.newSession(w, s)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// redeem exchanges the code for tokens and checks them.
func (a *app) redeem(ctx context.Context, q url.Values, b begun) (*session, error) {
	ctx, cancel := context.WithTimeout(ctx, talkTime)
	defer cancel()
	p, err := a.discover(ctx)
	if err != nil {
		return nil, err
	}
	// RFC 9207: the response says from whom it is.
	if iss := q.Get("iss"); iss != a.Issuer {
		return nil, fmt.Errorf("the response is from %q", iss)
	}
	tokens, err := a.oauth(p).Exchange(ctx, q.Get("code"), oauth2.VerifierOption(b.verifier))
	if err != nil {
		return nil, fmt.Errorf("exchange the code: %w", err)
	}
	raw, ok := tokens.Extra("id_token").(string)
	if !ok {
		return nil, errors.New("there is no ID token in the answer")
	}
	token, err := p.Verifier(&oidc.Config{ClientID: a.ClientID, SupportedSigningAlgs: []string{oidc.ES256}}).Verify(ctx, raw)
	if err != nil {
		return nil, fmt.Errorf("verify the ID token: %w", err)
	}
	if token.Nonce != b.nonce {
		return nil, errors.New("the ID token is for another sign-in")
	}
	s := &session{idToken: raw}
	var all json.RawMessage
	if err := errors.Join(token.Claims(&s.claims), token.Claims(&all)); err != nil {
		return nil, fmt.Errorf("read the ID token: %w", err)
	}
	s.all = all
	info, err := p.UserInfo(ctx, oauth2.StaticTokenSource(tokens))
	if err != nil {
		return nil, fmt.Errorf("ask for the user's name: %w", err)
	}
	if info.Subject != token.Subject {
		return nil, errors.New("the user information is about somebody else")
	}
	return s, info.Claims(&s.person)
}

// signOut ends the session here, and asks the identity provider to end its own (RP-Initiated Logout).
func (a *app) signOut(w http.ResponseWriter, r *http.Request) {
	s := a.session(r)
	a.mu.Lock()
	delete(a.sessions, cookie(r, cookieSession))
	a.mu.Unlock()
	setCookie(w, cookieSession, "", -time.Second)
	p, err := a.discover(r.Context())
	if s == nil || err != nil {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	var about struct {
		EndSession string `json:"end_session_endpoint"`
	}
	if err := p.Claims(&about); err != nil || about.EndSession == "" {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	http.Redirect(w, r, about.EndSession+"?"+url.Values{
		"id_token_hint": {s.idToken}, "post_logout_redirect_uri": {a.URL + "/"}, "client_id": {a.ClientID},
	}.Encode(), http.StatusSeeOther)
}
