package cli

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
)

// Browsers try one of localhost's addresses and then the other: what they find must be us on both.
func TestLocalhostIsListenedOnWholly(t *testing.T) {
	for _, address := range []string{"localhost:0", "127.0.0.1:0", "[::1]:0"} {
		p, err := listenHere(t.Context(), address, "--listen")
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(p.url, "http://localhost:") {
			t.Errorf("%s is called %s", address, p.url)
		}
		srv := newServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "here") }), slog.New(slog.DiscardHandler))
		done := make(chan error, 1)
		go func() { done <- serve(t.Context(), srv, nil, p.on...) }()
		_, port, _ := net.SplitHostPort(p.on[0].Addr().String())
		for _, l := range p.on {
			r, err := http.Get("http://" + l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			_ = r.Body.Close()
		}
		// Another program, which has come first on one of the addresses, must not get half of the visitors.
		if _, err := listenHere(t.Context(), "localhost:"+port, "--listen"); err == nil {
			t.Errorf("port %s was taken twice", port)
		} else if f, ok := errors.AsType[finding](err); !ok || !strings.Contains(f.What, "taken by another program") {
			t.Errorf("%v", err)
		}
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	}
}

func TestPortTakenOnOneAddressOnly(t *testing.T) {
	other, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skip("this machine has no IPv6:", err)
	}
	defer func() { _ = other.Close() }()
	_, port, _ := net.SplitHostPort(other.Addr().String())
	if _, err := listenHere(t.Context(), "localhost:"+port, "--listen"); err == nil {
		t.Fatal("half of localhost was taken for the whole")
	}
	// Nothing is left open of what was begun.
	l, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

func TestOtherLoopbackAddressesKeepTheirName(t *testing.T) {
	p, err := listenHere(t.Context(), "127.0.0.2:0", "--listen")
	if err != nil {
		t.Skip("this machine has one loopback address only:", err)
	}
	if !strings.HasPrefix(p.url, "http://127.0.0.2:") || len(p.on) != 1 {
		t.Errorf("%+v", p)
	}
	if err := p.close(); err != nil {
		t.Error(err)
	}
}
