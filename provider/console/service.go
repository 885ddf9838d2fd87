package console

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/keys"
	"github.com/sallyport-id/sallyport/provider/transfer"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// Config is what a Service works with. All fields but Now are needed.
type Config struct {
	// Admin does what the pages ask for; it also says who may.
	Admin       *admin.Service
	Credentials *credential.Keeper
	// Transfer imports and exports users; it asks Admin who may.
	Transfer *transfer.Service
	Store    storage.Store
	Keys     *keys.Keys
	// Issuer is what applications are told to trust.
	Issuer string
	Logger *slog.Logger
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Service draws the pages. It is safe for concurrent use.
type Service struct {
	Config
	// imports are those under way, and halt, which is closed once, ends them.
	imports sync.WaitGroup
	halt    chan struct{}
	once    sync.Once
}

// New checks the configuration.
func New(c Config) (*Service, error) {
	if c.Admin == nil || c.Transfer == nil || c.Credentials == nil || c.Store.Users == nil || c.Keys == nil || c.Issuer == "" || c.Logger == nil {
		return nil, errors.New("console: Config lacks a part")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Service{Config: c, halt: make(chan struct{})}, nil
}

// Routes are the pages.
func (s *Service) Routes() []web.Route {
	return slices.Concat(
		[]web.Route{web.Get(strings.TrimSuffix(ui.PathConsole, "/"), web.Self, s.begin)},
		s.peopleRoutes(), s.importRoutes(), s.inviteRoutes(), s.typeRoutes(), s.auditRoutes(), s.adoptionRoutes(), s.applicationRoutes(),
		s.integrationRoutes(), s.webhookRoutes(), s.settingsRoutes(), s.brandingRoutes(), s.policyRoutes(),
	)
}

// begin leads to the first part of the console, for who types in where all of them are.
func (s *Service) begin(context.Context, *web.Actor, nothing) (web.Result, error) {
	return web.Go(ui.PathPeople), nil
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

// problems are what a form says of a refusal, beside the field that it is about, or under the empty name where the form has
// none of that name. It is nil where the refusal is not about what was typed.
func problems(err error, fields ...string) map[string]ui.Text {
	where, says, ok := refused(err)
	if !ok {
		return nil
	}
	if !slices.Contains(fields, where) {
		where = ""
	}
	return map[string]ui.Text{where: says}
}

// owns tells whether the actor may do what only owners do. Others may look.
func (s *Service) owns(ctx context.Context, by *web.Actor) (bool, error) {
	err := s.Admin.MayOwn(ctx, by, by.Tenant.ID)
	if errors.Is(err, web.ErrForbidden) {
		return false, nil
	}
	return err == nil, err
}

// at is the path of a record under that of its kind.
func at(path, id string) string { return path + "/" + url.PathEscape(id) }
