package web

import (
	"bytes"
	"net/http"
	"strings"
	"time"

	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// BrandOf is how a tenant's pages look.
func BrandOf(tenant string, b storage.Brand) ui.Brand {
	brand := ui.Brand{Accent: b.Accent, Help: b.Help, Privacy: b.Privacy, Terms: b.Terms}
	if b.Logo != "" {
		brand.Logo, brand.LogoWidth, brand.LogoHeight = LogoPath(tenant, b.Logo), b.LogoWidth, b.LogoHeight
	}
	return brand
}

const logoEnding = ".png"

// LogoPath is where a tenant's logo stands, relative to the issuer.
func LogoPath(tenant, logo string) string { return ui.PathBrand + tenant + "/" + logo + logoEnding }

// BrandRoutes serve what makes the look of tenants' pages to everybody, for it stands on the page where people sign in.
// Nothing there tells which tenants exist: an accent is a style sheet of a colour, and a logo is found only by whoever was
// shown its random name.
func (s *Server) BrandRoutes() []Route {
	return []Route{
		{Method: http.MethodGet, Path: ui.PathBrand + ":name", Public: true, Handler: http.HandlerFunc(s.accent)},
		{Method: http.MethodGet, Path: ui.PathBrand + ":tenant/:name", Public: true, Handler: http.HandlerFunc(s.logo)},
	}
}

func (s *Server) accent(w http.ResponseWriter, r *http.Request) {
	a, ok := ui.AccentStyle(strings.TrimPrefix(s.path(r), ui.PathBrand))
	if !ok {
		s.Refuse(w, r, ErrNotFound)
		return
	}
	forEver(w, r, a.Type, a.Body)
}

func (s *Server) logo(w http.ResponseWriter, r *http.Request) {
	tenant, name, _ := strings.Cut(strings.TrimPrefix(s.path(r), ui.PathBrand), "/")
	id, ok := strings.CutSuffix(name, logoEnding)
	if !ok || !plain(tenant) || !plain(id) {
		s.Refuse(w, r, ErrNotFound)
		return
	}
	l, err := s.Logos.Get(r.Context(), tenant, id)
	if err != nil {
		s.Refuse(w, r, Unavailable("logo", err))
		return
	}
	forEver(w, r, l.Type, l.Data)
}

// plain tells whether s has the characters that IDs of tenants and logos have. Others need not be looked for.
func plain(s string) bool {
	return s != "" && len(s) <= 64 && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z')
	})
}

// forEver answers with what never changes under its name, to pages of ours alone.
func forEver(w http.ResponseWriter, r *http.Request, contentType string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

// path is the path that was asked for, relative to the issuer.
func (s *Server) path(r *http.Request) string { return strings.TrimPrefix(r.URL.Path, s.base()) }
