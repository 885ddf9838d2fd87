package web

import (
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
)

// Lost answers what no route does, with the page that says that there is nothing. It serves no application that is mounted in
// another's: that has its own.
func (s *Server) Lost(c echo.Context) error {
	s.serve(c, Route{Method: c.Request().Method, call: func(x *exchange) (Result, error) {
		if to, ok := x.withoutSlash(); ok {
			return Result{To: to}, nil
		}
		if methods := methodsAt(s.routes, x.path()); len(methods) > 0 {
			x.c.Response().Header().Set("Allow", strings.Join(methods, ", "))
			return Result{}, errMethod
		}
		return Result{}, ErrNotFound
	}})
	return nil
}

// lost has what stands below our own folders answered so, and leaves the rest to the app that we are mounted in. It is also the
// answer where forms are sent to and nothing can be had: a browser asks for that when the page of a refused form is opened anew.
func (s *Server) lost(g *echo.Group) {
	folders := map[string]bool{}
	for _, r := range s.routes {
		if r.call == nil {
			continue
		}
		if !slices.Contains(methodsAt(s.routes, r.Path), http.MethodGet) {
			g.GET(r.Path, s.Lost)
		}
		folder, _, inside := strings.Cut(strings.TrimPrefix(r.Path, "/"), "/")
		if inside && !strings.HasPrefix(folder, ".") && !folders[folder] { // .well-known is everybody's
			folders[folder] = true
			g.RouteNotFound("/"+folder+"/*", s.Lost)
		}
	}
}

// path is the path that was asked for below the issuer's, as it was sent: a slash that is escaped parts nothing.
func (x *exchange) path() string {
	return strings.TrimPrefix(x.c.Request().URL.EscapedPath(), x.s.base())
}

// withoutSlash is where the page is that was asked for with a slash too many at the end.
func (x *exchange) withoutSlash() (to string, ok bool) {
	path := x.path()
	short := strings.TrimRight(path, "/")
	if x.c.Request().Method != http.MethodGet || short == path || !slices.Contains(methodsAt(x.s.routes, short), http.MethodGet) {
		return "", false
	}
	if query := x.c.Request().URL.RawQuery; query != "" {
		short += "?" + query
	}
	return short, true
}
