package provider_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"path/filepath"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/sallyport-id/sallyport/provider"
	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/hook"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage/sqlite"
)

// OfficeHours is a hook: contractors sign in on weekdays, from one hour of the day to another.
type OfficeHours struct {
	From, To int
	In       *time.Location
}

// Hook is asked before a sign-in is complete, when everything that policy asks for has been proven. Renewed tokens are
// asked for at all hours, so it looks at those as well.
func (o OfficeHours) Hook(_ context.Context, e hook.Event) error {
	if e.UserType != "contractor" || e.Point != hook.BeforeSignIn && e.Point != hook.BeforeToken {
		return nil
	}
	now := e.Time.In(o.In)
	if day := now.Weekday(); day == time.Saturday || day == time.Sunday || now.Hour() < o.From || now.Hour() >= o.To {
		return hook.Deny(fmt.Sprintf("Contractors sign in on weekdays from %d to %d.", o.From, o.To))
	}
	return nil
}

// A hook may refuse sign-ins, set-ups, recoveries and tokens, with a reason that the user reads.
func Example_hook() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	now := time.Date(2026, time.March, 6, 17, 59, 0, 0, time.UTC) // a Friday
	clock := func() time.Time { return now }
	store, err := sqlite.Open(ctx, sqlite.Options{Path: filepath.Join(dir, "sallyport.db"), Now: clock})
	if err != nil {
		panic(err)
	}
	defer store.Close()
	e := echo.New()
	server := httptest.NewServer(e)
	defer server.Close()
	p, err := provider.New(ctx, provider.Config{
		Issuer: server.URL, Store: store, MasterKey: []byte("0123456789abcdef0123456789abcdef"),
		Hooks:  []hook.Hook{OfficeHours{From: 8, To: 18, In: time.UTC}},
		Logger: slog.New(slog.DiscardHandler), Now: clock,
	})
	if err != nil {
		panic(err)
	}
	if err := p.Mount(e); err != nil {
		panic(err)
	}
	if _, err := p.Admin().CreateTenant(ctx, web.Operator(), "acme", admin.TenantFields{}); err != nil {
		panic(err)
	}
	for _, who := range []string{"contractor", "client"} {
		_, _, err := p.Admin().CreateUser(ctx, web.Operator(), "acme", admin.NewUser{Email: who + "@acme.example", Type: who, Password: "seven brisk otters"})
		if err != nil {
			panic(err)
		}
	}
	for _, who := range []string{"contractor", "client"} {
		fmt.Println(now.Format("Monday 15:04"), who, signIn(server.URL, who+"@acme.example"))
	}
	now = now.Add(time.Minute)
	for _, who := range []string{"contractor", "client"} {
		fmt.Println(now.Format("Monday 15:04"), who, signIn(server.URL, who+"@acme.example"))
	}
	// Output:
	// Friday 17:59 contractor 200
	// Friday 17:59 client 200
	// Friday 18:00 contractor 403 Contractors sign in on weekdays from 8 to 18.
	// Friday 18:00 client 200
}

// signIn signs in with a password, as a program does: it follows "next" to the sign-in page, and answers that.
func signIn(issuer, login string) string {
	jar, err := cookiejar.New(nil)
	if err != nil {
		panic(err)
	}
	client := &http.Client{Jar: jar}
	ask := func(method, url string, body any) (int, map[string]string) {
		data, err := json.Marshal(body)
		if err != nil {
			panic(err)
		}
		r, err := http.NewRequest(method, url, bytes.NewReader(data))
		if err != nil {
			panic(err)
		}
		r.Header.Set("Accept", "application/json")
		r.Header.Set("Content-Type", "application/json")
		res, err := client.Do(r)
		if err != nil {
			panic(err)
		}
		defer res.Body.Close()
		var answer map[string]any
		if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
			panic(err)
		}
		words := map[string]string{}
		for name, v := range answer {
			words[name], _ = v.(string)
		}
		return res.StatusCode, words
	}
	_, account := ask(http.MethodGet, issuer+"/account", nil)
	_, page := ask(http.MethodGet, issuer+account["next"], nil)
	status, answer := ask(http.MethodPost, issuer+"/signin", map[string]string{
		"request": page["request"], "login": login, "password": "seven brisk otters",
	})
	if status != http.StatusOK {
		return fmt.Sprint(status, " ", answer["detail"])
	}
	return fmt.Sprint(status)
}
