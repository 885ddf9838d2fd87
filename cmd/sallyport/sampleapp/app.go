package sampleapp

import (
	"bytes"
	"context"
	"crypto/rand"
	"embed"
	"html/template"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/sallyport-id/sallyport/storage"
)

// Name is what the application calls itself.
const Name = "Workbench"

// Where the application's pages are.
const (
	PathCallback = "/callback"
	PathOutbox   = "/outbox"
)

// User is a sample user, whom the page suggests to sign in as.
type User struct {
	// Tenant is the tenant's name.
	Tenant   string `json:"tenant"`
	Login    string `json:"login"`
	Password string `json:"password"`
	Role     string `json:"role"`
	Type     string `json:"type"`
}

// Config is what the application works with.
type Config struct {
	// Issuer is the identity provider's URL, URL the application's own, both without a slash at the end.
	Issuer, URL string
	// ClientID and ClientSecret are those it was registered with.
	ClientID, ClientSecret string
	Users                  []User
	// Outbox lists the newest mails and text messages, newest first.
	Outbox func(ctx context.Context, limit int) ([]storage.Message, error)
	Logger *slog.Logger
}

//go:embed pages/*.html pages/*.css
var files embed.FS

type app struct {
	Config
	pages *template.Template
	style []byte

	mu sync.Mutex
	// provider is found at the first sign-in.
	provider *oidc.Provider
	// begun are sign-ins under way, by their state; sessions who is signed in, by cookie.
	begun    map[string]begun
	sessions map[string]*session
}

// maxKept bounds the memory that sign-ins under way and sessions take.
const maxKept = 1000

// New returns the application.
func New(c Config) http.Handler {
	style, err := files.ReadFile("pages/style.css")
	if err != nil {
		// It is embedded: a program without it does not build.
		style = nil
	}
	a := &app{
		Config: c, style: style, begun: map[string]begun{}, sessions: map[string]*session{},
		pages: template.Must(template.ParseFS(files, "pages/*.html")),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", a.home)
	mux.HandleFunc("GET /signin", a.signIn)
	mux.HandleFunc("GET "+PathCallback, a.callback)
	mux.HandleFunc("POST /signout", a.signOut)
	mux.HandleFunc("GET "+PathOutbox, a.outbox)
	mux.HandleFunc("GET "+PathOutbox+"/{message}", a.mail)
	mux.HandleFunc("GET /style.css", a.css)
	// A form on another site must not sign anybody out.
	return headers(http.NewCrossOriginProtection().Handler(mux))
}

func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

func (a *app) css(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	http.ServeContent(w, r, "style.css", time.Time{}, bytes.NewReader(a.style))
}

func (a *app) draw(w http.ResponseWriter, r *http.Request, status int, page string, data any) {
	var b bytes.Buffer
	if err := a.pages.ExecuteTemplate(&b, page, data); err != nil {
		a.Logger.ErrorContext(r.Context(), "sample application: page can't be drawn", "page", page, "error", err)
		http.Error(w, "This page can't be drawn; the terminal says why.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if _, err := b.WriteTo(w); err != nil {
		a.Logger.DebugContext(r.Context(), "sample application: answer not taken", "error", err)
	}
}

// trouble says what went wrong at a sign-in.
type trouble struct {
	Title, Text, Detail string
}

func (a *app) trouble(w http.ResponseWriter, r *http.Request, status int, t trouble) {
	a.Logger.WarnContext(r.Context(), "sample application: "+t.Title, "detail", t.Detail)
	a.draw(w, r, status, "trouble.html", t)
}

// homePage is what the front page shows.
type homePage struct {
	Issuer  string
	Users   []User
	Session *shown
}

// Owner and Client are what the first of the sample users who is an owner, or of the type client, signs in with.
func (p homePage) Owner() string { return p.login(func(u User) bool { return u.Role == "owner" }) }

// Client is described at Owner.
func (p homePage) Client() string { return p.login(func(u User) bool { return u.Type == "client" }) }

func (p homePage) login(fits func(User) bool) string {
	if i := slices.IndexFunc(p.Users, fits); i >= 0 {
		return p.Users[i].Login
	}
	return ""
}

func (a *app) home(w http.ResponseWriter, r *http.Request) {
	page := homePage{Issuer: a.Issuer, Users: a.Users}
	if s := a.session(r); s != nil {
		page.Session = s.show(time.Now())
	}
	a.draw(w, r, http.StatusOK, "home.html", page)
}

// The cookies. Cookies know no ports, so their names keep clear of the identity provider's on the same host.
const (
	cookieBrowser = "workbench-browser"
	cookieSession = "workbench-session"
)

func setCookie(w http.ResponseWriter, name, value string, age time.Duration) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Not Secure: a demonstration is plain HTTP on a loopback address.
		Name: name, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: int(age / time.Second),
	})
}

func cookie(r *http.Request, name string) string {
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}

// keep adds to a map that has to stay small.
func keep[V any](m map[string]V, key string, v V) {
	if len(m) >= maxKept {
		for k := range m {
			delete(m, k)
			break
		}
	}
	m[key] = v
}

func (a *app) session(r *http.Request) *session {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.sessions[cookie(r, cookieSession)]
}

func (a *app) newSession(w http.ResponseWriter, s *session) {
	id := rand.Text()
	a.mu.Lock()
	defer a.mu.Unlock()
	keep(a.sessions, id, s)
	setCookie(w, cookieSession, id, 0)
}
