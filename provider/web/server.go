package web

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

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
	// Challenge leads an actor who may not call a route (yet) to where that is put right, and then to back, a path
	// of ours. It returns false where the actor may call it.
	Challenge func(ctx context.Context, by *Actor, need Access, back string) (Result, bool, error)
	// Bearer fills in whose an access token is: Client and Scopes, and User and Tenant where it has them. It fails with
	// ErrToken for one that is not good (any more), and with *Denied where a policy refuses it from there. It is needed for
	// API routes, as is Once.
	Bearer func(ctx context.Context, by *Actor, token string) error
	Once   Once
	// Logos are tenants' logos.
	Logos storage.Table[storage.Logo]

	crossOrigin *http.CrossOriginProtection
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

// back is where to return to after a detour: a GET's own path. What was posted is not sent again by itself.
func (x *exchange) back(r Route) string {
	if r.Method == http.MethodGet {
		return x.here()
	}
	return ui.TabOf(x.here())
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

type actorKey struct{}

// ActorFrom returns the actor of the request that ctx belongs to, for what is far below the operation; without a request it
// is one of whom nothing is known.
func ActorFrom(ctx context.Context) *Actor {
	by, ok := ctx.Value(actorKey{}).(*Actor)
	if !ok {
		return &Actor{}
	}
	return by
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
	x.by.Hear(x.s.UI.Language, r.URL.Query().Get("ui_locales"), strings.Join(r.Header.Values("Accept-Language"), ","))
}

// Cookie names, without the prefix.
const (
	browserCookie = "browser"
	sessionCookie = "session"
	devicesCookie = "devices"
)

// cookie names a cookie of ours. With the __Host- prefix no other host of the domain can set or read it; browsers
// take that over TLS only, so it is left out on plain-HTTP loopback.
func (s *Server) cookie(name string) string {
	if s.secure() {
		return "__Host-sallyport-" + name
	}
	return "sallyport-" + name
}

func (s *Server) setCookie(c echo.Context, name, value string, age time.Duration) {
	cookie := &http.Cookie{ //nolint:gosec // G124: Secure is off for plain HTTP on loopback only.
		Name: s.cookie(name), Value: value, Path: "/", HttpOnly: true, Secure: s.secure(), SameSite: http.SameSiteLaxMode,
		MaxAge: int(age / time.Second),
	}
	if value == "" {
		cookie.MaxAge = -1
	}
	c.SetCookie(cookie)
}

// browser reads the cookie that tells this browser from others, and may give one to a browser that has none.
func (x *exchange) browser(give bool) {
	value := ""
	if cookie, err := x.c.Request().Cookie(x.s.cookie(browserCookie)); err == nil && len(cookie.Value) == len(rand.Text()) {
		value = cookie.Value
	}
	if value == "" {
		value = rand.Text()
		if give {
			x.s.setCookie(x.c, browserCookie, value, browserCookieAge)
		}
	}
	sum := sha256.Sum256([]byte(value))
	x.by.Browser = base64.RawURLEncoding.EncodeToString(sum[:])
}

func (x *exchange) headers() {
	h := x.c.Response().Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", policy(nil))
	if x.s.secure() {
		h.Set("Strict-Transport-Security", "max-age=63072000")
	}
}

// policy is the Content-Security-Policy of a page whose forms may lead to targets.
func policy(targets []string) string {
	form := "form-action 'self'"
	for _, t := range targets {
		form += " " + t
	}
	return "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; " +
		form + "; frame-ancestors 'none'; base-uri 'none'"
}

func (x *exchange) wantsJSON() bool {
	if x.toProgram {
		return true
	}
	accept := x.c.Request().Header.Get("Accept")
	return strings.Contains(accept, "application/json") && !strings.Contains(accept, "text/html")
}

func (x *exchange) answer(res Result, err error) {
	// A remembered device's secret has changed in storage whatever came after: a browser that kept the one of before would
	// look like a copy.
	if res.Devices != nil {
		x.s.setCookie(x.c, devicesCookie, *res.Devices, devicesCookieAge)
	}
	if err != nil {
		x.fail(err)
		return
	}
	if res.Session != nil {
		x.s.setCookie(x.c, sessionCookie, *res.Session, 0)
	}
	if len(res.FormTargets) > 0 {
		x.c.Response().Header().Set("Content-Security-Policy", policy(res.FormTargets))
	}
	switch {
	case res.File != nil:
		x.file(res.File)
	case res.Download != nil:
		x.stream(*res.Download, nil)
	case res.Page != nil:
		status := http.StatusOK
		if res.Refused {
			status = http.StatusUnprocessableEntity
		}
		if res.Tenant != nil || res.Reader != nil {
			x.by.SpeakTo(res.Tenant, res.Reader)
		}
		x.page(status, res.Tenant, res.Page)
	case x.wantsJSON():
		x.json(http.StatusOK, map[string]string{"next": x.absolute(res.To)})
	default:
		x.c.Response().Header().Set("Location", x.absolute(res.To))
		x.c.Response().WriteHeader(http.StatusSeeOther)
	}
}

// absolute puts the issuer before a path of ours.
func (x *exchange) absolute(to string) string {
	if strings.HasPrefix(to, "/") {
		return x.s.base() + to
	}
	return to
}

func (x *exchange) file(f *File) {
	h := x.c.Response().Header()
	h.Set("Content-Type", f.Type)
	h.Set("Content-Length", strconv.Itoa(len(f.Data)))
	if f.Name != "" {
		h.Set("Content-Disposition", `attachment; filename="`+f.Name+`"`)
	}
	x.c.Response().WriteHeader(http.StatusOK)
	x.wrote(x.c.Response().Write(f.Data))
}

func (x *exchange) page(status int, tenant *storage.Tenant, p ui.Page) {
	if x.wantsJSON() {
		x.json(status, p)
		return
	}
	frame := ui.Frame{Lang: x.by.Lang, Base: x.s.base(), Product: x.s.Product, Request: x.by.Request}
	if t := cmp.Or(tenant, x.by.Tenant); t != nil {
		frame.Tenant, frame.Brand = t.Name, BrandOf(t.ID, t.Brand)
	}
	if x.by.User != nil {
		frame.Account = Account(x.by.User)
		frame.Administers = x.by.User.Role == storage.Owner || x.by.User.Role == storage.Admin
	}
	h := x.c.Response().Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", frame.Lang)
	h.Add("Vary", "Accept, Accept-Language")
	body, err := x.draw(frame, p)
	if err != nil {
		x.s.Logger.ErrorContext(x.c.Request().Context(), "page can't be drawn", "page", p.Template(), "error", err, "request", x.by.Request)
		http.Error(x.c.Response(), "internal error "+x.by.Request, http.StatusInternalServerError)
		return
	}
	x.c.Response().WriteHeader(status)
	if x.c.Request().Method != http.MethodHead {
		x.wrote(x.c.Response().Write(body))
	}
}

func (x *exchange) draw(frame ui.Frame, p ui.Page) ([]byte, error) {
	var b strings.Builder
	if err := x.s.UI.Render(&b, frame, p); err != nil {
		return nil, err
	}
	return []byte(b.String()), nil
}

func (x *exchange) json(status int, v any) {
	x.c.Response().Header().Set("Content-Type", "application/json")
	data, err := json.Marshal(v)
	if err != nil {
		x.s.Logger.ErrorContext(x.c.Request().Context(), "answer can't be encoded", "error", err, "request", x.by.Request)
		status, data = http.StatusInternalServerError, []byte(`{}`)
	}
	x.c.Response().WriteHeader(status)
	x.wrote(x.c.Response().Write(data))
}

// wrote notes that a client went away before it had its answer.
func (x *exchange) wrote(_ int, err error) {
	if err != nil {
		x.s.Logger.DebugContext(x.c.Request().Context(), "answer not taken", "error", err, "request", x.by.Request)
	}
}

// Refuse answers a request to a protocol endpoint with an error page.
func (s *Server) Refuse(w http.ResponseWriter, r *http.Request, err error) {
	x := &exchange{s: s, c: echo.New().NewContext(r, w), by: ActorFrom(r.Context())}
	x.fail(err)
}

// Answer answers a request to a protocol endpoint with what an operation returned.
func (s *Server) Answer(w http.ResponseWriter, r *http.Request, res Result, err error) {
	x := &exchange{s: s, c: echo.New().NewContext(r, w), by: ActorFrom(r.Context())}
	x.answer(res, err)
}
