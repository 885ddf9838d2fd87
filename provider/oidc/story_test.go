package oidc

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"testing"

	goidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/sallyport-id/sallyport/provider/login"
)

// A relying party that nobody of us wrote signs ann in, reads who she is, and renews its tokens.
func TestStoryOfARelyingParty(t *testing.T) {
	for client, alg := range map[string]string{"app": "RS256", "es": "ES256"} {
		t.Run(alg, func(t *testing.T) {
			w := newWorld(t, "/auth")
			w.as("acme")
			ctx := t.Context()
			provider, err := goidc.NewProvider(ctx, w.issuer)
			w.must(err)
			app := oauth2.Config{
				ClientID: client, ClientSecret: secret, Endpoint: provider.Endpoint(), RedirectURL: callback,
				Scopes: []string{goidc.ScopeOpenID, "profile", "email", goidc.ScopeOfflineAccess},
			}
			verifier := oauth2.GenerateVerifier()
			back := w.visit(app.AuthCodeURL("my-state", goidc.Nonce("my-nonce"), oauth2.S256ChallengeOption(verifier)))
			if back.Get("state") != "my-state" || back.Get("iss") != w.issuer {
				t.Fatalf("came back with %v", back)
			}
			tokens, err := app.Exchange(ctx, back.Get("code"), oauth2.VerifierOption(verifier))
			w.must(err)
			idToken := verifiedToken(ctx, w, provider, &app, tokens)
			if idToken.Nonce != "my-nonce" || idToken.Subject != "ann-acme" {
				t.Errorf("ID token %+v", idToken)
			}
			w.must(idToken.VerifyAccessToken(tokens.AccessToken))
			var claims struct {
				ACR string   `json:"acr"`
				AMR []string `json:"amr"`
			}
			w.must(idToken.Claims(&claims))
			if claims.ACR != login.ACRTwoFactor || len(claims.AMR) != 3 {
				t.Errorf("claims %+v", claims)
			}
			info, err := provider.UserInfo(ctx, app.TokenSource(ctx, tokens))
			w.must(err)
			if info.Email != "ann@acme.example" || info.Subject != idToken.Subject || info.EmailVerified {
				t.Errorf("user info %+v", info)
			}
			// x/oauth2 renews by itself once it believes the token to have expired.
			stale := *tokens
			stale.AccessToken, stale.Expiry = "", w.clock()
			renewed, err := app.TokenSource(ctx, &stale).Token()
			w.must(err)
			if renewed.RefreshToken == tokens.RefreshToken || verifiedToken(ctx, w, provider, &app, renewed).Subject != "ann-acme" {
				t.Errorf("renewed %+v", renewed)
			}
		})
	}
}

func verifiedToken(ctx context.Context, w *world, provider *goidc.Provider, app *oauth2.Config, tokens *oauth2.Token) *goidc.IDToken {
	w.Helper()
	raw, ok := tokens.Extra("id_token").(string)
	if !ok {
		w.Fatal("no ID token")
	}
	idToken, err := provider.VerifierContext(ctx, &goidc.Config{ClientID: app.ClientID}).Verify(ctx, raw)
	w.must(err)
	return idToken
}

// visit has a browser follow a link into the authorization endpoint and tells what it brings back.
func (w *world) visit(link string) url.Values {
	w.Helper()
	r, err := http.NewRequestWithContext(w.Context(), http.MethodGet, link, nil)
	w.must(err)
	return w.do(r).to(w).Query()
}

func TestStoryOfAMachine(t *testing.T) {
	w := newWorld(t, "")
	for _, style := range []oauth2.AuthStyle{oauth2.AuthStyleInHeader, oauth2.AuthStyleInParams, oauth2.AuthStyleAutoDetect} {
		config := clientcredentials.Config{
			ClientID: "machine", ClientSecret: secret, TokenURL: w.issuer + pathToken, Scopes: []string{"read"}, AuthStyle: style,
		}
		token, err := config.Token(t.Context())
		w.must(err)
		if !w.active("machine", token.AccessToken) {
			t.Error("not active")
		}
	}
}

// What an application is told when the user's sign-in can't be renewed without a page.
func TestStoryOfASilentRenewal(t *testing.T) {
	w := newWorld(t, "")
	w.login.set(func(s *standIn) { s.err = login.ErrLoginRequired })
	app := oauth2.Config{ClientID: "app", RedirectURL: callback, Endpoint: oauth2.Endpoint{AuthURL: w.issuer + pathAuthorize}, Scopes: []string{"openid"}}
	back := w.visit(app.AuthCodeURL("s", oauth2.SetAuthURLParam("prompt", "none"), oauth2.S256ChallengeOption(verifier)))
	if back.Get("error") != "login_required" || back.Get("state") != "s" {
		data, err := json.Marshal(back)
		t.Errorf("%s %v", data, err)
	}
}
