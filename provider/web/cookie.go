package web

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

// Cookie names, without the prefix.
const (
	browserCookie  = "browser"
	sessionCookie  = "session"
	devicesCookie  = "devices"
	languageCookie = "language"
)

// Cookie lifetimes. The ends of sessions and remembered devices are kept in storage.
const (
	browserCookieAge  = 400 * 24 * time.Hour
	devicesCookieAge  = 30 * 24 * time.Hour
	languageCookieAge = 365 * 24 * time.Hour
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
