package api

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/keys"
	"github.com/sallyport-id/sallyport/provider/transfer"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// Config is what a Service works with. Every field is needed unless it says otherwise.
type Config struct {
	// Issuer is the deployment's public URL, which the description of the API names.
	Issuer *url.URL
	Store  storage.Store
	// Keys seals answers that are kept.
	Keys *keys.Keys
	// Admin is what the operations stand on: it decides who may do what, and puts it into the audit log.
	Admin *admin.Service
	// Transfer imports and exports users; it asks Admin who may.
	Transfer *transfer.Service
	Logger   *slog.Logger
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Service is the REST API. It is safe for concurrent use.
type Service struct {
	Config
	about description
}

// New checks the configuration.
func New(c Config) (*Service, error) {
	if c.Issuer == nil || c.Store.Replies == nil || c.Keys == nil || c.Admin == nil || c.Transfer == nil || c.Logger == nil {
		return nil, errors.New("api: Config lacks a part")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	about, err := describe(c.Issuer)
	if err != nil {
		return nil, fmt.Errorf("api: %w", err)
	}
	return &Service{Config: c, about: about}, nil
}

// v1 is what the paths of this version begin with. What programs rely on does not change within a version: fields are
// added, never taken away or given another meaning.
const v1 = web.PathAPI + "/v1"

// Routes are the operations, and what tells programs about them.
func (s *Service) Routes() []web.Route {
	return append(s.Operations(),
		web.Route{Method: http.MethodGet, Path: v1, CrossOrigin: true, Public: true, Handler: s.about.index},
		web.Route{Method: http.MethodGet, Path: v1 + "/openapi.json", CrossOrigin: true, Public: true, Handler: s.about.document},
	)
}

// Operations is the table of what programs can do. openapi.json is made from it: "go test ./provider/api -update".
func (s *Service) Operations() []web.Route {
	return slices.Concat([]web.Route{
		web.API(http.MethodGet, v1+"/me", "", s.me).About("getMe", "Access", "Tell whose the access token is"),
	},
		s.tenantRoutes(), s.auditRoutes(), s.userRoutes(), s.transferRoutes(), s.invitationRoutes(), s.typeRoutes(), s.clientRoutes(),
		s.integrationRoutes(), s.webhookRoutes(), s.policyRoutes(),
	)
}
