package admin

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sallyport-id/sallyport/provider/logo"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// Branding is how a tenant's pages look, beside its name.
type Branding struct {
	// Logo is the path of the picture, relative to the issuer; it changes with the picture.
	Logo string `json:"logo,omitempty"`
	// LogoWidth is in pixels.
	LogoWidth int `json:"logo_width,omitempty"`
	// LogoHeight is in pixels.
	LogoHeight int `json:"logo_height,omitempty"`
	// Accent is the colour that was chosen.
	Accent string `json:"accent,omitempty"`
	// AccentLight is what pages on a light ground show in its place, so that it can be read.
	AccentLight string `json:"accent_light,omitempty"`
	// AccentDark is what pages on a dark ground show in its place, so that it can be read.
	AccentDark string `json:"accent_dark,omitempty"`
	// HelpURL is a page of help that the foot of pages links to.
	HelpURL string `json:"help_url,omitempty"`
	// PrivacyURL is the privacy notice that the foot of pages links to.
	PrivacyURL string `json:"privacy_url,omitempty"`
	// TermsURL are the terms that the foot of pages links to.
	TermsURL string `json:"terms_url,omitempty"`
	// Signature stands at the foot of mails; its lines end with LF.
	Signature string `json:"signature,omitempty"`
}

// MaxLogo is how many bytes the file of a logo has at most.
const MaxLogo = logo.MaxBytes

// maxURL is the longest of a link, in bytes.
const maxURL = 500

func viewBranding(t *storage.Tenant) Branding {
	v := Branding{HelpURL: t.Brand.Help, PrivacyURL: t.Brand.Privacy, TermsURL: t.Brand.Terms, Signature: t.Brand.Signature}
	if a, ok := ui.NewAccent(t.Brand.Accent); ok {
		v.Accent, v.AccentLight, v.AccentDark = a.Chosen, a.Light, a.Dark
	}
	if t.Brand.Logo != "" {
		v.Logo, v.LogoWidth, v.LogoHeight = web.LogoPath(t.ID, t.Brand.Logo), t.Brand.LogoWidth, t.Brand.LogoHeight
	}
	return v
}

// brand applies what was said of the look.
func (in TenantFields) brand(to *storage.Brand) error {
	if in.Accent != nil {
		to.Accent = ""
		if *in.Accent != "" {
			a, ok := ui.NewAccent(*in.Accent)
			if !ok {
				return invalid("accent", fmt.Sprintf("%q is no colour", *in.Accent), "write it as #0b5d6e")
			}
			to.Accent = a.Chosen
		}
	}
	for _, l := range []struct {
		where string
		given *string
		to    *string
	}{{"help_url", in.HelpURL, &to.Help}, {"privacy_url", in.PrivacyURL, &to.Privacy}, {"terms_url", in.TermsURL, &to.Terms}} {
		if l.given == nil {
			continue
		}
		if *l.given != "" && (len(*l.given) > maxURL || !website(*l.given)) {
			return invalid(l.where, "it is no address of a website", fmt.Sprintf("write a complete https address of up to %d characters", maxURL))
		}
		*l.to = *l.given
	}
	if in.Signature == nil {
		return nil
	}
	var err error
	to.Signature, err = signature(*in.Signature)
	return err
}

const (
	maxSignature      = 300 // characters
	maxSignatureLines = 6
)

// addressed finds what mail programs make links of: mails lead nowhere but to us, since it is the deployment's name that they go
// out under. The full stops of other scripts part domain names too (RFC 3490, section 3.1).
var addressed = regexp.MustCompile(`(?i)[a-z]:/|//|www\.|mailto:|tel:|[@＠]|[\p{L}\p{N}][.。．｡]\p{L}{2}`)

// signature checks the lines that a tenant has stand at the foot of mails.
func signature(s string) (string, error) {
	lines := strings.Split(strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n")), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimSpace(l)
	}
	s = strings.Join(lines, "\n")
	const do = "write up to 300 characters in up to 6 lines, without addresses of websites or mail"
	switch {
	case utf8.RuneCountInString(s) > maxSignature || len(lines) > maxSignatureLines:
		return "", invalid("signature", "it is too long", do)
	case !utf8.ValidString(s) || strings.ContainsFunc(strings.Join(lines, ""), storage.Unprintable):
		return "", invalid("signature", "it holds control characters", do)
	case addressed.MatchString(s):
		return "", invalidAs("signature", "address", "it holds an address", do)
	}
	return s, nil
}

