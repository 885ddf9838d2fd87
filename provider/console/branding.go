package console

import (
	"context"
	"strings"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/ui"
)

func (s *Service) brandingRoutes() []web.Route {
	return []web.Route{
		web.Get(ui.PathBranding, web.Self, s.branding),
		web.Post(ui.PathBranding, web.Fresh, s.saveBranding),
		web.Post(brandingLogo, web.Fresh, s.setLogo),
		web.Post(brandingLogo+"/remove", web.Fresh, s.removeLogo),
	}
}

const brandingLogo = ui.PathBranding + "/logo"

type brandingIn struct {
	Notice string `form:"notice"`
}

func (s *Service) branding(ctx context.Context, by *web.Actor, in brandingIn) (web.Result, error) {
	page, err := s.brandingPage(ctx, by)
	page.Notice = s.said().Read(in.Notice)
	return web.Draw(page), err
}

// brandingPage is the page as things stand. It looks by what is stored: the actor's tenant may be some seconds old, and who
// has just changed the look wants to see it.
func (s *Service) brandingPage(ctx context.Context, by *web.Actor) (ui.Branding, error) {
	t, err := s.Admin.Tenant(ctx, by, by.Tenant.ID)
	if err != nil {
		return ui.Branding{}, err
	}
	b := t.Branding
	page := ui.Branding{
		Name: t.Name, Title: t.Name, Help: b.HelpURL, Privacy: b.PrivacyURL, Terms: b.TermsURL,
		Signature: b.Signature, Signed: signed(b.Signature),
		Look: ui.Brand{
			Logo: b.Logo, LogoWidth: b.LogoWidth, LogoHeight: b.LogoHeight, Help: b.HelpURL, Privacy: b.PrivacyURL, Terms: b.TermsURL,
		},
		Action: ui.PathBranding, SetLogo: brandingLogo,
	}
	if b.Logo != "" {
		page.RemoveLogo = brandingLogo + "/remove"
	}
	colour(&page, b.Accent)
	return page, nil
}

// signed are the lines of a signature.
func signed(signature string) []string {
	if signature == "" {
		return nil
	}
	return strings.Split(signature, "\n")
}

// colour puts an accent into the fields and on the page, but for what is no colour, which stands in its field alone.
func colour(page *ui.Branding, typed string) {
	page.Accent, page.Picked = typed, ui.OurAccent
	if typed == "" {
		page.Look.Accent = ""
		page.Show(ui.Accent{})
	}
	if a, ok := ui.NewAccent(typed); ok {
		page.Accent, page.Picked, page.Look.Accent = a.Chosen, a.Chosen, a.Chosen
		page.Show(a)
	}
}

type saveBrandingIn struct {
	Name string `form:"name"`
	// Accent was typed in and Picked was picked; the other two are what stood there before.
	Accent    string `form:"accent"`
	AccentWas string `form:"accent_was"`
	Picked    string `form:"picked"`
	PickedWas string `form:"picked_was"`
	Help      string `form:"help_url"`
	Privacy   string `form:"privacy_url"`
	Terms     string `form:"terms_url"`
	Signature string `form:"signature"`
	// Try shows what it would look like.
	Try bool `form:"try"`
}

// accent is the one of two fields that was changed; what was typed in has the last word. A browser's field for colours is
// never empty, so that it alone can't say that there is none.
func (in saveBrandingIn) accent() string {
	if typed := strings.TrimSpace(in.Accent); typed != in.AccentWas || in.Picked == in.PickedWas {
		return typed
	}
	return in.Picked
}

// saveBranding sets name, colour and links together, or shows what they would look like.
func (s *Service) saveBranding(ctx context.Context, by *web.Actor, in saveBrandingIn) (web.Result, error) {
	accent := in.accent()
	fields := admin.TenantFields{
		Name: &in.Name, Accent: &accent, HelpURL: trimmed(in.Help), PrivacyURL: trimmed(in.Privacy), TermsURL: trimmed(in.Terms),
		Signature: &in.Signature,
	}
	change := s.Admin.ChangeTenant
	if in.Try {
		change = s.Admin.TryTenant
	}
	t, err := change(ctx, by, by.Tenant.ID, fields)
	faults := problems(err, "name", "accent", "help_url", "privacy_url", "terms_url", "signature")
	switch {
	case err != nil && faults == nil:
		return web.Result{}, err
	case err == nil && !in.Try:
		return s.done(ui.PathBranding, ui.NoticeBrandingSaved)
	}
	page, err := s.brandingPage(ctx, by)
	page.Name, page.Help, page.Privacy, page.Terms, page.Signature, page.Problems = in.Name, in.Help, in.Privacy, in.Terms, in.Signature, faults
	colour(&page, accent)
	if faults == nil {
		b := t.Branding
		page.Title, page.Tried, page.Signed = t.Name, true, signed(b.Signature)
		page.Look.Help, page.Look.Privacy, page.Look.Terms = b.HelpURL, b.PrivacyURL, b.TermsURL
	}
	return web.Result{Page: page, Refused: faults != nil}, err
}

func trimmed(s string) *string {
	s = strings.TrimSpace(s)
	return &s
}

type logoIn struct {
	File web.FormFile `file:"logo"`
}

func (s *Service) setLogo(ctx context.Context, by *web.Actor, in logoIn) (web.Result, error) {
	var err error
	switch {
	case in.File.Large:
		err = web.Refuse("logo", "large", "it is too large", "choose a smaller file")
	case len(in.File.Data) == 0:
		err = web.Refuse("logo", "", "no file was chosen", "choose one")
	default:
		_, err = s.Admin.SetLogo(ctx, by, by.Tenant.ID, in.File.Data)
	}
	if faults := problems(err, "logo"); faults != nil {
		page, err := s.brandingPage(ctx, by)
		page.Problems = faults
		return web.Result{Page: page, Refused: true}, err
	}
	if err != nil {
		return web.Result{}, err
	}
	return s.done(ui.PathBranding, ui.NoticeLogoSaved)
}

func (s *Service) removeLogo(ctx context.Context, by *web.Actor, _ nothing) (web.Result, error) {
	if _, err := s.Admin.RemoveLogo(ctx, by, by.Tenant.ID); err != nil {
		return web.Result{}, err
	}
	return s.done(ui.PathBranding, ui.NoticeLogoRemoved)
}
