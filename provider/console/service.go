package console

import (
	"errors"
	"net/url"
	"slices"
	"time"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/keys"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// Config is what a Service works with. All fields but Now are needed.
type Config struct {
	// Admin does what the pages ask for; it also says who may.
	Admin       *admin.Service
	Credentials *credential.Keeper
	Store       storage.Store
	Keys        *keys.Keys
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Service draws the pages. It is safe for concurrent use.
type Service struct{ Config }

// New checks the configuration.
func New(c Config) (*Service, error) {
	if c.Admin == nil || c.Credentials == nil || c.Store.Users == nil || c.Keys == nil {
		return nil, errors.New("console: Config lacks a part")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Service{c}, nil
}

// Routes are the pages.
func (s *Service) Routes() []web.Route {
	return slices.Concat(s.peopleRoutes(), s.inviteRoutes(), s.typeRoutes(), s.auditRoutes(), s.adoptionRoutes())
}

func (s *Service) said() web.Said { return web.Said{Keys: s.Keys} }

// done leads to a page, which says what was done.
func (s *Service) done(path, notice string, pairs ...any) (web.Result, error) {
	return s.said().Go(path, ui.Say(notice, pairs...))
}

// refused is what a form says of a request that can't be met, and beside which field. It is false where the refusal is not
// about what was typed.
func refused(err error) (where string, says ui.Text, ok bool) {
	var invalid *web.Invalid
	if !errors.As(err, &invalid) || errors.Is(err, storage.ErrNotFound) {
		return "", ui.Text{}, false
	}
	return invalid.Where, ui.Invalid(invalid.Where, invalid.Code), true
}

// at is the path of a record under that of its kind.
func at(path, id string) string { return path + "/" + url.PathEscape(id) }

// stamp writes a time as pages take it, and the zero time as nothing.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
