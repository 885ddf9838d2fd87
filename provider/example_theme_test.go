package provider_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"testing/fstest"

	"github.com/labstack/echo/v4"

	"github.com/sallyport-id/sallyport/provider"
	"github.com/sallyport-id/sallyport/storage/sqlite"
)

// A theme takes the place of templates, texts, guides and static files, one at a time; what it leaves out stays as it is. Any
// fs.FS will do: an embed.FS, an os.DirFS, or files that are made when the program starts. New tries each page with it, so that
// a slip is found before anybody signs in.
func Example_theme() {
	theme := fstest.MapFS{
		"i18n/en.json": {Data: []byte(`{"sign_in.title": "Good to see you"}`)},
		"i18n/fr.json": {Data: []byte(`{"sign_in.title": "Heureux de vous voir", "sign_in.password": "Mot de passe"}`)},
	}
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	store, err := sqlite.Open(ctx, sqlite.Options{Path: filepath.Join(dir, "sallyport.db")})
	if err != nil {
		panic(err)
	}
	defer store.Close()
	e := echo.New()
	server := httptest.NewServer(e)
	defer server.Close()
	config := provider.Config{
		Issuer: server.URL, Store: store, MasterKey: []byte("0123456789abcdef0123456789abcdef"), Theme: theme,
		Logger: slog.New(slog.DiscardHandler),
	}
	p, err := provider.New(ctx, config)
	if err != nil {
		panic(err)
	}
	if err := p.Mount(e); err != nil {
		panic(err)
	}
	for _, lang := range []string{"en", "de", "fr"} {
		fmt.Println(heading(server.URL+"/account", lang))
	}

	// A sentence that there is not, as a slip of the finger makes one.
	config.Theme = fstest.MapFS{"i18n/en.json": {Data: []byte(`{"sign_in.titel": "Good to see you"}`)}}
	_, err = provider.New(ctx, config)
	fmt.Println(err)
	// Output:
	// Good to see you, Password
	// Anmelden, Passwort
	// Heureux de vous voir, Mot de passe
	// provider: theme: i18n/en.json: "sign_in.titel" is no key
}

// heading is what a page says first, and the name of the field for the password.
func heading(url, lang string) string {
	jar, err := cookiejar.New(nil)
	if err != nil {
		panic(err)
	}
	r, err := http.NewRequest(http.MethodGet, url, http.NoBody)
	if err != nil {
		panic(err)
	}
	r.Header.Set("Accept-Language", lang)
	res, err := (&http.Client{Jar: jar}).Do(r)
	if err != nil {
		panic(err)
	}
	defer res.Body.Close()
	page, err := io.ReadAll(res.Body)
	if err != nil {
		panic(err)
	}
	title := regexp.MustCompile(`<h1>(.*)</h1>`).FindSubmatch(page)
	label := regexp.MustCompile(`<label for="password">(.*)</label>`).FindSubmatch(page)
	return fmt.Sprintf("%s, %s", title[1], label[1])
}
