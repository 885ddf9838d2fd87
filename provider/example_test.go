package provider_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/labstack/echo/v4"

	"github.com/sallyport-id/sallyport/provider"
	"github.com/sallyport-id/sallyport/storage/sqlite"
)

// An existing Echo app becomes an identity provider: what it served before it serves still.
func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	e := echo.New() // the app that was there before
	e.GET("/hello", func(c echo.Context) error { return c.String(http.StatusOK, "hello") })
	server := httptest.NewServer(e)
	defer server.Close()

	ctx := context.Background()
	store, err := sqlite.Open(ctx, sqlite.Options{Path: filepath.Join(dir, "sallyport.db")})
	if err != nil {
		panic(err)
	}
	defer store.Close()
	p, err := provider.New(ctx, provider.Config{
		Issuer:    server.URL,                                 // where users and applications reach it
		Store:     store,                                      // storage/sqlite, or storage/mongo
		MasterKey: []byte("0123456789abcdef0123456789abcdef"), // 32 random bytes, kept outside the database
		Logger:    slog.New(slog.DiscardHandler),
	})
	if err != nil {
		panic(err)
	}
	if err := p.Mount(e); err != nil {
		panic(err)
	}
	go func() { _ = p.Run(ctx) }() // rotates keys, sweeps what has expired, until ctx ends

	for _, path := range []string{"/hello", "/.well-known/openid-configuration"} {
		res, err := http.Get(server.URL + path)
		if err != nil {
			panic(err)
		}
		var about struct {
			Methods []string `json:"code_challenge_methods_supported"`
		}
		_ = json.NewDecoder(res.Body).Decode(&about)
		_ = res.Body.Close()
		fmt.Println(res.StatusCode, about.Methods)
	}
	// Output:
	// 200 []
	// 200 [S256]
}
