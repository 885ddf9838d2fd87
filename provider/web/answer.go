package web

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

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
	if res.Language != nil {
		x.s.setCookie(x.c, languageCookie, *res.Language, languageCookieAge)
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

func (x *exchange) wantsJSON() bool {
	if x.toProgram {
		return true
	}
	accept := x.c.Request().Header.Get("Accept")
	json := strings.Contains(accept, "application/json") || strings.Contains(accept, "application/problem+json")
	return json && !strings.Contains(accept, "text/html")
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
	} else if frame.Anew = x.anew(status == http.StatusUnprocessableEntity); frame.Anew != "" {
		frame.Over = over(x.by.Languages.Asked)
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