// logoLinger is for how long a logo that was replaced is still there, for pages that were drawn before.
const logoLinger = time.Hour

// SetLogo puts a picture beside the tenant's name: a PNG, JPEG or WebP file, of which nothing is kept but its look; see
// package logo. *web.Invalid.
func (s *Service) SetLogo(ctx context.Context, by *web.Actor, id string, file []byte) (Tenant, error) {
	if _, err := s.admit(ctx, by, id, helping); err != nil {
		return Tenant{}, err
	}
	picture, err := s.draw(ctx, file)
	if err != nil {
		return Tenant{}, err
	}
	l := storage.Logo{
		Key: storage.Key{Tenant: id, ID: storage.NewID()}, Type: "image/png", Data: picture.PNG, Created: s.Now(),
	}
	return s.swapLogo(ctx, about(by, id, "tenant.logo"), &l, storage.Brand{
		Logo: l.ID, LogoWidth: picture.Width, LogoHeight: picture.Height,
	})
}

// RemoveLogo takes the tenant's logo away. *web.Invalid.
func (s *Service) RemoveLogo(ctx context.Context, by *web.Actor, id string) (Tenant, error) {
	t, err := s.admit(ctx, by, id, helping)
	if err != nil {
		return Tenant{}, err
	}
	if t.Brand.Logo == "" {
		return viewTenant(&t), nil
	}
	return s.swapLogo(ctx, about(by, id, "tenant.logo_removed"), nil, storage.Brand{})
}

// swapLogo puts one logo, or none, in place of another, which goes a while later.
func (s *Service) swapLogo(ctx context.Context, e storage.Event, l *storage.Logo, to storage.Brand) (Tenant, error) {
	var t storage.Tenant
	before := ""
	err := s.audited(ctx, e, func() error {
		if l != nil {
			if err := s.Store.Logos.Insert(ctx, l); err != nil {
				return web.Unavailable("logo", err)
			}
		}
		var err error
		t, err = storage.Change(ctx, s.Store.Tenants, storage.Global, e.Tenant, func(t *storage.Tenant) error {
			before = t.Brand.Logo
			t.Brand.Logo, t.Brand.LogoWidth, t.Brand.LogoHeight = to.Logo, to.LogoWidth, to.LogoHeight
			return nil
		})
		if err != nil && l != nil {
			err = errors.Join(err, s.Store.Logos.Delete(ctx, l.Tenant, l.ID))
		}
		return err
	})
	if err != nil {
		return Tenant{}, err
	}
	return viewTenant(&t), s.expireLogo(ctx, e.Tenant, before)
}

// expireLogo lets a logo go that nothing shows any more.
func (s *Service) expireLogo(ctx context.Context, tenant, id string) error {
	if id == "" {
		return nil
	}
	old, err := s.Store.Logos.Get(ctx, tenant, id)
	if err == nil {
		old.Expires = s.Now().Add(logoLinger)
		err = s.Store.Logos.Replace(ctx, &old)
	}
	if errors.Is(err, storage.ErrNotFound) || errors.Is(err, storage.ErrConflict) {
		return nil // somebody was faster
	}
	return web.Unavailable("logo of before", err)
}

// draw draws one picture at a time, for it takes tens of megabytes of memory.
func (s *Service) draw(ctx context.Context, file []byte) (logo.Picture, error) {
	select {
	case s.drawing <- struct{}{}:
		defer func() { <-s.drawing }()
	case <-ctx.Done():
		return logo.Picture{}, web.ErrBusy
	}
	p, err := logo.Draw(file)
	switch {
	case errors.Is(err, logo.ErrType):
		err = invalidAs("logo", "type", "it is no PNG, JPEG or WebP picture, or one that moves", "give a still picture of one of these kinds")
	case errors.Is(err, logo.ErrLarge):
		err = invalidAs("logo", "large", "it is too large", "give a file of up to 1 MiB, 4096 pixels a side and 4 million pixels in all")
	case errors.Is(err, logo.ErrSmall):
		err = invalidAs("logo", "small", "it is too small", "give a picture of at least 16 pixels a side")
	case errors.Is(err, logo.ErrDamaged):
		err = invalidAs("logo", "damaged", "it can't be read to its end", "save the picture anew and give that file")
	}
	return p, err
}
