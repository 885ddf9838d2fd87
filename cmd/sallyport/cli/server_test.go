package cli

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
)

func loopbackListener(t *testing.T) net.Listener {
	t.Helper()
	l, err := listen(t.Context(), "127.0.0.1:0", "test")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestRequestUnderWayFinishesAtShutdown(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	begun, finish := make(chan struct{}), make(chan struct{})
	srv := newServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(begun)
		<-finish
		_, _ = io.WriteString(w, "done")
	}), slog.New(slog.DiscardHandler))
	stopping := make(chan struct{})
	srv.RegisterOnShutdown(func() { close(stopping) })
	l := loopbackListener(t)
	served := make(chan error, 1)
	go func() { served <- serve(ctx, srv, nil, l) }()
	answer := make(chan string, 1)
	go func() {
		r, err := http.Get("http://" + l.Addr().String())
		if err != nil {
			answer <- err.Error()
			return
		}
		defer func() { _ = r.Body.Close() }()
		body, err := io.ReadAll(r.Body)
		if err != nil {
			answer <- err.Error()
			return
		}
		answer <- string(body)
	}()
	<-begun
	stop()
	<-stopping
	select {
	case err := <-served:
		t.Fatalf("stopped with a request under way: %v", err)
	default:
	}
	close(finish)
	if got := <-answer; got != "done" {
		t.Errorf("answer %q", got)
	}
	if err := <-served; err != nil {
		t.Errorf("serve: %v", err)
	}
	if _, err := http.Get("http://" + l.Addr().String()); err == nil {
		t.Error("still answers")
	}
}

func TestPanicIsLoggedAndAnswered(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	e := echo.New()
	e.Use(recovered(logger))
	e.GET("/broken", func(echo.Context) error { panic("the stove is off") })
	e.GET("/fine", func(c echo.Context) error { return c.String(http.StatusOK, "fine") })
	ctx, stop := context.WithCancel(t.Context())
	l := loopbackListener(t)
	served := make(chan error, 1)
	go func() { served <- serve(ctx, newServer(e, logger), nil, l) }()
	body := func(path string, want int) string {
		r, err := http.Get("http://" + l.Addr().String() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = r.Body.Close() }()
		if r.StatusCode != want {
			t.Errorf("%s: status %d, want %d", path, r.StatusCode, want)
		}
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	said := body("/broken", http.StatusInternalServerError)
	if strings.Contains(said, "stove") {
		t.Errorf("a stranger reads %q", said)
	}
	if got := body("/fine", http.StatusOK); got != "fine" {
		t.Errorf("after a panic: %q", got)
	}
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
	_, id, ok := strings.Cut(strings.TrimSuffix(said, ".\n"), "as ")
	if logged := log.String(); !ok || !strings.Contains(logged, "request="+id) || !strings.Contains(logged, "the stove is off") ||
		!strings.Contains(logged, "server_test.go") {
		t.Errorf("said %q, logged %s", said, logged)
	}
}

func TestServesHTTPSWithItsCertificate(t *testing.T) {
	other := httptest.NewTLSServer(nil)
	defer other.Close()
	ctx, stop := context.WithCancel(t.Context())
	l := loopbackListener(t)
	served := make(chan error, 1)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.TLS.ServerName) })
	go func() {
		served <- serve(ctx, newServer(h, slog.New(slog.DiscardHandler)), &other.TLS.Certificates[0], l)
	}()
	client := other.Client()
	r, err := client.Get("https://" + l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Body.Close()
	if r.TLS.Version < tls.VersionTLS12 {
		t.Errorf("TLS version %x", r.TLS.Version)
	}
	if r, err := http.Get("http://" + l.Addr().String()); err == nil {
		_ = r.Body.Close()
		if r.StatusCode == http.StatusOK {
			t.Error("answers plain HTTP too")
		}
	}
	client.CloseIdleConnections()
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func TestHeadersThatAreTooLargeAreRefused(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	l := loopbackListener(t)
	served := make(chan error, 1)
	h := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	go func() { served <- serve(ctx, newServer(h, slog.New(slog.DiscardHandler)), nil, l) }()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+l.Addr().String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Large", strings.Repeat("a", 2*headerBytes))
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("status %d", resp.StatusCode)
	}
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func TestNearestFindsTheKeyThatWasMeant(t *testing.T) {
	keys := []string{"issuer", "listen", "store", "store_file", "master_key_file", "trusted_proxies", "log_level"}
	for typed, want := range map[string]string{
		"lisen": "listen", "Issuer": "issuer", "trusted_proxy": "trusted_proxies", "masterkey_file": "master_key_file",
		"loglevel": "log_level", "colour": "", "x": "",
	} {
		if got := nearest(typed, keys); got != want {
			t.Errorf("nearest(%q) = %q, want %q", typed, got, want)
		}
	}
}

func TestQuoteMakesOneWordForTheShell(t *testing.T) {
	for text, want := range map[string]string{
		"./a b.yaml": "'./a b.yaml'", "sqlite:./x.db": "sqlite:./x.db", "it's": `'it'\''s'`, "": "''", "$(x)": "'$(x)'",
	} {
		if got := quote(text); got != want {
			t.Errorf("quote(%q) = %s, want %s", text, got, want)
		}
	}
}
