package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/sallyport-id/sallyport/.ci/internal/process"
)

// step is the time that a code is shown for (RFC 6238).
const step = 30 * time.Second

// authenticator is the app on a user's telephone. Its codes come from oathtool.
type authenticator struct {
	secret string
	last   time.Time
}

// scan reads the QR picture on a set-up page, with zbarimg.
func (b *browser) scan(ctx context.Context, p *page) (*authenticator, error) {
	for _, img := range p.all("img") {
		if attr(img, "class") != "qr" {
			continue
		}
		src, err := p.url.Parse(attr(img, "src"))
		if err != nil {
			return nil, err
		}
		picture, err := b.open(ctx, src.String())
		if err != nil {
			return nil, err
		}
		text, err := read(ctx, picture.body)
		if err != nil {
			return nil, err
		}
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "otpauth" || u.Host != "totp" || u.Query().Get("secret") == "" {
			return nil, errors.Join(fmt.Errorf("the QR picture does not hold a key but %q", text), err)
		}
		return &authenticator{secret: u.Query().Get("secret")}, nil
	}
	return nil, fmt.Errorf("no QR picture on %s", p)
}

// read reads a QR picture. zbarimg wants a file.
func read(ctx context.Context, picture []byte) (text string, err error) {
	f, err := os.CreateTemp("", "sallyport-rp-*.png")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	_, err = f.Write(picture)
	if err = errors.Join(err, f.Close()); err != nil {
		return "", err
	}
	out, err := process.Output(exec.CommandContext(ctx, "zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", f.Name()))
	return strings.TrimSpace(string(out)), err
}

// code is a code that was not used before. Instead of waiting for the next one it may be that one already, which the
// server takes too, because clocks differ.
func (a *authenticator) code(ctx context.Context) (string, error) {
	at := time.Now().UTC().Truncate(step)
	if !at.After(a.last) {
		at = a.last.Add(step)
	}
	a.last = at
	out, err := process.Output(exec.CommandContext(ctx, "oathtool", "--totp", "--base32", "--now", at.Format("2006-01-02 15:04:05 UTC"), a.secret))
	return strings.TrimSpace(string(out)), err
}

// password opens an application and signs in with name and password.
func (b *browser) password(ctx context.Context, app string, u user) (*page, error) {
	p, err := b.open(ctx, app)
	if err != nil {
		return nil, err
	}
	return b.submit(ctx, p, "login", u.Email, "password", u.Password)
}

// enrol signs in a user who has to set up a second step first, and arrives at the application.
func (b *browser) enrol(ctx context.Context, app string, u user) (*authenticator, *page, error) {
	p, err := b.password(ctx, app, u)
	if err != nil {
		return nil, nil, err
	}
	if p, err = b.submit(ctx, p); err != nil {
		return nil, nil, fmt.Errorf("start of set-up: %w", err)
	}
	a, err := b.scan(ctx, p)
	if err != nil {
		return nil, nil, err
	}
	if p, err = b.answer(ctx, p, a); err != nil {
		return nil, nil, fmt.Errorf("set-up: %w", err)
	}
	if p, err = b.submit(ctx, p, "saved", "yes"); err != nil {
		return nil, nil, fmt.Errorf("backup codes: %w", err)
	}
	return a, p, nil
}

// signIn signs in with a password and a code, and arrives at the application.
func (b *browser) signIn(ctx context.Context, app string, u user, a *authenticator) (*page, error) {
	p, err := b.password(ctx, app, u)
	if err != nil {
		return nil, err
	}
	return b.answer(ctx, p, a)
}

func (b *browser) answer(ctx context.Context, p *page, a *authenticator) (*page, error) {
	code, err := a.code(ctx)
	if err != nil {
		return nil, err
	}
	return b.submit(ctx, p, "code", code)
}
