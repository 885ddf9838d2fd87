package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// The classes that we answer with, and what a password and an authenticator app are called (RFC 8176).
const (
	acrPassword  = "https://refeds.org/profile/sfa"
	acrTwoFactor = "https://refeds.org/profile/mfa"
)

// claims are what an application was told of a sign-in, after it verified the ID token by its own means.
type claims struct {
	Issuer   string   `json:"iss"`
	Subject  string   `json:"sub"`
	ACR      string   `json:"acr"`
	AMR      []string `json:"amr"`
	SID      string   `json:"sid"`
	Tenant   string   `json:"tenant"`
	Nonce    string   `json:"nonce"`
	AuthTime int64    `json:"auth_time"`
}

// check names everything that is wrong with what an application was told.
func (c claims) check(idp *identityProvider, u user, acr string, amr ...string) error {
	var wrong []error
	object := func(name string, got, want any) {
		wrong = append(wrong, fmt.Errorf("%s is %q, want %q", name, got, want))
	}
	if c.Issuer != idp.issuer {
		object("iss", c.Issuer, idp.issuer)
	}
	if c.Subject != u.ID {
		object("sub", c.Subject, u.ID)
	}
	if c.ACR != acr {
		object("acr", c.ACR, acr)
	}
	if !slices.Equal(c.AMR, amr) {
		object("amr", c.AMR, amr)
	}
	if c.Tenant != "northwind" {
		object("tenant", c.Tenant, "northwind")
	}
	if c.SID == "" || c.Nonce == "" {
		wrong = append(wrong, fmt.Errorf("sid %q or nonce %q is missing", c.SID, c.Nonce))
	}
	if ago := time.Since(time.Unix(c.AuthTime, 0)); ago < -time.Second || ago > enough {
		wrong = append(wrong, fmt.Errorf("auth_time is %s ago", ago))
	}
	return errors.Join(wrong...)
}

// relyingParty is an application that was not written by us.
type relyingParty interface {
	// enter is where a user begins.
	enter() string
	// told is what the application knows, once a sign-in has led back to p in browser b.
	told(ctx context.Context, b *browser, p *page, u user) (claims, error)
	// refuses checks what the application does with p, where a sign-in by password alone led, and returns what it knows.
	refuses(ctx context.Context, b *browser, p *page, u user) (claims, error)
	// Stop ends it.
	Stop() error
}

// tell signs users in to a relying party: one who has to set up a second step, the same one again, and one who needs
// none.
func tell(ctx context.Context, idp *identityProvider, name string, rp relyingParty) error {
	sam, err := idp.user(ctx, "staff", "sam."+name+"@northwind.example")
	if err != nil {
		return err
	}
	var sids []string
	var app *authenticator
	for _, visit := range []string{"set-up", "sign-in"} {
		b, err := newBrowser()
		if err != nil {
			return err
		}
		var p *page
		if app == nil {
			app, p, err = b.enrol(ctx, rp.enter(), sam)
		} else {
			p, err = b.signIn(ctx, rp.enter(), sam, app)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", visit, err)
		}
		c, err := rp.told(ctx, b, p, sam)
		if err == nil {
			err = c.check(idp, sam, acrTwoFactor, "pwd", "otp", "mfa")
		}
		if err != nil {
			return fmt.Errorf("%s: %w", visit, err)
		}
		sids = append(sids, c.SID)
	}
	if sids[0] == sids[1] {
		return errors.New("two browsers have one session")
	}
	return tellPassword(ctx, idp, name, rp)
}

// tellPassword shows that a password alone is never told as two factors, and that check would see it.
func tellPassword(ctx context.Context, idp *identityProvider, name string, rp relyingParty) error {
	clara, err := idp.user(ctx, "client", "clara."+name+"@weiss.example")
	if err != nil {
		return err
	}
	b, err := newBrowser()
	if err != nil {
		return err
	}
	p, err := b.password(ctx, rp.enter(), clara)
	if err != nil {
		return fmt.Errorf("password alone: %w", err)
	}
	c, err := rp.refuses(ctx, b, p, clara)
	if err == nil {
		err = c.check(idp, clara, acrPassword, "pwd")
	}
	if err != nil {
		return fmt.Errorf("password alone: %w", err)
	}
	err = c.check(idp, clara, acrTwoFactor, "pwd", "otp", "mfa")
	if err == nil || !strings.Contains(err.Error(), "acr is") || !strings.Contains(err.Error(), "amr is") {
		return fmt.Errorf("the check passes over wrong claims: %w", err)
	}
	return nil
}
