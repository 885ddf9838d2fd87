package oidc

import (
	"net/url"
	"testing"

	"github.com/zitadel/oidc/v3/pkg/oidc"

	"github.com/sallyport-id/sallyport/storage"
)

// What a token costs, over HTTP on loopback, with SQLite and the audit log.

func BenchmarkCodeExchange(b *testing.B) {
	for _, client := range []string{"app", "es"} {
		w := newWorld(b, "")
		b.Run(algorithm(w.benchClient(client)), func(b *testing.B) {
			forms := make([]url.Values, b.N)
			for i := range forms {
				forms[i] = w.code(client)
			}
			b.ResetTimer()
			for _, form := range forms {
				w.ok(w.post(pathToken, form))
			}
		})
	}
}

func BenchmarkRefresh(b *testing.B) {
	for _, client := range []string{"app", "es"} {
		w := newWorld(b, "")
		b.Run(algorithm(w.benchClient(client)), func(b *testing.B) {
			token := w.tokens(client)["refresh_token"].(string)
			for b.Loop() {
				token = w.ok(w.refresh(client, token)).json(b)["refresh_token"].(string)
			}
		})
	}
}

func BenchmarkClientCredentials(b *testing.B) {
	for _, client := range []string{"machine", "machine-es"} {
		w := newWorld(b, "")
		b.Run(algorithm(w.benchClient(client)), func(b *testing.B) {
			for b.Loop() {
				w.ok(w.machine(client, "read"))
			}
		})
	}
}

func BenchmarkAuthorize(b *testing.B) {
	w := newWorld(b, "")
	q := ask("app")
	for b.Loop() {
		w.get(pathAuthorize, q)
	}
}

// BenchmarkSign is the floor: the two signatures of a token response, and nothing else.
func BenchmarkSign(b *testing.B) {
	w := newWorld(b, "")
	for _, client := range []string{"app", "es"} {
		c := w.benchClient(client)
		g := storage.Grant{Key: storage.Key{Tenant: "acme", ID: storage.NewID()}, User: "ann-acme", Scopes: []string{oidc.ScopeOpenID}}
		b.Run(algorithm(c), func(b *testing.B) {
			for b.Loop() {
				if _, err := w.p.tokensFor(b.Context(), c, &g, &storage.User{}, g.Scopes, "", ""); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func (w *world) benchClient(id string) *storage.Client {
	w.Helper()
	c, err := w.store.Clients.Get(w.Context(), storage.Global, id)
	w.must(err)
	return &c
}

func (w *world) ok(res reply) reply {
	w.Helper()
	if res.StatusCode != 200 {
		w.Fatalf("%d %s", res.StatusCode, res.body)
	}
	return res
}
