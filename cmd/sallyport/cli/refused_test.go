package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/sallyport-id/sallyport/provider"
	"github.com/sallyport-id/sallyport/storage/sqlite"
	"github.com/sallyport-id/sallyport/storage/sqlite/sqlitetest"
)

const testIssuer = "http://127.0.0.1:8080/id"

// whole is the web application that serve runs, on a new database.
func whole(t *testing.T, logger *slog.Logger) *echo.Echo {
	t.Helper()
	store := sqlitetest.Open(t, sqlite.Options{Logger: logger})
	p, err := provider.New(t.Context(), provider.Config{
		Issuer: testIssuer, Store: store, MasterKey: []byte("0123456789abcdef0123456789abcdef"), Logger: logger,
	})
	if err != nil {
		t.Fatal(err)
	}
	e, err := newEcho(p, testIssuer, logger)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestUnknownAddressIsAnsweredInWords(t *testing.T) {
	var log bytes.Buffer
	e := whole(t, slog.New(slog.NewTextHandler(&log, nil)))
	e.GET("/failing", func(echo.Context) error { return errors.New("the dial to db-7 failed") })
	e.GET("/telling", func(echo.Context) error { return echo.NewHTTPError(http.StatusBadGateway, "the dial to db-7 failed") })
	const html, program, page, problem = "text/html,application/json;q=0.9", "application/json", "text/html; charset=utf-8", "application/problem+json"
	for _, c := range []struct {
		method, path, accept string
		status               int
		kind, says           string
	}{
		{"GET", "/nowhere", html, 404, page, "<!doctype html>"},
		{"GET", "/id/nowhere", "", 404, page, "<!doctype html>"},
		{"HEAD", "/nowhere", html, 404, page, ""},
		{"GET", "/nowhere", program, 404, problem, "The link may be old or mistyped."},
		{"GET", "/nowhere", problem, 404, problem, "The link may be old or mistyped."},
		{"DELETE", "/id/account", html, 405, page, "<!doctype html>"},
		{"GET", "/failing", "", 500, "text/plain; charset=UTF-8", "Something went wrong on our side."},
		{"GET", "/failing", program, 500, problem, "Something went wrong on our side."},
		{"GET", "/telling", "", 502, "text/plain; charset=UTF-8", "Something went wrong on our side."},
	} {
		t.Run(c.method+c.path+" "+c.accept, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), c.method, c.path, nil)
			r.Header.Set("Accept", c.accept)
			w := httptest.NewRecorder()
			e.ServeHTTP(w, r)
			body := w.Body.String()
			if w.Code != c.status || w.Header().Get("Content-Type") != c.kind || strings.Contains(body, "db-7") {
				t.Fatalf("%d %q %q", w.Code, w.Header().Get("Content-Type"), body)
			}
			if c.kind == problem {
				var said struct {
					Status        int
					Title, Detail string
				}
				if err := json.Unmarshal(w.Body.Bytes(), &said); err != nil || said.Status != c.status || said.Title == "" {
					t.Fatalf("%s (%v)", body, err)
				}
				body = said.Detail
			}
			if !strings.HasPrefix(body, c.says) {
				t.Errorf("says %q, want %q", body, c.says)
			}
			if c.status < 500 {
				return
			}
			_, id, ok := strings.Cut(strings.TrimSuffix(strings.TrimSpace(body), "."), "log as ")
			if !ok || !strings.Contains(log.String(), "request="+id) || !strings.Contains(log.String(), "db-7") {
				t.Errorf("says %q, logged %s", body, log.String())
			}
		})
	}
}

// What a command makes of the default logger is up to Main: in a test it stays as it is.
func TestDefaultLoggerIsMainsToSet(t *testing.T) {
	before := slog.Default()
	var lines bytes.Buffer
	var libraries *slog.Logger
	w := &world{ctx: t.Context(), in: os.Stdin, out: io.Discard, err: &lines, setDefault: func(l *slog.Logger) { libraries = l }}
	s := settings{LogLevel: "info", LogFormat: "json"}
	s.logger(w).Info("ours")
	libraries.Info("chatter")
	libraries.Warn("warning")
	if got := lines.String(); strings.Contains(got, "chatter") || !strings.Contains(got, `"msg":"ours"`) || !strings.Contains(got, `"msg":"warning"`) {
		t.Errorf("logged %s", got)
	}
	if slog.Default() != before {
		t.Error("the default logger was changed")
	}
}
