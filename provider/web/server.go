package web

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// Server serves the route table.
type Server struct {
	// Issuer is the deployment's one public URL. Nothing a request says of host or scheme is believed.
	Issuer  *url.URL
	Product string
	UI      *ui.Renderer
	// Trusted are the networks of our own proxies.
	Trusted []netip.Prefix
	Logger  *slog.Logger
	// Identify fills in who is signed in by the session cookie's value; a value that fits nobody leaves the actor as
	// it is and is no error.
	Identify func(ctx context.Context, by *Actor, cookie string) error
	// Challenge leads an actor who may not call a route (yet) to where that is put right, and then back. It returns false
	// where the actor may call it.
	Challenge func(ctx context.Context, by *Actor, need Access, back Back) (Result, bool, error)
	// Bearer fills in whose an access token is: Client and Scopes, and User and Tenant where it has them. It fails with
	// ErrToken for one that is not good (any more), and with *Denied where a policy refuses it from there. It is needed for
	// API routes, as is Once.
	Bearer func(ctx context.Context, by *Actor, token string) error
	Once   Once
	// Logos are tenants' logos.
	Logos storage.Table[storage.Logo]

	crossOrigin *http.CrossOriginProtection
	// routes are those that are mounted.
	routes []Route
}

// exchange is one request on its way through.
type exchange struct {
	s  *Server
	c  echo.Context
	by *Actor
	// toProgram: the answer is for a program, whatever its headers say.
	toProgram bool
}

// Mount adds the routes and the static files to an Echo app, under the issuer's path. It touches nothing else of it.
func (s *Server) Mount(e *echo.Echo, routes []Route) error {
	s.crossOrigin = http.NewCrossOriginProtection()
	if err := s.crossOrigin.AddTrustedOrigin(s.origin()); err != nil {
		return fmt.Errorf("web: issuer %q: %w", s.Issuer, err)
	}
	if err := s.apiFaults(routes); err != nil {
		return err
	}
	s.routes = routes
	g := e.Group(s.base())
	for _, r := range routes {
		serve := func(c echo.Context) error {
			s.serve(c, r)
			return nil
		}
		g.Add(r.Method, r.Path, serve)
		if r.Method == http.MethodGet && strings.HasPrefix(r.Path, PathAPI+"/") {
			g.Add(http.MethodHead, r.Path, serve)
		}
	}
	for _, path := range []string{PathAPI, PathAPI + "/*"} {
		g.Any(path, func(c echo.Context) error {
			x := s.begin(c)
			x.offCourse(routes)
			return nil
		})
	}
	g.GET(ui.PathStatic+":name", s.static)
	s.lost(g)
	return nil
}

func (s *Server) origin() string { return s.Issuer.Scheme + "://" + s.Issuer.Host }

// base is the issuer's path without a slash at its end.
func (s *Server) base() string { return strings.TrimSuffix(s.Issuer.Path, "/") }

func (s *Server) secure() bool { return s.Issuer.Scheme == "https" }

func (s *Server) begin(c echo.Context) *exchange {
	x := &exchange{s: s, c: c, by: &Actor{Request: rand.Text()}}
	r := c.Request()
	c.SetRequest(r.WithContext(context.WithValue(r.Context(), actorKey{}, x.by)))
	x.headers()
	return x
}

func (s *Server) serve(c echo.Context, r Route) {
	x := s.begin(c)
	switch {
	case r.Public:
		r.Handler.ServeHTTP(c.Response(), c.Request())
		return
	case r.API != nil:
		x.program(r)
		return
	}
	if !r.CrossOrigin {
		if err := s.crossOrigin.Check(c.Request()); err != nil {
			x.fail(fmt.Errorf("%w: %w", ErrCrossSite, err))
			return
		}
	}
	if err := x.identify(r); err != nil {
		x.fail(err)
		return
	}
	if r.Handler != nil {
		// Form bodies of the protocol are as small as those of pages.
		req := c.Request()
		req.Body = http.MaxBytesReader(c.Response(), req.Body, maxBody)
		r.Handler.ServeHTTP(c.Response(), req)
		return
	}
	x.operate(r)
}

func (x *exchange) operate(r Route) {
	ctx := x.c.Request().Context()
	if r.Access != Open {
		res, stop, err := x.s.Challenge(ctx, x.by, r.Access, x.back(r))
		if err == nil && stop && x.wantsJSON() && res.To != "" {
			x.signInFirst(res)
			return
		}
		if err != nil || stop {
			x.answer(res, err)
			return
		}
	}
	x.answer(r.call(x))
}

// signInFirst tells a program what a browser is led to.
func (x *exchange) signInFirst(res Result) {
	x.write(x.details(problem{status: http.StatusUnauthorized, page: ui.FailForbidden.Page(""), next: x.absolute(res.To)}))
}

// Back is where to return to after a detour: a path of ours.
type Back struct {
	Path string
	// Undone: what was posted is not done, and is not sent again by itself. Whoever comes back has to be told.
	Undone bool
}

// back is a GET's own path, and else the first page of the part that the path belongs to.
func (x *exchange) back(r Route) Back {
	if r.Method == http.MethodGet {
		return Back{Path: x.here()}
	}
	return Back{Path: ui.TabOf(x.here()), Undone: true}
}

// here is the path that was asked for, with its query.
func (x *exchange) here() string {
	u := x.c.Request().URL
	path := strings.TrimPrefix(u.Path, x.s.base())
	if u.RawQuery != "" {
		path += "?" + u.RawQuery
	}
	return path
}

// again is where to go on from a refusal that passes, and what the button says. What was posted is not sent again by
// itself: from account pages it goes on at the first, and in a sign-in the browser's own way back is the best there is.
func (x *exchange) again() (next string, button ui.Text) {
	switch here := x.here(); {
	case x.c.Request().Method == http.MethodGet:
		return here, ui.Say(ui.ButtonAgain)
	case here == ui.PathAccount || strings.HasPrefix(here, ui.PathAccount+"/"):
		return ui.TabOf(here), ui.Say(ui.ButtonAccount)
	default:
		return "", ui.Text{}
	}
}

// origins notes where a request comes from.
func (x *exchange) origins() {
	r := x.c.Request()
	x.by.Address = address(r, x.s.Trusted)
	x.by.Agent = r.UserAgent()
	if len(x.by.Agent) > 512 {
		x.by.Agent = x.by.Agent[:512]
	}
}

func (x *exchange) identify(route Route) error {
	r := x.c.Request()
	x.origins()
	x.hear()
	// Token requests and other calls across sites have no use for the browser's cookie.
	x.browser(r.Method == http.MethodGet && !route.CrossOrigin)
	if cookie, err := r.Cookie(x.s.cookie(devicesCookie)); err == nil {
		x.by.Devices = cookie.Value
	}
	cookie, err := r.Cookie(x.s.cookie(sessionCookie))
	if err != nil || cookie.Value == "" {
		return nil
	}
	if err := x.s.Identify(r.Context(), x.by, cookie.Value); err != nil {
		return Unavailable("session", err)
	}
	x.by.SpeakTo(x.by.Tenant, x.by.User)
	return nil
}

// hear notes which languages a request asks for.
func (x *exchange) hear() {
	r := x.c.Request()
	// A list may stand in several lines (RFC 9110, section 5.3).
	said := Languages{Asked: r.URL.Query().Get("ui_locales"), Browser: strings.Join(r.Header.Values("Accept-Language"), ",")}
	said.Chosen, said.Over = x.chosen()
	x.by.Hear(x.s.UI.Language, said)
}
