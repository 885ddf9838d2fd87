package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// What happens by one process's doing is told by the one that serves, signed so that the published library verifies it.
func TestServeTellsWebhooks(t *testing.T) {
	type told struct {
		header http.Header
		body   []byte
	}
	came := make(chan told, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		came <- told{r.Header.Clone(), body}
	}))
	t.Cleanup(receiver.Close)
	var secret string
	s := startServer(t, "webhook_networks: [127.0.0.0/8]\nwebhook_http: true\n", func(log string) {
		if secret == "" || strings.Contains(log, strings.TrimPrefix(secret, "whsec_")) {
			t.Errorf("the log tells the secret %q: %s", secret, log)
		}
	})
	s.run("admin", "tenants", "create", "northwind", "--name", "Northwind")
	var made struct {
		Webhook struct{ ID string }
		Secret  string
	}
	out := s.run("admin", "--json", "webhooks", "create", "--tenant", "northwind", "--url", receiver.URL+"/in", "--event", "user.*")
	if err := json.Unmarshal([]byte(out), &made); err != nil {
		t.Fatal(err)
	}
	secret = made.Secret
	verifier, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	s.run("admin", "users", "create", "--tenant", "northwind", "--email", "olga@northwind.example", "--name", "Olga")
	got := wanted(t, "the event", came)
	if err := verifier.Verify(got.body, got.header); err != nil {
		t.Error(err)
	}
	var m struct {
		Type string
		Data struct{ Tenant, Outcome, Actor, User string }
	}
	if err := json.Unmarshal(got.body, &m); err != nil {
		t.Fatal(err)
	}
	if m.Type != "user.create" || m.Data.Tenant != "northwind" || m.Data.Outcome != "ok" || m.Data.Actor != "operator" || m.Data.User == "" {
		t.Errorf("%s", got.body)
	}
	test := s.run("admin", "webhooks", "test", "--tenant", "northwind", made.Webhook.ID)
	if got := wanted(t, "the test event", came); verifier.Verify(got.body, got.header) != nil || !strings.Contains(test, "delivered") {
		t.Errorf("%s, %s", got.body, test)
	}
}
