package provider

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/sallyport-id/sallyport/storage"
)

// bench calls the handler as a browser would, without a network in between.
type bench struct {
	b       *testing.B
	e       *echo.Echo
	w       *world
	cookies map[string]string
}

func (x *bench) call(method, to string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, to, strings.NewReader(form.Encode()))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Accept", "text/html")
	for name, value := range x.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	rec := httptest.NewRecorder()
	x.e.ServeHTTP(rec, r)
	for _, c := range rec.Result().Cookies() {
		x.cookies[c.Name] = c.Value
	}
	return rec
}

var hiddenRequest = regexp.MustCompile(`name="request" value="([^"]+)"`)

// signIn is a whole sign-in with a second step: the authorization request, both pages, both answers, the tokens.
func (x *bench) signIn(a *app, ph *phone) {
	x.cookies = map[string]string{}
	at := a.attempt()
	u, err := url.Parse(at.url)
	if err != nil {
		x.b.Fatal(err)
	}
	signIn := x.call(http.MethodGet, u.RequestURI(), nil).Header().Get("Location")
	request := hiddenRequest.FindStringSubmatch(x.call(http.MethodGet, signIn, nil).Body.String())
	if request == nil {
		x.b.Fatal("no sign-in page")
	}
	flow := x.call(http.MethodPost, "/signin", url.Values{
		"request": {request[1]}, "login": {"robin@acme.example"}, "password": {rightPassword},
	}).Header().Get("Location")
	if page := x.call(http.MethodGet, flow, nil); page.Code != http.StatusOK {
		x.b.Fatalf("no code page: %d", page.Code)
	}
	back, err := url.Parse(x.call(http.MethodPost, flow+"/with/totp", url.Values{"code": {ph.next()}}).Header().Get("Location"))
	if err != nil || back.Query().Get("code") == "" {
		x.b.Fatalf("not at the application: %v, %v", back, err)
	}
	tokens := x.call(http.MethodPost, "/token", url.Values{
		"grant_type": {"authorization_code"}, "code": {back.Query().Get("code")}, "redirect_uri": {a.config.RedirectURL},
		"client_id": {a.config.ClientID}, "client_secret": {a.config.ClientSecret}, "code_verifier": {at.verifier},
	})
	if tokens.Code != http.StatusOK {
		x.b.Fatalf("no tokens: %d %s", tokens.Code, tokens.Body)
	}
}

// cpu is the processor time that this process has used.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkSignIn is a whole sign-in with password and TOTP, from the authorization request to the tokens, on SQLite;
// cpu-ms/op is the processor time, with and without the password's hash.
func BenchmarkSignIn(b *testing.B) {
	for _, c := range []struct {
		name, alg string
		change    []func(*Config)
	}{
		{"ES256", "ES256", nil},
		{"RS256", "RS256", nil},
		{"ES256+argon2id", "ES256", []func(*Config){realHash}},
	} {
		b.Run(c.name, func(b *testing.B) {
			quiet := func(c *Config) { c.Logger = slog.New(slog.DiscardHandler) }
			w := newWorld(b, append(c.change, quiet)...)
			_, ph, _ := w.enrolled("acme", "robin@acme.example")
			const redirect = "https://app.example/callback"
			a := w.connect("bench", w.client("bench", "web", redirect, func(o *storage.Client) { o.IDTokenAlg = c.alg }), redirect)
			a.config.Scopes = []string{"openid", "profile", "email"}
			e := echo.New()
			if err := w.p.Mount(e); err != nil {
				b.Fatal(err)
			}
			x := &bench{b: b, e: e, w: w}
			x.signIn(a, ph)
			start := cpu()
			for b.Loop() {
				x.signIn(a, ph)
			}
			b.ReportMetric(float64((cpu()-start).Microseconds())/1000/float64(b.N), "cpu-ms/op")
		})
	}
}
