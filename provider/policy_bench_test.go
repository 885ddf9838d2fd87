package provider

import (
	"testing"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// BenchmarkPreview is the preview of "everyone must" in a tenant of 100,000 users on SQLite, with some rules before.
func BenchmarkPreview(b *testing.B) {
	w := newWorld(b)
	w.crowd("acme", 100_000)
	must := []string{admin.Everyone}
	rules := []storage.Rule{{Name: "Office", When: storage.When{Networks: []string{"203.0.113.0/24"}, UserTypes: []string{"client"}}, Then: storage.Then{Access: "allow", TwoFactor: "off"}}}
	rules = append(rules, w.tenantOf("acme").Rules...)
	w.rules("acme", rules...)
	b.ReportAllocs()
	for b.Loop() {
		p, err := w.p.Admin().PreviewPolicy(b.Context(), web.Operator(), "acme", admin.PolicyChange{Require2FA: &must})
		if err != nil || p.Users < 100_000 {
			b.Fatalf("%+v: %v", p, err)
		}
	}
}
